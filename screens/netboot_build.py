"""Build a tree: where, which releases, how many stay, what machines are told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, Static

from smartos_wizard.boot.model import CONSOLES
from smartos_wizard.netboot.build_plan import after_build
from smartos_wizard.screens.netboot_model import BuildAnswers, TreeFacts
from smartos_wizard.screens.netboot_page import LongRow, NetbootForm
from smartos_wizard.screens.netboot_words import build_words
from smartos_wizard.screens.options_fields import Opener, Row, Turning, typed
from smartos_wizard.screens.options_list import BESIDE, Offer
from smartos_wizard.screens.widgets.reading import Reading

_SAME = Offer(
    "", "as it is", "What the tree says now stays; a new tree says “text”: a screen and a keyboard."
)
_PORTS = tuple(
    Offer(c, c, f"The menu begins with {BESIDE[c]}; every machine can change it there.") for c in CONSOLES
)
_NO_PROFILE = (
    Offer("", "as it is", "What the menu was told before stays."),
    Offer("none", "none", "The menu is told nothing more than the console."),
)


class BuildTree(NetbootForm):
    """What is built, and where."""

    HEAD: ClassVar[str] = "Which tree is built?"
    HINTS: ClassVar[dict[str, str]] = {
        "directory": "A directory of yours, new or a tree already. Only files this program made are changed in it. F4 shows trees.",
        "keep": "How many releases the tree holds afterwards, the newest; what goes is named first, and typed. Empty: all of them.",
        "machines": "MAC=PROFILE or MAC=FILE.json, with blanks between: these machines get a menu and answers of their own. Answers may hold a password that anybody on the network can read.",
        "stamps": "Enter shows the releases: newest first, several may be taken. Without one only the scripts are written anew.",
    }  # fmt: skip
    HELP = """
### What is this?
A directory that machines boot from: for each release the kernel, the boot archive and its hash, and scripts for iPXE,
PXELINUX and GRUB. It can be served from here, or copied to any web server as it is.

### What happens?
`Up` and `Down` go from row to row; `Enter` on **Releases** shows them all. `F2` shows the plan. Each release is fetched,
checked against its published checksum, unpacked under another name and put in place at once. `F4` shows known trees.

### What is not touched?
Everything else in that directory, and every other one. Where something of yours is in the way, nothing is done.
"""

    def __init__(self, said: BuildAnswers) -> None:
        super().__init__()
        self.said = said

    def rows(self) -> ComposeResult:
        """The fields."""
        said, marks = self.said, self.marks
        yield LongRow(
            "directory",
            "Directory",
            typed(said.directory, id="directory", example="~/smartos-netboot"),
            marks,
        )
        yield Row("stamps", "Releases", Opener(self._releases(), id="stamps"), marks)
        yield Row("keep", "Keep", typed(said.keep, id="keep", example="all of them"), marks)
        yield Row("console", "Console", Turning((_SAME, *_PORTS), said.console, id="console"), marks)
        yield Row("profile", "Profile", Turning(_NO_PROFILE, said.profile, id="profile"), marks)
        yield LongRow(
            "machines",
            "Single machines",
            typed(said.machines, id="machines", example="52:54:00:12:34:56=answers.json"),
            marks,
        )

    def below(self) -> ComposeResult:
        """What the directory holds, and what it will."""
        with Reading(how="Tab, arrow keys", id="comes", keeps=False) as below:
            below.border_title = "In that directory"
            yield Static("", id="drawn", markup=False)

    def ready(self) -> None:
        """Profiles are offered once they are read."""
        super().ready()
        if self.said.stamps:
            self.query_one("#stamps").focus()
        self.ask_rooms(self.desk.profiles, self._profiles, lambda _error: None)

    @property
    def directory(self) -> str:
        """The directory that is named."""
        return self.said.directory

    def words(self) -> str:
        """The same by command."""
        return build_words(self.said)

    def take(self, name: str, value: str) -> None:
        """A field says something else."""
        changes: dict[str, Any] = {name: value}
        self.said = replace(self.said, **changes)

    def _profiles(self, names: tuple[str, ...]) -> None:
        more = tuple(
            Offer(name, name, f"The menu begins with the choices saved as “{name}”.") for name in names
        )
        self.query_one("#profile", Turning).put(self.said.profile, (*_NO_PROFILE, *more))

    def _releases(self) -> str:
        stamps = self.said.stamps
        return "choose" if not stamps else stamps[0] if len(stamps) == 1 else f"{len(stamps)} releases"

    # ------------------------------------------------------------------ what is shown

    def changed(self) -> None:
        """The directory now and afterwards."""
        if not self.query("#drawn"):
            return
        said = self.said
        self.note(
            "keep",
            "a number, 1 or more"
            if self.said.keep_wrong
            else "of those in the tree"
            if said.keep.strip()
            else "",
            bad=self.said.keep_wrong,
        )
        stamps = ", ".join(said.stamps)
        there = self.facts is not None and bool(self.facts.stamps)
        none = "only the scripts, anew" if there else "none is chosen"
        self.note("stamps", none if not stamps else stamps if len(said.stamps) > 1 else "")
        self.note("console", BESIDE.get(said.console, ""))
        lines = [self.tree_words()]
        facts = self.facts
        if facts is not None and not facts.problem and not self.said.keep_wrong:
            lines += self._after(facts)
        self.query_one("#drawn", Static).update(Content("\n").join(lines))
        self.sum(self._sum(), bad=bool(facts is not None and facts.problem))

    def _after(self, facts: TreeFacts) -> list[Content]:
        from pathlib import Path

        from smartos_wizard.netboot.model import Held
        from smartos_wizard.netboot.tree import Tree

        tree = Tree(Path(facts.directory or "/"), {stamp: Held(stamp, "") for stamp in facts.stamps})
        after = after_build(tree, self.said.stamps, self.said.kept)
        lines = []
        for stamp in sorted({*facts.stamps, *self.said.stamps}, reverse=True):
            word, style = ("stays", "$dim") if stamp in facts.stamps else ("comes", "bold $success")
            if self.said.again and stamp in facts.stamps and stamp in self.said.stamps:
                word, style = "anew", "bold $success"
            if stamp not in after:
                word, style = "goes", "bold $error"
            lines.append(Content.assemble("  ", (f"{word:<7}", style), stamp))
        return [
            *lines,
            *(
                Content.assemble("  ", (f"{'own':<7}", "$dim"), f"{mac} is told something of its own")
                for mac in facts.machines
            ),
        ]

    def _sum(self) -> str:
        facts = self.facts
        if facts is not None and facts.problem:
            return "This directory cannot be a tree"
        if not self.said.stamps and (facts is None or not facts.stamps):
            return "Choose a release first"
        return "F2 shows the plan; nothing is done before"

    # ------------------------------------------------------------------ going on

    def on_opener_opened(self) -> None:
        """The releases."""
        from smartos_wizard.screens.netboot_releases import ChooseReleases

        self.wizard.show(ChooseReleases(self.said, self.facts))

    def on_input_submitted(self, event: Input.Submitted) -> None:  # type: ignore[override]
        """Enter goes to the next row, from the last one to the plan."""
        if event.input.id == "machines":
            self.action_next()
        else:
            self.focus_next()

    def action_next(self) -> None:
        """The plan."""
        facts = self.facts
        if self.said.keep_wrong:
            self.query_one("#keep").focus()
            return
        if facts is None or facts.problem:
            self.query_one("#directory").focus()
            self.notify(facts.problem if facts is not None else "Which directory?", severity="warning")
            return
        if not self.said.stamps and not facts.stamps:
            self.on_opener_opened()
            return
        from smartos_wizard.screens.netboot_review import BuildReview

        self.wizard.show(BuildReview(self.said))
