"""Which releases are in a tree? Newest first; several may be taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from smartos_wizard.core import text
from smartos_wizard.screens.desk import Offer as Releases
from smartos_wizard.screens.desk import ReleaseRow
from smartos_wizard.screens.netboot_model import BuildAnswers, TreeFacts
from smartos_wizard.screens.netboot_words import build_words, start
from smartos_wizard.screens.release import ChooseRelease
from smartos_wizard.screens.widgets.choices import Choices


class ChooseReleases(ChooseRelease):
    """Which releases? Several may be taken."""

    STAGE = None  # type: ignore[assignment]
    SIDE_TITLE = "About releases in a tree"
    HELP = """
### What is this?
Every SmartOS release the mirror has, newest first. A tree may hold several: a machine's menu offers them all and
begins with the newest.

### What happens?
`Space` marks a release, `Enter` takes those that are marked, or the one under the pointer where none is. Of each the
platform is fetched and checked. What is **stored** is here already; what is **in the tree** is not fetched again.

### What is not touched?
Nothing is fetched or written before you saw the plan.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "space",
            "mark",
            "Mark",
            id="releases.mark",
            key_display="Space",
            tooltip="Take this release too, or not",
        ),
    ]

    def __init__(self, said: BuildAnswers, facts: TreeFacts | None) -> None:
        super().__init__()
        self.said, self._there = said, facts.stamps if facts is not None else ()
        self._marked = set(said.stamps)
        self._offer = Releases(())

    def command(self) -> str:
        """The same by command."""
        said = replace(self.said, stamps=tuple(sorted(self._marked, reverse=True)) or ("latest",))
        return f"{start(practice=self.wizard.desk.world.practice)} {build_words(said)}"

    def ready(self) -> None:
        """Ask the mirror."""
        self.query_one("#list").border_title = "Which releases are in the tree?"
        self.query_one("#list").border_subtitle = "Space marks one, Enter takes them"
        super().ready()

    def action_reload(self) -> None:
        """Once more."""
        self._ask(details=False, then=self._listed)

    def _listed(self, offer: Releases) -> None:
        self._fill(offer)
        self._ask(details=True, then=self._fill)

    def _ask(self, *, details: bool, then: Callable[[Releases], None]) -> None:
        desk = self.wizard.desk
        failed = self._failed if not details else lambda _error: None
        self.ask_rooms(
            lambda: desk.netboot.platforms(desk.offer(details=False), details=details), then, failed
        )

    def _only_stored(self, offer: Releases) -> None:
        desk = self.wizard.desk
        self.ask_rooms(
            lambda: desk.netboot.platforms(offer, details=False), super()._only_stored, lambda _error: None
        )

    def _fill(self, offer: Releases) -> None:
        self._offer = offer
        super()._fill(offer)
        self.query_one("#head", Static).update(
            Content(f"      {'Release':<18}  {'Built':<13} {'Platform':>8}  {'Checksum':<8}")
        )

    def _row(self, row: ReleaseRow) -> Content:
        age = text.age(row.age)
        size = "" if row.size is None else text.size(row.size)
        mark = "[x]" if row.stamp in self._marked else "[ ]"
        said = (
            " in the tree" if row.stamp in self._there else f" {self.marks.good} stored" if row.stored else ""
        )
        return Content.assemble(
            "  ", (f"{mark} ", "bold $accent" if row.stamp in self._marked else "$dim"), (f"{row.stamp:<18}", "bold"),
            f"  {age if age == 'today' else age + ' ago':<13}", f" {size:>8}  ",
            (f"{row.checksum:<8}", "$warning" if row.checksum == "md5" else "$dim"),
            (said, "$success"), (" latest" if row.latest else "", "$accent"), (f"  {row.problem}" if row.problem else "", "$faint"),
        )  # fmt: skip

    def action_mark(self) -> None:
        """This one too, or not."""
        stamp = self.query_one("#releases", Choices).chosen
        if stamp:
            self._marked ^= {stamp}
            said = self.query_one("#trouble", Static).content
            self._fill(self._offer)
            self.query_one("#trouble", Static).update(said)
            self.query_one("#same", Static).update(self._same())

    def on_option_list_option_selected(self, event: Choices.OptionSelected) -> None:
        """Back to the form with them."""
        event.prevent_default()
        marked = self._marked or {event.option.id or ""}
        self._leave(replace(self.said, stamps=tuple(sorted(marked - {""}, reverse=True))))

    def _leave(self, said: BuildAnswers) -> None:
        from smartos_wizard.screens.netboot_build import BuildTree

        self.wizard.show(BuildTree(said))

    def action_back(self) -> None:
        """To the form, as it was."""
        self._leave(self.said)
