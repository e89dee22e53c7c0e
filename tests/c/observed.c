/* Observations that the engine keeps by itself: aggregates, objectives, segments, and the proof of a single one. */
#include "check.h"

#include <math.h>

static const char ontology[] =
    "@prefix : <urn:knhk:orders:> . @prefix k: <urn:knhk:core:> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
    ":max_qty k:value 1000 ; k:unit \"lots\" .\n:reject_share k:value 5 ; k:unit \"%\" .\n"
    ":OrderChecked a k:ObservationKind ; k:concerns :max_qty ; k:valueType \"i64\" ; k:unit \"lots\" ; k:min 1 ;\n"
    "    rdfs:comment \"Recorded for each order that was checked, with its quantity.\"@en .\n"
    ":Rejects a k:Slo ; k:indicator :OrderChecked ; k:aggregate \"failure_share\" ; k:atMost :reject_share ;\n"
    "    k:window 60 ; k:onMissingData \"hold\" ; rdfs:comment \"Few orders are refused.\"@en .\n";

int main(void) {
    knhk_signer_t *signer;
    knhk_engine_t *eng;
    knhk_options_t options;
    knhk_observations_options_t keep;
    memset(&options, 0, sizeof options);
    memset(&keep, 0, sizeof keep);
    options.struct_size = sizeof options;
    keep.struct_size = sizeof keep;
    options.observations = &keep;
    FAILS(KNHK_INVALID_ARGUMENT, knhk_engine_open(":memory:", &options, &eng, &err));
    OK(knhk_signer_generate(&signer, &err));
    options.signer = signer;
    keep.segment_records = (uint64_t)1 << 40;
    FAILS(KNHK_INVALID_ARGUMENT, knhk_engine_open(":memory:", &options, &eng, &err));
    keep.segment_records = 0;
    OK(knhk_engine_open(":memory:", &options, &eng, &err));
    knhk_signer_free(signer);
    OK(knhk_sector_create(eng, "orders", KNHK_DIRECT, &err));
    OK(knhk_promote_rdf(eng, "orders", ontology, strlen(ontology), KNHK_FORMAT_TURTLE, NULL, NULL, &err));

    knhk_key_t max_qty;
    knhk_reader_t *rd;
    OK(knhk_key(eng, "orders", "max_qty", KNHK_I64, &max_qty, &err));
    OK(knhk_reader_register(eng, &rd, &err));
    static const int64_t quantities[] = {100, 700, 1100, 300};
    for (int n = 0; n < 4; n++) {
        knhk_view_t v = knhk_read_begin(rd);
        bool ok = quantities[n] <= knhk_get_i64(v, max_qty, 0);
        CHECK(knhk_observe_i64(rd, v, max_qty, quantities[n], ok ? KNHK_SUCCESS : KNHK_REJECTED));
        knhk_read_end(rd, v);
    }
    OK(knhk_observations_flush(eng, &err));

    knhk_series_list_t *aggregates;
    OK(knhk_aggregates(eng, "orders", &aggregates, &err));
    CHECK(knhk_aggregates_len(aggregates) == 1 && knhk_aggregates_at(aggregates, 1) == NULL);
    const knhk_series_t *series = knhk_aggregates_at(aggregates, 0);
    CHECK(strcmp(series->key, "max_qty") == 0 && strcmp(series->kind, "OrderChecked") == 0 && strcmp(series->unit, "lots") == 0);
    CHECK(series->total.count == 4 && series->total.outcomes[KNHK_SUCCESS] == 3 && series->total.outcomes[KNHK_REJECTED] == 1);
    CHECK(series->window.max == 1100 && series->window.failure_share == 25 && !isnan(series->window.p50));
    knhk_aggregates_free(aggregates);

    knhk_objective_list_t *objectives;
    OK(knhk_objectives(eng, "orders", &objectives, &err));
    const knhk_objective_t *rejects = knhk_objectives_at(objectives, 0);
    CHECK(knhk_objectives_len(objectives) == 1 && rejects->state == KNHK_BROKEN && rejects->value == 25 && rejects->burn == 5);
    CHECK(rejects->limit == 5 && strcmp(rejects->aggregate, "failure_share") == 0 && rejects->window_s == 60);
    knhk_objectives_free(objectives);

    knhk_segment_list_t *segments;
    OK(knhk_segments(eng, "orders", 0, 0, &segments, &err));
    const knhk_segment_t *segment = knhk_segments_at(segments, 0);
    CHECK(knhk_segments_len(segments) == 1 && segment->count == 4 && segment->receipt != UINT64_MAX);
    knhk_buffer_t *record, *proof;
    OK(knhk_prove_observation(eng, segment->number, 2, &record, &proof, &err));
    const uint8_t *bytes = (const uint8_t *)knhk_buffer_data(record), *path = (const uint8_t *)knhk_buffer_data(proof);
    size_t len = knhk_buffer_len(proof);
    CHECK(knhk_buffer_len(record) == 64);
    OK(knhk_verify_observation(eng, bytes, 64, path, len, &err));
    uint8_t changed[64];
    memcpy(changed, bytes, 64);
    changed[8] ^= 1;
    FAILS(KNHK_UNPROVEN, knhk_verify_observation(eng, changed, 64, path, len, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_verify_observation(eng, bytes, 64, bytes, 64, &err));
    knhk_buffer_free(record), knhk_buffer_free(proof);
    FAILS(KNHK_NOT_FOUND, knhk_prove_observation(eng, segment->number, 99, &record, &proof, &err));
    knhk_segments_free(segments);

    knhk_observe_stats_t stats;
    memset(&stats, 0, sizeof stats);
    stats.struct_size = sizeof stats;
    OK(knhk_observe_stats(eng, &stats, &err));
    CHECK(stats.drained == 4 && stats.persisted == 4 && stats.segments == 1 && stats.lost == 0 && !stats.failing);
    size_t count;
    knhk_observation_t one;
    FAILS(KNHK_INVALID_ARGUMENT, knhk_observations_drain(eng, &one, 1, &count, &err));
    knhk_verified_t verified;
    memset(&verified, 0, sizeof verified);
    verified.struct_size = sizeof verified;
    OK(knhk_verify(eng, NULL, NULL, &verified, &err));
    CHECK(verified.observations == 4);
    OK(knhk_reader_unregister(rd, &err));
    knhk_engine_close(eng);

    /* Without the option nothing is added up. */
    OK(knhk_engine_open(":memory:", NULL, &eng, &err));
    OK(knhk_sector_create(eng, "orders", KNHK_DIRECT, &err));
    FAILS(KNHK_NOT_READY, knhk_aggregates(eng, "orders", &aggregates, &err));
    FAILS(KNHK_NOT_READY, knhk_observations_flush(eng, &err));
    FAILS(KNHK_NOT_FOUND, knhk_segments(eng, NULL, 0, 0, &segments, &err));
    knhk_engine_close(eng);
    return 0;
}
