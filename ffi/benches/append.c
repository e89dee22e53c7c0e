/* What appending an observation costs through knhk's inline functions, while the engine drains every 20 microseconds. The
 * bursts are those of core/hot/benches/bursts. */
#include <pthread.h>
#include <stdlib.h>

#include "driver.h"
#include "ours.h"

enum { CAPACITY = 1024, BURST = 512, WARMING = 4, FEWEST = 15, ROUND_NS = 15000000, PAUSE_NS = 20000 };

static uint64_t consumed;
static int stopping;
static uint64_t pause_ticks;

static void *consume(void *unused) {
    static knhk_observation_t taken[CAPACITY];
    knhk_error_t *err = NULL;
    (void)unused;
    while (!__atomic_load_n(&stopping, __ATOMIC_ACQUIRE)) {
        size_t count = 0;
        ours_check(knhk_observations_drain(ours_engine, taken, CAPACITY, &count, &err), &err);
        __atomic_fetch_add(&consumed, count, __ATOMIC_RELEASE);
        for (uint64_t last = __rdtsc(); __rdtsc() - last < pause_ticks;) _mm_pause();
    }
    return NULL;
}

static void round_of_bursts(const bench_variant_t *variant, bench_sample_t *sample) {
    enum { MOST = 4096 };
    static double bursts[MOST];
    uint64_t n = bench_counted ? bench_counted : BURST, accepted = 0, tried = 0, start = bench_now_ns();
    size_t count = 0;
    pthread_t consumer;
    if (n > CAPACITY) n = CAPACITY;
    consumed = 0;
    stopping = 0;
    if (pthread_create(&consumer, NULL, consume, NULL)) abort();
    for (unsigned burst = 0; count == 0 || (!bench_counted && count < MOST); burst++) {
        uint64_t begin = __rdtsc();
        accepted += variant->loop(n);
        if (burst >= WARMING || bench_counted) {
            bursts[count++] = (double)(__rdtsc() - begin) * bench_ns_per_tick / (double)n;
        }
        tried += n;
        while (__atomic_load_n(&consumed, __ATOMIC_ACQUIRE) < accepted) _mm_pause();
        if (count >= FEWEST && bench_now_ns() - start > ROUND_NS) break;
    }
    __atomic_store_n(&stopping, 1, __ATOMIC_RELEASE);
    pthread_join(consumer, NULL);
    sample->ns = bench_median(bursts, count);
    sample->accepted = (double)accepted / (double)tried;
}

BENCH_LOOP static uint64_t loop_append_caller_time(uint64_t n) {
    knhk_reader_t *reader = ours_reader;
    knhk_view_t view = knhk_read_begin(reader);
    uint64_t accepted = 0;
    for (uint64_t i = 0; i < n; i++) {
        accepted += knhk_observe_i64_at(reader, view, ours_keys[0], (int64_t)i, KNHK_SUCCESS, i);
    }
    knhk_read_end(reader, view);
    return accepted;
}

BENCH_LOOP static uint64_t loop_append_engine_clock(uint64_t n) {
    knhk_reader_t *reader = ours_reader;
    knhk_view_t view = knhk_read_begin(reader);
    uint64_t accepted = 0;
    for (uint64_t i = 0; i < n; i++) {
        accepted += knhk_observe_i64(reader, view, ours_keys[0], (int64_t)i, KNHK_SUCCESS);
    }
    knhk_read_end(reader, view);
    return accepted;
}

int main(void) {
    static const bench_variant_t variants[] = {
        {"append_caller_time", loop_append_caller_time, BURST, round_of_bursts, NULL, NULL},
        {"append_engine_clock", loop_append_engine_clock, BURST, round_of_bursts, NULL, NULL},
    };
    ours_open();
    bench_calibrate();
    pause_ticks = (uint64_t)(PAUSE_NS / bench_ns_per_tick);
    return bench_main(variants, sizeof variants / sizeof variants[0]);
}
