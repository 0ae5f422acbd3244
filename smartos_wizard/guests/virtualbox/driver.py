"""The driver of VirtualBox. Everything of a guest lies in its folder; VirtualBox's list only names it."""

from __future__ import annotations

import sys
from pathlib import Path

from smartos_wizard.core import text
from smartos_wizard.core.errors import Refused, WizardError
from smartos_wizard.core.paths import Paths
from smartos_wizard.core.plan import Effect, Step
from smartos_wizard.guests.alike import missing_iso, require_off, require_snapshot
from smartos_wizard.guests.hypervisor import Tell
from smartos_wizard.guests.model import (
    Actual,
    BootKind,
    Detection,
    DiskSpec,
    Endpoint,
    Finding,
    Guest,
    GuestSpec,
    Sandbox,
    State,
)
from smartos_wizard.guests.store import GuestStore
from smartos_wizard.guests.virtualbox import argv, host, info, running, switches, version
from smartos_wizard.guests.virtualbox.argv import Manage
from smartos_wizard.guests.virtualbox.find import find
from smartos_wizard.guests.virtualbox.said import explain
from smartos_wizard.guests.virtualbox.talk import Ask, ask
from smartos_wizard.media.images import recognise

HOW = "Install it from https://www.virtualbox.org/wiki/Downloads or your distribution (package virtualbox)."
_CAN = frozenset(
    ("serial-log", "serial-socket", "loopback-forward", "inner-network", "snapshots", "nested", "immutable-boot", "sealed")
)  # fmt: skip
_MOST_CARDS = 8


class VirtualBoxDriver:
    """Guests in VirtualBox by way of VBoxManage. Satisfies `Hypervisor`. `asking` runs what VBoxManage would."""

    id = "virtualbox"
    title = "VirtualBox"

    def __init__(self, paths: Paths, asking: Ask = ask) -> None:
        self._paths = paths
        self._ask = asking
        self._known: Manage | None = None

    def detect(self) -> Detection:
        """Whether VirtualBox is here, which version, and whether it can start guests."""
        found = find()
        if found is None:
            return Detection(self.id, self.title, found=False, how=HOW)
        if found.beyond:
            return Detection(self.id, self.title, True, "", found.path, problems=(host.BEYOND,), how=HOW)
        try:
            call = self._ask((found.path, "-q", "--version"))
        except WizardError as error:
            broken = Finding(
                "virtualbox-broken", error.message, hint=error.hint or "Install VirtualBox again."
            )
            return Detection(self.id, self.title, True, "", found.path, problems=(broken,), how=HOW)
        reading = version.read(call.out)
        self._known = Manage(found.path, reading.line, sys.platform, self._ask)
        problems = (*version.judge(reading), *host.problems(warning=call.warning))
        usable = not any(problem.level == "error" for problem in problems)
        blocked = any(
            problem.reference in ("virtualbox-no-module", "virtualbox-conflict") for problem in problems
        )
        return Detection(
            self.id, self.title, True, reading.text, found.path, usable, usable and not blocked, problems, HOW, _CAN
        )  # fmt: skip

    def validate(self, spec: GuestSpec, detection: Detection) -> tuple[Finding, ...]:
        """What of a spec VirtualBox cannot do here: names taken, cards and networks that are not there."""
        found: list[Finding] = []
        vbox = self._manage()
        names = info.machines(vbox.ask("list", "vms").out)
        left = {each.spec.uuid for each in GuestStore(self._paths).list() if not each.made}
        if any(name == spec.name and uuid not in (spec.uuid, *left) for uuid, name in names.items()):
            found.append(Finding("name-taken", f"VirtualBox has a guest called {text.tame(spec.name)} already.",
                                 hint="Choose another name. That one stays as it is."))  # fmt: skip
        if len(spec.nics) > _MOST_CARDS:
            found.append(
                Finding("too-many-cards", f"VirtualBox gives a guest {_MOST_CARDS} network cards at most.")
            )
        found += self._networks(spec, vbox)
        found += missing_iso(spec)
        if not vbox.modern and spec.sandbox is Sandbox.LAB:
            found.append(
                Finding("loopback-open", f"VirtualBox {detection.version} lets the guest reach services on this machine's "
                        "loopback, at 10.0.2.2.", "warning", "7.0 and later do not. The sandbox `sealed` does not either.")
            )  # fmt: skip
        return tuple(found)

    def disk_step(self, guest: Guest, disk: DiskSpec) -> Step:
        """A VDI file, which grows as it is used. Raises Refused `has-snapshots` where making it anew would break them."""
        vbox, path = self._manage(), argv.disk_path(guest, disk)
        params: dict[str, object] = {
            "commands": [argv.make_disk(vbox, guest, disk)],
            "undo_commands": [argv.close_disk(vbox, guest, disk, delete=True)],
            "path": str(path),
            "snapshots_need_it": True,
        }
        if guest.made:
            if self.inspect(guest).snapshots:
                raise Refused(
                    "has-snapshots", f"{guest.name} has snapshots, and they need the disks that would be emptied.",
                    hint="Delete the snapshots first: `smartos-wizard guest snapshot`. Or restore one instead.",
                )  # fmt: skip
            params["before_wipe"] = [
                argv.attach(vbox, guest, disk, "none"),
                argv.close_disk(vbox, guest, disk),
            ]
            params["undo_before_wipe"] = [argv.attach(vbox, guest, disk)]
            params["after_made"] = [argv.attach(vbox, guest, disk)]
        return Step(
            f"disk-{disk.name}", "command", f"disk {disk.name}, {disk.size // (1 << 30)} GiB that are taken as they fill",
            Effect.CREATES, (str(path),), undo="removed", params=params,
        )  # fmt: skip

    def create_steps(self, guest: Guest) -> tuple[Step, ...]:
        """The machine, what it may and may not, its cards, its console, and what it starts from."""
        vbox, spec = self._manage(), guest.spec
        port = spec.ssh_port or running.free_port()
        ssh = (f"ssh from 127.0.0.1 port {port}",) if spec.sandbox is Sandbox.LAB else ()
        steps = [
            _step("machine", "it in VirtualBox's list", argv.create(vbox, guest), Effect.CREATES,
                  undo=argv.forget(vbox, guest)),
            _step("hardware", f"{spec.memory} MiB, {spec.cpus} processors", argv.hardware(vbox, guest)),
            _step("sandbox", "clipboard, drag and drop, sound, USB, 3D and remote display off", argv.sandbox(vbox, guest)),
            _step("network", f"{len(spec.nics)} network cards", argv.network(vbox, guest, port), details=ssh),
            _step("console", "the serial console", argv.console(vbox, guest)),
        ]  # fmt: skip
        if spec.boot.kind is BootKind.KEY:
            steps.append(self._descriptor(vbox, guest))
        steps.append(_step("storage", "what it starts from, and its disks", argv.storage(vbox, guest)))
        return tuple(steps)

    def delete_steps(self, guest: Guest) -> tuple[Step, ...]:
        """Make VirtualBox forget it. Raises Refused `not-ours` where the guest of that number is not ours.

        VirtualBox deletes no file: those in the guest's folder are removed by this program, all others stay.
        """
        vbox = self._manage()
        self._require_mark(vbox, guest)
        return (_step("forget", "it from VirtualBox's list", argv.forget(vbox, guest)),)

    def call(self, argv: tuple[str, ...]) -> str:
        """Run one command of a step. Taking away what is not there is no failure, so that steps can be repeated.

        Raises WizardError with VirtualBox's words explained.
        """
        call = self._ask(argv)
        if call.failed and not (call.gone and _takes_away(argv)):
            raise explain(call)
        return call.out

    def inspect(self, guest: Guest) -> Actual:
        """The guest as VirtualBox says it is. Raises WizardError where it cannot be asked."""
        vbox = self._manage()
        found = running.facts(vbox, guest)
        if found is None:
            return Actual(State.MISSING if guest.made else State.HALF_MADE)
        extra = self._extra(vbox, guest)
        media = info.attached(found, argv.DATA)
        notes = switches.forgotten(found, guest.spec, vbox.line)
        if extra.get(argv.MARK) != guest.spec.uuid:
            notes += ("It does not carry this program's mark.",)
        return Actual(
            info.state_of(found) if guest.made or argv.MARK in extra else State.HALF_MADE,
            _number(found, "memory"), _number(found, "cpus"),
            tuple(path for port, path in sorted(media.items()) if port != argv.KEY_PORT),
            tuple(mac for _kind, mac in info.cards(found)),
            switches.switches_of(found, extra, guest.spec, vbox.line), switches.ssh_port(found),
            tuple(info.snapshots(found).values()),
            "key" if argv.KEY_PORT in media else "iso" if info.attached(found, argv.BOOT) else "nothing", notes,
        )  # fmt: skip

    def start(self, guest: Guest, tell: Tell) -> None:
        """Start it without a window; it goes on when this program ends."""
        vbox = self._manage()
        self._require_mark(vbox, guest)
        running.start(vbox, guest, tell)

    def stop(self, guest: Guest, tell: Tell, *, patience: float, force: bool = False) -> None:
        """Press its power button, wait, switch it off, wait until VirtualBox has let go of it."""
        vbox = self._manage()
        self._require_mark(vbox, guest)
        running.stop(vbox, guest, tell, patience, force)

    def ssh(self, guest: Guest) -> Endpoint | None:
        """The port on loopback that leads to it; None without NAT, as then only the guest knows its address."""
        port = self.inspect(guest).ssh_port
        return Endpoint("127.0.0.1", port) if port else None

    def snapshot(self, guest: Guest, act: str, name: str) -> tuple[str, ...]:
        """Of all disks together, and only while it is off."""
        vbox = self._manage()
        known = self._snapshots(vbox, guest)
        if act != "list":
            self._require_mark(vbox, guest)
            require_off(guest, off=self.inspect(guest).state in (State.STOPPED, State.CRASHED))
            ids = [uuid for uuid, each in known.items() if each == name]
            require_snapshot(act, name, known=bool(ids))
            vbox.insist("snapshot", guest.spec.uuid, act, ids[-1] if ids else name)
            known = self._snapshots(vbox, guest)
        return tuple(known.values())

    def _snapshots(self, vbox: Manage, guest: Guest) -> dict[str, str]:
        call = vbox.ask("snapshot", guest.spec.uuid, "list", "--machinereadable")
        if call.failed and "does not have any snapshots" not in call.out:
            raise explain(call)
        return info.snapshots(info.machine_readable(call.out))

    def _descriptor(self, vbox: Manage, guest: Guest) -> Step:
        """The key as a disk: a description beside it where its size is known beforehand, else a converted copy."""
        path = guest.folder / "key.vmdk"
        source = guest.key if guest.key.is_file() else Path(guest.spec.boot.source)
        size = recognise(source).raw_size if source.is_file() else None
        if size is None or size % 512:
            command = vbox("convertfromraw", str(guest.key), str(path), "--format", "VMDK")
            return _step("key-disk", f"{path}: a copy of the key as a disk", [command], Effect.CREATES)
        return Step(
            "key-disk", "write", f"{path}: says that key.img is a disk", Effect.CREATES,
            ("What the guest writes on it is forgotten when it is switched off.",), undo="removed",
            params={"path": str(path), "text": argv.descriptor(size), "mode": 0o600},
        )  # fmt: skip

    def _networks(self, spec: GuestSpec, vbox: Manage) -> list[Finding]:
        wanted = next((nic.bridge for nic in spec.nics if nic.network == "uplink"), "")
        if not wanted or spec.sandbox is Sandbox.LAB:
            return []
        bridged = spec.sandbox is Sandbox.LAN
        known = host.bridges(vbox.program, self._ask) if bridged else host.host_only(vbox.program, self._ask)
        if wanted in known:
            return []
        kind = "network card to bridge to" if bridged else "host-only network"
        return [Finding("no-such-network", f"VirtualBox knows no {kind} called {text.tame(wanted)}.",
                        hint=f"It knows: {', '.join(known) or 'none'}.")]  # fmt: skip

    def _require_mark(self, vbox: Manage, guest: Guest) -> None:
        found = running.facts(vbox, guest)
        if found is None or self._extra(vbox, guest).get(argv.MARK) == guest.spec.uuid:
            return
        if not guest.made and guest.owns(Path(found.get("CfgFile", "/"))):
            return  # its making broke off before it was marked
        raise Refused(
            "not-ours", f"VirtualBox's guest {guest.spec.uuid} does not carry this program's mark; it stays as it is.",
            hint="Change it in VirtualBox itself.",
        )  # fmt: skip

    def _extra(self, vbox: Manage, guest: Guest) -> info.Info:
        return info.extra_data(vbox.insist("getextradata", guest.spec.uuid, "enumerate").out)

    def _manage(self) -> Manage:
        if self._known is None:
            detection = self.detect()
            if self._known is None:
                words = (
                    detection.problems[0].text if detection.problems else "VirtualBox is not installed here."
                )
                raise Refused("no-hypervisor", words, hint=HOW)
        return self._known


def _step(
    id: str, title: str, commands: list[list[str]], effect: Effect = Effect.CHANGES, *,
    undo: list[list[str]] | None = None, details: tuple[str, ...] = (),
) -> Step:  # fmt: skip
    params: dict[str, object] = {"commands": commands}
    if undo:
        params["undo_commands"] = undo
    return Step(id, "command", title, effect, details, undo="taken out again" if undo else "", params=params)


def _takes_away(words: tuple[str, ...]) -> bool:
    return bool({"unregistervm", "closemedium"} & set(words[:3])) or words[-2:] == ("--medium", "none")


def _number(found: info.Info, key: str) -> int | None:
    value = found.get(key, "")
    return int(value) if value.isdigit() else None
