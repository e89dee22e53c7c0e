"""Artifact images: taken from anywhere, and never trusted."""

import random

import pytest

import knhk
from conftest import DOCUMENT


@pytest.fixture
def image(engine):
    return engine.compile(DOCUMENT)


def test_an_image_goes_to_another_engine(image):
    assert isinstance(image, bytes)
    with knhk.open() as other:
        sector = other.create_sector("orders")
        # Names that have slots already: the image's own numbers mean nothing here.
        sector.promote({"zebra": 1, "venue": "x"})
        version = sector.promote_image(image, by="build", why="shipped", major=True)
        assert (version.by, version.why) == ("build", "shipped")
        assert sector.key("venue", str)() == "Zürich"
        assert sector.key("limits/XLON/day", int)() == 20
        assert sector.key("max_qty", int).allows(5000) and not sector.key("max_qty", int).allows(5001)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_bytes_will_do(orders, image, kind):
    orders.promote_image(kind(image))
    assert orders.key("max_qty", int)() == 1000


@pytest.mark.parametrize("image", [None, "text", 5, [1, 2]])
def test_what_is_no_image(orders, image):
    with pytest.raises(TypeError, match="an image is bytes"):
        orders.promote_image(image)


def test_every_truncation_is_refused(orders, image):
    qty = orders.key("max_qty", int)
    for length in range(0, len(image), 7):
        with pytest.raises(knhk.InvalidArtifact) as caught:
            orders.promote_image(image[:length])
        assert caught.value.code == 201
    with pytest.raises(knhk.InvalidArtifact):
        orders.promote_image(image + b"\0")
    assert len(orders.history()) == 1 and qty() == 1000


def test_every_flipped_bit_is_refused(orders, image):
    for position in range(len(image)):
        damaged = bytearray(image)
        damaged[position] ^= 1 << position % 8
        with pytest.raises(knhk.InvalidArtifact):
            orders.promote_image(damaged)
    assert len(orders.history()) == 1


def test_random_bytes_are_refused(orders, image):
    chance = random.Random(7)
    for _ in range(200):
        rubbish = bytearray(chance.randbytes(chance.randrange(2000)))
        if chance.random() < 0.5:
            rubbish[: len(image) // 4] = image[: len(image) // 4]
        with pytest.raises(knhk.InvalidArtifact):
            orders.promote_image(rubbish)


def test_an_image_is_held_to_what_programs_hold(engine, orders):
    orders.key("max_qty", int)
    with pytest.raises(knhk.Incompatible, match="max_qty"):
        orders.promote_image(engine.compile({"venue": "x"}))
    assert len(orders.history()) == 1
