"""What a guest starts from, line by line: a release, as a key of its own or as the ISO; or a file of the user's own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from smartos_wizard.cli.plain_work import PlainWork
from smartos_wizard.core import text
from smartos_wizard.core.errors import WizardError
from smartos_wizard.screens.sandbox_model import GuestAnswers
from smartos_wizard.screens.sandbox_start import ISO_WORDS, KEY_WORDS, VOUCH, own_image, starting

if TYPE_CHECKING:
    from smartos_wizard.media.model import VerifiedImage
    from smartos_wizard.screens.desk import Offer

_SHOWN = 8  # releases read aloud


class PlainStart:
    """Asks for a release or a file. `guest` is what was decided of the medium, `image` what came of it."""

    def __init__(self, work: PlainWork, guest: GuestAnswers) -> None:
        self.work, self.desk, self.voice, self.guest = work, work.desk, work.voice, guest
        self.image: VerifiedImage | None = None

    def run(self) -> bool:
        """Ask until there is an image; False for back. Raises NetworkFailed."""
        self.voice.say("Step 2, release.")
        while True:
            offer = self.desk.offer(details=False, kind=self.guest.artifact)
            count = self._list(offer)
            chosen = self.voice.choose("Which release?", count + 2)
            if chosen is None:
                return False
            if chosen == count:
                self.guest = replace(self.guest, boot="key" if self._iso else "iso", file="", vouch="")
            elif chosen == count + 1:
                if self._own():
                    return True
            else:
                self.guest = replace(self.guest, file="", vouch="")
                return self._released(offer.rows[chosen].stamp)

    @property
    def _iso(self) -> bool:
        return self.guest.boot == "iso"

    def _list(self, offer: Offer) -> int:
        """Read it out; how many releases were offered."""
        say = self.voice.say
        if offer.offline:
            say(f"Offline: this list is from {offer.offline}.")
        say(ISO_WORDS if self._iso else KEY_WORDS)
        rows = offer.rows[:_SHOWN]
        for number, row in enumerate(rows, 1):
            marks = ", ".join(w for w, on in (("latest", row.latest), ("stored here", row.stored)) if on)
            say(f"{number}. {row.stamp}, {text.age(row.age)}" + (f", {marks}" if marks else ""))
        say(
            f"{len(rows) + 1}. {'From a key of its own instead' if self._iso else 'From the ISO of a release instead'}"
        )
        say(f"{len(rows) + 2}. From a file of your own: a USB image, an ISO, or SmartOS's bundle for VMware")
        return len(rows)

    def _released(self, stamp: str) -> bool:
        kind = self.guest.artifact
        self.image = self.desk.stored_image(stamp, kind)
        if self.image is None:
            self.voice.say(f"Download and check {stamp}{', its ISO' if self._iso else ''}.")
            self.work.run(self.desk.download_plan(stamp, kind))
            self.image = None if self.work.code else self.desk.stored_image(stamp, kind)
        return self.image is not None

    def _own(self) -> bool:
        """Ask for the file and who vouches for it; False where nothing came of it, which was said."""
        file = self.voice.ask("The file, or b to leave it")
        if file in ("b", ""):
            return False
        vouch = self.voice.ask(f"{VOUCH}; Enter where this program downloaded it, or b")
        if vouch == "b":
            return False
        try:
            self.image = own_image(self.desk.world, file, vouch)
        except WizardError as error:
            self.voice.say(f"It cannot start from that: {error.message} {error.hint}".strip())
            return False
        self.guest = starting(replace(self.guest, file=file, vouch=vouch), self.image)
        return True
