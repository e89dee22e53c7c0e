"""Runs the gateway of examples/gateway for a few seconds in each arm, and checks what holds whatever the machine's speed.

python3 tests/examples/gateway.py GATEWAY KNHK
"""

import json
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "examples" / "gateway"))

import report  # noqa: E402
import study  # noqa: E402

ENDINGS = ("succeeded", "late", "refused", "failed", "wrong", "lost")
SCALE = "0.03"


def check(holds, what):
    if not holds:
        raise AssertionError(what)


def run(gateway, arm, folder):
    out = folder / f"{arm}.json"
    command = [
        gateway,
        "--arm",
        arm,
        "--seed",
        "7",
        "--scale",
        SCALE,
        "--folder",
        folder / arm,
        "--out",
        out,
        "--ontology",
        ROOT / "examples/gateway/gateway.ttl",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    check(done.returncode == 0 and not done.stderr, f"{arm}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return json.loads(out.read_text())


def check_counts(told):
    """Whatever was sent ended once, on both sides alike, and each step was observed once and is under a receipt."""
    totals, gateway, upstreams = told["totals"], told["gateway"], told["upstreams"]
    check(totals["sent"] > 0 and totals["wrong"] == 0, totals)
    check(totals["sent"] == sum(totals[ending] for ending in ENDINGS), totals)
    for field in ("sent", *ENDINGS):
        check(sum(one[field] for one in told["bins"]) == totals[field], f"{field} by time and in all")
    check(gateway["received"] == totals["sent"] == gateway["admitted"] + gateway["refused"], gateway)
    check(gateway["admitted"] == gateway["answered"] + gateway["failed"], gateway)
    # What the clients count as lost, the gateway may have answered after they had left.
    check(totals["refused"] <= gateway["refused"] and totals["failed"] <= gateway["failed"], gateway)
    check(totals["succeeded"] + totals["late"] <= gateway["answered"], gateway)
    calls = sum(one["calls"] for one in upstreams)
    check(gateway["answered"] <= calls <= gateway["admitted"] + gateway["retries"], (calls, gateway))
    for one in upstreams:
        check(one["calls"] >= one["asked"] >= one["worked"] + one["erred"], one)
    kept = [receipt["evidence"] for receipt in told["receipts"] if receipt["kind"] == "observations ingested"]
    made = gateway["received"] + 3 * calls + gateway["answered"]
    check(sum(evidence["count"] for evidence in kept) == made - gateway["unobserved"], f"{made} observations were made")


def check_receipts(told, knhk, folder):
    check([receipt["number"] for receipt in told["receipts"]] == list(range(len(told["receipts"]))), "a receipt is missing")
    done = subprocess.run([knhk, "--dir", folder, "verify"], capture_output=True, text=True, timeout=180)
    check(done.returncode == 0 and "the log is whole" in done.stdout, done.stdout + done.stderr)
    return done.stdout


def check_page(page):
    """It needs nothing but itself, its drawings are drawings, and each link leads somewhere."""
    check(not re.search(r"(src|href)=[\"']?(https?:|//)|@import|url\(", page), "the page asks for something from elsewhere")
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    check(drawings, "there is no plot")
    for drawing in drawings:
        xml.fromstring(drawing)
    anchors = set(re.findall(r'id="?([^" >]+)', page))
    for link in re.findall(r'href="#([^"]+)"', page):
        check(link in anchors, f"the link to {link} leads nowhere")


def main():
    gateway, knhk = map(Path, sys.argv[1:3])
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        runs = {}
        for arm in study.ARMS:
            told = run(gateway.resolve(), arm, folder)
            check_counts(told)
            verified = check_receipts(told, knhk.resolve(), folder / arm)
            page = report.render(told, verified)
            check_page(page)
            for part in ("How it went", "Receipts", "the log is whole", "traffic spike"):
                check(part in page, f"{arm}: the report says nothing of {part}")
            if arm == "loop":
                check(told["status"]["turns"] > 0 and told["status"]["failed"] is None, told["status"])
                check(len(told["status"]["watches"]) == 8, told["status"])
            runs[arm] = [told]
        check(len({told[0]["totals"]["sent"] for told in runs.values()}) == 1, "the arms were asked for different things")
        page = study.draw(runs, float(SCALE))
        check_page(page)
        check("shortened" in page, "the study does not say that it was shortened")
        print(f"gateway: {runs['loop'][0]['totals']['sent']:,} requests in each of {len(runs)} arms, all accounted for; the logs are whole")


if __name__ == "__main__":
    main()
