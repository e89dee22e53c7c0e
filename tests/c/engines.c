/* Engines beside each other: two in memory do not disturb each other, a folder has one engine at a time and comes back as it was, and no signal
 * handler of the program runs on the library's threads. */
#include "check.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static knhk_engine_t *opened(const char *location, int64_t value) {
    char json[64];
    knhk_engine_t *eng;
    snprintf(json, sizeof json, "{\"n\": %lld, \"m\": {\"x\": 5}}", (long long)value);
    OK(knhk_engine_open(location, NULL, &eng, &err));
    OK(knhk_sector_create(eng, "s", KNHK_DIRECT, &err));
    OK(knhk_promote_json(eng, "s", json, NULL, &err));
    return eng;
}

static int64_t read_once(knhk_reader_t *rd, knhk_key_t key) {
    knhk_view_t v = knhk_read_begin(rd);
    int64_t value = knhk_get_i64(v, key, -1);
    knhk_read_end(rd, v);
    return value;
}

static void two_in_memory(void) {
    knhk_engine_t *one = opened(":memory:", 1), *two = opened(":memory:", 2);
    knhk_reader_t *reads_one, *reads_two;
    knhk_key_t of_one, of_two, late;
    OK(knhk_reader_register(one, &reads_one, &err));
    OK(knhk_reader_register(two, &reads_two, &err));
    OK(knhk_key(one, "s", "n", KNHK_I64, &of_one, &err));
    OK(knhk_key(two, "s", "n", KNHK_I64, &of_two, &err));
    CHECK(read_once(reads_one, of_one) == 1 && read_once(reads_two, of_two) == 2);
    /* A key of a sector that the other engine does not have reads as absent there. */
    OK(knhk_sector_create(two, "t", KNHK_DIRECT, &err));
    OK(knhk_promote_json(two, "t", "{\"n\": 3}", NULL, &err));
    OK(knhk_key(two, "t", "n", KNHK_I64, &late, &err));
    CHECK(read_once(reads_two, late) == 3 && read_once(reads_one, late) == -1);
    knhk_engine_close(one);
    OK(knhk_promote_json(two, "s", "{\"n\": 4, \"m\": {\"x\": 5}}", NULL, &err));
    CHECK(read_once(reads_one, of_one) == -1 && read_once(reads_two, of_two) == 4);
    OK(knhk_reader_unregister(reads_one, &err));
    OK(knhk_reader_unregister(reads_two, &err));
    knhk_engine_close(two);
}

static void one_folder(void) {
    char folder[] = "/tmp/knhk-test-XXXXXX", command[64];
    CHECK(mkdtemp(folder) != NULL);
    knhk_engine_t *eng = opened(folder, 7), *second = NULL;
    FAILS(KNHK_BUSY, knhk_engine_open(folder, NULL, &second, &err));
    CHECK(second == NULL);
    /* A still picture beside the engine that has the folder open, which takes no changes and sees none. */
    knhk_options_t options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.flags = KNHK_READ_ONLY;
    OK(knhk_engine_open(folder, &options, &second, &err));
    OK(knhk_promote_json(eng, "s", "{\"n\": 7, \"m\": {\"x\": 5}, \"late\": 1}", NULL, &err));
    knhk_key_t late;
    FAILS(KNHK_NOT_FOUND, knhk_key(second, "s", "late", KNHK_I64, &late, &err));
    FAILS(KNHK_IO, knhk_promote_json(second, "s", "{\"n\": 8}", NULL, &err));
    knhk_engine_close(second);
    options.flags = KNHK_READ_ONLY | KNHK_CONTROL;
    FAILS(KNHK_INVALID_ARGUMENT, knhk_engine_open(folder, &options, &second, &err));
    options.flags = 4;
    FAILS(KNHK_INVALID_ARGUMENT, knhk_engine_open(folder, &options, &second, &err));
    knhk_engine_close(eng);

    /* Commands over a socket that only its owner reaches. */
    char socket[80];
    struct stat found;
    snprintf(socket, sizeof socket, "%s/control", folder);
    options.flags = KNHK_CONTROL;
    OK(knhk_engine_open(folder, &options, &eng, &err));
    CHECK(stat(socket, &found) == 0 && S_ISSOCK(found.st_mode) && (found.st_mode & 0777) == 0600);
    knhk_engine_close(eng);
    CHECK(stat(socket, &found) != 0);
    OK(knhk_engine_open(folder, NULL, &eng, &err));
    knhk_reader_t *rd;
    knhk_key_t n, x;
    OK(knhk_reader_register(eng, &rd, &err));
    OK(knhk_key(eng, "s", "n", KNHK_I64, &n, &err));
    OK(knhk_key(eng, "s", "m/x", KNHK_I64, &x, &err));
    CHECK(read_once(rd, n) == 7 && read_once(rd, x) == 5);
    OK(knhk_reader_unregister(rd, &err));
    knhk_engine_close(eng);
    FAILS(KNHK_IO, knhk_engine_open("/dev/null/knhk", NULL, &eng, &err));
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(system(command) == 0);
}

/* The mask of each thread but this one blocks what a program handles. */
static void signals(void) {
    knhk_engine_t *eng = opened(":memory:", 1);
    DIR *tasks = opendir("/proc/self/task");
    CHECK(tasks != NULL);
    int others = 0;
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        char path[300], line[256];
        unsigned long long blocked = 0;
        long task = atol(entry->d_name);
        if (task == 0 || task == syscall(SYS_gettid)) {
            continue;
        }
        snprintf(path, sizeof path, "/proc/self/task/%ld/status", task);
        FILE *status = fopen(path, "r");
        CHECK(status != NULL);
        while (fgets(line, sizeof line, status) != NULL) {
            if (strncmp(line, "SigBlk:", 7) == 0) {
                blocked = strtoull(line + 7, NULL, 16);
            }
        }
        fclose(status);
        CHECK((blocked >> (SIGUSR1 - 1) & 1) && (blocked >> (SIGTERM - 1) & 1) && (blocked >> (SIGALRM - 1) & 1));
        others++;
    }
    closedir(tasks);
    CHECK(others == 3);
    sigset_t here;
    CHECK(pthread_sigmask(SIG_BLOCK, NULL, &here) == 0 && sigismember(&here, SIGUSR1) == 0);
    knhk_engine_close(eng);
}

int main(void) {
    signals();
    two_in_memory();
    one_folder();
    return 0;
}
