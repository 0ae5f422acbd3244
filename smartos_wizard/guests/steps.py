"""The actions that plans about guests are made of. Each can be undone, or says in its plan why not."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path
from typing import Any

from smartos_wizard.boot.key_files import files_for
from smartos_wizard.boot.packed import unpack_choices
from smartos_wizard.core.errors import Refused, WizardError, WriteFailed
from smartos_wizard.core.events import Advanced, Noted
from smartos_wizard.core.files import replace_file
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Action, Run, Work
from smartos_wizard.core.vault import Vault
from smartos_wizard.guests import sandbox, spec_toml
from smartos_wizard.guests.at_work import driver_of, guest_of, writing
from smartos_wizard.guests.hypervisor import Hypervisor
from smartos_wizard.guests.iso import ISO_ACTIONS
from smartos_wizard.guests.key_copy import KeyCopy
from smartos_wizard.guests.left_overs import forget_secrets
from smartos_wizard.guests.model import Guest, State
from smartos_wizard.guests.ports import GuestWorld, driver, typed
from smartos_wizard.guests.running import RUN_ACTIONS
from smartos_wizard.guests.vmware.actions import VMWARE_ACTIONS
from smartos_wizard.media.as_json import image_from_json
from smartos_wizard.media.device import open_file
from smartos_wizard.media.fat_edit import FatEditor
from smartos_wizard.media.file_changes import LARGEST, asked_for, change_files, prove_files
from smartos_wizard.media.proving import Reader
from smartos_wizard.media.root_volume import require_smartos, root_of
from smartos_wizard.media.volume import DeviceVolume
from smartos_wizard.media.watching import in_thread


def _begin(run: Run[GuestWorld], _step: Step) -> Work:
    """Make the folder with the mark of something unfinished."""
    guest = guest_of(run)
    with writing(guest.folder):
        run.world.guests.begin(guest)
    run.found["guest-begun"] = True
    run.state = lambda: f"{guest.name} was not made; what was begun is taken away again."
    yield from ()
    return {"folder": str(guest.folder)}


def _begin_undo(run: Run[GuestWorld], _step: Step) -> Work:
    if run.found.get("guest-begun"):
        run.world.guests.remove(guest_of(run))
    yield from ()
    return {}


def _clear(run: Run[GuestWorld], step: Step) -> Work:
    """Take away what an interrupted creation left under the same name."""
    spec = spec_toml.load(step.params["spec"], "what was left")
    store = run.world.guests
    left = Guest(spec, store.root / step.params["folder"], store.sockets_of(spec.uuid), made=False)
    hypervisor = driver(run.world, spec.hypervisor)
    with contextlib.suppress(WizardError):
        hypervisor.stop(left, lambda _words: None, patience=0, force=True)
    for each in hypervisor.delete_steps(left):
        _call_all(hypervisor, each.params["commands"], tolerate=True)
    store.remove(left)
    forget_secrets(run.world, spec.uuid)
    yield from ()
    return {}


def _key(run: Run[GuestWorld], step: Step) -> Work:
    """A copy of the USB image that belongs to the guest alone: decoded, checked, holes left holes."""
    guest = guest_of(run)
    copy = KeyCopy(image_from_json(step.params["image"]), guest.key, run.cancel, run.state())
    count = yield from in_thread(
        run, copy.run, lambda: [Advanced(run.clock(), step.id, copy.done, copy.total)]
    )
    return {"bytes": count}


def _configure(run: Run[GuestWorld], step: Step) -> Work:
    """Put console, answers and files on the guest's own key, and read them back."""
    guest = guest_of(run)
    vault, name = Vault(run.world.paths), step.params["choices"]
    choices = unpack_choices(vault.get(name))

    def work() -> str:
        with writing(guest.key):
            return changed()

    def changed() -> str:
        device = open_file(str(guest.key), None, write=True)
        try:
            root = root_of(Reader(device), device.size, guest.key.name)
            editor = FatEditor(DeviceVolume(device, root.first, root.size), now=run.clock())
            require_smartos(editor, guest.key.name)
            changes = files_for(choices, partial(editor.read, limit=LARGEST), legacy=root.legacy)
            change_files(editor, changes, guest.key.name)
            device.drop_cache()
            return prove_files(Reader(device), root, asked_for(changes), guest.key.name)
        finally:
            device.close()

    words = yield from in_thread(run, work, lambda: ())
    yield Noted(run.clock(), step.id, words)
    return {"files": list(step.params["files"])}


def _command(run: Run[GuestWorld], step: Step) -> Work:
    hypervisor = driver_of(run)
    tolerate = bool(step.params.get("tolerate"))
    yield from in_thread(
        run, lambda: _call_all(hypervisor, step.params["commands"], tolerate=tolerate), lambda: ()
    )
    return {}


def _command_undo(run: Run[GuestWorld], step: Step) -> Work:
    _call_all(driver_of(run), step.params.get("undo_commands", []), tolerate=True)
    yield from ()
    return {}


def _call_all(hypervisor: Hypervisor, commands: list[list[str]], *, tolerate: bool) -> None:
    for argv in commands:
        try:
            hypervisor.call(tuple(argv))
        except WizardError:
            if not tolerate:
                raise


def _write(run: Run[GuestWorld], step: Step) -> Work:
    path = Path(step.params["path"])
    _require_own(run, path)
    with writing(path):
        replace_file(path, step.params["text"].encode(), mode=int(step.params.get("mode", 0o600)))
    yield from ()
    return {}


def _write_undo(run: Run[GuestWorld], step: Step) -> Work:
    path = Path(step.params["path"])
    _require_own(run, path)
    path.unlink(missing_ok=True)
    yield from ()
    return {}


def _require_own(run: Run[GuestWorld], path: Path) -> None:
    if not guest_of(run).owns(path):
        raise Refused("not-ours", f"{path} does not belong to the guest; it stays as it is.")


def _check(run: Run[GuestWorld], step: Step) -> Work:
    """Ask the hypervisor what it made of it, and say where that is not as asked."""
    guest, hypervisor = guest_of(run), driver_of(run)
    actual = yield from in_thread(run, lambda: hypervisor.inspect(guest), lambda: ())
    if actual.state is State.MISSING:
        raise WriteFailed(
            "guest-not-there", f"{hypervisor.title} does not know {guest.name} after making it."
        )
    found = sandbox.drift(guest.spec, actual)
    for each in found:
        words = f"{each.what}: asked {each.asked}, it is {each.actual}"
        yield Noted(run.clock(), step.id, words, level="warning", reference="drift")
    with writing(guest.folder):
        run.world.guests.ready(guest)
    Vault(run.world.paths).forget_of(run.plan)  # not before: what broke off is taken up with it
    run.result["drift"] = [[d.what, d.asked, d.actual] for d in found]
    run.result["say"] = [
        f"{guest.name} is made{'' if not found else ', but not all is as asked'}.",
        f"Next: {typed(run.world, 'guest', 'start', guest.name)}",
    ]
    return {"drift": len(found)}


def _unmake(run: Run[GuestWorld], _step: Step) -> Work:
    """From here on it counts as half made, so that whoever comes after a cut goes on removing it."""
    run.world.guests.begin(guest_of(run))
    yield from ()
    return {}


def _remove(run: Run[GuestWorld], _step: Step) -> Work:
    guest = guest_of(run)
    run.world.guests.remove(guest)
    forget_secrets(run.world, guest.spec.uuid)
    run.result["say"] = [f"{guest.name} and everything in {guest.folder} are gone."]
    yield from ()
    return {}


def _wipe(run: Run[GuestWorld], step: Step) -> Work:
    path = Path(step.params["path"])
    _require_own(run, path)
    path.unlink(missing_ok=True)
    yield from ()
    return {"path": str(path)}


GUEST_ACTIONS: dict[str, Action[Any]] = {
    "begin": Action(_begin, _begin_undo),
    "clear": Action(_clear),
    "key": Action(_key),
    "configure": Action(_configure),
    "command": Action(_command, _command_undo),
    "write": Action(_write, _write_undo),
    "check": Action(_check),
    "unmake": Action(_unmake),
    "remove": Action(_remove),
    "wipe": Action(_wipe),
    **RUN_ACTIONS,
    **ISO_ACTIONS,
    **VMWARE_ACTIONS,
}


def guest_actions(kind: str) -> dict[str, Action[Any]]:
    """What plans of that kind are made of. The exports are loaded where one is made: they take their time."""
    if kind == "guest-export":
        from smartos_wizard.guests.export.actions import EXPORT_ACTIONS

        return EXPORT_ACTIONS
    return GUEST_ACTIONS
