"""The options of boot choices: what each makes, and what each says when it cannot."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from smartos_wizard.boot.model import BootChoices, Kmdb, Module
from smartos_wizard.boot.profile import Profile, ProfileStore
from smartos_wizard.boot.shadow import matches
from smartos_wizard.core.paths import user_paths
from smartos_wizard.world import World, build
from tests.unit.boot.boot_choices import SHADOW, Asked, write

GOOD: dict[str, str] = {
    "config_console": "true",
    "skip_instructions": "true",
    "admin_ip": "dhcp",
    "dns_search": "example.com",
    "hostname": "sm1",
}


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


def test_no_options_change_nothing(ask: Asked) -> None:
    assert ask().empty
    assert ask.told == []


def test_every_option_makes_its_choice(ask: Asked, a_file: str, tmp_path: Path) -> None:
    cases: list[tuple[tuple[str, ...], BootChoices]] = [
        (("--console", "ttyb"), BootChoices(console="ttyb")),
        (("--console", "ttyb", "--speed", "9600"), BootChoices(console="ttyb", speed=9600)),
        (("--verbose",), BootChoices(verbose=True)),
        (("--no-verbose",), BootChoices(verbose=False)),
        (("--kmdb", "boot+nmi"), BootChoices(kmdb=Kmdb.BOOT_NMI)),
        (("--rescue",), BootChoices(rescue=True)),
        (("--no-rescue",), BootChoices(rescue=False)),
        (("--zpools", " zones , data,"), BootChoices(pools=("zones", "data"))),
        (("--boot-delay", "0"), BootChoices(delay=0)),
        (("--boot-delay", "-1"), BootChoices(delay=-1)),
        (("--root-shadow", f" {SHADOW} "), BootChoices(root_shadow=SHADOW)),
        (("--hostname", "sm1.example.com"), BootChoices(hostname="sm1.example.com")),
        (("--answers", write(tmp_path / "a.json", GOOD)), BootChoices(answers=GOOD)),
        (
            ("--etc-system", a_file),
            BootChoices(modules=(Module("etc/system", "boot/bootfs/etc/system", b"\x00\xff data\n"),)),
        ),
        (
            ("--module", f"/kernel/x={a_file}"),
            BootChoices(modules=(Module("kernel/x", "boot/bootfs/kernel/x", b"\x00\xff data\n"),)),
        ),
        (("--add-file", f"/local/a={a_file}"), BootChoices(files={"local/a": b"\x00\xff data\n"})),
    ]
    for words, expected in cases:
        assert ask(*words) == expected, words


PASSWORDS: list[tuple[bytes, str]] = [
    (b"secret\n", "secret"),
    (b"secret\r\nmore\n", "secret"),
    (b"secret", "secret"),
    (b"\xef\xbb\xbfsecret\n", "secret"),
    (" two words é \n".encode(), " two words é "),
]


@pytest.mark.parametrize(("data", "password"), PASSWORDS)
def test_a_password_is_the_first_line_and_only_its_hash_is_kept(
    ask: Asked, tmp_path: Path, data: bytes, password: str
) -> None:
    for choices in (
        ask("--root-password-file", write(tmp_path / "p", data)),
        ask("--root-password-file", "-", stdin=data),
    ):
        assert matches(password, choices.root_shadow)
        assert "secret" not in repr(choices)


@pytest.mark.parametrize(
    "words", [("--console", "vga"), ("--kmdb", "often"), ("--speed", "fast"), ("--boot-delay", "1.5")]
)
def test_words_that_are_no_choice_are_usage_errors(ask: Asked, words: tuple[str, str]) -> None:
    error = ask.invoke(*words).exception
    assert isinstance(error, click.UsageError)
    assert words[0] in error.format_message()


def test_a_good_answers_file_tells_what_to_know_before(ask: Asked, tmp_path: Path) -> None:
    warned = GOOD | {"zpool_layout": "raidz2", "zpool_confirm_layout": "yes", "skip_final_confirm": "true",
                     "root_password": "geheim-hunter22"}  # fmt: skip
    place = write(tmp_path / "a.json", warned)
    ask("--answers", place)
    told = "\n".join(ask.told)
    for words in (
        "builds the default layout all the same",
        "stands in clear text",
        "only on the console",
        "erased",
    ):
        assert words in told
    assert "geheim" not in told
    ask("--answers", place, "--console", "ttya")
    assert "only on the console" not in "\n".join(ask.told)
    ask("--answers", write(tmp_path / "b.json", {"hostname": "x"}))
    assert any("waits for Enter" in line for line in ask.told)
    ask("--answers", write(tmp_path / "c.json", GOOD | {"hostnam": "x"}))
    assert any("line 1, column" in line and "hostnam" in line for line in ask.told)


def test_a_profile_is_the_beginning_and_options_say_the_rest(ask: Asked, a_file: str) -> None:
    store = ProfileStore(user_paths())
    saved = BootChoices(
        console="ttya", speed=9600, verbose=True, rescue=True, pools=("zones",), root_shadow=SHADOW,
        answers=GOOD, modules=(Module("etc/a", "boot/bootfs/etc/a", b"a"), Module("etc/b", "boot/bootfs/etc/b", b"b")),
        files={"local/a": b"a", "local/b": b"b"},
    )  # fmt: skip
    store.save(Profile("rack", saved))
    assert ask("--profile", "rack") == saved
    assert any("waits for Enter" in line for line in ask.told) is False
    changed = ask("--profile", "rack", "--no-verbose", "--no-rescue", "--zpools", "data", "--boot-delay", "0")
    assert (changed.verbose, changed.rescue, changed.pools, changed.delay) == (False, False, ("data",), 0)
    assert ask("--profile", "rack", "--console", "ttya").speed == 9600
    assert ask("--profile", "rack", "--console", "ttyb").speed is None
    assert ask("--profile", "rack", "--console", "text").speed is None
    more = ask("--profile", "rack", "--add-file", f"local/b={a_file}", "--module", f"etc/a={a_file}")
    assert {path: len(data) for path, data in more.files.items()} == {"local/a": 1, "local/b": 8}
    assert [(m.name, len(m.data)) for m in more.modules] == [("etc/b", 1), ("etc/a", 8)]
    assert ask("--profile", "rack", "--speed", "19200").speed == 19200


def test_a_profile_mended_by_hand_into_nonsense_is_refused(ask: Asked) -> None:
    store = ProfileStore(user_paths())
    path = store.save(Profile("rack", BootChoices(console="ttya")))
    for was, now, reference in (
        ('"ttya"', '"vga"', "unknown-console"),
        ('console = "ttya"', 'hostname = "a b"', "bad-hostname"),
        ('console = "ttya"', "speed = 9600", "speed-without-port"),
    ):
        store.save(Profile("rack", BootChoices(console="ttya")))
        path.write_text(path.read_text().replace(was, now))
        assert ask.refused("--profile", "rack").reference == reference


def test_answers_of_a_profile_are_judged_again(ask: Asked, tmp_path: Path) -> None:
    ProfileStore(user_paths()).save(Profile("rack", BootChoices(answers=GOOD | {"admin_ip": "10.0.0.999"})))
    error = ask.refused("--profile", "rack", "--console", "ttya")
    assert (error.reference, error.context, int(error.exit_code)) == ("bad-answers", "profile rack", 4)
    assert ask("--profile", "rack", "--answers", write(tmp_path / "a.json", GOOD)).answers == GOOD


def test_the_prompt_asks_twice_at_a_terminal_and_shows_nothing() -> None:
    main, side = pty.openpty()
    command = [sys.executable, "-m", "smartos_wizard", "profile", "save", "rack", "--root-password-prompt"]
    with subprocess.Popen(command, stdin=side, stdout=side, stderr=side, start_new_session=True) as asking:
        os.close(side)
        shown = b""
        for _ in range(2):
            while not shown.endswith(b": "):
                shown += os.read(main, 4096)
            os.write(main, b"geheim-7\n")
            shown += b"."
        try:
            while more := os.read(main, 4096):
                shown += more
        except OSError:  # the terminal went with the command
            pass
        assert asking.wait(30) == 0
    os.close(main)
    assert b"Saved: " in shown
    assert b"geheim" not in shown
    assert matches("geheim-7", ProfileStore(user_paths()).load("rack").choices.root_shadow)


def test_from_outside_exit_codes_and_words_are_the_same(tmp_path: Path) -> None:
    bad = write(tmp_path / "bad.json", b'{"a": }')
    for words, code, said in (
        (("--answers", bad), 4, "line 1, column 7"),
        (("--console", "vga"), 2, "vga"),
        (("--hostname", "\udcff"), 2, "host name"),
        (("--add-file", f"\udcff={bad}"), 2, "FAT"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "smartos_wizard", "profile", "save", "x", *words],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        assert said in done.stderr
        assert "Traceback" not in done.stderr
