/* The floor: the root behind one relaxed atomic pointer, which nothing protects from being freed. */
#include "peers.h"
#include "read_loops.h"

static const peer_root_t *current;

#define LOAD(key) peer_load_i64(root, key, 0)

READ_LOOPS(bare, peer_keys, (void)0, const peer_root_t *root = __atomic_load_n(&current, __ATOMIC_RELAXED), (void)0, LOAD, (void)0)

/* Ten loads through a pointer that the caller already has; the barrier keeps each ten from being hoisted out of the loop. */
BENCH_LOOP uint64_t loop_bare_ten(uint64_t n) {
    const peer_root_t *root = current;
    uint64_t sum = 0;
    for (unsigned turn = 0; n >= 10; n -= 10, turn = (turn + 10) % 60) {
        const peer_key_t *k = &peer_keys[turn];
        for (unsigned i = 0; i < 10; i++) sum += (uint64_t)peer_load_i64(root, k[i], 0);
        __asm__ volatile("" ::: "memory");
    }
    return sum;
}

void bare_open(void) {
    current = peer_root_new(1);
}
