/* Readers and holds: nesting, the quiescent mode, signals, longjmp, threads that end, and closing in any order. */
#include "check.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>

static knhk_engine_t *eng;
static knhk_key_t key;

static void promote(int64_t value) {
    char json[64];
    snprintf(json, sizeof json, "{\"n\": %lld}", (long long)value);
    OK(knhk_promote_json(eng, "s", json, NULL, &err));
}

static void open_engine(void) {
    OK(knhk_engine_open(":memory:", NULL, &eng, &err));
    OK(knhk_sector_create(eng, "s", KNHK_DIRECT, &err));
    promote(1);
    OK(knhk_key(eng, "s", "n", KNHK_I64, &key, &err));
}

static knhk_reader_t *registered(uint32_t flags) {
    knhk_reader_options_t options;
    knhk_reader_t *rd;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.flags = flags;
    OK(knhk_reader_register_with(eng, &options, &rd, &err));
    return rd;
}

static uint64_t readers(void) {
    knhk_stats_t stats;
    stats.struct_size = sizeof stats;
    OK(knhk_stats(eng, &stats, &err));
    return stats.readers;
}

/* A view keeps what it sees; a nested one may see more; both end last-in-first-out. */
static void nested_views(void) {
    open_engine();
    knhk_reader_t *rd = registered(0);
    knhk_view_t outer = knhk_read_begin(rd);
    promote(2);
    knhk_view_t inner = knhk_read_begin(rd);
    CHECK(knhk_get_i64(outer, key, -1) == 1 && knhk_get_i64(inner, key, -1) == 2);
    promote(3);
    knhk_view_t third = knhk_read_begin_for(rd, 42);
    CHECK(knhk_get_i64(third, key, -1) == 3 && knhk_view_epoch(third) > knhk_view_epoch(inner));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_reader_unregister(rd, &err));
    knhk_read_end(rd, third);
    knhk_read_end(rd, inner);
    CHECK(knhk_get_i64(outer, key, -1) == 1);
    knhk_read_end(rd, outer);
    OK(knhk_reader_unregister(rd, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_reader_unregister(rd, &err));
    knhk_engine_close(eng);
}

static uint64_t last_version(void) {
    knhk_version_list_t *history;
    OK(knhk_history(eng, "s", &history, &err));
    uint64_t version = knhk_history_at(history, knhk_history_len(history) - 1)->version;
    knhk_history_free(history);
    return version;
}

static void quiescent_mode(void) {
    open_engine();
    knhk_reader_t *rd = registered(0);
    knhk_reader_online(rd);
    knhk_view_t v = knhk_read_quiescent(rd);
    promote(2);
    CHECK(knhk_get_i64(v, key, -1) == 1 && knhk_get_i64(knhk_read_quiescent_for(rd, 7), key, -1) == 2);
    /* Until it says that it holds nothing, everything newer stays, up to a limit; then promotions name it, and a rollback still works. */
    knhk_status_t status;
    while ((status = knhk_promote_json(eng, "s", "{\"n\": 3}", NULL, &err)) == KNHK_OK) {
    }
    char who[32];
    snprintf(who, sizeof who, "reader %llu", (unsigned long long)knhk_reader_id(rd));
    CHECK(SAYS(who));
    FAILS(KNHK_STALLED, status);
    CHECK(knhk_get_i64(v, key, -1) == 1);
    OK(knhk_rollback(eng, "s", last_version(), NULL, NULL, &err));
    knhk_reader_quiescent(rd);
    promote(599);
    v = knhk_read_quiescent(rd);
    CHECK(knhk_get_i64(v, key, -1) == 599);
    knhk_reader_offline(rd);
    OK(knhk_reader_unregister(rd, &err));
    knhk_engine_close(eng);
}

static knhk_reader_t *handled;
static volatile sig_atomic_t signals;

static void on_signal(int number) {
    (void)number;
    knhk_view_t v = knhk_read_begin(handled);
    if (knhk_get_i64(v, key, -1) >= 1) {
        signals++;
    }
    knhk_read_end(handled, v);
}

/* A handler reads on the interrupted thread's reader, inside and outside of its views. */
static void signal_handlers(void) {
    open_engine();
    handled = registered(0);
    struct sigaction action, before;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    CHECK(sigaction(SIGUSR1, &action, &before) == 0);
    for (int n = 0; n < 1000; n++) {
        knhk_view_t v = knhk_read_begin(handled);
        int64_t seen = knhk_get_i64(v, key, -1);
        if (n % 10 == 0) {
            promote(n + 2);
        }
        raise(SIGUSR1);
        CHECK(knhk_get_i64(v, key, -1) == seen);
        knhk_read_end(handled, v);
        raise(SIGUSR1);
    }
    CHECK(signals == 2000);
    CHECK(sigaction(SIGUSR1, &before, NULL) == 0);
    OK(knhk_reader_unregister(handled, &err));
    knhk_engine_close(eng);
}

/* A view that a jump skips keeps memory, and a reset lets it go. */
static void long_jumps(void) {
    static jmp_buf back;
    open_engine();
    knhk_reader_t *rd = registered(0);
    if (setjmp(back) == 0) {
        (void)knhk_read_begin(rd);
        longjmp(back, 1);
    }
    FAILS(KNHK_INVALID_ARGUMENT, knhk_reader_unregister(rd, &err));
    OK(knhk_reader_reset(rd, &err));
    knhk_view_t v = knhk_read_begin(rd);
    CHECK(knhk_get_i64(v, key, -1) == 1);
    knhk_read_end(rd, v);
    OK(knhk_reader_unregister(rd, &err));
    knhk_engine_close(eng);
}

static void *ends_inside_a_view(void *unused) {
    (void)unused;
    knhk_reader_t *rd = registered(0);
    (void)knhk_read_begin(rd);
    return NULL;
}

/* The engine takes the reader of a thread that ended inside a view back. */
static void dead_threads(void) {
    open_engine();
    for (int n = 0; n < 4; n++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, ends_inside_a_view, NULL) == 0 && pthread_join(thread, NULL) == 0);
    }
    /* The warm thread looks every millisecond, and a promotion that needs room looks by itself. */
    for (int64_t n = 2; readers() != 0; n++) {
        promote(n);
    }
    knhk_engine_close(eng);
}

static void *on_another_thread(void *reader) {
    knhk_reader_t *rd = (knhk_reader_t *)reader;
    FAILS(KNHK_WRONG_THREAD, knhk_reader_unregister(rd, &err));
    return NULL;
}

static void *moved_here(void *reader) {
    knhk_reader_t *rd = (knhk_reader_t *)reader;
    knhk_view_t v = knhk_read_begin(rd);
    CHECK(knhk_get_i64(v, key, -1) == 1);
    knhk_read_end(rd, v);
    OK(knhk_reader_unregister(rd, &err));
    return NULL;
}

static void other_threads(void) {
    open_engine();
    pthread_t thread;
    knhk_reader_t *rd = registered(0), *moving = registered(KNHK_MIGRATABLE);
    CHECK(knhk_reader_id(rd) != knhk_reader_id(moving));
    CHECK(pthread_create(&thread, NULL, on_another_thread, rd) == 0 && pthread_join(thread, NULL) == 0);
    CHECK(pthread_create(&thread, NULL, moved_here, moving) == 0 && pthread_join(thread, NULL) == 0);
    OK(knhk_reader_unregister(rd, &err));
    knhk_engine_close(eng);
}

static void *reads_a_hold(void *hold) {
    knhk_view_t v;
    OK(knhk_hold_view((knhk_hold_t *)hold, &v, &err));
    CHECK(knhk_get_i64(v, key, -1) == 1);
    return NULL;
}

static void holds(void) {
    open_engine();
    knhk_reader_t *rd = registered(0);
    knhk_hold_t *hold, *copy;
    knhk_view_t v = knhk_read_begin(rd);
    OK(knhk_snapshot_hold(rd, v, &hold, &err));
    knhk_read_end(rd, v);
    for (int64_t n = 2; n < 600; n++) {
        promote(n);
    }
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, reads_a_hold, hold) == 0 && pthread_join(thread, NULL) == 0);
    OK(knhk_hold_clone(hold, &copy, &err));
    knhk_hold_release(hold);
    (void)reads_a_hold(copy);
    /* Ending the view of a hold on a reader is a mistake that keeps memory, and corrupts nothing. */
    OK(knhk_hold_view(copy, &v, &err));
    knhk_read_end(rd, v);
    OK(knhk_reader_reset(rd, &err));
    knhk_hold_release(copy);
    OK(knhk_reader_unregister(rd, &err));
    knhk_engine_close(eng);
}

/* After close reads give absent, open views keep what they see, every call says closed, and everything ends in any order. */
static void close_in_any_order(void) {
    for (int order = 0; order < 6; order++) {
        open_engine();
        knhk_reader_t *rd = registered(0), *second = registered(0), *none = NULL;
        knhk_hold_t *hold;
        knhk_view_t v = knhk_read_begin(rd);
        OK(knhk_snapshot_hold(rd, v, &hold, &err));
        knhk_engine_close(eng);
        CHECK(knhk_get_i64(v, key, -1) == 1);
        knhk_view_t after = knhk_read_begin(second);
        CHECK(knhk_get_i64(after, key, -1) == -1 && knhk_observe_i64(second, after, key, 1, KNHK_FAILED));
        knhk_read_end(second, after);
        knhk_read_end(rd, v);
        FAILS(KNHK_CLOSED, knhk_promote_json(eng, "s", "{}", NULL, &err));
        FAILS(KNHK_CLOSED, knhk_reader_register(eng, &none, &err));
        FAILS(KNHK_CLOSED, knhk_key(eng, "s", "n", KNHK_I64, &key, &err));
        CHECK(knhk_change_version(eng) == 0);
        if (order % 2 == 0) {
            knhk_engine_close(eng);
        }
        for (int step = 0; step < 3; step++) {
            switch ((order + step * (order < 3 ? 1 : 2)) % 3) {
            case 0: OK(knhk_reader_unregister(rd, &err)); break;
            case 1: OK(knhk_reader_unregister(second, &err)); break;
            default: (void)reads_a_hold(hold); knhk_hold_release(hold); break;
            }
        }
    }
}

int main(void) {
    nested_views();
    quiescent_mode();
    signal_handlers();
    long_jumps();
    dead_threads();
    other_threads();
    holds();
    close_in_any_order();
    return 0;
}
