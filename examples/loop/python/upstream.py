"""Asks an upstream that falls ill, and has the closed loop find how much it can still be asked. See ../README.md."""

import json
import pathlib
import socket
import socketserver
import sys
import threading

import knhk
from knhk import governance

SECONDS, ILL, CAPACITY = 100, range(40, 100), 20
BEGIN_NS = 1_800_000_000 * 10**9
ONTOLOGY = pathlib.Path(__file__).parents[1] / "gateway.ttl"


class Upstream(socketserver.StreamRequestHandler):
    """Answers each request of a batch; while it is ill, those beyond its capacity with "busy"."""

    def handle(self):
        for line in self.rfile:
            second, batch = map(int, line.split())
            well = min(batch, CAPACITY) if second in ILL else batch
            self.wfile.write(b"ok\n" * well + b"busy\n" * (batch - well))


def main():
    upstream = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    # The clock is moved by hand, so that a minute and more takes no time; a service leaves `manual_time` out and starts the loop with `every=1`.
    with (
        knhk.open(signer=knhk.Signer.generate(), observations=True, manual_time=BEGIN_NS) as engine,
        socket.create_connection(upstream.server_address) as connection,
    ):
        gateway = engine.create_sector("gateway", kind="governed")
        engine.propose({"gateway": governance.Whole(ONTOLOGY.read_text(), "turtle")}, by="ops", why="the first version")
        batch, answers = gateway.key("batch", int), connection.makefile()
        engine.loop.hook("learn")(lambda info: print(f"  {info.cycle}"))
        engine.loop.start(every=0, cooldown=2)
        engine.loop.step()
        served, now = [], BEGIN_NS
        for second in range(SECONDS):
            asked = batch()
            connection.sendall(b"%d %d\n" % (second, asked))
            ok = 0
            for request in range(asked):
                answered = answers.readline() == "ok\n"
                ok += answered
                engine.observe(batch, asked, knhk.Outcome.SUCCESS if answered else knhk.Outcome.ERROR, time_ns=now + request)
            served.append((asked, ok))
            now = engine.advance_time(1)
            engine.loop.step()
        cycles = engine.loop.cycles()
        receipts = [receipt for cycle in cycles for receipt in cycle.receipts]
        proven = all(engine.receipt(receipt) for receipt in receipts)
    upstream.shutdown()
    share = [ok / asked for asked, ok in served]
    told = {
        "before": sum(share[:40]) / 40,
        "when it fell ill": share[40],
        "at the end": sum(share[-20:]) / 20,
        "batch": [asked for n, (asked, _) in enumerate(served) if n == 0 or asked != served[n - 1][0]],
        "cycles": [cycle.outcome for cycle in reversed(cycles)],
    }
    print(json.dumps(told))
    well = told["before"] == told["at the end"] == 1 and told["when it fell ill"] < 0.5 and served[-1][0] <= CAPACITY
    return 0 if well and proven and receipts and "kept" in told["cycles"] else 1


if __name__ == "__main__":
    sys.exit(main())
