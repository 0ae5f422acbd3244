"""The actions of an export. What is written has another name until it is whole, and goes when it cannot be."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import WriteFailed
from smartos_wizard.core.events import Advanced, Event, Noted
from smartos_wizard.core.files import sync_directory
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Action, Run, Work
from smartos_wizard.guests.export.libvirt import domain_of
from smartos_wizard.guests.export.ova import OvaWriter, check_ova
from smartos_wizard.guests.export.placing import (
    claim,
    in_words,
    link_new,
    new_file,
    not_written,
    part_of,
    raw_of,
    remove_part,
    require_free,
)  # fmt: skip
from smartos_wizard.guests.export.planning import check_at_rest
from smartos_wizard.guests.export.qcow2 import Qcow2
from smartos_wizard.guests.export.sources import Source, open_source
from smartos_wizard.guests.export.utm import config_of
from smartos_wizard.guests.export.words import file_stem
from smartos_wizard.guests.model import BootKind, Guest
from smartos_wizard.guests.ports import GuestWorld, driver
from smartos_wizard.media.watching import in_thread


def _guest(run: Run[GuestWorld]) -> Guest:
    from smartos_wizard.guests.at_work import guest_of  # which has these actions in its list

    return guest_of(run)


def _rest(run: Run[GuestWorld], _step: Step) -> Work:
    """Ask once more: from here on the guest's lock is held, and nobody starts it through this program."""
    guest = _guest(run)
    hypervisor = driver(run.world, guest.spec.hypervisor)
    actual = yield from in_thread(run, lambda: hypervisor.inspect(guest), lambda: ())
    check_at_rest(guest, actual)
    return {"state": actual.state.value}


def _ova(run: Run[GuestWorld], step: Step) -> Work:
    guest, part = _guest(run), claim(run, step)
    meter = _Meter(run, step)
    stem = file_stem(guest.name)

    def work() -> None:
        disks = step.params["disks"]
        names = [f"{stem}-{_short(disk['name'], number)}.vmdk" for number, disk in enumerate(disks)]
        with new_file(part) as file:
            digest = step.params["manifest"]
            writer = OvaWriter(file, stem, guest.spec, names, step.params["notes"], digest)
            for disk in disks:
                with _source(run, disk, part) as source:
                    writer.disk(max(source.size, disk["size"]), meter.over(disk["name"], source.pieces()))
            writer.close()
            os.fsync(file.fileno())

    yield from in_thread(run, lambda: in_words(work, part), meter.tick, lambda: False)
    return {"bytes": part.stat().st_size}


def _utm(run: Run[GuestWorld], step: Step) -> Work:
    guest, part = _guest(run), claim(run, step)
    meter = _Meter(run, step)

    def work() -> None:
        (part / "Data").mkdir(parents=True, mode=0o700)
        part.chmod(0o700)
        names = []
        for number, disk in enumerate(step.params["disks"]):
            raw = disk["name"] == "key" and number == 0 and guest.spec.boot.kind is BootKind.KEY
            names.append(f"{_short(disk['name'], number)}.{'img' if raw else 'qcow2'}")
            with _source(run, disk, part) as source, new_file(part / "Data" / names[-1]) as file:
                write = _write_raw if raw else _write_qcow2
                write(file, max(source.size, disk["size"]), meter.over(disk["name"], source.pieces()))
                os.fsync(file.fileno())
        key = names.pop(0) if guest.spec.boot.kind is BootKind.KEY else ""
        (part / "config.plist").write_bytes(config_of(guest.spec, key, names, step.params["notes"]))

    yield from in_thread(run, lambda: in_words(work, part), meter.tick, lambda: False)
    return {}


def _libvirt(run: Run[GuestWorld], step: Step) -> Work:
    guest, part = _guest(run), claim(run, step)
    disks = [(Path(disk["path"]), disk["format"]) for disk in step.params["disks"]]
    data = domain_of(guest, disks[1:] if guest.spec.boot.kind is BootKind.KEY else disks)

    def work() -> None:
        with new_file(part) as file:
            file.write(data)

    in_words(work, part)
    yield from ()
    return {"bytes": len(data)}


def _prove(run: Run[GuestWorld], step: Step) -> Work:
    part = part_of(Path(step.params["target"]))
    total, done = part.stat().st_size, 0

    def advance(count: int) -> None:
        nonlocal done
        done = count
        run.cancel.check(run.state())

    digests = yield from in_thread(
        run, lambda: check_ova(part, advance), lambda: [Advanced(run.clock(), step.id, done, total)], lambda: False
    )  # fmt: skip
    run.result["digests"] = digests
    return {"digests": digests}


def _name(run: Run[GuestWorld], step: Step) -> Work:
    """Give it its name, unless somebody else has taken that meanwhile."""
    guest, target = _guest(run), Path(step.params["target"])
    part = part_of(target)
    try:
        if part.is_dir():
            require_free(target)
            part.rename(target)
        else:
            link_new(part, target)
        sync_directory(target.parent)
    except FileExistsError:
        require_free(target)
        raise
    except OSError as error:
        raise not_written(error, target) from error
    for note in step.params["notes"]:
        yield Noted(run.clock(), step.id, note, reference="left-behind")
    run.result["path"], run.result["left_behind"] = str(target), step.params["notes"]
    run.result["say"] = [f"{guest.name} is exported: {target}"]
    return {"path": str(target)}


def _undo(run: Run[GuestWorld], step: Step) -> Work:
    if run.found.get("export-claimed"):
        remove_part(part_of(Path(step.params["target"])))
    yield from ()
    return {}


class _Meter:
    """Counts what was read, sees a request to stop, and tells how far it is."""

    def __init__(self, run: Run[GuestWorld], step: Step) -> None:
        self._run, self._step = run, step
        self._total = sum(disk["held"] for disk in step.params["disks"])
        self._done, self._now = 0, ""

    def over(self, name: str, pieces: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        self._now = name
        for offset, data in pieces:
            self._run.cancel.check(self._run.state())
            yield offset, data
            self._done += len(data)

    def tick(self) -> list[Event]:
        return [Advanced(self._run.clock(), self._step.id, self._done, max(self._total, self._done))]


@contextlib.contextmanager
def _source(run: Run[GuestWorld], disk: dict[str, Any], part: Path) -> Iterator[Source]:
    """The disk to read: itself, or what `qemu-img` makes of it, which goes afterwards."""
    if not disk["convert"]:
        yield open_source(Path(disk["path"]))
        return
    raw = raw_of(part)
    raw.unlink(missing_ok=True)
    try:
        _convert(run, disk, raw)
        yield open_source(raw)
    finally:
        raw.unlink(missing_ok=True)


def _convert(run: Run[GuestWorld], disk: dict[str, Any], raw: Path) -> None:
    argv = ["qemu-img", "convert", "-O", "raw", disk["path"], str(raw)]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            while process.poll() is None:
                run.cancel.check(run.state())
                time.sleep(0.1)
        finally:
            process.kill()
        said = process.stderr.read().decode(errors="replace").strip() if process.stderr else ""
    if process.returncode:
        words = said.splitlines()[-1][:300] if said else f"exit code {process.returncode}"
        raise WriteFailed(
            "export-not-converted", f"qemu-img cannot read disk {disk['name']}: {words}", context=disk["path"],
            hint="`qemu-img check` on it says more.",
        )  # fmt: skip


def _write_raw(file: Any, size: int, pieces: Iterable[tuple[int, bytes]]) -> None:
    for offset, data in pieces:
        file.seek(offset)
        file.write(data)
    file.truncate(size)


def _write_qcow2(file: Any, size: int, pieces: Iterable[tuple[int, bytes]]) -> None:
    writer = Qcow2(file, size)
    for offset, data in pieces:
        writer.put(offset, data)
    writer.close()


def _short(name: str, number: int) -> str:
    """A name for a disk's file: its own, made plain, and never that of another one."""
    return "key" if name == "key" and number == 0 else f"{file_stem(name)[:24]}-{number}"


EXPORT_ACTIONS: dict[str, Action[Any]] = {
    "export-rest": Action(_rest),
    "export-ova": Action(_ova, _undo),
    "export-utm": Action(_utm, _undo),
    "export-libvirt": Action(_libvirt, _undo),
    "export-prove": Action(_prove),
    "export-name": Action(_name),
}
