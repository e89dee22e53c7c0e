"""Verifies a log's receipts with stock libraries, pycose, cwt and cbor2, and nothing of KNHK: what a stranger would write.

    python3 tests/receipts/verify.py <folder>

The folder is what `cargo run -p knhk-ledger --example sample <folder>` writes. Everything is verified with pycose; the
statements and receipts with cwt again. Then each file is changed, and must be refused.
"""

import base64
import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

import cbor2
import cwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cwt import COSEKey
from pycose.keys import OKPKey
from pycose.keys.curves import Ed25519
from pycose.messages import Sign1Message

VDP, VDS, CWT_CLAIMS, RFC9162_SHA256 = 396, 395, 15, 1
INCLUSION, CONSISTENCY = -1, -2


class Refused(Exception):
    """What does not hold."""


def holds(condition: bool, what: str) -> None:
    if not condition:
        raise Refused(what)


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def leaf(content: bytes) -> bytes:
    return sha256(b"\0", content)


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1", left, right)


def root_from_inclusion(hash_: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """RFC 9162, 2.1.3.2."""
    holds(0 <= index < size, "the leaf is in the tree")
    fn, sn = index, size - 1
    for step in path:
        holds(sn != 0, "the path is not too long")
        if fn & 1 or fn == sn:
            hash_ = node(step, hash_)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            hash_ = node(hash_, step)
        fn, sn = fn >> 1, sn >> 1
    holds(sn == 0, "the path is not too short")
    return hash_


def check_consistency(first: int, second: int, path: list[bytes], first_root: bytes, second_root: bytes) -> None:
    """RFC 9162, 2.1.4.2."""
    holds(0 < first <= second, "the log grew")
    if first == second:
        return holds(not path and first_root == second_root, "the roots are the same")
    if first & (first - 1) == 0:
        path = [first_root, *path]
    holds(bool(path), "the path is not empty")
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for step in path[1:]:
        holds(sn != 0, "the path is not too long")
        if fn & 1 or fn == sn:
            fr, sr = node(step, fr), node(step, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, step)
        fn, sn = fn >> 1, sn >> 1
    holds(sn == 0 and fr == first_root and sr == second_root, "the path leads to both roots")


@dataclass
class Log:
    """A log's name and keys, each with the first receipt that it may sign."""

    origin: str
    keys: list[tuple[int, bytes]]

    def key(self, number: int) -> bytes:
        return [key for begin, key in self.keys if begin <= number][-1]


def trust_root(text: str) -> Log:
    """C2SP signed-note's verifier key."""
    origin, hash_, encoded = text.split("+", 2)
    typed = base64.b64decode(encoded, validate=True)
    holds(typed[:1] == b"\1" and len(typed) == 33, "the key is Ed25519")
    holds(sha256(origin.encode(), b"\n", typed)[:4].hex() == hash_, "the hash is that of the name and key")
    return Log(origin, [(0, typed[1:])])


def check_signature(data: bytes, key: bytes, payload: bytes | None) -> None:
    """With pycose, then with cwt. A payload that is given is the one that the message leaves out."""
    holds(cbor2.dumps(cbor2.loads(data), canonical=True) == data, "the encoding is deterministic")
    message = Sign1Message.decode(data)
    if payload is not None:
        holds(message.payload is None, "the payload is left out")
        message.payload = payload
    message.key = OKPKey(crv=Ed25519, x=key)
    holds(message.verify_signature(), "pycose verifies the signature")
    kid = sha256(key)[:8]
    protected = cbor2.loads(cbor2.loads(data).value[0])
    holds(protected[1] == -8 and protected[4] == kid, "the protected header names EdDSA and the key")
    stock = COSEKey.new({1: 1, -1: 6, -2: key, 3: -8, 2: kid})
    try:
        cwt.COSE.new(alg_auto_inclusion=False, kid_auto_inclusion=False).decode(data, stock, detached_payload=payload)
    except Exception as why:
        raise Refused(f"cwt verifies the signature: {why}") from why


def claims_of(data: bytes) -> dict:
    message = cbor2.loads(data)
    holds(message.tag == 18 and message.value[1] == {}, "a statement's unprotected header is empty")
    return cbor2.loads(message.value[2])


def check_statement(log: Log, number: int, data: bytes, previous: bytes) -> dict:
    claims = claims_of(data)
    holds(claims["log"] == log.origin and claims["number"] == number, "the statement is at its place in its log")
    holds(claims["previous"] == previous, "the statement follows the one before")
    check_signature(data, log.key(number), None)
    sector = claims.get("sector", "engine")
    holds(claims["id"] == f"{claims['time']:016x}-{sector}-{number}", "the id is made of time, sector and number")
    evidence = claims["evidence"]
    if number == 0:
        holds(claims["kind"] == "ledger created" and evidence["key"] == log.key(0), "the log begins with its root")
    if claims["kind"] == "key rotated":
        holds(evidence["old"] == log.key(number), "the key that is replaced is the log's")
        check_signature(evidence["acceptance"], evidence["new"], None)
        agreed = {"log": log.origin, "number": number, "previous": previous, "old": evidence["old"], "new": evidence["new"]}
        holds(claims_of(evidence["acceptance"]) == agreed, "the new key agreed")
        log.keys.append((number + 1, evidence["new"]))
    return claims


def proof(log: Log, data: bytes, kind: int) -> tuple[int, int, list[bytes], int]:
    """The proof of a receipt (RFC 9942), and the size that its protected header states."""
    message = cbor2.loads(data)
    protected, unprotected = cbor2.loads(message.value[0]), message.value[1]
    holds(protected[VDS] == RFC9162_SHA256, "the tree is RFC9162_SHA256")
    stated = protected[CWT_CLAIMS]
    holds(stated[1] == log.origin, "the receipt is of the log")
    holds(list(unprotected) == [VDP] and list(unprotected[VDP]) == [kind] and len(unprotected[VDP][kind]) == 1, "one proof")
    first, second, path = cbor2.loads(unprotected[VDP][kind][0])
    return first, second, path, stated["tree-size"]


def check_inclusion(log: Log, number: int, data: bytes, statement: bytes) -> bytes:
    size, index, path, stated = proof(log, data, INCLUSION)
    holds(size == stated and index == number, "the proof is for this statement in a log of the stated size")
    root = root_from_inclusion(leaf(statement), index, size, path)
    check_signature(data, log.key(size), root)
    return root


def check_growth(log: Log, data: bytes, first: int, first_root: bytes, root: bytes) -> None:
    earlier, size, path, stated = proof(log, data, CONSISTENCY)
    holds(size == stated and earlier == first, "the proof is for this growth")
    check_consistency(earlier, size, path, first_root, root)
    check_signature(data, log.key(size), root)


def check_checkpoint(log: Log, note: bytes) -> tuple[int, bytes]:
    """C2SP tlog-checkpoint."""
    body, _, signatures = note.decode().rpartition("\n\n")
    origin, size, root = body.split("\n")
    holds(origin == log.origin, "the checkpoint is of the log")
    line = signatures.removesuffix("\n")
    holds(line.startswith(f"\u2014 {origin} ") and signatures.endswith("\n") and size == str(int(size)), "the note is well-formed")
    encoded = line.split(" ", 2)[2]
    signature, key = base64.b64decode(encoded, validate=True), log.key(int(size))
    holds(base64.b64encode(signature).decode() == encoded, "the base64 is canonical")
    holds(signature[:4] == sha256(origin.encode(), b"\n\1", key)[:4], "the signature names the key")
    Ed25519PublicKey.from_public_bytes(key).verify(signature[4:], f"{body}\n".encode())
    digest = base64.b64decode(root, validate=True)
    holds(base64.b64encode(digest).decode() == root, "the base64 is canonical")
    return int(size), digest


def check_observation(log: Log, record: bytes, data: bytes) -> None:
    holds(cbor2.dumps(cbor2.loads(data), canonical=True) == data, "the encoding is deterministic")
    statement, index, path = cbor2.loads(data)
    claims = claims_of(statement)
    holds(claims["log"] == log.origin, "the batch is of the log")
    check_signature(statement, log.key(claims["number"]), None)
    evidence = claims["evidence"]
    holds(claims["kind"] == "observations ingested" and evidence["record_bytes"] == len(record), "it is of such a batch")
    holds(root_from_inclusion(leaf(record), index, evidence["count"], path) == evidence["root"], "it is in the batch")


def refuses(what: str, content: bytes, check, step: int = 1) -> int:
    """Changes each byte, one at a time; how many changes were refused, which must be all."""
    for at in range(0, len(content), step):
        changed = bytearray(content)
        changed[at] ^= 1 << at % 8
        try:
            check(bytes(changed))
        except Exception:
            continue
        raise SystemExit(f"{what}: byte {at} was changed and nothing was found")
    return len(range(0, len(content), step))


def main() -> int:
    folder = Path(sys.argv[1])
    log = trust_root((folder / "root").read_text())
    statements = [(folder / f"statements/{n}").read_bytes() for n in range(len(list((folder / "statements").iterdir())))]
    previous, kinds = bytes(32), []
    for number, statement in enumerate(statements):
        kinds.append(check_statement(log, number, statement, previous)["kind"])
        previous = leaf(statement)
    size, root = check_checkpoint(log, (folder / "checkpoint").read_bytes())
    holds(size == len(statements), "the checkpoint covers every statement")
    refused = 0
    for number, statement in enumerate(statements):
        receipt = (folder / f"inclusion/{number}").read_bytes()
        holds(check_inclusion(log, number, receipt, statement) == root, "the receipts and the checkpoint agree")
        if number in (0, 5):
            refused += refuses("a statement", statement, lambda changed: check_inclusion(log, number, receipt, changed))
            refused += refuses("a receipt", receipt, lambda changed: check_inclusion(log, number, changed, statement))
    for path in (folder / "consistency").iterdir():
        first, before = int(path.name), (folder / "roots" / path.name).read_bytes()
        check_growth(log, path.read_bytes(), first, before, root)
        if first == 3:
            refused += refuses("growth", path.read_bytes(), lambda changed: check_growth(log, changed, first, before, root))
    records = [path for path in (folder / "observations").iterdir() if not path.suffix]
    for path in records:
        record, data = path.read_bytes(), path.with_suffix(".proof").read_bytes()
        check_observation(log, record, data)
        refused += refuses("an observation", record, lambda changed: check_observation(log, changed, data))
        refused += refuses("its proof", data, lambda changed: check_observation(log, record, changed), step=3)
    refused += refuses("a checkpoint", (folder / "checkpoint").read_bytes(), lambda changed: check_checkpoint(log, changed))
    print(
        f"{len(statements)} statements of {len(set(kinds))} kinds under {len(log.keys)} keys, their receipts, "
        f"{len(records)} observations and a checkpoint verified with pycose, cwt and cbor2; {refused} changed bytes refused"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
