"""What does the guest start from? A release, as a key of its own or as the ISO; or a file of the user's own."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.media.model import VerifiedImage
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.options_boxes import Asked, Box
from smartos_wizard.screens.page import error_words
from smartos_wizard.screens.release import ChooseRelease
from smartos_wizard.screens.sandbox_start import ISO_WORDS, KEY_WORDS, VOUCH, own_image, starting
from smartos_wizard.screens.sandbox_words import guest_by_command
from smartos_wizard.screens.widgets.choices import Choices


class ChooseStart(ChooseRelease):
    """The list of releases; `i` turns between USB image and ISO, `o` asks for a file."""

    HELP = """
### What is this?
What the guest starts from. Each release has a **USB image**, of which the guest gets a copy of its own that can be
told everything, and an **ISO**, from which it starts as it is. Most people want the newest, as a key.

### What happens?
It is downloaded and checked against the release's own checksums. `i` turns to the ISO and back: what is on an ISO
cannot be changed, so there are no options with it. `o` takes a **file of your own**: a USB image (`.img`, `.img.gz`),
an ISO, or SmartOS's bundle for VMware.

### What is not touched?
The file itself: it is read only, and stays where it is.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "turn", "ISO/key", id="start.turn", tooltip="From the ISO, or from a key of its own"),
        Binding(
            "o", "own", "Own file", id="start.own", tooltip="A USB image, an ISO or a bundle that is here"
        ),
    ]

    def body(self) -> ComposeResult:
        """The list, and below it how the guest starts."""
        yield from super().body()
        yield Static("", id="starts", classes="muted", markup=False)

    def ready(self) -> None:
        """The newest one, as it was chosen before."""
        super().ready()
        self._say()

    @property
    def artifact(self) -> str:
        """The ISO, or the USB image."""
        return self.wizard.flow.answers.guest.artifact

    def command(self) -> str:
        """The same by command, as far as it goes by now."""
        flow, practice = self.wizard.flow, self.wizard.desk.world.practice
        return guest_by_command(flow.stage, flow.answers, practice=practice)

    def _say(self) -> None:
        iso = self.artifact == "iso"
        self.query_one("#list").border_subtitle = "its ISO" if iso else "its USB image"
        self.query_one("#starts", Static).update(ISO_WORDS if iso else KEY_WORDS)
        self.query_one("#same", Static).update(self._same())

    def action_turn(self) -> None:
        """The other medium of the releases."""
        guest = self.wizard.flow.answers.guest
        fresh = replace(guest, boot="key" if guest.boot == "iso" else "iso", file="", vouch="")
        self.wizard.flow = self.wizard.flow.noted(guest=fresh)
        self._say()
        self.action_reload()

    def on_option_list_option_selected(self, event: Choices.OptionSelected) -> None:
        """No longer with a file; the list itself goes on with the release (both are called, this one first)."""
        del event
        guest = self.wizard.flow.answers.guest
        self.wizard.flow = self.wizard.flow.noted(guest=replace(guest, file="", vouch=""))

    def action_own(self) -> None:
        """Ask for it."""
        guest = self.wizard.flow.answers.guest
        fields = (
            Asked("file", "File", guest.file, "smartos-USB.img.gz, or an .iso"),
            Asked("vouch", "Checksum", guest.vouch),
        )
        words = (
            f"A USB image, an ISO, or SmartOS's bundle for VMware.\nChecksum: {VOUCH[0].lower()}{VOUCH[1:]}."
        )
        box = Box("A file of your own", words, fields, _empty)
        _ = self.app.push_screen(box, self._typed)

    def _typed(self, said: dict[str, str] | None) -> None:
        if said is None:
            return
        guest = replace(
            self.wizard.flow.answers.guest, file=said["file"].strip(), vouch=said["vouch"].strip()
        )
        self.wizard.flow = self.wizard.flow.noted(guest=guest)
        self.query_one("#trouble", Static).update("Looking at the file …")
        world = self.wizard.desk.world
        self.ask_rooms(lambda: own_image(world, guest.file, guest.vouch), self._taken, self._not_taken)

    def _taken(self, image: VerifiedImage) -> None:
        flow = self.wizard.flow
        self.wizard.go(
            flow.forward(stamp=image.stamp, image=image, guest=starting(flow.answers.guest, image))
        )

    def _not_taken(self, error: ErrorReport) -> None:
        self.query_one("#trouble", Static).update("")
        self.wizard.ask(
            Asking("It cannot start from that", error_words(error), (("ok", "Close"),)), self._own_again
        )

    def _own_again(self, _answer: str | None) -> None:
        self.action_own()


def _empty(said: dict[str, str]) -> str:
    return "" if said["file"].strip() else "Which file?"
