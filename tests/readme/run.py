"""Runs every C, C++, Python and JavaScript block of the README and the manual.

    python3 tests/readme/run.py [--only c,cpp,python,js] [FILE...]

A block that is a whole program runs as it is; a fragment runs inside the harness of its language, which stands beside this file.
Rust and JSON blocks are run by `cargo test -p knhk-readme`. Where things are found can be said in the environment:
KNHK_LIB (the folder of libknhk.so), KNHK_PYTHON (an interpreter that imports knhk), KNHK_NODE_PACKAGE (the package's folder).
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OUT = ROOT / "target" / "readme"
LIB = pathlib.Path(os.environ.get("KNHK_LIB", ROOT / "target" / "release")).resolve()
NODE_PACKAGE = pathlib.Path(os.environ.get("KNHK_NODE_PACKAGE", ROOT / "bindings" / "node")).resolve()
PYTHON = os.environ.get("KNHK_PYTHON", sys.executable)
LANGUAGES = {"c": "c", "cpp": "cpp", "python": "py", "js": "mjs"}
WHOLE = {"c": r"^int main\(", "cpp": r"^int main\(", "python": r"^import knhk", "js": r"^import .* from 'knhk'"}
SECONDS = 60


def blocks(path):
    """Yields (line, language, text) of each fenced block that names a language."""
    fence = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if fence is None and (opening := re.match(r"```(\S+)", line)):
            fence, begun, text = opening[1], number, []
        elif fence is not None and line.startswith("```"):
            yield begun, fence, "\n".join(text) + "\n"
            fence = None
        elif fence is not None:
            text.append(line)
    if fence is not None:
        raise SystemExit(f"{path}: the block that begins in line {begun} has no end")


def indented(text, by):
    return "".join(by + line if line.strip() else line for line in text.splitlines(keepends=True))


def program(language, text):
    """The text to run: the block, or the harness around it."""
    if re.search(WHOLE[language], text, re.MULTILINE):
        return text
    harness = (HERE / f"harness.{LANGUAGES[language]}").read_text()
    place = re.search(r"^( *)(?:#|//|/\*) snippet\b.*\n", harness, re.MULTILINE)
    return harness[: place.start()] + indented(text, place[1]) + harness[place.end() :]


def commands(language, source):
    binary = source.with_suffix("")
    flags = ["-Wall", "-Wextra", "-Werror", "-Wno-unused", "-O2", f"-I{ROOT / 'include'}", "-o", binary, source]
    link = [f"-L{LIB}", f"-Wl,-rpath,{LIB}", "-lknhk", "-lpthread"]
    return {
        "c": [["gcc", "-std=c11", *flags, *link], [binary]],
        "cpp": [["g++", "-std=c++17", *flags, *link], [binary]],
        "python": [[PYTHON, "-W", "error", source]],
        "js": [["node", "--unhandled-rejections=strict", source]],
    }[language]


def run(language, name, text):
    """Returns what went wrong, or None. Each block has a folder of its own, in which it may leave what it likes."""
    folder = OUT / name
    subprocess.run(["rm", "-rf", folder], check=True)
    folder.mkdir(parents=True)
    if language == "js":
        (folder / "node_modules").mkdir()
        (folder / "node_modules" / "knhk").symlink_to(NODE_PACKAGE)
    source = folder / f"snippet.{LANGUAGES[language]}"
    source.write_text(program(language, text))
    for command in commands(language, source):
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return f"{command[0]} did not end within {SECONDS} s"
        if done.returncode != 0:
            return f"{command[0]} ended with {done.returncode}\n{done.stdout}{done.stderr}"
    return None


def targets():
    """The Makefile's targets."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="c,cpp,python,js")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()
    only = set(arguments.only.split(","))
    files = arguments.files or [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    ran = failed = 0
    for path in files:
        for line, language, text in blocks(path):
            name = f"{path.stem}-{line}"
            if language in ("sh", "console"):
                missing = set(re.findall(r"^(?:\$ )?make ([a-z-]+)", text, re.MULTILINE)) - targets()
                wrong = f"the Makefile has no target {', '.join(sorted(missing))}" if missing else None
            elif language in only:
                wrong = run(language, name, text)
            else:
                continue
            ran += 1
            failed += wrong is not None
            if wrong:
                print(f"{path.name}:{line}: {wrong}")
    print(f"{ran} snippets, {failed} failed")
    return 1 if failed or not ran else 0


if __name__ == "__main__":
    sys.exit(main())
