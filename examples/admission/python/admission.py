"""Admission, in Python: see examples/admission/README.md for what it shows.

Threads serve the connections; clients, operator, auditor and the subscription to changes are coroutines of the main thread.
"""

import argparse
import asyncio
import collections
import contextlib
import dataclasses
import random
import socket
import socketserver
import sys
import threading
import time

import knhk
from limits import ACCEPTED, CLOSED, PLAN, PRICE, QUANTITY, TENANT, TENANTS, VENUE, VENUES, VERDICTS, Limits, Order
from orders_keys import OrdersKeys
from report import report

CONNECTIONS = 4
BATCH = 32
LINE = 80


@dataclasses.dataclass
class Era:
    """The time between two of the operator's changes."""

    version: knhk.Version
    limits: Limits
    called_ns: int
    returned_ns: int
    first_ns: int = 0
    decisions: int = 0
    change: str = ""


class Program:
    def __init__(self, engine: knhk.Engine, seconds: float, quiet: bool):
        self.engine, self.seconds, self.quiet = engine, seconds, quiet
        self.connections = CONNECTIONS
        self.orders = engine.sector("orders")
        self.eras: list[Era] = []
        self.eras_lock = threading.Lock()  # held while a promotion runs: whoever meets an unknown generation waits for its entry
        self.acknowledged = 0  # the newest generation whose promotion has returned
        self.counts = collections.Counter()
        self.counts_lock = threading.Lock()
        self.longest_ns = 0
        self.refusals: list[str] = []
        self.stopped = asyncio.Event()
        self.begun = time.monotonic()
        self.take(PLAN[0])
        self.keys = keys = OrdersKeys(engine)  # generated (knhk codegen): a misspelt key is an error before it is read
        self.venues = dict(zip(VENUES, (keys.classes_XPAR, keys.classes_XLON, keys.classes_XETR, keys.classes_XOFF)))

    # The decision: what a program does with KNHK for each request.

    def decide(self, view: knhk.View, order: Order) -> int:
        if not view[self.keys.open]:
            return CLOSED
        if (venue := self.venues.get(order.venue)) is None or not view.is_a(venue, self.keys.classes_tradable):
            return VENUE
        if order.qty > view[self.keys.max_qty]:
            return QUANTITY
        if order.qty > view.lookup(self.keys.tenants, order.tenant, order.qty):
            return TENANT
        if not view.allows(self.keys.price, order.price):
            return PRICE
        return ACCEPTED

    def admit(self, order: Order, counts: collections.Counter) -> tuple[int, int]:
        acknowledged = self.acknowledged
        begun = time.time_ns()
        with self.engine.view() as view:
            verdict = self.decide(view, order)
            ended = time.time_ns()
            outcome = knhk.Outcome.SUCCESS if verdict == ACCEPTED else knhk.Outcome.REJECTED
            view.observe(self.keys.max_qty, order.qty, outcome, detail=order.detail(verdict), time_ns=ended)
            generation = view.epoch
        counts["stale"] += generation < acknowledged
        counts["decided"] += 1
        counts["decided", verdict] += 1
        self.longest_ns = max(self.longest_ns, ended - begun)
        return verdict, generation

    def serve(self, connection: socket.socket) -> None:
        """Answers the orders of one connection until its end."""
        counts = collections.Counter()
        partial = b""
        with contextlib.suppress(ValueError):  # a line that is no order ends the connection
            while chunk := connection.recv(4096):
                *lines, partial = (partial + chunk).split(b"\n")
                answers = []
                for line in lines:
                    order = Order.parse(line)
                    verdict, generation = self.admit(order, counts)
                    answers.append(b"%d %s %d\n" % (order.id, VERDICTS[verdict].encode(), generation))
                connection.sendall(b"".join(answers))
                if len(partial) >= LINE:
                    break
        with self.counts_lock:
            self.counts.update(counts)

    # The operator.

    def event(self, text: str) -> None:
        if not self.quiet:
            print(f"  {time.monotonic() - self.begun:4.1f} s  {text}", flush=True)

    def take(self, step) -> None:
        with self.eras_lock:
            called = time.time_ns()
            try:
                if step.back_to:
                    version = self.orders.rollback(step.back_to, by=step.by, why=step.why)
                    limits = next(era.limits for era in self.eras if era.version.version == step.back_to)
                else:
                    version = self.orders.promote(step.limits.document(), by=step.by, why=step.why)
                    limits = step.limits
            except knhk.InvalidDocument as refusal:
                self.refusals.append(str(refusal))
                self.counts["unexpected"] += not step.breaks_range
                self.event(f"✗ refused: {refusal}")
            else:
                self.eras.append(Era(version, limits, called, time.time_ns()))
                self.counts["unexpected"] += step.breaks_range
                # From here on, every decision that begins must be on these limits or newer ones.
                self.acknowledged = version.epoch

    async def operate(self) -> None:
        for number, step in enumerate(PLAN[1:], 1):
            await asyncio.sleep(self.begun + self.seconds * number / len(PLAN) - time.monotonic())
            await asyncio.to_thread(self.take, step)

    async def announce(self) -> None:
        async for change in self.engine.changes():
            self.counts["announced"] += 1
            with self.eras_lock:
                era = next(era for era in self.eras if era.version.version == change.version)
            era.change = ", ".join(str(difference) for difference in change.differences)
            self.event(f"● {change.summary}")
            if self.counts["announced"] == len(PLAN) - 2:  # neither the first, which was before, nor the refused one
                return

    # The traffic.

    async def client(self, port: int, number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        dice, sent, newest = random.Random(number), 0, 0
        while time.monotonic() < self.begun + self.seconds:
            batch = range(sent, sent := sent + BATCH)
            for n in batch:
                tenant, venue = dice.choice(TENANTS), dice.choice(VENUES)
                writer.write(f"{n} {tenant} {venue} {dice.randrange(1, 1101)} {dice.randrange(9400, 10600)}\n".encode())
            self.counts["sent"] += BATCH
            for n in batch:
                answer = (await asyncio.wait_for(reader.readline(), 5)).decode().split()
                if len(answer) != 3 or int(answer[0]) != n or answer[1] not in VERDICTS:
                    self.counts["lost"] += sent - n
                    return
                self.counts["answered"] += 1
                self.counts["answered", VERDICTS.index(answer[1])] += 1
                self.counts["backwards"] += int(answer[2]) < newest
                newest = int(answer[2])
        writer.close()
        await writer.wait_closed()

    # The auditor.

    def audit(self) -> int:
        """Drains the rings, and decides every order again from the limits that were in force."""
        seen = self.engine.drain(4096)
        with self.eras_lock:
            for observation in seen:
                era = next((era for era in reversed(self.eras) if era.version.epoch <= observation.epoch), None)
                verdict = observation.detail & 0xFF
                if era is None or era.limits.decide_again(observation.value, observation.detail) != verdict:
                    self.counts["contradicted"] += 1
                else:
                    era.first_ns = era.first_ns or observation.time_ns
                    era.decisions += 1
        self.counts["drained"] += len(seen)
        return len(seen)

    async def audit_all(self) -> None:
        while not self.stopped.is_set():
            # Appending rings no bell, by design: a monitor looks now and then, as often as its rings are long.
            try:
                await asyncio.wait_for(self.stopped.wait(), 0.01)
            except TimeoutError:
                pass
            while self.audit():
                pass

    def measure(self, rounds: int = 2000) -> float:
        """What one decision costs, in nanoseconds."""
        order = Order(0, "acme", "XPAR", 1, 10000)
        begun = time.perf_counter_ns()
        for _ in range(rounds):
            with self.engine.view() as view:
                self.decide(view, order)
        return (time.perf_counter_ns() - begun) / rounds

    async def run(self) -> None:
        program = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                program.serve(self.request)

        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
            accepting = threading.Thread(target=server.serve_forever)
            accepting.start()
            announcing = asyncio.create_task(self.announce())
            auditing = asyncio.create_task(self.audit_all())
            port = server.server_address[1]
            try:
                await asyncio.gather(self.operate(), *(self.client(port, n) for n in range(CONNECTIONS)))
            finally:
                server.shutdown()
                accepting.join()
            self.elapsed = time.monotonic() - self.begun
        # All connections are served to their end: what they observed is in the rings.
        self.decision_ns = self.measure()
        self.stopped.set()
        await asyncio.gather(auditing, announcing)


def main() -> int:
    parser = argparse.ArgumentParser(description="Admits orders on limits that an operator changes meanwhile.")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    arguments = parser.parse_args()
    if not 0.1 <= arguments.seconds <= 3600:
        parser.error("--seconds takes a number from 0.1 to 3600")
    with knhk.open(":memory:", ring_records=1 << 14) as engine:
        engine.create_sector("orders")
        program = Program(engine, arguments.seconds, arguments.json)
        asyncio.run(asyncio.wait_for(program.run(), arguments.seconds + 30))
        return 0 if report(program, arguments.json) else 1


if __name__ == "__main__":
    sys.exit(main())
