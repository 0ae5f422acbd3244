"""Words of the road to a clean machine: each token once, commands that can be copied, hints that fit the wizard."""

from __future__ import annotations

import shlex

import pytest
from click.testing import CliRunner

from smartos_wizard.practice.hosts import MACHINES
from smartos_wizard.reinstall.choices import Choices
from smartos_wizard.reinstall.judging import judge
from smartos_wizard.reinstall.model import Stop, Way
from smartos_wizard.reinstall.ports import Address
from smartos_wizard.reinstall.survey import from_answers
from smartos_wizard.screens.reinstall_agree import wrong_console
from smartos_wizard.screens.reinstall_model import MachineAnswers
from smartos_wizard.screens.reinstall_words import asked_of, backup_words, hint_of, host_words, plan_words_of


def test_what_several_reasons_ask_for_is_agreed_to_once_with_all_reasons() -> None:
    stops = (
        Stop("a", "First.", "consent", token="t"), Stop("b", "A note.", "note"), Stop("c", "Second.", "consent", "Do this.", "t"),
        Stop("d", "Third.", "consent", token="u"), Stop("e", "No.", "stop"),
    )  # fmt: skip
    asked = asked_of(stops)
    assert [(s.token, s.text) for s in asked] == [("t", "First. Second."), ("u", "Third.")]


@pytest.mark.parametrize("name", sorted(MACHINES))
@pytest.mark.parametrize("way", list(Way))
@pytest.mark.parametrize("limited", [False, True])
def test_no_hint_of_the_wizard_speaks_of_options_of_a_command(name: str, way: Way, limited: bool) -> None:
    survey = from_answers(MACHINES[name].answers("20261118T120000Z"))
    for stop in judge(survey, Choices(way, limited), 0.0)[2]:
        assert "--consent" not in hint_of(stop)
        assert "--prepared" not in hint_of(stop)


def test_commands_can_be_copied_and_hold_no_password() -> None:
    address = Address("kestrel", "admin", 2222, "me@gate", "my key", "open sesame", ("SHA256:x",))
    words = host_words(address)
    assert "sesame" not in words
    assert shlex.split(words) == [
        "admin@kestrel", "--port", "2222", "--jump", "me@gate", "--identity", "my key", "--ask-password", "--accept-host-key", "SHA256:x",
    ]  # fmt: skip
    said = MachineAnswers(address, keep=frozenset({"zones/my data", "0b3b1a4e"}), directory="/a b")
    assert shlex.split(backup_words(said))[-6:] == [
        "--to",
        "/a b",
        "--instance",
        "0b3b1a4e",
        "--dataset",
        "zones/my data",
    ]


@pytest.mark.parametrize("part", ["survey", "backup", "plan"])
def test_the_commands_that_are_shown_are_commands(part: str) -> None:
    from smartos_wizard.cli.reinstall import command

    answered = CliRunner().invoke(command, [part, "--help"])
    address = Address("kestrel", "admin", 22, "me@gate", "key", "p", ("SHA256:x",))
    said = MachineAnswers(
        address,
        keep=frozenset({"zones/data"}),
        directory="d",
        way=Way.RESET,
        limited=True,
        consents=frozenset({"t"}),
        backup="d",
    )
    words = {
        "survey": f"survey {host_words(address)}",
        "backup": backup_words(said),
        "plan": plan_words_of(said),
    }[part]
    flags = [word for word in shlex.split(words) if word.startswith("--")]
    assert flags
    assert [flag for flag in flags if flag not in answered.output] == []


@pytest.mark.parametrize("words", ["", "guest:lab", "/run/console.sock", "127.0.0.1:5555", "[::1]:23", "~/x"])
def test_a_console_that_can_be_one_is_taken(words: str) -> None:
    assert wrong_console(words) == ""


@pytest.mark.parametrize("words", ["guest:", "lab", "host:", "host:0", "host:99999", "host:x", ":22"])
def test_a_console_that_can_be_none_is_said_to_be_wrong(words: str) -> None:
    assert wrong_console(words)
