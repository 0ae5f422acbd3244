"""Plans and carries out a check: the scripts, then every file they name, then hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import NetworkFailed
from smartos_wizard.core.events import Advanced, Event, Noted
from smartos_wizard.core.plan import Effect, Plan, Step
from smartos_wizard.core.runner import Action, Run, Work
from smartos_wizard.core.text import counted
from smartos_wizard.media.watching import in_thread
from smartos_wizard.netboot.check_report import Report
from smartos_wizard.netboot.checking import (
    Place,
    Wanted,
    judge_hash,
    judge_sizes,
    open_place,
    read_scripts,
    unguarded,
)
from smartos_wizard.netboot.model import ARCHIVE, KERNEL
from smartos_wizard.netboot.ports import NetbootWorld
from smartos_wizard.releases.mirror import open_mirror

KIND = "netboot-check"
_PIECE = 1 << 20
_MULTIBOOT = b"\x02\xb0\xad\x1b"
"""Stands in the first 8 KiB of a kernel (Multiboot Specification 0.6.96, 3.1)."""
_HEAD = 8192


def plan_check(where: str, *, full: bool) -> Plan:
    """The plan to check a tree at a URL or in a directory; `full` reads every archive and compares its hash."""
    files = "every file they name: is it there, has it a size that can be"
    more = (
        ("and every archive whole, against its SHA-1",)
        if full
        else ("hashes are not compared; --full does it",)
    )
    return Plan(
        KIND, f"Check the netboot tree at {where}",
        (
            Step("scripts", "netboot-read-scripts", "its scripts, and whether they make sense", Effect.READS),
            Step("files", "netboot-read-files", files, Effect.READS, more, params={"full": full}),
        ),
        untouched=("everything: it only reads",), params={"where": where},
    )  # fmt: skip


def check_local(run: Run[NetbootWorld], step: Step, root: Path) -> Generator[Event, None, Report]:
    """Check a directory whole as part of another plan; what was found. Raises UsageProblem `no-tree`."""
    place, report = open_place(str(root), open_mirror), Report()
    wanted = read_scripts(place, report)
    yield from _look(run, step, place, wanted, report, full=True)
    yield from _tell(run, step, report)
    return report


def _scripts(run: Run[NetbootWorld], _step: Step) -> Work:
    place = open_place(run.plan.params["where"], run.world.mirror)
    report = Report()
    wanted = yield from in_thread(run, lambda: read_scripts(place, report), lambda: ())
    run.found |= {"place": place, "report": report, "wanted": wanted}
    return {"scripts": len(report.scripts), "files": len(wanted.files)}


def _files(run: Run[NetbootWorld], step: Step) -> Work:
    place, report, wanted = run.found["place"], run.found["report"], run.found["wanted"]
    yield from _look(run, step, place, wanted, report, full=bool(step.params["full"]))
    yield from _tell(run, step, report)
    run.result |= {
        "where": run.plan.params["where"], "scripts": report.scripts, "files": report.files, "bytes": report.bytes,
        "each": report.each(wanted, run.found["sizes"]), "hashed": report.hashed, "not_hashed": report.unread, "findings": [f.to_json() for f in report.findings],
    }  # fmt: skip
    report.require()
    hashes = (
        f"{report.hashed} archive{'s have their' if report.hashed > 1 else ' has its'} SHA-1"
        if report.hashed
        else "no hash was compared"
    )
    if report.unread:
        hashes += (
            f"; {report.unread} were not read whole: --full does it" if report.hashed else " (--full does it)"
        )
    run.result["say"] = [
        f"OK: {counted(len(report.scripts), 'script')}, {counted(report.files, 'file')}; {hashes}."
    ]
    return {"files": report.files}


def _tell(run: Run[NetbootWorld], step: Step, report: Report) -> Iterator[Event]:
    for finding in report.findings:
        words = (
            f"{finding.where}: {finding.text}"
            if finding.where and finding.where not in finding.text
            else finding.text
        )
        yield Noted(run.clock(), step.id, words, level="warning", reference=finding.reference)


class _Progress:
    def __init__(self) -> None:
        self.done, self.total, self.name = 0, 0, ""


def _look(
    run: Run[NetbootWorld], step: Step, place: Place, wanted: Wanted, report: Report, *, full: bool
) -> Iterator[Event]:  # fmt: skip
    progress = _Progress()

    def tick() -> Iterator[Event]:
        yield Advanced(run.clock(), step.id, progress.done, progress.total or None)

    def work() -> None:
        sizes = _sizes(place, wanted, report, run.cancel.check)
        judge_sizes(wanted, sizes, report)
        unguarded(wanted, report)
        progress.total = sum(size for path, size in sizes.items() if full and path in wanted.guarded)
        run.found["sizes"] = sizes
        report.files, report.bytes = len(sizes), sum(sizes.values())
        for path in sizes:
            if path.endswith(f"/{KERNEL}") and not run.world.practice:
                _kernel(place, path, wanted, report)
            hash_ = wanted.guarded.get(path, "")
            if hash_ in sizes:
                _hash(place, path, hash_, report, progress, run.cancel.check, full=full)

    yield from in_thread(run, work, tick)


def _sizes(place: Place, wanted: Wanted, report: Report, stop: Callable[[], None]) -> dict[str, int]:
    sizes = {}
    for path in sorted(wanted.files):
        stop()
        mirror, name = place.reach(path)
        try:
            sizes[path] = mirror.head(name).size or 0
        except NetworkFailed as error:
            if error.reference != "not-on-mirror":
                raise
            report.wrong("missing-file", f"{path} is not there.", wanted.files[path].where, path)
    return sizes


def _kernel(place: Place, path: str, wanted: Wanted, report: Report) -> None:
    mirror, name = place.reach(path)
    incoming = mirror.open(name)
    head = b""
    try:
        while len(head) < _HEAD and (piece := incoming.read(_HEAD - len(head))):
            head += piece
    finally:
        incoming.close()
    if _MULTIBOOT not in head:
        report.wrong(
            "not-a-kernel",
            f"{path} is no multiboot kernel: nothing could start it.",
            wanted.files[path].where,
            path,
        )


def _hash(
    place: Place, path: str, hash_: str, report: Report, progress: _Progress, stop: Callable[[], None], *, full: bool
) -> None:  # fmt: skip
    mirror, name = place.reach(path)
    says = place.reach(hash_)[0].text(place.reach(hash_)[1])
    if not full:
        report.unread += path.endswith(f"/{ARCHIVE}")
        judge_hash(path, says, "", report)
        return
    digest = hashlib.sha1(usedforsecurity=False)
    incoming = mirror.open(name)
    try:
        while piece := incoming.read(_PIECE):
            stop()
            digest.update(piece)
            progress.done += len(piece)
    finally:
        incoming.close()
    report.whole.add(path)
    report.hashed += path.endswith(f"/{ARCHIVE}")
    judge_hash(path, says, digest.hexdigest(), report)


CHECK_ACTIONS: Mapping[str, Action[Any]] = {
    "netboot-read-scripts": Action(_scripts),
    "netboot-read-files": Action(_files),
}
"""The code that runs plans of kind `netboot-check`."""
