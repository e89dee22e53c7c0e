/* KNHK's read side and append as inline functions, and the frozen layouts that they touch. Included by knhk.h, which documents each
 * function and declares the exported symbol of the same name: with KNHK_NO_INLINE defined, calls go there instead.
 *
 * Everything is reached through the reader, so that one made by another copy, or a newer version, of the library works as well. C99 to
 * C23 and C++11 to C++23, gcc and clang, 64-bit. Names that end in an underscore are not part of the interface. */
#ifndef KNHK_INLINE_H
#define KNHK_INLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef __cplusplus
#include <assert.h>
#endif

#if UINTPTR_MAX != UINT64_MAX
#error "KNHK runs on 64-bit processors only"
#endif
#if !defined(__GNUC__)
#error "KNHK's inline functions need gcc's __atomic builtins, which clang has as well"
#endif

/* The ABI that this header was written for. Part of the library's SONAME. */
#define KNHK_ABI 1u

/* An engine's readers lie in a region of this size, aligned to it, which begins with the cells that its promoter publishes through. */
#define KNHK_REGION (4u << 20)

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Numbers ---- */

/* What a value is. Never renumbered. */
typedef uint32_t knhk_type_t;
enum {
    KNHK_BOOL = 1,        /* 0 or 1 */
    KNHK_I64 = 2,         /* a signed 64-bit integer */
    KNHK_F64 = 3,         /* an IEEE 754 double */
    KNHK_STR = 4,         /* UTF-8 text, followed by a NUL */
    KNHK_BYTES = 5,       /* bytes */
    KNHK_LIST_BOOL = 6,   /* a list of booleans */
    KNHK_LIST_I64 = 7,    /* a list of integers */
    KNHK_LIST_F64 = 8,    /* a list of doubles */
    KNHK_LIST_STR = 9,    /* a list of strings */
    KNHK_LIST_BYTES = 10, /* a list of byte strings */
    KNHK_MAP = 11,        /* an object of values, looked up by a name known at run time */
    KNHK_CLASS = 12       /* a class with its ancestors */
};

/* Why a read returned what it did. Never renumbered. */
typedef int32_t knhk_reason_t;
enum {
    KNHK_READ_PRESENT = 0,    /* the value is there */
    KNHK_READ_ABSENT = 1,     /* the snapshot has no value under this key */
    KNHK_READ_WRONG_TYPE = 2, /* the value has another type than the one asked for */
    KNHK_READ_NOT_READY = 3   /* nothing was promoted into the sector yet; the value, if any, is a declared default */
};

/* What became of what was observed. From KNHK_OUTCOME_CUSTOM on the numbers are the program's own. Never renumbered. */
typedef uint32_t knhk_outcome_t;
enum {
    KNHK_UNSPECIFIED = 0, /* nothing was said */
    KNHK_SUCCESS = 1,     /* it went well */
    KNHK_REJECTED = 2,    /* a rule or a limit refused it */
    KNHK_FAILED = 3,      /* it failed */
    KNHK_TIMED_OUT = 4,   /* it took too long */
    KNHK_OUTCOME_CUSTOM = 256
};

/* ---- Frozen layouts: a change is a new ABI number and a new layout beside the old one ---- */

#define KNHK_ALIGNED_(n) __attribute__((aligned(n)))

/* The cells that a promoter publishes through; see the manual's chapter on the hot path. */
typedef struct knhk_hot {
    uint64_t gate;
    uint64_t root;
    uint64_t epoch;
    uint64_t cand_gate;
    uint64_t cand_root;
    uint64_t canary_limit;
    uint64_t canary_salt;
    uint64_t reserved;
} KNHK_ALIGNED_(64) knhk_hot_t;

/* An interned key. Plain data, valid for the engine's life. The key of all zeros reads as absent; no other may be made up. */
typedef struct knhk_key {
    uint32_t descriptor;
    uint32_t slot;
} knhk_key_t;

/* One observation: one cache line. */
typedef struct knhk_record {
    uint64_t sequence;
    uint64_t time_ns;
    uint64_t epoch;
    knhk_key_t key;
    uint64_t value;
    uint32_t tag;
    uint32_t outcome;
    uint64_t subject;
    uint64_t detail;
} KNHK_ALIGNED_(64) knhk_record_t;

/* A reader's ring of observations: the producer's half, then the consumer's. */
typedef struct knhk_ring {
    uint64_t tail;
    uint64_t head_cache;
    uint64_t capacity;
    knhk_record_t *records;
    uint64_t dropped;
    uint64_t reserved[11];
    uint64_t head;
    uint64_t reserved_consumer[15];
} KNHK_ALIGNED_(128) knhk_ring_t;

typedef struct knhk_reader knhk_reader_t;

/* A reader: made by knhk_reader_register, of which only the first 64 bytes are frozen. Its fields are for the inline functions. */
struct knhk_reader {
    uint64_t pin;
    const knhk_hot_t *hot;
    knhk_ring_t *ring;
    const uint64_t *clock;
    uint64_t (*slow)(knhk_reader_t *reader, uint64_t saved, uint32_t which);
    uint64_t id;
    uint64_t reserved[2];
    uint64_t more[8];
} KNHK_ALIGNED_(128);

/* A typed value. The range that guards slot i lies at 16 * (i + 1) bytes before the first slot. */
typedef struct knhk_slot {
    uint64_t tag;
    uint64_t value;
} knhk_slot_t;

/* Where the bytes of a value lie: `offset` bytes from the first slot. */
typedef struct knhk_span {
    uint32_t offset;
    uint32_t len;
} knhk_span_t;

/* An inclusive range of integers or doubles, as bits. */
typedef struct knhk_range {
    uint64_t low;
    uint64_t high;
} knhk_range_t;

/* The current snapshot of one sector. */
typedef struct knhk_descriptor {
    uint8_t snapshot_id[32];
    const knhk_slot_t *artifact;
    uint64_t epoch;
    uint64_t limit;
    uint64_t reserved;
} KNHK_ALIGNED_(64) knhk_descriptor_t;

/* The frozen beginning of one generation of all sectors. Descriptors follow; a key knows how far away its own is. */
typedef struct knhk_root {
    uint64_t epoch;
    uint64_t *cold_reads;
} knhk_root_t;

/* A view: one generation of all sectors, between a begin and its end. Copies are the same view. */
typedef struct knhk_view {
    const knhk_root_t *root;
    uint64_t saved;
} knhk_view_t;

#if defined(__cplusplus)
#define KNHK_ASSERT_(what, name) static_assert(what, #name)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define KNHK_ASSERT_(what, name) _Static_assert(what, #name)
#else
#define KNHK_ASSERT_(what, name) typedef char knhk_assert_##name##_[(what) ? 1 : -1] __attribute__((unused))
#endif
#define KNHK_SIZE_(type, size) KNHK_ASSERT_(sizeof(knhk_##type##_t) == (size), type##_size)
#define KNHK_AT_(type, field, offset) \
    KNHK_ASSERT_(offsetof(knhk_##type##_t, field) == (offset), type##_##field##_offset)

KNHK_SIZE_(hot, 64);
KNHK_AT_(hot, gate, 0);
KNHK_AT_(hot, root, 8);
KNHK_AT_(hot, epoch, 16);
KNHK_AT_(hot, cand_gate, 24);
KNHK_AT_(hot, cand_root, 32);
KNHK_AT_(hot, canary_limit, 40);
KNHK_AT_(hot, canary_salt, 48);
KNHK_SIZE_(reader, 128);
KNHK_AT_(reader, pin, 0);
KNHK_AT_(reader, hot, 8);
KNHK_AT_(reader, ring, 16);
KNHK_AT_(reader, clock, 24);
KNHK_AT_(reader, slow, 32);
KNHK_AT_(reader, id, 40);
KNHK_SIZE_(ring, 256);
KNHK_AT_(ring, tail, 0);
KNHK_AT_(ring, head_cache, 8);
KNHK_AT_(ring, capacity, 16);
KNHK_AT_(ring, records, 24);
KNHK_AT_(ring, dropped, 32);
KNHK_AT_(ring, head, 128);
KNHK_SIZE_(record, 64);
KNHK_AT_(record, sequence, 0);
KNHK_AT_(record, time_ns, 8);
KNHK_AT_(record, epoch, 16);
KNHK_AT_(record, key, 24);
KNHK_AT_(record, value, 32);
KNHK_AT_(record, tag, 40);
KNHK_AT_(record, outcome, 44);
KNHK_AT_(record, subject, 48);
KNHK_AT_(record, detail, 56);
KNHK_SIZE_(slot, 16);
KNHK_AT_(slot, tag, 0);
KNHK_AT_(slot, value, 8);
KNHK_SIZE_(span, 8);
KNHK_AT_(span, offset, 0);
KNHK_AT_(span, len, 4);
KNHK_SIZE_(range, 16);
KNHK_AT_(range, low, 0);
KNHK_AT_(range, high, 8);
KNHK_SIZE_(descriptor, 64);
KNHK_AT_(descriptor, snapshot_id, 0);
KNHK_AT_(descriptor, artifact, 32);
KNHK_AT_(descriptor, epoch, 40);
KNHK_AT_(descriptor, limit, 48);
KNHK_AT_(root, epoch, 0);
KNHK_AT_(root, cold_reads, 8);
KNHK_SIZE_(view, 16);
KNHK_AT_(view, root, 0);
KNHK_AT_(view, saved, 8);
KNHK_SIZE_(key, 8);
KNHK_AT_(key, descriptor, 0);
KNHK_AT_(key, slot, 4);

/* ---- What reads return ---- */

/* Text: `len` bytes of UTF-8 at `data`, then a NUL; {NULL, 0} where there is none. Valid until the view ends. */
typedef struct knhk_str {
    const char *data;
    size_t len;
} knhk_str_t;

/* Bytes; {NULL, 0} where there are none. Valid until the view ends. */
typedef struct knhk_bytes {
    const uint8_t *data;
    size_t len;
} knhk_bytes_t;

/* A list of booleans, each a byte of 0 or 1; {NULL, 0} where there is none. Valid until the view ends. */
typedef struct knhk_list_bool {
    const uint8_t *data;
    size_t len;
} knhk_list_bool_t;

/* A list of integers; {NULL, 0} where there is none. Valid until the view ends. */
typedef struct knhk_list_i64 {
    const int64_t *data;
    size_t len;
} knhk_list_i64_t;

/* A list of doubles; {NULL, 0} where there is none. Valid until the view ends. */
typedef struct knhk_list_f64 {
    const double *data;
    size_t len;
} knhk_list_f64_t;

/* A list of strings or of byte strings: see knhk_list_str_at and knhk_list_bytes_at. `spans` is NULL where there is none. */
typedef struct knhk_list_spans {
    const uint8_t *base;
    const knhk_span_t *spans;
    size_t len;
} knhk_list_spans_t;

/* An integer and why it is, or is not, the one under the key. */
typedef struct knhk_try_i64 {
    int64_t value;
    knhk_reason_t reason;
} knhk_try_i64_t;

/* A double and why it is, or is not, the one under the key. */
typedef struct knhk_try_f64 {
    double value;
    knhk_reason_t reason;
} knhk_try_f64_t;

/* A boolean and why it is, or is not, the one under the key. */
typedef struct knhk_try_bool {
    bool value;
    knhk_reason_t reason;
} knhk_try_bool_t;

/* Text and why it is, or is not, there. */
typedef struct knhk_try_str {
    knhk_str_t value;
    knhk_reason_t reason;
} knhk_try_str_t;

/* Bytes and why they are, or are not, there. */
typedef struct knhk_try_bytes {
    knhk_bytes_t value;
    knhk_reason_t reason;
} knhk_try_bytes_t;

/* ---- What this header was made for: compared with the library wherever a handle comes into being ---- */

typedef struct knhk_abi {
    uint32_t struct_size;
    uint32_t abi;
    uint32_t region;
    uint32_t hot;
    uint32_t reader;
    uint32_t ring;
    uint32_t record;
    uint32_t descriptor;
    uint32_t slot;
    uint32_t span;
    uint32_t range;
    uint32_t view;
    uint32_t key;
} knhk_abi_t;

static inline const knhk_abi_t *knhk_header_abi(void) {
    static const knhk_abi_t abi = {
        sizeof(knhk_abi_t),
        KNHK_ABI,
        KNHK_REGION,
        sizeof(knhk_hot_t),
        sizeof(knhk_reader_t),
        sizeof(knhk_ring_t),
        sizeof(knhk_record_t),
        sizeof(knhk_descriptor_t),
        sizeof(knhk_slot_t),
        sizeof(knhk_span_t),
        sizeof(knhk_range_t),
        sizeof(knhk_view_t),
        sizeof(knhk_key_t),
    };
    return &abi;
}

#define knhk_engine_open(location, options, engine, err) \
    knhk_engine_open_abi((location), (options), knhk_header_abi(), (engine), (err))
#define knhk_reader_register(engine, reader, err) \
    knhk_reader_register_abi((engine), NULL, knhk_header_abi(), (reader), (err))
#define knhk_reader_register_with(engine, options, reader, err) \
    knhk_reader_register_abi((engine), (options), knhk_header_abi(), (reader), (err))
#define knhk_key(engine, sector, name, type, key, err) \
    knhk_key_abi((engine), (sector), (name), (type), knhk_header_abi(), (key), (err))

#ifndef KNHK_NO_INLINE

/* ---- The inline bodies ---- */

#define KNHK_INLINE_ static inline __attribute__((always_inline))
#define KNHK_COLD_ static __attribute__((noinline, cold, unused))
#define KNHK_LIKELY_(what) __builtin_expect(!!(what), 1)
#define KNHK_UNLIKELY_(what) __builtin_expect(!!(what), 0)

/* ---- Views ---- */

/* The reclaimer's heavy barrier makes this a full fence when it matters. */
#define KNHK_BARRIER_() __asm__ volatile("" ::: "memory")

enum { KNHK_CURRENT_ = 0, KNHK_CANDIDATE_ = 1, KNHK_QUIESCENT_ = 2, KNHK_LOWER_BOUND_ = 1 };

/* The same as reader->hot, without a load in each begin. */
KNHK_INLINE_ const knhk_hot_t *knhk_hot_(const knhk_reader_t *reader) {
    return (const knhk_hot_t *)((uintptr_t)reader & ~(uintptr_t)(KNHK_REGION - 1));
}

KNHK_INLINE_ uint64_t knhk_load_acquire_(const uint64_t *from) {
#if defined(__aarch64__) && !defined(__SANITIZE_THREAD__)
    /* An acquiring load would wait for the release store before it. */
    uint64_t value = __atomic_load_n(from, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return value;
#else
    return __atomic_load_n(from, __ATOMIC_ACQUIRE);
#endif
}

KNHK_INLINE_ knhk_view_t knhk_view_(uint64_t root, uint64_t saved) {
    knhk_view_t view;
    view.root = (const knhk_root_t *)(uintptr_t)root;
    view.saved = saved;
    return view;
}

KNHK_INLINE_ knhk_view_t knhk_begin_(knhk_reader_t *reader, const uint64_t *gate, const uint64_t *root, uint32_t which) {
    uint64_t expected, saved = __atomic_load_n(&reader->pin, __ATOMIC_RELAXED);
    if (KNHK_UNLIKELY_(saved != 0)) {
        return knhk_view_(reader->slow(reader, saved, which), saved);
    }
    expected = __atomic_load_n(gate, __ATOMIC_RELAXED);
    __atomic_store_n(&reader->pin, expected, __ATOMIC_RELEASE);
    KNHK_BARRIER_();
    if (KNHK_UNLIKELY_(expected != knhk_load_acquire_(root))) {
        return knhk_view_(reader->slow(reader, 0, which), 0);
    }
    return knhk_view_(expected, 0);
}

KNHK_INLINE_ bool knhk_chosen_(const knhk_hot_t *hot, uint64_t subject_hash) {
    uint64_t mixed = subject_hash * __atomic_load_n(&hot->canary_salt, __ATOMIC_RELAXED);
    return mixed < __atomic_load_n(&hot->canary_limit, __ATOMIC_RELAXED);
}

KNHK_INLINE_ knhk_view_t knhk_read_begin(knhk_reader_t *reader) {
    const knhk_hot_t *hot = knhk_hot_(reader);
    return knhk_begin_(reader, &hot->gate, &hot->root, KNHK_CURRENT_);
}

KNHK_INLINE_ knhk_view_t knhk_read_begin_for(knhk_reader_t *reader, uint64_t subject_hash) {
    const knhk_hot_t *hot = knhk_hot_(reader);
    if (KNHK_UNLIKELY_(knhk_chosen_(hot, subject_hash))) {
        return knhk_begin_(reader, &hot->cand_gate, &hot->cand_root, KNHK_CANDIDATE_);
    }
    return knhk_begin_(reader, &hot->gate, &hot->root, KNHK_CURRENT_);
}

KNHK_INLINE_ void knhk_read_end(knhk_reader_t *reader, knhk_view_t view) {
    __atomic_store_n(&reader->pin, view.saved, __ATOMIC_RELEASE);
}

KNHK_INLINE_ void knhk_reader_quiescent(knhk_reader_t *reader) {
    const knhk_hot_t *hot = knhk_hot_(reader);
    if (KNHK_UNLIKELY_(__atomic_load_n(&hot->gate, __ATOMIC_RELAXED) == 0)) {
        (void)reader->slow(reader, 0, KNHK_QUIESCENT_);
        return;
    }
    __atomic_store_n(&reader->pin, knhk_load_acquire_(&hot->epoch) << 1 | KNHK_LOWER_BOUND_, __ATOMIC_RELEASE);
    KNHK_BARRIER_();
}

KNHK_INLINE_ void knhk_reader_online(knhk_reader_t *reader) {
    knhk_reader_quiescent(reader);
}

KNHK_INLINE_ void knhk_reader_offline(knhk_reader_t *reader) {
    __atomic_store_n(&reader->pin, 0, __ATOMIC_RELEASE);
}

/* Should someone end such a view, a bound of 0 keeps memory and corrupts nothing. */
KNHK_INLINE_ knhk_view_t knhk_read_quiescent(knhk_reader_t *reader) {
    return knhk_view_(knhk_load_acquire_(&knhk_hot_(reader)->root), KNHK_LOWER_BOUND_);
}

KNHK_INLINE_ knhk_view_t knhk_read_quiescent_for(knhk_reader_t *reader, uint64_t subject_hash) {
    const knhk_hot_t *hot = knhk_hot_(reader);
    const uint64_t *root = KNHK_UNLIKELY_(knhk_chosen_(hot, subject_hash)) ? &hot->cand_root : &hot->root;
    return knhk_view_(knhk_load_acquire_(root), KNHK_LOWER_BOUND_);
}

KNHK_INLINE_ uint64_t knhk_reader_id(const knhk_reader_t *reader) {
    return reader->id;
}

KNHK_INLINE_ uint64_t knhk_view_epoch(knhk_view_t view) {
    return view.root->epoch;
}

KNHK_INLINE_ const knhk_descriptor_t *knhk_descriptor_(knhk_view_t view, knhk_key_t key) {
    return (const knhk_descriptor_t *)(const void *)((const uint8_t *)view.root + key.descriptor);
}

KNHK_INLINE_ uint64_t knhk_view_sector_epoch(knhk_view_t view, knhk_key_t key) {
    return key.descriptor == 0 ? 0 : knhk_descriptor_(view, key)->epoch;
}

KNHK_INLINE_ const uint8_t *knhk_view_snapshot_id(knhk_view_t view, knhk_key_t key) {
    return key.descriptor == 0 ? NULL : knhk_descriptor_(view, key)->snapshot_id;
}

/* ---- Values ---- */

KNHK_COLD_ void knhk_count_cold_(knhk_view_t view) {
    __atomic_fetch_add(view.root->cold_reads, 1, __ATOMIC_RELAXED);
}

KNHK_COLD_ knhk_reason_t knhk_explain_(knhk_view_t view, knhk_key_t key) {
    const knhk_descriptor_t *descriptor = knhk_descriptor_(view, key);
    knhk_count_cold_(view);
    if (key.descriptor == 0) {
        return KNHK_READ_ABSENT;
    }
    if (descriptor->epoch == 0) {
        return KNHK_READ_NOT_READY;
    }
    if (key.slot >= descriptor->limit || descriptor->artifact[key.slot / sizeof(knhk_slot_t)].tag == 0) {
        return KNHK_READ_ABSENT;
    }
    return KNHK_READ_WRONG_TYPE;
}

/* The key's slot, or NULL where the snapshot has no value of this type. */
KNHK_INLINE_ const knhk_slot_t *knhk_slot_(knhk_view_t view, knhk_key_t key, uint64_t tag) {
    const knhk_descriptor_t *descriptor = knhk_descriptor_(view, key);
    if (KNHK_LIKELY_(key.slot < descriptor->limit)) {
        const knhk_slot_t *slot =
            (const knhk_slot_t *)(const void *)((const uint8_t *)descriptor->artifact + key.slot);
        if (KNHK_LIKELY_(slot->tag == tag)) {
            return slot;
        }
    }
    return NULL;
}

KNHK_INLINE_ knhk_reason_t knhk_found_(knhk_view_t view, knhk_key_t key) {
    return knhk_descriptor_(view, key)->epoch == 0 ? KNHK_READ_NOT_READY : KNHK_READ_PRESENT;
}

KNHK_INLINE_ double knhk_f64_of_(uint64_t bits) {
    double value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

KNHK_INLINE_ uint64_t knhk_bits_of_(double value) {
    uint64_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    return bits;
}

KNHK_INLINE_ int64_t knhk_get_i64(knhk_view_t view, knhk_key_t key, int64_t fallback) {
    const knhk_slot_t *slot = knhk_slot_(view, key, KNHK_I64);
    if (KNHK_LIKELY_(slot != NULL)) {
        return (int64_t)slot->value;
    }
    knhk_count_cold_(view);
    return fallback;
}

KNHK_INLINE_ double knhk_get_f64(knhk_view_t view, knhk_key_t key, double fallback) {
    const knhk_slot_t *slot = knhk_slot_(view, key, KNHK_F64);
    if (KNHK_LIKELY_(slot != NULL)) {
        return knhk_f64_of_(slot->value);
    }
    knhk_count_cold_(view);
    return fallback;
}

KNHK_INLINE_ bool knhk_get_bool(knhk_view_t view, knhk_key_t key, bool fallback) {
    const knhk_slot_t *slot = knhk_slot_(view, key, KNHK_BOOL);
    if (KNHK_LIKELY_(slot != NULL)) {
        return slot->value != 0;
    }
    knhk_count_cold_(view);
    return fallback;
}

KNHK_INLINE_ knhk_try_i64_t knhk_try_get_i64(knhk_view_t view, knhk_key_t key, int64_t fallback) {
    const knhk_slot_t *slot = knhk_slot_(view, key, KNHK_I64);
    knhk_try_i64_t read;
    read.value = KNHK_LIKELY_(slot != NULL) ? (int64_t)slot->value : fallback;
    read.reason = KNHK_LIKELY_(slot != NULL) ? knhk_found_(view, key) : knhk_explain_(view, key);
    return read;
}

KNHK_INLINE_ knhk_try_f64_t knhk_try_get_f64(knhk_view_t view, knhk_key_t key, double fallback) {
    const knhk_slot_t *slot = knhk_slot_(view, key, KNHK_F64);
    knhk_try_f64_t read;
    read.value = KNHK_LIKELY_(slot != NULL) ? knhk_f64_of_(slot->value) : fallback;
    read.reason = KNHK_LIKELY_(slot != NULL) ? knhk_found_(view, key) : knhk_explain_(view, key);
    return read;
}

KNHK_INLINE_ knhk_try_bool_t knhk_try_get_bool(knhk_view_t view, knhk_key_t key, bool fallback) {
    const knhk_slot_t *slot = knhk_slot_(view, key, KNHK_BOOL);
    knhk_try_bool_t read;
    read.value = KNHK_LIKELY_(slot != NULL) ? slot->value != 0 : fallback;
    read.reason = KNHK_LIKELY_(slot != NULL) ? knhk_found_(view, key) : knhk_explain_(view, key);
    return read;
}

/* Where a spanned value's bytes begin, and its length in elements; NULL, counted, where there is none of this type. */
KNHK_INLINE_ const uint8_t *knhk_spanned_(knhk_view_t view, knhk_key_t key, uint64_t tag, size_t *len) {
    const knhk_slot_t *slot = knhk_slot_(view, key, tag);
    if (KNHK_LIKELY_(slot != NULL)) {
        *len = (size_t)(slot->value >> 32);
        return (const uint8_t *)knhk_descriptor_(view, key)->artifact + (uint32_t)slot->value;
    }
    *len = 0;
    knhk_count_cold_(view);
    return NULL;
}

KNHK_INLINE_ knhk_str_t knhk_get_str(knhk_view_t view, knhk_key_t key) {
    knhk_str_t read;
    read.data = (const char *)knhk_spanned_(view, key, KNHK_STR, &read.len);
    return read;
}

KNHK_INLINE_ knhk_bytes_t knhk_get_bytes(knhk_view_t view, knhk_key_t key) {
    knhk_bytes_t read;
    read.data = knhk_spanned_(view, key, KNHK_BYTES, &read.len);
    return read;
}

KNHK_INLINE_ knhk_try_str_t knhk_try_get_str(knhk_view_t view, knhk_key_t key) {
    knhk_try_str_t read = {{NULL, 0}, KNHK_READ_PRESENT};
    if (KNHK_UNLIKELY_(knhk_slot_(view, key, KNHK_STR) == NULL)) {
        read.reason = knhk_explain_(view, key);
    } else {
        read.value = knhk_get_str(view, key);
        read.reason = knhk_found_(view, key);
    }
    return read;
}

KNHK_INLINE_ knhk_try_bytes_t knhk_try_get_bytes(knhk_view_t view, knhk_key_t key) {
    knhk_try_bytes_t read = {{NULL, 0}, KNHK_READ_PRESENT};
    if (KNHK_UNLIKELY_(knhk_slot_(view, key, KNHK_BYTES) == NULL)) {
        read.reason = knhk_explain_(view, key);
    } else {
        read.value = knhk_get_bytes(view, key);
        read.reason = knhk_found_(view, key);
    }
    return read;
}

KNHK_INLINE_ knhk_list_bool_t knhk_get_list_bool(knhk_view_t view, knhk_key_t key) {
    knhk_list_bool_t read;
    read.data = knhk_spanned_(view, key, KNHK_LIST_BOOL, &read.len);
    return read;
}

KNHK_INLINE_ knhk_list_i64_t knhk_get_list_i64(knhk_view_t view, knhk_key_t key) {
    knhk_list_i64_t read;
    read.data = (const int64_t *)(const void *)knhk_spanned_(view, key, KNHK_LIST_I64, &read.len);
    return read;
}

KNHK_INLINE_ knhk_list_f64_t knhk_get_list_f64(knhk_view_t view, knhk_key_t key) {
    knhk_list_f64_t read;
    read.data = (const double *)(const void *)knhk_spanned_(view, key, KNHK_LIST_F64, &read.len);
    return read;
}

KNHK_INLINE_ knhk_list_spans_t knhk_list_spans_(knhk_view_t view, knhk_key_t key, uint64_t tag) {
    knhk_list_spans_t read;
    read.spans = (const knhk_span_t *)(const void *)knhk_spanned_(view, key, tag, &read.len);
    read.base = KNHK_LIKELY_(read.spans != NULL) ? (const uint8_t *)knhk_descriptor_(view, key)->artifact : NULL;
    return read;
}

KNHK_INLINE_ knhk_list_spans_t knhk_get_list_str(knhk_view_t view, knhk_key_t key) {
    return knhk_list_spans_(view, key, KNHK_LIST_STR);
}

KNHK_INLINE_ knhk_list_spans_t knhk_get_list_bytes(knhk_view_t view, knhk_key_t key) {
    return knhk_list_spans_(view, key, KNHK_LIST_BYTES);
}

KNHK_INLINE_ knhk_bytes_t knhk_list_bytes_at(knhk_list_spans_t list, size_t index) {
    knhk_bytes_t read = {NULL, 0};
    if (KNHK_LIKELY_(index < list.len)) {
        read.data = list.base + list.spans[index].offset;
        read.len = list.spans[index].len;
    }
    return read;
}

KNHK_INLINE_ knhk_str_t knhk_list_str_at(knhk_list_spans_t list, size_t index) {
    knhk_bytes_t bytes = knhk_list_bytes_at(list, index);
    knhk_str_t read;
    read.data = (const char *)bytes.data;
    read.len = bytes.len;
    return read;
}

/* ---- Guards and classes ---- */

KNHK_INLINE_ const knhk_range_t *knhk_range_(knhk_view_t view, knhk_key_t key, uint64_t tag) {
    if (KNHK_UNLIKELY_(knhk_slot_(view, key, tag) == NULL)) {
        knhk_count_cold_(view);
        return NULL;
    }
    return (const knhk_range_t *)(const void *)((const uint8_t *)knhk_descriptor_(view, key)->artifact - key.slot) - 1;
}

KNHK_INLINE_ bool knhk_guard_i64(knhk_view_t view, knhk_key_t key, int64_t value) {
    const knhk_range_t *range = knhk_range_(view, key, KNHK_I64);
    return KNHK_LIKELY_(range != NULL) && (int64_t)range->low <= value && value <= (int64_t)range->high;
}

KNHK_INLINE_ bool knhk_guard_f64(knhk_view_t view, knhk_key_t key, double value) {
    const knhk_range_t *range = knhk_range_(view, key, KNHK_F64);
    return KNHK_LIKELY_(range != NULL) && knhk_f64_of_(range->low) <= value && value <= knhk_f64_of_(range->high);
}

KNHK_INLINE_ bool knhk_is_a(knhk_view_t view, knhk_key_t cls, knhk_key_t ancestor) {
    const knhk_slot_t *from = knhk_slot_(view, cls, KNHK_CLASS), *to = knhk_slot_(view, ancestor, KNHK_CLASS);
    const uint8_t *row;
    uint32_t number;
    if (KNHK_UNLIKELY_(from == NULL || to == NULL || cls.descriptor != ancestor.descriptor)) {
        knhk_count_cold_(view);
        return false;
    }
    number = (uint32_t)(to->value >> 32);
    row = (const uint8_t *)knhk_descriptor_(view, cls)->artifact + (uint32_t)from->value;
    return (row[number / 8] >> (number % 8) & 1) != 0;
}

/* ---- Observations ---- */

KNHK_INLINE_ uint64_t knhk_reader_clock(const knhk_reader_t *reader) {
    return __atomic_load_n(reader->clock, __ATOMIC_RELAXED);
}

/* Asks for the line of a record that is written soon, and that the consumer's processor still shares: a store waits for such a line, and
 * stores retire in order. Behind the ring's end it asks in vain, and harmlessly. gcc has no builtin for it without -mprfchw. */
KNHK_INLINE_ void knhk_claim_(const knhk_record_t *record) {
#if defined(__x86_64__)
    __asm__ volatile("prefetchw %0" : : "m"(*(const char *)record));
#else
    __builtin_prefetch(record, 1);
#endif
}

KNHK_COLD_ bool knhk_refuse_(knhk_ring_t *ring) {
    uint64_t dropped = __atomic_load_n(&ring->dropped, __ATOMIC_RELAXED);
    __atomic_store_n(&ring->dropped, dropped + 1, __ATOMIC_RELAXED);
    return false;
}

KNHK_INLINE_ bool knhk_observe(knhk_reader_t *reader, knhk_view_t view, knhk_key_t key, knhk_type_t type, uint64_t bits,
                               knhk_outcome_t outcome, uint64_t subject, uint64_t detail, uint64_t time_ns) {
    knhk_ring_t *ring = reader->ring;
    knhk_record_t *record;
    uint64_t tail = ring->tail;
    if (KNHK_UNLIKELY_(tail - ring->head_cache >= ring->capacity)) {
        ring->head_cache = knhk_load_acquire_(&ring->head);
        if (KNHK_UNLIKELY_(tail - ring->head_cache >= ring->capacity)) {
            return knhk_refuse_(ring);
        }
    }
    record = ring->records + (tail & (ring->capacity - 1));
    knhk_claim_(record + 8);
    record->time_ns = time_ns;
    record->epoch = view.root->epoch;
    record->key = key;
    record->value = bits;
    record->tag = type;
    record->outcome = outcome;
    record->subject = subject;
    record->detail = detail;
    __atomic_store_n(&record->sequence, tail + 1, __ATOMIC_RELEASE);
    ring->tail = tail + 1;
    return true;
}

KNHK_INLINE_ bool knhk_observe_i64_at(knhk_reader_t *reader, knhk_view_t view, knhk_key_t key, int64_t value,
                                      knhk_outcome_t outcome, uint64_t time_ns) {
    return knhk_observe(reader, view, key, KNHK_I64, (uint64_t)value, outcome, 0, 0, time_ns);
}

KNHK_INLINE_ bool knhk_observe_f64_at(knhk_reader_t *reader, knhk_view_t view, knhk_key_t key, double value,
                                      knhk_outcome_t outcome, uint64_t time_ns) {
    return knhk_observe(reader, view, key, KNHK_F64, knhk_bits_of_(value), outcome, 0, 0, time_ns);
}

KNHK_INLINE_ bool knhk_observe_bool_at(knhk_reader_t *reader, knhk_view_t view, knhk_key_t key, bool value,
                                       knhk_outcome_t outcome, uint64_t time_ns) {
    return knhk_observe(reader, view, key, KNHK_BOOL, value, outcome, 0, 0, time_ns);
}

KNHK_INLINE_ bool knhk_observe_i64(knhk_reader_t *reader, knhk_view_t view, knhk_key_t key, int64_t value,
                                   knhk_outcome_t outcome) {
    return knhk_observe_i64_at(reader, view, key, value, outcome, knhk_reader_clock(reader));
}

KNHK_INLINE_ bool knhk_observe_f64(knhk_reader_t *reader, knhk_view_t view, knhk_key_t key, double value,
                                   knhk_outcome_t outcome) {
    return knhk_observe_f64_at(reader, view, key, value, outcome, knhk_reader_clock(reader));
}

KNHK_INLINE_ bool knhk_observe_bool(knhk_reader_t *reader, knhk_view_t view, knhk_key_t key, bool value,
                                    knhk_outcome_t outcome) {
    return knhk_observe_bool_at(reader, view, key, value, outcome, knhk_reader_clock(reader));
}

#endif /* KNHK_NO_INLINE */

#ifdef __cplusplus
}
#endif

#endif /* KNHK_INLINE_H */
