/* The auditor: takes the observations out of the rings while the program runs, and decides every order again, in plain C, from the
 * limits that were in force in the generation that the decision says it read. */
#include "admission.h"

#include <poll.h>

enum { BATCH = 4096, PERIOD_MS = 2 };

static enum verdict decide_again(const struct limits *limits, int64_t qty, uint64_t detail)
{
    unsigned venue = detail >> 8 & 0xff, tenant = detail >> 16 & 0xff;
    int64_t price = (int64_t)(detail >> 24);
    if (!limits->open)
        return CLOSED;
    if (venue >= VENUES || (venue == VENUES - 1 && !limits->dark_tradable))
        return VENUE;
    if (qty > limits->max_qty)
        return QUANTITY;
    if (tenant < TENANTS - 1 && qty > limits->tenant[tenant])
        return TENANT;
    if (price < limits->price_low || price > limits->price_high)
        return PRICE;
    return ACCEPTED;
}

static void audit(struct program *p, const knhk_observation_t *seen)
{
    enum verdict said = (enum verdict)(seen->detail & 0xff);
    struct era *era = era_of(p, seen->epoch);
    p->drained++;
    if (!era || decide_again(&era->limits, seen->value.as_i64, seen->detail) != said) {
        p->contradicted++;
        return;
    }
    if (!era->first_ns || seen->time_ns < era->first_ns)
        era->first_ns = seen->time_ns;
    era->decisions++;
    era->verdicts[said]++;
}

static size_t drain_once(struct program *p)
{
    static knhk_observation_t seen[BATCH];
    size_t count = 0;
    knhk_error_t *error = NULL;
    if (knhk_observations_drain(p->engine, seen, BATCH, &count, &error))
        die("drain", knhk_error_message(error));
    pthread_mutex_lock(&p->eras_lock);
    for (size_t i = 0; i < count; i++)
        audit(p, &seen[i]);
    pthread_mutex_unlock(&p->eras_lock);
    return count;
}

void *auditor_thread(void *program)
{
    struct program *p = program;
    struct pollfd stop = {.fd = p->stop, .events = POLLIN};
    /* Appending rings no bell, by design: a monitor looks now and then, as often as its rings are long. */
    for (bool stopped = false; !stopped;) {
        stopped = poll(&stop, 1, PERIOD_MS) > 0;
        while (drain_once(p) > 0) {
        }
    }
    return NULL;
}
