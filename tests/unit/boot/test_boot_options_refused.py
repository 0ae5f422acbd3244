"""The options of boot choices: each bad input is refused by its name, with its exit code and its words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from smartos_wizard.world import World, build
from tests.unit.boot.boot_choices import SHADOW, Asked, write


@pytest.fixture
def world() -> Iterator[World]:
    built = build(False)
    yield built
    built.close()


@pytest.fixture
def ask(world: World) -> Asked:
    return Asked(world)


@pytest.fixture
def a_file(tmp_path: Path) -> str:
    (tmp_path / "a=file").write_bytes(b"\x00\xff data\n")
    return str(tmp_path / "a=file")


def refusals(tmp: Path, a_file: str) -> list[tuple[tuple[str, ...], str, int, str]]:
    none = str(tmp / "none")
    long = write(tmp / "long", b"x" * 5000)
    return [
        (("--speed", "9600"), "speed-without-port", 2, "belongs to a serial console"),
        (("--console", "text", "--speed", "9600"), "speed-without-port", 2, "belongs to a serial console"),
        (("--console", "ttya", "--speed", "5"), "bad-speed", 2, "5 bits per second"),
        (("--zpools", "zones,0data"), "bad-pool-name", 2, "“0data”"),
        (("--boot-delay", "9999"), "bad-delay", 2, "9999 seconds"),
        (("--hostname", "a b"), "bad-hostname", 2, "“a b”"),
        (("--hostname", "x\x1b[2J"), "bad-hostname", 2, "no host name"),
        (("--root-shadow", "secret"), "no-hash", 2, "no password hash"),
        (("--root-shadow", "$6$salt$" + "a" * 86), "other-hash", 2, "another kind"),
        (("--root-shadow", SHADOW, "--root-password-prompt"), "two-passwords", 2, "more than one way"),
        (("--root-shadow", SHADOW, "--root-password-file", "-"), "two-passwords", 2, "more than one way"),
        (("--root-password-prompt",), "no-terminal", 2, "no terminal"),
        (("--root-password-file", none), "no-password", 2, "No such file"),
        (("--root-password-file", str(tmp)), "no-password", 2, "Is a directory"),
        (("--root-password-file", write(tmp / "bin", b"\xff\xfe")), "no-password", 2, "not UTF-8"),
        (
            ("--root-password-file", write(tmp / "empty", b"")),
            "no-password",
            2,
            "no password in the first line",
        ),
        (
            ("--root-password-file", write(tmp / "nl", b"\nsecret\n")),
            "no-password",
            2,
            "no password in the first",
        ),
        (("--root-password-file", "-"), "no-password", 2, "no password in the first line"),
        (
            ("--root-password-file", write(tmp / "nul", b"a\x00b\n")),
            "untypable-password",
            2,
            "no console can type",
        ),
        (("--root-password-file", long), "too-long-password", 2, "256 bytes"),
        (("--root-password-file", "/dev/zero"), "untypable-password", 2, "no console can type"),
        (("--answers", none), "no-such-file", 2, "No such file"),
        (("--answers", str(tmp)), "no-such-file", 2, "Is a directory"),
        (("--answers", write(tmp / "big", b" " * 70_000)), "too-large", 2, "64.0 KiB"),
        (("--answers", "/dev/zero"), "too-large", 2, "64.0 KiB"),
        (
            ("--answers", write(tmp / "b1", b"\x7fELF\x02\x01\x01\x00\xff\xfe")),
            "bad-answers",
            4,
            "line 1, column",
        ),
        (
            ("--answers", write(tmp / "b2", b'{\n  "hostname": "x",\n}')),
            "bad-answers",
            4,
            "line 2, column 18: ",
        ),
        (("--answers", write(tmp / "b3", b"")), "bad-answers", 4, "line 1, column 1: "),
        (("--answers", write(tmp / "b4", b"[]")), "bad-answers", 4, "line 1"),
        (
            ("--answers", write(tmp / "b5", b'{\n"admin_ip": "10.0.0.999"}')),
            "bad-answers",
            4,
            "line 2, column 1: ",
        ),
        (("--etc-system", none), "no-such-file", 2, "No such file"),
        (("--module", "etc/x"), "no-pair", 2, "--module takes two things"),
        (("--module", f"={a_file}"), "no-pair", 2, "--module takes two things"),
        (("--module", f"../../x={a_file}"), "bad-path", 2, "no path on the key"),
        (("--module", f"a b={a_file}"), "bad-module-name", 2, "“a b”"),
        (("--module", f"a={none}"), "no-such-file", 2, "No such file"),
        (("--etc-system", a_file, "--module", f"etc/system={a_file}"), "same-file-twice", 2, "twice"),
        (("--add-file", "local/x="), "no-pair", 2, "--add-file takes two things"),
        (("--add-file", f"platform/x={a_file}"), "released-file", 2, "belongs to the release"),
        (("--add-file", f"private/answers.json={a_file}"), "own-file", 2, "written from the other options"),
        (("--add-file", f"a={a_file}", "--add-file", f"/a={a_file}"), "same-file-twice", 2, "a is asked for"),
        (("--add-file", f"a={a_file}", "--add-file", f"A={a_file}"), "same-file-twice", 2, "asked for twice"),
        (("--add-file", f"a={a_file}", "--add-file", f"a/b={a_file}"), "file-and-directory", 2, "at once"),
        (("--profile", "none"), "no-such-profile", 4, "no profile “none”"),
        (("--profile", "../x"), "bad-name", 2, "cannot be the name"),
    ]


def test_bad_input_is_refused_with_its_name_exit_code_and_words(
    ask: Asked, tmp_path: Path, a_file: str
) -> None:
    for words, reference, code, said in refusals(tmp_path, a_file):
        error = ask.refused(*words)
        assert (error.reference, int(error.exit_code)) == (reference, code), words
        assert said in error.message, (words, error.message)
        assert (error.message + error.hint + error.context).isprintable(), words
        assert "secret" not in error.message + error.hint


def test_a_directory_is_called_one(ask: Asked, tmp_path: Path) -> None:
    for option in ("--etc-system", "--answers", "--root-password-file"):
        error = ask.refused(option, str(tmp_path))
        assert error.message.endswith("cannot be read: Is a directory.")
        assert error.context == str(tmp_path)
