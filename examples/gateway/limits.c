/* The engine, the sector with the gateway's limits, and the policies that they retune. */
#include "gateway.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ONTOLOGY = 1 << 20 };

static const char SECTOR[] = "gateway";

void check(knhk_status_t status, knhk_error_t **err, const char *what)
{
    if (status != KNHK_OK)
        die(what, *err ? knhk_error_message(*err) : knhk_status_string(status));
}

knhk_buffer_t *govern(struct limits *limits, const char *verb, const char *request)
{
    knhk_buffer_t *answer = NULL;
    knhk_error_t *err = NULL;
    check(knhk_govern(limits->engine, verb, request, &answer, &err), &err, verb);
    return answer;
}

/* The file as a JSON string, in quotes. */
static char *quoted(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = malloc(ONTOLOGY), *out = malloc(2 * ONTOLOGY + 3), *at = out;
    if (!file || !text || !out)
        die(path, strerror(errno));
    size_t len = fread(text, 1, ONTOLOGY, file);
    if (len == ONTOLOGY)
        die(path, "larger than a sector's ontology should be");
    fclose(file);
    *at++ = '"';
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"' || text[i] == '\\')
            *at++ = '\\';
        *at++ = text[i] == '\n' ? '\\' : text[i];
        if (text[i] == '\n')
            *at++ = 'n';
    }
    strcpy(at, "\"");
    free(text);
    return out;
}

/* The sector's first version goes through the seven stages like any other. */
static void propose_first(struct limits *limits, const char *ontology)
{
    char *document = quoted(ontology);
    size_t size = strlen(document) + 300;
    char *request = malloc(size);
    if (!request)
        die("propose", "no memory");
    snprintf(request, size,
             "{\"changes\": [{\"sector\": \"%s\", \"content\": {\"document\": {\"text\": %s, \"format\": \"turtle\"}}}],"
             " \"by\": \"gateway\", \"why\": \"tuned for the clean load\"}",
             SECTOR, document);
    knhk_buffer_t *proposal = govern(limits, "propose", request);
    if (!strstr(knhk_buffer_data(proposal), "\"state\":\"enacted\""))
        die("the sector's first version was not enacted", knhk_buffer_data(proposal));
    knhk_buffer_free(proposal);
    free(request);
    free(document);
}

static knhk_policy_t *policy(struct limits *limits, const char *kind, const char *name, const knhk_policy_options_t *options)
{
    knhk_policy_t *made = NULL;
    knhk_error_t *err = NULL;
    check(knhk_policy_new(limits->scope, kind, name, options, &made, &err), &err, name);
    return made;
}

#define OPTIONS(...) &(knhk_policy_options_t){.struct_size = sizeof(knhk_policy_options_t), __VA_ARGS__}

/* Every arm has the shedder, a breaker for each upstream and the retries' budget. The arms differ in what bounds the requests that are in the
 * gateway at once: a number of the sector's, or the adaptive limiter, which may go up to the number of workers and never below the number
 * that the first arm has. */
static void make_policies(struct limits *limits, enum arm arm, double limit)
{
    knhk_error_t *err = NULL;
    knhk_setting_t bulkhead[] = {{"limit", limit}};
    knhk_setting_t adaptive[] = {{"initial", limit}, {"lowest", limit}, {"highest", WORKERS}, {"tolerance", 1.5}};
    knhk_setting_t breaker[] = {{"recovery_ms", 2000}}, budget[] = {{"share", 0.1}},
                   retry[] = {{"attempts", 2}, {"base_ms", 1}, {"cap_ms", 5}};
    limits->shedder = policy(limits, "shedder", "shed", NULL);
    limits->bulkhead = policy(limits, "bulkhead", "front", OPTIONS(.settings = bulkhead, .settings_len = 1));
    limits->adaptive = policy(limits, "adaptive", "adaptive", OPTIONS(.settings = adaptive, .settings_len = 4));
    const knhk_policy_t *parts[] = {limits->shedder, arm == ADAPTIVE ? limits->adaptive : limits->bulkhead};
    limits->front = policy(limits, "pipeline", "admission", OPTIONS(.policies = parts, .policies_len = 2));
    for (int i = 0; i < UPSTREAMS; i++)
        limits->breaker[i] = policy(limits, "breaker", upstream_names[i], OPTIONS(.settings = breaker, .settings_len = 1));
    limits->budget = policy(limits, "budget", "retries", OPTIONS(.settings = budget, .settings_len = 1));
    const knhk_policy_t *budgets[] = {limits->budget};
    limits->retry = policy(limits, "retry", "calls", OPTIONS(.settings = retry, .settings_len = 3, .policies = budgets, .policies_len = 1));
    check(knhk_policy_add(limits->engine, limits->shedder, SECTOR, &err), &err, "shedder");
    check(knhk_policy_add(limits->engine, limits->bulkhead, SECTOR, &err), &err, "bulkhead");
    for (int i = 0; i < UPSTREAMS; i++)
        check(knhk_policy_add(limits->engine, limits->breaker[i], SECTOR, &err), &err, "breaker");
}

static void intern(struct limits *limits, const char *name, uint32_t type, knhk_key_t *key)
{
    knhk_error_t *err = NULL;
    check(knhk_key(limits->engine, SECTOR, name, type, key, &err), &err, name);
}

static void intern_keys(struct limits *limits)
{
    struct keys *keys = &limits->keys;
    char name[64];
    intern(limits, "resilience/front/limit", KNHK_I64, &keys->limit);
    intern(limits, "resilience/shed/low", KNHK_F64, &keys->shed_low);
    intern(limits, "timeout_ms", KNHK_I64, &keys->timeout_ms);
    intern(limits, "slow_ms", KNHK_I64, &keys->slow_ms);
    intern(limits, "slo/answers", KNHK_I64, &keys->answered);
    for (int i = 0; i < UPSTREAMS; i++) {
        snprintf(name, sizeof name, "%s/weight", upstream_names[i]);
        intern(limits, name, KNHK_I64, &keys->weight[i]);
        snprintf(name, sizeof name, "%s/full_weight", upstream_names[i]);
        intern(limits, name, KNHK_I64, &keys->full_weight[i]);
    }
}

void limits_open(struct limits *limits, const char *folder, const char *ontology, enum arm arm)
{
    knhk_error_t *err = NULL;
    knhk_reader_t *reader;
    knhk_observations_options_t keep = {.struct_size = sizeof keep, .window_ns = 60 * 1000000000ull};
    knhk_options_t options = {.struct_size = sizeof options, .ring_records = 1 << 14, .observations = &keep};
    knhk_signer_t *signer = NULL;
    if (!strcmp(folder, ":memory:")) /* a folder has a key of its own */
        check(knhk_signer_generate(&signer, &err), &err, "signer");
    options.flags = signer ? 0 : KNHK_CONTROL;
    options.signer = signer;
    check(knhk_engine_open(folder, &options, &limits->engine, &err), &err, folder);
    knhk_signer_free(signer);
    check(knhk_sector_create(limits->engine, SECTOR, KNHK_GOVERNED, &err), &err, "sector");
    propose_first(limits, ontology);
    intern_keys(limits);
    /* The engine's cached clock is enough for breakers and limits; the limiter that goes by what calls take is on the exact one. */
    check(arm == ADAPTIVE ? knhk_scope_new(KNHK_CLOCK_SYSTEM, &limits->scope, &err)
                          : knhk_engine_scope(limits->engine, &limits->scope, &err),
          &err, "scope");
    check(knhk_reader_register(limits->engine, &reader, &err), &err, "reader");
    knhk_view_t view = knhk_read_begin(reader);
    double limit = (double)knhk_get_i64(view, limits->keys.limit, 0);
    knhk_read_end(reader, view);
    knhk_reader_unregister(reader, NULL);
    make_policies(limits, arm, limit);
}

void limits_close(struct limits *limits)
{
    knhk_policy_t *all[] = {limits->front, limits->shedder, limits->bulkhead, limits->adaptive, limits->retry, limits->budget};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        knhk_policy_free(all[i]);
    for (int i = 0; i < UPSTREAMS; i++)
        knhk_policy_free(limits->breaker[i]);
    knhk_scope_free(limits->scope);
    knhk_engine_close(limits->engine);
}
