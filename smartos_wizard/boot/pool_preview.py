"""What setup makes of the disks, told to a person: the pool, what is left of it, what may break, and the traps.

Pure. Facts: smartos-live: src/smartdc/lib/smartos_prompt_config.sh (promptpool, create_dump, setup_datasets);
illumos: usr/src/uts/common/fs/zfs/spa_misc.c (spa_slop_shift).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smartos_wizard.boot.answers_traps import ROOM, SMALLEST_DUMP
from smartos_wizard.boot.disk_classes import ListedDisk, size_class
from smartos_wizard.boot.disklayout import Layout, NoLayoutError, Vdev, lay_out
from smartos_wizard.boot.model import Warned
from smartos_wizard.boot.pool_picture import counted, pool_picture, shown_name, sold
from smartos_wizard.core.text import size

__all__ = ["NoLayoutError", "Preview", "pool_picture", "preview_of", "what_to_do"]

AT_THE_MACHINE = ("mirror", "raidz2")
"""Layouts that can be typed when setup asks, beside `default`; for others it has `manual`, a shell."""
_NAMED = 6  # disks named in a sentence


@dataclass(frozen=True, slots=True)
class Preview:
    """A pool as setup would make it. Sizes are bytes.

    `capacity` is what `disklayout` says can be stored, `swap` the size of swap (None: RAM not known), `dump`
    the least the dump takes, `any_may_fail` how many disks may fail whichever they are, `most_may_fail` how
    many where each falls into a vdev that can still bear it.
    """

    layout: Layout
    capacity: int
    swap: int | None
    dump: int
    any_may_fail: int
    most_may_fail: int
    notes: tuple[Warned, ...] = ()

    @property
    def left(self) -> int | None:
        """What remains for data beside swap and the smallest dump; None where the RAM is not known."""
        return None if self.swap is None else max(0, self.capacity - self.swap - self.dump)


def preview_of(
    disks: Sequence[ListedDisk],
    layout: str = "",
    *,
    spares: int | None = None,
    width: int | None = None,
    cache: bool = True,
    ram: int | None = None,
) -> Preview:
    """What setup would make of `disks`, with what has to be known of it. `ram` is in bytes.

    The other arguments and the error are those of `disklayout.lay_out`. Raises NoLayoutError.
    """
    made = lay_out(disks, layout, spares=spares, width=width, cache=cache)
    capacity = int(made.capacity) if math.isfinite(made.capacity) else 0
    may_fail = [vdev.may_fail for vdev in made.vdevs]
    by_hand = spares is not None or width is not None or not cache
    notes = (*_asked(layout, by_hand), *_vdev_notes(made), *_disk_notes(made, disks), *_space(capacity, ram))
    return Preview(made, capacity, ram, SMALLEST_DUMP, min(may_fail), sum(may_fail), notes)


def summary(preview: Preview) -> list[tuple[str, str]]:
    """What has to be known of the pool, as pairs of a word and a sentence."""
    layout = preview.layout
    rows = [("Layout", _layout_words(layout)), ("Usable", _usable(preview.capacity))]
    rows.append(("May fail", _may_fail(preview)))
    if layout.logs:
        rows.append(("Log", "Losing it loses no data, but for the last seconds if the machine dies with it."))
    if layout.cache:
        rows.append(("Cache", "Losing it loses nothing."))
    swap = "as much as the RAM; with --ram it is counted." if preview.swap is None else size(preview.swap)
    rows.append(("Swap", swap if preview.swap is None else f"{swap}, as much as the RAM."))
    rows.append(("Dump", "1 GiB or more: twice what `dumpadm -e` estimates on that machine."))
    if preview.left:
        rows.append(("Left", f"at most {size(preview.left)} ({sold(preview.left)}) for your data."))
    unused = [*layout.left, *layout.ignored]
    if unused:
        rows.append(("Not used", _unused(layout)))
    return rows


def what_to_do(error: NoLayoutError) -> str:
    """What helps where there is no layout."""
    text = str(error)
    hints = {
        "no primary": "Removable disks and those under about 0.5 GB are not used. Give it a disk of 20 GB or more.",
        "unknown layout": "Layouts are single, mirror, raidz1, raidz2 and raidz3; without --layout SmartOS chooses.",
        "too many spares": "Beside the spares at least two disks have to remain. Ask for fewer with -s.",
        "invalid number": "The disks beside the spares cannot be split evenly. Ask for one spare more or less.",
        "spares are not": "A pool of a single disk has no spares. Leave out -s.",
        "at least 2": "A mirror needs a second disk of about the same size and kind.",
        "no acceptable": "Another layout, or another number of spares (-s), fits this number of disks.",
    }
    found = next((hint for start, hint in hints.items() if text.startswith(start)), "")
    return found or "Another width (-w), or none so that SmartOS chooses, fits this number of disks."


def _layout_words(layout: Layout) -> str:
    kind = layout.vdevs[0].kind
    if not kind:
        return "a single disk."
    widths = sorted({len(vdev.disks) for vdev in layout.vdevs}, reverse=True)
    each = " or ".join(map(str, widths))
    spares = f", {counted(len(layout.spares), 'spare')}" if layout.spares else ", no spare"
    return f"{counted(len(layout.vdevs), kind)} of {each} disk{'' if widths == [1] else 's'}{spares}."


def _usable(capacity: int) -> str:
    hundredths = (capacity * 100 + (1 << 29)) >> 30  # halves go up, as with JavaScript's toFixed(2)
    shown = f"{hundredths // 100}.{hundredths % 100:02}"
    return (
        f"{size(capacity)} ({sold(capacity)}), which setup shows as “{shown} GB”. ZFS keeps about 3 % of it."
    )


def _may_fail(preview: Preview) -> str:
    least, most = preview.any_may_fail, preview.most_may_fail
    if not least:
        return "no disk. If the wrong one fails, everything in the pool is lost."
    which = "any one disk" if least == 1 else f"any {least} disks at once"
    further = (
        f"; up to {most}, if no vdev loses more than it can bear" if len(preview.layout.vdevs) > 1 else ""
    )
    return f"{which}, without loss of data{further}."


def _unused(layout: Layout) -> str:
    reasons = [(_why_ignored(disk), disk) for disk in layout.ignored]
    reasons += [("left over" if layout.name != "single" else "not wanted", disk) for disk in layout.left]
    words = [
        f"{_names([disk for why, disk in reasons if why == reason])} ({reason})"
        for reason in dict.fromkeys(why for why, _ in reasons)
    ]
    return "; ".join(words) + "."


def _why_ignored(disk: ListedDisk) -> str:
    if disk.removable:
        return "removable"
    return "too small" if size_class(disk.bytes) == 0 else "would be cache"


def _names(disks: Sequence[ListedDisk]) -> str:
    named = ", ".join(shown_name(disk.name) for disk in disks[:_NAMED])
    return named + (f" and {len(disks) - _NAMED} more" if len(disks) > _NAMED else "")


def _asked(layout: str, by_hand: bool) -> Iterator[Warned]:
    if by_hand or (layout and layout not in AT_THE_MACHINE):
        said = (
            "Setup offers its default, mirror and raidz2, and nothing else. For this pool, answer “manual” there and "
            "make the pool zones by hand."
        )
        yield Warned("only-by-hand", said)
    elif layout:
        said = (
            f"Type “{layout}” when setup asks for the layout. A setup without questions builds the default layout, "
            "whatever zpool_layout says."
        )
        yield Warned("only-when-asked", said)


def _vdev_notes(layout: Layout) -> Iterator[Warned]:
    alone = [vdev.disks[0] for vdev in layout.vdevs if not vdev.may_fail]
    if alone and layout.vdevs[-1].kind == "mirror":
        said = f"{_names(alone)} has no partner, and ZFS refuses a mirror of one disk. Ask for one spare more or less."
        yield Warned("mirror-of-one", said, "error")
    elif alone:
        said = f"{_names(alone)} stand{'s' if len(alone) == 1 else ''} alone: nothing replaces what is on it."
        yield Warned("no-redundancy", said)
    lost = sum(_beyond_the_smallest(vdev) for vdev in layout.vdevs)
    if lost >= 1e9:
        said = f"In a vdev every disk counts as large as its smallest: {sold(lost)} stay unused."
        yield Warned("uneven-sizes", said, "info")


def _beyond_the_smallest(vdev: Vdev) -> float:
    sizes = [disk.bytes for disk in vdev.disks]
    return sum(sizes) - len(sizes) * min(sizes)


def _disk_notes(layout: Layout, disks: Sequence[ListedDisk]) -> Iterator[Warned]:
    usb = [disk for disk in disks if disk.kind.upper() == "USB" and not disk.removable]
    if usb:
        said = (
            f"{_names(usb)}: setup leaves out every disk on USB, so it will not be in the pool; `disklayout` alone "
            "does not. Leave it out here with -e."
        )
        yield Warned("usb-disk", said)
    spinning = [disk for disk in layout.cache if not disk.solid]
    if spinning:
        said = (
            f"{_names(spinning)} spin{'s' if len(spinning) == 1 else ''}, and become{'s' if len(spinning) == 1 else ''} "
            "cache: of spinning disks only the class of the largest stores data. Take the larger ones out of the "
            "machine, or make the pool by hand; -e shows what comes of it."
        )
        yield Warned("spinning-cache", said)
    unknown = [disk for vdev in layout.vdevs for disk in vdev.disks if not 0 < disk.bytes < math.inf]
    if unknown:
        said = f"{_names(unknown)}: the size is no number, so nothing here can be relied on."
        yield Warned("size-unknown", said, "error")


def _space(capacity: int, ram: int | None) -> Iterator[Warned]:
    taken = (ram or 0) + SMALLEST_DUMP
    if taken > capacity:
        said = (
            f"The pool cannot hold swap and dump ({size(taken)}). Setup erases the disks and then stops with "
            "“failed to create swap partition”. Use larger disks or less RAM."
        )
        yield Warned("pool-too-small", said, "error")
    elif capacity - taken < ROOM:
        said = f"Beside swap and dump only {size(capacity - taken)} of the pool is left for everything else."
        yield Warned("pool-nearly-full", said)
