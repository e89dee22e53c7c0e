/* The decision. Every read here is inline; together they take some tens of nanoseconds, most of them for the tenant's name. */
#include "admission.h"

#include <math.h>
#include <stdio.h>

const char *const verdict_names[VERDICTS] = {"accepted", "closed", "venue", "quantity", "tenant", "price"};
const char *const venue_names[VENUES] = {"XPAR", "XLON", "XETR", "XOFF"};
const char *const tenant_names[TENANTS] = {"acme", "birch", "cobalt", "delta"};

static knhk_key_t key(knhk_engine_t *engine, const char *name, knhk_type_t type)
{
    knhk_key_t key;
    knhk_error_t *error = NULL;
    if (knhk_key(engine, "orders", name, type, &key, &error))
        die("key", knhk_error_message(error));
    return key;
}

void intern_keys(knhk_engine_t *engine, struct keys *keys)
{
    keys->open = key(engine, "open", KNHK_BOOL);
    keys->max_qty = key(engine, "max_qty", KNHK_I64);
    keys->price = key(engine, "price", KNHK_I64);
    keys->tenants = key(engine, "tenants", KNHK_MAP);
    keys->tradable = key(engine, "$classes/tradable", KNHK_CLASS);
    for (int i = 0; i < VENUES; i++) {
        char path[32];
        snprintf(path, sizeof path, "$classes/%s", venue_names[i]);
        keys->venue[i] = key(engine, path, KNHK_CLASS);
    }
}

enum verdict decide(knhk_view_t view, const struct keys *keys, const struct order *order)
{
    if (!knhk_get_bool(view, keys->open, false))
        return CLOSED;
    if (order->venue < 0 || !knhk_is_a(view, keys->venue[order->venue], keys->tradable))
        return VENUE;
    if (order->qty > knhk_get_i64(view, keys->max_qty, 0))
        return QUANTITY;
    if (order->qty > knhk_lookup_i64(view, keys->tenants, order->tenant, order->tenant_len, INT64_MAX))
        return TENANT;
    if (!knhk_guard_i64(view, keys->price, order->price))
        return PRICE;
    return ACCEPTED;
}

double measure_decision(knhk_reader_t *reader, const struct keys *keys)
{
    enum { ROUNDS = 20000 };
    struct order order = {.tenant = "acme", .tenant_len = 4, .venue = 0, .qty = 1, .price = 10000};
    volatile enum verdict verdict = CLOSED;
    uint64_t begun = now_ns();
    for (int i = 0; i < ROUNDS; i++) {
        knhk_view_t view = knhk_read_begin(reader);
        verdict = decide(view, keys, &order);
        knhk_read_end(reader, view);
    }
    /* Only a decision that goes all the way says what they cost. */
    return verdict == ACCEPTED ? (double)(now_ns() - begun) / ROUNDS : HUGE_VAL;
}
