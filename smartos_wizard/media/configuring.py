"""Telling a key what its machine is told at boot: settings, answers, further files. Nothing else changes.

The change is tried on a draft first, so that whatever speaks against it is said before the key is touched,
and so that every byte of the pieces it touches is known beforehand and compared afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from smartos_wizard.boot.key_files import files_for, preview
from smartos_wizard.boot.loader_write import overridden, stops_reading
from smartos_wizard.boot.model import LOADER_CONF_LOCAL, BootChoices, FileChange
from smartos_wizard.boot.packed import pack_changes, unpack_changes
from smartos_wizard.boot.present import combined, present_choices
from smartos_wizard.core import text
from smartos_wizard.core.errors import ProofFailed
from smartos_wizard.core.events import Noted
from smartos_wizard.core.plan import Effect, Plan, Step
from smartos_wizard.core.runner import Action, Run, Work
from smartos_wizard.core.vault import Vault
from smartos_wizard.media.as_json import target_from_json, target_to_json
from smartos_wizard.media.edit_run import (
    UNPROVEN,
    Editing,
    at_work,
    confirmation,
    editing_of,
    first_steps,
    open_for_change,
    unmount,
)
from smartos_wizard.media.fat_edit import FatEditor
from smartos_wizard.media.faults import device_failed, read_all
from smartos_wizard.media.file_changes import LARGEST, asked_for, change_files, prove_files, settings_of
from smartos_wizard.media.model import Target
from smartos_wizard.media.ports import BlockDevice, MediaWorld
from smartos_wizard.media.proving import Reader
from smartos_wizard.media.root_volume import Draft, Root, require_smartos, require_sound, root_of
from smartos_wizard.media.slots import SLOT, aligned, digest
from smartos_wizard.media.volume import DeviceVolume

UNTOUCHED = ("SmartOS itself on it", "your own files on it", "every other disk", "the network")


@contextmanager
def reading(world: MediaWorld, target: Target) -> Iterator[BlockDevice]:
    """The target opened for reading only. Raises what opening raises; DeviceLost or WriteFailed for OSError."""
    device = world.opener.open(target, write=False, notify=lambda _reference, _data: None)
    try:
        device.drop_cache()
        yield device
    except OSError as error:
        raise device_failed(error, device, "reading", 0, "Nothing on it was changed.") from error
    finally:
        device.close()


def draft_of(device: BlockDevice) -> tuple[Root, Draft, FatEditor]:
    """A draft of the key's file system and an editor on it, in which a change that was cut short is finished.

    Raises Refused where there is no SmartOS, or the file system is damaged.
    """
    root = root_of(Reader(device), device.size, device.name)
    draft = Draft(DeviceVolume(device, root.first, root.size))
    editor = FatEditor(draft)
    require_smartos(editor, device.name)
    return root, draft, editor


def choices_on(target: Target, world: MediaWorld) -> BootChoices:
    """What this program made the key say before; empty for a key as released. Raises Refused."""
    with reading(world, target) as device:
        root, _draft, editor = draft_of(device)
        return present_choices(partial(editor.read, limit=LARGEST), legacy=root.legacy)


def plan_configure(target: Target, choices: BootChoices, world: MediaWorld, *, reset: bool = False) -> Plan:
    """The plan that makes the key or image say `choices`; reads it, and changes nothing.

    What an earlier change made it say stays where `choices` leave it open, unless `reset`. Without a step that changes something it says so already. Raises Refused and UsageProblem for all that
    speaks against it: no key, damaged, full, no settings that a loader could read.
    """
    with reading(world, target) as device:
        root, draft, editor = draft_of(device)
        current = partial(editor.read, limit=LARGEST)
        if not reset:
            choices = combined(choices, present_choices(current, legacy=root.legacy))
        changes = files_for(choices, current, legacy=root.legacy)
        local = (editor.read(LOADER_CONF_LOCAL) or b"").decode("utf-8", "surrogateescape")
        change_files(editor, changes, target.path)
        require_sound(draft)
    steps = [Step("same", "same", "what is on it: it says all of that already", Effect.READS)]
    if changes or editor.recovered:
        steps = [
            *first_steps(target),
            _configure(changes, editor.recovered, _warnings(local, choices, root)),
            _prove(),
        ]
    return Plan(
        kind="key-configure",
        title=f"Tell the key {target.path} what to say at boot",
        steps=tuple(steps),
        untouched=UNTOUCHED,
        confirmation=confirmation(target) if changes or editor.recovered else None,
        seconds=10.0,
        locks=(target.path,),
        params={
            "target": target_to_json(target),
            "changes": Vault(world.paths).put(pack_changes(changes)) if changes else "",
            "files": [change.path for change in changes],
            "now": world.now(),
        },
    )


def change_lines(changes: Sequence[FileChange]) -> list[str]:
    """One line for each file, then the difference; what is secret is covered."""
    lines = []
    for change in changes:
        if change.new is None:
            lines.append(f"takes away {change.path}")
        else:
            word = "new" if change.old is None else "changed"
            lines.append(f"{change.path}: {word}, {text.exact(len(change.new))} bytes")
    return [*lines, *preview(changes).splitlines()]


def _warnings(local: str, choices: BootChoices, root: Root) -> list[str]:
    if root.legacy:
        return []
    found = [
        f"Line {number} of {LOADER_CONF_LOCAL} stops the loader from reading on ({why}): what stands behind it does not count."
        for number, why in stops_reading(local)
    ]
    names = overridden(local, choices)
    if names:
        found.append(f"Your own lines for {', '.join(names)} stay, but what is asked for here counts.")
    return found


def _configure(changes: Sequence[FileChange], unfinished: bool, warnings: list[str]) -> Step:
    details = ["first finishes a change that was cut short"] if unfinished else []
    details += warnings + change_lines(changes)
    count = len(changes)
    title = (
        f"{count} file{'s' if count != 1 else ''} on it, all at once" if count else "what was left unfinished"
    )
    return Step(
        "configure", "configure", title, Effect.CHANGES, tuple(details),
        undo="`smartos-wizard key configure` without these options, or `key write`",
    )  # fmt: skip


def _prove() -> Step:
    return Step(
        "prove", "prove", "it back from the device, and compares", Effect.READS,
        ("every byte of the pieces that were touched, each file, and the file system as a whole",),
    )  # fmt: skip


def _run_configure(run: Run[MediaWorld], step: Step) -> Work:
    editing = editing_of(run)
    vault, name, now = Vault(run.world.paths), run.plan.params["changes"], float(run.plan.params["now"])
    changes = unpack_changes(vault.get(name)) if name else ()
    editing.found["files"] = [change.path for change in changes]
    slots: dict[int, bytes] = {}

    def work() -> None:
        volume = editing.volume()
        slots.update(_expected(editing, volume, changes, now))
        editor = FatEditor(volume, now=now)
        change_files(editor, changes, editing.target.path, now=False)
        editing.commit(editor, settings_of(changes))
        editing.left = UNPROVEN

    yield from at_work(run, step, editing, work)
    run.found["slots"], run.found["changes"] = slots, changes
    return {"files": editing.found["files"]}


def _expected(
    editing: Editing, volume: DeviceVolume, changes: Sequence[FileChange], now: float
) -> dict[int, bytes]:
    """Number and digest of each piece of 4 MiB as it must be afterwards, made from what is there now."""
    draft = Draft(volume)
    change_files(FatEditor(draft, now=now), changes, editing.target.path)
    by_slot: dict[int, dict[int, bytes]] = {}
    for offset, data in draft.sectors.items():
        at = volume.first + offset
        by_slot.setdefault(at // SLOT, {})[at % SLOT] = data
    found = {}
    buffer = aligned(SLOT)
    for slot, patches in by_slot.items():
        into = buffer[: min(SLOT, editing.device.size - slot * SLOT)]
        read_all(editing.device, into, slot * SLOT)
        for at, data in patches.items():
            into[at : at + len(data)] = data
        found[slot] = digest(into)
    return found


def _run_prove(run: Run[MediaWorld], step: Step) -> Work:
    editing = editing_of(run)
    slots: dict[int, bytes] = run.found["slots"]
    editing.left = UNPROVEN
    editing.total, editing.done = len(slots) * SLOT, 0

    def work() -> str:
        editing.device.drop_cache()
        buffer = aligned(SLOT)
        for slot, expected in sorted(slots.items()):
            into = buffer[: min(SLOT, editing.device.size - slot * SLOT)]
            editing.at = slot * SLOT
            if read_all(editing.device, into, slot * SLOT) < len(into) or digest(into) != expected:
                raise ProofFailed(
                    "proof-failed",
                    f"{editing.target.path} gives back something else than was written, between bytes "
                    f"{text.exact(slot * SLOT)} and {text.exact(slot * SLOT + len(into))}. Do not boot from it.",
                    hint="The key is bad or badly connected: use another one.",
                    offset=slot * SLOT,
                )
            editing.done += SLOT
            run.cancel.check(UNPROVEN)
        return prove_files(
            editing.reader, editing.root(), asked_for(run.found["changes"]), editing.target.path
        )

    words = yield from at_work(run, step, editing, work)
    yield Noted(run.clock(), step.id, words, target=editing.target.path, reference="proven")
    editing.state = "configured"
    editing.device.reread_partitions()
    Vault(run.world.paths).forget(run.plan.params["changes"])
    run.result["say"] = [f"PROVEN. {editing.target.path} says at boot what you asked for; {words}."]
    return {"pieces": len(slots)}


def _run_same(run: Run[MediaWorld], _step: Step) -> Work:
    target = target_from_json(run.plan.params["target"])
    run.result["keys"] = [
        {"path": target.path, "serial": target.disk.serial, "state": "unchanged", "error": None}
    ]
    run.result["say"] = [f"{target.path} says all of that already; nothing was changed."]
    yield from ()
    return {}


CONFIGURE_ACTIONS = {
    "unmount": Action(unmount),
    "open": Action(open_for_change),
    "configure": Action(_run_configure),
    "prove": Action(_run_prove),
    "same": Action(_run_same),
}
