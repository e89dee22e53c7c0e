/* A child made by fork reads on, is refused everything else with a clear error, leaves the parent alone, and may open anew. */
#include "check.h"

#include <sys/wait.h>
#include <unistd.h>

static knhk_engine_t *eng;
static knhk_reader_t *rd;
static knhk_hold_t *hold;
static knhk_key_t key;

static void child(knhk_view_t inherited) {
    knhk_reader_t *none = NULL;
    knhk_sector_list_t *sectors = NULL;
    knhk_buffer_t *dump = NULL;
    knhk_stats_t stats;
    size_t drained = 77;
    uint64_t subscription = 77;
    stats.struct_size = sizeof stats;
    CHECK(knhk_get_i64(inherited, key, -1) == 1 && !knhk_observe_i64(rd, inherited, key, 1, KNHK_SUCCESS));
    knhk_read_end(rd, inherited);
    knhk_view_t v = knhk_read_begin(rd);
    CHECK(knhk_get_i64(v, key, -1) == 1);
    knhk_read_end(rd, v);
    FAILS(KNHK_FORKED, knhk_promote_json(eng, "s", "{\"n\": 3}", NULL, &err));
    FAILS(KNHK_FORKED, knhk_rollback(eng, "s", 1, NULL, NULL, &err));
    FAILS(KNHK_FORKED, knhk_emergency_rollback(eng, "s", 1, NULL, NULL, &err));
    FAILS(KNHK_FORKED, knhk_reader_register(eng, &none, &err));
    FAILS(KNHK_FORKED, knhk_key(eng, "s", "n", KNHK_I64, &key, &err));
    FAILS(KNHK_FORKED, knhk_sectors(eng, &sectors, &err));
    FAILS(KNHK_FORKED, knhk_dump(eng, &dump, &err));
    FAILS(KNHK_FORKED, knhk_stats(eng, &stats, &err));
    FAILS(KNHK_FORKED, knhk_unsubscribe(eng, subscription, &err));
    knhk_observation_t observation;
    FAILS(KNHK_FORKED, knhk_observations_drain(eng, &observation, 1, &drained, &err));
    CHECK(knhk_change_version(eng) == 0 && drained == 77);
    knhk_hold_release(hold);
    OK(knhk_reader_unregister(rd, &err));
    knhk_engine_close(eng);

    knhk_engine_t *own;
    OK(knhk_engine_open(":memory:", NULL, &own, &err));
    OK(knhk_sector_create(own, "s", KNHK_DIRECT, &err));
    OK(knhk_promote_json(own, "s", "{\"n\": 5}", NULL, &err));
    OK(knhk_key(own, "s", "n", KNHK_I64, &key, &err));
    OK(knhk_reader_register(own, &rd, &err));
    v = knhk_read_begin(rd);
    CHECK(knhk_get_i64(v, key, -1) == 5);
    knhk_read_end(rd, v);
    OK(knhk_reader_unregister(rd, &err));
    knhk_engine_close(own);
}

int main(void) {
    OK(knhk_engine_open(":memory:", NULL, &eng, &err));
    OK(knhk_sector_create(eng, "s", KNHK_DIRECT, &err));
    OK(knhk_promote_json(eng, "s", "{\"n\": 1}", NULL, &err));
    OK(knhk_key(eng, "s", "n", KNHK_I64, &key, &err));
    OK(knhk_reader_register(eng, &rd, &err));
    knhk_view_t v = knhk_read_begin(rd);
    OK(knhk_snapshot_hold(rd, v, &hold, &err));
    CHECK(knhk_observe_i64(rd, v, key, 7, KNHK_SUCCESS));

    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        child(v);
        _exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);

    OK(knhk_promote_json(eng, "s", "{\"n\": 2}", NULL, &err));
    CHECK(knhk_get_i64(v, key, -1) == 1);
    knhk_read_end(rd, v);
    v = knhk_read_begin(rd);
    CHECK(knhk_get_i64(v, key, -1) == 2);
    knhk_read_end(rd, v);
    knhk_observation_t observation;
    size_t drained;
    OK(knhk_observations_drain(eng, &observation, 1, &drained, &err));
    CHECK(drained == 1 && observation.value.as_i64 == 7);
    knhk_hold_release(hold);
    OK(knhk_reader_unregister(rd, &err));
    knhk_engine_close(eng);
    return 0;
}
