/* liburcu's default flavour (membarrier on the writer's side), inline read side. */
#include <stdlib.h>

#include "peers.h"
#include "read_loops.h"

#define _LGPL_SOURCE
#define URCU_INLINE_SMALL_FUNCTIONS
#include <urcu/urcu-memb.h>

static peer_root_t *current;

#define LOAD(key) peer_load_i64(root, key, 0)

READ_LOOPS(urcu_memb, peer_keys, (void)0, urcu_memb_read_lock(); const peer_root_t *root = rcu_dereference(current),
           urcu_memb_read_unlock(), LOAD, (void)0)

static void *promote(void *unused) {
    (void)unused;
    for (uint64_t epoch = 2; peer_writer_next(); epoch++) {
        peer_root_t *old = rcu_xchg_pointer(&current, peer_root_new(epoch));
        urcu_memb_synchronize_rcu();
        free(old);
    }
    return NULL;
}

void memb_open(void) {
    current = peer_root_new(1);
    urcu_memb_register_thread();
}

void memb_writer_start(void) {
    peer_writer_start(promote);
}
