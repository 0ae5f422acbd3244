"""The plan of a restore: what of a backup is put back on a machine, and in which order. Pure.

Nothing that is there is written over: a dataset that exists is refused, a file that differs is left unless it is named.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from pathlib import Path

from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.core.plan import Confirmation, Effect, Plan, Step
from smartos_wizard.core.text import counted, size, tame
from smartos_wizard.reinstall import restore_asking as asking
from smartos_wizard.reinstall.backup_choice import Group, Tree
from smartos_wizard.reinstall.backup_manifest import CONFIGURATION, Manifest
from smartos_wizard.reinstall.doors import address_to_json
from smartos_wizard.reinstall.model import Mode, Survey
from smartos_wizard.reinstall.planning_steps import NOTHING
from smartos_wizard.reinstall.ports import Address
from smartos_wizard.reinstall.restore_config import CONFIG, Compared
from smartos_wizard.reinstall.restore_there_planning import check_there_plan, receive_plan
from smartos_wizard.reinstall.saying import host_name, listed
from smartos_wizard.reinstall.sent import there_to_json

KIND = "reinstall-restore"
_ITEMS = 12


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to put back. `groups`: names, or none; `overwrite`: paths that differ and are to be replaced, or `all`.

    `places`: of the configuration only what lies below these, without the first slash; None: wherever it lies.
    """

    configuration: bool = False
    groups: tuple[str, ...] = ()
    every_group: bool = False
    overwrite: tuple[str, ...] = ()
    places: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Before:
    """What earlier restores of this backup on this machine began and finished: datasets."""

    began: frozenset[str] = field(default_factory=frozenset)
    finished: frozenset[str] = field(default_factory=frozenset)


def plan_restore(
    manifest: Manifest, directory: Path, survey: Survey, compared: Compared, wanted: Wanted, address: Address,
    before: Before = Before(),
) -> Plan:  # fmt: skip
    """The plan. Raises Refused `target-exists`, `no-such-pool`, `parent-missing`, `origin-missing`, `nothing-to-restore`."""
    if survey.mode is Mode.RESCUE:
        raise Refused("rescue-mode", f"{host_name(survey)} is in Rescue Mode: no pool is imported.", hint="Boot it normally first.")  # fmt: skip
    if manifest.verified is None:
        raise Refused("backup-not-verified", "This backup was never read back.", hint="Make it again.")
    groups = _groups(manifest, wanted)
    receive, half, skipped = _trees(survey, groups, before)
    resumed = tuple(tree for tree in half if manifest.place(tree.dataset) is not None)
    half = [tree for tree in half if tree not in resumed]
    _origins(survey, receive)
    files = _files(compared, wanted) if wanted.configuration else ()
    instances = [g for g in groups if g.kind == "instance" and not _known(survey, g)]
    if not (receive or files or instances):
        raise Refused("nothing-to-restore", f"All of that is on {host_name(survey)} already. Nothing was changed.", hint="Files that differ are replaced with --overwrite PATH.")  # fmt: skip
    steps = [
        Step("recheck", "recheck", "that it is the surveyed machine", Effect.READS, undo=NOTHING),
        Step("check", "restore-check", "read the backup back and compare it", Effect.READS, undo=NOTHING, by_hand=f"smartos-wizard reinstall backup-check {shlex.quote(str(directory))}",
             params={"datasets": [tree.dataset for tree in receive]}),
    ]  # fmt: skip
    sent = [each for tree in receive if (each := manifest.place(tree.dataset)) is not None]
    if sent and manifest.there is not None:
        steps.append(check_there_plan(manifest.there, sent))
    steps += [_clear(tree) for tree in half]
    if receive:
        steps.append(_look(receive, groups, resumed))
    if files:
        steps.append(_configuration(files, compared))
    steps += _per_group(manifest, groups, receive, instances, survey, before)
    tokens = (host_name(survey), *(f"{host_name(survey)}:{tame(tree.dataset, 120)}" for tree in half))
    what = (["configuration"] if files else []) + [g.title for g in groups]
    return Plan(
        kind=KIND,
        title=f"Put back on {host_name(survey)}: {listed(what, most=5)}",
        steps=tuple(steps),
        untouched=("every dataset that is there", "every file that is there, but for those that the plan replaces by name", *skipped),
        confirmation=Confirmation(f"To change {host_name(survey)}, type what stands here", tokens),
        locks=(f"host:{tame(survey.hostid)}", f"directory:{directory}"),
        params={"address": address_to_json(address, survey), "directory": str(directory), "stamp": manifest.stamp,
                **({"there": there_to_json(manifest.there)} if manifest.there else {})},
    )  # fmt: skip


def _groups(manifest: Manifest, wanted: Wanted) -> tuple[Group, ...]:
    """The chosen groups, and before each what it is made from."""
    by_name = {group.name: group for group in manifest.groups}
    chosen: dict[str, Group] = {}

    def add(group: Group, above: tuple[str, ...] = ()) -> None:
        if group.name in chosen or group.name in above:
            return
        for origin in (o.split("@")[0] for tree in group.trees for o in tree.origins):
            owner = next((g for g in manifest.groups if any(_in(origin, t.dataset) for t in g.trees)), None)
            if owner is not None:
                add(owner, (*above, group.name))
        chosen[group.name] = group

    for name in by_name if wanted.every_group else wanted.groups:
        found = [group for key, group in by_name.items() if name and (key == name or key.startswith(name))]
        exact = [group for group in found if group.name == name] or found
        if len(exact) != 1:
            raise UsageProblem("not-in-backup", f"The backup holds {'nothing' if not exact else 'more than one thing'} by the name {tame(name, 120)}.", hint=f"It holds: {listed([g.title for g in by_name.values()]) or 'configuration only'}.")  # fmt: skip
        add(exact[0])
    return tuple(chosen.values())


def _in(name: str, top: str) -> bool:
    return name == top or name.startswith(top + "/")


def _trees(
    survey: Survey, groups: tuple[Group, ...], before: Before
) -> tuple[list[Tree], list[Tree], tuple[str, ...]]:
    """The trees to receive, those half received before, and what is skipped in words."""
    there = {dataset.name for dataset in survey.datasets}
    receive: list[Tree] = []
    half: list[Tree] = []
    skipped: list[str] = []
    for group in groups:
        for tree in group.trees:
            parent = tree.dataset.rpartition("/")[0]
            if tree.dataset in there:
                if group.kind == "image" or tree.dataset in before.finished:
                    skipped.append(f"{tame(tree.dataset, 120)}: is there already")
                    continue
                if tree.dataset not in before.began:
                    raise Refused("target-exists", f"{tame(tree.dataset, 120)} is on {host_name(survey)} already. Nothing was changed.", hint="Nothing is received over data that is there. Rename it, or destroy it yourself, if it is not wanted.")  # fmt: skip
                half.append(tree)
            elif survey.pool(tree.dataset.split("/")[0]) is None:
                raise Refused("no-such-pool", f"{host_name(survey)} has no pool {tame(tree.dataset.split('/')[0])}.", hint="Make or import it first.")  # fmt: skip
            elif parent and parent not in there and not any(_in(parent, t.dataset) for t in receive):
                raise Refused("parent-missing", f"{tame(parent, 120)} is missing on {host_name(survey)}, so {tame(tree.dataset, 120)} has no place.", hint=f"zfs create -p {shlex.quote(parent)}")  # fmt: skip
            receive.append(tree)
    return receive, half, tuple(skipped)


def _origins(survey: Survey, receive: list[Tree]) -> None:
    """Raise where a stream begins at a snapshot that is neither there nor received before it."""
    there = {dataset.name for dataset in survey.datasets}
    for tree in receive:
        for origin in tree.origins:
            name = origin.split("@")[0]
            if name not in there and not any(_in(name, other.dataset) for other in receive):
                image = name.rsplit("/", 1)[-1]
                raise Refused("origin-missing", f"{tame(tree.dataset, 120)} is made from {tame(origin, 120)}, which is neither on {host_name(survey)} nor in the backup.", hint=f"If it is an image: imgadm import {shlex.quote(image)}")  # fmt: skip


def _known(survey: Survey, group: Group) -> bool:
    return any(instance.uuid == group.name for instance in survey.instances)


def _files(compared: Compared, wanted: Wanted) -> tuple[str, ...]:
    """The missing ones and those named. Raises UsageProblem for a name that does not differ."""
    named = {path.lstrip("/") for path in wanted.overwrite if path != "all"}
    odd = named - set(compared.different) - ({CONFIG} & set(compared.missing))
    if odd:
        raise UsageProblem("odd-overwrite", f"/{tame(min(odd), 200)} does not differ, or is not in the backup.", hint=f"These differ: {listed(['/' + tame(p, 120) for p in compared.different]) or 'none'}.")  # fmt: skip
    if "all" in wanted.overwrite:
        named |= {path for path in compared.different if _placed(path, wanted)} - {CONFIG}
    missing = {path for path in compared.missing if _placed(path, wanted)}
    return tuple(sorted({*missing, *named} - ({CONFIG} - named)))


def _placed(path: str, wanted: Wanted) -> bool:
    """Whether the file lies where configuration is put back."""
    return wanted.places is None or any(_in(path, place) for place in wanted.places)


def _clear(tree: Tree) -> Step:
    command = f"zfs destroy -r {shlex.quote(tree.dataset)}"
    return Step(f"clear:{tree.dataset}", "restore-clear", f"the half of {tame(tree.dataset, 120)} that an interrupted restore left", Effect.DESTROYS,
                ("It was not there before this backup was being restored.",), by_hand=command, params={"dataset": tree.dataset})  # fmt: skip


def _look(receive: list[Tree], groups: tuple[Group, ...], resumed: tuple[Tree, ...]) -> Step:
    names = {tree.dataset for tree in receive}
    absent = sorted(names - {tree.dataset for tree in resumed})
    inside = {tree.dataset for group in groups for tree in group.trees} & names
    origins = sorted(
        {o for t in receive for o in t.origins if not any(_in(o.split("@")[0], n) for n in inside)}
    )
    return Step("look", "restore-look", "that nothing is in the way, and what the instances are made from is there", Effect.READS,
                tuple(f"has to be there: {tame(o, 160)}" for o in origins), undo=NOTHING, params={"absent": absent, "origins": origins})  # fmt: skip


def _configuration(files: tuple[str, ...], compared: Compared) -> Step:
    replaced = [path for path in files if path in compared.different]
    left = [path for path in compared.different if path not in files]
    details = [f"/{tame(path, 160)}{' is replaced' if path in replaced else ''}" for path in files[:_ITEMS]]
    details += [f"and {len(files) - _ITEMS} more"] if len(files) > _ITEMS else []
    details += [f"differs and is left: {listed(['/' + tame(p, 100) for p in left], most=8)}"] if left else []
    if CONFIG in compared.different:
        details += list(compared.difference)
    effect = Effect.CHANGES if replaced else Effect.CREATES
    over = f"; replaces {listed(['/' + tame(p, 100) for p in replaced], most=3)}" if replaced else ""
    return Step("configuration", "restore-configuration", f"{counted(len(files), 'file')} of configuration{over}", effect, tuple(details),
                undo="where it does not come to its end, what was made is removed and what was replaced is put back", by_hand=f"gunzip -c {CONFIGURATION} | ssh HOST 'cd / && tar xpf - {' '.join(shlex.quote(f) for f in files[:3])}'",
                params={"made": [p for p in files if p not in replaced], "replaced": replaced})  # fmt: skip


def _per_group(
    manifest: Manifest, groups: tuple[Group, ...], receive: list[Tree], instances: list[Group], survey: Survey, before: Before,
) -> list[Step]:  # fmt: skip
    steps = []
    for group in groups:
        for tree in group.trees:
            kept = manifest.stream(tree.dataset)
            sent = manifest.place(tree.dataset)
            if tree in receive and kept is None and sent is not None and manifest.there is not None:
                places = {each.place: each.dataset for each in manifest.sent}
                steps.append(receive_plan(tree, group, sent, manifest.there, places))
            elif tree in receive and kept is None:
                raise Refused("not-in-backup", f"The backup holds no stream of {tame(tree.dataset, 120)}.", hint="Was it made with --instance?")  # fmt: skip
            if tree in receive and kept is not None:
                steps.append(
                    Step(f"receive:{tree.dataset}", "restore-receive", f"{tame(tree.dataset, 120)}, {size(kept.stream_size)} ({group.title})", Effect.CREATES,
                         undo="what was received of it is destroyed; a whole one stays", by_hand=f"gunzip -c {kept.path} | ssh HOST {shlex.quote(asking.receive(tree.dataset))}",
                         params={"dataset": tree.dataset})
                )  # fmt: skip
        if group.kind == "image" and any(t in receive or t.dataset in before.finished for t in group.trees):
            steps.append(Step(f"image:{group.name}", "restore-image", f"tell imgadm of {group.title}", Effect.CREATES,
                              undo="none is needed: imgadm passes over what it does not find", by_hand="put /var/imgadm/images/POOL-UUID.json back", params={"dataset": group.name}))  # fmt: skip
        if group in instances:
            tops = [tree.dataset for tree in group.trees]
            by_hand = f"put /etc/zones/{group.name}.xml back; add its line to /etc/zones/index; {asking.cores(survey.system_pool, group.name)}; vmadm lookup uuid={group.name}"  # fmt: skip
            steps.append(Step(f"instance:{group.name}", "restore-instance", f"make {group.title} known to vmadm", Effect.CREATES,
                              ("/etc/zones/UUID.xml, its line in /etc/zones/index, its dataset for cores. It is not started.",),
                              undo="its line and file are taken away again", by_hand=by_hand, params={"uuid": group.name, "datasets": tops, "pool": survey.system_pool}))  # fmt: skip
    return steps
