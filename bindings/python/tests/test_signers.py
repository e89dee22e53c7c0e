"""Who signs: keys in files, in memory and elsewhere; what no message and no log may say."""

import base64
import logging
import subprocess
import sys
import threading

import pytest

import knhk

# RFC 8032, 7.1, test 1.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")


def shows_the_seed(text):
    text = text.lower()
    forms = (SEED.hex()[:12], base64.b64encode(SEED).decode()[:12].lower(), repr(SEED)[2:30].lower())
    return any(form in text for form in forms)


def test_a_key_of_each_source(tmp_path):
    signer = knhk.Signer.from_seed(SEED)
    assert signer.public_key == PUBLIC
    signer.save(tmp_path / "key.pem")
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    (tmp_path / "seed").write_text(SEED.hex())
    (tmp_path / "seed").chmod(0o600)
    for name in ("key.pem", "seed"):
        assert knhk.Signer.load(tmp_path / name).public_key == PUBLIC
    assert knhk.Signer.generate().public_key != knhk.Signer.generate().public_key
    # RFC 8032's signature of the empty message.
    assert signer.sign(b"").hex().startswith("e5564300c360ac729086e2cc806e828a")
    with pytest.raises(knhk.KeyFileError, match="key.pem"):
        signer.save(tmp_path / "key.pem")
    assert not shows_the_seed(repr(signer)) and PUBLIC.hex() in repr(signer)


def test_no_message_shows_the_seed(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "key"
    said = []
    for content, mode in ((SEED.hex().encode(), 0o644), (SEED.hex().encode() + b"x", 0o600), (SEED + b"x", 0o600)):
        path.write_bytes(content)
        path.chmod(mode)
        with pytest.raises(knhk.KeyFileError) as caught:
            knhk.Signer.load(path)
        said += [str(caught.value), caught.value.item, repr(caught.value)]
        path.chmod(0o600)
    for wrong in (SEED + b"x", SEED[:-1]):
        with pytest.raises(ValueError) as caught:
            knhk.Signer.from_seed(wrong)
        said.append(str(caught.value))
    for wrong in (SEED, SEED.hex()):
        with pytest.raises(knhk.InvalidArgument, match="signer is a knhk.Signer") as caught:
            knhk.open(signer=wrong)
        said.append(str(caught.value))
    with pytest.raises(TypeError) as caught:
        knhk.Signer.from_seed(SEED.hex())
    said.append(str(caught.value))
    with knhk.open(tmp_path / "limits", signer=knhk.Signer.from_seed(SEED)) as engine:
        sector = engine.create_sector("orders")
        sector.promote({"n": 1})
        said += [repr(engine.receipts()), repr([receipt.evidence for receipt in engine.receipts()]), repr(engine.signing_keys())]
        note = engine.checkpoint()
    said += [record.getMessage() for record in caplog.records] + [note]
    assert not any(shows_the_seed(text) for text in said)
    for file in (tmp_path / "limits").iterdir():
        content = file.read_bytes()
        assert SEED not in content and SEED.hex().encode() not in content and base64.b64encode(SEED) not in content, file


def test_a_callable_signs(tmp_path):
    held, calls = knhk.Signer.from_seed(SEED), []

    def sign(message):
        calls.append(threading.current_thread().name)
        assert isinstance(message, bytes)
        return held.sign(message)

    signer = knhk.Signer.delegated(PUBLIC, sign)
    with pytest.raises(knhk.KeyFileError, match="held elsewhere"):
        signer.save(tmp_path / "key")
    with knhk.open(tmp_path / "limits", signer=signer) as engine:
        engine.create_sector("orders").promote({"n": 1})
        assert engine.signing_keys()[0].key == PUBLIC and engine.verify().versions == 1
        assert not (tmp_path / "limits" / "signing.key").exists()
    assert len(calls) >= 3
    with pytest.raises(knhk.KeyFileError):
        knhk.open(tmp_path / "limits")
    with knhk.open(tmp_path / "limits", signer=signer) as engine:
        assert engine.sector("orders").key("n", int)() == 1


@pytest.mark.parametrize(
    ("gives", "says"),
    [
        (lambda message: (_ for _ in ()).throw(RuntimeError("the HSM is locked")), "RuntimeError: the HSM is locked"),
        (lambda message: knhk.Signer.generate().sign(message), "not this key's signature"),
        (lambda message: bytes(64), "not this key's signature"),
        (lambda message: b"short", "5 bytes"),
        (lambda message: None, "NoneType"),
    ],
)
def test_what_is_not_signed_is_not_promoted(gives, says):
    held, fails = knhk.Signer.from_seed(SEED), threading.Event()
    signer = knhk.Signer.delegated(PUBLIC, lambda message: gives(message) if fails.is_set() else held.sign(message))
    with knhk.open(signer=signer) as engine:
        sector = engine.create_sector("orders")
        sector.promote({"n": 1})
        fails.set()
        with pytest.raises(knhk.SigningFailed, match=says) as caught:
            sector.promote({"n": 2})
        assert caught.value.code == 305
        assert sector.key("n", int)() == 1 and len(sector.history()) == 1
        fails.clear()
        sector.promote({"n": 3})
        assert engine.verify().versions == 2


def test_what_is_no_delegation():
    with pytest.raises(TypeError, match="cannot be called"):
        knhk.Signer.delegated(PUBLIC, None)
    with pytest.raises(ValueError, match="32 bytes"):
        knhk.Signer.delegated(PUBLIC[:-1], lambda message: b"")
    with pytest.raises(knhk.InvalidArgument, match="public key"):
        knhk.Signer.delegated(b"\xff" * 32, lambda message: b"")
    with pytest.raises(TypeError):
        knhk.Signer()


def test_rotation(tmp_path):
    place = tmp_path / "limits"
    with knhk.open(place) as engine:
        sector = engine.create_sector("orders")
        sector.promote({"n": 1})
        before = (place / "signing.key").read_bytes()
        rotated = engine.rotate_key()
        assert rotated.kind == "key rotated" and (place / "signing.key").read_bytes() != before
        sector.promote({"n": 2})
        own = knhk.Signer.generate()
        engine.rotate_key(own)
        assert not (place / "signing.key").exists()
        keys = engine.signing_keys()
        assert [key.current for key in keys] == [False, False, True] and keys[2].key == own.public_key
        assert keys[1].from_receipt == rotated.number + 1 and keys[0] != keys[1] and len(keys[0].id) == 16
        with pytest.raises(knhk.InvalidArgument):
            engine.rotate_key(own)
        assert engine.verify().keys == 3
    with knhk.open(place, signer=own) as engine:
        assert engine.verify().keys == 3
        failing = knhk.Signer.delegated(PUBLIC, lambda message: b"")
        with pytest.raises(knhk.SigningFailed):
            engine.rotate_key(failing)
        engine.sector("orders").promote({"n": 3})


def test_an_interpreter_that_ends_leaves_a_whole_log(tmp_path):
    program = f"""
import knhk
held = knhk.Signer.from_seed(bytes.fromhex({SEED.hex()!r}))
engine = knhk.open({str(tmp_path / "limits")!r}, signer=knhk.Signer.delegated(held.public_key, held.sign))
engine.create_sector("orders").promote({{"n": 1}})
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    with knhk.open(tmp_path / "limits", signer=knhk.Signer.from_seed(SEED)) as engine:
        assert engine.verify().versions == 1
