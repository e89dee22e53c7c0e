#include "peers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

peer_key_t peer_keys[PEER_KEYS];

static const peer_slot_t *slots_of(unsigned sector) {
    static peer_slot_t *slots[PEER_SECTORS];
    if (!slots[sector]) {
        slots[sector] = aligned_alloc(64, PEER_SLOTS * sizeof(peer_slot_t));
        for (unsigned i = 0; i < PEER_SLOTS; i++) slots[sector][i] = (peer_slot_t){PEER_TAG_I64, i};
    }
    return slots[sector];
}

peer_root_t *peer_root_new(uint64_t epoch) {
    peer_root_t *root = aligned_alloc(64, sizeof *root);
    memset(root, 0, sizeof *root);
    root->epoch = epoch;
    for (unsigned i = 0; i < PEER_SECTORS; i++) {
        root->sectors[i].slots = slots_of(i);
        root->sectors[i].limit = PEER_SLOTS * sizeof(peer_slot_t);
        root->sectors[i].epoch = epoch;
    }
    for (unsigned i = 0; i < PEER_KEYS; i++) {
        peer_keys[i].sector = (uint32_t)(offsetof(peer_root_t, sectors) + i % PEER_SECTORS * sizeof(peer_sector_t));
        peer_keys[i].slot = (uint32_t)(i * 37 % PEER_SLOTS * sizeof(peer_slot_t));
    }
    return root;
}

static uint64_t misses;

int64_t peer_miss(int64_t fallback) {
    __atomic_fetch_add(&misses, 1, __ATOMIC_RELAXED);
    return fallback;
}

enum { WRITER_PERIOD_NS = 100000 };

static pthread_t writer;
static int writer_stopping;
static uint64_t writer_due, writer_begun, writer_events;

void peer_writer_start(void *(*thread)(void *)) {
    writer_events = 0;
    writer_begun = writer_due = bench_now_ns();
    __atomic_store_n(&writer_stopping, 0, __ATOMIC_RELEASE);
    if (pthread_create(&writer, NULL, thread, NULL)) abort();
}

void peer_writer_stop(bench_sample_t *sample) {
    __atomic_store_n(&writer_stopping, 1, __ATOMIC_RELEASE);
    pthread_join(writer, NULL);
    sample->rate = (double)writer_events * 1e9 / (double)(bench_now_ns() - writer_begun);
}

int peer_writer_next(void) {
    if (__atomic_load_n(&writer_stopping, __ATOMIC_ACQUIRE)) return 0;
    if (writer_events++ == 0) prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    writer_due += WRITER_PERIOD_NS;
    struct timespec due = {(time_t)(writer_due / 1000000000u), (long)(writer_due % 1000000000u)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    return 1;
}
