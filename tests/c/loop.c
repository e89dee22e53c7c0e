/* The closed loop from C: each row of tests/loop/table.json, which is made a header by tests/ffi/loop.rs; callbacks and their ends; hooks. */
#include "check.h"

#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

typedef struct {
    unsigned seconds, records, failed;
    int64_t value;
} phase_t;

typedef struct {
    const char *name, *first, *settings;
    phase_t traffic[3];
    bool proposes;
    int64_t plans; /* 0: it knows nothing */
    const char *proposer_throws;
    bool detects;
    double above;
    const char *detector_throws;
    bool cycle;
    const char *state, *outcome, *proposer, *watch, *says;
    int64_t value;
    unsigned failed;
} row_t;

#include "loop_table.h"

static const uint64_t SECOND = 1000000000u;

/* How often a context was destroyed; whoever waits for it is told. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned count;
} tally_t;

#define TALLY {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0}
static tally_t destroyed = TALLY, ended = TALLY, begun = TALLY, heard = TALLY;

static void add(tally_t *tally) {
    pthread_mutex_lock(&tally->lock);
    tally->count++;
    pthread_cond_broadcast(&tally->changed);
    pthread_mutex_unlock(&tally->lock);
}

static unsigned count(tally_t *tally) {
    pthread_mutex_lock(&tally->lock);
    unsigned now = tally->count;
    pthread_mutex_unlock(&tally->lock);
    return now;
}

static void await(tally_t *tally, unsigned at_least) {
    pthread_mutex_lock(&tally->lock);
    while (tally->count < at_least) pthread_cond_wait(&tally->changed, &tally->lock);
    pthread_mutex_unlock(&tally->lock);
}

static void destroy(void *ctx) {
    (void)ctx;
    add(&destroyed);
}

static knhk_engine_t *opened(const char *first) {
    knhk_signer_t *signer;
    knhk_engine_t *eng;
    knhk_buffer_t *answer;
    knhk_observations_options_t keep;
    knhk_options_t options;
    memset(&keep, 0, sizeof keep);
    keep.struct_size = sizeof keep;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    OK(knhk_signer_generate(&signer, &err));
    options.signer = signer, options.observations = &keep, options.manual_time_ns = BEGIN_NS, options.ring_records = 1 << 14;
    OK(knhk_engine_open(":memory:", &options, &eng, &err));
    knhk_signer_free(signer);
    OK(knhk_sector_create(eng, "gateway", KNHK_GOVERNED, &err));
    OK(knhk_propose(eng, first, &answer, &err));
    if (!strstr(knhk_buffer_data(answer), "\"state\":\"enacted\"")) {
        fprintf(stderr, "the first version was not made: %s\n", knhk_buffer_data(answer));
        abort();
    }
    knhk_buffer_free(answer);
    return eng;
}

static void step(knhk_engine_t *eng) {
    knhk_buffer_t *answer;
    OK(knhk_loop_step(eng, NULL, &answer, &err));
    CHECK(strstr(knhk_buffer_data(answer), "\"cycles\""));
    knhk_buffer_free(answer);
}

/* A proposer that does what its row says. */
static int32_t propose(void *ctx, const char *question, size_t len, knhk_answer_t *answer, char *why, size_t why_size) {
    const row_t *row = (const row_t *)ctx;
    char plan[128];
    CHECK(strlen(question) == len && strstr(question, "\"parameters\"") && strstr(question, "\"path\":\"concurrency\""));
    if (row->proposer_throws) {
        strncpy(why, row->proposer_throws, why_size);
        return 7;
    }
    if (row->plans == 0) return 0;
    snprintf(plan, sizeof plan, "{\"changes\": [{\"path\": \"concurrency\", \"value\": %lld}], ", (long long)row->plans);
    CHECK(knhk_answer_write(NULL, plan, 1) != 0);
    /* In pieces: they follow each other. */
    if (knhk_answer_write(answer, plan, strlen(plan))) return 1;
    static const char rest[] = "\"why\": \"own: it is known to hold\", \"confidence\": 0.9}";
    return knhk_answer_write(answer, rest, strlen(rest));
}

static void *begin(void *ctx, const char *sector, const char *watch) {
    (void)ctx;
    CHECK(strcmp(sector, "gateway") == 0 && strcmp(watch, "Jump") == 0);
    add(&begun);
    return malloc(1);
}

static int32_t observe(void *ctx, void *state, const knhk_sample_t *sample, knhk_score_t *score, char *why, size_t why_size) {
    const row_t *row = (const row_t *)ctx;
    CHECK(state && sample->struct_size >= sizeof *sample && sample->to_ns - sample->from_ns == SECOND);
    if (row->detector_throws) {
        strncpy(why, row->detector_throws, why_size);
        return 1;
    }
    if (!(sample->value >= 0)) return 0; /* nothing was recorded */
    CHECK(sample->counts.count == 60);
    score->statistic = sample->value, score->expected = row->above, score->confidence = sample->value > row->above ? 0.9999 : 0;
    return 0;
}

static void end(void *ctx, void *state) {
    (void)ctx;
    free(state);
    add(&ended);
}

static knhk_proposer_t proposer_of(const row_t *row) {
    knhk_proposer_t table;
    memset(&table, 0, sizeof table);
    table.struct_size = sizeof table, table.ctx = (void *)row, table.propose = propose, table.destroy = destroy;
    return table;
}

static knhk_detector_t detector_of(const row_t *row) {
    knhk_detector_t table;
    memset(&table, 0, sizeof table);
    table.struct_size = sizeof table, table.ctx = (void *)row;
    table.begin = begin, table.observe = observe, table.end = end, table.destroy = destroy;
    return table;
}

/* What the row's program records, second by second. */
static uint64_t traffic(knhk_engine_t *eng, const phase_t *phases, size_t len, uint64_t now) {
    knhk_reader_t *rd;
    knhk_key_t key;
    OK(knhk_key(eng, "gateway", "concurrency", KNHK_I64, &key, &err));
    OK(knhk_reader_register(eng, &rd, &err));
    for (size_t n = 0; n < len; n++) {
        for (unsigned second = 0; second < phases[n].seconds; second++) {
            for (unsigned record = 0; record < phases[n].records; record++) {
                knhk_outcome_t outcome = record < phases[n].failed ? KNHK_FAILED : KNHK_SUCCESS;
                knhk_view_t v = knhk_read_begin(rd);
                CHECK(knhk_observe(rd, v, key, KNHK_I64, (uint64_t)phases[n].value, outcome, 0, 0, now + record));
                knhk_read_end(rd, v);
            }
            OK(knhk_time_advance(eng, SECOND, &now, &err));
        }
    }
    OK(knhk_reader_unregister(rd, &err));
    return now;
}

static int64_t concurrency(knhk_engine_t *eng) {
    knhk_reader_t *rd;
    knhk_key_t key;
    OK(knhk_key(eng, "gateway", "concurrency", KNHK_I64, &key, &err));
    OK(knhk_reader_register(eng, &rd, &err));
    knhk_view_t v = knhk_read_begin(rd);
    int64_t value = knhk_get_i64(v, key, -1);
    knhk_read_end(rd, v);
    OK(knhk_reader_unregister(rd, &err));
    return value;
}

/* Whether an answer has a text field of this value; or needs none. */
static bool has(const char *text, const char *field, const char *value) {
    char wanted[128];
    if (!value) return true;
    snprintf(wanted, sizeof wanted, "\"%s\":\"%s\"", field, value);
    return strstr(text, wanted) != NULL;
}

static void ran(const row_t *row) {
    knhk_engine_t *eng = opened(row->first);
    knhk_buffer_t *answer;
    unsigned gone = count(&destroyed), over = count(&ended);
    knhk_proposer_t proposer = proposer_of(row);
    knhk_detector_t detector = detector_of(row);
    if (row->proposes) OK(knhk_proposer_add(eng, "own", &proposer, &err));
    if (row->detects) OK(knhk_detector_add(eng, "jump", &detector, &err));
    unsigned began = count(&begun);
    OK(knhk_loop_start(eng, row->settings, &answer, &err));
    knhk_buffer_free(answer);
    step(eng);
    traffic(eng, row->traffic, 3, BEGIN_NS);
    step(eng);
    step(eng);
    OK(knhk_cycles(eng, "{\"limit\": 1}", &answer, &err));
    const char *text = knhk_buffer_data(answer);
    bool right = row->cycle ? has(text, "state", row->state) && has(text, "outcome", row->outcome) && has(text, "proposer", row->proposer) &&
                                  has(text, "watch", row->watch) && (!row->says || strstr(text, row->says))
                            : strcmp(text, "{\"cycles\":[]}") == 0;
    if (!right || concurrency(eng) != row->value) {
        fprintf(stderr, "%s: concurrency is %lld, and the cycles are %s\n", row->name, (long long)concurrency(eng), text);
        abort();
    }
    knhk_buffer_free(answer);
    OK(knhk_loop_status(eng, NULL, &answer, &err));
    const char *failed = strstr(knhk_buffer_data(answer), "\"callbacks_failed\":");
    CHECK(failed && strtoul(failed + strlen("\"callbacks_failed\":"), NULL, 10) >= row->failed);
    knhk_buffer_free(answer);
    knhk_engine_close(eng);
    /* Threads of the loop may still hold what they called last. */
    await(&destroyed, gone + row->proposes + row->detects);
    await(&ended, over + count(&begun) - began);
    CHECK(count(&destroyed) == gone + row->proposes + row->detects && count(&ended) == over + count(&begun) - began);
}

static void hear(void *ctx, const char *info, size_t len) {
    CHECK(strlen(info) == len && strstr(info, (const char *)ctx));
    add(&heard);
}

static knhk_hook_t hook_of(uint32_t phase, uint32_t after, const char *expects) {
    knhk_hook_t table;
    memset(&table, 0, sizeof table);
    table.struct_size = sizeof table, table.phase = phase, table.after = after, table.ctx = (void *)expects, table.run = hear;
    table.destroy = destroy;
    return table;
}

static void hooks(void) {
    const row_t *row = &ROWS[1];
    knhk_engine_t *eng = opened(row->first);
    knhk_buffer_t *answer;
    uint64_t id, closed;
    unsigned gone = count(&destroyed);
    FAILS(KNHK_NOT_READY, knhk_loop_step(eng, NULL, &answer, &err));
    OK(knhk_loop_start(eng, row->settings, &answer, &err));
    knhk_buffer_free(answer);
    knhk_hook_t hook = hook_of(KNHK_PHASE_MONITOR, 0, "\"phase\":\"monitor\",\"when\":\"before\"");
    OK(knhk_hook_add(eng, &hook, &id, &err));
    step(eng);
    await(&heard, 1);
    OK(knhk_hook_remove(eng, id, &err));
    await(&destroyed, gone + 1);
    FAILS(KNHK_NOT_FOUND, knhk_hook_remove(eng, id, &err));
    unsigned before = count(&heard);

    hook = hook_of(KNHK_PHASE_LEARN, 1, "\"cycle\":{");
    OK(knhk_hook_add(eng, &hook, &closed, &err));
    traffic(eng, row->traffic, 3, BEGIN_NS);
    step(eng);
    step(eng);
    await(&heard, before + 1);
    OK(knhk_cycle(eng, "{\"id\": \"l-1\"}", &answer, &err));
    CHECK(has(knhk_buffer_data(answer), "state", "closed"));
    knhk_buffer_free(answer);
    OK(knhk_patterns(eng, NULL, &answer, &err));
    CHECK(has(knhk_buffer_data(answer), "cycle", "l-1") && has(knhk_buffer_data(answer), "detector", "error-ratio"));
    knhk_buffer_free(answer);
    OK(knhk_knowledge(eng, NULL, &answer, &err));
    CHECK(strstr(knhk_buffer_data(answer), "\"rule\""));
    knhk_buffer_free(answer);

    /* What was learned goes to another engine. */
    OK(knhk_export_knowledge(eng, NULL, &answer, &err));
    knhk_engine_t *other = opened(row->first);
    knhk_buffer_t *imported;
    OK(knhk_import_knowledge(other, knhk_buffer_data(answer), &imported, &err));
    CHECK(strstr(knhk_buffer_data(imported), "\"imported\":"));
    knhk_buffer_free(imported);
    knhk_buffer_free(answer);
    knhk_engine_close(other);
    knhk_engine_close(eng);
    await(&destroyed, gone + 2);
}

/* What is refused destroys its context, and nothing else is called. */
static void refused(void) {
    knhk_engine_t *eng = opened(ROWS[0].first);
    knhk_buffer_t *answer;
    unsigned gone = count(&destroyed);
    knhk_proposer_t proposer = proposer_of(&ROWS[0]);
    OK(knhk_proposer_add(eng, "own", &proposer, &err));
    FAILS(KNHK_ALREADY_EXISTS, knhk_proposer_add(eng, "own", &proposer, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_proposer_add(eng, "rule", &proposer, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_proposer_add(eng, "not a name", &proposer, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_proposer_add(eng, NULL, &proposer, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_proposer_add(NULL, "other", &proposer, &err));
    proposer.propose = NULL;
    FAILS(KNHK_NULL_ARGUMENT, knhk_proposer_add(eng, "other", &proposer, &err));
    CHECK(count(&destroyed) == gone + 6);
    FAILS(KNHK_NULL_ARGUMENT, knhk_proposer_add(eng, "other", NULL, &err));
    proposer.struct_size = 4;
    FAILS(KNHK_STRUCT_SIZE, knhk_proposer_add(eng, "other", &proposer, &err));
    CHECK(count(&destroyed) == gone + 6);
    OK(knhk_proposer_remove(eng, "own", &err));
    CHECK(count(&destroyed) == gone + 7);
    FAILS(KNHK_NOT_FOUND, knhk_proposer_remove(eng, "own", &err));

    knhk_detector_t detector = detector_of(&ROWS[0]);
    OK(knhk_detector_add(eng, "jump", &detector, &err));
    FAILS(KNHK_ALREADY_EXISTS, knhk_detector_add(eng, "jump", &detector, &err));
    detector.observe = NULL;
    FAILS(KNHK_NULL_ARGUMENT, knhk_detector_add(eng, "other", &detector, &err));
    OK(knhk_detector_remove(eng, "jump", &err));
    FAILS(KNHK_NOT_FOUND, knhk_detector_remove(eng, "jump", &err));
    CHECK(count(&destroyed) == gone + 10);

    knhk_hook_t hook = hook_of(9, 0, "");
    FAILS(KNHK_INVALID_ARGUMENT, knhk_hook_add(eng, &hook, NULL, &err));
    hook.phase = KNHK_PHASE_PLAN, hook.after = 2;
    FAILS(KNHK_INVALID_ARGUMENT, knhk_hook_add(eng, &hook, NULL, &err));
    hook.after = 0, hook.run = NULL;
    FAILS(KNHK_NULL_ARGUMENT, knhk_hook_add(eng, &hook, NULL, &err));
    CHECK(count(&destroyed) == gone + 13);

    FAILS(KNHK_NOT_FOUND, knhk_cycle(eng, "{\"id\": \"l-99\"}", &answer, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_loop_start(eng, "{\"every_ms\": 1}", &answer, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_loop_start(eng, "{\"unheard_of\": 1}", &answer, &err));
    OK(knhk_loop_stop(eng, NULL, &answer, &err));
    CHECK(strstr(knhk_buffer_data(answer), "\"running\":false"));
    knhk_buffer_free(answer);
    knhk_engine_close(eng);

    knhk_signer_t *signer;
    knhk_options_t options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    OK(knhk_signer_generate(&signer, &err));
    options.signer = signer;
    OK(knhk_engine_open(":memory:", &options, &eng, &err));
    knhk_signer_free(signer);
    FAILS(KNHK_INVALID_ARGUMENT, knhk_time_advance(eng, 1, NULL, &err));
    FAILS(KNHK_NOT_READY, knhk_loop_start(eng, NULL, &answer, &err));
    knhk_engine_close(eng);
}

/* What starts, stops or steps a loop is refused from a callback of it; closing the engine is not. */
static int32_t calls_back(void *ctx, const char *question, size_t len, knhk_answer_t *answer, char *why, size_t why_size) {
    knhk_engine_t *eng = (knhk_engine_t *)ctx;
    knhk_buffer_t *none;
    (void)question, (void)len, (void)answer, (void)why, (void)why_size;
    FAILS(KNHK_BUSY, knhk_loop_step(eng, NULL, &none, &err));
    FAILS(KNHK_BUSY, knhk_loop_stop(eng, NULL, &none, &err));
    FAILS(KNHK_BUSY, knhk_loop_start(eng, NULL, &none, &err));
    knhk_engine_close(eng);
    add(&heard);
    return 0;
}

static void from_a_callback(void) {
    const row_t *row = &ROWS[1];
    knhk_engine_t *eng = opened(row->first);
    knhk_buffer_t *answer;
    unsigned gone = count(&destroyed), before = count(&heard);
    knhk_proposer_t proposer = proposer_of(row);
    proposer.ctx = eng, proposer.propose = calls_back;
    OK(knhk_proposer_add(eng, "own", &proposer, &err));
    OK(knhk_loop_start(eng, "{\"every_ms\": 0, \"deadline_ms\": 600000, \"proposers\": [\"own\"]}", &answer, &err));
    knhk_buffer_free(answer);
    step(eng);
    traffic(eng, row->traffic, 3, BEGIN_NS);
    step(eng);
    await(&heard, before + 1);
    await(&destroyed, gone + 1);
}

int main(void) {
    for (size_t n = 0; n < sizeof ROWS / sizeof *ROWS; n++) ran(&ROWS[n]);
    hooks();
    refused();
    from_a_callback();
    return 0;
}
