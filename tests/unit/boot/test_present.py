"""What a key was told is found on it again; choices come whole through the vault; the later word counts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartos_wizard.boot.answers_text import render
from smartos_wizard.boot.key_files import files_for
from smartos_wizard.boot.model import (
    ANSWERS,
    CONSOLES,
    LOADER_CONF_LOCAL,
    MENU_LST,
    SPEEDS,
    BootChoices,
    FileChange,
    Kmdb,
    Module,
)
from smartos_wizard.boot.packed import pack_changes, pack_choices, unpack_changes, unpack_choices
from smartos_wizard.boot.present import combined, present_choices
from smartos_wizard.core.errors import Refused
from smartos_wizard.practice.release_files import grub_files

SHADOW = "$5$2HOHRnK3$NvLlm.1KQBbB0WjoP7xcIwGnllhzp2HnT.mDO7DpxYA"
NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8)
ANSWERED = st.none() | st.dictionaries(
    st.sampled_from(["hostname", "ntp_host", "root_password", "zpool_layout"]),
    st.text(max_size=12),
    max_size=4,
)


@st.composite
def choices(draw: st.DrawFn, *, legacy: bool = False) -> BootChoices:
    console = draw(st.sampled_from(("", *CONSOLES)))
    speed = draw(st.none() | st.sampled_from(SPEEDS)) if console.startswith("tty") else None
    modules = () if legacy else draw(st.lists(NAMES, max_size=2, unique=True))
    names = draw(st.lists(NAMES, max_size=3, unique=True))
    return BootChoices(
        console=console, speed=speed, verbose=draw(st.none() | st.booleans()),
        kmdb=draw(st.none() | st.sampled_from(Kmdb)), rescue=draw(st.none() | st.just(True)),
        pools=tuple(draw(st.lists(NAMES.map(lambda n: f"p{n}"), max_size=2))),
        delay=draw(st.none() | st.integers(0 if legacy else -1, 3600)),
        root_shadow=draw(st.sampled_from(["", SHADOW])),
        hostname=draw(st.just("") | NAMES.map(lambda n: f"h{n}")),
        answers=draw(ANSWERED),
        modules=tuple(Module(f"etc/{n}", f"boot/bootfs/etc/{n}", draw(st.binary(max_size=9))) for n in modules),
        files={f"local/{n}": draw(st.binary(max_size=20)) for n in names},
    )  # fmt: skip


class Medium(dict[str, bytes]):
    """A key's files."""

    def tell(self, asked: BootChoices, *, legacy: bool = False) -> tuple[FileChange, ...]:
        changes = files_for(asked, self.get, legacy=legacy)
        for change in changes:
            assert self.get(change.path) == change.old
            if change.new is None:
                del self[change.path]
            else:
                self[change.path] = change.new
        return changes


def grub() -> Medium:
    return Medium(grub_files())


@given(choices())
def test_choices_come_through_the_vault_as_they_were(asked: BootChoices) -> None:
    assert unpack_choices(pack_choices(asked)) == asked


BYTES = st.none() | st.binary(max_size=40)


@given(st.lists(st.builds(FileChange, st.text(max_size=20), BYTES, BYTES, st.booleans()), max_size=5))
def test_changes_come_through_the_vault_as_they_were(changes: list[FileChange]) -> None:
    assert unpack_changes(pack_changes(changes)) == tuple(changes)


@given(choices())
def test_what_a_loader_key_was_told_is_found_on_it_again(asked: BootChoices) -> None:
    medium = Medium({LOADER_CONF_LOCAL: b'my_own="line"\n', "local/mine.txt": b"mine"})
    medium.tell(asked)
    assert present_choices(medium.get, legacy=False) == asked


@settings(max_examples=50)
@given(choices(), choices())
def test_a_second_change_keeps_what_the_first_said(first: BootChoices, second: BootChoices) -> None:
    medium = Medium()
    medium.tell(first)
    asked = combined(second, present_choices(medium.get, legacy=False))
    medium.tell(asked)
    found = present_choices(medium.get, legacy=False)
    assert found == asked
    assert combined(second, found) == found, "and the same once more changes nothing"
    for name in ("console", "verbose", "kmdb", "pools", "delay", "hostname", "answers"):
        nothing = getattr(BootChoices(), name)
        said = getattr(second, name) if getattr(second, name) != nothing else getattr(first, name)
        assert getattr(found, name) == said, name


@settings(max_examples=50)
@given(choices(legacy=True), choices(legacy=True))
def test_a_grub_key_that_says_it_already_is_not_changed_again(
    first: BootChoices, second: BootChoices
) -> None:
    medium = grub()
    released = dict(medium)
    medium.tell(first, legacy=True)
    assert medium.tell(combined(first, present_choices(medium.get, legacy=True)), legacy=True) == ()
    medium.tell(combined(second, present_choices(medium.get, legacy=True)), legacy=True)
    found = present_choices(medium.get, legacy=True)
    assert medium.tell(found, legacy=True) == (), "what is found on it is what it says"
    for name in ("pools", "hostname", "answers", "root_shadow", "delay"):
        nothing = getattr(BootChoices(), name)
        said = getattr(second, name) if getattr(second, name) != nothing else getattr(first, name)
        if said != {"delay": 10}.get(name, nothing):  # the released menu waits ten seconds anyway
            assert getattr(found, name) == said, name
    medium.tell(BootChoices(), legacy=True)
    assert dict(medium) == released


@settings(max_examples=50)
@given(choices(), choices())
def test_reset_takes_back_everything_and_leaves_what_was_the_users(
    one: BootChoices, two: BootChoices
) -> None:
    own = {LOADER_CONF_LOCAL: b"# mine\nx=1", "local/mine.txt": b"mine"}
    medium = Medium(own)
    medium.tell(one)
    medium.tell(combined(two, present_choices(medium.get, legacy=False)))
    medium.tell(BootChoices())
    assert dict(medium) == own


@given(choices())
def test_nothing_chosen_or_nothing_there_changes_nothing(asked: BootChoices) -> None:
    assert combined(asked, BootChoices()) == asked
    assert combined(BootChoices(), asked) == asked
    assert combined(asked, asked) == asked


def test_a_speed_is_not_inherited_by_another_port() -> None:
    below = BootChoices(console="ttya", speed=9600)
    assert combined(BootChoices(console="ttyb"), below).speed is None
    assert combined(BootChoices(console="ttya"), below).speed == 9600
    assert combined(BootChoices(speed=115200), below) == BootChoices(console="ttya", speed=115200)


def test_a_module_of_the_same_name_takes_the_place_of_the_earlier() -> None:
    old = Module("etc/system", "boot/bootfs/etc/system", b"old")
    new = Module("etc/system", "boot/bootfs/etc/system", b"new")
    other = Module("etc/motd", "boot/bootfs/etc/motd", b"hello")
    both = combined(BootChoices(modules=(new,)), BootChoices(modules=(old, other)))
    assert both.modules == (other, new)


def test_what_was_taken_away_by_hand_is_not_there_any_more() -> None:
    medium = Medium()
    module = Module("etc/system", "boot/bootfs/etc/system", b"set x=1")
    medium.tell(BootChoices(modules=(module,), files={"local/a": b"a"}, answers={"hostname": "x"}))
    for path in ("boot/bootfs/etc/system", "local/a", ANSWERS):
        del medium[path]
    assert present_choices(medium.get, legacy=False) == BootChoices()


def test_the_users_own_answers_and_lines_are_not_among_them() -> None:
    medium = Medium({ANSWERS: render({"hostname": "mine"}).encode(), LOADER_CONF_LOCAL: b'hostname="mine"\n'})
    assert present_choices(medium.get, legacy=False) == BootChoices()
    assert present_choices(grub().get, legacy=True) == BootChoices()
    assert present_choices(Medium().get, legacy=True) == BootChoices()


def test_answers_that_were_spoiled_since_are_refused_with_a_way_out() -> None:
    medium = Medium()
    medium.tell(BootChoices(answers={"hostname": "x"}))
    medium[ANSWERS] = b'{"hostname": "x",}'
    with pytest.raises(Refused) as caught:
        present_choices(medium.get, legacy=False)
    assert caught.value.reference == "answers-unreadable"
    assert "--reset" in caught.value.hint


@given(st.binary(max_size=60), st.integers(0, 400), st.integers(0, 30), st.booleans())
def test_whatever_is_in_the_settings_only_named_errors_come(
    data: bytes, at: int, gone: int, legacy: bool
) -> None:
    medium = grub() if legacy else Medium()
    medium.tell(BootChoices(console="ttya", delay=3, hostname="x", files={"local/a": b"a"}), legacy=legacy)
    path = MENU_LST if legacy else LOADER_CONF_LOCAL
    medium[path] = medium[path][:at] + data + medium[path][at + gone :]
    try:
        present_choices(medium.get, legacy=legacy)
    except Refused as error:
        assert error.hint
