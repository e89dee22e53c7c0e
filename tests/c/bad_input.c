/* Bad input: each kind has its own error, nothing is written, and the engine goes on. */
#include "check.h"

static knhk_engine_t *eng;
static knhk_reader_t *rd;
static const char bad_utf8[] = "ab\xff";

static void null_and_foreign_handles(void) {
    knhk_reader_t *no_reader = NULL;
    knhk_key_t key;
    uint64_t subscription = 77;
    size_t drained = 77;
    int fd = 77;
    uint32_t number = 77;
    FAILS(KNHK_NULL_ARGUMENT, knhk_engine_open(NULL, NULL, &eng, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_engine_open(":memory:", NULL, NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_engine_open_abi(":memory:", NULL, NULL, &eng, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_sector_create(NULL, "a", KNHK_DIRECT, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_sector_create(eng, NULL, KNHK_DIRECT, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_sectors(eng, NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_sector_number(eng, "s", NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_keys(eng, "s", NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_key(eng, "s", "n", KNHK_I64, NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_key(NULL, "s", "n", KNHK_I64, &key, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_promote_json(eng, "s", NULL, NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_promote_json_with(eng, "s", NULL, 5, NULL, NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_promote_image(eng, "s", NULL, 5, NULL, NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_rollback(NULL, "s", 1, NULL, NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_declare_json(eng, "s", NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_compile_json(eng, "{}", NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_history(eng, "s", NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_sector_export_json(eng, "s", 0, NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_dump(eng, NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_sector_wait_ready(NULL, "s", 0, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_reader_register(eng, NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_reader_register(NULL, &no_reader, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_reader_reset(NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_observations_drain(eng, NULL, 5, &drained, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_observations_drain(eng, NULL, 0, NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_stats(eng, NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_subscribe(eng, NULL, &subscription, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_change_fd(NULL, &fd, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_changes_since(eng, 0, NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_sector_number(NULL, "s", &number, &err));
    knhk_hold_t *hold;
    knhk_view_t view = {NULL, 0}, held = {NULL, 0};
    FAILS(KNHK_NULL_ARGUMENT, knhk_snapshot_hold(NULL, view, &hold, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_snapshot_hold(rd, view, &hold, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_hold_view(NULL, &held, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_hold_clone(NULL, &hold, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_buffer_copy(NULL, NULL, 0, NULL, &err));
    CHECK(subscription == 77 && drained == 77 && fd == 77 && number == 77 && no_reader == NULL && held.root == NULL);

    /* Another kind of handle, and memory that is none. */
    static const uint64_t nothing[16] = {0};
    FAILS(KNHK_INVALID_ARGUMENT, knhk_dump((const knhk_engine_t *)nothing, NULL, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_hold_view((const knhk_hold_t *)nothing, &held, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_reader_unregister((knhk_reader_t *)(uintptr_t)((uintptr_t)nothing | 8), &err));
    CHECK(knhk_sectors_len((const knhk_sector_list_t *)nothing) == 0 && knhk_buffer_len((const knhk_buffer_t *)nothing) == 0);
    knhk_buffer_free((knhk_buffer_t *)(uintptr_t)nothing);

    /* NULL where it means nothing. */
    OK(knhk_reader_unregister(NULL, &err));
    CHECK(knhk_change_version(NULL) == 0 && knhk_keys_len(NULL) == 0 && knhk_history_at(NULL, 0) == NULL);
    CHECK(knhk_buffer_data(NULL) == NULL && strcmp(knhk_error_message(NULL), "no error") == 0);
    knhk_engine_close(NULL);
    knhk_error_free(NULL);
    knhk_buffer_free(NULL);
    knhk_hold_release(NULL);
    knhk_sectors_free(NULL);
    knhk_keys_free(NULL);
    knhk_history_free(NULL);
    knhk_changes_free(NULL);
    /* No place for an error is no error. */
    CHECK(knhk_sector_create(NULL, NULL, 0, NULL) == KNHK_NULL_ARGUMENT);
}

static void sizes_and_numbers(void) {
    static const uint32_t wrong[] = {0, 1, 4, 8, 12, 5000, UINT32_MAX};
    knhk_engine_t *other = NULL;
    for (size_t n = 0; n < sizeof wrong / sizeof wrong[0]; n++) {
        knhk_options_t options;
        knhk_reader_options_t reader;
        knhk_promote_options_t promote;
        knhk_promotion_t made;
        knhk_stats_t stats;
        memset(&options, 0, sizeof options);
        memset(&reader, 0, sizeof reader);
        memset(&promote, 0, sizeof promote);
        memset(&made, 0, sizeof made);
        memset(&stats, 0, sizeof stats);
        options.struct_size = reader.struct_size = promote.struct_size = made.struct_size = stats.struct_size = wrong[n];
        knhk_reader_t *none = NULL;
        FAILS(KNHK_STRUCT_SIZE, knhk_engine_open(":memory:", &options, &other, &err));
        FAILS(KNHK_STRUCT_SIZE, knhk_reader_register_with(eng, &reader, &none, &err));
        FAILS(KNHK_STRUCT_SIZE, knhk_promote_json(eng, "s", "{}", &promote, &err));
        FAILS(KNHK_STRUCT_SIZE, knhk_rollback(eng, "s", 1, NULL, &made, &err));
        FAILS(KNHK_STRUCT_SIZE, knhk_stats(eng, &stats, &err));
    }
    knhk_abi_t abi = *knhk_header_abi();
    abi.abi++;
    FAILS(KNHK_ABI_MISMATCH, knhk_engine_open_abi(":memory:", NULL, &abi, &other, &err));
    abi = *knhk_header_abi();
    abi.view += 8;
    knhk_reader_t *none = NULL;
    knhk_key_t key = {7, 7};
    CHECK(knhk_reader_register_abi(eng, NULL, &abi, &none, &err) == KNHK_ABI_MISMATCH && SAYS("view"));
    knhk_error_free(err);
    err = NULL;
    FAILS(KNHK_ABI_MISMATCH, knhk_key_abi(eng, "s", "n", KNHK_I64, &abi, &key, &err));
    abi.struct_size--;
    FAILS(KNHK_STRUCT_SIZE, knhk_key_abi(eng, "s", "n", KNHK_I64, &abi, &key, &err));
    CHECK(other == NULL && none == NULL && key.slot == 7);

    knhk_options_t options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.barrier = 9;
    FAILS(KNHK_INVALID_ARGUMENT, knhk_engine_open(":memory:", &options, &other, &err));
    options.barrier = 0;
    options.ring_records = UINT64_MAX;
    FAILS(KNHK_INVALID_ARGUMENT, knhk_engine_open(":memory:", &options, &other, &err));
    knhk_reader_options_t reader;
    memset(&reader, 0, sizeof reader);
    reader.struct_size = sizeof reader;
    reader.flags = 64;
    FAILS(KNHK_INVALID_ARGUMENT, knhk_reader_register_with(eng, &reader, &none, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_sector_create(eng, "t", 99, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_key(eng, "s", "n", 99, &key, &err));
}

static void texts(void) {
    knhk_key_t key;
    FAILS(KNHK_BAD_UTF8, knhk_engine_open(bad_utf8, NULL, &eng, &err));
    FAILS(KNHK_BAD_UTF8, knhk_sector_create(eng, bad_utf8, KNHK_DIRECT, &err));
    FAILS(KNHK_BAD_UTF8, knhk_key(eng, "s", bad_utf8, KNHK_I64, &key, &err));
    FAILS(KNHK_BAD_UTF8, knhk_promote_json(eng, "s", bad_utf8, NULL, &err));
    FAILS(KNHK_BAD_UTF8, knhk_promote_json_with(eng, "s", bad_utf8, 3, NULL, NULL, &err));
    knhk_promote_options_t options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.why = bad_utf8;
    FAILS(KNHK_BAD_UTF8, knhk_promote_json(eng, "s", "{}", &options, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_engine_open("", NULL, &eng, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_sector_create(eng, "", KNHK_DIRECT, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_sector_create(eng, "Not A Name", KNHK_DIRECT, &err));
}

static void unknown_names_and_types(void) {
    knhk_key_t key;
    FAILS(KNHK_NOT_FOUND, knhk_key(eng, "none", "n", KNHK_I64, &key, &err));
    CHECK(knhk_key(eng, "s", "nn", KNHK_I64, &key, &err) == KNHK_NOT_FOUND && SAYS("did you mean"));
    knhk_error_free(err);
    err = NULL;
    CHECK(knhk_key(eng, "s", "n", KNHK_F64, &key, &err) == KNHK_WRONG_TYPE && SAYS("i64") && SAYS("f64"));
    CHECK(strcmp(knhk_error_item(err), "s/n") == 0 && strcmp(knhk_error_stage(err), "intern") == 0);
    knhk_error_free(err);
    err = NULL;
    FAILS(KNHK_NOT_FOUND, knhk_unsubscribe(eng, 12345, &err));
}

static void documents(void) {
    static const char *const invalid[] = {
        "", "{", "[]", "7", "{\"a\": null}", "{\"a\": 1, \"a\": 2}", "{\"a/b\": 1}", "{\"a\": [1, \"x\"]}", "{\"a\": {\"$value\": 9, \"$max\": 5}}",
        "{\"a\": {\"$nonsense\": 1}}", "{\"a\": 99999999999999999999}", "{\"a\": 1e400}", "{\"a\": {\"$bytes\": \"?\"}}", "{\"a\": 1} trailing",
        "{\"a\": \"\\ud800\"}",
    };
    for (size_t n = 0; n < sizeof invalid / sizeof invalid[0]; n++) {
        knhk_status_t status = knhk_promote_json(eng, "s", invalid[n], NULL, &err);
        if (status != KNHK_DOCUMENT) {
            fprintf(stderr, "%s: %s\n", invalid[n], knhk_error_message(err));
        }
        FAILS(KNHK_DOCUMENT, status);
    }

    enum { DEEP = 100000, LARGE = 40 << 20 };
    char *text = (char *)malloc(LARGE + 16);
    size_t at = 0;
    for (int n = 0; n < DEEP; n++) {
        memcpy(text + at, "{\"a\":", 5);
        at += 5;
    }
    text[at] = 0;
    FAILS(KNHK_LIMIT, knhk_promote_json(eng, "s", text, NULL, &err));
    memcpy(text, "{\"a\": \"", 7);
    memset(text + 7, 'x', LARGE);
    memcpy(text + 7 + LARGE, "\"}", 3);
    FAILS(KNHK_LIMIT, knhk_promote_json(eng, "s", text, NULL, &err));
    free(text);
}

static void damaged_images(void) {
    knhk_buffer_t *image;
    OK(knhk_compile_json(eng, "{\"n\": 1, \"text\": \"hello\", \"list\": [\"a\", \"b\"], \"map\": {\"x\": {\"$value\": 3, \"$min\": 1, \"$max\": 9}}}", &image, &err));
    size_t len = knhk_buffer_len(image);
    uint8_t *copy = (uint8_t *)malloc(len);
    memcpy(copy, knhk_buffer_data(image), len);
    FAILS(KNHK_ARTIFACT, knhk_promote_image(eng, "s", NULL, 0, NULL, NULL, &err));
    /* Every length and every bit, unless a tool makes each of them slow. */
    const char *given = getenv("KNHK_STRIDE");
    size_t stride = given != NULL ? (size_t)atoi(given) : 1;
    for (size_t n = 0; n < len; n += stride) {
        CHECK(knhk_promote_image(eng, "s", copy, n, NULL, NULL, NULL) == KNHK_ARTIFACT);
    }
    for (size_t bit = 0; bit < len * 8; bit += stride) {
        copy[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        CHECK(knhk_promote_image(eng, "s", copy, len, NULL, NULL, NULL) == KNHK_ARTIFACT);
        copy[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    /* From a misaligned address, whole. */
    uint8_t *shifted = (uint8_t *)malloc(len + 1);
    memcpy(shifted + 1, copy, len);
    OK(knhk_promote_image(eng, "s", shifted + 1, len, NULL, NULL, &err));
    free(shifted);
    free(copy);
    knhk_buffer_free(image);
}

int main(void) {
    OK(knhk_engine_open(":memory:", NULL, &eng, &err));
    OK(knhk_sector_create(eng, "s", KNHK_DIRECT, &err));
    OK(knhk_promote_json(eng, "s", "{\"n\": 1}", NULL, &err));
    OK(knhk_reader_register(eng, &rd, &err));
    uint64_t before = knhk_change_version(eng);
    null_and_foreign_handles();
    sizes_and_numbers();
    texts();
    unknown_names_and_types();
    documents();
    CHECK(knhk_change_version(eng) == before);
    damaged_images();

    knhk_key_t key;
    OK(knhk_key(eng, "s", "n", KNHK_I64, &key, &err));
    knhk_view_t view = knhk_read_begin(rd);
    CHECK(knhk_get_i64(view, key, -1) == 1);
    knhk_read_end(rd, view);
    OK(knhk_reader_unregister(rd, &err));
    knhk_engine_close(eng);
    return 0;
}
