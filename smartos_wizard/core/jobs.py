"""Long or destructive work in a process of its own, whose journal is its event stream.

The starter may go away: a closed terminal or a lost SSH line ends nothing. Whoever comes next finds the
job in the state directory and follows it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Protocol

from smartos_wizard.core import journal
from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.errors import Refused
from smartos_wizard.core.events import Event
from smartos_wizard.core.files import replace_file
from smartos_wizard.core.paths import Paths
from smartos_wizard.core.plan import Plan, require_confirmed


class JobWorld(Protocol):
    """The part of the world that starting a job needs."""

    practice: bool
    paths: Paths


def start_job(world: JobWorld, plan: Plan, confirm: tuple[str, ...] = ()) -> journal.Job:
    """Start a process of its own session that runs `plan`; return the job, to be followed or left.

    Raises Refused where the plan destroys something and `confirm` does not name all of it.
    """
    require_confirmed(plan, confirm)
    job = journal.create(world.paths.jobs, plan, world.practice)
    data = json.loads(job.plan_file.read_text(encoding="utf-8"))
    replace_file(job.plan_file, json.dumps({**data, "confirmed": list(confirm)}, indent=1).encode())
    command = [sys.executable, "-m", "smartos_wizard"]
    if world.practice:
        command.append("--practice")
    with (job.directory / "log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "job", "run", job.id],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
            env=_environment(),
        )
    replace_file(job.pid_file, str(process.pid).encode())
    # Whoever is still here when it ends takes its exit code, so that no zombie is left.
    threading.Thread(target=process.wait, daemon=True, name="job-ended").start()
    return job


def _environment() -> dict[str, str]:
    """The environment, with the place this program was loaded from, so that a checkout finds itself from `/`."""
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
    path = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([here, path] if path else [here])}


def run_job(job: journal.Job, run: Callable[[Plan, Cancel], Iterator[Event]]) -> int:
    """Do the work of a job in this process, journaled; return its exit code.

    The job stops at the next safe moment when its `cancel` file appears or TERM arrives; HUP is ignored.
    """
    data = json.loads(job.plan_file.read_text(encoding="utf-8"))
    plan = Plan.from_json(data)
    require_confirmed(plan, tuple(data.get("confirmed", ())))
    if job.journal_file.exists():
        raise Refused(
            "job-already-run",
            "This job was already run; a step is never run twice.",
            context=job.id,
            hint="Make a new plan: what is already right on the key is found and kept.",
        )
    cancel = Cancel()
    ended = threading.Event()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda _signum, _frame: cancel.request())
    watcher = threading.Thread(target=_watch, args=(job, cancel, ended), daemon=True)
    watcher.start()
    code = 1
    try:
        for event in journal.recorded(job, run(plan, cancel)):
            code = getattr(event, "exit_code", code)
    finally:
        ended.set()
    return code


def _watch(job: journal.Job, cancel: Cancel, ended: threading.Event) -> None:
    while not ended.wait(0.1):
        if job.cancel_file.exists():
            cancel.request()
            return
