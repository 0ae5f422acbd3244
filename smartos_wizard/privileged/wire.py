"""The second small program that runs as root: asks who gives addresses on a wire, and keeps dnsmasq for one evening.

Started by sudo or doas as `python -I wire.py`, standard library of Python 3.9 only. One JSON line on standard input
says what to do, and it answers in JSON lines on standard output. With `wire.py SOCKET` it calls the program at that
socket instead, after it has made sure that it is the caller's own, and leaves the terminal it was started from. It makes
dnsmasq's settings itself from a few checked values, gives them over a pipe, and ends dnsmasq when its standard input
closes: no file is written, no process is left.
Facts: RFC 2131 and 2132 (DHCP), RFC 4578 (PXE's architecture), dnsmasq(8).
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import pwd
import re
import secrets
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@-]{0,14}\Z")
URL = re.compile(r"http://[0-9.]+:[0-9]{1,5}/[A-Za-z0-9./_-]+\Z")
LOADER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
ARCHES = {"x86PC": 0, "X86-64_EFI": 9, "BC_EFI": 7}
"""dnsmasq's names for kinds of firmware, and DHCP's numbers."""
_IP = 0x0800
_COOKIE = b"\x63\x82\x53\x63"


def settings(asked: dict[str, Any]) -> list[str]:
    """dnsmasq's settings as lines, from checked values. Raises ValueError."""
    interface, url = str(asked["interface"]), str(asked["url"])
    network = ipaddress.IPv4Interface("{}/{}".format(asked["address"], asked["netmask"])).network
    if not INTERFACE.match(interface) or not URL.match(url):
        raise ValueError("interface or url")
    lines = [
        "port=0", "interface=" + interface, "bind-interfaces", "except-interface=lo", "no-hosts", "no-resolv",
        "log-dhcp", "dhcp-leasefile=/dev/null", "user=nobody", "dhcp-no-override",
    ]  # fmt: skip
    if asked.get("first"):
        first, last = ipaddress.IPv4Address(asked["first"]), ipaddress.IPv4Address(asked["last"])
        if first not in network or last not in network or first > last:
            raise ValueError("range")
        lines += [f"dhcp-range={first},{last},{network.netmask},1h", "dhcp-authoritative"]
    else:
        lines.append(f"dhcp-range={network.network_address},proxy,{network.netmask}")
    lines += ["dhcp-match=set:ipxe,175", "dhcp-userclass=set:ipxe,iPXE"]
    if asked.get("first"):
        lines.append("dhcp-boot=tag:ipxe," + url)
    else:  # without addresses dnsmasq speaks to PXE clients only, of which iPXE is one, and by services only
        lines += [f'pxe-service=tag:ipxe,{arch},"SmartOS",{url}' for arch in ARCHES]
    lines += loader_lines(asked, bool(asked.get("first")))
    return lines


def loader_lines(asked: dict[str, Any], gives_addresses: bool) -> list[str]:
    """The lines that give iPXE by TFTP to machines whose firmware is not iPXE."""
    folder = str(asked.get("tftp") or "")
    if not folder:
        return []
    if not os.path.isabs(folder) or not folder.isprintable() or "," in folder:
        raise ValueError("tftp")
    lines = ["enable-tftp=" + str(asked["interface"]), "tftp-root=" + folder]
    for arch, name in (
        ("x86PC", asked.get("bios")),
        ("X86-64_EFI", asked.get("uefi")),
        ("BC_EFI", asked.get("uefi")),
    ):
        if not name:
            continue
        if not LOADER.match(str(name)):
            raise ValueError("loader")
        number = ARCHES[arch]
        if gives_addresses:
            tag = f"arch{number}"
            lines += [
                f"dhcp-match=set:{tag},option:client-arch,{number}",
                f"dhcp-boot=tag:!ipxe,tag:{tag},{name}",
            ]
        else:
            lines.append(f'pxe-service=tag:!ipxe,{arch},"SmartOS",{name}')
    return lines


def discover(mac: bytes, xid: int, arch: int) -> bytes:
    """A DHCPDISCOVER as a PXE firmware sends it, asking for an answer by broadcast."""
    head = struct.pack(">BBBBIHH", 1, 1, 6, 0, xid, 0, 0x8000) + bytes(16) + mac + bytes(10) + bytes(192)
    vendor = b"PXEClient:Arch:%05d:UNDI:002001" % arch
    options = b"\x35\x01\x01" + b"\x37\x06\x01\x03\x36\x42\x43\x3c" + bytes([60, len(vendor)]) + vendor
    options += b"\x5d\x02" + struct.pack(">H", arch) + b"\x5e\x03\x01\x02\x01" + b"\xff"
    return head + _COOKIE + options


def frame(mac: bytes, payload: bytes) -> bytes:
    """The same from port 68 to port 67, to everybody."""
    udp = struct.pack(">HHHH", 68, 67, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, bytes(4), b"\xff" * 4)
    total = sum(struct.unpack(">10H", ip))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    ip = ip[:10] + struct.pack(">H", total ^ 0xFFFF) + ip[12:]
    return b"\xff" * 6 + mac + struct.pack(">H", _IP) + ip + udp


def offer(data: bytes, xid: int) -> dict[str, Any] | None:
    """What an Ethernet frame offers in answer to `xid`; None where it is something else."""
    if len(data) < 282 or data[12:14] != b"\x08\x00" or data[23] != 17:
        return None
    ip = data[14:]
    udp = ip[(ip[0] & 15) * 4 :]
    dhcp = udp[8:]
    if udp[:4] != b"\x00\x43\x00\x44" or len(dhcp) < 240 or dhcp[0] != 2 or dhcp[236:240] != _COOKIE:
        return None
    if struct.unpack(">I", dhcp[4:8])[0] != xid:
        return None
    options: dict[int, bytes] = {}
    at = 240
    while at + 1 < len(dhcp) and dhcp[at] != 255:
        if dhcp[at] == 0:
            at += 1
            continue
        options[dhcp[at]] = dhcp[at + 2 : at + 2 + dhcp[at + 1]]
        at += 2 + dhcp[at + 1]
    server = options.get(54, ip[12:16])
    name = dhcp[108:236].split(b"\0")[0] or options.get(67, b"")
    return {
        "server": socket.inet_ntoa(server if len(server) == 4 else ip[12:16]),
        "mac": ":".join(f"{b:02x}" for b in data[6:12]),
        "offers": socket.inet_ntoa(dhcp[16:20]),
        "gives_addresses": dhcp[16:20] != bytes(4),
        "boots": bool(name) or options.get(60, b"").startswith(b"PXEClient"),
        "file": name.decode("ascii", "replace"),
    }


def probe(interface: str, seconds: float) -> list[dict[str, Any]]:
    """Every server that answers on the interface within the time. Raises OSError."""
    found: dict[tuple[str, bool], dict[str, Any]] = {}
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_IP)) as wire:
        wire.bind((interface, _IP))
        own = wire.getsockname()[4]
        mac = bytes([0x02]) + secrets.token_bytes(5)
        xid = secrets.randbits(32)
        until, again = time.monotonic() + seconds, 0.0
        while time.monotonic() < until:
            if time.monotonic() >= again:
                wire.send(frame(own, discover(mac, xid, 0)))
                again = time.monotonic() + 1.0
            if select.select([wire], [], [], min(0.2, max(0.0, until - time.monotonic())))[0]:
                answer = offer(wire.recv(2048), xid)
                if answer is not None:
                    found.setdefault((answer["server"], answer["gives_addresses"]), answer)
    return list(found.values())


def say(**what: Any) -> None:
    """One line to whoever started this."""
    print(json.dumps(what), flush=True)


def owned_by_root(path: str) -> bool:
    """Whether nobody but root can change the program."""
    real = os.path.realpath(path)
    while True:
        info = os.stat(real)
        if info.st_uid != 0 or info.st_mode & 0o022:
            return False
        if real == "/":
            return True
        real = os.path.dirname(real)


def keep(asked: dict[str, Any]) -> int:
    """Run dnsmasq until standard input closes or it ends; return its exit code."""
    program = str(asked["dnsmasq"])
    if not owned_by_root(program):
        say(event="failed", reason="not-roots", program=program)
        return 1
    words = [program, "--keep-in-foreground", "--log-facility=-", "--pid-file=", "--conf-file=-"]
    text = "\n".join(settings(asked)) + "\n"
    child = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
    )  # fmt: skip
    assert child.stdin is not None and child.stderr is not None
    child.stdin.write(text.encode())
    child.stdin.close()
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    say(event="started", pid=child.pid)

    def wait_for_the_end() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        child.terminate()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    for line in child.stderr:
        with contextlib.suppress(BrokenPipeError):
            say(event="log", line=line.decode("utf-8", "replace").rstrip())
    code = child.wait()
    say(event="ended", code=code)
    return 0


def request() -> dict[str, Any]:
    """The next line on standard input as an object; empty at its end. Read byte by byte: no buffer holds more back."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return {}
        line += byte
    found: dict[str, Any] = json.loads(line)
    return found


def call(path: str, environ: Mapping[str, str]) -> socket.socket:
    """The connection to the program, proven to belong to the user who called this. Raises PermissionError, OSError."""
    callers = {int(environ[key]) for key in ("SUDO_UID", "PKEXEC_UID") if environ.get(key)}
    if environ.get("DOAS_USER"):
        callers.add(pwd.getpwnam(environ["DOAS_USER"]).pw_uid)
    here, above = os.lstat(path), os.lstat(os.path.dirname(os.path.abspath(path)))
    callers = callers or {here.st_uid}  # called by root itself: the socket's owner says whom it is for
    caller = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    if not above.st_mode & 0o77 and callers == {here.st_uid} == {above.st_uid}:
        caller.connect(path)
        peer = struct.unpack("3i", caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1]
        if callers == {peer}:
            return caller
    caller.close()
    raise PermissionError(path + " does not belong to the user who asked.")


def leave_terminal(caller: socket.socket) -> None:
    """Go on in a session of its own, with the caller in the place of standard input and output; sudo returns at once."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.dup2(caller.fileno(), 0)
    os.dup2(caller.fileno(), 1)
    os.dup2(os.open(os.devnull, os.O_RDWR), 2)
    caller.close()


def main(words: list[str]) -> int:
    """Answer requests until one keeps dnsmasq, or the input ends."""
    if words:
        try:
            leave_terminal(call(words[0], os.environ))
        except (OSError, ValueError, KeyError) as error:
            print(error, file=sys.stderr)
            return 1
    for name in (signal.SIGINT, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        asked = request()
        if not asked:
            return 0
        try:
            if asked["do"] == "hello":
                say(event="hello")
            elif asked["do"] == "probe":
                if not INTERFACE.match(str(asked["interface"])):
                    raise ValueError("interface")
                for each in probe(str(asked["interface"]), min(30.0, float(asked["seconds"]))):
                    say(event="server", **each)
                say(event="probed")
            elif asked["do"] == "keep":
                return keep(asked)
        except (OSError, ValueError, KeyError) as error:
            say(event="failed", reason=type(error).__name__, text=str(error))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
