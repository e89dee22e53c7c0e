/* The loops of the read benchmarks, the same for every way of protecting the root.
 *
 * READ_LOOPS(name, keys, open, enter, leave, load, rest): `open` declares what the loop needs, `enter` begins a read-side
 * section, `leave` ends it, `load(key)` is the typed load, and `rest` runs after each 64 reads (quiescent modes say there that
 * nothing is held). `loop_` is timed by the chunk, `gaps_` looks at the clock after each read and records the gap since the
 * one before.
 */
#ifndef KNHK_BENCH_READ_LOOPS_H
#define KNHK_BENCH_READ_LOOPS_H

#include "driver.h"

enum { READ_KEYS = 64 };

#define READ_LOOPS(name, keys, open, enter, leave, load, rest)                                    \
    BENCH_LOOP uint64_t loop_##name(uint64_t n);                                            \
    BENCH_LOOP uint64_t loop_##name(uint64_t n) {                                           \
        open;                                                                               \
        uint64_t sum = 0;                                                                   \
        for (; n >= READ_KEYS; n -= READ_KEYS) {                                            \
            for (unsigned i = 0; i < READ_KEYS; i++) {                                      \
                enter;                                                                      \
                sum += (uint64_t)load(keys[i]);                                             \
                leave;                                                                      \
            }                                                                               \
            rest;                                                                           \
        }                                                                                   \
        return sum;                                                                         \
    }                                                                                       \
    BENCH_LOOP uint64_t gaps_##name(uint64_t n);                                            \
    BENCH_LOOP uint64_t gaps_##name(uint64_t n) {                                           \
        open;                                                                               \
        uint64_t sum = 0, before = __rdtsc();                                               \
        for (; n >= READ_KEYS; n -= READ_KEYS) {                                            \
            for (unsigned i = 0; i < READ_KEYS; i++) {                                      \
                enter;                                                                      \
                sum += (uint64_t)load(keys[i]);                                             \
                leave;                                                                      \
                uint64_t now = __rdtsc();                                                   \
                bench_record_gap(now - before);                                             \
                before = now;                                                               \
            }                                                                               \
            rest;                                                                           \
        }                                                                                   \
        return sum;                                                                         \
    }

#endif
