"""The make-believe VBoxManage is as strict as the real ones: what it lets pass, both generations take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from smartos_wizard.core.errors import WizardError
from smartos_wizard.guests.virtualbox.said import Said, explain
from smartos_wizard.guests.virtualbox.talk import ask, insist
from tests.unit.guests.virtualbox.conftest import Fake

UUID = "8c72bfa1-4155-435b-a969-16f000bd6c34"
Call = Callable[..., Said]


@pytest.fixture
def vbox(fake: Fake, tmp_path: Path) -> Call:
    """VBoxManage with one machine that is off."""

    def call(*words: str) -> Said:
        return ask(("VBoxManage", "-q", *words))

    made = call("createvm", "--name", "lab", "--groups", "/g", "--ostype", "Solaris11_64", "--basefolder",
                str(tmp_path / "vms"), "--uuid", UUID, "--register")  # fmt: skip
    assert not made.failed, made
    return call


both = pytest.mark.parametrize("fake", ["6.1", "7.1"], indirect=True)
NEW_IN_7 = [
    ("--audio-enabled", "off"), ("--nat-localhostreachable1", "off"), ("--nat-pf1", "ssh,tcp,127.0.0.1,2222,,22"),
    ("--drag-and-drop", "disabled"), ("--uart-mode1", "disconnected"), ("--usb-xhci", "off"), ("--host-only-net2", "n"),
    ("--nic1", "hostonlynet"), ("--mouse", "none"),
]  # fmt: skip


@pytest.mark.parametrize("words", NEW_IN_7)
@pytest.mark.parametrize(("fake", "code"), [("6.1", 2), ("7.1", 0)], indirect=["fake"])
def test_what_7_brought_is_unknown_to_6(vbox: Call, words: tuple[str, ...], code: int) -> None:
    call = vbox("modifyvm", UUID, *words)
    assert call.code == code, call
    assert call.failed is bool(code)


@both
@pytest.mark.parametrize(
    "words",
    [
        ("--firmware", "uefi"), ("--boot1", "usb"), ("--nictype1", "e1000"), ("--nicpromisc1", "all"), ("--memory", "4GiB"),
        ("--pae", "yes"), ("--uarttype1", "8250"), ("--clipboard-mode", "off"), ("--no-such-option", "1"), ("--memory",),
        ("--uart1", "0x3F8"), ("--natpf1", "delete"),
    ],
)  # fmt: skip
def test_wrong_names_values_and_numbers_of_words_are_refused(vbox: Call, words: tuple[str, ...]) -> None:
    call = vbox("modifyvm", UUID, *words)
    assert call.code in (1, 2)
    assert call.errors, "in the form of the real one"


@both
@pytest.mark.parametrize(
    "words",
    [
        ("--uart1", "off"), ("--uart1", "0x3F8", "4"), ("--uartmode1", "disconnected"), ("--uartmode1", "server", "/x/com"),
        ("--natpf1", "ssh,tcp,127.0.0.1,2222,,22"),
    ],
)  # fmt: skip
def test_options_of_one_word_and_of_two(vbox: Call, words: tuple[str, ...]) -> None:
    assert not vbox("modifyvm", UUID, *words).failed


@both
def test_unknown_commands_and_too_many_words(vbox: Call) -> None:
    assert vbox("frobnicate").code == 2
    assert vbox("modifyvm", UUID, "lab", "--memory", "1024").code in (1, 2)


@both
def test_progress_comes_on_stderr_and_is_no_failure(vbox: Call, tmp_path: Path) -> None:
    call = vbox(
        "createmedium", "disk", "--filename", str(tmp_path / "a.vdi"), "--size", "20", "--format", "VDI"
    )
    assert "100%" in call.err
    assert not call.failed


def test_an_error_with_exit_0_is_a_failure(vbox: Call, fake: Fake) -> None:
    fake.fault(error_with_0="modifyvm")
    call = vbox("modifyvm", UUID, "--memory", "1024")
    assert call.code == 0
    assert call.failed


def test_a_settings_file_that_is_there_already(vbox: Call, fake: Fake, tmp_path: Path) -> None:
    fake.set(machines={})  # forgotten, but its file lies there
    call = vbox(
        "createvm", "--name", "lab", "--groups", "/g", "--basefolder", str(tmp_path / "vms"), "--uuid", UUID
    )
    error = explain(call)
    assert error.reference == "virtualbox-left-over"
    assert "already exists" in error.message


def test_a_locked_session_passes_or_stays(vbox: Call, fake: Fake) -> None:
    fake.fault(locked=2)
    assert not vbox("modifyvm", UUID, "--memory", "1024").failed, "it was tried again"
    fake.fault(locked=99)
    with pytest.raises(WizardError) as caught:
        insist(("VBoxManage", "-q", "modifyvm", UUID, "--memory", "1024"))
    assert caught.value.reference == "virtualbox-locked"


def test_a_forward_of_the_same_name(vbox: Call) -> None:
    rule = ("modifyvm", UUID, "--natpf1", "ssh,tcp,127.0.0.1,2222,,22")
    assert not vbox(*rule).failed
    assert explain(vbox(*rule)).reference == "virtualbox-rule-there"
    assert not vbox("modifyvm", UUID, "--natpf1", "delete", "ssh").failed
    assert vbox("modifyvm", UUID, "--natpf1", "delete", "SSH").failed, "names are told apart by case"
