"""The step “Options” without a screen: what a text means, and the command that does the same."""

from __future__ import annotations

import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner

from smartos_wizard.boot.answers_schema import start
from smartos_wizard.boot.model import BootChoices, Kmdb, Module
from smartos_wizard.boot.profile import Profile, ProfileStore
from smartos_wizard.cli.boot_options import boot_options, choices_from
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.paths import Paths
from smartos_wizard.screens.flow import Answers, Flow, Stage
from smartos_wizard.screens.options_list import OPTIONS, TYPED
from smartos_wizard.screens.options_model import (
    Given,
    in_words,
    offers_of,
    problems,
    shown,
    sum_up,
    take,
    with_etc_system,
)
from smartos_wizard.screens.options_words import after_boot, boot_flags, preview_of, warned_of
from smartos_wizard.screens.words import same_by_command

SHADOW = "$5$salt$" + "x" * 43
SECRET = "geheim-hunter22"


def parsed(words: str, paths: Paths) -> BootChoices:
    """The choices that a command with these options makes."""
    found: list[BootChoices] = []
    world: Any = SimpleNamespace(paths=paths)

    @click.command()
    @boot_options
    def command(boot: dict[str, Any]) -> None:
        found.append(choices_from(world, boot))

    result = CliRunner().invoke(command, shlex.split(words), standalone_mode=False)
    assert result.exception is None, (words, result.exception)
    return found[0]


@pytest.fixture
def full(tmp_path: Path) -> tuple[BootChoices, Given]:
    """Everything that a command can be told without being asked."""
    answers, system, notes = tmp_path / "my answers.json", tmp_path / "system", tmp_path / "notes"
    answers.write_text('{"config_console": "true", "dns_search": "example.com"}')
    system.write_text("set a=1\n")
    notes.write_text("hello\n")
    choices = BootChoices(
        console="ttyb", speed=9600, verbose=True, kmdb=Kmdb.BOOT_NMI, rescue=True, pools=("zones", "data"),
        delay=-1, hostname="host1.example.com",
        answers={"config_console": "true", "dns_search": "example.com"},
        modules=(Module("etc/system", "boot/bootfs/etc/system", b"set a=1\n"),),
        files={"local/a note.txt": b"hello\n"},
    )  # fmt: skip
    given = Given(
        answers_file=str(answers),
        files={"boot/bootfs/etc/system": str(system), "local/a note.txt": str(notes)},
    )
    return choices, given


def test_the_command_that_does_the_same_does_the_same(
    full: tuple[BootChoices, Given], tmp_path: Path
) -> None:
    choices, given = full
    paths = Paths(tmp_path, tmp_path, tmp_path, tmp_path)
    assert parsed(boot_flags(choices, given), paths) == choices


@pytest.mark.parametrize(
    "change",
    [{}, {"console": "ttya"}, {"speed": 19200}, {"verbose": False}, {"delay": 0}, {"hostname": "b"}, {"rescue": None},
     {"pools": ()}, {"console": "text", "speed": None}, {"answers": None}],
    ids=str,
)  # fmt: skip
def test_with_a_profile_only_what_differs_is_spelt_out_and_the_outcome_is_the_same(
    full: tuple[BootChoices, Given], tmp_path: Path, change: dict[str, Any]
) -> None:
    base, given = full
    paths = Paths(tmp_path, tmp_path, tmp_path, tmp_path)
    ProfileStore(paths).save(Profile("lab", base))
    choices = base.with_(**change)
    words = boot_flags(choices, Given("lab", base, given.answers_file, given.files))
    assert parsed(words, paths) == choices
    if not change:
        assert words == "--profile lab"


def test_no_secret_is_in_the_command_the_preview_or_the_state_in_words() -> None:
    answers = {"config_console": "true", "root_password": SECRET}
    choices = BootChoices(root_shadow=SHADOW, answers=answers, files={"private/x": SECRET.encode()})
    state = Answers("20260903T001557Z", choices=choices)
    told = [
        boot_flags(choices, Given()), same_by_command(Stage.WRITE, state), preview_of(choices), repr(state),
        repr(Flow(Stage.OPTIONS, state)), *warned_of(choices), *sum_up(choices), *after_boot(choices),
        *(in_words(o.name, choices) for o in OPTIONS),
    ]  # fmt: skip
    for words in told:
        assert SECRET not in words
        assert "$5$" not in words
    assert "--root-password-prompt" in told[0]
    assert "--answers FILE" in told[0]
    assert "clear text" in warned_of(choices)[0]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("delay", "4000", "too long"),
        ("delay", "ten", "not a number"),
        ("delay", "-2", "nothing is below"),
        ("delay", "99999999999999999999", "not a number"),
        ("delay", "²", "not a number"),
        ("hostname", "a b", "hyphens and dots"),
        ("hostname", "-a", "hyphens and dots"),
        ("hostname", 'x"y', "hyphens and dots"),
        ("hostname", "größe", "hyphens and dots"),
        ("pools", "zones,9x", "9x"),
        ("pools", "zo nes", "cannot be the name"),
    ],
)
def test_a_bad_text_is_refused_in_words(name: str, text: str, words: str) -> None:
    with pytest.raises(UsageProblem, match=words):
        take(name, text, BootChoices())
    found = dict(problems(BootChoices(), Given(bad={name: text})))
    assert words in found[name]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("delay", " 0 ", 0), ("delay", "-1", -1), ("pools", "zones, data", ("zones", "data")), ("hostname", "h1", "h1")],
)  # fmt: skip
def test_a_good_text_is_taken_and_shown_again(name: str, text: str, value: object) -> None:
    choices = take(name, text, BootChoices())
    assert getattr(choices, name) == value
    assert take(name, shown(name, choices), BootChoices()) == choices
    assert take(name, "", choices).empty


def test_every_offer_can_be_taken_and_is_shown_as_it_was_taken() -> None:
    for option in OPTIONS:
        start = BootChoices(console="ttya") if option.name == "speed" else BootChoices()
        for offer in option.offers:
            assert shown(option.name, take(option.name, offer.value, start)) == offer.value
    assert {o.name for o in OPTIONS if o.example} == set(TYPED)


def test_a_speed_goes_with_its_serial_port() -> None:
    choices = take("speed", "9600", take("console", "ttya", BootChoices()))
    assert take("console", "ttyb", choices).speed == 9600
    assert take("console", "text", choices).speed is None
    assert take("console", "", choices).empty


def test_a_value_from_a_profile_that_is_not_on_offer_is_offered() -> None:
    choices = BootChoices(console="ttya", speed=14400)
    speed = next(o for o in OPTIONS if o.name == "speed")
    assert "14400" in [offer.value for offer in offers_of(speed, choices)]


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("console", BootChoices(console="lpt1")),
        ("speed", BootChoices(console="ttya", speed=7)),
        ("delay", BootChoices(delay=5000)),
        ("pools", BootChoices(pools=("9x",))),
        ("hostname", BootChoices(hostname="a b")),
    ],
)
def test_what_a_profile_written_by_hand_gets_wrong_is_told_at_its_row(
    name: str, choices: BootChoices
) -> None:
    assert [found for found, _words in problems(choices, Given())] == [name]


def test_the_same_file_twice_and_bad_answers_stop_the_way() -> None:
    assert dict(problems(BootChoices(files={"local/A": b"", "local/a": b""}), Given()))["files"]
    wrong = dict(problems(BootChoices(answers={"admin_ip": "10.0.0.999"}), Given()))
    assert "1" not in wrong["answers"].split()[0]
    assert "setup would fail" in wrong["answers"]
    assert not dict(problems(BootChoices(answers={}), Given()))


def test_erasing_unasked_is_told_before_the_key_is_written() -> None:
    words = warned_of(BootChoices(answers=start(unattended=True)))
    assert "all its fixed disks are erased" in words[0]
    assert not warned_of(BootChoices(answers=start()))
    assert all(len(w) <= 78 for w in words)


def test_what_follows_after_the_boot_is_told_as_it_will_be() -> None:
    assert after_boot(BootChoices())[2].startswith("Rescue mode's password is root;")
    menu, setup, password = after_boot(
        BootChoices(console="ttya", delay=0, answers={"config_console": "true"}, root_shadow=SHADOW)
    )
    assert "boots at once" in menu
    assert "stops" in setup
    assert "the one you gave" in password
    assert "rescue" in after_boot(BootChoices(rescue=True))[1]


def test_the_choices_survive_going_back_and_forth() -> None:
    flow = Flow(Stage.OPTIONS, Answers("s"), ((Stage.RELEASE, Answers()), (Stage.TARGET, Answers("s"))))
    told = flow.noted(choices=BootChoices(console="ttya"), given=Given(bad={"delay": "x"}))
    before = told.back()
    assert before is not None
    assert before.stage is Stage.TARGET
    again = before.forward()
    assert again.stage is Stage.OPTIONS
    assert (again.answers.choices.console, again.answers.given.bad) == ("ttya", {"delay": "x"})
    assert again.forward().another().answers.choices.console == "ttya"


def test_what_will_be_on_the_key_is_shown_for_the_old_loader_too() -> None:
    choices = BootChoices(
        console="ttya", root_shadow=SHADOW, answers={"root_password": SECRET}, files={"local/n": b"hello\n"}
    )
    for legacy in (False, True):
        told = preview_of(choices, legacy=legacy)
        assert "ttya" in told
        assert "local/n:\n  hello" in told
        assert '"root_password": "********"' in told
        assert ("menu.lst" in told) == legacy
        assert ("loader.conf.local" in told) != legacy
    assert "GRUB" in dict(problems(with_etc_system(BootChoices(), b"x"), Given(), legacy=True))["etc_system"]
    assert not dict(problems(with_etc_system(BootChoices(), b"x"), Given()))
