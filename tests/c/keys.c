/* Keys and who signs: rotation, delegated signing, key files. */
#include "folder.h"

/* The folder's own key gives way to a new one, and that to one of the program. */
static void rotation(const char *folder) {
    knhk_engine_t *eng;
    knhk_receipt_list_t *receipt;
    knhk_signing_key_list_t *keys;
    knhk_signer_t *signer, *other;
    uint8_t public_key[32];
    OK(knhk_engine_open(folder, NULL, &eng, &err));
    OK(knhk_rotate_key(eng, NULL, &receipt, &err));
    CHECK(strcmp(knhk_receipts_at(receipt, 0)->kind, "key rotated") == 0);
    knhk_receipts_free(receipt);
    OK(knhk_signer_generate(&signer, &err));
    OK(knhk_signer_public_key(signer, public_key, &err));
    OK(knhk_rotate_key(eng, signer, NULL, &err));
    OK(knhk_signing_keys(eng, &keys, &err));
    CHECK(knhk_signing_keys_len(keys) == 3 && knhk_signing_keys_at(keys, 3) == NULL);
    const knhk_signing_key_t *newest = knhk_signing_keys_at(keys, 2);
    CHECK(newest->current && !knhk_signing_keys_at(keys, 1)->current && memcmp(newest->key, public_key, 32) == 0);
    CHECK(newest->number == 2 && newest->from_receipt > knhk_signing_keys_at(keys, 1)->from_receipt);
    knhk_signing_keys_free(keys);
    promote(eng, 4);
    OK(knhk_verify(eng, NULL, NULL, NULL, &err));
    knhk_engine_close(eng);

    /* The folder keeps no key now: it opens with the signer alone, and not with another. */
    knhk_options_t options = options_of(signer);
    FAILS(KNHK_KEY_FILE, knhk_engine_open(folder, NULL, &eng, &err));
    OK(knhk_signer_generate(&other, &err));
    options.signer = other;
    knhk_status_t refused = knhk_engine_open(folder, &options, &eng, &err);
    CHECK(refused != KNHK_OK);
    knhk_error_free(err), err = NULL;
    options.signer = signer;
    OK(knhk_engine_open(folder, &options, &eng, &err));
    knhk_signer_free(signer); /* the engine keeps what it needs */
    promote(eng, 5);
    knhk_engine_close(eng);
    knhk_signer_free(other);
    knhk_signer_free(NULL);
}

/* ---- Delegated signing ---- */

/* Holds a key that the engine does not. */
struct elsewhere {
    int calls, destroyed; /* atomic */
    int mode; /* 0: says why not, 1: a signature of another key, 2: no reason at all, 3: signs */
    knhk_signer_t *key;
};

static int32_t sign(void *ctx, const uint8_t *message, size_t len, uint8_t *signature, char *why, size_t why_size) {
    struct elsewhere *of = (struct elsewhere *)ctx;
    __atomic_fetch_add(&of->calls, 1, __ATOMIC_SEQ_CST);
    CHECK(message != NULL && len > 0);
    if (of->mode == 1) return memset(signature, 7, 64), 0;
    if (of->mode == 3) return knhk_signer_sign(of->key, message, len, signature, NULL);
    if (of->mode == 0) snprintf(why, why_size, "the HSM is locked; unlock it with hsm-unlock");
    return -1;
}

static void done(void *ctx) {
    __atomic_fetch_add(&((struct elsewhere *)ctx)->destroyed, 1, __ATOMIC_SEQ_CST);
}

static void delegated(void) {
    uint8_t public_key[32];
    struct elsewhere of;
    memset(&of, 0, sizeof of);
    OK(knhk_signer_generate(&of.key, &err));
    OK(knhk_signer_public_key(of.key, public_key, &err));
    knhk_sign_callback_t callback;
    memset(&callback, 0, sizeof callback);
    callback.struct_size = sizeof callback;
    callback.ctx = &of;
    callback.sign = sign;
    callback.destroy = done;
    knhk_signer_t *signer;
    knhk_engine_t *eng;
    OK(knhk_signer_delegated(public_key, &callback, &signer, &err));
    FAILS(KNHK_KEY_FILE, knhk_signer_save(signer, below("elsewhere.key"), &err));
    knhk_options_t options = options_of(signer);
    for (of.mode = 0; of.mode < 3; of.mode++) {
        knhk_status_t refused = knhk_engine_open(":memory:", &options, &eng, &err);
        CHECK(refused == KNHK_SIGNING);
        CHECK(SAYS(of.mode == 0 ? "the HSM is locked" : of.mode == 1 ? "not this key's signature" : "returned -1"));
        knhk_error_free(err), err = NULL;
    }
    CHECK(__atomic_load_n(&of.calls, __ATOMIC_SEQ_CST) == 3 && __atomic_load_n(&of.destroyed, __ATOMIC_SEQ_CST) == 0);

    /* One that signs; when it stops, nothing is promoted, and when it signs again, things go on. */
    of.mode = 3;
    OK(knhk_engine_open(":memory:", &options, &eng, &err));
    knhk_signer_free(signer);
    OK(knhk_sector_create(eng, "orders", KNHK_DIRECT, &err));
    promote(eng, 1);
    of.mode = 0;
    FAILS(KNHK_SIGNING, knhk_promote_json(eng, "orders", "{\"max_qty\": 2}", NULL, &err));
    knhk_version_list_t *history;
    OK(knhk_history(eng, "orders", &history, &err));
    CHECK(knhk_history_len(history) == 1);
    knhk_history_free(history);
    of.mode = 3;
    promote(eng, 2);
    OK(knhk_verify(eng, NULL, NULL, NULL, &err));
    CHECK(__atomic_load_n(&of.destroyed, __ATOMIC_SEQ_CST) == 0);
    knhk_engine_close(eng);
    CHECK(__atomic_load_n(&of.destroyed, __ATOMIC_SEQ_CST) == 1);
    knhk_signer_free(of.key);

    /* Destroyed as well where nothing came of it. */
    uint8_t nonsense[32];
    memset(nonsense, 0xff, sizeof nonsense);
    FAILS(KNHK_INVALID_ARGUMENT, knhk_signer_delegated(nonsense, &callback, &signer, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_signer_delegated(NULL, &callback, &signer, &err));
    callback.sign = NULL;
    FAILS(KNHK_NULL_ARGUMENT, knhk_signer_delegated(public_key, &callback, &signer, &err));
    CHECK(__atomic_load_n(&of.destroyed, __ATOMIC_SEQ_CST) == 4);
    callback.struct_size = 3;
    FAILS(KNHK_STRUCT_SIZE, knhk_signer_delegated(public_key, &callback, &signer, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_signer_delegated(public_key, NULL, &signer, &err));
    CHECK(__atomic_load_n(&of.destroyed, __ATOMIC_SEQ_CST) == 4);
}

/* ---- Keys in files ---- */

static void write_file(const char *path, const char *text, mode_t mode) {
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fwrite(text, 1, strlen(text), file) == strlen(text));
    CHECK(fclose(file) == 0 && chmod(path, mode) == 0);
}

/* The seed is in no message; what is recorded from one key is verified by the other way to it. */
static void key_files(void) {
    static const char seed[] = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    knhk_signer_t *by_file, *by_bytes, *saved;
    uint8_t bytes[32], one[32], two[32];
    for (int n = 0; n < 32; n++) {
        unsigned byte;
        CHECK(sscanf(seed + 2 * n, "%2x", &byte) == 1);
        bytes[n] = (uint8_t)byte;
    }
    write_file(below("seed"), seed, 0600);
    OK(knhk_signer_load(below("seed"), &by_file, &err));
    OK(knhk_signer_from_seed(bytes, &by_bytes, &err));
    OK(knhk_signer_public_key(by_file, one, &err));
    OK(knhk_signer_public_key(by_bytes, two, &err));
    CHECK(memcmp(one, two, 32) == 0 && one[0] == 0xd7);
    OK(knhk_signer_save(by_file, below("saved.pem"), &err));
    OK(knhk_signer_load(below("saved.pem"), &saved, &err));
    OK(knhk_signer_public_key(saved, two, &err));
    CHECK(memcmp(one, two, 32) == 0);
    FAILS(KNHK_KEY_FILE, knhk_signer_save(by_file, below("saved.pem"), &err));

    knhk_signer_t *none;
    write_file(below("open"), seed, 0644);
    write_file(below("short"), "9d61b19deffd5a60ba844af492ec2cc4", 0600);
    write_file(below("odd"), "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f6x", 0600);
    static const char *const wrong[] = {"open", "odd", "missing"};
    for (int n = 0; n < 3; n++) {
        CHECK(knhk_signer_load(below(wrong[n]), &none, &err) == KNHK_KEY_FILE);
        CHECK(!SAYS("9d61b1") && !SAYS("9D61") && SAYS(wrong[n]));
        knhk_error_free(err), err = NULL;
    }
    FAILS(KNHK_NULL_ARGUMENT, knhk_signer_from_seed(NULL, &none, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_signer_public_key((const knhk_signer_t *)bytes, two, &err));

    /* In memory a signer makes a log; without one there is none. */
    knhk_options_t options = options_of(by_bytes);
    knhk_engine_t *eng;
    knhk_buffer_t *root;
    OK(knhk_engine_open(":memory:", &options, &eng, &err));
    OK(knhk_sector_create(eng, "orders", KNHK_DIRECT, &err));
    promote(eng, 1);
    OK(knhk_verify(eng, NULL, NULL, NULL, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_rotate_key(eng, NULL, NULL, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_backup(eng, below("no.backup"), NULL, &err));
    OK(knhk_trust_root(eng, &root, &err));
    char *trusted = kept(root);
    knhk_engine_close(eng);
    options.trust_root = trusted;
    OK(knhk_engine_open(":memory:", &options, &eng, &err));
    knhk_engine_close(eng);
    options.signer = NULL, options.trust_root = NULL;
    OK(knhk_engine_open(":memory:", &options, &eng, &err));
    FAILS(KNHK_NOT_FOUND, knhk_trust_root(eng, &root, &err));
    FAILS(KNHK_NOT_FOUND, knhk_verify(eng, NULL, NULL, NULL, &err));
    knhk_engine_close(eng);
    free(trusted);
    knhk_signer_free(by_file), knhk_signer_free(by_bytes), knhk_signer_free(saved);
}

/* ---- Trust, backup under load, restore, tampering ---- */

int main(void) {
    CHECK(mkdtemp(base) != NULL);
    knhk_engine_t *eng;
    char folder[300];
    snprintf(folder, sizeof folder, "%s/limits", base);
    OK(knhk_engine_open(folder, NULL, &eng, &err));
    OK(knhk_sector_create(eng, "orders", KNHK_DIRECT, &err));
    promote(eng, 1);
    knhk_engine_close(eng);
    rotation(folder);
    delegated();
    key_files();
    remove_all(base);
    return 0;
}
