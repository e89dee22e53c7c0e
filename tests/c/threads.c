/* Readers read while a promoter promotes, rolls back and drains: each view is of one generation, none older than what was acknowledged before
 * it began, and every observation that was accepted arrives once. */
#include "check.h"

#include <pthread.h>
#include <sched.h>

enum { READERS = 3, SECTORS = 4, ROUNDS = 300 };

static knhk_engine_t *eng;
static knhk_key_t numbers[SECTORS], texts[SECTORS];
static uint64_t acknowledged, stopping, accepted, arrived;

static void promote(int sector, int64_t value) {
    char name[16], json[96];
    snprintf(name, sizeof name, "s%d", sector);
    snprintf(json, sizeof json, "{\"n\": %lld, \"text\": \"%lld\"}", (long long)value, (long long)value);
    /* A reader that the system does not let run for a while holds everything newer back: then there is no room, and it is its turn. */
    while (knhk_promote_json(eng, name, json, NULL, NULL) == KNHK_STALLED) {
        sched_yield();
    }
    OK(knhk_sector_wait_ready(eng, name, 0, &err));
}

static void check_view(knhk_reader_t *rd, knhk_view_t v, uint64_t at_least) {
    CHECK(knhk_view_epoch(v) >= at_least);
    for (int sector = 0; sector < SECTORS; sector++) {
        int64_t value = knhk_get_i64(v, numbers[sector], -1);
        knhk_str_t text = knhk_get_str(v, texts[sector]);
        char expected[24];
        snprintf(expected, sizeof expected, "%lld", (long long)value);
        CHECK(value >= 0 && text.data != NULL && text.len == strlen(expected) && strcmp(text.data, expected) == 0);
        CHECK(knhk_view_sector_epoch(v, numbers[sector]) <= knhk_view_epoch(v));
        CHECK(knhk_get_i64(v, numbers[sector], -1) == value);
    }
    if (knhk_observe_i64(rd, v, numbers[0], 1, KNHK_SUCCESS)) {
        __atomic_fetch_add(&accepted, 1, __ATOMIC_RELAXED);
    }
}

static void *reads(void *quiescent) {
    knhk_reader_t *rd;
    OK(knhk_reader_register(eng, &rd, &err));
    if (quiescent != NULL) {
        knhk_reader_online(rd);
    }
    for (int n = 0; n < ROUNDS || !__atomic_load_n(&stopping, __ATOMIC_ACQUIRE); n++) {
        uint64_t at_least = __atomic_load_n(&acknowledged, __ATOMIC_ACQUIRE);
        if (quiescent != NULL) {
            check_view(rd, knhk_read_quiescent(rd), at_least);
            knhk_reader_quiescent(rd);
        } else {
            knhk_view_t v = knhk_read_begin_for(rd, (uint64_t)n);
            check_view(rd, v, at_least);
            knhk_read_end(rd, v);
        }
    }
    if (quiescent != NULL) {
        knhk_reader_offline(rd);
    }
    OK(knhk_reader_unregister(rd, &err));
    return NULL;
}

static void drain(void) {
    static knhk_observation_t observations[512];
    size_t count;
    do {
        OK(knhk_observations_drain(eng, observations, 512, &count, &err));
        arrived += count;
    } while (count == 512);
}

int main(int argc, char **argv) {
    knhk_options_t options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.barrier = argc > 1 && strcmp(argv[1], "fence") == 0 ? KNHK_BARRIER_FENCE : KNHK_BARRIER_AUTO;
    options.retained_roots = 8;
    options.history = 4;
    OK(knhk_engine_open(":memory:", &options, &eng, &err));
    for (int sector = 0; sector < SECTORS; sector++) {
        char name[16];
        snprintf(name, sizeof name, "s%d", sector);
        OK(knhk_sector_create(eng, name, KNHK_DIRECT, &err));
        promote(sector, 0);
        OK(knhk_key(eng, name, "n", KNHK_I64, &numbers[sector], &err));
        OK(knhk_key(eng, name, "text", KNHK_STR, &texts[sector], &err));
    }
    pthread_t threads[READERS];
    for (int n = 0; n < READERS; n++) {
        CHECK(pthread_create(&threads[n], NULL, reads, n == 0 ? &threads : NULL) == 0);
    }
    for (int round = 1; round <= ROUNDS; round++) {
        if (round % 7 == 0) {
            knhk_promotion_t made;
            made.struct_size = sizeof made;
            knhk_version_list_t *history;
            OK(knhk_history(eng, "s1", &history, &err));
            OK(knhk_rollback(eng, "s1", knhk_history_at(history, 0)->version, NULL, &made, &err));
            knhk_history_free(history);
            __atomic_store_n(&acknowledged, made.epoch, __ATOMIC_RELEASE);
        } else {
            promote(round % SECTORS, round);
            __atomic_store_n(&acknowledged, knhk_change_version(eng), __ATOMIC_RELEASE);
        }
        drain();
    }
    __atomic_store_n(&stopping, 1, __ATOMIC_RELEASE);
    for (int n = 0; n < READERS; n++) {
        CHECK(pthread_join(threads[n], NULL) == 0);
    }
    drain();
    CHECK(arrived == accepted && arrived > 0);
    knhk_engine_close(eng);
    return 0;
}
