"""Draws the report of a run: python3 report.py RUN.json REPORT.html [VERIFIED.txt]

One page that needs nothing but itself: how it went, what the loop changed, how it was before, during and after each change, and the receipt of
each claim. The third file is what `knhk verify` said.
"""

import json
import sys
from html import escape
from pathlib import Path

from plots import Plot, page

BEFORE_S, AFTER_S = 6, 14
NO_RECEIPT = '<span class="bad">no receipt</span>'
SETTLED_S = 1  # after a promotion, until requests that were under way have ended


class Run:
    """What a run left, with times in seconds since its beginning."""

    def __init__(self, told):
        self.told = told
        self.width = told["bin_ms"] / 1000
        self.bins, self.samples, self.faults = told["bins"], told["samples"], told["faults"]
        self.receipts = {receipt["id"]: receipt for receipt in told["receipts"]}
        self.patterns = {pattern["id"]: pattern for pattern in told.get("patterns", {}).get("patterns", [])}
        cycles = told.get("cycles", {}).get("cycles", [])
        self.cycles = sorted(cycles, key=lambda cycle: cycle["started_ns"])

    def at(self, time_ns):
        return (time_ns - self.told["begun_ns"]) / 1e9

    def rate(self, field):
        return [((i + 0.5) * self.width, one[field] / self.width) for i, one in enumerate(self.bins)]

    def shares(self):
        return [((i + 0.5) * self.width, 100 * one["succeeded"] / one["sent"] if one["sent"] else None) for i, one in enumerate(self.bins)]

    def quantile(self, field):
        return [((i + 0.5) * self.width, one[field]) for i, one in enumerate(self.bins)]

    def value(self, field):
        return [(sample["at"], sample[field]) for sample in self.samples]

    def share(self, begin, end):
        """Of the requests sent from `begin` to `end`, in %, those that were answered in time; none where none were sent."""
        some = [one for i, one in enumerate(self.bins) if begin <= i * self.width < end]
        sent = sum(one["sent"] for one in some)
        return 100 * sum(one["succeeded"] for one in some) / sent if sent else None

    def slowest(self, begin, end):
        some = [one["p99"] for i, one in enumerate(self.bins) if begin <= i * self.width < end and one["p99"] is not None]
        return max(some) if some else None

    def promoted_at(self, cycle):
        """When the cycle's change became current; none where none did."""
        for name in cycle.get("receipts", []):
            receipt = self.receipts.get(name)
            if receipt and receipt["kind"] == "snapshot promoted":
                return self.at(receipt["time_ns"])
        return None


def linked(name):
    return f'<a href="#r-{escape(name)}">receipt</a>'


def receipt_of(run, cycle, *kinds):
    """The link to the cycle's first receipt of one of these kinds."""
    for kind in kinds:
        for name in cycle.get("receipts", []):
            if name in run.receipts and run.receipts[name]["kind"] == kind:
                return linked(name)
    return NO_RECEIPT


def bands(plot, run):
    for fault in run.faults:
        plot.band(fault["from"], fault["to"], f"{fault['name']}: {fault['what']}")


def marks(plot, run):
    for cycle in run.cycles:
        at = run.promoted_at(cycle)
        if at is not None:
            plot.mark(at, cycle["id"].removeprefix("l-"), f"#c-{cycle['id']}")


def overview(run):
    end = run.told["seconds"]
    highest = max((value for _, value in run.rate("sent")), default=1)
    load = Plot("requests a second", 0, end, highest, 190)
    load.line(run.rate("sent"), 0, "sent")
    load.line(run.rate("succeeded"), 3, "answered in time", area=True)
    load.line(run.rate("refused"), 2, "refused")
    share = Plot("of the requests that were sent, % answered in time", 0, end, 100)
    share.line(run.shares(), 3, area=True)
    latency = Plot("latency, milliseconds", 0, end, 500)
    latency.line(run.quantile("p99"), 2, "99 %")
    latency.line(run.quantile("p50"), 1, "median")
    limit = Plot("requests at once", 0, end, max((value for _, value in run.value("limit")), default=1))
    limit.line(run.value("in_flight"), 1, "in the gateway")
    limit.line(run.value("limit"), 2, "limit", steps=True)
    weights = Plot("weights of the upstreams", 0, end, 100)
    for series, name in enumerate("abc", 1):
        weights.line(run.value(f"weight_{name}"), series, name, steps=True)
    timeout = Plot("time-out in ms, and shedding from so many % of the limit", 0, end, 500)
    timeout.line(run.value("timeout_ms"), 4, "time-out", steps=True)
    timeout.line([(at, 100 * value) for at, value in run.value("shed_low")], 3, "shedding", steps=True)
    drawn = [load, share, latency, limit, weights, timeout]
    for plot in drawn:
        bands(plot, run)
        marks(plot, run)
    return "".join(plot.svg() for plot in drawn)


def percent(value):
    return "–" if value is None else f"{value:.1f} %"


def milliseconds(value):
    return "–" if value is None else f"{value:.0f} ms"


def spans(run, cycle, promoted):
    """Before, during and after a change: (name, what it is, from, to)."""
    found = run.at(cycle["pattern"]["from_ns"])
    began = max((fault["from"] for fault in run.faults if fault["from"] <= found + 1), default=found)
    began = began if found - began < 5 else found
    following = min(
        (at for other in run.cycles if (at := run.promoted_at(other)) is not None and at > promoted + SETTLED_S),
        default=run.told["seconds"],
    )
    ended = min((fault["to"] for fault in run.faults if fault["to"] > promoted), default=run.told["seconds"])
    after = promoted + SETTLED_S
    return [
        ("before", "until it began", began - 4, began),
        ("during", "until the change was current", began, promoted),
        ("after", "once it was current", after, max(min(following, ended, promoted + 8), after + 1)),
    ]


def figures(run, cycle, promoted):
    rows = ""
    for name, what, begin, end in spans(run, cycle, promoted):
        rows += (
            f"<tr><td>{name}</td><td class=faint>{what} ({begin:.1f} … {end:.1f} s)</td><td class=n>{percent(run.share(begin, end))}</td>"
            f"<td class=n>{milliseconds(run.slowest(begin, end))}</td></tr>"
        )
    begin, end = max(promoted - BEFORE_S, 0), min(promoted + AFTER_S, run.told["seconds"])
    highest = max((value for at, value in run.rate("sent") if begin <= at <= end), default=1)
    plot = Plot("requests a second", begin, end, highest, 130)
    plot.line(run.rate("sent"), 0, "sent")
    plot.line(run.rate("succeeded"), 3, "in time", area=True)
    bands(plot, run)
    plot.mark(run.at(cycle["pattern"]["to_ns"]), "found", left=True)
    plot.mark(promoted, "promoted")
    head = "<th></th><th></th><th class=n>answered in time</th><th class=n>slowest quarter second's 99 %</th>"
    return f"<table><tr>{head}</tr>{rows}</table>{plot.svg()}"


def card(run, cycle):
    pattern, plan = cycle["pattern"], cycle.get("plan")
    confidence = pattern["confidence"]
    sure = "1 − 10⁻¹⁵ or more" if confidence >= 1 - 1e-15 else f"1 − {1 - confidence:.1g}"
    out = [
        f'<div class="card" id="c-{escape(cycle["id"])}"><h3>{escape(cycle["id"])}: {escape(pattern["watch"])} '
        f'<span class="faint">{escape(cycle.get("outcome") or cycle["state"])}</span></h3>'
    ]
    out.append(
        f"<p><b>Found</b> at {run.at(pattern['to_ns']):.1f} s by {escape(pattern['detector'])}: {pattern['observed']:.4g} where "
        f"{pattern['expected']:.4g} was expected, confidence {sure}; {receipt_of(run, cycle, 'pattern detected')}.</p>"
    )
    if plan:
        moved = ", ".join(f"<code>{escape(one['path'])}</code> → {escape(json.dumps(one['value']))}" for one in plan["changes"])
        out.append(
            f"<p><b>Proposed</b> by {escape(str(cycle.get('proposer')))}: {moved}: {escape(plan['why'])}; "
            f"{receipt_of(run, cycle, 'proposal generated', 'proposal filed')}.</p>"
        )
    promoted = run.promoted_at(cycle)
    if promoted is not None:
        took = promoted - run.at(pattern["to_ns"])
        out.append(
            f"<p><b>Judged</b> by the seven stages; {receipt_of(run, cycle, 'validation executed')}.</p>"
            f"<p><b>Promoted</b> at {promoted:.1f} s, {took * 1000:.0f} ms after the sample that showed it had ended; "
            f"{receipt_of(run, cycle, 'snapshot promoted')}.</p>"
        )
    if cycle["state"] == "closed":
        out.append(f"<p><b>Outcome</b>: {escape(cycle['said'])}; {receipt_of(run, cycle, 'loop cycle completed')}.</p>")
    else:
        out.append(f"<p><b>Outcome</b>: none yet when the run ended ({escape(cycle['said'])}).</p>")
    if promoted is not None:
        out.append(figures(run, cycle, promoted))
    return "".join([*out, "</div>"])


def receipts(run):
    rows, batches, observations = [], 0, 0
    for receipt in run.told["receipts"]:
        if receipt["kind"] == "observations ingested":
            batches += 1
            observations += receipt["evidence"]["count"]
            continue
        evidence = json.dumps(receipt["evidence"], indent=1, ensure_ascii=False)
        rows.append(
            f'<tr id="r-{escape(receipt["id"])}"><td class=n>{receipt["number"]}</td><td class=n>{run.at(receipt["time_ns"]):.2f} s</td>'
            f"<td>{escape(receipt['kind'])}</td><td>{escape(receipt['outcome'])}</td><td><code>{escape(receipt['id'])}</code>"
            f"<details><summary class=faint>what it states</summary><pre class=code>{escape(evidence)}</pre>"
            f"<span class=code>leaf {receipt['leaf']}</span></details></td></tr>"
        )
    return (
        f"<p>{len(run.told['receipts']):,} receipts, of which {batches:,} are of batches with {observations:,} observations together and are "
        f"not listed. <code>knhk proof receipt ID</code> in the run's folder proves that one is in the log.</p>"
        f"<table><tr><th class=n>number</th><th class=n>at</th><th>what</th><th>outcome</th><th>id</th></tr>"
        f"{''.join(rows)}</table>"
    )


def render(told, verified):
    run = Run(told)
    totals, gateway = told["totals"], told["gateway"]
    share = 100 * totals["succeeded"] / max(totals["sent"], 1)
    changed = [cycle for cycle in run.cycles if run.promoted_at(cycle) is not None]
    calls = sum(one["calls"] for one in told["upstreams"])
    body = [
        f"<h1>A gateway that learns its limits</h1><p class=faint>arm {escape(told['arm'])}, seed {told['seed']}, {told['seconds']:g} seconds; "
        f"clients wait {told['deadline_ms']} ms</p>",
        f"<p><b>{totals['succeeded']:,} of {totals['sent']:,} requests</b> ({share:.1f} %) were answered in time: {totals['refused']:,} were "
        f"refused, {totals['failed']:,} failed, {totals['late']:,} came late, {totals['lost']:,} were lost. The gateway made {calls:,} calls, "
        f"{gateway['retries']:,} of them second tries.</p>",
    ]
    faults = "".join(
        f"<li>{fault['from']:g} … {fault['to']:g} s: <b>{escape(fault['name'])}</b>, {escape(fault['what'])}; "
        f"{percent(run.share(fault['from'], fault['to']))} answered in time</li>"
        for fault in run.faults
    )
    body.append(f"<p>The script, fixed beforehand:</p><ul>{faults or '<li>no faults</li>'}</ul>")
    if told["arm"] == "loop":
        body.append(
            f"<p>The loop went through {len(run.cycles)} cycles; {len(changed)} changed a value. Numbers in the plots lead to them.</p>"
        )
    body.append(f"<h2>How it went</h2>{overview(run)}")
    if run.cycles:
        body.append("<h2>What the loop changed</h2>" + "".join(card(run, cycle) for cycle in changed))
        rest = [cycle for cycle in run.cycles if cycle not in changed]
        if rest:
            body.append("<h2>Cycles that changed nothing</h2>" + "".join(card(run, cycle) for cycle in rest))
    if verified is not None:
        body.append(f"<h2 id=verified>knhk verify</h2><pre class=code>{escape(verified.strip())}</pre>")
    body.append(f"<h2 id=receipts>Receipts</h2>{receipts(run)}")
    return page("A gateway that learns its limits", "\n".join(body))


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    told = json.loads(Path(sys.argv[1]).read_text())
    verified = Path(sys.argv[3]).read_text() if len(sys.argv) == 4 else None
    drawn = render(told, verified)
    Path(sys.argv[2]).write_text(drawn)
    if NO_RECEIPT in drawn:
        sys.exit("a claim of the report has no receipt")


if __name__ == "__main__":
    main()
