/* Texts made to hurt are refused by name, with little memory, and change nothing. An alarm ends a call that takes too long. */
#include "check.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SECONDS = 60, MEMORY_KIB = 256 << 10 };

static long peak_kib(void) {
    struct rusage used;
    CHECK(getrusage(RUSAGE_SELF, &used) == 0);
    return used.ru_maxrss;
}

/* `times` copies of `part`, between `head` and `tail`. */
static char *repeated(const char *head, const char *part, size_t times, const char *tail) {
    size_t step = strlen(part), at = strlen(head);
    char *text = (char *)malloc(at + times * step + strlen(tail) + 1);
    CHECK(text != NULL);
    memcpy(text, head, at);
    for (size_t n = 0; n < times; n++, at += step) memcpy(text + at, part, step);
    strcpy(text + at, tail);
    return text;
}

static void refused(knhk_engine_t *eng, uint32_t format, const char *text, size_t len, const char *said) {
    uint64_t before = knhk_change_version(eng);
    long memory = peak_kib();
    alarm(SECONDS);
    knhk_status_t status = knhk_promote_rdf(eng, "orders", text, len, format, NULL, NULL, &err);
    alarm(0);
    if ((status != KNHK_LIMIT && status != KNHK_DOCUMENT) || !SAYS(said) || strlen(knhk_error_message(err)) > 2000) {
        fprintf(stderr, "%s: %s\n", knhk_status_string(status), knhk_error_message(err));
        abort();
    }
    knhk_error_free(err);
    err = NULL;
    CHECK(peak_kib() - memory < MEMORY_KIB && knhk_change_version(eng) == before);
}

static void refused_text(knhk_engine_t *eng, uint32_t format, char *text, const char *said) {
    refused(eng, format, text, strlen(text), said);
    free(text);
}

static void deep(knhk_engine_t *eng) {
    refused_text(eng, KNHK_FORMAT_TURTLE, repeated("<urn:a> <urn:b> ", "[ <urn:b> ", 100000, ""), "nest");
    refused_text(eng, KNHK_FORMAT_TURTLE, repeated("<urn:a> <urn:b> ", "( ", 100000, ""), "nest");
    refused_text(eng, KNHK_FORMAT_JSONLD, repeated("", "[", 100000, ""), "nest");
    refused_text(eng, KNHK_FORMAT_JSONLD, repeated("", "{\"urn:b\":", 100000, ""), "nest");
    refused_text(eng, KNHK_FORMAT_RDFXML, repeated("", "<a>", 100000, ""), "nest");
    refused_text(eng, KNHK_FORMAT_JSON, repeated("", "{\"a\":", 100000, ""), "");
}

static void large(knhk_engine_t *eng) {
    refused_text(eng, KNHK_FORMAT_TURTLE, repeated("<urn:a> <urn:b> \"", "x", 2 << 20, "\" ."), "");
    refused_text(eng, KNHK_FORMAT_NTRIPLES, repeated("<urn:a> <urn:b> <urn:", "x", 2 << 20, "> ."), "");
    refused_text(eng, KNHK_FORMAT_RDFXML, repeated("<a x=\"", "x", 2 << 20, "\"/>"), "");
    /* A gibibyte without a line's end: memory that nobody touches, since its size is refused first. */
    size_t len = (size_t)1 << 30;
    char *endless = (char *)mmap(NULL, len, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(endless != MAP_FAILED);
    for (uint32_t format = KNHK_FORMAT_TURTLE; format <= KNHK_FORMAT_RDFXML; format++) refused(eng, format, endless, len, "bytes");
    munmap(endless, len);
}

/* A clique of blank nodes, which RDFC-1.0 can only label by trying every order. */
static void clique(knhk_engine_t *eng) {
    enum { NODES = 40 };
    char *text = (char *)calloc(NODES * NODES, 32), *at = text;
    for (int from = 0; from < NODES; from++)
        for (int to = 0; to < NODES; to++)
            if (from != to) at += sprintf(at, "_:n%d <urn:p> _:n%d .\n", from, to);
    refused_text(eng, KNHK_FORMAT_NTRIPLES, text, "blank node");
}

static void entities(knhk_engine_t *eng) {
    char *laughs = repeated("<!DOCTYPE rdf:RDF [<!ENTITY a \"ha\">", "", 0, ""), *next;
    for (int n = 0; n < 12; n++) {
        char line[160];
        sprintf(line, "<!ENTITY %c \"&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;\">", 'b' + n, 'a' + n, 'a' + n, 'a' + n, 'a' + n, 'a' + n, 'a' + n,
                'a' + n, 'a' + n, 'a' + n, 'a' + n);
        next = repeated(laughs, line, 1, "");
        free(laughs);
        laughs = next;
    }
    next = repeated(laughs, "", 0,
                    "]><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns:e=\"urn:e:\"><rdf:Description "
                    "rdf:about=\"urn:a\"><e:p>&m;</e:p></rdf:Description></rdf:RDF>");
    free(laughs);
    refused_text(eng, KNHK_FORMAT_RDFXML, next, "");
    refused_text(eng, KNHK_FORMAT_RDFXML, repeated("<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><r>&x;</r>", "", 0, ""), "");
    refused_text(eng, KNHK_FORMAT_JSONLD, repeated("{\"@context\": \"http://example.com/context\", \"a\": 1}", "", 0, ""), "http://example.com/context");
}

/* Broken shapes: a list that bites its tail, a constraint of another language, a pattern that would never end elsewhere. */
static void shapes(knhk_engine_t *eng) {
    static const char *const texts[] = {
        "<urn:s> a <http://www.w3.org/ns/shacl#NodeShape> ; <http://www.w3.org/ns/shacl#in> _:l ."
        " _:l <http://www.w3.org/1999/02/22-rdf-syntax-ns#first> 1 ; <http://www.w3.org/1999/02/22-rdf-syntax-ns#rest> _:l .",
        "<urn:s> a <http://www.w3.org/ns/shacl#NodeShape> ; <http://www.w3.org/ns/shacl#targetNode> <urn:n> ;"
        " <http://www.w3.org/ns/shacl#sparql> [ <http://www.w3.org/ns/shacl#select> \"SELECT $this WHERE {}\" ] .",
        "<urn:s> a <http://www.w3.org/ns/shacl#NodeShape> ; <http://www.w3.org/ns/shacl#targetNode> \"a\" ;"
        " <http://www.w3.org/ns/shacl#pattern> \"(((((a{1000}){1000}){1000}){1000}){1000})\" .",
    };
    for (size_t n = 0; n < sizeof texts / sizeof texts[0]; n++) refused(eng, KNHK_FORMAT_TURTLE, texts[n], strlen(texts[n]), "urn:s");
}

int main(void) {
    knhk_engine_t *eng;
    OK(knhk_engine_open(":memory:", NULL, &eng, &err));
    OK(knhk_sector_create(eng, "orders", KNHK_DIRECT, &err));
    deep(eng);
    large(eng);
    clique(eng);
    entities(eng);
    shapes(eng);
    OK(knhk_promote_json(eng, "orders", "{\"still\": \"well\"}", NULL, &err));
    knhk_engine_close(eng);
    return 0;
}
