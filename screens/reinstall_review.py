"""The plans on the road to a clean machine: the backup, which destroys nothing, and the re-install, armed by typing all of it."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Input, Static

from smartos_wizard.core.plan import Plan
from smartos_wizard.core.text import folded
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.flow import Stage
from smartos_wizard.screens.options_boxes import Asked, Box
from smartos_wizard.screens.page import error_words
from smartos_wizard.screens.plan_words import plan_words
from smartos_wizard.screens.reinstall_model import MachineAnswers
from smartos_wizard.screens.reinstall_words import backup_words, plan_words_of
from smartos_wizard.screens.review_named import NamedReview
from smartos_wizard.screens.words import begin


class MachineReview(NamedReview):
    """A plan about a machine. What is typed are whole tokens: the names of machines and pools have no ends to tell them by."""

    AT: Stage | None = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f3", "full", "Full plan", id="reinstall.full", key_display="F3", tooltip="Every detail, and what one would type by hand"),
        Binding("f", "nothing", show=False),
    ]  # fmt: skip

    @property
    def stage(self) -> Stage | None:
        """Its place on the road; none where it was come to from Home."""
        return self.AT if self.wizard.flow.answers.machine is not None else None

    @property
    def said(self) -> MachineAnswers:
        """What was decided."""
        return self.wizard.flow.answers.machine or MachineAnswers()

    def words(self) -> str:
        """The command that does the same, without its beginning."""
        return ""

    def command(self) -> str:
        """The command that does the same."""
        words = self.words()
        return f"{begin(practice=self.wizard.desk.world.practice)} {words}" if words else ""

    def _planned(self, plan: Plan) -> None:
        """The field has the focus: names begin with any letter, and Enter in it only arms."""
        super()._planned(plan)
        self.query_one("#token" if self.tokens else "#back").focus()

    def _hint(self) -> None:
        super()._hint()
        plan = self.query_one("#plan")
        if plan.border_subtitle:
            plan.border_subtitle = str(plan.border_subtitle).replace("f shows", "F3 shows")

    def action_nothing(self) -> None:
        """No letter does anything here."""

    def _draw(self) -> None:
        super()._draw()
        if self._plan is None or not self.query("#confirm"):
            return
        if self._plan.destroys:
            width, steps = self._width(), self.query_one("#steps", Static)
            head = [Content.assemble((part, "bold $error")) for part in folded(f"{self._plan.title}.", width)]
            words = plan_words(self._plan, short=self.app.size.height < 32, width=width)
            steps.update(Content("\n").join([*head, words]))
        untouched = "; ".join(self._plan.untouched)
        lines = [Content.assemble(("Not touched: ", "bold"), f"{untouched}.")]
        if self.tokens:
            width = max(40, self.app.size.width - 6)
            parts = folded(" ".join(self.tokens), width - 14)
            lines += [
                Content.assemble(("Type all of: " if not n else " " * 13, "bold"), (part, "bold $accent"))
                for n, part in enumerate(parts)
            ]
            self.query_one("#confirm").border_title = "To arm it, type every word of the line above:"
            self.query_one("#token", Input).placeholder = "_" * 20
        else:
            self.query_one("#state").styles.width = "1fr"
            self.query_one("#confirm").border_title = "Nothing is lost by this; no confirmation is needed."
        self.query_one("#untouched", Static).update(Content("\n").join(lines))

    @property
    def is_armed(self) -> bool:
        """Once every token is there, whole, and nothing else."""
        if self._plan is None:
            return False
        typed = self.query_one("#token", Input).value.split()
        return sorted(set(typed)) == sorted(set(self.tokens)) if self.tokens else not self._plan.destroys

    def _judge(self) -> None:
        ready = self.is_armed and not self._started
        self.query_one("#go", Button).disabled = not ready
        word, style = ("armed", "bold $error") if ready else ("not armed", "$dim")
        if not self.tokens:
            word = ""
        self.query_one("#state", Static).update(Content.assemble((f"  {word}", style)))

    def not_armed(self) -> str:
        """Which word is none of them, or which are missing."""
        typed = self.query_one("#token", Input).value.split()
        odd = [word for word in typed if word not in self.tokens]
        left = [token for token in self.tokens if token not in typed]
        return f"“{odd[0]}” is none of them." if odd else f"still missing: {' '.join(left)}"


class BackupReview(MachineReview):
    """The plan of a backup."""

    AT = Stage.KEEP
    HEADING = "The backup: what will happen, in this order"
    GO = "Back up"
    HELP = """
### What is this?
The plan of the backup. Its directory lies on this computer and is for you alone to read: it will hold password hashes, host
keys and metadata.

### What happens?
**Back up** begins. Everything is read back from the disk before the backup counts. Interrupted, it goes on where it was.

### What is not touched?
The machine, but for snapshots that are made for it and taken away again.
"""

    def make_plan(self) -> Plan:
        """Of what was chosen."""
        return self.wizard.desk.reinstall.backup_plan(self.said)

    def _planned(self, plan: Plan) -> None:
        super()._planned(plan)
        self.query_one("#go").focus()

    def words(self) -> str:
        """The same by command."""
        return backup_words(self.said)

    def action_back(self) -> None:
        """To what is kept."""
        self.wizard.go(self.wizard.flow)


class ReinstallReview(MachineReview):
    """The plan of the re-install."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f4", "keep", "Keep it", id="reinstall.keep", key_display="F4", tooltip="The plan into a file, for an inventory or the command"),
    ]  # fmt: skip
    AT = Stage.REVIEW
    HEADING = "What will happen, in this order"
    GO = "Destroy"
    HELP = """
### What is this?
The whole plan. Nothing is done that is not in it. The step that destroys names every pool with its guid; what is not named
there is not destroyed.

### What happens?
Type every word of the line, the machine and its pool first, then **Destroy**. The machine is compared with the survey
before anything begins: where one pool, instance or key is another, nothing is done. Until the step that destroys, a cancel
takes back what was changed.

### What is not touched?
The pools named under “Not touched”, the firmware, and the medium it boots from.
"""

    def make_plan(self) -> Plan:
        """Of what was decided."""
        return self.wizard.desk.reinstall.plan(self.said)

    def words(self) -> str:
        """The same by command."""
        return f"{plan_words_of(self.said)} --save plan.json"

    def action_keep(self) -> None:
        """Into a file: nothing is begun by that."""
        plan = self._plan
        if plan is None:
            return
        words = "The plan for `reinstall run`, or for an inventory of several machines. It holds no password, and counts for 15 minutes."

        def answered(found: dict[str, str] | None) -> None:
            if found is not None:
                desk = self.wizard.desk.reinstall
                self.ask_rooms(
                    lambda: desk.save_plan(plan, found["file"]),
                    lambda place: self.notify(f"Kept in {place}"),
                    lambda error: self.wizard.ask(Asking("That did not work", error_words(error), (("ok", "Close"),))),
                )  # fmt: skip

        field = (Asked("file", "File", f"{self.said.name}.plan.json"),)
        box = Box("Keep the plan", words, field, lambda said: "" if said["file"].strip() else "Which file?", go="Keep it")  # fmt: skip
        _ = self.app.push_screen(box, answered)


class RunAgain(ReinstallReview):
    """The plan of a run that did not come to its end: the same, so that no step is done twice."""

    HEADING = "The same plan again: what is done already is not done twice"

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self._same_plan = plan
        self.title = "Take it up again"

    @property
    def stage(self) -> Stage | None:
        """Off the road."""
        return None

    def make_plan(self) -> Plan:
        """As it was."""
        return self._same_plan

    def words(self) -> str:
        """The same by command."""
        return "reinstall run PLAN"

    def action_back(self) -> None:
        """Home."""
        self.wizard.go_home()


class BackupAgain(BackupReview):
    """A backup that goes on where another ended."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self._before = plan
        self.title = "Take it up again"

    @property
    def stage(self) -> Stage | None:
        """Off the road."""
        return None

    def make_plan(self) -> Plan:
        """With what is there already."""
        return self.wizard.desk.reinstall.backup_again(self._before)

    def words(self) -> str:
        """Nothing that would be the same."""
        return ""

    def action_back(self) -> None:
        """Home."""
        self.wizard.go_home()
