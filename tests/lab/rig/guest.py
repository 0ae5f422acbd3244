"""A small Linux machine with a real USB bus: QEMU, the host's file system read-only, keys plugged over QMP.

One machine serves many tests: a key is plugged, does its work or its fault, and is unplugged again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tests.lab.rig import parts
from tests.lab.rig.command import Outcome
from tests.lab.rig.kernel import Kernel
from tests.lab.rig.talk import Lines, Work

AGENT = Path(__file__).with_name("agent.py")


@dataclass(slots=True)
class Key:
    """A key on the guest's bus. `device` is its node in the guest."""

    guest: Guest
    name: str
    serial: str
    backing: Path
    nodes: tuple[str, ...]
    group: str = ""
    device: str = ""
    plugged: bool = True

    def unplug(self) -> None:
        """Pull it, whatever it is doing; the host's file stays."""
        if not self.plugged:
            return
        self.plugged = False
        self.guest.qmp("device_del", id=self.name)
        self.guest.wait_until(lambda: not self.guest.has_device(self.name), 15)
        for node in self.nodes:
            with suppress(RuntimeError):
                self.guest.qmp("blockdev-del", **{"node-name": node})
        if self.group:
            with suppress(RuntimeError):
                self.guest.qmp("object-del", id=self.group)

    def read(self, offset: int, size: int) -> bytes:
        """What lies on it."""
        with self.backing.open("rb") as file:
            file.seek(offset)
            return file.read(size)


class Guest:
    """The running machine."""

    def __init__(self, space: Path, kernel: Kernel) -> None:
        self.space = space
        self._numbers = count(1)
        self._keys: list[Key] = []
        self.home = ""
        self._process = self._start(kernel)
        self._qmp = Lines(space / "qmp")
        self._qmp.receive(10)
        self.qmp("qmp_capabilities")
        self._agent = Lines(space / "agent")
        self._lock = threading.Lock()
        self.booted = self._wait_ready()

    def _start(self, kernel: Kernel) -> subprocess.Popen[bytes]:
        shared = "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap"
        python = Path(sys.executable).resolve()
        setup = f"/usr/bin/python3 -I {AGENT} {parts.CHECKOUT} {python.parent.parent} {self.space}"
        script = self.space / "init.sh"
        script.write_text(f"#!/bin/sh\nexec {setup}\n")
        script.chmod(0o755)
        line = [
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "2048",
            "-kernel", str(kernel.vmlinuz), "-initrd", str(kernel.initramfs),
            "-append", f"console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off lab_init={script}",
            "-serial", f"file:{self.space / 'serial.log'}",
            "-fsdev", shared, "-device", "virtio-9p-pci,fsdev=root,mount_tag=rootfs",
            "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=agent,path={self.space / 'agent'},server=on,wait=off",
            "-device", "virtserialport,chardev=agent,name=lab",
            "-qmp", f"unix:{self.space / 'qmp'},server=on,wait=off",
            "-device", "qemu-xhci,id=usb,p2=8,p3=8",
        ]  # fmt: skip
        with (self.space / "qemu.log").open("wb") as log:
            return subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _wait_ready(self) -> float:
        begun = time.monotonic()
        while True:
            try:
                if self._agent.receive(1).get("out") == "ready":
                    return time.monotonic() - begun
            except TimeoutError:
                if self._process.poll() is None and time.monotonic() - begun < 400:
                    continue
                self._process.kill()
                words = (self.space / "serial.log").read_text(errors="replace")[-3000:]
                raise RuntimeError(f"the guest did not come up: {words}") from None

    def qmp(self, command: str, **arguments: Any) -> Any:
        """One QMP command; raises RuntimeError with QEMU's words."""
        self._qmp.send({"execute": command, "arguments": arguments})
        while True:
            answer = self._qmp.receive(30)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise RuntimeError(answer["error"]["desc"])

    def has_device(self, name: str) -> bool:
        """Whether QEMU still has a device of that id."""
        return any(item["name"] == name for item in self.qmp("qom-list", path="/machine/peripheral"))

    @staticmethod
    def wait_until(condition: Callable[[], bool], seconds: float) -> None:
        """Poll until it holds. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError("the guest does not follow")
            time.sleep(0.05)

    def ask(self, **request: Any) -> dict[str, Any]:
        """One question to the agent."""
        with self._lock:
            number = next(self._numbers)
            self._agent.send({"id": number, **request})
            while True:
                answer = self._agent.receive(float(request.get("seconds", 60)) + 30)
                if answer["id"] == number:
                    return answer

    def run(
        self, *argv: str, user: str = "root", seconds: float = 60, env: Mapping[str, str] | None = None
    ) -> Outcome:
        """Run a program to its end."""
        answer = self.ask(op="run", argv=list(argv), user=user, seconds=seconds, env=dict(env or {}))
        return Outcome(answer["code"], answer["out"], answer["err"])

    def wizard(self, *words: str | Path, user: str = "tess", seconds: float = 120) -> Outcome:
        """Run the command of this checkout as an ordinary user."""
        answer = self.ask(op="run", seconds=seconds, **self._wizard(words, user))
        return Outcome(answer["code"], answer["out"], answer["err"])

    def start_wizard(self, *words: str | Path, user: str = "tess") -> Work:
        """The same, without waiting for the end."""
        answer = self.ask(op="start", **self._wizard(words, user))
        assert answer["code"] == 0, answer["err"]
        return Work(self, int(answer["out"]))

    def _wizard(self, words: tuple[str | Path, ...], user: str) -> dict[str, Any]:
        argv = [sys.executable, "-m", "smartos_wizard", *(str(word) for word in words)]
        return {"argv": argv, "user": user, "env": self.environment}

    @property
    def environment(self) -> dict[str, str]:
        """What the program is told: where the checkout and its own directories are."""
        return {
            "PYTHONPATH": str(parts.CHECKOUT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "SMARTOS_WIZARD_HOME": self.home,
        }

    def fresh_home(self) -> None:
        """New directories for the program's state: a test knows nothing of the one before."""
        self.home = f"/home/tess/wizard{next(self._numbers)}"
        self.run("install", "-d", "-o", "tess", "-m", "700", self.home)

    def plug(
        self,
        backing: Path,
        serial: str,
        *,
        read_only: bool = False,
        write_error_at: int | None = None,
        rate: int = 0,
        wait: bool = True,
    ) -> Key:
        """Put a key into the bus and, with `wait`, return when the guest has its device node."""
        number = next(self._numbers)
        top: dict[str, Any] = {
            "driver": "file", "node-name": f"f{number}", "filename": str(backing), "read-only": read_only,
        }  # fmt: skip
        nodes = [f"f{number}"]
        self.qmp("blockdev-add", **top)
        if write_error_at is not None:
            nodes.insert(0, f"d{number}")
            rule = {"event": "none", "iotype": "write", "errno": 5, "sector": write_error_at // 512}
            self.qmp("blockdev-add", **{"driver": "blkdebug", "node-name": nodes[0], "image": nodes[1],
                                        "inject-error": [rule]})  # fmt: skip
        group = f"g{number}" if rate else ""
        if rate:
            self.qmp("object-add", **{"qom-type": "throttle-group", "id": group,
                                      "limits": {"bps-write": rate, "bps-read": rate}})  # fmt: skip
            nodes.insert(0, f"t{number}")
            self.qmp("blockdev-add", **{"driver": "throttle", "node-name": nodes[0], "throttle-group": group,
                                        "file": nodes[1]})  # fmt: skip
        key = Key(self, f"k{number}", serial, backing, tuple(nodes), group)
        before = self.disks()
        self.qmp("device_add", driver="usb-storage", id=key.name, drive=nodes[0], removable=True, serial=serial,
                 bus="usb.0")  # fmt: skip
        self._keys.append(key)
        if wait:
            self.wait_until(lambda: bool(self.disks() - before), 30)
            key.device = f"/dev/{(self.disks() - before).pop()}"
            self.wait_until(lambda: self.run("test", "-b", key.device).code == 0, 10)
        return key

    def disks(self) -> set[str]:
        """The SCSI disks the guest has now and whose size it knows."""
        script = 'for d in /sys/block/sd*; do [ -e "$d/size" ] && echo "${d##*/} $(cat $d/size)"; done'
        lines = self.run("sh", "-c", script).stdout.splitlines()
        return {line.split()[0] for line in lines if line.split()[1:] not in ([], ["0"])}

    def unplug_all(self) -> None:
        """Pull every key; the bus is empty for the next test."""
        for key in self._keys:
            key.unplug()
        self._keys.clear()
        self.wait_until(lambda: not self.disks(), 30)

    def close(self) -> None:
        """Power off."""
        for lines in (self._agent, self._qmp):
            lines.close()
        self._process.kill()
        self._process.wait()


@contextmanager
def running(space: Path, kernel: Kernel) -> Iterator[Guest]:
    """The guest, for as long as the block lasts."""
    below = space / f"g{os.getpid() % 1000}"
    below.mkdir(mode=0o755, exist_ok=True)
    guest = Guest(below, kernel)
    try:
        yield guest
    finally:
        guest.close()
