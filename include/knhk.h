/* libknhk: governed values, read in a nanosecond. Generated from ffi/ by tests/ffi/header.rs: do not edit.
 *
 * What holds for every call, unless its comment says otherwise:
 * - Calls on an engine may be made from any thread at any time. Calls on a reader belong to the reader's thread.
 * - Strings passed in are UTF-8, NUL-terminated, read during the call and not kept. Slices are a pointer and a length; NULL is allowed where
 *   the length is 0.
 * - Outputs are written on success only. The program frees what a call hands out with the function named in its comment, and nothing else:
 *   never with free(). Freeing NULL does nothing.
 * - A call that can fail returns a knhk_status_t, 0 for success. Its last parameter is NULL, or where an error with a message is put
 *   on failure, which the program frees with knhk_error_free; it is not touched on success, and what is in it is never read.
 * - Any such call can return KNHK_NULL_ARGUMENT, KNHK_BAD_UTF8, KNHK_INVALID_ARGUMENT for a pointer that is no such handle, and on
 *   an engine KNHK_CLOSED, KNHK_FORKED in a child made by fork, and KNHK_PANIC once the library had a defect; reads go on then.
 * - A struct with a `struct_size` may grow at its end in later versions. In one that the program fills in, unused fields are 0.
 *
 * The whole of it in a minute:
 *
 *     knhk_engine_t *eng;
 *     knhk_error_t *err = NULL;
 *     if (knhk_engine_open(":memory:", NULL, &eng, &err)) die(knhk_error_message(err)); // or a folder
 *     knhk_sector_create(eng, "orders", KNHK_DIRECT, &err);
 *     knhk_promote_json(eng, "orders", "{\"max_qty\": {\"$value\": 1000, \"$max\": 5000}}", NULL, &err);
 *
 *     knhk_key_t max_qty; // once: a misspelt name fails here
 *     if (knhk_key(eng, "orders", "max_qty", KNHK_I64, &max_qty, &err)) die(knhk_error_message(err));
 *     knhk_reader_t *rd; // once per thread
 *     if (knhk_reader_register(eng, &rd, &err)) die(knhk_error_message(err));
 *
 *     for (int64_t qty = 999; qty <= 1001; qty++) {
 *         knhk_view_t v = knhk_read_begin(rd); // inline, about a nanosecond
 *         bool ok = qty <= knhk_get_i64(v, max_qty, 0);
 *         knhk_observe_i64(rd, v, max_qty, qty, ok ? KNHK_SUCCESS : KNHK_REJECTED); // inline, one cache line
 *         knhk_read_end(rd, v);
 *     }
 *     knhk_reader_unregister(rd, &err);
 *     knhk_engine_close(eng);
 */
#ifndef KNHK_H
#define KNHK_H

#include "knhk_inline.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An engine: see knhk_engine_open. */
typedef struct knhk_engine knhk_engine_t;
/* An error: see knhk_error_message. */
typedef struct knhk_error knhk_error_t;
/* A generation that is kept: see knhk_snapshot_hold. */
typedef struct knhk_hold knhk_hold_t;
/* Text or bytes: see knhk_buffer_data. */
typedef struct knhk_buffer knhk_buffer_t;
/* A list of sectors: see knhk_sectors. */
typedef struct knhk_sector_list knhk_sector_list_t;
/* A list of keys: see knhk_keys. */
typedef struct knhk_key_list knhk_key_list_t;
/* A list of versions: see knhk_history. */
typedef struct knhk_version_list knhk_version_list_t;
/* A list of changes: see knhk_changes_since. */
typedef struct knhk_change_list knhk_change_list_t;
/* A report: see knhk_report_at. */
typedef struct knhk_report knhk_report_t;
/* A list of conflicts: see knhk_conflicts. */
typedef struct knhk_conflict_list knhk_conflict_list_t;
/* Who signs receipts: see knhk_signer_generate. */
typedef struct knhk_signer knhk_signer_t;
/* A list of receipts: see knhk_receipts. */
typedef struct knhk_receipt_list knhk_receipt_list_t;
/* A list of keys: see knhk_signing_keys. */
typedef struct knhk_signing_key_list knhk_signing_key_list_t;
/* A part of a sector's log: see knhk_version_log. */
typedef struct knhk_version_log_list knhk_version_log_list_t;
/* A list of tags: see knhk_tags. */
typedef struct knhk_tag_list knhk_tag_list_t;
/* A list of aggregates: see knhk_aggregates. */
typedef struct knhk_series_list knhk_series_list_t;
/* A list of objectives: see knhk_objectives. */
typedef struct knhk_objective_list knhk_objective_list_t;
/* A list of segments: see knhk_segments. */
typedef struct knhk_segment_list knhk_segment_list_t;
/* What policies share: see knhk_scope_new. */
typedef struct knhk_scope knhk_scope_t;
/* A policy of resilience: see knhk_policy_new. */
typedef struct knhk_policy knhk_policy_t;
/* A list of policies: see knhk_policies. */
typedef struct knhk_policy_list knhk_policy_list_t;
/* Checkpoints of components: see knhk_checkpoints_open. */
typedef struct knhk_checkpoints knhk_checkpoints_t;
/* A list of checkpoints: see knhk_checkpoints_kept. */
typedef struct knhk_checkpoint_list knhk_checkpoint_list_t;
/* A warm executor: see knhk_executor_new. */
typedef struct knhk_executor knhk_executor_t;
/* A task of an executor: see knhk_task_new. */
typedef struct knhk_task knhk_task_t;
/* Stands for a run of a task: see knhk_task_submit. */
typedef struct knhk_ticket knhk_ticket_t;
/* An end of a channel: see knhk_channel_pair. */
typedef struct knhk_channel knhk_channel_t;
/* A graph of components: see knhk_graph_new. */
typedef struct knhk_graph knhk_graph_t;
/* How a start or a shutdown went: see knhk_graph_shutdown. */
typedef struct knhk_graph_report knhk_graph_report_t;
/* A list of healths: see knhk_graph_health. */
typedef struct knhk_component_health_list knhk_component_health_list_t;
/* What a callback sees of its run: see knhk_run_argument. */
typedef struct knhk_run knhk_run_t;
/* Where a component writes its state: see knhk_state_write. */
typedef struct knhk_state_writer knhk_state_writer_t;
/* Where a proposer writes its plan: see knhk_answer_write. */
typedef struct knhk_answer knhk_answer_t;

/**
 * What a call ended with. 0 is success; 1–99 are mistakes in the call, 100–199 the engine's state, 200–299 the content handed
 * in, 300–399 the machine beneath, 900 a defect of the library.
 */
enum knhk_status_t
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif
 {
    /** Success. */
    KNHK_OK = 0,
    /** An argument is out of its domain. */
    KNHK_INVALID_ARGUMENT = 1,
    /** A required pointer or handle is NULL. */
    KNHK_NULL_ARGUMENT = 2,
    /** A string is not UTF-8. */
    KNHK_BAD_UTF8 = 3,
    /** The buffer is too short; nothing was written but the size that is needed. */
    KNHK_BUFFER_TOO_SMALL = 4,
    /** The program was compiled with a header of another ABI. */
    KNHK_ABI_MISMATCH = 5,
    /** A struct's `struct_size` is none that this library knows. */
    KNHK_STRUCT_SIZE = 6,
    /** The sector, key or version does not exist. */
    KNHK_NOT_FOUND = 100,
    /** The sector exists already. */
    KNHK_ALREADY_EXISTS = 101,
    /** The key exists with another type. */
    KNHK_WRONG_TYPE = 102,
    /** The sector has neither a promoted nor a declared document yet. */
    KNHK_NOT_READY = 103,
    /** The time ran out. */
    KNHK_TIMEOUT = 104,
    /** The engine is closed. */
    KNHK_CLOSED = 105,
    /** The engine was inherited by fork; only reads work in the child. Open it again there. */
    KNHK_FORKED = 106,
    /** A reader holds so much memory that changes are refused; the message names it. */
    KNHK_STALLED = 107,
    /** Another process or engine has the folder open. */
    KNHK_BUSY = 108,
    /** The reader belongs to another thread. */
    KNHK_WRONG_THREAD = 109,
    /** A policy of resilience refused the call, which never began. */
    KNHK_REFUSED = 110,
    /** The call that a policy guarded failed. */
    KNHK_CALL_FAILED = 111,
    /** The document is not valid. */
    KNHK_DOCUMENT = 200,
    /** The artifact image is not valid. */
    KNHK_ARTIFACT = 201,
    /** Keys that programs hold would break. */
    KNHK_INCOMPATIBLE = 202,
    /** A limit on size, depth or count. */
    KNHK_LIMIT = 203,
    /** The knowledge breaks a shape; the error's report says which. */
    KNHK_NONCONFORMING = 204,
    /** The change touches the core or another sector's names. */
    KNHK_CONFLICT = 205,
    /** A proof does not show what it was said to show. */
    KNHK_UNPROVEN = 206,
    /** The sector is governed: its changes are proposed, and become current once they have passed. */
    KNHK_UNGOVERNED = 210,
    /** The change did not pass; the error's reports say which stage refused what, and why. */
    KNHK_NOT_ADMITTED = 211,
    /** The change lacks what can still come: approvals, or time. */
    KNHK_WAITING = 212,
    /** Reading or writing failed. */
    KNHK_IO = 300,
    /** What was stored is damaged. */
    KNHK_CORRUPT = 301,
    /** The operating system refused. */
    KNHK_SYSTEM = 302,
    /** What is stored is not what was signed, or not the log that is trusted. */
    KNHK_TAMPERED = 303,
    /** A key file cannot be used. */
    KNHK_KEY_FILE = 304,
    /** Whoever signs did not. */
    KNHK_SIGNING = 305,
    /** The library panicked: a defect. The handle refuses changes from now on; reads go on. */
    KNHK_PANIC = 900,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum knhk_status_t knhk_status_t;
#else
typedef int32_t knhk_status_t;
#endif
#endif

/* ------------------------------------------------------------------------------------------------------------
 * The agreement between header and library.
 *
 * A program's inline code carries the sizes and offsets of the header it was compiled with. They are compared where handles come into
 * being: at open, at the registration of a reader, and when a key is interned. */

/** The library's version: "major.minor.patch", NUL-terminated, valid for ever. Any thread. */
const char *knhk_version(void);

/** The library's ABI number. A program never needs it: knhk_engine_open compares it with the header's. Any thread. */
uint32_t knhk_abi_version(void);

/**
 * A status in words, such as "not found"; "unknown status" for a number that this library does not know.
 *
 * Returns NUL-terminated UTF-8, never NULL, valid for ever. Any thread.
 */
const char *knhk_status_string(int32_t status);

/* ------------------------------------------------------------------------------------------------------------
 * Errors: what failed, at which stage, on what item, in words to act on.
 *
 * A failing call makes one if it was given a place for it, and the program frees it. A successful call leaves the place alone, and no
 * call reads what is in it. */

/**
 * The sentence to show: what was wrong, where, and what to do. "no error" for NULL.
 *
 * Returns NUL-terminated UTF-8, never NULL, valid until the error is freed. Any thread.
 */
const char *knhk_error_message(const knhk_error_t *error);

/**
 * The status that the failing call returned. KNHK_OK for NULL.
 *
 * Any thread.
 */
knhk_status_t knhk_error_status(const knhk_error_t *error);

/**
 * The stage in which it happened: "call", "open", "parse", "verify", "compile", "journal", "swap", "intern" and so on.
 *
 * Returns NUL-terminated UTF-8, never NULL, "" for NULL, valid until the error is freed. Any thread.
 */
const char *knhk_error_stage(const knhk_error_t *error);

/**
 * What it is about: an argument, a sector, a path, a file. "" if nothing in particular, and for NULL.
 *
 * Returns NUL-terminated UTF-8, never NULL, valid until the error is freed. Any thread.
 */
const char *knhk_error_item(const knhk_error_t *error);

/**
 * The report of KNHK_NONCONFORMING: what was broken, result by result. NULL for other errors, and for NULL.
 *
 * It belongs to the error, and is valid until that is freed; the program does not free it. Any thread.
 */
const knhk_report_t *knhk_error_report(const knhk_error_t *error);

/**
 * The reports of KNHK_NOT_ADMITTED and KNHK_WAITING: what each stage said of the change, as a JSON array. NULL for other errors, and for
 * NULL.
 *
 * Returns NUL-terminated UTF-8, valid until the error is freed. Any thread.
 */
const char *knhk_error_reports(const knhk_error_t *error);

/**
 * Frees an error. NULL does nothing.
 *
 * Any thread; its texts may not be used any more.
 */
void knhk_error_free(knhk_error_t *error);

/* ------------------------------------------------------------------------------------------------------------
 * Signers: who signs the receipts. A key in the engine's folder does, unless the program brings its own. */

/**
 * Signs where a key is held: an HSM, a KMS, another process. Set `struct_size` to sizeof(knhk_sign_callback_t).
 *
 * `sign` is called on whichever thread records something, one call at a time; until it returns, no receipt is written and nothing is
 * promoted. It must not call the engine back, not throw, and not end the thread. Each signature is checked.
 */
typedef struct {
    /** sizeof(knhk_sign_callback_t). */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** Passed to the functions. */
    void *ctx;
    /**
     * Signs `len` bytes at `message`: writes the 64 bytes of the Ed25519 signature and returns 0. Or returns another number and writes why
     * as NUL-terminated UTF-8 to `why`, where there is room for `why_size` bytes; the error of the call that wanted to record says it.
     */
    int32_t (*sign)(void *ctx, const uint8_t *message, size_t len, uint8_t *signature, char *why, size_t why_size);
    /**
     * NULL, or called exactly once, when `sign` will not be called any more: also when the call fails, unless `struct_size` is one that
     * the library does not know. On any thread.
     */
    void (*destroy)(void *ctx);
} knhk_sign_callback_t;

/**
 * Makes a new key from the system's random source. It is in memory alone: see knhk_signer_save.
 *
 * `signer`: receives it; the program frees it with knhk_signer_free, and may do so while an engine uses it.
 * Returns KNHK_OK, or KNHK_SIGNING when the system gives no random bytes. Any thread.
 */
knhk_status_t knhk_signer_generate(knhk_signer_t **signer, knhk_error_t **err);

/**
 * Loads a key: PKCS#8 as PEM or DER, or a seed as 32 bytes or 64 hexadecimal digits.
 *
 * `path`: a file that nobody but its owner may touch. `signer`: as knhk_signer_generate.
 * Returns KNHK_OK, or KNHK_KEY_FILE; no error quotes what is in the file. Any thread.
 */
knhk_status_t knhk_signer_load(const char *path, knhk_signer_t **signer, knhk_error_t **err);

/**
 * The key of a seed (RFC 8032's private key).
 *
 * `seed`: 32 bytes, which the program wipes itself. `signer`: as knhk_signer_generate.
 * Returns KNHK_OK. Any thread.
 */
knhk_status_t knhk_signer_from_seed(const uint8_t *seed, knhk_signer_t **signer, knhk_error_t **err);

/**
 * A key that is held elsewhere and signs through a callback.
 *
 * `public_key`: its 32 bytes. `callback`: taken over, whatever is returned. `signer`: as knhk_signer_generate.
 * Returns KNHK_OK; KNHK_STRUCT_SIZE; KNHK_NULL_ARGUMENT also where `sign` is NULL; KNHK_INVALID_ARGUMENT for what is no public key. Any
 * thread.
 */
knhk_status_t knhk_signer_delegated(const uint8_t *public_key,
                                    const knhk_sign_callback_t *callback,
                                    knhk_signer_t **signer,
                                    knhk_error_t **err);

/**
 * Writes a key to a new file as PKCS#8 PEM that only its owner may read.
 *
 * Returns KNHK_OK; KNHK_KEY_FILE when the file exists or cannot be written, or the key is held elsewhere. Any thread.
 */
knhk_status_t knhk_signer_save(const knhk_signer_t *signer, const char *path, knhk_error_t **err);

/**
 * The public part of a key.
 *
 * `public_key`: receives 32 bytes. Returns KNHK_OK. Any thread.
 */
knhk_status_t knhk_signer_public_key(const knhk_signer_t *signer, uint8_t *public_key, knhk_error_t **err);

/**
 * Signs a message: for a program that holds a key on behalf of an engine elsewhere, behind whose knhk_sign_callback_t it is.
 *
 * `message`: `len` bytes. `signature`: receives 64 bytes. Returns KNHK_OK or KNHK_SIGNING. Any thread.
 */
knhk_status_t knhk_signer_sign(const knhk_signer_t *signer,
                               const uint8_t *message,
                               size_t len,
                               uint8_t *signature,
                               knhk_error_t **err);

/** Frees a signer; an engine that was opened with it goes on signing. NULL does nothing. Any thread. */
void knhk_signer_free(knhk_signer_t *signer);

/* ------------------------------------------------------------------------------------------------------------
 * How an engine is opened. */

/** The system's asymmetric barrier where it works, else full fences in the readers. */
#define KNHK_BARRIER_AUTO 0

/** Full fences in the readers, where a filter kills on membarrier or an emulator lies about it. */
#define KNHK_BARRIER_FENCE 1

/** Takes commands of `knhk` over a socket in the engine's folder, from the folder's owner alone. */
#define KNHK_CONTROL 1

/**
 * Opens a still picture of a folder, beside the engine that has it open, if one has: nothing is locked or written, what changes later is
 * not seen, changes are refused with KNHK_IO.
 */
#define KNHK_READ_ONLY 2

/** How observations are kept. Set `struct_size` to sizeof(knhk_observations_options_t) and what does not matter to 0, which means its default. */
typedef struct {
    /** sizeof(knhk_observations_options_t). */
    uint32_t struct_size;
    /** The effort of zstd, -7 to 19; 1. */
    int32_t compression;
    /** Observations of a segment, which has one receipt; 16,384. */
    uint64_t segment_records;
    /** How long an observation waits for its segment to fill, at most, in nanoseconds; 1 s. */
    uint64_t seal_after_ns;
    /** Bytes of memory for observations that are not durable yet; 64 MiB. Beyond it rings fill and refuse, which is counted. */
    uint64_t memory_bytes;
    /** How often the rings are looked into while they are empty, in nanoseconds; 1 ms. */
    uint64_t period_ns;
    /** Bytes of observations that are kept, 64 each; 0 for all. Counts, Merkle roots and receipts are kept for ever. */
    uint64_t retain_bytes;
    /** For how long observations are kept, in nanoseconds; 0 for ever. */
    uint64_t retain_age_ns;
    /** The window that aggregates are over, 1 s to 1 h in nanoseconds; 10 s. */
    uint64_t window_ns;
    /** Pairs of key and kind that are aggregated apart, at most; 512. */
    uint64_t series;
} knhk_observations_options_t;

/**
 * Settings of an engine. Set `struct_size` to sizeof(knhk_options_t) and every field that you do not care about to 0, which means its
 * default.
 */
typedef struct {
    /** sizeof(knhk_options_t). */
    uint32_t struct_size;
    /** KNHK_BARRIER_AUTO or KNHK_BARRIER_FENCE. */
    uint32_t barrier;
    /** Old snapshots that may wait to be freed before a promotion has to free some itself; 256. */
    uint64_t retained_roots;
    /** Bytes of old snapshots from which the log names the reader that keeps them; 256 MiB. */
    uint64_t soft_limit_bytes;
    /** Bytes of old snapshots from which promotions are refused; 1 GiB. */
    uint64_t hard_limit_bytes;
    /** Observations that wait in a reader's ring, 64 bytes each, rounded up to a power of two; 1024. */
    uint64_t ring_records;
    /** Versions that a sector retains, the current one included; 64. */
    uint64_t history;
    /** How often the cached clock advances, in nanoseconds; 1 ms. */
    uint64_t clock_period_ns;
    /** Bytes of the largest document or image. */
    uint64_t max_document_bytes;
    /** Levels of objects in a document. */
    uint64_t max_depth;
    /** Values in a document. */
    uint64_t max_keys;
    /** Bytes of a string or of bytes in a document. */
    uint64_t max_string_bytes;
    /** KNHK_CONTROL or KNHK_READ_ONLY, or 0. */
    uint32_t flags;
    /** 0. */
    uint32_t reserved;
    /**
     * Who signs receipts in place of the key in the folder; in memory there are receipts with one only. NULL for the folder's key. The
     * program keeps it and frees it when it likes.
     */
    const knhk_signer_t *signer;
    /** The trust root that the folder's log must begin at, as knhk_trust_root tells it; a new log begins at it. NULL for the folder's own. */
    const char *trust_root;
    /** A note of knhk_checkpoint that the program held: opening finds a log that was cut off or forked since. NULL for none. */
    const char *checkpoint;
    /** Versions of each sector that are kept in the folder, the newest ones; 0 for all. What either limit asks to keep is kept. */
    uint64_t retain_versions;
    /** Versions that were current within this many nanoseconds are kept; 0 for all. */
    uint64_t retain_age_ns;
    /**
     * Has the engine take observations out of the rings by itself, add them up and keep them under receipts; NULL leaves them to
     * knhk_observations_drain.
     */
    const knhk_observations_options_t *observations;
    /**
     * Has decisions be dated by a clock that stands at this moment, in nanoseconds since the Unix epoch, until knhk_time_advance moves it: for
     * tests and simulations. 0 for the system's clock.
     */
    uint64_t manual_time_ns;
    /** What an operation of the hot path may take on average, in nanoseconds; 100. Beyond it the warm path yields: see knhk_hot_report. */
    uint64_t hot_budget_ns;
} knhk_options_t;

/* ------------------------------------------------------------------------------------------------------------
 * Engines: opening and closing.
 *
 * An engine holds sectors; a sector holds typed values under names. All calls on one engine may be made from any thread at any time. In
 * a child made by fork they return KNHK_FORKED: the child may go on reading, close does nothing there, and opening anew works. */

/**
 * Opens an engine; called through the macro knhk_engine_open(location, options, engine, err), which adds what the header was made
 * for.
 *
 * `location`: a folder, made where it does not exist, or ":memory:". `options`: NULL for the defaults. `abi`: knhk_header_abi().
 * `engine`: receives the engine, which the program closes with knhk_engine_close.
 * Returns KNHK_OK; KNHK_ABI_MISMATCH when header and library do not fit; KNHK_STRUCT_SIZE; KNHK_INVALID_ARGUMENT for an option out of
 * its domain; KNHK_BUSY when another engine has the folder open; KNHK_IO; KNHK_CORRUPT when nothing whole is stored.
 * Any thread. The engine starts two threads of its own, on which no signal handler of the program runs.
 */
knhk_status_t knhk_engine_open_abi(const char *location,
                                   const knhk_options_t *options,
                                   const knhk_abi_t *abi,
                                   knhk_engine_t **engine,
                                   knhk_error_t **err);

/**
 * Closes an engine. NULL does nothing.
 *
 * Values read as absent from now on, for every reader; a view that is open keeps what it sees. Changes are refused and the folder is
 * free when this returns. Readers and holds may be ended before or after, in any order and by any thread that may end them: while one of
 * them is left, the handle stays, and calls on it return KNHK_CLOSED; with the last one it is freed. Callbacks that are registered are
 * destroyed. Any thread, also from a callback.
 */
void knhk_engine_close(knhk_engine_t *engine);

/**
 * Moves the clock of an engine that was opened with `manual_time_ns`.
 *
 * `by_ns`: nanoseconds. `now_ns`: NULL, or receives the moment that it shows then, in nanoseconds since the Unix epoch.
 * Returns KNHK_OK; KNHK_INVALID_ARGUMENT for an engine that goes by the system's clock. Any thread.
 */
knhk_status_t knhk_time_advance(const knhk_engine_t *engine, uint64_t by_ns, uint64_t *now_ns, knhk_error_t **err);

/**
 * The number of the newest generation: it grows with every change of any sector, so comparing it tells whether anything changed.
 *
 * Returns 0 for NULL and for an engine that is closed or was inherited by fork. Any thread.
 */
uint64_t knhk_change_version(const knhk_engine_t *engine);

/* ------------------------------------------------------------------------------------------------------------
 * Buffers: text and bytes that the library made for the program. */

/**
 * The bytes of a buffer. A NUL follows them, so text can be used as a C string.
 *
 * Returns NULL for NULL; else valid until the buffer is freed. Any thread.
 */
const char *knhk_buffer_data(const knhk_buffer_t *buffer);

/** How many bytes there are, the NUL not counted. 0 for NULL. Any thread. */
size_t knhk_buffer_len(const knhk_buffer_t *buffer);

/**
 * Copies the bytes, and the NUL behind them, to memory of the program.
 *
 * `to`: room for `size` bytes. `needed`: NULL, or receives how many bytes there are with the NUL, also when `size` is too small.
 * Returns KNHK_OK, or KNHK_BUFFER_TOO_SMALL, and then nothing was written to `to`. Any thread.
 */
knhk_status_t knhk_buffer_copy(const knhk_buffer_t *buffer,
                               void *to,
                               size_t size,
                               size_t *needed,
                               knhk_error_t **err);

/** Frees a buffer. NULL does nothing. Any thread; its bytes may not be used any more. */
void knhk_buffer_free(knhk_buffer_t *buffer);

/* ------------------------------------------------------------------------------------------------------------
 * What an answer says, place by place: every request of governance and of the loop is answered with JSON, and these functions read it, so
 * that a program needs no parser.
 *
 *    const char *state;
 *    size_t len;
 *    knhk_json_text(proposal, "/state", &state, &len, &err);                       // "refused"
 *    knhk_json_text(proposal, "/reports/0/stages/1/findings/0/what", &what, &len, &err);
 *
 * A place is written as a JSON pointer (RFC 6901): "" is the whole, "/reports/0" the first element of "reports"; in a member's name "~1"
 * stands for "/" and "~0" for "~". Any thread, several at once. */

/** There is nothing at the place. */
#define KNHK_JSON_ABSENT 0

/** null. */
#define KNHK_JSON_NULL 1

/** true or false. */
#define KNHK_JSON_BOOL 2

/** A number. */
#define KNHK_JSON_NUMBER 3

/** A text. */
#define KNHK_JSON_TEXT 4

/** A list. */
#define KNHK_JSON_LIST 5

/** An object. */
#define KNHK_JSON_OBJECT 6

/**
 * Takes JSON that came otherwise than as an answer, to be read like one: what knhk_error_reports gives, what a function is asked.
 *
 * `text`, `len`: the JSON, UTF-8. `json`: receives it; knhk_buffer_free frees it. Returns KNHK_OK, or KNHK_INVALID_ARGUMENT for what is no
 * JSON.
 */
knhk_status_t knhk_json_parse(const char *text,
                              size_t len,
                              knhk_buffer_t **json,
                              knhk_error_t **err);

/**
 * What kind of value stands at a place.
 *
 * `json`: an answer. `place`: as this section's comment has it. `kind`: receives KNHK_JSON_ABSENT, which is no error, up to
 * KNHK_JSON_OBJECT. Returns KNHK_OK; KNHK_INVALID_ARGUMENT for a buffer that is no JSON and for what is no place.
 */
knhk_status_t knhk_json_kind(const knhk_buffer_t *json,
                             const char *place,
                             uint32_t *kind,
                             knhk_error_t **err);

/**
 * How many elements the list, or members the object, at a place has.
 *
 * `count`: receives it. Returns KNHK_OK; KNHK_NOT_FOUND where nothing stands there; KNHK_WRONG_TYPE for something else; else as
 * knhk_json_kind.
 */
knhk_status_t knhk_json_count(const knhk_buffer_t *json,
                              const char *place,
                              size_t *count,
                              knhk_error_t **err);

/**
 * The text at a place, UTF-8.
 *
 * `at`: receives where it begins; no NUL follows it. `len`: receives its length in bytes. Both are valid until `json` is freed. Returns as
 * knhk_json_count.
 */
knhk_status_t knhk_json_text(const knhk_buffer_t *json,
                             const char *place,
                             const char **at,
                             size_t *len,
                             knhk_error_t **err);

/**
 * The truth at a place.
 *
 * `value`: receives it. Returns as knhk_json_count.
 */
knhk_status_t knhk_json_bool(const knhk_buffer_t *json, const char *place, bool *value, knhk_error_t **err);

/**
 * The whole number at a place.
 *
 * `value`: receives it. Returns as knhk_json_count; KNHK_WRONG_TYPE also for a number with a fraction, and for one outside the range.
 */
knhk_status_t knhk_json_i64(const knhk_buffer_t *json,
                            const char *place,
                            int64_t *value,
                            knhk_error_t **err);

/**
 * The whole number at a place that is not negative: versions, counts, moments in nanoseconds since 1970 (UTC), durations in nanoseconds.
 *
 * As knhk_json_i64.
 */
knhk_status_t knhk_json_u64(const knhk_buffer_t *json,
                            const char *place,
                            uint64_t *value,
                            knhk_error_t **err);

/**
 * The number at a place.
 *
 * `value`: receives it, rounded to the nearest double. Returns as knhk_json_count.
 */
knhk_status_t knhk_json_f64(const knhk_buffer_t *json, const char *place, double *value, knhk_error_t **err);

/**
 * What stands at a place, as JSON of its own: the evidence of a stage, what is to be kept of an answer.
 *
 * `part`: receives it; knhk_buffer_free frees it. Returns as knhk_json_count.
 */
knhk_status_t knhk_json_part(const knhk_buffer_t *json, const char *place, knhk_buffer_t **part, knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Sectors: namespaces with their own knowledge and their own history. */

/**
 * Promotions into the sector are checked for schema, ranges and compatibility, and not governed. For values whose source
 * is already trusted.
 */
#define KNHK_DIRECT 1

/** A change passes the seven stages of governance first: see knhk_propose. Needs an engine with a ledger. */
#define KNHK_GOVERNED 2

/** A sector, as enumerated. */
typedef struct {
    /** How much of this struct the library knows. */
    uint32_t struct_size;
    /** KNHK_DIRECT or KNHK_GOVERNED. */
    uint32_t kind;
    /** Its name. */
    const char *name;
    /** Its number in its engine, for knhk_find. */
    uint32_t number;
    /** 1 once a version was promoted. */
    uint32_t ready;
    /** The current version; 0 before the first promotion. */
    uint64_t version;
    /** The generation in which it became current; 0 before the first promotion. */
    uint64_t epoch;
    /** How many values it has. */
    uint64_t keys;
    /** The content address of the current version; zeros before the first promotion. */
    uint8_t snapshot_id[32];
} knhk_sector_info_t;

/**
 * Creates a sector.
 *
 * `name`: 1 to 64 characters of a-z, 0-9, - and _, beginning with a letter or digit. `kind`: KNHK_DIRECT or KNHK_GOVERNED.
 * Returns KNHK_OK; KNHK_INVALID_ARGUMENT for another name or kind; KNHK_ALREADY_EXISTS; KNHK_LIMIT beyond 64 sectors; KNHK_IO.
 */
knhk_status_t knhk_sector_create(knhk_engine_t *engine,
                                 const char *name,
                                 uint32_t kind,
                                 knhk_error_t **err);

/**
 * Lists the sectors, in the order of their creation.
 *
 * `sectors`: receives the list, which the program frees with knhk_sectors_free.
 */
knhk_status_t knhk_sectors(const knhk_engine_t *engine, knhk_sector_list_t **sectors, knhk_error_t **err);

/** How many sectors a list has; 0 for NULL. Any thread. */
size_t knhk_sectors_len(const knhk_sector_list_t *sectors);

/** A sector of a list; NULL beyond its end. Valid until the list is freed. Any thread. */
const knhk_sector_info_t *knhk_sectors_at(const knhk_sector_list_t *sectors, size_t index);

/** Frees a list of sectors. NULL does nothing. Any thread; its items may not be used any more. */
void knhk_sectors_free(knhk_sector_list_t *sectors);

/**
 * A sector's number in its engine, for knhk_find.
 *
 * Returns KNHK_OK or KNHK_NOT_FOUND. The number does not change.
 */
knhk_status_t knhk_sector_number(const knhk_engine_t *engine, const char *sector, uint32_t *number, knhk_error_t **err);

/**
 * Waits until something was promoted in a sector.
 *
 * `timeout_ns`: how long, in nanoseconds; UINT64_MAX waits without end.
 * Returns KNHK_OK; KNHK_TIMEOUT; KNHK_NOT_FOUND; KNHK_CLOSED also when the engine is closed meanwhile. Blocks the calling thread, which
 * must be outside of any view.
 */
knhk_status_t knhk_sector_wait_ready(knhk_engine_t *engine,
                                     const char *sector,
                                     uint64_t timeout_ns,
                                     knhk_error_t **err);

/**
 * The document of a version of a sector, as JSON; importing it gives the same knowledge.
 *
 * `version`: 0 for the current one. `json`: receives the text, which the program frees with knhk_buffer_free.
 * Returns KNHK_OK; KNHK_NOT_FOUND for a sector or version that is not there; KNHK_NOT_READY before the first promotion.
 */
knhk_status_t knhk_sector_export_json(const knhk_engine_t *engine,
                                      const char *sector,
                                      uint64_t version,
                                      knhk_buffer_t **json,
                                      knhk_error_t **err);

/**
 * All sectors' current documents as one JSON object, sector by sector.
 *
 * `json`: receives the text, which the program frees with knhk_buffer_free.
 */
knhk_status_t knhk_dump(const knhk_engine_t *engine, knhk_buffer_t **json, knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Promotions: a document, or a compiled image, becomes a sector's current knowledge for all readers at once.
 *
 * When such a call returns, every view that begins, on any thread, sees the change or something newer. Views that are open keep what
 * they see. Promotions of one sector by several threads come one after the other. Whatever fails changes nothing. No reader ever waits. */

/** Declares a major version: keys that programs have interned may be dropped or retyped. */
#define KNHK_MAJOR 1

/** Who asks for a change, and why. Set `struct_size` to sizeof(knhk_promote_options_t) and what you do not care about to 0. */
typedef struct {
    /** sizeof(knhk_promote_options_t). */
    uint32_t struct_size;
    /** KNHK_MAJOR or 0. */
    uint32_t flags;
    /** Who: a person, a rule, a program. NULL for nobody in particular. */
    const char *by;
    /** Why, in a sentence. NULL for nothing. */
    const char *why;
} knhk_promote_options_t;

/** What each phase of a promotion took, in nanoseconds. */
typedef struct {
    /** Text to document. */
    uint64_t parse_ns;
    /** Waiting for other promotions of the sector, and the compatibility check. */
    uint64_t verify_ns;
    /** Document to a verified artifact. */
    uint64_t compile_ns;
    /** Making it durable; 0 in memory. */
    uint64_t journal_ns;
    /** Building the new root and publishing it. */
    uint64_t swap_ns;
} knhk_phases_t;

/** What a promotion made. Set `struct_size` to sizeof(knhk_promotion_t) before the call. */
typedef struct {
    /** sizeof(knhk_promotion_t); on return, how much of this struct the library knows. */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** The sector's version: counts its promotions and rollbacks from 1. */
    uint64_t version;
    /** The generation of all sectors: a view whose knhk_view_epoch is this or more sees it. */
    uint64_t epoch;
    /** When, in nanoseconds since the Unix epoch. */
    uint64_t time_ns;
    /** The content address. */
    uint8_t snapshot_id[32];
    /** What each phase took. */
    knhk_phases_t phases;
} knhk_promotion_t;

/**
 * Promotes a JSON document.
 *
 * `json`: the document, NUL-terminated. `options`: who and why; NULL for neither.
 * Returns KNHK_OK; KNHK_NOT_FOUND; KNHK_DOCUMENT for what is no valid document, with the path; KNHK_LIMIT; KNHK_INCOMPATIBLE when it drops
 * or retypes interned keys without KNHK_MAJOR; KNHK_STALLED when a reader holds too much memory, with its number; KNHK_IO; KNHK_STRUCT_SIZE.
 * Outside of any view of the calling thread.
 */
knhk_status_t knhk_promote_json(knhk_engine_t *engine,
                                const char *sector,
                                const char *json,
                                const knhk_promote_options_t *options,
                                knhk_error_t **err);

/**
 * knhk_promote_json for a document of `len` bytes, without a NUL, and with what it made.
 *
 * `promotion`: NULL, or receives version, epoch, content address and timings.
 */
knhk_status_t knhk_promote_json_with(knhk_engine_t *engine,
                                     const char *sector,
                                     const char *json,
                                     size_t len,
                                     const knhk_promote_options_t *options,
                                     knhk_promotion_t *promotion,
                                     knhk_error_t **err);

/**
 * Promotes an artifact image: what knhk_compile_json made, here or elsewhere. It is verified in a private copy and linked to this
 * sector's names.
 *
 * `image`: `len` bytes. `promotion`: NULL, or receives what it made.
 * Returns KNHK_OK; KNHK_ARTIFACT for an image that is damaged or of an unknown layout version; else as knhk_promote_json.
 */
knhk_status_t knhk_promote_image(knhk_engine_t *engine,
                                 const char *sector,
                                 const uint8_t *image,
                                 size_t len,
                                 const knhk_promote_options_t *options,
                                 knhk_promotion_t *promotion,
                                 knhk_error_t **err);

/**
 * Makes the content of a retained version current again, as a new version. Works also where a stalled reader keeps promotions from
 * happening.
 *
 * `version`: one of knhk_history. `promotion`: NULL, or receives what it made.
 * Returns KNHK_OK; KNHK_NOT_FOUND for a sector or version that is not there; KNHK_IO; KNHK_STRUCT_SIZE.
 */
knhk_status_t knhk_rollback(knhk_engine_t *engine,
                            const char *sector,
                            uint64_t version,
                            const knhk_promote_options_t *options,
                            knhk_promotion_t *promotion,
                            knhk_error_t **err);

/**
 * knhk_rollback that takes effect before anything is written, and also where nothing can be: on a full disk its intent goes to a
 * file kept allocated for it, which the next open honours. The log says whether the version could be recorded.
 *
 * `version`: one of knhk_history. `promotion`: NULL, or receives what it made.
 * Returns KNHK_OK; KNHK_NOT_FOUND for a sector or version that is not there; KNHK_STRUCT_SIZE.
 */
knhk_status_t knhk_emergency_rollback(knhk_engine_t *engine,
                                      const char *sector,
                                      uint64_t version,
                                      const knhk_promote_options_t *options,
                                      knhk_promotion_t *promotion,
                                      knhk_error_t **err);

/**
 * States what a sector holds before its first promotion: its names, types and defaults. Reads give the defaults, with the reason
 * KNHK_READ_NOT_READY, and keys can be interned. Afterwards it is only recorded.
 *
 * `json`: a document; the defaults are the $default of its leaves, and a leaf without one reads as absent.
 * Returns KNHK_OK; else as knhk_promote_json.
 */
knhk_status_t knhk_declare_json(knhk_engine_t *engine,
                                const char *sector,
                                const char *json,
                                knhk_error_t **err);

/**
 * Compiles a JSON document to an artifact image, without promoting it: what knhk_promote_image takes.
 *
 * `image`: receives the bytes, which the program frees with knhk_buffer_free.
 * Returns KNHK_OK; KNHK_DOCUMENT; KNHK_LIMIT.
 */
knhk_status_t knhk_compile_json(const knhk_engine_t *engine,
                                const char *json,
                                knhk_buffer_t **image,
                                knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Reports: what a validation found, result by result, for programs and for people. */

/** sh:Info: for information, and not a violation. */
#define KNHK_SEVERITY_INFO 1

/** sh:Warning: to look at, and not a violation. */
#define KNHK_SEVERITY_WARNING 2

/** sh:Violation: the knowledge is refused. */
#define KNHK_SEVERITY_VIOLATION 3

/** One result of a validation. Terms are written as in Turtle. */
typedef struct {
    /** How much of this struct the library knows. */
    uint32_t struct_size;
    /** KNHK_SEVERITY_INFO, KNHK_SEVERITY_WARNING or KNHK_SEVERITY_VIOLATION. */
    uint32_t severity;
    /** What it is about: the focus node. */
    const char *focus;
    /** The path from there; NULL where the focus node itself is meant. */
    const char *path;
    /** The value at fault; NULL where none in particular is. */
    const char *value;
    /** The constraint component, as an IRI. */
    const char *component;
    /** The shape that was broken. */
    const char *shape;
    /** A sentence for people. */
    const char *message;
} knhk_result_t;

/** 1 if nothing was violated, else 0; 0 for NULL. Any thread. */
uint32_t knhk_report_conforms(const knhk_report_t *report);

/** How many results a report has; 0 for NULL. Any thread. */
size_t knhk_report_len(const knhk_report_t *report);

/** A result of a report; NULL beyond its end. Valid until the report is freed. Any thread. */
const knhk_result_t *knhk_report_at(const knhk_report_t *report, size_t index);

/** The whole report for people, a line for each result. "" for NULL; else valid until the report is freed. Any thread. */
const char *knhk_report_text(const knhk_report_t *report);

/**
 * The report in the vocabulary of SHACL.
 *
 * `format`: one of KNHK_FORMAT_TURTLE to KNHK_FORMAT_RDFXML. `rdf`: receives the text, which the program frees with knhk_buffer_free.
 * Returns KNHK_OK or KNHK_INVALID_ARGUMENT. Any thread.
 */
knhk_status_t knhk_report_rdf(const knhk_report_t *report,
                              uint32_t format,
                              knhk_buffer_t **rdf,
                              knhk_error_t **err);

/** Frees a report. NULL does nothing. Any thread; its items may not be used any more. */
void knhk_report_free(knhk_report_t *report);

/* ------------------------------------------------------------------------------------------------------------
 * Knowledge beyond plain JSON: ontologies in the formats of RDF, changes by statement, validation against shapes, proofs.
 *
 * A sector's knowledge is a graph, and plain JSON is its front door: `max_qty` of the sector `orders` is the subject
 * `urn:knhk:orders:max_qty`, its value what `urn:knhk:core:value` says of it. Shapes (SHACL Core) in the graph are checked at every
 * promotion, and what the library itself says (the core) is part of every sector and cannot be changed from one. */

/** Turtle. */
#define KNHK_FORMAT_TURTLE 1

/** N-Triples. */
#define KNHK_FORMAT_NTRIPLES 2

/** N-Quads, with the default graph alone. */
#define KNHK_FORMAT_NQUADS 3

/** JSON-LD. Remote contexts are never fetched. */
#define KNHK_FORMAT_JSONLD 4

/** RDF/XML. */
#define KNHK_FORMAT_RDFXML 5

/** Plain JSON, as knhk_promote_json takes it. */
#define KNHK_FORMAT_JSON 6

/** A change by statement. Set `struct_size` to sizeof(knhk_delta_t) and what you do not use to 0. */
typedef struct {
    /** sizeof(knhk_delta_t). */
    uint32_t struct_size;
    /** A KNHK_FORMAT_ constant other than KNHK_FORMAT_JSON: that of both texts. */
    uint32_t format;
    /** The statements to take away; what is not there is no error. NULL where the length is 0. */
    const char *removed;
    /** Its length in bytes. */
    size_t removed_len;
    /** The statements to add. NULL where the length is 0. */
    const char *added;
    /** Its length in bytes. */
    size_t added_len;
} knhk_delta_t;

/** An identifier that two sectors say different things of. */
typedef struct {
    /** The identifier, as an IRI. */
    const char *identifier;
    /** A sector that defines it. */
    const char *first;
    /** Another one. */
    const char *second;
    /** What differs, for people. */
    const char *message;
} knhk_conflict_t;

/**
 * Makes an ontology the whole of a sector's knowledge.
 *
 * `text`: `len` bytes in `format`. `options`: who and why; NULL for neither. `promotion`: NULL, or receives what it made.
 * Returns KNHK_OK; KNHK_DOCUMENT for what cannot be parsed, with line and column; KNHK_LIMIT; KNHK_NONCONFORMING when it breaks a shape, with
 * knhk_error_report; KNHK_CONFLICT when it says something of the core's or another sector's names; else as knhk_promote_json.
 * Outside of any view of the calling thread.
 */
knhk_status_t knhk_promote_rdf(knhk_engine_t *engine,
                               const char *sector,
                               const char *text,
                               size_t len,
                               uint32_t format,
                               const knhk_promote_options_t *options,
                               knhk_promotion_t *promotion,
                               knhk_error_t **err);

/**
 * Changes a sector's knowledge by statement: takes some away, and then adds some.
 *
 * `delta`: both texts. `options` and `promotion` as knhk_promote_rdf.
 * Returns what knhk_promote_rdf returns.
 */
knhk_status_t knhk_promote_delta(knhk_engine_t *engine,
                                 const char *sector,
                                 const knhk_delta_t *delta,
                                 const knhk_promote_options_t *options,
                                 knhk_promotion_t *promotion,
                                 knhk_error_t **err);

/**
 * Validates a sector's current knowledge against its shapes.
 *
 * `report`: receives the report, which the program frees with knhk_report_free. That it does not conform is no error of the call.
 * Returns KNHK_OK; KNHK_NOT_FOUND; KNHK_NOT_READY before the first promotion.
 */
knhk_status_t knhk_validate(const knhk_engine_t *engine,
                            const char *sector,
                            knhk_report_t **report,
                            knhk_error_t **err);

/**
 * Validates an ontology as if it were promoted into a sector, and changes nothing.
 *
 * `text`: `len` bytes in `format`. `report`: as knhk_validate.
 * Returns KNHK_OK, also where the report says that it does not conform; KNHK_DOCUMENT; KNHK_LIMIT; KNHK_CONFLICT; KNHK_NOT_FOUND.
 */
knhk_status_t knhk_validate_rdf(const knhk_engine_t *engine,
                                const char *sector,
                                const char *text,
                                size_t len,
                                uint32_t format,
                                knhk_report_t **report,
                                knhk_error_t **err);

/**
 * Validates a change by statement as if it were promoted, and changes nothing. What it costs follows the change.
 *
 * `report`: as knhk_validate.
 * Returns what knhk_validate_rdf returns.
 */
knhk_status_t knhk_validate_delta(const knhk_engine_t *engine,
                                  const char *sector,
                                  const knhk_delta_t *delta,
                                  knhk_report_t **report,
                                  knhk_error_t **err);

/**
 * A version of a sector in a format; importing it gives the same knowledge. The text is the same for the same knowledge.
 *
 * `version`: 0 for the current one. `format`: a KNHK_FORMAT_ constant; KNHK_FORMAT_JSON holds parameters and classes alone.
 * `text`: receives it; the program frees it with knhk_buffer_free.
 * Returns KNHK_OK; KNHK_NOT_FOUND; KNHK_NOT_READY before the first promotion; KNHK_DOCUMENT for what the format cannot say.
 */
knhk_status_t knhk_sector_export(const knhk_engine_t *engine,
                                 const char *sector,
                                 uint64_t version,
                                 uint32_t format,
                                 knhk_buffer_t **text,
                                 knhk_error_t **err);

/**
 * What leads from one version of a sector to another, statement by statement.
 *
 * `from`, `to`: versions of knhk_history. `lines`: receives sorted lines of N-Triples, each after "- " or "+ "; the program frees it with
 * knhk_buffer_free.
 * Returns KNHK_OK or KNHK_NOT_FOUND.
 */
knhk_status_t knhk_sector_diff(const knhk_engine_t *engine,
                               const char *sector,
                               uint64_t from,
                               uint64_t to,
                               knhk_buffer_t **lines,
                               knhk_error_t **err);

/**
 * Proves that a sector's current version says something, to whoever knows its content address.
 *
 * `statement`: one statement as N-Triples. `proof`: receives the proof's bytes; the program frees them with knhk_buffer_free.
 * Returns KNHK_OK; KNHK_NOT_FOUND where the version does not say it; KNHK_DOCUMENT for what is no statement.
 */
knhk_status_t knhk_prove(const knhk_engine_t *engine,
                         const char *sector,
                         const char *statement,
                         knhk_buffer_t **proof,
                         knhk_error_t **err);

/**
 * Checks a proof that knhk_prove made, here or elsewhere. It needs no engine.
 *
 * `snapshot_id`: 32 bytes, the content address that the version is known by. `proof`: `len` bytes. `statement`: as N-Triples.
 * Returns KNHK_OK if the version with that address says it; KNHK_UNPROVEN if the proof does not show that; KNHK_DOCUMENT for what is no
 * statement. Any thread.
 */
knhk_status_t knhk_proof_verify(const uint8_t *snapshot_id,
                                const uint8_t *proof,
                                size_t len,
                                const char *statement,
                                knhk_error_t **err);

/**
 * Finds the identifiers that two sectors define differently.
 *
 * `conflicts`: receives the list, which the program frees with knhk_conflicts_free; empty where there is none.
 */
knhk_status_t knhk_conflicts(const knhk_engine_t *engine, knhk_conflict_list_t **conflicts, knhk_error_t **err);

/** How many conflicts a list has; 0 for NULL. Any thread. */
size_t knhk_conflicts_len(const knhk_conflict_list_t *conflicts);

/** A conflict of a list; NULL beyond its end. Valid until the list is freed. Any thread. */
const knhk_conflict_t *knhk_conflicts_at(const knhk_conflict_list_t *conflicts, size_t index);

/** Frees a list of conflicts. NULL does nothing. Any thread; its items may not be used any more. */
void knhk_conflicts_free(knhk_conflict_list_t *conflicts);

/**
 * Creates a sector with the knowledge that KNHK ships for it: its classes, shapes, and parameters with ranges and defaults.
 *
 * `name`: "finance", "healthcare", "logistics" or "manufacturing", which is then the sector's name. `kind`: KNHK_DIRECT or KNHK_GOVERNED.
 * Returns KNHK_OK; KNHK_NOT_FOUND where none of that name is shipped; else as knhk_sector_create.
 */
knhk_status_t knhk_sector_create_shipped(knhk_engine_t *engine,
                                         const char *name,
                                         uint32_t kind,
                                         knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * History: the versions that a sector retains, with who, why and what changed. */

/** One value that differs between two versions. */
typedef struct {
    /** Its path in the sector. */
    const char *path;
    /** What it was, as people write it; NULL where it is new. */
    const char *before;
    /** What it is now; NULL where it is gone. */
    const char *after;
} knhk_difference_t;

/** A version, as enumerated. */
typedef struct {
    /** How much of this struct the library knows. */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** Counts the sector's promotions and rollbacks from 1. */
    uint64_t version;
    /** The version whose content it brings back; 0 if it is no rollback. */
    uint64_t rollback_of;
    /** The generation of all sectors in which it became current. */
    uint64_t epoch;
    /** When, in nanoseconds since the Unix epoch. */
    uint64_t time_ns;
    /** The content address. */
    uint8_t snapshot_id[32];
    /** Who; "" for nobody in particular. */
    const char *by;
    /** Why; "" for nothing. */
    const char *why;
    /** What changed against the version before. */
    const knhk_difference_t *differences;
    /** How many there are. */
    size_t differences_len;
    /** What each phase took. */
    knhk_phases_t phases;
    /** The version that it took the place of; 0 for none. */
    uint64_t parent;
    /** The id of its receipt; NULL where there is none. */
    const char *receipt;
} knhk_version_info_t;

/**
 * Lists the versions that a sector retains, oldest first; the last one is current.
 *
 * `versions`: receives the list, which the program frees with knhk_history_free.
 * Returns KNHK_OK or KNHK_NOT_FOUND.
 */
knhk_status_t knhk_history(const knhk_engine_t *engine,
                           const char *sector,
                           knhk_version_list_t **versions,
                           knhk_error_t **err);

/** How many versions a history has; 0 for NULL. Any thread. */
size_t knhk_history_len(const knhk_version_list_t *versions);

/** A version of a history; NULL beyond its end. Valid until the history is freed. Any thread. */
const knhk_version_info_t *knhk_history_at(const knhk_version_list_t *versions, size_t index);

/** Frees a history. NULL does nothing. Any thread; its items may not be used any more. */
void knhk_history_free(knhk_version_list_t *versions);

/* ------------------------------------------------------------------------------------------------------------
 * Keys: a name interned once, with its type, that reads then find in two loads. */

/** A key, as enumerated. */
typedef struct {
    /** How much of this struct the library knows. */
    uint32_t struct_size;
    /** Its type: KNHK_I64 and so on. */
    uint32_t value_type;
    /** Its path in the sector. */
    const char *name;
    /** The type in words, such as "list<i64>". */
    const char *type_name;
    /** The unit of the value; NULL where none is stated. */
    const char *unit;
    /** What it means; NULL where nothing is said. */
    const char *doc;
    /** The value and its range as people write them: "1000 lots   (1 … 5000)". */
    const char *display;
} knhk_key_info_t;

/**
 * Interns a name with its type; called through the macro knhk_key(engine, sector, name, type, key, err), which adds what the header
 * was made for.
 *
 * `name`: the path in the sector, such as "orders/max_qty". `type`: KNHK_I64 and so on. `key`: receives the key, plain data that is
 * valid for the engine's life, through promotions and rollbacks. From now on a promotion that drops or retypes it needs KNHK_MAJOR.
 * Returns KNHK_OK; KNHK_NOT_FOUND for a sector or name that is not there, with the nearest name; KNHK_WRONG_TYPE;
 * KNHK_NOT_READY before anything was promoted or declared; KNHK_ABI_MISMATCH.
 */
knhk_status_t knhk_key_abi(knhk_engine_t *engine,
                           const char *sector,
                           const char *name,
                           uint32_t type,
                           const knhk_abi_t *abi,
                           knhk_key_t *key,
                           knhk_error_t **err);

/**
 * Lists the values of a sector's current document, or of what was declared before the first promotion.
 *
 * `keys`: receives the list, which the program frees with knhk_keys_free.
 * Returns KNHK_OK or KNHK_NOT_FOUND.
 */
knhk_status_t knhk_keys(const knhk_engine_t *engine, const char *sector, knhk_key_list_t **keys, knhk_error_t **err);

/** How many keys a list has; 0 for NULL. Any thread. */
size_t knhk_keys_len(const knhk_key_list_t *keys);

/** A key of a list; NULL beyond its end. Valid until the list is freed. Any thread. */
const knhk_key_info_t *knhk_keys_at(const knhk_key_list_t *keys, size_t index);

/** Frees a list of keys. NULL does nothing. Any thread; its items may not be used any more. */
void knhk_keys_free(knhk_key_list_t *keys);

/* ------------------------------------------------------------------------------------------------------------
 * Readers: a thread registers once, and from then on opens views by inline code.
 *
 * A reader belongs to the thread that registered it, unless it is migratable. Its memory stays until the engine, its readers and its
 * holds are gone, so that unregistering after the engine's close is fine. */

/**
 * The reader may be used by different threads, one after the other, between views; the synchronisation is the
 * program's. It is not reaped when a thread ends.
 */
#define KNHK_MIGRATABLE 1

/** The reader observes nothing: every append is refused. */
#define KNHK_NO_RING 2

/** Settings of a reader. Set `struct_size` to sizeof(knhk_reader_options_t) and what you do not care about to 0. */
typedef struct {
    /** sizeof(knhk_reader_options_t). */
    uint32_t struct_size;
    /** KNHK_MIGRATABLE and KNHK_NO_RING, or'ed. */
    uint32_t flags;
    /** Observations that its ring holds, rounded up to a power of two; 0 takes the engine's. */
    uint64_t ring_records;
} knhk_reader_options_t;

/**
 * Registers the calling thread as a reader; called through the macros knhk_reader_register(engine, reader, err) and
 * knhk_reader_register_with(engine, options, reader, err), which add what the header was made for.
 *
 * `options`: NULL for the defaults. `reader`: receives the reader, which the program gives back with knhk_reader_unregister. A thread
 * may have several. Where a thread ends without unregistering, also inside a view, the engine finds out and takes the reader back.
 * Returns KNHK_OK; KNHK_ABI_MISMATCH; KNHK_STRUCT_SIZE; KNHK_INVALID_ARGUMENT; KNHK_SYSTEM when there is no memory for it.
 * Not in a signal handler.
 */
knhk_status_t knhk_reader_register_abi(knhk_engine_t *engine,
                                       const knhk_reader_options_t *options,
                                       const knhk_abi_t *abi,
                                       knhk_reader_t **reader,
                                       knhk_error_t **err);

/**
 * Gives a reader back. NULL does nothing. Works after the engine's close.
 *
 * The observations in its ring stay to be drained. Only the reader's thread may do this, or any thread once that has ended.
 * Returns KNHK_OK; KNHK_WRONG_THREAD; KNHK_INVALID_ARGUMENT while a view is open, when it was given back before, and for a reader of
 * another copy of the library.
 */
knhk_status_t knhk_reader_unregister(knhk_reader_t *reader,
                                     knhk_error_t **err);

/**
 * Repairs a reader whose views were not ended, as after a longjmp: none of them may be used any more. It leaves the quiescent mode, too.
 *
 * Only the reader's thread may do this. Returns KNHK_OK or KNHK_INVALID_ARGUMENT.
 */
knhk_status_t knhk_reader_reset(knhk_reader_t *reader,
                                knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Views: what a thread reads is of one generation, and stays until the view ends.
 *
 * These functions are inline, about a nanosecond for all of a begin, a typed read and an end. With KNHK_NO_INLINE defined, and for
 * languages that load the library at run time, the same bodies are exported as symbols. Nothing is checked that inline code could not
 * check for a nanosecond: a reader must be registered, and a view open.
 *
 * A reader belongs to one thread at a time. Views on one reader end in the reverse order of their beginning; nested ones, and those begun
 * in a signal handler on the thread's reader, may see a newer generation than the outer one. Do not block inside a view: it keeps memory. */

/**
 * Begins a view of the current generation. Wait-free.
 *
 * Any promotion that was acknowledged before this call is seen. The view ends with knhk_read_end on the same reader. Async-signal-safe.
 */
#ifdef KNHK_NO_INLINE
knhk_view_t knhk_read_begin(knhk_reader_t *reader);
#endif

/**
 * Begins a view of the candidate generation if a canary runs and chooses this subject, else of the current one. Wait-free.
 *
 * `subject_hash`: a hash of whom the decision concerns; the same one always gets the same choice. Otherwise as knhk_read_begin.
 */
#ifdef KNHK_NO_INLINE
knhk_view_t knhk_read_begin_for(knhk_reader_t *reader,
                                uint64_t subject_hash);
#endif

/** Ends a view. Strings, bytes and lists that were read in it may not be used any more. Async-signal-safe. */
#ifdef KNHK_NO_INLINE
void knhk_read_end(knhk_reader_t *reader, knhk_view_t view);
#endif

/**
 * Enters the quiescent mode: views then store nothing at all, and the thread says now and then that it holds nothing.
 *
 * No view is open. Until knhk_reader_offline, memory that is retired after the last knhk_reader_quiescent stays, so a thread that
 * blocks goes offline before.
 */
#ifdef KNHK_NO_INLINE
void knhk_reader_online(knhk_reader_t *reader);
#endif

/** Says that nothing read since the last call is used any more. The reader is online. */
#ifdef KNHK_NO_INLINE
void knhk_reader_quiescent(knhk_reader_t *reader);
#endif

/** Leaves the quiescent mode; nothing read in it is used any more. */
#ifdef KNHK_NO_INLINE
void knhk_reader_offline(knhk_reader_t *reader);
#endif

/**
 * A view of the current generation in quiescent mode, valid until the next knhk_reader_quiescent or knhk_reader_offline. It is not
 * ended.
 */
#ifdef KNHK_NO_INLINE
knhk_view_t knhk_read_quiescent(knhk_reader_t *reader);
#endif

/** knhk_read_quiescent with the choice of a canary, as knhk_read_begin_for. */
#ifdef KNHK_NO_INLINE
knhk_view_t knhk_read_quiescent_for(knhk_reader_t *reader, uint64_t subject_hash);
#endif

/** The reader's number, which names it in events and observations. Unique in its engine. */
#ifdef KNHK_NO_INLINE
uint64_t knhk_reader_id(const knhk_reader_t *reader);
#endif

/** The number of the generation that a view sees; it grows with every change. */
#ifdef KNHK_NO_INLINE
uint64_t knhk_view_epoch(knhk_view_t view);
#endif

/** The generation in which the key's sector became what a view sees of it; 0 before its first promotion, and for a key of zeros. */
#ifdef KNHK_NO_INLINE
uint64_t knhk_view_sector_epoch(knhk_view_t view,
                                knhk_key_t key);
#endif

/**
 * The content address, 32 bytes, of what a view sees of the key's sector; zeros before its first promotion, NULL for a key of zeros.
 * Valid until the view ends.
 */
#ifdef KNHK_NO_INLINE
const uint8_t *knhk_view_snapshot_id(knhk_view_t view,
                                     knhk_key_t key);
#endif

/* ------------------------------------------------------------------------------------------------------------
 * Typed reads from a view: two dependent loads, a bounds check and a check of the type.
 *
 * Inline, as views are. Where the snapshot has no value of the type under the key, a read returns the fallback that the caller
 * chose (or NULL), and counts in knhk_stats_t.cold_reads; the try forms also say why. Keys are of the same engine as the view: one of
 * another engine reads as absent, or as what that place holds here, never out of bounds. Async-signal-safe. */

/** The integer under a key, or `fallback`. */
#ifdef KNHK_NO_INLINE
int64_t knhk_get_i64(knhk_view_t view, knhk_key_t key, int64_t fallback);
#endif

/** The double under a key, or `fallback`. */
#ifdef KNHK_NO_INLINE
double knhk_get_f64(knhk_view_t view, knhk_key_t key, double fallback);
#endif

/** The boolean under a key, or `fallback`. */
#ifdef KNHK_NO_INLINE
bool knhk_get_bool(knhk_view_t view, knhk_key_t key, bool fallback);
#endif

/** The text under a key, NUL-terminated UTF-8, valid until the view ends; {NULL, 0} where there is none. */
#ifdef KNHK_NO_INLINE
knhk_str_t knhk_get_str(knhk_view_t view, knhk_key_t key);
#endif

/** The bytes under a key, valid until the view ends; {NULL, 0} where there are none. */
#ifdef KNHK_NO_INLINE
knhk_bytes_t knhk_get_bytes(knhk_view_t view, knhk_key_t key);
#endif

/** The integer under a key, or `fallback`, and the reason. A declared default comes with KNHK_READ_NOT_READY. */
#ifdef KNHK_NO_INLINE
knhk_try_i64_t knhk_try_get_i64(knhk_view_t view, knhk_key_t key, int64_t fallback);
#endif

/** The double under a key, or `fallback`, and the reason. A declared default comes with KNHK_READ_NOT_READY. */
#ifdef KNHK_NO_INLINE
knhk_try_f64_t knhk_try_get_f64(knhk_view_t view, knhk_key_t key, double fallback);
#endif

/** The boolean under a key, or `fallback`, and the reason. A declared default comes with KNHK_READ_NOT_READY. */
#ifdef KNHK_NO_INLINE
knhk_try_bool_t knhk_try_get_bool(knhk_view_t view, knhk_key_t key, bool fallback);
#endif

/** The text under a key and the reason; as knhk_get_str. */
#ifdef KNHK_NO_INLINE
knhk_try_str_t knhk_try_get_str(knhk_view_t view, knhk_key_t key);
#endif

/** The bytes under a key and the reason; as knhk_get_bytes. */
#ifdef KNHK_NO_INLINE
knhk_try_bytes_t knhk_try_get_bytes(knhk_view_t view, knhk_key_t key);
#endif

/** The list of booleans under a key, a byte of 0 or 1 each, valid until the view ends; {NULL, 0} where there is none. */
#ifdef KNHK_NO_INLINE
knhk_list_bool_t knhk_get_list_bool(knhk_view_t view, knhk_key_t key);
#endif

/** The list of integers under a key, valid until the view ends; {NULL, 0} where there is none. */
#ifdef KNHK_NO_INLINE
knhk_list_i64_t knhk_get_list_i64(knhk_view_t view, knhk_key_t key);
#endif

/** The list of doubles under a key, valid until the view ends; {NULL, 0} where there is none. */
#ifdef KNHK_NO_INLINE
knhk_list_f64_t knhk_get_list_f64(knhk_view_t view, knhk_key_t key);
#endif

/** The list of strings under a key, valid until the view ends: see knhk_list_str_at. `spans` is NULL where there is none. */
#ifdef KNHK_NO_INLINE
knhk_list_spans_t knhk_get_list_str(knhk_view_t view,
                                    knhk_key_t key);
#endif

/** The list of byte strings under a key, valid until the view ends: see knhk_list_bytes_at. `spans` is NULL where there is none. */
#ifdef KNHK_NO_INLINE
knhk_list_spans_t knhk_get_list_bytes(knhk_view_t view,
                                      knhk_key_t key);
#endif

/** A string of a list, NUL-terminated; {NULL, 0} beyond its end. */
#ifdef KNHK_NO_INLINE
knhk_str_t knhk_list_str_at(knhk_list_spans_t list, size_t index);
#endif

/** A byte string of a list; {NULL, 0} beyond its end. */
#ifdef KNHK_NO_INLINE
knhk_bytes_t knhk_list_bytes_at(knhk_list_spans_t list, size_t index);
#endif

/**
 * Whether `value` lies in the range that the document gives the integer under a key; false, and counted, where there is no integer.
 * Where the document gives no range, every value does.
 */
#ifdef KNHK_NO_INLINE
bool knhk_guard_i64(knhk_view_t view,
                    knhk_key_t key,
                    int64_t value);
#endif

/**
 * Whether `value` lies in the range that the document gives the double under a key; false, and counted, where there is no double, and
 * false for a NaN.
 */
#ifdef KNHK_NO_INLINE
bool knhk_guard_f64(knhk_view_t view,
                    knhk_key_t key,
                    double value);
#endif

/**
 * Whether the class under `cls` is the one under `ancestor` or descends from it: one bit. Both are keys of one sector; false, and counted,
 * where one of them is no class.
 */
#ifdef KNHK_NO_INLINE
bool knhk_is_a(knhk_view_t view,
               knhk_key_t cls,
               knhk_key_t ancestor);
#endif

/* ------------------------------------------------------------------------------------------------------------
 * Names known only at run time: found in the view's own index, in two cache misses at most one after the other.
 *
 * Paths and names are `len` bytes at `name`, need no NUL, and NULL is allowed where the length is 0. A view is open. Async-signal-safe. */

/**
 * The key of a path in a sector, such as "venues/XPAR/max_qty"; all zeros, which reads as absent, where the view has no such path.
 *
 * `sector`: its number, from knhk_sector_number. The key is valid for the engine's life, and not interned: a promotion may retype it.
 */
knhk_key_t knhk_find(knhk_view_t view,
                     uint32_t sector,
                     const char *path,
                     size_t len);

/**
 * The key of a name in a map; all zeros, which reads as absent, where there is none.
 *
 * `map`: the key of an object, interned as KNHK_MAP or found. The result is as that of knhk_find.
 */
knhk_key_t knhk_lookup(knhk_view_t view, knhk_key_t map, const char *name, size_t len);

/** The integer under a name in a map, or `fallback`; as knhk_lookup and knhk_get_i64. */
int64_t knhk_lookup_i64(knhk_view_t view, knhk_key_t map, const char *name, size_t len, int64_t fallback);

/** The double under a name in a map, or `fallback`; as knhk_lookup and knhk_get_f64. */
double knhk_lookup_f64(knhk_view_t view, knhk_key_t map, const char *name, size_t len, double fallback);

/** The boolean under a name in a map, or `fallback`; as knhk_lookup and knhk_get_bool. */
bool knhk_lookup_bool(knhk_view_t view, knhk_key_t map, const char *name, size_t len, bool fallback);

/** The text under a name in a map; as knhk_lookup and knhk_get_str. */
knhk_str_t knhk_lookup_str(knhk_view_t view, knhk_key_t map, const char *name, size_t len);

/* ------------------------------------------------------------------------------------------------------------
 * Holds: one generation kept for longer than a view, across blocking calls and between threads. */

/**
 * Holds what an open view sees.
 *
 * `reader`: the one that the view was begun on. `hold`: receives the hold, which the program gives back with knhk_hold_release. The
 * view may end; what was read from it stays valid while the hold is kept. Memory is kept as long, so hold for as long as needed only.
 * Returns KNHK_OK, or KNHK_INVALID_ARGUMENT for a reader of another copy of the library. Only the reader's thread.
 */
knhk_status_t knhk_snapshot_hold(knhk_reader_t *reader,
                                 knhk_view_t view,
                                 knhk_hold_t **hold,
                                 knhk_error_t **err);

/**
 * A view of what is held: any thread may read from it, several at once, while the hold is kept. It is not ended.
 *
 * `view`: receives it. Returns KNHK_OK.
 */
knhk_status_t knhk_hold_view(const knhk_hold_t *hold, knhk_view_t *view, knhk_error_t **err);

/**
 * A second hold of the same generation, to be released by itself.
 *
 * `copy`: receives it. Returns KNHK_OK. Any thread.
 */
knhk_status_t knhk_hold_clone(const knhk_hold_t *hold, knhk_hold_t **copy, knhk_error_t **err);

/** Gives a hold back. NULL does nothing. Works after the engine's close. Any thread; nothing read through it may be used any more. */
void knhk_hold_release(knhk_hold_t *hold);

/* ------------------------------------------------------------------------------------------------------------
 * Observations: what a decision saw and what became of it, appended to the reader's own ring, drained elsewhere.
 *
 * Appending is inline and writes one cache line. It returns false when the ring is full: nothing blocks, the drop is counted
 * (knhk_stats_t.dropped), and the program decides. Only the reader's thread appends, and not in a signal handler. */

/** The value of an observation, after its type. */
typedef union {
    /** KNHK_I64. */
    int64_t as_i64;
    /** KNHK_F64. */
    double as_f64;
    /** KNHK_BOOL, as 0 or 1; and the bits of any other. */
    uint64_t bits;
} knhk_value_t;

/** An observation, as drained. */
typedef struct {
    /** The reader that appended it: see knhk_reader_id. */
    uint64_t reader;
    /** Its number in its reader's ring, from 0, without gaps. */
    uint64_t sequence;
    /** Nanoseconds since the Unix epoch. */
    uint64_t time_ns;
    /** The generation of the view that it was made in. */
    uint64_t epoch;
    /** What was observed. */
    knhk_key_t key;
    /** The value. */
    knhk_value_t value;
    /** The value's type: KNHK_BOOL, KNHK_I64 or KNHK_F64. */
    uint32_t value_type;
    /** KNHK_SUCCESS and so on, or the program's own code from KNHK_OUTCOME_CUSTOM on. */
    uint32_t outcome;
    /** Whom it concerns, or 0. */
    uint64_t subject;
    /** The program's own word. */
    uint64_t detail;
} knhk_observation_t;

/**
 * Appends an observation with all that can be said of it.
 *
 * `view`: the open view that the decision was made in. `type` and `bits`: the value, KNHK_BOOL, KNHK_I64 or KNHK_F64. `subject`: a hash
 * of whom it concerns, or 0. `detail`: the program's own word. `time_ns`: nanoseconds since the Unix epoch.
 * Returns false where the ring is full.
 */
#ifdef KNHK_NO_INLINE
bool knhk_observe(knhk_reader_t *reader,
                  knhk_view_t view,
                  knhk_key_t key,
                  uint32_t type,
                  uint64_t bits,
                  uint32_t outcome,
                  uint64_t subject,
                  uint64_t detail,
                  uint64_t time_ns);
#endif

/** Appends an integer under a key, stamped with the engine's cached clock. Returns false where the ring is full. */
#ifdef KNHK_NO_INLINE
bool knhk_observe_i64(knhk_reader_t *reader, knhk_view_t view, knhk_key_t key, int64_t value, uint32_t outcome);
#endif

/** Appends a double under a key, stamped with the engine's cached clock. Returns false where the ring is full. */
#ifdef KNHK_NO_INLINE
bool knhk_observe_f64(knhk_reader_t *reader, knhk_view_t view, knhk_key_t key, double value, uint32_t outcome);
#endif

/** Appends a boolean under a key, stamped with the engine's cached clock. Returns false where the ring is full. */
#ifdef KNHK_NO_INLINE
bool knhk_observe_bool(knhk_reader_t *reader, knhk_view_t view, knhk_key_t key, bool value, uint32_t outcome);
#endif

/** knhk_observe_i64 with the caller's time: nanoseconds since the Unix epoch. */
#ifdef KNHK_NO_INLINE
bool knhk_observe_i64_at(knhk_reader_t *reader,
                         knhk_view_t view,
                         knhk_key_t key,
                         int64_t value,
                         uint32_t outcome,
                         uint64_t time_ns);
#endif

/** knhk_observe_f64 with the caller's time: nanoseconds since the Unix epoch. */
#ifdef KNHK_NO_INLINE
bool knhk_observe_f64_at(knhk_reader_t *reader,
                         knhk_view_t view,
                         knhk_key_t key,
                         double value,
                         uint32_t outcome,
                         uint64_t time_ns);
#endif

/** knhk_observe_bool with the caller's time: nanoseconds since the Unix epoch. */
#ifdef KNHK_NO_INLINE
bool knhk_observe_bool_at(knhk_reader_t *reader,
                          knhk_view_t view,
                          knhk_key_t key,
                          bool value,
                          uint32_t outcome,
                          uint64_t time_ns);
#endif

/** The engine's cached clock: nanoseconds since the Unix epoch, at most a clock period old, and never going back. */
#ifdef KNHK_NO_INLINE
uint64_t knhk_reader_clock(const knhk_reader_t *reader);
#endif

/**
 * Takes observations out of all readers' rings, each reader's in its order, those of past readers first.
 *
 * `observations`: room for `capacity` of them. `drained`: receives how many were taken; less than `capacity` means that no more were
 * there. One thread drains at a time, another waits for it.
 */
knhk_status_t knhk_observations_drain(knhk_engine_t *engine,
                                      knhk_observation_t *observations,
                                      size_t capacity,
                                      size_t *drained,
                                      knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Changes: told by callback, by a descriptor to poll, or by comparing knhk_change_version. */

/** A promotion or rollback that became current. */
typedef struct {
    /** How much of this struct the library knows. */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** The sector. */
    const char *sector;
    /** Its new version. */
    uint64_t version;
    /** The version whose content came back; 0 if it is no rollback. */
    uint64_t rollback_of;
    /** The generation of all sectors. */
    uint64_t epoch;
    /** When, in nanoseconds since the Unix epoch. */
    uint64_t time_ns;
    /** The content address. */
    uint8_t snapshot_id[32];
    /** Who; "" for nobody in particular. */
    const char *by;
    /** Why; "" for nothing. */
    const char *why;
    /** All of it in one line for people: "orders 7: max_qty 1200 → 1000 (by ops-2: desk asked)". */
    const char *summary;
    /** What changed. */
    const knhk_difference_t *differences;
    /** How many there are. */
    size_t differences_len;
    /** Changes that this subscriber missed before this one, because it fell behind. */
    uint64_t missed;
} knhk_change_t;

/**
 * Whom to tell of changes. Set `struct_size` to sizeof(knhk_change_callback_t).
 *
 * `changed` is called on the engine's warm thread, one change after the other; it may call the engine back, also to unsubscribe and to
 * promote. While it blocks, later changes wait, and no reader does. It must not throw, and not end the thread.
 */
typedef struct {
    /** sizeof(knhk_change_callback_t). */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** Passed to the functions. */
    void *ctx;
    /** Called with each change, which is valid during the call. */
    void (*changed)(void *ctx, const knhk_change_t *change);
    /**
     * NULL, or called exactly once, when `changed` will not be called any more: also when the registration fails, unless
     * `struct_size` is one that the library does not know. On any thread.
     */
    void (*destroy)(void *ctx);
} knhk_change_callback_t;

/**
 * Calls a callback for every change from now on, in order.
 *
 * `subscription`: receives a number for knhk_unsubscribe. A subscriber that falls behind by more than 256 changes misses the oldest ones;
 * the next one it gets says how many.
 * Returns KNHK_OK; KNHK_STRUCT_SIZE; KNHK_NULL_ARGUMENT also where `changed` is NULL.
 */
knhk_status_t knhk_subscribe(knhk_engine_t *engine,
                             const knhk_change_callback_t *callback,
                             uint64_t *subscription,
                             knhk_error_t **err);

/**
 * Ends a subscription. When this returns on another thread than the callback's, `changed` is not running and `destroy` was called.
 *
 * Returns KNHK_OK, or KNHK_NOT_FOUND when there is no such subscription any more.
 */
knhk_status_t knhk_unsubscribe(knhk_engine_t *engine,
                               uint64_t subscription,
                               knhk_error_t **err);

/**
 * A descriptor to poll: it becomes readable when something changed.
 *
 * `fd`: receives an eventfd that belongs to the engine: do not close it. Read 8 bytes from it to arm it again, then ask
 * knhk_changes_since. Valid until the engine is closed.
 * Returns KNHK_OK, or KNHK_SYSTEM when the process has no descriptors left.
 */
knhk_status_t knhk_change_fd(knhk_engine_t *engine, int *fd, knhk_error_t **err);

/**
 * Lists the changes after a generation, oldest first; the engine remembers the last 256.
 *
 * `epoch`: that of the last change you know of, or 0. `changes`: receives the list, which the program frees with knhk_changes_free.
 */
knhk_status_t knhk_changes_since(const knhk_engine_t *engine,
                                 uint64_t epoch,
                                 knhk_change_list_t **changes,
                                 knhk_error_t **err);

/** How many changes a list has; 0 for NULL. Any thread. */
size_t knhk_changes_len(const knhk_change_list_t *changes);

/** A change of a list; NULL beyond its end. Valid until the list is freed. Any thread. */
const knhk_change_t *knhk_changes_at(const knhk_change_list_t *changes, size_t index);

/** Frees a list of changes. NULL does nothing. Any thread; its items may not be used any more. */
void knhk_changes_free(knhk_change_list_t *changes);

/* ------------------------------------------------------------------------------------------------------------
 * The log: what the engine reports of itself. */

/** For whoever debugs the engine. */
#define KNHK_LOG_DEBUG 0

/** What happened. */
#define KNHK_LOG_INFO 1

/** What someone should look at. */
#define KNHK_LOG_WARNING 2

/** What did not work. */
#define KNHK_LOG_ERROR 3

/**
 * Where log lines go. Set `struct_size` to sizeof(knhk_log_callback_t).
 *
 * `line` is called on the engine's warm thread, one line after the other; it may call the engine back. It must not throw, and not end the
 * thread.
 */
typedef struct {
    /** sizeof(knhk_log_callback_t). */
    uint32_t struct_size;
    /** Lines below this are left out: KNHK_LOG_DEBUG and so on. */
    uint32_t level;
    /** Passed to the functions. */
    void *ctx;
    /** Called with each line: its level, the part of the engine it is from, and the message, valid during the call. */
    void (*line)(void *ctx, uint32_t level, const char *part, const char *message);
    /**
     * NULL, or called exactly once, when `line` will not be called any more: also when the registration fails, unless `struct_size` is one
     * that the library does not know. On any thread.
     */
    void (*destroy)(void *ctx);
} knhk_log_callback_t;

/**
 * Sends the engine's log lines to a callback, in place of the one before.
 *
 * `callback`: NULL sends them to nobody.
 * Returns KNHK_OK; KNHK_STRUCT_SIZE; KNHK_NULL_ARGUMENT also where `line` is NULL.
 */
knhk_status_t knhk_log_set(knhk_engine_t *engine, const knhk_log_callback_t *callback, knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Figures of an engine since it was opened. */

/** Figures, as of one moment. Set `struct_size` to sizeof(knhk_stats_t) before the call. */
typedef struct {
    /** sizeof(knhk_stats_t); on return, how much of this struct the library knows. */
    uint32_t struct_size;
    /** 1 where readers fence for themselves, else 0. */
    uint32_t fence_mode;
    /** Sectors. */
    uint64_t sectors;
    /** Promotions that became current, rollbacks included. */
    uint64_t promotions;
    /** Promotions and rollbacks that were refused. */
    uint64_t refused;
    /** Changes that subscribers missed because they fell behind. */
    uint64_t missed_changes;
    /** The newest generation. */
    uint64_t epoch;
    /** Readers registered. */
    uint64_t readers;
    /** Readers whose thread ended without unregistering them. */
    uint64_t reaped;
    /** Generations retired and not yet freed. */
    uint64_t retained_roots;
    /** Bytes that only those keep. */
    uint64_t retained_bytes;
    /** Reads that found nothing of their type. */
    uint64_t cold_reads;
    /** Observations drained. */
    uint64_t observed;
    /** Observations refused because a ring was full. */
    uint64_t dropped;
    /** Heavy barriers issued. */
    uint64_t reclaim_batches;
    /** Generations freed. */
    uint64_t reclaimed_roots;
    /** Bytes of the pool of roots. */
    uint64_t pool_bytes;
    /** Stored versions that were damaged and passed over when the engine was opened. */
    uint64_t damaged_versions;
} knhk_stats_t;

/**
 * Tells the figures of an engine.
 *
 * `stats`: receives them. Returns KNHK_OK or KNHK_STRUCT_SIZE.
 */
knhk_status_t knhk_stats(const knhk_engine_t *engine, knhk_stats_t *stats, knhk_error_t **err);

/**
 * Tells what an operation of the hot path took, or the mean of a batch of them. While the mean of what was told is beyond
 * `hot_budget_ns` of the engine's options, its own work but the most urgent waits, and so do executors that were made known with
 * knhk_engine_add_executor and have no `hot` of their own; for 10 ms after the latest report at most. A few loads and stores; a report in a
 * thousand operations is enough.
 *
 * `took_ns`: in nanoseconds. Returns KNHK_OK. Any thread.
 */
knhk_status_t knhk_hot_report(const knhk_engine_t *engine,
                              uint64_t took_ns,
                              knhk_error_t **err);

/**
 * Tells the mean of what knhk_hot_report was told, the latest weighing an eighth.
 *
 * `mean_ns`: receives it, in nanoseconds; 0 where nothing was told. Returns KNHK_OK. Any thread.
 */
knhk_status_t knhk_hot_mean(const knhk_engine_t *engine, uint64_t *mean_ns, knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Progress: how far something long is, and a way to stop it. */

/** How far something is. What does not apply is 0. */
typedef struct {
    /** How much of this struct the library knows. */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** Receipts verified, or pages of the store copied. */
    uint64_t done;
    /** How many there are, as far as known now. */
    uint64_t total;
    /** Observations verified. */
    uint64_t observations;
    /** Versions verified. */
    uint64_t versions;
} knhk_progress_t;

/**
 * Who hears how far something is. Set `struct_size` to sizeof(knhk_progress_callback_t).
 *
 * `progress` is called on the thread that called, during the call; it must not throw, and not end the thread.
 */
typedef struct {
    /** sizeof(knhk_progress_callback_t). */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** Passed to the functions. */
    void *ctx;
    /** Called now and then; `now` is valid during the call. Returning anything but 0 stops the operation: KNHK_TIMEOUT. */
    int32_t (*progress)(void *ctx, const knhk_progress_t *now);
    /** NULL, or called exactly once before the call returns, unless `struct_size` is one that the library does not know. */
    void (*destroy)(void *ctx);
} knhk_progress_callback_t;

/* ------------------------------------------------------------------------------------------------------------
 * Receipts: what happened, signed, in a log that a stranger can verify. An engine on a folder has one, and an engine in memory that was
 * given a signer. */

/** The newest receipts first. */
#define KNHK_NEWEST_FIRST 1

/** Which receipts. Set `struct_size` to sizeof(knhk_receipt_query_t) and what does not matter to 0. */
typedef struct {
    /** sizeof(knhk_receipt_query_t). */
    uint32_t struct_size;
    /** KNHK_NEWEST_FIRST, or 0. */
    uint32_t flags;
    /** The first number. */
    uint64_t from;
    /** One beyond the last number; 0 for no end. */
    uint64_t to;
    /** Only those about this sector; NULL for all. */
    const char *sector;
    /** Only those of this kind, such as "snapshot promoted"; NULL for all. */
    const char *kind;
    /** How many at most; 0 for 1,000. */
    uint64_t limit;
} knhk_receipt_query_t;

/** A receipt: a signed statement of one operation, at its place in the log. */
typedef struct {
    /** How much of this struct the library knows. */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** Its place in the log, from 0. */
    uint64_t number;
    /** When, in nanoseconds since the Unix epoch. */
    uint64_t time_ns;
    /** Its id, which sorts by time. */
    const char *id;
    /** The sector that it is about; NULL for the engine. */
    const char *sector;
    /** What happened, such as "snapshot promoted". */
    const char *kind;
    /** How it ended: "approved", "rejected", "pending". */
    const char *outcome;
    /** What it states, field by field, as a JSON object; bytes as hexadecimal digits. */
    const char *evidence;
    /** Ids of receipts of other sectors that belong to the same operation. */
    const char *const *links;
    /** How many there are. */
    size_t links_len;
    /** The statement as it was signed (COSE_Sign1, RFC 9052). */
    const uint8_t *statement;
    /** Its bytes. */
    size_t statement_len;
    /** Its leaf of the Merkle log: SHA-256(0x00 || statement). */
    uint8_t leaf[32];
} knhk_receipt_t;

/**
 * Lists receipts in order.
 *
 * `query`: NULL for the first 1,000. `receipts`: receives the list, which the program frees with knhk_receipts_free.
 * Returns KNHK_OK; KNHK_STRUCT_SIZE; KNHK_NOT_FOUND for an engine without a log; KNHK_IO.
 */
knhk_status_t knhk_receipts(const knhk_engine_t *engine,
                            const knhk_receipt_query_t *query,
                            knhk_receipt_list_t **receipts,
                            knhk_error_t **err);

/**
 * Finds a receipt.
 *
 * `id_or_number`: its id, or its place in the log in decimal digits. `receipt`: receives a list of it alone, as knhk_receipts.
 * Returns what knhk_receipts returns; KNHK_NOT_FOUND also where there is no such receipt.
 */
knhk_status_t knhk_receipt(const knhk_engine_t *engine,
                           const char *id_or_number,
                           knhk_receipt_list_t **receipt,
                           knhk_error_t **err);

/** How many receipts a list has; 0 for NULL. Any thread. */
size_t knhk_receipts_len(const knhk_receipt_list_t *receipts);

/** A receipt of a list; NULL beyond its end. Valid until the list is freed. Any thread. */
const knhk_receipt_t *knhk_receipts_at(const knhk_receipt_list_t *receipts, size_t index);

/** Frees a list of receipts. NULL does nothing. Any thread; its items may not be used any more. */
void knhk_receipts_free(knhk_receipt_list_t *receipts);

/**
 * Proves that a receipt is in the log as it is now.
 *
 * `id_or_number`: as knhk_receipt. `proof`: receives a COSE receipt of inclusion (RFC 9942, RFC9162_SHA256), which stock libraries verify;
 * the program frees it with knhk_buffer_free.
 * Returns KNHK_OK; KNHK_NOT_FOUND; KNHK_SIGNING; KNHK_IO, also for a read-only engine.
 */
knhk_status_t knhk_prove_receipt(const knhk_engine_t *engine,
                                 const char *id_or_number,
                                 knhk_buffer_t **proof,
                                 knhk_error_t **err);

/**
 * Proves that the log as it is now begins with its first `earlier` receipts as they were then.
 *
 * `proof`: receives a COSE receipt of consistency, as knhk_prove_receipt.
 * Returns what knhk_prove_receipt returns; KNHK_INVALID_ARGUMENT for a size that the log never had.
 */
knhk_status_t knhk_prove_consistency(const knhk_engine_t *engine,
                                     uint64_t earlier,
                                     knhk_buffer_t **proof,
                                     knhk_error_t **err);

/**
 * Signs the log's state as it is now. Whoever holds what is returned, elsewhere, finds a log that was cut off or forked since.
 *
 * `note`: receives a note (C2SP tlog-checkpoint) as text; the program frees it with knhk_buffer_free.
 * Returns what knhk_prove_receipt returns.
 */
knhk_status_t knhk_checkpoint(const knhk_engine_t *engine,
                              knhk_buffer_t **note,
                              knhk_error_t **err);

/**
 * The log's name and first key, for whoever verifies its receipts.
 *
 * `root`: receives it as text; the program frees it with knhk_buffer_free.
 * Returns KNHK_OK, or KNHK_NOT_FOUND for an engine without a log.
 */
knhk_status_t knhk_trust_root(const knhk_engine_t *engine, knhk_buffer_t **root, knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Verification: that nothing was changed, reordered, taken out or cut off, and that every version is what its receipt says. */

/** Leaves out the observations themselves; the receipts of their batches are verified all the same. */
#define KNHK_WITHOUT_OBSERVATIONS 1

/** What to verify. Set `struct_size` to sizeof(knhk_verify_options_t). */
typedef struct {
    /** sizeof(knhk_verify_options_t). */
    uint32_t struct_size;
    /** KNHK_WITHOUT_OBSERVATIONS, or 0. */
    uint32_t flags;
    /** A note of knhk_checkpoint that the program held; NULL for none. */
    const char *checkpoint;
} knhk_verify_options_t;

/** A log and a history that are whole. Set `struct_size` to sizeof(knhk_verified_t) before the call. */
typedef struct {
    /** sizeof(knhk_verified_t); on return, how much of this struct the library knows. */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** Receipts. */
    uint64_t receipts;
    /** Keys that signed them. */
    uint64_t keys;
    /** Checkpoints that were stored. */
    uint64_t checkpoints;
    /** Observations whose hashes lead to the roots that were signed. */
    uint64_t observations;
    /** Observations that retention dropped; their batches' receipts are there. */
    uint64_t dropped;
    /** Versions whose receipts state them and whose content has its address. */
    uint64_t versions;
    /** Different snapshots among them. */
    uint64_t snapshots;
    /** The first receipt's time, in nanoseconds since the Unix epoch. */
    uint64_t first_ns;
    /** The last receipt's time. */
    uint64_t last_ns;
    /** The Merkle root over all receipts. */
    uint8_t root[32];
    /** Versions among them that were made with another core ontology than this library's: they are as they were signed. */
    uint64_t other_core;
} knhk_verified_t;

/**
 * Verifies everything up to now, while the engine goes on: every receipt with its place and signature, the keys, the log's hashes and
 * checkpoints, the observations that are held, and every version that is kept with its receipt and its content.
 *
 * `options`: NULL for everything. `progress`: NULL, or taken over as its comment says. `verified`: NULL, or receives what was found whole.
 * Returns KNHK_OK; KNHK_TAMPERED with the first finding; KNHK_CORRUPT; KNHK_UNPROVEN for a checkpoint that is not this log's;
 * KNHK_TIMEOUT where `progress` stopped it; KNHK_NOT_FOUND for an engine without a log; KNHK_STRUCT_SIZE. Blocks the calling thread.
 */
knhk_status_t knhk_verify(const knhk_engine_t *engine,
                          const knhk_verify_options_t *options,
                          const knhk_progress_callback_t *progress,
                          knhk_verified_t *verified,
                          knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Signing keys: those that sign or signed, and having another one sign. */

/** A key that signs, or signed (Ed25519). */
typedef struct {
    /** How much of this struct the library knows. */
    uint32_t struct_size;
    /** 1 if it signs now. */
    uint32_t current;
    /** Which key, from 0: the first one is the trust root's, each other one took over from the one before. */
    uint64_t number;
    /** The first receipt that it may sign. */
    uint64_t from_receipt;
    /** Since when, in nanoseconds since the Unix epoch. */
    uint64_t time_ns;
    /** What statements name it by: the first 8 bytes of its SHA-256. */
    uint8_t id[8];
    /** The public key. */
    uint8_t key[32];
} knhk_signing_key_t;

/**
 * Lists the keys that sign or signed, in order.
 *
 * `keys`: receives the list, which the program frees with knhk_signing_keys_free.
 * Returns KNHK_OK; KNHK_NOT_FOUND for an engine without a log; KNHK_IO.
 */
knhk_status_t knhk_signing_keys(const knhk_engine_t *engine, knhk_signing_key_list_t **keys, knhk_error_t **err);

/** How many keys a list has; 0 for NULL. Any thread. */
size_t knhk_signing_keys_len(const knhk_signing_key_list_t *keys);

/** A key of a list; NULL beyond its end. Valid until the list is freed. Any thread. */
const knhk_signing_key_t *knhk_signing_keys_at(const knhk_signing_key_list_t *keys, size_t index);

/** Frees a list of keys. NULL does nothing. Any thread; its items may not be used any more. */
void knhk_signing_keys_free(knhk_signing_key_list_t *keys);

/**
 * Has another key sign from here on. The receipt of it is signed by both.
 *
 * `signer`: NULL makes a new key in the folder, in place of the old one, whose secret is removed. With a signer the program keeps the
 * secret and gives the signer at each open; the folder's key is removed. `receipt`: NULL, or receives the receipt as knhk_receipt.
 * Returns KNHK_OK; KNHK_SIGNING when one of the keys does not sign; KNHK_INVALID_ARGUMENT for a key that was the log's before, and for
 * an engine in memory without `signer`; KNHK_IO. The old key goes on then.
 */
knhk_status_t knhk_rotate_key(knhk_engine_t *engine,
                              const knhk_signer_t *signer,
                              knhk_receipt_list_t **receipt,
                              knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Versions: the log of a sector, names for versions, and one way to refer to one: `12`, `current`, `~3` (3 before the current one), a
 * tag, 6 or more hexadecimal digits of a content address, a moment (`2026-11-01T09:00:00Z`, or the date alone), `@2h` (two hours ago). */

/** A version, as the log tells it. */
typedef struct {
    /** How much of this struct the library knows. */
    uint32_t struct_size;
    /** 1 if its content is still kept; its receipt is in any case. */
    uint32_t retained;
    /** Its number. */
    uint64_t version;
    /** The version whose content it brought back; 0 if it is no rollback. */
    uint64_t rollback_of;
    /** The generation of all sectors in which it became current. */
    uint64_t epoch;
    /** When, in nanoseconds since the Unix epoch. */
    uint64_t time_ns;
    /** The content address. */
    uint8_t snapshot_id[32];
    /** Who; "" for nobody in particular. */
    const char *by;
    /** Why; "" for nothing. */
    const char *why;
    /** The id of its receipt; NULL where there is none. */
    const char *receipt;
    /** The versions that it came from; none also where it is no longer kept. */
    const uint64_t *parents;
    /** How many there are. */
    size_t parents_len;
    /** Its tags, sorted. */
    const char *const *tags;
    /** How many there are. */
    size_t tags_len;
    /** 1 if it was declared incompatible with the one before. */
    uint32_t major;
    /** 0. */
    uint32_t reserved;
} knhk_log_entry_t;

/** A name for a version. */
typedef struct {
    /** How much of this struct the library knows. */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** The version. */
    uint64_t version;
    /** When it was set, in nanoseconds since the Unix epoch. */
    uint64_t time_ns;
    /** The name. */
    const char *name;
    /** Who set it; "" for nobody in particular. */
    const char *by;
} knhk_tag_t;

/**
 * Lists the versions of a sector, newest first, also those that are no longer kept.
 *
 * `before`: only versions with a smaller number; 0 for all. `limit`: how many at most; 0 for 100. `log`: receives the list, which the
 * program frees with knhk_version_log_free.
 * Returns KNHK_OK; KNHK_NOT_FOUND; KNHK_IO.
 */
knhk_status_t knhk_version_log(const knhk_engine_t *engine,
                               const char *sector,
                               uint64_t before,
                               uint64_t limit,
                               knhk_version_log_list_t **log,
                               knhk_error_t **err);

/** How many versions a log has; 0 for NULL. Any thread. */
size_t knhk_version_log_len(const knhk_version_log_list_t *log);

/** A version of a log; NULL beyond its end. Valid until the log is freed. Any thread. */
const knhk_log_entry_t *knhk_version_log_at(const knhk_version_log_list_t *log, size_t index);

/** Frees a log of versions. NULL does nothing. Any thread; its items may not be used any more. */
void knhk_version_log_free(knhk_version_log_list_t *log);

/**
 * Finds the version that a reference means.
 *
 * `reference`: as at the beginning of this section. `version`: receives its number, for knhk_sector_export, knhk_sector_diff,
 * knhk_rollback and so on.
 * Returns KNHK_OK; KNHK_NOT_FOUND; KNHK_INVALID_ARGUMENT for what is no reference, and for one that may mean several, which the
 * message lists.
 */
knhk_status_t knhk_resolve(const knhk_engine_t *engine,
                           const char *sector,
                           const char *reference,
                           uint64_t *version,
                           knhk_error_t **err);

/**
 * Holds all sectors as they were when a version became current, or at a moment.
 *
 * `sector`, `reference`: which version of which sector; for a moment the sector's name does not matter, but it must be there. `hold`:
 * receives the hold, which the program gives back with knhk_hold_release. Its view (knhk_hold_view) reads as any other does, on any thread.
 * Returns what knhk_resolve returns; KNHK_NOT_FOUND also where what was current then is no longer kept, and for an engine without a store;
 * KNHK_CORRUPT.
 */
knhk_status_t knhk_as_of(const knhk_engine_t *engine,
                         const char *sector,
                         const char *reference,
                         knhk_hold_t **hold,
                         knhk_error_t **err);

/**
 * Holds all sectors as they were at a moment.
 *
 * `time_ns`: in nanoseconds since the Unix epoch. `hold`: as knhk_as_of. Returns what knhk_as_of returns.
 */
knhk_status_t knhk_as_of_moment(const knhk_engine_t *engine, uint64_t time_ns, knhk_hold_t **hold, knhk_error_t **err);

/**
 * Sets a tag, and moves it if it is there.
 *
 * `name`: 1 to 64 characters of letters, digits, `.`, `_`, `-` and `/`, beginning with a letter, and nothing else that a reference can
 * be. `reference`: which version. `by`: who; NULL for nobody in particular. `version`: NULL, or receives the version's number.
 * Returns what knhk_resolve returns; KNHK_NOT_FOUND also for an engine without a store; KNHK_IO; KNHK_SIGNING.
 */
knhk_status_t knhk_tag(knhk_engine_t *engine,
                       const char *sector,
                       const char *name,
                       const char *reference,
                       const char *by,
                       uint64_t *version,
                       knhk_error_t **err);

/**
 * Removes a tag; the version stays.
 *
 * `by`: as knhk_tag. Returns KNHK_OK; KNHK_NOT_FOUND; KNHK_IO; KNHK_SIGNING.
 */
knhk_status_t knhk_untag(knhk_engine_t *engine,
                         const char *sector,
                         const char *name,
                         const char *by,
                         knhk_error_t **err);

/**
 * Lists a sector's tags by name.
 *
 * `tags`: receives the list, which the program frees with knhk_tags_free. Returns KNHK_OK; KNHK_NOT_FOUND; KNHK_IO.
 */
knhk_status_t knhk_tags(const knhk_engine_t *engine, const char *sector, knhk_tag_list_t **tags, knhk_error_t **err);

/** How many tags a list has; 0 for NULL. Any thread. */
size_t knhk_tags_len(const knhk_tag_list_t *tags);

/** A tag of a list; NULL beyond its end. Valid until the list is freed. Any thread. */
const knhk_tag_t *knhk_tags_at(const knhk_tag_list_t *tags, size_t index);

/** Frees a list of tags. NULL does nothing. Any thread; its items may not be used any more. */
void knhk_tags_free(knhk_tag_list_t *tags);

/**
 * Removes now what the options `retain_versions` and `retain_age_ns` do not keep. The current versions and tagged ones stay, and every
 * receipt.
 *
 * `removed`: NULL, or receives how many versions went.
 * Returns KNHK_OK; KNHK_NOT_FOUND for an engine without a store; KNHK_IO; KNHK_SIGNING.
 */
knhk_status_t knhk_prune(knhk_engine_t *engine,
                         uint64_t *removed,
                         knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Backup: a consistent copy of an engine's folder while changes go on, and a folder made of one. */

/** What a restore trusts. Set `struct_size` to sizeof(knhk_restore_options_t). */
typedef struct {
    /** sizeof(knhk_restore_options_t). */
    uint32_t struct_size;
    /** 0. */
    uint32_t flags;
    /** The trust root that the backup's log must begin at; NULL believes the one that it states. */
    const char *trust_root;
    /** A note of knhk_checkpoint that the program held: finds a backup that is older, or forked. NULL for none. */
    const char *checkpoint;
} knhk_restore_options_t;

/**
 * Writes a copy of an engine's store as of now to a new file. The signing key is not in it: keep a copy of that elsewhere.
 *
 * `path`: a file that is not there. `progress`: NULL, or taken over as its comment says; it counts pages of the store.
 * Returns KNHK_OK; KNHK_ALREADY_EXISTS; KNHK_IO; KNHK_TIMEOUT where `progress` stopped it; KNHK_NOT_FOUND for an engine without a store;
 * KNHK_INVALID_ARGUMENT for one in memory. There is no file then. Blocks the calling thread, and no change.
 */
knhk_status_t knhk_backup(const knhk_engine_t *engine,
                          const char *path,
                          const knhk_progress_callback_t *progress,
                          knhk_error_t **err);

/**
 * Makes a folder of a backup: every receipt, every version and every page of it is verified first, and it gets its place only then.
 *
 * `path`: what knhk_backup wrote. `folder`: made where it does not exist; it must have no store. The signing key is put into it, or handed
 * in at open. `options`: NULL for the defaults. `progress`: NULL, or taken over as its comment says. `verified`: NULL, or receives what
 * was found whole.
 * Returns KNHK_OK; KNHK_ALREADY_EXISTS; KNHK_NOT_FOUND; KNHK_TAMPERED or KNHK_CORRUPT with the first finding; KNHK_UNPROVEN for a
 * checkpoint that is not this log's; KNHK_TIMEOUT where `progress` stopped it; KNHK_IO. The folder has no store then. Any thread, which is
 * blocked.
 */
knhk_status_t knhk_restore(const char *path,
                           const char *folder,
                           const knhk_restore_options_t *options,
                           const knhk_progress_callback_t *progress,
                           knhk_verified_t *verified,
                           knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Observations that the engine takes out of the rings by itself, where the option `observations` asks for it: what they add up to, how
 * service level objectives stand, and each one kept under a receipt. */

/** The objective holds. */
#define KNHK_MET 1

/** The objective is broken. */
#define KNHK_BROKEN 2

/** How many observations, and how they ended. */
typedef struct {
    /** All of them. */
    uint64_t count;
    /** By KNHK_UNSPECIFIED, KNHK_SUCCESS, KNHK_REJECTED, KNHK_FAILED, KNHK_TIMED_OUT. */
    uint64_t outcomes[5];
    /** Those with a code of the program's own. */
    uint64_t own;
    /** Those whose value is not of the type or range that the ontology declares. */
    uint64_t mismatched;
} knhk_counts_t;

/** What a window's observations add up to. NaN where there is no data. */
typedef struct {
    /** Seconds that they are over: the window, or less while it is not full. */
    double seconds;
    /** How many. */
    knhk_counts_t counts;
    /** Observations a second. */
    double rate;
    /** The share of those whose outcome is not success, in %. */
    double failure_share;
    /** The values' sum. */
    double sum;
    /** Their mean. */
    double mean;
    /** The smallest. */
    double min;
    /** The largest. */
    double max;
    /** The median; quantiles are within 1 %. */
    double p50;
    /** The 90th percentile. */
    double p90;
    /** The 99th percentile. */
    double p99;
    /** The 99.9th percentile. */
    double p999;
} knhk_figures_t;

/** What the observations under a key, of a kind, add up to. */
typedef struct {
    /** How much of this struct the library knows. */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** The key's path; NULL for what came beyond the limit of series, which is added up together. */
    const char *key;
    /** The kind, where the ontology declares one; else NULL. */
    const char *kind;
    /** What the values are counted in, where it says so; else NULL. */
    const char *unit;
    /** The window that ends now. */
    knhk_figures_t window;
    /** Since the engine was opened. */
    knhk_counts_t total;
} knhk_series_t;

/** How a service level objective stands. */
typedef struct {
    /** How much of this struct the library knows. */
    uint32_t struct_size;
    /** KNHK_MET, KNHK_BROKEN, or 0 where there is no data or no limit. */
    uint32_t state;
    /** Its name in the sector. */
    const char *name;
    /** The kind that it is about. */
    const char *kind;
    /** What is computed: "failure_share", "p99" and so on. */
    const char *aggregate;
    /** The parameter that is the limit. */
    const char *parameter;
    /** "at most" or "at least", as the ontology names it. */
    const char *bound;
    /** The window, in seconds. */
    uint32_t window_s;
    /** 0. */
    uint32_t reserved;
    /** The limit as it is now; NaN for none. */
    double limit;
    /** The value now; NaN for none. */
    double value;
    /** How much of what is allowed is used up: above 1 the objective is broken; NaN for none. */
    double burn;
    /** All figures of the kind in the objective's window. */
    knhk_figures_t figures;
} knhk_objective_t;

/** Figures of what drains the rings, since the engine was opened. Set `struct_size` to sizeof(knhk_observe_stats_t) before the call. */
typedef struct {
    /** sizeof(knhk_observe_stats_t); on return, how much of this struct the library knows. */
    uint32_t struct_size;
    /** 1 while observations cannot be stored. */
    uint32_t failing;
    /** Observations taken out of the rings. */
    uint64_t drained;
    /** Observations that are durable under a receipt. */
    uint64_t persisted;
    /** Observations that were refused, as receipts state it. */
    uint64_t refused;
    /** Of those, the ones that belong to no sector. */
    uint64_t unattributed;
    /** Observations that could not be stored until the end. */
    uint64_t lost;
    /** Segments that are durable under a receipt. */
    uint64_t segments;
    /** Bytes of their content as it was stored. */
    uint64_t stored_bytes;
    /** Segments whose observations retention dropped. */
    uint64_t pruned;
    /** Bytes of observations that are held, 64 each. */
    uint64_t held_bytes;
} knhk_observe_stats_t;

/**
 * Tells what a sector's observations add up to, by key and kind.
 *
 * `aggregates`: receives the list, which the program frees with knhk_aggregates_free.
 * Returns KNHK_OK; KNHK_NOT_FOUND; KNHK_NOT_READY for an engine that was opened without the option `observations`.
 */
knhk_status_t knhk_aggregates(const knhk_engine_t *engine,
                              const char *sector,
                              knhk_series_list_t **aggregates,
                              knhk_error_t **err);

/** How many aggregates a list has; 0 for NULL. Any thread. */
size_t knhk_aggregates_len(const knhk_series_list_t *aggregates);

/** An aggregate of a list; NULL beyond its end. Valid until the list is freed. Any thread. */
const knhk_series_t *knhk_aggregates_at(const knhk_series_list_t *aggregates, size_t index);

/** Frees a list of aggregates. NULL does nothing. Any thread; its items may not be used any more. */
void knhk_aggregates_free(knhk_series_list_t *aggregates);

/**
 * Tells how a sector's service level objectives stand.
 *
 * `objectives`: receives the list, which the program frees with knhk_objectives_free. Returns what knhk_aggregates returns.
 */
knhk_status_t knhk_objectives(const knhk_engine_t *engine,
                              const char *sector,
                              knhk_objective_list_t **objectives,
                              knhk_error_t **err);

/** How many objectives a list has; 0 for NULL. Any thread. */
size_t knhk_objectives_len(const knhk_objective_list_t *objectives);

/** An objective of a list; NULL beyond its end. Valid until the list is freed. Any thread. */
const knhk_objective_t *knhk_objectives_at(const knhk_objective_list_t *objectives, size_t index);

/** Frees a list of objectives. NULL does nothing. Any thread; its items may not be used any more. */
void knhk_objectives_free(knhk_objective_list_t *objectives);

/**
 * Waits until what the rings hold now is durable under receipts: what was accepted before is not lost in a crash.
 *
 * Returns KNHK_OK; KNHK_NOT_READY as knhk_aggregates; KNHK_IO where it cannot be stored now: it is kept, and tried again.
 */
knhk_status_t knhk_observations_flush(knhk_engine_t *engine,
                                      knhk_error_t **err);

/**
 * Tells the figures of what drains the rings.
 *
 * `stats`: receives them. Returns KNHK_OK; KNHK_STRUCT_SIZE; KNHK_NOT_READY as knhk_aggregates.
 */
knhk_status_t knhk_observe_stats(const knhk_engine_t *engine, knhk_observe_stats_t *stats, knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Segments: observations that were kept under a receipt each batch, and the proof of a single one. */

/** A batch of observations of one sector that became durable under one receipt. */
typedef struct {
    /** How much of this struct the library knows. */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** Its number, from 0. */
    uint64_t number;
    /** The sector. */
    const char *sector;
    /** The earliest observation's time, in nanoseconds since the Unix epoch. */
    uint64_t first_ns;
    /** The latest observation's time. */
    uint64_t last_ns;
    /** How many observations. */
    uint64_t count;
    /** The number of its receipt; UINT64_MAX where it has none yet. */
    uint64_t receipt;
    /** The Merkle root over them (RFC 9162), which the receipt states. */
    uint8_t root[32];
} knhk_segment_t;

/**
 * Lists segments in order.
 *
 * `sector`: NULL for all. `from`: the first number. `limit`: how many at most; 0 for 1,000. `segments`: receives the list, which the
 * program frees with knhk_segments_free.
 * Returns KNHK_OK; KNHK_NOT_FOUND for an engine without a log; KNHK_IO.
 */
knhk_status_t knhk_segments(const knhk_engine_t *engine,
                            const char *sector,
                            uint64_t from,
                            uint64_t limit,
                            knhk_segment_list_t **segments,
                            knhk_error_t **err);

/** How many segments a list has; 0 for NULL. Any thread. */
size_t knhk_segments_len(const knhk_segment_list_t *segments);

/** A segment of a list; NULL beyond its end. Valid until the list is freed. Any thread. */
const knhk_segment_t *knhk_segments_at(const knhk_segment_list_t *segments, size_t index);

/** Frees a list of segments. NULL does nothing. Any thread; its items may not be used any more. */
void knhk_segments_free(knhk_segment_list_t *segments);

/**
 * Proves that an observation was ingested.
 *
 * `segment`, `index`: which one. `record`: receives its 64 bytes as they were signed. `proof`: receives the batch's statement, the
 * observation's place in it and the path to its root (CBOR). The program frees both with knhk_buffer_free.
 * Returns KNHK_OK; KNHK_NOT_FOUND also where retention dropped it; KNHK_CORRUPT.
 */
knhk_status_t knhk_prove_observation(const knhk_engine_t *engine,
                                     uint64_t segment,
                                     uint64_t index,
                                     knhk_buffer_t **record,
                                     knhk_buffer_t **proof,
                                     knhk_error_t **err);

/**
 * Checks that an observation was ingested by this engine's log.
 *
 * `record`: `record_len` bytes. `proof`: `proof_len` bytes; both as knhk_prove_observation made them.
 * Returns KNHK_OK; KNHK_UNPROVEN where the proof does not show it; KNHK_INVALID_ARGUMENT for what is no proof.
 */
knhk_status_t knhk_verify_observation(const knhk_engine_t *engine,
                                      const uint8_t *record,
                                      size_t record_len,
                                      const uint8_t *proof,
                                      size_t proof_len,
                                      knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Scopes: what the policies of a program share.
 *
 * Resilience needs no engine. A scope holds a clock, counters, and whoever listens to transitions; a policy is made in a scope. All calls
 * on scopes and policies may be made from any thread at any time; freeing one must be the last call on it. */

/** The system's monotonic clock: exact, and a look costs about 25 ns. */
#define KNHK_CLOCK_SYSTEM 0

/** A thread sets it to the system's clock every millisecond: a look costs a nanosecond. */
#define KNHK_CLOCK_CACHED 1

/** Stands still until knhk_scope_advance: for tests. */
#define KNHK_CLOCK_MANUAL 2

/** A transition of a policy. */
typedef struct {
    /** How much of this struct the library knows. */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** The policy's name. */
    const char *policy;
    /** "breaker", "degradation", "recovery", "health" (of a component), "system" or "checkpoint". */
    const char *kind;
    /** The state before, in words. */
    const char *from;
    /** The state now, in words. */
    const char *to;
    /** All of it in one line for people, with what made it change. */
    const char *text;
    /** When, by the scope's clock. */
    uint64_t time_ns;
    /** Transitions that this listener missed so far because it fell behind. */
    uint64_t missed;
} knhk_transition_t;

/**
 * Whom to tell of transitions. Set `struct_size` to sizeof(knhk_transition_callback_t).
 *
 * `changed` is called on a thread of the subscription, one transition after the other; it may call back anything but
 * knhk_scope_free. While it blocks, later transitions wait, and no policy does.
 */
typedef struct {
    /** sizeof(knhk_transition_callback_t). */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** Passed to the functions. */
    void *ctx;
    /** Called with each transition, which is valid during the call. */
    void (*changed)(void *ctx, const knhk_transition_t *transition);
    /**
     * NULL, or called exactly once, when `changed` will not be called any more: also when the registration fails, unless
     * `struct_size` is one that the library does not know. On any thread.
     */
    void (*destroy)(void *ctx);
} knhk_transition_callback_t;

/** A counter of a scope. Set `struct_size` to sizeof(knhk_counter_t) before the call. */
typedef struct {
    /** sizeof(knhk_counter_t); on return, how much of this struct the library knows. */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** "knhk.resilience.…", without a NUL behind it; valid for ever. */
    const char *name;
    /** Bytes of the name. */
    size_t name_len;
    /** The count so far. */
    uint64_t value;
} knhk_counter_t;

/**
 * Makes a scope.
 *
 * `clock`: KNHK_CLOCK_SYSTEM, KNHK_CLOCK_CACHED or KNHK_CLOCK_MANUAL. `scope`: receives it; the program frees it with knhk_scope_free.
 * Returns KNHK_OK; KNHK_INVALID_ARGUMENT for another clock; KNHK_SYSTEM when there are no more threads.
 */
knhk_status_t knhk_scope_new(uint32_t clock,
                             knhk_scope_t **scope,
                             knhk_error_t **err);

/**
 * The scope of an engine: on its cached clock, which stands still once the engine is closed. All scopes of one engine are the same one.
 *
 * `scope`: receives it; the program frees it with knhk_scope_free, before or after the engine.
 */
knhk_status_t knhk_engine_scope(const knhk_engine_t *engine,
                                knhk_scope_t **scope,
                                knhk_error_t **err);

/** The time of a scope's clock, in nanoseconds since a zero of its own; 0 for NULL. Deadlines are moments of this clock. */
uint64_t knhk_scope_now_ns(const knhk_scope_t *scope);

/**
 * Moves a manual clock forward.
 *
 * Returns KNHK_OK, or KNHK_INVALID_ARGUMENT where the clock is another one.
 */
knhk_status_t knhk_scope_advance(knhk_scope_t *scope, uint64_t ns, knhk_error_t **err);

/**
 * Calls a callback for every transition of the scope's policies from now on.
 *
 * `subscription`: receives a number for knhk_scope_unsubscribe. A listener that falls behind by more than 1,024 transitions misses the
 * oldest ones.
 * Returns KNHK_OK; KNHK_STRUCT_SIZE; KNHK_NULL_ARGUMENT also where `changed` is NULL; KNHK_SYSTEM when there are no more threads.
 */
knhk_status_t knhk_scope_subscribe(knhk_scope_t *scope,
                                   const knhk_transition_callback_t *callback,
                                   uint64_t *subscription,
                                   knhk_error_t **err);

/**
 * Ends a subscription. When this returns on another thread than the callback's, `changed` is not running and `destroy` was called.
 *
 * Returns KNHK_OK, or KNHK_NOT_FOUND when there is no such subscription any more.
 */
knhk_status_t knhk_scope_unsubscribe(knhk_scope_t *scope,
                                     uint64_t subscription,
                                     knhk_error_t **err);

/**
 * A counter of a scope, by its place from 0.
 *
 * `counter`: receives it. Returns KNHK_OK; KNHK_NOT_FOUND beyond the last; KNHK_STRUCT_SIZE.
 */
knhk_status_t knhk_scope_counter(const knhk_scope_t *scope, size_t index, knhk_counter_t *counter, knhk_error_t **err);

/** Frees a scope and ends its subscriptions. NULL does nothing. Policies that were made in it go on. */
void knhk_scope_free(knhk_scope_t *scope);

/* ------------------------------------------------------------------------------------------------------------
 * What a policy is made of: named numbers, other policies, levels, strategies. */

/** A named number. */
typedef struct {
    /** Its name, such as "failure_rate". */
    const char *name;
    /** Its value. */
    double value;
} knhk_setting_t;

/** A level of degradation. */
typedef struct {
    /** What people call it. */
    const char *name;
    /** The load at which it is entered. */
    double enter;
    /** The load below which it is left; at most `enter`. */
    double leave;
    /** How long the load must have been high, in nanoseconds. */
    uint64_t enter_after_ns;
    /** How long the load must have been low, in nanoseconds. */
    uint64_t leave_after_ns;
    /** Names of the features that are off in this level and all further ones. */
    const char *const *off;
    /** How many there are. */
    size_t off_len;
} knhk_level_t;

/** A strategy of a recovery. */
typedef struct {
    /** What people call it. */
    const char *name;
    /** How often it is tried before the next one; at least once. */
    uint32_t tries;
    /** 0. */
    uint32_t reserved;
    /** Passed to the functions. */
    void *ctx;
    /** Mends what is broken and returns 0, or something else. On the thread that asks for the recovery. */
    int32_t (*recover)(void *ctx, const char *component, const char *what);
    /**
     * NULL, or called exactly once, when `recover` will not be called any more: also when the policy cannot be made, unless the
     * `struct_size` of the options is unknown.
     */
    void (*destroy)(void *ctx);
} knhk_strategy_t;

/** What a policy is made of. Set `struct_size` to sizeof(knhk_policy_options_t) and what is not needed to 0. */
typedef struct {
    /** sizeof(knhk_policy_options_t). */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** Named numbers; those that are not named have their defaults. */
    const knhk_setting_t *settings;
    /** How many there are. */
    size_t settings_len;
    /** A pipeline's policies; a retry's or a hedge's budget. They may be freed before the new one. */
    const knhk_policy_t *const *policies;
    /** How many there are. */
    size_t policies_len;
    /** A degradation's levels, in the order in which they are entered. */
    const knhk_level_t *levels;
    /** How many there are. */
    size_t levels_len;
    /** A recovery's strategies, in the order in which they are tried. */
    const knhk_strategy_t *strategies;
    /** How many there are. */
    size_t strategies_len;
} knhk_policy_options_t;

/* ------------------------------------------------------------------------------------------------------------
 * Policies: breakers, limits, retries, shedding, degradation, recovery, chaos, health, and pipelines of them.
 *
 * A policy is made of named numbers, which are also what a sector's values under "resilience/<policy>/<parameter>" retune: times are in
 * milliseconds and end in "_ms". The kinds, and what each needs or has as default:
 *
 *    breaker         consecutive_failures 5, ema_alpha 0.1, ema_threshold 0.5, minimum_calls 10, failure_rate 0.5, slow_call_ms 0,
 *                    slow_call_rate 0.5, recovery_ms 30,000, half_open_permits 3; when it is made also window_calls, or window_span_ms
 *                    and window_buckets 10
 *    bulkhead        limit
 *    adaptive        lowest 1, highest 1,000, tolerance 1, queue 0.6, smoothing 0.2; when it is made also initial 20, vegas 0 (with 1:
 *                    alpha 0.5, beta 0.8)
 *    token_bucket    rate (a second), burst (as the rate)
 *    sliding_window  limit, span_ms; when it is made also capacity (as the limit)
 *    shedder         background 0.6, low 0.75, normal 0.9, high 1, critical 1.5
 *    chaos           failures 0, delays 0, shortest_delay_ms 0, longest_delay_ms 0, seed 0
 *    pipeline        timeout_ms 0; its policies in `policies`, at most one of each kind above and one retry
 *    retry           attempts 3, base_ms 100, cap_ms 10,000, longest_retry_after_ms 60,000; when it is made also seed 0; its budget in
 *                    `policies`
 *    budget          share 0.1, reserve 10, span_ms 10,000
 *    hedge           copies 2, quantile 0.95, soonest_ms 1, unknown_ms 100; its budget in `policies`
 *    degradation     its levels in `levels`
 *    recovery        pause_ms 100, relapse_ms 60,000; its strategies in `strategies`
 *    health          running 0.9, critical 0.5, stale_after_ms 30,000 */

/** Admits every call and watches the outcomes. */
#define KNHK_BREAKER_CLOSED 0

/** Refuses every call until the recovery is over. */
#define KNHK_BREAKER_OPEN 1

/** Admits so many probes. */
#define KNHK_BREAKER_HALF_OPEN 2

/** Opened by hand: refuses every call. */
#define KNHK_BREAKER_FORCED_OPEN 3

/** Admits every call and watches none. */
#define KNHK_BREAKER_DISABLED 4

/** A parameter of a policy. Set `struct_size` to sizeof(knhk_parameter_t) before the call. */
typedef struct {
    /** sizeof(knhk_parameter_t); on return, how much of this struct the library knows. */
    uint32_t struct_size;
    /** 1 if it is a whole number. */
    uint32_t is_whole;
    /** Its name. The texts are valid until the policy is freed. */
    const char *name;
    /** The unit, in the notation of UCUM. */
    const char *unit;
    /** What it means. */
    const char *what;
    /** Its value at present. */
    double value;
    /** The least value. */
    double low;
    /** The greatest value. */
    double high;
} knhk_parameter_t;

/**
 * Makes a policy.
 *
 * `scope`: what it shares with others. `kind`: see above. `name`: for events, for people and for the engine. `options`: NULL where the
 * kind needs none. `policy`: receives it; the program frees it with knhk_policy_free.
 * Returns KNHK_OK; KNHK_INVALID_ARGUMENT with what cannot be and what may; KNHK_STRUCT_SIZE.
 */
knhk_status_t knhk_policy_new(const knhk_scope_t *scope,
                              const char *kind,
                              const char *name,
                              const knhk_policy_options_t *options,
                              knhk_policy_t **policy,
                              knhk_error_t **err);

/** Frees a policy. NULL does nothing. Pipelines and engines that know it go on with it. */
void knhk_policy_free(knhk_policy_t *policy);

/** The name of a policy; "" for NULL. Valid until the policy is freed. */
const char *knhk_policy_name(const knhk_policy_t *policy);

/**
 * The state of a policy as a number: a breaker's KNHK_BREAKER_ constant; a degradation's level, 0 for full service; for health 0 where
 * the system runs, 1 where it is degraded, 2 where it is critical; 1 where chaos is on. 0 for what has none, and for NULL.
 */
uint32_t knhk_policy_state(const knhk_policy_t *policy);

/**
 * A policy as it stands, for people: a line, and for health a line more for each component that is not healthy.
 *
 * `text`: receives it; the program frees it with knhk_buffer_free.
 */
knhk_status_t knhk_policy_text(const knhk_policy_t *policy, knhk_buffer_t **text, knhk_error_t **err);

/**
 * What a policy counts or measures at present, by name: "taken", "tokens", "trend", "window_failures", "availability" and so on.
 *
 * `value`: receives it. Returns KNHK_OK, or KNHK_NOT_FOUND with the names that there are.
 */
knhk_status_t knhk_policy_figure(const knhk_policy_t *policy,
                                 const char *name,
                                 double *value,
                                 knhk_error_t **err);

/**
 * A parameter of a policy, by its place from 0.
 *
 * `parameter`: receives it. Returns KNHK_OK; KNHK_NOT_FOUND beyond the last; KNHK_STRUCT_SIZE.
 */
knhk_status_t knhk_policy_parameter(const knhk_policy_t *policy,
                                    size_t index,
                                    knhk_parameter_t *parameter,
                                    knhk_error_t **err);

/**
 * Changes parameters of a policy, all or none; those that are not named stay. Calls under way go on.
 *
 * Returns KNHK_OK, or KNHK_INVALID_ARGUMENT with what cannot be; nothing was changed then.
 */
knhk_status_t knhk_policy_retune(knhk_policy_t *policy,
                                 const knhk_setting_t *settings,
                                 size_t settings_len,
                                 knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Switches: what of a policy somebody, or a load, changes while it is in use. */

/** Opens a breaker until knhk_breaker_close. */
knhk_status_t knhk_breaker_force_open(knhk_policy_t *policy, knhk_error_t **err);

/** Closes a breaker, with nothing remembered. */
knhk_status_t knhk_breaker_close(knhk_policy_t *policy, knhk_error_t **err);

/** Has a breaker admit everything and remember nothing until knhk_breaker_close. */
knhk_status_t knhk_breaker_disable(knhk_policy_t *policy, knhk_error_t **err);

/** Switches chaos on (1) or off (0); it begins off. */
knhk_status_t knhk_chaos_switch(knhk_policy_t *policy, uint32_t on, knhk_error_t **err);

/** Tells a shedder or a degradation the load: the share of a queue's room, of the processors; 1 is the capacity. */
knhk_status_t knhk_policy_load(knhk_policy_t *policy, double load, knhk_error_t **err);

/**
 * Holds a level of a degradation whatever the load is.
 *
 * `level`: 0 is full service, beyond the last is the last; UINT32_MAX lets go, and the load decides again.
 */
knhk_status_t knhk_degradation_pin(knhk_policy_t *policy, uint32_t level, knhk_error_t **err);

/**
 * The number of a feature, for knhk_feature_is_on.
 *
 * `feature`: receives it. Returns KNHK_OK, or KNHK_NOT_FOUND where no level of the degradation switches it.
 */
knhk_status_t knhk_feature(const knhk_policy_t *policy, const char *name, uint32_t *feature, knhk_error_t **err);

/** Whether a feature is on: one load. True for what is no degradation or no feature. */
bool knhk_feature_is_on(const knhk_policy_t *policy, uint32_t feature);

/* ------------------------------------------------------------------------------------------------------------
 * Calls through a policy: admitted or refused at once, and told how they ended.
 *
 *    knhk_permit_t permit;
 *    if (knhk_policy_enter(breaker, NULL, &permit, NULL, NULL) == KNHK_OK) {
 *        bool ok = call_the_callee();
 *        knhk_policy_finish(breaker, &permit, ok ? KNHK_OUTCOME_SUCCESS : KNHK_OUTCOME_FAILURE);
 *    }
 *
 * The policies that admit calls are the first eight kinds. A closed breaker costs a few nanoseconds, and nothing is allocated. */

/** The call did what it was asked to. */
#define KNHK_OUTCOME_SUCCESS 0

/** It failed in a way that speaks of the callee: an error, a time-out. */
#define KNHK_OUTCOME_FAILURE 1

/** It says nothing of the callee: the caller gave up, or asked for nonsense. */
#define KNHK_OUTCOME_IGNORED 2

/** Work that nobody waits for. */
#define KNHK_PRIORITY_BACKGROUND 1

/** Work that can wait. */
#define KNHK_PRIORITY_LOW 2

/** The usual, and what 0 means. */
#define KNHK_PRIORITY_NORMAL 3

/** Work that people notice when it fails. */
#define KNHK_PRIORITY_HIGH 4

/** What must go on while anything does. */
#define KNHK_PRIORITY_CRITICAL 5

/** A breaker is open; the refusal says how long. */
#define KNHK_REFUSED_OPEN 1

/** A breaker was opened by hand. */
#define KNHK_REFUSED_FORCED_OPEN 2

/** A breaker is half-open and its probes are under way. */
#define KNHK_REFUSED_PROBING 3

/** A rate limit is used up; the refusal says for how long. */
#define KNHK_REFUSED_RATE_LIMITED 4

/** All places of a bulkhead are taken. */
#define KNHK_REFUSED_FULL 5

/** An adaptive limit is reached. */
#define KNHK_REFUSED_OVERLOADED 6

/** Calls of this priority are shed. */
#define KNHK_REFUSED_SHED 7

/** The deadline passed before the call began. */
#define KNHK_REFUSED_DEADLINE_PASSED 8

/** What is known of a call. Set `struct_size` to sizeof(knhk_attempt_t) and what you do not care about to 0. */
typedef struct {
    /** sizeof(knhk_attempt_t). */
    uint32_t struct_size;
    /** A KNHK_PRIORITY_ constant. */
    uint32_t priority;
    /** Until when it is worth its work, by the scope's clock (knhk_scope_now_ns); 0 for ever. */
    uint64_t deadline_ns;
    /** Tokens that it takes from a bucket; 0 means 1. */
    uint32_t tokens;
    /** 0. */
    uint32_t reserved;
} knhk_attempt_t;

/** An admitted call. Plain data: it may be copied and kept anywhere, and goes back to the policy once, with knhk_policy_finish. */
typedef struct {
    /** What the policy knows it by. */
    uint64_t words[6];
} knhk_permit_t;

/** Why a call was refused. Set `struct_size` to sizeof(knhk_refusal_t) before the call. */
typedef struct {
    /** sizeof(knhk_refusal_t); on return, how much of this struct the library knows. */
    uint32_t struct_size;
    /** A KNHK_REFUSED_ constant. */
    uint32_t reason;
    /** After how long another try has a chance, in nanoseconds; UINT64_MAX where that is not known, or never. */
    uint64_t retry_after_ns;
    /** The places of a bulkhead, an adaptive limit, or the probes of a half-open breaker; else 0. */
    uint32_t limit;
    /** 0. */
    uint32_t reserved;
    /** The load at which a call was shed; else 0. */
    double load;
} knhk_refusal_t;

/**
 * Admits a call or refuses it, without waiting, save for a delay that chaos injects.
 *
 * `attempt`: NULL for a call of normal priority without a deadline. `permit`: receives what goes back with knhk_policy_finish; written
 * on success only. `refusal`: NULL, or receives why, on KNHK_REFUSED only.
 * Returns KNHK_OK; KNHK_REFUSED, and then nothing is held; KNHK_INVALID_ARGUMENT for a kind of policy that admits no calls.
 */
knhk_status_t knhk_policy_enter(const knhk_policy_t *policy,
                                const knhk_attempt_t *attempt,
                                knhk_permit_t *permit,
                                knhk_refusal_t *refusal,
                                knhk_error_t **err);

/**
 * Tells a policy how an admitted call ended. The permit holds nothing afterwards: finishing it again does nothing.
 *
 * `outcome`: a KNHK_OUTCOME_ constant. Returns what it was taken for: a pipeline takes a success beyond its deadline, and whatever
 * chaos made fail, for a failure. NULL arguments do nothing.
 */
uint32_t knhk_policy_finish(const knhk_policy_t *policy,
                            knhk_permit_t *permit,
                            uint32_t outcome);

/** Until when an admitted call is to be over, by the scope's clock: what to hand on to the callee; UINT64_MAX for ever. */
uint64_t knhk_permit_deadline_ns(const knhk_permit_t *permit);

/** Whether chaos wants an admitted call to fail: the callee is not to be called, and the outcome is a failure. */
bool knhk_permit_is_to_fail(const knhk_permit_t *permit);

/**
 * Does some work through a policy, on the calling thread; through a pipeline with a retry, again and again, with pauses in between.
 *
 * `work`: called with `ctx`, and until when the call is worth its work, by the scope's clock, UINT64_MAX for ever; returns a
 * KNHK_OUTCOME_ constant. `refusal`: NULL, or receives why, on KNHK_REFUSED only.
 * Returns KNHK_OK when the work succeeded, or was ignored; KNHK_REFUSED; KNHK_CALL_FAILED when it failed, at last, or chaos made it fail;
 * KNHK_TIMEOUT when it ended beyond its deadline.
 */
knhk_status_t knhk_policy_call(const knhk_policy_t *policy,
                               const knhk_attempt_t *attempt,
                               uint32_t (*work)(void *ctx, uint64_t deadline_ns),
                               void *ctx,
                               knhk_refusal_t *refusal,
                               knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Retries: for programs that make the attempts themselves; knhk_policy_call makes them through a pipeline.
 *
 *    knhk_attempts_t attempts;
 *    knhk_retry_begin(retry, &attempts, NULL);
 *    while (!try_it()) {
 *        uint64_t pause;
 *        if (knhk_retry_decide(retry, &attempts, KNHK_RETRY_TRANSIENT, 0, 0, &pause, NULL, NULL)) break; // given up
 *        sleep_ns(pause);
 *    } */

/** Another attempt may succeed. */
#define KNHK_RETRY_TRANSIENT 0

/** No other attempt will succeed. */
#define KNHK_RETRY_PERMANENT 1

/** It was the last attempt. */
#define KNHK_GIVE_UP_ATTEMPTS 1

/** The budget is spent: too much is being tried again. */
#define KNHK_GIVE_UP_BUDGET 2

/** The pause would outlast the deadline. */
#define KNHK_GIVE_UP_DEADLINE 3

/** The callee asks for a longer pause than the policy allows. */
#define KNHK_GIVE_UP_RETRY_AFTER 4

/** The failure is not one that another attempt mends. */
#define KNHK_GIVE_UP_PERMANENT 5

/** One call's attempts so far. Plain data. */
typedef struct {
    /** Attempts that were begun. */
    uint64_t made;
    /** The last pause, in nanoseconds. */
    uint64_t pause_ns;
} knhk_attempts_t;

/**
 * Begins a call's first attempt.
 *
 * `attempts`: receives its record.
 */
knhk_status_t knhk_retry_begin(const knhk_policy_t *policy, knhk_attempts_t *attempts, knhk_error_t **err);

/**
 * Decides after a failed attempt. One that is to be made again is counted, and taken from the budget.
 *
 * `failure`: KNHK_RETRY_TRANSIENT or KNHK_RETRY_PERMANENT. `retry_after_ns`: the shortest pause that the callee asks for; 0 for none.
 * `deadline_ns`: the call's, by the scope's clock; 0 for none. `pause_ns`: receives how long to wait before the next attempt.
 * `why`: NULL, or receives a KNHK_GIVE_UP_ constant, on KNHK_CALL_FAILED only.
 * Returns KNHK_OK to try again after the pause; KNHK_CALL_FAILED to give up.
 */
knhk_status_t knhk_retry_decide(const knhk_policy_t *policy,
                                knhk_attempts_t *attempts,
                                uint32_t failure,
                                uint64_t retry_after_ns,
                                uint64_t deadline_ns,
                                uint64_t *pause_ns,
                                uint32_t *why,
                                knhk_error_t **err);

/**
 * What the value of a Retry-After header (RFC 9110) asks for: seconds, or a date, which is compared with the system's clock.
 *
 * `pause_ns`: receives it. Returns KNHK_OK, or KNHK_INVALID_ARGUMENT for a value that is neither.
 */
knhk_status_t knhk_retry_after(const char *value,
                               uint64_t *pause_ns,
                               knhk_error_t **err);

/**
 * Tries the strategies of a recovery until one mends what is broken, on the calling thread. A component that breaks again soon begins
 * with the strategy after the one that mended it.
 *
 * `component`, `what`: what is broken, and what was seen. `report`: NULL, or receives how it went, for people, also on KNHK_CALL_FAILED; the
 * program frees it with knhk_buffer_free.
 * Returns KNHK_OK when it was mended; KNHK_CALL_FAILED when nothing mended it.
 */
knhk_status_t knhk_recover(const knhk_policy_t *policy,
                           const char *component,
                           const char *what,
                           knhk_buffer_t **report,
                           knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Hedges: a second copy of a call that takes long, whose first answer counts. The program sends the copies and asks when. */

/** The copy's end is the call's answer: a success, or the failure of the last copy. */
#define KNHK_HEDGE_USE 0

/** The copy failed, but others are under way. */
#define KNHK_HEDGE_WAIT 1

/** The copy failed and nothing else is under way, but another may be sent at once. */
#define KNHK_HEDGE_SEND_ANOTHER 2

/** Another copy has answered; this one does not count. */
#define KNHK_HEDGE_LATE 3

/** One hedged call. Plain data, used by one thread at a time. */
typedef struct {
    /** What the policy knows it by. */
    uint64_t words[10];
} knhk_hedged_t;

/**
 * Begins a call: its first copy, number 0, is to be sent now.
 *
 * `hedged`: receives its record.
 */
knhk_status_t knhk_hedge_begin(const knhk_policy_t *policy, knhk_hedged_t *hedged, knhk_error_t **err);

/**
 * How long to wait for an answer before another copy is sent.
 *
 * `wait_ns`: receives it; UINT64_MAX when none will be.
 */
knhk_status_t knhk_hedge_wait(const knhk_policy_t *policy,
                              const knhk_hedged_t *hedged,
                              uint64_t *wait_ns,
                              knhk_error_t **err);

/**
 * Asks whether to send another copy now: the wait must be over, unless nothing is under way, and the budget must cover it.
 *
 * `copy`: receives its number, or UINT32_MAX for none.
 */
knhk_status_t knhk_hedge_send(const knhk_policy_t *policy,
                              knhk_hedged_t *hedged,
                              uint32_t *copy,
                              knhk_error_t **err);

/**
 * Tells how a copy ended.
 *
 * `copy`: its number. `outcome`: a KNHK_OUTCOME_ constant. `verdict`: receives a KNHK_HEDGE_ constant. Where that is
 * KNHK_HEDGE_SEND_ANOTHER and knhk_hedge_send then gives none, the failure is the call's answer.
 */
knhk_status_t knhk_hedge_finish(const knhk_policy_t *policy,
                                knhk_hedged_t *hedged,
                                uint32_t copy,
                                uint32_t outcome,
                                uint32_t *verdict,
                                knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Health: components tell how well they are, and a monitor what that means for the whole. A policy of kind "health" is a monitor.
 *
 * A component is stale until it reports, and when it is silent for too long. knhk_policy_text explains whom a failing component takes
 * with it; knhk_policy_figure has the "availability". */

/** Its health is at least the running threshold. */
#define KNHK_HEALTH_HEALTHY 0

/** In between. */
#define KNHK_HEALTH_DEGRADED 1

/** Its health is below the critical threshold. */
#define KNHK_HEALTH_UNHEALTHY 2

/** It has said nothing for too long, or never; it counts as health 0. */
#define KNHK_HEALTH_STALE 3

/**
 * Asks for a component's health. Set `struct_size` to sizeof(knhk_check_callback_t).
 *
 * `check` is called on the thread that polls: knhk_health_start's. One that blocks delays the checks after it.
 */
typedef struct {
    /** sizeof(knhk_check_callback_t). */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** Passed to the functions. */
    void *ctx;
    /** Returns the health, from 0 to 1. */
    double (*check)(void *ctx);
    /**
     * NULL, or called exactly once, when `check` will not be called any more: also when the registration fails, unless
     * `struct_size` is one that the library does not know.
     */
    void (*destroy)(void *ctx);
} knhk_check_callback_t;

/** A component at one moment. Set `struct_size` to sizeof(knhk_component_t) before the call. */
typedef struct {
    /** sizeof(knhk_component_t); on return, how much of this struct the library knows. */
    uint32_t struct_size;
    /** A KNHK_HEALTH_ constant. */
    uint32_t state;
    /** Its weight. */
    double weight;
    /** Its health, from 0 to 1; 0 while it is stale. */
    double health;
    /** Since its last report, in nanoseconds; UINT64_MAX when there was none. */
    uint64_t age_ns;
    /** How many failing components, that have no such explanation themselves, explain it. */
    uint64_t explained_by;
} knhk_component_t;

/**
 * Adds a component.
 *
 * `weight`: what it counts in the availability; above 0. `needs`: names of components, added before, that it depends on. `component`:
 * receives its number, from 0.
 * Returns KNHK_OK; KNHK_ALREADY_EXISTS; KNHK_NOT_FOUND for an unknown need.
 */
knhk_status_t knhk_health_add(knhk_policy_t *policy,
                              const char *name,
                              double weight,
                              const char *const *needs,
                              size_t needs_len,
                              size_t *component,
                              knhk_error_t **err);

/**
 * Says that a component depends on another.
 *
 * Returns KNHK_OK; KNHK_NOT_FOUND; KNHK_INVALID_ARGUMENT where the dependencies would be a cycle, whose path the message names.
 */
knhk_status_t knhk_health_depend(knhk_policy_t *policy,
                                 const char *name,
                                 const char *on,
                                 knhk_error_t **err);

/** A component tells its health, from 0 to 1; what is not a number counts as 0. A component that there is not is not heard. */
knhk_status_t knhk_health_report(knhk_policy_t *policy,
                                 size_t component,
                                 double health,
                                 knhk_error_t **err);

/** Has a component asked for its health at each poll. */
knhk_status_t knhk_health_check(knhk_policy_t *policy,
                                size_t component,
                                const knhk_check_callback_t *callback,
                                knhk_error_t **err);

/**
 * Polls the checks in an interval, usually 100 ms, on a thread of its own until the policy is freed.
 *
 * Returns KNHK_OK; KNHK_BUSY where it does so already; KNHK_SYSTEM when there are no more threads.
 */
knhk_status_t knhk_health_start(knhk_policy_t *policy, uint64_t interval_ns, knhk_error_t **err);

/**
 * A component of a monitor as it stands.
 *
 * `found`: receives it. Returns KNHK_OK; KNHK_NOT_FOUND for a number that is none; KNHK_STRUCT_SIZE.
 */
knhk_status_t knhk_health_component(const knhk_policy_t *policy,
                                    size_t component,
                                    knhk_component_t *found,
                                    knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Policies that an engine knows: listed for operators, and retuned by a sector's values. */

/** A policy, as enumerated. */
typedef struct {
    /** How much of this struct the library knows. */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** Its name. */
    const char *name;
    /** Its kind. */
    const char *kind;
    /** The sector that it follows; NULL for none. */
    const char *sector;
    /** The version of the sector that was looked at last; 0 for none. */
    uint64_t version;
    /** Why that version could not retune it; NULL where it could. */
    const char *refused;
    /** Its state in a word or two; may be "". */
    const char *state;
    /** Its state and figures, for people. */
    const char *text;
} knhk_policy_info_t;

/**
 * The parameters of a policy as a JSON document, with ranges, units and meanings: promoted into the sector that the policy follows,
 * alone or among others, it changes nothing until somebody changes a value.
 *
 * `json`: receives it; the program frees it with knhk_buffer_free.
 */
knhk_status_t knhk_policy_document(const knhk_policy_t *policy,
                                   knhk_buffer_t **json,
                                   knhk_error_t **err);

/**
 * Makes a policy known to an engine under its name: knhk_policies lists it.
 *
 * `sector`: NULL, or the sector whose values under "resilience/<policy>/<parameter>" retune it, at once and before each promotion or
 * rollback returns; what a version does not state is as the program made it, and a version that it cannot take leaves it as it was.
 * Returns KNHK_OK; KNHK_ALREADY_EXISTS; KNHK_INVALID_ARGUMENT for a name with a slash; KNHK_NOT_FOUND for an unknown sector.
 */
knhk_status_t knhk_policy_add(knhk_engine_t *engine,
                              const knhk_policy_t *policy,
                              const char *sector,
                              knhk_error_t **err);

/**
 * Has an engine forget a policy, which stays as it is.
 *
 * Returns KNHK_OK, or KNHK_NOT_FOUND.
 */
knhk_status_t knhk_policy_remove(knhk_engine_t *engine, const char *name, knhk_error_t **err);

/**
 * Lists the policies that an engine knows.
 *
 * `policies`: receives the list, which the program frees with knhk_policies_free.
 */
knhk_status_t knhk_policies(const knhk_engine_t *engine, knhk_policy_list_t **policies, knhk_error_t **err);

/** How many policies a list has; 0 for NULL. Any thread. */
size_t knhk_policies_len(const knhk_policy_list_t *policies);

/** A policy of a list; NULL beyond its end. Valid until the list is freed. Any thread. */
const knhk_policy_info_t *knhk_policies_at(const knhk_policy_list_t *policies, size_t index);

/** Frees a list of policies. NULL does nothing. Any thread; its items may not be used any more. */
void knhk_policies_free(knhk_policy_list_t *policies);

/* ------------------------------------------------------------------------------------------------------------
 * Checkpoints: the states of the program's components, kept so that it can go on from them after a restart.
 *
 * A component is a table of callbacks that save and load a state. All components of one object hold still while they save themselves, so
 * that a checkpoint is one cut across them. The first of a process is full, then come increments until the next full one; each is
 * compressed, checked by SHA-256, encrypted where there is a key, and there as a whole or not at all. Restoring takes the newest that is
 * whole, and says what it passed over. */

/** How checkpoints are taken and kept. Set `struct_size` to sizeof(knhk_checkpoint_settings_t); what is 0 is the default. */
typedef struct {
    /** sizeof(knhk_checkpoint_settings_t). */
    uint32_t struct_size;
    /** Checkpoints of a chain: a full one, and so many less one that build on it. 60. */
    uint32_t chain;
    /** Chains that are kept, at least 2. 2. */
    uint32_t chains;
    /** How hard zstd tries, from -7 to 22. 1. */
    int32_t level;
    /** Bytes of all states together, at most. 1 GiB. */
    uint64_t limit;
    /**
     * Keys of 32 bytes each, one behind the other: the first one encrypts (XChaCha20-Poly1305), each decrypts. Where there is one, a
     * checkpoint that is not encrypted is not restored. They are copied; the program wipes its own.
     */
    const uint8_t *keys;
    /** How many keys there are. */
    size_t keys_len;
} knhk_checkpoint_settings_t;

/**
 * A component of the program. Set `struct_size` to sizeof(knhk_component_callback_t).
 *
 * The functions are called on the thread that takes or restores a checkpoint: the program's own, knhk_checkpoints_start's, or one
 * that serves an operator's command. They must not use these checkpoints, not throw, and not end the thread.
 */
typedef struct {
    /** sizeof(knhk_component_callback_t). */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** Passed to the functions. */
    void *ctx;
    /** NULL, or holds still: until `thaw` the state does not change. */
    void (*freeze)(void *ctx);
    /** NULL, or goes on; called once for each `freeze`. */
    void (*thaw)(void *ctx);
    /**
     * Writes the state with knhk_state_write and returns 0; or returns another number and writes why as NUL-terminated UTF-8 to `why`,
     * where there is room for `why_size` bytes. What stays at its place from one checkpoint to the next makes small increments.
     */
    int32_t (*save)(void *ctx, knhk_state_writer_t *writer, char *why, size_t why_size);
    /** Takes a state that `save` wrote and returns 0; or another number and why, and then an older checkpoint is tried. */
    int32_t (*load)(void *ctx, const uint8_t *state, size_t len, char *why, size_t why_size);
    /**
     * NULL, or called exactly once, when nothing above will be called any more: also when the call fails, unless `struct_size` is one that
     * the library does not know.
     */
    void (*destroy)(void *ctx);
} knhk_component_callback_t;

/** A checkpoint that was taken. Set `struct_size` to sizeof(knhk_checkpoint_taken_t) before the call. */
typedef struct {
    /** sizeof(knhk_checkpoint_taken_t); on return, how much of this struct the library knows. */
    uint32_t struct_size;
    /** 1 where it stands alone. */
    uint32_t full;
    /** Its number; each next one is greater. */
    uint64_t number;
    /** Its bytes, as they are kept. */
    uint64_t bytes;
    /** Bytes of the components' states. */
    uint64_t state_bytes;
    /** How long the components held still, in nanoseconds. */
    uint64_t frozen_ns;
    /** How long it took in all, in nanoseconds. */
    uint64_t took_ns;
    /** Its SHA-256. */
    uint8_t digest[32];
} knhk_checkpoint_taken_t;

/**
 * Opens checkpoints in an engine's store, beside its receipts: each one that is taken or restored leaves a receipt with its digest, and a
 * backup of the engine has them. An operator lists, takes and restores them with `knhk checkpoint --components`.
 *
 * `settings`: NULL for the defaults. `checkpoints`: receives them; the program frees them with knhk_checkpoints_free, before or after the
 * engine is closed, and uses them before.
 * Returns KNHK_OK; KNHK_NOT_FOUND for an engine in memory without a signer; KNHK_ALREADY_EXISTS where the name is open;
 * KNHK_INVALID_ARGUMENT for a setting out of its range. Any thread.
 */
knhk_status_t knhk_checkpoints_open(const knhk_engine_t *engine,
                                    const char *name,
                                    const knhk_checkpoint_settings_t *settings,
                                    knhk_checkpoints_t **checkpoints,
                                    knhk_error_t **err);

/**
 * Opens checkpoints in a folder of their own, which nobody else writes to: for a program without an engine.
 *
 * `scope`: who hears of what is taken and restored; NULL for nobody. `path`: the folder, made where it is not there, for its owner alone.
 * Else as knhk_checkpoints_open; KNHK_IO where the folder cannot be read.
 */
knhk_status_t knhk_checkpoints_open_folder(const knhk_scope_t *scope,
                                           const char *path,
                                           const char *name,
                                           const knhk_checkpoint_settings_t *settings,
                                           knhk_checkpoints_t **checkpoints,
                                           knhk_error_t **err);

/** Frees checkpoints, once the one that is under way has ended; what is kept stays. NULL does nothing. */
void knhk_checkpoints_free(knhk_checkpoints_t *checkpoints);

/**
 * Writes a part of a component's state, behind what it wrote before.
 *
 * `writer`: what `save` was given; valid until it returns, on its thread. Returns 0, or another number where there is no more room: then
 * `save` returns it.
 */
int32_t knhk_state_write(knhk_state_writer_t *writer,
                         const void *data,
                         size_t len);

/**
 * Adds a component, which the next checkpoint has.
 *
 * `component`: taken over, whatever is returned. Returns KNHK_OK; KNHK_ALREADY_EXISTS where the name is taken. Any thread.
 */
knhk_status_t knhk_checkpoints_add(knhk_checkpoints_t *checkpoints,
                                   const char *name,
                                   const knhk_component_callback_t *component,
                                   knhk_error_t **err);

/**
 * Removes a component, which the next checkpoint does not have.
 *
 * Returns KNHK_OK; KNHK_NOT_FOUND. Its `destroy` is called once nothing uses it any more: before this returns, or at the end of the
 * checkpoint under way.
 */
knhk_status_t knhk_checkpoints_remove(knhk_checkpoints_t *checkpoints,
                                      const char *name,
                                      knhk_error_t **err);

/**
 * Takes a checkpoint: what changed since the last one, or everything where a full one is due.
 *
 * `full`: not 0 for everything, which begins a chain. `taken`: NULL, or receives what was taken.
 * Returns KNHK_OK; KNHK_SYSTEM where a component could not be saved, with its reason; KNHK_LIMIT for too large states; KNHK_IO; nothing was
 * kept then. One at a time takes or restores; others wait.
 */
knhk_status_t knhk_checkpoint_take(knhk_checkpoints_t *checkpoints,
                                   uint32_t full,
                                   knhk_checkpoint_taken_t *taken,
                                   knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Checkpoints: restoring them, listing what is kept, and taking them in the background. */

/** A checkpoint that was restored. Set `struct_size` to sizeof(knhk_checkpoint_restored_t) before the call. */
typedef struct {
    /** sizeof(knhk_checkpoint_restored_t); on return, how much of this struct the library knows. */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** Its number. */
    uint64_t number;
    /** When it was taken, in nanoseconds since the Unix epoch by that system's clock. */
    uint64_t time_ns;
    /** How many newer ones were passed over, damaged or refused by a component: knhk_checkpoints_kept says of each what is wrong with it. */
    uint64_t skipped;
    /** How many components it has no state of; they are as they were. */
    uint64_t absent;
    /** How many components it has a state of that are not there. */
    uint64_t unknown;
    /** Its SHA-256. */
    uint8_t digest[32];
} knhk_checkpoint_restored_t;

/** A checkpoint that is kept. */
typedef struct {
    /** How much of this struct the library knows. */
    uint32_t struct_size;
    /** 1 where it stands alone. */
    uint32_t full;
    /** Its number. */
    uint64_t number;
    /** Its bytes. */
    uint64_t bytes;
    /** When it was taken, in nanoseconds since the Unix epoch; 0 where it cannot be read. */
    uint64_t time_ns;
    /** 1 where it is encrypted. */
    uint32_t encrypted;
    /** 0. */
    uint32_t reserved;
    /** Why it cannot be restored, as far as can be told without its key; NULL where it can. */
    const char *damage;
} knhk_checkpoint_t;

/**
 * Restores the newest checkpoint that is whole. The components hold still while they load.
 *
 * `restored`: NULL, or receives which one it was. Returns KNHK_OK; KNHK_NOT_FOUND where there is none, and no component was touched;
 * KNHK_CORRUPT where none is whole, with the reason of each.
 */
knhk_status_t knhk_checkpoint_restore(knhk_checkpoints_t *checkpoints,
                                      knhk_checkpoint_restored_t *restored,
                                      knhk_error_t **err);

/**
 * Lists what is kept, oldest first. Each is read and checked.
 *
 * `kept`: receives the list, which the program frees with knhk_checkpoint_list_free. Returns KNHK_OK; KNHK_IO.
 */
knhk_status_t knhk_checkpoints_kept(knhk_checkpoints_t *checkpoints, knhk_checkpoint_list_t **kept, knhk_error_t **err);

/** How many checkpoints a list has; 0 for NULL. Any thread. */
size_t knhk_checkpoint_list_len(const knhk_checkpoint_list_t *kept);

/** A checkpoint of a list; NULL beyond its end. Valid until the list is freed. Any thread. */
const knhk_checkpoint_t *knhk_checkpoint_list_at(const knhk_checkpoint_list_t *kept, size_t index);

/** Frees a list of checkpoints. NULL does nothing. Any thread; its items may not be used any more. */
void knhk_checkpoint_list_free(knhk_checkpoint_list_t *kept);

/**
 * Takes a checkpoint in an interval, on a thread of its own until knhk_checkpoints_stop, for at most a share of the time: with 0.05 one
 * that took 100 ms is followed by a pause of 1.9 s at least. One that fails is told as an event, and the next one is tried in time.
 *
 * `interval_ns`: above 0. `share`: above 0, at most 1. Returns KNHK_OK; KNHK_BUSY where it does so already; KNHK_IO when there are no more
 * threads.
 */
knhk_status_t knhk_checkpoints_start(knhk_checkpoints_t *checkpoints,
                                     uint64_t interval_ns,
                                     double share,
                                     knhk_error_t **err);

/** Ends what knhk_checkpoints_start began, once the one that is under way has ended. Does nothing where it was not begun. */
knhk_status_t knhk_checkpoints_stop(knhk_checkpoints_t *checkpoints,
                                    knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * What an executor notices: overruns, demotions, lateness, and overload before it is there. */

/** A slice took longer than its task's budget. */
#define KNHK_NOTICE_OVERRUN 0

/** A task that overran again and again lost a level. */
#define KNHK_NOTICE_DEMOTED 1

/** A demoted task kept to its budget, and has a level back. */
#define KNHK_NOTICE_RESTORED 2

/** A run was dropped, or ended, after its deadline. */
#define KNHK_NOTICE_LATE 3

/** A run panicked. */
#define KNHK_NOTICE_PANICKED 4

/** At this pace the queue will soon be full. */
#define KNHK_NOTICE_OVERLOAD 5

/** The queue empties again. */
#define KNHK_NOTICE_OVERLOAD_OVER 6

/** Something that an operator should know. Valid during the call that tells it. */
typedef struct {
    /** How much of this struct the library knows. */
    uint32_t struct_size;
    /** A KNHK_NOTICE_ constant. */
    uint32_t kind;
    /** The task; "" of an overload. */
    const char *task;
    /** All of it for people. */
    const char *text;
} knhk_notice_t;

/* ------------------------------------------------------------------------------------------------------------
 * The warm executor: work beside the hot path, on few threads, each piece within its budget.
 *
 * A task is a callback that is registered once; submitting a run of it neither waits nor allocates. A run is served in slices: a callback that
 * has more to do than its budget holds looks at knhk_run_should_yield and returns KNHK_STEP_AGAIN. What matters most is served first; at one
 * level the earliest deadline is. A task of whose last 16 slices 4 overran their budget loses a level, and gets it back after 64 slices
 * in a row within it. */

/** It is paused. */
#define KNHK_EXECUTOR_PAUSED 1

/** Its queue will be full soon, or is filled to three quarters. */
#define KNHK_EXECUTOR_OVERLOADED 2

/**
 * An executor's settings. Set `struct_size` to sizeof(knhk_executor_options_t); what is 0 is the default.
 *
 * The functions must not throw, not wait for the executor, and not end the thread.
 */
typedef struct {
    /** sizeof(knhk_executor_options_t). */
    uint32_t struct_size;
    /** Threads; 2. */
    uint32_t threads;
    /** Runs that may wait, run, or be held by a ticket; 1,024. */
    uint64_t capacity;
    /** Overload is told of when the queue will be full in so many nanoseconds; 1 s. */
    uint64_t horizon_ns;
    /** Passed to the functions. */
    void *ctx;
    /** NULL, or told what the executor notices, on the thread that finds it, several at once. */
    void (*notice)(void *ctx, const knhk_notice_t *notice);
    /**
     * NULL, or says whether the hot path is over its budget: while it is, only critical tasks begin, and the others are told to yield. Asked before
     * each slice, by several threads at once, so it should cost a few loads.
     */
    bool (*hot)(void *ctx);
    /**
     * NULL, or called exactly once, when the functions will not be called any more: also when the call fails, unless `struct_size` is one
     * that the library does not know.
     */
    void (*destroy)(void *ctx);
} knhk_executor_options_t;

/** What an executor is doing. Set `struct_size` to sizeof(knhk_executor_stats_t) before the call. */
typedef struct {
    /** sizeof(knhk_executor_stats_t); on return, how much of this struct the library knows. */
    uint32_t struct_size;
    /** Bit 0: it is paused. Bit 1: overload is told of. */
    uint32_t flags;
    /** Runs that wait, by level, the lowest first. */
    uint64_t waiting[5];
    /** Runs whose callback is being called. */
    uint64_t running;
    /** Runs that come in a second. */
    double arrivals;
    /** Runs that the threads can end in a second; infinite while nothing is known. */
    double services;
    /** Nanoseconds until the queue is full; UINT64_MAX where it is not filling. */
    uint64_t full_in_ns;
} knhk_executor_stats_t;

/**
 * Starts an executor. All memory that runs need is taken here.
 *
 * `name`: what its threads are called. `options`: NULL for the defaults; its context is taken over, whatever is returned. `executor`: receives it; the program frees it with
 * knhk_executor_free.
 * Returns KNHK_OK; KNHK_SYSTEM when there are no more threads. Any thread.
 */
knhk_status_t knhk_executor_new(const char *name,
                                const knhk_executor_options_t *options,
                                knhk_executor_t **executor,
                                knhk_error_t **err);

/**
 * Has an engine list an executor for operators (`knhk tasks`), until it ends.
 *
 * Returns KNHK_OK; KNHK_ALREADY_EXISTS; KNHK_CLOSED where it was shut down. Any thread.
 */
knhk_status_t knhk_engine_add_executor(const knhk_engine_t *engine,
                                       const knhk_executor_t *executor,
                                       knhk_error_t **err);

/** Begins nothing more until knhk_executor_resume; runs under way are told to yield. Any thread. */
knhk_status_t knhk_executor_pause(knhk_executor_t *executor, knhk_error_t **err);

/** Goes on after knhk_executor_pause. Any thread. */
knhk_status_t knhk_executor_resume(knhk_executor_t *executor, knhk_error_t **err);

/**
 * Looks at an executor.
 *
 * `stats`: receives it. Returns KNHK_OK; KNHK_CLOSED where it was shut down. Any thread.
 */
knhk_status_t knhk_executor_stats(const knhk_executor_t *executor, knhk_executor_stats_t *stats, knhk_error_t **err);

/**
 * Ends an executor: takes nothing more, lets what is there end for `drain_ns`, cancels the rest, and waits for callbacks that run for
 * `cancel_ns`. A callback that does not return keeps its thread, which is left to itself.
 *
 * `unfinished`: NULL, or receives how many runs were cancelled. `stuck`: NULL, or receives how many callbacks did not return.
 * Returns KNHK_OK; KNHK_CLOSED where that was done already. Not from a callback of its own.
 */
knhk_status_t knhk_executor_shutdown(knhk_executor_t *executor,
                                     uint64_t drain_ns,
                                     uint64_t cancel_ns,
                                     size_t *unfinished,
                                     size_t *stuck,
                                     knhk_error_t **err);

/**
 * Frees an executor. One that was not shut down gives up what waits, and waits for the slices under way. NULL does nothing. Not from a
 * callback of its own.
 */
void knhk_executor_free(knhk_executor_t *executor);

/* ------------------------------------------------------------------------------------------------------------
 * Tasks of the warm executor, and runs of them. */

/** The run is done. */
#define KNHK_STEP_DONE 0

/** It has more to do, and gives way: it goes behind what waits at its level. */
#define KNHK_STEP_AGAIN 1

/** A run waits. */
#define KNHK_RUN_WAITING 0

/** Its callback is being called. */
#define KNHK_RUN_RUNNING 1

/** It came to its end. */
#define KNHK_RUN_DONE 2

/** It was cancelled, or given up when the executor ended. */
#define KNHK_RUN_CANCELLED 3

/** Its deadline had passed before it began, and its task drops such runs. */
#define KNHK_RUN_EXPIRED 4

/** Its callback panicked. */
#define KNHK_RUN_PANICKED 5

/** A task. Set `struct_size` to sizeof(knhk_task_callback_t). */
typedef struct {
    /** sizeof(knhk_task_callback_t). */
    uint32_t struct_size;
    /** A KNHK_PRIORITY_ constant; 0 for normal. */
    uint32_t priority;
    /** What a slice, one call of `run`, may take, in nanoseconds; 0 for 1 ms. */
    uint64_t budget_ns;
    /** Not 0 to drop runs whose deadline has passed before they begin; else they run, and count as late. */
    uint32_t drop_late;
    /** 0. */
    uint32_t reserved;
    /** Passed to the functions. */
    void *ctx;
    /**
     * Runs a slice, on one of the executor's threads, at the same time as other runs of the task. Returns a KNHK_STEP_ constant. It must not
     * throw and not end the thread; what it waits for is lost to the others.
     */
    uint32_t (*run)(void *ctx, knhk_run_t *run);
    /**
     * NULL, or called exactly once, when `run` will not be called any more: also when the call fails, unless `struct_size` is one that
     * the library does not know.
     */
    void (*destroy)(void *ctx);
    /**
     * NULL, or called once for each run that is over, whether it ran or not: with its argument, and how it ended, a KNHK_RUN_ constant. So an
     * argument can be what the run owns. On the thread that ended it: the executor's, or one that cancels or frees. As `run` it must not throw.
     */
    void (*over)(void *ctx, uint64_t argument, uint32_t state);
} knhk_task_callback_t;

/** What is known of a task. Set `struct_size` to sizeof(knhk_task_stats_t) before the call. */
typedef struct {
    /** sizeof(knhk_task_stats_t); on return, how much of this struct the library knows. */
    uint32_t struct_size;
    /** The KNHK_PRIORITY_ that it is served at: below its own where it overran again and again. */
    uint32_t level;
    /** Runs that ended. */
    uint64_t runs;
    /** Calls of its callback. */
    uint64_t slices;
    /** Calls that took longer than the budget. */
    uint64_t overruns;
    /** Runs that were dropped or ended after their deadline. */
    uint64_t late;
    /** What its slices took, in nanoseconds. */
    uint64_t busy_ns;
    /** The longest slice, in nanoseconds. */
    uint64_t worst_ns;
} knhk_task_stats_t;

/**
 * Registers a task.
 *
 * `callback`: taken over, whatever is returned. `task`: receives it; the program frees it with knhk_task_free, before or after the executor.
 * Returns KNHK_OK; KNHK_CLOSED where the executor was shut down. Any thread.
 */
knhk_status_t knhk_task_new(knhk_executor_t *executor,
                            const char *name,
                            const knhk_task_callback_t *callback,
                            knhk_task_t **task,
                            knhk_error_t **err);

/** Frees a task: runs that were submitted go on. NULL does nothing. Any thread. */
void knhk_task_free(knhk_task_t *task);

/**
 * Submits a run. It neither waits nor, without a ticket, allocates.
 *
 * `argument`: the callback's own affair. `within_ns`: from now until its deadline; 0 for none. `ticket`: NULL, or receives one, which the
 * program frees with knhk_ticket_free.
 * Returns KNHK_OK; KNHK_BUSY where all places are taken; KNHK_CLOSED where the executor has ended. Any thread.
 */
knhk_status_t knhk_task_submit(const knhk_task_t *task,
                               uint64_t argument,
                               uint64_t within_ns,
                               knhk_ticket_t **ticket,
                               knhk_error_t **err);

/**
 * Waits until a run is over.
 *
 * `timeout_ns`: at most so long; 0 to look alone. Returns a KNHK_RUN_ constant: where it is then; KNHK_RUN_CANCELLED for NULL. Any thread, but
 * no callback of the executor's.
 */
uint32_t knhk_ticket_wait(const knhk_ticket_t *ticket,
                          uint64_t timeout_ns);

/** Cancels a run: one that waits never runs, one that runs is told by knhk_run_cancelled. Returns whether it was not over yet. Any thread. */
bool knhk_ticket_cancel(const knhk_ticket_t *ticket);

/** Frees a ticket; its run goes on. NULL does nothing. Any thread. */
void knhk_ticket_free(knhk_ticket_t *ticket);

/** What was submitted. This and what follows are for a callback, on its thread, with what it was given. */
uint64_t knhk_run_argument(const knhk_run_t *run);

/** What the run noted in an earlier slice; 0 in the first one. */
uint64_t knhk_run_progress(const knhk_run_t *run);

/** Notes how far the run has come, for its next slice. */
void knhk_run_set_progress(knhk_run_t *run, uint64_t progress);

/**
 * Whether the callback should return, with KNHK_STEP_AGAIN where it has more to do: its budget is used up, it was cancelled, or the executor
 * is paused.
 */
bool knhk_run_should_yield(const knhk_run_t *run);

/** Whether the run was cancelled, or the executor gives up what runs. */
bool knhk_run_cancelled(const knhk_run_t *run);

/**
 * Looks at a task.
 *
 * `stats`: receives it. Any thread.
 */
knhk_status_t knhk_task_stats(const knhk_task_t *task, knhk_task_stats_t *stats, knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Channels: two ends, each of which sends what the other receives, with credit.
 *
 * A message is a pointer. It belongs to whoever holds it: the sender until a send succeeds, then the channel, then the receiver. What is
 * never received is discarded with the function that the channel was made with. At most `window` messages are under way each way: one
 * end grants the other so many, and one more for each that it is done with, so that a receiver that falls behind holds its senders back. An
 * end may be used by several threads at once, and closed by any of them; what waits at either end is woken then. */

/** Waits for ever. */
#define KNHK_FOREVER UINT64_MAX

/** How one way of a channel has fared. Set `struct_size` to sizeof(knhk_flow_t) before the call. */
typedef struct {
    /** sizeof(knhk_flow_t); on return, how much of this struct the library knows. */
    uint32_t struct_size;
    /** 1 where the receiver holds its senders back. */
    uint32_t held;
    /** The most messages that may be under way. */
    uint64_t window;
    /** Messages that were sent. */
    uint64_t sent;
    /** Messages that the receiver is done with. */
    uint64_t done;
    /** Attempts that found no credit. */
    uint64_t refused;
} knhk_flow_t;

/**
 * Makes a channel.
 *
 * `window`: messages that may be under way each way, 1 to 1,048,576; memory for them is taken here. `discard`: NULL, or called with each
 * message that was sent and is never received, on the thread that closes its receiver, or frees the sender. `left`, `right`: receive the ends; the program
 * frees each with knhk_channel_free.
 * Returns KNHK_OK; KNHK_INVALID_ARGUMENT for another window. Any thread.
 */
knhk_status_t knhk_channel_pair(uint32_t window,
                                void (*discard)(void *message),
                                knhk_channel_t **left,
                                knhk_channel_t **right,
                                knhk_error_t **err);

/**
 * Sends a message to the other end.
 *
 * `message`: the channel's once KNHK_OK is returned, and else still the caller's; NULL is one, too. `timeout_ns`: how long to wait for credit: 0 for
 * not at all, KNHK_FOREVER.
 * Returns KNHK_OK; KNHK_BUSY where no credit came in that time; KNHK_CLOSED where the other end is closed, or this one has finished. Any thread.
 */
knhk_status_t knhk_channel_send(knhk_channel_t *channel,
                                void *message,
                                uint64_t timeout_ns,
                                knhk_error_t **err);

/**
 * Receives the next message of the other end.
 *
 * `timeout_ns`: how long to wait for one: 0 for not at all, KNHK_FOREVER. `message`: receives it; it is the caller's.
 * Returns KNHK_OK; KNHK_TIMEOUT where none came in that time; KNHK_CLOSED when nothing will come: the other end has finished and everything was
 * received, or this end was closed. Any thread.
 */
knhk_status_t knhk_channel_receive(knhk_channel_t *channel,
                                   uint64_t timeout_ns,
                                   void **message,
                                   knhk_error_t **err);

/**
 * As knhk_channel_receive, for work that takes time: the message fills its place in the window until knhk_channel_done is called, once for
 * each.
 */
knhk_status_t knhk_channel_take(knhk_channel_t *channel,
                                uint64_t timeout_ns,
                                void **message,
                                knhk_error_t **err);

/** Says that a message which knhk_channel_take gave is done with; without one it does nothing. Any thread. */
knhk_status_t knhk_channel_done(knhk_channel_t *channel, knhk_error_t **err);

/**
 * A descriptor to poll: it is readable while there may be a message to receive, and for good when nothing will come any more.
 *
 * `fd`: receives an eventfd that belongs to the end: neither close nor read it. Receive with a timeout of 0 until KNHK_TIMEOUT, which has it wait
 * for the next message. Valid until the end is freed.
 * Returns KNHK_OK, or KNHK_SYSTEM when the process has no descriptors left. Any thread.
 */
knhk_status_t knhk_channel_fd(knhk_channel_t *channel,
                              int *fd,
                              knhk_error_t **err);

/** Withdraws the other end's credit until knhk_channel_release, for a receiver in trouble; what was sent can still be received. Any thread. */
knhk_status_t knhk_channel_hold(knhk_channel_t *channel,
                                knhk_error_t **err);

/** Gives back the credit that knhk_channel_hold withdrew. Any thread. */
knhk_status_t knhk_channel_release(knhk_channel_t *channel, knhk_error_t **err);

/** Sends nothing more: the other end receives what was sent, and then KNHK_CLOSED. Any thread. */
knhk_status_t knhk_channel_finish(knhk_channel_t *channel, knhk_error_t **err);

/**
 * Finishes, and receives nothing more: what was not received is discarded, the other end cannot send, and every thread that waits at this end
 * returns with KNHK_CLOSED. Any thread.
 */
knhk_status_t knhk_channel_close(knhk_channel_t *channel,
                                 knhk_error_t **err);

/** How what this end sends has fared. Any thread. */
knhk_status_t knhk_channel_outgoing(const knhk_channel_t *channel, knhk_flow_t *flow, knhk_error_t **err);

/** How what this end receives has fared. Any thread. */
knhk_status_t knhk_channel_incoming(const knhk_channel_t *channel, knhk_flow_t *flow, knhk_error_t **err);

/** Frees an end, which closes it. NULL does nothing. Any thread, once no other uses it: to end threads that wait at it, close it first. */
void knhk_channel_free(knhk_channel_t *channel);

/* ------------------------------------------------------------------------------------------------------------
 * The component graph: parts of a program that start after what they need, and stop before it.
 *
 * A shutdown has two phases, each with its own time: all components drain (they take nothing more, and finish what they have), then all
 * stop. A component that does not return keeps nobody waiting for ever: of the time that is left when its turn comes it has one part in as
 * many as the longest chain of components behind it is long, itself included. At the end of a phase those that have not returned are named in
 * the report, and their threads left to themselves. */

/**
 * A component of a graph. Set `struct_size` to sizeof(knhk_graph_callback_t). What is NULL has nothing to do, and always does it.
 *
 * `start`, `drain` and `stop` are called on threads of their own and return 0; or another number, and write why as NUL-terminated UTF-8 to
 * `why`, where there is room for `why_size` bytes. After a phase that one did not return from, the next one is called while the call before
 * still runs. They may use the graph but for starting it and shutting it down, must not throw, and not end the thread.
 */
typedef struct {
    /** sizeof(knhk_graph_callback_t). */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** Passed to the functions. */
    void *ctx;
    /** Begins its work. What it needs has begun. */
    int32_t (*start)(void *ctx, char *why, size_t why_size);
    /** Takes nothing more, and returns when it is done with what it has. What needs it has drained, or was given up. */
    int32_t (*drain)(void *ctx, char *why, size_t why_size);
    /** Ends. What needs it has ended, or was given up. */
    int32_t (*stop)(void *ctx, char *why, size_t why_size);
    /** How well it is, from 0 to 1; 1 where this is NULL. On the thread that asks for the graph's health. */
    double (*health)(void *ctx);
    /**
     * NULL, or called exactly once, when nothing above will be called any more and nothing of it runs: also when the call fails, unless
     * `struct_size` is one that the library does not know.
     */
    void (*destroy)(void *ctx);
} knhk_graph_callback_t;

/**
 * Makes a graph without components.
 *
 * `scope`: whose clock it goes by; NULL for the system's. `graph`: receives it; the program frees it with knhk_graph_free.
 * Returns KNHK_OK. Any thread.
 */
knhk_status_t knhk_graph_new(const knhk_scope_t *scope,
                             knhk_graph_t **graph,
                             knhk_error_t **err);

/** Frees a graph. What runs is not stopped: shut it down first. NULL does nothing. Any thread, once no other uses it. */
void knhk_graph_free(knhk_graph_t *graph);

/**
 * Adds a component; it is not started.
 *
 * `needs`: names of components, added before, that it depends on. `callback`: taken over, whatever is returned.
 * Returns KNHK_OK; KNHK_ALREADY_EXISTS; KNHK_NOT_FOUND for an unknown need. Any thread.
 */
knhk_status_t knhk_graph_add(knhk_graph_t *graph,
                             const char *name,
                             const char *const *needs,
                             size_t needs_len,
                             const knhk_graph_callback_t *callback,
                             knhk_error_t **err);

/**
 * Says that a component depends on another.
 *
 * Returns KNHK_OK; KNHK_NOT_FOUND; KNHK_BUSY where it runs; KNHK_INVALID_ARGUMENT where the dependencies would be a cycle, whose path the
 * message names. Any thread.
 */
knhk_status_t knhk_graph_depend(knhk_graph_t *graph,
                                const char *name,
                                const char *on,
                                knhk_error_t **err);

/**
 * Starts what does not run, in order: what does not depend on each other side by side.
 *
 * `patience_ns`: how long it may take. `report`: NULL, or receives how each fared, also when the call fails so; the program frees it with
 * knhk_graph_report_free.
 * Returns KNHK_OK; KNHK_CALL_FAILED where one failed, KNHK_TIMEOUT where one did not return: then what needs it is not started, and what did start
 * by then is stopped again, within as long. Any thread, but none of a component's.
 */
knhk_status_t knhk_graph_start(knhk_graph_t *graph,
                               uint64_t patience_ns,
                               knhk_graph_report_t **report,
                               knhk_error_t **err);

/**
 * Drains, then stops what runs, in order: what needs others before them. It ends at the latest when both times are over.
 *
 * `drain_ns`, `stop_ns`: how long each phase may take; 0 for 10 s and 5 s. `report`: NULL, or receives how each fared, also when the call
 * fails so; the program frees it with knhk_graph_report_free.
 * Returns KNHK_OK; KNHK_TIMEOUT where some did not return, whom the report and the message name; KNHK_CALL_FAILED where some failed. What could not be
 * stopped is given up. Any thread, but none of a component's.
 */
knhk_status_t knhk_graph_shutdown(knhk_graph_t *graph,
                                  uint64_t drain_ns,
                                  uint64_t stop_ns,
                                  knhk_graph_report_t **report,
                                  knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * How a start or a shutdown of a component graph went, and how well its components are. */

/** The component did what it was asked to. */
#define KNHK_COMPONENT_DONE 0

/** It said why not, or failed in another way. */
#define KNHK_COMPONENT_FAILED 1

/** It did not return in time. */
#define KNHK_COMPONENT_STUCK 2

/** It was not started, because what it needs was not. */
#define KNHK_COMPONENT_SKIPPED 3

/** How a component fared. */
typedef struct {
    /** How much of this struct the library knows. */
    uint32_t struct_size;
    /** A KNHK_COMPONENT_ constant. */
    uint32_t outcome;
    /** The component. */
    const char *name;
    /**
     * Of one that failed why; of one that is stuck "start", "drain" or "stop", whichever it did not return from; of one that was skipped what it
     * needs and was not started. "" of one that is done.
     */
    const char *why;
    /** How long it took, in nanoseconds, where it is done. */
    uint64_t took_ns;
} knhk_fared_t;

/** A component's health. */
typedef struct {
    /** How much of this struct the library knows. */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** The component. */
    const char *name;
    /** What it says of itself, from 0 to 1; 0 for one that does not run, or that says what is no number. */
    double own;
    /** The least of its own health and of what it needs, directly or not. */
    double effective;
    /** The components that pull it down: those of that least health that need nothing which is as ill. None where it is its own. */
    const char *const *because_of;
    /** How many they are. */
    size_t because_of_len;
} knhk_component_health_t;

/** How many components had a part; 0 for NULL. Any thread. */
size_t knhk_graph_report_len(const knhk_graph_report_t *report);

/** How a component fared, in the order in which they were added; NULL beyond the end. Valid until the report is freed. Any thread. */
const knhk_fared_t *knhk_graph_report_at(const knhk_graph_report_t *report,
                                         size_t index);

/**
 * The whole for people: a line, and one for each component that did not do what it was asked to. "" for NULL. Valid until the report is
 * freed. Any thread.
 */
const char *knhk_graph_report_text(const knhk_graph_report_t *report);

/** Frees a report. NULL does nothing. Any thread; its items may not be used any more. */
void knhk_graph_report_free(knhk_graph_report_t *report);

/**
 * How well each component is, in the order in which they were added. They are asked on the calling thread.
 *
 * `healths`: receives the list, which the program frees with knhk_component_health_list_free. Returns KNHK_OK. Any thread.
 */
knhk_status_t knhk_graph_health(const knhk_graph_t *graph,
                                knhk_component_health_list_t **healths,
                                knhk_error_t **err);

/** How many components a list has; 0 for NULL. Any thread. */
size_t knhk_component_health_list_len(const knhk_component_health_list_t *healths);

/** A component's health; NULL beyond the end. Valid until the list is freed. Any thread. */
const knhk_component_health_t *knhk_component_health_list_at(const knhk_component_health_list_t *healths, size_t index);

/** Frees a list of healths. NULL does nothing. Any thread; its items may not be used any more. */
void knhk_component_health_list_free(knhk_component_health_list_t *healths);

/* ------------------------------------------------------------------------------------------------------------
 * Governance: changes that become current only once seven stages have nothing against them.
 *
 * Each call takes its request as a JSON object, NULL for the empty one, and answers with a buffer of JSON, which the program frees with
 * knhk_buffer_free; `docs/governing.md` has both, field by field. Times are nanoseconds since the Unix epoch, bytes are base64. A field that
 * a request does not know is KNHK_INVALID_ARGUMENT, and names it. Any thread.
 *
 *    knhk_buffer_t *answer;
 *    knhk_propose(eng, "{\"changes\": [{\"sector\": \"orders\", \"content\": {\"values\": [[\"max_qty\", \"1400\"]]}}],"
 *                      " \"by\": \"ops-2\", \"why\": \"desk asked, ticket 881\"}", &answer, &err);
 *    puts(knhk_buffer_data(answer)); // {"id": "p-19", "state": "waiting", "said": "waits for an approval by desk-risk", …}
 *
 * What the calls have in common beside the errors of any call on an engine: KNHK_NOT_FOUND for an id or a sector that there is not;
 * KNHK_INVALID_ARGUMENT for a malformed request; KNHK_UNGOVERNED, KNHK_NOT_ADMITTED and KNHK_WAITING where governance refuses. */

/**
 * Does what a verb asks for: the calls below are this one with their verb, and a library that is newer than the header may know more.
 *
 * `verb`: such as "propose". `request`, `answer`: those of the verb. Returns KNHK_INVALID_ARGUMENT for a verb that there is not.
 */
knhk_status_t knhk_govern(const knhk_engine_t *engine,
                          const char *verb,
                          const char *request,
                          knhk_buffer_t **answer,
                          knhk_error_t **err);

/**
 * Signs what knhk_approval_request made, with the approver's key. It needs no engine, and nothing of the key goes to one.
 *
 * `request`: {"payload", "key"}: base64, the key's secret 32 bytes. `answer`: {"approval"}: base64 of the COSE_Sign (RFC 9052), for
 * knhk_approve.
 */
knhk_status_t knhk_sign_approval(const char *request,
                                 knhk_buffer_t **answer,
                                 knhk_error_t **err);

/**
 * Makes a pair of keys for an approver (Ed25519).
 *
 * `answer`: {"public", "secret"}: 64 hexadecimal digits for knhk_change_approvers, and base64 for knhk_sign_approval, which the program
 * keeps to itself.
 */
knhk_status_t knhk_approver_key(knhk_buffer_t **answer,
                                knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Proposals: changes on their way through the seven stages, and what each said of them. */

/**
 * Files a proposal, runs it through the stages, and makes it current once nothing speaks against it and nothing is missing. Whoever asks
 * is no approver.
 *
 * `request`: {"changes": [{"sector", "content"}], "by", "why", "major", "confidence", "at_ns", "enact"}. `answer`: the proposal; one that
 * a stage refused is filed as "refused", with its reports, and is no error.
 */
knhk_status_t knhk_propose(const knhk_engine_t *engine,
                           const char *request,
                           knhk_buffer_t **answer,
                           knhk_error_t **err);

/**
 * Runs a change through the stages without filing it: what would become of it.
 *
 * `request`: as knhk_propose. `answer`: {"reports", "text"}, the text for people.
 */
knhk_status_t knhk_check(const knhk_engine_t *engine, const char *request, knhk_buffer_t **answer, knhk_error_t **err);

/**
 * Lists proposals, the newest first.
 *
 * `request`: {"sector", "open", "before", "limit"}, each of which may be left out. `answer`: {"proposals"}.
 */
knhk_status_t knhk_proposals(const knhk_engine_t *engine,
                             const char *request,
                             knhk_buffer_t **answer,
                             knhk_error_t **err);

/**
 * Looks a proposal up.
 *
 * `request`: {"id"}. `answer`: the proposal.
 */
knhk_status_t knhk_proposal(const knhk_engine_t *engine,
                            const char *request,
                            knhk_buffer_t **answer,
                            knhk_error_t **err);

/**
 * Runs a proposal again and makes it current.
 *
 * `request`: {"id", "by"}. `answer`: the proposal. KNHK_NOT_ADMITTED where a stage refuses it, KNHK_WAITING where something is missing:
 * knhk_error_reports has the reports.
 */
knhk_status_t knhk_enact(const knhk_engine_t *engine,
                         const char *request,
                         knhk_buffer_t **answer,
                         knhk_error_t **err);

/**
 * Takes a proposal back.
 *
 * `request`: {"id", "by", "why"}. `answer`: the proposal.
 */
knhk_status_t knhk_withdraw(const knhk_engine_t *engine,
                            const char *request,
                            knhk_buffer_t **answer,
                            knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Approvals, relaxations, guards, and who may approve: each approval is signed by the approver's own key. */

/**
 * Makes what an approver signs.
 *
 * `request`: {"kind": "proposal", "relaxation", "approvers" or "guards", "id", "by"}. `answer`: {"payload", "text"}: base64, and what is
 * signed, for people.
 */
knhk_status_t knhk_approval_request(const knhk_engine_t *engine,
                                    const char *request,
                                    knhk_buffer_t **answer,
                                    knhk_error_t **err);

/**
 * Takes an approval: verifies it, records it, and carries on with what waited for it.
 *
 * `request`: {"approval"}: base64 of knhk_sign_approval's COSE_Sign. `answer`: {"proposal"}, {"relaxation"} or {"change"}, whatever was
 * approved.
 */
knhk_status_t knhk_approve(const knhk_engine_t *engine,
                           const char *request,
                           knhk_buffer_t **answer,
                           knhk_error_t **err);

/**
 * Asks for a relaxation of a guard. It is in force once enough approvers signed it and its review time is over, and until it expires.
 *
 * `request`: {"guard", "sector", "proposal", "by", "why", "until_ns"}. `answer`: the relaxation.
 */
knhk_status_t knhk_relax(const knhk_engine_t *engine,
                         const char *request,
                         knhk_buffer_t **answer,
                         knhk_error_t **err);

/**
 * Ends a relaxation.
 *
 * `request`: {"id", "by", "why"}. `answer`: the relaxation.
 */
knhk_status_t knhk_revoke(const knhk_engine_t *engine, const char *request, knhk_buffer_t **answer, knhk_error_t **err);

/**
 * Lists relaxations.
 *
 * `request`: {"open"}. `answer`: {"relaxations"}.
 */
knhk_status_t knhk_relaxations(const knhk_engine_t *engine,
                               const char *request,
                               knhk_buffer_t **answer,
                               knhk_error_t **err);

/**
 * Who may approve: names, public keys, groups.
 *
 * `request`: {}. `answer`: {"approvers"}, null before the first set.
 */
knhk_status_t knhk_approvers(const knhk_engine_t *engine,
                             const char *request,
                             knhk_buffer_t **answer,
                             knhk_error_t **err);

/**
 * Asks for another set of approvers, which the old set and the new one sign.
 *
 * `request`: {"approvers" or "toml", "by", "why"}. `answer`: the change, which knhk_approve takes approvals of.
 */
knhk_status_t knhk_change_approvers(const knhk_engine_t *engine,
                                    const char *request,
                                    knhk_buffer_t **answer,
                                    knhk_error_t **err);

/**
 * Lists the guards.
 *
 * `request`: {"sector"}. `answer`: {"guards"}.
 */
knhk_status_t knhk_guards(const knhk_engine_t *engine, const char *request, knhk_buffer_t **answer, knhk_error_t **err);

/**
 * Asks for another set of guards.
 *
 * `request`: {"guards" or "toml", "by", "why"}. `answer`: the change.
 */
knhk_status_t knhk_change_guards(const knhk_engine_t *engine,
                                 const char *request,
                                 knhk_buffer_t **answer,
                                 knhk_error_t **err);

/**
 * Asks for one more guard.
 *
 * `request`: {"guard", "by", "why"}. `answer`: the change.
 */
knhk_status_t knhk_add_guard(const knhk_engine_t *engine,
                             const char *request,
                             knhk_buffer_t **answer,
                             knhk_error_t **err);

/**
 * Asks for one guard less.
 *
 * `request`: {"id", "by", "why"}. `answer`: the change.
 */
knhk_status_t knhk_remove_guard(const knhk_engine_t *engine,
                                const char *request,
                                knhk_buffer_t **answer,
                                knhk_error_t **err);

/**
 * Lists the changes of approvers and guards that are on their way.
 *
 * `request`: {}. `answer`: {"changes"}.
 */
knhk_status_t knhk_governance_changes(const knhk_engine_t *engine,
                                      const char *request,
                                      knhk_buffer_t **answer,
                                      knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Doctrine: an organisation's rules for changes, with the time in which each holds and the time at which it was decided. */

/**
 * Adds rules, or replaces those of the same ids. A rule that contradicts another is refused, and both are named.
 *
 * `request`: {"rule" or "toml", "by", "why"}. `answer`: {"rules"}: their revisions.
 */
knhk_status_t knhk_add_rule(const knhk_engine_t *engine,
                            const char *request,
                            knhk_buffer_t **answer,
                            knhk_error_t **err);

/**
 * Removes a rule; its history stays.
 *
 * `request`: {"id", "by", "why"}. `answer`: {"rule"}.
 */
knhk_status_t knhk_remove_rule(const knhk_engine_t *engine,
                               const char *request,
                               knhk_buffer_t **answer,
                               knhk_error_t **err);

/**
 * The rules in force, now or as of a moment.
 *
 * `request`: {"sector", "valid_ns", "decided_ns"}: in force at, as known at. `answer`: {"rules", "hash"}.
 */
knhk_status_t knhk_rules(const knhk_engine_t *engine, const char *request, knhk_buffer_t **answer, knhk_error_t **err);

/**
 * Every revision of the rules.
 *
 * `request`: {"id"}. `answer`: {"revisions"}.
 */
knhk_status_t knhk_doctrine_log(const knhk_engine_t *engine,
                                const char *request,
                                knhk_buffer_t **answer,
                                knhk_error_t **err);

/**
 * Brings back the rules as they were known at a moment, as new revisions.
 *
 * `request`: {"to_ns", "by", "why"}. `answer`: {"revisions"}.
 */
knhk_status_t knhk_rollback_doctrine(const knhk_engine_t *engine,
                                     const char *request,
                                     knhk_buffer_t **answer,
                                     knhk_error_t **err);

/**
 * Removes the rules whose time is over.
 *
 * `request`: {}. `answer`: {"revisions"}.
 */
knhk_status_t knhk_clean_up_doctrine(const knhk_engine_t *engine,
                                     const char *request,
                                     knhk_buffer_t **answer,
                                     knhk_error_t **err);

/**
 * Lists the rules that changes broke: who, when, which rule.
 *
 * `request`: {"sector"}. `answer`: {"violations"}.
 */
knhk_status_t knhk_violations(const knhk_engine_t *engine,
                              const char *request,
                              knhk_buffer_t **answer,
                              knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Shadows: environments beside the current snapshots in which a change is tried. */

/**
 * Opens a shadow with changes in it.
 *
 * `request`: {"changes", "by"}. `answer`: the shadow, with what differs in each sector.
 */
knhk_status_t knhk_shadow(const knhk_engine_t *engine, const char *request, knhk_buffer_t **answer, knhk_error_t **err);

/**
 * Tests a shadow.
 *
 * `request`: {"id", "sector", "tests": [{"name", "severity", "assertion"}]}. `answer`: {"results": [{"sector", "report"}]}.
 */
knhk_status_t knhk_shadow_test(const knhk_engine_t *engine,
                               const char *request,
                               knhk_buffer_t **answer,
                               knhk_error_t **err);

/**
 * Lists the shadows that are open.
 *
 * `request`: {}. `answer`: {"shadows"}.
 */
knhk_status_t knhk_shadows(const knhk_engine_t *engine,
                           const char *request,
                           knhk_buffer_t **answer,
                           knhk_error_t **err);

/**
 * Drops a shadow.
 *
 * `request`: {"id"}. `answer`: {"dropped"}.
 */
knhk_status_t knhk_drop_shadow(const knhk_engine_t *engine,
                               const char *request,
                               knhk_buffer_t **answer,
                               knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * How a change becomes current: to a share of decisions first, at a time, of several sectors at once. */

/**
 * Has a share of the decisions, chosen by the caller's subject at knhk_read_begin_for, read a proposal's candidate.
 *
 * `request`: {"proposal", "share", "by", "why"}. `answer`: the canary.
 */
knhk_status_t knhk_canary(const knhk_engine_t *engine, const char *request, knhk_buffer_t **answer, knhk_error_t **err);

/**
 * Ends a canary: its candidate becomes current, or is gone.
 *
 * `request`: {"id", "adopt", "by", "why"}. `answer`: the canary.
 */
knhk_status_t knhk_stop_canary(const knhk_engine_t *engine,
                               const char *request,
                               knhk_buffer_t **answer,
                               knhk_error_t **err);

/**
 * Lists the canaries with their counts.
 *
 * `request`: {}. `answer`: {"canaries"}.
 */
knhk_status_t knhk_canaries(const knhk_engine_t *engine,
                            const char *request,
                            knhk_buffer_t **answer,
                            knhk_error_t **err);

/**
 * Has a proposal become current at a time; it does so after a restart, too.
 *
 * `request`: {"proposal", "at": {"moment" or "window", "time_zone"}, "by", "why"}: 2026-11-28T02:00:00Z, or Sat 02:00-04:00. `answer`: the
 * schedule.
 */
knhk_status_t knhk_schedule(const knhk_engine_t *engine,
                            const char *request,
                            knhk_buffer_t **answer,
                            knhk_error_t **err);

/**
 * Takes a schedule back.
 *
 * `request`: {"id", "by", "why"}. `answer`: the schedule.
 */
knhk_status_t knhk_unschedule(const knhk_engine_t *engine,
                              const char *request,
                              knhk_buffer_t **answer,
                              knhk_error_t **err);

/**
 * Lists what is scheduled.
 *
 * `request`: {}. `answer`: {"schedules"}.
 */
knhk_status_t knhk_schedules(const knhk_engine_t *engine,
                             const char *request,
                             knhk_buffer_t **answer,
                             knhk_error_t **err);

/**
 * Lists the promotions whose objectives are watched.
 *
 * `request`: {}. `answer`: {"probations"}.
 */
knhk_status_t knhk_probations(const knhk_engine_t *engine,
                              const char *request,
                              knhk_buffer_t **answer,
                              knhk_error_t **err);

/**
 * Promotes several sectors at once, with one swap: no reader sees a mix, and all of it happens or nothing. Of direct sectors; governed
 * ones are proposed.
 *
 * `request`: {"changes", "by", "why", "major"}. `answer`: {"versions"}.
 */
knhk_status_t knhk_promote_together(const knhk_engine_t *engine,
                                    const char *request,
                                    knhk_buffer_t **answer,
                                    knhk_error_t **err);

/**
 * Rolls several sectors back at once.
 *
 * `request`: {"sectors": [{"sector", "version"}], "by", "why", "emergency"}; with "emergency" before anything is written, and also where
 * nothing can be. `answer`: {"versions"}.
 */
knhk_status_t knhk_rollback_together(const knhk_engine_t *engine,
                                     const char *request,
                                     knhk_buffer_t **answer,
                                     knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * History grown up: merging versions, finding the bad one, who said what, and code from what is current. */

/**
 * Merges two versions of a sector over their common base.
 *
 * `request`: {"sector", "theirs", "ours", "by", "why", "resolve", "propose"}; "resolve" says by item what becomes of conflicts: "ours", "theirs"
 * or {"value"}, and "*" for those that are not named. `answer`: {"sector", "base", "ours", "theirs", "conflicts", "removed",
 * "added", "text", "proposal"}.
 */
knhk_status_t knhk_merge(const knhk_engine_t *engine,
                         const char *request,
                         knhk_buffer_t **answer,
                         knhk_error_t **err);

/**
 * The next version to look at between a good one and a bad one. It keeps nothing: repeat it with one verdict more.
 *
 * `request`: {"sector", "good", "bad"} to begin; {"state", "version", "trial": "good", "bad" or "skip"} to go on with what the answer
 * gave; with "where", a condition in CEL over `values` that is true of a bad version, all of it at once. `answer`: {"state", "next",
 * "culprit", "text"}.
 */
knhk_status_t knhk_bisect(const knhk_engine_t *engine,
                          const char *request,
                          knhk_buffer_t **answer,
                          knhk_error_t **err);

/**
 * Which version said a statement, or gave a path its value.
 *
 * `request`: {"sector", "path" or "statement", "version"}. `answer`: {"entries": [{"statement", "path", "change", "or_earlier"}]}.
 */
knhk_status_t knhk_blame(const knhk_engine_t *engine,
                         const char *request,
                         knhk_buffer_t **answer,
                         knhk_error_t **err);

/**
 * Typed keys and their documentation as source text.
 *
 * `request`: {"sector", "language": "c", "cpp", "rust", "python" or "typescript", "version"}. `answer`: {"language", "file", "text",
 * "version", "receipt"}.
 */
knhk_status_t knhk_codegen(const knhk_engine_t *engine,
                           const char *request,
                           knhk_buffer_t **answer,
                           knhk_error_t **err);

/**
 * Proposes to carry every sector over to the core that this library ships, where it is another one than theirs.
 *
 * `request`: {"by", "why"}. `answer`: {"proposal"}, null where nothing is to be done.
 */
knhk_status_t knhk_recompose(const knhk_engine_t *engine,
                             const char *request,
                             knhk_buffer_t **answer,
                             knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Functions of the program that have a say in governance: what rules, tests of shadows and invariants across sectors ask, work that is
 * measured with candidates.
 *
 *    static int32_t below(void *ctx, const knhk_question_t *asked, char *why, size_t why_size) {
 *        int64_t qty = knhk_get_i64(asked->view, *(knhk_key_t *)ctx, 0); // as it would be
 *        return qty <= 2000 ? 0 : snprintf(why, why_size, "%lld lots are too many", (long long)qty);
 *    }
 *    knhk_function_t function = {.struct_size = sizeof function, .ctx = &max_qty, .judge = below};
 *    knhk_set_rule_function(eng, "below", &function, &err); // [rule.callback] name = "below"
 *
 * Nothing of it is kept: whoever opens the engine registers it anew. A rule or a test whose function is not there refuses. */

/** What a function is asked. It is valid during the call. */
typedef struct {
    /** How much of this struct the library knows. */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /**
     * JSON: "kind" ("rule", "invariant" or "test"), "name", "sector", "differences"; of a rule "rule"; of a rule and of an invariant
     * "proposal", "by", "why", "major", "confidence", "time_ns", "at_ns"; of a test "shadow". `docs/governing.md` has each field.
     */
    const char *text;
    /** Its length. */
    size_t text_len;
    /** The sectors as they would be, read like any other view. It is not ended. */
    knhk_view_t view;
} knhk_question_t;

/**
 * A function that judges. Set `struct_size` to sizeof(knhk_function_t).
 *
 * `judge` may be called from any thread, several at once, during calls that have stages run or a shadow tested, and by the engine's own
 * thread where a proposal falls due. It may read the engine and must not change it. It must not throw, and not end the thread.
 */
typedef struct {
    /** sizeof(knhk_function_t). */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** Passed to the functions. */
    void *ctx;
    /** Returns 0 where nothing speaks against it, or else anything, and writes why, as UTF-8 with a NUL, into at most `why_size` bytes. */
    int32_t (*judge)(void *ctx, const knhk_question_t *question, char *why, size_t why_size);
    /**
     * NULL, or called exactly once, when `judge` will not be called any more: it was replaced or taken away, the engine was closed, or the
     * registration failed; not where `struct_size` is one that the library does not know. On any thread.
     */
    void (*destroy)(void *ctx);
} knhk_function_t;

/**
 * Work that is measured with candidates. Set `struct_size` to sizeof(knhk_workload_t).
 *
 * `run` is called on a thread that measures, often, with what is current and with the candidate in turns; else as knhk_function_t's `judge`.
 */
typedef struct {
    /** sizeof(knhk_workload_t). */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** Passed to the functions. */
    void *ctx;
    /**
     * Does the work `times` times, reading through the view as the program would. What it returns is not looked at: it is there so that the
     * compiler cannot leave the work out.
     */
    uint64_t (*run)(void *ctx, knhk_view_t view, uint64_t times);
    /** As of knhk_function_t. */
    void (*destroy)(void *ctx);
} knhk_workload_t;

/**
 * Registers a function that rules of the kind `callback` call by this name, in the place of another of the name.
 *
 * `function`: taken over, whatever is returned; NULL takes away what was registered. Returns KNHK_OK; KNHK_NOT_FOUND where there was nothing to
 * take away; KNHK_STRUCT_SIZE; KNHK_NULL_ARGUMENT also where `judge` is NULL. Any thread.
 */
knhk_status_t knhk_set_rule_function(knhk_engine_t *engine,
                                     const char *name,
                                     const knhk_function_t *function,
                                     knhk_error_t **err);

/**
 * Registers a function that tests of shadows call by this name: {"name", "severity", "assertion": {"function": {"name"}}}.
 *
 * As knhk_set_rule_function.
 */
knhk_status_t knhk_set_test_function(knhk_engine_t *engine,
                                     const char *name,
                                     const knhk_function_t *function,
                                     knhk_error_t **err);

/**
 * Registers what has to hold across sectors, which every change of a governed sector is judged by, in the place of another of the name.
 *
 * `severity`: "info", "warning" or "blocker", which refuses; NULL for the last. `condition`: in CEL over values of several sectors, such as
 * `after["orders/max_qty"] <= after["risk/ceiling"]`; or NULL. `function`: taken over, whatever is returned; or NULL. There is one of the two;
 * where there is neither, what was registered is taken away.
 * Returns as knhk_set_rule_function; KNHK_DOCUMENT for what is no condition; KNHK_INVALID_ARGUMENT for both, or another severity.
 */
knhk_status_t knhk_set_invariant(knhk_engine_t *engine,
                                 const char *name,
                                 const char *severity,
                                 const char *condition,
                                 const knhk_function_t *function,
                                 knhk_error_t **err);

/**
 * Registers work that is measured with a sector's candidates beside the reads, in the place of another of the name: a candidate that makes it
 * slower than `governance/slowdown_percent` allows is refused by the stage performance.
 *
 * `workload`: as `function` of knhk_set_rule_function. Returns as that does; KNHK_NOT_FOUND also for a sector that there is not.
 */
knhk_status_t knhk_set_workload(knhk_engine_t *engine,
                                const char *sector,
                                const char *name,
                                const knhk_workload_t *workload,
                                knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Who hears how far the stages are, and can stop them. */

/** A stage that begins or has ended. */
typedef struct {
    /** How much of this struct the library knows. */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** The sector whose change is judged. */
    const char *sector;
    /** "schema", "invariants", "doctrine", "guards", "performance", "rollback" or "compatibility". */
    const char *stage;
    /** NULL where it begins; else "passed", "waiting", "not_judged" or "refused". */
    const char *verdict;
    /** NULL where it begins; else what it says, as JSON. */
    const char *report;
} knhk_stage_t;

/** Who hears how far the stages are. Set `struct_size` to sizeof(knhk_stage_callback_t). */
typedef struct {
    /** sizeof(knhk_stage_callback_t). */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** Passed to the functions. */
    void *ctx;
    /**
     * Called as each stage begins and ends, on the threads that work, one call at a time; `now` is valid during the call. Returning anything but
     * 0 stops the run: what has not begun refuses, and a measurement ends.
     */
    int32_t (*stage)(void *ctx, const knhk_stage_t *now);
    /** NULL, or called exactly once before the call returns, unless `struct_size` is one that the library does not know. */
    void (*destroy)(void *ctx);
} knhk_stage_callback_t;

/**
 * knhk_govern that tells how far the stages are, and can be stopped: "propose" and "check".
 *
 * `verb`, `request`, `answer`: as of knhk_govern; of other verbs nothing is told. `callback`: taken over, whatever is returned; NULL for nobody.
 */
knhk_status_t knhk_govern_watched(const knhk_engine_t *engine,
                                  const char *verb,
                                  const char *request,
                                  const knhk_stage_callback_t *callback,
                                  knhk_buffer_t **answer,
                                  knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * The closed loop: the engine watches what the program observes, proposes changes of its limits, and follows what becomes of them.
 *
 * What is watched, and what is done about it, a sector's ontology declares (knhk:Watch, knhk:Remedy); the program starts the loop on an engine
 * that keeps observations. Each call takes its request as a JSON object, NULL for the empty one, and answers with a buffer of JSON, which
 * the program frees with knhk_buffer_free; `docs/loop.md` has both, field by field. Errors are those of the calls of governance, and KNHK_NOT_READY
 * where the engine keeps no observations. Any thread.
 *
 *    knhk_buffer_t *answer;
 *    knhk_loop_start(eng, "{\"sectors\": [\"gateway\"], \"changes_per_hour\": 6}", &answer, &err);
 *    knhk_buffer_free(answer);
 *    knhk_cycles(eng, "{\"limit\": 1}", &answer, &err);
 *    puts(knhk_buffer_data(answer)); // {"cycles": [{"id": "l-7", "state": "closed", "outcome": "kept", …}]} */

/**
 * Starts the loop: a thread of the engine takes a turn again and again. One that runs goes on with the new settings.
 *
 * `request`: {"sectors", "every_ms", "changes_per_hour", "step", "cooldown_s", "confirm_above", "proposers", "deadline_ms"}; what is left out is the default. `answer`: as knhk_loop_status.
 */
knhk_status_t knhk_loop_start(const knhk_engine_t *engine,
                              const char *request,
                              knhk_buffer_t **answer,
                              knhk_error_t **err);

/**
 * Stops the loop, once the turn under way has ended. What it proposed stays on its way. No proposer, model or detector is waited for.
 *
 * `request`: {}. `answer`: as knhk_loop_status.
 */
knhk_status_t knhk_loop_stop(const knhk_engine_t *engine,
                             const char *request,
                             knhk_buffer_t **answer,
                             knhk_error_t **err);

/**
 * Takes one turn now, on this thread: for a program that has the clock in its own hands and started the loop with `every_ms` 0. Where a proposer
 * or a model is asked, it waits for the answer, and takes it up in another turn.
 *
 * `request`: {}. `answer`: {"cycles"}: those that the turn began or moved on.
 */
knhk_status_t knhk_loop_step(const knhk_engine_t *engine,
                             const char *request,
                             knhk_buffer_t **answer,
                             knhk_error_t **err);

/**
 * What the loop is doing: turns, watches with how unusual their last sample was, forecasts.
 *
 * `request`: {}. `answer`: {"running", "turns", "last_turn_ns", "took_ns", "sectors", "watches", "forecasts", "hooks_skipped", "counters"}.
 */
knhk_status_t knhk_loop_status(const knhk_engine_t *engine,
                               const char *request,
                               knhk_buffer_t **answer,
                               knhk_error_t **err);

/**
 * Lists what was found in the observations, the newest first.
 *
 * `request`: {"sector", "since_ns", "limit"}. `answer`: {"patterns"}.
 */
knhk_status_t knhk_patterns(const knhk_engine_t *engine,
                            const char *request,
                            knhk_buffer_t **answer,
                            knhk_error_t **err);

/**
 * Lists cycles, each from a pattern to what became of the plan for it; the newest first.
 *
 * `request`: {"sector", "open", "limit", "before"}. `answer`: {"cycles"}.
 */
knhk_status_t knhk_cycles(const knhk_engine_t *engine, const char *request, knhk_buffer_t **answer, knhk_error_t **err);

/**
 * One cycle.
 *
 * `request`: {"id"}. `answer`: the cycle.
 */
knhk_status_t knhk_cycle(const knhk_engine_t *engine, const char *request, knhk_buffer_t **answer, knhk_error_t **err);

/**
 * Computes the loop's decisions anew from the observations that were kept, and compares them with those of the receipts.
 *
 * `request`: {"cycle"} or {"from_ns", "to_ns"}. `answer`: {"turns", "patterns", "decisions", "equal", "differences", "missing"}.
 */
knhk_status_t knhk_replay(const knhk_engine_t *engine,
                          const char *request,
                          knhk_buffer_t **answer,
                          knhk_error_t **err);

/**
 * What was learned: how plans did by watch, proposer and rule, and what refused them.
 *
 * `request`: {"sector"}. `answer`: {"watches", "proposers", "rules", "refusals"}.
 */
knhk_status_t knhk_knowledge(const knhk_engine_t *engine,
                             const char *request,
                             knhk_buffer_t **answer,
                             knhk_error_t **err);

/**
 * All that was learned, for knhk_import_knowledge of another engine.
 *
 * `request`: {}. `answer`: {"knowledge"}.
 */
knhk_status_t knhk_export_knowledge(const knhk_engine_t *engine,
                                    const char *request,
                                    knhk_buffer_t **answer,
                                    knhk_error_t **err);

/**
 * Adds what another engine learned; it counts as older than what is here.
 *
 * `request`: {"knowledge"}. `answer`: {"imported"}.
 */
knhk_status_t knhk_import_knowledge(const knhk_engine_t *engine,
                                    const char *request,
                                    knhk_buffer_t **answer,
                                    knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Proposers of the program's own: they answer what the loop found with a plan. A plan is checked and filed as a proposal like anybody's; nothing
 * becomes current that the pipeline refuses. */

/**
 * A proposer. Set `struct_size` to sizeof(knhk_proposer_t).
 *
 * `propose` is called on a thread of the loop, one call at a time, with no lock of the engine held: it may call the engine back, also to close
 * it. What starts, stops or steps the loop is refused with KNHK_BUSY. No turn waits for it; what comes later than the loop's `deadline_ms` is not
 * used. It must not throw, and not end the thread.
 */
typedef struct {
    /** sizeof(knhk_proposer_t). */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** Passed to the functions. */
    void *ctx;
    /**
     * Answers a question: {"pattern", "parameters", "doctrine", "guards", "invariants", "examples", "refusals"}, `len` bytes of JSON with a NUL
     * behind them. Writes a plan with knhk_answer_write, or nothing where it knows none, and returns 0. Or returns another number and writes why
     * as NUL-terminated UTF-8 to `why`, where there is room for `why_size` bytes; the cycle says it.
     */
    int32_t (*propose)(void *ctx, const char *question, size_t len, knhk_answer_t *answer, char *why, size_t why_size);
    /**
     * NULL, or called exactly once, when `propose` will not be called any more: also when the call fails, unless `struct_size` is one that
     * the library does not know. On any thread.
     */
    void (*destroy)(void *ctx);
} knhk_proposer_t;

/**
 * Writes a plan, or a part of one, behind what was written before.
 *
 * `answer`: what `propose` was given; valid until it returns, on its thread. `plan`: `len` bytes of JSON: {"changes": [{"path", "value"}],
 * "why", "confidence"}. Returns 0, or another number where there is no more room (64 KiB): then `propose` returns it.
 */
int32_t knhk_answer_write(knhk_answer_t *answer,
                          const char *plan,
                          size_t len);

/**
 * Adds a proposer to an engine's loop, which asks it where its settings name it among `proposers`.
 *
 * `name`: what receipts call it; not rule, search or model. `proposer`: taken over, whatever is returned.
 * Returns KNHK_OK; KNHK_ALREADY_EXISTS where the name is taken; KNHK_STRUCT_SIZE; KNHK_NULL_ARGUMENT also where `propose` is NULL. Any
 * thread; before or after the loop is started.
 */
knhk_status_t knhk_proposer_add(const knhk_engine_t *engine,
                                const char *name,
                                const knhk_proposer_t *proposer,
                                knhk_error_t **err);

/**
 * Removes a proposer; its `destroy` is called once nobody uses it any more.
 *
 * Returns KNHK_OK; KNHK_NOT_FOUND. Any thread.
 */
knhk_status_t knhk_proposer_remove(const knhk_engine_t *engine, const char *name, knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Detectors of the program's own: a watch of which the ontology says knhk:detector "callback:NAME" is judged by the one of that name. */

/** What was recorded of the watched kind in one sample's time. */
typedef struct {
    /** How much of this struct the library knows. */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** When it begins, in nanoseconds since 1970 (UTC). */
    uint64_t from_ns;
    /** When it ends. */
    uint64_t to_ns;
    /** How many records, and how they ended. */
    knhk_counts_t counts;
    /** The watch's measure; NaN where it has none, or there is nothing to compute it of. */
    double value;
} knhk_sample_t;

/** What a detector says of a sample. */
typedef struct {
    /** The detector's own figure: the more, the more unusual. */
    double statistic;
    /** 1 - the probability of such a statistic while nothing changed, from 0 to 1. The watch says from which confidence on it is told. */
    double confidence;
    /** What was expected. */
    double expected;
} knhk_score_t;

/**
 * A kind of detector. Set `struct_size` to sizeof(knhk_detector_t).
 *
 * The functions are called on a thread of the loop, one call at a time. They may call the engine back, also to close it. What starts, stops or
 * steps the loop, and what asks for its knowledge, is refused with KNHK_BUSY: a turn waits for them. What comes later than the loop's `deadline_ms`
 * is not used. They must not throw, and not end the thread. What they remember is the program's to keep: they begin anew after a restart.
 */
typedef struct {
    /** sizeof(knhk_detector_t). */
    uint32_t struct_size;
    /** 0. */
    uint32_t reserved;
    /** Passed to the functions. */
    void *ctx;
    /** NULL, or makes the state of one detector, for a sector's watch. Valid texts until it returns. */
    void *(*begin)(void *ctx, const char *sector, const char *watch);
    /**
     * Judges the next sample and returns 0. `state`: what `begin` made, or NULL. `score`: receives what it says; left as it is while there
     * were too few samples to judge by. Or returns another number and writes why as NUL-terminated UTF-8 to `why`, where there is room
     * for `why_size` bytes.
     */
    int32_t (*observe)(void *ctx,
                       void *state,
                       const knhk_sample_t *sample,
                       knhk_score_t *score,
                       char *why,
                       size_t why_size);
    /** NULL, or called exactly once for each state that `begin` made, on any thread. */
    void (*end)(void *ctx, void *state);
    /**
     * NULL, or called exactly once, when none of the functions will be called any more: also when the call fails, unless `struct_size` is
     * one that the library does not know. On any thread.
     */
    void (*destroy)(void *ctx);
} knhk_detector_t;

/**
 * Adds a kind of detector to an engine's loop, for the watches that name it.
 *
 * `name`: what stands behind callback: in the ontology. `detector`: taken over, whatever is returned.
 * Returns KNHK_OK; KNHK_ALREADY_EXISTS where the name is taken; KNHK_STRUCT_SIZE; KNHK_NULL_ARGUMENT also where `observe` is NULL. Any
 * thread. Until it is added, a watch that names it finds nothing, which knhk_loop_status says.
 */
knhk_status_t knhk_detector_add(const knhk_engine_t *engine,
                                const char *name,
                                const knhk_detector_t *detector,
                                knhk_error_t **err);

/**
 * Removes a kind of detector; watches that name it find nothing from then on.
 *
 * Returns KNHK_OK; KNHK_NOT_FOUND. Any thread.
 */
knhk_status_t knhk_detector_remove(const knhk_engine_t *engine, const char *name, knhk_error_t **err);

/* ------------------------------------------------------------------------------------------------------------
 * Hooks: the program hears when the loop begins and ends a phase of a turn. They cannot hold it up: each is called on a thread of its own, and what
 * a slow one misses is counted (`hooks_skipped` of knhk_loop_status). */

/** Observations become samples. */
#define KNHK_PHASE_MONITOR 1

/** Samples are judged. */
#define KNHK_PHASE_ANALYZE 2

/** Proposers are asked about a pattern. */
#define KNHK_PHASE_PLAN 3

/** A plan is filed, and runs through the pipeline. */
#define KNHK_PHASE_EXECUTE 4

/** A cycle is closed, and what became of it is learned. */
#define KNHK_PHASE_LEARN 5

/**
 * A hook. Set `struct_size` to sizeof(knhk_hook_t).
 *
 * `run` is called on a thread of the hooks, one call at a time, in the order in which hooks were added. It may call the engine back, also to
 * close it. What starts, stops or steps the loop is refused with KNHK_BUSY. It must not throw, and not end the thread.
 */
typedef struct {
    /** sizeof(knhk_hook_t). */
    uint32_t struct_size;
    /** A KNHK_PHASE_ constant. */
    uint32_t phase;
    /** 0 for before the phase, 1 for after it. */
    uint32_t after;
    /** 0. */
    uint32_t reserved;
    /** Passed to the functions. */
    void *ctx;
    /**
     * Hears of it: {"phase", "when", "turn", "now_ns", "sector", "cycle"}, `len` bytes of JSON with a NUL behind them, valid until it returns.
     * After learning, `cycle` is the one that was closed.
     */
    void (*run)(void *ctx, const char *info, size_t len);
    /**
     * NULL, or called exactly once, when `run` will not be called any more: also when the call fails, unless `struct_size` is one that the
     * library does not know. On any thread.
     */
    void (*destroy)(void *ctx);
} knhk_hook_t;

/**
 * Adds a hook to an engine's loop.
 *
 * `hook`: taken over, whatever is returned. `id`: NULL, or receives what knhk_hook_remove takes.
 * Returns KNHK_OK; KNHK_STRUCT_SIZE; KNHK_INVALID_ARGUMENT for a phase that there is not; KNHK_NULL_ARGUMENT also where `run` is NULL. Any
 * thread; before or after the loop is started.
 */
knhk_status_t knhk_hook_add(const knhk_engine_t *engine,
                            const knhk_hook_t *hook,
                            uint64_t *id,
                            knhk_error_t **err);

/**
 * Removes a hook. A call of it that is under way is waited for, unless this is made from it.
 *
 * Returns KNHK_OK; KNHK_NOT_FOUND. Any thread.
 */
knhk_status_t knhk_hook_remove(const knhk_engine_t *engine, uint64_t id, knhk_error_t **err);

#ifdef __cplusplus
}
#endif

#endif /* KNHK_H */
