"""How bytes go through a terminal that drops, echoes and mixes in: what is typed, what is printed, and how both are proven.

Pure. Only what POSIX promises of a shell is used: printf %b, od, dd, cksum (XCU, sections of the same names). A terminal that reads
whole lines may take no more than 255 characters of one (_POSIX_MAX_CANON), so lines are short.
"""

from __future__ import annotations

import re

LINE = 220
"""No line that is typed is longer, in characters."""
PIECE = 2048
"""So many bytes of an answer are asked for at once."""
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 _./:,=+@-")
_UPPER, _LOWER = bytes(range(65, 91)), bytes(range(97, 123))
_TURN = bytes.maketrans(_UPPER + _LOWER, _UPPER[13:] + _UPPER[:13] + _LOWER[13:] + _LOWER[:13])
TURN_BACK = "LC_ALL=C tr A-Za-z N-ZA-Mn-za-m"
"""What a machine undoes the turning of letters with."""
_HEX = re.compile(r"(?:[0-9a-f]{2}[ \t]+)*[0-9a-f]{2}")
_POLYNOMIAL = 0x04C11DB7


def _table() -> tuple[int, ...]:
    rows = []
    for number in range(256):
        row = number << 24
        for _ in range(8):
            row = (row << 1 ^ _POLYNOMIAL if row & 0x80000000 else row << 1) & 0xFFFFFFFF
        rows.append(row)
    return tuple(rows)


_TABLE = _table()


def cksum(data: bytes) -> str:
    """What `cksum` prints for these bytes on its stdin: the checksum, a blank, and their number."""
    crc, length = 0, len(data)
    tail = length.to_bytes((length.bit_length() + 7) // 8, "little")
    for each in (data, tail):
        for byte in each:
            crc = (crc << 8 & 0xFFFFFFFF) ^ _TABLE[crc >> 24 ^ byte]
    return f"{crc ^ 0xFFFFFFFF} {length}"


def typed(data: bytes, room: int) -> list[str]:
    """The bytes as words for `printf %b '...'`, each at most `room` characters long (at least 5); TURN_BACK comes after it.

    Letters are turned by thirteen and all that means something to a shell is a number: should the line lose letters, quotes
    among them, then what is left of a command is no command.
    """
    words, word = [], ""
    for byte in data.translate(_TURN):
        sign = chr(byte) if byte in _SAFE else f"\\0{byte:03o}"
        if len(word) + len(sign) > room:
            words.append(word)
            word = ""
        word += sign
    return [*words, word] if word else words


def printed(text: str) -> bytes:
    """The bytes of what `od -A n -v -t x1` printed. A line that is not all of it is left out: somebody else said that."""
    found = bytearray()
    for line in text.splitlines():
        if _HEX.fullmatch(line.strip()):
            found += bytes.fromhex(line)
    return bytes(found)


def reply(nonce: str, number: int) -> re.Pattern[str]:
    """What answers the line of that number, with `words` in it. A line that is typed never looks so, as the nonce is not in it."""
    return re.compile(rf"~{re.escape(nonce)}:{number}:(?P<words>[^~\n]*)~")
