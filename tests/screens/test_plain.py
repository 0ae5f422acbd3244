"""The wizard line by line, on a terminal of its own in the practice world."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.core import journal


class Talk:
    """The wizard in a process of its own; what it says, and what it is answered."""

    def __init__(self) -> None:
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="dumb", LANG="C.UTF-8", COLUMNS="200")
            words = [sys.executable, "-m", "smartos_wizard", "--practice", "--plain"]
            os.execv(sys.executable, words)
        self.said = ""
        self._heard = 0
        self._code: int | None = None

    def hear(self, words: str, seconds: float = 30) -> str:
        """Listen until `words` (a pattern) are said after what was heard before; what was said until then."""
        end = time.monotonic() + seconds
        while not (found := re.compile(words).search(self.said, self._heard)):
            ready, _, _ = select.select([self._terminal], [], [], max(0.0, end - time.monotonic()))
            more = self._read() if ready else b""
            assert more, f"never said {words!r}:\n{self.said}"
            self.said += more.decode(errors="replace").replace("\r", "")
        start, self._heard = self._heard, found.end()
        return self.said[start : found.end()]

    def answer(self, line: str) -> None:
        """Type a line."""
        os.write(self._terminal, f"{line}\n".encode())

    def interrupt(self) -> None:
        """Ctrl-C."""
        os.write(self._terminal, b"\x03")

    def reply(self, question: str, line: str) -> str:
        """Wait for the question and answer it; what was said until then."""
        said = self.hear(f"{question}[^\n]*: ")
        self.answer(line)
        return said

    def code(self) -> int:
        """The exit code, once it has left."""
        while self._read():
            pass
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._code

    def close(self) -> None:
        """End it, however it stands."""
        if self._code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._terminal)

    def _read(self) -> bytes:
        try:
            return os.read(self._terminal, 65536)
        except OSError:  # the other end is gone
            return b""


@pytest.fixture
def talk(world: Any) -> Iterator[Callable[[], Talk]]:
    """Starts the wizard; every one is ended with the test."""
    del world
    started: list[Talk] = []

    def start() -> Talk:
        started.append(Talk())
        return started[-1]

    yield start
    for one in started:
        one.close()


def to_review(talk: Talk, disks: str) -> None:
    """From Home to the typed confirmation."""
    talk.reply("want to do", number(talk, "Make a USB key"))
    talk.reply("Which release", "1")
    talk.reply("becomes the key", disks)
    talk.reply("Enter goes on", "")


def number(talk: Talk, words: str) -> str:
    """The number before the line with `words`."""
    talk.hear("\\d\\. Quit")
    return re.findall(rf"^(\d+)\. .*{re.escape(words)}", talk.said, re.MULTILINE)[-1]


def entry(talk: Talk, words: str) -> str:
    """The number of what may be done with a key, once it is asked for."""
    listed = talk.hear("shall be done[^\n]*: ")
    return str(re.findall(rf"^(\d+)\. {re.escape(words)}", listed, re.MULTILINE)[-1])


def the_job(world: Any, kind: str) -> journal.Job:
    """The only job of that kind."""
    (job,) = [j for j in journal.list_jobs(world.paths.jobs) if j.plan().kind == kind]
    return job


def kill(job: journal.Job) -> None:
    """End the process that works on the job, as a crash would."""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if job.id in entry.read_text(errors="replace") and int(entry.parent.name) != os.getpid():
                os.kill(int(entry.parent.name), signal.SIGKILL)


@pytest.mark.slow
def test_line_by_line_a_wrong_word_does_nothing_and_the_right_one_leads_to_a_proven_key(
    talk: Callable[[], Talk], world: Any
) -> None:
    one = talk()
    to_review(one, "1")
    one.reply("to go back", "nonsense")
    one.hear("Not armed: .* Nothing was done")
    assert not journal.list_jobs(world.paths.jobs)
    one.reply("to go back", "0179")
    assert "PROVEN" in one.hear("PROVEN", 60)
    one.reply("want to do", "q")
    assert one.code() == 0

    # and then it is looked after: read, proven again, made plain, ejected
    one = talk()
    one.reply("want to do", number(one, "Look after"))
    one.reply("Which key", "1")
    assert "On it: SmartOS" in one.hear("1\\. Prove it again")
    one.reply("shall be done", "1")
    assert "PROVEN" in one.hear("PROVEN", 60)
    one.answer(entry(one, "Make it a plain stick"))
    one.reply("to go back", "0179")
    one.hear("On it: no SmartOS", 60)
    one.reply("shall be done", "1")
    one.hear("no release to compare")
    one.answer(entry(one, "Eject it"))
    one.reply("want to do", "q")
    assert one.code() == 0


def test_line_by_line_every_question_takes_back_and_no_nonsense(talk: Callable[[], Talk], world: Any) -> None:
    one = talk()
    one.reply("want to do", "99")
    one.hear("Please answer with a number from 1 to \\d+")
    one.reply("want to do", "one")
    one.hear("Please answer")
    one.reply("want to do", "²")  # a digit to some, no number to anybody
    one.hear("Please answer")
    one.reply("want to do", "1")
    one.reply("Which release", "1")
    for wrong in ("1 1", "1 x", "0", "", "1 99"):
        one.reply("becomes the key", wrong)
        one.hear("Please answer with numbers")
    one.reply("becomes the key", "1")
    one.reply("Enter goes on", "77")
    one.hear("Please answer")
    one.reply("Enter goes on", "")
    one.reply("to go back", "b")
    one.reply("Enter goes on", "b")
    one.reply("becomes the key", "b")
    one.reply("Which release", "b")
    one.reply("want to do", "q")
    assert one.code() == 0
    assert not journal.list_jobs(world.paths.jobs)


def test_line_by_line_several_disks_must_all_be_named(talk: Callable[[], Talk], world: Any) -> None:
    one = talk()
    to_review(one, "1 2")
    one.reply("to go back", "0179")
    one.hear("Not armed")
    one.reply("to go back", "0179 1D5A")
    one.hear("Now 1 of ")
    assert len(the_job(world, "key-write").plan().confirmation.tokens) == 2
    one.interrupt()
    one.reply("shall be done", "3")
    one.hear("Cancelled|PROVEN", 60)


def test_line_by_line_the_release_of_a_key_is_downloaded_before_it_is_proven(
    talk: Callable[[], Talk], world: Any
) -> None:
    one = talk()
    one.reply("want to do", number(one, "Look after"))
    listed = one.hear("Which key")
    (held,) = re.findall(r"^(\d+)\. .*/practice/sdi", listed, re.MULTILINE)
    one.answer(held)
    one.reply("shall be done", "1")
    one.hear("which is not stored here yet")
    one.reply("shall be done", "1")
    assert "PROVEN" in one.hear("PROVEN", 60)
    assert the_job(world, "release-download").progress().ended is not None


@pytest.mark.slow
def test_line_by_line_a_killed_write_is_taken_up_and_what_is_right_is_kept(
    talk: Callable[[], Talk], world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMARTOS_WIZARD_PRACTICE_SPEED", "1")
    one = talk()
    to_review(one, "1")
    one.reply("to go back", "0179")
    one.hear("destroys: all of")
    kill(the_job(world, "key-write"))
    one.hear("Nobody works on")
    one.reply("want to do", "q")
    assert one.code() == 1

    monkeypatch.setenv("SMARTOS_WIZARD_PRACTICE_SPEED", "0")
    one = talk()
    assert "Interrupted" in one.hear("does not boot as it is")
    one.reply("want to do", "1")
    one.reply("shall be done", "1")
    one.reply("to go back", "0179")
    one.hear("PROVEN", 60)
    assert "Interrupted" not in one.reply("want to do", "q")
    assert one.code() == 0


def test_line_by_line_options_are_asked_told_and_kept(
    talk: Callable[[], Talk], world: Any, tmp_path: Path
) -> None:
    (tmp_path / "answers.json").write_text('{"config_console": "true", "root_password": "geheim-hunter22"}')
    (tmp_path / "bad.json").write_text('{"admin_ip": "10.0.0.999"}')
    one = talk()
    one.reply("want to do", number(one, "Make a USB key"))
    one.reply("Which release", "1")
    one.reply("becomes the key", "1")

    def change(title: str) -> None:
        listed = one.hear("Enter goes on[^\n]*: ")
        (found,) = re.findall(rf"^(\d+)\. {re.escape(title)}", listed, re.MULTILINE)
        one.answer(found)

    change("Console")
    one.reply("Console\\?", "3")
    change("Its speed")
    one.reply("Its speed\\?", "2")
    change("Menu waits")
    one.reply("Menu waits, -", "4000")
    one.hear("too long a wait")
    one.reply("Menu waits, -", "5")
    change("Root's password")
    one.reply("Root's password\\?", "1")
    one.reply("Password, nothing", "geheim-hunter22")
    one.reply("Once more", "geheim-hunter2")
    one.hear("The two are different")
    change("Root's password")
    one.reply("Root's password\\?", "1")
    one.reply("Password, nothing", "geheim-hunter22")
    one.reply("Once more", "geheim-hunter22")
    change("Answers")
    one.reply("Answers\\?", "2")
    one.reply("The answers file", str(tmp_path / "bad.json"))
    one.hear("not an IPv4 address")
    one.hear("not taken")
    change("Answers")
    one.reply("Answers\\?", "2")
    one.reply("The answers file", str(tmp_path / "answers.json"))
    one.hear("Setup will stop and")
    change("Extra files")
    one.reply("Extra files\\?", "1")
    one.reply("this computer", str(tmp_path / "bad.json"))
    one.reply("place on the key", "boot/loader")
    one.hear("belongs to the release")
    change("/etc/system")
    one.reply("this computer", str(tmp_path / "none"))
    one.hear("cannot be read")
    change("Save as profile")
    one.reply("A name", "lab")
    one.hear("Saved as lab")
    assert "Set: console ttya at 9600" in one.reply("Enter goes on", "")
    one.hear("Know before: Root's password is on it in clear text")
    assert "--profile lab" in one.hear("to go back[^\n]*: ")
    one.answer("b")
    assert "1. Console: ttya" in one.reply("Enter goes on", "b")
    one.answer("q")
    assert one.code() == 0
    assert "geheim" not in one.said
    kept = world.paths.config / "profiles"
    assert "$5$" in (kept / "lab.secrets.toml").read_text()
    assert not list((world.paths.state / "vault").iterdir())


def to_key(talk: Talk, path: str) -> None:
    """From Home to what may be done with the key at `path`."""
    talk.reply("want to do", number(talk, "Look after"))
    listed = talk.hear("Which key")
    (held,) = re.findall(rf"^(\d+)\. .*{path}", listed, re.MULTILINE)
    talk.answer(held)


@pytest.mark.slow
def test_line_by_line_a_key_is_configured_upgraded_and_rolled_back(
    talk: Callable[[], Talk], world: Any
) -> None:
    one = talk()
    to_key(one, "/practice/sdi")
    one.answer(entry(one, "Configure"))
    one.hear("as it stands on it now")
    one.reply("Enter goes on", "1")  # the console
    one.reply("Console\\?", "3")
    one.reply("Enter goes on", "")
    assert '+os_console="ttya"' in one.hear("to go back[^\n]*: ")
    one.answer("nonsense")
    one.hear("what will be changed. Nothing was done")
    one.reply("to go back", "8812")
    one.hear("PROVEN", 60)
    assert "Console: ttya" in one.hear("1\\. Prove it again")

    one.answer(entry(one, "Upgrade"))
    assert "on this key" in one.hear("To which release[^\n]*: ")
    one.answer("1")
    one.reply("to go back", "8812")
    one.hear("PROVEN", 60)
    one.hear("On it: SmartOS \\w+, and 20260430T145637Z kept")
    one.answer(entry(one, "Roll back"))
    one.reply("to go back", "b")  # left
    one.answer(entry(one, "Roll back"))
    one.reply("to go back", "8812")
    one.hear("PROVEN", 60)
    one.hear("On it: SmartOS 20260430T145637Z, and ")
    one.reply("shall be done", "q")
    assert one.code() == 0


def test_line_by_line_the_root_password_is_said_only_after_asking(
    talk: Callable[[], Talk], world: Any
) -> None:
    del world
    one = talk()
    to_key(one, "/practice/sdi")
    one.answer(entry(one, "Root's password"))
    one.reply("shall be done", "2")
    one.answer(entry(one, "Root's password"))
    assert "built into release" not in one.said
    one.reply("shall be done", "1")
    one.hear("Root's password built into release 20260430T145637Z: Practice")
    one.hear("Rescue Mode")
    one.reply("shall be done", "q")


def test_line_by_line_this_machine_and_a_pool(talk: Callable[[], Talk], world: Any) -> None:
    del world
    one = talk()
    one.reply("want to do", "3")
    one.hear("fit for SmartOS, with warnings: RAID card")
    assert one.hear("warning, RAID card").count("ok, ") == 0  # the gravest first
    one.hear("What to do: Switch the card")
    one.reply("want to do", "4")
    one.reply("Which disks", "")
    one.hear("Please type the disks")
    one.reply("Which disks", "8x4TB nonsense")
    one.hear("'nonsense' is no disk")
    one.reply("Which disks", "8x4TB")
    one.hear("raidz2  8 disks")
    one.reply("shall be changed", "3")
    one.reply("Spares", "10")
    one.hear("There is no such pool")
    one.reply("shall be changed", "3")
    one.reply("Spares", "2")
    one.reply("shall be changed", "2")
    one.reply("Layout", "2")
    one.hear("mirror  2 disks")
    one.reply("shall be changed", "4")
    one.reply("Memory", "64GiB")
    one.hear("64.0 GiB, as much as the RAM")
    one.hear("pool preview --disk 8x4TB --layout mirror -s 0 --ram 64GiB")
    one.reply("shall be changed", "1")
    one.reply("Which disks", ".")
    one.hear("this machine's|This machine's")
    one.reply("shall be changed", "b")
    one.reply("want to do", "q")
    assert one.code() == 0
