"""Calls a service that falls ill for a while: without policies, and with them. See ../README.md."""

import socket
import socketserver
import sys
import threading
import time

import knhk
from knhk import resilience

CALLS, ILL = 400, range(100, 300)
HANG, APART = 0.02, 0.001


class Service(socketserver.StreamRequestHandler):
    """Answers a line with a line, unless it is ill: then it hangs, and says nothing."""

    seen_ill = 0

    def handle(self):
        number = int(self.rfile.readline())
        if number in ILL:
            Service.seen_ill += 1
            time.sleep(HANG)
        else:
            self.wfile.write(b"price %d\n" % number)


def ask(address, number):
    with socket.create_connection(address) as connection:
        connection.sendall(b"%d\n" % number)
        answer = connection.makefile().readline()
    if not answer:
        raise ConnectionError("no answer")
    return answer.strip()


def run(call):
    """Makes the calls; gives how many were answered, how many of those the service saw while it was ill, and the seconds it took."""
    Service.seen_ill, answered, begun = 0, 0, time.monotonic()
    for number in range(CALLS):
        try:
            call(number)
            answered += 1
        except ConnectionError:
            pass
        time.sleep(APART)
    return answered, Service.seen_ill, time.monotonic() - begun


def main():
    service = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    address = service.server_address
    with knhk.open() as engine:
        limits = engine.create_sector("limits")
        breaker = resilience.Breaker("prices", half_open_permits=1, scope=resilience.Scope(engine=engine))
        breaker.add_to(engine, "limits")
        prices = resilience.Pipeline("prices", breaker, resilience.Bulkhead("prices", 8))
        last = {}

        def remembered(number):
            last["price"] = ask(address, number)
            return last["price"]

        guarded = prices.guarded(fallback=lambda error: last["price"])(remembered)
        without = run(lambda number: ask(address, number))
        limits.promote({"resilience": {"prices": {"recovery_ms": 50}}}, by="operator", why="30 s are too long for this demonstration")
        within = run(guarded)
    service.shutdown()
    print(f"{'':18}{'answered':>10}{'seen while ill':>16}{'seconds':>9}")
    for name, (answered, seen, seconds) in (("without policies", without), ("with policies", within)):
        print(f"{name:18}{answered:>6}/{CALLS}{seen:>16}{seconds:>9.2f}")
    return 0 if without[0] == CALLS - len(ILL) and within[0] == CALLS and within[1] < without[1] / 4 else 1


if __name__ == "__main__":
    sys.exit(main())
