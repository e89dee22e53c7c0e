/* File operations of a process, recorded in order and made to fail: loaded before libc with LD_PRELOAD, it stands beneath SQLite.
 *
 *   KNHK_FAULT_FOLDER   only files of this folder count
 *   KNHK_FAULT_LOG      where each operation is recorded, and each write to standard output, which is what was acknowledged
 *   KNHK_FAULT_AT       the operation that fails, from 0, of those that can fail so, counted as they come
 *   KNHK_FAULT_KIND     eio (any) | enospc (any but reads) | short (reads and writes, half): once
 *                       full (writes): from there on nothing more is written, the first write half
 *   KNHK_FAULT_NO_SYNC  flushes of files whose names end so are left out, as a build without them would; "*": every flush
 *
 * A record: kind (o made, w write, t truncate, s flush, d flush of the content alone, u unlink, l link to the path in
 * data, a acknowledged, f failed by us), path length u16, data length u32, offset u64, path, data;
 * numbers as the machine has them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 1024
static char *paths[FILES];
static const char *folder, *without_sync, *kind = "";
static int record_to = -1;
static long fail_at = -1, operation;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void) {
    const char *log = getenv("KNHK_FAULT_LOG"), *at = getenv("KNHK_FAULT_AT");
    folder = getenv("KNHK_FAULT_FOLDER");
    without_sync = getenv("KNHK_FAULT_NO_SYNC");
    if (getenv("KNHK_FAULT_KIND")) kind = getenv("KNHK_FAULT_KIND");
    if (at) fail_at = atol(at);
    if (log) record_to = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static const char *path_of(int fd) { return fd >= 0 && fd < FILES ? paths[fd] : NULL; }

static int counts(const char *path) { return folder && path && !strncmp(path, folder, strlen(folder)); }

static int ends(const char *path, const char *suffix) {
    size_t n = strlen(path), m = strlen(suffix);
    return n >= m && !strcmp(path + n - m, suffix);
}

static void record(char what, const char *path, uint64_t offset, const void *data, uint32_t size) {
    /* What SQLite's processes share in memory has no part after a power cut. */
    if (record_to < 0 || (what != 'f' && ends(path, "-shm"))) return;
    unsigned char head[15];
    uint16_t length = strlen(path);
    head[0] = what;
    memcpy(head + 1, &length, 2);
    memcpy(head + 3, &size, 4);
    memcpy(head + 7, &offset, 8);
    struct iovec parts[] = {{head, sizeof head}, {(void *)path, length}, {(void *)data, size}};
    if (writev(record_to, parts, 3) < 0) abort();
}

/* Whether this operation fails; sets errno. `half` says that half of a read or write is to be done first. */
static int fails(char what, const char *path, int *half) {
    int moves = what == 'w' || what == 'r';
    *half = 0;
    if (!strcmp(kind, "short") ? !moves : !strcmp(kind, "full") ? what != 'w' : !strcmp(kind, "enospc") && what == 'r') return 0;
    long at = operation++;
    if (fail_at < 0 || at < fail_at) return 0;
    if (at == fail_at) record('f', path, 0, NULL, 0);
    if (!strcmp(kind, "full")) {
        *half = at == fail_at;
        errno = ENOSPC;
        return 1;
    }
    if (at > fail_at) return 0;
    if (!strcmp(kind, "short")) return *half = 1;
    errno = !strcmp(kind, "enospc") ? ENOSPC : EIO;
    return 1;
}

static int opened(int fd, const char *path, int flags, int fresh) {
    if (fd < 0 || fd >= FILES) return fd;
    char *whole = realpath(path, NULL);
    pthread_mutex_lock(&lock);
    free(paths[fd]);
    paths[fd] = whole;
    if (counts(whole) && fresh && (flags & O_CREAT)) record('o', whole, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return fd;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        int mode = va_arg(rest, int), half; \
        va_end(rest); \
        struct stat found; \
        int fresh = stat(path, &found) != 0; \
        pthread_mutex_lock(&lock); \
        int failed = counts(path) && fails('o', path, &half); \
        pthread_mutex_unlock(&lock); \
        return failed ? -1 : opened(real(path, flags, mode), path, flags, fresh); \
    }
OPEN(open)
OPEN(open64)

int close(int fd) {
    REAL(close);
    pthread_mutex_lock(&lock);
    if (fd >= 0 && fd < FILES) {
        free(paths[fd]);
        paths[fd] = NULL;
    }
    pthread_mutex_unlock(&lock);
    return real(fd);
}

#define PWRITE(name, offset_type) \
    ssize_t name(int fd, const void *data, size_t size, offset_type offset) { \
        REAL(name); \
        const char *path = path_of(fd); \
        if (!counts(path)) return real(fd, data, size, offset); \
        pthread_mutex_lock(&lock); \
        int half, failed = fails('w', path, &half), error = errno; \
        ssize_t done = -1; \
        if (!failed || half) done = real(fd, data, half ? size / 2 : size, offset); \
        if (done > 0) record('w', path, offset, data, done); \
        if (failed && !half) errno = error; \
        pthread_mutex_unlock(&lock); \
        return done; \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t write(int fd, const void *data, size_t size) {
    REAL(write);
    const char *path = path_of(fd);
    if (fd == 1) {
        pthread_mutex_lock(&lock);
        ssize_t done = real(fd, data, size);
        if (done > 0) record('a', "", 0, data, done);
        pthread_mutex_unlock(&lock);
        return done;
    }
    if (!counts(path)) return real(fd, data, size);
    return pwrite(fd, data, size, lseek(fd, 0, SEEK_CUR));
}

#define PREAD(name, offset_type) \
    ssize_t name(int fd, void *data, size_t size, offset_type offset) { \
        REAL(name); \
        const char *path = path_of(fd); \
        if (!counts(path)) return real(fd, data, size, offset); \
        pthread_mutex_lock(&lock); \
        int half, failed = fails('r', path, &half); \
        pthread_mutex_unlock(&lock); \
        return failed && !half ? -1 : real(fd, data, half ? (size + 1) / 2 : size, offset); \
    }
PREAD(pread, off_t)
PREAD(pread64, off64_t)

#define TRUNCATE(name, size_type) \
    int name(int fd, size_type size) { \
        REAL(name); \
        const char *path = path_of(fd); \
        if (!counts(path)) return real(fd, size); \
        pthread_mutex_lock(&lock); \
        int half, done = -1; \
        if (!fails('t', path, &half)) done = real(fd, size); \
        if (!done) record('t', path, size, NULL, 0); \
        pthread_mutex_unlock(&lock); \
        return done; \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define SYNC(name, what) \
    int name(int fd) { \
        REAL(name); \
        const char *path = path_of(fd); \
        if (!counts(path)) return real(fd); \
        if (without_sync && (!strcmp(without_sync, "*") || ends(path, without_sync))) return 0; \
        pthread_mutex_lock(&lock); \
        int half, done = -1; \
        if (!fails(what, path, &half)) done = real(fd); \
        if (!done) record(what, path, 0, NULL, 0); \
        pthread_mutex_unlock(&lock); \
        return done; \
    }
SYNC(fsync, 's')
SYNC(fdatasync, 'd')

int unlink(const char *path) {
    REAL(unlink);
    char *whole = realpath(path, NULL);
    int half, done = -1;
    pthread_mutex_lock(&lock);
    if (!counts(whole)) done = real(path);
    else if (!fails('u', whole, &half) && !(done = real(path))) record('u', whole, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    int error = errno;
    free(whole);
    errno = error;
    return done;
}

/* Both names are of the folder; the one that is made is told. */
int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    REAL(linkat);
    char *whole = realpath(from, NULL);
    int half, done = -1;
    pthread_mutex_lock(&lock);
    if (!counts(whole)) done = real(from_folder, from, to_folder, to, flags);
    else if (!fails('l', whole, &half) && !(done = real(from_folder, from, to_folder, to, flags)))
        record('l', whole, 0, to, strlen(to));
    pthread_mutex_unlock(&lock);
    int error = errno;
    free(whole);
    errno = error;
    return done;
}

int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }
