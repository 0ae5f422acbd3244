"""A key that is pulled, or whose sectors fail, while its files are changed: what is on it then, and what is said."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.lab.rig import command, disks, fatreaders, keychange
from tests.lab.rig.command import Outcome
from tests.lab.rig.keychange import Job

pytestmark = pytest.mark.lab

MOMENTS = 4
UNCHANGED = "Nothing that was on it has changed."
BEGUN = "The change had begun. What boots from it is the old or the new, whole; the same command finishes it."
MADE = "The change was made but is not proven;"


def said(outcome: Outcome, was: str, *, cut: bool) -> None:
    """Fail unless the words are true of a key that holds its `old` files, the `new` ones, or something between."""
    words = str(outcome.last.get("message") or outcome.last.get("error", {}).get("message"))
    assert outcome.last["exit_code"] == outcome.code, outcome.told()
    if UNCHANGED in words:
        assert (was, cut) == ("old", False), outcome.told()
    elif MADE in words:
        assert (was, cut) == ("new", False), outcome.told()
    else:
        assert BEGUN in words, outcome.told()


@pytest.mark.parametrize("name", ["configure", "upgrade", "rollback"])
def test_pulled_at_any_moment_and_plugged_in_again_the_same_command_finishes_it(
    jobs: dict[str, Job], fault_rig: Path, home: Path, name: str
) -> None:
    job, noise, found = jobs[name], random.Random(name), []
    for number in range(MOMENTS):
        key = keychange.copied(job.before, fault_rig / f"pulled-{name}{number}.img")
        with disks.faulty(fault_rig, key.path.stat().st_size, backing=key.path) as disk:
            share = (number + noise.random()) / MOMENTS
            work = keychange.at_moment(job, disk.path, home, share, as_file=False, close=number % 2 == 0)
            disk.unplug()
            outcome = work.end(30)
        was, cut = keychange.half(key, job), keychange.unfinished(key)
        if outcome.code:
            assert outcome.code in (7, 10), outcome.told()
            said(outcome, was, cut=cut)
        found.append((outcome.code, was, cut))
        with disks.loop(key.path) as disk:
            keychange.again(job, key, disk.path, home, as_file=False)
        key.path.unlink()
    assert [code for code, _was, _cut in found if code], found


def test_a_sector_that_cannot_be_written_ends_it_with_words_that_are_true(
    jobs: dict[str, Job], fault_rig: Path, home: Path
) -> None:
    job, seen = jobs["configure"], set()
    whole = keychange.copied(job.before, fault_rig / "touched.img")
    assert command.run(home, *job.line(str(whole.path), as_file=True)[3:]).code == 0
    old, new = job.before.path.read_bytes(), whole.path.read_bytes()
    touched = [at for at in range(0, len(old), 512) if old[at : at + 512] != new[at : at + 512]]
    for at in (touched[0], touched[len(touched) // 20], touched[len(touched) // 2], touched[-1]):
        key = keychange.copied(job.before, fault_rig / f"bad{at}.img")
        with disks.faulty(fault_rig, len(old), backing=key.path, write_error_at=at) as disk:
            outcome = command.run(home, *job.line(disk.path, as_file=False)[3:])
        was, cut = keychange.half(key, job), keychange.unfinished(key)
        assert outcome.code == 7, outcome.told()
        said(outcome, was, cut=cut)
        seen.add((was, cut))
        with disks.loop(key.path) as disk:
            keychange.again(job, key, disk.path, home, as_file=False)
        key.path.unlink()
    assert fatreaders.by_mtools(whole.path, whole.first) == job.new
    assert ("old", False) in seen, seen
