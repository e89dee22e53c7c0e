/* Sockets on 127.0.0.1, lines of text, and the clock. */
#define _GNU_SOURCE
#include "gateway.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void die(const char *what, const char *why)
{
    fprintf(stderr, "gateway: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

double since(uint64_t begun_ns)
{
    return ((double)now_ns() - (double)begun_ns) / 1e9;
}

void no_delay(int socket)
{
    int one = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

int listen_on_loopback(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 512) ||
        getsockname(listener, (struct sockaddr *)&address, &len))
        die("listen", strerror(errno));
    *port = ntohs(address.sin_port);
    return listener;
}

int connect_to(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection < 0 || connect(connection, (struct sockaddr *)&address, sizeof address))
        die("connect", strerror(errno));
    no_delay(connection);
    return connection;
}

void send_line(int socket, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(socket, text, len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return; /* the other end is gone, and nobody waits for the line */
        text += sent;
        len -= (size_t)sent;
    }
}

bool read_lines(int socket, struct lines *lines, void (*line)(void *ctx, char *text), void *ctx)
{
    ssize_t got;
    do
        got = recv(socket, lines->text + lines->len, sizeof lines->text - lines->len, 0);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return false;
    lines->len += (size_t)got;
    char *begin = lines->text, *newline;
    while ((newline = memchr(begin, '\n', lines->len - (size_t)(begin - lines->text)))) {
        *newline = 0;
        line(ctx, begin);
        begin = newline + 1;
    }
    lines->len -= (size_t)(begin - lines->text);
    memmove(lines->text, begin, lines->len);
    return lines->len < LINE;
}
