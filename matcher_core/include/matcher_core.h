/* The order book from C. Link with the extension module or with a library made from its generated source; no Python
 * interpreter has to run. Records and rules are those of records.py and reference.py.
 *
 * An engine is used by one thread at a time; different engines are independent. */
#ifndef MATCHER_CORE_H
#define MATCHER_CORE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mc_engine mc_engine;

typedef struct mc_command_t { /* 64 bytes, little endian: a record of records.py in memory */
    uint8_t op;
    uint8_t side;
    uint8_t tif;
    uint8_t flags;
    uint32_t symbol;
    uint64_t seq;
    uint64_t order_id;
    uint64_t owner;
    uint64_t group;
    int64_t price;
    uint64_t quantity;
    uint64_t reserved;
} mc_command_t;

typedef struct mc_details_t { /* 64 bytes: the record after a command whose flags hold 128 (DETAILS) */
    uint8_t op; /* 15 */
    uint8_t peg;
    uint16_t zero;
    uint32_t symbol;
    int64_t stop_price;
    uint64_t trail_offset;
    uint64_t display_quantity;
    uint64_t min_quantity;
    uint64_t expire_at;
    uint64_t peg_offset;
    uint64_t reserved;
} mc_details_t;

typedef struct mc_event_t { /* 64 bytes */
    uint8_t type;
    uint8_t side;
    uint16_t code;
    uint32_t symbol;
    uint64_t seq;
    uint64_t order_id;
    uint64_t counter_id;
    int64_t price;
    uint64_t quantity;
    uint64_t leaves;
    uint64_t counter_leaves;
} mc_event_t;

typedef struct mc_level { /* all orders of one side at one price */
    int64_t price;
    uint64_t lots;
    uint64_t orders;
} mc_level;

typedef struct mc_order_info {
    uint64_t order_id;
    uint64_t open_lots;
    uint64_t owner;
    uint64_t group;
    int64_t price; /* where it rests; its limit or cap where it only waits; 0 none */
    uint32_t side;
    uint32_t place; /* a Place of types.py: 0 displayed, 1 hidden, else waiting */
} mc_order_info;

/* An engine with a book for each symbol (below 2^20, each once). stp is a SelfTradePrevention, max_orders holds per book.
 * NULL when there is no memory or an argument is out of range. */
mc_engine *mc_engine_new(const uint32_t *symbols, uint64_t count, uint8_t stp, uint64_t max_orders);
void mc_engine_free(mc_engine *engine); /* NULL is fine */

/* Open one more book. 0, or -1: no memory, open already, or symbol not below 2^20. */
int mc_open(mc_engine *engine, uint32_t symbol);

/* Apply commands in order. Returns how many events they made, or -1 when memory ran out: then events were lost, every later
 * call returns -1, and the engine must be rebuilt from its commands. commands needs no alignment. */
int64_t mc_process(mc_engine *engine, const mc_command_t *commands, uint64_t count);

/* The events of the last mc_process, valid until the next. */
const mc_event_t *mc_events(const mc_engine *engine);

/* Best displayed price of a side (0 buy, 1 sell) and the lots there. 1, 0: none rests, -1: no such book or side. */
int mc_best(mc_engine *engine, uint32_t symbol, uint8_t side, int64_t *price, uint64_t *lots);

/* The best prices of a side, best first, at most `room`. How many were written, or -1: no such book or side. */
int64_t mc_depth(const mc_engine *engine, uint32_t symbol, uint8_t side, mc_level *rows, uint64_t room);

/* Orders displayed at one price, and their lots. Or -1: no such book or side, or the price is not positive. */
int64_t mc_lots_at(const mc_engine *engine, uint32_t symbol, uint8_t side, int64_t price, uint64_t *lots);

/* The BookState of a book, or -1: no such book. */
int mc_state(const mc_engine *engine, uint32_t symbol);

/* What an uncross would do now. 1, 0: nothing would trade, -1: no such book. */
int mc_indicative(
    mc_engine *engine, uint32_t symbol, int64_t *price, uint64_t *volume, uint64_t *surplus, uint8_t *surplus_side);

/* A live order. 1, 0: not alive in this book, -1: no such book. */
int mc_order(mc_engine *engine, uint32_t symbol, uint64_t order_id, mc_order_info *info);

/* Live orders of all books. */
uint64_t mc_live(const mc_engine *engine);

/* The rolling hash over all events of a book, 0 for a book that is not open. */
uint64_t mc_rolling_hash(mc_engine *engine, uint32_t symbol);

/* Which sources the library was made from, hexadecimal. */
const char *mc_build_id(void);

#ifdef __cplusplus
}
#endif

#endif
