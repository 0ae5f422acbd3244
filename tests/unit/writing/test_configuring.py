"""Telling a key what to say at boot: what is asked for and nothing else, proven; and secrets stay secret."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from smartos_wizard.boot.model import ANSWERS, LOADER_CONF_LOCAL, MENU_LST, BootChoices, Kmdb, Module
from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.core.events import to_json
from smartos_wizard.core.plan import Plan, require_confirmed
from smartos_wizard.media.configuring import choices_on, plan_configure
from smartos_wizard.media.contents import read_contents
from smartos_wizard.media.model import Target
from tests.unit.writing.parts import MemoryDevice, Outcome, Place
from tests.unit.writing.small_keys import (
    GRUB,
    beside,
    full,
    key,
    pread_of,
    small_image,
    sound,
    tree,
)

SHADOW = "$5$2HOHRnK3$NvLlm.1KQBbB0WjoP7xcIwGnllhzp2HnT.mDO7DpxYA"
PASSWORD = "correct horse battery"
MINE = (
    ("boot/loader.conf.local", b'# mine\nmy_own="line"\n'),
    ("local/notes.txt", b"mine"),
    ("kept.txt", b"!"),
)
SERIAL = BootChoices(console="ttyb", speed=9600, verbose=True, kmdb=Kmdb.LOADED, hostname="first")
ALL = BootChoices(
    console="ttya", delay=3, root_shadow=SHADOW, pools=("tank",), answers={"hostname": "second"},
    modules=(Module("etc/system", "boot/bootfs/etc/system", b"set zfs:zfs_arc_max=1\n"),),
    files={"local/more.txt": b"x" * 3000, "private/key.pem": b"-----BEGIN"},
)  # fmt: skip


def configure(
    place: Place, device: MemoryDevice, choices: BootChoices, *, reset: bool = False, plan: Plan | None = None
) -> Outcome:
    return place.run(plan or plan_configure(place.add(device), choices, place, reset=reset))


def proven(outcome: Outcome, device: MemoryDevice) -> None:
    assert outcome.code == 0, outcome.error
    assert outcome.claims_success
    assert outcome.keys[0]["state"] == "configured"
    assert device.closed
    assert sound(device)


def vault(place: Place) -> list[Path]:
    return sorted((place.paths.state / "vault").glob("*"))


def test_a_loader_key_says_what_was_asked_and_nothing_else_on_it_changed(place: Place) -> None:
    device = key(small_image(own=MINE))
    before = tree(device)
    plan = plan_configure(place.add(device), ALL, place)
    assert device.writes == [], "planning changes nothing"
    with pytest.raises(Refused):
        require_confirmed(plan, ())
    require_confirmed(plan, (device.serial,))
    outcome = configure(place, device, ALL, plan=plan)
    proven(outcome, device)
    after = tree(device)
    paths = {
        LOADER_CONF_LOCAL, ANSWERS, "boot/bootfs/etc/system", "local/more.txt", "private/key.pem",
    }  # fmt: skip
    assert set(outcome.keys[0]["files"]) == paths
    assert beside(after, *paths, "boot/bootfs", "private") == beside(before, *paths)
    assert after["boot/bootfs/etc/system"] == b"set zfs:zfs_arc_max=1\n"
    assert after["private/key.pem"] == b"-----BEGIN"
    conf = (after[LOADER_CONF_LOCAL] or b"").decode()
    assert conf.startswith('# mine\nmy_own="line"\n')
    assert 'os_console="ttya"' in conf
    assert choices_on(place.add(device), place) == ALL
    found = read_contents(pread_of(device), device.size)
    assert (found.console, found.problems) == ("ttya", ())


def test_a_grub_key_says_it_in_its_menu(place: Place) -> None:
    device = key(small_image(GRUB, legacy=True))
    before = tree(device)
    asked = BootChoices(console="ttyb", hostname="old", delay=3, answers={"hostname": "x"})
    outcome = configure(place, device, asked)
    proven(outcome, device)
    after = tree(device)
    assert beside(after, MENU_LST, "private") == beside(before, MENU_LST)
    assert b"variable os_console ttyb" in (after[MENU_LST] or b"")
    assert b"hostname=old" in (after[MENU_LST] or b"")
    proven(configure(place, device, BootChoices(), reset=True), device)
    assert tree(device) == before


def test_what_grub_cannot_do_is_said_before_anything_changes(place: Place) -> None:
    device = key(small_image(GRUB, legacy=True))
    before = bytes(device.data)
    for choices in (BootChoices(delay=-1), BootChoices(modules=ALL.modules)):
        with pytest.raises(UsageProblem):
            plan_configure(place.add(device), choices, place)
    assert bytes(device.data) == before
    assert not vault(place)


@pytest.mark.parametrize("legacy", [False, True], ids=["loader", "grub"])
def test_the_second_change_keeps_the_first_and_reset_gives_the_tree_of_the_release(
    place: Place, legacy: bool
) -> None:
    device = key(small_image(GRUB, legacy=True) if legacy else small_image())
    released = tree(device)
    proven(configure(place, device, SERIAL), device)
    later = BootChoices(hostname="later", files={"local/a/b.txt": b"b"}, answers={"hostname": "later"})
    proven(configure(place, device, later), device)
    found = choices_on(place.add(device), place)
    assert (found.console, found.speed, found.verbose, found.kmdb) == ("ttyb", 9600, True, Kmdb.LOADED)
    assert (found.hostname, found.files, found.answers) == ("later", later.files, later.answers)
    proven(configure(place, device, BootChoices(console="ttyc"), reset=True), device)
    assert choices_on(place.add(device), place) == BootChoices(console="ttyc")
    proven(configure(place, device, BootChoices(), reset=True), device)
    assert tree(device) == released


def test_own_lines_and_own_files_stay_through_reset(place: Place) -> None:
    device = key(small_image(own=MINE))
    before = tree(device)
    proven(configure(place, device, ALL), device)
    proven(configure(place, device, BootChoices(), reset=True), device)
    assert tree(device) == before


def test_an_own_file_that_is_replaced_is_said_and_gone_with_reset(place: Place) -> None:
    device = key(small_image(own=MINE))
    plan = plan_configure(place.add(device), BootChoices(files={"local/notes.txt": b"new"}), place)
    details = next(step for step in plan.steps if step.id == "configure").details
    assert any("local/notes.txt: changed" in line for line in details)


def test_where_there_is_nothing_to_do_nothing_is_asked_and_nothing_written(place: Place) -> None:
    device = key()
    proven(configure(place, device, ALL), device)
    after, device.writes = bytes(device.data), []
    for choices, reset in ((ALL, False), (ALL, True), (BootChoices(console="ttya"), False)):
        plan = plan_configure(place.add(device), choices, place, reset=reset)
        assert plan.confirmation is None
        require_confirmed(plan, ())
        outcome = configure(place, device, choices, plan=plan)
        assert (outcome.code, outcome.keys[0]["state"]) == (0, "unchanged")
        assert "nothing was changed" in str(outcome.last.result["say"])
    assert configure(place, key(), BootChoices(), reset=True).keys[0]["state"] == "unchanged"
    assert device.writes == []
    assert bytes(device.data) == after
    assert not vault(place)


def test_lines_at_which_the_loader_stops_reading_are_warned_of(place: Place) -> None:
    device = key(small_image(own=(("boot/loader.conf.local", b'no equals sign\nos_console="text"\n'),)))
    plan = plan_configure(place.add(device), BootChoices(console="ttya"), place)
    details = "\n".join(next(step for step in plan.steps if step.id == "configure").details)
    assert "Line 1" in details
    assert "os_console" in details


def test_secrets_are_in_the_vault_until_the_end_and_nowhere_else(place: Place) -> None:
    device = key()
    choices = BootChoices(
        root_shadow=SHADOW,
        answers={"root_password": PASSWORD, "hostname": "x"},
        files={"private/k": b"S3CRET"},
    )
    secrets = (PASSWORD.encode(), SHADOW.encode(), b"S3CRET", SHADOW.rsplit("$", maxsplit=1)[-1].encode())
    plan = plan_configure(place.add(device), choices, place)
    (kept,) = vault(place)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    said = json.dumps(plan.to_json()).encode()
    outcome = configure(place, device, choices, plan=plan)
    proven(outcome, device)
    said += json.dumps([to_json(event) for event in outcome.events]).encode()
    for secret in secrets:
        assert secret not in said
    assert "hostname" in said.decode(), "the difference is shown"
    assert not vault(place)
    plan = plan_configure(place.add(device), BootChoices(), place, reset=True)
    said = json.dumps(plan.to_json()).encode()
    for secret in secrets:
        assert secret not in said
    again = configure(place, device, BootChoices(), plan=plan)
    proven(again, device)
    assert not vault(place)


def test_a_change_of_secrets_alone_is_shown_without_them(place: Place) -> None:
    device = key()
    proven(configure(place, device, BootChoices(answers={"root_password": PASSWORD})), device)
    plan = plan_configure(place.add(device), BootChoices(answers={"root_password": "another one"}), place)
    said = json.dumps(plan.to_json())
    assert "another one" not in said
    assert PASSWORD not in said
    assert f"{ANSWERS}: only what is not shown changes" in said


def test_what_was_changed_since_the_plan_is_refused(place: Place) -> None:
    device = key(small_image(own=MINE))
    target = place.add(device)
    plan = plan_configure(target, BootChoices(console="ttya"), place)
    other = plan_configure(target, BootChoices(console="ttyb"), place)
    proven(place.run(other), device)
    before = bytes(device.data)
    outcome = place.run(plan)
    assert (outcome.code, outcome.error.reference) == (4, "changed-meanwhile")
    assert "Nothing was changed." in outcome.error.message
    assert outcome.keys[0]["error"]["reference"] == "changed-meanwhile"
    assert not outcome.claims_success
    assert bytes(device.data) == before
    again = place.run(plan_configure(target, BootChoices(console="ttya"), place))
    proven(again, device)


def test_a_secret_that_is_gone_from_the_vault_changes_nothing(place: Place) -> None:
    device = key()
    plan = plan_configure(place.add(device), ALL, place)
    for path in vault(place):
        path.unlink()
    before = hashlib.sha256(device.data).digest()
    outcome = place.run(plan)
    assert (outcome.code, outcome.error.reference) == (4, "secret-gone")
    assert outcome.keys[0]["state"] == "failed"
    assert hashlib.sha256(device.data).digest() == before


def test_no_room_is_said_before_the_key_is_touched(place: Place) -> None:
    device = key(full(100_000))
    before = bytes(device.data)
    with pytest.raises(Refused) as caught:
        plan_configure(place.add(device), BootChoices(files={"local/big": bytes(200_000)}), place)
    assert caught.value.reference == "no-space"
    assert "Nothing was changed." in caught.value.message
    assert bytes(device.data) == before


def test_two_changes_never_work_on_one_key(place: Place) -> None:
    device = key()
    target = place.add(device)
    plan = plan_configure(target, SERIAL, place)
    inner: list[Outcome] = []

    def meanwhile(_data: memoryview, _offset: int) -> None:
        if not inner:
            inner.append(place.run(plan))

    device.on_write = meanwhile
    assert place.run(plan).code == 0
    assert (inner[0].code, inner[0].error.reference) == (4, "target-busy")


def test_a_file_and_a_key_alike(place: Place) -> None:
    device = key()
    target = place.add(device)
    as_file = Target(target.disk, target.fingerprint, regular_file=True)
    plan = plan_configure(as_file, SERIAL, place)
    assert plan.locks == (device.name,)
    proven(place.run(plan), device)
