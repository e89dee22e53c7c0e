/* What the C tests share: a failed check names its place and ends the program. C11 and C++17. */
#ifndef CHECK_H
#define CHECK_H

#include <knhk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(what)                                                         \
    do {                                                                    \
        if (!(what)) {                                                      \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);      \
            abort();                                                        \
        }                                                                   \
    } while (0)

/* The place for errors of the macros below; each thread has its own. */
static __thread knhk_error_t *err __attribute__((unused));

/* A call that succeeds. */
#define OK(call)                                                                                                   \
    do {                                                                                                           \
        knhk_status_t status_ = (call);                                                                            \
        if (status_ != KNHK_OK) {                                                                                  \
            fprintf(stderr, "%s:%d: %s: %s: %s\n", __FILE__, __LINE__, #call, knhk_status_string(status_),         \
                    knhk_error_message(err));                                                                      \
            abort();                                                                                               \
        }                                                                                                          \
        CHECK(err == NULL);                                                                                        \
    } while (0)

/* A call, with &err as its last argument, that fails with this status, and says so in the error as well. */
#define FAILS(status, call)                                                                                        \
    do {                                                                                                           \
        knhk_status_t status_ = (call);                                                                            \
        if (status_ != (status)) {                                                                                 \
            fprintf(stderr, "%s:%d: %s: %s: %s\n", __FILE__, __LINE__, #call, knhk_status_string(status_),         \
                    knhk_error_message(err));                                                                      \
            abort();                                                                                               \
        }                                                                                                          \
        CHECK(knhk_error_status(err) == status_ && strlen(knhk_error_message(err)) > 10);                          \
        CHECK(strlen(knhk_error_stage(err)) > 0 && knhk_error_item(err) != NULL);                                  \
        knhk_error_free(err);                                                                                      \
        err = NULL;                                                                                                \
    } while (0)

/* Whether the last failing call said this: use before FAILS clears it. */
#define SAYS(text) (strstr(knhk_error_message(err), text) != NULL)

#endif
