"""The steps of a backup whose datasets go to another host. `backup_planning` says what each is for."""

from __future__ import annotations

import shlex
from collections.abc import Generator
from dataclasses import replace

from smartos_wizard.core.errors import ProofFailed, Refused
from smartos_wizard.core.events import Event, Noted
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Run, Work
from smartos_wizard.core.text import tame
from smartos_wizard.reinstall import backup_asking as asking
from smartos_wizard.reinstall import sending
from smartos_wizard.reinstall.backup_begun import begun_of, groups_of
from smartos_wizard.reinstall.backup_names import place_of
from smartos_wizard.reinstall.doors import ReinstallWorld, door, stopper
from smartos_wizard.reinstall.parse_values import number
from smartos_wizard.reinstall.sent import Guids, Sent
from smartos_wizard.reinstall.streams import StreamHost, ask, patient
from smartos_wizard.reinstall.there import difference, there_of
from smartos_wizard.reinstall.transfer import Transfer, keeping, transferred

_Run = Run[ReinstallWorld]


def container_step(run: _Run, step: Step) -> Work:
    """Make the dataset that holds everything, or go on with the one that an interrupted backup made."""
    begun, there, dataset, mark = begun_of(run), there_of(run), step.params["dataset"], step.params["mark"]
    found = _mark(there, dataset)
    if not found:
        if begun.manifest.sent:
            yield Noted(run.clock(), step.id, f"{tame(dataset, 120)} is gone on {tame(there.name)}: everything is sent again.", level="warning", reference="sent-is-gone")  # fmt: skip
            begun.forget_sent([sent.dataset for sent in begun.manifest.sent])
        ask(there, sending.container(dataset, mark), stopper(run))
        run.found["container-made"] = True
    elif found != mark:
        raise Refused("target-exists", f"{tame(dataset, 120)} is on {tame(there.name)} already. Nothing was changed.", hint="Name a dataset that does not exist.")  # fmt: skip
    return {"dataset": dataset, "made": not found}


def container_undo(run: _Run, step: Step) -> Work:
    """Take it away where it was made now and nothing whole lies in it."""
    if run.found.get("container-made") and not run.found.get("kept-for-later") and not begun_of(run).manifest.sent:  # fmt: skip
        ask(there_of(run), patient(f"zfs destroy {shlex.quote(step.params['dataset'])}"))
    yield from ()
    return {}


def room(run: _Run) -> tuple[str, int] | None:
    """Where the datasets go, and how many bytes fit there, what came of them already included; None where they stay here."""
    if "there" not in run.plan.params:
        return None
    where, there, stop = run.plan.params["there"], there_of(run), stopper(run)
    free = number(ask(there, sending.available(where["dataset"]), stop).decode("utf-8", "replace").strip())
    manifest = begun_of(run).manifest
    half = [t.dataset for group in groups_of(run) for t in group.trees if not manifest.holds(t.dataset)]
    said = ask(there, sending.used(place_of(name, where["dataset"]) for name in half), stop) if half else b""
    came = sum(number(line) or 0 for line in said.decode("utf-8", "replace").splitlines())
    return f"{tame(where['dataset'], 120)} on {tame(where['host'])}", (free or 0) + came


def send_step(run: _Run, step: Step) -> Work:
    """One tree, through this machine."""
    begun, dataset, there = begun_of(run), step.params["dataset"], there_of(run)
    held = begun.manifest.place(dataset)
    if held is not None:
        yield Noted(run.clock(), step.id, f"{tame(held.place, 120)} is whole on {tame(there.name)} already.")
        return {"place": held.place, "again": False}
    tree = next(t for group in groups_of(run) for t in group.trees if t.dataset == dataset)
    snapshot = asking.snapshot_name(dataset, run.plan.params["stamp"])
    place = step.params["place"]
    sent = Sent(dataset, step.params["group"], place, snapshot, tree.size)
    what = Transfer(
        door(run), there, dataset, place, snapshot.partition("@")[2], tree.raw, run.found.get(f"size:{dataset}"),
        sending.moved_by(step.params["places"]), lambda stale: _make_room(run, step, stale),
    )  # fmt: skip

    def work() -> Generator[Event, None, None]:
        nonlocal sent
        count, snapshots = yield from transferred(run, step, what)
        run.found[f"count:{dataset}"] = count
        said = ask(what.source, sending.properties(dataset), stopper(run)).decode("utf-8", "replace")
        sent = replace(sent, snapshots=snapshots, properties=_of_these(sending.properties_of(said, dataset), snapshots))  # fmt: skip

    how = f"The snapshots stay on {tame(what.source.name)}, and what came stays in {tame(place, 120)}: give the same command again and it goes on. To give it up, destroy {tame(snapshot, 160)} and {tame(step.params['container'], 120)} by hand."  # fmt: skip
    yield from keeping(run, step, work(), how)
    begun.add_sent(sent)
    return {"place": place, "bytes": run.found[f"count:{dataset}"], "snapshots": sum(map(len, sent.snapshots.values())), "again": True}  # fmt: skip


def send_undo(run: _Run, step: Step) -> Work:
    """A stop was asked for: the half of it goes, for its snapshots go too. What is whole stays."""
    if not run.found.get("kept-for-later") and begun_of(run).manifest.place(step.params["dataset"]) is None:
        _clear(run, step)
    yield from ()
    return {}


def verify_step(run: _Run, _step: Step) -> Work:
    """Ask there once more for the guid of every snapshot. Raises ProofFailed `sent-differs`."""
    begun, there = begun_of(run), there_of(run)
    for sent in begun.manifest.sent:
        differs = difference(there, sent)
        if differs:
            begun.forget_sent([sent.dataset])
            run.found["kept-for-later"] = True
            raise ProofFailed("sent-differs", differs, hint="Give the same command again: it is sent anew.")
    yield from ()
    return {"trees": len(begun.manifest.sent)}


def _of_these(found: dict[str, dict[str, str]], snapshots: dict[str, Guids]) -> dict[str, dict[str, str]]:
    """Properties of what was sent, not of what was made meanwhile nor of the backup's own snapshots."""
    names = {name: {mark for mark, _ in marks} for name, marks in snapshots.items()}
    kept = {}
    for key, values in found.items():
        name, _, mark = key.partition("@")
        if name in names and (not mark or mark in names[name]):
            kept[key] = values
    return kept


def _make_room(run: _Run, step: Step, stale: sending.Stale) -> None:
    """An earlier try of this backup, with snapshots that are gone; nothing else can lie there."""
    run.found.setdefault("made-room", []).append(stale.dataset)
    _clear(run, step)


def _clear(run: _Run, step: Step) -> None:
    """Destroy the tree's place, where it lies in the dataset that was made for this backup."""
    there, container, place = there_of(run), step.params["container"], step.params["place"]
    if not place.startswith(container + "/") or _mark(there, container) != step.params["mark"]:
        raise Refused("not-ours", f"{tame(place, 120)} was not made for this backup.")
    if place in ask(there, asking.there([place])).decode("utf-8", "replace").split("\n"):
        ask(there, patient(f"zfs destroy -r {shlex.quote(place)}"))


def _mark(there: StreamHost, dataset: str) -> str:
    return ask(there, sending.marked(dataset)).decode("utf-8", "replace").strip()
