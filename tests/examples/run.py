"""Runs the admission program of each language for a second and checks what its summary says.

    python3 tests/examples/run.py [--seconds 1] LANGUAGE=COMMAND...

for instance `c=target/demo/admission "python=python3 examples/admission/python/admission.py"`. Nothing here depends on how fast it is.
"""

import argparse
import json
import re
import shlex
import socket
import subprocess
import sys

VERDICTS = {"accepted", "closed", "venue", "quantity", "tenant", "price"}
GRACE = 60


def check(holds, what):
    if not holds:
        raise AssertionError(what)


def summary_of(command, seconds):
    done = subprocess.run([*command, "--seconds", str(seconds), "--json"], capture_output=True, text=True, timeout=seconds + GRACE)
    check(done.stdout.strip(), f"nothing was printed\n{done.stderr}")
    told = json.loads(done.stdout)
    check(done.returncode == 0, f"exit code {done.returncode}: {done.stdout}{done.stderr}")
    check(not done.stderr.strip(), f"complaints: {done.stderr}")
    return told


def check_summary(language, told):
    check(told["language"] == language, told["language"])
    check(not any(told["violations"].values()), told["violations"])
    decided, observations, versions = told["decided"], told["observations"], told["versions"]
    check(decided > 0 and told["sent"] == told["answered"] == decided, (told["sent"], told["answered"], decided))
    check(set(told["verdicts"]) == VERDICTS and sum(told["verdicts"].values()) == decided, told["verdicts"])
    check(observations["drained"] + observations["dropped"] == decided, observations)
    check(sum(version["decisions"] for version in versions) == observations["drained"], "decisions by version")

    check([version["version"] for version in versions] == list(range(1, 8)), versions)
    generations = [version["generation"] for version in versions]
    check(generations == sorted(set(generations)), generations)
    check([version["rollback_of"] for version in versions] == [0] * 6 + [5], "the last change is the only rollback")
    check("max_qty" in told["refusal"] and told["refused"] == 1, told["refusal"])
    check("400" in versions[1]["change"] and "1000" in versions[1]["change"], versions[1]["change"])
    check(told["announced"] >= len(versions) - 1, told["announced"])


def check_rude_clients(command):
    """Whoever does not speak the protocol is shown out, and nobody else notices."""
    running = subprocess.Popen([*command, "--seconds", "1"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        port = next(int(found[1]) for line in running.stdout if (found := re.search(r"127\.0\.0\.1:(\d+)", line)))
        for rude in (b"x" * 500, b"\n", b"\0" * 90, b"1 acme XPAR -1 1\n", b"1 acme XPAR 1 99999999999999999999\n", b"1 acme\n"):
            with socket.create_connection(("127.0.0.1", port), 5) as connection:
                connection.sendall(rude)
                try:
                    check(connection.recv(100) == b"", f"{rude[:20]} was answered")
                except ConnectionResetError:
                    pass
        socket.create_connection(("127.0.0.1", port), 5).close()
        rest, _ = running.communicate(timeout=GRACE)
        check(running.returncode == 0, rest)
    finally:
        running.kill()
        running.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("programs", nargs="+", metavar="LANGUAGE=COMMAND")
    arguments = parser.parse_args()
    failed = 0
    for program in arguments.programs:
        language, command = program.split("=", 1)
        try:
            told = summary_of(shlex.split(command), arguments.seconds)
            check_summary(language, told)
            if language == "c":
                check_rude_clients(shlex.split(command))
            print(f"admission in {language}: {told['decided']:,} decisions, {len(told['versions'])} versions, no contradiction")
        except (AssertionError, OSError, StopIteration, ValueError, subprocess.TimeoutExpired) as wrong:
            failed += 1
            print(f"admission in {language}: {wrong!r}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
