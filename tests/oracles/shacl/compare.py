"""Compares verdicts: reads what knhk-shacl-oracles wrote, once for each of its features, adds pySHACL's, and fails on a disagreement
that disagreements.json does not explain.

    python3 compare.py shacl-rust.jsonl rudof.jsonl [--show 5]
"""

import argparse
import json
import logging
import multiprocessing
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyshacl
from rdflib import Graph

HERE = Path(__file__).parent


def verdict(case: dict) -> dict:
    """The case with pySHACL's verdict: a truth value, or why there is none."""
    logging.disable(logging.CRITICAL)
    try:
        shapes, data = (Graph().parse(data=case[name], format="turtle") for name in ("shapes", "data"))
        conforms, _, _ = pyshacl.validate(data, shacl_graph=shapes, inference="none", meta_shacl=False)
        case["verdicts"]["pyshacl"] = bool(conforms)
    except Exception as error:  # noqa: BLE001 -- whatever it raises is what it answers
        case["verdicts"]["pyshacl"] = f"{type(error).__name__}: {error}"
    return case


class Kind:
    """A kind of disagreement that is known and explained: an entry of disagreements.json."""

    def __init__(self, entry: dict):
        self.name, self.who = entry["name"], entry["who"]
        self.expects = {name: re.compile(entry[name], re.DOTALL) for name in ("shapes", "data", "answer") if name in entry}

    def explains(self, who: str, case: dict) -> bool:
        texts = {"shapes": case["shapes"], "data": case["data"], "answer": str(case["verdicts"][who])}
        return who in self.who and all(pattern.search(texts[name]) for name, pattern in self.expects.items())


def read(files: list[Path]) -> Iterator[dict]:
    """The cases, each with the verdicts of all files."""
    for lines in zip(*(path.open() for path in files), strict=True):
        case, *others = map(json.loads, lines)
        for other in others:
            if any(case[name] != other[name] for name in ("case", "shapes", "data")):
                raise SystemExit(f"case {case['case']} is not the same in all files")
            case["verdicts"] |= other["verdicts"]
        yield case


def main() -> int:
    parser = argparse.ArgumentParser(description="Compares the verdicts of SHACL validators.")
    parser.add_argument("--show", type=int, default=3, help="unexplained cases to print for each validator")
    parser.add_argument("files", nargs="+", type=Path, help="the same cases with the verdicts of several validators")
    options = parser.parse_args()
    kinds = [Kind(entry) for entry in json.loads((HERE / "disagreements.json").read_text())]
    cases, agreed, explained, unexplained = 0, Counter(), Counter(), Counter()
    with multiprocessing.Pool() as pool:
        for case in pool.imap(verdict, read(options.files), chunksize=16):
            cases += 1
            ours = case["verdicts"]["knhk"]
            for who, theirs in case["verdicts"].items():
                if who == "knhk":
                    continue
                if theirs == ours:
                    agreed[who] += 1
                elif kind := next((kind for kind in kinds if kind.explains(who, case)), None):
                    explained[who, kind.name] += 1
                else:
                    unexplained[who] += 1
                    if unexplained[who] <= options.show:
                        print(f"== case {case['case']}: ours {ours}, {who} {theirs}\n{case['shapes']}\n{case['data']}")
    print(f"{cases} cases")
    for who, count in agreed.items():
        print(f"{who}: agrees on {count}")
    for (who, name), count in sorted(explained.items()):
        print(f"{who}: {count} explained: {name}")
    for who, count in unexplained.items():
        print(f"{who}: {count} UNEXPLAINED")
    if not cases or not agreed:
        print("nothing was compared")
        return 1
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
