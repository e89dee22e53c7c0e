"""Typed reads against an empty method of the same module.

`make bench` drives it over stdin: it names its variants, then runs one round of whichever it is told, so that the rounds of several
programs interleave. With `--alone` it interleaves its own, prints one JSON line a row, and fails when the limit is missed.
"""

import json
import statistics
import sys
import time

import knhk

CALLS = 10
"""Calls in a turn of a loop, so that the loop itself costs next to nothing."""

CHUNK = 2_000
"""Turns between two looks at the clock."""

ROUND_NS = 15_000_000

LIMIT = 1.5

VARIANTS = {
    "python_read_i64": "qty()",
    "python_read_i64_default": "qty(0)",
    "python_read_f64": "price()",
    "python_read_bool": "on()",
    "python_read_str": "name()",
    "python_view_read": "view[qty]",
    "python_allows": "qty.allows(5)",
    "python_observe": "observe(qty, 5)",
    "python_empty_method": "view._empty(5)",
}


def loop(call: str):
    """A function that makes `CALLS` calls a turn and returns how long it took."""
    body = f"    {call}\n" * CALLS
    source = (
        "def run(turns, qty, price, on, name, view, observe, now):\n"
        "  begun = now()\n"
        "  for _ in range(turns):\n"
        f"{body}"
        "  return now() - begun\n"
    )
    made = {}
    exec(source, made)
    return made["run"]


class Bench:
    def __init__(self):
        self.engine = knhk.open()
        sector = self.engine.create_sector("orders")
        sector.promote(
            {"max_qty": {"$value": 1_000_000, "$min": 1, "$max": 5_000_000}, "price": 1.5, "on": True, "name": "XPAR"}
        )
        view = self.engine.view()
        self.arguments = [
            *(sector.key(name, kind) for name, kind in [("max_qty", int), ("price", float), ("on", bool), ("name", str)]),
            view,
            self.engine.observe,
            time.perf_counter_ns,
        ]
        self.loops = {name: loop(call) for name, call in VARIANTS.items()}

    def round(self, name: str) -> float:
        """Nanoseconds a call: the median over the chunks of a round."""
        chunks, spent = [], 0
        while spent < ROUND_NS:
            took = self.loops[name](CHUNK // CALLS, *self.arguments)
            chunks.append(took / CHUNK)
            spent += took
            if name == "python_observe":
                # A full ring refuses at once, which is not what is measured.
                self.engine.drain()
        return statistics.median(chunks)


def serve(bench: Bench) -> None:
    print(json.dumps({"variants": list(VARIANTS)}), flush=True)
    for line in sys.stdin:
        name = line.strip()
        print(json.dumps({"name": name, "ns": round(bench.round(name), 2)}), flush=True)


def alone(bench: Bench, rounds: int) -> bool:
    results = {name: [] for name in VARIANTS}
    for _ in range(rounds):
        for name, found in results.items():
            found.append(bench.round(name))
    peer = statistics.median(results["python_empty_method"])
    for name, found in results.items():
        ours = statistics.median(found)
        # The ratio of the same round, so that what slows the whole machine slows both.
        ratio = statistics.median(a / b for a, b in zip(found, results["python_empty_method"]))
        row = name.removeprefix("python_").replace("read_i64", "typed_read")
        line = {"name": f"H1/python_{row}_vs_empty_method", "ours": ours, "peer": peer, "unit": "ns", "ratio": ratio}
        print(json.dumps({key: round(value, 3) if isinstance(value, float) else value for key, value in line.items()}))
        if name == "python_read_i64":
            within = ratio <= LIMIT
    return within


if __name__ == "__main__":
    if sys.argv[1:] == ["--alone"]:
        sys.exit(0 if alone(Bench(), 15) else 1)
    serve(Bench())
