"""`key list`: which disks there are, which may be written, and why the others may not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from smartos_wizard.cli.output import emit, json_option, say, table
from smartos_wizard.core.text import size
from smartos_wizard.media.model import USB_IMAGE_SIZE, Disk, Judged, Target, Withheld

if TYPE_CHECKING:
    from smartos_wizard.cli.main import Options


@click.command(name="list")
@click.option(
    "--all", "everything", is_flag=True, help="Every disk of the machine, with what speaks against it."
)
@click.option(
    "--allow-fixed", is_flag=True, help="Count disks that are not removable, and loop devices, as targets."
)
@json_option
@click.pass_obj
def list_command(options: Options, everything: bool, allow_fixed: bool, as_json: bool) -> None:
    """List the disks a key can be written to.

    Nothing is ever chosen for you. With --all also every disk that is not offered, and why.
    """
    from smartos_wizard.media.disks.judge import judge_all

    judged = judge_all(options.world.disks.list(), USB_IMAGE_SIZE, allow_fixed)
    if as_json:
        emit([to_json(j) for j in judged if everything or isinstance(j, Target)])
        return
    targets = [j for j in judged if isinstance(j, Target)]
    withheld = [j for j in judged if isinstance(j, Withheld)]
    _show_targets(targets)
    _show_withheld(withheld, everything)


def to_json(judged: Judged) -> dict[str, Any]:
    """A judged disk as the command's contract spells it; `withheld` is null for a target."""
    disk = judged.disk
    against = judged.reasons if isinstance(judged, Withheld) else ()
    return {
        "path": disk.path,
        "size": disk.size,
        "model": disk.name,
        "serial": disk.serial,
        "transport": disk.transport,
        "withheld": [r.text for r in against] if isinstance(judged, Withheld) else None,
        "reasons": [{"reference": r.reference, "text": r.text} for r in against],
        "token": disk.token,
        "kind": disk.kind,
        "removable": disk.removable,
        "read_only": disk.read_only,
        "sector": disk.sector,
        "wwn": disk.wwn,
        "unmount": list(judged.unmount) if isinstance(judged, Target) else [],
        "notes": list(judged.notes) if isinstance(judged, Target) else [],
        "partitions": [
            {"path": p.path, "size": p.size, "fstype": p.fstype, "label": p.label, "used": p.used}
            for p in disk.partitions
        ],
        "usb": _usb_json(disk),
    }


def _usb_json(disk: Disk) -> dict[str, Any] | None:
    if disk.usb is None:
        return None
    facts = disk.usb
    return {
        "maker": facts.maker,
        "product": facts.product,
        "serial": facts.serial,
        "version": facts.version,
        "speed": facts.speed,
        "port": facts.port,
        "vid": facts.vid,
        "pid": facts.pid,
    }


def _size(disk: Disk) -> str:
    return "unknown" if disk.size is None else size(disk.size)


def _show_targets(targets: list[Target]) -> None:
    if not targets:
        say("No disk here can be written as it is. Plug in a USB key of 2 GB or more.")
        return
    table(
        ("DISK", "SIZE", "NAME", "SERIAL", "BY"),
        [
            (t.path, _size(t.disk), t.disk.name, t.disk.serial or "-", t.disk.transport or "-")
            for t in targets
        ],
    )
    for target in targets:
        for note in target.notes:
            say(f"  {target.path}: {note}")


def _show_withheld(withheld: list[Withheld], everything: bool) -> None:
    if not withheld:
        return
    say()
    if not everything:
        say(f"Not offered: {', '.join(f'{w.disk.path} ({w.reasons[0].reference})' for w in withheld)}.")
        say("`smartos-wizard key list --all` says why.")
        return
    say("Not offered:")
    for one in withheld:
        say(f"  {one.disk.path}  {_size(one.disk)}  {one.disk.name}")
        for reason in one.reasons:
            say(f"      {reason.reference}: {reason.text}")
