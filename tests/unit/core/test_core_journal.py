from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from smartos_wizard.core import journal
from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.core.events import Advanced, PlanFinished, PlanStarted
from smartos_wizard.core.files import exclusive, is_locked, replace_file
from smartos_wizard.core.paths import Paths
from smartos_wizard.core.plan import Effect, Plan, Step
from smartos_wizard.core.settings import Settings, load, save

PLAN = Plan("k", "t", (Step("a", "a", "A", Effect.READS),))


def test_what_is_recorded_is_read_back_and_the_job_is_locked_meanwhile(paths: Paths) -> None:
    job = journal.create(paths.jobs, PLAN, practice=True)
    events = [PlanStarted(1.0, "k", "t"), Advanced(2.0, "a", 1, 2), PlanFinished(3.0, 0)]
    seen = []
    for event in journal.recorded(job, iter(events)):
        seen.append(job.running())
        assert event in events
    assert seen == [True, True, True]
    assert not job.running()
    assert list(journal.read(job.journal_file)) == events
    assert job.plan() == PLAN
    assert journal.unfinished(paths.jobs) == []


def test_a_line_cut_short_by_a_crash_is_passed_over_and_the_job_is_unfinished(paths: Paths) -> None:
    job = journal.create(paths.jobs, PLAN, practice=False)
    list(journal.recorded(job, iter([PlanStarted(1.0, "k", "t"), Advanced(2.0, "a", 1, 2)])))
    with job.journal_file.open("a") as file:
        file.write('{"event":"advanced","at":3.0,"st')
    assert len(list(journal.read(job.journal_file))) == 2
    assert journal.unfinished(paths.jobs) == [job]
    job.seen_file.touch()
    assert journal.unfinished(paths.jobs) == []


def test_following_sees_what_another_thread_writes_until_the_end(paths: Paths) -> None:
    job = journal.create(paths.jobs, PLAN, practice=False)

    def slowly() -> None:
        def events():  # type: ignore[no-untyped-def]
            yield PlanStarted(1.0, "k", "t")
            for n in range(5):
                time.sleep(0.05)
                yield Advanced(2.0 + n, "a", n, 5)
            yield PlanFinished(9.0, 0)

        list(journal.recorded(job, events()))

    thread = threading.Thread(target=slowly)
    thread.start()
    seen = [event for event in journal.follow(job, poll=0.02) if event is not None]
    thread.join()
    assert len(seen) == 7
    assert isinstance(seen[-1], PlanFinished)


def test_following_a_dead_job_ends(paths: Paths) -> None:
    job = journal.create(paths.jobs, PLAN, practice=False)
    list(journal.recorded(job, iter([PlanStarted(1.0, "k", "t")])))
    assert [e for e in journal.follow(job, poll=0.01) if e is not None] == [PlanStarted(1.0, "k", "t")]


def test_a_process_that_takes_long_to_begin_is_waited_for_and_its_death_ends_that(paths: Paths) -> None:
    job = journal.create(paths.jobs, PLAN, practice=False)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as slow:
        job.pid_file.write_text(str(slow.pid))
        assert job.running()
        assert journal.unfinished(paths.jobs) == []
        following = journal.follow(job, poll=0.001)
        assert [next(following) for _ in range(100)] == [None] * 100
        slow.kill()
        slow.wait()
        assert not job.running()
        assert [event for event in following if event is not None] == []
    assert journal.unfinished(paths.jobs) == [job]


def test_the_number_of_a_process_that_should_have_begun_long_ago_counts_for_nothing(paths: Paths) -> None:
    """After a restart of the machine another process may have it."""
    job = journal.create(paths.jobs, PLAN, practice=False)
    job.pid_file.write_text(str(os.getpid()))
    assert job.running()
    os.utime(job.pid_file, (0, 0))
    assert not job.running()
    assert journal.unfinished(paths.jobs) == [job]


def test_once_there_is_a_journal_only_the_lock_says_that_somebody_works(paths: Paths) -> None:
    """The number in `pid` may be another process's by then."""
    job = journal.create(paths.jobs, PLAN, practice=False)
    job.pid_file.write_text(str(os.getpid()))
    list(journal.recorded(job, iter([PlanStarted(1.0, "k", "t")])))
    assert not job.running()


def test_a_second_process_does_not_get_the_lock_and_death_frees_it(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    code = (
        "import sys, time; from pathlib import Path; from smartos_wizard.core.files import exclusive;"
        "from smartos_wizard.core.errors import Refused\n"
        f"with exclusive(Path({str(lock)!r}), Refused('busy', 'busy')):\n    print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == b"held\n"
        assert is_locked(lock)
        with pytest.raises(Refused), exclusive(lock, Refused("busy", "busy")):
            pass
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    assert not is_locked(lock)
    with exclusive(lock, Refused("busy", "busy")):
        pass


def test_replacing_a_file_leaves_no_half_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b.json"
    replace_file(target, b"one")
    replace_file(target, b"two")
    assert target.read_bytes() == b"two"
    assert [p.name for p in target.parent.iterdir()] == ["b.json"]


def test_settings_are_file_then_environment_and_survive_saving(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    assert load(file, {}) == Settings()
    save(file, Settings(mirror="/srv/smartos", theme="night", ascii=True))
    assert load(file, {}) == Settings("/srv/smartos", "night", True)
    assert load(file, {"SMARTOS_WIZARD_MIRROR": "https://m.example/"}).mirror == "https://m.example/"
    assert load(file, {"SMARTOS_WIZARD_ASCII": "0"}).ascii is False


def test_a_broken_settings_file_is_named_not_ignored(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("mirror = ")
    with pytest.raises(UsageProblem) as said:
        load(file, {})
    assert str(file) in said.value.context


def test_the_plan_file_says_whether_it_is_practice(paths: Paths) -> None:
    job = journal.create(paths.jobs, PLAN, practice=True)
    assert json.loads(job.plan_file.read_text())["practice"] is True


def test_jobs_begun_within_one_second_sort_as_they_were_begun(paths: Paths) -> None:
    made = []
    for _ in range(12):
        made.append(journal.create(paths.jobs, PLAN, practice=False).id)
        time.sleep(0.004)
    assert sorted(made) == made
