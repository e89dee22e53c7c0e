"""The runner of `make bench`: builds the programs, interleaves ours and the peers, prints the table, writes the results.

    python3 tests/bench/run.py [--only H1] [--rounds 30] [--no-count]

Each program lists its variants and then answers one round for each name it is given (ffi/benches/driver.h states the
protocol), so rounds of all programs interleave: A B C A B C. A row's ratio is the median of the ratios of its rounds. The
programs are started anew a few times, because where code and data happen to lie in memory is luck too. Where a limit falls
inside the middle half of a counted row's ratios, the noise hides the answer and callgrind's instruction counts decide.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from rows import PROGRAMS, ROWS, C, Judge, Row, Rust, Script

TOP = Path(__file__).resolve().parents[2]
OUT = TOP / "target/bench"
PREFIX = OUT / "prefix"  # where make installs the library for the programs of C
STARTS = 3
COUNTED_OPERATIONS = 32_000  # a multiple of 64 and of 10: whole turns of every loop
GAP_ROUNDS_SHARE = 5  # rounds that record each gap are long, and one in so many is enough


def say(text: str, often: bool = False) -> None:
    """Progress, on stderr: on a terminal each line takes the place of the one before, elsewhere what comes often is left out."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    elif text and not often:
        print(text, file=sys.stderr, flush=True)


class Unbuilt(Exception):
    """A program that cannot be built or started here, and why."""


def build(program: C | Rust | Script) -> list[str]:
    """The command that runs the program."""
    match program:
        case C():
            return build_c(program)
        case Rust():
            return build_rust(program)
        case Script() if not (TOP / program.name).exists():
            raise Unbuilt("the file is not there")
        case Script():
            return [*program.interpreter, program.name]


def build_c(program: C) -> list[str]:
    folder, binary = TOP / "ffi/benches", OUT / program.name
    paths = os.environ | {"PKG_CONFIG_PATH": f"{PREFIX}/lib/pkgconfig:{os.environ.get('PKG_CONFIG_PATH', '')}"}
    found = subprocess.run(["pkg-config", "--cflags", "--libs", *program.libraries], env=paths, capture_output=True, text=True)
    if found.returncode:
        raise Unbuilt(found.stderr.splitlines()[0])
    command = ["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", f"-I{folder}", "-o", str(binary)]
    command += [str(folder / f"{source}.c") for source in program.sources]
    command += [*found.stdout.split(), "-lpthread", f"-Wl,-rpath,{PREFIX}/lib"]
    done = subprocess.run(command, cwd=TOP, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise Unbuilt(next((line for line in done.stderr.splitlines() if "error" in line), "gcc failed"))
    return [str(binary)]


def build_rust(program: Rust) -> list[str]:
    command = ["cargo", "bench", "--quiet", "-p", program.package, "--bench", program.name, "--no-run", "--message-format=json"]
    command += ["--features", program.features] if program.features else []
    done = subprocess.run(command, cwd=TOP / program.workspace, stdout=subprocess.PIPE, text=True)
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == program.name:
            return [message["executable"]]
    raise Unbuilt("cargo bench failed")


def build_all(rows: list[Row]) -> tuple[list[list[str]], dict[str, str]]:
    """The commands of the programs that the rows need, and the reasons of those that cannot run."""
    needed = {row.name.split("/")[0] for row in rows}
    commands, reasons = [], {}
    for program in PROGRAMS:
        if needed.isdisjoint(program.rows.split()) or isinstance(program, Judge):
            continue
        say(f"building {program.name} ({type(program).__name__})")
        try:
            command = build(program)
            Running(command).close()
            commands.append(command)
        except (Unbuilt, OSError) as why:
            reasons[program.name] = str(why)
    return commands, reasons


class Running:
    """A benchmark program that waits for the name of a variant."""

    def __init__(self, command: list[str]):
        self.command = command
        self.process = subprocess.Popen(command, cwd=TOP, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        hello = self.answer()
        self.variants = hello["variants"]
        self.ns_per_tick = hello.get("ns_per_tick", 1.0)

    def answer(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise Unbuilt(f"{' '.join(self.command)} ended early with code {self.process.wait()}")
        return json.loads(line)

    def round(self, variant: str) -> dict:
        self.process.stdin.write(variant + "\n")
        self.process.stdin.flush()
        return self.answer() | {"ns_per_tick": self.ns_per_tick}

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def chosen(name: str, only: str) -> bool:
    """H1 means H1/… and not H13; with a slash any prefix goes."""
    return name.startswith(only if "/" in only or not only else only + "/")


def figure(row: Row, sample: dict) -> float:
    value = sample[row.field]
    return {"us": value / 1000, "ticks": value / sample["ns_per_tick"]}.get(row.unit, value)


def measure(commands: list[list[str]], rows: list[Row], rounds: int) -> tuple[dict[str, list[dict]], dict[str, list[str]]]:
    """Samples by variant, one a round (None in rounds that left it out), and the command that owns each variant."""
    samples, owners = {}, {}
    for start in range(STARTS):
        programs = [Running(command) for command in commands]
        where = {variant: program for program in programs for variant in program.variants}
        owners = {variant: program.command for variant, program in where.items()}
        whole = [row.variants for row in rows if all(variant in where for variant in row.variants)]
        present = list(dict.fromkeys(variant for variants in whole for variant in variants))
        say(f"measuring {len(present)} variants, {rounds} rounds: start {start + 1} of {STARTS}")
        for turn in range(rounds // STARTS):
            say(f"measuring: start {start + 1} of {STARTS}, round {turn + 1} of {rounds // STARTS}", often=True)
            for variant in present:
                rare = variant.endswith("_gaps") and turn % GAP_ROUNDS_SHARE
                samples.setdefault(variant, []).append(None if rare else where[variant].round(variant))
        for program in programs:
            program.close()
    return samples, owners


def count_instructions(rows: list[Row], owners: dict[str, list[str]]) -> dict[str, float]:
    """Instructions an operation, by variant, from callgrind."""
    variants = list(dict.fromkeys(v for row in rows if row.counted for v in row.variants if v in owners))
    counts = {}
    say(f"counting the instructions of {len(variants)} variants under callgrind")
    for done, variant in enumerate(variants):
        say(f"counting instructions: {variant} ({done + 1} of {len(variants)})", often=True)
        with tempfile.NamedTemporaryFile() as out:
            command = ["valgrind", "--tool=callgrind", "--collect-atstart=no", f"--toggle-collect=loop_{variant}"]
            command += [f"--callgrind-out-file={out.name}", *owners[variant]]
            environment = os.environ | {"BENCH_CHUNK": str(COUNTED_OPERATIONS)}
            subprocess.run(command, cwd=TOP, env=environment, input=f"{variant}\n", capture_output=True, text=True, check=True)
            total = re.search(r"^(?:summary|totals): (\d+)", Path(out.name).read_text(), re.MULTILINE)
        if total and int(total[1]):
            counts[variant] = int(total[1]) / COUNTED_OPERATIONS
    return counts


def judge(row: Row, samples: dict[str, list[dict]], counts: dict[str, float]) -> dict:
    """The row's entry in the results."""
    pairs = [
        (ours, peer)
        for ours, peer in zip(samples[row.ours], samples[row.peer] if row.peer else samples[row.ours])
        if ours and peer
    ]
    ours = [figure(row, o) for o, _ in pairs]
    peer = [figure(row, p) for _, p in pairs] if row.peer else None
    entry = {"ours": statistics.median(ours), "peer": peer and statistics.median(peer), "unit": row.unit}
    judged = [o / p for o, p in zip(ours, peer)] if peer else ours
    low, middle, high = statistics.quantiles(judged, n=4) if len(judged) > 1 else judged * 3
    entry["ratio"] = middle if peer else None
    entry["quartiles"] = [low, high]
    if row.field in ("p999", "worst"):
        entry["quantiles"] = {who: quantiles([pair[i] for pair in pairs]) for i, who in enumerate(("ours", "peer")[: 1 + bool(peer)])}
    if "rate" in pairs[0][0]:
        entry["disturbed_per_second"] = statistics.median(o["rate"] for o, _ in pairs)
    if row.ours in counts:
        entry["instructions"] = {"ours": counts[row.ours], "peer": counts.get(row.peer)}
    if row.limit is not None:
        entry["limit"], entry["text"] = row.limit, row.why
        entry["decided_by"] = "time"
        value = middle
        if row.counted and row.peer and low <= row.limit <= high and row.ours in counts and row.peer in counts:
            entry["decided_by"] = "instructions"
            value = counts[row.ours] / counts[row.peer]
        entry["met"] = value >= row.limit if row.at_least else value <= row.limit
    return entry


def quantiles(samples: list[dict]) -> dict[str, float]:
    fields = ("p50", "p99", "p999")
    return {f: statistics.median(s[f] for s in samples) for f in fields} | {"worst": max(s["worst"] for s in samples)}


def ask(program: Judge) -> tuple[dict[str, dict], str | None]:
    """The entries of a bench that judges by itself, and what it complains of that is in none of them."""
    say(f"running {program.package}'s bench {program.name}")
    command = ["cargo", "bench", "--quiet", "-p", program.package, "--bench", program.name]
    done = subprocess.run(command, cwd=TOP, stdout=subprocess.PIPE, text=True)
    entries, rest = {}, []
    for line in done.stdout.splitlines():
        if not line.startswith("{"):
            rest.append(line)
            continue
        said = json.loads(line)
        ours, limit, exact = said["ours"], said["limit"], said["unit"] == "instructions"
        # A stated count is exact, so that a cheaper operation is found out too; the loop's own share is a few hundredths.
        met = limit - 1 < ours <= limit + 0.1 if exact else ours <= limit
        stated = "counted as stated in the cost model" if exact else "ticks as stated in the cost model"
        text = said.get("text", stated)
        entry = {"ours": ours, "peer": None, "unit": said["unit"], "ratio": None, "quartiles": [ours, ours]}
        entries[said["name"]] = entry | {"limit": limit, "text": text, "decided_by": program.name, "met": met}
    agreed = all(entry["met"] for entry in entries.values())
    if done.returncode and agreed:
        rest.append(f"status {done.returncode}")
    return entries, "; ".join(rest) or None


def show(results: dict[str, dict]) -> None:
    def number(value) -> str:
        return "" if value is None else f"{value:.2f}" if value < 1000 else f"{value:,.0f}"

    heads = ("", "ours", "peer", "unit", "ratio", "middle half", "instructions", "limit", "")
    lines = [heads]
    for name, entry in results.items():
        counts = entry.get("instructions") or {}
        shown = " / ".join(f"{c:.1f}" for c in counts.values() if c)
        verdict = {True: "met", False: "MISSED", None: ""}[entry.get("met")]
        verdict += " by instructions" if entry.get("decided_by") == "instructions" else ""
        middle = " … ".join(number(q) for q in entry["quartiles"])
        limit = number(entry.get("limit"))
        lines.append((name, number(entry["ours"]), number(entry["peer"]), entry["unit"], number(entry["ratio"]), middle, shown, limit, verdict))
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    for line in lines:
        cells = (cell.ljust(w) if i in (0, 3, 8) else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths)))
        print("  ".join(cells).rstrip())


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs the benchmarks of ours and of the peers, interleaved.")
    parser.add_argument("--only", default="", help="a prefix of row names, such as H1 or H1/writer")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--no-count", action="store_true", help="count no instructions")
    options = parser.parse_args()
    rows = [row for row in ROWS if chosen(row.name, options.only)]
    judges = [p for p in PROGRAMS if isinstance(p, Judge) and (not options.only or p.rows == options.only.split("/")[0])]
    if not rows and not judges:
        print(f"no row begins with {options.only!r}; they begin with {', '.join(sorted({r.name.split('/')[0] for r in ROWS}))}")
        return 2
    OUT.mkdir(parents=True, exist_ok=True)
    commands, reasons = build_all(rows)
    samples, owners = measure(commands, rows, options.rounds) if rows else ({}, {})
    counting = not options.no_count and shutil.which("valgrind") is not None
    counts = count_instructions(rows, owners) if counting and rows else {}
    say("")
    results, skipped = {}, []
    for row in rows:
        missing = [v for v in row.variants if v not in owners]
        if missing:
            skipped.append(f"{row.name}: no program offers {' and '.join(missing)}")
        else:
            results[row.name] = judge(row, samples, counts)
    for program in judges:
        entries, complaint = ask(program)
        results |= entries
        if complaint:
            skipped.append(f"{program.rows}: {complaint}")
    (OUT / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    show(results)
    for name, why in reasons.items():
        print(f"not measured: {name}: {why}")
    for line in skipped:
        print(f"skipped: {line}")
    if not counting:
        print("no instruction counts: " + ("asked for" if options.no_count else "valgrind is not installed"))
    missed = [name for name, entry in results.items() if entry.get("met") is False]
    for name in missed:
        print(f"missed: {name}: {results[name]['text']}")
    print(f"{len(results)} rows, {len(missed)} limits missed, {len(skipped)} rows skipped; {OUT.relative_to(TOP)}/results.json")
    return 1 if missed or skipped else 0


if __name__ == "__main__":
    sys.exit(main())
