/* Governance from C: each row of tests/governance/table.json, which is made a header by tests/ffi/governance.rs; and approvals. */
#include "check.h"

#include <stdbool.h>

typedef struct {
    const char *name, *first, *mended_first;
    uint64_t retain_versions;
    bool approvers;
    const char *setup_verb, *setup, *holds, *breaks, *state, *stage, *item, *says, *mended, *mended_state;
} row_t;

#include "governance_table.h"

/* Keys of the seeds 1 and 2, thirty-two times. */
static const char ADA[] = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
static const char APPROVERS[] =
    "{\"by\": \"ops-1\", \"why\": \"the first\", \"approvers\": {\"revision\": 1, \"threshold\": 1, \"approver\": ["
    "{\"name\": \"ada\", \"key\": \"8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c\", \"groups\": [\"desk-risk\"]},"
    "{\"name\": \"eve\", \"key\": \"8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394\", \"groups\": [\"head-of-desk\"]}]}}";

/* The text at a place of an answer. */
static char *text_at(const knhk_buffer_t *answer, const char *place, char *to, size_t size) {
    const char *at;
    size_t len;
    OK(knhk_json_text(answer, place, &at, &len, &err));
    CHECK(len < size);
    memcpy(to, at, len);
    to[len] = 0;
    return to;
}

static bool says(const knhk_buffer_t *answer, const char *place, const char *wanted) {
    static char text[16384];
    return strcmp(text_at(answer, place, text, sizeof text), wanted) == 0;
}

static bool is_true(const knhk_buffer_t *answer, const char *place) {
    bool value;
    OK(knhk_json_bool(answer, place, &value, &err));
    return value;
}

static size_t count(const knhk_buffer_t *answer, const char *place) {
    size_t of;
    OK(knhk_json_count(answer, place, &of, &err));
    return of;
}

static knhk_engine_t *opened(const char *first, uint64_t retain_versions) {
    knhk_signer_t *signer;
    knhk_engine_t *eng;
    knhk_options_t options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    OK(knhk_signer_generate(&signer, &err));
    options.signer = signer;
    options.retain_versions = retain_versions;
    OK(knhk_engine_open(":memory:", &options, &eng, &err));
    knhk_signer_free(signer);
    OK(knhk_sector_create(eng, "orders", KNHK_GOVERNED, &err));
    knhk_buffer_t *answer;
    OK(knhk_propose(eng, first, &answer, &err));
    CHECK(says(answer, "/state", "enacted"));
    knhk_buffer_free(answer);
    return eng;
}

static knhk_buffer_t *approved(knhk_engine_t *eng, const char *kind, const char *id, const char *key) {
    static char payload[8192], request[12288];
    knhk_buffer_t *answer;
    snprintf(request, sizeof request, "{\"kind\": \"%s\", \"id\": \"%s\"}", kind, id);
    OK(knhk_approval_request(eng, request, &answer, &err));
    text_at(answer, "/payload", payload, sizeof payload);
    knhk_buffer_free(answer);
    snprintf(request, sizeof request, "{\"payload\": \"%s\", \"key\": \"%s\"}", payload, key);
    OK(knhk_sign_approval(request, &answer, &err));
    text_at(answer, "/approval", payload, sizeof payload);
    knhk_buffer_free(answer);
    snprintf(request, sizeof request, "{\"approval\": \"%s\"}", payload);
    OK(knhk_approve(eng, request, &answer, &err));
    return answer;
}

static void approvers(knhk_engine_t *eng) {
    knhk_buffer_t *answer;
    char id[32];
    OK(knhk_change_approvers(eng, APPROVERS, &answer, &err));
    text_at(answer, "/id", id, sizeof id);
    knhk_buffer_free(answer);
    answer = approved(eng, "approvers", id, ADA);
    CHECK(is_true(answer, "/change/in_force"));
    knhk_buffer_free(answer);
}

/* Whether the stage that a row names has its verdict, and says of the item what the row says. */
static bool refused_by(const knhk_buffer_t *answer, const row_t *row) {
    char place[128], item[256], what[4096];
    for (size_t stage = 0; stage < count(answer, "/reports/0/stages"); stage++) {
        snprintf(place, sizeof place, "/reports/0/stages/%zu/stage", stage);
        if (!says(answer, place, row->stage)) continue;
        snprintf(place, sizeof place, "/reports/0/stages/%zu/verdict", stage);
        if (!says(answer, place, row->state)) return false;
        snprintf(place, sizeof place, "/reports/0/stages/%zu/findings", stage);
        for (size_t n = 0, all = count(answer, place); n < all; n++) {
            snprintf(place, sizeof place, "/reports/0/stages/%zu/findings/%zu/item", stage, n);
            text_at(answer, place, item, sizeof item);
            snprintf(place, sizeof place, "/reports/0/stages/%zu/findings/%zu/what", stage, n);
            text_at(answer, place, what, sizeof what);
            if (strcmp(item, row->item) == 0 && strstr(what, row->says)) return true;
        }
    }
    return false;
}

static void ends_in(knhk_engine_t *eng, const row_t *row, bool breaks, const char *state) {
    knhk_buffer_t *answer;
    OK(knhk_propose(eng, breaks ? row->breaks : row->mended, &answer, &err));
    if (!says(answer, "/state", state) || (breaks && !refused_by(answer, row))) {
        fprintf(stderr, "%s: not %s by %s, %s, %s: %s\n", row->name, state, row->stage, row->item, row->says, knhk_buffer_data(answer));
        abort();
    }
    knhk_buffer_free(answer);
}

static void rows(void) {
    for (size_t n = 0; n < sizeof ROWS / sizeof *ROWS; n++) {
        const row_t *row = &ROWS[n];
        knhk_engine_t *eng = opened(row->first, row->retain_versions);
        knhk_buffer_t *answer;
        if (row->approvers) approvers(eng);
        if (row->setup_verb) {
            OK(knhk_govern(eng, row->setup_verb, row->setup, &answer, &err));
            knhk_buffer_free(answer);
        }
        knhk_key_t held;
        if (row->holds) OK(knhk_key(eng, "orders", row->holds, KNHK_LIST_STR, &held, &err));
        ends_in(eng, row, true, row->state);
        if (row->mended_first) {
            knhk_engine_close(eng);
            eng = opened(row->mended_first, 0);
        }
        ends_in(eng, row, false, row->mended_state);
        knhk_engine_close(eng);
    }
}

static void approvals(void) {
    knhk_engine_t *eng = opened(ROWS[0].first, 0);
    knhk_buffer_t *answer;
    char id[32];
    approvers(eng);
    OK(knhk_add_rule(eng, "{\"toml\": \"[[rule]]\\nid = \\\"four-eyes\\\"\\nsector = \\\"orders\\\"\\nenforcement = \\\"hard_mandatory\\\"\\n[rule.approval_chain]\\nsteps = [{ quorum = 1 }]\\n\"}",
                     &answer, &err));
    knhk_buffer_free(answer);
    OK(knhk_propose(eng, "{\"changes\": [{\"sector\": \"orders\", \"content\": {\"values\": [[\"max_qty\", \"1400\"]]}}], \"by\": \"bob\"}", &answer, &err));
    CHECK(says(answer, "/state", "waiting") && says(answer, "/said", "waits for an approval (rule orders/four-eyes)"));
    text_at(answer, "/id", id, sizeof id);
    knhk_buffer_free(answer);
    char request[64];
    snprintf(request, sizeof request, "{\"id\": \"%s\"}", id);
    knhk_status_t status = knhk_enact(eng, request, &answer, &err);
    CHECK(status == KNHK_WAITING && knhk_error_reports(err));
    knhk_error_t *held_up = err;
    err = NULL;
    OK(knhk_json_parse(knhk_error_reports(held_up), strlen(knhk_error_reports(held_up)), &answer, &err));
    CHECK(says(answer, "/0/verdict", "waiting") && says(answer, "/0/stages/2/needs/0/item", "rule orders/four-eyes"));
    knhk_buffer_free(answer);
    knhk_error_free(held_up);
    answer = approved(eng, "proposal", id, ADA);
    CHECK(says(answer, "/proposal/state", "enacted"));
    knhk_buffer_free(answer);
    OK(knhk_proposals(eng, NULL, &answer, &err));
    CHECK(says(answer, "/proposals/0/id", id));
    knhk_buffer_free(answer);

    FAILS(KNHK_UNGOVERNED, knhk_promote_json(eng, "orders", "{\"max_qty\": 1}", NULL, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_govern(eng, "frobnicate", "{}", &answer, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_proposal(eng, "{\"id\": \"p-1\", \"more\": 1}", &answer, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_proposal(eng, "{", &answer, &err));
    FAILS(KNHK_NOT_FOUND, knhk_proposal(eng, "{\"id\": \"p-99\"}", &answer, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_proposal(eng, "{\"id\": \"p-1\"}", NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_govern(eng, NULL, NULL, &answer, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_rules(NULL, NULL, &answer, &err));
    CHECK(knhk_error_reports(NULL) == NULL);
    OK(knhk_approver_key(&answer, &err));
    CHECK(count(answer, "") == 2);
    knhk_buffer_free(answer);
    knhk_engine_close(eng);
    FAILS(KNHK_INVALID_ARGUMENT, knhk_sign_approval("{\"payload\": \"AAAA\", \"key\": \"AAAA\"}", &answer, &err));
}

static knhk_buffer_t *parsed(const char *text) {
    knhk_buffer_t *json;
    OK(knhk_json_parse(text, strlen(text), &json, &err));
    return json;
}

/* Each kind of value, in its place; another kind, another place and what is no place each have their error. */
static void places(void) {
    knhk_buffer_t *json = parsed("{\"a/b~c\": [null, true, -2, 2.5, \"gr\\u00fc\\u00dfe\", [], {\"x\": 18446744073709551615}]}"), *part, *none = NULL;
    static const char *const AT[] = {"/a~1b~0c/0", "/a~1b~0c/1", "/a~1b~0c/2", "/a~1b~0c/3", "/a~1b~0c/4", "/a~1b~0c/5", "/a~1b~0c/6", "/a~1b~0c/7"};
    static const uint32_t KINDS[] = {KNHK_JSON_NULL, KNHK_JSON_BOOL, KNHK_JSON_NUMBER, KNHK_JSON_NUMBER, KNHK_JSON_TEXT, KNHK_JSON_LIST, KNHK_JSON_OBJECT, KNHK_JSON_ABSENT};
    int64_t whole = 7;
    uint64_t natural;
    double number;
    bool truth;
    size_t len;
    const char *at;
    for (size_t n = 0; n < 8; n++) {
        uint32_t kind = 99;
        OK(knhk_json_kind(json, AT[n], &kind, &err));
        CHECK(kind == KINDS[n]);
        knhk_status_t otherwise = n == 7 ? KNHK_NOT_FOUND : KNHK_WRONG_TYPE;
        if (n != 1) FAILS(otherwise, knhk_json_bool(json, AT[n], &truth, &err));
        if (n != 2) FAILS(otherwise, knhk_json_i64(json, AT[n], &whole, &err));
        FAILS(otherwise, knhk_json_u64(json, AT[n], &natural, &err));
        if (n != 2 && n != 3) FAILS(otherwise, knhk_json_f64(json, AT[n], &number, &err));
        if (n != 4) FAILS(otherwise, knhk_json_text(json, AT[n], &at, &len, &err));
        if (n < 5 || n == 7) FAILS(otherwise, knhk_json_count(json, AT[n], &len, &err));
    }
    CHECK(whole == 7);
    OK(knhk_json_i64(json, AT[2], &whole, &err));
    OK(knhk_json_u64(json, "/a~1b~0c/6/x", &natural, &err));
    OK(knhk_json_f64(json, AT[3], &number, &err));
    CHECK(whole == -2 && natural == UINT64_MAX && number == 2.5 && is_true(json, AT[1]) && says(json, AT[4], "gr\303\274\303\237e"));
    FAILS(KNHK_WRONG_TYPE, knhk_json_i64(json, "/a~1b~0c/6/x", &whole, &err));
    CHECK(count(json, "") == 1 && count(json, "/a~1b~0c") == 7 && count(json, AT[5]) == 0);
    OK(knhk_json_part(json, AT[6], &part, &err));
    knhk_buffer_free(json);
    CHECK(strcmp(knhk_buffer_data(part), "{\"x\":18446744073709551615}") == 0);

    FAILS(KNHK_INVALID_ARGUMENT, knhk_json_i64(part, "x", &whole, &err));
    FAILS(KNHK_NOT_FOUND, knhk_json_part(part, "/y", &none, &err));
    FAILS(KNHK_BAD_UTF8, knhk_json_u64(part, "/\377", &natural, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_json_u64(part, NULL, &natural, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_json_u64(part, "/x", NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_json_text(part, "/x", &at, NULL, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_json_kind(NULL, "", NULL, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_json_parse("{", 1, &none, &err));
    FAILS(KNHK_INVALID_ARGUMENT, knhk_json_parse(NULL, 0, &none, &err));
    FAILS(KNHK_NULL_ARGUMENT, knhk_json_parse(NULL, 1, &none, &err));
    CHECK(none == NULL);
    knhk_buffer_free(part);

    /* Deeper than is read, and no end of the stack. */
    static char deep[4096];
    memset(deep, '[', sizeof deep);
    FAILS(KNHK_INVALID_ARGUMENT, knhk_json_parse(deep, sizeof deep, &none, &err));
}

int main(void) {
    places();
    rows();
    approvals();
    return 0;
}
