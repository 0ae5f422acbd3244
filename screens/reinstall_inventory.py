"""Several machines of an inventory: what is destroyed on each, what was typed for each, and then one at a time."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.journal import Job
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.text import counted, folded, tame
from smartos_wizard.reinstall.inventory import Entry, missing_tokens
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.options_boxes import Asked, Box
from smartos_wizard.screens.page import Page, error_words
from smartos_wizard.screens.plan_words import plan_words
from smartos_wizard.screens.reinstall_run_desk import Inventory
from smartos_wizard.screens.widgets.choices import Choices
from smartos_wizard.screens.words import begin

_PROBLEMS = 3
"""Problems that are named below the list; all of them are in the box that F2 opens."""


class ShowInventory(Page):
    """Which machines, and is each of them meant?"""

    SIDE_TITLE = "About inventories"
    HELP = """
### What is this?
Several re-installs from a file: which plans, in which order, how each machine is reached. A plan is kept with `F4` at its review,
or by `reinstall plan --save`; `docs/reinstall.md` shows the file.

### What happens?
`Enter` on a machine asks for what its plan wants typed: `HOST:POOL`, and what was agreed to. Once every machine is confirmed,
`F2` begins, one machine at a time. The first that fails, or a cancel, ends it, and no other is begun. What was cut off is
taken up by doing the same again.

### What is not touched?
Every machine, until all of them are confirmed; then the pools that each plan leaves alone.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "run", "Begin", id="inventory.run", key_display="F2", tooltip="Re-install them, one at a time"),
        Binding("f3", "file", "File", id="inventory.file", key_display="F3", tooltip="Take an inventory from a file"),
        Binding("f4", "plan", "Plan", id="inventory.plan", key_display="F4", tooltip="Every step of the machine's plan"),
        Binding("r", "again", "Again", id="inventory.again", tooltip="Read the file once more"),
    ]  # fmt: skip

    def __init__(self, path: str = "") -> None:
        super().__init__()
        self._path = path
        self._found: Inventory | None = None
        # By machine: what is typed for one confirms no other.
        self._typed: dict[int, set[str]] = {}
        self._started = False

    def frame(self) -> Widget:
        """The list scrolls by itself."""
        return Vertical(id="body")

    def body(self) -> ComposeResult:
        """The machines, and what is in the way."""
        with Vertical(classes="card -fill", id="inventory-card") as card:
            card.border_title = "Which machines, in this order?"
            yield Choices(self.marks, id="inventory")
        yield Static("", id="inventory-said", markup=False)

    def ready(self) -> None:
        """Ask for the file, where it is not named."""
        self.title = "Several machines"
        self._draw_title()
        self.query_one("#inventory").focus()
        self._say("An inventory is a small file with a plan for each machine. F3 names it.")
        if self._path:
            self._read(self._path)
        else:
            self.action_file()

    def command(self) -> str:
        """The same by command."""
        words = f"reinstall run --inventory {self._path or 'FILE'}"
        return f"{begin(practice=self.wizard.desk.world.practice)} {words}"

    def _say(self, words: Content | str) -> None:
        self.query_one("#inventory-said", Static).update(words)

    # ------------------------------------------------------------------ the file

    def action_file(self) -> None:
        """Ask for the file."""
        words = (
            "The file with `inventory = 1` and a [[host]] for each machine. Nothing is begun by reading it."
        )

        def answered(found: dict[str, str] | None) -> None:
            if found is not None:
                self._read(found["file"])

        box = Box("An inventory", words, (Asked("file", "File", self._path, "fleet.toml"),),
                  lambda said: "" if said["file"].strip() else "Which file?", go="Read it")  # fmt: skip
        _ = self.app.push_screen(box, answered)

    def action_again(self) -> None:
        """Read it once more: what was typed stays."""
        if self._path:
            self._read(self._path)

    def _read(self, path: str) -> None:
        desk = self.wizard.desk.reinstall
        self.ask_rooms(lambda: desk.inventory(path), self._there, self._failed)

    def _there(self, found: Inventory) -> None:
        if found.path != self._path:
            self._typed.clear()
        self._found, self._path = found, found.path
        self._draw()
        self.query_one("#inventory").focus()

    def _failed(self, error: ErrorReport) -> None:
        self._started = False
        self.wizard.ask(Asking("That did not work", error_words(error), (("ok", "Close"),), tall=True))

    # ------------------------------------------------------------------ what is shown

    def resized(self) -> None:
        """Rows follow the width."""
        self.call_after_refresh(self._draw)

    def on_choices_widened(self) -> None:
        """Wrapped to the new width."""
        self._draw()

    def _draw(self) -> None:
        found = self._found
        if found is None or not self.query("#inventory"):
            return
        choices = self.query_one("#inventory", Choices)
        width = max(40, (choices.content_region.width or self.app.size.width - 8) - 1)
        rows = [(f"m{n}", self._row(entry, found.states[n], width), True) for n, entry in enumerate(found.entries)]  # fmt: skip
        choices.fill(rows, keep=choices.chosen or "m0")
        left = sum(bool(self._missing(entry)) for entry in found.entries)
        card = self.query_one("#inventory-card")
        card.border_title = f"{counted(len(found.entries), 'machine')}, one at a time, in this order"
        card.border_subtitle = "Enter confirms one" if left else "F2 begins"
        lines = [part for words in found.problems[:_PROBLEMS] for part in folded(f"{self.marks.warn} {words}", width)]  # fmt: skip
        style = "bold $warning"
        if not lines:
            words = f"{counted(left, 'machine')} of {len(found.entries)} not confirmed yet. Nothing is begun before all are." if left else "All are confirmed. Nothing was begun yet."  # fmt: skip
            lines, style = folded(words, width), ""
        self._say(Content("\n").join(Content.assemble((line, style)) for line in lines))
        self.query_one("#same", Static).update(self._same())

    def _missing(self, entry: Entry) -> tuple[str, ...]:
        return missing_tokens(entry, tuple(self._typed.get(entry.number, ())))

    def _row(self, entry: Entry, state: str, width: int) -> Content:
        missing = self._missing(entry)
        box, style = ("[ ]", "bold $warning") if missing else ("[x]", "bold $success")
        said = f"type {' '.join(missing)}" if missing else "confirmed"
        dies = ", ".join(f"{tame(pool['name'])} (guid {tame(pool['guid'])})" for pool in entry.plan.params["dying"])  # fmt: skip
        where = entry.plan.params["address"]["host"] or entry.plan.params.get("console", "")
        room = width - 8
        lines = [Content.assemble("  ", (box, style), (f" {entry.number} {entry.host:<18} ", "bold"), (f"{state:<10} ", "$dim"), said if len(said) <= width - 38 else said[: width - 39] + "…")]  # fmt: skip
        for words in (
            f"destroys {dies}",
            f"reached at {tame(str(where), 80)}, by {entry.file.rpartition('/')[2]}",
        ):
            lines += [Content.assemble((f"{'':8}{part}", "$dim")) for part in folded(words, room)]
        return Content("\n").join(lines)

    # ------------------------------------------------------------------ confirming

    def _chosen(self) -> Entry | None:
        name = self.query_one("#inventory", Choices).chosen
        return self._found.entries[int(name[1:])] if name and self._found is not None else None

    def on_option_list_option_selected(self) -> None:
        """Type what the machine's plan asks for."""
        entry = self._chosen()
        if entry is None:
            return
        missing = self._missing(entry)
        if not missing:
            self.notify(f"{entry.host} is confirmed.", timeout=3)
            return
        width = 56
        lines = [part for words in (f"{entry.plan.title}.", "To let that happen, type all of:") for part in folded(words, width)]  # fmt: skip
        words = Content("\n").join([*map(Content, lines), Content.assemble((" ".join(missing), "bold $accent"))])  # fmt: skip

        def check(said: dict[str, str]) -> str:
            typed = said["typed"].split()
            odd = [word for word in typed if word not in entry.tokens]
            left = [token for token in missing if token not in typed]
            if odd:
                return f"“{odd[0]}” is none of them."
            return f"Still missing: {' '.join(left)}" if left else ""

        def answered(found: dict[str, str] | None) -> None:
            if found is not None:
                self._typed[entry.number] = {*self._typed.get(entry.number, ()), *found["typed"].split()}
                self._draw()
                self.query_one("#inventory", Choices).action_cursor_down()

        _ = self.app.push_screen(Box(f"Confirm {entry.host}", words, (Asked("typed", "Type"),), check, go="Confirm"), answered)  # fmt: skip

    def action_plan(self) -> None:
        """Every step of it."""
        entry = self._chosen()
        if entry is not None:
            words = plan_words(entry.plan, by_hand=True, width=66)
            untouched = Content.assemble(("\nNot touched: ", "bold"), "; ".join(entry.plan.untouched))
            self.wizard.ask(Asking(entry.host, Content("\n").join([words, untouched]), (("ok", "Close"),), tall=True))  # fmt: skip

    # ------------------------------------------------------------------ beginning

    def action_run(self) -> None:
        """Once more in words, then begin."""
        found = self._found
        if found is None or self._started:
            return
        left = [entry.host for entry in found.entries if self._missing(entry)]
        if found.problems:
            words = Content("\n\n".join(found.problems))
            self.wizard.ask(Asking("It cannot begin", words, (("ok", "Close"),), tall=True))
        elif left:
            self.notify(f"Not confirmed yet: {', '.join(left)}. Enter on a machine confirms it.", severity="warning")  # fmt: skip
        else:
            names = ", ".join(entry.host for entry in found.entries)
            words = Content(f"One after the other: {names}.\n\nEach is compared with its plan first. The first that fails ends it, and those after it are not begun.")  # fmt: skip
            ask = Asking("Begin?", words, (("stay", "Back"), ("!go", "Begin")))
            self.wizard.ask(ask, lambda answer: self._begin(found) if answer == "go" else None)

    def _begin(self, found: Inventory) -> None:
        desk, typed = (
            self.wizard.desk,
            tuple(sorted({token for each in self._typed.values() for token in each})),
        )
        self._started = True

        def begin() -> Job:
            plan: Plan = desk.reinstall.inventory_plan(found, typed)
            tokens = plan.confirmation.tokens if plan.confirmation is not None else ()
            return desk.start(plan, tokens)

        self.ask_rooms(begin, self._begun, self._failed)

    def _begun(self, job: Job) -> None:
        left, self.wizard.resumes = self.wizard.resumes, None
        if left is not None:
            left.seen_file.touch()
        self.wizard.watch_job(job)

    def action_back(self) -> None:
        """To the first screen of the road."""
        self.wizard.start_reinstall()
