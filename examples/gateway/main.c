/* A run: the upstreams and the clients as processes of their own, the gateway in this one. See ../../docs/demo.md. */
#define _GNU_SOURCE
#include "gateway.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { GRACE_S = 60 };

const char *const arm_names[] = {"static", "adaptive", "loop"};
const char *const ending_names[ENDINGS] = {"succeeded", "late", "refused", "failed", "wrong", "lost"};

static const char *ontology = "examples/gateway/gateway.ttl";

static _Noreturn void usage(void)
{
    fprintf(stderr, "usage: gateway [--arm static|adaptive|loop] [--seed N] [--scale 0.02 … 1] [--clean] [--quiet]\n"
                    "               [--folder PATH] [--out FILE] [--ontology FILE]\n");
    exit(2);
}

static void read_arguments(struct run *run, struct script *script, int argc, char **argv)
{
    double scale = 1;
    uint64_t seed = 1;
    bool clean = false;
    run->folder = ":memory:";
    run->arm = LOOP;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        char *end = "";
        if (!strcmp(argv[i], "--clean")) {
            clean = true;
            continue;
        } else if (!strcmp(argv[i], "--quiet")) {
            run->quiet = true;
            continue;
        } else if (!value) {
            usage();
        } else if (!strcmp(argv[i], "--arm")) {
            for (run->arm = STATIC; run->arm <= LOOP && strcmp(arm_names[run->arm], value); run->arm++)
                ;
        } else if (!strcmp(argv[i], "--seed")) {
            seed = strtoull(value, &end, 10);
        } else if (!strcmp(argv[i], "--scale")) {
            scale = strtod(value, &end);
        } else if (!strcmp(argv[i], "--folder")) {
            run->folder = value;
        } else if (!strcmp(argv[i], "--out")) {
            run->out = value;
        } else if (!strcmp(argv[i], "--ontology")) {
            ontology = value;
        } else {
            usage();
        }
        if (*end || run->arm > LOOP || !(scale >= 0.02 && scale <= 1))
            usage();
        i++;
    }
    run->terminal = !run->quiet && isatty(STDOUT_FILENO);
    script_make(script, seed, scale, clean);
}

/* A child that does not outlive this process. */
static pid_t child(void)
{
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        die("fork", strerror(errno));
    if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent))
        exit(EXIT_FAILURE);
    return pid;
}

static void wait_ready(int ready, int children)
{
    for (char byte; children > 0; children--)
        if (read(ready, &byte, 1) != 1)
            die("start", "a child process ended before it was ready");
}

struct sample sample_now(struct run *run, double at)
{
    const struct keys *keys = &run->limits.keys;
    struct sample now = {.at = at, .in_flight = atomic_load(&run->gateway.in_flight)};
    knhk_view_t view = knhk_read_begin(run->reader);
    now.limit = (double)knhk_get_i64(view, keys->limit, 0);
    now.shed_low = knhk_get_f64(view, keys->shed_low, 0);
    now.timeout_ms = (double)knhk_get_i64(view, keys->timeout_ms, 0);
    for (int i = 0; i < UPSTREAMS; i++)
        now.weight[i] = (double)knhk_get_i64(view, keys->weight[i], 0);
    knhk_read_end(run->reader, view);
    if (run->arm == ADAPTIVE)
        knhk_policy_figure(run->limits.adaptive, "limit", &now.limit, NULL);
    for (int i = 0; i < UPSTREAMS; i++)
        now.breakers |= knhk_policy_state(run->limits.breaker[i]) == KNHK_BREAKER_CLOSED ? 0 : 1u << i;
    return now;
}

/* Samples and shows how it goes, until all requests have ended. */
static void follow(struct run *run)
{
    uint64_t begun = atomic_load(&run->shared->begun_ns);
    for (int tick = 1; !atomic_load(&run->shared->load_over); tick++) {
        uint64_t due = begun + (uint64_t)tick * BIN_MS * 1000000u;
        struct timespec until = {(time_t)(due / 1000000000u), (long)(due % 1000000000u)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        double at = since(begun);
        if (run->sample_count < BINS)
            run->samples[run->sample_count++] = sample_now(run, at);
        view_tick(run, at);
        if (at > run->shared->script.seconds + GRACE_S)
            die("load", "the clients do not come to an end");
    }
}

int main(int argc, char **argv)
{
    static struct run running;
    struct run *run = &running;
    struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int ready[2], go[2], listeners[UPSTREAMS], status;
    knhk_error_t *err = NULL;
    if (shared == MAP_FAILED || pipe(ready) || pipe(go))
        die("start", strerror(errno));
    read_arguments(run, &shared->script, argc, argv);
    signal(SIGPIPE, SIG_IGN);

    run->shared = shared;
    run->gateway.shared = shared;
    run->gateway.limits = &run->limits;
    run->gateway.arm = run->arm;
    run->gateway.listener = listen_on_loopback(&shared->front_port);
    for (int i = 0; i < UPSTREAMS; i++)
        listeners[i] = listen_on_loopback(&shared->upstream_port[i]);
    pid_t upstreams = child();
    if (upstreams == 0)
        upstreams_run(shared, listeners, ready[1], go[0]);
    pid_t load = child();
    if (load == 0)
        load_run(shared, ready[1], go[0]);
    close(ready[1]);
    close(go[0]);
    for (int i = 0; i < UPSTREAMS; i++)
        close(listeners[i]);

    limits_open(&run->limits, run->folder, ontology, run->arm);
    check(knhk_reader_register(run->limits.engine, &run->reader, &err), &err, "reader");
    gateway_start(&run->gateway);
    record_changes(run);
    if (run->arm == LOOP)
        loop_start(run);
    wait_ready(ready[0], 2);
    view_begin(run);

    struct timespec real;
    clock_gettime(CLOCK_REALTIME, &real);
    run->begun_real_ns = (uint64_t)real.tv_sec * 1000000000u + (uint64_t)real.tv_nsec;
    atomic_store(&shared->begun_ns, now_ns());
    if (write(go[1], "", 1) != 1)
        die("start", strerror(errno));
    follow(run);

    if (waitpid(load, &status, 0) != load || status != 0)
        die("load", "the clients failed");
    gateway_stop(&run->gateway);
    if (run->arm == LOOP)
        loop_stop(run);
    kill(upstreams, SIGKILL);
    waitpid(upstreams, &status, 0);
    check(knhk_observations_flush(run->limits.engine, &err), &err, "observations");
    int code = view_summary(run);
    record_write(run);
    knhk_reader_unregister(run->reader, NULL);
    limits_close(&run->limits);
    return code;
}
