/* What reading costs through knhk's inline functions. */
#include <stdlib.h>

#include "ours.h"
#include "peers.h"
#include "read_loops.h"

#define OPEN knhk_reader_t *reader = ours_reader
#define LOAD(key) knhk_get_i64(view, key, 0)
#define EPOCH(key) ((void)(key), knhk_view_epoch(view))

READ_LOOPS(read_i64, ours_keys, OPEN, knhk_view_t view = knhk_read_begin(reader), knhk_read_end(reader, view), LOAD, (void)0)
READ_LOOPS(read_i64_for, ours_keys, OPEN, knhk_view_t view = knhk_read_begin_for(reader, sum), knhk_read_end(reader, view),
           LOAD, (void)0)
READ_LOOPS(read_i64_quiescent, ours_keys, OPEN, knhk_view_t view = knhk_read_quiescent(reader), (void)0, LOAD,
           knhk_reader_quiescent(reader))
READ_LOOPS(current, ours_keys, OPEN, knhk_view_t view = knhk_read_quiescent(reader), (void)0, EPOCH,
           knhk_reader_quiescent(reader))

/* One view for all; the barrier keeps what is read in it from being hoisted out of the loop. */
#define IN_VIEW(name, operation)                                                            \
    BENCH_LOOP uint64_t loop_##name(uint64_t n) {                                           \
        knhk_reader_t *reader = ours_reader;                                                \
        knhk_view_t view = knhk_read_begin(reader);                                         \
        uint64_t sum = 0;                                                                   \
        for (unsigned turn = 0; n >= 10; n -= 10, turn = (turn + 10) % 60) {                \
            const knhk_key_t *k = &ours_keys[turn];                                         \
            for (unsigned i = 0; i < 10; i++) sum += (uint64_t)(operation);                 \
            __asm__ volatile("" ::: "memory");                                              \
        }                                                                                   \
        knhk_read_end(reader, view);                                                        \
        return sum;                                                                         \
    }

IN_VIEW(read_ten, knhk_get_i64(view, k[i], 0))
IN_VIEW(guard_i64, knhk_guard_i64(view, k[i], (int64_t)i))
IN_VIEW(is_a, ((void)k, knhk_is_a(view, ours_class, ours_ancestor)))

static void online(void) {
    knhk_reader_online(ours_reader);
}

static void offline(bench_sample_t *sample) {
    (void)sample;
    knhk_reader_offline(ours_reader);
}

/* Two generations of a sector's document, compiled, so that the writer is free to publish at its rate. */
static knhk_buffer_t *images[2];

static void *promote(void *unused) {
    (void)unused;
    knhk_error_t *err = NULL;
    for (unsigned i = 0; peer_writer_next(); i++) {
        static const char *const names[OURS_SECTORS] = {"sector0", "sector1", "sector2", "sector3",
                                                        "sector4", "sector5", "sector6", "sector7"};
        knhk_buffer_t *image = images[i / OURS_SECTORS % 2];
        const uint8_t *data = (const uint8_t *)knhk_buffer_data(image);
        const char *sector = names[i % OURS_SECTORS];
        ours_check(knhk_promote_image(ours_engine, sector, data, knhk_buffer_len(image), NULL, NULL, &err), &err);
    }
    return NULL;
}

static void writer_start(void) {
    peer_writer_start(promote);
}

static void quiescent_writer_start(void) {
    online();
    peer_writer_start(promote);
}

static void quiescent_writer_stop(bench_sample_t *sample) {
    offline(sample);
    peer_writer_stop(sample);
}

int main(void) {
    enum { CHUNK = 65536, DISTURBED_CHUNK = 1 << 17 };
    static const bench_variant_t variants[] = {
        {"read_i64", loop_read_i64, CHUNK, NULL, NULL, NULL},
        {"read_i64_for", loop_read_i64_for, CHUNK, NULL, NULL, NULL},
        {"read_i64_writer", loop_read_i64, DISTURBED_CHUNK, NULL, writer_start, peer_writer_stop},
        {"read_i64_gaps", gaps_read_i64, CHUNK, bench_gap_round, writer_start, peer_writer_stop},
        {"read_i64_quiescent", loop_read_i64_quiescent, CHUNK, NULL, online, offline},
        {"read_i64_quiescent_writer", loop_read_i64_quiescent, DISTURBED_CHUNK, NULL, quiescent_writer_start,
         quiescent_writer_stop},
        {"current", loop_current, CHUNK, NULL, online, offline},
        {"read_ten", loop_read_ten, CHUNK, NULL, NULL, NULL},
        {"guard_i64", loop_guard_i64, CHUNK, NULL, NULL, NULL},
        {"is_a", loop_is_a, CHUNK, NULL, NULL, NULL},
    };
    ours_open();
    for (int i = 0; i < 2; i++) {
        knhk_error_t *err = NULL;
        char *json = ours_document(i);
        ours_check(knhk_compile_json(ours_engine, json, &images[i], &err), &err);
        free(json);
    }
    return bench_main(variants, sizeof variants / sizeof variants[0]);
}
