"""The Textual app: theme, keys, quit guard, and the walk between screens. See `following` for the job it follows.

Screens are imported when they are shown, so that the first one is there at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from rich.segment import Segment
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.filter import LineFilter
from textual.screen import Screen

from smartos_wizard.core.errors import WizardError
from smartos_wizard.core.settings import Settings, save
from smartos_wizard.screens.flow import REINSTALL_ROAD, SANDBOX_ROAD, Flow
from smartos_wizard.screens.following import Following
from smartos_wizard.screens.themes import THEMES
from smartos_wizard.screens.words import ASCII, UNICODE, to_ascii

if TYPE_CHECKING:
    from smartos_wizard.world import World


class AsciiFilter(LineFilter):
    """The net under `--ascii`: every character that leaves is one ASCII character."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's signature
        """The same line, in ASCII."""
        return [Segment(to_ascii(s.text), s.style, s.control) for s in segments]


class WizardApp(Following):
    """The full-screen wizard over a world."""

    CSS_PATH = "assets/wizard.tcss"
    TITLE = "SmartOS Wizard"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - Textual declares it as of the instance
        (0, "-tiny"), (60, "-narrow"), (80, "-normal"), (110, "-wide"),
    ]  # fmt: skip
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012 - the same
        (0, "-flat"), (20, "-low"), (24, "-tall"),
    ]  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f1",
            "help",
            "Help",
            id="app.help",
            key_display="F1",
            tooltip="What is this, what happens, what is not touched",
        ),
        Binding("ctrl+t", "next_theme", "Theme", id="app.theme", show=False, priority=True),
        Binding(
            "f10",
            "quit",
            "Quit",
            id="app.quit",
            key_display="F10",
            tooltip="Leave; work that runs is asked about",
        ),
        Binding("ctrl+c,ctrl+q", "quit_by_key", show=False, priority=True),
    ]

    def __init__(self, world: World, *, ascii_only: bool = False) -> None:
        super().__init__(world)
        self.ascii_only = ascii_only
        self.marks = ASCII if ascii_only else UNICODE
        for theme in THEMES:
            self.register_theme(theme)
        wanted = world.settings.theme
        self.theme = wanted if wanted in self.available_themes else THEMES[0].name

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own, and the ASCII net where asked for."""
        filters = list(super().get_line_filters())
        return [*filters, AsciiFilter()] if self.ascii_only else filters

    def _fatal_error(self) -> None:
        """As Textual's own, without the values of variables: one of them may be a password just being typed."""
        from rich.traceback import Traceback

        self.bell()
        self.panic(Traceback(show_locals=False, suppress=["textual"]))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own two greys, for themes that are not ours."""
        return {"dim": "#9a9a9a", "faint": "#777777"}

    def on_mount(self) -> None:
        """Home first."""
        self.set_class(self.ascii_only, "-ascii-only")
        self.go_home()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:  # noqa: ARG002 - Textual\'s signature
        """What the command palette offers."""
        from smartos_wizard.screens.palette import commands

        return commands(self)

    # ------------------------------------------------------------------ the walk

    def go_home(self) -> None:
        """To the first screen; a job that runs goes on."""
        from smartos_wizard.screens.home import Home

        self.resumes = None
        self.show(Home())

    def start_flow(self) -> None:
        """Begin to make a key."""
        self.go(Flow())

    def start_sandbox(self) -> None:
        """Begin to make a guest."""
        self.go(Flow(SANDBOX_ROAD[0], road=SANDBOX_ROAD))

    def start_reinstall(self) -> None:
        """Begin to make a SmartOS machine clean again."""
        self.go(Flow(REINSTALL_ROAD[0], road=REINSTALL_ROAD))

    def start_netboot(self) -> None:
        """Boot machines over the network."""
        from smartos_wizard.screens.netboot_start import NetbootStart

        self.show(NetbootStart())

    def start_dualboot(self) -> None:
        """Boot SmartOS beside the Linux of this computer."""
        from smartos_wizard.screens.dualboot_look import DualbootLook

        self.show(DualbootLook())

    def show_guests(self) -> None:
        """The guests there are."""
        from smartos_wizard.screens.guests import Guests

        self.show(Guests())

    def look_after(self) -> None:
        """What is on a key, and what may be done with it."""
        from smartos_wizard.screens.keys_choose import LookAfter

        self.show(LookAfter())

    def check_machine(self) -> None:
        """Whether this machine is fit for SmartOS."""
        from smartos_wizard.screens.hardware import Fit

        self.show(Fit())

    def preview_pool(self) -> None:
        """The pool that SmartOS would make of some disks."""
        from smartos_wizard.screens.pool import Pool

        self.show(Pool())

    def go_back(self) -> None:
        """One step back; home from the first."""
        before = self.flow.back()
        if before is None:
            self.go_home()
        else:
            self.go(before)

    def ask(self, screen: Screen[str], then: Callable[[str | None], None] | None = None) -> None:
        """Put a question over the screen."""
        _ = self.push_screen(screen, then)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A console takes every key, Ctrl-C too, but the F keys that stay with the wizard."""
        del parameters
        taken = action in ("quit_by_key", "next_theme", "command_palette") and bool(self.screen_stack)
        return not (taken and getattr(self.screen, "takes_keys", False))

    async def action_quit(self) -> None:
        """Leave; ask first while a job runs."""
        self.request_quit()

    async def action_quit_by_key(self) -> None:
        """The same, by a key that a console takes for itself."""
        self.request_quit()

    def request_quit(self) -> None:
        """The same, not asynchronous."""
        from smartos_wizard.screens.asking import Asking
        from smartos_wizard.screens.work_words import stopping

        if isinstance(self.screen, Asking) and self.screen.id == "quitting":
            return
        if not self.busy or self.watched is None:
            self.exit(0)
            return
        words = (
            "Work is going on. It runs in a process of its own, so you may leave it running: "
            "start the wizard again and it is followed from Home.\n\n"
            f"Cancelling stops at the next safe moment. {stopping(self.watched.progress.kind)}"
        )
        buttons = (("stay", "Stay"), ("leave", "Leave it running"), ("!cancel", "Cancel the work"))
        ask = Asking("Leave?", words, buttons, of_work=True)
        ask.id = "quitting"
        self.ask(ask, self._quit_answered)

    def _quit_answered(self, answer: str | None) -> None:
        if answer == "leave":
            self.exit(0)
        elif answer == "cancel" and self.watched is not None:
            self.watched.job.request_cancel()

    # ------------------------------------------------------------------ looks

    def action_next_theme(self) -> None:
        """The next palette."""
        names = [t.name for t in THEMES]
        at = names.index(self.theme) if self.theme in names else -1
        self.use_theme(names[(at + 1) % len(names)])

    def use_theme(self, name: str) -> None:
        """Change the palette and remember it."""
        self.theme = name
        self.notify(f"Theme: {name}", timeout=1.5)
        world = self.desk.world
        settings: Settings = replace(world.settings, theme=name)
        world.settings = settings
        with contextlib.suppress(OSError, WizardError):
            save(world.paths.settings_file, settings)

    def action_help(self) -> None:
        """The help of the screen, and its keys."""
        from smartos_wizard.screens.help import help_of

        if type(self.screen).__name__ != "Helping":
            _ = self.push_screen(help_of(self.screen))

    def action_picture(self) -> None:
        """Save the screen as SVG."""
        path = self.save_screenshot()
        self.notify(f"Saved as {path}")
