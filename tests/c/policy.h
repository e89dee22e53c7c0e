/* Policies that a test makes. */
#ifndef KNHK_TEST_POLICY_H
#define KNHK_TEST_POLICY_H

#include "check.h"

static const uint64_t MS = 1000000;

static inline knhk_policy_t *made(knhk_scope_t *scope, const char *kind, const char *name, const knhk_setting_t *settings, size_t len) {
    knhk_policy_options_t options;
    knhk_policy_t *policy;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.settings = settings;
    options.settings_len = len;
    OK(knhk_policy_new(scope, kind, name, &options, &policy, &err));
    return policy;
}

static inline double parameter(knhk_policy_t *policy, const char *name) {
    knhk_parameter_t at;
    at.struct_size = sizeof at;
    for (size_t n = 0; knhk_policy_parameter(policy, n, &at, NULL) == KNHK_OK; n++) {
        CHECK(at.low <= at.value && at.value <= at.high && strlen(at.unit) > 0 && strlen(at.what) > 5);
        if (strcmp(at.name, name) == 0) return at.value;
    }
    CHECK(!"there is such a parameter");
    return 0;
}

#endif
