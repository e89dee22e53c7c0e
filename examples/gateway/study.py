"""Runs the gateway's three arms against the same script, and compares them: python3 study.py GATEWAY FOLDER [--pairs 5] [--scale 1]

A pair is one run of each arm with one seed, so that the same requests come at the same moments and need the same work; the order of the arms
changes from pair to pair. Prints the table, draws FOLDER/study.html, and ends with 1 where the loop does not serve at least 1.3 times as many
requests as the static limits and as many as the adaptive limiter, in the median of the pairs.
"""

import argparse
import json
import subprocess
import sys
from html import escape
from pathlib import Path
from statistics import median

from plots import Plot, page

ARMS = {"static": "static limits", "adaptive": "adaptive limiter", "loop": "the loop"}
WANTED = {"static": 1.3, "adaptive": 1.0}


def run(gateway, folder, arm, seed, scale):
    out = folder / f"{arm}-{seed}.json"
    kept = folder / f"{arm}-{seed}"
    command = [gateway, "--arm", arm, "--seed", str(seed), "--scale", str(scale), "--folder", str(kept), "--out", str(out), "--quiet"]
    done = subprocess.run(command, check=False)
    if done.returncode != 0:
        sys.exit(f"{arm}, seed {seed}: exit code {done.returncode}")
    return json.loads(out.read_text())


def served(told, begin=0.0, end=float("inf")):
    """The share in %, of the requests sent in a span, that were answered in time."""
    width = told["bin_ms"] / 1000
    some = [one for i, one in enumerate(told["bins"]) if begin <= i * width < end]
    sent = sum(one["sent"] for one in some)
    return 100 * sum(one["succeeded"] for one in some) / sent if sent else 0.0


def rows(runs):
    """For each arm what the table says, the medians of the pairs."""
    for arm, name in ARMS.items():
        of = runs[arm]
        faults = [median(served(told, fault["from"], fault["to"]) for told in of) for fault in of[0]["faults"]]
        yield {
            "arm": arm,
            "name": name,
            "succeeded": median(told["totals"]["succeeded"] for told in of),
            "share": median(served(told) for told in of),
            "faults": faults,
            "p99": median(told["totals"]["p99"] for told in of),
            "changes": median(len(told["changes"]) for told in of),
        }


def ratios(runs):
    """How many times as many requests the loop served, pair by pair."""
    return {
        arm: [mine["totals"]["succeeded"] / other["totals"]["succeeded"] for mine, other in zip(runs["loop"], runs[arm])] for arm in WANTED
    }


def verdict(arm, values):
    return median(values) >= WANTED[arm]


def print_table(runs):
    faults = [fault["name"] for fault in runs["loop"][0]["faults"]]
    print(f"\n  {'':18}{'in time':>10}{'share':>9}" + "".join(f"{name:>16}" for name in faults) + f"{'99 %':>10}{'changes':>9}")
    for row in rows(runs):
        print(
            f"  {row['name']:18}{row['succeeded']:>10,.0f}{row['share']:>7.1f} %"
            + "".join(f"{share:>14.1f} %" for share in row["faults"])
            + f"{row['p99']:>7.0f} ms{row['changes']:>9.0f}"
        )
    print()
    for arm, values in ratios(runs).items():
        each = ", ".join(f"{value:.3f}" for value in values)
        mark = "✓" if verdict(arm, values) else "✗"
        print(f"  {mark} the loop against {ARMS[arm]}: {median(values):.3f} times as many requests, wanted {WANTED[arm]:g} (pairs: {each})")
    print()


def middle(runs, field):
    """The median over the pairs, bin by bin, a second."""
    width = runs[0]["bin_ms"] / 1000
    for i in range(min(len(told["bins"]) for told in runs)):
        values = [told["bins"][i][field] for told in runs if told["bins"][i][field] is not None]
        value = median(values) if values else None
        yield (i + 0.5) * width, value / width if value is not None and field not in ("p50", "p99") else value


def middle_share(runs, wide=4):
    """The median over the pairs of the share in %, a second at a time."""
    width = runs[0]["bin_ms"] / 1000
    for i in range(0, min(len(told["bins"]) for told in runs), wide):
        yield (i + wide / 2) * width, median(served(told, i * width, (i + wide) * width) for told in runs)


def draw(runs, scale):
    any_run = runs["loop"][0]
    end = any_run["seconds"]
    load = Plot(
        "requests a second that were answered in time, median of the pairs",
        0,
        end,
        max(value for _, value in middle(runs["loop"], "sent")),
        260,
    )
    load.line(list(middle(runs["loop"], "sent")), 0, "sent")
    latency = Plot("latency of answers, 99 % of each quarter second, median of the pairs", 0, end, any_run["deadline_ms"], 180)
    share = Plot("of the requests that were sent, % answered in time, median of the pairs", 0, end, 100, 200)
    for series, arm in enumerate(ARMS, 1):
        share.line(list(middle_share(runs[arm])), series, ARMS[arm])
        load.line(list(middle(runs[arm], "succeeded")), series, ARMS[arm])
        latency.line(list(middle(runs[arm], "p99")), series, ARMS[arm])
    for plot in (load, share, latency):
        for fault in any_run["faults"]:
            plot.band(fault["from"], fault["to"], fault["what"])
    faults = any_run["faults"]
    head = "".join(f"<th class=n>{escape(fault['name'])}</th>" for fault in faults)
    table = f"<table><tr><th></th><th class=n>in time</th><th class=n>share</th>{head}<th class=n>99 %</th><th class=n>changes</th></tr>"
    for row in rows(runs):
        shares = "".join(f"<td class=n>{share:.1f} %</td>" for share in row["faults"])
        table += (
            f"<tr><td>{escape(row['name'])}</td><td class=n>{row['succeeded']:,.0f}</td><td class=n>{row['share']:.1f} %</td>{shares}"
            f"<td class=n>{row['p99']:.0f} ms</td><td class=n>{row['changes']:.0f}</td></tr>"
        )
    table += "</table>"
    claims = ""
    for arm, values in ratios(runs).items():
        kind = "good" if verdict(arm, values) else "bad"
        each = ", ".join(f"{value:.3f}" for value in values)
        claims += (
            f"<li class={kind}>The loop served <b>{median(values):.3f} times</b> as many requests as {escape(ARMS[arm])} (wanted: {WANTED[arm]:g} or more; "
            f"pair by pair: {each}).</li>"
        )
    script = "".join(
        f"<li>{fault['from']:g} … {fault['to']:g} s: {escape(fault['name'])}, {escape(fault['what'])}</li>" for fault in faults
    )
    scaled = ""
    if scale != 1:
        scaled = (
            f"<p class=bad>A shortened script (scale {scale:g}): the loop has no time to learn what is usual, so this says nothing of the arms.</p>"
        )
    seeds = ", ".join(str(told["seed"]) for told in runs["loop"])
    body = (
        f"<h1>Static limits, an adaptive limiter, the loop</h1><p>{len(runs['loop'])} pairs (seeds {seeds}), the same requests in each arm of "
        f"a pair, on one machine. A request counts when its answer was right and came within {any_run['deadline_ms']} ms of the moment at "
        f"which it was due.</p>{scaled}<ul>{claims}</ul>{table}<h2>How it went</h2>{load.svg()}{share.svg()}{latency.svg()}"
        f"<p>The script, fixed beforehand:</p><ul>{script}</ul>"
    )
    return page("Static limits, an adaptive limiter, the loop", body)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gateway")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    runs = {arm: [] for arm in ARMS}
    for pair in range(arguments.pairs):
        order = list(ARMS)[pair % 3 :] + list(ARMS)[: pair % 3]
        for arm in order:
            told = run(arguments.gateway, arguments.folder, arm, pair + 1, arguments.scale)
            runs[arm].append(told)
            totals = told["totals"]
            print(
                f"  pair {pair + 1}  {ARMS[arm]:18}{totals['succeeded']:>8,} of {totals['sent']:,} in time ({served(told):.1f} %)",
                flush=True,
            )
    print_table(runs)
    drawn = arguments.folder / "study.html"
    drawn.write_text(draw(runs, arguments.scale))
    print(f"  {drawn}")
    if arguments.scale == 1 and not all(verdict(arm, values) for arm, values in ratios(runs).items()):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
