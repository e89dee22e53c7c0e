/* A fragment of the manual becomes a program here. */
#include <knhk.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char document[] =
    "{\"max_qty\": {\"$value\": 1000, \"$min\": 1, \"$max\": 5000, \"$unit\": \"lots\"},"
    " \"price\": {\"$value\": 10000, \"$min\": 9500, \"$max\": 10500},"
    " \"tenants\": {\"acme\": 600, \"birch\": 400},"
    " \"$classes\": {\"tradable\": [], \"XPAR\": [\"tradable\"]}}";

static void check(knhk_status_t status, knhk_error_t *err)
{
    if (status != KNHK_OK) {
        fprintf(stderr, "%s\n", knhk_error_message(err));
        exit(1);
    }
}

static void fragment(knhk_engine_t *eng, knhk_reader_t *rd)
{
    knhk_error_t *err = NULL;
    knhk_key_t max_qty, price, tenants, xpar, tradable;
    int64_t qty = 500;
    check(knhk_key(eng, "orders", "max_qty", KNHK_I64, &max_qty, &err), err);
    check(knhk_key(eng, "orders", "price", KNHK_I64, &price, &err), err);
    check(knhk_key(eng, "orders", "tenants", KNHK_MAP, &tenants, &err), err);
    check(knhk_key(eng, "orders", "$classes/XPAR", KNHK_CLASS, &xpar, &err), err);
    check(knhk_key(eng, "orders", "$classes/tradable", KNHK_CLASS, &tradable, &err), err);
    {
        /* snippet */
    }
}

int main(void)
{
    knhk_engine_t *eng;
    knhk_reader_t *rd;
    knhk_error_t *err = NULL;
    check(knhk_engine_open(":memory:", NULL, &eng, &err), err);
    check(knhk_sector_create(eng, "orders", KNHK_DIRECT, &err), err);
    check(knhk_promote_json(eng, "orders", document, NULL, &err), err);
    check(knhk_reader_register(eng, &rd, &err), err);
    fragment(eng, rd);
    check(knhk_reader_unregister(rd, &err), err);
    knhk_engine_close(eng);
    return 0;
}
