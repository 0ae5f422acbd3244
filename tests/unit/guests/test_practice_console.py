"""The make-believe console: it answers as a machine would, and ends with its guest."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from smartos_wizard.core.paths import below
from smartos_wizard.guests.console_line import LOGIN, ConsoleLine, Way, console_of
from smartos_wizard.guests.model import State
from smartos_wizard.guests.planning import plan_start
from tests.unit.guests.parts import Place, plan_of


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "never came"
        time.sleep(0.01)


def test_one_logs_in_asks_for_help_and_switches_it_off(tmp_path: Path) -> None:
    place = Place(below(tmp_path))
    place.run(plan_of(place, place.spec()))
    guest = place.guests.find("lab")
    where = console_of(place, guest)
    assert where.socket is not None
    assert not where.socket.exists(), "it is off"
    place.run(plan_start(guest))
    console_of(place, guest)
    console_of(place, guest)  # once is enough
    assert [thread.name for thread in threading.enumerate()].count("practice-console") == 1
    line, said = ConsoleLine(where), bytearray()

    def answers(words: bytes) -> None:
        def there() -> bool:
            said.extend(line.take(8192))
            return words in said

        until(there)

    line.start()
    try:
        answers(b"lab login: ")
        until(lambda: line.state.way is Way.TWO_WAY and line.state.met == LOGIN)
        line.send(b"nobody\r")
        answers(b"Login incorrect\r\nlab login: ")
        line.send(b"rootx\x7f\r")
        answers(b"[root@lab ~]# ")
        line.send(b"help\r")
        answers(b"zpool list")
        line.send(b"rm -rf /\r")
        answers(b"rm: command not found")
        line.send(b"poweroff\r")
        until(lambda: line.state.way is Way.READ_ONLY)
    finally:
        line.close()
    assert place.drivers[0].inspect(guest).state is State.STOPPED
    until(lambda: "practice-console" not in [thread.name for thread in threading.enumerate()])
    assert not where.socket.exists()
