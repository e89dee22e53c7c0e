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
    CHECK(strstr(knhk_buffer_data(answer), "\"state\":\"enacted\""));
    knhk_buffer_free(answer);
    return eng;
}

/* A text field of an answer. */
static void field(const knhk_buffer_t *answer, const char *name, char *to, size_t size) {
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\"%s\":\"", name);
    const char *at = strstr(knhk_buffer_data(answer), wanted);
    CHECK(at != NULL);
    at += strlen(wanted);
    size_t len = strcspn(at, "\"");
    CHECK(len < size);
    memcpy(to, at, len);
    to[len] = 0;
}

static knhk_buffer_t *approved(knhk_engine_t *eng, const char *kind, const char *id, const char *key) {
    static char payload[8192], request[12288];
    knhk_buffer_t *answer;
    snprintf(request, sizeof request, "{\"kind\": \"%s\", \"id\": \"%s\"}", kind, id);
    OK(knhk_approval_request(eng, request, &answer, &err));
    field(answer, "payload", payload, sizeof payload);
    knhk_buffer_free(answer);
    snprintf(request, sizeof request, "{\"payload\": \"%s\", \"key\": \"%s\"}", payload, key);
    OK(knhk_sign_approval(request, &answer, &err));
    field(answer, "approval", payload, sizeof payload);
    knhk_buffer_free(answer);
    snprintf(request, sizeof request, "{\"approval\": \"%s\"}", payload);
    OK(knhk_approve(eng, request, &answer, &err));
    return answer;
}

static void approvers(knhk_engine_t *eng) {
    knhk_buffer_t *answer;
    char id[32];
    OK(knhk_change_approvers(eng, APPROVERS, &answer, &err));
    field(answer, "id", id, sizeof id);
    knhk_buffer_free(answer);
    answer = approved(eng, "approvers", id, ADA);
    CHECK(strstr(knhk_buffer_data(answer), "\"in_force\":true"));
    knhk_buffer_free(answer);
}

static void ends_in(knhk_engine_t *eng, const row_t *row, bool breaks, const char *state) {
    knhk_buffer_t *answer;
    char wanted[64];
    OK(knhk_propose(eng, breaks ? row->breaks : row->mended, &answer, &err));
    snprintf(wanted, sizeof wanted, "\"state\":\"%s\"", state);
    if (!strstr(knhk_buffer_data(answer), wanted)) {
        fprintf(stderr, "%s does not end in %s: %s\n", row->name, state, knhk_buffer_data(answer));
        abort();
    }
    if (breaks) {
        snprintf(wanted, sizeof wanted, "\"stage\":\"%s\",\"verdict\":\"%s\"", row->stage, state);
        const char *text = knhk_buffer_data(answer);
        if (!strstr(text, wanted) || !strstr(text, row->item) || !strstr(text, row->says)) {
            fprintf(stderr, "%s: %s, %s, %s: %s\n", row->name, wanted, row->item, row->says, text);
            abort();
        }
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
    CHECK(strstr(knhk_buffer_data(answer), "\"state\":\"waiting\"") && strstr(knhk_buffer_data(answer), "waits for an approval"));
    /* The content of a change has no id of its own. */
    field(answer, "id", id, sizeof id);
    knhk_buffer_free(answer);
    char request[64];
    snprintf(request, sizeof request, "{\"id\": \"%s\"}", id);
    knhk_status_t status = knhk_enact(eng, request, &answer, &err);
    CHECK(status == KNHK_WAITING && knhk_error_reports(err) && strstr(knhk_error_reports(err), "four-eyes"));
    knhk_error_free(err);
    err = NULL;
    answer = approved(eng, "proposal", id, ADA);
    CHECK(strstr(knhk_buffer_data(answer), "\"state\":\"enacted\""));
    knhk_buffer_free(answer);
    OK(knhk_proposals(eng, NULL, &answer, &err));
    CHECK(strstr(knhk_buffer_data(answer), id));
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
    CHECK(strstr(knhk_buffer_data(answer), "\"public\""));
    knhk_buffer_free(answer);
    knhk_engine_close(eng);
    FAILS(KNHK_INVALID_ARGUMENT, knhk_sign_approval("{\"payload\": \"AAAA\", \"key\": \"AAAA\"}", &answer, &err));
}

int main(void) {
    rows();
    approvals();
    return 0;
}
