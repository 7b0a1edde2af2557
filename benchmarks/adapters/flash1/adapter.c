/* matcher_core behind the C ABI of flash1-dev/matching-engine-benchmark (its api/matching_engine_api.h, found through the include path).
 *
 * Translation only: no order, price or quantity is kept here. A message becomes one 64-byte command, mc_process() answers with events,
 * each event becomes one report. Every best price and depth that is asked for comes from the book itself.
 *
 * Delivery is one message a call (engine_on_batch is not exported), so no message is looked at before the one ahead of it is finished.
 * Reports travel over the harness's own queue, or, compiled with -DOWN_QUEUE, over the one in queue.h, which the contract allows.
 */
#include <stdlib.h>

#include "matcher_core.h"
#include "matching_engine_api.h"

#define EXPORT __attribute__((visibility("default")))
#define SYMBOL 0u
#define MAX_ORDERS (1ull << 24)
#define LEVELS_AT_FIRST 64u

enum { OP_LIMIT = 1, OP_CANCEL = 3, OP_REPLACE = 4 }; /* the numbers of matcher_core/types.py */
enum { TIF_GTC = 0, TIF_IOC = 1 };
enum { EVENT_TRADE = 2, EVENT_CANCELED = 3, EVENT_REJECTED = 5 };
enum { STP_OFF = 0 };

#ifdef OWN_QUEUE
#include "queue.h"
#endif

static mc_engine *engine;
#ifndef OWN_QUEUE
static const me_transport_t *transport;
#endif
static void *sink;

static inline me_report_t report_of(const mc_event_t *e, uint8_t type) {
    return (me_report_t){
        .type = type,
        .side = e->side,
        .sequence_number = e->seq,
        .order_id = e->order_id,
        .price_ticks = e->price,
        .quantity = (uint32_t)e->quantity,
        .maker_order_id = type == ME_TRADE ? e->counter_id : 0,
        .taker_order_id = type == ME_TRADE ? e->order_id : 0,
    };
}

static inline void send_report(const mc_event_t *e, uint8_t type) {
#ifdef OWN_QUEUE
    *queue_next(sink) = report_of(e, type);
    queue_commit(sink);
#else
    const me_report_t report = report_of(e, type);
    while (!transport->push(sink, &report)) {
    }
#endif
}

#ifdef __AVX__
#define WIDE 32
#else
#define WIDE 16
#endif
typedef uint64_t words_t __attribute__((vector_size(WIDE)));
typedef union {
    mc_command_t command;
    words_t words[sizeof(mc_command_t) / WIDE];
} record_t;

/* A record written in wide stores. The book copies it with wide loads at once, and a load that spans several narrower stores has to wait
 * until they have all left the store buffer: some 7 ns a message. `head` is op, side, tif and flags, a byte each, and the symbol. */
static inline void record_write(record_t *r, uint64_t head, uint64_t seq, uint64_t order_id, int64_t price, uint64_t quantity) {
    head |= (uint64_t)SYMBOL << 32;
#ifdef __AVX__
    r->words[0] = (words_t){head, seq, order_id, 0};
    r->words[1] = (words_t){0, (uint64_t)price, quantity, 0};
#else
    r->words[0] = (words_t){head, seq};
    r->words[1] = (words_t){order_id, 0};
    r->words[2] = (words_t){0, (uint64_t)price};
    r->words[3] = (words_t){quantity, 0};
#endif
}

/* Apply one command and report what happened, in the order it happened. `acknowledged` and `rejected` are what this message calls its own
 * success and failure; a new order is never refused by contract, so its refusals are not reported. */
static inline void apply(const mc_command_t *command, uint8_t acknowledged, int rejected) {
    const int64_t count = mc_process(engine, command, 1);
    const mc_event_t *e = mc_events(engine);
    if (count < 0) {
        abort(); /* out of memory: the harness reports a crash */
    }
    for (const mc_event_t *end = e + count; e != end; e++) {
        if (e->type == EVENT_TRADE) {
            send_report(e, ME_TRADE);
        } else if (e->type == EVENT_CANCELED) {
            send_report(e, ME_CANCEL_ACK);
        } else if (e->type != EVENT_REJECTED) {
            send_report(e, acknowledged);
        } else if (rejected >= 0) {
            send_report(e, (uint8_t)rejected);
        }
    }
}

EXPORT void engine_init(uint64_t seed, const me_transport_t *selected, void *report_sink) {
    const uint32_t symbol = SYMBOL;
    (void)seed;
#ifdef OWN_QUEUE
    (void)selected;
#else
    transport = selected;
#endif
    sink = report_sink;
    engine = mc_engine_new(&symbol, 1, STP_OFF, MAX_ORDERS);
    if (engine == NULL) {
        abort();
    }
}

EXPORT void engine_shutdown(void) {
    mc_engine_free(engine);
    engine = NULL;
}

EXPORT void engine_on_new_order(const new_order_t *m) {
    const uint64_t tif = m->ioc ? TIF_IOC : TIF_GTC;
    record_t r;
    record_write(&r, OP_LIMIT | (uint64_t)m->side << 8 | tif << 16, m->sequence_number, m->order_id, m->price_ticks, m->quantity);
    apply(&r.command, ME_ORDER_ACK, -1);
}

EXPORT void engine_on_cancel(const cancel_t *m) {
    record_t r;
    record_write(&r, OP_CANCEL, m->sequence_number, m->order_id, 0, 0);
    apply(&r.command, ME_CANCEL_ACK, ME_CANCEL_REJECT);
}

EXPORT void engine_on_modify(const modify_t *m) {
    record_t r;
    record_write(&r, OP_REPLACE, m->sequence_number, m->order_id, m->new_price_ticks, m->new_quantity);
    apply(&r.command, ME_MODIFY_ACK, ME_MODIFY_REJECT);
}

/* Everything has been matched and reported when a call returns. */
EXPORT void engine_flush(void) {}

EXPORT int64_t engine_query_best_bid(void) {
    int64_t price;
    uint64_t lots;
    return mc_best(engine, SYMBOL, 0, &price, &lots) > 0 ? price : INT64_MIN;
}

EXPORT int64_t engine_query_best_ask(void) {
    int64_t price;
    uint64_t lots;
    return mc_best(engine, SYMBOL, 1, &price, &lots) > 0 ? price : INT64_MAX;
}

/* Lots at one price, or UINT64_MAX when `room` best prices do not reach as far as it. */
static uint64_t lots_within(int64_t price, uint8_t side, mc_level *rows, uint64_t room) {
    const int64_t count = mc_depth(engine, SYMBOL, side, rows, room);
    for (int64_t i = 0; i < count; i++) {
        if (rows[i].price == price) {
            return rows[i].lots;
        }
        if (side == 0 ? rows[i].price < price : rows[i].price > price) {
            return 0;
        }
    }
    return (uint64_t)count < room ? 0 : UINT64_MAX;
}

EXPORT uint64_t engine_query_depth_at(int64_t price_ticks, uint8_t side) {
    uint64_t lots = UINT64_MAX;
    for (uint64_t room = LEVELS_AT_FIRST; lots == UINT64_MAX; room *= 8) {
        mc_level *rows = malloc(room * sizeof(mc_level));
        if (rows == NULL) {
            abort();
        }
        lots = lots_within(price_ticks, side, rows, room);
        free(rows);
    }
    return lots;
}

#ifdef OWN_QUEUE
EXPORT const me_transport_t *engine_get_transport(void) { return &queue_transport; }
#endif
