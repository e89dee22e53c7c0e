/* What is left of a run: one JSON file with everything that the report shows. */
#include "gateway.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void changed(void *ctx, const knhk_change_t *change)
{
    struct run *run = ctx;
    pthread_mutex_lock(&run->lock);
    if (run->change_count < CHANGES) {
        struct change *new = &run->changes[run->change_count++];
        new->at = ((double)change->time_ns - (double)run->begun_real_ns) / 1e9;
        new->version = change->version;
        snprintf(new->by, sizeof new->by, "%s", change->by);
        snprintf(new->text, sizeof new->text, "%s", change->summary);
    }
    pthread_mutex_unlock(&run->lock);
}

void record_changes(struct run *run)
{
    knhk_error_t *err = NULL;
    uint64_t subscription;
    knhk_change_callback_t callback = {.struct_size = sizeof callback, .ctx = run, .changed = changed};
    pthread_mutex_init(&run->lock, NULL);
    check(knhk_subscribe(run->limits.engine, &callback, &subscription, &err), &err, "subscribe");
}

static void text(FILE *out, const char *s)
{
    fputc('"', out);
    for (; s && *s; s++) {
        if (*s == '"' || *s == '\\')
            fprintf(out, "\\%c", *s);
        else if ((unsigned char)*s < ' ')
            fprintf(out, "\\u%04x", *s);
        else
            fputc(*s, out);
    }
    fputc('"', out);
}

static void number(FILE *out, const char *before, double value)
{
    if (isfinite(value))
        fprintf(out, "%s%.10g", before, value);
    else
        fprintf(out, "%snull", before);
}

static void write_bins(FILE *out, const struct run *run)
{
    int bins = (int)ceil(run->shared->script.seconds * 1000 / BIN_MS);
    fprintf(out, "\"bin_ms\": %d,\n\"bins\": [", BIN_MS);
    for (int i = 0; i < bins && i < BINS; i++) {
        fprintf(out, "%s\n{\"sent\": %" PRIu64, i ? "," : "", bins_sent(run->shared, i, i + 1));
        for (int e = 0; e < ENDINGS; e++)
            fprintf(out, ", \"%s\": %" PRIu64, ending_names[e], bins_sum(run->shared, i, i + 1, e));
        number(out, ", \"p50\": ", bins_quantile(run->shared, i, i + 1, 0.5));
        number(out, ", \"p99\": ", bins_quantile(run->shared, i, i + 1, 0.99));
        fprintf(out, "}");
    }
    fprintf(out, "],\n\"totals\": {\"sent\": %" PRIu64, bins_sent(run->shared, 0, BINS));
    for (int e = 0; e < ENDINGS; e++)
        fprintf(out, ", \"%s\": %" PRIu64, ending_names[e], bins_sum(run->shared, 0, BINS, e));
    for (int q = 0; q < 4; q++) {
        static const char *const names[] = {", \"p50\": ", ", \"p90\": ", ", \"p99\": ", ", \"p99.9\": "};
        static const double quantiles[] = {0.5, 0.9, 0.99, 0.999};
        number(out, names[q], bins_quantile(run->shared, 0, BINS, quantiles[q]));
    }
    fprintf(out, "}");
}

static void write_samples(FILE *out, const struct run *run)
{
    fprintf(out, ",\n\"samples\": [");
    for (int i = 0; i < run->sample_count; i++) {
        const struct sample *s = &run->samples[i];
        fprintf(out, "%s\n{\"at\": %.3f, \"limit\": %g, \"shed_low\": %g, \"timeout_ms\": %g, \"in_flight\": %u, \"breakers\": %u",
                i ? "," : "", s->at, s->limit, s->shed_low, s->timeout_ms, s->in_flight, s->breakers);
        for (int u = 0; u < UPSTREAMS; u++)
            fprintf(out, ", \"weight_%s\": %g", upstream_names[u], s->weight[u]);
        fprintf(out, "}");
    }
    fprintf(out, "]");
}

static void write_counts(FILE *out, struct run *run)
{
    struct gateway *g = &run->gateway;
    fprintf(
        out,
        ",\n\"gateway\": {\"received\": %lu, \"admitted\": %lu, \"refused\": %lu, \"answered\": %lu, \"failed\": %lu, \"timeouts\": %lu, "
        "\"retries\": %lu, \"unobserved\": %lu}",
        atomic_load(&g->received), atomic_load(&g->admitted), atomic_load(&g->refused), atomic_load(&g->answered), atomic_load(&g->failed),
        atomic_load(&g->timeouts), atomic_load(&g->retries), atomic_load(&g->unobserved));
    fprintf(out, ",\n\"upstreams\": [");
    for (int i = 0; i < UPSTREAMS; i++)
        fprintf(out, "%s{\"name\": \"%s\", \"calls\": %lu, \"asked\": %lu, \"worked\": %lu, \"erred\": %lu}", i ? ", " : "",
                upstream_names[i], atomic_load(&g->calls[i]), atomic_load(&run->shared->asked[i]), atomic_load(&run->shared->worked[i]),
                atomic_load(&run->shared->erred[i]));
    fprintf(out, "]");
}

static void write_receipts(FILE *out, struct run *run)
{
    knhk_receipt_list_t *receipts;
    knhk_error_t *err = NULL;
    knhk_receipt_query_t query = {.struct_size = sizeof query, .limit = 100000};
    check(knhk_receipts(run->limits.engine, &query, &receipts, &err), &err, "receipts");
    fprintf(out, ",\n\"receipts\": [");
    for (size_t i = 0; i < knhk_receipts_len(receipts); i++) {
        const knhk_receipt_t *r = knhk_receipts_at(receipts, i);
        fprintf(out, "%s\n{\"number\": %" PRIu64 ", \"id\": \"%s\", \"time_ns\": %" PRIu64 ", \"kind\": ", i ? "," : "", r->number, r->id,
                r->time_ns);
        text(out, r->kind);
        fprintf(out, ", \"outcome\": ");
        text(out, r->outcome);
        fprintf(out, ", \"leaf\": \"");
        for (int b = 0; b < 32; b++)
            fprintf(out, "%02x", r->leaf[b]);
        fprintf(out, "\", \"evidence\": %s}", r->evidence);
    }
    knhk_receipts_free(receipts);
    fprintf(out, "]");
}

static void write_answer(FILE *out, struct run *run, const char *name, const char *verb, const char *request)
{
    knhk_buffer_t *answer = govern(&run->limits, verb, request);
    fprintf(out, ",\n\"%s\": %s", name, knhk_buffer_data(answer));
    knhk_buffer_free(answer);
}

void record_write(struct run *run)
{
    const struct script *script = &run->shared->script;
    FILE *out = run->out ? fopen(run->out, "w") : NULL;
    if (!run->out)
        return;
    if (!out)
        die(run->out, strerror(errno));
    fprintf(out,
            "{\"arm\": \"%s\", \"seed\": %" PRIu64
            ", \"seconds\": %g, \"scale\": %g, \"clean\": %s, \"deadline_ms\": %d, \"begun_ns\": %" PRIu64 ",\n\"faults\": [",
            arm_names[run->arm], script->seed, script->seconds, script->scale, script->clean ? "true" : "false", DEADLINE_MS,
            run->begun_real_ns);
    for (int i = 0; i < FAULTS && !script->clean; i++)
        fprintf(out, "%s{\"name\": \"%s\", \"what\": \"%s\", \"from\": %g, \"to\": %g}", i ? ", " : "", script->faults[i].name,
                script->faults[i].what, script->faults[i].from, script->faults[i].to);
    fprintf(out, "],\n");
    write_bins(out, run);
    write_samples(out, run);
    write_counts(out, run);
    fprintf(out, ",\n\"changes\": [");
    pthread_mutex_lock(&run->lock);
    for (int i = 0; i < run->change_count; i++) {
        fprintf(out, "%s\n{\"at\": %.3f, \"version\": %" PRIu64 ", \"by\": ", i ? "," : "", run->changes[i].at, run->changes[i].version);
        text(out, run->changes[i].by);
        fprintf(out, ", \"text\": ");
        text(out, run->changes[i].text);
        fprintf(out, "}");
    }
    pthread_mutex_unlock(&run->lock);
    fprintf(out, "]");
    write_receipts(out, run);
    if (run->arm == LOOP) {
        write_answer(out, run, "cycles", "cycles", "{\"limit\": 1000}");
        write_answer(out, run, "patterns", "patterns", "{\"limit\": 1000}");
        write_answer(out, run, "knowledge", "knowledge", "{}");
        write_answer(out, run, "status", "loop_status", "{}");
    }
    write_answer(out, run, "probations", "probations", "{}");
    fprintf(out, "}\n");
    if (fclose(out))
        die(run->out, strerror(errno));
}
