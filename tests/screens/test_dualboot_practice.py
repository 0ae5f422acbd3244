"""The make-believe Linuxes are what they say they are, for commands and screens alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.netboot.dualboot_model import SCRIPT, Way
from smartos_wizard.netboot.dualboot_setup import read_setup
from smartos_wizard.practice.linux import practice_linux
from smartos_wizard.practice.linux_kinds import KINDS
from smartos_wizard.screens.dualboot_desk import opinions

_BEST = {
    "": Way.UNPACKED, "one-disk": Way.UNPACKED, "full": Way.UNPACKED, "breaks": Way.UNPACKED, "uefi": Way.CHAINLOAD,
    "uefi-no-key": Way.CHAINLOAD,
}  # fmt: skip
_STOPS = {
    "secure-boot": "secure-boot", "no-grub": "no-grub", "encrypted": "boot-encrypted", "macos": "not-linux",
}  # fmt: skip


def test_every_one_is_looked_at_here() -> None:
    assert {kind.name for kind in KINDS} == {*_BEST, *_STOPS}


@pytest.mark.parametrize(("name", "way"), _BEST.items())
def test_the_way_to_take_is_the_first_that_nothing_refuses(tmp_path: Path, name: str, way: Way) -> None:
    found = opinions(read_setup(practice_linux(tmp_path, name)))
    assert [o.way for o in found if o.recommended] == [way]
    refused = {o.way for o in found if not o.possible}
    assert refused == ({Way.CHAINLOAD} if way is Way.UNPACKED else {Way.UNPACKED, Way.ISO})


@pytest.mark.parametrize(("name", "reference"), _STOPS.items())
def test_every_way_is_refused_for_the_same_reason(tmp_path: Path, name: str, reference: str) -> None:
    found = opinions(read_setup(practice_linux(tmp_path, name)))
    assert not any(o.recommended for o in found)
    assert all(reference in [stop.reference for stop in o.stops] for o in found)


def test_only_the_key_that_is_plugged_in_is_chained_from(tmp_path: Path) -> None:
    (key,) = [
        o.uuid for o in opinions(read_setup(practice_linux(tmp_path, "uefi"))) if o.way is Way.CHAINLOAD
    ]
    assert key == "5A4F-0001"


def test_each_has_files_of_its_own_and_one_that_was_cut_short_is_laid_out_anew(tmp_path: Path) -> None:
    first, other = practice_linux(tmp_path), practice_linux(tmp_path, "breaks")
    assert first.root != other.root
    first.at(SCRIPT).write_text("x")
    (first.root / ".laid-out").unlink()
    first.at("/boot/vmlinuz").unlink()
    assert practice_linux(tmp_path).at("/boot/vmlinuz").exists()


def test_one_that_is_not_there_is_refused_with_the_names_of_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem) as found:
        practice_linux(tmp_path, "/mnt")
    assert "secure-boot" in found.value.hint
