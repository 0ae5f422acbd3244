"""A wire of its own: namespaces joined by a bridge, and machines in QEMU with their real iPXE ROM on it.

Nothing of it is in this machine's network: server, machines and a foreign DHCP server live in namespaces of the rig
and are joined by veth pairs to a bridge in one of them. Everything goes with the namespaces.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smartos_wizard.media.machine import PROGRAM, Qmp
from tests.lab.rig import parts, probe
from tests.lab.rig.command import Running, argv, run

SERVER, FOREIGN = "10.77.0.1", "10.77.0.254"
INTERFACE = "wire0"
PATIENCE = 150.0
"""Seconds for what takes some on a machine with nothing else to do."""
STAMPS = ("20260903T001557Z", "20260806T000411Z")
ROMS = {"virtio-net-pci": "efi-virtio.rom", "e1000": "efi-e1000.rom"}


def need() -> None:
    """What the rig is made with."""
    parts.need_root()
    parts.need_programs(["ip", "dnsmasq", PROGRAM, "gcc"])
    parts.need_files(["/dev/net/tun", "/usr/lib/ipxe/undionly.kpxe", "/usr/lib/ipxe/qemu/pxe-virtio.rom"])


def ip(*words: str) -> None:
    """One command of iproute2."""
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (words, done.stderr)


@dataclass
class Wire:
    """Names of the namespaces: `server` with the served interface, `machines` with the bridge, `foreign`."""

    name: str
    place: Path
    taps: int = 0
    stack: ExitStack = field(default_factory=ExitStack)

    @property
    def server(self) -> str:
        return f"{self.name}s"

    @property
    def machines(self) -> str:
        return f"{self.name}m"

    @property
    def foreign(self) -> str:
        return f"{self.name}f"

    def inside(self, namespace: str, *words: str) -> list[str]:
        """The command line that runs words in a namespace."""
        return ["ip", "netns", "exec", namespace, *words]

    def serve(self, home: Path, *words: str) -> Running:
        """The real command, serving; its events are JSON lines."""
        line = ["netboot", "serve", *words, "--interface", INTERFACE, "--json"]
        return Running(self.inside(self.server, *argv(*line)), home)

    @contextmanager
    def dhcp_server(self, *, addresses: bool = True) -> Iterator[subprocess.Popen[str]]:
        """A foreign DHCP server that knows nothing of booting; without `addresses` a router for IPv6 only."""
        words = ["dnsmasq", "--keep-in-foreground", "--port=0", "--no-hosts", "--no-resolv", "--bind-interfaces",
                 f"--interface={INTERFACE}", "--conf-file=/dev/null",
                 f"--dhcp-leasefile={self.place}/foreign.leases", "--pid-file=", "--log-facility=-", "--no-ping",
                 "--enable-ra", "--dhcp-range=fd77::,ra-only"]  # fmt: skip
        words += ["--dhcp-range=10.77.0.100,10.77.0.199,1h"] if addresses else []
        with subprocess.Popen(
            self.inside(self.foreign, *words), stderr=subprocess.PIPE, text=True, start_new_session=True
        ) as process:  # fmt: skip
            assert process.stderr is not None
            for line in process.stderr:
                if "IPv6 router advertisement enabled" in line:
                    break
            try:
                yield process
            finally:
                process.terminate()

    @contextmanager
    def hosts(self, count: int) -> Iterator[list[str]]:
        """Namespaces with an address each on the wire, as machines that only fetch."""
        names = [f"{self.name}h{number}" for number in range(count)]
        try:
            for number, name in enumerate(names):
                ip("netns", "add", name)
                ip(
                    "-n",
                    name,
                    "link",
                    "add",
                    "eth0",
                    "type",
                    "veth",
                    "peer",
                    "name",
                    f"host{number}",
                    "netns",
                    self.machines,
                )
                ip("-n", name, "addr", "add", f"10.77.0.{200 + number}/24", "dev", "eth0")
                ip("-n", name, "link", "set", "eth0", "up")
                ip("-n", self.machines, "link", "set", f"host{number}", "master", "br0", "up")
            yield names
        finally:
            for name in names:
                subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)

    def tap(self) -> str:
        """One more socket on the bridge, for a machine."""
        self.taps += 1
        name = f"tap{self.taps}"
        ip("-n", self.machines, "tuntap", "add", name, "mode", "tap")
        ip("-n", self.machines, "link", "set", name, "master", "br0", "up")
        return name


@contextmanager
def wire(place: Path) -> Iterator[Wire]:
    """A wire with this machine's server on it at SERVER, and a foreign place at FOREIGN."""
    need()
    _sweep()
    made = Wire(f"swl{os.getpid()}", place)
    try:
        for namespace in (made.server, made.machines, made.foreign):
            ip("netns", "add", namespace)
            ip("-n", namespace, "link", "set", "lo", "up")
        ip(
            "-n",
            made.machines,
            "link",
            "add",
            "br0",
            "type",
            "bridge",
            "stp_state",
            "0",
            "forward_delay",
            "0",
        )
        ip("-n", made.machines, "link", "set", "br0", "up")
        for number, (namespace, address) in enumerate(((made.server, SERVER), (made.foreign, FOREIGN))):
            ip(
                "-n",
                namespace,
                "link",
                "add",
                INTERFACE,
                "type",
                "veth",
                "peer",
                "name",
                f"port{number}",
                "netns",
                made.machines,
            )
            ip("-n", namespace, "addr", "add", f"{address}/24", "dev", INTERFACE)
            ip("-n", namespace, "link", "set", INTERFACE, "up")
            ip("-n", made.machines, "link", "set", f"port{number}", "master", "br0", "up")
        # A router that answers at once: without one iPXE waits 16 seconds for IPv6.
        ip("-n", made.foreign, "addr", "add", "fd77::fe/64", "dev", INTERFACE, "nodad")
        yield made
    finally:
        _remove(made.name)


def _remove(name: str) -> None:
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=False).stdout
    for namespace in re.findall(rf"^({name}(?:[smf]|h\d+))\b", listed, re.MULTILINE):
        done = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True, check=False)
        for pid in done.stdout.split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), 9)
        subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)


def _sweep() -> None:
    """Remove the namespaces of sessions that are gone."""
    done = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=False)
    for name in set(re.findall(r"^(swl(\d+))(?:[smf]|h\d+)\b", done.stdout, re.MULTILINE)):
        if not Path(f"/proc/{name[1]}").exists():
            _remove(name[0])


class Machine:
    """A computer that boots from the network, in QEMU. Use as a context manager."""

    def __init__(
        self, wire_: Wire, mac: str, *, rom: bool = True, uefi: bool = False, card: str = "virtio-net-pci", memory: int = 256
    ) -> None:  # fmt: skip
        self.mac = mac
        self.place = wire_.place / mac.replace(":", "")
        self.place.mkdir(exist_ok=True)
        self._log, self._qmp = self.place / "com1", None
        self._log.write_bytes(b"")
        words = [PROGRAM, "-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35,accel=tcg",
                 "-m", str(memory), "-vga", "std", "-no-reboot", "-serial", f"file:{self._log}", *probe.EXIT_DEVICE,
                 "-qmp", f"unix:{self.place}/qmp,server=on,wait=off",
                 "-netdev", f"tap,id=n,ifname={wire_.tap()},script=no,downscript=no",
                 "-device", f"{card},netdev=n,mac={mac},bootindex=0" + ("" if rom else ",romfile=")]  # fmt: skip
        if uefi:
            code, variables = "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"
            words += ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={code}"]
            words += ["-drive", f"if=pflash,format=raw,unit=1,snapshot=on,file={variables}"]
        with (self.place / "errors").open("wb") as errors:
            self._process = subprocess.Popen(
                wire_.inside(wire_.machines, *words), stdin=subprocess.DEVNULL, stderr=errors,
                env={**os.environ, "TMPDIR": str(self.place)},
            )  # fmt: skip

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_: object) -> None:
        if self._qmp is not None:
            self._qmp.close()
        self._process.kill()
        self._process.wait()

    @property
    def qmp(self) -> Any:
        if self._qmp is None:
            self._qmp = Qmp(self.place / "qmp")
        return self._qmp

    def screen(self) -> str:
        """The letters on its text screen."""
        picture = self.place / "screen"
        self.qmp.ask("pmemsave", val=0xB8000, size=4000, filename=str(picture))
        letters = picture.read_bytes()[::2].decode("cp437", "replace")
        return "\n".join(letters[i : i + 80].rstrip(" \0") for i in range(0, len(letters), 80))

    def await_screen(self, words: str, seconds: float = PATIENCE) -> str:
        """Its screen as soon as it shows the words."""
        until, shown = time.monotonic() + seconds, ""
        while time.monotonic() < until:
            shown = self.screen()
            if words in shown:
                return shown
            time.sleep(0.2)
        raise AssertionError(f"“{words}” never stood on the screen:\n{shown}")

    def keys(self, *names: str) -> None:
        """Press keys, one after the other."""
        for name in names:
            self.qmp.ask("send-key", keys=[{"type": "qcode", "data": name}])
            time.sleep(0.3)

    def type(self, words: str) -> None:
        """Type words."""
        named = {" ": "spc", "/": "slash", ".": "dot", "-": "minus", ":": "shift semicolon"}
        for letter in words:
            name = named.get(letter, f"shift {letter.lower()}" if letter.isupper() else letter)
            self.qmp.ask("send-key", keys=[{"type": "qcode", "data": key} for key in name.split()])
            time.sleep(0.12)

    def await_said(self, words: str, seconds: float = PATIENCE) -> str:
        """What came out of its serial port, as soon as the words are in it."""
        until, said = time.monotonic() + seconds, ""
        while time.monotonic() < until:
            said = self._log.read_text("latin-1")
            if words in said:
                return said
            time.sleep(0.5)
        raise AssertionError(f"“{words}” never came: {said[-3000:]!r}")

    def cut_off(self) -> None:
        """Switch it off without a word."""
        self.__exit__()

    def ended(self, seconds: float = PATIENCE) -> probe.Ran:
        """What the probe told, once it ended the machine."""
        try:
            code: int | None = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            shown = self.screen()
            raise AssertionError(
                f"nothing booted within {seconds} s:\n{shown}\n{self._log.read_text('latin-1')}"
            ) from None
        return probe.Ran(self._log.read_text("latin-1"), code)


def platform_tarball(
    place: Path, stamp: str, archive: bytes, kernel: Path, *, hash_line: str | None = None
) -> Path:
    """A platform tarball with the probe as its kernel, made by tar itself."""
    top = place / f"platform-{stamp}"
    (top / "i86pc/kernel/amd64").mkdir(parents=True)
    (top / "i86pc/amd64").mkdir()
    (top / "etc/version").mkdir(parents=True)
    (top / "i86pc/kernel/amd64/unix").write_bytes(kernel.read_bytes())
    (top / "i86pc/amd64/boot_archive").write_bytes(archive)
    sum_ = hashlib.sha1(archive, usedforsecurity=False).hexdigest() if hash_line is None else hash_line
    (top / "i86pc/amd64/boot_archive.hash").write_text(f"{sum_}\n")
    (top / "etc/version/platform").write_text(f"{stamp}\n")
    (top / "root.password").write_text("secret\n")
    path = place / f"platform-{stamp}.tgz"
    subprocess.run(["tar", "czf", path, "-C", place, top.name], check=True)
    return path


def built_tree(place: Path, home: Path, archive: bytes) -> Path:
    """A tree of one release in the new directory `place`, made by the real command."""
    need()
    place.mkdir()
    tarball = platform_tarball(place, STAMPS[0], archive, probe.build(place / "unix"))
    done = run(home, "netboot", "build", place / "tree", "--tarball", tarball, "--sha256", sha256(tarball))
    assert done.code == 0, done.told()
    return place / "tree"


def sha256(path: Path) -> str:
    """As --sha256 takes it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def events_of(running: Running) -> Sequence[dict[str, Any]]:
    """Everything a command said so far."""
    import json

    return [json.loads(line) for line in list(running._lines) if line.startswith("{")]
