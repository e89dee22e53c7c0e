/* What people see: a line that refreshes on a terminal, a line for each change, and the summary, for people or as JSON. */
#define _POSIX_C_SOURCE 200809L
#include "admission.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 24, TRACK = 24 };

static uint64_t samples[SAMPLES], sampled_orders, sampled_ns;
static size_t sample_count;

static uint64_t load(const atomic_uint_fast64_t *at)
{
    return atomic_load_explicit(at, memory_order_relaxed);
}

/* `ended`: the threads are gone, so that what is not atomic may be read too. */
static void total(const struct tally *tallies, int count, bool ended, struct tally *sum)
{
    memset(sum, 0, sizeof *sum);
    for (int i = 0; i < count; i++) {
        const struct tally *t = &tallies[i];
        sum->orders += load(&t->orders);
        sum->answered += load(&t->answered);
        for (int v = 0; v < VERDICTS; v++)
            sum->verdicts[v] += load(&t->verdicts[v]);
        if (!ended)
            continue;
        sum->stale += t->stale;
        sum->malformed += t->malformed;
        sum->backwards += t->backwards;
        sum->lost += t->lost;
        if (t->longest_ns > sum->longest_ns)
            sum->longest_ns = t->longest_ns;
    }
}

/* 1234567 as 1,234,567; the text stays valid for the next seven calls of the thread. */
static const char *grouped(uint64_t n)
{
    static _Thread_local char texts[8][32];
    static _Thread_local unsigned next;
    char digits[24], *out = texts[next++ % 8], *at = out;
    int len = snprintf(digits, sizeof digits, "%" PRIu64, n);
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            *at++ = ',';
        *at++ = digits[i];
    }
    *at = 0;
    return out;
}

static const char *bar(double share, int width)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    static char text[256];
    int steps = (int)(share * width * 8 + 0.5), at = 0;
    for (int i = 0; i < steps / 8 && at < 240; i++)
        at += sprintf(text + at, "█");
    strcpy(text + at, eighths[steps % 8]);
    return text;
}

static const char *spark(void)
{
    static const char *const levels[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static char text[SAMPLES * 3 + 1];
    uint64_t highest = 1;
    size_t shown = sample_count < SAMPLES ? sample_count : SAMPLES;
    text[0] = 0;
    for (size_t i = 0; i < shown; i++)
        highest = samples[i] > highest ? samples[i] : highest;
    for (size_t i = sample_count - shown; i < sample_count; i++)
        strcat(text, levels[samples[i % SAMPLES] * 7 / highest]);
    return text;
}

void report_live(struct program *p)
{
    struct tally sum;
    uint64_t now = now_ns();
    total(p->workers, WORKERS, false, &sum);
    uint64_t orders = load(&sum.orders);
    uint64_t rate = (uint64_t)((double)(orders - sampled_orders) * 1e9 / (double)(now - (sampled_ns ? sampled_ns : p->begun_ns)));
    samples[sample_count++ % SAMPLES] = rate;
    sampled_orders = orders;
    sampled_ns = now;
    if (p->terminal && !p->json) {
        printf("\r\033[K  %4.1f s  %s  %s decisions/s  %.0f %% admitted", (double)(now - p->begun_ns) / 1e9, spark(), grouped(rate),
               orders ? 100.0 * (double)load(&sum.verdicts[ACCEPTED]) / (double)orders : 0.0);
        fflush(stdout);
    }
}

void report_event(const struct program *p, const char *mark, const char *text)
{
    if (p->json || !p->begun_ns)
        return;
    printf("%s  %4.1f s  %s %s\n", p->terminal ? "\r\033[K" : "", (double)(now_ns() - p->begun_ns) / 1e9, mark, text);
    fflush(stdout);
}

static void print_string(const char *text)
{
    putchar('"');
    for (; *text; text++)
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            printf("\\u%04x", *text);
        else
            putchar(*text);
    putchar('"');
}

static void print_json(const struct program *p, const struct tally *served, const struct tally *sent, uint64_t violations)
{
    printf("{\"language\": \"c\", \"seconds\": %.3f, \"workers\": %d, \"connections\": %d, ",
           (double)(p->ended_ns - p->begun_ns) / 1e9, WORKERS, CLIENTS * CONNECTIONS);
    printf("\"sent\": %" PRIu64 ", \"answered\": %" PRIu64 ", \"decided\": %" PRIu64 ", \"verdicts\": {", load(&sent->orders),
           load(&sent->answered), load(&served->orders));
    for (int v = 0; v < VERDICTS; v++)
        printf("%s\"%s\": %" PRIu64, v ? ", " : "", verdict_names[v], load(&served->verdicts[v]));
    printf("}, \"versions\": [");
    for (size_t i = 0; i < p->era_count; i++) {
        const struct era *e = &p->eras[i];
        printf("%s{\"version\": %" PRIu64 ", \"generation\": %" PRIu64 ", \"rollback_of\": %" PRIu64 ", \"by\": ", i ? ", " : "",
               e->version, e->epoch, e->rollback_of);
        print_string(e->by);
        printf(", \"why\": ");
        print_string(e->why);
        printf(", \"change\": ");
        print_string(e->change);
        printf(", \"promote_us\": %.1f, \"decisions\": %" PRIu64 "}", (double)(e->returned_ns - e->called_ns) / 1e3, e->decisions);
    }
    printf("], \"refused\": %d, \"refusal\": ", p->refused);
    print_string(p->refusal);
    printf(", \"announced\": %d, \"decision_ns\": %.1f, \"longest_us\": %.1f, ", p->announced, p->decision_ns,
           (double)served->longest_ns / 1e3);
    printf("\"observations\": {\"accepted\": %" PRIu64 ", \"dropped\": %" PRIu64 ", \"drained\": %" PRIu64 "}, ",
           (uint64_t)p->stats.observed, (uint64_t)p->stats.dropped, p->drained);
    printf("\"violations\": {\"stale\": %" PRIu64 ", \"contradicted\": %" PRIu64 ", \"backwards\": %" PRIu64 ", \"lost\": %" PRIu64
           ", \"unexpected\": %d, \"total\": %" PRIu64 "}}\n",
           served->stale, p->contradicted, sent->backwards, sent->lost, p->unexpected, violations);
}

static void check(const struct program *p, bool holds, const char *text)
{
    const char *colour = !p->terminal ? "" : holds ? "\033[32m" : "\033[31m";
    printf("    %s%s%s  %s\n", colour, holds ? "✓" : "✗", p->terminal ? "\033[0m" : "", text);
}

/* When a version was in force, from the beginning of the run to its end. */
static const char *track(const struct program *p, size_t version)
{
    static char text[TRACK * 3 + 1];
    double whole = (double)(p->ended_ns - p->begun_ns);
    uint64_t from = version ? p->eras[version].returned_ns : p->begun_ns;
    uint64_t until = version + 1 < p->era_count ? p->eras[version + 1].returned_ns : p->ended_ns;
    int begin = (int)((double)(from - p->begun_ns) / whole * TRACK), end = (int)((double)(until - p->begun_ns) / whole * TRACK);
    text[0] = 0;
    for (int i = 0; i < TRACK; i++)
        strcat(text, i >= begin && i < end ? "━" : "·");
    return text;
}

static void print_versions(const struct program *p)
{
    printf("\n  version         in force %*s    promoted in   next decision      decisions\n", TRACK - 8, "");
    for (size_t i = 0; i < p->era_count; i++) {
        const struct era *e = &p->eras[i];
        double after = e->first_ns > e->returned_ns ? (double)(e->first_ns - e->returned_ns) / 1e3 : 0;
        printf("    %s %" PRIu64 " %-10s %s", e->rollback_of ? "↶" : "●", e->version, e->by, track(p, i));
        printf(" %8.0f µs  %8.0f µs after %12s   %s\n", (double)(e->returned_ns - e->called_ns) / 1e3, after, grouped(e->decisions),
               e->change);
    }
    printf("    ✗   refused: %s\n", p->refusal);
}

static void print_summary(const struct program *p, const struct tally *served, const struct tally *sent, bool whole)
{
    double seconds = (double)(p->ended_ns - p->begun_ns) / 1e9;
    uint64_t orders = load(&served->orders);
    double all = orders ? (double)orders : 1;
    char line[256];

    printf("%s\n  decisions     %12s   %s a second   %s\n\n", p->terminal ? "\r\033[K" : "", grouped(orders),
           grouped((uint64_t)((double)orders / seconds)), spark());
    for (int v = 0; v < VERDICTS; v++) {
        double share = (double)load(&served->verdicts[v]) / all;
        printf("    %-10s  %12s   %5.1f %%  %s\n", verdict_names[v], grouped(load(&served->verdicts[v])), share * 100, bar(share, 40));
    }
    print_versions(p);
    printf("\n  a decision      %.1f ns: one view, up to six typed reads, among them a look-up by the tenant's name\n", p->decision_ns);
    printf("  longest pause   %.0f µs in one decision, the scheduler's share included\n", (double)served->longest_ns / 1e3);
    printf("  observations    %s accepted, %s dropped\n\n  checked\n", grouped(p->stats.observed), grouped(p->stats.dropped));

    snprintf(line, sizeof line, "an acknowledged change holds: %s of %s decisions were made on older limits", grouped(served->stale),
             grouped(orders));
    check(p, served->stale == 0 && sent->backwards == 0, line);
    snprintf(line, sizeof line, "each verdict is right for its generation: %s of %s audited contradict it", grouped(p->contradicted),
             grouped(p->drained));
    check(p, p->contradicted == 0, line);
    snprintf(line, sizeof line, "nothing is lost: %s sent, %s answered, %s decided, %s observed, %s counted as dropped",
             grouped(load(&sent->orders)), grouped(load(&sent->answered)), grouped(orders), grouped(p->drained), grouped(p->stats.dropped));
    check(p, whole, line);
    check(p, p->unexpected == 0 && p->refused == 1, "the document that broke its own range was refused and changed nothing");
    printf("\n");
}

int report_summary(struct program *p)
{
    struct tally served, sent;
    total(p->workers, WORKERS, true, &served);
    total(p->clients, CLIENTS, true, &sent);
    uint64_t orders = load(&served.orders);
    bool whole = load(&sent.orders) == orders && load(&sent.answered) == orders && p->drained == p->stats.observed &&
                 p->stats.observed + p->stats.dropped == orders && p->announced == (int)p->era_count && p->refused == 1;
    for (int v = 0; v < VERDICTS; v++)
        whole = whole && load(&served.verdicts[v]) == load(&sent.verdicts[v]);
    uint64_t violations = served.stale + sent.backwards + sent.lost + p->contradicted + (uint64_t)p->unexpected +
                          (whole ? 0 : 1);
    if (p->json)
        print_json(p, &served, &sent, violations);
    else
        print_summary(p, &served, &sent, whole);
    return violations == 0 && orders > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
