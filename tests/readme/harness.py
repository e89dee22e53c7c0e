"""A fragment of the manual becomes a program here."""

import knhk

DOCUMENT = {
    "max_qty": {"$value": 1000, "$min": 1, "$max": 5000, "$unit": "lots"},
    "tenants": {"acme": 600, "birch": 400},
    "venues": ["XPAR", "XLON"],
}

with knhk.open(":memory:") as eng:
    orders = eng.create_sector("orders")
    orders.promote(DOCUMENT)
    # snippet
