/* The first minute: open, promote, intern, register, read, observe, close. And every kind of typed read. */
#include "check.h"

static const char *const DOCUMENT =
    "{\"max_qty\": {\"$value\": 1000, \"$min\": 1, \"$max\": 5000, \"$unit\": \"lots\"},"
    " \"ratio\": {\"$value\": 0.5, \"$min\": 0.25, \"$max\": 0.75}, \"open\": true, \"desk\": \"z\\u00fcrich\", \"seal\": {\"$bytes\": \"AAEC/w==\"},"
    " \"flags\": [true, false, true], \"steps\": [1, -2, 3], \"weights\": [0.5, 1.5], \"venues\": [\"XLON\", \"\", \"XPAR\"],"
    " \"limits\": {\"XLON\": 7, \"XPAR\": {\"deep\": 8, \"rate\": 2.5, \"on\": false, \"name\": \"paris\"}},"
    " \"$classes\": {\"order\": [], \"limit\": [\"order\"], \"iceberg\": [\"limit\"], \"quote\": []}}";

static bool same(knhk_str_t text, const char *expected) {
    return text.data != NULL && text.len == strlen(expected) && strcmp(text.data, expected) == 0;
}

static void scalars(knhk_engine_t *eng, knhk_view_t v) {
    knhk_key_t max_qty, ratio, open, zero;
    OK(knhk_key(eng, "orders", "max_qty", KNHK_I64, &max_qty, &err));
    OK(knhk_key(eng, "orders", "ratio", KNHK_F64, &ratio, &err));
    OK(knhk_key(eng, "orders", "open", KNHK_BOOL, &open, &err));
    memset(&zero, 0, sizeof zero);
    CHECK(knhk_get_i64(v, max_qty, -1) == 1000 && knhk_get_f64(v, ratio, -1) == 0.5 && knhk_get_bool(v, open, false));
    CHECK(knhk_get_i64(v, ratio, -1) == -1 && knhk_get_f64(v, open, -1) == -1 && !knhk_get_bool(v, max_qty, false));
    CHECK(knhk_get_i64(v, zero, 9) == 9);

    knhk_try_i64_t whole = knhk_try_get_i64(v, max_qty, -1);
    CHECK(whole.value == 1000 && whole.reason == KNHK_READ_PRESENT);
    whole = knhk_try_get_i64(v, ratio, -1);
    CHECK(whole.value == -1 && whole.reason == KNHK_READ_WRONG_TYPE);
    whole = knhk_try_get_i64(v, zero, -1);
    CHECK(whole.value == -1 && whole.reason == KNHK_READ_ABSENT);
    knhk_try_f64_t part = knhk_try_get_f64(v, ratio, -1);
    CHECK(part.value == 0.5 && part.reason == KNHK_READ_PRESENT);
    CHECK(knhk_try_get_f64(v, open, -1).reason == KNHK_READ_WRONG_TYPE);
    knhk_try_bool_t flag = knhk_try_get_bool(v, open, false);
    CHECK(flag.value && flag.reason == KNHK_READ_PRESENT);
    CHECK(knhk_try_get_bool(v, zero, true).value && knhk_try_get_bool(v, zero, true).reason == KNHK_READ_ABSENT);

    CHECK(knhk_guard_i64(v, max_qty, 1) && knhk_guard_i64(v, max_qty, 5000));
    CHECK(!knhk_guard_i64(v, max_qty, 0) && !knhk_guard_i64(v, max_qty, 5001) && !knhk_guard_i64(v, ratio, 1));
    CHECK(knhk_guard_f64(v, ratio, 0.25) && !knhk_guard_f64(v, ratio, 0.2) && !knhk_guard_f64(v, ratio, 0.8));
    CHECK(!knhk_guard_f64(v, ratio, __builtin_nan("")) && !knhk_guard_f64(v, zero, 0.5));

    knhk_stats_t stats;
    memset(&stats, 0, sizeof stats);
    stats.struct_size = sizeof stats;
    OK(knhk_stats(eng, &stats, &err));
    CHECK(stats.cold_reads == 11);
    CHECK(knhk_view_sector_epoch(v, max_qty) != 0 && knhk_view_sector_epoch(v, zero) == 0);
    CHECK(knhk_view_snapshot_id(v, max_qty) != NULL && knhk_view_snapshot_id(v, zero) == NULL);
}

static void texts(knhk_engine_t *eng, knhk_view_t v) {
    knhk_key_t desk, seal;
    OK(knhk_key(eng, "orders", "desk", KNHK_STR, &desk, &err));
    OK(knhk_key(eng, "orders", "seal", KNHK_BYTES, &seal, &err));
    CHECK(same(knhk_get_str(v, desk), "z\xc3\xbcrich") && knhk_get_str(v, seal).data == NULL);
    knhk_bytes_t bytes = knhk_get_bytes(v, seal);
    CHECK(bytes.len == 4 && memcmp(bytes.data, "\x00\x01\x02\xff", 4) == 0 && knhk_get_bytes(v, desk).data == NULL);
    knhk_try_str_t text = knhk_try_get_str(v, desk);
    CHECK(same(text.value, "z\xc3\xbcrich") && text.reason == KNHK_READ_PRESENT);
    text = knhk_try_get_str(v, seal);
    CHECK(text.value.data == NULL && text.value.len == 0 && text.reason == KNHK_READ_WRONG_TYPE);
    CHECK(knhk_try_get_bytes(v, seal).value.len == 4 && knhk_try_get_bytes(v, desk).reason == KNHK_READ_WRONG_TYPE);
}

static void lists(knhk_engine_t *eng, knhk_view_t v) {
    knhk_key_t flags, steps, weights, venues;
    OK(knhk_key(eng, "orders", "flags", KNHK_LIST_BOOL, &flags, &err));
    OK(knhk_key(eng, "orders", "steps", KNHK_LIST_I64, &steps, &err));
    OK(knhk_key(eng, "orders", "weights", KNHK_LIST_F64, &weights, &err));
    OK(knhk_key(eng, "orders", "venues", KNHK_LIST_STR, &venues, &err));
    knhk_list_bool_t bools = knhk_get_list_bool(v, flags);
    CHECK(bools.len == 3 && bools.data[0] == 1 && bools.data[1] == 0 && bools.data[2] == 1);
    knhk_list_i64_t whole = knhk_get_list_i64(v, steps);
    CHECK(whole.len == 3 && whole.data[0] == 1 && whole.data[1] == -2 && whole.data[2] == 3);
    knhk_list_f64_t parts = knhk_get_list_f64(v, weights);
    CHECK(parts.len == 2 && parts.data[0] == 0.5 && parts.data[1] == 1.5);
    knhk_list_spans_t names = knhk_get_list_str(v, venues);
    CHECK(names.len == 3 && same(knhk_list_str_at(names, 0), "XLON") && same(knhk_list_str_at(names, 1), ""));
    CHECK(same(knhk_list_str_at(names, 2), "XPAR") && knhk_list_str_at(names, 3).data == NULL);
    CHECK(knhk_get_list_i64(v, weights).data == NULL && knhk_get_list_f64(v, steps).len == 0);
    CHECK(knhk_get_list_bool(v, venues).data == NULL && knhk_get_list_str(v, flags).spans == NULL);
    CHECK(knhk_get_list_bytes(v, venues).spans == NULL && knhk_list_bytes_at(knhk_get_list_bytes(v, venues), 0).data == NULL);
}

static void classes(knhk_engine_t *eng, knhk_view_t v) {
    knhk_key_t order, limit, iceberg, quote, max_qty;
    OK(knhk_key(eng, "orders", "$classes/order", KNHK_CLASS, &order, &err));
    OK(knhk_key(eng, "orders", "$classes/limit", KNHK_CLASS, &limit, &err));
    OK(knhk_key(eng, "orders", "$classes/iceberg", KNHK_CLASS, &iceberg, &err));
    OK(knhk_key(eng, "orders", "$classes/quote", KNHK_CLASS, &quote, &err));
    OK(knhk_key(eng, "orders", "max_qty", KNHK_I64, &max_qty, &err));
    CHECK(knhk_is_a(v, iceberg, order) && knhk_is_a(v, iceberg, limit) && knhk_is_a(v, iceberg, iceberg));
    CHECK(!knhk_is_a(v, order, iceberg) && !knhk_is_a(v, iceberg, quote) && !knhk_is_a(v, max_qty, order));
}

static void names(knhk_engine_t *eng, knhk_view_t v) {
    knhk_key_t limits, paris;
    uint32_t orders;
    OK(knhk_key(eng, "orders", "limits", KNHK_MAP, &limits, &err));
    OK(knhk_sector_number(eng, "orders", &orders, &err));
    CHECK(knhk_lookup_i64(v, limits, "XLON", 4, -1) == 7 && knhk_lookup_i64(v, limits, "XLONDON", 4, -1) == 7);
    CHECK(knhk_lookup_i64(v, limits, "XMIL", 4, -1) == -1 && knhk_lookup_i64(v, limits, NULL, 0, -1) == -1);
    CHECK(knhk_lookup_i64(v, limits, NULL, 9, -1) == -1 && knhk_lookup_i64(v, limits, "XPAR", 4, -1) == -1);
    paris = knhk_lookup(v, limits, "XPAR", 4);
    CHECK(knhk_lookup_i64(v, paris, "deep", 4, -1) == 8 && knhk_lookup_f64(v, paris, "rate", 4, -1) == 2.5);
    CHECK(!knhk_lookup_bool(v, paris, "on", 2, true) && same(knhk_lookup_str(v, paris, "name", 4), "paris"));
    CHECK(knhk_get_i64(v, knhk_find(v, orders, "limits/XPAR/deep", 16), -1) == 8);
    CHECK(knhk_get_i64(v, knhk_find(v, orders, "max_qty", 7), -1) == 1000);
    CHECK(knhk_get_i64(v, knhk_find(v, orders, "limits/XPAR/none", 16), -1) == -1);
    CHECK(knhk_get_i64(v, knhk_find(v, 63, "max_qty", 7), -1) == -1 && knhk_get_i64(v, knhk_find(v, 64, "max_qty", 7), -1) == -1);
}

int main(void) {
    knhk_engine_t *eng;
    OK(knhk_engine_open(":memory:", NULL, &eng, &err));
    OK(knhk_sector_create(eng, "orders", KNHK_DIRECT, &err));
    OK(knhk_promote_json(eng, "orders", DOCUMENT, NULL, &err));

    knhk_key_t max_qty;
    OK(knhk_key(eng, "orders", "max_qty", KNHK_I64, &max_qty, &err));
    knhk_reader_t *rd;
    OK(knhk_reader_register(eng, &rd, &err));

    const int64_t quantities[] = {10, 1000, 1001};
    int admitted = 0;
    for (size_t n = 0; n < sizeof quantities / sizeof quantities[0]; n++) {
        knhk_view_t v = knhk_read_begin(rd);
        bool ok = quantities[n] <= knhk_get_i64(v, max_qty, 0);
        CHECK(knhk_observe_i64(rd, v, max_qty, quantities[n], ok ? KNHK_SUCCESS : KNHK_REJECTED));
        knhk_read_end(rd, v);
        admitted += ok;
    }
    CHECK(admitted == 2);

    knhk_view_t v = knhk_read_begin(rd);
    CHECK(knhk_view_epoch(v) == knhk_change_version(eng));
    scalars(eng, v);
    texts(eng, v);
    lists(eng, v);
    classes(eng, v);
    names(eng, v);
    knhk_read_end(rd, v);

    OK(knhk_reader_unregister(rd, &err));
    knhk_engine_close(eng);
    return 0;
}
