"""The plan of SmartOS beside Linux, armed by typing this computer's name, and run with root's rights."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, Static

from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.journal import Job
from smartos_wizard.core.plan import Plan
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.dualboot_model import Beside
from smartos_wizard.screens.dualboot_page import step_title
from smartos_wizard.screens.dualboot_words import command_words
from smartos_wizard.screens.page import error_words
from smartos_wizard.screens.review_named import NamedReview
from smartos_wizard.screens.words import begin

if TYPE_CHECKING:
    from smartos_wizard.screens.working import Working


class DualbootChange(NamedReview):
    """A plan about how this computer starts. What is typed is its name, all of it."""

    NO_PLAN = "It cannot be done."
    STEP: ClassVar[str] = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f3", "full", "Full plan", id="dualboot.full", key_display="F3", tooltip="Every detail, and what one would type by hand"),
        Binding("f", "nothing", show=False),
    ]  # fmt: skip

    changeable = True
    """Whether this process may change how the computer starts; otherwise the command is given as root."""

    def ready(self) -> None:
        """The title says where it stands."""
        self.title = step_title(self.STEP)
        self._draw_title()
        super().ready()

    def action_nothing(self) -> None:
        """No letter does anything here."""

    def words(self) -> str:
        """The command that does the same, without its beginning."""
        raise NotImplementedError

    def command(self) -> str:
        """The command that does the same."""
        sudo = "" if self.changeable else "sudo "
        return f"{sudo}{begin(practice=self.wizard.desk.world.practice)} {self.words()}"

    def _planned(self, plan: Plan) -> None:
        """The field has the focus: names begin with any letter, and Enter in it only arms."""
        super()._planned(plan)
        self.query_one("#token").focus()

    def _hint(self) -> None:
        super()._hint()
        if self.query("#plan") and (plan := self.query_one("#plan")).border_subtitle:
            plan.border_subtitle = str(plan.border_subtitle).replace("f shows", "F3 shows")

    def _draw(self) -> None:
        super()._draw()
        if self._plan is None or not self.query("#confirm"):
            return
        words = f"To arm it, type this computer's name, {self.tokens[0]}:"
        if len(words) + 8 > self.app.size.width:
            words = "To arm it, type this computer's name:"
        self.query_one("#confirm").border_title = words
        untouched = Content.assemble(("Not touched: ", "bold"), "; ".join(self._plan.untouched) + ".")
        undone = Content.assemble(("If a step fails: ", "bold"), self.if_it_fails())
        lines = [undone, untouched]
        if not self.changeable:
            lines.append(
                Content.assemble(
                    ("Root's rights: ", "bold"), "the terminal asks for your password, and shows the work."
                )
            )
        self.query_one("#untouched", Static).update(Content("\n").join(lines))

    def if_it_fails(self) -> str:
        """What then."""
        return "all that was done before it is taken back, in reverse; this Linux starts as before."

    @property
    def is_armed(self) -> bool:
        """Once the name is there as it is."""
        return self._plan is not None and (self.query_one("#token", Input).value.strip(),) == self.tokens

    def not_armed(self) -> str:
        """What is wrong with what was typed."""
        return "what was typed is not this computer's name."

    # ------------------------------------------------------------------ beginning

    def _begin(self) -> None:
        if self.changeable:
            super()._begin()
            return
        self._started = True
        self._judge()
        self.ask_rooms(self.root_command, self._as_root, self._refused)

    def work(self, job: Job) -> Working:
        """With the disk that was named."""
        from smartos_wizard.screens.dualboot_work import DualbootWork

        return DualbootWork(job, self._plan, self.disk())

    def disk(self) -> str:
        """The disk that SmartOS' pool shall take, in words."""
        return ""

    def root_command(self) -> str:
        """The command for root, whole; empty where nothing makes one root here. May take seconds."""
        raise NotImplementedError

    def _as_root(self, command: str) -> None:
        """Give the terminal away for it. Then it is looked what is there now, whatever it said."""
        from textual.app import SuspendNotSupported

        if not command:
            self._by_hand(self.command())
            return
        try:
            with self.app.suspend():
                code = self.wizard.desk.dualboot.run_as_root(command)
        except SuspendNotSupported:
            self._by_hand(command)
            return
        self._ran(code)

    def _by_hand(self, command: str) -> None:
        self._started = False
        self._judge()
        words = Content.assemble(
            "Give this command in another terminal, then look again:\n\n", (command, "$secondary")
        )
        self.wizard.ask(Asking("Root's rights are needed", words, (("ok", "Close"),), tall=True))

    def _ran(self, code: int) -> None:
        """The command ended. Subclasses say where it goes on."""
        raise NotImplementedError


class DualbootReview(DualbootChange):
    """The plan of the installation."""

    STEP = "Review"
    HEADING = "What will happen, in this order"
    GO = "Do it"
    HELP = """
### What is this?
The whole plan. Nothing is done that is not in it.

### What happens?
Type this computer's name, then **Do it**. The files are copied, read back and compared; the new menu is made aside and
checked, and only the last step puts it in the place of the old one. Whatever fails or is cancelled before is taken back,
in reverse.

### What is not touched?
The entry that starts by itself, boot sectors, GRUB itself, every other file, partition and pool.
"""

    def __init__(self, said: Beside) -> None:
        super().__init__()
        self.said = said
        self.changeable = said.seen.changeable

    def make_plan(self) -> Plan:
        """From this Linux as it is now."""
        return self.wizard.desk.dualboot.plan(self.said)

    def words(self) -> str:
        """The same by command."""
        return command_words("install", self.said)

    def disk(self) -> str:
        """As it was chosen."""
        return self.said.disk

    def root_command(self) -> str:
        """With the file named, and its digest."""
        desk = self.wizard.desk.dualboot
        return desk.as_root(command_words("install", self.said, desk.source_words(self.said)))

    def _ran(self, code: int) -> None:
        from smartos_wizard.screens.dualboot_done import DualbootDone

        desk, root = self.wizard.desk.dualboot, self.said.seen.root

        def looked(seen: object) -> None:
            del seen
            self.wizard.show(DualbootDone(root, self.said.disk, told=bool(self.said.choices.root_shadow)))

        if code == 0:
            self.ask_rooms(lambda: desk.look(root), looked, self._refused)
        else:
            self._started = False
            self._judge()
            words = f"The command ended with exit code {code}; what it said stood in the terminal. What was begun is taken back."
            self.wizard.ask(Asking("It did not work", words, (("ok", "Close"),)))

    def _refused(self, error: ErrorReport) -> None:
        self._started = False
        self._judge()
        self.wizard.ask(Asking("It was not begun", error_words(error), (("ok", "Close"),), tall=True))

    def action_back(self) -> None:
        """To the entry."""
        from smartos_wizard.screens.dualboot_entry import DualbootEntry

        self.wizard.show(DualbootEntry(self.said))
