/* The traffic: each client thread keeps a few connections busy with batches of orders, and checks every answer. */
#define _GNU_SOURCE
#include "admission.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { BATCH = 32 };

struct connection {
    int socket;
    uint64_t next, expected, generation; /* of the next order, the next answer, the last answer */
    char partial[LINE];                  /* an answer's beginning */
    size_t partial_len;
};

static pthread_t threads[CLIENTS];
static struct client {
    struct program *program;
    int number;
} clients[CLIENTS];

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 5};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address))
        die("connect", "the server does not answer");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return fd;
}

static bool send_batch(struct connection *c, struct tally *tally, uint64_t *random)
{
    char text[BATCH * LINE];
    size_t len = 0;
    for (int i = 0; i < BATCH; i++) {
        uint64_t r = random_next(random);
        const char *tenant = tenant_names[r % TENANTS], *venue = venue_names[(r >> 8) % VENUES];
        unsigned qty = 1 + (unsigned)((r >> 16) % 1100), price = 9400 + (unsigned)((r >> 32) % 1200);
        len += (size_t)sprintf(text + len, "%llu %s %s %u %u\n", (unsigned long long)c->next++, tenant, venue, qty, price);
    }
    atomic_fetch_add_explicit(&tally->orders, BATCH, memory_order_relaxed);
    for (size_t sent = 0; sent < len;) {
        ssize_t n = send(c->socket, text + sent, len - sent, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        sent += (size_t)n;
    }
    return true;
}

static bool check_answer(struct connection *c, struct tally *tally, char *line)
{
    char *verdict, *last;
    uint64_t id = strtoull(line, &verdict, 10);
    if (id != c->expected || *verdict != ' ' || !(last = strchr(++verdict, ' ')))
        return false;
    *last = 0;
    uint64_t generation = strtoull(last + 1, NULL, 10);
    c->expected++;
    if (generation < c->generation)
        tally->backwards++;
    c->generation = generation;
    for (int i = 0; i < VERDICTS; i++)
        if (!strcmp(verdict, verdict_names[i])) {
            atomic_fetch_add_explicit(&tally->verdicts[i], 1, memory_order_relaxed);
            atomic_fetch_add_explicit(&tally->answered, 1, memory_order_relaxed);
            return true;
        }
    return false;
}

static bool read_answers(struct connection *c, struct tally *tally)
{
    while (c->expected < c->next) {
        char text[4096 + 1];
        memcpy(text, c->partial, c->partial_len);
        ssize_t n = recv(c->socket, text + c->partial_len, sizeof text - 1 - c->partial_len, 0);
        if (n <= 0)
            return false;
        char *line = text, *end = text + c->partial_len + (size_t)n, *newline;
        for (; (newline = memchr(line, '\n', (size_t)(end - line))); line = newline + 1) {
            *newline = 0;
            if (!check_answer(c, tally, line))
                return false;
        }
        c->partial_len = (size_t)(end - line);
        if (c->partial_len >= sizeof c->partial)
            return false;
        memcpy(c->partial, line, c->partial_len);
    }
    return true;
}

static void *client_thread(void *argument)
{
    struct client *self = argument;
    struct program *p = self->program;
    struct tally *tally = &p->clients[self->number];
    struct connection connections[CONNECTIONS] = {0};
    uint64_t random = 0x9e3779b97f4a7c15u * (uint64_t)(self->number + 1), until = p->begun_ns + (uint64_t)(p->seconds * 1e9);

    if (nice(5) == -1) /* on Linux: of this thread alone; the traffic gives way to what it measures */
        errno = 0;
    for (int i = 0; i < CONNECTIONS; i++)
        connections[i] = (struct connection){.socket = connect_to(p->port)};
    bool whole = true;
    while (whole && now_ns() < until) {
        for (int i = 0; whole && i < CONNECTIONS; i++)
            whole = send_batch(&connections[i], tally, &random);
        for (int i = 0; whole && i < CONNECTIONS; i++)
            whole = read_answers(&connections[i], tally);
    }
    for (int i = 0; i < CONNECTIONS; i++) {
        tally->lost += connections[i].next - connections[i].expected;
        close(connections[i].socket);
    }
    return NULL;
}

void clients_start(struct program *p)
{
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){p, i};
        if (pthread_create(&threads[i], NULL, client_thread, &clients[i]))
            die("client", "no thread");
    }
}

void clients_join(struct program *p)
{
    (void)p;
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
}
