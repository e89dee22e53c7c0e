/* The front: one thread reads requests, admits or refuses each at once, and hands it to the workers. */
#define _GNU_SOURCE
#include "gateway.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct front {
    struct gateway *gateway;
    knhk_reader_t *reader;
    struct client *client; /* whose line is read */
    struct client clients[CONNECTIONS + 8];
    int count, open;
};

void answer(struct client *client, const char *text, size_t len)
{
    pthread_mutex_lock(&client->lock);
    if (client->socket >= 0)
        send_line(client->socket, text, len);
    pthread_mutex_unlock(&client->lock);
}

static void enqueue(struct gateway *g, const struct job *job)
{
    pthread_mutex_lock(&g->lock);
    if (g->waiting == WORKERS)
        die("front", "more requests were admitted than there are workers");
    g->queue[(g->first + g->waiting++) % WORKERS] = *job;
    pthread_cond_signal(&g->work);
    pthread_mutex_unlock(&g->lock);
}

/* Admits a request or refuses it: load shedding first, then the limit on requests at once. */
static void request(void *ctx, char *text)
{
    struct front *front = ctx;
    struct gateway *g = front->gateway;
    const struct limits *limits = g->limits;
    char *at;
    struct job job = {.client = front->client, .id = strtoull(text, &at, 10), .arrived_ns = now_ns()};
    knhk_attempt_t attempt = {.struct_size = sizeof attempt, .priority = strcmp(at, " low") ? KNHK_PRIORITY_HIGH : KNHK_PRIORITY_LOW};
    unsigned in_flight = atomic_load_explicit(&g->in_flight, memory_order_relaxed);
    knhk_view_t view = knhk_read_begin(front->reader);
    double limit = (double)knhk_get_i64(view, limits->keys.limit, 1);
    if (g->arm == ADAPTIVE)
        knhk_policy_figure(limits->adaptive, "limit", &limit, NULL);
    knhk_policy_load(limits->shedder, in_flight / limit, NULL);
    bool admitted = knhk_policy_enter(limits->front, &attempt, &job.permit, NULL, NULL) == KNHK_OK;
    if (!knhk_observe_i64(front->reader, view, limits->keys.limit, in_flight, admitted ? KNHK_SUCCESS : KNHK_REJECTED))
        atomic_fetch_add(&g->unobserved, 1);
    knhk_read_end(front->reader, view);

    atomic_fetch_add_explicit(&g->received, 1, memory_order_relaxed);
    if (admitted) {
        atomic_fetch_add_explicit(&g->admitted, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&g->in_flight, 1, memory_order_relaxed);
        enqueue(g, &job);
    } else {
        char line[LINE];
        int len = snprintf(line, sizeof line, "%" PRIu64 " refused\n", job.id);
        atomic_fetch_add_explicit(&g->refused, 1, memory_order_relaxed);
        answer(job.client, line, (size_t)len);
    }
}

static void accept_client(struct front *front, int epoll)
{
    int socket = accept4(front->gateway->listener, NULL, NULL, SOCK_CLOEXEC);
    if (socket < 0)
        return;
    if (front->count == CONNECTIONS + 8) {
        close(socket);
        return;
    }
    struct client *client = &front->clients[front->count++];
    front->open++;
    client->socket = socket;
    pthread_mutex_init(&client->lock, NULL);
    no_delay(socket);
    epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &(struct epoll_event){.events = EPOLLIN, .data.ptr = client});
}

static void hang_up(struct front *front, struct client *client)
{
    pthread_mutex_lock(&client->lock);
    close(client->socket);
    client->socket = -1;
    pthread_mutex_unlock(&client->lock);
    front->open--;
}

static void *front_thread(void *argument)
{
    static struct front front;
    static char listening, stopping;
    struct gateway *g = front.gateway = argument;
    knhk_error_t *err = NULL;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        die("front", strerror(errno));
    check(knhk_reader_register(g->limits->engine, &front.reader, &err), &err, "reader");
    epoll_ctl(epoll, EPOLL_CTL_ADD, g->listener, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &listening});
    epoll_ctl(epoll, EPOLL_CTL_ADD, g->stop, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &stopping});
    /* Whatever clients sent before they hung up is read before this ends. */
    for (bool stops = false; !stops || front.open > 0;) {
        struct epoll_event events[32];
        int n = epoll_wait(epoll, events, 32, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == &stopping) {
                stops = true;
                epoll_ctl(epoll, EPOLL_CTL_DEL, g->stop, NULL);
            } else if (events[i].data.ptr == &listening) {
                accept_client(&front, epoll);
            } else {
                front.client = events[i].data.ptr;
                if (!read_lines(front.client->socket, &front.client->lines, request, &front))
                    hang_up(&front, front.client);
            }
        }
    }
    knhk_reader_unregister(front.reader, NULL);
    close(epoll);
    return NULL;
}

void gateway_start(struct gateway *g)
{
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->work, NULL);
    g->stop = eventfd(0, EFD_CLOEXEC);
    if (g->stop < 0 || pthread_create(&g->front, NULL, front_thread, g))
        die("gateway", "no front");
    for (int i = 0; i < WORKERS; i++)
        if (pthread_create(&g->workers[i], NULL, worker_thread, g))
            die("gateway", "no worker");
}

/* Ends the front once its clients have hung up, and the workers once they have answered what was admitted. */
void gateway_stop(struct gateway *g)
{
    if (eventfd_write(g->stop, 1))
        die("gateway", strerror(errno));
    pthread_join(g->front, NULL);
    close(g->stop);
    pthread_mutex_lock(&g->lock);
    g->closing = true;
    pthread_cond_broadcast(&g->work);
    pthread_mutex_unlock(&g->lock);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(g->workers[i], NULL);
}
