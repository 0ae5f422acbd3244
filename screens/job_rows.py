"""What became of a job, in words for the home screen. No Textual here."""

from __future__ import annotations

from dataclasses import dataclass

from smartos_wizard.core import journal, text
from smartos_wizard.core.events import PlanCancelled

_MEANS = {
    "key-write": "The key does not boot as it is. What is right on it is kept.",
    "key-restore": "The stick may be unreadable as it is. Start it again.",
    "release-download": "What came is kept; the rest can be fetched.",
    "key-configure": "The key says the old or the new, whole. Taking it up finishes and proves it.",
    "key-upgrade": "The key starts the old platform or the new, whole. Taking it up finishes and proves it.",
    "key-rollback": "The key starts one platform or the other, whole. Taking it up finishes and proves it.",
    "guest-create": "The guest is not there. Taking it up makes it anew.",
    "guest-start": "The guest may run or not: Your guests says which.",
    "guest-stop": "The guest may run or not: Your guests says which.",
    "guest-delete": "Some of it may be gone. Removing it again finishes that.",
    "guest-reinstall": "Some of its disks may be empty. Ask for it again.",
    "guest-snapshot": "The snapshot is there whole or not at all.",
    "reinstall-backup": "What came whole is kept. Taking it up goes on there.",
    "reinstall-restore": "What is whole stays. Taking it up compares the machine anew.",
    "reinstall-run": "Go on, no step is done twice; or take back what was begun.",
    "reinstall-undo": "Some of it may be taken back. Taking it up finishes that.",
    "reinstall-inventory": "What is done stays done. Taking it up goes on with the rest.",
    "dualboot-install": "What was begun is taken back, or can be taken away.",
    "dualboot-remove": "Something of it may be left. Taking it away again finishes that.",
    "netboot-build": "The tree is as it was, or new and whole. What came is kept.",
    "netboot-serve": "Nothing is served any more, and nothing of it is left.",
    "guest-export": "The guest is as it was. Ask for the export again.",
}
_WRITES = ("write", "options", "boot-sectors", "prove", "receipt", "format")
"""Steps from which on a key is no longer what it was."""


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job on the home screen: `running`, `interrupted`, `cancelled` or `failed`, and what that means."""

    job: journal.Job
    kind: str
    title: str
    state: str
    where: str
    means: str
    resumable: bool


def job_row(job: journal.Job) -> JobRow:
    """What became of a job, for the home screen."""
    plan, progress, running = job.plan(), job.progress(), job.running()
    ended = progress.ended
    state = "running" if running else "interrupted" if ended is None else "failed"
    if isinstance(ended, PlanCancelled):
        state = "cancelled"
    last = next((s for s in reversed(progress.steps) if s.state != "waiting"), None)
    meters = list(last.meters.values()) if last else []
    done, total = sum(m.done for m in meters), sum(m.total or 0 for m in meters)
    where = f"{text.size(done)} of {text.size(total)}" if total else ""
    if last is not None:
        where = f"{last.head.id.replace('-', ' ')} {where}".strip()
    means = _MEANS.get(plan.kind, "It changed nothing and can be started again.")
    begun = last is not None and last.head.id in _WRITES
    if plan.kind in ("key-write", "key-restore") and not begun:
        means = "Nothing had been written."
    if running:
        means = "It goes on by itself. Follow it to see how it fares."
    elif progress.error is not None:
        means = f"{progress.error.message} {means}"
    return JobRow(job, plan.kind, plan.title, state, where, means, not running)
