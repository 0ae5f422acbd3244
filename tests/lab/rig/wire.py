"""A guest's network card played by hand: frames to and from the network that QEMU gives it, with no machine behind."""

from __future__ import annotations

import contextlib
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address

MINE, ME, GATEWAY = bytes.fromhex("525400112233"), IPv4Address("10.0.2.15"), IPv4Address("10.0.2.2")
SYN, ACK = 2, 16


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Wire:
    """One end of a card's wire. `process` is the QEMU that has the other one."""

    def __init__(self, line: socket.socket, process: subprocess.Popen[bytes]) -> None:
        self._line, self.process, self._rest = line, process, b""
        self.gateway = bytes(6)

    def send(self, to: bytes, kind: int, data: bytes) -> None:
        """A frame."""
        frame = (to + MINE + struct.pack("!H", kind) + data).ljust(60, b"\0")
        self._line.sendall(struct.pack("!I", len(frame)) + frame)

    def wait(self, wanted: Callable[[bytes], bool], seconds: float) -> bytes | None:
        """The first frame that is wanted, None where none came in time. Who asks for our address is told."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._line.settimeout(left)
            with contextlib.suppress(TimeoutError):
                self._rest += self._line.recv(65536)
            while len(self._rest) >= 4 and len(self._rest) >= 4 + (
                size := int.from_bytes(self._rest[:4], "big")
            ):
                frame, self._rest = self._rest[4 : 4 + size], self._rest[4 + size :]
                if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\1" and frame[38:42] == ME.packed:
                    self.arp(2, frame[22:28], IPv4Address(frame[28:32]))
                if wanted(frame):
                    return frame
        return None

    def arp(self, act: int, to: bytes, address: IPv4Address) -> None:
        """Ask who has an address (1), or answer who asked (2)."""
        whom = to if act == 2 else bytes(6)
        body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, act) + MINE + ME.packed + whom + address.packed
        self.send(to if act == 2 else b"\xff" * 6, 0x0806, body)

    def find_gateway(self) -> bool:
        """Whether anybody answers at 10.0.2.2; its hardware address is known then."""
        self.arp(1, b"", GATEWAY)
        frame = self.wait(lambda f: f[12:14] == b"\x08\x06" and f[20:22] == b"\0\2", 5)
        self.gateway = frame[22:28] if frame else bytes(6)
        return frame is not None

    def knock(self, address: IPv4Address, port: int, seconds: float) -> bool:
        """Whether a TCP connection to there would be accepted, as a guest sees it."""
        mine = 40000 + port % 20000
        head = struct.pack("!HHIIBBHHH", mine, port, 7, 0, 5 << 4, SYN, 8192, 0, 0)
        pseudo = ME.packed + address.packed + struct.pack("!BBH", 0, 6, len(head))
        head = head[:16] + struct.pack("!H", checksum(pseudo + head)) + head[18:]
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(head), 1, 0, 64, 6, 0, ME.packed, address.packed)
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        self.send(self.gateway, 0x0800, ip + head)
        answer = self.wait(lambda f: is_tcp(f, port, mine), seconds)
        return answer is not None and answer[47] == SYN | ACK


def is_tcp(frame: bytes, source: int, target: int) -> bool:
    """Whether a frame is TCP from one port to another; 0 is any."""
    if frame[12:14] != b"\x08\x00" or frame[23] != 6:
        return False
    ports = struct.unpack("!HH", frame[34:38])
    return source in (0, ports[0]) and target in (0, ports[1])


@contextlib.contextmanager
def wire(netdev: str) -> Iterator[Wire]:
    """The other end of the network that `-netdev` describes; its id must be net0."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        line = [
            "qemu-system-x86_64", "-machine", "none", "-nodefaults", "-display", "none", "-netdev", netdev,
            "-netdev", "hubport,id=h0,hubid=0,netdev=net0", "-netdev", f"socket,id=s0,connect=127.0.0.1:{port}",
            "-netdev", "hubport,id=h1,hubid=0,netdev=s0",
        ]  # fmt: skip
        process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            server.settimeout(20)
            end, _address = server.accept()
            with end:
                yield Wire(end, process)
        finally:
            process.kill()
            process.communicate()
