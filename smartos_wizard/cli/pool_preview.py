"""`pool preview`: the pool that SmartOS's setup would make of given disks."""

from __future__ import annotations

import shutil
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from smartos_wizard.boot.disk_classes import ListedDisk
from smartos_wizard.boot.disk_numbers import count_of
from smartos_wizard.boot.disklayout import LAYOUTS, NoLayoutError, excluded, lay_out
from smartos_wizard.boot.disklayout_text import error_text, layout_text
from smartos_wizard.boot.pool_picture import pool_picture
from smartos_wizard.boot.pool_preview import Preview, preview_of, summary, what_to_do
from smartos_wizard.cli.output import say, tell
from smartos_wizard.cli.pool_disks import DiskSpec, DiskSpecType, from_file, from_host, from_specs
from smartos_wizard.cli.sizes import Size
from smartos_wizard.cli.wizard import wants_ascii
from smartos_wizard.core.errors import ExitCode
from smartos_wizard.core.text import tame

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options

EPILOG = """\b
Examples:
  smartos-wizard pool preview --disk 8x4TB --disk 400GB:ssd --ram 64GiB
  smartos-wizard pool preview --disk 6x2TB --layout mirror
  smartos-wizard pool preview --file disks.txt --json    what `disklayout -f disks.txt` prints
  smartos-wizard pool preview --this-host
\b
A listing is made on SmartOS with `diskinfo -Hp`.
\b
Exit codes: 0 there is a layout, 1 there is none (stdout says why, as `disklayout` does), 2 the words of
the command, or the file, make no sense.
"""
"""The help's end."""
_ODD_SHOWN = 5
_WIDEST = 100


class _Count(click.ParamType[int]):
    """A number of disks, read as `disklayout` reads it."""

    name = "N"

    def __init__(self, least: int) -> None:
        self._least = least

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; a usage error where it is none."""
        try:
            return value if isinstance(value, int) else count_of(str(value), self._least)
        except ValueError:
            self.fail(f"{tame(str(value))!r} is no number of disks, {self._least} or more.", param, ctx)


@dataclass(frozen=True, slots=True)
class _Source:
    disks: tuple[ListedDisk, ...]
    ram: int | None
    remarks: tuple[str, ...] = ()


@click.command(name="preview", epilog=EPILOG)
@click.option("--disk", "specs", type=DiskSpecType(), multiple=True, help="A disk, or several: 4TB, 400GB:ssd, 8x4TB, 2x1TB:ssd. May be repeated.")  # fmt: skip
@click.option("-f", "--file", "file", metavar="FILE", help="A listing of `diskinfo` (- for stdin).")
@click.option("--this-host", is_flag=True, help="The disks of this machine. They are not opened.")
@click.option("--layout", default="", metavar="LAYOUT", help=f"One of {', '.join(LAYOUTS)}; SmartOS chooses otherwise.")  # fmt: skip
@click.option("-s", "--spares", type=_Count(0), help="So many spare disks.")  # fmt: skip
@click.option("-w", "--width", type=_Count(2), help="So many disks in each mirror or raidz.")
@click.option("-e", "--exclude", metavar="NAME,...", help="Leave out the disks of these names.")
@click.option("-c", "--no-cache", is_flag=True, help="Use no disk as cache.")
@click.option("--ram", type=Size(), help="RAM of the machine: swap takes as much of the pool.")
@click.option("--all", "whole", is_flag=True, help="Draw every disk, however many there are.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII only.")
@click.option("--json", "as_json", is_flag=True, help="On stdout exactly what `disklayout` prints, and nothing else.")  # fmt: skip
@click.pass_obj
def preview_command(
    options: Options,
    specs: tuple[DiskSpec, ...],
    file: str | None,
    this_host: bool,
    layout: str,
    spares: int | None,
    width: int | None,
    exclude: str | None,
    no_cache: bool,
    ram: int | None,
    whole: bool,
    ascii_only: bool,
    as_json: bool,
) -> int:
    """Show the pool that SmartOS's setup would make of these disks: groups, spares, log and cache, what can
    be stored, what may break without loss, and what swap and dump will take.

    It computes what SmartOS's own `disklayout` computes. Nothing is changed, and no disk is opened.
    """
    source = _source(options, specs, file, this_host)
    disks = source.disks if exclude is None else excluded(source.disks, exclude)
    for remark in (*source.remarks, *_nobody(source.disks, exclude)):
        tell(remark)
    try:
        if as_json:
            made = lay_out(disks, layout, spares=spares, width=width, cache=not no_cache)
            _print(layout_text(made))
        else:
            seen = preview_of(
                disks, layout, spares=spares, width=width, cache=not no_cache, ram=ram or source.ram
            )
            _show(seen, ascii_only=wants_ascii(ascii_only or options.ascii), whole=whole)
    except NoLayoutError as error:
        _print(error_text(error))
        if not as_json:
            tell(f"{_cannot(len(disks))} {what_to_do(error)}")
        return int(ExitCode.FAILED)
    return int(ExitCode.DONE)


def _print(text: str) -> None:
    """Bytes, so that nothing on the way changes them."""
    click.echo(text.encode("utf-8", "surrogatepass"), nl=False)


def _cannot(count: int) -> str:
    if not count:
        return "There is no disk to make a pool of."
    return f"SmartOS's setup cannot make this pool of {count} disk{'' if count == 1 else 's'}."


def _source(options: Options, specs: tuple[DiskSpec, ...], file: str | None, this_host: bool) -> _Source:
    if bool(specs) + (file is not None) + this_host != 1:
        raise click.UsageError("Say which disks, in one way: with --disk, with --file, or with --this-host.")
    if specs:
        return _Source(from_specs(specs), None)
    if file is not None:
        listing = from_file(file)
        return _Source(listing.disks, None, (*_odd(listing.odd), *_rounded(listing.rounded)))
    host = from_host(options.world)
    return _Source(host.disks, host.ram, host.remarks)


def _nobody(disks: tuple[ListedDisk, ...], exclude: str | None) -> list[str]:
    """Names to leave out that no disk has: most likely mistyped."""
    there = {disk.name.lower() for disk in disks}
    return [
        f"No disk is named {tame(name)}."
        for name in (exclude or "").split(",")
        if name and name.lower() not in there
    ]


def _odd(lines: tuple[tuple[int, str], ...]) -> list[str]:
    said = [
        f"Line {number} is no disk with a size in bytes: {tame(line, 60)}"
        for number, line in lines[:_ODD_SHOWN]
    ]
    return said + ([f"So are {len(lines) - _ODD_SHOWN} more lines."] if len(lines) > _ODD_SHOWN else [])


def _rounded(rounded: bool) -> list[str]:
    said = "The listing has rounded sizes; `diskinfo -Hp` prints exact ones, as setup uses them."
    return [said] if rounded else []


def _show(preview: Preview, *, ascii_only: bool, whole: bool) -> None:
    width = min(_WIDEST, shutil.get_terminal_size((80, 24)).columns)
    lines = [*pool_picture(preview.layout, width, ascii_only, whole=whole), ""]
    for word, sentence in summary(preview):
        lines += textwrap.wrap(
            sentence,
            max(40, width),
            initial_indent=f"{word:<9} ",
            subsequent_indent=" " * 10,
            break_on_hyphens=False,
        )
    if preview.notes:
        lines.append("")
    for note in preview.notes:
        head = f"{note.level:<8} {note.text} ({note.reference})"
        lines += textwrap.wrap(head, max(40, width), subsequent_indent=" " * 9, break_on_hyphens=False)
    for line in lines:
        say(_plain(line) if ascii_only else line)


def _plain(line: str) -> str:
    return line.translate({ord("“"): '"', ord("”"): '"'}).encode("ascii", "replace").decode()
