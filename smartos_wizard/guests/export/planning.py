"""What exporting a guest will do, and what its format leaves behind, before anything is done."""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from smartos_wizard.core import text
from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.core.plan import Effect, Plan, Step
from smartos_wizard.guests import spec_toml
from smartos_wizard.guests.export.ova import DIGESTS
from smartos_wizard.guests.export.sources import NotPlain, format_of, open_source
from smartos_wizard.guests.export.words import ENDINGS, Format, file_stem, left_behind
from smartos_wizard.guests.model import Actual, BootKind, DiskSpec, Guest, State
from smartos_wizard.guests.planning import running
from smartos_wizard.guests.ports import GuestWorld, driver

KIND = "guest-export"
_DISKS = ("qcow2", "vdi", "vmdk", "img", "disk")
_LONGEST = 240
"""Bytes of the target's name; while it is written it has a longer one, and file systems end at 255."""
HOW = "Install it: `apt install qemu-utils` (Debian, Ubuntu), `brew install qemu` (macOS)."


@dataclass(frozen=True, slots=True)
class Taken:
    """A disk to be exported: its file, its size, the bytes it holds, and whether `qemu-img` must read it."""

    name: str
    path: str
    size: int
    held: int
    convert: bool = False
    format: str = "raw"


def plan_export(guest: Guest, kind: str, target: Path, world: GuestWorld, manifest: str = "sha256") -> Plan:
    """The plan that exports a guest to a new file (or, for UTM, a new folder), and what that leaves behind.

    `manifest` is the digest of an OVA: `sha256`, or `sha1` for old readers. Raises UsageProblem `no-such-format`,
    `wrong-ending`, `no-such-digest`; Refused for a guest that runs or is half made, for a target that exists or
    cannot be, for disks that are not there or cannot be read.
    """
    form = _format(kind)
    if manifest not in DIGESTS:
        raise UsageProblem("no-such-digest", f"A manifest is {' or '.join(DIGESTS)}.", context=manifest)
    target = Path(os.path.abspath(target.expanduser()))  # noqa: PTH100 - a link as target is refused, not followed
    check_target(target, form, guest)
    actual = driver(world, guest.spec.hypervisor).inspect(guest)
    check_at_rest(guest, actual)
    disks = _disks(guest, actual, form)
    if form is not Format.LIBVIRT:
        _check_room(target, disks, form)
    notes = left_behind(guest.spec, form, len(actual.snapshots))
    return Plan(
        kind=KIND, title=f"Export {guest.name} as {_TITLES[form]}", steps=tuple(_steps(form, target, disks, notes, manifest)),
        untouched=(f"{guest.name} itself and its disks", "other files"), locks=(str(guest.folder), str(target)),
        params={"spec": spec_toml.dump(guest.spec), "folder": guest.folder.name},
    )  # fmt: skip


_TITLES = {Format.OVA: "an OVA", Format.LIBVIRT: "a libvirt domain", Format.UTM: "a UTM bundle"}


def check_target(target: Path, form: Format, guest: Guest) -> None:
    """Raise UsageProblem `wrong-ending`, `name-too-long`; Refused `export-exists`, `export-inside`, `export-no-folder`."""
    if target.suffix.lower() != ENDINGS[form]:
        raise UsageProblem(
            "wrong-ending", f"{target.name} does not end in {ENDINGS[form]}, as {_TITLES[form]} must.",
            hint=f"For example {file_stem(guest.name)}{ENDINGS[form]}.",
        )  # fmt: skip
    if len(os.fsencode(target.name)) > _LONGEST:
        raise UsageProblem("name-too-long", f"The name {target.name[:20]}… is too long for a file.")
    if os.path.lexists(target):
        raise Refused(
            "export-exists", f"{target} is there already; nothing is overwritten.",
            hint="Choose another name, or move it away.", context=str(target),
        )  # fmt: skip
    if not target.parent.is_dir() or not os.access(target.parent, os.W_OK | os.X_OK):
        raise Refused(
            "export-no-folder", f"Nothing can be written into {target.parent}.",
            hint="Choose a folder that exists and is yours.", context=str(target.parent),
        )  # fmt: skip
    if guest.owns(target):
        raise Refused(
            "export-inside", "The guest's own folder goes when the guest goes.", hint="Choose another folder.",
            context=str(target),
        )  # fmt: skip


def check_at_rest(guest: Guest, actual: Actual) -> None:
    """Raise Refused `half-made`, `guest-runs`, `guest-saved` where its disks are not at rest."""
    if not guest.made:
        raise Refused(
            "half-made", f"Making {guest.name} broke off, so it cannot be used.",
            hint="`smartos-wizard guest create` makes it anew; `guest delete` removes it.",
        )  # fmt: skip
    if actual.state is State.SAVED:
        raise Refused(
            "guest-saved", f"{guest.name} is saved in the middle of its work; its disks are not at rest.",
            hint="Start it and shut it down.",
        )  # fmt: skip
    if running(actual.state) or actual.state is State.UNKNOWN:
        raise Refused(
            "guest-runs", f"{guest.name} runs; its disks are not at rest.",
            hint="Stop it first: `smartos-wizard guest stop`.",
        )  # fmt: skip


def _format(kind: str) -> Format:
    try:
        return Format(kind)
    except ValueError:
        raise UsageProblem(
            "no-such-format", f"There is no format {kind}.", hint=f"One of: {', '.join(Format)}."
        ) from None


def _disks(guest: Guest, actual: Actual, form: Format) -> tuple[Taken, ...]:
    """The key first, where it has one, then the data disks, each from the file in the guest's folder."""
    found = [_taken("key", guest.key, form)] if guest.spec.boot.kind is BootKind.KEY else []
    attached = {Path(path).resolve() for path in actual.disks}
    for disk in guest.spec.disks:
        path = file_of(guest, disk)
        if attached and path.resolve() not in attached:
            raise Refused(
                "disk-elsewhere", f"The guest writes disk {disk.name} to another file than {path.name}, as after a snapshot.",
                hint="Delete its snapshots first: `smartos-wizard guest snapshot`.", context=str(path),
            )  # fmt: skip
        found.append(_taken(disk.name, path, form, disk.size))
    return tuple(found)


def file_of(guest: Guest, disk: DiskSpec) -> Path:
    """The file of a data disk, whatever its hypervisor calls it; one that is not there where there is none."""
    places = [guest.disk(disk, ending) for ending in _DISKS]
    return next((path for path in places if path.is_file()), places[0])


def _taken(name: str, path: Path, form: Format, size: int = 0) -> Taken:
    try:
        if form is Format.LIBVIRT:
            return Taken(name, str(path), size, 0, format=format_of(path))
        source = open_source(path)
        return Taken(name, str(path), max(size, source.size), source.held(), format=source.format)
    except NotPlain as why:
        if shutil.which("qemu-img") is None:
            raise Refused(
                "qemu-img-missing", f"Disk {name} can only be read with qemu-img, which is not installed: {why.message}.",
                hint=HOW, context=str(path),
            ) from why  # fmt: skip
        return Taken(name, str(path), size, path.stat().st_blocks * 512, convert=True)
    except OSError as error:
        raise Refused(
            "disk-missing", f"The disk {path} cannot be read: {error.strerror}.", context=str(path),
            hint="`smartos-wizard guest show` says what is left of the guest.",
        ) from error  # fmt: skip


def _check_room(target: Path, disks: tuple[Taken, ...], form: Format) -> None:
    free = shutil.disk_usage(target.parent).free
    need = sum(disk.held for disk in disks if disk.convert or form is Format.UTM)
    if free < need:
        raise Refused(
            "export-no-room", f"It takes {text.size(need)}; {target.parent} has {text.size(free)} free.",
            hint="Make room, or choose another folder.", context=str(target.parent),
        )  # fmt: skip


def _steps(
    form: Format, target: Path, disks: tuple[Taken, ...], notes: tuple[str, ...], manifest: str
) -> list[Step]:
    details = [_line(disk, form) for disk in disks]
    details += [f"note: {note}" for note in notes]
    pack = Step(
        "pack", f"export-{form.value}", f"{target}", Effect.CREATES, tuple(details), undo="removed",
        params={"target": str(target), "disks": [asdict(disk) for disk in disks], "notes": list(notes), "manifest": manifest},
    )  # fmt: skip
    steps = [Step("rest", "export-rest", "whether the guest is off", Effect.READS), pack]
    place = {"target": str(target)}
    if form is Format.OVA:
        steps.append(
            Step("prove", "export-prove", f"every file in it against its {manifest.upper()} manifest", Effect.READS, params=place)
        )  # fmt: skip
    title = f"the name {target.name}, now that all of it is there"
    steps.append(Step("name", "export-name", title, Effect.CREATES, params={**place, "notes": list(notes)}))
    return steps


def _line(disk: Taken, form: Format) -> str:
    if form is Format.LIBVIRT:
        return f"{disk.name}: {disk.path} ({disk.format}), used where it is"
    how = ", read with qemu-img" if disk.convert else ""
    held = (
        f"{text.size(disk.held)} of {text.size(disk.size)}" if disk.held else f"empty, {text.size(disk.size)}"
    )
    return f"{disk.name}: {held}{how}"
