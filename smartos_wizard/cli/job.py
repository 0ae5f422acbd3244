"""The `job` commands: long work that outlives the terminal it was started from."""

from __future__ import annotations

from typing import Any

import click

from smartos_wizard.cli.main import Options
from smartos_wizard.cli.output import emit, json_option, print_events, say, table
from smartos_wizard.core import journal, text
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.events import PlanCancelled, PlanFinished
from smartos_wizard.core.paths import Paths
from smartos_wizard.core.vault import Vault


@click.group(name="job")
def command() -> None:
    """Work that goes on without a terminal: list it, follow it, stop it.

    \b
    Example: smartos-wizard job list
    """


def find_job(paths: Paths, job_id: str) -> journal.Job:
    """The job of that id (a unique beginning will do). Raises UsageProblem."""
    found = [job for job in journal.list_jobs(paths.jobs) if job.id.startswith(job_id)]
    if len(found) == 1:
        return found[0]
    words = "No job" if not found else "More than one job"
    raise UsageProblem(
        "no-such-job", f"{words} begins with “{job_id}”.", hint="smartos-wizard job list shows them."
    )


def state_of(job: journal.Job) -> dict[str, Any]:
    """What became of a job: `running`, `done`, `failed`, `cancelled` or `interrupted`, and how far it came."""
    progress = job.progress()
    ended = progress.ended
    if job.running():
        state = "running"
    elif ended is None:
        state = "interrupted"
    elif isinstance(ended, PlanCancelled):
        state = "cancelled"
    else:
        state = "done" if ended.exit_code == 0 else "failed"
    last = next((s for s in reversed(progress.steps) if s.state != "waiting"), None)
    meters = last.meters if last else {}
    return {
        "id": job.id,
        "title": progress.title or job.plan().title,
        "kind": progress.kind or job.plan().kind,
        "state": state,
        "exit_code": ended.exit_code if ended else None,
        "step": last.head.id if last else "",
        "done": sum(m.done for m in meters.values()),
        "total": sum(m.total or 0 for m in meters.values()) or None,
        "durable": sum(m.durable or 0 for m in meters.values()),
        "error": ended.error.to_json() if isinstance(ended, PlanFinished) and ended.error else None,
        "directory": str(job.directory),
    }


@command.command("list", epilog="Example: smartos-wizard job list --json")
@click.option("--all", "everything", is_flag=True, help="Finished jobs too.")
@json_option
@click.pass_obj
def list_jobs(options: Options, everything: bool, as_json: bool) -> None:
    """Running and unfinished jobs, oldest first."""
    paths = options.world.paths
    jobs = [state_of(job) for job in journal.list_jobs(paths.jobs)]
    shown = jobs if everything else [j for j in jobs if j["state"] != "done"]
    if as_json:
        emit(shown)
        return
    if not shown:
        say("Nothing is running, and nothing was left unfinished.")
        return
    rows = [(j["id"], j["state"], j["step"], _amount(j), j["title"]) for j in shown]
    table(("Job", "State", "At", "Done", "What"), rows)


def _amount(job: dict[str, Any]) -> str:
    if not job["total"]:
        return ""
    return f"{text.size(job['done'])} of {text.size(job['total'])}"


@command.command("attach", epilog="Example: smartos-wizard job attach 20260903T1200")
@click.argument("job_id", metavar="JOB")
@json_option
@click.pass_obj
def attach(options: Options, job_id: str, as_json: bool) -> int:
    """Follow a job from its beginning to its end; Ctrl-C leaves it running.

    The exit code is the job's own.
    """
    job = find_job(options.world.paths, job_id)
    seen = (event for event in journal.follow(job) if event is not None)
    code = print_events(seen, as_json=as_json)
    if job.progress().ended is None:
        raise UsageProblem(
            "job-interrupted",
            "The job was interrupted: no process works on it any more.",
            context=job.id,
            hint="Start the same work again; what is already right on the key is found and kept.",
        )
    return code


@command.command("cancel", epilog="Example: smartos-wizard job cancel 20260903T1200")
@click.argument("job_id", metavar="JOB")
@json_option
@click.pass_obj
def cancel(options: Options, job_id: str, as_json: bool) -> None:
    """Ask a running job to stop at the next safe moment."""
    job = find_job(options.world.paths, job_id)
    running = job.running()
    if running:
        job.request_cancel()
    if as_json:
        emit({"id": job.id, "asked": running})
    else:
        say("Asked to stop; `job list` tells when it has." if running else "It is not running.")


@command.command("dismiss", epilog="Example: smartos-wizard job dismiss 20260903T1200")
@click.argument("job_id", metavar="JOB")
@json_option
@click.pass_obj
def dismiss(options: Options, job_id: str, as_json: bool) -> None:
    """Stop showing an unfinished job at the start; secrets that waited for it are forgotten, nothing else changes."""
    job = find_job(options.world.paths, job_id)
    job.seen_file.touch()
    if not job.running():
        Vault(options.world.paths).forget_of(job.plan())
    if as_json:
        emit({"id": job.id, "dismissed": True})
    else:
        say("It will not be shown again.")


@command.command("run", hidden=True)
@click.argument("job_id", metavar="JOB")
@click.pass_obj
def run(options: Options, job_id: str) -> int:
    """Do the work of a job in this process. Started by the wizard, not by hand."""
    from smartos_wizard.core.jobs import run_job

    world = options.world
    return run_job(find_job(world.paths, job_id), world.run)
