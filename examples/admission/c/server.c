/* The server: worker threads, each with its own epoll set and its own reader, that answer orders line by line.
 *
 * An order is `id tenant venue quantity price`, at most 79 characters and a newline; its answer is `id verdict generation`. A line
 * that is no order, or is longer, ends the connection. */
#define _GNU_SOURCE
#include "admission.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IN = 4096, OUT = 8192, ANSWER = 64, RING = 1 << 17 };

struct peer {
    struct peer *next, **link; /* in the list of open connections */
    int socket;
    size_t in_len, out_len, out_sent;
    char in[IN], out[OUT];
};

static struct worker {
    struct program *program;
    int number, epoll;
    pthread_t thread;
} workers[WORKERS];

static int listener = -1, closing = -1, next_worker;
static struct peer stop_mark, listen_mark; /* tell these two from connections in an epoll set */
static struct peer *peers;
static pthread_mutex_t peers_lock = PTHREAD_MUTEX_INITIALIZER;

/* Reads a decimal of at most 18 digits that ends at `end`. */
static bool number(const char **at, const char *end, char until, uint64_t *out)
{
    const char *p = *at;
    uint64_t n = 0;
    while (p < end && p - *at < 18 && *p >= '0' && *p <= '9')
        n = n * 10 + (uint64_t)(*p++ - '0');
    if (p == *at || (until ? p == end || *p != until : p != end))
        return false;
    *at = p + (until ? 1 : 0);
    *out = n;
    return true;
}

static bool word(const char **at, const char *end, const char **out, size_t *len)
{
    const char *space = memchr(*at, ' ', (size_t)(end - *at));
    if (!space || space == *at)
        return false;
    *out = *at;
    *len = (size_t)(space - *at);
    *at = space + 1;
    return true;
}

static bool parse(const char *at, const char *end, struct order *order)
{
    const char *venue;
    size_t venue_len;
    uint64_t qty, price;
    if (!number(&at, end, ' ', &order->id) || !word(&at, end, &order->tenant, &order->tenant_len) ||
        !word(&at, end, &venue, &venue_len) || !number(&at, end, ' ', &qty) || !number(&at, end, 0, &price))
        return false;
    order->qty = (int64_t)qty;
    order->price = (int64_t)price;
    order->venue = -1;
    for (int i = 0; i < VENUES; i++)
        if (strlen(venue_names[i]) == venue_len && !memcmp(venue_names[i], venue, venue_len))
            order->venue = i;
    return true;
}

/* What the auditor needs to decide again: tenant, venue and price, beside the quantity that is the observation's value. */
static uint64_t detail_of(const struct order *order, enum verdict verdict)
{
    unsigned tenant = 0;
    while (tenant < TENANTS && (strlen(tenant_names[tenant]) != order->tenant_len ||
                                memcmp(tenant_names[tenant], order->tenant, order->tenant_len)))
        tenant++;
    return (uint64_t)order->price << 24 | (uint64_t)tenant << 16 | (uint64_t)(uint8_t)order->venue << 8 | verdict;
}

/* Decides one order and observes it: the program's hot path. Returns the time at its end. */
static uint64_t admit(struct program *p, struct tally *tally, knhk_reader_t *reader, const struct order *order, uint64_t begun,
                      enum verdict *verdict, uint64_t *generation)
{
    uint64_t acknowledged = atomic_load_explicit(&p->acknowledged, memory_order_acquire);
    knhk_view_t view = knhk_read_begin(reader);
    *verdict = decide(view, &p->keys, order);
    *generation = knhk_view_epoch(view);
    uint64_t ended = now_ns();
    knhk_observe(reader, view, p->keys.of.max_qty.raw, KNHK_I64, (uint64_t)order->qty, *verdict == ACCEPTED ? KNHK_SUCCESS : KNHK_REJECTED, 0,
                 detail_of(order, *verdict), ended);
    knhk_read_end(reader, view);

    if (*generation < acknowledged)
        tally->stale++;
    if (ended - begun > tally->longest_ns)
        tally->longest_ns = ended - begun;
    atomic_fetch_add_explicit(&tally->verdicts[*verdict], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&tally->orders, 1, memory_order_relaxed);
    return ended;
}

/* Answers whole lines while there is room for answers; false ends the connection. */
static bool answer_lines(struct worker *w, struct peer *peer, knhk_reader_t *reader)
{
    struct tally *tally = &w->program->workers[w->number];
    char *line = peer->in, *end = peer->in + peer->in_len, *newline;
    uint64_t time = now_ns();
    while (peer->out_len + ANSWER <= OUT && (newline = memchr(line, '\n', (size_t)(end - line)))) {
        struct order order;
        enum verdict verdict;
        uint64_t generation;
        if (newline - line >= LINE || !parse(line, newline, &order)) {
            tally->malformed++;
            return false;
        }
        time = admit(w->program, tally, reader, &order, time, &verdict, &generation);
        peer->out_len += (size_t)snprintf(peer->out + peer->out_len, ANSWER, "%llu %s %llu\n", (unsigned long long)order.id,
                                          verdict_names[verdict], (unsigned long long)generation);
        line = newline + 1;
    }
    peer->in_len = (size_t)(end - line);
    memmove(peer->in, line, peer->in_len);
    if (peer->in_len >= LINE && !memchr(peer->in, '\n', LINE)) {
        tally->malformed++;
        return false;
    }
    return true;
}

/* Reads, answers and writes until the socket has nothing more or takes nothing more; false ends the connection. */
static bool serve(struct worker *w, struct peer *peer, knhk_reader_t *reader)
{
    for (;;) {
        if (!answer_lines(w, peer, reader))
            return false;
        bool answered = peer->out_len > 0;
        while (peer->out_sent < peer->out_len) {
            ssize_t n = send(peer->socket, peer->out + peer->out_sent, peer->out_len - peer->out_sent, MSG_NOSIGNAL);
            if (n < 0)
                return errno == EAGAIN;
            peer->out_sent += (size_t)n;
        }
        peer->out_sent = peer->out_len = 0;
        if (peer->in_len == IN)
            continue; /* there was no room for the answers */
        ssize_t n = recv(peer->socket, peer->in + peer->in_len, IN - peer->in_len, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return false;
        if (n < 0 && !answered)
            return true;
        peer->in_len += n > 0 ? (size_t)n : 0;
    }
}

static void watch(int epoll, int fd, uint32_t events, struct peer *peer)
{
    struct epoll_event event = {.events = events, .data.ptr = peer};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
        die("epoll_ctl", strerror(errno));
}

/* Hands a new connection to the next worker in turn. */
static void accept_one(void)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
    struct peer *peer = fd < 0 ? NULL : calloc(1, sizeof *peer);
    if (!peer) {
        if (fd >= 0)
            close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    peer->socket = fd;
    pthread_mutex_lock(&peers_lock);
    peer->next = peers;
    peer->link = &peers;
    if (peers)
        peers->link = &peer->next;
    peers = peer;
    pthread_mutex_unlock(&peers_lock);
    watch(workers[next_worker++ % WORKERS].epoll, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, peer);
}

static void end_connection(struct peer *peer)
{
    pthread_mutex_lock(&peers_lock);
    *peer->link = peer->next;
    if (peer->next)
        peer->next->link = peer->link;
    pthread_mutex_unlock(&peers_lock);
    close(peer->socket);
    free(peer);
}

static void *worker_thread(void *argument)
{
    struct worker *w = argument;
    knhk_reader_t *reader;
    knhk_reader_options_t options = {.struct_size = sizeof options, .ring_records = RING};
    knhk_error_t *error = NULL;
    if (knhk_reader_register_with(w->program->engine, &options, &reader, &error))
        die("reader", knhk_error_message(error));
    for (bool running = true; running;) {
        struct epoll_event events[16];
        int n = epoll_wait(w->epoll, events, 16, -1);
        for (int i = 0; i < n; i++) {
            struct peer *peer = events[i].data.ptr;
            if (peer == &stop_mark)
                running = false;
            else if (peer == &listen_mark)
                accept_one();
            else if (!serve(w, peer, reader))
                end_connection(peer);
        }
    }
    knhk_reader_unregister(reader, NULL);
    return NULL;
}

void server_start(struct program *p)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(p->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    closing = eventfd(0, EFD_CLOEXEC);
    if (listener < 0 || closing < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 64) ||
        getsockname(listener, (struct sockaddr *)&address, &len))
        die("listen", strerror(errno));
    p->port = ntohs(address.sin_port);
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){.program = p, .number = i, .epoll = epoll_create1(EPOLL_CLOEXEC)};
        if (workers[i].epoll < 0)
            die("epoll", strerror(errno));
        watch(workers[i].epoll, closing, EPOLLIN, &stop_mark);
    }
    watch(workers[0].epoll, listener, EPOLLIN, &listen_mark);
    for (int i = 0; i < WORKERS; i++)
        if (pthread_create(&workers[i].thread, NULL, worker_thread, &workers[i]))
            die("worker", "no thread");
}

void server_stop(struct program *p)
{
    (void)p;
    if (eventfd_write(closing, 1))
        die("eventfd", strerror(errno));
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(workers[i].thread, NULL);
        close(workers[i].epoll);
    }
    while (peers)
        end_connection(peers);
    close(listener);
    close(closing);
}
