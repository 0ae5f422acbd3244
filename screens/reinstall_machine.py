"""Which machine? Its address and how to log in, or a survey that was kept. In practice a list of make-believe machines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.reinstall.ports import Address
from smartos_wizard.screens.flow import Stage
from smartos_wizard.screens.options_boxes import Asked, Box
from smartos_wizard.screens.options_fields import Row, typed
from smartos_wizard.screens.page import error_words
from smartos_wizard.screens.reinstall_desk import Call
from smartos_wizard.screens.reinstall_heard import key_question
from smartos_wizard.screens.reinstall_model import MachineAnswers
from smartos_wizard.screens.reinstall_page import MachinePage
from smartos_wizard.screens.reinstall_words import survey_words
from smartos_wizard.screens.widgets.choices import Choices

_FIELDS = (
    ("host", "Address", "kestrel or 192.0.2.10", "its global zone, by name or number"),
    ("user", "User", "root", "root, or as your ssh config says"),
    ("port", "Port", "22", "as your ssh config says, or 22"),
    ("jump", "Through", "me@gate", "a host to jump through, if needed"),
    ("identity", "Key file", "~/.ssh/id_ed25519", "your agent and keys without it"),
    ("password", "Password", "", "only without a key; never in a plan"),
)


class ChooseMachine(MachinePage):
    """Which SmartOS machine is to be clean again?"""

    STAGE = Stage.MACHINE
    ASKS: ClassVar[str] = "Survey it"
    OTHER: ClassVar[str] = "F5 puts a backup back on a machine · F6 takes several machines"
    READS: ClassVar[str] = "It is only asked. Nothing is changed there, and nothing is sent to a machine whose key you do not know."  # fmt: skip
    HELP = """
### What is this?
A SmartOS machine is made clean again: its pool `zones` is destroyed, and SmartOS sets itself up anew. First it is
**surveyed**, so that nothing is lost by surprise.

### What happens?
`Enter` on the last field, or **Survey it**, logs in by ssh and asks. A key of the machine that is not known here is shown,
and you decide. `F3` takes a survey from a file: one that was kept, or what the script printed on the machine's console
(`smartos-wizard reinstall survey --script`). `F4` goes on with a runbook that was begun. `F5` puts a backup back on a machine,
or parts of it. `F6` re-installs several machines of an inventory, one at a time.

### What is not touched?
Everything on the machine. Much later, after you have seen a plan and typed what is destroyed, it is changed.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "survey", "Survey", id="machine.survey", key_display="F2", tooltip="Log in and ask; nothing is changed"),
        Binding("f3", "file", "A file", id="machine.file", key_display="F3", tooltip="A kept survey, or what the script printed"),
        Binding("f4", "runbooks", "Runbooks", id="machine.runbooks", key_display="F4", tooltip="Go on with one that was begun"),
        Binding("f5", "put_back", "Put back", id="machine.put_back", key_display="F5", show=False, tooltip="Put a backup back, or parts of it"),
        Binding("f6", "several", "Several", id="machine.several", key_display="F6", show=False, tooltip="Several machines of an inventory, one at a time"),
    ]  # fmt: skip

    _call: Call | None = None

    def __init__(self) -> None:
        super().__init__()
        # Keys said yes to, also where the password was wrong then.
        self._agreed: dict[str, tuple[str, ...]] = {}

    def frame(self) -> Widget:
        """The list scrolls, what is said of it stays."""
        return Vertical(id="body")

    def body(self) -> ComposeResult:
        """The list in practice, the form otherwise."""
        with Vertical(classes="card -fill" if self.practice else "card", id="machine-card") as card:
            if self.practice:
                card.border_title = "Which make-believe machine?"
                yield Choices(self.marks, id="machines")
            else:
                card.border_title = "Which machine?"
                address = self.said.address
                for name, title, example, _note in _FIELDS:
                    value = getattr(address, name, None) if address is not None else None
                    words = str(value) if value and name != "password" else ""
                    field = typed(words, id=name, example=example, hidden=name == "password")
                    yield Row(name, title, field, self.marks)
        yield Static("", id="machine-said", markup=False)
        yield Static(self.OTHER, id="machine-other", classes="muted", markup=False)
        if not self.practice:
            with Horizontal(classes="row"):
                yield Button(self.ASKS, id="go", compact=True)

    @property
    def practice(self) -> bool:
        """Whether the machines are make-believe."""
        return self.wizard.desk.world.practice

    def ready(self) -> None:
        """Show the machines, or the form with its notes."""
        self._say(self.READS)
        if self.practice:
            rows = [(name, self._machine(name, words), True) for name, words in self.desk.machines()]
            keep = self.said.address.host if self.said.address is not None else rows[0][0]
            self.query_one("#machines", Choices).fill(rows, keep=keep)
            self.query_one("#machines").focus()
            return
        for name, _title, _example, note in _FIELDS:
            self.query_one(f"#row-{name}", Row).note(note)
        self.query_one("#host").focus()

    def words(self) -> str:
        """The same by command."""
        address = self._typed() if self.is_mounted else None
        return survey_words(MachineAnswers(address)) if address is not None else "reinstall survey HOST"

    def _machine(self, name: str, words: str) -> Content:
        return Content.assemble("  ", (f"{name:<20}", "bold"), (words, "$dim"))

    def _say(self, words: Content | str) -> None:
        self.query_one("#machine-said", Static).update(words)

    # ------------------------------------------------------------------ what was typed

    def _typed(self) -> Address | None:
        """The machine that is named; None while there is none."""
        if self.practice:
            found = self.query("#machines")
            name = found.first(Choices).chosen if found else ""
            return Address(name) if name else None
        if not self.query("#host"):
            return None
        said = {name: self.query_one(f"#{name}", Input).value for name, *_ in _FIELDS}
        before, _, host = said["host"].strip().rpartition("@")
        port = said["port"].strip()
        if not host:
            return None
        number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else None
        return Address(
            host, said["user"].strip() or before, number, said["jump"].strip(), said["identity"].strip(), said["password"] or None
        )  # fmt: skip

    def _wrong(self) -> bool:
        """Say beside a field what is wrong in it; whether there is something."""
        if self.practice:
            return False
        port = self.query_one("#port", Input).value.strip()
        bad = {
            "host": "" if self._typed() is not None else "needed",
            "port": "" if not port or (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536) else "1 to 65535",
        }  # fmt: skip
        for name, _title, _example, note in _FIELDS:
            self.query_one(f"#row-{name}", Row).note(bad.get(name) or note, bad=bool(bad.get(name)))
        first = next((name for name, words in bad.items() if words), "")
        if first:
            self.query_one(f"#{first}").focus()
        return bool(first)

    def on_input_changed(self) -> None:
        """The command follows."""
        self.query_one("#same", Static).update(self._same())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes on to the next field, and asks from the last one."""
        if event.input.id == _FIELDS[-1][0]:
            self.action_survey()
        else:
            self.focus_next()

    def on_option_list_option_highlighted(self) -> None:
        """The command follows."""
        super().on_option_list_option_highlighted()
        self.query_one("#same", Static).update(self._same())

    def on_option_list_option_selected(self) -> None:
        """This one."""
        self.action_survey()

    def on_button_pressed(self) -> None:
        """Survey it."""
        self.action_survey()

    # ------------------------------------------------------------------ asking it

    def action_survey(self) -> None:
        """Log in and ask, in a thread."""
        address = self._typed()
        if self._call is None and not self._wrong() and address is not None:
            before = self.said.address
            known = before.accept if before is not None and before.host == address.host else ()
            self._ask(replace(address, accept=self._agreed.get(address.host, known)))

    def _ask(self, address: Address) -> None:
        call = self._call = Call()
        host = address.host
        self._say(Content.assemble((f"{self.marks.now} Asking {host} … ", "bold $accent"), "nothing is changed there. Esc gives up."))  # fmt: skip

        def found(seen: Any) -> None:
            if self._call is call:
                self._call = None
                self.looked(address, seen)

        def failed(error: ErrorReport) -> None:
            if self._call is call:
                self._call = None
                self._failed(address, error)

        self.ask_rooms(lambda: self.look(address, call), found, failed)

    def look(self, address: Address, call: Call) -> Any:
        """What is asked of it, in a thread."""
        return self.desk.survey(address, call)

    def looked(self, address: Address, found: Any) -> None:
        """It answered: on."""
        self.onward_with(MachineAnswers(address, survey=found))

    def onward_with(self, answers: MachineAnswers) -> None:
        """To the survey. Another machine than before begins with nothing decided; the same keeps what was."""
        before = self.said
        if before.survey is not None and before.survey.hostid == answers.seen.hostid:
            answers = replace(before, address=answers.address, file=answers.file, survey=answers.survey)
        self.wizard.go(self.wizard.flow.forward(machine=answers))

    def _failed(self, address: Address, error: ErrorReport) -> None:
        if error.reference != "unknown-host-key":
            self._say(Content.assemble((f"{self.marks.failed} ", "bold $error"), error_words(error)))
            return
        self._say(self.READS)
        fingerprint = str(error.details.get("fingerprint", ""))

        def answered(answer: str | None) -> None:
            if answer == "yes":
                self._agreed[address.host] = accept = (*address.accept, fingerprint)
                self._ask(replace(address, accept=accept))

        who = str(error.details.get("host", address.host))
        self.wizard.ask(key_question(who, str(error.details.get("algorithm", "")), fingerprint), answered)

    def action_back(self) -> None:
        """Give up asking; otherwise home."""
        call, self._call = self._call, None
        if call is None:
            self.leave()
            return
        self.run_worker(call.let_go, thread=True, exit_on_error=False)
        self._say("Given up. Nothing was changed there.")

    def leave(self) -> None:
        """Home."""
        self.wizard.go_home()

    # ------------------------------------------------------------------ from a file, and runbooks

    def action_file(self) -> None:
        """Ask for a file."""
        words = "A survey that was kept, or what the script printed on the machine's console."

        def answered(found: dict[str, str] | None) -> None:
            if found is not None:
                path = found["file"].strip()
                self.ask_rooms(
                    lambda: self.desk.survey_in(path),
                    lambda survey: self.onward_with(MachineAnswers(file=path, survey=survey)),
                    self.wrong,
                )

        field = (Asked("file", "File", self.said.file, "kestrel.json"),)
        box = Box(
            "A survey from a file", words, field, lambda said: "" if said["file"].strip() else "Which file?"
        )
        _ = self.app.push_screen(box, answered)

    def action_runbooks(self) -> None:
        """Those that were begun."""
        from smartos_wizard.screens.reinstall_runbooks import Runbooks

        self.wizard.show(Runbooks())

    def action_put_back(self) -> None:
        """A backup, back on a machine."""
        from smartos_wizard.screens.restore_choose import ChooseBackup

        self.wizard.show(ChooseBackup())

    def action_several(self) -> None:
        """Several machines, one at a time."""
        from smartos_wizard.screens.reinstall_inventory import ShowInventory

        self.wizard.show(ShowInventory())
