/* A filter that refuses membarrier, set before and after open, and one that kills, with the barrier chosen not to need it: reads and promotions go on, in
 * fence mode. */
#include "check.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static knhk_engine_t *eng;
static knhk_key_t key;
static uint64_t stopping;

/* For every thread of the process. */
static void filter(uint32_t action) {
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof program / sizeof program[0], program};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) == 0);
}

static void *reads(void *unused) {
    (void)unused;
    knhk_reader_t *rd;
    OK(knhk_reader_register(eng, &rd, &err));
    while (!__atomic_load_n(&stopping, __ATOMIC_ACQUIRE)) {
        knhk_view_t v = knhk_read_begin(rd);
        int64_t value = knhk_get_i64(v, key, -1);
        CHECK(value >= 0 && knhk_get_i64(v, key, -1) == value);
        knhk_read_end(rd, v);
    }
    OK(knhk_reader_unregister(rd, &err));
    return NULL;
}

static void run(uint32_t barrier, uint32_t before, uint32_t after, bool fence_mode) {
    knhk_options_t options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.barrier = barrier;
    options.retained_roots = 8;
    if (before != 0) {
        filter(before);
    }
    OK(knhk_engine_open(":memory:", &options, &eng, &err));
    OK(knhk_sector_create(eng, "s", KNHK_DIRECT, &err));
    OK(knhk_promote_json(eng, "s", "{\"n\": 0}", NULL, &err));
    OK(knhk_key(eng, "s", "n", KNHK_I64, &key, &err));
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, reads, NULL) == 0);
    for (int n = 1; n <= 200; n++) {
        char json[32];
        snprintf(json, sizeof json, "{\"n\": %d}", n);
        if (n == 50 && after != 0) {
            filter(after);
        }
        while (knhk_promote_json(eng, "s", json, NULL, &err) == KNHK_STALLED) {
            knhk_error_free(err);
            err = NULL;
            sched_yield();
        }
        CHECK(err == NULL);
    }
    knhk_stats_t stats;
    stats.struct_size = sizeof stats;
    OK(knhk_stats(eng, &stats, &err));
    CHECK(stats.fence_mode == fence_mode && stats.reclaimed_roots > 0);
    __atomic_store_n(&stopping, 1, __ATOMIC_RELEASE);
    CHECK(pthread_join(thread, NULL) == 0);
    knhk_engine_close(eng);
}

/* A filter cannot be taken off again, so each case has a process of its own, forked before any engine is open. */
static void in_a_child(uint32_t barrier, uint32_t before, uint32_t after, bool fence_mode) {
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        run(barrier, before, after, fence_mode);
        _exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void) {
    const uint32_t refuse = SECCOMP_RET_ERRNO | EPERM, kill_process = SECCOMP_RET_KILL_PROCESS;
    in_a_child(KNHK_BARRIER_AUTO, refuse, 0, true);
    in_a_child(KNHK_BARRIER_AUTO, 0, refuse, true);
    in_a_child(KNHK_BARRIER_FENCE, kill_process, 0, true);
    in_a_child(KNHK_BARRIER_FENCE, 0, kill_process, true);
    return 0;
}
