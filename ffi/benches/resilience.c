/* What an admitted empty call costs in a policy through the C interface, on clocks whose look costs a load. */
#include <stdlib.h>

#include "driver.h"
#include "ours.h"

static knhk_scope_t *cached, *manual;
static knhk_policy_t *count, *timed, *slow, *bulkhead, *bucket;

static knhk_policy_t *made(knhk_scope_t *scope, const char *kind, const knhk_setting_t *settings, size_t len) {
    knhk_policy_options_t options = {.struct_size = sizeof options, .settings = settings, .settings_len = len};
    knhk_error_t *err = NULL;
    knhk_policy_t *policy = NULL;
    ours_check(knhk_policy_new(scope, kind, "bench", &options, &policy, &err), &err);
    return policy;
}

/* The empty call. */
static inline uint32_t empty(void) {
    uint32_t outcome = KNHK_OUTCOME_SUCCESS;
    __asm__ volatile("" : "+r"(outcome));
    return outcome;
}

static inline uint64_t calls(knhk_policy_t *policy, uint64_t n) {
    uint64_t admitted = 0;
    for (uint64_t i = 0; i < n; i++) {
        knhk_permit_t permit;
        if (BENCH_LIKELY(knhk_policy_enter(policy, NULL, &permit, NULL, NULL) == KNHK_OK)) {
            knhk_policy_finish(policy, &permit, empty());
            admitted++;
        }
    }
    return admitted;
}

BENCH_LOOP static uint64_t loop_c_breaker_count(uint64_t n) { return calls(count, n); }
BENCH_LOOP static uint64_t loop_c_breaker_time(uint64_t n) { return calls(timed, n); }
BENCH_LOOP static uint64_t loop_c_breaker_slow(uint64_t n) { return calls(slow, n); }
BENCH_LOOP static uint64_t loop_c_bulkhead(uint64_t n) { return calls(bulkhead, n); }
BENCH_LOOP static uint64_t loop_c_token_bucket(uint64_t n) {
    knhk_scope_advance(manual, 1000000, NULL); /* 100,000 tokens, more than a chunk takes */
    return calls(bucket, n);
}

int main(void) {
    static const knhk_setting_t by_count[] = {{"window_calls", 100}}, by_time[] = {{"window_span_ms", 10000}};
    static const knhk_setting_t by_slowness[] = {{"window_calls", 100}, {"slow_call_ms", 1000}};
    static const knhk_setting_t places[] = {{"limit", 10}}, rate[] = {{"rate", 1e8}, {"burst", 65535}};
    static const bench_variant_t variants[] = {
        {"c_breaker_count", loop_c_breaker_count, 8192, NULL, NULL, NULL},
        {"c_breaker_time", loop_c_breaker_time, 8192, NULL, NULL, NULL},
        {"c_breaker_slow", loop_c_breaker_slow, 8192, NULL, NULL, NULL},
        {"c_bulkhead", loop_c_bulkhead, 8192, NULL, NULL, NULL},
        {"c_token_bucket", loop_c_token_bucket, 8192, NULL, NULL, NULL},
    };
    knhk_error_t *err = NULL;
    ours_check(knhk_scope_new(KNHK_CLOCK_CACHED, &cached, &err), &err);
    ours_check(knhk_scope_new(KNHK_CLOCK_MANUAL, &manual, &err), &err);
    count = made(cached, "breaker", by_count, 1);
    timed = made(cached, "breaker", by_time, 1);
    slow = made(cached, "breaker", by_slowness, 2);
    bulkhead = made(cached, "bulkhead", places, 1);
    bucket = made(manual, "token_bucket", rate, 2);
    calls(count, 2000), calls(timed, 2000), calls(slow, 2000); /* nothing to remember any more */
    return bench_main(variants, sizeof variants / sizeof *variants);
}
