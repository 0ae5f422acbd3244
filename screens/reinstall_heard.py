"""What was heard of a machine while work on it goes on: keys to press, its state, a key to agree to. No widgets."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

from smartos_wizard.core.events import Noted
from smartos_wizard.core.progress import Progress
from smartos_wizard.screens.asking import Asking

HANDS = ("hands-needed", "setup-asks")


@dataclass(frozen=True, slots=True)
class Heard:
    """The newest picture of the work, asked about its machine."""

    progress: Progress

    def last(self, *references: str) -> Noted | None:
        """The newest note of these."""
        return next((n for n in reversed(self.progress.notes) if n.reference in references), None)

    @property
    def hands(self) -> Noted | None:
        """The keys that are to be pressed now, or the set-up that is to be answered; None where nobody is needed."""
        if self.progress.ended is not None:
            return None
        keys, setup = self.last("hands-needed"), self.last("setup-asks")
        if keys is not None and not self._seen_after(keys, "down"):
            return keys
        return setup if setup is not None and not self._seen_after(setup, "down", "unknown-key") else None

    def _seen_after(self, note: Noted, *but: str) -> bool:
        """Whether the machine was seen after that, in any state but those."""
        seen = self.last("host-state")
        return seen is not None and seen.at > note.at and seen.data.get("state") not in but

    @property
    def unknown_key(self) -> Noted | None:
        """The key that is to be agreed to now; None where none is."""
        asked = self.last("unknown-host-key")
        over = (
            asked is None or self.progress.ended is not None or self._seen_after(asked, "down", "unknown-key")
        )
        return None if over else asked

    @property
    def word(self) -> Noted | None:
        """The last note that is not shown elsewhere."""
        mine = ("host-state", *HANDS)
        return next((n for n in reversed(self.progress.notes) if n.reference not in mine), None)

    @property
    def destroying(self) -> bool:
        """Whether the step that destroys was begun."""
        return any(s.head.effect == "destroys" and s.state != "waiting" for s in self.progress.steps)


def key_question(host: str, algorithm: str, fingerprint: str, *, again: bool = False) -> Asking:
    """Is this its key? The safe answer is no. `again`: it was rebooted or wiped by work that waits for the answer."""
    kind = next((each for each in ("rsa", "ecdsa") if each in algorithm), "ed25519")
    head = (
        f"{host} is back with a key that is not known here:"
        if again
        else f"The key of {host} is not known here:"
    )
    why = (
        "In Rescue Mode and after the wipe a machine has a new key. Somebody in between would show another one."
        if again
        else "Somebody in between would show another one."
    )
    words = Content.assemble(
        f"{head}\n\n", (f"  {algorithm} {fingerprint}".replace("   ", "  ").rstrip(), "bold $accent"),
        f"\n\n{why} The machine's own is printed on its console by\n\n",
        (f"  ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub", "$secondary"),
        "\n\nSay yes only if both are the same, letter by letter.", "" if again else " It is remembered then.",
    )  # fmt: skip
    no = "No, go on waiting" if again else "No, do not log in"
    return Asking(
        "Is this its key?", words, (("no", no), ("!yes", "Yes, they are the same")), tall=True, of_work=again
    )
