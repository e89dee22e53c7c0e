/* Observations: every type, both clocks, a full ring, and the rings of readers that are gone. */
#include "check.h"

static knhk_observation_t drained[64];

static size_t drain(knhk_engine_t *eng, size_t capacity) {
    size_t count = 99;
    OK(knhk_observations_drain(eng, drained, capacity, &count, &err));
    return count;
}

int main(void) {
    knhk_engine_t *eng;
    knhk_reader_t *rd, *silent;
    knhk_reader_options_t options;
    knhk_key_t key;
    OK(knhk_engine_open(":memory:", NULL, &eng, &err));
    OK(knhk_sector_create(eng, "s", KNHK_DIRECT, &err));
    OK(knhk_promote_json(eng, "s", "{\"n\": 1}", NULL, &err));
    OK(knhk_key(eng, "s", "n", KNHK_I64, &key, &err));
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.ring_records = 7; /* rounded up to 8 */
    OK(knhk_reader_register_with(eng, &options, &rd, &err));
    options.flags = KNHK_NO_RING;
    OK(knhk_reader_register_with(eng, &options, &silent, &err));

    knhk_view_t v = knhk_read_begin(rd);
    uint64_t before = knhk_reader_clock(rd);
    CHECK(before > UINT64_C(1700000000000000000));
    CHECK(knhk_observe_i64(rd, v, key, -5, KNHK_SUCCESS) && knhk_observe_f64(rd, v, key, 2.5, KNHK_TIMED_OUT));
    CHECK(knhk_observe_bool(rd, v, key, true, KNHK_OUTCOME_CUSTOM + 1) && knhk_observe_i64_at(rd, v, key, 6, KNHK_REJECTED, 10));
    CHECK(knhk_observe_f64_at(rd, v, key, -0.5, KNHK_FAILED, 11) && knhk_observe_bool_at(rd, v, key, false, KNHK_UNSPECIFIED, 12));
    CHECK(knhk_observe(rd, v, key, KNHK_I64, 13, KNHK_SUCCESS, 14, 15, 16));
    CHECK(!knhk_observe_i64(silent, v, key, 1, KNHK_SUCCESS));

    CHECK(drain(eng, 0) == 0 && drain(eng, 64) == 7);
    for (size_t n = 0; n < 7; n++) {
        CHECK(drained[n].reader == knhk_reader_id(rd) && drained[n].sequence == n && drained[n].epoch == knhk_view_epoch(v));
        CHECK(drained[n].key.descriptor == key.descriptor && drained[n].key.slot == key.slot);
        CHECK(n < 3 ? drained[n].time_ns >= before : drained[n].time_ns == (n < 6 ? 7 + n : 16));
    }
    CHECK(drained[0].value_type == KNHK_I64 && drained[0].value.as_i64 == -5 && drained[0].outcome == KNHK_SUCCESS);
    CHECK(drained[1].value_type == KNHK_F64 && drained[1].value.as_f64 == 2.5 && drained[1].outcome == KNHK_TIMED_OUT);
    CHECK(drained[2].value_type == KNHK_BOOL && drained[2].value.bits == 1 && drained[2].outcome == KNHK_OUTCOME_CUSTOM + 1);
    CHECK(drained[3].value.as_i64 == 6 && drained[4].value.as_f64 == -0.5 && drained[5].value.bits == 0);
    CHECK(drained[6].subject == 14 && drained[6].detail == 15 && drained[6].value.as_i64 == 13);

    for (int64_t n = 0; n < 10; n++) {
        CHECK(knhk_observe_i64(rd, v, key, n, KNHK_SUCCESS) == (n < 8));
    }
    knhk_stats_t stats;
    stats.struct_size = sizeof stats;
    OK(knhk_stats(eng, &stats, &err));
    CHECK(stats.dropped == 3 && stats.observed == 7); /* the refusal of the reader without a ring counts as well */
    CHECK(drain(eng, 3) == 3 && drained[2].value.as_i64 == 2);
    CHECK(knhk_observe_i64(rd, v, key, 100, KNHK_SUCCESS));
    knhk_read_end(rd, v);
    OK(knhk_reader_unregister(rd, &err));
    CHECK(drain(eng, 64) == 6 && drained[0].value.as_i64 == 3 && drained[5].value.as_i64 == 100 && drain(eng, 64) == 0);
    OK(knhk_stats(eng, &stats, &err));
    CHECK(stats.observed == 16 && stats.dropped == 3);
    OK(knhk_reader_unregister(silent, &err));
    knhk_engine_close(eng);
    return 0;
}
