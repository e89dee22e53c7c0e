"""Writes the README's table of figures from what `make bench` measured.

    make bench && python3 tests/readme/figures.py

The table stands between two comments of the README; nothing else of it is touched. A row that was not measured is left out, and a limit that
was missed is said to be missed.
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RESULTS = ROOT / "target" / "bench" / "results.json"
README = ROOT / "README.md"

# The row of the results, what it is, what it is compared with.
ROWS = [
    ("H1/read_i64_vs_urcu_memb", "begin, typed read, end", "liburcu-memb, same load"),
    ("H1/read_i64_vs_arc_swap", "the same", "`arc_swap::load`"),
    ("H1/read_i64_vs_crossbeam_epoch", "the same", "`crossbeam_epoch::pin`"),
    ("H1/read_i64_vs_urcu_qsbr", "read in quiescent mode", "liburcu-qsbr, same load"),
    ("H1/ten_reads_in_view_vs_bare", "ten reads in an open view", "a bare pointer"),
    ("H1/writer/read_i64_vs_quiet", "begin, typed read, end, at 10,000 promotions a second", "the same, quiet"),
    ("H1/rust/read_i64_vs_arc_swap", "the same read in Rust", "`arc_swap::load`"),
    ("H1/guard_i64", "range guard", None),
    ("H1/is_a", "class membership", None),
    ("H13/lookup_100k", "look-up by name among 100,000", None),
    ("H8/append_caller_time_vs_rtrb", "append an observation", "`rtrb`, same size"),
    ("H8/append_caller_time_vs_array_queue", "the same", "crossbeam `ArrayQueue`"),
    ("H8/observing/read_ticks", "a read while 1,000,000 observations a second go to the disk", None),
    ("H1/loop/read_vs_urcu_memb", "a read in Rust (raw functions) while the loop takes one turn after another", "liburcu-memb"),
    ("H3/swap_per_sector", "swap of the root, per sector", None),
    ("H3/swap_call", "swap of the root, the whole call", None),
    ("H3/promote_1000_values", "promotion of 1,000 values from JSON, in memory", None),
    ("K3/delta_100_on_100k", "a change of 100 statements on 100,000", None),
    ("K4/shacl_10k_vs_shacl_rust", "validation of 10,000 statements by 20 shapes", "`shacl-rust`"),
    ("K4/shacl_10k_vs_rudof", "the same", "rudof's `shacl`"),
    ("K4/shacl_delta_10_on_100k", "validation of a change of 10 statements on 100,000", None),
    ("K1/import_brick", "import of the Brick ontology", "bare oxttl parsing"),
    ("K4/pipeline_10k", "all seven stages for 20 changed values among 10,000 statements", None),
    ("L4/cycle", "a cycle of the loop, from what is found to what is promoted and learned", None),
    ("W4/c/breaker_count", "a call through a closed breaker, from C", None),
    ("W4/token_bucket_vs_governor", "a token of a bucket that one thread uses", "`governor`"),
    ("W4/token_bucket_shared_vs_governor", "the same of one that several use", "`governor`"),
    ("H1/python/read_i64_vs_empty_method", "typed read in Python", "an empty method"),
    ("H1/node/read_number_vs_empty_method", "typed read in Node", "an empty method"),
]


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def line(entry, what, peer):
    unit = {"us": "µs"}.get(entry["unit"], entry["unit"])
    ours = f"{number(entry['ours'])} {unit}"
    theirs = f"{peer}: {number(entry['peer'])} {unit}" if peer else ""
    ratio = f"{entry['ratio']:.2f}" if peer else ""
    limit = number(entry["limit"]) if entry.get("limit") is not None else ""
    if entry.get("met") is False:
        limit += " (missed)"
    return f"| {what} | {ours} | {theirs} | {ratio} | {limit} |"


def main():
    if not RESULTS.exists():
        print("there are no results yet: run make bench")
        return 1
    results = json.loads(RESULTS.read_text())
    lines = ["| | ours | beside it | ratio | limit |", "|---|---|---|---|---|"]
    lines += [line(results[row], what, peer) for row, what, peer in ROWS if row in results]
    table = "<!-- figures -->\n" + "\n".join(lines) + "\n<!-- end of figures -->"
    text, count = re.subn(r"<!-- figures -->.*?<!-- end of figures -->", lambda _: table, README.read_text(), flags=re.DOTALL)
    if count != 1:
        print("README.md has no place for the figures")
        return 1
    README.write_text(text)
    print(f"README.md shows {len(lines) - 2} figures")
    return 0


if __name__ == "__main__":
    sys.exit(main())
