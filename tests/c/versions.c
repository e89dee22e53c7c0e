/* The history of a sector: log, tags, references, reads as of then, retention. */
#include "check.h"

#include <unistd.h>

static char base[] = "/tmp/knhk-versions-XXXXXX";

static void promote(knhk_engine_t *eng, const char *sector, int qty, const char *why) {
    char json[64];
    snprintf(json, sizeof json, "{\"max_qty\": %d}", qty);
    knhk_promote_options_t options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.by = "ops-1";
    options.why = why;
    OK(knhk_promote_json_with(eng, sector, json, strlen(json), &options, NULL, &err));
}

static uint64_t resolved(knhk_engine_t *eng, const char *reference) {
    uint64_t version = 0;
    OK(knhk_resolve(eng, "orders", reference, &version, &err));
    return version;
}

/* A value as it was then. */
static int64_t then(knhk_engine_t *eng, knhk_key_t key, const char *reference) {
    knhk_hold_t *hold;
    knhk_view_t view;
    OK(knhk_as_of(eng, "orders", reference, &hold, &err));
    OK(knhk_hold_view(hold, &view, &err));
    int64_t value = knhk_get_i64(view, key, -1);
    knhk_hold_release(hold);
    return value;
}

static void references(knhk_engine_t *eng) {
    CHECK(resolved(eng, "2") == 2 && resolved(eng, "current") == 4 && resolved(eng, "~3") == 1 && resolved(eng, "@0s") == 4);
    uint64_t version;
    FAILS(KNHK_NOT_FOUND, knhk_resolve(eng, "orders", "~4", &version, &err));
    FAILS(KNHK_NOT_FOUND, knhk_resolve(eng, "orders", "9", &version, &err));
    FAILS(KNHK_NOT_FOUND, knhk_resolve(eng, "orders", "1970-01-02", &version, &err));
    FAILS(KNHK_NOT_FOUND, knhk_resolve(eng, "nowhere", "1", &version, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_resolve(eng, "orders", "two words", &version, &err));

    OK(knhk_tag(eng, "orders", "stable", "~1", "ops-2", &version, &err));
    CHECK(version == 3 && resolved(eng, "stable") == 3);
    OK(knhk_tag(eng, "orders", "stable", "2", NULL, NULL, &err));
    OK(knhk_tag(eng, "orders", "audited", "1", "risk-1", NULL, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_tag(eng, "orders", "current", "1", NULL, NULL, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_tag(eng, "orders", "4th", "1", NULL, NULL, &err));
    FAILS(KNHK_NOT_FOUND, knhk_tag(eng, "orders", "other", "77", NULL, NULL, &err));
    knhk_tag_list_t *tags;
    OK(knhk_tags(eng, "orders", &tags, &err));
    CHECK(knhk_tags_len(tags) == 2 && knhk_tags_at(tags, 2) == NULL);
    CHECK(strcmp(knhk_tags_at(tags, 0)->name, "audited") == 0 && strcmp(knhk_tags_at(tags, 0)->by, "risk-1") == 0);
    CHECK(knhk_tags_at(tags, 1)->version == 2 && knhk_tags_at(tags, 1)->time_ns > 0);
    knhk_tags_free(tags);
    OK(knhk_untag(eng, "orders", "stable", "ops-2", &err));
    FAILS(KNHK_NOT_FOUND, knhk_untag(eng, "orders", "stable", NULL, &err));
}

static void log_of(knhk_engine_t *eng) {
    knhk_version_log_list_t *log;
    OK(knhk_version_log(eng, "orders", 0, 0, &log, &err));
    CHECK(knhk_version_log_len(log) == 4 && knhk_version_log_at(log, 4) == NULL);
    const knhk_log_entry_t *newest = knhk_version_log_at(log, 0), *first = knhk_version_log_at(log, 3);
    CHECK(newest->struct_size == sizeof *newest && newest->version == 4 && newest->retained && !newest->major);
    CHECK(newest->parents_len == 1 && newest->parents[0] == 3 && first->parents_len == 0 && newest->receipt != NULL);
    CHECK(strcmp(newest->by, "ops-1") == 0 && strcmp(newest->why, "fourth") == 0 && newest->tags_len == 0);
    CHECK(first->tags_len == 1 && strcmp(first->tags[0], "audited") == 0 && first->epoch < newest->epoch);

    /* A content address is a reference, also in part. */
    char address[65];
    for (int n = 0; n < 32; n++) snprintf(address + 2 * n, 3, "%02x", newest->snapshot_id[n]);
    CHECK(resolved(eng, address) == 4);
    address[12] = 0;
    CHECK(resolved(eng, address) == 4);
    knhk_version_log_free(log);
    OK(knhk_version_log(eng, "orders", 3, 1, &log, &err));
    CHECK(knhk_version_log_len(log) == 1 && knhk_version_log_at(log, 0)->version == 2);
    knhk_version_log_free(log);
    knhk_version_log_free(NULL);
    FAILS(KNHK_NOT_FOUND, knhk_version_log(eng, "nowhere", 0, 0, &log, &err));
}

int main(void) {
    CHECK(mkdtemp(base) != NULL);
    knhk_options_t options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.history = 2;
    knhk_engine_t *eng;
    OK(knhk_engine_open(base, &options, &eng, &err));
    OK(knhk_sector_create(eng, "orders", KNHK_DIRECT, &err));
    OK(knhk_sector_create(eng, "risk", KNHK_DIRECT, &err));
    promote(eng, "orders", 10, "first");
    promote(eng, "risk", 100, "first");
    promote(eng, "orders", 20, "second");
    promote(eng, "orders", 30, "third");
    promote(eng, "risk", 200, "second");
    promote(eng, "orders", 40, "fourth");
    references(eng);
    log_of(eng);

    knhk_key_t key, risk;
    OK(knhk_key(eng, "orders", "max_qty", KNHK_I64, &key, &err));
    OK(knhk_key(eng, "risk", "max_qty", KNHK_I64, &risk, &err));
    CHECK(then(eng, key, "1") == 10 && then(eng, key, "~1") == 30 && then(eng, key, "audited") == 10 && then(eng, key, "@0s") == 40);

    /* All sectors are as they were then. */
    knhk_hold_t *hold;
    knhk_view_t view;
    OK(knhk_as_of(eng, "orders", "3", &hold, &err));
    OK(knhk_hold_view(hold, &view, &err));
    CHECK(knhk_get_i64(view, key, -1) == 30 && knhk_get_i64(view, risk, -1) == 100);
    promote(eng, "orders", 50, "fifth");
    CHECK(knhk_get_i64(view, key, -1) == 30);

    /* Content and difference of versions that are in the store alone. */
    knhk_buffer_t *text;
    OK(knhk_sector_export_json(eng, "orders", 1, &text, &err));
    CHECK(strstr(knhk_buffer_data(text), "10") != NULL);
    knhk_buffer_free(text);
    OK(knhk_sector_diff(eng, "orders", resolved(eng, "audited"), resolved(eng, "current"), &text, &err));
    CHECK(strstr(knhk_buffer_data(text), "- <urn:knhk:orders:max_qty>") != NULL);
    knhk_buffer_free(text);

    /* The newest two stay, and what is tagged; the log and the chain are whole. */
    uint64_t removed;
    OK(knhk_prune(eng, &removed, &err));
    CHECK(removed == 0);
    knhk_engine_close(eng);
    CHECK(knhk_get_i64(view, risk, -1) == 100); /* a hold outlives the engine */
    knhk_hold_release(hold);
    options.history = 1;
    options.retain_versions = 2;
    OK(knhk_engine_open(base, &options, &eng, &err));
    OK(knhk_key(eng, "orders", "max_qty", KNHK_I64, &key, &err));
    OK(knhk_prune(eng, &removed, &err));
    CHECK(removed == 2);
    knhk_version_log_list_t *log;
    OK(knhk_version_log(eng, "orders", 0, 0, &log, &err));
    CHECK(knhk_version_log_len(log) == 5);
    for (size_t n = 0; n < 5; n++) {
        const knhk_log_entry_t *entry = knhk_version_log_at(log, n);
        CHECK(entry->retained == (entry->version >= 4 || entry->version == 1) && entry->receipt != NULL);
    }
    knhk_version_log_free(log);
    OK(knhk_verify(eng, NULL, NULL, NULL, &err));
    knhk_hold_t *gone;
    FAILS(KNHK_NOT_FOUND, knhk_as_of(eng, "orders", "2", &gone, &err));
    FAILS(KNHK_NOT_FOUND, knhk_as_of(eng, "nowhere", "@0s", &gone, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_as_of(eng, "orders", "~x", &gone, &err));
    OK(knhk_as_of_moment(eng, UINT64_MAX, &gone, &err));
    knhk_hold_release(gone);
    CHECK(then(eng, key, "audited") == 10);

    knhk_engine_close(eng);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", base);
    return system(command);
}
