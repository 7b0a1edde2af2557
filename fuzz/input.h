/* What the bytes of an input mean. The first byte chooses the engine: bit 0 raw, bits 1 to 3 self-trade prevention, bit 4 a book of
 * eight orders, bits 5 and 6 symbols less one. The rest is commands: raw, 64 bytes each as they are; or eight bytes each, which become
 * commands with few ids and prices, so that orders meet. A command with details takes the next eight bytes for them.
 *
 * An input keeps its meaning for ever: the corpus depends on it. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stddef.h>
#include <string.h>

#include "matcher_core.h"

enum { TOKEN = 8, RECORDS_MAX = 4096, SYMBOLS_MAX = 4, IDS = 64 };
enum { OP_LIMIT = 1, OP_MARKET, OP_CANCEL, OP_REPLACE, OP_MASS_CANCEL, OP_SET_STATE, OP_CLOCK, OP_UNCROSS, OP_SET_BANDS, OP_DETAILS = 15 };
enum { FLAG_POST_ONLY = 1, FLAG_SLIDE = 2, FLAG_HIDDEN = 4, FLAG_ONE_SIDE = 8, FLAG_ALL_OWNERS = 16, FLAG_END_OF_DAY = 32, FLAG_DETAILS = 128 };

static const uint32_t FUZZ_SYMBOLS[SYMBOLS_MAX] = {0, 1, 7, 300};

typedef struct input_t {
    int raw;
    uint8_t stp;
    uint64_t max_orders;
    uint64_t symbols;
    uint64_t count;                  /* records */
    mc_command_t records[RECORDS_MAX];
    uint8_t continues[RECORDS_MAX];  /* this record belongs to the command before it */
} input_t;

static int64_t price_of(uint8_t byte) {
    static const int64_t special[8] = {0, -1, 1, 2, INT64_MAX, INT64_MAX - 1, INT64_MIN, (int64_t) 1 << 32};
    switch (byte >> 5) {
    case 5: return 1 + (int64_t) (byte & 31) * 700;       /* beyond one window of prices */
    case 6: return (int64_t) 1 << ((byte & 31) * 2);      /* far apart */
    case 7: return special[byte & 7];
    default: return 100 + (byte & 15);
    }
}

static uint64_t lots_of(uint8_t byte) {
    static const uint64_t special[16] = {0, UINT64_MAX, (uint64_t) 1 << 63, UINT64_MAX - 20, 1000, 20000, 100000, (uint64_t) 1 << 62};
    return byte < 248 ? 1 + (uint64_t) (byte & 31) : special[byte & 7];
}

static uint8_t op_of(uint8_t byte) {
    static const uint8_t ops[16] = {OP_LIMIT, OP_LIMIT, OP_LIMIT, OP_LIMIT, OP_LIMIT, OP_MARKET, OP_CANCEL, OP_REPLACE, OP_REPLACE,
                                    OP_MASS_CANCEL, OP_SET_STATE, OP_CLOCK, OP_UNCROSS, OP_SET_BANDS, OP_LIMIT, 0};
    return ops[byte & 15];
}

static int takes_details(uint8_t op) {
    return op == OP_LIMIT || op == OP_MARKET || op == OP_REPLACE;
}

static uint8_t flags_of(uint8_t op, uint8_t byte) {
    static const uint8_t entering[8] = {0, 0, 0, 0, FLAG_POST_ONLY, FLAG_POST_ONLY | FLAG_SLIDE, FLAG_HIDDEN, FLAG_SLIDE};
    if (takes_details(op)) {
        return (uint8_t) (entering[byte & 7] | (byte & 8 ? FLAG_DETAILS : 0));
    }
    if (op == OP_MASS_CANCEL) {
        return byte & (FLAG_ONE_SIDE | FLAG_ALL_OWNERS);
    }
    if (op == OP_CLOCK) {
        return byte & FLAG_END_OF_DAY;
    }
    return byte >= 240 ? byte : 0;
}

static uint32_t symbol_of(const input_t *in, uint8_t byte) {
    return byte == 255 ? UINT32_MAX : byte == 254 ? 5 : FUZZ_SYMBOLS[byte % in->symbols];
}

static mc_command_t command_of(const input_t *in, const uint8_t *token) {
    mc_command_t c;
    memset(&c, 0, sizeof c);
    c.op = op_of(token[0]);
    c.side = token[0] >> 4 & 1;
    c.tif = token[0] >> 5;
    c.flags = flags_of(c.op, token[1]);
    c.symbol = symbol_of(in, token[6]);
    c.order_id = token[2] & (IDS - 1);
    c.owner = token[5] & 3;
    c.group = c.op == OP_SET_BANDS ? token[7] & 15 : token[5] >> 2 & 3;
    c.price = c.op == OP_MARKET && token[1] & 16 ? 0 : price_of(token[3]);
    c.quantity = lots_of(token[4]);
    if (c.op == OP_SET_STATE || c.op == OP_UNCROSS) {
        c.quantity = token[4] & 7;
    } else if (c.op == OP_CLOCK) {
        c.quantity = token[4];
    }
    c.reserved = token[7] == 255;
    return c;
}

static mc_command_t details_of(uint32_t symbol, const uint8_t *token) {
    /* u16 zero and u32 symbol share the first eight bytes with op and peg; the rest are eight-byte words, as in a command. */
    mc_command_t c;
    uint64_t words[8] = {0};
    uint8_t bits = token[0];
    words[1] = bits & 8 ? (uint64_t) price_of(token[1]) : 0;
    words[2] = bits & 16 ? 1 + (token[2] & 7) : 0;
    words[3] = bits & 32 ? 1 + (token[3] & 15) : 0;
    words[4] = bits & 64 ? 1 + (token[4] & 15) : 0;
    words[5] = bits & 128 ? token[5] : 0;
    words[6] = bits & 4 ? token[6] & 3 : 0;
    words[7] = token[7] == 254;
    memcpy(&c, words, sizeof c);
    c.op = token[7] == 255 ? OP_CANCEL : OP_DETAILS;
    c.side = bits & 4 ? bits & 3 : 0;
    c.symbol = token[7] == 253 ? symbol + 1 : symbol;
    return c;
}

static void decode_raw(input_t *in, const uint8_t *data, size_t size) {
    while (size >= sizeof(mc_command_t) && in->count < RECORDS_MAX) {
        memcpy(&in->records[in->count], data, sizeof(mc_command_t));
        in->continues[in->count] = in->count > 0 && in->records[in->count].op == OP_DETAILS;
        in->count++;
        data += sizeof(mc_command_t);
        size -= sizeof(mc_command_t);
    }
}

static void decode_tokens(input_t *in, const uint8_t *data, size_t size) {
    for (uint64_t seq = 1; size >= TOKEN && in->count + 2 <= RECORDS_MAX; seq++) {
        mc_command_t command = command_of(in, data);
        command.seq = seq;
        in->records[in->count] = command;
        in->continues[in->count++] = 0;
        data += TOKEN;
        size -= TOKEN;
        if (command.flags & FLAG_DETAILS && takes_details(command.op) && size >= TOKEN) {
            in->records[in->count] = details_of(command.symbol, data);
            in->continues[in->count] = in->records[in->count].op == OP_DETAILS;
            in->count++;
            data += TOKEN;
            size -= TOKEN;
        }
    }
}

/* 0, or -1 when there is no command in it. */
static int decode_input(input_t *in, const uint8_t *data, size_t size) {
    if (size < 1 + TOKEN) {
        return -1;
    }
    in->raw = data[0] & 1;
    in->stp = (data[0] >> 1 & 7) % 5;
    in->max_orders = data[0] & 16 ? 8 : 1 << 20;
    in->symbols = 1 + (data[0] >> 5 & 3);
    in->count = 0;
    (in->raw ? decode_raw : decode_tokens)(in, data + 1, size - 1);
    return in->count > 0 ? 0 : -1;
}

#endif
