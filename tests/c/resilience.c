/* Policies from C: admitted and refused calls, retunes, governed parameters, transitions, wrong arguments. */
#include "policy.h"

#include <pthread.h>
#include <stdbool.h>

/* What a listener heard. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t more;
    char last[64];
    int heard, destroyed;
} ears_t;

static void hear(void *ctx, const knhk_transition_t *transition) {
    ears_t *ears = (ears_t *)ctx;
    CHECK(transition->missed == 0 && strstr(transition->text, transition->policy) && transition->time_ns > 0);
    pthread_mutex_lock(&ears->lock);
    snprintf(ears->last, sizeof ears->last, "%s %s: %s -> %s", transition->kind, transition->policy, transition->from, transition->to);
    ears->heard++;
    pthread_cond_signal(&ears->more);
    pthread_mutex_unlock(&ears->lock);
}

static void deaf(void *ctx) { ((ears_t *)ctx)->destroyed++; }

static void wait_for(ears_t *ears, int heard) {
    pthread_mutex_lock(&ears->lock);
    while (ears->heard < heard) pthread_cond_wait(&ears->more, &ears->lock);
    pthread_mutex_unlock(&ears->lock);
}

static void breakers(knhk_scope_t *scope) {
    static const knhk_setting_t settings[] = {{"consecutive_failures", 2}, {"recovery_ms", 50}, {"half_open_permits", 1}, {"window_calls", 10}};
    knhk_policy_t *breaker = made(scope, "breaker", "payments", settings, 4);
    ears_t ears;
    memset(&ears, 0, sizeof ears);
    pthread_mutex_init(&ears.lock, NULL);
    pthread_cond_init(&ears.more, NULL);
    knhk_transition_callback_t callback;
    memset(&callback, 0, sizeof callback);
    callback.struct_size = sizeof callback;
    callback.ctx = &ears;
    callback.destroy = deaf;
    uint64_t subscription = 0;
    FAILS(KNHK_NULL_ARGUMENT, knhk_scope_subscribe(scope, &callback, &subscription, &err));
    CHECK(ears.destroyed == 1);
    callback.changed = hear;
    OK(knhk_scope_subscribe(scope, &callback, &subscription, &err));

    knhk_permit_t permit;
    knhk_refusal_t why;
    why.struct_size = sizeof why;
    OK(knhk_policy_enter(breaker, NULL, &permit, &why, &err));
    CHECK(knhk_permit_deadline_ns(&permit) == UINT64_MAX && !knhk_permit_is_to_fail(&permit));
    CHECK(knhk_policy_finish(breaker, &permit, KNHK_OUTCOME_FAILURE) == KNHK_OUTCOME_FAILURE);
    knhk_policy_finish(breaker, &permit, KNHK_OUTCOME_FAILURE); /* a permit counts once */
    CHECK(knhk_policy_state(breaker) == KNHK_BREAKER_CLOSED);
    double failures = -1;
    OK(knhk_policy_figure(breaker, "window_failures", &failures, &err));
    CHECK(failures == 1);
    FAILS(KNHK_NOT_FOUND, knhk_policy_figure(breaker, "windows", &failures, &err));
    OK(knhk_policy_enter(breaker, NULL, &permit, NULL, NULL));
    knhk_policy_finish(breaker, &permit, KNHK_OUTCOME_FAILURE);
    CHECK(knhk_policy_state(breaker) == KNHK_BREAKER_OPEN);
    wait_for(&ears, 1);
    CHECK(strcmp(ears.last, "breaker payments: closed -> open") == 0);

    CHECK(knhk_policy_enter(breaker, NULL, &permit, &why, &err) == KNHK_REFUSED && SAYS("payments: the circuit breaker is open"));
    knhk_error_free(err);
    err = NULL;
    CHECK(why.reason == KNHK_REFUSED_OPEN && why.retry_after_ns > 0 && why.retry_after_ns <= 51 * MS);
    OK(knhk_scope_advance(scope, why.retry_after_ns, &err));
    OK(knhk_policy_enter(breaker, NULL, &permit, &why, &err));
    CHECK(knhk_policy_state(breaker) == KNHK_BREAKER_HALF_OPEN);
    CHECK(knhk_policy_enter(breaker, NULL, &permit, &why, NULL) == KNHK_REFUSED);
    CHECK(why.reason == KNHK_REFUSED_PROBING && why.limit == 1 && why.retry_after_ns == UINT64_MAX);
    knhk_policy_finish(breaker, &permit, KNHK_OUTCOME_SUCCESS);
    CHECK(knhk_policy_state(breaker) == KNHK_BREAKER_CLOSED);

    OK(knhk_breaker_force_open(breaker, &err));
    CHECK(knhk_policy_enter(breaker, NULL, &permit, &why, NULL) == KNHK_REFUSED && why.reason == KNHK_REFUSED_FORCED_OPEN);
    OK(knhk_breaker_disable(breaker, &err));
    OK(knhk_policy_enter(breaker, NULL, &permit, NULL, &err));
    OK(knhk_breaker_close(breaker, &err));
    wait_for(&ears, 6);
    OK(knhk_scope_unsubscribe(scope, subscription, &err));
    CHECK(ears.destroyed == 2);
    FAILS(KNHK_NOT_FOUND, knhk_scope_unsubscribe(scope, subscription, &err));

    static const knhk_setting_t retuned[] = {{"failure_rate", 0.25}};
    OK(knhk_policy_retune(breaker, retuned, 1, &err));
    CHECK(parameter(breaker, "failure_rate") == 0.25 && parameter(breaker, "recovery_ms") == 50);
    static const knhk_setting_t bad[] = {{"failure_rate", 0.5}, {"recovery_ms", -1}};
    CHECK(knhk_policy_retune(breaker, bad, 2, &err) == KNHK_INVALID_ARGUMENT && SAYS("recovery_ms is -1"));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_policy_retune(breaker, bad, 2, (knhk_error_free(err), err = NULL, &err)));
    CHECK(parameter(breaker, "failure_rate") == 0.25);
    knhk_policy_free(breaker);
}

/* Work that fails a few times. */
typedef struct {
    int calls, failures;
    uint64_t deadline_ns;
} work_t;

static uint32_t work(void *ctx, uint64_t deadline_ns) {
    work_t *work = (work_t *)ctx;
    work->deadline_ns = deadline_ns;
    return work->calls++ < work->failures ? KNHK_OUTCOME_FAILURE : KNHK_OUTCOME_SUCCESS;
}

static void pipelines(knhk_scope_t *scope) {
    static const knhk_setting_t two[] = {{"limit", 2}}, slow[] = {{"rate", 10}, {"burst", 4}}, soon[] = {{"base_ms", 1}, {"cap_ms", 2}};
    static const knhk_setting_t all[] = {{"failures", 1}}, timeout[] = {{"timeout_ms", 5}};
    knhk_policy_t *bulkhead = made(scope, "bulkhead", "places", two, 1), *bucket = made(scope, "token_bucket", "rate", slow, 2);
    knhk_policy_t *shedder = made(scope, "shedder", "shed", NULL, 0), *chaos = made(scope, "chaos", "chaos", all, 1);
    knhk_policy_t *retry = made(scope, "retry", "again", soon, 2), *pipeline;
    const knhk_policy_t *parts[] = {bulkhead, bucket, shedder, chaos, retry};
    knhk_policy_options_t options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.settings = timeout;
    options.settings_len = 1;
    options.policies = parts;
    options.policies_len = 5;
    OK(knhk_policy_new(scope, "pipeline", "callee", &options, &pipeline, &err));
    parts[4] = bulkhead;
    knhk_policy_t *none = NULL;
    FAILS(KNHK_INVALID_ARGUMENT, knhk_policy_new(scope, "pipeline", "callee", &options, &none, &err));
    knhk_policy_free(retry); /* the pipeline keeps it */

    work_t twice = {0, 2, 0};
    OK(knhk_policy_call(pipeline, NULL, work, &twice, NULL, &err));
    CHECK(twice.calls == 3 && twice.deadline_ns == knhk_scope_now_ns(scope) + 5 * MS);
    OK(knhk_scope_advance(scope, 1000 * MS, &err));
    knhk_refusal_t why;
    why.struct_size = sizeof why;
    OK(knhk_policy_load(shedder, 0.95, &err));
    work_t never = {0, 0, 0};
    CHECK(knhk_policy_call(pipeline, NULL, work, &never, &why, NULL) == KNHK_REFUSED);
    CHECK(why.reason == KNHK_REFUSED_SHED && why.load > 0.94 && why.load < 0.96 && never.calls == 0);
    knhk_attempt_t vital;
    memset(&vital, 0, sizeof vital);
    vital.struct_size = sizeof vital;
    vital.priority = KNHK_PRIORITY_CRITICAL;
    vital.tokens = 4;
    knhk_permit_t permit;
    OK(knhk_policy_enter(pipeline, &vital, &permit, &why, &err));
    CHECK(knhk_policy_enter(pipeline, &vital, &permit, &why, NULL) == KNHK_REFUSED && why.reason == KNHK_REFUSED_RATE_LIMITED);
    OK(knhk_scope_advance(scope, 6 * MS, &err));
    CHECK(knhk_policy_finish(pipeline, &permit, KNHK_OUTCOME_SUCCESS) == KNHK_OUTCOME_FAILURE); /* beyond its timeout */
    vital.deadline_ns = 1;
    CHECK(knhk_policy_enter(pipeline, &vital, &permit, &why, NULL) == KNHK_REFUSED && why.reason == KNHK_REFUSED_DEADLINE_PASSED);
    vital.priority = 6;
    FAILS(KNHK_INVALID_ARGUMENT, knhk_policy_enter(pipeline, &vital, &permit, &why, &err));
    OK(knhk_policy_load(shedder, 0, &err));
    OK(knhk_scope_advance(scope, 1000 * MS, &err));
    OK(knhk_chaos_switch(chaos, 1, &err));
    CHECK(knhk_policy_state(chaos) == 1);
    FAILS(KNHK_CALL_FAILED, knhk_policy_call(pipeline, NULL, work, &never, NULL, &err));
    CHECK(never.calls == 0);
    FAILS(KNHK_CALL_FAILED, knhk_policy_call(chaos, NULL, work, &never, NULL, &err));
    OK(knhk_chaos_switch(chaos, 0, &err));
    work_t once = {0, 1, 0};
    FAILS(KNHK_CALL_FAILED, knhk_policy_call(bulkhead, NULL, work, &once, NULL, &err));
    double taken = -1;
    OK(knhk_policy_figure(bulkhead, "taken", &taken, &err));
    CHECK(taken == 0);
    FAILS(KNHK_NULL_ARGUMENT, knhk_policy_call(bulkhead, NULL, NULL, NULL, NULL, &err));
    knhk_policy_free(pipeline);
    knhk_policy_free(chaos);
    knhk_policy_free(shedder);
    knhk_policy_free(bucket);
    knhk_policy_free(bulkhead);
}

static void governed(void) {
    knhk_engine_t *engine;
    knhk_scope_t *scope;
    OK(knhk_engine_open(":memory:", NULL, &engine, &err));
    OK(knhk_sector_create(engine, "orders", KNHK_DIRECT, &err));
    OK(knhk_engine_scope(engine, &scope, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_scope_advance(scope, 1, &err));
    static const knhk_setting_t ten[] = {{"rate", 10}};
    knhk_policy_t *bucket = made(scope, "token_bucket", "api", ten, 1);
    FAILS(KNHK_NOT_FOUND, knhk_policy_add(engine, bucket, "nowhere", &err));
    OK(knhk_policy_add(engine, bucket, "orders", &err));
    FAILS(KNHK_ALREADY_EXISTS, knhk_policy_add(engine, bucket, NULL, &err));
    knhk_buffer_t *json;
    OK(knhk_policy_document(bucket, &json, &err));
    OK(knhk_promote_json(engine, "orders", knhk_buffer_data(json), NULL, &err));
    knhk_buffer_free(json);
    CHECK(parameter(bucket, "rate") == 10);
    OK(knhk_promote_json(engine, "orders", "{\"resilience\": {\"api\": {\"rate\": 25.5, \"burst\": 3}}}", NULL, &err));
    CHECK(parameter(bucket, "rate") == 25.5 && parameter(bucket, "burst") == 3);
    OK(knhk_promote_json(engine, "orders", "{\"resilience\": {\"api\": {\"rate\": 5.0, \"burst\": 0}}}", NULL, &err));
    CHECK(parameter(bucket, "rate") == 25.5);
    knhk_policy_list_t *policies;
    OK(knhk_policies(engine, &policies, &err));
    CHECK(knhk_policies_len(policies) == 1 && knhk_policies_at(policies, 1) == NULL);
    const knhk_policy_info_t *info = knhk_policies_at(policies, 0);
    CHECK(strcmp(info->name, "api") == 0 && strcmp(info->kind, "token_bucket") == 0 && strcmp(info->sector, "orders") == 0);
    CHECK(info->version == 3 && strstr(info->refused, "burst is 0") && strstr(info->text, "tokens"));
    knhk_policies_free(policies);
    OK(knhk_rollback(engine, "orders", 2, NULL, NULL, &err));
    CHECK(parameter(bucket, "burst") == 3);
    OK(knhk_policy_remove(engine, "api", &err));
    FAILS(KNHK_NOT_FOUND, knhk_policy_remove(engine, "api", &err));
    knhk_engine_close(engine);
    knhk_permit_t permit;
    OK(knhk_policy_enter(bucket, NULL, &permit, NULL, &err));
    knhk_policy_free(bucket);
    knhk_scope_free(scope);
}

static void mistakes(knhk_scope_t *scope) {
    knhk_policy_t *policy = NULL;
    FAILS(KNHK_INVALID_ARGUMENT, knhk_policy_new(scope, "fuse", "x", NULL, &policy, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_policy_new(scope, "bulkhead", "x", NULL, &policy, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_policy_new(NULL, "breaker", "x", NULL, &policy, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_policy_new(scope, NULL, "x", NULL, &policy, &err));
    knhk_policy_options_t options;
    memset(&options, 0, sizeof options);
    FAILS(KNHK_STRUCT_SIZE, knhk_policy_new(scope, "breaker", "x", &options, &policy, &err));
    options.struct_size = sizeof options;
    options.settings_len = 1;
    FAILS(KNHK_NULL_ARGUMENT, knhk_policy_new(scope, "breaker", "x", &options, &policy, &err));
    CHECK(policy == NULL);
    OK(knhk_policy_new(scope, "retry", "x", NULL, &policy, &err));
    knhk_permit_t permit;
    FAILS(KNHK_INVALID_ARGUMENT, knhk_policy_enter(policy, NULL, &permit, NULL, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_breaker_close(policy, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_policy_load(policy, 1, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_policy_enter(NULL, NULL, &permit, NULL, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_policy_enter((knhk_policy_t *)scope, NULL, &permit, NULL, &err));
    CHECK(knhk_policy_finish(NULL, &permit, 0) == 0 && knhk_policy_finish(policy, NULL, 1) == 1);
    CHECK(strcmp(knhk_policy_name(NULL), "") == 0 && strcmp(knhk_policy_name(policy), "x") == 0 && knhk_policy_state(NULL) == 0);
    knhk_policy_free(policy);
    knhk_policy_free(NULL);
    knhk_scope_free(NULL);
    CHECK(knhk_scope_now_ns(NULL) == 0);
    FAILS(KNHK_INVALID_ARGUMENT, knhk_scope_new(3, &scope, &err));
    for (uint32_t clock = KNHK_CLOCK_SYSTEM; clock <= KNHK_CLOCK_CACHED; clock++) {
        knhk_scope_t *other;
        OK(knhk_scope_new(clock, &other, &err));
        uint64_t begun = knhk_scope_now_ns(other);
        while (knhk_scope_now_ns(other) == begun) continue;
        knhk_scope_free(other);
    }
}

int main(void) {
    knhk_scope_t *scope;
    OK(knhk_scope_new(KNHK_CLOCK_MANUAL, &scope, &err));
    OK(knhk_scope_advance(scope, MS, &err));
    breakers(scope);
    pipelines(scope);
    knhk_counter_t counter;
    counter.struct_size = sizeof counter;
    uint64_t transitions = 0;
    for (size_t n = 0; knhk_scope_counter(scope, n, &counter, NULL) == KNHK_OK; n++)
        if (strncmp(counter.name, "knhk.resilience.breaker.transitions", counter.name_len) == 0) transitions = counter.value;
    CHECK(transitions == 6);
    governed();
    mistakes(scope);
    knhk_scope_free(scope);
    return 0;
}
