"""`kill -9`, Ctrl-C and unsuitable media: what changing files on a key leaves, and what is said about it.

Killed at whatever moment, a key holds whole old or whole new files, `key show` tells the truth, and the same
command brings it to its end.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.lab.rig import command, keychange
from tests.lab.rig.keychange import Job

pytestmark = pytest.mark.lab

KILLS_OF = {"configure": 40, "upgrade": 16, "rollback": 10}
STOPS_OF = {"configure": 10, "upgrade": 8, "rollback": 5}
SEED = 20260903
UNCHANGED = ("Nothing that was on it has changed.", "Stopped; nothing has changed.")
UNPROVEN = ("The change was made but is not proven; give the same command again.",)
UNPROVEN_BACK = ("The change was made but is not proven; `smartos-wizard key show` says what it starts now.",)


def each(work: Callable[[int, float], str], name: str, count: int) -> list[str]:
    """Do the work at moments spread evenly, each a little off, even and odd ones side by side; what came out."""
    noise = random.Random(f"{SEED} {name}")
    with ThreadPoolExecutor(1) as even, ThreadPoolExecutor(1) as odd:
        found = [(even, odd)[n % 2].submit(work, n, (n + noise.random()) / count) for n in range(count)]
        return [each.result() for each in found]


@pytest.mark.parametrize("name", KILLS_OF)
def test_killed_at_any_moment_the_same_command_brings_it_to_its_end(
    jobs: dict[str, Job], space: Path, name: str
) -> None:
    job = jobs[name]

    def killed(number: int, share: float) -> str:
        home, as_file = space / f"{name}{number}", bool(number % 2)
        key = keychange.copied(job.before, space / f"{name}{number}.img")
        with keychange.target(key, as_file=as_file) as place:
            if number % 4 < 2:
                work = keychange.in_the_middle(job, key, place, home, share / 8, as_file=as_file)
            else:
                work = keychange.at_moment(job, place, home, share, as_file=as_file, close=number % 8 > 5)
            work.kill()
            code = work.end().code
            was, cut = keychange.half(key, job), keychange.unfinished(key)
            shown = command.run(home, "key", "show", place, "--json")
            assert shown.code == 0, shown.told()
            assert shown.document["unfinished"] == cut, shown.told()
            assert any("cut short" in line for line in shown.document["problems"]) == cut, shown.told()
            if number % 4 > 1:
                (last,) = command.run(home, "job", "list", "--all", "--json").document
                true = {"done"} if code == 0 else {"interrupted"}
                if (was, cut) == ("new", False):  # perhaps killed after its last word
                    true.add("done")
                assert last["state"] in true, last
            elif cut:  # and once more, while it finishes that
                work = keychange.at_moment(job, place, home, share / 2, as_file=as_file)
                work.kill()
                work.end()
                keychange.half(key, job)
            keychange.again(job, key, place, home, as_file=as_file)
        key.path.unlink()
        return f"{was} cut" if cut else was

    found = each(killed, name, KILLS_OF[name])
    if name != "rollback":  # going back is over in a moment, too soon to be forestalled every time
        assert "old" in found, found
    assert sum(word.endswith("cut") for word in found) >= len(found) // 8, found


@pytest.mark.parametrize("name", STOPS_OF)
def test_ctrl_c_at_any_moment_ends_with_words_that_are_true(
    jobs: dict[str, Job], space: Path, name: str
) -> None:
    job = jobs[name]

    def stopped(number: int, share: float) -> str:
        home = space / f"stop-{name}{number}"
        key = keychange.copied(job.before, space / f"stop-{name}{number}.img")
        with keychange.target(key, as_file=True) as place:
            work = keychange.at_moment(job, place, home, share, as_file=True)
            work.signal(signal.SIGINT)
            outcome = work.end(20)
            was, words = keychange.half(key, job), str(outcome.last.get("state", ""))
            assert not keychange.unfinished(key), outcome.told()
            if outcome.last["event"] == "plan-finished":  # it came too late, perhaps while Python was ending
                assert (was, outcome.keys[0]["error"]) == ("new", None), outcome.told()
                assert outcome.code in (0, -signal.SIGINT), outcome.told()
            else:
                assert outcome.code == 3, outcome.told()
                assert outcome.last["event"] == "plan-cancelled", outcome.told()
                made = UNPROVEN_BACK if name == "rollback" else UNPROVEN
                assert words.endswith({"old": UNCHANGED, "new": made}[was]), (was, outcome.told())
            keychange.again(job, key, place, home, as_file=True)
        key.path.unlink()
        return f"{outcome.code} {was}"

    found = each(stopped, name, STOPS_OF[name])
    # going back is over in a moment, too soon to be forestalled every time
    seen = {"3 new"} if name == "rollback" else {"3 old", "3 new"}
    assert seen <= set(found), found
