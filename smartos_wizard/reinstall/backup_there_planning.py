"""The steps of a plan that sends datasets to another host. Pure."""

from __future__ import annotations

import shlex

from smartos_wizard.core.plan import Effect, Step
from smartos_wizard.core.text import size, tame
from smartos_wizard.reinstall import backup_asking as asking
from smartos_wizard.reinstall import sending
from smartos_wizard.reinstall.backup_choice import Group, Tree
from smartos_wizard.reinstall.backup_names import place_of
from smartos_wizard.reinstall.planning_steps import NOTHING
from smartos_wizard.reinstall.saying import listed
from smartos_wizard.reinstall.sent import There

_LATER = "where it is stopped, the half of it is destroyed; where it breaks off it stays, to go on with"


def container_plan(there: There, mark: str) -> Step:
    """The dataset that holds everything there."""
    details = (
        "made for this backup: nothing below it is mounted, and it is read-only",
        f"in the pool {tame(there.pool)} with the guid {tame(there.guid)}",
    )
    return Step("there", "backup-container", f"the dataset {tame(there.words, 200)}", Effect.CREATES, details,
                undo="it is destroyed where it was made now and nothing whole lies in it", by_hand=f"ssh {shlex.quote(there.host)} {shlex.quote(sending.container(there.dataset, mark))}",
                params={"dataset": there.dataset, "mark": mark})  # fmt: skip


def send_plan(
    number: int,
    group: Group,
    tree: Tree,
    stamp: str,
    there: There,
    mark: str,
    trees: list[tuple[Group, Tree]],
) -> Step:
    """One tree, through this machine into a dataset there."""
    places = {each.dataset: place_of(each.dataset, there.dataset) for _, each in trees}
    place, name = places[tree.dataset], asking.snapshot_name(tree.dataset, stamp)
    details = [
        f"as {tame(place, 200)}, a dataset at a time, with every snapshot; broken off it is taken up where it broke (zfs send -t)",
        "properties are kept here, in the manifest; there they would mount and share",
    ]
    if tree.raw:
        details.append("encrypted as it is (-w): to read it the key is needed")
    if tree.origins:
        details.append(f"made from {listed([tame(o, 100) for o in tree.origins])}, which is kept too or has to be there")  # fmt: skip
    by_hand = f"ssh HOST {shlex.quote(asking.send(name, raw=tree.raw))} | ssh {shlex.quote(there.host)} zfs recv -s -u -x mountpoint {shlex.quote(place)}"  # fmt: skip
    return Step(f"send-{number}", "backup-send-there", f"{tame(tree.dataset, 120)}, {size(tree.size)} in use ({group.title})", Effect.CREATES, tuple(details),
                undo=_LATER, by_hand=by_hand,
                params={"group": group.name, "dataset": tree.dataset, "place": place, "container": there.dataset, "mark": mark, "places": places})  # fmt: skip


def verify_plan(there: There) -> Step:
    """Everything that was sent, asked for once more."""
    return Step("verify-there", "backup-verify-there", f"the guid of every snapshot on {tame(there.host)} against the one that was sent", Effect.READS,
                ("ZFS checks each record as it receives it, and gives a snapshot its guid only when its stream is whole",), undo=NOTHING, by_hand=f"zfs list -r -t snapshot -o name,guid {shlex.quote(there.dataset)}")  # fmt: skip
