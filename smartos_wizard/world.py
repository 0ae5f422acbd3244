"""Builds the World: real or practice. The only place that chooses; everybody else takes what they are given."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.core.events import Event
from smartos_wizard.core.paths import Paths, user_paths
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.runner import Action, execute
from smartos_wizard.core.settings import Settings, load
from smartos_wizard.media.ports import Disks, Opener
from smartos_wizard.releases.mirror import Mirror, open_mirror
from smartos_wizard.releases.model import OFFICIAL_MIRROR

if TYPE_CHECKING:
    from smartos_wizard.boot.hardware_facts import HardwareFacts
    from smartos_wizard.guests.hypervisor import Hypervisor
    from smartos_wizard.guests.sizing import HostSize
    from smartos_wizard.guests.store import GuestStore
    from smartos_wizard.netboot.dualboot_ports import Linux
    from smartos_wizard.netboot.ports import Wire
    from smartos_wizard.reinstall.console_port import Console, SocketConsole
    from smartos_wizard.reinstall.ports import Host, Hosts
    from smartos_wizard.reinstall.streams import StreamHost


@dataclass(slots=True)
class World:
    """Everything outside this program, as the rest of it sees it. Satisfies `MediaWorld` and `ReleaseWorld`."""

    practice: bool
    paths: Paths
    settings: Settings
    disks: Disks
    opener: Opener
    default_mirror: str
    awake: Callable[[str], AbstractContextManager[None]]
    clock: Callable[[], float] = time.time
    closers: list[Callable[[], None]] = field(default_factory=list)
    drivers: tuple[Hypervisor, ...] = ()
    """Once made they are kept, so that each asks its hypervisor for its version once."""
    doors: dict[str, Host] = field(default_factory=dict)
    """Machines that are connected already, by the name they were reached under; whoever takes one closes it."""
    consoles: dict[str, SocketConsole] = field(default_factory=dict)
    """Serial consoles that are open, by where they are."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.clock()

    def stay_awake(self, why: str) -> AbstractContextManager[None]:
        """Keep the desktop from sleeping meanwhile, where it can be asked to."""
        return self.awake(why)

    def mirror(self, where: str = "") -> Mirror:
        """The mirror at `where` (URL or directory); the setting's, then the default, where it is empty.

        In practice an address on loopback means the practice mirror: each process serves it at a port of its
        own, and a job may outlive the one that planned it.
        """
        if self.practice and where.startswith("http://127.0.0.1:"):
            where = self.default_mirror
        elif self.practice and where.startswith(("http://", "https://")):
            from smartos_wizard.practice.netboot_official import instead_of

            where = instead_of(where, self.paths)
        return open_mirror(where or self.settings.mirror or self.default_mirror)

    def hardware(self) -> HardwareFacts:
        """What this machine has; in practice, what a make-believe one has."""
        if self.practice:
            from smartos_wizard.practice.hardware import make_believe

            return make_believe()
        from smartos_wizard.boot.hardware import collect

        return collect()

    @property
    def guests(self) -> GuestStore:
        """Where lab guests lie."""
        from smartos_wizard.guests.store import GuestStore

        return GuestStore(self.paths)

    def hypervisors(self) -> tuple[Hypervisor, ...]:
        """The drivers of hypervisors, whether those are installed here or not."""
        if not self.drivers:
            self.drivers = self._drivers()
        return self.drivers

    def _drivers(self) -> tuple[Hypervisor, ...]:
        if self.practice:
            from smartos_wizard.practice.hypervisor import PracticeHypervisor

            return (PracticeHypervisor(),)
        from smartos_wizard.guests.qemu.driver import QemuDriver
        from smartos_wizard.guests.virtualbox.driver import VirtualBoxDriver
        from smartos_wizard.guests.vmware.driver import VmwareDriver

        virtualbox = VirtualBoxDriver(self.paths)
        if self.settings.virtualbox == "api":
            from smartos_wizard.guests.virtualbox.api.driver import VirtualBoxApiDriver

            virtualbox = VirtualBoxApiDriver(self.paths)
        return (virtualbox, VmwareDriver(), QemuDriver(self.paths))

    @property
    def hosts(self) -> Hosts:
        """The way to SmartOS machines that are surveyed and re-installed."""
        if self.practice:
            from smartos_wizard.practice.host_power import HostPower
            from smartos_wizard.practice.hosts import PracticeHosts

            return PracticeHosts(self.clock, HostPower(self.paths.state / "hosts.json", self.clock))
        from smartos_wizard.reinstall.connect import SshHosts

        return SshHosts(self.paths)

    def streaming(self, host: Host) -> StreamHost:
        """The same machine, for what is too large for one answer."""
        from smartos_wizard.reinstall.ssh_streams import streaming

        return streaming(host)

    def console_host(self, where: str, password: str) -> StreamHost:
        """The machine at the other end of a serial console, logged in; Rescue Mode's own password is tried, too.

        A machine that is not ready yet is not waited for. Raises as `console` and `ConsoleShell.log_in`.
        """
        from smartos_wizard.core.errors import PrivilegeFailed
        from smartos_wizard.reinstall.console_login import RESCUE_PASSWORD
        from smartos_wizard.reinstall.console_shell import ConsoleShell
        from smartos_wizard.reinstall.ports import Address

        if self.practice:
            from smartos_wizard.practice.host_power import KEYS

            return self.streaming(self.hosts.open(Address(where.removeprefix("guest:"), accept=KEYS)))

        shell = ConsoleShell(self.console(where), where, keep=True)
        try:
            try:
                shell.log_in(password or RESCUE_PASSWORD, seconds=15.0)
            except PrivilegeFailed:
                if password in ("", RESCUE_PASSWORD):
                    raise
                shell.log_in(RESCUE_PASSWORD, seconds=15.0)
        except BaseException:
            shell.close()
            raise
        return shell

    def linux(self, root: str = "") -> Linux:
        """The Linux this program runs on, or the one mounted at `root`; in practice the make-believe one of that name."""
        if self.practice:
            from smartos_wizard.practice.linux import practice_linux

            return practice_linux(self.paths.state.parent, root)
        from smartos_wizard.netboot.dualboot_linux import SystemLinux

        return SystemLinux(Path(root or "/"))

    def console(self, where: str) -> Console:
        """The serial console `guest:NAME`, at the path of a socket, or at `HOST:PORT`, connected.

        One that is open stays so, and is given to whoever asks for it again: what it showed meanwhile is known then.
        In practice it is a make-believe one, at its loader's menu. Raises UsageProblem `bad-console`, Refused `no-such-guest`,
        `no-console`, NetworkFailed `console-unreachable`.
        """
        if self.practice:
            from smartos_wizard.practice.host_console import PracticeConsole

            return PracticeConsole(where)
        found = self.consoles.get(where)
        if found is None or not found.alive:
            found = self.consoles[where] = self._open_console(where)
            self.closers.append(found.close)
        return found

    def _open_console(self, where: str) -> SocketConsole:
        from smartos_wizard.reinstall.console_port import RECENT, open_console

        kind, _, name = where.partition(":")
        if kind != "guest":
            return open_console(where)
        from smartos_wizard.guests.console_line import console_of
        from smartos_wizard.guests.console_text import said_so_far

        place = console_of(self, self.guests.find(name))
        if place.socket is None:
            hint = "Reach it by ssh."
            raise Refused("no-console", f"The hypervisor of {name} gives no serial console to type at.", hint=hint)  # fmt: skip
        lines, _ = said_so_far(place.log, RECENT)
        return open_console(str(place.socket), where, "\n".join(lines).encode())

    @property
    def wire(self) -> Wire:
        """The networks of this machine, for serving a netboot tree."""
        if self.practice:
            from smartos_wizard.practice.netboot import PracticeWire

            return PracticeWire()
        from smartos_wizard.netboot.real_wire import RealWire

        return RealWire()

    def host_size(self) -> HostSize:
        """How large this machine is, for guests."""
        import psutil

        from smartos_wizard.guests.sizing import HostSize

        place = next(p for p in (self.guests.root, *self.guests.root.parents) if p.exists())
        memory = psutil.virtual_memory().total >> 20
        return HostSize(memory, psutil.cpu_count() or 1, psutil.disk_usage(str(place)).free)

    def run(self, plan: Plan, cancel: Cancel | None = None) -> Iterator[Event]:
        """Execute a plan of any kind, here and now."""
        return execute(plan, actions_of(plan.kind), self, cancel, self.clock)

    def close(self) -> None:
        """Stop whatever was started for this world."""
        for closer in reversed(self.closers):
            closer()


_ACTIONS = {
    "release-download": "releases.download:DOWNLOAD_ACTIONS",
    "release-prune": "releases.prune:PRUNE_ACTIONS",
    "key-write": "media.writing:WRITE_ACTIONS",
    "key-check": "media.checking:CHECK_ACTIONS",
    "key-restore": "media.restoring:RESTORE_ACTIONS",
    "key-boot-test": "media.boottest:BOOT_TEST_ACTIONS",
    "key-configure": "media.configuring:CONFIGURE_ACTIONS",
    "key-upgrade": "media.upgrading:UPGRADE_ACTIONS",
    "key-rollback": "media.upgrading:ROLLBACK_ACTIONS",
    "reinstall-backup": "reinstall.backup_steps:BACKUP_ACTIONS",
    "reinstall-restore": "reinstall.restore_steps:RESTORE_ACTIONS",
    "reinstall-export": "reinstall.export_steps:EXPORT_ACTIONS",
    "reinstall-run": "reinstall.run_steps:RUN_ACTIONS",
    "reinstall-watch": "reinstall.run_steps:RUN_ACTIONS",
    "reinstall-undo": "reinstall.run_steps:RUN_ACTIONS",
    "reinstall-inventory": "reinstall.inventory_plan:INVENTORY_ACTIONS",
    "netboot-build": "netboot.build_steps:BUILD_ACTIONS",
    "netboot-check": "netboot.check_steps:CHECK_ACTIONS",
    "netboot-config": "netboot.site_config:CONFIG_ACTIONS",
    "netboot-serve": "netboot.serve_steps:SERVE_ACTIONS",
    "dualboot-install": "netboot.dualboot_steps:INSTALL_ACTIONS",
    "dualboot-remove": "netboot.dualboot_removing:REMOVE_ACTIONS",
}
"""Where the code of each kind of plan is; imported when it is run."""


def actions_of(kind: str) -> Mapping[str, Action[Any]]:
    """The code that can run a plan of this kind. Raises UsageProblem for a kind nobody knows."""
    if kind.startswith("guest-"):
        from smartos_wizard.guests.steps import guest_actions

        return guest_actions(kind)
    if kind not in _ACTIONS:
        hint = "Was it made by a newer version?"
        raise UsageProblem("unknown-plan", f"No such kind of plan: {kind}", hint=hint)
    module, name = _ACTIONS[kind].split(":")
    actions: Mapping[str, Action[Any]] = getattr(import_module(f"smartos_wizard.{module}"), name)
    return actions


def build(practice: bool) -> World:
    """The world this process works in."""
    return practice_world() if practice else real_world()


def real_world() -> World:
    """This machine, its disks and its network."""
    from smartos_wizard.media.awake import stay_awake
    from smartos_wizard.media.disks.platform import system_disks
    from smartos_wizard.media.opening import SystemOpener

    paths = user_paths()
    settings = load(paths.settings_file)
    return World(False, paths, settings, system_disks(), SystemOpener(paths), OFFICIAL_MIRROR, stay_awake)


def practice_world() -> World:
    """A make-believe machine: a mirror on loopback, keys that are files, a system disk that is withheld."""
    from smartos_wizard.practice.place import PracticePlace

    place = PracticePlace.prepare(user_paths())
    settings = load(place.paths.settings_file, {})
    world = World(True, place.paths, settings, place.disks, place.opener, place.mirror_url, _nothing)
    world.closers.append(place.close)
    return world


@contextlib.contextmanager
def _nothing(_why: str) -> Iterator[None]:
    yield
