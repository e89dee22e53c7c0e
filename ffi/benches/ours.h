/* The engine that the benchmarks read: 8 sectors with 1,024 integers each, in memory. */
#ifndef KNHK_BENCH_OURS_H
#define KNHK_BENCH_OURS_H

#include <knhk.h>

enum { OURS_SECTORS = 8, OURS_VALUES = 1024, OURS_KEYS = 64 };

extern knhk_engine_t *ours_engine;
extern knhk_reader_t *ours_reader;
/* The same places as the peers read. */
extern knhk_key_t ours_keys[OURS_KEYS];
/* A class four levels below another, in the first sector. */
extern knhk_key_t ours_class, ours_ancestor;

/* Opens the engine, promotes every sector, interns the keys and registers the calling thread. Ends the program on an error. */
void ours_open(void);
/* Ends the program with the error's message unless `status` is KNHK_OK. */
void ours_check(knhk_status_t status, knhk_error_t **err);
/* The document of a sector; `generation` is added to each value. The caller frees it. */
char *ours_document(int generation);

#endif
