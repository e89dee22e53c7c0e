/* Knowledge beyond plain JSON: formats, changes by statement, shapes, proofs, conflicts, what is shipped. */
#include "check.h"

static const char ontology[] =
    "@prefix : <urn:knhk:orders:> . @prefix k: <urn:knhk:core:> . @prefix sh: <http://www.w3.org/ns/shacl#> .\n"
    "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix ex: <http://example.com/> .\n"
    ":max_qty k:value 1000 ; k:min 1 ; k:max 5000 ; k:unit \"lots\" .\n"
    "ex:Order a rdfs:Class . ex:Limit a rdfs:Class ; rdfs:subClassOf ex:Order .\n"
    "ex:OrderShape a sh:NodeShape ; sh:targetClass ex:Order ; sh:property [ sh:path ex:qty ; sh:minCount 1 ; sh:maxInclusive 5000 ] .\n"
    "ex:o1 a ex:Limit ; ex:qty 7 .\n";

static bool contains(const char *text, const char *part) {
    return strstr(text, part) != NULL;
}

static char *kept(knhk_buffer_t *buffer) {
    char *copy = (char *)malloc(knhk_buffer_len(buffer) + 1);
    CHECK(knhk_buffer_copy(buffer, copy, knhk_buffer_len(buffer) + 1, NULL, NULL) == KNHK_OK);
    knhk_buffer_free(buffer);
    return copy;
}

static knhk_delta_t delta(const char *removed, const char *added) {
    knhk_delta_t change;
    memset(&change, 0, sizeof change);
    change.struct_size = sizeof change;
    change.format = KNHK_FORMAT_TURTLE;
    change.removed = removed;
    change.removed_len = strlen(removed);
    change.added = added;
    change.added_len = strlen(added);
    return change;
}

static void promoted(knhk_engine_t *eng, knhk_reader_t *rd) {
    knhk_promotion_t made;
    made.struct_size = sizeof made;
    OK(knhk_sector_create(eng, "orders", KNHK_DIRECT, &err));
    OK(knhk_promote_rdf(eng, "orders", ontology, strlen(ontology), KNHK_FORMAT_TURTLE, NULL, &made, &err));
    knhk_key_t max_qty;
    OK(knhk_key(eng, "orders", "max_qty", KNHK_I64, &max_qty, &err));
    knhk_view_t v = knhk_read_begin(rd);
    CHECK(knhk_get_i64(v, max_qty, -1) == 1000 && knhk_guard_i64(v, max_qty, 5000) && !knhk_guard_i64(v, max_qty, 5001));
    CHECK(memcmp(knhk_view_snapshot_id(v, max_qty), made.snapshot_id, 32) == 0);
    knhk_read_end(rd, v);

    knhk_delta_t change = delta("<urn:knhk:orders:max_qty> <urn:knhk:core:value> 1000 .", "<urn:knhk:orders:max_qty> <urn:knhk:core:value> 2000 .");
    OK(knhk_promote_delta(eng, "orders", &change, NULL, &made, &err));
    v = knhk_read_begin(rd);
    CHECK(made.version == 2 && knhk_get_i64(v, max_qty, -1) == 2000);
    knhk_read_end(rd, v);

    knhk_buffer_t *buffer;
    OK(knhk_sector_diff(eng, "orders", 1, 2, &buffer, &err));
    char *lines = kept(buffer);
    CHECK(contains(lines, "- <urn:knhk:orders:max_qty> <urn:knhk:core:value> \"1000\"") && contains(lines, "+ <urn:knhk:orders:max_qty>"));
    free(lines);
}

/* Every format says the same, and what says it gets the same content address. */
static void formats(knhk_engine_t *eng) {
    knhk_promotion_t before, after;
    before.struct_size = after.struct_size = sizeof before;
    OK(knhk_rollback(eng, "orders", 1, NULL, &before, &err));
    for (uint32_t format = KNHK_FORMAT_TURTLE; format <= KNHK_FORMAT_RDFXML; format++) {
        knhk_buffer_t *buffer;
        OK(knhk_sector_export(eng, "orders", 0, format, &buffer, &err));
        OK(knhk_promote_rdf(eng, "orders", knhk_buffer_data(buffer), knhk_buffer_len(buffer), format, NULL, &after, &err));
        knhk_buffer_free(buffer);
        CHECK(memcmp(before.snapshot_id, after.snapshot_id, 32) == 0);
    }
    knhk_buffer_t *buffer;
    OK(knhk_sector_export(eng, "orders", 0, KNHK_FORMAT_JSON, &buffer, &err));
    char *json = kept(buffer);
    CHECK(contains(json, "max_qty") && contains(json, "5000"));
    free(json);
    FAILS(KNHK_INVALID_ARGUMENT, knhk_sector_export(eng, "orders", 0, 99, &buffer, &err));
    FAILS(KNHK_NOT_FOUND, knhk_sector_export(eng, "orders", 99, KNHK_FORMAT_TURTLE, &buffer, &err));
    FAILS(KNHK_DOCUMENT, knhk_promote_rdf(eng, "orders", "<a> <b", 6, KNHK_FORMAT_TURTLE, NULL, NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_promote_rdf(eng, "orders", NULL, 6, KNHK_FORMAT_TURTLE, NULL, NULL, &err));
}

static void shapes(knhk_engine_t *eng) {
    knhk_report_t *report;
    OK(knhk_validate(eng, "orders", &report, &err));
    CHECK(knhk_report_conforms(report) == 1 && knhk_report_len(report) == 0 && knhk_report_at(report, 0) == NULL);
    knhk_report_free(report);

    knhk_delta_t change = delta("", "<http://example.com/o2> a <http://example.com/Order> ; <http://example.com/qty> 9000 .");
    OK(knhk_validate_delta(eng, "orders", &change, &report, &err));
    CHECK(knhk_report_conforms(report) == 0 && knhk_report_len(report) == 1);
    const knhk_result_t *found = knhk_report_at(report, 0);
    CHECK(found->struct_size == sizeof *found && found->severity == KNHK_SEVERITY_VIOLATION && contains(found->focus, "o2"));
    CHECK(contains(found->path, "qty") && contains(found->value, "9000") && contains(found->component, "MaxInclusive") && found->message[0]);
    CHECK(contains(knhk_report_text(report), "9000"));
    knhk_buffer_t *rdf;
    OK(knhk_report_rdf(report, KNHK_FORMAT_TURTLE, &rdf, &err));
    char *text = kept(rdf);
    CHECK(contains(text, "ValidationReport"));
    free(text);
    knhk_report_free(report);

    /* A promotion of the same is refused, with the same report. */
    knhk_error_t *why = NULL;
    uint64_t version = knhk_change_version(eng);
    CHECK(knhk_promote_delta(eng, "orders", &change, NULL, NULL, &why) == KNHK_NONCONFORMING);
    CHECK(knhk_report_len(knhk_error_report(why)) == 1 && !knhk_report_conforms(knhk_error_report(why)));
    CHECK(contains(knhk_report_at(knhk_error_report(why), 0)->focus, "o2") && contains(knhk_error_message(why), "9000"));
    knhk_error_free(why);
    CHECK(knhk_change_version(eng) == version);

    OK(knhk_validate_rdf(eng, "orders", ontology, strlen(ontology), KNHK_FORMAT_TURTLE, &report, &err));
    CHECK(knhk_report_conforms(report) == 1);
    knhk_report_free(report);
    knhk_report_free(NULL);
    CHECK(knhk_error_report(NULL) == NULL && knhk_report_len(NULL) == 0 && knhk_report_conforms(NULL) == 0);
}

static void borders(knhk_engine_t *eng) {
    knhk_delta_t core = delta("", "<urn:knhk:core:value> <http://example.com/p> 1 .");
    FAILS(KNHK_CONFLICT, knhk_promote_delta(eng, "orders", &core, NULL, NULL, &err));
    OK(knhk_sector_create(eng, "other", KNHK_DIRECT, &err));
    knhk_delta_t foreign = delta("", "<urn:knhk:orders:max_qty> <urn:knhk:core:value> 1 .");
    FAILS(KNHK_CONFLICT, knhk_promote_delta(eng, "other", &foreign, NULL, NULL, &err));

    knhk_conflict_list_t *conflicts;
    OK(knhk_conflicts(eng, &conflicts, &err));
    CHECK(knhk_conflicts_len(conflicts) == 0);
    knhk_conflicts_free(conflicts);
    knhk_delta_t differently = delta("", "<http://example.com/Limit> a <http://www.w3.org/2000/01/rdf-schema#Class> ;"
                                         " <http://www.w3.org/2000/01/rdf-schema#subClassOf> <http://example.com/Thing> .");
    OK(knhk_promote_delta(eng, "other", &differently, NULL, NULL, &err));
    OK(knhk_conflicts(eng, &conflicts, &err));
    CHECK(knhk_conflicts_len(conflicts) == 1 && knhk_conflicts_at(conflicts, 1) == NULL);
    const knhk_conflict_t *found = knhk_conflicts_at(conflicts, 0);
    CHECK(contains(found->identifier, "Limit") && found->message[0] && strcmp(found->first, found->second) != 0);
    knhk_conflicts_free(conflicts);
    knhk_conflicts_free(NULL);
}

static void proofs(knhk_engine_t *eng) {
    static const char statement[] = "<urn:knhk:orders:max_qty> <urn:knhk:core:value> \"1000\"^^<http://www.w3.org/2001/XMLSchema#integer> .";
    static const char other[] = "<urn:knhk:orders:max_qty> <urn:knhk:core:value> \"1001\"^^<http://www.w3.org/2001/XMLSchema#integer> .";
    knhk_sector_list_t *sectors;
    uint8_t id[32];
    OK(knhk_sectors(eng, &sectors, &err));
    memcpy(id, knhk_sectors_at(sectors, 0)->snapshot_id, 32);
    knhk_sectors_free(sectors);

    knhk_buffer_t *proof;
    OK(knhk_prove(eng, "orders", statement, &proof, &err));
    size_t len = knhk_buffer_len(proof);
    uint8_t *bytes = (uint8_t *)kept(proof);
    OK(knhk_proof_verify(id, bytes, len, statement, &err));
    FAILS(KNHK_UNPROVEN, knhk_proof_verify(id, bytes, len, other, &err));
    for (size_t at = 0; at < len; at++) {
        bytes[at] ^= 1;
        FAILS(KNHK_UNPROVEN, knhk_proof_verify(id, bytes, len, statement, &err));
        bytes[at] ^= 1;
    }
    FAILS(KNHK_UNPROVEN, knhk_proof_verify(id, bytes, len - 1, statement, &err));
    id[0] ^= 1;
    FAILS(KNHK_UNPROVEN, knhk_proof_verify(id, bytes, len, statement, &err));
    free(bytes);
    FAILS(KNHK_NOT_FOUND, knhk_prove(eng, "orders", other, &proof, &err));
    FAILS(KNHK_DOCUMENT, knhk_prove(eng, "orders", "no statement", &proof, &err));
}

static void shipped(knhk_engine_t *eng, knhk_reader_t *rd) {
    static const char *const names[] = {"finance", "healthcare", "logistics", "manufacturing"};
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        knhk_report_t *report;
        OK(knhk_sector_create_shipped(eng, names[n], KNHK_DIRECT, &err));
        OK(knhk_validate(eng, names[n], &report, &err));
        CHECK(knhk_report_conforms(report) == 1);
        knhk_report_free(report);
    }
    knhk_key_list_t *keys;
    OK(knhk_keys(eng, "finance", &keys, &err));
    CHECK(knhk_keys_len(keys) >= 30);
    knhk_keys_free(keys);
    FAILS(KNHK_NOT_FOUND, knhk_sector_create_shipped(eng, "alchemy", KNHK_DIRECT, &err));
    FAILS(KNHK_ALREADY_EXISTS, knhk_sector_create_shipped(eng, "finance", KNHK_DIRECT, &err));
    knhk_view_t v = knhk_read_begin(rd);
    knhk_read_end(rd, v);
}

int main(void) {
    knhk_engine_t *eng;
    knhk_reader_t *rd;
    OK(knhk_engine_open(":memory:", NULL, &eng, &err));
    OK(knhk_reader_register(eng, &rd, &err));
    promoted(eng, rd);
    formats(eng);
    shapes(eng);
    proofs(eng);
    borders(eng);
    shipped(eng, rd);
    OK(knhk_reader_unregister(rd, &err));
    knhk_engine_close(eng);
    return 0;
}
