/* The script: fixed before the run, the same for every arm. Whatever is random comes from the seed and the request's number, so that a
 * request needs the same work in each arm. */
#include "gateway.h"

#include <math.h>
#include <string.h>

static const double CLEAN_RATE = 300;  /* requests a second */
static const double SERVICE_S = 0.025; /* the mean that an upstream needs for one */
static const double ERROR_S = 0.002;   /* what it needs to answer with an error */
static const double LONG_S = 110;      /* under two minutes with what comes before and after */

/* The size of a fault is what it says and no more. */
static const struct fault FULL[FAULTS] = {
    {SLOW, 26, 56, 320, 1 << 1, "slow upstream", "each call of b takes 320 ms longer"},
    {SPIKE, 66, 86, 6, 0, "traffic spike", "six times as many requests come"},
    {ERRORS, 94, 106, 0.3, 1 << 1 | 1 << 2, "error burst", "b and c answer 30 % of their calls with an error"},
};

const char *const upstream_names[UPSTREAMS] = {"a", "b", "c"};

void script_make(struct script *script, uint64_t seed, double scale, bool clean)
{
    *script = (struct script){.seed = seed, .seconds = LONG_S * scale, .scale = scale, .clean = clean};
    memcpy(script->faults, FULL, sizeof FULL);
    for (int i = 0; i < FAULTS; i++) {
        script->faults[i].from *= scale;
        script->faults[i].to *= scale;
    }
}

bool script_is_on(const struct script *script, enum fault_kind kind, double at)
{
    const struct fault *fault = &script->faults[kind];
    return !script->clean && at >= fault->from && at < fault->to;
}

static bool is_ill(const struct script *script, enum fault_kind kind, int upstream, double at)
{
    return (script->faults[kind].upstreams >> upstream & 1) && script_is_on(script, kind, at);
}

double script_rate(const struct script *script, double at)
{
    return CLEAN_RATE * (script_is_on(script, SPIKE, at) ? script->faults[SPIKE].size : 1);
}

/* SplitMix64 (Steele, Lea and Flood 2014): a good mix of whatever is put in. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

double script_draw(uint64_t seed, uint64_t what, uint64_t id)
{
    return (double)(mix(mix(mix(seed) ^ what) ^ id) >> 11) * 0x1p-53;
}

uint64_t right_answer(uint64_t id)
{
    return mix(id ^ 0x676174657761790a);
}

/* Service times are Erlang of order 4: a sum of four exponential steps, whose deviation is half of the mean. */
double script_service(const struct script *script, int upstream, uint64_t id, double at, bool *error)
{
    double service = 0;
    for (uint64_t step = 0; step < 4; step++)
        service -= SERVICE_S / 4 * log(1 - script_draw(script->seed, 16 * (uint64_t)upstream + step, id));
    *error =
        is_ill(script, ERRORS, upstream, at) && script_draw(script->seed, 16 * (uint64_t)upstream + 8, id) < script->faults[ERRORS].size;
    if (*error)
        return ERROR_S;
    return service + (is_ill(script, SLOW, upstream, at) ? script->faults[SLOW].size / 1e3 : 0);
}

int latency_bucket(double ms)
{
    int bucket = ms <= 0.25 ? 0 : (int)(8 * log2(ms / 0.25));
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

double bucket_ms(int bucket)
{
    return 0.25 * exp2((bucket + 1) / 8.0);
}

uint64_t bins_sum(const struct shared *shared, int from, int to, enum ending ending)
{
    uint64_t sum = 0;
    for (int i = from < 0 ? 0 : from; i < to && i < BINS; i++)
        sum += atomic_load_explicit(&shared->bins[i].ended[ending], memory_order_relaxed);
    return sum;
}

uint64_t bins_sent(const struct shared *shared, int from, int to)
{
    uint64_t sum = 0;
    for (int i = from < 0 ? 0 : from; i < to && i < BINS; i++)
        sum += atomic_load_explicit(&shared->bins[i].sent, memory_order_relaxed);
    return sum;
}

/* The upper end of the bucket that has the quantile: at most 9 % above it. NaN without answers. */
double bins_quantile(const struct shared *shared, int from, int to, double quantile)
{
    uint64_t counts[BUCKETS] = {0}, all = 0, passed = 0;
    for (int i = from < 0 ? 0 : from; i < to && i < BINS; i++)
        for (int b = 0; b < BUCKETS; b++)
            counts[b] += atomic_load_explicit(&shared->bins[i].latency[b], memory_order_relaxed);
    for (int b = 0; b < BUCKETS; b++)
        all += counts[b];
    if (all == 0)
        return NAN;
    for (int b = 0; b < BUCKETS; b++) {
        passed += counts[b];
        if ((double)passed >= quantile * (double)all)
            return bucket_ms(b);
    }
    return bucket_ms(BUCKETS - 1);
}
