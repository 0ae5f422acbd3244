"""The plan of a backup: what is read from the machine, what is made there for it, and what lies here afterwards. Pure."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import Refused
from smartos_wizard.core.plan import Effect, Plan, Step
from smartos_wizard.core.text import counted, size, tame
from smartos_wizard.reinstall import backup_asking as asking
from smartos_wizard.reinstall.as_json import survey_to_json
from smartos_wizard.reinstall.backup_choice import Choice, Group, Tree, chosen, group_to_json
from smartos_wizard.reinstall.backup_manifest import CONFIGURATION, Manifest
from smartos_wizard.reinstall.backup_names import file_of
from smartos_wizard.reinstall.backup_there_planning import container_plan, send_plan, verify_plan
from smartos_wizard.reinstall.doors import address_to_json
from smartos_wizard.reinstall.model import Mode, Survey
from smartos_wizard.reinstall.planning import identity_of
from smartos_wizard.reinstall.planning_steps import NOTHING
from smartos_wizard.reinstall.ports import Address
from smartos_wizard.reinstall.saying import host_name, listed
from smartos_wizard.reinstall.sent import there_from_json, there_to_json
from smartos_wizard.reinstall.there import Looked, mark_of, require_place

KIND = "reinstall-backup"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to: a directory here, and with `there` the datasets to another host. `begun` is what an interrupted backup left.

    `keep_snapshots`: those made for it stay on the machine. `rehearse`: each stream is sent back once, and read there
    as if to receive it. `tight`: go on though it might not fit.
    """

    directory: Path
    begun: Manifest | None = None
    keep_snapshots: bool = False
    rehearse: bool = False
    tight: bool = False
    there: Looked | None = None


def plan_backup(
    survey: Survey, choice: Choice, address: Address, destination: Destination, now: float
) -> Plan:
    """The plan. Raises Refused `rescue-mode`, `other-host`, UsageProblem for what is not there."""
    if survey.mode is Mode.RESCUE:
        raise Refused("rescue-mode", f"{host_name(survey)} is in Rescue Mode: no pool is imported, so nothing can be read.", hint="Boot it normally, then make the backup.")  # fmt: skip
    begun = destination.begun
    if begun is not None and begun.host.get("hostid") != survey.hostid:
        raise Refused("other-host", f"{tame(str(destination.directory), 255)} holds the beginning of a backup of another machine, {tame(str(begun.host.get('hostname')))}. Nothing was changed.", hint="Name another directory with --to.")  # fmt: skip
    if begun is not None and begun.there != (destination.there.there if destination.there else None):
        raise Refused("other-destination", f"{tame(str(destination.directory), 255)} holds the beginning of a backup whose datasets go {'to ' + tame(begun.there.words, 160) if begun.there else 'into files here'}. Nothing was changed.", hint="Give the same command as then, or name another directory with --to.")  # fmt: skip
    groups = chosen(survey, choice)
    stamp = begun.stamp if begun else time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    if destination.there:
        require_place(destination.there, survey, mark_of(survey.hostid, stamp))
    what = listed([group.title for group in groups if group.kind != "image"], most=4)
    return Plan(
        kind=KIND,
        title=f"Back up {host_name(survey)}: configuration{f', {what}' if what else ' only'}",
        steps=tuple(_steps(survey, groups, stamp, destination)),
        untouched=("everything on the machine: only snapshots are made there",) if groups else ("everything on the machine",),
        locks=(f"host:{tame(survey.hostid)}", f"directory:{destination.directory}"),
        params=_there(destination) | {
            "address": address_to_json(address, survey), "directory": str(destination.directory), "stamp": stamp,
            "groups": [group_to_json(group) for group in groups], "identity": identity_of(survey), "survey": survey_to_json(survey),
            "tight": destination.tight, "keep_snapshots": destination.keep_snapshots,
        },
    )  # fmt: skip


def _there(destination: Destination) -> dict[str, Any]:
    return {"there": there_to_json(destination.there.there)} if destination.there else {}


def _steps(survey: Survey, groups: tuple[Group, ...], stamp: str, destination: Destination) -> list[Step]:
    where = tame(str(destination.directory), 255)
    left = (
        f"what was finished before: {counted(len(destination.begun.files), 'file')}"
        if destination.begun
        else ""
    )
    steps = [
        Step("recheck", "recheck", "that it is the surveyed machine", Effect.READS, undo=NOTHING, by_hand=asking.identity()),
        Step("directory", "backup-directory", f"the directory {where}", Effect.CREATES,
             ("Mode 0700, files 0600: password hashes, host keys and metadata of instances will lie in it.", *([f"Read back and kept: {left}"] if left else [])),
             undo="it is removed where it was made now and is empty", by_hand=f"mkdir -m 700 {shlex.quote(str(destination.directory))}"),
        _configuration(survey),
    ]  # fmt: skip
    trees = [(group, tree) for group in groups for tree in group.trees]
    there = destination.there.there if destination.there else None
    mark = mark_of(survey.hostid, stamp)
    if trees and there:
        steps.append(container_plan(there, mark))
    if trees:
        steps.append(_snapshots(survey, groups, stamp))
        sends = [(number, group, tree, stamp) for number, (group, tree) in enumerate(trees)]
        steps += [send_plan(*each, there, mark, trees) if there else _send(*each) for each in sends]
    steps.append(Step("verify", "backup-verify", "read everything back from the disk and compare it", Effect.READS,
                      ("size and sha256 of each file; of each stream also what is packed in it, its first and its last record",), undo=NOTHING, by_hand=f"smartos-wizard reinstall backup-check {shlex.quote(str(destination.directory))}"))  # fmt: skip
    if trees and there:
        steps.append(verify_plan(there))
    if trees and destination.rehearse and not there:
        steps.append(Step("rehearse", "backup-rehearse", "send each stream back and have ZFS read it there", Effect.READS,
                          ("zfs recv -n: nothing is made of it; it takes as long as sending did",), undo=NOTHING, by_hand="gunzip -c FILE | ssh HOST zfs recv -nvu zones/test"))  # fmt: skip
    steps.append(Step("manifest", "backup-manifest", "the list of all files with their digests: the backup is whole", Effect.CREATES, undo="none is needed: the backup is whole"))  # fmt: skip
    if trees and not destination.keep_snapshots:
        steps.append(_release(trees, stamp))
    return steps


def _configuration(survey: Survey) -> Step:
    uuids = [instance.uuid for instance in survey.instances]
    details = [
        f"{CONFIGURATION}: {', '.join('/' + place for place in asking.PLACES)}",
        "the survey, images, and facts of pools, datasets and network cards",
    ]
    if uuids:
        details.append(
            f"vmadm get and zonecfg export of {counted(len(uuids), 'instance')}, with their metadata"
        )
    return Step("configuration", "backup-configuration", "configuration", Effect.CREATES, tuple(details), undo="files that are not whole are removed",
                by_hand=f"ssh HOST {shlex.quote(asking.configuration())} | gzip > {CONFIGURATION}", params={"instances": uuids})  # fmt: skip


def _snapshots(survey: Survey, groups: tuple[Group, ...], stamp: str) -> Step:
    names = [asking.snapshot_name(tree.dataset, stamp) for group in groups for tree in group.trees]
    running = [tame(i.title) for i in survey.instances if i.running and any(g.name == i.uuid for g in groups)]
    details = [f"{tame(name, 160)}, and of all below" for name in names]
    if running:
        details.append(f"Running: {listed(running, most=6)}. They are kept as after a power cut; stop them first for more.")  # fmt: skip
    return Step("snapshot", "backup-snapshot", f"snapshots of {counted(len(names), 'dataset')}", Effect.CREATES, tuple(details),
                undo="exactly these are destroyed", by_hand=asking.snapshot(names))  # fmt: skip


def _send(number: int, group: Group, tree: Tree, stamp: str) -> Step:
    name = asking.snapshot_name(tree.dataset, stamp)
    kept = ["encrypted as it is (-w): to read it the key is needed"] if tree.raw else []
    if tree.origins:
        kept.append(f"made from {listed([tame(o, 100) for o in tree.origins])}, which is kept too or has to be there")  # fmt: skip
    command = asking.send(name, raw=tree.raw)
    return Step(f"send-{number}", "backup-send", f"{tame(tree.dataset, 120)}, {size(tree.size)} in use ({group.title})", Effect.CREATES, tuple(kept),
                undo="a file that is not whole is removed; a whole one is kept for the next time", by_hand=f"ssh HOST {shlex.quote(command)} | gzip -1 > {file_of(tree.dataset)}",
                params={"group": group.name, "dataset": tree.dataset})  # fmt: skip


def _release(trees: list[tuple[Group, Tree]], stamp: str) -> Step:
    names = [asking.snapshot_name(tree.dataset, stamp) for _, tree in trees]
    return Step("release", "backup-release", "take away the snapshots that were made for it", Effect.CHANGES, tuple(tame(n, 160) for n in names),
                undo="none is needed: the backup is whole", by_hand="; ".join(map(asking.destroy_snapshot, names)))  # fmt: skip


def new_manifest(params: dict[str, Any], groups: tuple[Group, ...], now: float) -> Manifest:
    """The manifest of a backup that begins."""
    from smartos_wizard import __version__

    there = there_from_json(params["there"]) if "there" in params else None
    return Manifest(params["identity"], params["stamp"], now, __version__, groups, there=there)


def merged(begun: Manifest, groups: tuple[Group, ...]) -> Manifest:
    """What was begun, with what is chosen now; streams of what is not chosen any more are forgotten."""
    wanted = {tree.dataset for group in groups for tree in group.trees}
    files = tuple(kept for kept in begun.files if kept.kind != "stream" or kept.dataset in wanted)
    sent = tuple(each for each in begun.sent if each.dataset in wanted)
    return replace(begun, groups=groups, files=files, sent=sent, missing=())
