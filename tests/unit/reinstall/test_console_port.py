"""A serial console by a socket or a port: nothing is lost, nothing grows without end, and a lost one is told."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from smartos_wizard.core.errors import DeviceLost, NetworkFailed, Refused, UsageProblem
from smartos_wizard.core.paths import below
from smartos_wizard.guests.planning import plan_start
from smartos_wizard.reinstall.console_port import BOUND, RECENT, SocketConsole, open_console, place_of
from smartos_wizard.reinstall.console_reading import Reader, Seen, look
from smartos_wizard.world import World, practice_world
from tests.unit.guests.parts import Place, plan_of


@pytest.fixture
def pair() -> Iterator[tuple[SocketConsole, socket.socket]]:
    here, there = socket.socketpair()
    console = SocketConsole(here, "kestrel")
    with there:
        yield console, there
        console.close()


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("/run/serial.sock", Path("/run/serial.sock")),
        ("./serial", Path("./serial")),
        ("192.0.2.10:7001", ("192.0.2.10", 7001)),
        ("[2001:db8::1]:7001", ("2001:db8::1", 7001)),
        ("term-server:23", ("term-server", 23)),
    ],
)
def test_a_place_is_a_path_or_a_host_with_its_port(where: str, place: object) -> None:
    assert place_of(where) == place


@pytest.mark.parametrize(
    "where",
    [
        "",
        "kestrel",
        "kestrel:",
        ":23",
        "kestrel:0",
        "kestrel:99999",
        "a b:23",
        "x\0/y",
        "2001:db8::1:7001",
        "host:٣",
    ],
)
def test_nonsense_is_no_place(where: str) -> None:
    with pytest.raises(UsageProblem) as raised:
        place_of(where)
    assert raised.value.reference == "bad-console"


def test_a_console_that_is_not_there_is_told(tmp_path: Path) -> None:
    for where in (str(tmp_path / "none"), str(tmp_path / ("x" * 200)), "127.0.0.1:1"):
        with pytest.raises(NetworkFailed) as raised:
            open_console(where)
        assert raised.value.reference == "console-unreachable"


def test_both_kinds_of_place_carry_bytes(tmp_path: Path) -> None:
    for family, place in ((socket.AF_UNIX, str(tmp_path / "serial")), (socket.AF_INET, ("127.0.0.1", 0))):
        with socket.socket(family) as door:
            door.bind(place)
            door.listen()
            at = door.getsockname()
            console = open_console(at if isinstance(at, str) else f"{at[0]}:{at[1]}")
            there, _ = door.accept()
            with there:
                there.sendall(b"login: ")
                assert console.read(5) == b"login: "
                console.send(b"root\r")
                assert there.recv(100) == b"root\r"
                console.close()


def test_reading_waits_no_longer_than_asked_and_gives_what_came(
    pair: tuple[SocketConsole, socket.socket],
) -> None:
    console, there = pair
    began = time.monotonic()
    assert console.read(0.2) == b""
    assert 0.15 < time.monotonic() - began < 5
    threading.Timer(0.1, there.sendall, (b"now",)).start()
    assert console.read(5) == b"now"


def test_what_is_put_back_comes_first(pair: tuple[SocketConsole, socket.socket]) -> None:
    console, there = pair
    there.sendall(b"two")
    time.sleep(0.1)
    console.put_back(b"one ")
    assert console.read(1) == b"one two"


def test_a_flood_is_bounded_and_the_machine_never_held_up(pair: tuple[SocketConsole, socket.socket]) -> None:
    console, there = pair
    there.settimeout(20)
    for number in range(64):
        there.sendall(bytes([number]) * 65536)
    there.sendall(b"the end")
    until = time.monotonic() + 10
    while not console.recent.endswith(b"the end") and time.monotonic() < until:
        time.sleep(0.02)
    said = console.read(1)
    assert said.endswith(b"the end")
    assert len(said) == BOUND
    assert console.left_out == 64 * 65536 + 7 - BOUND
    assert len(console.recent) == RECENT


def test_all_that_was_said_is_read_before_the_end_is_told(pair: tuple[SocketConsole, socket.socket]) -> None:
    console, there = pair
    there.sendall(b"last words")
    there.close()
    until = time.monotonic() + 5
    while console.alive and time.monotonic() < until:
        time.sleep(0.02)
    assert console.read(1) == b"last words"
    for _ in range(2):
        with pytest.raises(DeviceLost) as raised:
            console.read(1)
        assert raised.value.reference == "console-lost"
    with pytest.raises(DeviceLost):
        console.send(b"x" * 100_000)


def test_a_machine_that_takes_nothing_is_told(
    pair: tuple[SocketConsole, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    from smartos_wizard.reinstall import console_port

    monkeypatch.setattr(console_port, "_WRITE", 0.3)
    with pytest.raises(DeviceLost) as raised:
        pair[0].send(b"x" * (8 << 20))
    assert raised.value.reference == "console-lost"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("smartos_wizard.world.user_paths", lambda: below(tmp_path))
    made = practice_world()
    yield made
    made.close()


def test_the_world_keeps_a_console_open_and_opens_one_that_was_lost_again(
    world: World, tmp_path: Path
) -> None:
    world.practice = False
    place = str(tmp_path / "serial")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(place)
        door.listen()
        first = world.console(place)
        there, _ = door.accept()
        assert world.console(place) is first
        there.close()
        until = time.monotonic() + 5
        while world.consoles[place].alive and time.monotonic() < until:
            time.sleep(0.02)
        assert world.console(place) is not first


def test_the_console_of_a_guest_is_found_by_its_name_with_what_it_said_before(world: World) -> None:
    place = Place(world.paths)
    place.run(plan_of(place, place.spec()))
    guest = place.guests.find("lab")
    world.practice, world.drivers = False, tuple(place.drivers)
    with pytest.raises(NetworkFailed) as raised:
        world.console("guest:lab")  # it is off
    assert raised.value.reference == "console-unreachable"
    place.run(plan_start(guest))
    assert guest.console.log is not None
    with guest.console.log.open("ab") as log:
        log.write(b"\r\nSunOS Release 5.11\r\nlab login: ")
    console = world.console("guest:lab")
    assert console.name == "guest:lab"
    assert console.recent.endswith(b"lab login: ")
    assert look(Reader(console), 2) is Seen.LOGIN
    console.send(b"root\r")
    reader = Reader(console)
    assert reader.find(re.compile("make-believe|build:"), 5)
    console.send(b"poweroff\r")
    with pytest.raises(DeviceLost):
        reader.until(lambda: False, 20)


def test_a_guest_that_is_not_there_has_no_console(world: World) -> None:
    world.practice = False
    with pytest.raises(Refused) as raised:
        world.console("guest:nobody")
    assert raised.value.reference == "no-such-guest"
