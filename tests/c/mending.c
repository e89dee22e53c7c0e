/* Policies that keep a service going, from C: retries and their budget, hedges, degradation, recovery, health. */
#include "policy.h"

static void again(knhk_scope_t *scope) {
    static const knhk_setting_t soon[] = {{"attempts", 3}, {"base_ms", 10}, {"cap_ms", 100}}, little[] = {{"reserve", 1}, {"share", 0}};
    knhk_policy_t *budget = made(scope, "budget", "budget", little, 2), *retry, *hedge;
    knhk_policy_options_t options;
    const knhk_policy_t *parts[] = {budget};
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.settings = soon;
    options.settings_len = 3;
    options.policies = parts;
    options.policies_len = 1;
    OK(knhk_policy_new(scope, "retry", "again", &options, &retry, &err));
    knhk_attempts_t attempts;
    uint64_t pause = 0;
    uint32_t why = 0;
    OK(knhk_retry_begin(retry, &attempts, &err));
    OK(knhk_retry_decide(retry, &attempts, KNHK_RETRY_TRANSIENT, 0, 0, &pause, &why, &err));
    CHECK(pause >= 10 * MS && pause <= 30 * MS && attempts.made == 2 && why == 0);
    FAILS(KNHK_CALL_FAILED, knhk_retry_decide(retry, &attempts, KNHK_RETRY_TRANSIENT, 0, 0, &pause, &why, &err));
    CHECK(why == KNHK_GIVE_UP_BUDGET && attempts.made == 2);
    CHECK(knhk_retry_decide(retry, &attempts, KNHK_RETRY_PERMANENT, 0, 0, &pause, &why, NULL) == KNHK_CALL_FAILED && why == KNHK_GIVE_UP_PERMANENT);
    CHECK(knhk_retry_decide(retry, &attempts, KNHK_RETRY_TRANSIENT, 61000 * MS, 0, &pause, &why, NULL) == KNHK_CALL_FAILED);
    CHECK(why == KNHK_GIVE_UP_RETRY_AFTER);
    CHECK(knhk_retry_decide(retry, &attempts, KNHK_RETRY_TRANSIENT, 0, knhk_scope_now_ns(scope) + 1, &pause, &why, NULL) == KNHK_CALL_FAILED);
    CHECK(why == KNHK_GIVE_UP_DEADLINE);
    FAILS(KNHK_INVALID_ARGUMENT, knhk_retry_decide(retry, &attempts, 7, 0, 0, &pause, &why, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_retry_begin(budget, &attempts, &err));
    OK(knhk_retry_after("120", &pause, &err));
    CHECK(pause == 120000 * MS);
    FAILS(KNHK_INVALID_ARGUMENT, knhk_retry_after("soon", &pause, &err));

    options.settings_len = 0;
    options.policies_len = 0;
    OK(knhk_policy_new(scope, "hedge", "twice", &options, &hedge, &err));
    knhk_hedged_t call;
    uint32_t copy = 0, verdict = 9;
    OK(knhk_hedge_begin(hedge, &call, &err));
    OK(knhk_hedge_wait(hedge, &call, &pause, &err));
    CHECK(pause == 100 * MS);
    OK(knhk_hedge_send(hedge, &call, &copy, &err));
    CHECK(copy == UINT32_MAX);
    OK(knhk_scope_advance(scope, pause, &err));
    OK(knhk_hedge_send(hedge, &call, &copy, &err));
    CHECK(copy == 1);
    OK(knhk_hedge_finish(hedge, &call, 0, KNHK_OUTCOME_FAILURE, &verdict, &err));
    CHECK(verdict == KNHK_HEDGE_WAIT);
    OK(knhk_hedge_finish(hedge, &call, 1, KNHK_OUTCOME_SUCCESS, &verdict, &err));
    CHECK(verdict == KNHK_HEDGE_USE);
    OK(knhk_hedge_finish(hedge, &call, 1, KNHK_OUTCOME_SUCCESS, &verdict, &err));
    CHECK(verdict == KNHK_HEDGE_LATE);
    knhk_policy_free(hedge);
    knhk_policy_free(retry);
    knhk_policy_free(budget);
}

static int mended;
static int32_t mend(void *ctx, const char *component, const char *what) {
    CHECK(strcmp(component, "db") == 0 && strcmp(what, "no answer") == 0);
    mended++;
    return *(const char *)ctx == 'y' ? 0 : 5;
}
static void forget(void *ctx) { (void)ctx, mended += 100; }

static void levels(knhk_scope_t *scope) {
    static const char *images[] = {"images"}, *search[] = {"search"};
    static const knhk_level_t steps[] = {{"brownout", 0.8, 0.6, 0, 0, images, 1}, {"blackout", 0.95, 0.9, 0, 0, search, 1}};
    knhk_policy_options_t options;
    knhk_policy_t *degradation, *recovery;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.levels = steps;
    options.levels_len = 2;
    OK(knhk_policy_new(scope, "degradation", "shop", &options, &degradation, &err));
    uint32_t feature = 9;
    OK(knhk_feature(degradation, "images", &feature, &err));
    CHECK(knhk_feature_is_on(degradation, feature) && knhk_feature_is_on(degradation, 999) && knhk_feature_is_on(NULL, 0));
    FAILS(KNHK_NOT_FOUND, knhk_feature(degradation, "video", &feature, &err));
    OK(knhk_policy_load(degradation, 0.85, &err));
    CHECK(!knhk_feature_is_on(degradation, feature) && knhk_policy_state(degradation) == 1);
    OK(knhk_degradation_pin(degradation, 9, &err));
    CHECK(knhk_policy_state(degradation) == 2);
    OK(knhk_degradation_pin(degradation, UINT32_MAX, &err));
    OK(knhk_policy_load(degradation, 0.7, &err));
    OK(knhk_policy_load(degradation, 0.5, &err));
    CHECK(knhk_policy_state(degradation) == 0 && parameter(degradation, "blackout/enter") == 0.95);
    knhk_policy_free(degradation);

    char no = 'n', yes = 'y';
    knhk_strategy_t strategies[2];
    memset(strategies, 0, sizeof strategies);
    strategies[0].name = "reconnect", strategies[0].tries = 2, strategies[0].ctx = &no;
    strategies[1].name = "restart", strategies[1].ctx = &yes;
    strategies[0].recover = strategies[1].recover = mend;
    strategies[0].destroy = strategies[1].destroy = forget;
    options.levels_len = 0;
    options.strategies = strategies;
    options.strategies_len = 2;
    FAILS(KNHK_INVALID_ARGUMENT, knhk_policy_new(scope, "recover", "db", &options, &recovery, &err));
    CHECK(mended == 200); /* both contexts were destroyed */
    mended = 0;
    OK(knhk_policy_new(scope, "recovery", "db", &options, &recovery, &err));
    knhk_buffer_t *report = NULL;
    OK(knhk_recover(recovery, "db", "no answer", &report, &err));
    CHECK(mended == 3 && strstr(knhk_buffer_data(report), "mended by restart; reconnect failed: it returned 5"));
    knhk_buffer_free(report);
    knhk_policy_free(recovery);
    CHECK(mended == 203);
}

static double half(void *ctx) { return *(double *)ctx; }

static void health(knhk_scope_t *scope) {
    knhk_policy_t *monitor = made(scope, "health", "shop", NULL, 0);
    static const char *needs[] = {"db"};
    size_t db = 9, cart = 9;
    OK(knhk_health_add(monitor, "db", 2, NULL, 0, &db, &err));
    OK(knhk_health_add(monitor, "cart", 1, needs, 1, &cart, &err));
    FAILS(KNHK_ALREADY_EXISTS, knhk_health_add(monitor, "cart", 1, needs, 1, &cart, &err));
    CHECK(knhk_health_depend(monitor, "db", "cart", &err) == KNHK_INVALID_ARGUMENT && SAYS("db -> cart -> db"));
    knhk_error_free(err);
    err = NULL;
    CHECK(knhk_policy_state(monitor) == 2);
    OK(knhk_health_report(monitor, db, 0.2, &err));
    OK(knhk_health_report(monitor, cart, 0.6, &err));
    knhk_component_t at;
    at.struct_size = sizeof at;
    OK(knhk_health_component(monitor, cart, &at, &err));
    CHECK(at.state == KNHK_HEALTH_DEGRADED && at.health == 0.6 && at.weight == 1 && at.age_ns == 0 && at.explained_by == 1);
    FAILS(KNHK_NOT_FOUND, knhk_health_component(monitor, 2, &at, &err));
    knhk_buffer_t *text;
    OK(knhk_policy_text(monitor, &text, &err));
    CHECK(strstr(knhk_buffer_data(text), "shop: critical, 33.3 % available; 0 of 2 components healthy\n  db: unhealthy, health 0.20\n  cart: "));
    CHECK(strstr(knhk_buffer_data(text), "because of db"));
    knhk_buffer_free(text);
    double well = 1;
    knhk_check_callback_t callback;
    memset(&callback, 0, sizeof callback);
    callback.struct_size = sizeof callback;
    callback.ctx = &well;
    callback.check = half;
    OK(knhk_health_check(monitor, db, &callback, &err));
    OK(knhk_health_start(monitor, MS, &err));
    FAILS(KNHK_BUSY, knhk_health_start(monitor, MS, &err));
    do OK(knhk_health_component(monitor, db, &at, &err));
    while (at.state != KNHK_HEALTH_HEALTHY);
    knhk_policy_free(monitor);
}

int main(void) {
    knhk_scope_t *scope;
    OK(knhk_scope_new(KNHK_CLOCK_MANUAL, &scope, &err));
    OK(knhk_scope_advance(scope, MS, &err));
    again(scope);
    levels(scope);
    health(scope);
    knhk_scope_free(scope);
    return 0;
}
