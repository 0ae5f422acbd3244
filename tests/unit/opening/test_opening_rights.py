"""Getting the right to open a disk: refused, mistyped, unattended, expired, given up (F27)."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from smartos_wizard.core.errors import Cancelled, PrivilegeFailed, Refused
from smartos_wizard.core.paths import below
from smartos_wizard.media import awake, ejecting, elevation, opening
from smartos_wizard.media.model import Disk, Fingerprint, Target
from smartos_wizard.media.opening import SystemOpener
from smartos_wizard.privileged import opener

TARGET = Target(Disk("/dev/sdx", 4096), Fingerprint("/dev/sdx", 4096))
SAYS_NO = f"""
import sys; sys.path.insert(0, {str(Path(opener.__file__).parent)!r})
import os, opener
sock = opener.connect(sys.argv[1], {{}})
opener.receive(sock)
opener.send(sock, {{"ok": False, "reference": "identity-changed", "message": "another disk"}})
sys.exit(24)
"""


class Fakes:
    """Programs of our own in PATH, each noting how it was called."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.log = place / "log"
        self.notes: list[tuple[str, dict[str, str]]] = []

    def make(self, name: str, script: str) -> None:
        path = self.place / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.log}\n{script}\n')
        path.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        return (
            [line.split(" --")[0] for line in self.log.read_text().splitlines()] if self.log.exists() else []
        )

    def notify(self, reference: str, data: dict[str, str]) -> None:
        self.notes.append((reference, data))


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fakes:
    """An ordinary user whose own rights are too few (the tests may run as root), with only our programs."""
    place = tmp_path / "bin"
    place.mkdir()
    monkeypatch.setenv("PATH", str(place))
    monkeypatch.setattr(opening, "_directly", lambda target, *, write: None)
    return Fakes(place)


def attend(monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    monkeypatch.setattr(elevation, "attended", lambda: there)


def attempt(fakes: Fakes, tmp_path: Path, patience: float = 0.5) -> PrivilegeFailed:
    with pytest.raises(PrivilegeFailed) as caught:
        SystemOpener(below(tmp_path / "home"), patience=patience).open(
            TARGET, write=True, notify=fakes.notify
        )
    assert "Nothing was written" in caught.value.message
    assert int(caught.value.exit_code) == 9
    assert not list((tmp_path / "home/run").iterdir()), "the private socket stayed behind"
    return caught.value


def test_without_a_terminal_nobody_is_asked_and_the_command_is_given(fakes, tmp_path, monkeypatch):
    attend(monkeypatch, False)
    fakes.make("sudo", "echo 'sudo: a password is required' >&2; exit 1")
    error = attempt(fakes, tmp_path)
    assert error.reference == "no-privilege"
    assert fakes.calls == ["sudo -n"]
    ((reference, data),) = fakes.notes
    assert reference == "needs-opener"
    assert (
        data["command"].startswith("sudo /") and " -I " in data["command"] and "opener.py" in data["command"]
    )


def test_a_machine_without_sudo_gives_the_command_too(fakes, tmp_path, monkeypatch):
    attend(monkeypatch, True)
    assert attempt(fakes, tmp_path).reference == "no-privilege"
    assert [reference for reference, _ in fakes.notes] == ["needs-opener"]


def test_a_password_mistyped_three_times_is_the_end(fakes, tmp_path, monkeypatch):
    attend(monkeypatch, True)
    fakes.make("sudo", '[ "$1" = -n ] && exit 1; echo "sudo: 3 incorrect password attempts" >&2; exit 1')
    fakes.make("pkexec", "exit 127")
    assert attempt(fakes, tmp_path).reference == "password-refused"
    assert [call.split(" -p")[0] for call in fakes.calls] == ["sudo -n", "sudo"]
    assert fakes.notes == []


def test_an_expired_ticket_leads_to_the_question_at_the_terminal(fakes, tmp_path, monkeypatch):
    attend(monkeypatch, True)
    fakes.make("sudo", '[ "$1" = -n ] && { echo "sudo: a password is required" >&2; exit 1; }; exit 1')
    attempt(fakes, tmp_path)
    assert len(fakes.calls) == 2
    assert "/dev/sdx" in fakes.calls[1], "the question says which disk it is about"


def test_a_user_whom_sudo_does_not_know_is_offered_pkexec(fakes, tmp_path, monkeypatch):
    attend(monkeypatch, True)
    fakes.make("sudo", '[ "$1" = -n ] || echo "anna is not in the sudoers file." >&2; exit 1')
    fakes.make("pkexec", "exit 127")
    attempt(fakes, tmp_path)
    assert [call.split()[0] for call in fakes.calls] == ["sudo", "sudo", "pkexec"]


def test_a_dismissed_question_is_not_asked_again_by_another_tool(fakes, tmp_path, monkeypatch):
    attend(monkeypatch, True)
    fakes.make("pkexec", "exit 126")
    assert attempt(fakes, tmp_path).reference == "privilege-declined"
    assert fakes.notes == []


def test_a_no_of_the_opener_is_final(fakes, tmp_path, monkeypatch):
    attend(monkeypatch, True)
    (tmp_path / "no.py").write_text(SAYS_NO)
    fakes.make("sudo", f'for last; do :; done; exec /usr/bin/python3 {tmp_path}/no.py "$last"')
    with pytest.raises(Refused) as caught:
        SystemOpener(below(tmp_path / "home"), patience=5).open(TARGET, write=True, notify=fakes.notify)
    assert caught.value.reference == "identity-changed"
    assert len(fakes.calls) == 1
    assert fakes.notes == []


def test_waiting_for_a_person_can_be_given_up(fakes, tmp_path, monkeypatch):
    attend(monkeypatch, False)
    chief = SystemOpener(below(tmp_path / "home"), patience=60)
    threading.Timer(0.3, chief.give_up).start()
    with pytest.raises(Cancelled):
        chief.open(TARGET, write=True, notify=fakes.notify)


def test_the_opener_runs_apart_from_the_users_environment(tmp_path):
    words = elevation.opener_words(tmp_path, tmp_path / "s")
    assert words[1] == "-I"
    assert Path(words[2]).name == "opener.py"
    assert words[0] in elevation.PYTHONS or Path(words[0]).is_file()


def test_a_file_that_others_can_change_is_not_called_owned_by_root(tmp_path):
    loose = tmp_path / "opener.py"
    loose.write_text("")
    loose.chmod(0o666)
    assert not elevation.owned_by_root(loose)
    assert elevation.owned_by_root(Path("/etc/passwd"))


def test_a_regular_file_needs_no_rights_at_all(fakes, tmp_path):
    file = tmp_path / "key.img"
    file.write_bytes(bytes(8192))
    target = Target(Disk(str(file), 8192), Fingerprint(str(file), 8192), regular_file=True)
    device = SystemOpener(below(tmp_path / "home")).open(target, write=True, notify=fakes.notify)
    assert device.size == 8192
    device.close()
    assert fakes.calls == []


def test_a_file_is_safe_at_once_and_a_missing_device_is_told(tmp_path):
    file = tmp_path / "key.img"
    file.write_bytes(b"x")
    assert "nothing to pull" in ejecting.eject(str(file))
    with pytest.raises(Exception, match="not there any more"):
        ejecting.eject("/dev/there-is-none")


def test_keeping_awake_ends_with_its_context_and_never_fails(tmp_path, monkeypatch):
    tool = tmp_path / "systemd-inhibit"
    tool.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec /bin/cat\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with awake.stay_awake("writing"):
        for _ in range(200):
            if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip():
                break
            threading.Event().wait(0.02)
        pid = int((tmp_path / "pid").read_text())
        assert Path(f"/proc/{pid}").exists()
    assert not Path(f"/proc/{pid}").exists()
    tool.write_text("#!/bin/sh\nexit 1\n")
    with awake.stay_awake("writing"):
        pass
    tool.unlink()
    with awake.stay_awake("writing"):
        pass
