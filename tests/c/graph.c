/* The component graph from C: order, cycles, failing starts, fifty components of which some are stuck, health, wrong arguments. */
#include "check.h"

#include <dirent.h>
#include <pthread.h>
#include <stdbool.h>

static const uint64_t MINUTE = 60000000000u;

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    char log[8192];
    bool let_go;
    int inside, destroyed;
} world_t;

static world_t world = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, {0}, false, 0, 0};

typedef struct {
    char name[16];
    /* What it does instead of returning well, in which phase. */
    const char *fails, *hangs;
    double health;
} part_t;

static int32_t call(part_t *part, const char *phase, char *why, size_t why_size) {
    pthread_mutex_lock(&world.lock);
    size_t at = strlen(world.log);
    snprintf(world.log + at, sizeof world.log - at, "%s %s;", phase, part->name);
    bool hangs = part->hangs && !strcmp(part->hangs, phase), fails = part->fails && !strcmp(part->fails, phase);
    world.inside += hangs;
    pthread_cond_broadcast(&world.moved);
    while (hangs && !world.let_go) pthread_cond_wait(&world.moved, &world.lock);
    world.inside -= hangs;
    pthread_cond_broadcast(&world.moved);
    pthread_mutex_unlock(&world.lock);
    if (fails) snprintf(why, why_size, "the disk of %s is full", part->name);
    return fails;
}

static int32_t start(void *ctx, char *why, size_t size) { return call((part_t *)ctx, "start", why, size); }
static int32_t drain(void *ctx, char *why, size_t size) { return call((part_t *)ctx, "drain", why, size); }
static int32_t stop(void *ctx, char *why, size_t size) { return call((part_t *)ctx, "stop", why, size); }
static double health(void *ctx) { return ((part_t *)ctx)->health; }
static void destroy(void *ctx) {
    (void)ctx;
    pthread_mutex_lock(&world.lock);
    world.destroyed++;
    pthread_cond_broadcast(&world.moved);
    pthread_mutex_unlock(&world.lock);
}

static void add(knhk_graph_t *graph, part_t *part, const char *needs) {
    knhk_graph_callback_t of;
    memset(&of, 0, sizeof of);
    of.struct_size = sizeof of;
    of.ctx = part, of.start = start, of.drain = drain, of.stop = stop, of.health = health, of.destroy = destroy;
    OK(knhk_graph_add(graph, part->name, &needs, needs ? 1 : 0, &of, &err));
}

/* Whether one thing was done before another, and both were. */
static bool before(const char *first, const char *then) {
    const char *one = strstr(world.log, first), *two = strstr(world.log, then);
    return one && two && one < two;
}

static void small(void) {
    part_t store = {"store", NULL, NULL, 0.4}, ledger = {"ledger", NULL, NULL, 0.9}, engine = {"engine", NULL, NULL, 1};
    knhk_graph_t *graph;
    knhk_graph_report_t *report;
    OK(knhk_graph_new(NULL, &graph, &err));
    add(graph, &store, NULL), add(graph, &ledger, "store"), add(graph, &engine, "ledger");
    err = NULL;
    CHECK(knhk_graph_depend(graph, "store", "engine", &err) == KNHK_INVALID_ARGUMENT);
    CHECK(strstr(knhk_error_message(err), "store -> engine -> ledger -> store"));
    knhk_error_free(err), err = NULL;
    FAILS(KNHK_NOT_FOUND, knhk_graph_depend(graph, "store", "stor", &err));

    OK(knhk_graph_start(graph, MINUTE, &report, &err));
    CHECK(knhk_graph_report_len(report) == 3 && !knhk_graph_report_at(report, 3));
    CHECK(knhk_graph_report_at(report, 0)->outcome == KNHK_COMPONENT_DONE);
    knhk_graph_report_free(report);
    CHECK(before("start store", "start ledger") && before("start ledger", "start engine"));
    FAILS(KNHK_BUSY, knhk_graph_depend(graph, "store", "ledger", &err));

    knhk_component_health_list_t *healths;
    OK(knhk_graph_health(graph, &healths, &err));
    CHECK(knhk_component_health_list_len(healths) == 3 && !knhk_component_health_list_at(healths, 3));
    const knhk_component_health_t *of = knhk_component_health_list_at(healths, 2);
    CHECK(!strcmp(of->name, "engine") && of->own == 1 && of->effective == 0.4);
    CHECK(of->because_of_len == 1 && !strcmp(of->because_of[0], "store"));
    knhk_component_health_list_free(healths);

    OK(knhk_graph_shutdown(graph, MINUTE, MINUTE, NULL, &err));
    CHECK(before("drain engine", "drain store") && before("drain store", "stop engine") && before("stop engine", "stop ledger"));

    /* A start that fails leaves nothing running, and says who is to blame. */
    ledger.fails = "start";
    report = NULL;
    CHECK(knhk_graph_start(graph, MINUTE, &report, &err) == KNHK_CALL_FAILED);
    CHECK(strstr(knhk_error_message(err), "ledger failed: the disk of ledger is full") && !strcmp(knhk_error_item(err), "ledger"));
    knhk_error_free(err), err = NULL;
    CHECK(knhk_graph_report_at(report, 2)->outcome == KNHK_COMPONENT_SKIPPED && !strcmp(knhk_graph_report_at(report, 2)->why, "ledger"));
    knhk_graph_report_free(report);
    OK(knhk_graph_shutdown(graph, 0, 0, &report, &err));
    CHECK(knhk_graph_report_len(report) == 0);
    knhk_graph_report_free(report);
    knhk_graph_free(graph);
    CHECK(world.destroyed == 3);
}

typedef struct {
    knhk_graph_t *graph;
    knhk_graph_report_t *report;
} ending_t;

static void *ends(void *at) {
    ending_t *ending = (ending_t *)at;
    CHECK(knhk_graph_shutdown(ending->graph, MINUTE, MINUTE, &ending->report, NULL) == KNHK_TIMEOUT);
    return NULL;
}

static int calls(const char *phase) {
    int count = 0;
    pthread_mutex_lock(&world.lock);
    for (const char *at = world.log; (at = strstr(at, phase)); at++) count++;
    pthread_mutex_unlock(&world.lock);
    return count;
}

/* Threads of a phase that have not ended. */
static int threads(const char *phase) {
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *task; (task = readdir(tasks));) {
        char path[300], name[32] = "";
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", task->d_name);
        FILE *comm = fopen(path, "r");
        if (!comm) continue;
        if (fgets(name, sizeof name, comm)) count += !strncmp(name, "knhk-", 5) && strstr(name, phase);
        fclose(comm);
    }
    closedir(tasks);
    return count;
}

/* Waits until so many were called, and all but so many of them have returned and been heard. */
static void settled(const char *phase, int called, int stuck) {
    while (calls(phase) < called || threads(phase) > stuck) sched_yield();
    CHECK(calls(phase) == called && threads(phase) == stuck);
}

/* Ten chains of five, three of whose members do not return. The clock is the test's own, and stands while there is something to wait for. */
static void fifty(void) {
    static part_t parts[50];
    static const uint64_t second = 1000000000u;
    knhk_scope_t *scope;
    ending_t ending = {NULL, NULL};
    world.log[0] = '\0', world.destroyed = 0;
    OK(knhk_scope_new(KNHK_CLOCK_MANUAL, &scope, &err));
    OK(knhk_graph_new(scope, &ending.graph, &err));
    for (int n = 0; n < 50; n++) {
        snprintf(parts[n].name, sizeof parts[n].name, "c%dl%d", n / 5, n % 5);
        add(ending.graph, &parts[n], n % 5 ? parts[n - 1].name : NULL);
    }
    OK(knhk_graph_start(ending.graph, MINUTE, NULL, &err));
    parts[4].hangs = parts[17].hangs = "stop", parts[26].hangs = "drain"; /* c0l4, c3l2, c5l1 */
    pthread_t thread;
    pthread_create(&thread, NULL, ends, &ending);
    settled("drain", 49, 1);
    OK(knhk_scope_advance(scope, 31 * second, &err)); /* half of the time: c5l0 has its turn all the same */
    settled("drain", 50, 1);
    OK(knhk_scope_advance(scope, 30 * second, &err));
    settled("stop", 44, 2);
    OK(knhk_scope_advance(scope, 21 * second, &err)); /* a third of the time is what c3l2 has, a fifth what c0l4 has */
    settled("stop", 50, 2);
    OK(knhk_scope_advance(scope, 40 * second, &err));
    pthread_join(thread, NULL);
    CHECK(knhk_graph_report_len(ending.report) == 50);
    for (size_t n = 0; n < 50; n++) {
        const knhk_fared_t *fared = knhk_graph_report_at(ending.report, n);
        bool stuck = n == 4 || n == 17 || n == 26;
        CHECK(!strcmp(fared->name, parts[n].name) && fared->outcome == (stuck ? KNHK_COMPONENT_STUCK : KNHK_COMPONENT_DONE));
        CHECK(!stuck || !strcmp(fared->why, n == 26 ? "drain" : "stop"));
    }
    const char *text = knhk_graph_report_text(ending.report);
    CHECK(strstr(text, "47 of 50 components did in 122.000 s") && strstr(text, "\n  c5l1 did not return from drain"));
    knhk_graph_report_free(ending.report);
    knhk_graph_free(ending.graph);
    knhk_scope_free(scope);
    /* Those that were left to themselves are destroyed when they return. */
    pthread_mutex_lock(&world.lock);
    CHECK(world.inside == 3);
    world.let_go = true;
    pthread_cond_broadcast(&world.moved);
    while (world.destroyed < 50) pthread_cond_wait(&world.moved, &world.lock);
    pthread_mutex_unlock(&world.lock);
}

int main(void) {
    small();
    fifty();
    knhk_graph_t *graph;
    part_t part = {"part", NULL, NULL, 1};
    knhk_graph_callback_t of;
    memset(&of, 0, sizeof of);
    of.struct_size = sizeof of;
    OK(knhk_graph_new(NULL, &graph, &err));
    OK(knhk_graph_add(graph, "nothing to do", NULL, 0, &of, &err));
    OK(knhk_graph_start(graph, MINUTE, NULL, &err));
    world.destroyed = 0;
    of.ctx = &part, of.destroy = destroy;
    FAILS(KNHK_ALREADY_EXISTS, knhk_graph_add(graph, "nothing to do", NULL, 0, &of, &err));
    const char *needs = "nobody";
    FAILS(KNHK_NOT_FOUND, knhk_graph_add(graph, "other", &needs, 1, &of, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_graph_add(graph, "other", NULL, 1, &of, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_graph_add(NULL, "other", NULL, 0, &of, &err));
    CHECK(world.destroyed == 4);
    of.struct_size = 3;
    FAILS(KNHK_STRUCT_SIZE, knhk_graph_add(graph, "other", NULL, 0, &of, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_graph_start(NULL, 0, NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_graph_shutdown(NULL, 0, 0, NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_graph_health(graph, NULL, &err));
    OK(knhk_graph_shutdown(graph, MINUTE, MINUTE, NULL, &err));
    knhk_graph_free(graph), knhk_graph_free(NULL);
    knhk_graph_report_free(NULL), knhk_component_health_list_free(NULL);
    CHECK(!knhk_graph_report_at(NULL, 0) && !strcmp(knhk_graph_report_text(NULL), ""));
    return 0;
}
