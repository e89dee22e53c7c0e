/* Both units use every header; the functions of one call the other's. */
#include "check.h"

int64_t read_in_other_unit(knhk_reader_t *rd, knhk_key_t key);

int main(void) {
    knhk_engine_t *eng;
    knhk_reader_t *rd;
    knhk_key_t key;
    OK(knhk_engine_open(":memory:", NULL, &eng, &err));
    OK(knhk_sector_create(eng, "s", KNHK_DIRECT, &err));
    OK(knhk_promote_json(eng, "s", "{\"n\": 7}", NULL, &err));
    OK(knhk_key(eng, "s", "n", KNHK_I64, &key, &err));
    OK(knhk_reader_register(eng, &rd, &err));
    knhk_view_t v = knhk_read_begin(rd);
    CHECK(knhk_get_i64(v, key, -1) == 7 && read_in_other_unit(rd, key) == 7);
    knhk_read_end(rd, v);
    OK(knhk_reader_unregister(rd, &err));
    knhk_engine_close(eng);
    return 0;
}
