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

/* Runs that were over, by their arguments. */
static uint32_t states[4];
static int overs, heard;
static void over(void *ctx, uint64_t argument, uint32_t state) {
    (void)ctx;
    CHECK(argument < 4 && states[argument] == 0);
    states[argument] = state, overs++;
}
static uint32_t nothing(void *ctx, knhk_run_t *run) {
    (void)ctx, (void)run;
    return KNHK_STEP_DONE;
}
static void notice(void *ctx, const knhk_notice_t *told) {
    (void)ctx;
    if (told->kind != KNHK_NOTICE_LATE) return;
    CHECK(!strcmp(told->task, "told") && strstr(told->text, "told was dropped"));
    heard++;
}
static bool hot(void *ctx) { return __atomic_load_n((bool *)ctx, __ATOMIC_SEQ_CST); }
static void unhot(void *ctx) { *(bool *)ctx = false; }

/* Each run that is over is told once, by whoever ends it; notices before that; while the hot path is over its budget only critical tasks begin. */
static void told(void) {
    static bool is_hot = true;
    knhk_executor_options_t options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.threads = 1, options.ctx = &is_hot, options.notice = notice, options.hot = hot, options.destroy = unhot;
    knhk_executor_t *executor;
    knhk_task_t *task, *critical;
    knhk_ticket_t *ticket, *late;
    knhk_task_callback_t of;
    memset(&of, 0, sizeof of);
    of.struct_size = sizeof of;
    of.run = nothing, of.over = over, of.drop_late = 1;
    OK(knhk_executor_new("told", &options, &executor, &err));
    OK(knhk_task_new(executor, "told", &of, &task, &err));
    of.over = NULL, of.priority = KNHK_PRIORITY_CRITICAL;
    OK(knhk_task_new(executor, "critical", &of, &critical, &err));
    OK(knhk_task_submit(task, 0, 1, &late, &err)); /* late by the time that it can begin */
    OK(knhk_task_submit(task, 1, 0, &ticket, &err));
    CHECK(knhk_ticket_cancel(ticket) && overs == 1 && states[1] == KNHK_RUN_CANCELLED);
    knhk_ticket_free(ticket);
    OK(knhk_task_submit(critical, 0, 0, &ticket, &err));
    CHECK(knhk_ticket_wait(ticket, MINUTE) == KNHK_RUN_DONE && knhk_ticket_wait(late, 0) == KNHK_RUN_WAITING);
    knhk_ticket_free(ticket);
    OK(knhk_executor_pause(executor, &err));
    OK(knhk_task_submit(task, 2, 0, NULL, &err));
    __atomic_store_n(&is_hot, false, __ATOMIC_SEQ_CST);
    OK(knhk_executor_resume(executor, &err));
    CHECK(knhk_ticket_wait(late, MINUTE) == KNHK_RUN_EXPIRED);
    knhk_ticket_free(late);
    size_t unfinished, stuck;
    OK(knhk_executor_shutdown(executor, MINUTE, MINUTE, &unfinished, &stuck, &err));
    CHECK(unfinished == 0 && stuck == 0 && overs == 3 && heard == 1);
    CHECK(states[0] == KNHK_RUN_EXPIRED && states[2] == KNHK_RUN_DONE);
    is_hot = true;
    knhk_task_free(task), knhk_task_free(critical), knhk_executor_free(executor);
    CHECK(!is_hot);
    options.struct_size = 24; /* an older program's */
    OK(knhk_executor_new("older", &options, &executor, &err));
    knhk_executor_free(executor);
}

/* Runs until it is told to give way, and then is over. */
static uint32_t until_told(void *ctx, knhk_run_t *run) {
    world_t *world = (world_t *)ctx;
    pthread_mutex_lock(&world->lock);
    world->began = true;
    pthread_cond_broadcast(&world->moved);
    pthread_mutex_unlock(&world->lock);
    while (!knhk_run_should_yield(run)) sched_yield();
    return KNHK_STEP_DONE;
}

/* An executor that an engine knows yields to what the program says of its hot path. */
static void yields(void) {
    knhk_options_t options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options, options.hot_budget_ns = 50;
    knhk_engine_t *eng;
    knhk_executor_t *executor;
    knhk_task_t *task;
    knhk_ticket_t *ticket;
    world_t world;
    memset(&world, 0, sizeof world);
    pthread_mutex_init(&world.lock, NULL);
    pthread_cond_init(&world.moved, NULL);
    OK(knhk_engine_open(":memory:", &options, &eng, &err));
    OK(knhk_executor_new("yields", NULL, &executor, &err));
    OK(knhk_engine_add_executor(eng, executor, &err));
    knhk_task_callback_t of;
    memset(&of, 0, sizeof of);
    of.struct_size = sizeof of, of.budget_ns = MINUTE, of.ctx = &world, of.run = until_told;
    OK(knhk_task_new(executor, "until told", &of, &task, &err));
    for (int n = 0; n < 100; n++) OK(knhk_hot_report(eng, 40, &err));
    OK(knhk_task_submit(task, 0, 0, &ticket, &err));
    pthread_mutex_lock(&world.lock);
    while (!world.began) pthread_cond_wait(&world.moved, &world.lock);
    pthread_mutex_unlock(&world.lock);
    CHECK(knhk_ticket_wait(ticket, 0) == KNHK_RUN_RUNNING);
    uint32_t state;
    do OK(knhk_hot_report(eng, 1000, &err));
    while ((state = knhk_ticket_wait(ticket, 1000)) == KNHK_RUN_RUNNING);
    uint64_t mean_ns = 0;
    OK(knhk_hot_mean(eng, &mean_ns, &err));
    CHECK(state == KNHK_RUN_DONE && mean_ns > 50);
    knhk_ticket_free(ticket), knhk_task_free(task), knhk_executor_free(executor);
    knhk_engine_close(eng);
}

static knhk_task_callback_t callback(world_t *world, uint32_t (*run)(void *, knhk_run_t *)) {
    knhk_task_callback_t of;
    memset(&of, 0, sizeof of);
    of.struct_size = sizeof of;
    of.ctx = world, of.run = run, of.destroy = destroy;
    return of;
}

int main(void) {
    told();
    yields();
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
