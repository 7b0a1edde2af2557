/* Reports on their way from the matching thread to the draining one: one producer, one consumer, a ring of 64-byte reports.
 *
 * Each side remembers how far the other had come when it last looked, and looks again only when that is used up. The producer shows its
 * progress every PUBLISH_EVERY reports and when flushed, so an index crosses between the cores once for all of these. Nothing is ever
 * dropped: a full ring makes the producer wait. Half-size cells, expanded by the drainer, were tried and gained nothing.
 */
#ifndef TOKENX_FLASH1_QUEUE_H
#define TOKENX_FLASH1_QUEUE_H

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "matching_engine_api.h"

#define LINE 64
#define HUGE_PAGE (2ull << 20)
#define PUBLISH_EVERY 64u /* a power of two */

typedef struct {
    _Alignas(LINE) _Atomic uint64_t published; /* reports the consumer may read; written by the producer */
    _Alignas(LINE) _Atomic uint64_t consumed;  /* reports the producer may overwrite; written by the consumer */
    _Alignas(LINE) uint64_t written;           /* the producer's own, from here */
    uint64_t limit;                            /* it must look at `consumed` again before it writes this one */
    uint64_t mask;
    me_report_t *reports;
    _Alignas(LINE) uint64_t read; /* the consumer's own, from here */
    uint64_t published_seen;
} queue_t;

static inline void queue_publish(queue_t *q) {
    atomic_store_explicit(&q->published, q->written, memory_order_release);
}

static __attribute__((noinline, cold)) void queue_wait(queue_t *q) {
    queue_publish(q);
    do {
        q->limit = atomic_load_explicit(&q->consumed, memory_order_acquire) + q->mask + 1;
    } while (q->written == q->limit);
}

/* Where the next report goes, once there is room. Write it there, then queue_commit(). */
static inline me_report_t *queue_next(queue_t *q) {
    if (__builtin_expect(q->written == q->limit, 0)) {
        queue_wait(q);
    }
    return &q->reports[q->written & q->mask];
}

static inline void queue_commit(queue_t *q) {
    if (++q->written % PUBLISH_EVERY == 0) {
        queue_publish(q);
    }
}

static void *queue_create(uint32_t capacity) {
    uint64_t size = PUBLISH_EVERY;
    while (size < capacity) {
        size *= 2;
    }
    const uint64_t bytes = (size * sizeof(me_report_t) + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    queue_t *q = aligned_alloc(LINE, sizeof(queue_t));
    me_report_t *reports = aligned_alloc(HUGE_PAGE, bytes);
    if (q == NULL || reports == NULL) {
        free(q);
        free(reports);
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    madvise(reports, bytes, MADV_HUGEPAGE);
#endif
    memset(reports, 0, bytes); /* no page is faulted in while the clock runs */
    memset(q, 0, sizeof(queue_t));
    q->mask = size - 1;
    q->limit = size;
    q->reports = reports;
    return q;
}

static int queue_push(void *handle, const me_report_t *report) {
    *queue_next(handle) = *report;
    queue_commit(handle);
    return 1;
}

static uint32_t queue_drain(void *handle, me_report_t *out, uint32_t max) {
    queue_t *q = handle;
    if (q->published_seen == q->read) {
        q->published_seen = atomic_load_explicit(&q->published, memory_order_acquire);
    }
    const uint64_t place = q->read & q->mask, to_end = q->mask + 1 - place;
    uint64_t count = q->published_seen - q->read;
    count = count < max ? count : max;
    count = count < to_end ? count : to_end;
    memcpy(out, &q->reports[place], count * sizeof(me_report_t));
    q->read += count;
    if (count != 0) {
        atomic_store_explicit(&q->consumed, q->read, memory_order_release);
    }
    return (uint32_t)count;
}

static void queue_flush(void *handle) { queue_publish(handle); }

static void queue_destroy(void *handle) {
    queue_t *q = handle;
    free(q->reports);
    free(q);
}

static const me_transport_t queue_transport = {queue_create, queue_push, queue_drain, queue_flush, queue_destroy};

#endif
