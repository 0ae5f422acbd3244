"""The journal: what a job did, as append-only JSON lines in the state directory. No secrets, ever.

A job is a directory: `plan.json` (what it shall do), `journal.jsonl` (what happened), `lock` (held by the
process that works on it), `cancel` (made by whoever wants it to stop), `pid` (of the process that was started for it).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import Refused
from smartos_wizard.core.events import Event, from_json, is_last, to_json
from smartos_wizard.core.files import exclusive, is_locked, replace_file
from smartos_wizard.core.paths import private_directory
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.progress import Progress, reduce

_STARTS = 600.0
"""Seconds that a process may take to its journal."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job on disk."""

    directory: Path

    @property
    def id(self) -> str:
        """Its name: the time it was made and a random part."""
        return self.directory.name

    @property
    def plan_file(self) -> Path:
        """The plan as JSON, with `practice` beside it."""
        return self.directory / "plan.json"

    @property
    def journal_file(self) -> Path:
        """One event per line."""
        return self.directory / "journal.jsonl"

    @property
    def lock_file(self) -> Path:
        """Held while a process works on the job."""
        return self.directory / "lock"

    @property
    def cancel_file(self) -> Path:
        """Exists when somebody asked the job to stop."""
        return self.directory / "cancel"

    @property
    def socket_file(self) -> Path:
        """Where the privileged opener may call in."""
        return self.directory / "opener.sock"

    def plan(self) -> Plan:
        """What it shall do."""
        return Plan.from_json(json.loads(self.plan_file.read_text(encoding="utf-8")))

    @property
    def pid_file(self) -> Path:
        """The number of the process that was started for it; what counts once there is a journal is the lock."""
        return self.directory / "pid"

    def starting(self) -> bool:
        """Whether its process lives and has not come to its journal: on a busy machine that takes long.

        A number that is older than `_STARTS` counts for nothing: after a restart another process may have it.
        """
        try:
            young = time.time() - self.pid_file.stat().st_mtime < _STARTS
            with suppress(PermissionError):  # it lives, as somebody else
                os.kill(int(self.pid_file.read_text()), 0)
        except (OSError, ValueError, OverflowError):
            return False
        return young and not self.journal_file.exists()

    def running(self) -> bool:
        """Whether a living process works on it, or is about to."""
        return self.starting() or is_locked(self.lock_file)

    def request_cancel(self) -> None:
        """Ask the process that works on it to stop."""
        self.cancel_file.touch()

    def progress(self) -> Progress:
        """Everything its journal tells, reduced. An interrupted job has no `ended`."""
        state = Progress()
        for event in read(self.journal_file):
            state = reduce(state, event)
        return state

    @property
    def seen_file(self) -> Path:
        """Exists when the user has been told how an unfinished job ended and let it go."""
        return self.directory / "dismissed"


def create(jobs: Path, plan: Plan, practice: bool) -> Job:
    """Make the directory of a new job and put its plan there."""
    private_directory(jobs)
    now = time.time()
    # Thousandths of the second come first, so that jobs begun within one second still sort as they were begun.
    mark = f"{int(now * 1000) % 1000:03x}{int.from_bytes(os.urandom(2), 'big') & 0xFFF:03x}"
    name = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now)) + "-" + mark
    directory = jobs / name
    directory.mkdir(mode=0o700)
    job = Job(directory)
    data: dict[str, Any] = {**plan.to_json(), "practice": practice}
    replace_file(job.plan_file, json.dumps(data, indent=1).encode())
    return job


def list_jobs(jobs: Path) -> list[Job]:
    """All jobs, oldest first; directories without a plan are passed over."""
    if not jobs.is_dir():
        return []
    return [Job(d) for d in sorted(jobs.iterdir()) if (d / "plan.json").is_file()]


def unfinished(jobs: Path) -> list[Job]:
    """Jobs that no process works on and whose journal has no end, or ended badly and can be resumed.

    What the user dismissed is left out.
    """
    found = []
    for job in list_jobs(jobs):
        if job.seen_file.exists() or job.running():
            continue
        ended = job.progress().ended
        if ended is None or ended.exit_code:
            found.append(job)
    return found


def recorded(job: Job, events: Iterator[Event]) -> Iterator[Event]:
    """Pass `events` on, writing each to the job's journal first; holds the job's lock meanwhile.

    Progress events are flushed, step changes are synced to the medium. Raises Refused when another
    process already works on the job.
    """
    busy = Refused("job-running", "This job is already being worked on by another process.", context=job.id)
    with exclusive(job.lock_file, busy), job.journal_file.open("a", encoding="utf-8") as file:
        for event in events:
            data = to_json(event)
            file.write(json.dumps(data, separators=(",", ":")) + "\n")
            file.flush()
            if data["event"] != "advanced":
                os.fsync(file.fileno())
            yield event


def read(path: Path) -> Iterator[Event]:
    """The events in a journal. A last line cut short by a crash is passed over, and so are unknown events."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        event = _event(line)
        if event is not None:
            yield event


_BEGINS = 10.0
"""Seconds after which a job without journal and without a process is given up."""


def follow(job: Job, poll: float = 0.1) -> Iterator[Event | None]:
    """The events of a job from its beginning, as they come, until its last.

    Yields None whenever nothing new came for `poll` seconds, so that the caller can draw or leave. Ends
    when the job ended, or when no process works on it any more and everything written was seen.
    """
    rest = ""
    offset = 0
    idle_after_death = 0
    while True:
        chunk = ""
        try:
            with job.journal_file.open("r", encoding="utf-8", errors="replace") as file:
                file.seek(offset)
                chunk = file.read()
                offset = file.tell()
        except FileNotFoundError:
            pass
        *lines, rest = (rest + chunk).split("\n")
        for line in lines:
            event = _event(line)
            if event is not None:
                yield event
                if is_last(event):
                    return
        if not chunk:
            alive = job.running()
            idle_after_death = 0 if alive else idle_after_death + 1
            begun = job.journal_file.exists() or job.pid_file.exists()
            if idle_after_death > 1 and (begun or idle_after_death * poll > _BEGINS):
                return
            yield None
            time.sleep(poll)


def _event(line: str) -> Event | None:
    try:
        return from_json(json.loads(line))
    except (ValueError, KeyError, TypeError):
        return None
