/* Admission: worker threads admit orders on limits that they read for every order, while an operator changes the limits.
 *
 *   decide.c    the decision: what a program does with KNHK on its hot path, through the generated keys of orders_keys.h
 *   operator.c  the documents: promoted, refused, rolled back
 *   server.c    worker threads that answer orders over TCP
 *   client.c    threads that send orders and check the answers
 *   auditor.c   drains the observations and decides each again, from the limits that were in force
 *   report.c    figures while it runs, and the summary
 */
#ifndef ADMISSION_H
#define ADMISSION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <knhk.h>

#include "orders_keys.h"

enum { WORKERS = 2, CLIENTS = 2, CONNECTIONS = 4, VENUES = 4, TENANTS = 4, ERAS = 16, LINE = 80 };

enum verdict { ACCEPTED, CLOSED, VENUE, QUANTITY, TENANT, PRICE, VERDICTS };

extern const char *const verdict_names[VERDICTS];
extern const char *const venue_names[VENUES];   /* the last one trades in the dark */
extern const char *const tenant_names[TENANTS]; /* the last one has no limit of its own */

/* What a document says, as the auditor knows it. */
struct limits {
    bool open;
    int64_t max_qty;
    int64_t tenant[TENANTS - 1];
    bool dark_tradable;
    int64_t price_low, price_high;
};

struct order {
    uint64_t id;
    const char *tenant;
    size_t tenant_len;
    int venue; /* an index of venue_names, or -1 */
    int64_t qty, price;
};

/* Interned once; valid for the engine's life. `of` is generated (knhk codegen): a misspelt key, or one that was retyped, does not compile. */
struct keys {
    orders_keys_t of;
    knhk_typed_class_t venue[VENUES];
};

/* The time between two of the operator's changes. */
struct era {
    struct limits limits;
    uint64_t epoch, version, rollback_of;
    const char *by, *why;
    char change[160]; /* in words, as announced */
    uint64_t called_ns, returned_ns; /* around the promotion */
    uint64_t first_ns;               /* the first decision under it */
    uint64_t swap_ns;                /* what publishing it took */
    uint64_t decisions, verdicts[VERDICTS];
};

/* What one thread counts; each thread has its own, on its own cache lines. */
struct tally {
    _Alignas(128) atomic_uint_fast64_t orders; /* decided, or sent */
    atomic_uint_fast64_t answered;
    atomic_uint_fast64_t verdicts[VERDICTS];
    uint64_t stale;      /* decisions on limits older than the last acknowledged change */
    uint64_t malformed;  /* lines that are no order */
    uint64_t backwards;  /* answers from an older generation than the answer before them */
    uint64_t lost;       /* orders without their answer */
    uint64_t longest_ns; /* the longest decision, the scheduler's share included */
};

struct program {
    knhk_engine_t *engine;
    struct keys keys;
    double seconds;
    bool json, terminal;
    uint16_t port;
    uint64_t begun_ns, ended_ns;
    int stop; /* an eventfd, readable once the program ends */

    /* The newest generation whose promotion has returned. */
    atomic_uint_fast64_t acknowledged;

    /* Held while a promotion runs, so that whoever meets an unknown generation waits for its entry. */
    pthread_mutex_t eras_lock;
    pthread_cond_t announcement;
    struct era eras[ERAS];
    size_t era_count;
    char refusal[512];
    int refused, unexpected; /* documents refused; calls that went otherwise than planned */
    int announced;           /* changes that the subscription heard of */
    double decision_ns;      /* the least that a decision cost, measured between the changes */

    struct tally workers[WORKERS], clients[CLIENTS];
    uint64_t drained, contradicted; /* observations, and those that another verdict would have been right for */
    knhk_stats_t stats;
};

/* Ends the program, naming what failed. */
_Noreturn void die(const char *what, const char *why);
uint64_t now_ns(void);

void intern_keys(knhk_engine_t *engine, struct keys *keys);
enum verdict decide(knhk_view_t view, const struct keys *keys, const struct order *order);
double measure_decision(knhk_reader_t *reader, const struct keys *keys);

void open_limits(struct program *p); /* the first document */
void *operator_thread(void *program);
void wait_announced(struct program *p); /* until the subscription has heard of every change */
struct era *era_of(struct program *p, uint64_t epoch); /* with eras_lock held; NULL when there is none */

void server_start(struct program *p);
void server_stop(struct program *p);
void clients_start(struct program *p);
void clients_join(struct program *p);
void *auditor_thread(void *program);

void report_live(struct program *p);
void report_event(const struct program *p, const char *mark, const char *text);
int report_summary(struct program *p); /* the exit code */

#endif
