"""Changing files on keys for years, and being pulled at any write: judged by mtools, Linux's vfat and fsck.vfat."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path

import pytest

from smartos_wizard.media.fat_edit import FatEditor
from tests.lab.rig import fatcuts, fatkey, fatreaders, fatwear, parts
from tests.lab.rig.fatreaders import Tree
from tests.lab.rig.guest import Guest

pytestmark = pytest.mark.lab

SEQUENCES = 1000
EACH = 25
ON_DISK = 2
"""So many volumes lie on the disk, with true direct I/O and true syncs; the others in memory, which is faster."""
SEEN_BY_LINUX = 25
"""Every so many-th cut is shown to Linux as well."""


@pytest.fixture(scope="module")
def fast(space: Path) -> Iterator[Path]:
    """A directory in memory where there is one."""
    parts.need_programs(fatkey.PROGRAMS)
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(
        prefix="smartos-wizard-lab-", dir=memory if memory.is_dir() else space
    ) as place:
        yield Path(place)


def test_a_thousand_sequences_of_changes_leave_the_files_asked_for_and_a_clean_file_system(
    fast: Path, space: Path
) -> None:
    seeds = range(SEQUENCES // EACH)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context) as pool:
        work = [
            pool.submit(fatwear.wear, str(space if seed < ON_DISK else fast), seed, EACH) for seed in seeds
        ]
        results = [each.result() for each in work]
    assert sum(judged for judged, _refused in results) == SEQUENCES
    assert 0 < sum(refused for _judged, refused in results) < SEQUENCES, "a full volume now and then, no more"


@pytest.fixture(scope="module")
def changes(fast: Path) -> list[fatcuts.Change]:
    """The changes that are cut."""
    return list(fatcuts.changes(fast))


def trees(change: fatcuts.Change, place: Path) -> tuple[Tree, Tree]:
    """What mtools finds before and after the change."""
    found = []
    for volume in (change.before, change.after):
        path = place / "whole"
        path.unlink(missing_ok=True)
        fatcuts.write_out(volume, path)
        fatreaders.fsck(path)
        found.append(fatreaders.by_mtools(path))
    old, new = found
    assert old != new
    return old, new


def half(found: Tree, old: Tree, new: Tree, what: str) -> None:
    """Fail unless every file is the whole old or the whole new one, and the platform is all old or all new."""
    for path, entry in found.items():
        assert entry in [tree[path] for tree in (old, new) if path in tree], (what, path)
    assert old.keys() & new.keys() <= found.keys(), (what, "lost", (old.keys() & new.keys()) - found.keys())
    platform, *both = [{p: e for p, e in t.items() if p.startswith("platform")} for t in (found, old, new)]
    assert platform in both, (what, "the platform is neither the old nor the new")


@pytest.mark.parametrize("number", range(5))
def test_cut_at_any_write_mtools_finds_whole_files_and_opening_it_makes_fsck_content(
    changes: list[fatcuts.Change], fast: Path, number: int
) -> None:
    change = changes[number]
    old, new = trees(change, fast)
    path, ends = fast / "cut", set()
    for what, volume in change.cuts():
        path.unlink(missing_ok=True)
        fatcuts.write_out(volume, path)
        half(fatreaders.by_mtools(path), old, new, what)
        with fatwear.editing(path) as editor:
            recovered = editor.recovered
        fatreaders.fsck(path)
        healed = fatreaders.by_mtools(path)
        assert healed in (old, new), what
        with fatwear.editing(path) as editor:
            assert not editor.recovered, what
        ends.add((healed == new, recovered))
    assert {(False, False), (True, True), (True, False)} <= ends


def test_cut_at_any_write_linux_finds_whole_files(
    changes: list[fatcuts.Change], fast: Path, guest: Guest
) -> None:
    disk, shown = fast / "cuts", []
    for number, change in enumerate(changes):
        old, new = trees(change, fast)
        for what, volume in islice(change.cuts(), number, None, SEEN_BY_LINUX):
            fatcuts.write_out(volume, disk, len(shown) * fatkey.VOLUME)
            shown.append((what, old, new))
    key = guest.plug(disk, "LABCUTS")
    places = [n * fatkey.VOLUME for n in range(len(shown))]
    for found, (what, old, new) in zip(fatreaders.by_linux(guest, key.device, places), shown, strict=True):
        half(found, old, new, what)


def test_the_judges_of_these_tests_see_damage(changes: list[fatcuts.Change], fast: Path) -> None:
    change = changes[2]
    old, new = trees(change, fast)
    lost = {path: entry for path, entry in old.items() if path != "boot/loader"}
    mixed = old | {"platform/etc/version/platform": new["platform/etc/version/platform"]}
    for wrong in (lost, mixed, old | {"boot/loader": (3, "")}):
        with pytest.raises(AssertionError):
            half(wrong, old, new, "")
    path = fast / "damaged"
    fatcuts.write_out(change.after, path)
    with path.open("r+b") as file:
        file.seek(FatEditor(change.after.copy()).geometry.info * 512 + 488)
        file.write(b"\1\0\0\0")
    with pytest.raises(AssertionError, match="Free cluster summary wrong"):
        fatreaders.fsck(path)
