"""Verifies an engine's receipts as verify.py does: KNHK says what happened, and stock libraries judge it.

    python3 tests/receipts/engine.py

An engine on a folder promotes, refuses, rolls back, tags and changes its key; then every receipt is taken from it and verified.
"""

import tempfile

import knhk
import verify


def happen(folder: str) -> tuple[str, list[knhk.Receipt], list[bytes], list[bytes], str]:
    with knhk.open(folder) as engine:
        orders = engine.create_sector("orders")
        orders.promote({"max_qty": {"$value": 1000, "$max": 5000}}, by="ops-1", why="first limits")
        try:
            orders.promote({"max_qty": {"$value": 9000, "$max": 5000}}, by="ops-2")
        except knhk.Error:
            pass
        orders.promote({"max_qty": {"$value": 1200, "$max": 5000}}, by="ops-2", why="desk asked")
        orders.tag("stable", "~1", by="risk-1")
        engine.rotate_key()
        orders.rollback("stable", by="ops-1", why="too many rejects")
        orders.emergency_rollback(2, by="ops-1")
        engine.rotate_key(knhk.Signer.generate())
        orders.promote({"max_qty": {"$value": 800, "$max": 5000}})
        receipts = engine.receipts()
        inclusion = [engine.prove_receipt(receipt.id) for receipt in receipts]
        growth = [engine.prove_consistency(size) for size in range(1, len(receipts) + 1)]
        root = engine.trust_root
        assert root is not None
        return root, receipts, inclusion, growth, engine.checkpoint()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, receipts, inclusion, growth, note = happen(folder)
    log = verify.trust_root(root)
    previous, kinds, refused = bytes(32), set(), 0
    for number, receipt in enumerate(receipts):
        claims = verify.check_statement(log, number, receipt.statement, previous)
        previous = verify.leaf(receipt.statement)
        verify.holds(previous == receipt.leaf, "the leaf is the statement's")
        stated = (claims["id"], claims["kind"], claims["time"], claims.get("sector"))
        verify.holds(stated == (receipt.id, receipt.kind, receipt.time_ns, receipt.sector), "what is told is what was signed")
        kinds.add(claims["kind"])
    size, digest = verify.check_checkpoint(log, note.encode())
    verify.holds(size == len(receipts), "the checkpoint covers every receipt")
    for number, receipt in enumerate(receipts):
        proof = inclusion[number]
        verify.holds(verify.check_inclusion(log, number, proof, receipt.statement) == digest, "receipts and checkpoint agree")
        if number in (1, len(receipts) - 1):
            check = verify.check_inclusion
            refused += verify.refuses("a statement", receipt.statement, lambda changed: check(log, number, proof, changed))
            refused += verify.refuses("a receipt", proof, lambda changed: check(log, number, changed, receipt.statement))
    for earlier, data in enumerate(growth, start=1):
        first, _, path, _ = verify.proof(log, data, verify.CONSISTENCY)
        verify.holds(first == earlier, "the proof is of this growth")
        before = root_of([receipt.leaf for receipt in receipts[:earlier]])
        verify.check_growth(log, data, earlier, before, digest)
    print(
        f"{len(receipts)} receipts of {len(kinds)} kinds under {len(log.keys)} keys, straight from an engine, verified with pycose, cwt "
        f"and cbor2; {refused} changed bytes refused"
    )


def root_of(leaves: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1."""
    if len(leaves) == 1:
        return leaves[0]
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return verify.node(root_of(leaves[:left]), root_of(leaves[left:]))


if __name__ == "__main__":
    main()
