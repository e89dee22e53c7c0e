/* Workers: each takes a request, asks an upstream, waits for it, and answers. A slow upstream holds its worker, and the place in the
 * gateway that the request takes. */
#define _GNU_SOURCE
#include "gateway.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Good calls in a row after which an upstream is taken to be well: with three errors in ten that is next to never. */
enum { WELL = 30 };

struct worker {
    struct gateway *gateway;
    knhk_reader_t *reader;
    int sockets[UPSTREAMS];
    struct lines lines[UPSTREAMS];
    uint64_t id; /* what is asked for; answers to earlier questions are passed over */
    uint64_t right;
    uint32_t outcome; /* what came of it; KNHK_TIMED_OUT until something did */
};

static atomic_uint good_calls[UPSTREAMS]; /* in a row */

static void heard(void *ctx, char *text)
{
    struct worker *w = ctx;
    char *at;
    if (strtoull(text, &at, 10) != w->id)
        return;
    if (!strncmp(at, " ok ", 4)) {
        w->right = strtoull(at + 4, NULL, 16);
        w->outcome = KNHK_SUCCESS;
    } else {
        w->outcome = KNHK_FAILED;
    }
}

/* Asks an upstream and waits for it, no longer than until `until_ns`. */
static uint32_t ask(struct worker *w, int upstream, uint64_t until_ns)
{
    char text[LINE];
    int len = snprintf(text, sizeof text, "%" PRIu64 "\n", w->id);
    w->outcome = KNHK_TIMED_OUT;
    send_line(w->sockets[upstream], text, (size_t)len);
    for (uint64_t now = now_ns(); w->outcome == KNHK_TIMED_OUT && now < until_ns; now = now_ns()) {
        struct pollfd answer = {.fd = w->sockets[upstream], .events = POLLIN};
        struct timespec left = {(time_t)((until_ns - now) / 1000000000u), (long)((until_ns - now) % 1000000000u)};
        if (ppoll(&answer, 1, &left, NULL) > 0 && !read_lines(w->sockets[upstream], &w->lines[upstream], heard, w))
            die("worker", "an upstream hung up");
    }
    return w->outcome;
}

/* An upstream whose breaker lets the call through, by weight; -1 where none does. */
static int choose(struct worker *w, const int64_t *weights, uint64_t draw, int except, knhk_permit_t *permit)
{
    const struct limits *limits = w->gateway->limits;
    bool out[UPSTREAMS] = {false};
    if (except >= 0)
        out[except] = true;
    for (int left = UPSTREAMS - (except >= 0); left > 0; left--) {
        int64_t sum = 0, at;
        for (int i = 0; i < UPSTREAMS; i++)
            sum += out[i] ? 0 : weights[i];
        int chosen = -1;
        at = sum > 0 ? (int64_t)(script_draw(w->gateway->shared->script.seed, draw + (uint64_t)left, w->id) * (double)sum) : 0;
        for (int i = 0; i < UPSTREAMS && chosen < 0; i++) {
            if (!out[i] && (sum == 0 || at < weights[i]))
                chosen = i;
            at -= out[i] ? 0 : weights[i];
        }
        if (knhk_policy_enter(limits->breaker[chosen], NULL, permit, NULL, NULL) == KNHK_OK)
            return chosen;
        out[chosen] = true;
    }
    return -1;
}

static void observe(struct worker *w, knhk_view_t view, knhk_key_t key, double value, uint32_t outcome)
{
    if (!knhk_observe_f64(w->reader, view, key, value, outcome))
        atomic_fetch_add(&w->gateway->unobserved, 1);
}

/* What the loop learns of a call. */
static void observe_call(struct worker *w, int upstream, double ms, uint32_t outcome)
{
    const struct keys *keys = &w->gateway->limits->keys;
    knhk_view_t view = knhk_read_begin(w->reader);
    bool slow = outcome == KNHK_SUCCESS && ms > (double)knhk_get_i64(view, keys->slow_ms, 500);
    bool good = outcome == KNHK_SUCCESS && !slow;
    unsigned in_a_row = good ? atomic_fetch_add(&good_calls[upstream], 1) + 1 : 0;
    if (!good)
        atomic_store(&good_calls[upstream], 0);
    bool held_back = knhk_get_i64(view, keys->weight[upstream], 0) < knhk_get_i64(view, keys->full_weight[upstream], 0);
    observe(w, view, keys->weight[upstream], ms, slow ? KNHK_TIMED_OUT : outcome);
    observe(w, view, keys->timeout_ms, ms, outcome);
    if (!knhk_observe_i64(w->reader, view, keys->full_weight[upstream], in_a_row,
                          held_back && in_a_row >= WELL ? KNHK_REJECTED : KNHK_SUCCESS))
        atomic_fetch_add(&w->gateway->unobserved, 1);
    knhk_read_end(w->reader, view);
}

/* One call of one upstream; KNHK_REJECTED where all breakers are open. */
static uint32_t call(struct worker *w, uint64_t draw, int except, int *upstream)
{
    struct gateway *g = w->gateway;
    const struct keys *keys = &g->limits->keys;
    knhk_permit_t permit;
    int64_t weights[UPSTREAMS];
    knhk_view_t view = knhk_read_begin(w->reader);
    for (int i = 0; i < UPSTREAMS; i++)
        weights[i] = knhk_get_i64(view, keys->weight[i], 1);
    uint64_t timeout_ns = (uint64_t)knhk_get_i64(view, keys->timeout_ms, DEADLINE_MS) * 1000000u;
    knhk_read_end(w->reader, view);

    *upstream = choose(w, weights, draw, except, &permit);
    if (*upstream < 0)
        return KNHK_REJECTED;
    uint64_t begun = now_ns();
    uint32_t outcome = ask(w, *upstream, begun + timeout_ns);
    double ms = (double)(now_ns() - begun) / 1e6;
    knhk_policy_finish(g->limits->breaker[*upstream], &permit, outcome == KNHK_SUCCESS ? KNHK_OUTCOME_SUCCESS : KNHK_OUTCOME_FAILURE);
    atomic_fetch_add_explicit(&g->calls[*upstream], 1, memory_order_relaxed);
    if (outcome == KNHK_TIMED_OUT)
        atomic_fetch_add_explicit(&g->timeouts, 1, memory_order_relaxed);
    observe_call(w, *upstream, ms, outcome);
    return outcome;
}

/* Serves a request: a call, and where it fails another one of another upstream, as far as the retries' budget goes. */
static void serve(struct worker *w, struct job *job)
{
    struct gateway *g = w->gateway;
    knhk_attempts_t attempts;
    uint64_t pause_ns;
    int upstream;
    char text[LINE];
    w->id = job->id;
    knhk_retry_begin(g->limits->retry, &attempts, NULL);
    uint32_t outcome = call(w, 2000, -1, &upstream);
    if ((outcome == KNHK_FAILED || outcome == KNHK_TIMED_OUT) &&
        knhk_retry_decide(g->limits->retry, &attempts, KNHK_RETRY_TRANSIENT, 0, 0, &pause_ns, NULL, NULL) == KNHK_OK) {
        nanosleep(&(struct timespec){.tv_nsec = (long)pause_ns}, NULL);
        atomic_fetch_add_explicit(&g->retries, 1, memory_order_relaxed);
        outcome = call(w, 3000, upstream, &upstream);
    }
    bool ok = outcome == KNHK_SUCCESS;
    int len = ok ? snprintf(text, sizeof text, "%" PRIu64 " ok %016" PRIx64 "\n", job->id, w->right)
                 : snprintf(text, sizeof text, "%" PRIu64 " failed\n", job->id);
    answer(job->client, text, (size_t)len);
    atomic_fetch_add_explicit(ok ? &g->answered : &g->failed, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&g->in_flight, 1, memory_order_relaxed);
    /* An error that comes at once says nothing of the load; a call that was waited for in vain does. */
    knhk_policy_finish(g->limits->front, &job->permit,
                       ok                          ? KNHK_OUTCOME_SUCCESS
                       : outcome == KNHK_TIMED_OUT ? KNHK_OUTCOME_FAILURE
                                                   : KNHK_OUTCOME_IGNORED);
    if (ok) {
        knhk_view_t view = knhk_read_begin(w->reader);
        observe(w, view, g->limits->keys.answered, (double)(now_ns() - job->arrived_ns) / 1e6, KNHK_SUCCESS);
        knhk_read_end(w->reader, view);
    }
}

void *worker_thread(void *argument)
{
    struct worker w = {.gateway = argument};
    struct gateway *g = argument;
    knhk_error_t *err = NULL;
    check(knhk_reader_register(g->limits->engine, &w.reader, &err), &err, "reader");
    for (int i = 0; i < UPSTREAMS; i++)
        w.sockets[i] = connect_to(g->shared->upstream_port[i]);
    for (;;) {
        pthread_mutex_lock(&g->lock);
        while (g->waiting == 0 && !g->closing)
            pthread_cond_wait(&g->work, &g->lock);
        if (g->waiting == 0)
            break;
        struct job job = g->queue[g->first++ % WORKERS];
        g->waiting--;
        pthread_mutex_unlock(&g->lock);
        serve(&w, &job);
    }
    pthread_mutex_unlock(&g->lock);
    for (int i = 0; i < UPSTREAMS; i++)
        close(w.sockets[i]);
    knhk_reader_unregister(w.reader, NULL);
    return NULL;
}
