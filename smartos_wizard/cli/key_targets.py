"""Which disks or files a `key` command is about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smartos_wizard.core.errors import Refused
from smartos_wizard.media.disks.judge import file_target, find_target, fingerprint_of
from smartos_wizard.media.model import USB_IMAGE_SIZE, Target

if TYPE_CHECKING:
    from smartos_wizard.world import World

file_option = click.option("--file", "as_file", is_flag=True, help="TARGET is a regular file, not a disk.")
fixed_option = click.option("--allow-fixed", is_flag=True,
                            help="Admit a disk that is not removable, when it is otherwise safe.")  # fmt: skip
confirm_option = click.option("--confirm", multiple=True, metavar="TOKEN",
                              help="Name what will be erased: the serial `key list` shows, or the path. Repeatable.")  # fmt: skip


def to_write(
    world: World, paths: Sequence[str], size: int | None, *, as_file: bool, allow_fixed: bool
) -> list[Target]:
    """The targets that may be written. Raises Refused for anything withheld."""
    size = USB_IMAGE_SIZE if size is None else size
    if as_file:
        return [file_target(Path(path), size) for path in paths]
    return [find_target(world, path, size, allow_fixed) for path in paths]


def to_read(world: World, path: str, *, as_file: bool) -> Target:
    """A disk or file to be read only; nothing speaks against reading. Raises Refused `no-such-disk`."""
    if as_file or (not world.practice and Path(path).is_file()):
        place = Path(path)
        if not place.is_file():
            raise _no_file(place, path)
        return file_target(place, place.stat().st_size)
    for disk in world.disks.list():
        if disk.path == path or str(Path(disk.path).resolve()) == str(Path(path).resolve()):
            return Target(disk, fingerprint_of(disk))
    raise Refused("no-such-disk", f"There is no disk {path}.",
                  hint="`smartos-wizard key list --all` shows every disk; --file takes a file.", context=path)  # fmt: skip


def _no_file(place: Path, path: str) -> Refused:
    if place.exists():
        what = "a directory" if place.is_dir() else "no regular file"
        return Refused("not-a-file", f"{path} is {what}.", hint="--file takes an image file.", context=path)
    return Refused("no-such-file", f"There is no file {path}.", hint="Check the name.", context=path)


def to_change(world: World, path: str, *, as_file: bool, allow_fixed: bool) -> Target:
    """A key or image on which files are changed. Raises Refused for anything withheld."""
    if as_file or (not world.practice and Path(path).is_file()):
        return to_read(world, path, as_file=True)
    return find_target(world, path, 0, allow_fixed)


def typed(confirm: tuple[str, ...], targets: Sequence[Target]) -> tuple[str, ...]:
    """The confirmations with file names made whole, so that a file may be named as it was for TARGET."""
    whole = {t.path for t in targets if t.regular_file}
    return tuple(full if (full := str(Path(c).absolute())) in whole else c for c in confirm)
