/* The decision. Every read here is inline; together they take some tens of nanoseconds, most of them for the tenant's name. */
#include "admission.h"

#include <math.h>
#include <stdio.h>

const char *const verdict_names[VERDICTS] = {"accepted", "closed", "venue", "quantity", "tenant", "price"};
const char *const venue_names[VENUES] = {"XPAR", "XLON", "XETR", "XOFF"};
const char *const tenant_names[TENANTS] = {"acme", "birch", "cobalt", "delta"};

void intern_keys(knhk_engine_t *engine, struct keys *keys)
{
    knhk_error_t *error = NULL;
    if (orders_keys_intern(engine, &keys->of, &error))
        die("keys", knhk_error_message(error));
    keys->venue[0] = keys->of.classes_XPAR;
    keys->venue[1] = keys->of.classes_XLON;
    keys->venue[2] = keys->of.classes_XETR;
    keys->venue[3] = keys->of.classes_XOFF;
}

enum verdict decide(knhk_view_t view, const struct keys *keys, const struct order *order)
{
    if (!knhk_typed_get_bool(view, keys->of.open, false))
        return CLOSED;
    if (order->venue < 0 || !knhk_typed_is_a(view, keys->venue[order->venue], keys->of.classes_tradable))
        return VENUE;
    if (order->qty > knhk_typed_get_i64(view, keys->of.max_qty, 0))
        return QUANTITY;
    if (order->qty > knhk_typed_lookup_i64(view, keys->of.tenants, order->tenant, order->tenant_len, INT64_MAX))
        return TENANT;
    if (!knhk_typed_guard_i64(view, keys->of.price, order->price))
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
