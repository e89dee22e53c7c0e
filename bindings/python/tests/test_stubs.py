"""The types that programs see: complete, strict, and the same as at run time."""

import inspect
import subprocess
import sys
from pathlib import Path

import knhk
from knhk import _knhk

HERE = Path(__file__).parents[1]


def mypy(*args):
    done = subprocess.run([sys.executable, "-m", *args], cwd=HERE, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_stubs_match_the_module(tmp_path):
    mypy("mypy.stubtest", "knhk", "--mypy-config-file", "pyproject.toml", "--ignore-disjoint-bases")


def test_the_package_and_its_use_are_strictly_typed(tmp_path):
    mypy("mypy", "--strict", "--cache-dir", str(tmp_path))


def test_the_package_says_that_it_is_typed():
    assert (Path(knhk.__file__).parent / "py.typed").exists()


def test_public_names_are_documented():
    undocumented = []
    stub = (Path(knhk.__file__).parent / "_knhk.pyi").read_text()
    for name in knhk.__all__:
        found = getattr(knhk, name)
        if inspect.isclass(found) and found.__module__ == "knhk" and not found.__doc__:
            undocumented.append(name)
        if inspect.isfunction(found) and not found.__doc__:
            undocumented.append(name)
    assert undocumented == []
    for name, method in inspect.getmembers(knhk.Engine) + inspect.getmembers(knhk.Sector):
        if not name.startswith("_") and callable(method):
            assert method.__doc__ or f"def {name}(" in stub, name


def test_the_version_is_the_engines():
    assert knhk.__version__ == _knhk.__version__
    assert knhk.__version__.count(".") == 2
