#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double bench_ns_per_tick;
uint64_t bench_counted;
static volatile uint64_t bench_sink;

void bench_calibrate(void) {
    uint64_t start_ns = bench_now_ns(), start = __rdtsc(), end_ns;
    while ((end_ns = bench_now_ns()) - start_ns < 20000000) {
    }
    bench_ns_per_tick = (double)(end_ns - start_ns) / (double)(__rdtsc() - start);
}

static int bench_compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *values, size_t count) {
    qsort(values, count, sizeof values[0], bench_compare);
    return values[count / 2];
}

void bench_plain_round(const bench_variant_t *variant, bench_sample_t *sample) {
    enum { ROUND_NS = 12000000, MOST = 1024 };
    static double chunks[MOST];
    size_t taken = 0;
    uint64_t n = bench_counted ? bench_counted : variant->chunk;
    uint64_t round_start = bench_now_ns();
    do {
        uint64_t start = __rdtsc();
        bench_sink += variant->loop(n);
        chunks[taken++] = (double)(__rdtsc() - start) * bench_ns_per_tick / (double)n;
    } while (!bench_counted && taken < MOST && bench_now_ns() - round_start < ROUND_NS);
    sample->ns = bench_median(chunks, taken);
}

uint32_t bench_gap[BENCH_GAPS];
uint64_t bench_worst_gap;

static double bench_gap_quantile(double q, uint64_t total) {
    uint64_t seen = 0, wanted = (uint64_t)(q * (double)total);
    for (uint64_t i = 0; i < BENCH_GAPS; i++) {
        seen += bench_gap[i];
        if (seen > wanted) return (double)(i == BENCH_GAPS - 1 ? bench_worst_gap : i) * bench_ns_per_tick;
    }
    return 0;
}

void bench_gap_round(const bench_variant_t *variant, bench_sample_t *sample) {
    memset(bench_gap, 0, sizeof bench_gap);
    bench_worst_gap = 0;
    uint64_t total = 0, start = bench_now_ns(), elapsed;
    do {
        bench_sink += variant->loop(variant->chunk);
        total += variant->chunk;
    } while ((elapsed = bench_now_ns() - start) < 100000000);
    sample->ns = (double)elapsed / (double)total;
    sample->p50 = bench_gap_quantile(0.50, total);
    sample->p99 = bench_gap_quantile(0.99, total);
    sample->p999 = bench_gap_quantile(0.999, total);
    sample->worst = (double)bench_worst_gap * bench_ns_per_tick;
}

static void bench_answer(const bench_variant_t *variant) {
    bench_sample_t sample = {0};
    if (variant->start) variant->start();
    (variant->round ? variant->round : bench_plain_round)(variant, &sample);
    if (variant->stop) variant->stop(&sample);
    printf("{\"name\": \"%s\", \"ns\": %.5f", variant->name, sample.ns);
    if (sample.worst > 0) {
        printf(", \"p50\": %.2f, \"p99\": %.2f, \"p999\": %.2f, \"worst\": %.1f", sample.p50, sample.p99, sample.p999,
               sample.worst);
    }
    if (sample.rate > 0) printf(", \"rate\": %.1f", sample.rate);
    if (sample.accepted > 0) printf(", \"accepted\": %.6f", sample.accepted);
    printf("}\n");
    fflush(stdout);
}

int bench_main(const bench_variant_t *variants, size_t count) {
    const char *chunk = getenv("BENCH_CHUNK");
    bench_counted = chunk ? strtoull(chunk, NULL, 10) : 0;
    if (bench_ns_per_tick == 0) bench_calibrate();
    printf("{\"variants\": [");
    for (size_t i = 0; i < count; i++) printf("%s\"%s\"", i ? ", " : "", variants[i].name);
    printf("], \"ns_per_tick\": %.6f}\n", bench_ns_per_tick);
    fflush(stdout);
    char line[128];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        size_t i = 0;
        while (i < count && strcmp(variants[i].name, line)) i++;
        if (i == count) {
            fprintf(stderr, "no variant is called \"%s\"\n", line);
            return 2;
        }
        bench_answer(&variants[i]);
    }
    return 0;
}
