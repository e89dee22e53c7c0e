#include "ours.h"

#include <stdio.h>
#include <stdlib.h>

knhk_engine_t *ours_engine;
knhk_reader_t *ours_reader;
knhk_key_t ours_keys[OURS_KEYS];
knhk_key_t ours_class, ours_ancestor;

void ours_check(knhk_status_t status, knhk_error_t **err) {
    if (status == KNHK_OK) return;
    fprintf(stderr, "%s\n", *err ? knhk_error_message(*err) : knhk_status_string(status));
    exit(1);
}

char *ours_document(int generation) {
    enum { ROOM = OURS_VALUES * 64 + 256 };
    char *json = malloc(ROOM);
    int at = snprintf(json, ROOM, "{\"$classes\": {\"thing\": [], \"animal\": [\"thing\"], \"mammal\": [\"animal\"], "
                                  "\"dog\": [\"mammal\"], \"terrier\": [\"dog\"]}");
    for (int i = 0; i < OURS_VALUES; i++) {
        at += snprintf(json + at, (size_t)(ROOM - at), ", \"v%d\": {\"$value\": %d, \"$min\": 0, \"$max\": 1000000}", i,
                       i + generation);
    }
    snprintf(json + at, (size_t)(ROOM - at), "}");
    return json;
}

void ours_open(void) {
    knhk_error_t *err = NULL;
    char *json = ours_document(0), sector[16], name[16];
    ours_check(knhk_engine_open(":memory:", NULL, &ours_engine, &err), &err);
    for (int i = 0; i < OURS_SECTORS; i++) {
        snprintf(sector, sizeof sector, "sector%d", i);
        ours_check(knhk_sector_create(ours_engine, sector, KNHK_DIRECT, &err), &err);
        ours_check(knhk_promote_json(ours_engine, sector, json, NULL, &err), &err);
    }
    free(json);
    for (int i = 0; i < OURS_KEYS; i++) {
        snprintf(sector, sizeof sector, "sector%d", i % OURS_SECTORS);
        snprintf(name, sizeof name, "v%d", i * 37 % OURS_VALUES);
        ours_check(knhk_key(ours_engine, sector, name, KNHK_I64, &ours_keys[i], &err), &err);
    }
    ours_check(knhk_key(ours_engine, "sector0", "$classes/terrier", KNHK_CLASS, &ours_class, &err), &err);
    ours_check(knhk_key(ours_engine, "sector0", "$classes/thing", KNHK_CLASS, &ours_ancestor, &err), &err);
    ours_check(knhk_reader_register(ours_engine, &ours_reader, &err), &err);
}
