/* What a pinned read costs in liburcu, and through a bare pointer. */
#include "peers.h"

/* Two or more publications fall into a chunk of the disturbed rounds, so that each chunk pays for its share. */
enum { CHUNK = 65536, DISTURBED_CHUNK = 1 << 17 };


int main(void) {
    static const bench_variant_t variants[] = {
        {"bare", loop_bare, CHUNK, NULL, NULL, NULL},
        {"bare_ten", loop_bare_ten, CHUNK, NULL, NULL, NULL},
        {"urcu_memb", loop_urcu_memb, CHUNK, NULL, NULL, NULL},
        {"urcu_memb_writer", loop_urcu_memb, DISTURBED_CHUNK, NULL, memb_writer_start, peer_writer_stop},
        {"urcu_memb_gaps", gaps_urcu_memb, CHUNK, bench_gap_round, memb_writer_start, peer_writer_stop},
        {"urcu_qsbr", loop_urcu_qsbr, CHUNK, NULL, qsbr_start, qsbr_stop},
        {"urcu_qsbr_writer", loop_urcu_qsbr, DISTURBED_CHUNK, NULL, qsbr_writer_start, qsbr_writer_stop},
        {"urcu_qsbr_gaps", gaps_urcu_qsbr, CHUNK, bench_gap_round, qsbr_writer_start, qsbr_writer_stop},
    };
    bare_open();
    memb_open();
    qsbr_open();
    return bench_main(variants, sizeof variants / sizeof variants[0]);
}
