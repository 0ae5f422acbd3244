"""What may be done with a guest, whichever screen shows it: the keys, the questions, and where each leads."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType

from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.journal import Job
from smartos_wizard.core.plan import Plan
from smartos_wizard.guests.looking import Look
from smartos_wizard.guests.model import Guest
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.guests_words import may
from smartos_wizard.screens.page import Page, error_words

_NEEDS = {
    "start": "start", "stop": "stop", "console": "console", "snapshots": "snapshots", "reinstall": "reinstall",
    "delete": "delete", "export": "export",
}  # fmt: skip


class GuestActions(Page):
    """A screen with a guest to act on: subclasses say which, what is known of it, and where to return."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "start", "Start", id="guest.start", tooltip="Start it without a window"),
        Binding("s", "stop", "Stop", id="guest.stop", tooltip="Ask it to shut down, or switch it off"),
        Binding("c", "console", "Console", id="guest.console", tooltip="Its serial console, to read and type"),
        Binding("d", "delete", "Delete", id="guest.delete", tooltip="Remove it with every file; confirmed first"),
        Binding("p", "snapshots", "Snapshots", id="guest.snapshots", tooltip="Take, restore, delete snapshots", show=False),
        Binding("r", "reinstall", "Reinstall", id="guest.reinstall", tooltip="Empty its disks; confirmed first", show=False),
        Binding("e", "export", "Export", id="guest.export", tooltip="Write it for another program", show=False),
    ]  # fmt: skip

    @property
    def subject(self) -> Guest | None:
        """The guest that is meant."""
        raise NotImplementedError

    @property
    def seen(self) -> Look | None:
        """What is known of it; None before its hypervisor answered."""
        raise NotImplementedError

    def again(self) -> None:
        """Return to this screen, read anew."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what may be done with this guest as it is."""
        del parameters
        need = _NEEDS.get(action)
        if need is None:
            return True
        return self.is_mounted and self.subject is not None and need in may(self.seen)

    def keys_follow(self) -> None:
        """Let the footer say what may be done, where that changed: it is drawn anew each time."""
        now = may(self.seen) if self.subject is not None else frozenset[str]()
        if now != getattr(self, "_offered", None):
            self._offered = now
            self.refresh_bindings()

    def _who(self) -> str:
        guest = self.subject
        return guest.name if guest is not None else ""

    # ------------------------------------------------------------------ at once

    def action_start(self) -> None:
        """Start it, then show its console."""
        name, desk = self._who(), self.wizard.desk.guests

        def console() -> None:
            from smartos_wizard.screens.guest_console import GuestConsole

            self.wizard.show(GuestConsole(name))

        self.begin(lambda: desk.start_plan(name), console, "Open its console")

    def action_stop(self) -> None:
        """How."""
        words = (
            "Asked to shut down, SmartOS ends its services and its zones; after 90 s it is switched off anyway.\n\n"
            "Switched off at once, it is as if somebody pulled the plug: what it had not written yet is lost."
        )
        ask = Asking(
            f"Stop {self._who()}?", words, (("no", "Leave it on"), ("ask", "Ask it to shut down"), ("!force", "Switch it off"))
        )  # fmt: skip
        self.wizard.ask(ask, self._stop)

    def _stop(self, answer: str | None) -> None:
        name, desk = self._who(), self.wizard.desk.guests
        if answer in ("ask", "force"):
            self.begin(lambda: desk.stop_plan(name, force=answer == "force"))

    def begin(
        self, plan: Callable[[], Plan], then: Callable[[], None] | None = None, words: str = "Go on"
    ) -> None:
        """Start a plan that asks nothing, and follow it; then on, or back to this screen."""
        desk, wizard, again = self.wizard.desk, self.wizard, self.again

        def started(job: Job) -> None:
            from smartos_wizard.screens.guest_work import GuestWork

            wizard.watch_job(job, screen=GuestWork(job, None, then or again, words=words))

        self.ask_rooms(lambda: desk.start(plan()), started, self.failed)

    def failed(self, error: ErrorReport) -> None:
        """Say it in a box."""
        self.wizard.ask(Asking("That did not work", error_words(error), (("ok", "Close"),)))

    # ------------------------------------------------------------------ elsewhere

    def action_console(self) -> None:
        """Its console."""
        from smartos_wizard.screens.guest_console import GuestConsole

        self.wizard.show(GuestConsole(self._who(), self.again))

    def action_snapshots(self) -> None:
        """Its snapshots."""
        from smartos_wizard.screens.guest_snapshots import GuestSnapshots

        self.wizard.show(GuestSnapshots(self._who(), self.again))

    def action_reinstall(self) -> None:
        """Which disks are emptied."""
        from smartos_wizard.screens.guest_reinstall import GuestReinstall

        self.wizard.show(GuestReinstall(self._who(), self.again))

    def action_export(self) -> None:
        """As what, and where to."""
        from smartos_wizard.screens.guest_export import ask_export

        ask_export(self, self._who(), self.seen, self.again)

    def action_delete(self) -> None:
        """The plan to remove it."""
        from smartos_wizard.screens.guest_review import DeleteReview

        self.wizard.show(DeleteReview(self._who(), self.again))
