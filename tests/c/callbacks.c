/* Changes by callback, by descriptor and by version; the log; and contexts that are destroyed exactly once. */
#include "check.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

typedef struct told {
    pthread_mutex_t lock;
    pthread_cond_t heard;
    knhk_engine_t *eng;
    uint64_t subscription;
    int changes, lines, destroyed;
    char summary[256];
    uint64_t version;
} told_t;

static void init(told_t *told, knhk_engine_t *eng) {
    memset(told, 0, sizeof *told);
    pthread_mutex_init(&told->lock, NULL);
    pthread_cond_init(&told->heard, NULL);
    told->eng = eng;
}

static void changed(void *ctx, const knhk_change_t *change) {
    told_t *told = (told_t *)ctx;
    pthread_mutex_lock(&told->lock);
    CHECK(change->struct_size == sizeof *change && strcmp(change->sector, "s") == 0 && change->missed == 0);
    snprintf(told->summary, sizeof told->summary, "%s", change->summary);
    told->version = change->version;
    told->changes++;
    pthread_cond_broadcast(&told->heard);
    pthread_mutex_unlock(&told->lock);
}

/* Calls the engine back: promotes once more, and ends its own subscription. */
static void calls_back(void *ctx, const knhk_change_t *change) {
    told_t *told = (told_t *)ctx;
    if (change->version % 2 == 1) {
        OK(knhk_promote_json(told->eng, "s", "{\"n\": 77}", NULL, &err));
    } else {
        OK(knhk_unsubscribe(told->eng, told->subscription, &err));
    }
    changed(ctx, change);
}

static void line(void *ctx, uint32_t level, const char *part, const char *message) {
    told_t *told = (told_t *)ctx;
    pthread_mutex_lock(&told->lock);
    CHECK(level >= KNHK_LOG_INFO && level <= KNHK_LOG_ERROR && part[0] != 0 && message[0] != 0);
    told->lines++;
    pthread_cond_broadcast(&told->heard);
    pthread_mutex_unlock(&told->lock);
}

static void destroy(void *ctx) {
    told_t *told = (told_t *)ctx;
    pthread_mutex_lock(&told->lock);
    told->destroyed++;
    pthread_cond_broadcast(&told->heard);
    pthread_mutex_unlock(&told->lock);
}

static void await(told_t *told, const int *what, int count) {
    pthread_mutex_lock(&told->lock);
    while (*what < count) {
        pthread_cond_wait(&told->heard, &told->lock);
    }
    pthread_mutex_unlock(&told->lock);
}

static knhk_change_callback_t change_callback(told_t *told, void (*fn)(void *, const knhk_change_t *)) {
    knhk_change_callback_t callback;
    memset(&callback, 0, sizeof callback);
    callback.struct_size = sizeof callback;
    callback.ctx = told;
    callback.changed = fn;
    callback.destroy = destroy;
    return callback;
}

static void subscriptions(knhk_engine_t *eng) {
    told_t told, twice, late;
    init(&told, eng);
    init(&twice, eng);
    init(&late, eng);
    knhk_change_callback_t callback = change_callback(&told, changed);
    OK(knhk_subscribe(eng, &callback, &told.subscription, &err));
    knhk_promote_options_t options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.by = "ops-2";
    OK(knhk_promote_json(eng, "s", "{\"n\": 2}", &options, &err));
    await(&told, &told.changes, 1);
    CHECK(told.version == 2 && strstr(told.summary, "n 1 \xe2\x86\x92 2") != NULL && strstr(told.summary, "ops-2") != NULL);
    OK(knhk_unsubscribe(eng, told.subscription, &err));
    CHECK(told.destroyed == 1);
    FAILS(KNHK_NOT_FOUND, knhk_unsubscribe(eng, told.subscription, &err));

    callback = change_callback(&twice, calls_back);
    OK(knhk_subscribe(eng, &callback, &twice.subscription, &err));
    OK(knhk_promote_json(eng, "s", "{\"n\": 3}", NULL, &err));
    await(&twice, &twice.destroyed, 1);
    CHECK(twice.changes == 2 && twice.version == 4 && told.changes == 1);

    callback = change_callback(&late, changed);
    OK(knhk_subscribe(eng, &callback, &late.subscription, &err));
    knhk_engine_close(eng);
    await(&late, &late.destroyed, 1);
    CHECK(told.destroyed == 1 && twice.destroyed == 1 && late.destroyed == 1);
}

static void failed_registrations(knhk_engine_t *eng) {
    told_t told;
    uint64_t subscription = 0;
    init(&told, eng);
    knhk_change_callback_t callback = change_callback(&told, changed);
    FAILS(KNHK_NULL_ARGUMENT, knhk_subscribe(NULL, &callback, &subscription, &err));
    CHECK(told.destroyed == 1);
    FAILS(KNHK_NULL_ARGUMENT, knhk_subscribe(eng, &callback, NULL, &err));
    CHECK(told.destroyed == 2);
    callback.changed = NULL;
    FAILS(KNHK_NULL_ARGUMENT, knhk_subscribe(eng, &callback, &subscription, &err));
    CHECK(told.destroyed == 3);
    callback.struct_size = 7;
    FAILS(KNHK_STRUCT_SIZE, knhk_subscribe(eng, &callback, &subscription, &err));
    CHECK(told.destroyed == 3 && subscription == 0);

    knhk_log_callback_t log;
    memset(&log, 0, sizeof log);
    log.struct_size = sizeof log;
    log.ctx = &told;
    log.destroy = destroy;
    FAILS(KNHK_NULL_ARGUMENT, knhk_log_set(eng, &log, &err));
    CHECK(told.destroyed == 4);
    log.line = line;
    FAILS(KNHK_NULL_ARGUMENT, knhk_log_set(NULL, &log, &err));
    CHECK(told.destroyed == 5);
}

static void logs(knhk_engine_t *eng) {
    told_t first, second;
    init(&first, eng);
    init(&second, eng);
    knhk_log_callback_t log;
    memset(&log, 0, sizeof log);
    log.struct_size = sizeof log;
    log.level = KNHK_LOG_INFO;
    log.ctx = &first;
    log.line = line;
    log.destroy = destroy;
    OK(knhk_log_set(eng, &log, &err));
    OK(knhk_promote_json(eng, "s", "{\"n\": 5}", NULL, &err));
    await(&first, &first.lines, 1);
    log.ctx = &second;
    OK(knhk_log_set(eng, &log, &err));
    CHECK(first.destroyed == 1);
    OK(knhk_log_set(eng, NULL, &err));
    CHECK(second.destroyed == 1);
}

static void descriptor(knhk_engine_t *eng) {
    int fd;
    OK(knhk_change_fd(eng, &fd, &err));
    uint64_t count, seen = knhk_change_version(eng);
    while (read(fd, &count, sizeof count) == sizeof count) {
    }
    struct pollfd readable = {fd, POLLIN, 0};
    CHECK(poll(&readable, 1, 0) == 0);
    OK(knhk_promote_json(eng, "s", "{\"n\": 6}", NULL, &err));
    CHECK(knhk_change_version(eng) > seen);
    CHECK(poll(&readable, 1, -1) == 1 && read(fd, &count, sizeof count) == sizeof count && count == 1);
    knhk_change_list_t *changes;
    OK(knhk_changes_since(eng, seen, &changes, &err));
    CHECK(knhk_changes_len(changes) == 1 && knhk_changes_at(changes, 1) == NULL);
    const knhk_change_t *change = knhk_changes_at(changes, 0);
    CHECK(change->epoch == knhk_change_version(eng) && change->differences_len == 1);
    CHECK(strcmp(change->differences[0].path, "n") == 0 && change->rollback_of == 0);
    knhk_changes_free(changes);
}

int main(void) {
    knhk_engine_t *eng;
    OK(knhk_engine_open(":memory:", NULL, &eng, &err));
    OK(knhk_sector_create(eng, "s", KNHK_DIRECT, &err));
    OK(knhk_promote_json(eng, "s", "{\"n\": 1}", NULL, &err));
    failed_registrations(eng);
    descriptor(eng);
    logs(eng);
    OK(knhk_promote_json(eng, "s", "{\"n\": 1}", NULL, &err));
    knhk_engine_close(eng);

    OK(knhk_engine_open(":memory:", NULL, &eng, &err));
    OK(knhk_sector_create(eng, "s", KNHK_DIRECT, &err));
    OK(knhk_promote_json(eng, "s", "{\"n\": 1}", NULL, &err));
    subscriptions(eng);
    return 0;
}
