/* Runs the fuzz target over files, without libFuzzer: replay FILE... exits 0 when everything holds.
 * replay --write FILE writes the records of one input, and after them its events, to standard output: u64 number of records, u64 number
 * of events, then both. */
#include <stdio.h>
#include <stdlib.h>

#include "matcher_core.h"

enum { SIZE_MAX_INPUT = 1 << 20 };

extern void (*fuzz_sink)(const mc_command_t *commands, uint64_t count, const mc_event_t *events, uint64_t produced);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_both(const mc_command_t *commands, uint64_t count, const mc_event_t *events, uint64_t produced) {
    uint64_t head[2] = {count, produced};
    fwrite(head, sizeof head, 1, stdout);
    fwrite(commands, sizeof *commands, count, stdout);
    fwrite(events, sizeof *events, produced, stdout);
}

static int replay(const char *path) {
    static uint8_t data[SIZE_MAX_INPUT];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "replay: cannot read %s\n", path);
        return 2;
    }
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(data, size);
    return 0;
}

int main(int argc, char **argv) {
    int first = 1;
    if (argc == 3 && argv[1][0] == '-') {
        fuzz_sink = write_both;
        first = 2;
    }
    for (int i = first; i < argc; i++) {
        int status = replay(argv[i]);
        if (status != 0) {
            return status;
        }
    }
    return argc > 1 ? 0 : 2;
}
