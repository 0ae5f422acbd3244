"""What a guest reaches through the network that QEMU gives it: proven with frames, from a card that is played by hand."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import psutil
import pytest

from smartos_wizard.guests.building import Wish, build
from smartos_wizard.guests.model import BootKind, BootMedium, Guest, Sandbox
from smartos_wizard.guests.qemu import words
from smartos_wizard.guests.qemu.driver import QemuDriver
from smartos_wizard.guests.qemu.probe import Engine
from tests.lab.rig import parts
from tests.lab.rig.qemuguests import listening
from tests.lab.rig.wire import GATEWAY, ME, Wire, is_tcp, wire
from tests.unit.guests.parts import Place

pytestmark = pytest.mark.lab


def netdev(home: Path, sandbox: Sandbox) -> str:
    """What the driver writes for the first card."""
    from smartos_wizard.core.paths import below

    paths = below(home)
    place = Place(paths, drivers=(QemuDriver(paths),))
    spec = build(
        Wish("lab", BootMedium(BootKind.ISO, "/x.iso"), sandbox=sandbox, inner=("between",)), place.drivers[0], place
    )  # fmt: skip
    line = words.words_of(Guest(spec, home, home), "qemu-system-x86_64", Engine("tcg", "qemu64"))
    return next(word for word in line if word.startswith("user,id=net0"))


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A service of this machine that listens on all its addresses."""
    parts.need_programs(["qemu-system-x86_64"])
    with socket.create_server(("0.0.0.0", 0)) as listening:
        listening.settimeout(3)
        yield listening


def outside() -> IPv4Address | None:
    """An address of this machine that is not its loopback: the next best to somebody else's machine."""
    for cards in psutil.net_if_addrs().values():
        for card in cards:
            if card.family is socket.AF_INET and not IPv4Address(card.address).is_loopback:
                return IPv4Address(card.address)
    return None


def reached(line: Wire, server: socket.socket, address: IPv4Address) -> bool:
    """Whether a service is reached from the guest: its answer arrives, and it has seen somebody."""
    answered = line.knock(address, server.getsockname()[1], 3)
    try:
        server.accept()[0].close()
    except TimeoutError:
        return False
    return answered


def let_in(line: Wire) -> bool:
    """Whether ssh from this machine knocks at the guest's port 22, by the port QEMU chose on loopback."""
    ((address, port),) = listening(line.process.pid)
    assert address == "0100007F"
    with socket.create_connection(("127.0.0.1", port), 5):
        return line.wait(lambda frame: is_tcp(frame, 0, 22) and frame[30:34] == ME.packed, 5) is not None


@pytest.mark.parametrize("sandbox", [Sandbox.SEALED, Sandbox.LAB])
def test_a_sealed_guest_reaches_nothing_and_is_reached_by_ssh(
    home: Path, server: socket.socket, sandbox: Sandbox
) -> None:
    asked = netdev(home, sandbox)
    out = sandbox is Sandbox.LAB  # the same card with the other sandbox: what is not seen above can be seen
    with wire(asked) as line:
        assert line.find_gateway()
        assert reached(line, server, GATEWAY) == out, "this machine's own services, as is said of QEMU"
        other = outside()
        if other is not None:
            assert reached(line, server, other) == out
        assert let_in(line)
