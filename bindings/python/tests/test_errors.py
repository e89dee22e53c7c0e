"""Exceptions: a class for what programs tell apart, the code that C and Node have, and the text of the engine."""

import copy
import pickle
import re
from pathlib import Path

import pytest

import knhk
from knhk import _errors

STATUS = Path(__file__).parents[3] / "core" / "engine" / "src" / "status.rs"


def statuses():
    """The codes that the engine has."""
    return {name: int(code) for name, code in re.findall(r"^    (\w+) = (\d+),$", STATUS.read_text(), re.MULTILINE)}


def test_every_status_has_its_exception():
    found = statuses()
    assert found.pop("Ok") == 0
    assert len(found) > 20
    for name, code in found.items():
        error = _errors.make(code, "status", "text", "stage", "item")
        assert type(error) is not knhk.Error, name
        assert (type(error) is knhk.InvalidArgument) == (code < 100), name
        assert (error.code, error.status, error.stage, error.item, str(error)) == (code, "status", "stage", "item", "text")


def test_a_status_of_a_later_version_is_a_plain_error():
    assert type(_errors.make(999, "odd", "text", "", "")) is knhk.Error


@pytest.mark.parametrize(
    ("kind", "parent"),
    [
        (knhk.NotFound, LookupError),
        (knhk.WrongType, TypeError),
        (knhk.InvalidArgument, ValueError),
        (knhk.InvalidDocument, ValueError),
        (knhk.InvalidArtifact, ValueError),
        (knhk.LimitExceeded, ValueError),
        (knhk.TimedOut, TimeoutError),
        (knhk.StorageError, OSError),
    ],
)
def test_people_may_catch_what_they_know(kind, parent):
    assert issubclass(kind, parent) and issubclass(kind, knhk.Error)


def test_all_errors_are_exported():
    for name in _errors.__all__:
        assert getattr(knhk, name) is getattr(_errors, name)
        assert name in knhk.__all__


@pytest.mark.parametrize("again", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_errors_travel(engine, again):
    for provoke in (lambda: engine.sector("nowhere"), lambda: knhk.open("/proc/nowhere/knhk")):
        with pytest.raises(knhk.Error) as caught:
            provoke()
        error, other = caught.value, again(caught.value)
        assert type(other) is type(error) and str(other) == str(error)
        assert (other.code, other.status, other.stage, other.item) == (error.code, error.status, error.stage, error.item)


def test_records_cannot_be_made_or_changed(engine, orders):
    version = orders.history()[0]
    with pytest.raises(AttributeError):
        version.by = "someone else"
    for kind in (knhk.Change, knhk.Version, knhk.View, knhk.Map, knhk.Subscription, knhk.Stats, knhk.Observation):
        with pytest.raises(TypeError):
            kind()


def test_stalled_changes_name_who_stalls():
    with knhk.open(soft_limit_bytes=1 << 16, hard_limit_bytes=1 << 18, retained_roots=4) as engine:
        sector = engine.create_sector("s")
        sector.promote({"text": "x" * 50_000})
        views = []
        with pytest.raises(knhk.Stalled, match="held snapshot") as caught:
            while True:
                views.append(engine.view())
                sector.promote({"text": f"{len(views):03}" * 10_000})
        assert caught.value.code == 107
        assert views[0]["s/text"] == "x" * 50_000
        # A rollback works at the limit.
        assert sector.rollback(1).rollback_of == 1
        for view in views:
            view.close()
        sector.promote({"text": "y"})
        assert sector.key("text", str)() == "y"
