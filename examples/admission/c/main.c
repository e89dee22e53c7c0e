/* Admission, in C: see ../README.md for what it shows. */
#define _POSIX_C_SOURCE 200809L
#include "admission.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { PERIOD_MS = 250, GRACE = 30 };

void die(const char *what, const char *why)
{
    fprintf(stderr, "admission: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void read_arguments(struct program *p, int argc, char **argv)
{
    p->seconds = 8;
    for (int i = 1; i < argc; i++) {
        char *end = NULL;
        if (!strcmp(argv[i], "--json")) {
            p->json = true;
        } else if (!strcmp(argv[i], "--seconds") && i + 1 < argc) {
            p->seconds = strtod(argv[++i], &end);
            if (*end || !(p->seconds >= 0.1 && p->seconds <= 3600))
                die("--seconds", "give a number from 0.1 to 3600");
        } else {
            fprintf(stderr, "usage: %s [--seconds N] [--json]\n", argv[0]);
            exit(2);
        }
    }
    p->terminal = isatty(STDOUT_FILENO);
}

static void start(pthread_t *thread, void *(*body)(void *), struct program *p)
{
    if (pthread_create(thread, NULL, body, p))
        die("thread", strerror(errno));
}

int main(int argc, char **argv)
{
    static struct program program;
    struct program *p = &program;
    pthread_t operator, auditor;
    knhk_error_t *error = NULL;

    read_arguments(p, argc, argv);
    alarm((unsigned)p->seconds + GRACE); /* whatever happens, this ends */
    pthread_mutex_init(&p->eras_lock, NULL);
    pthread_cond_init(&p->announcement, NULL);
    p->stop = eventfd(0, EFD_CLOEXEC);

    if (knhk_engine_open(":memory:", NULL, &p->engine, &error) || knhk_sector_create(p->engine, "orders", KNHK_DIRECT, &error))
        die("open", knhk_error_message(error));
    open_limits(p);
    intern_keys(p->engine, &p->keys);

    server_start(p);
    p->begun_ns = now_ns();
    if (!p->json)
        printf("\n  admission on 127.0.0.1:%u: %d workers, %d connections, %.0f seconds\n\n", p->port, WORKERS, CLIENTS * CONNECTIONS,
               p->seconds);
    start(&auditor, auditor_thread, p);
    start(&operator, operator_thread, p);
    clients_start(p);

    struct pollfd stop = {.fd = p->stop, .events = POLLIN};
    while (now_ns() < p->begun_ns + (uint64_t)(p->seconds * 1e9)) {
        poll(&stop, 1, PERIOD_MS);
        report_live(p);
    }
    clients_join(p);
    p->ended_ns = now_ns();
    pthread_join(operator, NULL);
    server_stop(p);
    if (eventfd_write(p->stop, 1))
        die("eventfd", strerror(errno));
    pthread_join(auditor, NULL);

    wait_announced(p);
    p->stats.struct_size = sizeof p->stats;
    if (knhk_stats(p->engine, &p->stats, &error))
        die("stats", knhk_error_message(error));
    knhk_engine_close(p->engine);
    return report_summary(p);
}
