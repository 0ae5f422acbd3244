"""One guest: what it should be, what its hypervisor says, its files and the room they take."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from smartos_wizard.core import text
from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.guests.looking import Look
from smartos_wizard.guests.model import Guest
from smartos_wizard.screens.guest_actions import GuestActions
from smartos_wizard.screens.guests_desk import Room
from smartos_wizard.screens.guests_words import as_asked, by_command, facts, sandbox_table, state_words
from smartos_wizard.screens.page import error_words
from smartos_wizard.screens.widgets.panel import pairs
from smartos_wizard.screens.widgets.reading import Reading

_EVERY = 3.0
Found = tuple[Look, Room, str, str]


class OneGuest(GuestActions):
    """Everything about one guest."""

    SIDE_TITLE = "About this guest"
    HELP = """
### What is this?
The guest as it was asked for, and as its **hypervisor** says it is now, switch by switch. What differs is marked;
it may have been changed in the hypervisor's own window.

### What happens?
`s` starts or stops it, `c` is its console, `p` its snapshots, `r` makes it as new, `e` writes it for
another program, `d` removes it.
What erases anything shows its plan and wants the guest's name typed.

### What is not touched?
Everything outside the folder named here.
"""
    BINDINGS: ClassVar[
        list[BindingType]
    ] = [  # as elsewhere, but these two are in the footer instead of Delete
        Binding(
            "p", "snapshots", "Snapshots", id="guest.snapshots", tooltip="Take, restore, delete snapshots"
        ),
        Binding(
            "r", "reinstall", "Reinstall", id="guest.reinstall", tooltip="Empty its disks; confirmed first"
        ),
        Binding("d", "delete", "Delete", id="guest.delete", tooltip="Remove it with every file", show=False),
    ]

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name_of_guest = name
        self._found: Found | None = None
        self._asking = False

    def frame(self) -> Widget:
        """What is known scrolls by itself."""
        return Vertical(id="body")

    def body(self) -> ComposeResult:
        """One card with everything."""
        with Reading(how="arrow keys", id="guest-card") as card:
            card.border_title = self.name_of_guest
            yield Static("Asking its hypervisor …", id="guest-facts", markup=False)

    def ready(self) -> None:
        """Ask, and again now and then."""
        self.title = "Guest"
        self._draw_title()
        self.query_one("#guest-card").focus()
        self.refresh_now()
        self.set_interval(_EVERY, self.refresh_now)

    def command(self) -> str:
        """The same by command."""
        return by_command("show", self.name_of_guest, practice=self.wizard.desk.world.practice)

    def refresh_now(self) -> None:
        """Ask once more, unless nobody answered yet."""
        if self._asking:
            return
        self._asking = True
        desk, name = self.wizard.desk.guests, self.name_of_guest

        def ask() -> Found:
            look = desk.look_at(name)
            return look, desk.room(look.guest), desk.ssh(look.guest), desk.title(look.guest)

        self.ask_rooms(ask, self._there, self._gone)

    def _there(self, found: Found) -> None:
        self._asking = False
        if found != self._found:
            self._found = found
            self._draw()
            self.keys_follow()

    def _gone(self, error: ErrorReport) -> None:
        self._asking, self._found = False, None
        self.query_one("#guest-facts", Static).update(error_words(error))
        self.keys_follow()

    def resized(self) -> None:
        """Wrapped anew."""
        self.call_after_refresh(self._draw)

    def on_reading_widened(self) -> None:
        """The same."""
        self._draw()

    def _draw(self) -> None:
        if self._found is None or not self.query("#guest-facts"):
            return
        look, room, ssh, title = self._found
        card = self.query_one("#guest-card", Reading)
        width = max(40, (card.content_region.width or self.app.size.width - 8) - 1)
        head = Content.assemble(state_words(look, self.marks), "   ", as_asked(look))
        card.border_title = look.guest.name
        heading = "bold $primary"
        self.query_one("#guest-facts", Static).update(
            Content("\n").join(
                [
                    head,
                    pairs(facts(look, title, ssh), width=width),
                    Content.assemble(("\nThe sandbox, switch by switch", heading)),
                    sandbox_table(look, self.marks),
                    Content.assemble(
                        ("\nIts files", heading), (f"   {text.size(room.whole)} in use", "$dim")
                    ),
                    Content.assemble((str(look.guest.folder), "$dim")),
                    *_files(look.guest, room, width),
                    Content.assemble(
                        ("\ne exports it for another program; d deletes it, with all of these.", "$dim")
                    ),
                ]
            )
        )

    # ------------------------------------------------------------------ actions

    @property
    def subject(self) -> Guest | None:
        """This one."""
        return self._found[0].guest if self._found is not None else None

    @property
    def seen(self) -> Look | None:
        """What is known of it."""
        return self._found[0] if self._found is not None else None

    def again(self) -> None:
        """Here again."""
        self.wizard.show(OneGuest(self.name_of_guest))

    def action_back(self) -> None:
        """To the list."""
        from smartos_wizard.screens.guests import Guests

        self.wizard.show(Guests(self.name_of_guest))


def _files(guest: Guest, room: Room, width: int) -> list[Content]:
    """Every file below its folder, the largest first."""
    lines = []
    for path, size in room.files:
        name = str(path.relative_to(guest.folder)) if path.is_relative_to(guest.folder) else str(path)
        short = name if len(name) <= width - 14 else "…" + name[-(width - 15) :]
        lines.append(Content.assemble((f"  {text.size(size):>10}  ", "$dim"), short))
    return lines or [Content.assemble(("  none", "$dim"))]
