/* liburcu's quiescent-state flavour, inline read side: the reader announces a quiescent state after each 64 reads. */
#include <stdlib.h>

#include "peers.h"
#include "read_loops.h"

#define _LGPL_SOURCE
#define URCU_INLINE_SMALL_FUNCTIONS
#include <urcu/urcu-qsbr.h>

static peer_root_t *current;

#define LOAD(key) peer_load_i64(root, key, 0)

READ_LOOPS(urcu_qsbr, peer_keys, (void)0, urcu_qsbr_read_lock(); const peer_root_t *root = rcu_dereference(current),
           urcu_qsbr_read_unlock(), LOAD, urcu_qsbr_quiescent_state())

static void *promote(void *unused) {
    (void)unused;
    for (uint64_t epoch = 2; peer_writer_next(); epoch++) {
        peer_root_t *old = rcu_xchg_pointer(&current, peer_root_new(epoch));
        urcu_qsbr_synchronize_rcu();
        free(old);
    }
    return NULL;
}

void qsbr_open(void) {
    current = peer_root_new(1);
    urcu_qsbr_register_thread();
    urcu_qsbr_thread_offline();
}

/* Online during its own rounds only: between them the reader would hold up every grace period. */
void qsbr_start(void) {
    urcu_qsbr_thread_online();
}

void qsbr_stop(bench_sample_t *sample) {
    (void)sample;
    urcu_qsbr_thread_offline();
}

void qsbr_writer_start(void) {
    urcu_qsbr_thread_online();
    peer_writer_start(promote);
}

void qsbr_writer_stop(bench_sample_t *sample) {
    urcu_qsbr_thread_offline();
    peer_writer_stop(sample);
}
