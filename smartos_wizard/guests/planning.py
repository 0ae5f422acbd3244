"""What making, starting, re-installing and removing a guest will do, in order, before anything is done."""

from __future__ import annotations

import os
import shlex
import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from smartos_wizard.boot.answers_text import render
from smartos_wizard.boot.key_files import files_for
from smartos_wizard.boot.model import BootChoices, Module
from smartos_wizard.boot.packed import pack_choices
from smartos_wizard.core import text
from smartos_wizard.core.errors import Refused
from smartos_wizard.core.plan import Confirmation, Effect, Plan, Step
from smartos_wizard.core.vault import Vault
from smartos_wizard.guests import sizing, spec_toml
from smartos_wizard.guests.hands_off import sealed_findings
from smartos_wizard.guests.iso import comes_later, iso_step, refuse_choices, untouched
from smartos_wizard.guests.model import BootKind, Detection, Finding, Guest, GuestSpec, Sandbox, State, refuse
from smartos_wizard.guests.ports import GuestWorld, driver
from smartos_wizard.guests.room import check_room
from smartos_wizard.guests.vmware.bundle import is_bundle, unpack_step
from smartos_wizard.media.as_json import image_to_json
from smartos_wizard.media.model import VerifiedImage

UNTOUCHED = (
    "this machine's disks and boot set-up", "its network settings", "guests of other programs",
)  # fmt: skip


def judge(spec: GuestSpec, world: GuestWorld, detection: Detection | None = None) -> tuple[Finding, ...]:
    """All that speaks against making this guest here, and what should be known; nothing is changed."""
    hypervisor = driver(world, spec.hypervisor)
    detection = detection or hypervisor.detect()
    found: list[Finding] = []
    if not detection.usable:
        found += [problem for problem in detection.problems if problem.level == "error"] or [
            Finding("no-hypervisor", f"{detection.title} is not installed here.", hint=detection.how)
        ]
    found += [problem for problem in detection.problems if problem.level != "error"]
    found += sizing.check_size(spec, world.host_size())
    found += check_room(spec, world)
    found += _check_port(spec)
    if spec.sandbox is Sandbox.LAN and not any(nic.bridge for nic in spec.nics):
        found.append(
            Finding(
                "no-bridge",
                "The sandbox `lan` needs the network card of this machine to bridge to.",
                hint="--bridge eth0.",
            )
        )
    if detection.usable:
        found += hypervisor.validate(spec, detection)
    later = comes_later(spec, world)
    return tuple(each for each in found if each.reference != "image-missing" or not later)


def plan_create(
    spec: GuestSpec, image: VerifiedImage, choices: BootChoices | None, world: GuestWorld,
    detection: Detection | None = None,
) -> Plan:  # fmt: skip
    """The plan that makes the guest. Raises Refused for all that speaks against it, UsageProblem for bad choices.

    `image` is the ISO, or the USB image of which the guest gets a copy of its own.
    """
    refuse((*judge(spec, world, detection), *sealed_findings(choices.answers if choices else None, spec)))
    left = world.guests.half_made(spec)
    guest = world.guests.planned(spec)
    hypervisor = driver(world, spec.hypervisor)
    steps = [_clear(left)] if left is not None else []
    if spec.boot.kind is BootKind.ISO:
        refuse_choices(choices, spec.console)
        steps.append(iso_step(spec, image))
    steps.append(
        Step("folder", "begin", f"{guest.folder}", Effect.CREATES, ("Everything of the guest lies in it.",), undo="removed")
    )  # fmt: skip
    if spec.boot.kind is BootKind.KEY:
        steps.append(unpack_step(guest, image) if is_bundle(spec.boot.source) else _key(guest, image))
        if choices is not None and not choices.empty:
            steps.append(_configure(choices, world))
    steps += [hypervisor.disk_step(guest, disk) for disk in spec.disks]
    steps += hypervisor.create_steps(guest)
    steps.append(
        Step("check", "check", f"what {hypervisor.title} made of it, switch by switch", Effect.READS)
    )
    return _plan("guest-create", f"Make the guest {spec.name} in {hypervisor.title}", guest, steps)


def plan_start(guest: Guest) -> Plan:
    """The plan that starts a guest without a window. Raises Refused for a half-made one."""
    _require_made(guest)
    step = Step("start", "start", f"{guest.name}: it runs, without a window", Effect.CHANGES)
    return _plan("guest-start", f"Start {guest.name}", guest, [step])


def plan_stop(guest: Guest, *, patience: float = 90, force: bool = False) -> Plan:
    """The plan that stops a guest: asked first, switched off when it does not answer in `patience` seconds."""
    how = (
        "switched off at once, like pulling the plug"
        if force
        else f"asked, and switched off after {patience:g} s"
    )
    step = Step(
        "stop", "stop", f"{guest.name}: it is stopped", Effect.CHANGES, (how,),
        params={"patience": patience, "force": force},
    )  # fmt: skip
    return _plan("guest-stop", f"Stop {guest.name}", guest, [step])


def plan_delete(guest: Guest, world: GuestWorld) -> Plan:
    """The plan that removes a guest with every file of it; each is named."""
    hypervisor = driver(world, guest.spec.hypervisor)
    files = world.guests.files(guest)
    details = [f"{path}  {text.size(_taken(path))}" for path in files] or ["no files"]
    steps = [
        Step("stop", "stop", f"{guest.name}: it is stopped", Effect.CHANGES, ("switched off if it runs",),
             params={"force": True}),
        Step("unmake", "unmake", "its mark: it counts as half made until all of it is gone", Effect.CHANGES),
        *(_tolerant(step) for step in hypervisor.delete_steps(guest)),
        Step("remove", "remove", f"{len(files)} files in {guest.folder}", Effect.DESTROYS, tuple(details)),
    ]  # fmt: skip
    return _plan("guest-delete", f"Remove {guest.name}", guest, steps, confirm="To remove it, type its name")


def plan_reinstall(
    guest: Guest, world: GuestWorld, keep: Sequence[str] = (), *, snapshot: bool = False
) -> Plan:
    """The plan that gives a guest empty disks and keeps what it is: name, UUID, addresses, ports.

    `keep` names disks that stay as they are. Raises Refused `no-such-disk`, `nothing-to-wipe`.
    """
    _require_made(guest)
    hypervisor = driver(world, guest.spec.hypervisor)
    known = [disk.name for disk in guest.spec.disks]
    strange = [name for name in keep if name not in known]
    if strange:
        raise Refused(
            "no-such-disk", f"{guest.name} has no disk {strange[0]}.", hint=f"It has {', '.join(known)}."
        )
    kept = {disk.name for disk in guest.spec.disks if disk.keep or disk.name in keep}
    wiped = [disk for disk in guest.spec.disks if disk.name not in kept]
    if not wiped:
        raise Refused("nothing-to-wipe", "Every disk is to be kept, so there is nothing to do.")
    steps = [
        Step("stop", "stop", f"{guest.name}: it is stopped", Effect.CHANGES, ("asked, and switched off after 90 s",), params={"patience": 90})
    ]  # fmt: skip
    if snapshot:
        steps.append(
            Step("snapshot", "snapshot", "a snapshot to go back to: before-reinstall", Effect.CREATES,
                 params={"act": "take", "name": "before-reinstall"})
        )  # fmt: skip
    for disk in wiped:
        made = hypervisor.disk_step(guest, disk)
        if snapshot and made.params.get("snapshots_need_it"):
            words = f"A snapshot in {hypervisor.title} needs the very disks that are emptied here."
            raise Refused("snapshot-of-wiped", words, hint="Leave --snapshot away, or make another guest.")
        steps += _renewed(made, disk.name)
    title = f"Make {guest.name} as new: {len(wiped)} of {len(guest.spec.disks)} disks emptied"
    return _plan(
        "guest-reinstall", title, guest, steps, confirm="To erase these disks, type the guest's name"
    )


def plan_snapshot(guest: Guest, act: str, name: str) -> Plan:
    """The plan that takes, restores or deletes a snapshot. Restoring loses what came after it, and asks."""
    _require_made(guest)
    effect = {"take": Effect.CREATES, "restore": Effect.DESTROYS, "delete": Effect.DESTROYS}[act]
    words = {
        "take": f"snapshot {name}",
        "restore": f"everything on its disks since the snapshot {name}",
        "delete": f"snapshot {name}; the disks stay as they are",
    }[act]
    step = Step("snapshot", "snapshot", words, effect, params={"act": act, "name": name})
    confirm = "" if act == "take" else "To do it, type the guest's name"
    return _plan(
        "guest-snapshot",
        f"{act.capitalize()} snapshot {name} of {guest.name}",
        guest,
        [step],
        confirm=confirm,
    )


def _plan(kind: str, title: str, guest: Guest, steps: Sequence[Step], *, confirm: str = "") -> Plan:
    return Plan(
        kind=kind, title=title, steps=tuple(steps), untouched=(*UNTOUCHED, *untouched(guest.spec)),
        confirmation=Confirmation(confirm, (guest.name,)) if confirm else None,
        locks=(str(guest.folder),),
        params={"spec": spec_toml.dump(guest.spec), "folder": guest.folder.name},
    )  # fmt: skip


def _clear(left: Guest) -> Step:
    return Step(
        "clear", "clear", f"what an interrupted creation of {left.name} left in {left.folder}", Effect.CHANGES,
        params={"spec": spec_toml.dump(left.spec), "folder": left.folder.name},
    )  # fmt: skip


def _key(guest: Guest, image: VerifiedImage) -> Step:
    words = f"{image.algorithm} {image.digest[:4]}…{image.digest[-4:]}" if image.digest else "no checksum"
    unpack = {"gzip": "gzip -dc", "bzip2": "bzip2 -dc"}.get(image.kind.value, "cat")
    by_hand = f"{unpack} {shlex.quote(str(image.path))} > {shlex.quote(str(guest.key))}"
    return Step(
        "key", "key", f"its own copy of {image.path.name}", Effect.CREATES,
        (f"{words}: {image.vouched_by or 'nobody vouches for it'}", "Empty parts of the image take no room."),
        undo="removed with the folder", by_hand=by_hand, params={"image": image_to_json(image)},
    )  # fmt: skip


def _configure(choices: BootChoices, world: GuestWorld) -> Step:
    from smartos_wizard.media.configuring import change_lines

    choices = for_guest(choices)
    changes = files_for(choices, lambda _path: None, legacy=False)
    return Step(
        "configure", "configure", f"{len(changes)} file{'s' if len(changes) != 1 else ''} on that copy, with what SmartOS is told at boot", Effect.CREATES,
        tuple(change_lines(changes)),
        params={"choices": Vault(world.paths).put(pack_choices(choices)), "files": [c.path for c in changes]},
    )  # fmt: skip


def for_guest(choices: BootChoices) -> BootChoices:
    """The choices for a key that a guest may see as an ordinary disk: the answers come as a boot module too.

    SmartOS looks for private/answers.json on USB keys only; what the loader hands over counts from any disk
    (smartos-live, smartos_prompt_config.sh; smartos-docs, non-interactive-install).
    """
    if choices.answers is None or any(module.name == "answers.json" for module in choices.modules):
        return choices
    module = Module("answers.json", "boot/bootfs/answers.json", render(choices.answers).encode())
    return choices.with_(modules=(*choices.modules, module))


def _renewed(made: Step, name: str) -> list[Step]:
    path = Path(made.params["path"])
    if made.params.get("in_place"):  # the action itself puts an empty disk in the place of what is there
        details = (f"{text.size(_taken(path))} in use", *made.params.get("losing", ()))
        return [replace(made, id=f"wipe-{name}", title=f"{path}", effect=Effect.DESTROYS, details=details, undo="",
                        params={**made.params, "renew": True})]  # fmt: skip
    wipe = Step(
        f"wipe-{name}", "wipe", f"{path}", Effect.DESTROYS,
        (f"{text.size(_taken(path))} in use", *made.params.get("losing", ())), by_hand=f"rm {shlex.quote(str(path))}",
        params={"path": str(path)},
    )  # fmt: skip
    return [*_around(made, name, "before_wipe"), wipe, made, *_around(made, name, "after_made")]


def _around(made: Step, name: str, when: str) -> list[Step]:
    """What a hypervisor with a list of disks is told before one goes, and after there is a new one."""
    if not made.params.get(when):
        return []
    what = f"the {'old' if when == 'before_wipe' else 'new'} disk {name} {'out of' if when == 'before_wipe' else 'into'} the guest"
    params = {"commands": made.params[when], "undo_commands": made.params.get(f"undo_{when}", [])}
    return [Step(f"{when.replace('_', '-')}-{name}", "command", what, Effect.CHANGES, params=params)]


def _tolerant(step: Step) -> Step:
    params: dict[str, Any] = {**step.params, "tolerate": True}
    return Step(step.id, step.action, step.title, step.effect, step.details, step.undo, step.by_hand, params)


def _require_made(guest: Guest) -> None:
    if not guest.made:
        raise Refused(
            "half-made", f"Making {guest.name} broke off, so it cannot be used.",
            hint="`smartos-wizard guest create` makes it anew; `guest delete` removes it.",
        )  # fmt: skip


def _check_port(spec: GuestSpec) -> list[Finding]:
    if not spec.ssh_port:
        return []
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", spec.ssh_port))
        except OSError:
            words = f"Port {spec.ssh_port} on this machine is in use already."
            return [Finding("port-taken", words, hint="Choose another, or leave --ssh-port away.")]
    return []


def _taken(path: Path) -> int:
    try:
        return os.lstat(path).st_blocks * 512
    except OSError:
        return 0


def running(state: State) -> bool:
    """Whether a guest in this state has a process of its own."""
    return state in (State.RUNNING, State.PAUSED, State.STARTING, State.STOPPING)
