"""A machine with real OpenZFS disks and a real sshd, on which SmartOS's own part is played: a host to re-install.

Its root is a tree of this machine, read-only, with a RAM disk over it, so that every boot is a fresh one and only
the disks remain. A reboot ends QEMU; it is started again with what the loader is told for that boot. With a `menu` the
loader is played on the machine's serial console, where somebody may press its keys, and a login is played there, too.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from tests.lab.rig.command import Outcome
from tests.lab.rig.serial_line import SerialLine
from tests.lab.rig.talk import Lines
from tests.lab.rig.zfs_tree import Tree

PLAYED = Path(__file__).with_name("played")
LOGIN = Path(__file__).parents[2] / "unit" / "reinstall" / "played_login.py"
AGENT = Path(__file__).with_name("agent.py")
NORMAL = {"smartos": "true"}
RESCUE = {"smartos": "false", "noimport": "true"}
"""What the loader's menu gives for a normal start and for Rescue Mode (smartos-live: boot/loader.conf; menu-commands.4th)."""
SIZE = 512 << 20
COMMANDS = (
    "uname", "zonename", "bootparams", "prtconf", "smbios", "svcprop", "svcs", "hostid", "diskinfo", "disklist",
    "fstyp", "dladm", "fwadm", "imgadm", "vmadm", "zonecfg", "reboot", "kstat", "swap", "dumpadm",
)  # fmt: skip
"""What SmartOS has and Linux has not, or has otherwise: all played by one program."""


class ZfsHost:
    """The machine. `loader` is what it is told at every start; `next_boot`, where given, counts once instead.

    `menu`: so many seconds the played loader's menu waits, from the second start on; None plays none. Its console is the
    socket `console` then. Without `network` it has no card.
    """

    def __init__(
        self, space: Path, tree: Tree, disks: Mapping[str, int] | int = 3, *, menu: float | None = None, network: bool = True, **settings: Any
    ) -> None:  # fmt: skip
        self.space, self.tree = space, tree
        self.menu, self.network = menu, network
        self.console_socket = space / "console"
        self.line = SerialLine(self.console_socket) if menu is not None else None
        if self.line is not None:
            settings = {"console": "root", **settings}
        self.loader: Mapping[str, str] = NORMAL
        self.next_boot: Mapping[str, str] | None = None
        self.port = _free_port()
        self.boots = 0
        self._numbers = count(1)
        self._lock = threading.RLock()
        self._closed = False
        self._agent: Lines | None = None
        self.shared = space / "shared"
        (self.shared / "bin").mkdir(parents=True)
        self._share({"hostname": "lab", "make": True, **settings})
        sizes = {f"vd{n}": SIZE for n in range(disks)} if isinstance(disks, int) else disks
        self.disks = [self._disk(name, size) for name, size in sizes.items()]
        self._process: subprocess.Popen[bytes] | None = None
        self._process = self._start()
        self._follower = threading.Thread(target=self._follow, daemon=True)
        self._follower.start()

    # ------------------------------------------------------------------ what it is

    def tell(self, **settings: Any) -> None:
        """What the next boot finds, for example `answers` on its key, or no more `make`."""
        file = self.shared / "settings.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **settings}))

    def _share(self, settings: dict[str, Any]) -> None:
        for name in ("boot.py",):
            shutil.copy(PLAYED / name, self.shared / name)
        shutil.copy(AGENT, self.shared / "agent.py")
        shutil.copy(LOGIN, self.shared / "login.py")
        begin = self.shared / "begin"
        begin.write_text("#!/bin/sh\nexec /usr/bin/python3 -u /mnt/boot.py\n")
        begin.chmod(0o755)
        played = self.shared / "bin" / "played"
        shutil.copy(PLAYED / "played.py", played)
        played.chmod(0o755)
        for name in COMMANDS:
            (self.shared / "bin" / name).symlink_to("played")
        key = self.space / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        shutil.copy(key.with_suffix(".pub"), self.shared / "authorized_keys")
        self.key = key
        (self.shared / "settings.json").write_text(json.dumps(settings))

    def _disk(self, name: str, size: int) -> Path:
        path = self.space / f"{name}.img"
        with path.open("wb") as file:
            file.truncate(size)
        return path

    # ------------------------------------------------------------------ its power

    def _start(self) -> subprocess.Popen[bytes] | None:
        boot: Mapping[str, str] | None = self.next_boot if self.next_boot is not None else self.loader
        waits = self.menu if self.boots and self.next_boot is None else 0.0
        self.next_boot = None
        if self.line is not None:
            boot = self.line.boot(dict(boot or {}), waits or 0.0)
            if boot is None:
                return self._process
        assert boot is not None
        self.boots += 1
        words = " ".join(f"{name}={value}" for name, value in boot.items())
        shared = "security_model=none,readonly=on,multidevs=remap"
        line = [
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            # With all that QEMU can imitate ("max"), a shell in it was once seen to end with a segmentation fault.
            "-accel", "tcg,thread=multi", "-cpu", "Nehalem", "-smp", "2", "-m", "1536",
            "-kernel", str(self.tree.kernel.vmlinuz), "-initrd", str(self.tree.kernel.initramfs),
            "-append", f"console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off lab_init=/lab-begin {words}",
            *self._serial(),
            "-fsdev", f"local,id=root,path={self.tree.root},{shared}", "-device", "virtio-9p-pci,fsdev=root,mount_tag=rootfs",
            "-fsdev", f"local,id=lab,path={self.shared},{shared}", "-device", "virtio-9p-pci,fsdev=lab,mount_tag=lab",
            "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=agent,path={self.space / 'agent'},server=on,wait=off",
            "-device", "virtserialport,chardev=agent,name=lab",
        ]  # fmt: skip
        if self.network:
            line += ["-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{self.port}-:22", "-device", "virtio-net-pci,netdev=net"]  # fmt: skip
        for number, path in enumerate(self.disks):
            line += ["-drive", f"if=none,id=d{number},file={path},format=raw,cache=unsafe",
                     "-device", f"virtio-blk-pci,drive=d{number},serial=LAB{number:04}"]  # fmt: skip
        with (self.space / "qemu.log").open("ab") as log:
            process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if self.line is not None:
            self.line.join(self.space / f"serial-{self.boots}")
        return process

    def _serial(self) -> list[str]:
        log = self.space / f"serial-{self.boots}.log"
        if self.line is None:
            return ["-serial", f"file:{log}"]
        place = self.space / f"serial-{self.boots}"
        return ["-chardev", f"socket,id=serial,path={place},server=on,wait=off,logfile={log}", "-serial", "chardev:serial"]  # fmt: skip

    def _follow(self) -> None:
        """Start it again whenever it restarted."""
        while not self._closed:
            with suppress(subprocess.TimeoutExpired):
                assert self._process is not None
                _ = self._process.wait(0.2)
                if not self._closed:
                    self._let_go()
                    self._process = self._start()

    def _let_go(self) -> None:
        agent, self._agent = self._agent, None
        if agent is not None:
            agent.close()

    def cut(self) -> None:
        """Pull the plug; it starts again by itself."""
        assert self._process is not None
        self._process.kill()

    def ready(self, seconds: float = 180) -> ZfsHost:
        """Wait until it is up after the newest boot. Raises AssertionError with its console's end."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with self._lock, suppress(OSError, TimeoutError, ConnectionError):
                if self._agent is None:
                    agent = Lines(self.space / "agent", 5)
                    with suppress(OSError, TimeoutError, ConnectionError):
                        if agent.receive(max(1.0, until - time.monotonic())).get("out") == "ready":
                            self._agent = agent
                    if self._agent is not agent:
                        agent.close()
                if self._agent is not None:
                    return self
            time.sleep(0.2)
        raise AssertionError(f"the machine did not come up: {self.console()[-3000:]}")

    def boot(self, boot: Mapping[str, str] | None = None) -> ZfsHost:
        """Restart it now, once with these parameters, and wait until it is up."""
        before = self.boots
        self.next_boot = boot
        self.cut()
        return self.booted(before)

    def booted(self, before: int, seconds: float = 180) -> ZfsHost:
        """Wait until it has started more often than `before`, and is up."""
        until = time.monotonic() + seconds
        while self.boots <= before:
            assert time.monotonic() < until, "it did not restart"
            time.sleep(0.1)
        return self.ready(seconds)

    def console(self) -> str:
        """What it said since the newest start."""
        file = self.space / f"serial-{self.boots}.log"
        return file.read_text(errors="replace") if file.exists() else ""

    # ------------------------------------------------------------------ looking into it, beside ssh

    def run(self, *argv: str, seconds: float = 60) -> Outcome:
        """Run a program in it to its end, not by ssh."""
        with self._lock:
            assert self._agent is not None, "ready() first"
            number = next(self._numbers)
            self._agent.send({"id": number, "op": "run", "argv": list(argv), "seconds": seconds})
            while True:
                answer = self._agent.receive(seconds + 30)
                if answer["id"] == number:
                    return Outcome(answer["code"], answer["out"], answer["err"])

    def sh(self, script: str, seconds: float = 60) -> str:
        """What a script prints; fails where the script does."""
        done = self.run("/bin/sh", "-ec", script, seconds=seconds)
        assert done.code == 0, done.told()
        return done.stdout

    def close(self) -> None:
        """Power off, and stay off."""
        self._closed = True
        if self.line is not None:
            self.line.close()
        self._follower.join(5)
        self._let_go()
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
