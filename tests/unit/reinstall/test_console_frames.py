"""What goes through a terminal comes out as it went in, or is known not to have; what is left of a line does no harm."""

from __future__ import annotations

import re
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartos_wizard.reinstall.console_frames import TURN_BACK, cksum, printed, reply, typed
from smartos_wizard.reinstall.console_reading import BOUND, Seen, plain, seen_in

ALL = bytes(range(256))
SYSLOG = b"Nov 28 10:00:00 kestrel login: [ID 254462 auth.notice] ROOT LOGIN /dev/console\r\n"


@pytest.mark.parametrize(
    "data", [b"", b"a", ALL, ALL * 300, b"\0" * 70_000], ids=["none", "one", "all", "long", "zeros"]
)
def test_the_checksum_is_that_of_cksum(data: bytes) -> None:
    assert (
        cksum(data)
        == subprocess.run(["cksum"], input=data, capture_output=True, check=True).stdout.decode().strip()
    )


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_shell_makes_the_bytes_of_what_is_typed(shell: str) -> None:
    for data in (
        ALL,
        ALL[::-1],
        b"0123\x000\x001\xff7 8 9",
        "zpool destroy 'zones' \\0101 %s %% ü\n".encode() * 9,
    ):
        script = "{ " + "".join(f"printf %b '{word}';" for word in typed(data, 150)) + " }|" + TURN_BACK
        assert subprocess.run([shell, "-c", script], capture_output=True, check=True).stdout == data


@given(st.binary(max_size=600), st.integers(5, 200))
def test_words_are_short_and_plain_and_none_is_cut_in_the_middle(data: bytes, room: int) -> None:
    words = typed(data, room)
    assert all(0 < len(word) <= room for word in words)
    assert re.fullmatch(r"(?:[\w ./:,=+@-]|\\0[0-3][0-7]{2})*", "".join(words), re.ASCII)
    assert all(re.fullmatch(r"(?:[\w ./:,=+@-]|\\0[0-3][0-7]{2})*", word, re.ASCII) for word in words)


def test_no_command_is_legible_in_what_is_typed() -> None:
    word = " ".join(typed(b"zpool destroy -f zones; zfs destroy -r tank; reboot\n", 150))
    assert not re.search(r"zpool|zfs|destroy|reboot|[;|&$<>`'\"(){}*?]", word)


def od(data: bytes) -> list[str]:
    return [" " + " ".join(f"{byte:02x}" for byte in data[at : at + 16]) for at in range(0, len(data), 16)]


@pytest.mark.parametrize("data", [b"", b"a", ALL, b"\0" * 100], ids=["none", "one", "all", "zeros"])
def test_what_od_prints_is_read_back(data: bytes) -> None:
    said = subprocess.run(
        ["od", "-A", "n", "-v", "-t", "x1"], input=data, capture_output=True, check=True
    ).stdout.decode()
    assert said.splitlines() == od(data)
    assert printed(said) == data


JUNK = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="\r\n"), min_size=1, max_size=60
).filter(
    lambda line: (
        not re.fullmatch(r"\s*(?:[0-9a-f]{2}\s+)*[0-9a-f]{2}\s*", line) and len(line.splitlines()) == 1
    )
)


@given(st.binary(max_size=200), st.lists(st.tuples(st.integers(0, 20), JUNK), max_size=5))
def test_lines_of_others_in_between_change_nothing(data: bytes, junk: list[tuple[int, str]]) -> None:
    lines = od(data)
    for at, words in junk:
        lines.insert(at, words)
    assert printed("\r\n".join(lines)) == data


@given(st.binary(min_size=1, max_size=200), st.data())
def test_an_answer_that_was_damaged_is_never_taken_for_whole(data: bytes, draw: st.DataObject) -> None:
    text = "\n".join(od(data))
    at = draw.draw(st.integers(0, len(text) - 1))
    other = draw.draw(st.sampled_from("0123456789abcdefx \n~"))
    spoiled = text[:at] + other + text[at + draw.draw(st.integers(0, 3)) :]
    said = printed(spoiled)
    assert said == data or cksum(said) != cksum(data)


@given(st.text(max_size=200), st.integers(1, 999))
def test_only_the_answer_itself_is_taken_for_it(junk: str, number: int) -> None:
    found = reply("4f2a9c01", number).search(f"{junk.replace('4f2a9c01', '')} \n~4f2a9c01:{number}:0~\n")
    assert found is not None
    assert found["words"] == "0"
    assert reply("4f2a9c01", number + 1).search(f"~4f2a9c01:{number}:0~") is None
    assert (
        reply("4f2a9c01", number).search(f" r {number} $?; N=4f2a9c01; printf '~%s:%s:%s~\\n' $N {number} 0")
        is None
    )


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        (b"", Seen.SILENT),
        (b"\r\n \r\n", Seen.SILENT),
        (b"garbage \xff\xfe", Seen.UNKNOWN),
        (
            b"\x1b[12;8H\x1b[1mEsc\x1b[mape to loader prompt\x1b[16;8HConfigure Boot \x1b[1mO\x1b[mptions...\x1b[25;1H",
            Seen.MENU,
        ),
        (b"4. Configure Boot [O]ptions...\x1b[23;4HAutoboot in 9 seconds.  [Space] to pause ", Seen.MENU),
        (b"\x1b[15;8H\x1b[1mR\x1b[mescue Mode........... \x1b[32;7mOn\x1b[m\x1b[25;1H", Seen.OPTIONS),
        (b"5. [R]escue Mode......... Off\r\n", Seen.OPTIONS),
        (b"or type `boot' and press ENTER to start illumos.\r\n\r\nok ", Seen.PROMPT),
        (b"\r\nOK ", Seen.PROMPT),
        (b"it is ok ", Seen.UNKNOWN),
        (b"Configure Boot Options\x1b[25;1H\r\nLoading unix...\r\n", Seen.BOOTING),
        (b"SunOS Release 5.11 Version joyent_20260903T001557Z 64-bit\r\n", Seen.BOOTING),
        (b"SunOS Release 5.11\r\nkestrel console login: ", Seen.LOGIN),
        (b"kestrel console login: Nov 28 10:00:00 kestrel WARNING: sd1\r\n", Seen.LOGIN),
        (b"kestrel console login: root\r\nPassword: ", Seen.PASSWORD),
        (b"login: root\r\nPassword: \r\nLogin incorrect\r\nlogin: ", Seen.LOGIN),
        (
            b"login: root\r\nPassword: \r\nLast login: Fri Nov 27\r\n\x1b[32m[root@kestrel ~]# \x1b[0m",
            Seen.SHELL,
        ),
        (b"\r\nuid=0(root) gid=0(root)\r\n", Seen.SHELL),
        (b"login: root\r\nPassword: \r\n# " + SYSLOG, Seen.SHELL),
        (b"kestrel console login: root\r\nPassword: \r\n" + SYSLOG + b"[root@kestrel ~]# ", Seen.SHELL),
        (b"login: root\r\n# zpool list\r\nkestrel console login: ", Seen.LOGIN),
        (b"SunOS Release 5.11\r\n\x1b[2JSmartOS Setup\r\nPress [enter] to continue ", Seen.SETUP),
    ],
)
def test_what_a_console_shows_is_told_by_its_last_words(said: bytes, seen: Seen) -> None:
    assert seen_in(plain(said)) is seen


@given(st.binary(max_size=300), st.integers(0, 300))
def test_no_bytes_break_the_reading_and_no_control_is_left(data: bytes, cut: int) -> None:
    for piece in (data, data[:cut]):
        text = plain(piece)
        seen_in(text)
        assert not re.search(r"[\x00-\x08\x0b-\x1a\x7f]", text)


def test_looking_through_much_takes_no_time() -> None:
    import time

    for data in (
        b"#" * BOUND,
        b"login" * (BOUND // 5),
        b"\x1b[" * (BOUND // 2),
        b"\n" * BOUND,
        b"Rescue Mode" + b"." * BOUND,
        b"ok " * (BOUND // 3),
    ):
        began = time.monotonic()
        seen_in(plain(data))
        assert time.monotonic() - began < 3
