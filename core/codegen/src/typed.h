#ifndef KNHK_TYPED_KEYS
#define KNHK_TYPED_KEYS
/* Keys whose C type says what they read as, so that one that was retyped does not compile where it is read as before. `raw` is the key
 * that every other call takes. */
typedef struct knhk_typed_bool { knhk_key_t raw; } knhk_typed_bool_t;
typedef struct knhk_typed_i64 { knhk_key_t raw; } knhk_typed_i64_t;
typedef struct knhk_typed_f64 { knhk_key_t raw; } knhk_typed_f64_t;
typedef struct knhk_typed_str { knhk_key_t raw; } knhk_typed_str_t;
typedef struct knhk_typed_bytes { knhk_key_t raw; } knhk_typed_bytes_t;
typedef struct knhk_typed_list_bool { knhk_key_t raw; } knhk_typed_list_bool_t;
typedef struct knhk_typed_list_i64 { knhk_key_t raw; } knhk_typed_list_i64_t;
typedef struct knhk_typed_list_f64 { knhk_key_t raw; } knhk_typed_list_f64_t;
typedef struct knhk_typed_list_str { knhk_key_t raw; } knhk_typed_list_str_t;
typedef struct knhk_typed_list_bytes { knhk_key_t raw; } knhk_typed_list_bytes_t;
typedef struct knhk_typed_map { knhk_key_t raw; } knhk_typed_map_t;
typedef struct knhk_typed_class { knhk_key_t raw; } knhk_typed_class_t;

/* As the calls of knhk.h without `typed_`. */
static inline bool knhk_typed_get_bool(knhk_view_t view, knhk_typed_bool_t key, bool fallback)
{
    return knhk_get_bool(view, key.raw, fallback);
}
static inline int64_t knhk_typed_get_i64(knhk_view_t view, knhk_typed_i64_t key, int64_t fallback)
{
    return knhk_get_i64(view, key.raw, fallback);
}
static inline double knhk_typed_get_f64(knhk_view_t view, knhk_typed_f64_t key, double fallback)
{
    return knhk_get_f64(view, key.raw, fallback);
}
static inline knhk_str_t knhk_typed_get_str(knhk_view_t view, knhk_typed_str_t key)
{
    return knhk_get_str(view, key.raw);
}
static inline knhk_bytes_t knhk_typed_get_bytes(knhk_view_t view, knhk_typed_bytes_t key)
{
    return knhk_get_bytes(view, key.raw);
}
static inline knhk_list_bool_t knhk_typed_get_list_bool(knhk_view_t view, knhk_typed_list_bool_t key)
{
    return knhk_get_list_bool(view, key.raw);
}
static inline knhk_list_i64_t knhk_typed_get_list_i64(knhk_view_t view, knhk_typed_list_i64_t key)
{
    return knhk_get_list_i64(view, key.raw);
}
static inline knhk_list_f64_t knhk_typed_get_list_f64(knhk_view_t view, knhk_typed_list_f64_t key)
{
    return knhk_get_list_f64(view, key.raw);
}
static inline knhk_list_spans_t knhk_typed_get_list_str(knhk_view_t view, knhk_typed_list_str_t key)
{
    return knhk_get_list_str(view, key.raw);
}
static inline knhk_list_spans_t knhk_typed_get_list_bytes(knhk_view_t view, knhk_typed_list_bytes_t key)
{
    return knhk_get_list_bytes(view, key.raw);
}
static inline bool knhk_typed_guard_i64(knhk_view_t view, knhk_typed_i64_t key, int64_t value)
{
    return knhk_guard_i64(view, key.raw, value);
}
static inline bool knhk_typed_guard_f64(knhk_view_t view, knhk_typed_f64_t key, double value)
{
    return knhk_guard_f64(view, key.raw, value);
}
static inline bool knhk_typed_is_a(knhk_view_t view, knhk_typed_class_t cls, knhk_typed_class_t ancestor)
{
    return knhk_is_a(view, cls.raw, ancestor.raw);
}
static inline int64_t knhk_typed_lookup_i64(knhk_view_t view, knhk_typed_map_t map, const char *name, size_t len, int64_t fallback)
{
    return knhk_lookup_i64(view, map.raw, name, len, fallback);
}
static inline double knhk_typed_lookup_f64(knhk_view_t view, knhk_typed_map_t map, const char *name, size_t len, double fallback)
{
    return knhk_lookup_f64(view, map.raw, name, len, fallback);
}
static inline bool knhk_typed_lookup_bool(knhk_view_t view, knhk_typed_map_t map, const char *name, size_t len, bool fallback)
{
    return knhk_lookup_bool(view, map.raw, name, len, fallback);
}
static inline knhk_str_t knhk_typed_lookup_str(knhk_view_t view, knhk_typed_map_t map, const char *name, size_t len)
{
    return knhk_lookup_str(view, map.raw, name, len);
}
#endif
