"""The end of the interpreter, with everything still open: no hang, no crash, no noise."""

import subprocess
import sys

import pytest

SETUP = """
import asyncio, os, sys, threading
import knhk
engine = knhk.open()
sector = engine.create_sector("s")
sector.promote({"n": 1, "venues": ["a"]})
key = sector.key("n", int)
"""


def python(program, code=0):
    done = subprocess.run([sys.executable, "-X", "dev", "-c", SETUP + program], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    assert done.stderr == ""
    return done.stdout


def test_an_open_engine_a_view_and_a_subscription():
    assert python("view = engine.view(); engine.subscribe(print); print(view[key])") == "1\n"


def test_changes_until_the_very_end():
    """A thread promotes while the interpreter goes down; callbacks and log lines must not attach any more."""
    python(
        """
import logging
logging.getLogger("knhk").setLevel(logging.INFO)
logging.getLogger("knhk").addHandler(logging.NullHandler())
logging.getLogger("knhk").propagate = False
engine.subscribe(lambda change: sum(range(1000)))
def promote():
    n = 0
    while True:
        n += 1
        sector.promote({"n": n, "venues": ["a"]})
threading.Thread(target=promote, daemon=True).start()
while key() < 20:
    pass
"""
    )


def test_promoting_in_atexit():
    out = python(
        """
import atexit
engine.subscribe(lambda change: None)
atexit.register(lambda: print(sector.promote({"n": 2, "venues": ["b"]}).version, key()))
"""
    )
    assert out == "2 2\n"


def test_a_destructor_that_reads_and_closes():
    out = python(
        """
class Late:
    def __del__(self):
        print(key(), venues(), venues(default=None), engine.version)
        engine.close()
        print(key(None))
venues = sector.key("venues", list[str])
late = Late()
"""
    )
    assert out == "1 ['a'] ['a'] 1\nNone\n"


@pytest.mark.parametrize("how", ["sys.exit(7)", "os._exit(7)", "raise SystemExit(7)"])
def test_other_ways_out(how):
    python(f"engine.subscribe(print); threading.Thread(target=key).start(); {how}", code=7)


def test_a_callback_that_is_running():
    out = python(
        """
import atexit
begun, release = threading.Event(), threading.Event()
def callback(change):
    begun.set()
    release.wait()
    print("ended")
engine.subscribe(callback)
sector.promote({"n": 2, "venues": ["b"]})
begun.wait()
# Hooks run in reverse: this one before that of knhk, which waits for the callback.
atexit.register(release.set)
"""
    )
    assert out == "ended\n"


def test_threads_that_read_at_the_end():
    python(
        """
def read():
    while True:
        key()
for _ in range(3):
    threading.Thread(target=read, daemon=True).start()
"""
    )


def test_an_event_loop_that_was_left_open():
    python(
        """
async def main():
    changes = engine.changes()
    sector.promote({"n": 2, "venues": ["b"]})
    print((await anext(changes)).version)
asyncio.run(main())
"""
    )


def test_importing_and_doing_nothing():
    done = subprocess.run([sys.executable, "-X", "dev", "-c", "import knhk"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
