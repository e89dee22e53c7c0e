"""Compares verdicts on generated cases: ours, pySHACL's, and those of the validators that the given programs were built with. Fails on a
disagreement that disagreements.json does not explain.

    python3 compare.py shacl-rust rudof [--cases 5000] [--seed 1] [--show 3]

An explanation is proven, not believed. Most kinds of disagreement say how to take what is disputed out of a case (`without`); they explain it
only where the validators then agree on what is left, and only where the answer and the shapes (`answer`, `where`) are of that kind. A kind
without that is one where the validator gives no verdict and says why (`answer`).
"""

import argparse
import functools
import itertools
import json
import logging
import multiprocessing
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyshacl
from rdflib import Graph

HERE = Path(__file__).parent
OURS, PYSHACL = "knhk", "pyshacl"


def verdict(case: dict) -> dict:
    """The case with pySHACL's verdict, where it matters: a truth value, or why there is none."""
    if case.get("who", PYSHACL) != PYSHACL:
        return case
    logging.disable(logging.CRITICAL)
    try:
        shapes, data = (Graph().parse(data=case[name], format="turtle") for name in ("shapes", "data"))
        conforms, _, _ = pyshacl.validate(data, shacl_graph=shapes, inference="none", meta_shacl=False)
        case["verdicts"][PYSHACL] = bool(conforms)
    except Exception as error:  # noqa: BLE001 -- whatever it raises is what it answers
        case["verdicts"][PYSHACL] = f"{type(error).__name__}: {error}"
    return case


class Kind:
    """A kind of disagreement that is known and explained: an entry of disagreements.json."""

    def __init__(self, entry: dict):
        self.name, self.who = entry["name"], entry["who"]
        self.answer, self.where = (re.compile(entry.get(name, ""), re.DOTALL) for name in ("answer", "where"))
        self.without = [(name, re.compile(pattern, re.MULTILINE), put) for name, pattern, put in entry.get("without", [])]

    def may_explain(self, who: str, case: dict) -> bool:
        return who == self.who and bool(self.answer.search(str(case["verdicts"][who])) and self.where.search(case["shapes"]))

    def rewritten(self, case: dict) -> dict:
        """The case without what is disputed."""
        texts = {name: case[name] for name in ("shapes", "data")}
        for name, pattern, put in self.without:
            # Until nothing changes: one construct may stand inside another.
            while (text := pattern.sub(put, texts[name])) != texts[name]:
                texts[name] = text
        return case | texts


def judged(programs: list[Path], arguments: Iterable[str], given: list[dict] | None = None) -> Iterator[dict]:
    """Cases with the verdicts of all validators: generated ones, or the given ones."""
    lines = None if given is None else "".join(json.dumps(case) + "\n" for case in given)
    answers = [subprocess.run([program, *arguments], input=lines, stdout=subprocess.PIPE, text=True, check=True) for program in programs]
    cases = []
    for answered in zip(*(answer.stdout.splitlines() for answer in answers), strict=True):
        case, *others = map(json.loads, answered)
        for other in others:
            if any(case[name] != other[name] for name in ("case", "shapes", "data")):
                raise SystemExit(f"case {case['case']} is not the same for all programs")
            case["verdicts"] |= other["verdicts"]
        cases.append(case)
    with multiprocessing.Pool() as pool:
        yield from pool.imap(verdict, cases, chunksize=16)


def explain(kinds: list[Kind], programs: list[Path], disputed: list[tuple[str, dict]]) -> list[str | None]:
    """For each disagreement, with whom and on what, the name of the kind that explains it."""
    names: list[str | None] = [None] * len(disputed)
    trials = []
    for at, (who, case) in enumerate(disputed):
        possible = [kind for kind in kinds if kind.may_explain(who, case)]
        names[at] = next((kind.name for kind in possible if not kind.without), None)
        if names[at]:
            continue
        apart = [kind for kind in possible if kind.rewritten(case) != case]
        # One alone if it can be, else two that meet in this case, else three.
        for together in (chosen for count in (1, 2, 3) for chosen in itertools.combinations(apart, count)):
            rewritten = functools.reduce(lambda rest, kind: kind.rewritten(rest), together, case)
            trials.append((at, " and ".join(kind.name for kind in together), rewritten | {"who": who}))
    results = judged(programs, [], [case for *_, case in trials])
    for (at, name, case), result in zip(trials, results, strict=True):
        if not names[at] and result["verdicts"][case["who"]] == result["verdicts"][OURS]:
            names[at] = name
    return names


def main() -> int:
    parser = argparse.ArgumentParser(description="Compares the verdicts of SHACL validators.")
    parser.add_argument("--cases", default=5000, type=int)
    parser.add_argument("--seed", default=1, type=int)
    parser.add_argument("--show", type=int, default=3, help="unexplained cases to print for each validator")
    parser.add_argument("programs", nargs="+", type=Path, help="knhk-shacl-oracles, built with one feature each")
    options = parser.parse_args()
    programs = [program.resolve() for program in options.programs]
    kinds = [Kind(entry) for entry in json.loads((HERE / "disagreements.json").read_text())]
    cases, agreed, disputed = 0, Counter(), []
    for case in judged(programs, [str(options.cases), str(options.seed)]):
        cases += 1
        for who, theirs in case["verdicts"].items():
            if who != OURS and theirs == case["verdicts"][OURS]:
                agreed[who] += 1
            elif who != OURS:
                disputed.append((who, case))
    explained, unexplained = Counter(), Counter()
    for (who, case), name in zip(disputed, explain(kinds, programs, disputed), strict=True):
        if name:
            explained[name] += 1
            continue
        unexplained[who] += 1
        if unexplained[who] <= options.show:
            print(f"== case {case['case']}: ours {case['verdicts'][OURS]}, {who} {case['verdicts'][who]}\n{case['shapes']}\n{case['data']}")
    print(f"{cases} cases")
    for who, count in sorted(agreed.items()):
        print(f"{who}: agrees on {count}")
    for name, count in sorted(explained.items()):
        print(f"{count} explained: {name}")
    for who, count in sorted(unexplained.items()):
        print(f"{who}: {count} UNEXPLAINED")
    if not cases or not agreed:
        print("nothing was compared")
        return 1
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
