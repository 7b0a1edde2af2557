/* Reads 64-byte command records from standard input, writes the 64-byte events to standard output and, at the end, what the
 * best prices are to standard error. Arguments: self-trade prevention (0 to 4), then the symbols of the engine.
 *
 *     cc -I include replay.c -L. -lmatcher_core -o replay && ./replay 1 0 < commands.bin > events.bin
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "matcher_core.h"

enum { BATCH = 256, SYMBOLS_MAX = 64, MAX_ORDERS = 1 << 20 };

static int replay(mc_engine *engine) {
    static mc_command_t commands[BATCH];
    size_t count;
    while ((count = fread(commands, sizeof *commands, BATCH, stdin)) > 0) {
        int64_t events = mc_process(engine, commands, count);
        if (events < 0) {
            return -1;
        }
        if (fwrite(mc_events(engine), sizeof(mc_event_t), (size_t) events, stdout) != (size_t) events) {
            return -1;
        }
    }
    return fflush(stdout);
}

static void print_best(mc_engine *engine, uint32_t symbol) {
    for (uint8_t side = 0; side < 2; side++) {
        int64_t price = 0;
        uint64_t lots = 0;
        if (mc_best(engine, symbol, side, &price, &lots) == 1) {
            fprintf(stderr, "%" PRIu32 " %d %" PRId64 " %" PRIu64 "\n", symbol, side, price, lots);
        }
    }
}

int main(int argc, char **argv) {
    uint32_t symbols[SYMBOLS_MAX];
    uint64_t count = 0;
    if (argc < 3 || argc > SYMBOLS_MAX + 2) {
        fprintf(stderr, "usage: replay STP SYMBOL...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        symbols[count++] = (uint32_t) strtoul(argv[i], NULL, 10);
    }
    mc_engine *engine = mc_engine_new(symbols, count, (uint8_t) atoi(argv[1]), MAX_ORDERS);
    if (engine == NULL || replay(engine) != 0) {
        fprintf(stderr, "replay: out of memory, or standard output is closed\n");
        mc_engine_free(engine);
        return 1;
    }
    fprintf(stderr, "live %" PRIu64 "\n", mc_live(engine));
    for (uint64_t i = 0; i < count; i++) {
        print_best(engine, symbols[i]);
    }
    mc_engine_free(engine);
    return 0;
}
