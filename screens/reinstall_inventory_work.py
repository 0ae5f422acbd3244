"""Several re-installs as they go, one at a time: which machine is done, at work, failed, not begun."""

from __future__ import annotations

from textual.content import Content

from smartos_wizard.core.events import Noted, PlanFinished
from smartos_wizard.core.plan import Plan, Step
from smartos_wizard.core.text import folded
from smartos_wizard.screens.flow import Stage
from smartos_wizard.screens.reinstall_work import ReinstallWork
from smartos_wizard.screens.work_words import how_it_ended, stopping

_WORDS = {
    "done": "done",
    "now": "at work",
    "failed": "failed",
    "cancelled": "stopped",
    "waiting": "not begun",
}


class InventoryWork(ReinstallWork):
    """One job about several machines."""

    SIDE_TITLE = "The machines and what happened"
    HELP = """
### What is this?
The machines of an inventory, one at a time, each by its own plan, in a process of its own.

### What happens?
If this window closes, the work goes on: start the wizard again and follow it from Home. Keys to press and new keys of a machine
are asked about here, as for one machine. The first that fails ends it: those after it are not begun. `c` stops the machine at
work as its own plan says (until its pool is destroyed everything is taken back), and begins no other.

### What is not touched?
Machines that are not begun, and on each the pools that its plan leaves alone.
"""

    @property
    def stage(self) -> Stage | None:
        """Off the road."""
        return None

    def facts(self) -> list[tuple[str, str]]:
        """Each machine with its state."""
        hosts = [str(host) for host in self.plan.params.get("hosts", ())]
        states = [_WORDS.get(step.state, step.state) for step in self.progress.steps]
        return list(zip(hosts, [*states, *["not begun"] * len(hosts)], strict=False))

    def step_of(self, note: Noted) -> Step | None:
        """The step of the machine's own plan."""
        outer = super().step_of(note)
        steps = Plan.from_json(outer.params["plan"]).steps if outer is not None else ()
        return next((step for step in steps if step.id == note.data.get("step")), None)

    def if_stopped(self, *otherwise: str) -> str:
        """Of the machine at work only."""
        return stopping(self.plan.kind, *otherwise)

    def how_it_ended(self, *, lost: bool) -> Content:
        """Each machine with its state first; then what happened, or what each one's receipt says."""
        ended, width = self.progress.ended, max(40, self.query_one("#body").content_region.width - 5)
        line = "; ".join(f"{host}: {state}" for host, state in self.facts())
        head = [Content.assemble((part, "bold")) for part in folded(f"{line}.", width)]
        if not self.good or not isinstance(ended, PlanFinished):
            return Content("\n").join([*head, how_it_ended(self.progress, lost=lost)])
        lines = [Content(part) for words in ended.result.get("say", ()) for part in folded(str(words), width)]
        room = max(3, self.app.size.height - 14)
        more = [Content.assemble((f"and {len(lines) - room} lines more: l shows the log", "$dim"))]
        return Content("\n").join([*head, *lines[:room], *(more if len(lines) > room else [])])

    def onward(self) -> str:
        """Nowhere but home."""
        return ""
