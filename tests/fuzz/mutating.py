"""Damage as it happens and as somebody makes it, drawn with a seed."""

import random
import struct

#: Numbers at the edges of what fields hold.
_EDGES = (0, 1, -1, 2, 127, 128, 255, 256, 32767, -32768, 65535, 2**31 - 1, -(2**31), 2**32 - 1)
_FORMATS = ("<b", "<h", ">h", "<i", ">i", "<H", ">H", "<I", ">I", "<f", ">f")
_TOKENS = (
    b"\0",
    b"\xff" * 4,
    b"nan",
    b"-inf",
    b"1e999",
    b"((((",
    b"'\"",
    b"\n",
    b"\t",
    b"&a [*a, *a]",
    b"../",
    b"%s%n",
)


def mutated(content: bytes, chance: random.Random, other: bytes = b"") -> bytes:
    """`content` with one to six kinds of damage; `other` is a file that parts may come from."""
    damaged = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        if not damaged:
            break
        chance.choice((_flip, _flip, _set_field, _set_field, _cut, _take_out, _repeat, _splice, _insert))(
            damaged, chance, other
        )
    return bytes(damaged)


def _place(damaged: bytearray, chance: random.Random) -> int:
    """Anywhere, and often in the header."""
    return chance.randrange(min(len(damaged), chance.choice((64, 400, 2000, len(damaged)))))


def _flip(damaged: bytearray, chance: random.Random, other: bytes) -> None:
    damaged[_place(damaged, chance)] ^= 1 << chance.randrange(8)


def _set_field(damaged: bytearray, chance: random.Random, other: bytes) -> None:
    form = chance.choice(_FORMATS)
    at = _place(damaged, chance)
    size = struct.calcsize(form)
    if at + size > len(damaged):
        return
    value: float = chance.choice((*_EDGES, chance.getrandbits(32)))
    if form[1] == "f":
        damaged[at : at + size] = struct.pack(
            form, chance.choice((float(value), float("nan"), float("inf"), 1e-38, 3e38))
        )
    else:
        damaged[at : at + size] = int(value).to_bytes(8, "little", signed=True)[:size]


def _cut(damaged: bytearray, chance: random.Random, other: bytes) -> None:
    del damaged[_place(damaged, chance) :]


def _take_out(damaged: bytearray, chance: random.Random, other: bytes) -> None:
    at = _place(damaged, chance)
    del damaged[at : at + chance.randrange(1, 64)]


def _repeat(damaged: bytearray, chance: random.Random, other: bytes) -> None:
    at = _place(damaged, chance)
    part = damaged[at : at + chance.randrange(1, 200)]
    damaged[at:at] = part * chance.randrange(1, 50)


def _splice(damaged: bytearray, chance: random.Random, other: bytes) -> None:
    if other:
        start = chance.randrange(len(other))
        at = _place(damaged, chance)
        damaged[at : at + chance.randrange(64)] = other[start : start + chance.randrange(1, 300)]


def _insert(damaged: bytearray, chance: random.Random, other: bytes) -> None:
    at = _place(damaged, chance)
    damaged[at:at] = chance.choice(_TOKENS)
