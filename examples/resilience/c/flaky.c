/* Calls a service that falls ill for a while: without policies, and with them. See ../README.md. */
#include <arpa/inet.h>
#include <knhk.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 400, ILL_FROM = 100, ILL_TO = 300, HANG_MS = 20, APART_MS = 1 };

static struct sockaddr_in address;
static atomic_int seen_ill; /* calls that the service saw while it was ill */

static void pause_ms(long ms) {
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* Answers a line with a line, unless it is ill: then it hangs, and says nothing. */
static void *serve(void *listening) {
    for (int connection; (connection = accept(*(int *)listening, NULL, NULL)) >= 0; close(connection)) {
        char line[32] = "";
        if (read(connection, line, sizeof line - 1) <= 0) continue;
        int number = atoi(line);
        if (number >= ILL_FROM && number < ILL_TO) {
            seen_ill++;
            pause_ms(HANG_MS);
        } else if (dprintf(connection, "price %d\n", number) < 0) {
            perror("answer");
        }
    }
    return NULL;
}

/* A call of the service, and what it answered. */
typedef struct {
    int number;
    char answer[32];
} call_t;

static uint32_t ask(void *ctx, uint64_t deadline_ns) {
    call_t *call = ctx;
    char answer[sizeof call->answer] = "";
    int connection = socket(AF_INET, SOCK_STREAM, 0);
    (void)deadline_ns;
    bool ok = connect(connection, (struct sockaddr *)&address, sizeof address) == 0 && dprintf(connection, "%d\n", call->number) > 0 &&
              read(connection, answer, sizeof answer - 1) > 0;
    close(connection);
    if (ok) memcpy(call->answer, answer, sizeof answer);
    return ok ? KNHK_OUTCOME_SUCCESS : KNHK_OUTCOME_FAILURE;
}

/* Makes the calls; through a policy, the last good answer stands in for one that does not come. Gives how many were answered. */
static int run(const char *name, knhk_policy_t *policy) {
    struct timespec begun, ended;
    call_t call = {0, ""};
    int answered = 0;
    seen_ill = 0;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    for (call.number = 0; call.number < CALLS; call.number++) {
        if (!policy)
            answered += ask(&call, 0) == KNHK_OUTCOME_SUCCESS;
        else
            answered += knhk_policy_call(policy, NULL, ask, &call, NULL, NULL) == KNHK_OK || call.answer[0];
        pause_ms(APART_MS);
    }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    double seconds = (double)(ended.tv_sec - begun.tv_sec) + (double)(ended.tv_nsec - begun.tv_nsec) / 1e9;
    printf("%-18s%6d/%d%16d%9.2f\n", name, answered, CALLS, seen_ill, seconds);
    return answered;
}

static void check(knhk_status_t status, knhk_error_t *err) {
    if (status == KNHK_OK) return;
    fprintf(stderr, "%s\n", knhk_error_message(err));
    exit(2);
}

static knhk_policy_t *made(knhk_scope_t *scope, const char *kind, const knhk_policy_options_t *options) {
    knhk_policy_t *policy = NULL;
    knhk_error_t *err = NULL;
    knhk_status_t status = knhk_policy_new(scope, kind, "prices", options, &policy, &err);
    check(status, err);
    return policy;
}

int main(void) {
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t size = sizeof address;
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    pthread_t service;
    if (bind(listening, (struct sockaddr *)&address, size) || listen(listening, 64) ||
        getsockname(listening, (struct sockaddr *)&address, &size) || pthread_create(&service, NULL, serve, &listening)) {
        perror("service");
        return 2;
    }

    knhk_engine_t *engine = NULL;
    knhk_scope_t *scope = NULL;
    knhk_error_t *err = NULL;
    knhk_status_t status = knhk_engine_open(":memory:", NULL, &engine, &err);
    check(status, err);
    status = knhk_sector_create(engine, "limits", KNHK_DIRECT, &err);
    check(status, err);
    status = knhk_engine_scope(engine, &scope, &err);
    check(status, err);
    knhk_setting_t one_probe[] = {{"half_open_permits", 1}}, eight[] = {{"limit", 8}};
    knhk_policy_t *breaker = made(scope, "breaker", &(knhk_policy_options_t){.struct_size = sizeof(knhk_policy_options_t), .settings = one_probe, .settings_len = 1});
    knhk_policy_t *bulkhead = made(scope, "bulkhead", &(knhk_policy_options_t){.struct_size = sizeof(knhk_policy_options_t), .settings = eight, .settings_len = 1});
    const knhk_policy_t *parts[] = {breaker, bulkhead};
    knhk_policy_t *prices = made(scope, "pipeline", &(knhk_policy_options_t){.struct_size = sizeof(knhk_policy_options_t), .policies = parts, .policies_len = 2});
    status = knhk_policy_add(engine, breaker, "limits", &err);
    check(status, err);

    printf("%18s%10s%16s%9s\n", "", "answered", "seen while ill", "seconds");
    int without = run("without policies", NULL), seen_without = seen_ill;
    status = knhk_promote_json(engine, "limits", "{\"resilience\": {\"prices\": {\"recovery_ms\": 50}}}", NULL, &err);
    check(status, err);
    int with = run("with policies", prices), seen_with = seen_ill;

    knhk_policy_free(prices);
    knhk_policy_free(bulkhead);
    knhk_policy_free(breaker);
    knhk_scope_free(scope);
    knhk_engine_close(engine);
    return without == CALLS - (ILL_TO - ILL_FROM) && with == CALLS && seen_with < seen_without / 4 ? 0 : 1;
}
