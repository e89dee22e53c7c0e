"""Versions: history, rollback, folders, and waiting for the first one."""

import os
import subprocess
import sys
import threading

import pytest

import knhk
from conftest import DOCUMENT, damage, sql


def test_history_says_who_why_and_what(orders):
    orders.promote({**DOCUMENT, "max_qty": 1200}, by="ops-2", why="desk asked")
    first, second = orders.history()
    assert (first.version, first.by, first.why, first.rollback_of) == (1, "ops-1", "first limits", None)
    assert (second.version, second.by, second.why) == (2, "ops-2", "desk asked")
    assert second.epoch > first.epoch and second.time_ns >= first.time_ns
    assert len(second.snapshot_id) == 64 and second.snapshot_id != first.snapshot_id
    by_path = {difference.path: difference for difference in second.differences}
    assert "max_qty" in by_path
    assert "1200" in str(by_path["max_qty"]) and "1000" in by_path["max_qty"].old and "1200" in by_path["max_qty"].new
    phases = second.phases
    total = phases.parse_ns + phases.verify_ns + phases.compile_ns + phases.journal_ns + phases.swap_ns
    assert phases.total_ns == total > 0
    assert first.phases == first.phases and "swap_ns" in repr(phases)


def test_rollback(orders):
    orders.promote({**DOCUMENT, "max_qty": 7})
    back = orders.rollback(1, by="ops-1", why="too low")
    assert (back.version, back.rollback_of, back.by, back.why) == (3, 1, "ops-1", "too low")
    assert orders.export() == orders.export(1) == orders.export(3) != orders.export(2)
    with pytest.raises(knhk.NotFound, match="no version 9"):
        orders.rollback(9)
    with pytest.raises(knhk.NotFound, match="no version 9"):
        orders.export(9)
    for number in (-1, 2**64):
        with pytest.raises(OverflowError):
            orders.rollback(number)


def test_history_is_as_deep_as_asked():
    with knhk.open(history=2) as engine:
        sector = engine.create_sector("s")
        for n in range(5):
            sector.promote({"n": n})
        assert [version.version for version in sector.history()] == [4, 5]
        with pytest.raises(knhk.NotFound):
            sector.rollback(1)


def test_a_folder_keeps_everything(tmp_path):
    place = tmp_path / "limits"
    with knhk.open(place) as engine:
        sector = engine.create_sector("orders")
        sector.promote(DOCUMENT, by="ops-1", why="first")
        sector.promote({**DOCUMENT, "max_qty": 7})
        history = [(version.version, version.snapshot_id, version.by) for version in sector.history()]
        with pytest.raises(knhk.Busy, match="open in another engine"):
            knhk.open(place)
    with knhk.open(str(place)) as engine:
        sector = engine.sector("orders")
        assert [(version.version, version.snapshot_id, version.by) for version in sector.history()] == history
        assert sector.key("max_qty", int)() == 7
        sector.rollback(1)
        assert sector.key("max_qty", int)() == 1000
        assert engine.location == str(place)


def test_a_version_that_was_damaged_is_passed_over(tmp_path):
    with knhk.open(tmp_path) as engine:
        sector = engine.create_sector("orders")
        sector.promote({"n": 1})
        sector.promote({"n": 2})
    damage(tmp_path, 2)
    with knhk.open(tmp_path) as engine:
        assert engine.sector("orders").key("n", int)() == 1


@pytest.mark.parametrize("place", ["", "a\x00b", "/proc/nowhere/knhk"])
def test_places_that_cannot_be_opened(place):
    with pytest.raises(knhk.Error) as caught:
        knhk.open(place)
    assert caught.value.stage == "open"
    assert isinstance(caught.value, (knhk.StorageError, knhk.InvalidArgument))


def test_locations_of_other_types():
    for place in (5, None, b"bytes", ["x"]):
        with pytest.raises(TypeError):
            knhk.open(place)


@pytest.mark.parametrize(
    "settings",
    [
        {"history": 0},
        {"history": -1},
        {"history": "many"},
        {"clock_period": -1},
        {"clock_period": float("nan")},
        {"clock_period": float("inf")},
        {"barrier": "none"},
        {"barrier": 5},
        {"ring_records": -1},
        {"max_depth": 0},
    ],
)
def test_bad_settings(settings):
    with pytest.raises(knhk.InvalidArgument, match=next(iter(settings))):
        knhk.open(**settings)


def test_unknown_settings():
    with pytest.raises(TypeError, match="no setting"):
        knhk.open(colour="blue")


def test_fence_mode():
    with knhk.open(barrier="fence") as engine:
        sector = engine.create_sector("orders")
        sector.promote(DOCUMENT)
        assert engine.stats().fence_mode
        assert sector.key("max_qty", int)() == 1000


def test_waiting_until_ready(engine):
    sector = engine.create_sector("later")
    with pytest.raises(knhk.TimedOut, match="within 0.01 s") as caught:
        sector.wait_ready(timeout=0.01)
    assert isinstance(caught.value, TimeoutError)
    with pytest.raises(knhk.TimedOut):
        sector.wait_ready(0)
    promoter = threading.Thread(target=sector.promote, args=({"n": 1},))
    promoter.start()
    sector.wait_ready()
    promoter.join()
    sector.wait_ready(timeout=0)
    for timeout in (-1, float("nan"), "soon"):
        with pytest.raises(knhk.InvalidArgument):
            sector.wait_ready(timeout)


def test_waiting_ends_when_the_engine_is_closed():
    engine = knhk.open()
    sector = engine.create_sector("later")
    raised = []

    def wait():
        try:
            sector.wait_ready()
        except knhk.Error as error:
            raised.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    engine.close()
    waiter.join(30)
    assert not waiter.is_alive()
    assert [type(error) for error in raised] == [knhk.Closed]


def test_ctrl_c_ends_a_wait():
    program = (
        "import os, signal, threading, knhk\n"
        # A shell starts background jobs with this signal ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "engine = knhk.open()\n"
        "sector = engine.create_sector('later')\n"
        "go = threading.Event()\n"
        "threading.Thread(target=lambda: go.wait() and os.kill(os.getpid(), signal.SIGINT)).start()\n"
        "try:\n"
        "    go.set()\n"
        "    sector.wait_ready()\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, "interrupted"), done.stderr


def test_use_after_close(tmp_path):
    engine = knhk.open(tmp_path)
    sector = engine.create_sector("orders")
    sector.promote(DOCUMENT)
    qty = sector.key("max_qty", int)
    assert qty() == 1000 and not engine.closed
    engine.close()
    engine.close()
    assert engine.closed and "closed" in repr(engine)
    with pytest.raises(knhk.Closed):
        qty()
    assert qty(5) == 5
    assert qty.try_get() == (None, knhk.Reason.NOT_READY)
    assert not qty.allows(5)
    for use in (
        lambda: sector.promote(DOCUMENT),
        lambda: sector.promote("{"),
        lambda: sector.rollback(1),
        lambda: sector.declare({"n": 1}),
        lambda: sector.key("max_qty", int),
        lambda: sector.wait_ready(),
        lambda: engine.create_sector("other"),
        lambda: engine.view(),
        lambda: engine.subscribe(print),
        lambda: engine.fileno(),
    ):
        with pytest.raises(knhk.Closed):
            use()
    # What was is still told.
    assert len(sector.history()) == 1 and engine.stats().sectors == 1
    with knhk.open(tmp_path) as again:
        assert again.sector("orders").key("max_qty", int)() == 1000


def test_a_thread_that_never_read_finds_a_closed_engine_closed():
    engine = knhk.open()
    sector = engine.create_sector("orders")
    sector.promote(DOCUMENT)
    qty = sector.key("max_qty", int)
    engine.close()
    found = []

    def read():
        found.append(qty(5))
        found.append(qty.try_get())
        try:
            qty()
        except knhk.Closed as error:
            found.append(error.code)

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    assert found == [5, (None, knhk.Reason.NOT_READY), 105]


def test_two_engines_do_not_disturb_each_other(tmp_path):
    with knhk.open() as one, knhk.open(tmp_path) as two:
        for number, engine in enumerate((one, two)):
            engine.create_sector("orders").promote({"n": number, "only": f"engine {number}"})
        keys = [engine.sector("orders").key("n", int) for engine in (one, two)]
        for _ in range(1000):
            assert [key() for key in keys] == [0, 1]
        one.close()
        assert keys[1]() == 1
        with pytest.raises(knhk.Closed):
            keys[0]()
        two.sector("orders").promote({"n": 9, "only": "x"})
        assert keys[1]() == 9


def test_a_folder_is_free_when_the_engine_is_forgotten(tmp_path):
    engine = knhk.open(tmp_path)
    engine.create_sector("orders").promote(DOCUMENT)
    del engine
    with knhk.open(tmp_path) as engine:
        assert engine.sector("orders").export()
    assert os.listdir(tmp_path)


def test_an_emergency_rollback_works_where_nothing_can_be_written(tmp_path):
    folder = tmp_path / "engine"
    with knhk.open(str(folder)) as engine:
        engine.create_sector("orders")
        orders = engine.sector("orders")
        orders.promote({"max_qty": 1})
        orders.promote({"max_qty": 2})
        sql(folder, "CREATE TRIGGER refuse BEFORE INSERT ON versions BEGIN SELECT RAISE(ABORT, 'no room'); END")
        with pytest.raises(knhk.StorageError):
            orders.rollback(1)
        assert orders.emergency_rollback(1).rollback_of == 1
        assert orders.key("max_qty", int)() == 1
    sql(folder, "DROP TRIGGER refuse")
    with knhk.open(str(folder)) as engine:
        assert engine.sector("orders").key("max_qty", int)() == 1


def test_a_still_picture_and_a_control_socket(tmp_path):
    with knhk.open(tmp_path, control=True) as engine:
        sector = engine.create_sector("orders")
        sector.promote({"n": 1})
        assert (tmp_path / "control").stat().st_mode & 0o777 == 0o600
        with knhk.open(tmp_path, read_only=True) as picture:
            sector.promote({"n": 2})
            assert picture.sector("orders").key("n", int)() == 1
            with pytest.raises(knhk.StorageError):
                picture.sector("orders").promote({"n": 3})
        with pytest.raises(knhk.InvalidArgument):
            knhk.open(tmp_path, read_only=True, control=True)
        with pytest.raises(knhk.InvalidArgument, match="True or False"):
            knhk.open(tmp_path, read_only="yes")
    assert not (tmp_path / "control").exists()
