/* What people see: a picture that refreshes on a terminal, plain lines elsewhere, and the summary. */
#include "gateway.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { SECOND = 1000 / BIN_MS, TRACK = 72, RECEIPTS = 4, CYCLES = 3, TEXT = 128 };

static int drawn; /* lines of the picture that stands on the terminal */

/* The end of the JSON value that begins at `at`. */
static const char *value_end(const char *at)
{
    int depth = 0;
    for (bool text = false; *at; at++) {
        if (text && *at == '\\' && at[1])
            at++;
        else if (*at == '"')
            text = !text;
        if (text)
            continue;
        if (*at == '{' || *at == '[')
            depth++;
        else if ((*at == '}' || *at == ']') && depth-- == 0)
            return at;
        else if (*at == ',' && depth == 0)
            return at;
    }
    return at;
}

/* The value of a member of a JSON object without white space, as the library writes them; NULL where there is none. */
static const char *member(const char *object, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = object; at && (*at == '{' || *at == ','); at = value_end(at)) {
        if (*++at != '"')
            return NULL;
        if (!strncmp(at + 1, name, len) && at[1 + len] == '"')
            return at + len + 3;
        at = strchr(at + 1, '"') + 2;
    }
    return NULL;
}

/* The text of a member, cut where there is no room for it; "" for none. */
static void text_of(const char *object, const char *name, char *out, size_t size)
{
    const char *at = object ? member(object, name) : NULL;
    size_t len = 0;
    if (at && *at == '"')
        for (at++; *at && *at != '"' && len + 1 < size; at++)
            if (*at != '\\')
                out[len++] = *at;
    out[len] = 0;
}

/* A line of the picture, cut where the terminal ends: a line that wraps would be two to go back over. */
static void line(const char *text)
{
    struct winsize window = {.ws_col = 80};
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &window);
    int columns = window.ws_col > 20 ? window.ws_col - 1 : 79;
    const char *end = text;
    for (; *end && columns >= 0; end++)
        columns -= ((unsigned char)*end & 0xc0) != 0x80; /* what continues a character takes no column of its own */
    if (columns < 0)
        end--;
    printf("%.*s\033[K\n", (int)(end - text), text);
    drawn++;
}

/* The faults on a track of time, with a mark where it is now. */
static void draw_track(const struct run *run, double at)
{
    const struct script *script = &run->shared->script;
    char text[TRACK * 4 + 64], *out = text + sprintf(text, "  ");
    for (int i = 0; i < TRACK; i++) {
        double here = (i + 0.5) / TRACK * script->seconds;
        int fault = -1;
        for (int f = 0; f < FAULTS; f++)
            if (script_is_on(script, f, here))
                fault = f;
        const char *mark = here <= at ? (fault < 0 ? "━" : "▓") : fault < 0 ? "─" : "░";
        out += sprintf(out, "%s", mark);
    }
    line(text);
}

static void draw_share(const struct run *run, int bin)
{
    static const char *const levels[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    char text[400] = "  answered in time  ";
    for (int i = bin - 48 * SECOND / 2; i < bin; i += SECOND / 2) {
        uint64_t sent = bins_sent(run->shared, i, i + SECOND / 2);
        uint64_t good = bins_sum(run->shared, i, i + SECOND / 2, SUCCEEDED);
        strcat(text, i < 0 || sent == 0 ? " " : levels[good * 7 / sent]);
    }
    line(text);
}

static void draw_cycles(struct run *run)
{
    char request[32], text[400];
    snprintf(request, sizeof request, "{\"limit\": %d}", CYCLES);
    knhk_buffer_t *answer = govern(&run->limits, "cycles", request);
    const char *cycle = member(knhk_buffer_data(answer), "cycles");
    cycle = cycle ? cycle + 1 : NULL;
    for (int i = 0; i < CYCLES; i++) {
        char id[24] = "", state[24] = "", watch[40] = "", said[TEXT] = "";
        if (cycle && *cycle == '{') {
            text_of(cycle, "id", id, sizeof id);
            text_of(cycle, "outcome", state, sizeof state);
            if (!*state)
                text_of(cycle, "state", state, sizeof state);
            text_of(member(cycle, "pattern"), "watch", watch, sizeof watch);
            text_of(cycle, "said", said, sizeof said);
            cycle = value_end(cycle);
            cycle += *cycle == ',';
        }
        snprintf(text, sizeof text, "  %-9s %-5s %-11s %-9s %s", i ? "" : "cycles", id, state, watch, said);
        line(text);
    }
    knhk_buffer_free(answer);
}

static void draw_receipts(struct run *run)
{
    knhk_receipt_list_t *receipts;
    knhk_error_t *err = NULL;
    char text[400];
    int shown = 0;
    knhk_receipt_query_t query = {.struct_size = sizeof query, .flags = KNHK_NEWEST_FIRST, .limit = 64};
    if (knhk_receipts(run->limits.engine, &query, &receipts, &err) != KNHK_OK) {
        knhk_error_free(err);
        return;
    }
    for (size_t i = 0; i < knhk_receipts_len(receipts) && shown < RECEIPTS; i++) {
        const knhk_receipt_t *r = knhk_receipts_at(receipts, i);
        if (!strcmp(r->kind, "observations ingested"))
            continue;
        snprintf(text, sizeof text, "  %-9s %5" PRIu64 "  %-26s %-9s %s", shown ? "" : "receipts", r->number, r->kind, r->outcome, r->id);
        line(text);
        shown++;
    }
    for (; shown < RECEIPTS; shown++)
        line("");
    knhk_receipts_free(receipts);
}

static const char *fault_now(const struct run *run, double at)
{
    const struct script *script = &run->shared->script;
    for (int f = 0; f < FAULTS; f++)
        if (script_is_on(script, f, at))
            return script->faults[f].what;
    return "no fault";
}

/* The last second of which the answers are in. */
static int last_bin(double at)
{
    return (int)((at - DEADLINE_MS / 1e3) * 1000 / BIN_MS);
}

static void figures(const struct run *run, double at, char *text, size_t size)
{
    int to = last_bin(at), from = to - SECOND;
    const struct shared *s = run->shared;
    snprintf(text, size, "%5" PRIu64 " requests/s  %5" PRIu64 " in time  %4" PRIu64 " late  %4" PRIu64 " refused  %4" PRIu64 " failed",
             bins_sent(s, from, to), bins_sum(s, from, to, SUCCEEDED), bins_sum(s, from, to, LATE), bins_sum(s, from, to, REFUSED),
             bins_sum(s, from, to, FAILED) + bins_sum(s, from, to, LOST));
}

static void latencies(const struct run *run, double at, char *text, size_t size)
{
    int to = last_bin(at), from = to - SECOND;
    double p50 = bins_quantile(run->shared, from, to, 0.5), p90 = bins_quantile(run->shared, from, to, 0.9),
           p99 = bins_quantile(run->shared, from, to, 0.99);
    snprintf(text, size, "median %3.0f ms  90 %% %3.0f ms  99 %% %3.0f ms", isnan(p50) ? 0 : p50, isnan(p90) ? 0 : p90,
             isnan(p99) ? 0 : p99);
}

static void values(const struct sample *now, char *text, size_t size)
{
    snprintf(text, size, "%2u of %.0f at once  shed from %.2f  time-out %.0f ms  weights %.0f%s %.0f%s %.0f%s", now->in_flight, now->limit,
             now->shed_low, now->timeout_ms, now->weight[0], now->breakers & 1 ? " (breaker)" : "", now->weight[1],
             now->breakers & 2 ? " (breaker)" : "", now->weight[2], now->breakers & 4 ? " (breaker)" : "");
}

static void draw(struct run *run, double at)
{
    char text[400], part[300];
    if (drawn)
        printf("\033[%dA", drawn);
    drawn = 0;
    snprintf(text, sizeof text, "  %5.1f s  %s", at, fault_now(run, at));
    line(text);
    draw_track(run, at);
    figures(run, at, part, sizeof part);
    snprintf(text, sizeof text, "  %s", part);
    line(text);
    latencies(run, at, part, sizeof part);
    snprintf(text, sizeof text, "  %s", part);
    line(text);
    draw_share(run, last_bin(at));
    values(&run->samples[run->sample_count - 1], part, sizeof part);
    snprintf(text, sizeof text, "  %s", part);
    line(text);
    if (run->arm == LOOP)
        draw_cycles(run);
    draw_receipts(run);
    fflush(stdout);
}

void view_begin(struct run *run)
{
    const struct script *script = &run->shared->script;
    if (run->quiet)
        return;
    printf("\n  gateway on 127.0.0.1:%u, arm %s, seed %" PRIu64 ": %d workers, %d upstreams, %.0f seconds\n", run->shared->front_port,
           arm_names[run->arm], script->seed, WORKERS, UPSTREAMS, script->seconds);
    for (int f = 0; f < FAULTS && !script->clean; f++)
        printf("  from %5.1f s to %5.1f s: %s, %s\n", script->faults[f].from, script->faults[f].to, script->faults[f].name,
               script->faults[f].what);
    printf("\n");
    fflush(stdout);
}

void view_tick(struct run *run, double at)
{
    static int shown_changes, ticks;
    char figure[160], latency[100], value[300];
    if (run->quiet)
        return;
    if (run->terminal) {
        draw(run, at);
        return;
    }
    pthread_mutex_lock(&run->lock);
    for (; shown_changes < run->change_count; shown_changes++)
        printf("  %6.1f s  * %s\n", run->changes[shown_changes].at, run->changes[shown_changes].text);
    pthread_mutex_unlock(&run->lock);
    if (++ticks % (2 * SECOND) == 0) {
        figures(run, at, figure, sizeof figure);
        values(&run->samples[run->sample_count - 1], value, sizeof value);
        latencies(run, at, latency, sizeof latency);
        printf("  %6.1f s  %s  %s\n            %s\n", at, figure, latency, value);
    }
    fflush(stdout);
}

/* What the first arm's limits are made of: how many requests are in the gateway at once, and what calls take, while nothing is wrong. */
static void tell_clean_load(struct run *run)
{
    knhk_series_list_t *aggregates;
    knhk_error_t *err = NULL;
    check(knhk_aggregates(run->limits.engine, "gateway", &aggregates, &err), &err, "aggregates");
    for (size_t i = 0; i < knhk_aggregates_len(aggregates); i++) {
        const knhk_series_t *series = knhk_aggregates_at(aggregates, i);
        if (series->kind && (!strcmp(series->kind, "Request") || !strcmp(series->kind, "Call")))
            printf("  %-8s %" PRIu64 " in %.0f s: mean %.1f, 99 %% %.1f, 99.9 %% %.1f, most %.1f %s\n", series->kind,
                   series->window.counts.count, series->window.seconds, series->window.mean, series->window.p99, series->window.p999,
                   series->window.max, series->unit);
    }
    knhk_aggregates_free(aggregates);
}

/* Whatever was sent must have ended once on either side. What the clients count as lost, the gateway may have answered after they had left. */
int view_summary(struct run *run)
{
    struct gateway *g = &run->gateway;
    const struct shared *s = run->shared;
    uint64_t sent = bins_sent(s, 0, BINS), ended = 0, of[ENDINGS];
    for (int e = 0; e < ENDINGS; e++)
        ended += of[e] = bins_sum(s, 0, BINS, e);
    uint64_t received = atomic_load(&g->received), answered = atomic_load(&g->answered), failed = atomic_load(&g->failed);
    uint64_t refused = atomic_load(&g->refused);
    bool whole = sent > 0 && sent == ended && sent == received && received == answered + failed + refused && of[WRONG] == 0 &&
                 of[SUCCEEDED] + of[LATE] <= answered && of[REFUSED] <= refused && of[FAILED] <= failed;
    if (!run->quiet || !whole)
        printf("\n  %s: %" PRIu64 " requests: %" PRIu64 " answered in time (%.1f %%), %" PRIu64 " late, %" PRIu64 " refused, %" PRIu64
               " failed, %" PRIu64 " wrong, %" PRIu64 " lost%s\n",
               arm_names[run->arm], sent, of[SUCCEEDED], 100.0 * (double)of[SUCCEEDED] / (double)(sent ? sent : 1), of[LATE], of[REFUSED],
               of[FAILED], of[WRONG], of[LOST], whole ? "" : "\n  the clients' and the gateway's counts do not agree");
    if (s->script.clean && !run->quiet)
        tell_clean_load(run);
    return whole ? EXIT_SUCCESS : EXIT_FAILURE;
}
