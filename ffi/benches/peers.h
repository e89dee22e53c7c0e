/* What the peers of the read benchmarks protect: a root of 8 sectors with 1,024 typed slots each, and the same checked load. */
#ifndef KNHK_BENCH_PEERS_H
#define KNHK_BENCH_PEERS_H

#include <stddef.h>

#include "driver.h"

enum { PEER_SECTORS = 8, PEER_SLOTS = 1024, PEER_KEYS = 64, PEER_TAG_I64 = 2 };

typedef struct {
    uint64_t tag, value;
} peer_slot_t;

typedef struct {
    _Alignas(64) uint8_t id[32];
    const peer_slot_t *slots;
    uint64_t epoch, limit, reserved;
} peer_sector_t;

typedef struct {
    _Alignas(64) uint64_t epoch;
    peer_sector_t sectors[PEER_SECTORS];
} peer_root_t;

/* Byte offsets, as in a knhk_key_t. */
typedef struct {
    uint32_t sector, slot;
} peer_key_t;

extern peer_key_t peer_keys[PEER_KEYS];

/* A new root over the same slots; never fails. */
peer_root_t *peer_root_new(uint64_t epoch);

/* The writer thread of the disturbed rounds: calls `publish` 10,000 times a second until it is stopped. */
void peer_writer_start(void *(*thread)(void *));
void peer_writer_stop(bench_sample_t *sample);
/* Sleeps until the next publication is due; 0 when the thread is to end. */
int peer_writer_next(void);

/* A miss is counted, and out of line, as in knhk_get_i64. */
__attribute__((cold, noinline)) int64_t peer_miss(int64_t fallback);

static inline int64_t peer_load_i64(const peer_root_t *root, peer_key_t key, int64_t fallback) {
    const peer_sector_t *sector = (const void *)((const char *)root + key.sector);
    if (!BENCH_LIKELY(key.slot < sector->limit)) return peer_miss(fallback);
    const peer_slot_t *slot = (const void *)((const char *)sector->slots + key.slot);
    return BENCH_LIKELY(slot->tag == PEER_TAG_I64) ? (int64_t)slot->value : peer_miss(fallback);
}

/* read_bare.c */
uint64_t loop_bare(uint64_t n);
uint64_t gaps_bare(uint64_t n);
uint64_t loop_bare_ten(uint64_t n);
void bare_open(void);

/* read_memb.c */
uint64_t loop_urcu_memb(uint64_t n);
uint64_t gaps_urcu_memb(uint64_t n);
void memb_open(void);
void memb_writer_start(void);

/* read_qsbr.c */
uint64_t loop_urcu_qsbr(uint64_t n);
uint64_t gaps_urcu_qsbr(uint64_t n);
void qsbr_open(void);
void qsbr_start(void);
void qsbr_stop(bench_sample_t *sample);
void qsbr_writer_start(void);
void qsbr_writer_stop(bench_sample_t *sample);

#endif
