/* The benchmark driver of the C programs.
 *
 * A program lists its variants on stdout as one JSON line, then runs one round of a variant for each name it reads from
 * stdin and answers with one JSON line. The runner (tests/bench/run.py) so interleaves the variants of several programs in
 * any language, round by round. `BENCH_CHUNK` in the environment fixes the operations of a chunk and makes a round one
 * chunk: that is how instructions are counted under callgrind, which toggles collection on functions named `loop_*`.
 */
#ifndef KNHK_BENCH_DRIVER_H
#define KNHK_BENCH_DRIVER_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <x86intrin.h>

#define BENCH_LOOP __attribute__((noinline, noclone))
#define BENCH_LIKELY(x) __builtin_expect(!!(x), 1)

/* One round's outcome. `ns` is the median over the round's chunks of time / operations. */
typedef struct {
    double ns;
    double p50, p99, p999, worst; /* nanoseconds between consecutive operations; 0 where not measured */
    double rate;                  /* events a second of the thread that disturbs, 0 where there is none */
    double accepted;              /* share of operations that were accepted, 0 where not measured */
} bench_sample_t;

typedef struct bench_variant {
    const char *name;
    uint64_t (*loop)(uint64_t n);                                               /* n operations */
    uint64_t chunk;                                                             /* operations between two looks at the clock */
    void (*round)(const struct bench_variant *variant, bench_sample_t *sample); /* NULL: bench_plain_round */
    void (*start)(void);                                                        /* before the round, untimed; may be NULL */
    void (*stop)(bench_sample_t *sample);                                       /* after it; may be NULL */
} bench_variant_t;

extern double bench_ns_per_tick;
extern uint64_t bench_counted; /* the operations of the only chunk while instructions are counted, else 0 */
extern uint64_t bench_worst_gap;

/* Gaps between consecutive operations, in ticks: exact below BENCH_GAPS, the worst always. */
enum { BENCH_GAPS = 65536 };
extern uint32_t bench_gap[BENCH_GAPS];

static inline uint64_t bench_now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline void bench_record_gap(uint64_t ticks) {
    bench_gap[ticks < BENCH_GAPS ? ticks : BENCH_GAPS - 1]++;
    if (ticks > bench_worst_gap) bench_worst_gap = ticks;
}

/* Sets bench_ns_per_tick; bench_main does it where the program has not. */
void bench_calibrate(void);
/* The median; sorts the values. */
double bench_median(double *values, size_t count);
/* Chunks until the round's time is over; the median chunk, because a preempted one says nothing about the code. */
void bench_plain_round(const bench_variant_t *variant, bench_sample_t *sample);
/* For loops that call bench_record_gap after each operation. */
void bench_gap_round(const bench_variant_t *variant, bench_sample_t *sample);
/* Lists the variants, then answers the names on stdin; returns main's result. */
int bench_main(const bench_variant_t *variants, size_t count);

#endif
