/* Everything beside the hot path: sectors, keys, documents, versions, images, figures. */
#include "check.h"

static bool contains(const char *text, const char *part) {
    return strstr(text, part) != NULL;
}

static void sectors_and_keys(knhk_engine_t *eng) {
    OK(knhk_sector_create(eng, "orders", KNHK_DIRECT, &err));
    OK(knhk_sector_create(eng, "venues", KNHK_DIRECT, &err));
    FAILS(KNHK_ALREADY_EXISTS, knhk_sector_create(eng, "orders", KNHK_DIRECT, &err));
    OK(knhk_promote_json(eng, "orders",
                         "{\"max_qty\": {\"$value\": 1000, \"$min\": 1, \"$max\": 5000, \"$unit\": \"lots\", \"$doc\": \"of one order\"},"
                         " \"desk\": \"paris\"}",
                         NULL, &err));

    knhk_sector_list_t *sectors;
    OK(knhk_sectors(eng, &sectors, &err));
    CHECK(knhk_sectors_len(sectors) == 2 && knhk_sectors_at(sectors, 2) == NULL);
    const knhk_sector_info_t *orders = knhk_sectors_at(sectors, 0), *venues = knhk_sectors_at(sectors, 1);
    CHECK(orders->struct_size == sizeof *orders && strcmp(orders->name, "orders") == 0 && orders->kind == KNHK_DIRECT);
    CHECK(orders->ready == 1 && orders->version == 1 && orders->epoch > 0 && orders->keys == 2 && orders->number == 0);
    CHECK(strcmp(venues->name, "venues") == 0 && venues->ready == 0 && venues->version == 0 && venues->number == 1);
    knhk_sectors_free(sectors);
    uint32_t number;
    OK(knhk_sector_number(eng, "venues", &number, &err));
    CHECK(number == 1);

    knhk_key_list_t *keys;
    OK(knhk_keys(eng, "orders", &keys, &err));
    CHECK(knhk_keys_len(keys) == 2 && knhk_keys_at(keys, 2) == NULL);
    const knhk_key_info_t *key = knhk_keys_at(keys, 1); /* Sorted by name. */
    CHECK(key->struct_size == sizeof *key && strcmp(key->name, "max_qty") == 0 && key->value_type == KNHK_I64);
    CHECK(strcmp(key->type_name, "i64") == 0 && strcmp(key->unit, "lots") == 0 && strcmp(key->doc, "of one order") == 0);
    CHECK(contains(key->display, "1000 lots") && contains(key->display, "5000"));
    key = knhk_keys_at(keys, 0);
    CHECK(key->value_type == KNHK_STR && key->unit == NULL && key->doc == NULL && contains(key->display, "paris"));
    knhk_keys_free(keys);
    OK(knhk_keys(eng, "venues", &keys, &err));
    CHECK(knhk_keys_len(keys) == 0);
    knhk_keys_free(keys);
}

static void declared(knhk_engine_t *eng, knhk_reader_t *rd) {
    knhk_key_t deep, wide;
    FAILS(KNHK_NOT_READY, knhk_key(eng, "venues", "deep", KNHK_I64, &deep, &err));
    FAILS(KNHK_TIMEOUT, knhk_sector_wait_ready(eng, "venues", 1000, &err));
    OK(knhk_declare_json(eng, "venues", "{\"deep\": {\"$type\": \"i64\", \"$default\": 5}, \"wide\": {\"$value\": 6}}", &err));
    OK(knhk_key(eng, "venues", "deep", KNHK_I64, &deep, &err));
    OK(knhk_key(eng, "venues", "wide", KNHK_I64, &wide, &err));
    knhk_view_t v = knhk_read_begin(rd);
    CHECK(knhk_get_i64(v, deep, -1) == 5 && knhk_try_get_i64(v, deep, -1).reason == KNHK_READ_NOT_READY);
    CHECK(knhk_try_get_i64(v, wide, -1).value == -1 && knhk_try_get_i64(v, wide, -1).reason == KNHK_READ_NOT_READY);
    CHECK(knhk_view_sector_epoch(v, deep) == 0);
    knhk_read_end(rd, v);
    OK(knhk_promote_json(eng, "venues", "{\"deep\": 7, \"wide\": 8}", NULL, &err));
    OK(knhk_sector_wait_ready(eng, "venues", UINT64_MAX, &err));
    v = knhk_read_begin(rd);
    CHECK(knhk_get_i64(v, deep, -1) == 7 && knhk_try_get_i64(v, deep, -1).reason == KNHK_READ_PRESENT);
    knhk_read_end(rd, v);
}

static void versions(knhk_engine_t *eng, knhk_reader_t *rd) {
    knhk_promote_options_t options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.by = "ops-2";
    options.why = "desk asked";
    knhk_promotion_t made;
    made.struct_size = sizeof made;
    static const char text[] = "{\"max_qty\": {\"$value\": 2000, \"$min\": 1, \"$max\": 5000}, \"desk\": \"rome\"}....";
    OK(knhk_promote_json_with(eng, "orders", text, sizeof text - 5, &options, &made, &err));
    CHECK(made.version == 2 && made.struct_size == sizeof made && made.epoch == knhk_change_version(eng));
    CHECK(made.time_ns > UINT64_C(1700000000000000000) && made.phases.compile_ns > 0 && made.phases.swap_ns > 0);

    knhk_key_t desk;
    OK(knhk_key(eng, "orders", "desk", KNHK_STR, &desk, &err));
    knhk_view_t v = knhk_read_begin(rd);
    CHECK(memcmp(knhk_view_snapshot_id(v, desk), made.snapshot_id, 32) == 0);
    knhk_read_end(rd, v);
    FAILS(KNHK_INCOMPATIBLE, knhk_promote_json(eng, "orders", "{\"max_qty\": 1}", &options, &err));
    options.flags = KNHK_MAJOR;
    OK(knhk_promote_json(eng, "orders", "{\"max_qty\": 1}", &options, &err));
    v = knhk_read_begin(rd);
    CHECK(knhk_try_get_str(v, desk).reason == KNHK_READ_ABSENT);
    knhk_read_end(rd, v);
    options.flags = 0;
    FAILS(KNHK_NOT_FOUND, knhk_emergency_rollback(eng, "orders", 99, &options, &made, &err));
    OK(knhk_emergency_rollback(eng, "orders", 2, &options, &made, &err));
    CHECK(made.version == 4);
    v = knhk_read_begin(rd);
    CHECK(strcmp(knhk_get_str(v, desk).data, "rome") == 0);
    knhk_read_end(rd, v);
    FAILS(KNHK_NOT_FOUND, knhk_rollback(eng, "orders", 99, NULL, NULL, &err));

    knhk_version_list_t *history;
    OK(knhk_history(eng, "orders", &history, &err));
    CHECK(knhk_history_len(history) == 4 && knhk_history_at(history, 4) == NULL);
    const knhk_version_info_t *version = knhk_history_at(history, 1);
    CHECK(version->struct_size == sizeof *version && version->version == 2 && version->rollback_of == 0);
    CHECK(strcmp(version->by, "ops-2") == 0 && strcmp(version->why, "desk asked") == 0 && version->differences_len >= 1);
    bool found = false;
    for (size_t n = 0; n < version->differences_len; n++) {
        const knhk_difference_t *difference = &version->differences[n];
        found |= strcmp(difference->path, "desk") == 0 && contains(difference->before, "paris") && contains(difference->after, "rome");
    }
    CHECK(found);
    CHECK(knhk_history_at(history, 3)->rollback_of == 2 && strcmp(knhk_history_at(history, 0)->by, "") == 0);
    knhk_history_free(history);
}

static void documents(knhk_engine_t *eng) {
    knhk_buffer_t *json, *again, *old, *dump;
    OK(knhk_sector_export_json(eng, "orders", 0, &json, &err));
    OK(knhk_sector_create(eng, "copy", KNHK_DIRECT, &err));
    FAILS(KNHK_NOT_READY, knhk_sector_export_json(eng, "copy", 0, &again, &err));
    OK(knhk_promote_json(eng, "copy", knhk_buffer_data(json), NULL, &err));
    OK(knhk_sector_export_json(eng, "copy", 0, &again, &err));
    CHECK(strcmp(knhk_buffer_data(json), knhk_buffer_data(again)) == 0);
    CHECK(knhk_buffer_len(json) == strlen(knhk_buffer_data(json)));
    OK(knhk_sector_export_json(eng, "orders", 1, &old, &err));
    CHECK(contains(knhk_buffer_data(old), "paris"));
    FAILS(KNHK_NOT_FOUND, knhk_sector_export_json(eng, "orders", 99, &dump, &err));
    OK(knhk_dump(eng, &dump, &err));
    CHECK(contains(knhk_buffer_data(dump), "\"orders\"") && contains(knhk_buffer_data(dump), "\"venues\""));

    char small[4] = "abc";
    size_t needed = 0;
    FAILS(KNHK_BUFFER_TOO_SMALL, knhk_buffer_copy(json, small, sizeof small, &needed, &err));
    CHECK(needed == knhk_buffer_len(json) + 1 && strcmp(small, "abc") == 0);
    char *large = (char *)malloc(needed);
    OK(knhk_buffer_copy(json, large, needed, NULL, &err));
    CHECK(strcmp(large, knhk_buffer_data(json)) == 0);
    free(large);
    knhk_buffer_free(json);
    knhk_buffer_free(again);
    knhk_buffer_free(old);
    knhk_buffer_free(dump);
}

static void images(knhk_engine_t *eng, knhk_reader_t *rd) {
    knhk_buffer_t *image;
    OK(knhk_compile_json(eng, "{\"a\": {\"b\": 7}, \"c\": [\"x\", \"y\"]}", &image, &err));
    OK(knhk_sector_create(eng, "images", KNHK_DIRECT, &err));
    knhk_promotion_t made;
    made.struct_size = sizeof made;
    const uint8_t *bytes = (const uint8_t *)knhk_buffer_data(image);
    OK(knhk_promote_image(eng, "images", bytes, knhk_buffer_len(image), NULL, &made, &err));
    CHECK(made.version == 1);
    knhk_key_t b;
    OK(knhk_key(eng, "images", "a/b", KNHK_I64, &b, &err));
    knhk_view_t v = knhk_read_begin(rd);
    CHECK(knhk_get_i64(v, b, -1) == 7);
    knhk_read_end(rd, v);
    knhk_buffer_free(image);
}

int main(void) {
    CHECK(strchr(knhk_version(), '.') != NULL && knhk_abi_version() == KNHK_ABI);
    CHECK(strcmp(knhk_status_string(KNHK_FORKED), "forked") == 0 && strcmp(knhk_status_string(12345), "unknown status") == 0);
    knhk_engine_t *eng;
    knhk_reader_t *rd;
    knhk_options_t options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.history = 8;
    OK(knhk_engine_open(":memory:", &options, &eng, &err));
    OK(knhk_reader_register(eng, &rd, &err));
    sectors_and_keys(eng);
    declared(eng, rd);
    versions(eng, rd);
    documents(eng);
    images(eng, rd);

    knhk_stats_t stats;
    stats.struct_size = sizeof stats;
    OK(knhk_stats(eng, &stats, &err));
    OK(knhk_hot_report(eng, 40, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_hot_report(NULL, 40, &err));
    uint64_t mean_ns = 0;
    OK(knhk_hot_mean(eng, &mean_ns, &err));
    CHECK(mean_ns == 5); /* an eighth of the first report */
    FAILS(KNHK_NULL_ARGUMENT, knhk_hot_mean(eng, NULL, &err));
    CHECK(stats.sectors == 4 && stats.readers == 1 && stats.promotions == 7 && stats.refused == 3);
    OK(knhk_reader_unregister(rd, &err));
    knhk_engine_close(eng);
    return 0;
}
