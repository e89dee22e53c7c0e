"""Checkpoints of a program's components."""

import asyncio

import knhk
import pytest
from knhk import resilience


class Book:
    def __init__(self):
        self.orders = b"seven orders"
        self.held = 0
        self.refuses = None

    def freeze(self):
        self.held += 1
        if self.refuses == "freeze":
            raise RuntimeError("busy")

    def thaw(self):
        self.held -= 1

    def save(self):
        assert self.held == 1
        if self.refuses == "save":
            raise RuntimeError("the book is closed")
        return self.orders

    def load(self, state):
        assert isinstance(state, bytes)
        self.orders = state


def test_a_checkpoint_in_an_engine_leaves_its_receipt(tmp_path):
    book = Book()
    with knhk.open(tmp_path / "limits") as eng:
        kept = resilience.Checkpoints("orders", engine=eng)
        with pytest.raises(knhk.AlreadyExists):
            resilience.Checkpoints("orders", engine=eng)
        with pytest.raises(knhk.NotFound):
            kept.restore()
        kept.add("book", book)
        taken = kept.take()
        assert (taken.number, taken.full, taken.state_bytes) == (1, True, 12)
        book.orders = b"eight orders"
        assert not asyncio.run(kept.atake()).full
        book.orders = b""
        restored = kept.restore()
        assert (restored.number, restored.skipped, restored.absent) == (2, [], [])
        assert book.orders == b"eight orders" and book.held == 0
        assert [each.number for each in kept.kept()] == [1, 2]
        kept.close()
        with pytest.raises(knhk.Closed):
            kept.take()
    with knhk.open(tmp_path / "limits") as eng:
        kinds = [receipt.kind for receipt in eng.receipts()]
        assert kinds.count("checkpoint taken") == 2 and kinds.count("checkpoint restored") == 1


def test_what_a_component_raises_is_why_there_is_none(tmp_path):
    book = Book()
    with resilience.Checkpoints("orders", folder=tmp_path / "state") as kept:
        kept.add("book", book)
        for refuses, why in [("save", "the book is closed"), ("freeze", "it could not hold still: RuntimeError: busy")]:
            book.refuses = refuses
            with pytest.raises(knhk.Error, match=why):
                kept.take()
            assert book.held == 0
        assert kept.kept() == []


def test_they_are_encrypted_and_taken_in_the_background(tmp_path):
    book, keys = Book(), [bytes([1]) * 32]
    with resilience.Checkpoints("orders", folder=tmp_path, keys=keys) as kept:
        kept.add("book", book)
        kept.start(0.001, share=1.0)
        while len(kept.kept()) < 3:
            pass
        kept.stop()
        assert all(each.encrypted and each.damage is None for each in kept.kept())
    book.orders = b""
    with resilience.Checkpoints("orders", folder=tmp_path, keys=[bytes([2]) * 32]) as kept:
        kept.add("book", book)
        with pytest.raises(knhk.Corrupt):
            kept.restore()
    with resilience.Checkpoints("orders", folder=tmp_path, keys=[bytes([2]) * 32, *keys]) as kept:
        kept.add("book", book)
        kept.restore()
        assert book.orders == b"seven orders"
    for wrong in [{}, {"folder": tmp_path, "keys": [b"short"]}, {"folder": tmp_path, "chains": 1}]:
        with pytest.raises(knhk.InvalidArgument):
            resilience.Checkpoints("orders", **wrong)
