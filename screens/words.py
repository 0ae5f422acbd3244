"""Words and glyphs of the interface: marks, the command that does the same, a disk in a line. No Textual."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from smartos_wizard.core import text
from smartos_wizard.media.model import Disk, Judged, Target, Withheld
from smartos_wizard.screens.flow import Answers, Stage, short_token
from smartos_wizard.screens.options_words import boot_flags


@dataclass(frozen=True, slots=True)
class Marks:
    """Glyphs with a meaning. Each also has a word beside it wherever it is shown."""

    done: str = "●"
    now: str = "◐"
    todo: str = "○"
    failed: str = "✗"
    good: str = "✔"
    warn: str = "▲"
    pointer: str = "▸"
    full: str = "█"
    empty: str = "░"
    levels: str = "▁▂▃▄▅▆▇█"
    tick: str = "┤"
    corner: str = "┼"
    axis: str = "─"
    rule: str = "─"
    wall: str = "│"
    ends: str = " ▏▎▍▌▋▊▉"


UNICODE = Marks()
ASCII = Marks("[x]", "[>]", "[ ]", "[!]", "OK", "!!", ">", "#", ".", "__..::##", "|", "+", "-", "-", "|", " ")

_ASCII_FOR = {
    "●": "*", "◐": ">", "○": "o", "✗": "!", "✔": "*", "▲": "!", "▸": ">", "█": "#", "░": ".", "…": "~",
    "·": "-", "→": ">", "←": "<", "↑": "^", "↓": "v", "⏎": "<", "“": '"', "”": '"', "’": "'", "‘": "'",
    "─": "-", "━": "-", "═": "-", "│": "|", "┃": "|", "║": "|", "╭": "+", "╮": "+", "╰": "+", "╯": "+",
    "┌": "+", "┐": "+", "└": "+", "┘": "+", "├": "+", "┤": "|", "┼": "+", "┬": "+", "┴": "+",
    "▁": "_", "▂": "_", "▃": ".", "▄": "=", "▅": ":", "▆": ":", "▇": "#", "▔": "-", "▎": "|", "▀": "#", "▌": "#", "▍": "#", "▋": "#", "▉": "#", "▪": "=", "▏": "|", "▊": "|",
    "×": "x", "–": "-", "—": "-", "\u00a0": " ", "≤": "<", "≥": ">", "⭘": "o", "▼": "v", "▶": ">",
}  # fmt: skip


def to_ascii(line: str) -> str:
    """`line` with every character one ASCII character wide; what has no likeness becomes a question mark."""
    return "".join(c if c < "\x7f" else _ASCII_FOR.get(c, "?") for c in line)


def short_serial(serial: str) -> str:
    """A serial as it fits a column, its end kept: that is what is typed."""
    return serial if len(serial) <= 12 else f"{serial[:4]}…{serial[-4:]}"


def begin(*, practice: bool) -> str:
    """How every command begins."""
    return "smartos-wizard --practice" if practice else "smartos-wizard"


def same_by_command(stage: Stage, answers: Answers, *, practice: bool = False) -> str:
    """What a person would type to do the same, from here to the end."""
    start = begin(practice=practice)
    stamp = answers.stamp or "latest"
    paths = " ".join(shlex.quote(t.path) for t in answers.targets) or "/dev/sdX"
    flags = boot_flags(answers.choices, answers.given)
    write = f"{start} key write {paths} --release {stamp}" + (f" {flags}" if flags else "")
    match stage:
        case Stage.RELEASE:
            return f"{start} release list"
        case Stage.CHECK:
            return f"{start} release download {stamp}"
        case Stage.TARGET:
            return f"{start} key list --all"
        case Stage.OPTIONS:
            return f"{start} key write … {flags}" if flags else write
        case Stage.REVIEW:
            return f"{write} --dry-run"
        case Stage.WRITE | Stage.PROVE:
            tokens = " ".join(f"--confirm {shlex.quote(t.token)}" for t in answers.targets)
            return f"{write} {tokens}".rstrip()
        case _:
            return f"{start} key check {paths} --release {stamp}"


def where_in(disk: Disk, notes: Sequence[str], room: int) -> str:
    """The port and what it costs, in as many words as fit into `room` cells."""
    slow = next((n for n in notes if n.startswith("in a USB")), "")
    usb = disk.usb
    generation = "" if usb is None or usb.speed is None else "USB 3" if usb.speed >= 5000 else "USB 2"
    forms = [
        slow,
        f"{generation} port: slower" if slow else "",
        f"{generation}: slower" if slow else "",
        where_it_is(disk),
        generation,
    ]
    fits = [f for f in forms if f and len(f) <= room]
    return fits[0] if fits else generation or disk.transport.upper()


_SHORT = {
    "system-disk": "holds this system", "read-only": "write-protected", "not-removable": "not removable or USB",
    "sector-4096": "sectors of 4,096 bytes", "optical": "an optical drive", "no-medium": "no medium in it",
}  # fmt: skip


def why_not(withheld: Withheld, room: int) -> str:
    """The first reason, in as many words as fit, and how many more there are."""
    first = withheld.reasons[0]
    more = f" (+{len(withheld.reasons) - 1})" if len(withheld.reasons) > 1 else ""
    forms = [
        "; ".join(r.text for r in withheld.reasons),
        first.text + more,
        _SHORT.get(first.reference, "") + more,
    ]
    if first.reference == "too-small" and withheld.disk.size is not None:
        forms.append(f"too small: {text.exact(withheld.disk.size)} bytes")
    fits = [f for f in forms if 0 < len(f) <= room and not f.startswith(" (")]
    return fits[0] if fits else first.text[: max(1, room - 1)] + "…"


def where_it_is(disk: Disk) -> str:
    """The port in words."""
    usb = disk.usb
    if usb is None or usb.speed is None:
        return disk.transport.upper()
    if usb.speed >= 5000:
        return f"USB 3, {usb.speed / 1000:g} Gb/s"
    return f"USB 2, {usb.speed:g} Mb/s"


def disk_line(disk: Disk) -> str:
    """A disk in one line: what it is, which one, where."""
    parts = [disk.name, short_serial(disk.serial), f"at {disk.path}"]
    return " ".join(p for p in parts if p)


def size_of(disk: Disk) -> str:
    """Its size, or the word for not knowing it."""
    return "unknown" if disk.size is None else text.size(disk.size)


def more_about(judged: Judged) -> list[tuple[str, str]]:
    """Everything known of a disk, as pairs of a name and a value."""
    disk = judged.disk
    usb = disk.usb
    rows = [
        ("Disk", disk.path),
        ("What it is", disk.name),
        ("Serial", disk.serial or "none: the path names it"),
        ("Size", f"{size_of(disk)}" + (f" ({text.exact(disk.size)} bytes)" if disk.size is not None else "")),
        ("Sectors", f"{disk.sector} bytes" if disk.sector else "unknown"),
        ("Connected by", disk.transport or "unknown"),
    ]
    if usb is not None:
        rows.append(("Port", " ".join(x for x in (usb.port, where_it_is(disk)) if x)))
    rows.append(("Removable", {True: "yes", False: "no", None: "unknown"}[disk.removable]))
    for part in disk.partitions:
        label = f"“{text.tame(part.label)}”" if part.label else ""
        used = f"{text.size(part.used)} in use" if part.used else ""
        words = (part.fstype or "no file system seen", label, text.size(part.size), used)
        rows.append((part.path.rsplit("/", 1)[-1], " ".join(w for w in words if w)))
    rows += [("Mounted", f"{m.device} at {m.point}") for m in disk.mounts]
    rows += [("In use by", h) for h in disk.holders]
    match judged:
        case Withheld():
            rows += [("Not offered", reason.text) for reason in judged.reasons]
        case Target():
            rows += [("Note", note) for note in judged.notes]
    return rows


def what_to_type(tokens: tuple[str, ...]) -> str:
    """The sentence above the confirmation field."""
    shorts = [short_token(t) for t in tokens]
    if len(tokens) == 1:
        if shorts[0]:
            return f"To arm it, type the last four characters of the serial ({shorts[0]}):"
        return f"To arm it, type {tokens[0]}:"
    if all(shorts) and len(set(shorts)) == len(shorts):
        return (
            f"To arm it, type the ends of both serials ({' '.join(shorts)}):"
            if len(shorts) == 2
            else (f"To arm it, type the last four of each serial ({' '.join(shorts)}):")
        )
    return f"To arm it, type {' '.join(tokens)}:"
