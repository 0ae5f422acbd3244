"""Words and numbers as a person reads them: sizes, rates, times, ages; and names that cannot lie."""

from __future__ import annotations

import re
import unicodedata

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s*(?:([KMGTP])(iB|B)?|B)?", re.ASCII | re.IGNORECASE)


def size(count: int) -> str:
    """A number of bytes in binary units with three significant figures: `1.81 GiB`."""
    value = float(count)
    for unit in _UNITS:
        if value < 1024 or unit == _UNITS[-1]:
            if unit == "bytes":
                return f"{count} bytes"
            return (
                f"{value:.2f} {unit}"
                if value < 10
                else f"{value:.1f} {unit}"
                if value < 100
                else f"{value:.0f} {unit}"
            )
        value /= 1024
    raise AssertionError("unreachable")


def parse_size(words: str) -> int:
    """A size in bytes from `16G`, `16 GiB`, `1.5T`, `512MB` or plain bytes; raises ValueError.

    A bare letter and `iB` mean powers of 1024, as ZFS and QEMU print them; `B` after the letter means powers of
    1000, as disks are sold.
    """
    match = _SIZE.fullmatch(words.strip())
    if match is None:
        raise ValueError(words)
    number, letter, kind = match.groups()
    base = 1000 if letter and kind and kind.upper() == "B" else 1024
    power = "KMGTP".index(letter.upper()) + 1 if letter else 0
    return int(float(number) * base**power)


def exact(count: int) -> str:
    """A number of bytes in full: `1,940,000,256`."""
    return f"{count:,}"


def rate(per_second: float) -> str:
    """A speed in decimal megabytes, as sold: `42.1 MB/s`."""
    return f"{per_second / 1e6:.1f} MB/s"


def duration(seconds: float) -> str:
    """A time to wait, no more exact than it deserves: `40 s`, `1 min 10 s`, `2 h 5 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def age(seconds: float) -> str:
    """How long ago: `today`, `3 days`, `11 weeks`, `2 years`."""
    days = int(seconds // 86400)
    if days < 1:
        return "today"
    if days < 14:
        return f"{days} day{'s' if days != 1 else ''}"
    if days < 7 * 20:
        return f"{days // 7} weeks"
    if days < 730:
        return f"{days // 30} months"
    return f"{days // 365} years"


def counted(number: int, what: str) -> str:
    """`1 disk`, `2 disks`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def tame(text: str, limit: int = 64) -> str:
    """A name that hardware or a network gave, made safe to print.

    Control, formatting (right-to-left marks among them), private and unassigned characters are dropped,
    runs of white space become one space, and the rest is cut at `limit` characters.
    """
    kept = "".join(
        " " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C"
    )
    words = " ".join(kept.split())
    return words if len(words) <= limit else words[: limit - 1] + "…"


def folded(words: str, width: int, *, indent: str = "") -> list[str]:
    """The text in lines of at most `width` characters, those after the first indented; blanks within stay.

    A path too long for a line is broken after one of its slashes, never in the middle of a name that would fit.
    """
    lines, line = [], ""
    for gap, word in re.findall(r"(\s*)(\S+)", words):
        for number, piece in enumerate(_pieces(word, width - len(indent))):
            before = gap if line.strip() and not number else ""
            if line and len(line) + len(before) + len(piece) > width:
                lines.append(line)
                line, before = indent, ""
            line += before + piece
    return [*lines, line] if line.strip() else lines


def _pieces(word: str, room: int) -> list[str]:
    """The word, or where it is longer than `room` its parts up to each slash, and of those what fits."""
    if len(word) <= room:
        return [word]
    parts = re.findall(r"[^/]*/+|[^/]+", word)
    return [part[at : at + room] for part in parts for at in range(0, len(part), room)]
