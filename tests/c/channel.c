/* Channels from C: credit, both ways, ends, threads that wait and are woken, what is discarded, wrong arguments. */
#include "check.h"

#include <poll.h>
#include <pthread.h>

static int discarded;
static void discard(void *message) {
    discarded++;
    free(message);
}

static uint64_t *number(uint64_t n) {
    uint64_t *made = (uint64_t *)malloc(sizeof *made);
    *made = n;
    return made;
}

/* The number in a message, which is freed. */
static uint64_t opened(void *message) {
    uint64_t n = *(uint64_t *)message;
    free(message);
    return n;
}

enum { MESSAGES = 2000 };

/* Answers each number with the next one, until there are no more. */
static void *answer(void *at) {
    knhk_channel_t *end = (knhk_channel_t *)at;
    void *message;
    while (knhk_channel_take(end, KNHK_FOREVER, &message, NULL) == KNHK_OK) {
        ++*(uint64_t *)message;
        CHECK(knhk_channel_send(end, message, KNHK_FOREVER, NULL) == KNHK_OK);
        CHECK(knhk_channel_done(end, NULL) == KNHK_OK);
    }
    CHECK(knhk_channel_finish(end, NULL) == KNHK_OK);
    return NULL;
}

static void *ask(void *at) {
    for (uint64_t n = 0; n < MESSAGES; n++)
        CHECK(knhk_channel_send((knhk_channel_t *)at, number(n), KNHK_FOREVER, NULL) == KNHK_OK);
    CHECK(knhk_channel_finish((knhk_channel_t *)at, NULL) == KNHK_OK);
    return NULL;
}

static void *receive_one(void *at) {
    void *message = NULL;
    CHECK(knhk_channel_receive((knhk_channel_t *)at, KNHK_FOREVER, &message, NULL) == KNHK_CLOSED && !message);
    return NULL;
}

static void *send_one(void *at) {
    CHECK(knhk_channel_send((knhk_channel_t *)at, at, KNHK_FOREVER, NULL) == KNHK_CLOSED);
    return NULL;
}

static knhk_flow_t flow_of(const knhk_channel_t *end, bool outgoing) {
    knhk_flow_t flow;
    memset(&flow, 0, sizeof flow);
    flow.struct_size = sizeof flow;
    CHECK((outgoing ? knhk_channel_outgoing : knhk_channel_incoming)(end, &flow, NULL) == KNHK_OK);
    return flow;
}

static void both_ways(uint32_t window) {
    knhk_channel_t *left, *right;
    pthread_t asking, answering;
    OK(knhk_channel_pair(window, discard, &left, &right, &err));
    pthread_create(&answering, NULL, answer, right);
    pthread_create(&asking, NULL, ask, left);
    void *message;
    for (uint64_t n = 0; n < MESSAGES; n++) {
        OK(knhk_channel_receive(left, KNHK_FOREVER, &message, &err));
        CHECK(opened(message) == n + 1);
    }
    FAILS(KNHK_CLOSED, knhk_channel_receive(left, KNHK_FOREVER, &message, &err));
    pthread_join(asking, NULL), pthread_join(answering, NULL);
    CHECK(flow_of(left, true).sent == MESSAGES && flow_of(left, false).done == MESSAGES && flow_of(right, true).window == window);
    knhk_channel_free(left), knhk_channel_free(right);
}

static bool readable(int fd) {
    struct pollfd polled = {fd, POLLIN, 0};
    return poll(&polled, 1, 0) == 1;
}

/* Two ends in the hands of one event loop: each is asked only when its descriptor is readable. */
static void polled(uint32_t window) {
    knhk_channel_t *left, *right;
    pthread_t asking, answering;
    int fd = -1;
    void *message = NULL;
    OK(knhk_channel_pair(window, discard, &left, &right, &err));
    OK(knhk_channel_fd(left, &fd, &err));
    FAILS(KNHK_TIMEOUT, knhk_channel_receive(left, 0, &message, &err));
    CHECK(!readable(fd));
    pthread_create(&answering, NULL, answer, right);
    pthread_create(&asking, NULL, ask, left);
    uint64_t n = 0;
    for (knhk_status_t status = KNHK_TIMEOUT; status != KNHK_CLOSED;) {
        struct pollfd waits = {fd, POLLIN, 0};
        CHECK(poll(&waits, 1, -1) == 1);
        while ((status = knhk_channel_receive(left, 0, &message, NULL)) == KNHK_OK) CHECK(opened(message) == ++n);
    }
    pthread_join(asking, NULL), pthread_join(answering, NULL);
    CHECK(n == MESSAGES && readable(fd));
    CHECK(knhk_channel_fd(left, NULL, NULL) == KNHK_NULL_ARGUMENT);
    FAILS(KNHK_NULL_ARGUMENT, knhk_channel_fd(NULL, &fd, &err));
    knhk_channel_free(left), knhk_channel_free(right);
}

int main(void) {
    polled(1);
    polled(64);
    both_ways(1);
    both_ways(64);
    CHECK(discarded == 0);

    knhk_channel_t *left, *right;
    void *message = NULL;
    OK(knhk_channel_pair(2, discard, &left, &right, &err));
    FAILS(KNHK_TIMEOUT, knhk_channel_receive(right, 0, &message, &err));
    FAILS(KNHK_TIMEOUT, knhk_channel_receive(right, 1000, &message, &err));
    OK(knhk_channel_send(left, number(1), 0, &err));
    OK(knhk_channel_send(left, number(2), 0, &err));
    uint64_t *third = number(3);
    FAILS(KNHK_BUSY, knhk_channel_send(left, third, 1000, &err));
    /* What is taken fills the window until it is done. */
    OK(knhk_channel_take(right, 0, &message, &err));
    CHECK(opened(message) == 1);
    FAILS(KNHK_BUSY, knhk_channel_send(left, third, 0, &err));
    OK(knhk_channel_done(right, &err));
    OK(knhk_channel_done(right, &err));
    OK(knhk_channel_hold(right, &err));
    FAILS(KNHK_BUSY, knhk_channel_send(left, third, 0, &err));
    CHECK(flow_of(left, true).held && flow_of(left, true).sent == 2);
    OK(knhk_channel_release(right, &err));
    OK(knhk_channel_send(left, third, 0, &err));
    /* Closing discards what was not received, and refuses the other end, which keeps its message. */
    OK(knhk_channel_close(right, &err));
    CHECK(discarded == 2);
    uint64_t *fourth = number(4);
    FAILS(KNHK_CLOSED, knhk_channel_send(left, fourth, KNHK_FOREVER, &err));
    CHECK(opened(fourth) == 4 && discarded == 2);
    FAILS(KNHK_CLOSED, knhk_channel_receive(left, KNHK_FOREVER, &message, &err));
    knhk_channel_free(right), knhk_channel_free(left);

    /* Threads that wait at an end return when it is closed, and when the other one is. */
    for (int of_other = 0; of_other < 2; of_other++) {
        pthread_t receiving, sending;
        OK(knhk_channel_pair(1, NULL, &left, &right, &err));
        OK(knhk_channel_send(left, NULL, 0, &err));
        pthread_create(&receiving, NULL, receive_one, left);
        pthread_create(&sending, NULL, send_one, left);
        while (!flow_of(left, true).refused) sched_yield();
        OK(knhk_channel_close(of_other ? right : left, &err));
        pthread_join(receiving, NULL), pthread_join(sending, NULL);
        knhk_channel_free(left), knhk_channel_free(right);
    }

    left = right = NULL;
    FAILS(KNHK_INVALID_ARGUMENT, knhk_channel_pair(0, NULL, &left, &right, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_channel_pair(UINT32_MAX, NULL, &left, &right, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_channel_pair(1, NULL, &left, NULL, &err));
    CHECK(!left && !right);
    FAILS(KNHK_NULL_ARGUMENT, knhk_channel_send(NULL, NULL, 0, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_channel_receive(NULL, 0, &message, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_channel_close(NULL, &err));
    knhk_channel_free(NULL);
    return 0;
}
