/* The third arm: the loop watches what the sector's ontology says (knhk:Watch), and proposes what it says against it (knhk:Remedy). Nothing
 * of the gateway knows about it: a promotion is what the workers read with their next request. */
#include "gateway.h"

/* Sooner and more often than a production system would want it, since a fault takes seconds here and not hours: a turn five times a
 * second, a number by up to nine times its value at once, several changes of one watch a minute. */
static const char SETTINGS[] = "{\"sectors\": [\"gateway\"], \"every_ms\": 200, \"step\": 9.0, \"cooldown_s\": 4,"
                               " \"changes_per_hour\": 240, \"proposers\": [\"rule\"]}";

void loop_start(struct run *run)
{
    knhk_buffer_free(govern(&run->limits, "loop_start", SETTINGS));
}

void loop_stop(struct run *run)
{
    knhk_buffer_free(govern(&run->limits, "loop_stop", "{}"));
}
