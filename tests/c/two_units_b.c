#include <knhk.h>
#include <knhk_inline.h>

int64_t read_in_other_unit(knhk_reader_t *rd, knhk_key_t key);

int64_t read_in_other_unit(knhk_reader_t *rd, knhk_key_t key) {
    knhk_view_t v = knhk_read_begin(rd);
    int64_t value = knhk_get_i64(v, key, -1);
    knhk_read_end(rd, v);
    return value;
}
