"""What the loader.conf writer writes is what the loader reads, and the user's own lines stay his."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smartos_wizard.boot import loader_conf
from smartos_wizard.boot.loader_block import BEGIN, END
from smartos_wizard.boot.loader_write import (
    choices_of,
    files_of,
    loader_lines,
    merged,
    overridden,
    settings_of,
    stops_reading,
    without_block,
)
from smartos_wizard.boot.model import BootChoices, Kmdb, Module
from smartos_wizard.core.errors import Refused, UsageProblem
from tests.unit.boot.boot_choices import HIS_LINES, NAMES, SHADOW, all_choices
from tests.unit.boot.loader_reader import Loader

GOOD_FILES = st.tuples(st.lists(HIS_LINES, max_size=8), st.booleans()).map(
    lambda t: "\n".join(t[0]) + ("\n" if t[1] and t[0] else "")
)
ANY_FILES = (
    GOOD_FILES
    | st.text(max_size=80)
    | st.binary(max_size=80).map(lambda b: b.decode("utf-8", "surrogateescape"))
)


def read(text: str) -> Loader:
    return Loader().read(text.encode("utf-8", "surrogateescape"))


@settings(max_examples=80, deadline=None)
@given(GOOD_FILES, all_choices(), st.lists(NAMES, max_size=3, unique=True))
def test_what_was_asked_is_what_the_loader_reads(text: str, choices: BootChoices, files: list[str]) -> None:
    loader = read(merged(text, choices, tuple(files)))
    assert loader.stopped is None
    asked = settings_of(choices)
    assert {name: loader.environment.get(name) for name in asked} == asked
    wanted = {module.name: f"/{module.path}" for module in choices.modules}
    assert loader.loads() == wanted


@settings(max_examples=80, deadline=None)
@given(ANY_FILES, all_choices(), all_choices(), st.lists(NAMES, max_size=3, unique=True))
@example("a=1\n\n", BootChoices(verbose=True), BootChoices(), [])
@example("a=1", BootChoices(verbose=True), BootChoices(delay=3), [])
@example("\n", BootChoices(verbose=True), BootChoices(delay=3), [])
@example("\r\n", BootChoices(verbose=True), BootChoices(delay=3), [])
def test_the_users_file_comes_back_byte_for_byte(
    text: str, first: BootChoices, second: BootChoices, files: list[str]
) -> None:
    once = merged(text, first, tuple(files))
    assert merged(once, first, tuple(files)) == once
    assert merged(merged(once, second), BootChoices()) == text
    assert once.startswith(text)


@settings(max_examples=40, deadline=None)
@given(st.lists(HIS_LINES, max_size=4), st.lists(HIS_LINES, max_size=4), all_choices())
def test_lines_put_below_the_block_stay_too(above: list[str], below: list[str], choices: BootChoices) -> None:
    before, after = "".join(f"{x}\n" for x in above), "".join(f"{x}\n" for x in below)
    text = merged(before, choices) + after
    assert merged(text, BootChoices()) == before + after
    assert without_block(merged(text, BootChoices(verbose=True))) == before + after


def test_a_line_put_below_the_block_does_not_join_an_unended_one_above() -> None:
    text = merged("a=1", BootChoices(verbose=True)) + "b=2\n"
    assert merged(text, BootChoices()) == "a=1\nb=2\n"


@settings(max_examples=40, deadline=None)
@given(all_choices(), st.lists(NAMES, max_size=3, unique=True))
def test_the_block_tells_what_was_chosen(choices: BootChoices, files: list[str]) -> None:
    text = merged("# his\n", choices, tuple(files))
    told = choices_of(text)
    assert settings_of(told) == settings_of(choices)
    assert [(m.name, m.path) for m in told.modules] == [(m.name, m.path) for m in choices.modules]
    assert files_of(text) == tuple(sorted(files))


def test_a_block_without_an_end_is_refused_and_every_line_in_it_is_the_users() -> None:
    text = merged("a=1\n", BootChoices(verbose=True)).replace(END + "\n", "") + "mine=2\n"
    with pytest.raises(Refused) as caught:
        merged(text, BootChoices(delay=3))
    assert caught.value.reference == "broken-block"
    assert without_block(text) == text
    twice = merged("", BootChoices(verbose=True)).replace(END + "\n", "mine=2\n") + merged(
        "", BootChoices(delay=1)
    )
    with pytest.raises(Refused):
        merged(twice, BootChoices())
    assert "mine=2" in without_block(twice)


def test_a_block_saved_by_a_windows_editor_is_still_ours() -> None:
    text = merged("# his\n", BootChoices(verbose=True)).replace("\n", "\r\n")
    assert merged(text, BootChoices()) == "# his\r\n"
    assert merged(text.removesuffix("\r\n"), BootChoices()) == "# his\r\n"
    assert choices_of("# his\n" + merged("", BootChoices(verbose=True)).removesuffix("\n")).verbose is True


def test_later_lines_of_his_that_say_otherwise_are_told() -> None:
    text = 'os_console="ttyb"\nboot_verbose="YES"\nmine="x"\n'
    assert overridden(text, BootChoices(console="ttya", verbose=True)) == ("os_console",)


STOPS = [
    ('a="b"\r', "Windows line end"),
    ("\r", "Windows line end"),
    ("a=", "neither a setting"),
    ("a", "neither a setting"),
    ("_a=1", "neither a setting"),
    ("1a=1", "neither a setting"),
    ("a=.x", "neither a setting"),
    ("a=x;y", "neither a setting"),
    ('a="b', "neither a setting"),
    ('a="b\\"', "neither a setting"),
    ('a="b"c', "neither a setting"),
    ("a='b", "neither a setting"),
    ("a=$x", "neither a setting"),
    ("\x00", "neither a setting"),
    ("\udcff\udcfe", "neither a setting"),
    ("\ufeffa=1", "neither a setting"),
    ("\u00a0# no comment", "neither a setting"),
    ('a="it\'s"', "never closed"),
    ("a='say \"no'", "never closed"),
    ('a="$5$salt"', "never closed"),
    ('a="${x"', "never closed"),
    (f'a="{"x" * 1100}"', "too long"),
    ("a='\x00'", "never closed"),
]
READS = [
    "# comment\r",
    "",
    " # x",
    "a=1 # x",
    "a='$5$x'",
    'a="${x}/y"',
    "a=\"it's 'so\"",
    'a="x\\"y\\""',
    "a-b.c,d/e=/x@y:z,",
    "x_load='YES'",
    'x_name="$odd\'s"',
    'a="x"#y',
    "# \x00",
]


@pytest.mark.parametrize(("line", "why"), STOPS)
def test_lines_at_which_the_loader_stops_are_told_with_their_number_and_why(line: str, why: str) -> None:
    text = f'first="1"\n{line}\nlast="1"\n'
    ((number, said),) = stops_reading(merged(text, BootChoices(verbose=True)))
    assert number == 2
    assert why in said
    loader = read(text)
    assert (loader.stopped, list(loader.environment)) == (2, ["first"])
    assert list(loader_conf.parse(text)) == ["first"]


@pytest.mark.parametrize("line", READS)
def test_odd_lines_that_the_loader_takes_are_not_told(line: str) -> None:
    text = f'first="1"\n{line}\nlast="1"\n'
    assert stops_reading(text) == ()
    assert read(text).stopped is None
    assert loader_conf.nonsense(text) == ()


LINES = st.text(st.sampled_from("ab1_-./,:@='\"\\$ \t#{}()\r\x00é"), max_size=14)


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=3))
def test_both_readers_stop_at_the_same_line_and_find_the_same_names(lines: list[str]) -> None:
    text = "\n".join(lines)
    loader = read(text)
    stops = stops_reading(text)
    assert (stops[0][0] if stops else None) == loader.stopped
    mine = loader_conf.parse(text)
    assert set(mine) == set(loader.environment)
    assert {n: v for n, v in mine.items() if "$" not in v} == {
        n: v.encode("latin-1").decode() for n, v in loader.environment.items() if "$" not in mine[n]
    }


HOSTILE = [
    b"\r" * 10,
    b"\x00" * 100,
    b'a="',
    b"\xff\xfe\x00",
    b"a=1\n" * 60_000,
    b"x" * (1 << 20),
    b'"' * 1000,
]


@pytest.mark.parametrize("data", HOSTILE, ids=lambda data: repr(data[:8]))
def test_hostile_files_are_kept_and_what_stops_the_loader_is_told(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    once = merged(text, BootChoices(console="ttya"))
    assert once.encode("utf-8", "surrogateescape").startswith(data)
    assert merged(once, BootChoices()) == text
    assert bool(stops_reading(once)) == (read(text).stopped is not None)


HOSTILE_BLOCKS = [
    'os_console="ttya"\nttya-mode="²,8"\nautoboot_delay="٣"',
    'os_console="ttya"\nttya-mode="' + "9" * 500 + ',8"',
    'sw1__load="YES"\nsw2_x_load="YES"\nsw2_x_name=\'$\'',
    'zpools=",,,"\nboot_kmdb="MAYBE"',
    "\x00\x00",
]


@pytest.mark.parametrize("body", HOSTILE_BLOCKS)
def test_a_block_somebody_else_filled_is_read_calmly(body: str) -> None:
    told = choices_of(f"{BEGIN}\n{body}\n{END}\n")
    assert told.delay is None
    assert told.speed is None


REFUSED: list[tuple[BootChoices, str]] = [
    (BootChoices(console="vga"), "unknown-console"),
    (BootChoices(console="text", speed=9600), "speed-without-port"),
    (BootChoices(speed=9600), "speed-without-port"),
    (BootChoices(console="ttya", speed=299), "bad-speed"),
    (BootChoices(console="ttya", speed=4_000_001), "bad-speed"),
    (BootChoices(pools=("1zones",)), "bad-pool-name"),
    (BootChoices(pools=("zones\n",)), "bad-pool-name"),
    (BootChoices(pools=('z"',)), "bad-pool-name"),
    (BootChoices(pools=("p" * 256,)), "bad-pool-name"),
    (BootChoices(pools=tuple(f"pool{n:04}" for n in range(200))), "too-long-for-the-loader"),
    (BootChoices(delay=3601), "bad-delay"),
    (BootChoices(rescue=True, destroy_pools=True), "rescue-and-destroy"),
    (BootChoices(root_shadow="secret"), "no-hash"),
    (BootChoices(root_shadow=SHADOW + "\nx=1"), "no-hash"),
    (BootChoices(hostname='a"b'), "bad-hostname"),
    (BootChoices(hostname="a b"), "bad-hostname"),
    (BootChoices(hostname="a\nb"), "bad-hostname"),
    (BootChoices(hostname="hö"), "bad-hostname"),
    (BootChoices(modules=(Module("a b", "boot/bootfs/a b"),)), "bad-module-name"),
    (BootChoices(modules=(Module("a$b", "boot/bootfs/a$b"),)), "bad-module-name"),
    (BootChoices(modules=(Module("a", 'boot/"a'),)), "bad-module-name"),
    (BootChoices(modules=(Module("", ""),)), "bad-module-name"),
]


@pytest.mark.parametrize(("choices", "reference"), REFUSED)
def test_what_the_loader_or_smartos_would_not_understand_is_refused(
    choices: BootChoices, reference: str
) -> None:
    with pytest.raises(UsageProblem) as caught:
        loader_lines(choices)
    assert caught.value.reference == reference
    assert choices.root_shadow[:6] not in caught.value.message or not choices.root_shadow


def test_waiting_for_ever_and_kmdb_are_said_in_the_loaders_words() -> None:
    assert settings_of(BootChoices(delay=-1)) == {"autoboot_delay": "NO"}
    assert settings_of(BootChoices(delay=0)) == {"autoboot_delay": "0"}
    assert settings_of(BootChoices(kmdb=Kmdb.BOOT_NMI)) == {
        "boot_kmdb": "YES",
        "boot_debug": "YES",
        "nmi": "kmdb",
    }
    assert settings_of(BootChoices(rescue=True)) == {
        "noimport": "true",
        "standalone": "true",
        "smartos": "false",
    }
    assert settings_of(BootChoices(rescue=False)) == {}
    assert loader_lines(BootChoices(root_shadow=SHADOW)) == (f"root_shadow='{SHADOW}'",)


def test_lines_shown_as_problems_hold_no_secret() -> None:
    text = f'root_shadow="{SHADOW}"\nroot_shadow = \'hunter2\nROOT_PASSWORD=hunter2 x\nx {SHADOW}:\n'
    shown = " ".join(loader_conf.nonsense(text))
    assert "NvLlm" not in shown
    assert "hunter2" not in shown
    assert shown.count(loader_conf.MASK) == 4
