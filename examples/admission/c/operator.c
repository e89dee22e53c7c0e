/* The operator: promotes documents while orders are decided. One is refused, because it breaks a range that the document itself
 * states; one is taken back. */
#define _POSIX_C_SOURCE 200809L
#include "admission.h"

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

static const char document[] =
    "{\n"
    "  \"open\": {\"$value\": %s, \"$doc\": \"no order is admitted while this is off\"},\n"
    "  \"max_qty\": {\"$value\": %lld, \"$min\": 1, \"$max\": 5000, \"$unit\": \"lots\"},\n"
    "  \"price\": {\"$value\": 10000, \"$min\": %lld, \"$max\": %lld, \"$unit\": \"ticks\", \"$doc\": \"reference price and its collar\"},\n"
    "  \"tenants\": {\"acme\": %lld, \"birch\": %lld, \"cobalt\": %lld},\n"
    "  \"$classes\": {\"tradable\": [], \"lit\": [\"tradable\"], \"dark\": [%s],\n"
    "               \"XPAR\": [\"lit\"], \"XLON\": [\"lit\"], \"XETR\": [\"lit\"], \"XOFF\": [\"dark\"]}\n"
    "}\n";

static const struct step {
    const char *by, *why;
    struct limits limits;
    uint64_t back_to; /* a version to go back to, instead of the limits */
    bool breaks_range;
} plan[] = {
    {"desk", "limits of the day", {true, 1000, {600, 400, 800}, true, 9500, 10500}, 0, false},
    {"risk", "volatility is up", {true, 400, {600, 400, 800}, true, 9500, 10500}, 0, false},
    {"desk", "a large client asks", {true, 9000, {600, 400, 800}, true, 9500, 10500}, 0, true},
    {"credit", "acme is near its line", {true, 400, {150, 400, 800}, true, 9500, 10500}, 0, false},
    {"compliance", "XOFF is suspended", {true, 400, {150, 400, 800}, false, 9500, 10500}, 0, false},
    {"risk", "the market is thin", {true, 400, {150, 400, 800}, false, 9800, 10200}, 0, false},
    {"exchange", "trading halt", {false, 400, {150, 400, 800}, false, 9800, 10200}, 0, false},
    {"desk", "the halt is over", {0}, 5, false},
};
enum { STEPS = sizeof plan / sizeof *plan };

static void write_document(char *out, size_t size, const struct limits *l)
{
    snprintf(out, size, document, l->open ? "true" : "false", (long long)l->max_qty, (long long)l->price_low, (long long)l->price_high,
             (long long)l->tenant[0], (long long)l->tenant[1], (long long)l->tenant[2], l->dark_tradable ? "\"tradable\"" : "");
}

static const struct era *version_of(const struct program *p, uint64_t version)
{
    for (size_t i = 0; i < p->era_count; i++)
        if (p->eras[i].version == version)
            return &p->eras[i];
    return NULL;
}

static void take(struct program *p, const struct step *step)
{
    char json[1024];
    knhk_promote_options_t options = {.struct_size = sizeof options, .by = step->by, .why = step->why};
    knhk_promotion_t done = {.struct_size = sizeof done};
    knhk_error_t *error = NULL;
    knhk_status_t status;
    write_document(json, sizeof json, &step->limits);

    pthread_mutex_lock(&p->eras_lock);
    struct era era = {.by = step->by, .why = step->why, .limits = step->limits, .rollback_of = step->back_to, .called_ns = now_ns()};
    if (step->back_to) {
        const struct era *back = version_of(p, step->back_to);
        if (back)
            era.limits = back->limits;
        status = knhk_rollback(p->engine, "orders", step->back_to, &options, &done, &error);
    } else {
        status = knhk_promote_json_with(p->engine, "orders", json, strlen(json), &options, &done, &error);
    }
    era.returned_ns = now_ns();
    if (status == KNHK_OK) {
        era.epoch = done.epoch;
        era.version = done.version;
        era.swap_ns = done.phases.swap_ns;
        p->eras[p->era_count++] = era;
        /* From here on, every decision that begins must be on these limits or newer ones. */
        atomic_store_explicit(&p->acknowledged, done.epoch, memory_order_release);
    }
    pthread_mutex_unlock(&p->eras_lock);

    if (status != KNHK_OK) {
        snprintf(p->refusal, sizeof p->refusal, "%s", knhk_error_message(error));
        knhk_error_free(error);
        p->refused++;
        report_event(p, "✗ refused:", p->refusal);
    }
    p->unexpected += (status != KNHK_OK) != step->breaks_range;
}

/* What changed, without the trees of classes. */
static void describe(struct era *era, const knhk_change_t *change)
{
    size_t len = 0;
    if (change->version == 1) {
        snprintf(era->change, sizeof era->change, "the first limits");
        return;
    }
    for (size_t i = 0; i < change->differences_len && len < sizeof era->change; i++) {
        const knhk_difference_t *d = &change->differences[i];
        len += (size_t)snprintf(era->change + len, sizeof era->change - len, "%s%s %s → %s", i ? ", " : "", d->path,
                                d->before ? d->before : "nothing", d->after ? d->after : "nothing");
    }
}

struct era *era_of(struct program *p, uint64_t epoch)
{
    for (size_t i = p->era_count; i-- > 0;)
        if (p->eras[i].epoch <= epoch)
            return &p->eras[i];
    return NULL;
}

/* Called on the engine's warm thread. */
static void changed(void *program, const knhk_change_t *change)
{
    struct program *p = program;
    pthread_mutex_lock(&p->eras_lock);
    struct era *era = era_of(p, change->epoch);
    if (era)
        describe(era, change);
    p->announced++;
    pthread_cond_broadcast(&p->announcement);
    pthread_mutex_unlock(&p->eras_lock);
    if (change->version > 1)
        report_event(p, change->rollback_of ? "↶" : "●", change->summary);
}

void wait_announced(struct program *p)
{
    pthread_mutex_lock(&p->eras_lock);
    while (p->announced < (int)p->era_count)
        pthread_cond_wait(&p->announcement, &p->eras_lock);
    pthread_mutex_unlock(&p->eras_lock);
}

void open_limits(struct program *p)
{
    knhk_change_callback_t callback = {.struct_size = sizeof callback, .ctx = p, .changed = changed};
    uint64_t subscription;
    knhk_error_t *error = NULL;
    if (knhk_subscribe(p->engine, &callback, &subscription, &error))
        die("subscribe", knhk_error_message(error));
    take(p, &plan[0]);
    if (p->refused)
        die("promote", p->refusal);
}

void *operator_thread(void *program)
{
    struct program *p = program;
    struct pollfd stop = {.fd = p->stop, .events = POLLIN};
    knhk_reader_t *reader;
    knhk_error_t *error = NULL;
    if (knhk_reader_register(p->engine, &reader, &error))
        die("reader", knhk_error_message(error));
    p->decision_ns = HUGE_VAL;
    for (int step = 1; step <= STEPS; step++) {
        int64_t at = (int64_t)p->begun_ns + (int64_t)(p->seconds * 1e9 * step / (STEPS + 1));
        int64_t wait = at - (int64_t)now_ns();
        if (wait > 0 && poll(&stop, 1, (int)(wait / 1000000)) > 0)
            break;
        double ns = measure_decision(reader, &p->keys);
        if (ns < p->decision_ns)
            p->decision_ns = ns;
        if (step < STEPS)
            take(p, &plan[step]);
    }
    knhk_reader_unregister(reader, NULL);
    return NULL;
}
