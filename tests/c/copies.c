/* Two copies of the library in one process, loaded at run time: engines do not disturb each other, a reader of one reads through the other's
 * functions and through inline code, and unloading leaves what is in use in place. Called with the paths of two copies. */
#include "check.h"

#include <dlfcn.h>
#include <pthread.h>

typedef struct copy {
    void *library;
    knhk_status_t (*open)(const char *, const knhk_options_t *, const knhk_abi_t *, knhk_engine_t **, knhk_error_t **);
    void (*close)(knhk_engine_t *);
    knhk_status_t (*create)(knhk_engine_t *, const char *, uint32_t, knhk_error_t **);
    knhk_status_t (*promote)(knhk_engine_t *, const char *, const char *, const knhk_promote_options_t *, knhk_error_t **);
    knhk_status_t (*key)(knhk_engine_t *, const char *, const char *, uint32_t, const knhk_abi_t *, knhk_key_t *, knhk_error_t **);
    knhk_status_t (*enter)(knhk_engine_t *, const knhk_reader_options_t *, const knhk_abi_t *, knhk_reader_t **, knhk_error_t **);
    knhk_status_t (*leave)(knhk_reader_t *, knhk_error_t **);
    knhk_status_t (*hold)(knhk_reader_t *, knhk_view_t, knhk_hold_t **, knhk_error_t **);
    knhk_view_t (*begin)(knhk_reader_t *);
    void (*end)(knhk_reader_t *, knhk_view_t);
    int64_t (*get)(knhk_view_t, knhk_key_t, int64_t);
    bool (*observe)(knhk_reader_t *, knhk_view_t, knhk_key_t, int64_t, uint32_t);
    knhk_status_t (*drain)(knhk_engine_t *, knhk_observation_t *, size_t, size_t *, knhk_error_t **);
    knhk_status_t (*error_status)(const knhk_error_t *);
    void (*error_free)(knhk_error_t *);
    knhk_engine_t *eng;
    knhk_key_t n;
    knhk_reader_t *rd;
} copy_t;

/* POSIX lets an object pointer be a function's, and C does not. */
static void symbol(void *library, const char *name, void *into) {
    void *at = dlsym(library, name);
    CHECK(at != NULL);
    memcpy(into, &at, sizeof at);
}

static void load(copy_t *copy, const char *path) {
    copy->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (copy->library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        abort();
    }
    symbol(copy->library, "knhk_engine_open_abi", &copy->open);
    symbol(copy->library, "knhk_engine_close", &copy->close);
    symbol(copy->library, "knhk_sector_create", &copy->create);
    symbol(copy->library, "knhk_promote_json", &copy->promote);
    symbol(copy->library, "knhk_key_abi", &copy->key);
    symbol(copy->library, "knhk_reader_register_abi", &copy->enter);
    symbol(copy->library, "knhk_reader_unregister", &copy->leave);
    symbol(copy->library, "knhk_snapshot_hold", &copy->hold);
    symbol(copy->library, "knhk_read_begin", &copy->begin);
    symbol(copy->library, "knhk_read_end", &copy->end);
    symbol(copy->library, "knhk_get_i64", &copy->get);
    symbol(copy->library, "knhk_observe_i64", &copy->observe);
    symbol(copy->library, "knhk_observations_drain", &copy->drain);
    symbol(copy->library, "knhk_error_status", &copy->error_status);
    symbol(copy->library, "knhk_error_free", &copy->error_free);
}

#define YES(call) CHECK((call) == KNHK_OK)

static void open_copy(copy_t *copy, const char *json) {
    YES(copy->open(":memory:", NULL, knhk_header_abi(), &copy->eng, NULL));
    YES(copy->create(copy->eng, "s", KNHK_DIRECT, NULL));
    YES(copy->promote(copy->eng, "s", json, NULL, NULL));
    YES(copy->key(copy->eng, "s", "n", KNHK_I64, knhk_header_abi(), &copy->n, NULL));
    YES(copy->enter(copy->eng, NULL, knhk_header_abi(), &copy->rd, NULL));
}

static int64_t through(const copy_t *code, const copy_t *data) {
    knhk_view_t outer = code->begin(data->rd);
    knhk_view_t nested = code->begin(data->rd);
    int64_t value = code->get(nested, data->n, -1);
    code->end(data->rd, nested);
    CHECK(code->observe(data->rd, outer, data->n, value, KNHK_SUCCESS));
    code->end(data->rd, outer);
    return value;
}

static size_t drained(const copy_t *copy) {
    knhk_observation_t observations[16];
    size_t count;
    YES(copy->drain(copy->eng, observations, 16, &count, NULL));
    return count;
}

static void *reads_and_ends(void *at) {
    const copy_t *copy = (const copy_t *)at;
    knhk_reader_t *rd;
    YES(copy->enter(copy->eng, NULL, knhk_header_abi(), &rd, NULL));
    knhk_view_t v = copy->begin(rd);
    CHECK(copy->get(v, copy->n, -1) == 1);
    copy->end(rd, v);
    return NULL;
}

int main(int argc, char **argv) {
    CHECK(argc == 3);
    static copy_t one, two;
    load(&one, argv[1]);
    load(&two, argv[2]);
    CHECK(one.open != two.open);
    open_copy(&one, "{\"n\": 1}");
    open_copy(&two, "{\"m\": 0, \"n\": 2}");
    CHECK(through(&one, &one) == 1 && through(&two, &two) == 2 && through(&one, &two) == 2 && through(&two, &one) == 1);
    CHECK(drained(&one) == 2 && drained(&two) == 2);
#ifndef KNHK_NO_INLINE
    knhk_view_t v = knhk_read_begin(one.rd), w = knhk_read_begin(two.rd);
    CHECK(knhk_get_i64(v, one.n, -1) == 1 && knhk_get_i64(w, two.n, -1) == 2);
    /* A key of the other engine is within bounds, whatever it finds there. */
    CHECK(knhk_get_i64(v, two.n, -1) == -1);
    knhk_read_end(two.rd, w);
    knhk_read_end(one.rd, v);
#endif

    /* What needs the library that made the reader says so. */
    knhk_error_t *error = NULL;
    knhk_hold_t *hold = NULL;
    CHECK(two.leave(one.rd, &error) == KNHK_INVALID_ARGUMENT && two.error_status(error) == KNHK_INVALID_ARGUMENT);
    two.error_free(error);
    knhk_view_t held = one.begin(one.rd);
    CHECK(two.hold(one.rd, held, &hold, NULL) == KNHK_INVALID_ARGUMENT && hold == NULL);
    one.end(one.rd, held);

    /* Unloading while threads, readers and engines of it live. */
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, reads_and_ends, &one) == 0 && pthread_join(thread, NULL) == 0);
    dlclose(one.library);
    dlclose(two.library);
    CHECK(through(&one, &one) == 1 && through(&two, &one) == 1);
    YES(one.promote(one.eng, "s", "{\"n\": 3}", NULL, NULL));
    CHECK(through(&one, &one) == 3);
    two.close(two.eng);
    YES(two.leave(two.rd, NULL));
    CHECK(through(&one, &one) == 3);
    YES(one.leave(one.rd, NULL));
    one.close(one.eng);
    return 0;
}
