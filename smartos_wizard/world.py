"""Builds the World: real or practice. The only place that chooses; everybody else takes what they are given."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
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
            return self.streaming(self.hosts.open(Address(where.removeprefix("guest:"))))

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
        """The Linux this program runs on, or the one mounted at `root`; in practice always a make-believe one."""
        if self.practice:
            from smartos_wizard.practice.linux import PracticeLinux

            return PracticeLinux(self.paths.state.parent / "linux")
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


def actions_of(kind: str) -> Mapping[str, Action[Any]]:
    """The code that can run a plan of this kind. Raises UsageProblem for a kind nobody knows."""
    if kind == "release-download":
        from smartos_wizard.releases.download import DOWNLOAD_ACTIONS

        return DOWNLOAD_ACTIONS
    if kind == "release-prune":
        from smartos_wizard.releases.prune import PRUNE_ACTIONS

        return PRUNE_ACTIONS
    if kind == "key-write":
        from smartos_wizard.media.writing import WRITE_ACTIONS

        return WRITE_ACTIONS
    if kind == "key-check":
        from smartos_wizard.media.checking import CHECK_ACTIONS

        return CHECK_ACTIONS
    if kind == "key-restore":
        from smartos_wizard.media.restoring import RESTORE_ACTIONS

        return RESTORE_ACTIONS
    if kind == "key-boot-test":
        from smartos_wizard.media.boottest import BOOT_TEST_ACTIONS

        return BOOT_TEST_ACTIONS
    if kind == "key-configure":
        from smartos_wizard.media.configuring import CONFIGURE_ACTIONS

        return CONFIGURE_ACTIONS
    if kind in ("key-upgrade", "key-rollback"):
        from smartos_wizard.media.upgrading import ROLLBACK_ACTIONS, UPGRADE_ACTIONS

        return UPGRADE_ACTIONS if kind == "key-upgrade" else ROLLBACK_ACTIONS
    if kind.startswith("guest-"):
        from smartos_wizard.guests.steps import guest_actions

        return guest_actions(kind)
    if kind == "reinstall-backup":
        from smartos_wizard.reinstall.backup_steps import BACKUP_ACTIONS

        return BACKUP_ACTIONS
    if kind == "reinstall-restore":
        from smartos_wizard.reinstall.restore_steps import RESTORE_ACTIONS as RESTORE_HOST_ACTIONS

        return RESTORE_HOST_ACTIONS
    if kind == "reinstall-export":
        from smartos_wizard.reinstall.export_steps import EXPORT_ACTIONS

        return EXPORT_ACTIONS
    if kind.startswith("reinstall-"):
        from smartos_wizard.reinstall.run_steps import RUN_ACTIONS

        return RUN_ACTIONS
    if kind == "netboot-build":
        from smartos_wizard.netboot.build_steps import BUILD_ACTIONS

        return BUILD_ACTIONS
    if kind == "netboot-check":
        from smartos_wizard.netboot.check_steps import CHECK_ACTIONS as TREE_ACTIONS

        return TREE_ACTIONS
    if kind == "netboot-config":
        from smartos_wizard.netboot.site_config import CONFIG_ACTIONS

        return CONFIG_ACTIONS
    if kind == "netboot-serve":
        from smartos_wizard.netboot.serve_steps import SERVE_ACTIONS

        return SERVE_ACTIONS
    if kind == "dualboot-install":
        from smartos_wizard.netboot.dualboot_steps import INSTALL_ACTIONS

        return INSTALL_ACTIONS
    if kind == "dualboot-remove":
        from smartos_wizard.netboot.dualboot_removing import REMOVE_ACTIONS

        return REMOVE_ACTIONS
    raise UsageProblem(
        "unknown-plan", f"No such kind of plan: {kind}", hint="Was it made by a newer version?"
    )


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
