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

BENCH_LOOP static uint64_t loop_lookup(uint64_t n) {
    knhk_view_t view = knhk_read_begin(ours_reader);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        query_t query = queries[i % NAMES];
        knhk_key_t key = knhk_lookup(view, tenants, text + query.at, query.len);
        sum += (uint64_t)knhk_get_i64(view, key, 0);
    }
    knhk_read_end(ours_reader, view);
    return sum;
}

int main(void) {
    static const bench_variant_t variants[] = {{"lookup", loop_lookup, NAMES, NULL, NULL, NULL}};
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
    return bench_main(variants, 1);
}
