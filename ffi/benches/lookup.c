/* What a lookup by a run-time string costs in C among 100,000 names, in the order of core/hot/benches/names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "ours.h"

enum { NAMES = 100000, LONGEST = 16 };

typedef struct {
    uint32_t at, len;
} query_t;

static query_t queries[NAMES];
static char text[NAMES * LONGEST];
static knhk_key_t tenants;

#define LOOKUP(name, operation)                                                             \
    BENCH_LOOP static uint64_t loop_##name(uint64_t n) {                                    \
        knhk_view_t view = knhk_read_begin(ours_reader);                                    \
        uint64_t sum = 0;                                                                   \
        for (uint64_t i = 0; i < n; i++) {                                                  \
            query_t query = queries[i % NAMES];                                             \
            sum += (uint64_t)operation(view, tenants, text + query.at, query.len);          \
        }                                                                                   \
        knhk_read_end(ours_reader, view);                                                   \
        return sum;                                                                         \
    }

#define KEY(view, map, name, len) knhk_lookup(view, map, name, len).slot
#define VALUE(view, map, name, len) knhk_lookup_i64(view, map, name, len, 0)

LOOKUP(lookup, KEY)
LOOKUP(lookup_i64, VALUE)

/* Each name once, untimed: other programs ran since the last round, and it is not their evictions that are measured. */
static void warm(void) {
    loop_lookup_i64(NAMES);
}

int main(void) {
    static const bench_variant_t variants[] = {
        {"lookup", loop_lookup, NAMES, NULL, warm, NULL},
        {"lookup_i64", loop_lookup_i64, NAMES, NULL, warm, NULL},
    };
    knhk_error_t *err = NULL;
    enum { ROOM = NAMES * 32 };
    char *json = malloc(ROOM);
    size_t used = (size_t)snprintf(json, ROOM, "{\"tenants\": {"), at = 0;
    for (uint64_t i = 0; i < NAMES; i++) {
        used += (size_t)snprintf(json + used, ROOM - used, "%s\"tenant-%lu\": %lu", i ? ", " : "", i, i);
        queries[i].at = (uint32_t)at;
        queries[i].len = (uint32_t)sprintf(text + at, "tenant-%lu", i * 61803 % NAMES);
        at += queries[i].len;
    }
    snprintf(json + used, ROOM - used, "}}");
    ours_open();
    ours_check(knhk_sector_create(ours_engine, "limits", KNHK_DIRECT, &err), &err);
    ours_check(knhk_promote_json(ours_engine, "limits", json, NULL, &err), &err);
    free(json);
    ours_check(knhk_key(ours_engine, "limits", "tenants", KNHK_MAP, &tenants, &err), &err);
    return bench_main(variants, sizeof variants / sizeof variants[0]);
}
