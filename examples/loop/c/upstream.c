/* Asks an upstream that falls ill, and has the closed loop find how much it can still be asked. See ../README.md. */
#include <knhk.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SECONDS = 100, ILL = 40, CAPACITY = 20 };
static const uint64_t BEGIN_NS = 1800000000000000000u, SECOND_NS = 1000000000u;

static void must(int held, const char *what) {
    if (held) return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void done(knhk_status_t status, knhk_error_t *err) {
    must(status == KNHK_OK, status == KNHK_OK ? "" : knhk_error_message(err));
}

/* Answers each request of a batch; while it is ill, those beyond its capacity with "busy". */
static void *upstream(void *listening) {
    int at = accept(*(int *)listening, NULL, NULL);
    FILE *in = fdopen(at, "r"), *out = fdopen(dup(at), "w");
    int second, batch;
    while (in && out && fscanf(in, "%d %d", &second, &batch) == 2) {
        for (int request = 0; request < batch; request++) fputs(second >= ILL && request >= CAPACITY ? "busy\n" : "ok\n", out);
        fflush(out);
    }
    if (in) fclose(in);
    if (out) fclose(out);
    return NULL;
}

/* Connects to a service on a thread of its own. */
static int connected(int *listening, pthread_t *thread) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    *listening = socket(AF_INET, SOCK_STREAM, 0);
    must(!bind(*listening, (struct sockaddr *)&at, len) && !listen(*listening, 1), "no port to listen on");
    must(!getsockname(*listening, (struct sockaddr *)&at, &len), "no name of the port");
    must(!pthread_create(thread, NULL, upstream, listening), "no thread");
    int to = socket(AF_INET, SOCK_STREAM, 0);
    must(!connect(to, (struct sockaddr *)&at, len), "no connection");
    return to;
}

/* The ontology, as a proposal of the sector's first version. */
static char *proposal(const char *path) {
    static char text[8192], request[16384];
    FILE *file = fopen(path, "r");
    must(file != NULL, "name the ontology: upstream examples/loop/gateway.ttl");
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    char *to = request + sprintf(request, "{\"by\": \"ops\", \"why\": \"the first version\", \"changes\": [{\"sector\": \"gateway\", "
                                          "\"content\": {\"document\": {\"format\": \"turtle\", \"text\": \"");
    for (const char *from = text; *from; from++) {
        if (*from == '\n') to += sprintf(to, "\\n");
        else if (*from == '"') to += sprintf(to, "\\\"");
        else *to++ = *from;
    }
    strcpy(to, "\"}}}]}");
    return request;
}

/* Hears of each cycle that is closed: counts those that were kept. */
static void learned(void *kept, const char *info, size_t len) {
    (void)len;
    if (strstr(info, "\"outcome\":\"kept\"")) __atomic_add_fetch((int *)kept, 1, __ATOMIC_RELAXED);
}

int main(int argc, char **argv) {
    knhk_error_t *err = NULL;
    knhk_signer_t *signer;
    knhk_engine_t *eng;
    knhk_reader_t *rd;
    knhk_key_t batch;
    knhk_buffer_t *answer;
    int kept = 0, listening;
    pthread_t thread;
    int to = connected(&listening, &thread);
    FILE *in = fdopen(dup(to), "r");
    must(in != NULL, "no stream");

    /* The clock is moved by hand, so that a minute and more takes no time; a service leaves manual_time_ns out and has the loop take its turns by itself. */
    knhk_observations_options_t keep = {.struct_size = sizeof keep};
    knhk_options_t options = {.struct_size = sizeof options, .observations = &keep, .manual_time_ns = BEGIN_NS};
    done(knhk_signer_generate(&signer, &err), err);
    options.signer = signer;
    done(knhk_engine_open(":memory:", &options, &eng, &err), err);
    knhk_signer_free(signer);
    done(knhk_sector_create(eng, "gateway", KNHK_GOVERNED, &err), err);
    done(knhk_propose(eng, proposal(argc > 1 ? argv[1] : "examples/loop/gateway.ttl"), &answer, &err), err);
    knhk_buffer_free(answer);
    knhk_hook_t hook = {.struct_size = sizeof hook, .phase = KNHK_PHASE_LEARN, .after = 1, .ctx = &kept, .run = learned};
    uint64_t hooked;
    done(knhk_hook_add(eng, &hook, &hooked, &err), err);
    done(knhk_loop_start(eng, "{\"every_ms\": 0, \"cooldown_s\": 2}", &answer, &err), err);
    knhk_buffer_free(answer);
    done(knhk_key(eng, "gateway", "batch", KNHK_I64, &batch, &err), err);
    done(knhk_reader_register(eng, &rd, &err), err);

    double before = 0, after = 0, ill = 0;
    int64_t asked = 0;
    uint64_t now = BEGIN_NS;
    for (int second = 0; second < SECONDS; second++) {
        done(knhk_loop_step(eng, NULL, &answer, &err), err);
        knhk_buffer_free(answer);
        int64_t last = asked, ok = 0;
        knhk_view_t v = knhk_read_begin(rd);
        asked = knhk_get_i64(v, batch, 1);
        knhk_read_end(rd, v);
        if (asked != last) printf("  second %d: %lld at a time\n", second, (long long)asked);
        must(dprintf(to, "%d %lld\n", second, (long long)asked) > 0, "the upstream is gone");
        for (int64_t request = 0; request < asked; request++) {
            char line[8] = "";
            must(fgets(line, sizeof line, in) != NULL, "the upstream is gone");
            int answered = strcmp(line, "ok\n") == 0;
            ok += answered;
            v = knhk_read_begin(rd);
            knhk_observe(rd, v, batch, KNHK_I64, (uint64_t)asked, answered ? KNHK_SUCCESS : KNHK_FAILED, 0, 0, now + (uint64_t)request);
            knhk_read_end(rd, v);
        }
        double share = (double)ok / (double)asked;
        if (second < ILL) before += share / ILL;
        if (second == ILL) ill = share;
        if (second >= SECONDS - 20) after += share / 20;
        done(knhk_time_advance(eng, SECOND_NS, &now, &err), err);
    }
    done(knhk_cycles(eng, NULL, &answer, &err), err);
    int receipts = strstr(knhk_buffer_data(answer), "\"receipts\":[\"") != NULL;
    knhk_buffer_free(answer);
    /* Waits for a call of it that is under way. */
    done(knhk_hook_remove(eng, hooked, &err), err);
    done(knhk_reader_unregister(rd, &err), err);
    knhk_engine_close(eng);
    fclose(in);
    close(to);
    pthread_join(thread, NULL);
    close(listening);
    printf("answered: %.0f %% before, %.0f %% when it fell ill, %.0f %% at the end, with %lld at a time; %d changes kept\n", 100 * before, 100 * ill,
           100 * after, (long long)asked, __atomic_load_n(&kept, __ATOMIC_RELAXED));
    return before > 0.999 && ill < 0.5 && after > 0.999 && asked <= CAPACITY && receipts ? 0 : 1;
}
