/* The upstreams: each a thread that works on SERVERS requests at once, as the script says, and has more of them wait in turn.
 *
 * A request is `id`; its answer `id ok answer`, or `id error`. Working is waiting here: no processor time goes into it. */
#define _GNU_SOURCE
#include "gateway.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { PEERS = WORKERS + 8, JOBS = 1 << 16 };

struct peer {
    struct upstream *of;
    struct lines lines;
    int socket;
};

struct work {
    struct peer *peer;
    uint64_t id, done_ns;
    bool error;
};

struct upstream {
    struct shared *shared;
    int number, listener, epoll, timer, busy, peer_count;
    struct peer peers[PEERS];
    struct work at_work[SERVERS];
    struct work queue[JOBS];
    unsigned first, waiting;
};

static void set_timer(struct upstream *u)
{
    uint64_t next = 0;
    for (int i = 0; i < u->busy; i++)
        next = next == 0 || u->at_work[i].done_ns < next ? u->at_work[i].done_ns : next;
    struct itimerspec at = {.it_value = {(time_t)(next / 1000000000u), (long)(next % 1000000000u)}};
    timerfd_settime(u->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

/* Gives work to whoever of the servers is free. */
static void begin_work(struct upstream *u)
{
    while (u->busy < SERVERS && u->waiting > 0) {
        struct work work = u->queue[u->first % JOBS];
        uint64_t begun = atomic_load(&u->shared->begun_ns), now = now_ns();
        double at = begun ? ((double)now - (double)begun) / 1e9 : -1;
        double service = script_service(&u->shared->script, u->number, work.id, at, &work.error);
        work.done_ns = now + (uint64_t)(service * 1e9);
        u->first++;
        u->waiting--;
        u->at_work[u->busy++] = work;
    }
}

static void end_work(struct upstream *u)
{
    uint64_t now = now_ns();
    for (int i = 0; i < u->busy;) {
        struct work *work = &u->at_work[i];
        if (work->done_ns > now) {
            i++;
            continue;
        }
        char text[LINE];
        int len = work->error ? snprintf(text, sizeof text, "%" PRIu64 " error\n", work->id)
                              : snprintf(text, sizeof text, "%" PRIu64 " ok %016" PRIx64 "\n", work->id, right_answer(work->id));
        if (work->peer->socket >= 0)
            send_line(work->peer->socket, text, (size_t)len);
        atomic_fetch_add_explicit(work->error ? &u->shared->erred[u->number] : &u->shared->worked[u->number], 1, memory_order_relaxed);
        *work = u->at_work[--u->busy];
    }
}

static void request(void *ctx, char *text)
{
    struct peer *peer = ctx;
    struct upstream *u = peer->of;
    if (u->waiting == JOBS)
        die("upstream", "more requests wait than there can be");
    u->queue[(u->first + u->waiting++) % JOBS] = (struct work){.peer = peer, .id = strtoull(text, NULL, 10)};
    atomic_fetch_add_explicit(&u->shared->asked[u->number], 1, memory_order_relaxed);
}

static void *upstream_thread(void *argument)
{
    struct upstream *u = argument;
    for (;;) {
        struct epoll_event events[64];
        int n = epoll_wait(u->epoll, events, 64, -1);
        for (int i = 0; i < n; i++) {
            struct peer *peer = events[i].data.ptr;
            if (peer == NULL) {
                uint64_t expired;
                (void)!read(u->timer, &expired, sizeof expired);
            } else if (peer->socket == u->listener) {
                int accepted = accept4(u->listener, NULL, NULL, SOCK_CLOEXEC);
                if (accepted < 0 || u->peer_count == PEERS)
                    die("upstream", "cannot take a connection");
                struct peer *new = &u->peers[u->peer_count++];
                *new = (struct peer){.of = u, .socket = accepted};
                no_delay(accepted);
                epoll_ctl(u->epoll, EPOLL_CTL_ADD, accepted, &(struct epoll_event){.events = EPOLLIN, .data.ptr = new});
            } else if (!read_lines(peer->socket, &peer->lines, request, peer)) {
                close(peer->socket);
                peer->socket = -1; /* what it asked for is worked on all the same */
            }
        }
        end_work(u);
        begin_work(u);
        set_timer(u);
    }
    return NULL;
}

void upstreams_run(struct shared *shared, const int *listeners, int ready, int go)
{
    static struct upstream all[UPSTREAMS];
    static struct peer listening[UPSTREAMS];
    pthread_t threads[UPSTREAMS];
    for (int i = 0; i < UPSTREAMS; i++) {
        struct upstream *u = &all[i];
        u->shared = shared;
        u->number = i;
        u->listener = listening[i].socket = listeners[i];
        u->epoll = epoll_create1(EPOLL_CLOEXEC);
        u->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
        if (u->epoll < 0 || u->timer < 0)
            die("upstream", strerror(errno));
        epoll_ctl(u->epoll, EPOLL_CTL_ADD, u->timer, &(struct epoll_event){.events = EPOLLIN, .data.ptr = NULL});
        epoll_ctl(u->epoll, EPOLL_CTL_ADD, u->listener, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &listening[i]});
        if (pthread_create(&threads[i], NULL, upstream_thread, u))
            die("upstream", "no thread");
    }
    char byte = 1;
    if (write(ready, &byte, 1) != 1)
        die("upstream", strerror(errno));
    close(go);
    for (;;)
        pause(); /* until the parent ends it, or is gone */
}
