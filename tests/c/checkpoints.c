/* Checkpoints of components from C: taken, restored, listed, in the background, encrypted, and wrong arguments. */
#include "check.h"

#include <stdbool.h>
#include <unistd.h>

static int destroyed;

typedef struct {
    uint8_t state[4096];
    bool refuses;
    int frozen, thawed;
} part_t;

static void freeze(void *ctx) { ((part_t *)ctx)->frozen++; }
static void thaw(void *ctx) { ((part_t *)ctx)->thawed++; }
static void destroy(void *ctx) {
    (void)ctx;
    destroyed++;
}

static int32_t save(void *ctx, knhk_state_writer_t *to, char *why, size_t why_size) {
    part_t *part = (part_t *)ctx;
    CHECK(part->frozen == part->thawed + 1);
    if (part->refuses) {
        strncpy(why, "the book is closed", why_size);
        return 3;
    }
    CHECK(knhk_state_write(NULL, part->state, 1) != 0);
    /* In pieces: they follow each other. */
    if (knhk_state_write(to, part->state, 1000)) return 1;
    return knhk_state_write(to, part->state + 1000, sizeof part->state - 1000);
}

static int32_t load(void *ctx, const uint8_t *state, size_t len, char *why, size_t why_size) {
    part_t *part = (part_t *)ctx;
    (void)why, (void)why_size;
    if (len != sizeof part->state) return 1;
    memcpy(part->state, state, len);
    return 0;
}

static knhk_component_callback_t component(part_t *part) {
    knhk_component_callback_t callback;
    memset(&callback, 0, sizeof callback);
    callback.struct_size = sizeof callback;
    callback.ctx = part;
    callback.freeze = freeze, callback.thaw = thaw, callback.save = save, callback.load = load, callback.destroy = destroy;
    return callback;
}

static void in_engine(void) {
    knhk_signer_t *signer;
    knhk_engine_t *eng;
    knhk_options_t options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    knhk_checkpoints_t *kept, *again;
    OK(knhk_engine_open(":memory:", NULL, &eng, &err));
    FAILS(KNHK_NOT_FOUND, knhk_checkpoints_open(eng, "book", NULL, &kept, &err));
    knhk_engine_close(eng);

    OK(knhk_signer_generate(&signer, &err));
    options.signer = signer;
    OK(knhk_engine_open(":memory:", &options, &eng, &err));
    knhk_signer_free(signer);
    OK(knhk_checkpoints_open(eng, "book", NULL, &kept, &err));
    FAILS(KNHK_ALREADY_EXISTS, knhk_checkpoints_open(eng, "book", NULL, &again, &err));
    FAILS(KNHK_NOT_FOUND, knhk_checkpoint_restore(kept, NULL, &err));

    static part_t part;
    memset(&part, 7, sizeof part.state);
    knhk_component_callback_t callback = component(&part);
    callback.save = NULL;
    FAILS(KNHK_NULL_ARGUMENT, knhk_checkpoints_add(kept, "orders", &callback, &err));
    CHECK(destroyed == 1);
    callback.save = save;
    OK(knhk_checkpoints_add(kept, "orders", &callback, &err));
    FAILS(KNHK_ALREADY_EXISTS, knhk_checkpoints_add(kept, "orders", &callback, &err));
    CHECK(destroyed == 2);

    knhk_checkpoint_taken_t taken;
    memset(&taken, 0, sizeof taken);
    taken.struct_size = sizeof taken;
    OK(knhk_checkpoint_take(kept, 0, &taken, &err));
    CHECK(taken.number == 1 && taken.full && taken.state_bytes == sizeof part.state && taken.frozen_ns <= taken.took_ns);
    part.state[100] = 8;
    OK(knhk_checkpoint_take(kept, 0, &taken, &err));
    CHECK(taken.number == 2 && !taken.full);
    part.refuses = true;
    knhk_status_t status = knhk_checkpoint_take(kept, 0, NULL, &err);
    CHECK(status == KNHK_SYSTEM && SAYS("orders could not be saved: the book is closed"));
    knhk_error_free(err);
    err = NULL;
    part.refuses = false;
    memset(part.state, 0, sizeof part.state);
    knhk_checkpoint_restored_t restored;
    memset(&restored, 0, sizeof restored);
    restored.struct_size = sizeof restored;
    OK(knhk_checkpoint_restore(kept, &restored, &err));
    CHECK(restored.number == 2 && memcmp(restored.digest, taken.digest, 32) == 0 && !restored.skipped && !restored.absent);
    CHECK(part.state[99] == 7 && part.state[100] == 8 && part.frozen == part.thawed);

    knhk_checkpoint_list_t *list;
    OK(knhk_checkpoints_kept(kept, &list, &err));
    CHECK(knhk_checkpoint_list_len(list) == 2 && knhk_checkpoint_list_at(list, 2) == NULL);
    CHECK(knhk_checkpoint_list_at(list, 1)->number == 2 && knhk_checkpoint_list_at(list, 1)->damage == NULL);
    knhk_checkpoint_list_free(list);

    /* Each left a receipt. */
    knhk_receipt_query_t query;
    knhk_receipt_list_t *receipts;
    memset(&query, 0, sizeof query);
    query.struct_size = sizeof query;
    query.kind = "checkpoint restored";
    do {
        OK(knhk_receipts(eng, &query, &receipts, &err));
        if (knhk_receipts_len(receipts) == 1) break;
        knhk_receipts_free(receipts);
        /* Receipts of transitions are written on a thread of their own. */
    } while (true);
    knhk_receipts_free(receipts);

    FAILS(KNHK_INVALID_ARGUMENT, knhk_checkpoints_start(kept, 1000000, 0, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_checkpoints_start(kept, 0, 1, &err));
    OK(knhk_checkpoints_start(kept, 1000000, 1, &err));
    FAILS(KNHK_BUSY, knhk_checkpoints_start(kept, 1000000, 1, &err));
    size_t len;
    do {
        OK(knhk_checkpoints_kept(kept, &list, &err));
        len = knhk_checkpoint_list_len(list);
        knhk_checkpoint_list_free(list);
    } while (len < 4);
    OK(knhk_checkpoints_stop(kept, &err));
    OK(knhk_checkpoints_stop(kept, &err));

    OK(knhk_checkpoints_remove(kept, "orders", &err));
    CHECK(destroyed == 3);
    FAILS(KNHK_NOT_FOUND, knhk_checkpoints_remove(kept, "orders", &err));
    knhk_checkpoints_free(kept);
    OK(knhk_checkpoints_open(eng, "book", NULL, &kept, &err));
    knhk_engine_close(eng);
    FAILS(KNHK_IO, knhk_checkpoint_take(kept, 0, NULL, &err));
    knhk_checkpoints_free(kept);
}

static void in_folder(void) {
    char path[] = "/tmp/knhk-checkpoints-XXXXXX";
    CHECK(mkdtemp(path) != NULL);
    knhk_checkpoint_settings_t settings;
    memset(&settings, 0, sizeof settings);
    settings.struct_size = sizeof settings;
    settings.chains = 1;
    knhk_checkpoints_t *kept;
    FAILS(KNHK_INVALID_ARGUMENT, knhk_checkpoints_open_folder(NULL, path, "book", &settings, &kept, &err));
    uint8_t keys[64];
    memset(keys, 1, 32), memset(keys + 32, 2, 32);
    settings.chains = 0, settings.keys = keys, settings.keys_len = 1;
    OK(knhk_checkpoints_open_folder(NULL, path, "book", &settings, &kept, &err));
    static part_t part;
    memset(part.state, 9, sizeof part.state);
    knhk_component_callback_t callback = component(&part);
    OK(knhk_checkpoints_add(kept, "orders", &callback, &err));
    OK(knhk_checkpoint_take(kept, 1, NULL, &err));
    knhk_checkpoints_free(kept);

    /* Another key alone does not open it; with the old one behind the new one it does. */
    memset(part.state, 0, sizeof part.state);
    settings.keys = keys + 32;
    OK(knhk_checkpoints_open_folder(NULL, path, "book", &settings, &kept, &err));
    OK(knhk_checkpoints_add(kept, "orders", &callback, &err));
    FAILS(KNHK_CORRUPT, knhk_checkpoint_restore(kept, NULL, &err));
    CHECK(part.state[0] == 0);
    knhk_checkpoints_free(kept);
    memset(keys, 2, 32), memset(keys + 32, 1, 32);
    settings.keys = keys, settings.keys_len = 2;
    OK(knhk_checkpoints_open_folder(NULL, path, "book", &settings, &kept, &err));
    OK(knhk_checkpoints_add(kept, "orders", &callback, &err));
    OK(knhk_checkpoint_restore(kept, NULL, &err));
    CHECK(part.state[0] == 9);
    knhk_checkpoints_free(kept);
    knhk_checkpoints_free(NULL);
    FAILS(KNHK_NULL_ARGUMENT, knhk_checkpoint_take(NULL, 0, NULL, &err));
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", path);
    CHECK(system(command) == 0);
}

int main(void) {
    in_engine();
    in_folder();
    return 0;
}
