"""The serial console of a guest, live: what it says, and what is typed to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.guests.console_line import LOGIN, SETUP, LineState, Way
from smartos_wizard.guests.model import Guest
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.guests_words import by_command
from smartos_wizard.screens.page import Page, error_words
from smartos_wizard.screens.widgets.terminal import Terminal

if TYPE_CHECKING:
    from smartos_wizard.guests.console_line import ConsoleLine

_TICK, _SHARE = 1 / 30, 0.010  # seconds between two steps, and of each at most for what the guest says
_SSH_EVERY = 5.0


class GuestConsole(Page):
    """A terminal joined to a guest."""

    HELP = """
### What is this?
The guest's serial console: what it said before, from its log, and what it says now. It is where SmartOS sets itself
up and asks who logs in.

### What happens?
**Every key goes to the guest**, Escape, Ctrl-C and Tab too. These stay with the wizard: `Ctrl-]` leaves (the guest
goes on), `F1` help, `F2` the line to log in by ssh, `F3` all it said so far, `F10` quits.
While the guest is off, or somebody else is at its console, it is read-only, and says so.

### What is not touched?
Nothing but what you type reaches the guest.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave_quietly", show=False),
        Binding("ctrl+right_square_bracket", "back", "Leave", id="console.leave", key_display="Ctrl-]",
                tooltip="Leave the console; the guest goes on", priority=True),
        Binding("f2", "ssh", "By ssh", id="console.ssh", key_display="F2", tooltip="The line to log in by ssh"),
        Binding("f3", "earlier", "Earlier", id="console.log", key_display="F3", tooltip="All it said so far"),
        Binding("s", "start", "Start it", id="console.start", tooltip="Start the guest"),
    ]  # fmt: skip

    def __init__(self, name: str, then: Callable[[], None] | None = None) -> None:
        """`then` is where leaving leads; to the list of guests without it."""
        super().__init__()
        self.name_of_guest, self._then = name, then
        self._line: ConsoleLine | None = None
        self._guest: Guest | None = None
        self._shown: tuple[LineState, str, bool] | None = None
        self._ssh = ""
        self._answering = self._fed = False

    def frame(self) -> Widget:
        """All the room there is."""
        return Vertical(id="body")

    def body(self) -> ComposeResult:
        """One line on how it is, and the terminal."""
        yield Static("Looking for its console …", id="console-state", markup=False)
        yield Terminal(id="console")

    def side(self) -> ComposeResult:
        """Nothing: the terminal takes the width."""
        yield from ()

    def ready(self) -> None:
        """Open the line in a thread."""
        self.title = f"Console of {self.name_of_guest}"
        self._draw_title()
        terminal = self.query_one("#console", Terminal)
        terminal.takes_keys = False
        terminal.focus()
        desk, name = self.wizard.desk.guests, self.name_of_guest

        def ask() -> tuple[Guest, ConsoleLine]:
            guest = desk.find(name)
            return guest, desk.console(guest)

        self.ask_rooms(ask, self._there, self._failed)

    def command(self) -> str:
        """The same by command."""
        return by_command("console", self.name_of_guest, practice=self.wizard.desk.world.practice)

    def _there(self, found: tuple[Guest, ConsoleLine]) -> None:
        self._guest, self._line = found
        self._line.start()
        self.set_interval(_TICK, self._step)
        self.set_interval(_SSH_EVERY, self._ask_ssh)

    def _failed(self, error: ErrorReport) -> None:
        self.query_one("#console-state", Static).update(Content(error.message))
        self.wizard.ask(Asking("Its console cannot be shown", error_words(error), (("ok", "Close"),)))

    def on_unmount(self) -> None:
        """Let go of the line; it is closed by a thread, so that nothing waits for it."""
        if self._line is not None:
            import threading

            threading.Thread(target=self._line.close, name="console-closing").start()

    @property
    def takes_keys(self) -> bool:
        """Whether every key is the guest's now, also those that are the wizard's elsewhere."""
        terminal = self.query("#console").first(Terminal) if self.query("#console") else None
        return terminal is not None and terminal.takes_keys and self.focused is terminal

    # ------------------------------------------------------------------ thirty times a second

    def _step(self) -> None:
        line = self._line
        if line is None or not self.query("#console"):
            return
        terminal = self.query_one("#console", Terminal)
        if terminal.feed_from(line.take, _SHARE):
            self._fed = True
            self._answer(terminal, line)
            if terminal.has_focus and self.app.screen is self:
                self.app.cursor_position = terminal.cursor()
        elif not self._answering:
            self._answering = True  # what it asked earlier is answered by nobody
            terminal.answers()
        shown = (line.state, self._ssh, self._fed)
        if shown != self._shown:
            self._tell(shown)

    def _answer(self, terminal: Terminal, line: ConsoleLine) -> None:
        words = terminal.answers()
        if words and self._answering:
            line.send(words)

    def _tell(self, shown: tuple[LineState, str, bool]) -> None:
        before, self._shown = self._shown, shown
        state, ssh, _fed = shown
        terminal = self.query_one("#console", Terminal)
        terminal.takes_keys = state.way is Way.TWO_WAY
        if before is None or before[0].way is not state.way:
            terminal.refresh()
            self.refresh_bindings()
        if state.met == LOGIN and (before is None or before[0].met != LOGIN):
            self._ask_ssh()
        self.query_one("#console-state", Static).update(self._state(state, ssh))

    def _state(self, state: LineState, ssh: str) -> Content:
        name, marks, width = self.name_of_guest, self.marks, self.app.size.width - 4
        match state.way:
            case Way.TWO_WAY:
                words, more = f"joined: what you type goes to {name}", ""
                if state.met == SETUP:
                    words = "SmartOS asks its setup questions here"
                elif state.met == LOGIN:
                    words, more = "log in here", f", or in another terminal: {ssh}" if ssh else ""
                parts = [(f"{marks.done} ", "$success"), (words, "bold"), (more, "$secondary")]
            case Way.TAKEN:
                parts = [(f"{marks.warn} read-only ", "bold $warning"), (state.why, "$warning")]
            case _:
                last = "Below is what it said last." if self._fed else "It said nothing yet."
                parts = [(f"{marks.todo} read-only ", "bold"), (f"{state.why} {last}", "$dim")]
        line = Content.assemble(*parts)
        return line if line.cell_length <= width else line[: width - 1] + "…"

    def _ask_ssh(self) -> None:
        guest, desk = self._guest, self.wizard.desk.guests
        if guest is not None and self._line is not None and self._line.state.met == LOGIN:
            self.ask_rooms(lambda: desk.ssh(guest), self._know_ssh, lambda _error: None)

    def _know_ssh(self, words: str) -> None:
        self._ssh = words

    # ------------------------------------------------------------------ keys

    def on_terminal_typed(self, event: Terminal.Typed) -> None:
        """To the guest."""
        event.stop()
        if self._line is not None and not self._line.send(event.data):
            self.notify("That did not reach the guest.", severity="warning", timeout=3)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Starting only while it is off."""
        del parameters
        if action == "start":
            line = self._line
            return line is not None and line.state.way is Way.READ_ONLY
        return True

    def action_start(self) -> None:
        """Start the guest and come back here."""
        desk, wizard, name, then = self.wizard.desk, self.wizard, self.name_of_guest, self._then

        def started(job: object) -> None:
            from smartos_wizard.core.journal import Job
            from smartos_wizard.screens.guest_work import GuestWork

            assert isinstance(job, Job)
            wizard.watch_job(
                job, screen=GuestWork(job, None, lambda: wizard.show(GuestConsole(name, then)), words="Its console")
            )  # fmt: skip

        self.ask_rooms(lambda: desk.start(desk.guests.start_plan(name)), started, self._not_started)

    def _not_started(self, error: ErrorReport) -> None:
        self.wizard.ask(Asking("It cannot be started now", error_words(error), (("ok", "Close"),)))

    def action_ssh(self) -> None:
        """The line to log in, to be typed in another terminal."""
        guest, desk, practice = self._guest, self.wizard.desk.guests, self.wizard.desk.world.practice
        if guest is None:
            return

        def know(words: str) -> None:
            self._ssh = words
            same = by_command("ssh", guest.name, practice=practice)
            if words:
                told = Content.assemble(
                    "Once setup is done, in another terminal:\n\n", (words, "bold $accent"), "\n\nor\n\n", (same, "bold $accent"),
                )  # fmt: skip
            else:
                told = Content("Nobody knows the way to it by ssh now: it is off, or it has no address yet.")
            self.wizard.ask(Asking(f"Log in to {guest.name}", told, (("ok", "Close"),)))

        self.ask_rooms(lambda: desk.ssh(guest), know, lambda _error: None)

    def action_earlier(self) -> None:
        """All it said so far."""
        if self._guest is not None:
            from smartos_wizard.screens.guest_console_log import ConsoleLog

            _ = self.wizard.push_screen(ConsoleLog(self._guest))

    def action_leave_quietly(self) -> None:
        """Escape leaves where it is not the guest's."""
        self.action_back()

    def action_back(self) -> None:
        """Leave; the guest goes on."""
        if self._then is not None:
            self._then()
            return
        from smartos_wizard.screens.guests import Guests

        self.wizard.show(Guests(self.name_of_guest))
