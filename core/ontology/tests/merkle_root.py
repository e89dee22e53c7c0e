"""The root of a map of canonical lines, computed from core/ontology/src/merkle/mod.rs's definition and nothing else.

Lines come on stdin; the root goes to stdout in hexadecimal. The argument is a proof of the first line (empty where there is none),
which is checked against the root as a stranger would: with SHA-256 alone.
"""

import hashlib
import sys


def sha256(message: bytes) -> bytes:
    return hashlib.sha256(message).digest()


def nibble(leaf: bytes, depth: int) -> int:
    return leaf[depth // 2] >> (4 if depth % 2 == 0 else 0) & 15


def root(leaves: list[bytes], depth: int = 0) -> bytes:
    if not leaves:
        return bytes(32)
    if len(leaves) == 1:
        return leaves[0]
    groups = [[leaf for leaf in leaves if nibble(leaf, depth) == at] for at in range(16)]
    bitmap = sum(1 << at for at, group in enumerate(groups) if group)
    return sha256(b"\1" + bitmap.to_bytes(2, "big") + b"".join(root(group, depth + 1) for group in groups if group))


def proven(proof: bytes, leaf: bytes) -> bytes:
    """The root that the proof leads to."""
    version, levels = proof[:2]
    assert version == 1
    bitmaps = [int.from_bytes(proof[2 + 2 * i : 4 + 2 * i], "big") for i in range(levels)]
    hashes = proof[2 + 2 * levels :]
    siblings = []
    for bitmap in bitmaps:
        count = bitmap.bit_count() - 1
        siblings.append([hashes[32 * i : 32 * i + 32] for i in range(count)])
        hashes = hashes[32 * count :]
    assert not hashes
    node = leaf
    for depth in reversed(range(levels)):
        at = nibble(leaf, depth)
        assert bitmaps[depth] >> at & 1
        before = (bitmaps[depth] & (1 << at) - 1).bit_count()
        children = siblings[depth][:before] + [node] + siblings[depth][before:]
        node = sha256(b"\1" + bitmaps[depth].to_bytes(2, "big") + b"".join(children))
    return node


lines = sys.stdin.buffer.read().split(b"\n")[:-1]
leaves = [sha256(b"\0" + line + b"\n") for line in lines]
computed = root(sorted(set(leaves)))
if leaves:
    assert proven(bytes.fromhex(sys.argv[1]), leaves[0]) == computed
print(computed.hex())
