"""The disks as rows: those that may become the key first, the others below with the reason of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.content import Content

from smartos_wizard.core import text
from smartos_wizard.media.model import Judged, Target, Withheld
from smartos_wizard.screens.words import Marks, short_serial, size_of, where_in, why_not

Row = tuple[str, Content, bool]


def _cut(words: str, width: int) -> str:
    return words if len(words) <= width else words[: max(1, width - 1)] + "…"


def disk_rows(disks: Iterable[Judged], marked: Sequence[str], marks: Marks, width: int) -> list[Row]:
    """Rows for `Choices`. `marked` are the paths chosen with space; `width` is in cells."""
    disks = list(disks)
    width -= 2  # the scroll bar may take its place
    path = max([len(d.disk.path) for d in disks] + [4])
    name = 30 if width < 100 else 44
    rows: list[Row] = [("", _line("Disk", "Size", "What it is", "Where", path, name, "$dim", width), False)]
    targets = [d for d in disks if isinstance(d, Target)]
    for target in targets:
        rows.append((target.path, _target(target, target.path in marked, marks, path, name, width), True))
    if not targets:
        rows.append(("", Content.assemble(("  No disk here may become a key. Plug one in: it appears by itself.", "$warning")), False))  # fmt: skip
    withheld = [d for d in disks if isinstance(d, Withheld)]
    if withheld:
        rows += [("", Content(" "), False), ("", Content.assemble(("  Not offered", "bold $dim")), False)]
    rows += [(f"not:{d.disk.path}", _withheld(d, path, width), True) for d in withheld]
    return rows


def _line(
    disk: str, size: str, what: str, where: str, path: int, name: int, style: str, width: int
) -> Content:
    words = f"  {disk:<{path}}  {size:>8}  {_cut(what, name):<{name}}  {where}"
    return Content.assemble((_cut(words, width), style))


def _target(target: Target, marked: bool, marks: Marks, path: int, name: int, width: int) -> Content:
    disk = target.disk
    serial = short_serial(disk.serial)
    what = f"{_cut(disk.name, name - len(serial) - 2):<{name - len(serial) - 2}}  {serial}"
    size = size_of(disk)
    room = width - path - name - 16
    where = where_in(disk, target.notes, room)
    mark = (marks.good if len(marks.good) == 1 else "*") if marked else " "
    return Content.assemble(
        " ", (mark, "bold $accent"), (f"{disk.path:<{path}}", "bold"), f"  {size:>8}  {what:<{name}}  ",
        (_cut(where, max(6, room)), "$dim"),
    )  # fmt: skip


def _withheld(withheld: Withheld, path: int, width: int) -> Content:
    disk = withheld.disk
    size = "unknown" if disk.size is None else text.size(disk.size)
    name = 16 if width < 100 else 28
    why = why_not(withheld, width - path - name - 16)
    words = f"  {disk.path:<{path}}  {size:>8}  {_cut(disk.name, name):<{name}}  "
    return Content.assemble((words, "$faint"), (why, "$warning"))
