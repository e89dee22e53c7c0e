/* A request gateway whose limits are KNHK's: under load, with faults, with and without the loop that teaches it its limits.
 *
 *   script.c    what happens when: the load, the faults, the upstreams' service times, all from one seed
 *   net.c       sockets and lines of text
 *   upstream.c  three upstreams, in a process of their own
 *   load.c      the clients, in a process of their own: an open loop, requests come whether or not answers do
 *   limits.c    the engine, the sector and the policies
 *   front.c     takes requests in, and admits or refuses each
 *   worker.c    threads that ask an upstream, wait for it, and answer
 *   loop.c      the third arm: has the loop watch, propose and promote
 *   view.c      what people see while it runs
 *   record.c    what is left of a run, as JSON, for the report
 */
#ifndef GATEWAY_H
#define GATEWAY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <knhk.h>

enum {
    UPSTREAMS = 3,
    SERVERS = 24,      /* requests that an upstream works on at once; more wait in its queue */
    WORKERS = 96,      /* threads of the gateway; a request holds one until it is answered */
    CONNECTIONS = 8,   /* of the clients */
    DEADLINE_MS = 500, /* of the clients: an answer after it is of no use */
    BIN_MS = 250,
    BINS = 1024,
    BUCKETS = 96, /* of latencies: eight for each doubling, from 0.25 ms on */
    LINE = 96,
    CHANGES = 64,
};

enum arm { STATIC, ADAPTIVE, LOOP };

enum ending { SUCCEEDED, LATE, REFUSED, FAILED, WRONG, LOST, ENDINGS };

extern const char *const arm_names[];
extern const char *const ending_names[ENDINGS];
extern const char *const upstream_names[UPSTREAMS];

/* ---- script.c */

enum fault_kind { SLOW, SPIKE, ERRORS, FAULTS };

/* A fault, in seconds since the script's beginning. */
struct fault {
    enum fault_kind kind;
    double from, to, size; /* milliseconds more, times the load, share of the calls */
    unsigned upstreams;    /* whose it is: a bit each */
    const char *name, *what;
};

struct script {
    uint64_t seed;
    double seconds, scale; /* how long it takes, and its length as a share of the full one */
    bool clean;            /* without faults */
    struct fault faults[FAULTS];
};

void script_make(struct script *script, uint64_t seed, double scale, bool clean);
bool script_is_on(const struct script *script, enum fault_kind kind, double at);
double script_rate(const struct script *script, double at);
/* What an upstream needs for a request, in seconds, and whether it answers with an error. */
double script_service(const struct script *script, int upstream, uint64_t id, double at, bool *error);
/* A number from 0 to below 1 that belongs to these three. */
double script_draw(uint64_t seed, uint64_t what, uint64_t id);
/* The only right answer to a request. */
uint64_t right_answer(uint64_t id);

/* ---- What the processes share */

struct bin {
    atomic_uint ended[ENDINGS], sent;
    atomic_uint latency[BUCKETS]; /* of those that succeeded or were late */
};

struct shared {
    struct script script;
    atomic_ulong begun_ns; /* the script's beginning, by the monotonic clock */
    uint16_t upstream_port[UPSTREAMS], front_port;
    struct bin bins[BINS]; /* by when a request was due to be sent */
    atomic_ulong asked[UPSTREAMS], worked[UPSTREAMS], erred[UPSTREAMS]; /* the upstreams' own counts */
    atomic_int load_over;
};

int latency_bucket(double ms);
double bucket_ms(int bucket); /* its upper end */
double bins_quantile(const struct shared *shared, int from, int to, double quantile);
uint64_t bins_sum(const struct shared *shared, int from, int to, enum ending ending);
uint64_t bins_sent(const struct shared *shared, int from, int to);

/* ---- net.c */

struct lines { /* what was read of a socket, up to the last whole line */
    char text[4096];
    size_t len;
};

_Noreturn void die(const char *what, const char *why);
uint64_t now_ns(void);           /* the monotonic clock */
double since(uint64_t begun_ns); /* seconds */
int listen_on_loopback(uint16_t *port);
int connect_to(uint16_t port);
void no_delay(int socket);
void send_line(int socket, const char *text, size_t len);
/* Calls back for each whole line, without its newline. Reads once; false at the end of the connection or where a line is too long. */
bool read_lines(int socket, struct lines *lines, void (*line)(void *ctx, char *text), void *ctx);

/* ---- upstream.c, load.c: bodies of child processes. `ready`: written to once they can work; `go`: readable at the beginning. */

_Noreturn void upstreams_run(struct shared *shared, const int *listeners, int ready, int go);
_Noreturn void load_run(struct shared *shared, int ready, int go);

/* ---- limits.c */

/* What the program reads on its hot path; interned once. */
struct keys {
    knhk_key_t limit, shed_low, timeout_ms, slow_ms;
    knhk_key_t weight[UPSTREAMS], full_weight[UPSTREAMS], answered;
};

struct limits {
    knhk_engine_t *engine;
    knhk_scope_t *scope;
    struct keys keys;
    knhk_policy_t *shedder, *bulkhead, *adaptive, *front; /* `front`: what admits requests in this arm */
    knhk_policy_t *breaker[UPSTREAMS], *budget, *retry;
};

void limits_open(struct limits *limits, const char *folder, const char *ontology, enum arm arm);
void limits_close(struct limits *limits);
/* A verb of docs/governance.md and docs/loop.md; dies where it fails. The caller frees the answer. */
knhk_buffer_t *govern(struct limits *limits, const char *verb, const char *request);
void check(knhk_status_t status, knhk_error_t **err, const char *what);

/* ---- front.c, worker.c */

struct client {
    struct lines lines;
    pthread_mutex_t lock;
    int socket;
};

struct job { /* an admitted request */
    struct client *client;
    uint64_t id, arrived_ns;
    knhk_permit_t permit;
};

struct gateway {
    struct limits *limits;
    struct shared *shared;
    enum arm arm;
    int listener, stop; /* `stop`: an eventfd, readable once it is over */
    atomic_uint in_flight;
    atomic_ulong received, admitted, refused, answered, failed, calls[UPSTREAMS], timeouts, retries, unobserved;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct job queue[WORKERS];
    unsigned first, waiting;
    bool closing;
    pthread_t front, workers[WORKERS];
};

void gateway_start(struct gateway *gateway);
void gateway_stop(struct gateway *gateway);
void *worker_thread(void *gateway);
void answer(struct client *client, const char *text, size_t len);

/* ---- loop.c, view.c, record.c */

/* The parameters' values at a moment, and what is under way. */
struct sample {
    double at;
    double limit, shed_low, timeout_ms, weight[UPSTREAMS];
    unsigned in_flight, breakers; /* `breakers`: a bit for each one that is not closed */
};

/* A change of the sector. */
struct change {
    double at;
    uint64_t version;
    char by[64], text[200];
};

struct run {
    struct limits limits;
    struct gateway gateway;
    struct shared *shared;
    enum arm arm;
    const char *folder, *out;
    bool terminal, quiet;
    knhk_reader_t *reader; /* the main thread's */
    uint64_t begun_real_ns; /* the beginning, in nanoseconds since 1970 */
    struct sample samples[BINS];
    int sample_count;
    pthread_mutex_t lock;
    struct change changes[CHANGES];
    int change_count;
};

void loop_start(struct run *run);
void loop_stop(struct run *run);
struct sample sample_now(struct run *run, double at);
void view_begin(struct run *run);
void view_tick(struct run *run, double at);
int view_summary(struct run *run); /* the exit code */
void record_changes(struct run *run); /* from now on */
void record_write(struct run *run);

#endif
