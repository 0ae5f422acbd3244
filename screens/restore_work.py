"""Putting back as it goes: its steps, bytes, rate and time left; at the end what was done, and what could not be set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.content import Content

from smartos_wizard.core.events import PlanFinished
from smartos_wizard.core.text import counted, folded
from smartos_wizard.screens.flow import Stage
from smartos_wizard.screens.reinstall_work import ReinstallWork
from smartos_wizard.screens.work_words import how_it_ended

_MOST = 6
"""Lines of the end in a low window."""


class RestoreWork(ReinstallWork):
    """One restore, as it goes."""

    HELP = """
### What is this?
The work, in a process of its own, step by step as the plan said.

### What happens?
If this window closes, the work goes on: start the wizard again and follow it from Home. `c` stops at the next safe moment:
what is whole stays, and half a dataset is taken away again. Interrupted, it is taken up from Home; the machine is compared
anew then, and what is whole is passed over.

### What is not touched?
Every dataset that was there, and every file that was not ticked. Instances are not started.
"""

    @property
    def stage(self) -> Stage | None:
        """Off the road."""
        return None

    def facts(self) -> list[tuple[str, str]]:
        """The machine and the backup."""
        where = self.plan.params.get("address", {})
        rows = [
            ("Machine", str(where.get("hostname", ""))), ("Hostid", str(where.get("hostid", ""))),
            ("From", str(self.plan.params.get("directory", ""))), ("Snapshot", str(self.plan.params.get("stamp", ""))),
        ]  # fmt: skip
        there = self.plan.params.get("there")
        rows += [("And from", f"{there['dataset']} on {there['host']}")] if there else []
        return [(name, words) for name, words in rows if words]

    def how_it_ended(self, *, lost: bool) -> Content:
        """What was put back, and what could not be."""
        ended = self.progress.ended
        if not self.good or not isinstance(ended, PlanFinished):
            return how_it_ended(self.progress, lost=lost)
        width = max(40, self.query_one("#body").content_region.width - 5)
        lines = [Content.assemble((part, style)) for words, style in self._said(ended) for part in folded(words, width)]  # fmt: skip
        room = max(_MOST, self.app.size.height - 14)
        if len(lines) > room:
            lines = [*lines[: room - 1], Content.assemble((f"and {len(lines) - room + 1} lines more: l shows the log", "$dim"))]  # fmt: skip
        return Content("\n").join(lines)

    def told(self) -> Sequence[str]:
        """The same without colours; warnings stand among the notes."""
        ended = self.progress.ended
        said = self._said(ended) if isinstance(ended, PlanFinished) else ()
        return [words for words, style in said if "$warning" not in style]

    def _said(self, ended: PlanFinished) -> Iterator[tuple[str, str]]:
        """What could not be set comes first: it must not be cut off."""
        for note in self.progress.notes:
            if note.level == "warning":
                yield f"{self.marks.warn} {note.text}", "bold $warning"
        files, trees = ended.result.get("configuration", ()), ended.result.get("received", ())
        if files:
            yield (
                f"{counted(len(files), 'file')} of configuration put back; what was there before is kept beside the backup, in {ended.result.get('before', '')}.",
                "",
            )
        if trees:
            yield f"{counted(len(trees), 'dataset')} received.", ""
        for words in ended.result.get("say", ()):
            yield str(words), ""
        if files:
            yield "Settings below /usbkey and services of your own count from the next boot.", "$dim"

    def onward(self) -> str:
        """Nowhere but home."""
        return ""
