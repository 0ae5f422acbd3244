"""What the steps of a backup do. `backup_planning` says what each is for."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from smartos_wizard.core.errors import ProofFailed, Refused
from smartos_wizard.core.events import Advanced, Event, Noted
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Action, Run, Work
from smartos_wizard.core.text import size, tame
from smartos_wizard.reinstall import backup_asking as asking
from smartos_wizard.reinstall import backup_there
from smartos_wizard.reinstall.backup_begun import begun_of, groups_of, watch
from smartos_wizard.reinstall.backup_files import keep, make_directory, read_back, unpacked
from smartos_wizard.reinstall.backup_manifest import CONFIGURATION, SURVEY, Begun, Kept, unfinished, write
from smartos_wizard.reinstall.backup_names import file_of
from smartos_wizard.reinstall.backup_planning import merged, new_manifest
from smartos_wizard.reinstall.doors import ReinstallWorld, door, recheck, stopper
from smartos_wizard.reinstall.streams import CommandFailed, ask, shell

_Run = Run[ReinstallWorld]


def _directory(run: _Run, step: Step) -> Work:
    """Make the directory; read back what an interrupted backup left there."""
    directory = Path(run.plan.params["directory"])
    old = unfinished(directory)
    groups = groups_of(run)
    if old is not None and old.stamp != run.plan.params["stamp"]:
        raise Refused("other-backup-there", f"Another backup was begun in {tame(str(directory), 255)} meanwhile.", hint="Plan this one again.")  # fmt: skip
    made = make_directory(directory)
    run.found["backup"] = begun = Begun(
        directory, new_manifest(run.plan.params, groups, run.world.now()), made
    )
    for part in directory.glob(".*.part"):
        part.unlink()
    if old is not None:
        begun.manifest = merged(old, groups)
        total, done = begun.manifest.size, 0
        for kept in begun.manifest.files:
            try:
                yield from _shifted(watch(run, step, read_back(directory, kept), total), done)
                done += kept.size
            except ProofFailed as error:
                begun.forget([kept.path])
                yield Noted(run.clock(), step.id, f"{error.message} It is made again.", level="warning", reference=error.reference)  # fmt: skip
    write(directory, begun.manifest)
    run.state = lambda: f"Stopped; what is finished lies in {directory} and is used the next time."
    return {"directory": str(directory), "kept": len(begun.manifest.files)}


def _shifted(events: Iterable[Event], by: int) -> Iterator[Event]:
    for event in events:
        yield replace(event, done=event.done + by) if isinstance(event, Advanced) else event


def _directory_undo(run: _Run, _step: Step) -> Work:
    begun = run.found.get("backup")
    if begun is not None and begun.made and not begun.manifest.files:
        (begun.directory / "manifest.part.json").unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            begun.directory.rmdir()
    yield from ()
    return {}


def _configuration(run: _Run, step: Step) -> Work:
    """Small things, each a file; what the machine does not tell is noted as missing."""
    begun, host, stop = begun_of(run), door(run), stopper(run)
    text = json.dumps(run.plan.params["survey"], indent=1).encode() + b"\n"
    begun.add(
        (yield from watch(run, step, keep(begun.directory, Kept(SURVEY, 0, "", "facts"), [text]), None))
    )
    tar = Kept(CONFIGURATION, 0, "", "configuration")
    chunks = host.stream(shell(asking.configuration()), stop)
    begun.add((yield from watch(run, step, keep(begun.directory, tar, chunks), None)))
    wanted = [("facts.txt", asking.facts(), "facts", ""), ("images.json", asking.images(), "facts", "")]
    for uuid in step.params["instances"]:
        if not asking.is_uuid(uuid):
            yield from _lacking(run, step, f"instance {tame(uuid)}: an odd UUID")
            continue
        wanted.append((f"{uuid}.vmadm.json", asking.vmadm_get(uuid), "instance", uuid))
        wanted.append((f"{uuid}.zonecfg", asking.zonecfg(uuid), "instance", uuid))
    for name, command, kind, group in wanted:
        try:
            said = ask(host, command, stop)
        except CommandFailed as error:
            yield from _lacking(run, step, f"{name}: {tame(error.complaint, 80) or 'no answer'}")
            continue
        begun.add(
            (yield from watch(run, step, keep(begun.directory, Kept(name, 0, "", kind, group), [said]), None))
        )
    return {"bytes": begun.manifest.size, "missing": list(begun.manifest.missing)}


def _lacking(run: _Run, step: Step, what: str) -> Iterator[Event]:
    begun = begun_of(run)
    begun.manifest = replace(begun.manifest, missing=(*begun.manifest.missing, what))
    yield Noted(run.clock(), step.id, f"Not in the backup: {what}", level="warning", reference="backup-lacks")


def _snapshot(run: _Run, _step: Step) -> Work:
    """Snapshots of every group that is not finished; those of an interrupted run are used again where all are there."""
    begun, host, stop, stamp = begun_of(run), door(run), stopper(run), run.plan.params["stamp"]
    made, needed = [], 0
    for group in groups_of(run):
        if begun.manifest.whole(group):
            continue
        names = [asking.snapshot_name(tree.dataset, stamp) for tree in group.trees]
        there = set(ask(host, asking.there(names), stop).decode().split("\n"))
        if not set(names) <= there:
            begun.forget(kept.path for kept in begun.manifest.files if kept.kind == "stream" and kept.group == group.name)  # fmt: skip
            begun.forget_sent(tree.dataset for tree in group.trees)
            for name in names:
                if name in there:
                    ask(host, asking.destroy_snapshot(name), stop)
            ask(host, asking.snapshot(names), stop)
            made += names
        for tree, name in zip(group.trees, names, strict=True):
            if not begun.manifest.holds(tree.dataset):
                said = ask(host, asking.send(name, raw=tree.raw, dry=True) + " 2>&1", stop)
                run.found[f"size:{tree.dataset}"] = asking.estimate_of(said.decode("utf-8", "replace"))
                needed += run.found[f"size:{tree.dataset}"] or 0
    where, free = backup_there.room(run) or (tame(str(begun.directory), 255), shutil.disk_usage(begun.directory).free)  # fmt: skip
    if needed > free and not run.plan.params["tight"]:
        raise Refused("no-room", f"Up to {size(needed)} are to be kept, and {size(free)} are free in {where}.", hint="Use a larger disk, keep less, or try with --tight: it may fit when it is packed.", needed=needed, free=free)  # fmt: skip
    yield from ()
    return {"made": made, "bytes": needed}


def _release(run: _Run, _step: Step) -> Work:
    """Destroy exactly the snapshots of this backup, as far as they are there."""
    host, stamp = door(run), run.plan.params["stamp"]
    names = [asking.snapshot_name(tree.dataset, stamp) for group in groups_of(run) for tree in group.trees]
    there = set(ask(host, asking.there(names)).decode().split("\n"))
    for name in reversed(names):
        if name in there:
            ask(host, asking.destroy_snapshot(name))
    yield from ()
    return {"released": [name for name in names if name in there]}


def _send(run: _Run, step: Step) -> Work:
    """One stream into one file."""
    begun, dataset, stamp = begun_of(run), step.params["dataset"], run.plan.params["stamp"]
    kept = begun.manifest.stream(dataset)
    if kept is not None:
        yield Noted(
            run.clock(), step.id, f"{kept.path} is there already, {size(kept.size)}, and was read back."
        )
        return {"file": kept.path, "sha256": kept.sha256, "again": False}
    tree = next(t for g in groups_of(run) for t in g.trees if t.dataset == dataset)
    name = asking.snapshot_name(dataset, stamp)
    file = Kept(file_of(dataset), 0, "", "stream", step.params["group"], dataset, name)
    chunks = door(run).stream(shell(asking.send(name, raw=tree.raw)), stopper(run))
    done: Kept = yield from watch(run, step, keep(begun.directory, file, chunks), run.found.get(f"size:{dataset}"))  # fmt: skip
    begun.add(done)
    return {"file": done.path, "bytes": done.size, "stream": done.stream_size, "sha256": done.sha256, "again": True}  # fmt: skip


def check_files(
    run: _Run, step: Step, directory: Path, files: Iterable[Kept]
) -> Generator[Event, None, None]:
    """Read them back; raises ProofFailed for the first that is wrong, after all were read."""
    files = tuple(files)
    total, done, wrong = sum(kept.size for kept in files), 0, []
    for kept in files:
        try:
            yield from _shifted(watch(run, step, read_back(directory, kept), total), done)
        except ProofFailed as error:
            wrong.append(error)
            yield Noted(run.clock(), step.id, error.message, level="warning", reference=error.reference, data={"file": kept.path})  # fmt: skip
        done += kept.size
    if wrong:
        raise wrong[0]


def _verify(run: _Run, step: Step) -> Work:
    begun = begun_of(run)
    yield from check_files(run, step, begun.directory, begun.manifest.files)
    begun.manifest = replace(begun.manifest, verified=run.world.now())
    return {"files": len(begun.manifest.files), "bytes": begun.manifest.size}


def _rehearse(run: _Run, step: Step) -> Work:
    begun, host, total, done = begun_of(run), door(run), 0, 0
    streams = [kept for kept in begun.manifest.files if kept.kind == "stream"]
    total = sum(kept.size for kept in streams)
    for kept in streams:
        command = asking.rehearse(kept.dataset.split("/")[0], run.plan.params["stamp"])
        try:
            host.feed(shell(command), unpacked(begun.directory, kept), stopper(run))
        except CommandFailed as error:
            if "incremental stream: destination" not in error.complaint:
                raise
            # the second snapshot of a stream needs the first one received, and with -n nothing is
            yield Noted(run.clock(), step.id, f"{kept.path}: ZFS read its beginning; more than one snapshot cannot be rehearsed.", reference="rehearsed-in-part")  # fmt: skip
        done += kept.size
        yield Advanced(run.clock(), step.id, done, total)
    return {"streams": len(streams)}


def _manifest(run: _Run, _step: Step) -> Work:
    begun = begun_of(run)
    write(begun.directory, begun.manifest, final=True)
    run.state = lambda: "The backup is whole; snapshots made for it may be left on the machine."
    run.found["whole"] = True
    run.result |= {
        "directory": str(begun.directory), "files": len(begun.manifest.files), "bytes": begun.manifest.size,
        "missing": list(begun.manifest.missing),
        "sent": [sent.place for sent in begun.manifest.sent],
        "say": [f"Kept in {begun.directory}: {begun.manifest.words}.", "It holds password hashes, host keys and metadata: keep it as you keep those."],
    }  # fmt: skip
    yield from ()
    return {}


def _snapshot_undo(run: _Run, step: Step) -> Work:
    """As `_release`. Not where the backup is whole, nor where the next try goes on with what was sent."""
    if run.found.get("whole") or run.found.get("kept-for-later"):
        return {}
    return (yield from _release(run, step))


BACKUP_ACTIONS: dict[str, Action[ReinstallWorld]] = {
    "recheck": Action(recheck),
    "backup-directory": Action(_directory, _directory_undo),
    "backup-configuration": Action(_configuration),
    "backup-snapshot": Action(_snapshot, _snapshot_undo),
    "backup-send": Action(_send),
    "backup-verify": Action(_verify),
    "backup-rehearse": Action(_rehearse),
    "backup-manifest": Action(_manifest),
    "backup-release": Action(_release),
    "backup-container": Action(backup_there.container_step, backup_there.container_undo),
    "backup-send-there": Action(backup_there.send_step, backup_there.send_undo),
    "backup-verify-there": Action(backup_there.verify_step),
}
"""The code of a `reinstall-backup` plan."""
