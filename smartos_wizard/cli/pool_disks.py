"""Where `pool preview` takes its disks from: the command line, a listing of `diskinfo`, or this machine."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from smartos_wizard.boot.disk_specs import DiskSpec, from_specs, spec_of
from smartos_wizard.boot.disklayout_text import Listing, read_listing
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.text import tame
from smartos_wizard.media.host_disks import Host, from_host

__all__ = ["DiskSpec", "DiskSpecType", "Host", "from_file", "from_host", "from_specs"]

MOST_BYTES = 8 << 20
"""Of a listing: ten thousand disks need one."""
HOW_TO_LIST = "On SmartOS: diskinfo -Hp > disks.txt, also in its rescue mode, before anything is set up."


class DiskSpecType(click.ParamType[DiskSpec]):
    """`4TB`, `400GB:ssd`, `8x4TB`, `2x400GB:ssd`."""

    name = "DISK"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> DiskSpec:
        """The disks meant; a usage error where the words mean none."""
        if isinstance(value, DiskSpec):
            return value
        try:
            return spec_of(str(value))
        except ValueError as problem:
            self.fail(str(problem), param, ctx)


def from_file(path: str) -> Listing:
    """The disks of a listing, from stdin for `-`. Raises UsageProblem `unreadable-file`, `no-disk-listing`."""
    try:
        data = sys.stdin.buffer.read(MOST_BYTES + 1) if path == "-" else _bytes(path)
    except OSError as error:
        said = f"{tame(path, 200)} cannot be read: {error.strerror or error}."
        raise UsageProblem(
            "unreadable-file", said, hint="Check the name and the rights of the file."
        ) from error
    if len(data) > MOST_BYTES:
        raise _no_listing(path, "is larger than 8 MiB; that is no listing of disks.")
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    if not wide and b"\0" in data:
        raise _no_listing(path, "is no text, so no listing of disks.")
    listing = read_listing(data.decode("utf-16" if wide else "utf-8", "replace"))
    if listing.odd and not listing.disks:
        raise _no_listing(path, "lists no disk.")
    return listing


def _bytes(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _no_listing(path: str, said: str) -> UsageProblem:
    return UsageProblem("no-disk-listing", f"{tame(path, 200)} {said}", hint=HOW_TO_LIST)
