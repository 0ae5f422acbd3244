"""The steps of a restore whose datasets come back from another host. Pure."""

from __future__ import annotations

import shlex

from smartos_wizard.core.plan import Effect, Step
from smartos_wizard.core.text import size, tame
from smartos_wizard.reinstall.backup_choice import Group, Tree
from smartos_wizard.reinstall.planning_steps import NOTHING
from smartos_wizard.reinstall.sent import Sent, There


def check_there_plan(there: There, sent: list[Sent]) -> Step:
    """That everything lies there as it was sent."""
    details = tuple(f"{tame(each.place, 200)}, {size(each.size)} in use" for each in sent)
    return Step("check-there", "restore-check-there", f"the guid of every snapshot on {tame(there.host)}", Effect.READS, details, undo=NOTHING,
                by_hand=f"zfs list -r -t snapshot -o name,guid {shlex.quote(there.dataset)}", params={"datasets": [each.dataset for each in sent]})  # fmt: skip


def receive_plan(tree: Tree, group: Group, sent: Sent, there: There, places: dict[str, str]) -> Step:
    """One tree, from there through this machine. `places` says which dataset lies where."""
    details = (
        f"from {tame(sent.place, 200)}, with every snapshot; broken off it is taken up where it broke (zfs send -t)",
        "its properties are set as the manifest has them",
    )
    by_hand = f"ssh {shlex.quote(there.host)} zfs send -R {shlex.quote(sent.place + '@' + sent.snapshot.partition('@')[2])} | ssh HOST zfs recv -s -u -x readonly {shlex.quote(tree.dataset)}"  # fmt: skip
    return Step(f"receive:{tree.dataset}", "restore-receive-there", f"{tame(tree.dataset, 120)}, {size(sent.size)} in use ({group.title})", Effect.CREATES, details,
                undo="where it is stopped, what was received of it is destroyed; where it breaks off that stays, to go on with", by_hand=by_hand,
                params={"dataset": tree.dataset, "raw": tree.raw, "places": places})  # fmt: skip
