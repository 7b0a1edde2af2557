/* What one command costs when no interpreter is involved: mc_process() with one command a call, and with more for comparison.
 *
 *     single_call COMMANDS WARM BATCH ROUNDS SYMBOLS TRADES
 *
 * COMMANDS is a file of 64-byte command records, the first WARM of which only build the books; SYMBOLS books, 0 and up, are opened. Each of
 * ROUNDS rounds starts a fresh engine and times the rest by the CPU time of this thread. TRADES receives every trade of the last round, four
 * u64 each: maker, taker, price, lots. With BATCH 1 one more round times every call by itself.
 * Prints one JSON object, times in nanoseconds.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "matcher_core.h"

#define WARM_BATCH 1024
#define MAX_ORDERS (1ull << 24)
enum { TRADE = 2, STP_OFF = 0 };

typedef struct {
    const mc_command_t *commands;
    uint64_t warm, count, batch, rounds;
    uint32_t symbols;
} work_t;

static void *must(void *p) {
    if (p == NULL) {
        fputs("no memory or no such file\n", stderr);
        exit(2);
    }
    return p;
}

static uint64_t now_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static const mc_command_t *read_commands(const char *path, uint64_t *count) {
    FILE *file = must(fopen(path, "rb"));
    fseek(file, 0, SEEK_END);
    *count = (uint64_t)ftell(file) / sizeof(mc_command_t);
    rewind(file);
    mc_command_t *commands = must(malloc(*count * sizeof(mc_command_t)));
    if (fread(commands, sizeof(mc_command_t), *count, file) != *count) {
        exit(2);
    }
    fclose(file);
    return commands;
}

static mc_engine *warm_engine(const work_t *w) {
    uint32_t *symbols = must(malloc(w->symbols * sizeof(uint32_t)));
    for (uint32_t i = 0; i < w->symbols; i++) {
        symbols[i] = i;
    }
    mc_engine *engine = must(mc_engine_new(symbols, w->symbols, STP_OFF, MAX_ORDERS));
    free(symbols);
    for (uint64_t i = 0; i < w->warm; i += WARM_BATCH) {
        mc_process(engine, w->commands + i, w->warm - i < WARM_BATCH ? w->warm - i : WARM_BATCH);
    }
    return engine;
}

/* CPU nanoseconds a command over everything after the warm part. */
static double timed_round(const work_t *w) {
    mc_engine *engine = warm_engine(w);
    const uint64_t start = now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (uint64_t i = w->warm; i < w->count; i += w->batch) {
        mc_process(engine, w->commands + i, w->count - i < w->batch ? w->count - i : w->batch);
    }
    const uint64_t took = now_ns(CLOCK_THREAD_CPUTIME_ID) - start;
    mc_engine_free(engine);
    return (double)took / (double)(w->count - w->warm);
}

/* Every call by itself, by the steady clock; what reading the clock costs is taken off. */
static void print_percentiles(const work_t *w) {
    const uint64_t calls = w->count - w->warm;
    double *ns = must(malloc(calls * sizeof(double)));
    double empty[1001];
    for (int i = 0; i < 1001; i++) {
        const uint64_t start = now_ns(CLOCK_MONOTONIC);
        empty[i] = (double)(now_ns(CLOCK_MONOTONIC) - start);
    }
    qsort(empty, 1001, sizeof(double), ascending);
    mc_engine *engine = warm_engine(w);
    for (uint64_t i = 0; i < calls; i++) {
        const uint64_t start = now_ns(CLOCK_MONOTONIC);
        mc_process(engine, w->commands + w->warm + i, 1);
        ns[i] = (double)(now_ns(CLOCK_MONOTONIC) - start) - empty[500];
    }
    mc_engine_free(engine);
    qsort(ns, calls, sizeof(double), ascending);
    printf(", \"clock_ns\": %.0f, \"p50_ns\": %.0f, \"p99_ns\": %.0f, \"p999_ns\": %.0f", empty[500], ns[calls / 2],
           ns[calls * 99 / 100], ns[calls * 999 / 1000]);
    free(ns);
}

static void write_trades(const work_t *w, const char *path) {
    FILE *file = must(fopen(path, "wb"));
    mc_engine *engine = warm_engine(w);
    for (uint64_t i = w->warm; i < w->count; i += w->batch) {
        const int64_t events = mc_process(engine, w->commands + i, w->count - i < w->batch ? w->count - i : w->batch);
        const mc_event_t *e = mc_events(engine);
        for (const mc_event_t *end = e + events; e < end; e++) {
            const uint64_t trade[4] = {e->counter_id, e->order_id, (uint64_t)e->price, e->quantity};
            if (e->type == TRADE) {
                fwrite(trade, sizeof(trade), 1, file);
            }
        }
    }
    mc_engine_free(engine);
    fclose(file);
}

int main(int argc, char **argv) {
    if (argc != 7) {
        fputs("single_call COMMANDS WARM BATCH ROUNDS SYMBOLS TRADES\n", stderr);
        return 2;
    }
    work_t w = {.warm = strtoull(argv[2], NULL, 10), .batch = strtoull(argv[3], NULL, 10), .rounds = strtoull(argv[4], NULL, 10)};
    w.symbols = (uint32_t)strtoul(argv[5], NULL, 10);
    w.commands = read_commands(argv[1], &w.count);
    double *rounds = must(malloc(w.rounds * sizeof(double)));
    for (uint64_t i = 0; i < w.rounds; i++) {
        rounds[i] = timed_round(&w);
    }
    qsort(rounds, w.rounds, sizeof(double), ascending);
    printf("{\"ns_per_operation\": %.2f, \"ns_per_operation_best\": %.2f", rounds[w.rounds / 2], rounds[0]);
    if (w.batch == 1) {
        print_percentiles(&w);
    }
    puts("}");
    write_trades(&w, argv[6]);
    free(rounds);
    return 0;
}
