"""What of the backup is put back? Places of the configuration, files that differ, instances and datasets, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from smartos_wizard.core import text
from smartos_wizard.core.text import counted, folded, tame
from smartos_wizard.reinstall.restore_config import CONFIG
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.page import Page
from smartos_wizard.screens.restore_model import (
    PLACE_WORDS,
    Fate,
    Found,
    Restoring,
    Ticks,
    below,
    restore_words,
)
from smartos_wizard.screens.widgets.choices import Choices
from smartos_wizard.screens.words import begin

_MOST = 14
"""Paths that a question names."""


class ChooseWhat(Page):
    """What is to be put back?"""

    SIDE_TITLE = "About putting back"
    HELP = """
### What is this?
What the backup holds, beside what is on the machine now. What is missing there is proposed. A file that differs stays as it
is on the machine, unless you tick it; `F3` shows which files a line is about, and how the network configuration differs.

### What happens?
`Space` ticks a line or not, `a` all that is missing or nothing. `F2` shows the plan. Instances come back with their data, and
vmadm is told of them; none is started. What they are made from comes with them.

### What is not touched?
Nothing is ever received over a dataset that is there. Files that differ and are not ticked are left. Before a file is
replaced, the configuration of the machine is kept beside the backup.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "tick", "Tick", id="restore.tick", show=False, tooltip="Put it back, or not"),
        Binding("f2", "onward", "The plan", id="restore.onward", key_display="F2", tooltip="See every step"),
        Binding("f3", "more", "Files", id="restore.more", key_display="F3", tooltip="Which files a line is about"),
        Binding("a", "every", "All", id="restore.all", show=False, tooltip="All that is missing, or nothing"),
        Binding("r", "again", "Again", id="restore.again", tooltip="Compare it with the machine once more"),
    ]  # fmt: skip

    def __init__(self, said: Restoring) -> None:
        super().__init__()
        assert said.found is not None
        self.restoring = replace(said, ticks=said.chosen)

    def frame(self) -> Widget:
        """The list scrolls by itself."""
        return Vertical(id="body")

    def body(self) -> ComposeResult:
        """The list, and what follows of it."""
        with Vertical(classes="card -fill", id="restore-card") as card:
            card.border_title = f"What is put back on {self.restoring.name}?"
            card.border_subtitle = "Space ticks · a all"
            yield Choices(self.marks, id="what-back")
        yield Static("", id="restore-sum", markup=False)

    def ready(self) -> None:
        """Show it; all of it is known."""
        self.title = f"Put back: {self.restoring.backup.host}"
        self._draw_title()
        self.query_one("#what-back").focus()
        self.call_after_refresh(self._draw)  # the side panel takes its room first

    def command(self) -> str:
        """The same by command."""
        return f"{begin(practice=self.wizard.desk.world.practice)} {restore_words(self.restoring)}"

    # ------------------------------------------------------------------ what is shown

    @property
    def found(self) -> Found:
        """The machine as it was a moment ago."""
        assert self.restoring.found is not None
        return self.restoring.found

    @property
    def ticks(self) -> Ticks:
        """What is ticked."""
        return self.restoring.chosen

    def resized(self) -> None:
        """Rows follow the width."""
        self.call_after_refresh(self._draw)

    def on_choices_widened(self) -> None:
        """Wrapped to the new width."""
        self._draw()

    def _draw(self) -> None:
        if not self.query("#what-back"):
            return
        choices = self.query_one("#what-back", Choices)
        width = max(40, (choices.content_region.width or self.app.size.width - 8) - 1)
        rows = list(self._rows(width))
        first = next((name for name, _words, free in rows if free), "")
        choices.fill(rows, keep=choices.chosen or first)
        self._sum()

    def _rows(self, width: int) -> Iterator[tuple[str, Content, bool]]:
        ticks, compared = self.ticks, self.found.compared
        yield "", _heading("Configuration"), False
        for place, count in self.found.places:
            words = f"/{place}: {counted(count, 'file')} missing there ({PLACE_WORDS[place]})"
            yield f"p:{place}", _line(place in ticks.places, words, width), True
        for path in self.found.named:
            yield f"f:{path}", _line(path in ticks.overwrite, self._named(path), width), True
        if not self.found.places and not self.found.named:
            words = f"all {counted(len(compared.same), 'file')} are there already, and the same" if compared.same else "there is none in it"  # fmt: skip
            yield "c", _still("there", words, width), False
        yield "", _heading("Instances and datasets"), False
        groups = [fate for fate in self.found.fates if fate.group.kind != "image"]
        for fate in groups:
            yield f"g:{fate.group.name}", self._group(fate, width), fate.free
        for fate in self.found.fates:
            if fate.group.kind == "image":
                words = f"{tame(fate.group.title, 80)}, {text.size(fate.group.size)}: {'is there already' if fate.state == 'there' else 'comes with what is made from it'}"  # fmt: skip
                yield f"i:{fate.group.name}", _still("image", words, width), False
        if not groups:
            yield "n", _still("none", "the backup holds configuration only", width), False

    def _named(self, path: str) -> str:
        net = ", the network settings" if path == CONFIG else ""
        if path in self.found.compared.missing:
            return f"/{tame(path, 120)}{net}: missing there"
        return f"/{tame(path, 120)}{net}: differs; replace it"

    def _group(self, fate: Fate, width: int) -> Content:
        group = fate.group
        words = f"{tame(group.title, 80)}, {text.size(group.size)}"
        if fate.free:
            more = f": {fate.why}" if fate.why else ""
            return _line(group.name in self.ticks.groups, f"{words}{more}", width, bad=fate.state == "half")
        return _still("there" if fate.state == "there" else "cannot", f"{words}: {fate.why}", width)

    def _sum(self) -> None:
        ticks, found = self.ticks, self.found
        width = max(40, self.app.size.width - (50 if self.app.size.width >= 110 else 8))
        groups = [fate.group for fate in found.fates if fate.group.name in ticks.groups]
        files = sum(count for place, count in found.places if place in ticks.places) + len(ticks.overwrite)
        parts = [f"{counted(files, 'file')} of configuration"] if files else []
        size = text.size(sum(group.size for group in groups))
        parts += [f"{counted(len(groups), 'instance or dataset') if len(groups) == 1 else f'{len(groups)} instances and datasets'}, {size} in use"] if groups else []  # fmt: skip
        lines = [Content(part) for part in folded(f"Put back: {'; '.join(parts)}." if parts else self._nothing(), width)]  # fmt: skip
        warnings = [self.restoring.other_machine] if self.restoring.other_machine else []
        if CONFIG in ticks.overwrite:
            warnings.append("With other network settings the machine may answer at another address after its next boot.")  # fmt: skip
        for words in warnings:
            parts = folded(f"{self.marks.warn} {words}", width)
            lines += [Content.assemble((part, "bold $warning")) for part in parts]
        self.query_one("#restore-sum", Static).update(Content("\n").join(lines))
        self.query_one("#same", Static).update(self._same())

    def _nothing(self) -> str:
        """Why nothing is put back."""
        some = self.found.places or self.found.named or any(fate.free for fate in self.found.fates)
        return "Nothing is ticked." if some else f"Nothing of it can be put back: {self.restoring.name} has all of it already, or it was refused."  # fmt: skip

    # ------------------------------------------------------------------ choosing

    def _chosen(self) -> str:
        return self.query_one("#what-back", Choices).chosen

    def on_option_list_option_selected(self) -> None:
        """Enter ticks, as space does."""
        self.action_tick()

    def action_tick(self) -> None:
        """The line under the pointer."""
        kind, _, name = self._chosen().partition(":")
        if kind in ("p", "f", "g"):
            self.restoring = replace(self.restoring, ticks=self.ticks.turned(kind, name))
            self._draw()

    def action_every(self) -> None:
        """All that is missing, or nothing; files that differ are ticked one by one."""
        every = replace(self.restoring, ticks=None).chosen
        self.restoring = replace(self.restoring, ticks=Ticks() if self.ticks == every else every)
        self._draw()

    def action_onward(self) -> None:
        """To the plan."""
        from smartos_wizard.screens.restore_review import RestoreReview

        if not self.ticks.any:
            self.notify("Nothing is ticked: there is nothing to put back.", severity="warning")
            return
        self.wizard.show(RestoreReview(self.restoring))

    def action_more(self) -> None:
        """The files of the line under the pointer."""
        kind, _, name = self._chosen().partition(":")
        compared = self.found.compared
        if kind == "p":
            paths = [path for path in compared.missing if below(path, name) and path != CONFIG]
            lines = [f"/{tame(path, 160)}" for path in paths[:200]]
            self._tell(f"Missing there, below /{name}", lines)
        elif kind == "f":
            lines = list(compared.difference) if name == CONFIG else []
            words = (
                "Only the network settings are shown line by line; passwords in them are not."
                if not lines
                else ""
            )
            self._tell(f"/{tame(name, 60)}", lines or [self._named(name) + ".", "", words])
        elif kind == "g":
            group = next(fate.group for fate in self.found.fates if fate.group.name == name)
            self._tell(tame(group.title, 60), [f"{tame(tree.dataset, 120)}, {text.size(tree.size)} in use" for tree in group.trees])  # fmt: skip
        else:
            same = [f"/{tame(path, 160)}" for path in compared.same[:_MOST]]
            self._tell("The same there", same or ["nothing"])

    def _tell(self, title: str, lines: list[str]) -> None:
        self.wizard.ask(Asking(title, "\n".join(lines), (("ok", "Close"),), tall=True))

    def action_again(self) -> None:
        """The machine is asked once more; what is ticked stays."""
        self.action_back()

    def action_back(self) -> None:
        """To the machine."""
        from smartos_wizard.screens.restore_machine import RestoreTo

        self.wizard.show(RestoreTo(self.restoring))


def _heading(words: str) -> Content:
    return Content.assemble((f"  {words}", "bold $primary"))


def _line(ticked: bool, words: str, width: int, *, bad: bool = False) -> Content:
    box, style = ("[x]", "bold $success") if ticked else ("[ ]", "$dim")
    head, *rest = folded(words, width - 8) or [""]
    lines = [Content.assemble("    ", (box, style), " ", (head, "$warning" if bad else ""))]
    return Content("\n").join([*lines, *(Content(" " * 8 + part) for part in rest)])


def _still(word: str, words: str, width: int) -> Content:
    """A line that cannot be ticked, with a word instead of the box."""
    head, *rest = folded(words, width - 14) or [""]
    lines = [Content.assemble("    ", (f"{word:<8}", "$warning" if word == "cannot" else "$success"), (f"{head}", "$dim"))]  # fmt: skip
    return Content("\n").join([*lines, *(Content.assemble((" " * 12 + part, "$dim")) for part in rest)])
