"""What the tests share: an engine, and a sector with a value of each type."""

import contextlib
import gc
import sqlite3

import pytest

import knhk

DOCUMENT = {
    "max_qty": {"$value": 1000, "$min": 1, "$max": 5000, "$unit": "lots", "$doc": "largest order"},
    "ratio": {"$value": 0.5, "$min": 0.0, "$max": 1.0},
    "open": True,
    "venue": "Zürich",
    "blob": b"\x00\xff",
    "flags": [True, False],
    "steps": [1, -2, 3],
    "weights": [0.25, 1.0],
    "venues": ["XPAR", "XLON"],
    "keys": [b"a", b""],
    "limits": {"XPAR": 10, "XLON": {"day": 20, "night": 5}},
    "$classes": {"instrument": [], "bond": ["instrument"], "govbond": ["bond"]},
}


@pytest.fixture
def engine():
    with knhk.open() as engine:
        yield engine
    del engine
    gc.collect()


@pytest.fixture
def orders(engine):
    sector = engine.create_sector("orders")
    sector.promote(DOCUMENT, by="ops-1", why="first limits")
    return sector


def sql(folder, statement):
    """Changes an engine's store behind its back, as any SQLite tool can."""
    with contextlib.closing(sqlite3.connect(folder / "store.sqlite")) as store, store:
        store.execute(statement)


def damage(folder, version):
    """Destroys what a version's content is stored as."""
    sql(folder, f"UPDATE snapshots SET added = x'00' WHERE id = (SELECT snapshot FROM versions WHERE number = {version})")
