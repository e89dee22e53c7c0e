/* What proves an engine's history: receipts, proofs, checkpoints, verification, trust, backup and restore. */
#include "folder.h"

#include <pthread.h>

/* Receipts of what happened, with proofs and a checkpoint. */
static void receipts(knhk_engine_t *eng) {
    knhk_receipt_list_t *all, *some;
    OK(knhk_receipts(eng, NULL, &all, &err));
    CHECK(knhk_receipts_len(all) == 4 && knhk_receipts_at(all, 4) == NULL && knhk_receipts_len(NULL) == 0);
    const knhk_receipt_t *promoted = knhk_receipts_at(all, 3);
    CHECK(promoted->struct_size == sizeof(knhk_receipt_t) && promoted->number == 3 && strcmp(promoted->sector, "orders") == 0);
    CHECK(strcmp(promoted->kind, "snapshot promoted") == 0 && strcmp(promoted->outcome, "approved") == 0);
    CHECK(strstr(promoted->evidence, "\"version\":2") != NULL && promoted->statement_len > 100 && promoted->links_len == 0);
    CHECK(knhk_receipts_at(all, 0)->sector == NULL && promoted->time_ns >= knhk_receipts_at(all, 0)->time_ns);

    knhk_receipt_query_t query;
    memset(&query, 0, sizeof query);
    query.struct_size = sizeof query;
    query.flags = KNHK_NEWEST_FIRST;
    query.kind = "snapshot promoted";
    query.sector = "orders";
    query.limit = 1;
    OK(knhk_receipts(eng, &query, &some, &err));
    CHECK(knhk_receipts_len(some) == 1 && strcmp(knhk_receipts_at(some, 0)->id, promoted->id) == 0);
    knhk_receipts_free(some);
    query.flags = 4;
    FAILS(KNHK_INVALID_ARGUMENT, knhk_receipts(eng, &query, &some, &err));
    query.struct_size = 12;
    FAILS(KNHK_STRUCT_SIZE, knhk_receipts(eng, &query, &some, &err));

    OK(knhk_receipt(eng, promoted->id, &some, &err));
    CHECK(memcmp(knhk_receipts_at(some, 0)->leaf, promoted->leaf, 32) == 0);
    knhk_receipts_free(some);
    OK(knhk_receipt(eng, "3", &some, &err));
    knhk_receipts_free(some);
    FAILS(KNHK_NOT_FOUND, knhk_receipt(eng, "99", &some, &err));
    FAILS(KNHK_NOT_FOUND, knhk_receipt(eng, "nothing", &some, &err));

    knhk_buffer_t *proof;
    OK(knhk_prove_receipt(eng, promoted->id, &proof, &err));
    CHECK(knhk_buffer_len(proof) > 64);
    knhk_buffer_free(proof);
    OK(knhk_prove_consistency(eng, 2, &proof, &err));
    knhk_buffer_free(proof);
    FAILS(KNHK_INVALID_ARGUMENT, knhk_prove_consistency(eng, 99, &proof, &err));
    knhk_receipts_free(all);
    knhk_receipts_free(NULL);

    /* A version knows its receipt. */
    knhk_version_list_t *history;
    OK(knhk_history(eng, "orders", &history, &err));
    const knhk_version_info_t *newest = knhk_history_at(history, 1);
    CHECK(newest->parent == 1 && newest->receipt != NULL && knhk_history_at(history, 0)->parent == 0);
    OK(knhk_receipt(eng, newest->receipt, &some, &err));
    knhk_receipts_free(some);
    knhk_history_free(history);
}

static int32_t counted(void *ctx, const knhk_progress_t *now) {
    CHECK(now->struct_size == sizeof *now && now->done <= now->total);
    return ++*(int *)ctx > 1000000;
}

static int32_t stop(void *ctx, const knhk_progress_t *now) {
    (void)ctx, (void)now;
    return 1;
}

static void destroyed(void *ctx) {
    *(int *)ctx += 10000000;
}

static knhk_progress_callback_t telling(int32_t (*progress)(void *, const knhk_progress_t *), int *calls) {
    knhk_progress_callback_t callback;
    memset(&callback, 0, sizeof callback);
    callback.struct_size = sizeof callback;
    callback.ctx = calls;
    callback.progress = progress;
    callback.destroy = destroyed;
    *calls = 0;
    return callback;
}

static knhk_verified_t verified_of(void) {
    knhk_verified_t verified;
    memset(&verified, 0, sizeof verified);
    verified.struct_size = sizeof verified;
    return verified;
}

static void verification(knhk_engine_t *eng, const char *note) {
    int calls;
    knhk_progress_callback_t callback = telling(counted, &calls);
    knhk_verify_options_t options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.checkpoint = note;
    knhk_verified_t verified = verified_of();
    OK(knhk_verify(eng, &options, &callback, &verified, &err));
    CHECK(calls > 10000000 && calls < 20000000);
    CHECK(verified.receipts >= 4 && verified.keys >= 1 && verified.versions >= 2 && verified.first_ns <= verified.last_ns);
    OK(knhk_verify(eng, NULL, NULL, NULL, &err));

    callback = telling(stop, &calls);
    FAILS(KNHK_TIMEOUT, knhk_verify(eng, NULL, &callback, NULL, &err));
    CHECK(calls == 10000000);
    callback = telling(NULL, &calls);
    FAILS(KNHK_NULL_ARGUMENT, knhk_verify(eng, NULL, &callback, NULL, &err));
    CHECK(calls == 10000000);
    options.checkpoint = "no note";
    FAILS(KNHK_INVALID_ARGUMENT, knhk_verify(eng, &options, NULL, NULL, &err));
}

static bool finished; /* atomic */

static void *load(void *ctx) {
    for (int n = 10; !__atomic_load_n(&finished, __ATOMIC_SEQ_CST); n++) {
        char json[64];
        snprintf(json, sizeof json, "{\"max_qty\": %d}", n);
        CHECK(knhk_promote_json((knhk_engine_t *)ctx, "orders", json, NULL, NULL) == KNHK_OK);
    }
    return NULL;
}

static void trust(const char *folder, const char *root, const char *note) {
    knhk_engine_t *eng;
    knhk_options_t options = options_of(NULL);
    options.trust_root = "elsewhere+00000000+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";
    knhk_status_t refused = knhk_engine_open(folder, &options, &eng, &err);
    CHECK(refused == KNHK_INVALID_ARGUMENT || refused == KNHK_TAMPERED);
    knhk_error_free(err), err = NULL;

    /* Another log's, well-formed. */
    knhk_buffer_t *other;
    OK(knhk_engine_open(below("other"), NULL, &eng, &err));
    OK(knhk_trust_root(eng, &other, &err));
    knhk_engine_close(eng);
    char *others = kept(other);
    options.trust_root = others;
    FAILS(KNHK_TAMPERED, knhk_engine_open(folder, &options, &eng, &err));
    free(others);
    options.trust_root = root;
    options.checkpoint = note;
    OK(knhk_engine_open(folder, &options, &eng, &err));
    knhk_engine_close(eng);
}

/* Changes the last byte of what stands somewhere in a file. */
static void change_a_byte(const char *path, const uint8_t *what, size_t len) {
    FILE *file = fopen(path, "r+b");
    CHECK(file != NULL && fseek(file, 0, SEEK_END) == 0);
    size_t size = (size_t)ftell(file), at = 0;
    uint8_t *content = (uint8_t *)malloc(size);
    CHECK(content != NULL && fseek(file, 0, SEEK_SET) == 0 && fread(content, 1, size, file) == size);
    while (at + len <= size && memcmp(content + at, what, len) != 0) at++;
    CHECK(at + len <= size);
    at += len - 1;
    CHECK(fseek(file, (long)at, SEEK_SET) == 0 && fputc(content[at] ^ 1, file) != EOF && fclose(file) == 0);
    free(content);
}

static void backups(const char *folder, const char *root, const char *note) {
    knhk_engine_t *eng, *back;
    pthread_t thread;
    int calls;
    OK(knhk_engine_open(folder, NULL, &eng, &err));
    knhk_receipt_list_t *third;
    uint8_t signature[64];
    OK(knhk_receipt(eng, "3", &third, &err));
    const knhk_receipt_t *receipt = knhk_receipts_at(third, 0);
    memcpy(signature, receipt->statement + receipt->statement_len - sizeof signature, sizeof signature);
    knhk_receipts_free(third);
    CHECK(pthread_create(&thread, NULL, load, eng) == 0);
    knhk_progress_callback_t callback = telling(counted, &calls);
    OK(knhk_backup(eng, below("a.backup"), &callback, &err));
    CHECK(calls > 10000000);
    FAILS(KNHK_ALREADY_EXISTS, knhk_backup(eng, below("a.backup"), NULL, &err));
    callback = telling(stop, &calls);
    FAILS(KNHK_TIMEOUT, knhk_backup(eng, below("b.backup"), &callback, &err));
    CHECK(access(below("b.backup"), F_OK) != 0);
    __atomic_store_n(&finished, true, __ATOMIC_SEQ_CST);
    CHECK(pthread_join(thread, NULL) == 0);
    knhk_engine_close(eng);

    knhk_restore_options_t options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.trust_root = root;
    options.checkpoint = note;
    knhk_verified_t verified = verified_of();
    OK(knhk_restore(below("a.backup"), below("restored"), &options, NULL, &verified, &err));
    CHECK(verified.receipts >= 4);
    FAILS(KNHK_ALREADY_EXISTS, knhk_restore(below("a.backup"), below("restored"), NULL, NULL, NULL, &err));
    FAILS(KNHK_NOT_FOUND, knhk_restore(below("nowhere"), below("restored2"), NULL, NULL, NULL, &err));
    callback = telling(stop, &calls);
    FAILS(KNHK_TIMEOUT, knhk_restore(below("a.backup"), below("restored3"), NULL, &callback, NULL, &err));

    /* A restored folder has no key: it reads, and asks for one to change anything. */
    knhk_options_t read_only = options_of(NULL);
    read_only.flags = KNHK_READ_ONLY;
    FAILS(KNHK_KEY_FILE, knhk_engine_open(below("restored"), NULL, &back, &err));
    OK(knhk_engine_open(below("restored"), &read_only, &back, &err));
    OK(knhk_verify(back, NULL, NULL, NULL, &err));
    knhk_engine_close(back);

    /* A byte that was changed in a backup is found before anything is placed. */
    change_a_byte(below("a.backup"), signature, sizeof signature);
    CHECK(knhk_restore(below("a.backup"), below("restored4"), NULL, NULL, NULL, &err) != KNHK_OK);
    knhk_error_free(err), err = NULL;
    CHECK(access(below("restored4/store.sqlite"), F_OK) != 0);
}

int main(void) {
    CHECK(mkdtemp(base) != NULL);
    char folder[300];
    snprintf(folder, sizeof folder, "%s/limits", base);
    knhk_engine_t *eng;
    knhk_buffer_t *buffer;
    OK(knhk_engine_open(folder, NULL, &eng, &err));
    OK(knhk_sector_create(eng, "orders", KNHK_DIRECT, &err));
    promote(eng, 1);
    promote(eng, 2);
    receipts(eng);
    OK(knhk_checkpoint(eng, &buffer, &err));
    char *note = kept(buffer);
    OK(knhk_trust_root(eng, &buffer, &err));
    char *root = kept(buffer);
    CHECK(strstr(note, "\n") != NULL && strncmp(note, root, strcspn(root, "+")) == 0);
    verification(eng, note);
    knhk_stats_t stats;
    memset(&stats, 0, sizeof stats);
    stats.struct_size = sizeof stats;
    OK(knhk_stats(eng, &stats, &err));
    CHECK(stats.damaged_versions == 0);
    knhk_engine_close(eng);
    FAILS(KNHK_NULL_ARGUMENT, knhk_checkpoint(NULL, &buffer, &err));

    trust(folder, root, note);
    backups(folder, root, note);
    free(note), free(root);
    remove_all(base);
    return 0;
}
