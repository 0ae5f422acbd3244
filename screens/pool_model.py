"""What SmartOS would make of disks that were typed, or of this machine's: judged and drawn. No Textual here."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from smartos_wizard.boot.disk_specs import from_specs, spec_of, words_of
from smartos_wizard.boot.disklayout import NoLayoutError
from smartos_wizard.boot.pool_picture import counted, pool_picture, sold
from smartos_wizard.boot.pool_preview import Preview, preview_of, summary, what_to_do
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.text import parse_size, size, tame
from smartos_wizard.screens.options_list import Offer

if TYPE_CHECKING:
    from smartos_wizard.boot.disk_classes import ListedDisk
    from smartos_wizard.media.host_disks import Host

MOST = 1_000
"""Disks that are drawn as one types; the command takes more."""
EXAMPLE = "8x4TB 400GB:ssd"
MOST_SPARES = 8

LAYOUTS = (
    Offer("", "SmartOS chooses", "By the number of disks: mirrors for few, raidz2 for many."),
    Offer("mirror", "mirror", "Pairs; half of the space. Fast, and one of each pair may fail."),
    Offer("raidz1", "raidz1", "One disk of each group may fail. Setup does not offer it."),
    Offer("raidz2", "raidz2", "Two disks of each group may fail."),
    Offer("raidz3", "raidz3", "Three disks of each group may fail. Setup does not offer it."),
    Offer("single", "single", "One disk, no redundancy. Setup does not offer it."),
)
SPARES = (
    Offer("", "SmartOS chooses", "As many as it thinks right for that many disks."),
    Offer("0", "none", "Every disk stores data."),
    *(Offer(str(n), str(n), "It takes the place of a disk that failed.") for n in range(1, MOST_SPARES + 1)),
)
_FOR_A_SCREEN = (
    (" with -s.", "."), ("Leave out -s.", "Ask for none."), (" (-s)", ""), ("; -e shows what comes of it", ""),
    ("; with --ram it is counted", ": say above how much that is, and it is counted"),
)  # fmt: skip

_SHORT = {
    "no primary": "none of these is for data",
    "too many spares": "too many for these disks",
    "invalid number": "the rest does not split evenly",
    "at least 2": "it needs a second disk alike",
}
"""An error of `disklayout`, as it begins, in as many words as fit beside a field."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for. `host` takes the place of `line` where it is there; the rest are texts, empty if open."""

    line: str = ""
    host: Host | None = None
    layout: str = ""
    spares: str = ""
    ram: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What to show: lines of the picture, pairs of word and sentence, notes as (level, sentence).

    `said` is what stands beside the disks, `chosen` the layout it takes, `headline` what matters most of the
    pool, `wrong` is field to what is wrong with it, in words, and `why` tells more where there is no such pool.
    """

    picture: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    said: str = ""
    chosen: str = ""
    headline: str = ""
    why: str = ""
    wrong: dict[str, str] = field(default_factory=dict)


def look(asked: Asked, width: int, *, ascii_only: bool = False) -> Seen:
    """The pool SmartOS's setup would make, or what is wrong. Takes under 0.1 s."""
    wrong: dict[str, str] = {}
    disks = _disks(asked, wrong)
    ram = _ram(asked, wrong)
    if "disks" in wrong or not disks:
        return Seen(wrong=wrong, said=_counted(asked, disks))
    try:
        seen = preview_of(disks, asked.layout, spares=int(asked.spares) if asked.spares else None, ram=ram)
    except NoLayoutError as error:
        blame = "spares" if "spare" in str(error) and asked.spares else "layout" if asked.layout else "disks"
        wrong[blame] = next(
            (words for start, words in _SHORT.items() if str(error).startswith(start)), "not with these disks"
        )
        why = for_a_screen(f"{str(error).capitalize().rstrip('.')}. {what_to_do(error)}")
        return Seen(wrong=wrong, said=_counted(asked, disks), why=why)
    return Seen(
        tuple(pool_picture(seen.layout, width, ascii_only)),
        tuple((word, for_a_screen(sentence)) for word, sentence in summary(seen)),
        tuple((note.level, for_a_screen(note.text)) for note in seen.notes),
        _counted(asked, disks),
        _chosen(seen),
        _headline(seen),
        wrong=wrong,
    )


def _disks(asked: Asked, wrong: dict[str, str]) -> tuple[ListedDisk, ...]:
    if asked.host is not None:
        return asked.host.disks
    try:
        specs = [spec_of(word) for word in words_of(asked.line)]
        if sum(spec.count for spec in specs) > MOST:
            raise UsageProblem("too-many-disks", f"More than {MOST:,} disks: the command below takes them.")
        return from_specs(specs)
    except (ValueError, UsageProblem) as problem:
        wrong["disks"] = str(problem)
        return ()


def _ram(asked: Asked, wrong: dict[str, str]) -> int | None:
    if not asked.ram.strip():
        return asked.host.ram if asked.host is not None else None
    try:
        return parse_size(asked.ram)
    except ValueError:
        wrong["ram"] = f"“{tame(asked.ram, 12)}” is no size"
        return None


def _counted(asked: Asked, disks: tuple[ListedDisk, ...]) -> str:
    if not disks and asked.host is None:
        return "8x is eight alike, :ssd a solid-state disk; sizes as they are sold"
    solid = sum(disk.solid for disk in disks)
    kinds = f", {solid} of them SSD" if solid and solid < len(disks) else ", SSD" if solid else ""
    whose = "this machine's: " if asked.host is not None else ""
    return f"{whose}{counted(len(disks), 'disk')}{kinds}, {sold(sum(d.bytes for d in disks))} together"


def _chosen(seen: Preview) -> str:
    """The layout in a word or two."""
    vdevs = seen.layout.vdevs
    return counted(len(vdevs), vdevs[0].kind) if vdevs[0].kind else "a single disk"


def _headline(seen: Preview) -> str:
    """What matters most of it."""
    may = {0: "no disk", 1: "any one disk"}.get(seen.any_may_fail, f"any {seen.any_may_fail} disks")
    return f"{size(seen.capacity)} usable, {may} may fail"


def for_a_screen(sentence: str) -> str:
    """A sentence of the preview without the options of the command."""
    for old, new in _FOR_A_SCREEN:
        sentence = sentence.replace(old, new)
    return sentence


def flags_of(asked: Asked) -> str:
    """The options of `pool preview` that ask for the same."""
    words = ["--this-host"] if asked.host is not None else []
    if not words:
        for word in words_of(asked.line) or words_of(EXAMPLE):
            words += ["--disk", word]
    words += ["--layout", asked.layout] if asked.layout else []
    words += ["-s", asked.spares] if asked.spares else []
    words += ["--ram", asked.ram.strip()] if asked.ram.strip() else []
    return " ".join(shlex.quote(word) for word in words)


def sentences(seen: Seen, width: int, word: int = 10) -> Iterator[tuple[str, str]]:
    """Summary and notes as (first column, rest of the line), wrapped to `width`, a blank line before each.

    Errors are left out: they come first, before the picture.
    """
    notes = [(level, sentence) for level, sentence in seen.notes if level != "error"]
    for part in (seen.rows, notes):
        if part:
            yield "", ""
        for name, sentence in part:
            lines = textwrap.wrap(sentence, max(20, width - word), break_on_hyphens=False)
            yield from ((name if not n else "", line) for n, line in enumerate(lines))
