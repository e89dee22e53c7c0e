"""Receipts, proofs, verification, backup and restore."""

import asyncio
import json
import sqlite3
import threading
import time
from datetime import datetime, timezone

import pytest

import knhk
from conftest import DOCUMENT


@pytest.fixture
def place(tmp_path):
    return tmp_path / "limits"


@pytest.fixture
def limits(place):
    with knhk.open(place) as engine:
        sector = engine.create_sector("orders")
        sector.promote({"max_qty": 1000}, by="ops-1", why="first limits")
        sector.promote({"max_qty": 1200}, by="ops-2", why="desk asked")
        yield engine


def test_each_operation_leaves_a_receipt(limits):
    receipts = limits.receipts()
    assert [receipt.number for receipt in receipts] == list(range(len(receipts)))
    assert [receipt.kind for receipt in receipts] == [
        "ledger created",
        "sector updated",
        "snapshot promoted",
        "snapshot promoted",
    ]
    newest = receipts[-1]
    version = limits.sector("orders").history()[-1]
    assert (newest.sector, newest.outcome, newest.time_ns) == ("orders", "approved", version.time_ns)
    assert newest.evidence["version"] == 2 and newest.evidence["snapshot"] == version.snapshot_id
    assert version.receipt == newest.id and version.parent == 1
    assert receipts[0].sector is None and newest.links == [] and len(newest.leaf) == 32
    assert isinstance(newest.statement, bytes) and repr(newest) == f"<knhk.Receipt {newest.id}: snapshot promoted, approved>"
    json.dumps(newest.evidence)


def test_what_is_refused_leaves_one_too(limits):
    with pytest.raises(knhk.Error):
        limits.sector("orders").promote({"other": 1}, by="ops-3") if limits.sector("orders").key("max_qty", int) else None
    newest = limits.receipts(newest_first=True, limit=1)[0]
    assert (newest.kind, newest.outcome) == ("snapshot promoted", "rejected")
    assert limits.verify().versions == 2


def test_queries(limits):
    promoted = limits.receipts(kind="snapshot promoted", sector="orders", newest_first=True, limit=1)
    assert [receipt.number for receipt in promoted] == [3]
    assert [receipt.number for receipt in limits.receipts(first=1, end=3)] == [1, 2]
    assert limits.receipt(promoted[0].id).statement == limits.receipt(3).statement == promoted[0].statement
    assert limits.receipts(sector="nowhere") == []
    for missing in (99, "nothing"):
        with pytest.raises(knhk.NotFound, match="no receipt"):
            limits.receipt(missing)
    with pytest.raises(OverflowError):
        limits.receipts(first=-1)


def test_an_engine_in_memory_has_a_log_with_a_signer_only():
    with knhk.open() as engine:
        assert engine.trust_root is None
        for call in (engine.receipts, engine.verify, engine.checkpoint, engine.signing_keys, engine.prune):
            with pytest.raises(knhk.NotFound, match="no ledger"):
                call()
        assert engine.create_sector("orders").promote({"n": 1}).receipt is None
    with knhk.open(signer=knhk.Signer.generate()) as engine:
        assert engine.create_sector("orders").promote({"n": 1}).receipt == engine.receipts()[-1].id
        assert engine.verify().versions == 1


def test_verification_tells_what_was_whole(limits):
    told = []
    verified = limits.verify(progress=told.append)
    assert (verified.receipts, verified.keys, verified.versions, verified.snapshots) == (4, 1, 2, 2)
    assert verified.first_ns <= verified.last_ns and len(verified.root) == 64
    assert told and told[-1].versions == 2 and {now.total for now in told} == {4}
    assert verified == limits.verify() and hash(verified) == hash(limits.verify())


def test_a_verification_can_be_stopped(limits):
    with pytest.raises(knhk.TimedOut, match="stopped"):
        limits.verify(progress=lambda now: False)

    def fails(now):
        raise LookupError("of the program's own")

    with pytest.raises(LookupError, match="of the program's own"):
        limits.verify(progress=fails)


def test_a_checkpoint_finds_a_log_that_was_cut(place, limits):
    note = limits.checkpoint()
    assert note.startswith(limits.trust_root.split("+")[0] + "\n4\n")
    limits.verify(checkpoint=note)
    limits.sector("orders").promote({"max_qty": 1300})
    limits.verify(checkpoint=note)
    later = limits.checkpoint()
    limits.close()
    with knhk.open(place, checkpoint=later):
        pass
    store = sqlite3.connect(place / "store.sqlite")
    with pytest.raises(knhk.Error):
        # Not this log's.
        with knhk.open(signer=knhk.Signer.generate()) as other:
            other.verify(checkpoint=later)
    store.close()


def test_an_older_copy_is_found_by_a_checkpoint(place, limits, tmp_path):
    limits.backup(tmp_path / "old.backup")
    limits.sector("orders").promote({"max_qty": 1300})
    note, root = limits.checkpoint(), limits.trust_root
    with pytest.raises(knhk.Tampered, match="cut off"):
        knhk.restore(tmp_path / "old.backup", tmp_path / "restored", checkpoint=note)
    assert not (tmp_path / "restored" / "store.sqlite").exists()
    verified = knhk.restore(tmp_path / "old.backup", tmp_path / "restored", trust_root=root)
    assert verified.versions == 2


def test_a_trust_root_that_is_not_the_logs_is_refused(place, limits, tmp_path):
    root = limits.trust_root
    limits.close()
    with knhk.open(tmp_path / "other") as other:
        others = other.trust_root
    assert root != others
    with pytest.raises(knhk.Tampered, match="not the log that you trust"):
        knhk.open(place, trust_root=others)
    with pytest.raises(knhk.InvalidArgument, match="trust root"):
        knhk.open(place, trust_root="nonsense")
    with knhk.open(place, trust_root=root) as engine:
        assert engine.trust_root == root
    for value in (5, b"root"):
        with pytest.raises(knhk.InvalidArgument, match="trust_root"):
            knhk.open(place, trust_root=value)


def change(place, sql, *parameters):
    store = sqlite3.connect(place / "store.sqlite")
    assert store.execute(sql, parameters).rowcount >= 1
    store.commit()
    store.close()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE receipts SET statement = CAST(substr(statement, 1, length(statement) - 1) || x'00' AS BLOB) WHERE number = 2",
        "DELETE FROM receipts WHERE number = 2",
        "UPDATE versions SET epoch = epoch + 1 WHERE number = 1",
        "DELETE FROM versions WHERE number = 1",
    ],
)
def test_what_was_tampered_with_is_found(place, limits, sql):
    limits.close()
    change(place, sql)
    with pytest.raises((knhk.Tampered, knhk.Corrupt)):
        with knhk.open(place) as engine:
            engine.verify()


def test_a_damaged_newest_version_falls_back_loudly(place, limits, caplog):
    limits.close()
    change(place, "UPDATE snapshots SET added = x'00' WHERE id = (SELECT snapshot FROM versions WHERE number = 2)")
    with knhk.open(place) as engine:
        assert engine.sector("orders").key("max_qty", int)() == 1000
        assert engine.stats().damaged_versions == 1
        assert any(receipt.kind == "invariant violation" for receipt in engine.receipts())


def test_backup_under_load_and_restore(place, limits, tmp_path):
    done = threading.Event()
    sector = limits.sector("orders")
    failures = []

    def load():
        number = 2000
        while not done.is_set():
            number += 1
            try:
                sector.promote({"max_qty": number})
            except Exception as error:
                failures.append(error)
                return

    thread = threading.Thread(target=load)
    thread.start()
    told = []
    limits.backup(tmp_path / "a.backup", progress=told.append)
    done.set()
    thread.join()
    assert failures == [] and told and told[-1].done == told[-1].total > 0
    with pytest.raises(knhk.AlreadyExists):
        limits.backup(tmp_path / "a.backup")
    with pytest.raises(knhk.TimedOut):
        limits.backup(tmp_path / "b.backup", progress=lambda now: False)
    assert not (tmp_path / "b.backup").exists()

    limits.close()
    verified = knhk.restore(str(tmp_path / "a.backup"), tmp_path / "restored")
    assert verified.versions >= 2
    with pytest.raises(knhk.AlreadyExists):
        knhk.restore(tmp_path / "a.backup", tmp_path / "restored")
    with pytest.raises(knhk.NotFound):
        knhk.restore(tmp_path / "nowhere", tmp_path / "other")
    # No key was in it: reading needs none, and changing does.
    with knhk.open(tmp_path / "restored", read_only=True) as engine:
        assert engine.verify().versions == verified.versions
    with pytest.raises(knhk.KeyFileError, match="missing"):
        knhk.open(tmp_path / "restored")
    (tmp_path / "restored" / "signing.key").write_bytes((place / "signing.key").read_bytes())
    (tmp_path / "restored" / "signing.key").chmod(0o600)
    with knhk.open(tmp_path / "restored") as engine:
        assert engine.sector("orders").key("max_qty", int)() >= 1200
        engine.sector("orders").promote({"max_qty": 1})
        engine.verify()


def test_a_changed_backup_is_not_placed(limits, tmp_path):
    limits.backup(tmp_path / "a.backup")
    store = sqlite3.connect(tmp_path / "a.backup")
    store.execute("UPDATE snapshots SET added = x'00' WHERE id = (SELECT snapshot FROM versions WHERE number = 2)")
    store.commit()
    store.close()
    with pytest.raises((knhk.Tampered, knhk.Corrupt)):
        knhk.restore(tmp_path / "a.backup", tmp_path / "restored")
    assert not (tmp_path / "restored" / "store.sqlite").exists()


def test_a_still_picture_proves_what_it_can(place, limits):
    with knhk.open(place, read_only=True) as picture:
        assert [receipt.id for receipt in picture.receipts()] == [receipt.id for receipt in limits.receipts()]
        assert picture.verify().receipts == 4 and picture.trust_root == limits.trust_root
        for change_ in (picture.checkpoint, picture.rotate_key, lambda: picture.sector("orders").tag("stable")):
            with pytest.raises(knhk.StorageError):
                change_()


def test_as_of_a_moment(limits):
    key = limits.sector("orders").key("max_qty", int)
    first, second = limits.sector("orders").history()
    with limits.as_of(first.time_ns) as then:
        assert then[key] == 1000 and then["orders/max_qty"] == 1000
    with limits.as_of(datetime.now(timezone.utc)) as now:
        assert now[key] == 1200
    assert key() == 1200
    with limits.as_of(datetime.fromtimestamp(0, timezone.utc)) as before, pytest.raises(knhk.NotReady):
        before[key]
    with pytest.raises(ValueError, match="time zone"):
        limits.as_of(datetime.now())
    with pytest.raises(TypeError):
        limits.as_of("yesterday")


def test_in_asyncio(place, tmp_path):
    async def run():
        async with knhk.aopen(place) as engine:
            sector = await engine.acreate_sector("orders")
            await sector.apromote(DOCUMENT)
            assert (await engine.averify()).versions == 1
            assert len(await engine.areceipts(kind="snapshot promoted")) == 1
            assert await engine.aprove_receipt(1)
            assert await sector.atag("stable") == 1
            assert [entry.tags for entry in await sector.alog()] == [["stable"]]
            with await sector.aas_of("stable") as then:
                assert then["orders/max_qty"] == 1000
            await engine.abackup(tmp_path / "a.backup")
            await engine.arotate_key()
        assert (await knhk.arestore(tmp_path / "a.backup", tmp_path / "restored")).versions == 1

    asyncio.run(run())


def test_cancelling_stops_the_thread(limits):
    begun, stopped = threading.Event(), threading.Event()

    def slow(now):
        begun.set()
        # Until the cancellation is seen, which the next call tells.
        time.sleep(0.001)

    real = limits.verify

    def verify(*, progress, **more):
        try:
            while True:
                real(progress=progress)
        except knhk.TimedOut:
            stopped.set()
            raise

    limits.verify = verify

    async def run():
        task = asyncio.ensure_future(limits.averify(progress=slow))
        await asyncio.to_thread(begun.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert stopped.wait(30)
    del limits.verify
