/* A libFuzzer target over mc_process: any bytes become commands, and whatever they are the engine answers and stays consistent.
 * Every input runs twice, one command a call and all in one call, on engines of different internal salt: the events must be the same.
 * What is checked beside that uses the events alone, so that it shares no code with the engine. */
#include <stdio.h>
#include <stdlib.h>

#include "input.h"

enum { ACCEPTED = 1, TRADE, CANCELED, REPLACED, STATE_CHANGED = 7, DECREMENTED = 8, EVENT_TYPES = 15, TRADING = 1 };

#define CHECK(condition) \
    ((condition) ? (void) 0 : (fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition), abort()))

static input_t in;
static uint64_t alive[SYMBOLS_MAX];    /* bit i: order i lives, by the events */
static uint8_t states[SYMBOLS_MAX];    /* by the events */

static int place_of(uint32_t symbol) {
    for (uint64_t i = 0; i < in.symbols; i++) {
        if (FUZZ_SYMBOLS[i] == symbol) {
            return (int) i;
        }
    }
    return -1;
}

static void keep(int book, uint64_t id, int lives) {
    uint64_t bit = (uint64_t) 1 << (id & (IDS - 1));
    alive[book] = lives ? alive[book] | bit : alive[book] & ~bit;
}

static void follow(const mc_event_t *e) {
    int book = place_of(e->symbol);
    CHECK(e->type >= 1 && e->type <= EVENT_TYPES);
    if (book < 0) {
        CHECK(e->type == 5);           /* only a refusal names a symbol the engine does not have */
        return;
    }
    switch (e->type) {
    case ACCEPTED:
    case REPLACED:
        keep(book, e->order_id, e->leaves > 0);
        break;
    case CANCELED:
        CHECK(e->quantity > 0);
        keep(book, e->order_id, 0);
        break;
    case TRADE:
    case DECREMENTED:
        CHECK(e->quantity > 0);
        CHECK(e->price > 0);
        if (e->leaves == 0) {
            keep(book, e->order_id, 0);
        }
        if (e->counter_leaves == 0) {
            keep(book, e->counter_id, 0);
        }
        break;
    case STATE_CHANGED:
        CHECK(e->quantity >= 1 && e->quantity <= 6);
        states[book] = (uint8_t) e->quantity;
        break;
    default:
        break;
    }
}

static int best(mc_engine *engine, uint64_t book, uint8_t side, int64_t *price) {
    uint64_t lots = 0;
    int found = mc_best(engine, FUZZ_SYMBOLS[book], side, price, &lots);
    CHECK(found == 0 || (found == 1 && lots > 0 && *price > 0));
    return found;
}

static void check_after_command(mc_engine *engine) {
    uint64_t lives = 0;
    for (uint64_t i = 0; i < in.symbols; i++) {
        int64_t bid = 0, ask = 0;
        int both = best(engine, i, 0, &bid) && best(engine, i, 1, &ask);
        CHECK(mc_state(engine, FUZZ_SYMBOLS[i]) == states[i]);
        CHECK(states[i] != TRADING || !both || bid < ask);
        lives += (uint64_t) __builtin_popcountll(alive[i]);
    }
    CHECK(in.raw || lives == mc_live(engine));
}

static void check_depth(mc_engine *engine, uint64_t book, uint8_t side) {
    static mc_level rows[RECORDS_MAX];
    int64_t count = mc_depth(engine, FUZZ_SYMBOLS[book], side, rows, RECORDS_MAX);
    CHECK(count >= 0);
    for (int64_t i = 0; i < count; i++) {
        CHECK(rows[i].lots > 0 && rows[i].orders > 0);
        CHECK(i == 0 || (side == 0 ? rows[i].price < rows[i - 1].price : rows[i].price > rows[i - 1].price) || rows[i - 1].price == 0);
    }
}

static void check_at_the_end(mc_engine *engine, mc_engine *other) {
    mc_order_info order;
    for (uint64_t i = 0; i < in.symbols; i++) {
        CHECK(mc_rolling_hash(engine, FUZZ_SYMBOLS[i]) == mc_rolling_hash(other, FUZZ_SYMBOLS[i]));
        check_depth(engine, i, 0);
        check_depth(engine, i, 1);
        for (uint64_t id = 1; !in.raw && id < IDS; id++) {
            CHECK(mc_order(engine, FUZZ_SYMBOLS[i], id, &order) == (int) (alive[i] >> id & 1));
        }
    }
    CHECK(mc_live(engine) == mc_live(other));
}

/* Hands events to `sink` when there is one: fuzz/replay.c writes them. */
void (*fuzz_sink)(const mc_command_t *commands, uint64_t count, const mc_event_t *events, uint64_t produced);

static void run_singly(mc_engine *engine, mc_event_t **all, uint64_t *total) {
    for (uint64_t i = 0, next; i < in.count; i = next) {
        for (next = i + 1; next < in.count && in.continues[next]; next++) {
        }
        int64_t produced = mc_process(engine, &in.records[i], next - i);
        CHECK(produced >= 1);          /* every command is answered */
        const mc_event_t *events = mc_events(engine);
        *all = realloc(*all, (*total + (uint64_t) produced) * sizeof **all);
        CHECK(*all != NULL);
        memcpy(*all + *total, events, (uint64_t) produced * sizeof **all);
        *total += (uint64_t) produced;
        for (int64_t j = 0; j < produced; j++) {
            follow(&events[j]);
            CHECK(in.raw || events[j].seq == in.records[i].seq);
        }
        check_after_command(engine);
    }
}

/* All commands in one call, from an odd address: the library asks for no alignment. */
static int64_t run_at_once(mc_engine *engine) {
    static char buffer[1 + sizeof in.records];
    memcpy(buffer + 1, in.records, in.count * sizeof *in.records);
    return mc_process(engine, (const mc_command_t *) (const void *) (buffer + 1), in.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    mc_event_t *all = NULL;
    uint64_t total = 0;
    if (decode_input(&in, data, size) < 0) {
        return -1;
    }
    memset(alive, 0, sizeof alive);
    memset(states, TRADING, sizeof states);
    mc_engine *singly = mc_engine_new(FUZZ_SYMBOLS, in.symbols, in.stp, in.max_orders);
    mc_engine *at_once = mc_engine_new(FUZZ_SYMBOLS, in.symbols, in.stp, in.max_orders);
    CHECK(singly != NULL && at_once != NULL);
    run_singly(singly, &all, &total);
    CHECK(run_at_once(at_once) == (int64_t) total);
    CHECK(memcmp(mc_events(at_once), all, total * sizeof *all) == 0);
    check_at_the_end(singly, at_once);
    if (fuzz_sink != NULL) {
        fuzz_sink(in.records, in.count, all, total);
    }
    free(all);
    mc_engine_free(singly);
    mc_engine_free(at_once);
    return 0;
}
