"""The console pane with a real socket and a real log at the other end."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from smartos_wizard.screens.guest_console import GuestConsole
from smartos_wizard.screens.widgets.terminal import Terminal
from tests.screens.conftest import on, text_grid, text_of, until, wizard
from tests.screens.guest_parts import make
from tests.unit.guests.other_end import OtherEnd


@asynccontextmanager
async def console(world: Any, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Any, Any, OtherEnd]]:
    """The pane joined to a guest that said something before."""
    guest = make(world, "lab")
    end = OtherEnd(guest.folder, where=guest.console)
    end.say(b"said before\r\n")
    try:
        async with wizard(world, size) as (app, pilot):
            app.show(GuestConsole("lab"))
            await until(pilot, lambda: app.screen.takes_keys, "the line")
            end.accept()
            yield app, pilot, end
            app.show_guests()  # lets go of the line
            await until(pilot, on(app, "Guests"))
    finally:
        end.off()


async def heard(pilot: Any, end: OtherEnd, count: int) -> bytes:
    """That many bytes, once they are there; the screen works meanwhile."""
    line, found = end.line, b""
    assert line is not None

    def there() -> bool:
        nonlocal found
        with contextlib.suppress(BlockingIOError):
            found += line.recv(1000)
        return len(found) >= count

    line.setblocking(False)
    await until(pilot, there, f"{count} bytes typed")
    line.settimeout(5)
    return found


async def test_it_shows_what_was_said_and_is_said(world: Any) -> None:
    async with console(world) as (app, pilot, end):
        end.say(b"\x1b[1;32mnow\x1b[0m and\x1b[5;10Hhere\r\n")
        await until(pilot, lambda: "here" in text_grid(app))
        lines = text_grid(app).splitlines()
        assert lines[2] == "said before"
        assert lines[3] == "now and"
        assert lines[6] == "         here"


async def test_every_key_is_the_guests_but_the_wizards_own(world: Any) -> None:
    async with console(world) as (app, pilot, end):
        keys = (
            "r",
            "s",
            "space",
            "enter",
            "escape",
            "tab",
            "ctrl+c",
            "ctrl+q",
            "ctrl+t",
            "ctrl+p",
            "up",
            "backspace",
            "f12",
            "question_mark",
        )
        await pilot.press(*keys)
        wanted = b"rs \r\x1b\t\x03\x11\x14\x10\x1b[A\x7f\x1b[24~?"
        assert await heard(pilot, end, len(wanted)) == wanted
        end.say(b"\x1b[?1h")  # cursor keys as an application wants them
        await pilot.pause(0.3)
        await pilot.press("up")
        assert await heard(pilot, end, 3) == b"\x1bOA"
        assert on(app, "GuestConsole")()
        assert app.is_running
        await pilot.press("f1")
        await until(pilot, on(app, "Helping"))
        await pilot.press("escape")
        await until(pilot, on(app, "GuestConsole"))
        await pilot.press("ctrl+right_square_bracket")
        await until(pilot, on(app, "Guests"))


async def test_pasted_words_are_typed(world: Any) -> None:
    from textual.events import Paste

    async with console(world) as (app, pilot, end):
        app.screen.query_one("#console").post_message(Paste("zpool list\nuptime\x1b[31m"))
        assert await heard(pilot, end, 20) == b"zpool list\ruptime[31m"


async def test_what_the_guest_asks_of_its_terminal_is_answered(world: Any) -> None:
    async with console(world) as (app, pilot, end):
        await until(pilot, lambda: "said before" in text_grid(app))
        await pilot.pause(0.2)
        end.say(b"\x1b[3;7H\x1b[6n")
        await pilot.pause(0.3)
        assert await heard(pilot, end, 6) == b"\x1b[3;7R"


async def test_a_login_offers_ssh(world: Any) -> None:
    async with console(world) as (app, pilot, end):
        app.desk.guests.ssh = lambda _guest: "ssh -p 2222 root@127.0.0.1"
        end.say(b"SmartOS Setup\r\n")
        await until(pilot, lambda: "setup questions" in text_of(app, "#console-state"))
        end.say(b"lab console login: ")
        await until(pilot, lambda: "ssh -p 2222" in text_of(app, "#console-state"))
        await pilot.press("f2")
        await until(pilot, lambda: on(app, "Asking")() and "guest ssh lab" in text_grid(app))
        await pilot.press("enter")


async def test_it_is_read_only_once_the_guest_is_off_and_says_so(world: Any) -> None:
    async with console(world) as (app, pilot, end):
        await until(pilot, lambda: "said before" in text_grid(app))
        end.off()
        await until(pilot, lambda: "read-only" in text_of(app, "#console-state"))
        assert "Start it" in text_grid(app)
        await pilot.press("x")
        assert on(app, "GuestConsole")()
        await pilot.press("escape")
        await until(pilot, on(app, "Guests"))


async def test_one_that_never_ran_has_said_nothing(world: Any) -> None:
    make(world, "lab")
    async with wizard(world) as (app, pilot):
        app.show(GuestConsole("lab"))
        await until(
            pilot, lambda: on(app, "GuestConsole")() and "It is off. It said nothing yet." in text_grid(app)
        )


async def test_all_it_said_is_walked_through(world: Any) -> None:
    async with console(world) as (app, pilot, end):
        end.say(b"".join(b"\x1b[33mline %d\x1b[0m\r\n" % n for n in range(1, 301)))
        await until(pilot, lambda: "line 300" in text_grid(app))
        assert "line 200\n" not in text_grid(app)
        await pilot.press("f3")
        await until(pilot, lambda: on(app, "ConsoleLog")() and "line 300" in text_grid(app))
        await pilot.press("home")
        await until(pilot, lambda: "said before" in text_grid(app), "the beginning")
        await pilot.press("escape")
        await until(pilot, on(app, "GuestConsole"))


async def test_a_burst_keeps_the_screen_alive(world: Any) -> None:
    async with console(world) as (app, pilot, end):
        screen, worst = app.screen, 0.0
        real = screen._step

        def timed() -> None:
            nonlocal worst
            begin = time.thread_time()
            real()
            worst = max(worst, time.thread_time() - begin)

        screen.set_interval(1 / 30, timed)
        burst = b"".join(b"line %06d \x1b[32mof\x1b[0m a burst of output\r\n" % n for n in range(30_000))
        await asyncio.to_thread(end.say, burst)  # faster than any serial line
        await until(pilot, lambda: "line 029999" in text_grid(app), "its end")
        assert worst < 0.1
        assert screen._line.left_out > 500_000
        await pilot.press("x")
        assert await heard(pilot, end, 1) == b"x"


async def test_it_follows_the_window(world: Any) -> None:
    async with console(world) as (app, pilot, end):
        end.say(b"".join(b"line %d\r\n" % n for n in range(1, 31)) + b"$ ")
        await until(pilot, lambda: "line 30" in text_grid(app))
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: app.screen.query_one("#console").size.width == 120)
        end.say(b"x" * 110 + b"end\r\n")
        await until(pilot, lambda: "xxend" in text_grid(app))
        await pilot.resize_terminal(64, 20)
        await until(pilot, lambda: app.screen.query_one("#console").size.width == 64)
        end.say(b"after\r\n")
        await until(pilot, lambda: "after" in text_grid(app))


async def test_no_bytes_at_all_break_it(world: Any) -> None:
    async with console(world) as (app, pilot, _end):
        terminal: Terminal = app.screen.query_one("#console")
        dice = random.Random(4)
        letters = b"\x1b[]?;0123456789hlmHJKABCDPXrnc()%#78>=\x07\x08\x0e\x0f\t\r\nabc\xc3\xa9\xff"
        for _ in range(3000):
            terminal.feed(bytes(dice.choice(letters) for _ in range(dice.randrange(1, 40))))
        terminal.show_changes()
        await pilot.pause()
        assert "lab" in text_grid(app)
        terminal.feed(b"\x1bc\x1b[2J\x1b[Hwell again")
        terminal.show_changes()
        await until(pilot, lambda: "well again" in text_grid(app))
