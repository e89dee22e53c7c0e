/* What tests of folders share: a folder of their own, paths below it, options, promotions. */
#ifndef FOLDER_H
#define FOLDER_H

#include "check.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHARED __attribute__((unused)) static

SHARED char base[] = "/tmp/knhk-ledger-XXXXXX";

/* A path below the test's folder; four are valid at a time. */
SHARED const char *below(const char *name) {
    static char paths[4][256];
    static int at;
    char *path = paths[at++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", base, name);
    return path;
}

SHARED char *kept(knhk_buffer_t *buffer) {
    char *copy = (char *)malloc(knhk_buffer_len(buffer) + 1);
    CHECK(knhk_buffer_copy(buffer, copy, knhk_buffer_len(buffer) + 1, NULL, NULL) == KNHK_OK);
    knhk_buffer_free(buffer);
    return copy;
}

SHARED knhk_options_t options_of(const knhk_signer_t *signer) {
    knhk_options_t options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.signer = signer;
    return options;
}

SHARED void promote(knhk_engine_t *eng, int qty) {
    char json[64];
    snprintf(json, sizeof json, "{\"max_qty\": %d}", qty);
    OK(knhk_promote_json(eng, "orders", json, NULL, &err));
}

SHARED void remove_all(const char *folder) {
    DIR *listed = opendir(folder);
    CHECK(listed != NULL);
    for (struct dirent *entry; (entry = readdir(listed)) != NULL;) {
        char path[512];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_type == DT_DIR) remove_all(path);
        else CHECK(unlink(path) == 0);
    }
    closedir(listed);
    CHECK(rmdir(folder) == 0);
}

#endif
