"""The loader over a serial console: into Rescue Mode, or lines read back; never a boot of what was not proven."""

from __future__ import annotations

import time

import pytest

from smartos_wizard.core.errors import DeviceLost, Refused, WizardError
from smartos_wizard.reinstall.console_loader import Loader
from smartos_wizard.reinstall.console_reading import Reader, Seen, look
from tests.unit.reinstall.played_console import loader_console
from tests.unit.reinstall.played_loader import PlayedLoader

RESCUE = {"smartos": "false", "noimport": "true", "standalone": "true"}
LINES = ["set zpools=zones", "set destroy_zpools=true"]


def wait(booted: list[dict[str, str] | None], count: int = 1) -> None:
    until = time.monotonic() + 5
    while len(booted) < count:
        assert time.monotonic() < until, "it did not boot"
        time.sleep(0.02)


@pytest.mark.parametrize("colour", [True, False])
def test_rescue_mode_is_booted_once_it_shows_as_on(colour: bool) -> None:
    played = PlayedLoader(colour=colour)
    with loader_console(played, before=b"POST...\r\n") as (console, booted):
        loader = Loader(console)
        loader.menu(5)
        loader.rescue()
        wait(booted)
    assert booted == [RESCUE]
    assert played.pressed == " or1\r"


def test_rescue_mode_that_is_on_already_is_not_switched_off() -> None:
    played = PlayedLoader(environment=dict(RESCUE))
    with loader_console(played) as (console, booted):
        loader = Loader(console)
        loader.menu(5)
        loader.rescue()
        wait(booted)
    assert booted == [RESCUE]


@pytest.mark.parametrize("colour", [True, False])
def test_every_value_is_read_back_before_boot_is_typed(colour: bool) -> None:
    played = PlayedLoader(colour=colour)
    with loader_console(played) as (console, booted):
        loader = Loader(console)
        loader.menu(5)
        loader.prompt()
        loader.type_lines(LINES)
        assert loader.proven == {"zpools": "zones", "destroy_zpools": "true"}
        assert played.lines == [
            "set zpools=zones",
            "show zpools",
            "set destroy_zpools=true",
            "show destroy_zpools",
        ]
        loader.boot()
        wait(booted)
    assert booted == [{"smartos": "true", "zpools": "zones", "destroy_zpools": "true"}]


def test_a_slow_line_is_waited_for() -> None:
    played = PlayedLoader()
    with loader_console(played, slow=0.004) as (console, booted):  # about 2400 baud
        loader = Loader(console)
        loader.menu(20)
        loader.prompt()
        loader.type_lines(["set destroy_zpools=true"])
        loader.boot()
        wait(booted)
    assert booted == [{"smartos": "true", "destroy_zpools": "true"}]
    assert played.lines == ["set destroy_zpools=true", "show destroy_zpools", "boot"]


def test_rescue_mode_is_reached_over_a_slow_line() -> None:
    played = PlayedLoader()
    with loader_console(played, slow=0.004) as (console, booted):
        loader = Loader(console)
        loader.menu(20)
        loader.rescue()
        wait(booted)
    assert booted == [RESCUE]
    assert played.pressed == " or1\r"


@pytest.mark.parametrize("noise", ["Configure Boot", "ok", "Rescue Mode On", "boot", "login:", "\x1b[2J"])
def test_what_firmware_says_before_is_no_menu(noise: str) -> None:
    with loader_console(before=f"\r\nBIOS {noise} and more\r\n".encode()) as (console, _):
        loader = Loader(console, patience=0.3)
        with pytest.raises(WizardError):
            loader.menu(0.5)
            loader.type_lines(["set destroy_zpools=true"])
        with pytest.raises(Refused):
            loader.boot()


def test_the_menu_is_caught_although_it_waits_for_a_second_only() -> None:
    with loader_console(PlayedLoader(waits=1.0)) as (console, booted):
        loader = Loader(console)
        loader.menu(5)
        time.sleep(1.5)
        loader.rescue()
        wait(booted)
    assert booted == [RESCUE]


def test_a_menu_that_has_gone_by_is_told_and_no_key_is_pressed() -> None:
    played = PlayedLoader(waits=0.0)
    with loader_console(played, after=b"SunOS Release 5.11 Version joyent_20260903T001557Z\r\n") as (
        console,
        booted,
    ):
        wait(booted)
        time.sleep(0.2)
        loader = Loader(console)
        with pytest.raises(WizardError) as raised:
            loader.menu(1)
    assert raised.value.reference in ("loader-menu-missed", "loader-not-seen")
    assert not played.pressed


def test_a_menu_that_goes_by_while_it_is_watched_is_told() -> None:
    played = PlayedLoader(waits=0.3, deaf=lambda key: True)
    with loader_console(played, after=b"SunOS Release 5.11\r\n") as (console, booted):
        loader = Loader(console, patience=3)
        with pytest.raises(WizardError) as raised:
            loader.menu(5)
            loader.rescue()
    assert raised.value.reference in ("loader-menu-missed", "loader-unexpected")
    assert RESCUE not in booted


def test_what_was_said_before_it_rebooted_is_not_taken_for_the_menu() -> None:
    old = b"Loading unix...\r\nSunOS Release 5.11\r\nkestrel console login: "
    with loader_console(before=old) as (console, _):
        time.sleep(0.5)
        with pytest.raises(WizardError) as raised:
            Loader(console).menu(0.5)
        assert raised.value.reference == "loader-not-seen"


def test_a_login_that_shows_anew_while_it_goes_down_is_no_missed_menu() -> None:
    late = b"\r\nkestrel console login: \r\nsyncing file systems... done\r\nrebooting...\r\nkestrel console login: "
    with loader_console(PlayedLoader(), before=late, slow=0.001) as (console, booted):
        loader = Loader(console)
        loader.menu(20)
        loader.rescue()
        wait(booted)
    assert booted == [RESCUE]


def test_a_console_without_a_loader_is_told() -> None:
    with loader_console(before=b"nothing to see\r\n") as (console, _), pytest.raises(WizardError) as raised:
        Loader(console).menu(0.5)
    assert raised.value.reference == "loader-not-seen"
    assert "nothing to see" in raised.value.context


def test_rescue_mode_that_cannot_be_switched_on_boots_nothing() -> None:
    with loader_console(PlayedLoader(deaf=lambda key: key == "r")) as (console, booted):
        loader = Loader(console, patience=0.5)
        loader.menu(5)
        with pytest.raises(WizardError) as raised:
            loader.rescue()
        assert raised.value.reference == "loader-unexpected"
        assert raised.value.details["at"] in ("menu", "unknown")
        assert not booted


@pytest.mark.parametrize("wrong", ["t", "true", "zones", "="])
def test_nothing_is_booted_where_a_letter_comes_back_wrong(wrong: str) -> None:
    played = PlayedLoader(spoils=lambda said: said.replace(wrong, "x"))
    with loader_console(played) as (console, booted):
        loader = Loader(console, patience=0.3)
        loader.menu(5)
        loader.prompt()
        with pytest.raises(WizardError) as raised:
            loader.type_lines(LINES)
        assert raised.value.reference == "loader-unexpected"
        assert raised.value.details["at"] == "prompt"
        with pytest.raises(Refused) as refused:
            loader.boot()
        assert refused.value.reference == "loader-unproven"
        assert not booted
        assert "boot" not in played.lines


def test_a_lost_letter_is_noticed_and_the_line_typed_again() -> None:
    lost = iter([3, 9])
    count, position = 0, next(lost)

    def deaf(key: str) -> bool:
        nonlocal count, position
        count += 1
        if count == 4 + position:
            position = next(lost, 10_000)
            return True
        return False

    played = PlayedLoader(deaf=deaf)
    with loader_console(played) as (console, booted):
        loader = Loader(console, patience=0.3)
        loader.menu(5)
        loader.prompt()
        loader.type_lines(["set destroy_zpools=true"])
        loader.boot()
        wait(booted)
    assert booted == [{"smartos": "true", "destroy_zpools": "true"}]
    assert set(played.lines) == {"set destroy_zpools=true", "show destroy_zpools", "boot"}


def test_boot_without_a_value_that_was_read_back_is_refused() -> None:
    with loader_console(PlayedLoader()) as (console, booted):
        loader = Loader(console)
        loader.menu(5)
        loader.prompt()
        with pytest.raises(Refused):
            loader.boot()
        assert not booted


@pytest.mark.parametrize(
    "line", ["boot", "set a=b c", "set a=b\rboot", "set a=$(b)", "set =b", "unset zpools", "set a=\x1b"]
)
def test_only_plain_set_lines_are_typed(line: str) -> None:
    played = PlayedLoader()
    with loader_console(played) as (console, _):
        loader = Loader(console)
        loader.menu(5)
        loader.prompt()
        with pytest.raises(Refused) as raised:
            loader.type_lines(["set good=one", line])
        assert raised.value.reference == "loader-line"
        assert played.lines == []


def test_a_loader_that_cannot_boot_is_told() -> None:
    with loader_console(PlayedLoader(bootable=False)) as (console, booted):
        loader = Loader(console)
        loader.menu(5)
        loader.prompt()
        loader.type_lines(["set destroy_zpools=true"])
        with pytest.raises(WizardError) as raised:
            loader.boot()
        assert raised.value.reference == "loader-unexpected"
        assert not booted


@pytest.mark.parametrize("where", ["menu", "options", "prompt"])
def test_reboot_leaves_the_loader_from_wherever_it_stands(where: str) -> None:
    first, second = PlayedLoader(), PlayedLoader(waits=0.2)
    with loader_console(first, second) as (console, booted):
        loader = Loader(console)
        loader.menu(5)
        if where == "prompt":
            loader.prompt()
            loader.type_lines(LINES)
        elif where == "options":
            console.send(b"o")
            time.sleep(0.3)
            loader = Loader(console)
            loader.menu(5)
        loader.reboot()
        wait(booted, 2)
    assert booted == [None, {"smartos": "true"}]


def test_a_console_that_is_lost_in_the_middle_is_told() -> None:
    with loader_console(PlayedLoader()) as (console, _):
        loader = Loader(console)
        loader.menu(5)
        console.close()
        with pytest.raises(DeviceLost) as raised:
            loader.rescue()
        assert raised.value.reference == "console-lost"


def test_what_is_said_after_the_boot_is_left_for_the_next_reader() -> None:
    with loader_console(PlayedLoader(), after=b"SunOS Release 5.11\r\nkestrel console login: ") as (
        console,
        booted,
    ):
        loader = Loader(console)
        loader.menu(5)
        loader.rescue()
        wait(booted)
        reader = Reader(console)
        assert reader.until(lambda: reader.seen is Seen.LOGIN, 5)


@pytest.mark.parametrize("where", ["menu", "options", "prompt"])
def test_a_loader_at_which_somebody_left_is_found_and_nothing_boots(where: str) -> None:
    played = PlayedLoader()
    with loader_console(played) as (console, booted):
        console.send({"menu": b" ", "options": b"o", "prompt": b"\x1b"}[where])
        time.sleep(0.5)
        console.read(0)
        for history in (True, False):
            if not history:
                console._recent.clear()
                assert look(Reader(console), 0.3) in (Seen.MENU, Seen.OPTIONS, Seen.PROMPT)
            loader = Loader(console)
            loader.menu(1)
        loader.prompt()
        loader.type_lines(["set destroy_zpools=true"])
        assert not booted
        loader.boot()
        wait(booted)
    assert booted == [{"smartos": "true", "destroy_zpools": "true"}]
