"""Makes a key an ordinary stick again: one FAT32 partition over all of it, nothing of SmartOS left to boot.

Written in the order that never leaves a table pointing at half a file system: old tables away, file system,
partition table last; then everything written is read back and compared.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from pathlib import Path

from smartos_wizard.core import text
from smartos_wizard.core.errors import ProofFailed, Refused, WizardError
from smartos_wizard.core.events import Advanced, Event
from smartos_wizard.core.plan import Confirmation, Effect, Plan, Step
from smartos_wizard.core.runner import Action, Run, Work
from smartos_wizard.media import resume
from smartos_wizard.media.as_json import target_from_json, target_to_json
from smartos_wizard.media.faults import device_failed, read_all, write_all, write_protected
from smartos_wizard.media.keys import lock_targets
from smartos_wizard.media.lane import BACKUP
from smartos_wizard.media.model import Target
from smartos_wizard.media.opened import open_target
from smartos_wizard.media.ports import BlockDevice, MediaWorld
from smartos_wizard.media.proving import first_difference
from smartos_wizard.media.slots import aligned
from smartos_wizard.media.watching import in_thread

START = 1024 * 1024
_SMALLEST = START + 40 * 1024 * 1024
_LARGEST = 2 * 1024**4
_STATE = "It holds neither SmartOS nor a file system now; restore it again."


def plan_restore(target: Target, label: str = "USB") -> Plan:
    """The plan that makes `target` one empty FAT32 partition. Raises Refused for sizes FAT32 does not do."""
    size = target.fingerprint.size
    if not _SMALLEST <= size <= _LARGEST:
        raise Refused(
            "size-not-fat32",
            f"{target.path} has {text.exact(size)} bytes; FAT32 takes 41 MiB to 2 TiB.",
            hint="Make a file system on it with the tools of your system.",
        )
    lost = tuple(
        f"partition {p.path}: {p.fstype} {p.label} {text.size(p.size)}".replace("  ", " ")
        for p in target.disk.partitions
    )
    who = " ".join(x for x in (target.path, target.disk.name, target.disk.serial) if x)
    steps = [
        Step("open", "open", f"opens {target.path}", Effect.READS),
        Step(
            "format",
            "format",
            f"all of {who}",
            Effect.DESTROYS,
            (*lost, "its partition tables at both ends", f"then: one empty FAT32 partition “{label}”"),
            by_hand=f"wipefs -a {target.path}* ; echo 'start=2048, type=c' | sfdisk {target.path} ; "
            f"mkfs.fat -F 32 -n {label} {target.path}1",
        ),
        Step("compare", "compare", "what was written, and compares", Effect.READS),
    ]
    if target.unmount:
        steps.insert(0, Step("unmount", "unmount", "unmounts " + ", ".join(target.unmount), Effect.CHANGES))
    return Plan(
        kind="key-restore",
        title=f"Make {target.path} an ordinary stick again",
        steps=tuple(steps),
        untouched=("every other disk", "old data between the new file system's tables (not shredded)"),
        confirmation=Confirmation("To erase, type what names the disk", (target.token,)),
        seconds=10.0,
        locks=(target.path,),
        params={"target": target_to_json(target), "label": label},
    )


def file_size(path: str) -> int:
    """The size of the file to restore: as it is, or the smallest that takes FAT32 where there is none."""
    place = Path(path)
    return max(place.stat().st_size, _SMALLEST) if place.is_file() else _SMALLEST


def extents(size: int, label: str) -> Iterator[tuple[int, bytes]]:
    """What is written, in order, as (offset, bytes); offsets and lengths are whole sectors. The table comes last."""
    from smartos_wizard.media.fat_format import format_fat32

    volume = (size - START) // 512 * 512
    yield 0, bytes(START)
    end = max(START, (size - BACKUP) // 4096 * 4096)
    yield end, bytes((size - end) // 512 * 512)
    for offset, data in format_fat32(volume, label, hidden_sectors=START // 512):
        yield START + offset, bytes(data)
    yield 0, _mbr(volume // 512)


def _mbr(sectors: int) -> bytes:
    """A table with one partition of type 0x0C (FAT32, LBA) from 1 MiB on, and no boot code."""
    entry = struct.pack(
        "<B3sB3sII", 0, b"\xfe\xff\xff", 0x0C, b"\xfe\xff\xff", START // 512, min(sectors, 0xFFFFFFFF)
    )
    return bytes(446) + entry + bytes(48) + b"\x55\xaa"


def _found(run: Run[MediaWorld]) -> BlockDevice:
    device: BlockDevice = run.found["device"]
    return device


def _unmount(_run: Run[MediaWorld], _step: Step) -> Work:
    """Done by the opener in the same breath as opening."""
    yield from ()
    return {}


def _open(run: Run[MediaWorld], step: Step) -> Work:
    target = target_from_json(run.plan.params["target"])
    stack = contextlib.ExitStack()
    run.on_end.append(stack.close)
    lock_targets(stack, run.world.paths, [target])
    run.found["device"] = yield from open_target(
        run, step, target, lambda notify: run.world.opener.open(target, write=True, notify=notify)
    )
    resume.forget(run.world.paths, target)
    run.result["keys"] = [{"path": target.path, "serial": target.disk.serial, "state": "failed"}]
    return {}


def _format(run: Run[MediaWorld], step: Step) -> Work:
    device = _found(run)
    done = 0

    def work() -> None:
        nonlocal done
        touched = False
        last: tuple[int, bytes] | None = None
        for offset, data in extents(device.size, run.plan.params["label"]):
            try:
                if last is not None and offset == 0:
                    device.sync()  # the file system is whole before a table points at it
                write_all(device, _in_pages(data), offset)
            except OSError as error:
                refusal = None if touched else write_protected(error, device)
                raise refusal or device_failed(error, device, "writing", offset, _STATE) from error
            touched, last, done = True, (offset, data), done + len(data)
            run.cancel.check(_STATE)
        try:
            device.sync()
        except OSError as error:
            raise device_failed(error, device, "making its data durable", done, _STATE) from error

    def tick() -> Iterator[Event]:
        yield Advanced(run.clock(), step.id, done, target=device.name)

    yield from in_thread(run, work, tick)
    return {"bytes": done}


def _compare(run: Run[MediaWorld], step: Step) -> Work:
    device = _found(run)
    done = 0

    def work() -> None:
        nonlocal done
        device.drop_cache()
        written = list(extents(device.size, run.plan.params["label"]))
        written[0] = (512, written[0][1][512:])  # its first sector became the table
        for offset, data in written:
            _same(device, offset, data)
            done += len(data)
            run.cancel.check("Written, but not compared.")

    def tick() -> Iterator[Event]:
        yield Advanced(run.clock(), step.id, done, target=device.name)

    yield from in_thread(run, work, tick)
    device.reread_partitions()
    run.result["keys"] = [{**run.result["keys"][0], "state": "restored"}]
    run.result["say"] = [
        f"{device.name} is an ordinary stick again: one empty FAT32 partition, read back and compared."
    ]
    return {"bytes": done}


def _same(device: BlockDevice, offset: int, data: bytes) -> None:
    into = aligned(len(data))
    try:
        count = read_all(device, into, offset)
    except OSError as error:
        found: WizardError = device_failed(error, device, "reading back", offset, _STATE)
        if found.exit_code == 7:
            found = ProofFailed("not-readable", found.message, hint=found.hint, **found.details)
        raise found from error
    place = first_difference(data, into[:count])
    if place is not None:
        raise ProofFailed(
            "proof-failed",
            f"{device.name} gives back something else at byte {text.exact(offset + place)}. {_STATE}",
            hint="The key is bad: use another one.",
            offset=offset + place,
        )


def _in_pages(data: bytes) -> memoryview:
    buffer = aligned(len(data))
    buffer[:] = data
    return buffer


RESTORE_ACTIONS = {
    "unmount": Action(_unmount),
    "open": Action(_open),
    "format": Action(_format),
    "compare": Action(_compare),
}
