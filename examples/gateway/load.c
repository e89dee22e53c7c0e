/* The clients: an open loop. Requests come as a Poisson process whose rate is the script's, whether or not earlier ones were answered, and
 * a latency counts from the moment at which its request was due, so that a stall here or there is not left out.
 *
 * A request is `id priority`; its answer `id ok answer`, `id refused` or `id failed`. */
#define _GNU_SOURCE
#include "gateway.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { REQUESTS = 1 << 19, GRACE_MS = 2000 };

static const double LOW = 0.15; /* the share of requests that can wait */

static struct shared *shared;
static struct {
    double due; /* seconds since the beginning */
    bool open;
} requests[REQUESTS];
static uint64_t sent, ended;

static struct bin *bin_of(double due)
{
    int bin = (int)(due * 1000 / BIN_MS);
    return &shared->bins[bin < BINS ? bin : BINS - 1];
}

static void end(uint64_t id, enum ending how, double latency_ms)
{
    struct bin *bin = bin_of(requests[id].due);
    requests[id].open = false;
    ended++;
    atomic_fetch_add_explicit(&bin->ended[how], 1, memory_order_relaxed);
    if (how == SUCCEEDED || how == LATE)
        atomic_fetch_add_explicit(&bin->latency[latency_bucket(latency_ms)], 1, memory_order_relaxed);
}

static void answered(void *ctx, char *text)
{
    (void)ctx;
    char *at;
    uint64_t id = strtoull(text, &at, 10);
    if (id >= sent || !requests[id].open)
        die("load", "an answer that nobody asked for");
    double latency_ms = (since(atomic_load(&shared->begun_ns)) - requests[id].due) * 1e3;
    if (!strncmp(at, " ok ", 4)) {
        bool right = strtoull(at + 4, NULL, 16) == right_answer(id);
        end(id, !right ? WRONG : latency_ms <= DEADLINE_MS ? SUCCEEDED : LATE, latency_ms);
    } else {
        end(id, !strcmp(at, " refused") ? REFUSED : FAILED, latency_ms);
    }
}

static void arm(int timer, uint64_t at_ns)
{
    struct itimerspec at = {.it_value = {(time_t)(at_ns / 1000000000u), (long)(at_ns % 1000000000u)}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
}

/* When the request after the one at `due` is due. */
static double next_due(double due)
{
    const struct script *script = &shared->script;
    return due - log(1 - script_draw(script->seed, 1000, sent)) / script_rate(script, due);
}

void load_run(struct shared *with, int ready, int go)
{
    shared = with;
    const struct script *script = &shared->script;
    static struct lines lines[CONNECTIONS];
    int sockets[CONNECTIONS], epoll = epoll_create1(EPOLL_CLOEXEC), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (epoll < 0 || timer < 0)
        die("load", strerror(errno));
    epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &(struct epoll_event){.events = EPOLLIN, .data.u32 = CONNECTIONS});
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        sockets[i] = connect_to(shared->front_port);
        epoll_ctl(epoll, EPOLL_CTL_ADD, sockets[i], &(struct epoll_event){.events = EPOLLIN, .data.u32 = i});
    }
    char byte = 1;
    if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
        exit(EXIT_FAILURE);

    uint64_t begun = atomic_load(&shared->begun_ns);
    double due = next_due(0);
    bool over = false;
    while (!over) {
        arm(timer, begun + (uint64_t)((due < script->seconds ? due : script->seconds + GRACE_MS / 1e3) * 1e9));
        struct epoll_event events[16];
        int n = epoll_wait(epoll, events, 16, -1);
        for (int i = 0; i < n; i++) {
            uint32_t which = events[i].data.u32;
            if (which == CONNECTIONS) {
                uint64_t expired;
                (void)!read(timer, &expired, sizeof expired);
            } else if (!read_lines(sockets[which], &lines[which], answered, NULL)) {
                die("load", "the gateway hung up");
            }
        }
        double now = since(begun);
        for (; due < script->seconds && due <= now; due = next_due(due)) {
            if (sent == REQUESTS)
                die("load", "more requests than there is room for");
            char text[LINE];
            bool low = script_draw(script->seed, 1001, sent) < LOW;
            int len = snprintf(text, sizeof text, "%" PRIu64 " %s\n", sent, low ? "low" : "normal");
            requests[sent].due = due;
            requests[sent].open = true;
            atomic_fetch_add_explicit(&bin_of(due)->sent, 1, memory_order_relaxed);
            send_line(sockets[sent++ % CONNECTIONS], text, (size_t)len);
        }
        over = due >= script->seconds && (ended == sent || now >= script->seconds + GRACE_MS / 1e3);
    }
    for (uint64_t id = 0; id < sent; id++)
        if (requests[id].open)
            end(id, LOST, 0);
    atomic_store(&shared->load_over, 1);
    exit(EXIT_SUCCESS);
}
