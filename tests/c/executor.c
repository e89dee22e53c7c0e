/* The warm executor from C: slices, budgets, tickets, cancelling, shutdown, wrong arguments. */
#include "check.h"

#include <pthread.h>
#include <stdbool.h>

static const uint64_t MINUTE = 60000000000u;

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    uint64_t sum;
    bool began, open;
    int destroyed;
} world_t;

/* Adds 1 to its argument up, ten numbers a slice. */
static uint32_t add(void *ctx, knhk_run_t *run) {
    world_t *world = (world_t *)ctx;
    uint64_t at = knhk_run_progress(run), end = at + 10;
    for (; at < end && at < knhk_run_argument(run); at++) world->sum += at + 1;
    knhk_run_set_progress(run, at);
    return at < knhk_run_argument(run) ? KNHK_STEP_AGAIN : KNHK_STEP_DONE;
}

/* Runs until it is cancelled, or let go. */
static uint32_t wait_for_it(void *ctx, knhk_run_t *run) {
    world_t *world = (world_t *)ctx;
    pthread_mutex_lock(&world->lock);
    world->began = true;
    pthread_cond_broadcast(&world->moved);
    pthread_mutex_unlock(&world->lock);
    while (!knhk_run_cancelled(run)) {
        pthread_mutex_lock(&world->lock);
        bool open = world->open;
        pthread_mutex_unlock(&world->lock);
        if (open) return KNHK_STEP_DONE;
    }
    CHECK(knhk_run_should_yield(run));
    return KNHK_STEP_DONE;
}

static void destroy(void *ctx) { ((world_t *)ctx)->destroyed++; }

static knhk_task_callback_t callback(world_t *world, uint32_t (*run)(void *, knhk_run_t *)) {
    knhk_task_callback_t of;
    memset(&of, 0, sizeof of);
    of.struct_size = sizeof of;
    of.ctx = world, of.run = run, of.destroy = destroy;
    return of;
}

int main(void) {
    world_t world;
    memset(&world, 0, sizeof world);
    pthread_mutex_init(&world.lock, NULL);
    pthread_cond_init(&world.moved, NULL);
    knhk_executor_options_t options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.threads = 1, options.capacity = 2;
    knhk_executor_t *executor;
    OK(knhk_executor_new("warm", &options, &executor, &err));

    knhk_task_t *sums, *waits;
    knhk_task_callback_t of = callback(&world, add);
    of.priority = 9;
    FAILS(KNHK_INVALID_ARGUMENT, knhk_task_new(executor, "sums", &of, &sums, &err));
    CHECK(world.destroyed == 1);
    of.priority = KNHK_PRIORITY_HIGH;
    of.budget_ns = MINUTE;
    OK(knhk_task_new(executor, "sums", &of, &sums, &err));
    knhk_ticket_t *ticket, *second;
    OK(knhk_task_submit(sums, 100, MINUTE, &ticket, &err));
    CHECK(knhk_ticket_wait(ticket, MINUTE) == KNHK_RUN_DONE && world.sum == 5050 && !knhk_ticket_cancel(ticket));
    knhk_ticket_free(ticket);
    knhk_task_stats_t stats;
    memset(&stats, 0, sizeof stats);
    stats.struct_size = sizeof stats;
    OK(knhk_task_stats(sums, &stats, &err));
    CHECK(stats.level == KNHK_PRIORITY_HIGH && stats.runs == 1 && stats.slices == 10 && !stats.overruns && !stats.late);
    CHECK(stats.worst_ns <= stats.busy_ns);

    of = callback(&world, wait_for_it);
    OK(knhk_task_new(executor, "waits", &of, &waits, &err));
    OK(knhk_task_submit(waits, 0, 0, &ticket, &err));
    pthread_mutex_lock(&world.lock);
    while (!world.began) pthread_cond_wait(&world.moved, &world.lock);
    pthread_mutex_unlock(&world.lock);
    OK(knhk_task_submit(waits, 0, 0, &second, &err));
    FAILS(KNHK_BUSY, knhk_task_submit(waits, 0, 0, NULL, &err));
    knhk_executor_stats_t now;
    memset(&now, 0, sizeof now);
    now.struct_size = sizeof now;
    OK(knhk_executor_pause(executor, &err));
    OK(knhk_executor_stats(executor, &now, &err));
    CHECK(now.running == 1 && now.waiting[2] == 1 && (now.flags & KNHK_EXECUTOR_PAUSED));
    CHECK(knhk_ticket_wait(second, 0) == KNHK_RUN_WAITING && knhk_ticket_cancel(second));
    CHECK(knhk_ticket_cancel(ticket) && knhk_ticket_wait(ticket, MINUTE) == KNHK_RUN_CANCELLED);
    OK(knhk_executor_resume(executor, &err));
    CHECK(knhk_ticket_wait(second, MINUTE) == KNHK_RUN_CANCELLED);
    knhk_ticket_free(ticket), knhk_ticket_free(second);

    knhk_engine_t *eng;
    OK(knhk_engine_open(":memory:", NULL, &eng, &err));
    OK(knhk_engine_add_executor(eng, executor, &err));
    FAILS(KNHK_ALREADY_EXISTS, knhk_engine_add_executor(eng, executor, &err));

    size_t unfinished = 9, stuck = 9;
    world.began = false;
    OK(knhk_task_submit(waits, 0, 0, NULL, &err));
    OK(knhk_executor_shutdown(executor, 1, MINUTE, &unfinished, &stuck, &err));
    CHECK(unfinished == 1 && stuck == 0);
    FAILS(KNHK_CLOSED, knhk_executor_shutdown(executor, 1, 1, NULL, NULL, &err));
    FAILS(KNHK_CLOSED, knhk_executor_stats(executor, &now, &err));
    FAILS(KNHK_CLOSED, knhk_engine_add_executor(eng, executor, &err));
    FAILS(KNHK_CLOSED, knhk_task_submit(waits, 0, 0, NULL, &err));
    knhk_engine_close(eng);
    knhk_task_free(waits), knhk_task_free(sums);
    knhk_executor_free(executor);
    CHECK(world.destroyed == 3);
    CHECK(knhk_ticket_wait(NULL, 0) == KNHK_RUN_CANCELLED && !knhk_ticket_cancel(NULL));
    knhk_ticket_free(NULL), knhk_task_free(NULL), knhk_executor_free(NULL);
    FAILS(KNHK_NULL_ARGUMENT, knhk_task_submit(NULL, 0, 0, NULL, &err));
    return 0;
}
