"""What is said of work that runs: gauges, what stopping now would mean, how it ended."""

from __future__ import annotations

from typing import Any

from textual.content import Content

from smartos_wizard.core import text
from smartos_wizard.core.events import PlanCancelled
from smartos_wizard.core.progress import Meter, Progress, StepState
from smartos_wizard.screens.page import error_words
from smartos_wizard.screens.widgets.gauges import amount, bar, clock_time
from smartos_wizard.screens.words import Marks

_SILENT = 2.0  # seconds without progress before it is said
_STOPPING = {
    "key-write": "If you stop now the key will not boot; the rest can be written later.",
    "release-download": "If you stop now, what came is kept and the rest can be fetched later.",
    "key-restore": "If you stop now the stick is unreadable until this is done again.",
    "key-configure": "If you stop now the key says the old or the new, whole; the same can be asked again.",
    "key-upgrade": "If you stop now the key starts the old platform or the new, whole.",
    "key-rollback": "If you stop now the key starts one platform or the other, whole.",
    "guest-create": "If you stop now, what was begun of the guest is taken away again.",
    "guest-start": "If you stop now the guest may run or not; its page says which.",
    "guest-stop": "If you stop now the guest may run or not; its page says which.",
    "guest-delete": "If you stop now the guest is half gone: removing it again finishes that.",
    "guest-reinstall": "If you stop now some of its disks are empty and others not; the same can be asked again.",
    "guest-snapshot": "If you stop now the snapshot is taken whole or not at all.",
    "guest-export": "If you stop now, what was begun of the export is taken away again.",
    "dualboot-install": "If you stop now, what was begun is taken back: this computer starts as before.",
    "dualboot-remove": "If you stop now some of it is left, whole; taking it away again goes on from there.",
    "reinstall-backup": "If you stop now, what came whole is kept, and the snapshots made for it are taken away; it can go on later.",
    "reinstall-restore": "If you stop now, what was put back whole stays; the same can be asked again.",
    "reinstall-run": "Before a pool is destroyed a stop takes back what was changed; after it the machine stays as it is.",
    "reinstall-undo": "If you stop now, some of it is taken back and some not; the same can be asked again.",
    "reinstall-inventory": "If you stop now, the machine at work is stopped as its own plan says, and no other is begun.",
    "netboot-build": "If you stop now the tree is as it was; what was downloaded is kept.",
}
_SILENT_ONE = {
    "reinstall-backup": "the machine",
    "reinstall-restore": "the machine",
    "release-download": "the network",
    "guest-create": "the disk of this machine",
}


def stopping(kind: str, otherwise: str = "It changes nothing; stop when you like.") -> str:
    """What stopping work of that kind now would mean."""
    return _STOPPING.get(kind, otherwise)


def measured(progress: Progress) -> StepState | None:
    """The step whose gauges are to be shown: the one at work, or the last that had any."""
    found = [s for s in progress.steps if any(m.total or m.done for m in s.meters.values())]
    current = progress.current
    if current is not None and current in found:
        return current
    return found[-1] if found else None


def meters_of(step: StepState | None) -> dict[str, Meter]:
    """The gauges of a step, by the device they are of."""
    if step is None:
        return {}
    named = {name: m for name, m in step.meters.items() if name}
    return named or dict(step.meters)


def gauges(
    progress: Progress, meters: dict[str, Meter], width: int, now: float, marks: Marks, kind: str
) -> Content:
    """Every gauge with its numbers, and beside its name whether it failed."""
    bad = {f.target for f in progress.failures if f.target}
    lines: list[Content] = []
    many = len(meters) > 1
    for name, meter in meters.items():
        if many:
            word = " failed" if name in bad else ""
            lines.append(Content.assemble((name, "bold"), (word, "bold $error")))
        each = _gauge(progress, meter, width, now, marks, kind)
        lines += each if not many else [each[0], Content("   ").join(each[1:])]
    return Content("\n").join(lines)


def _gauge(
    progress: Progress, meter: Meter, width: int, now: float, marks: Marks, kind: str
) -> list[Content]:
    lines = [Content.assemble(bar(meter.fraction, max(12, width - 30), marks), f"  {amount(meter)}")]
    speed = [f"now {text.rate(meter.rate)}", f"mean {text.rate(meter.mean)}"]
    left = meter.remaining()
    running = progress.ended is None
    if left is not None and running and meter.done < (meter.total or 0):
        speed.append(f"{text.duration(left)} left, done at {clock_time(now + left)}")
    lines.append(Content("   ".join(speed)))
    safe = []
    if meter.durable is not None and kind == "key-write":
        safe.append(f"safe on the device: {text.size(meter.durable)}")
    silent = meter.silent(now)
    quiet = running and silent >= _SILENT and meter.done < (meter.total or 0)
    if meter.bottleneck and not quiet:
        safe.append(f"slowest part: {meter.bottleneck}")
    pieces: list[Any] = [("   ".join(safe), "$dim")]
    if quiet:
        who = _SILENT_ONE.get(kind, "the device")
        pieces.append((f"   {marks.warn} {who} is silent for {text.duration(silent)}", "bold $warning"))
    if safe or len(pieces) > 1:
        lines.append(Content.assemble(*pieces))
    return lines


def how_it_ended(progress: Progress, *, lost: bool) -> Content:
    """The end in words: the error with what to do, what was cancelled, or what the work itself says."""
    ended = progress.ended
    if lost or ended is None:
        return Content(
            "Nobody works on it any more: the process was stopped. What is right is kept; try again."
        )
    if isinstance(ended, PlanCancelled):
        return Content(f"Stopped. {ended.state}")
    if ended.error is not None:
        return error_words(ended.error)
    said = [str(x) for x in ended.result.get("say", [])]
    return Content("\n").join([Content(line) for line in said or ["Done."]])
