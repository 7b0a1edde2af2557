/* CPU time an engine needs for a message of flash1's workload, by itself: no second thread, reports counted and thrown away.
 *
 *     cpu ENGINE.so WORKLOAD.bin ROUNDS
 *
 * WORKLOAD.bin is a file the harness keeps beside itself (orders_SCENARIO_s23_n1000000.bin: 16 bytes, then records of 40). What the harness
 * measures by the wall clock on two cores swings with the neighbours; this is the thread's own time, and comparable on a busy machine.
 * Prints one JSON object; nanoseconds.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "matching_engine_api.h"

typedef struct {
    uint8_t type, side, ioc, pad;
    uint32_t quantity;
    uint64_t sequence_number, order_id;
    int64_t price;
    uint64_t reserved;
} row_t;

typedef struct {
    void (*init)(uint64_t, const me_transport_t *, void *);
    void (*shutdown)(void);
    void (*on_new_order)(const new_order_t *);
    void (*on_cancel)(const cancel_t *);
    void (*on_modify)(const modify_t *);
    void (*prebuild)(uint8_t, const void *); /* may be missing */
} engine_t;

static uint64_t reports;
static me_report_t last;

static int count_report(void *sink, const me_report_t *report) {
    (void)sink;
    last = *report;
    reports++;
    return 1;
}

static void *must(void *p, const char *what) {
    if (p == NULL) {
        fprintf(stderr, "%s\n", what);
        exit(2);
    }
    return p;
}

static double cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static me_msg_t message_of(const row_t *r) {
    me_msg_t m;
    memset(&m, 0, sizeof(m));
    m.type = r->type;
    if (r->type == 0) {
        m.no = (new_order_t){r->order_id, r->sequence_number, r->price, r->quantity, r->side, r->ioc, {0}};
    } else if (r->type == 1) {
        m.c = (cancel_t){r->order_id, r->sequence_number};
    } else {
        m.md = (modify_t){r->order_id, r->sequence_number, r->price, r->quantity, r->side, {0}};
    }
    return m;
}

static me_msg_t *read_messages(const char *path, uint64_t *count) {
    FILE *file = must(fopen(path, "rb"), "no such workload");
    fseek(file, 0, SEEK_END);
    *count = ((uint64_t)ftell(file) - 16) / sizeof(row_t);
    fseek(file, 16, SEEK_SET);
    me_msg_t *messages = must(malloc(*count * sizeof(me_msg_t)), "no memory");
    for (uint64_t i = 0; i < *count; i++) {
        row_t row;
        if (fread(&row, sizeof(row), 1, file) != 1) {
            exit(2);
        }
        messages[i] = message_of(&row);
    }
    fclose(file);
    return messages;
}

static double timed_round(const engine_t *e, const me_msg_t *messages, uint64_t count) {
    const me_transport_t discard = {.push = count_report};
    reports = 0;
    e->init(1, &discard, NULL);
    for (uint64_t i = 0; e->prebuild != NULL && i < count; i++) {
        e->prebuild(messages[i].type, &messages[i].no);
    }
    const double start = cpu_ns();
    for (uint64_t i = 0; i < count; i++) {
        const me_msg_t *m = &messages[i];
        if (m->type == 0) {
            e->on_new_order(&m->no);
        } else if (m->type == 1) {
            e->on_cancel(&m->c);
        } else {
            e->on_modify(&m->md);
        }
    }
    const double took = cpu_ns() - start;
    e->shutdown();
    return took / (double)count;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fputs("cpu ENGINE.so WORKLOAD.bin ROUNDS\n", stderr);
        return 2;
    }
    const int rounds = atoi(argv[3]);
    uint64_t count;
    const me_msg_t *messages = read_messages(argv[2], &count);
    void *library = must(dlopen(argv[1], RTLD_NOW | RTLD_LOCAL), "no such engine");
    engine_t e;
    *(void **)&e.init = must(dlsym(library, "engine_init"), "engine_init");
    *(void **)&e.shutdown = must(dlsym(library, "engine_shutdown"), "engine_shutdown");
    *(void **)&e.on_new_order = must(dlsym(library, "engine_on_new_order"), "engine_on_new_order");
    *(void **)&e.on_cancel = must(dlsym(library, "engine_on_cancel"), "engine_on_cancel");
    *(void **)&e.on_modify = must(dlsym(library, "engine_on_modify"), "engine_on_modify");
    *(void **)&e.prebuild = dlsym(library, "engine_prebuild");
    double *times = must(malloc((size_t)rounds * sizeof(double)), "no memory");
    for (int i = 0; i < rounds; i++) {
        times[i] = timed_round(&e, messages, count);
    }
    qsort(times, (size_t)rounds, sizeof(double), ascending);
    printf("{\"ns_per_message\": %.1f, \"best\": %.1f, \"reports\": %llu}\n", times[rounds / 2], times[0],
           (unsigned long long)reports);
    return 0;
}
