/* Functions of the program that have a say in governance: rules, invariants across sectors, tests of shadows, measured work, stages told. */
#include "check.h"

typedef struct {
    knhk_key_t max_qty;
    const char *kind;
    int called, destroyed; /* stages run on two threads */
} asked_t;

static const char FIRST[] =
    "{\"changes\": [{\"sector\": \"orders\", \"content\": {\"document\": {\"text\": \"{\\\"max_qty\\\": {\\\"$value\\\": 1000, \\\"$max\\\": 5000},"
    " \\\"governance\\\": {\\\"slowdown_percent\\\": 200.0, \\\"measure_ms\\\": 60000.0, \\\"tail_budget_ns\\\": 1e9,"
    " \\\"read_budget_ns\\\": 1e9, \\\"lookup_budget_ns\\\": 1e9, \\\"apply_budget_ms\\\": 1e6, \\\"cpu_budget_ms\\\": 1e6}}\"}}}], \"by\": \"bob\"}";

static void count(int *what) { __atomic_fetch_add(what, 1, __ATOMIC_SEQ_CST); }

static void destroy(void *ctx) { count(&((asked_t *)ctx)->destroyed); }

/* At most 2000 lots, whatever asks. */
static int32_t below(void *ctx, const knhk_question_t *of, char *why, size_t why_size) {
    asked_t *asked = (asked_t *)ctx;
    char kind[32];
    count(&asked->called);
    snprintf(kind, sizeof kind, "\"kind\":\"%s\"", asked->kind);
    if (of->struct_size < sizeof *of || strlen(of->text) != of->text_len) return snprintf(why, why_size, "it is no question");
    if (!strstr(of->text, kind) || !strstr(of->text, "\"differences\":[{")) return snprintf(why, why_size, "asked: %s", of->text);
    int64_t qty = knhk_get_i64(of->view, asked->max_qty, -1);
    return qty <= 2000 ? 0 : snprintf(why, why_size, "%d lots are more than the desk can hedge", (int)qty);
}

static uint64_t sweep(void *ctx, knhk_view_t view, uint64_t times) {
    asked_t *asked = (asked_t *)ctx;
    uint64_t sum = 0;
    count(&asked->called);
    while (times-- > 0)
        for (volatile int64_t n = knhk_get_i64(view, asked->max_qty, 0); n > 0; n--) sum += (uint64_t)n;
    return sum;
}

static int32_t stage(void *ctx, const knhk_stage_t *now) {
    asked_t *asked = (asked_t *)ctx;
    count(&asked->called);
    CHECK(!strcmp(now->sector, "orders") && strlen(now->stage) > 5);
    CHECK(!now->verdict == !now->report);
    return asked->kind && now->verdict && !strcmp(now->stage, asked->kind);
}

static knhk_function_t function(asked_t *asked) {
    knhk_function_t function;
    memset(&function, 0, sizeof function);
    function.struct_size = sizeof function;
    function.ctx = asked;
    function.judge = below;
    function.destroy = destroy;
    return function;
}

static void ends_in(knhk_engine_t *eng, const char *qty, const char *state, const char *says) {
    char request[256], wanted[64];
    knhk_buffer_t *answer;
    snprintf(request, sizeof request,
             "{\"changes\": [{\"sector\": \"orders\", \"content\": {\"values\": [[\"max_qty\", \"%s\"]]}}], \"by\": \"bob\"}", qty);
    snprintf(wanted, sizeof wanted, "\"state\":\"%s\"", state);
    OK(knhk_propose(eng, request, &answer, &err));
    if (!strstr(knhk_buffer_data(answer), wanted) || !strstr(knhk_buffer_data(answer), says)) {
        fprintf(stderr, "%s does not end in %s: %s: %s\n", qty, state, says, knhk_buffer_data(answer));
        abort();
    }
    knhk_buffer_free(answer);
}

static void rule(knhk_engine_t *eng, knhk_key_t key) {
    asked_t asked = {key, "rule", 0, 0}, other = {key, "rule", 0, 0};
    knhk_function_t given = function(&asked), next = function(&other);
    knhk_buffer_t *answer;
    OK(knhk_add_rule(eng, "{\"toml\": \"[[rule]]\\nid = \\\"below\\\"\\nsector = \\\"orders\\\"\\nenforcement = \\\"hard_mandatory\\\"\\n[rule.callback]\\nname = \\\"below\\\"\\n\"}",
                     &answer, &err));
    knhk_buffer_free(answer);
    ends_in(eng, "1100", "refused", "below");
    OK(knhk_set_rule_function(eng, "below", &given, &err));
    ends_in(eng, "2500", "refused", "2500 lots are more than the desk can hedge");
    ends_in(eng, "1100", "enacted", "");
    CHECK(asked.called >= 2 && asked.destroyed == 0);
    OK(knhk_set_rule_function(eng, "below", &next, &err));
    CHECK(asked.destroyed == 1);
    ends_in(eng, "1200", "enacted", "");
    CHECK(other.called >= 1);
    OK(knhk_set_rule_function(eng, "below", NULL, &err));
    CHECK(other.destroyed == 1);
    ends_in(eng, "1300", "refused", "below");
    FAILS(KNHK_NOT_FOUND, knhk_set_rule_function(eng, "below", NULL, &err));
    OK(knhk_remove_rule(eng, "{\"id\": \"orders/below\"}", &answer, &err));
    knhk_buffer_free(answer);
}

static void invariant(knhk_engine_t *eng, knhk_key_t key) {
    asked_t asked = {key, "invariant", 0, 0};
    knhk_function_t given = function(&asked);
    OK(knhk_set_invariant(eng, "the desk can hedge it", NULL, NULL, &given, &err));
    ends_in(eng, "2500", "refused", "invariant the desk can hedge it");
    ends_in(eng, "2500", "refused", "2500 lots are more than the desk can hedge");
    OK(knhk_set_invariant(eng, "the desk can hedge it", "warning", "after[\"orders/max_qty\"] <= 1500", NULL, &err));
    CHECK(asked.destroyed == 1);
    ends_in(eng, "1600", "enacted", "the desk can hedge it would not hold any more");
    OK(knhk_set_invariant(eng, "the desk can hedge it", "blocker", "after[\"orders/max_qty\"] <= 1500", NULL, &err));
    ends_in(eng, "1700", "refused", "the desk can hedge it");
    OK(knhk_set_invariant(eng, "the desk can hedge it", NULL, NULL, NULL, &err));
    ends_in(eng, "1700", "enacted", "");
    FAILS(KNHK_DOCUMENT, knhk_set_invariant(eng, "x", NULL, "after.", NULL, &err));
    FAILS(KNHK_NOT_FOUND, knhk_set_invariant(eng, "x", NULL, NULL, NULL, &err));
    asked.destroyed = 0;
    FAILS(KNHK_INVALID_ARGUMENT, knhk_set_invariant(eng, "x", "grave", NULL, &given, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_set_invariant(eng, "x", NULL, "true", &given, &err));
    CHECK(asked.destroyed == 2);
}

static void tests(knhk_engine_t *eng, knhk_key_t key) {
    static const char TEST[] =
        "{\"id\": \"s-1\", \"tests\": [{\"name\": \"hedged\", \"severity\": \"blocker\", \"assertion\": {\"function\": {\"name\": \"below\"}}}]}";
    asked_t asked = {key, "test", 0, 0};
    knhk_function_t given = function(&asked);
    knhk_buffer_t *answer;
    OK(knhk_shadow(eng, "{\"changes\": [{\"sector\": \"orders\", \"content\": {\"values\": [[\"max_qty\", \"2600\"]]}}]}", &answer, &err));
    CHECK(strstr(knhk_buffer_data(answer), "\"id\":\"s-1\""));
    knhk_buffer_free(answer);
    OK(knhk_shadow_test(eng, TEST, &answer, &err));
    CHECK(strstr(knhk_buffer_data(answer), "there is no function"));
    knhk_buffer_free(answer);
    OK(knhk_set_test_function(eng, "below", &given, &err));
    OK(knhk_shadow_test(eng, TEST, &answer, &err));
    CHECK(strstr(knhk_buffer_data(answer), "\"verdict\":\"refused\"") && strstr(knhk_buffer_data(answer), "2600 lots"));
    knhk_buffer_free(answer);
    OK(knhk_set_test_function(eng, "below", NULL, &err));
    CHECK(asked.destroyed == 1 && asked.called == 1);
}

static void workload(knhk_engine_t *eng, knhk_key_t key) {
    asked_t asked = {key, NULL, 0, 0};
    knhk_workload_t work;
    memset(&work, 0, sizeof work);
    work.struct_size = sizeof work;
    work.ctx = &asked;
    work.destroy = destroy;
    FAILS(KNHK_NULL_ARGUMENT, knhk_set_workload(eng, "orders", "sweep", &work, &err));
    work.run = sweep;
    FAILS(KNHK_NOT_FOUND, knhk_set_workload(eng, "quotes", "sweep", &work, &err));
    CHECK(asked.destroyed == 2);
    ends_in(eng, "500", "enacted", "");
    OK(knhk_set_workload(eng, "orders", "sweep", &work, &err));
    ends_in(eng, "5000", "refused", "measurement sweep");
    ends_in(eng, "400", "enacted", "");
    CHECK(asked.called > 4);
    OK(knhk_set_workload(eng, "orders", "sweep", NULL, &err));
    CHECK(asked.destroyed == 3);
}

static void watched(knhk_engine_t *eng) {
    static const char ASK[] = "{\"changes\": [{\"sector\": \"orders\", \"content\": {\"values\": [[\"max_qty\", \"600\"]]}}]}";
    asked_t asked;
    knhk_stage_callback_t callback;
    knhk_buffer_t *answer;
    memset(&asked, 0, sizeof asked);
    memset(&callback, 0, sizeof callback);
    callback.struct_size = sizeof callback;
    callback.ctx = &asked;
    callback.stage = stage;
    callback.destroy = destroy;
    OK(knhk_govern_watched(eng, "check", ASK, &callback, &answer, &err));
    CHECK(asked.called == 14 && asked.destroyed == 1);
    CHECK(!strstr(knhk_buffer_data(answer), "\"verdict\":\"refused\""));
    knhk_buffer_free(answer);
    /* Guards come after what measures, and then there are the invariants. */
    asked.kind = "guards";
    OK(knhk_govern_watched(eng, "check", ASK, &callback, &answer, &err));
    CHECK(strstr(knhk_buffer_data(answer), "it was stopped before it began"));
    knhk_buffer_free(answer);
    OK(knhk_govern_watched(eng, "proposals", NULL, NULL, &answer, &err));
    knhk_buffer_free(answer);
    callback.stage = NULL;
    FAILS(KNHK_NULL_ARGUMENT, knhk_govern_watched(eng, "check", ASK, &callback, &answer, &err));
    CHECK(asked.destroyed == 3);
}

static void wrong(knhk_engine_t *eng, knhk_key_t key) {
    asked_t asked = {key, "rule", 0, 0};
    knhk_function_t given = function(&asked);
    FAILS(KNHK_NULL_ARGUMENT, knhk_set_rule_function(NULL, "below", &given, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_set_rule_function(eng, NULL, &given, &err));
    given.judge = NULL;
    FAILS(KNHK_NULL_ARGUMENT, knhk_set_rule_function(eng, "below", &given, &err));
    CHECK(asked.destroyed == 3);
    given.struct_size = 7;
    FAILS(KNHK_STRUCT_SIZE, knhk_set_rule_function(eng, "below", &given, &err));
    CHECK(asked.destroyed == 3);
}

int main(void) {
    knhk_engine_t *eng;
    knhk_signer_t *signer;
    knhk_options_t options;
    knhk_buffer_t *answer;
    knhk_key_t key;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    OK(knhk_signer_generate(&signer, &err));
    options.signer = signer;
    OK(knhk_engine_open(":memory:", &options, &eng, &err));
    knhk_signer_free(signer);
    OK(knhk_sector_create(eng, "orders", KNHK_GOVERNED, &err));
    OK(knhk_propose(eng, FIRST, &answer, &err));
    CHECK(strstr(knhk_buffer_data(answer), "\"state\":\"enacted\""));
    knhk_buffer_free(answer);
    OK(knhk_key(eng, "orders", "max_qty", KNHK_I64, &key, &err));
    rule(eng, key);
    invariant(eng, key);
    tests(eng, key);
    workload(eng, key);
    watched(eng);
    wrong(eng, key);
    /* What is registered still goes with the engine. */
    asked_t asked = {key, "rule", 0, 0};
    knhk_function_t given = function(&asked);
    OK(knhk_set_rule_function(eng, "below", &given, &err));
    knhk_engine_close(eng);
    CHECK(asked.destroyed == 1);
    return 0;
}
