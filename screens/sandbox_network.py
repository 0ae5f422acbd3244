"""What may the guest reach, and who reaches it? Three sandboxes in words, and every switch as it will be."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, Static

from smartos_wizard.screens.flow import Stage
from smartos_wizard.screens.options_fields import Row, Turning, typed
from smartos_wizard.screens.sandbox_form import GuestForm
from smartos_wizard.screens.sandbox_model import NETWORK_FIELDS, SANDBOXES


class ChooseNetwork(GuestForm):
    """The sandbox, a card to bridge to where it asks for one, networks between guests, the port of ssh."""

    STAGE = Stage.NETWORK
    HEAD: ClassVar[str] = "What may the guest reach?"
    BELOW: ClassVar[str] = "Its sandbox, switch by switch"
    FIELDS: ClassVar[tuple[str, ...]] = NETWORK_FIELDS
    ASKS: ClassVar[bool] = True
    HELP = """
### What is this?
The **sandbox** says what a guest may reach. `lab` fits most: it gets out, and nobody gets in.
In all three everything between the guest and this machine is off: clipboard, shared folders, USB, sound.

### What happens?
`Left` and `Right` change the sandbox; the switches below follow. After the guest is made, the hypervisor
is asked for each of them, and every difference is said.
An **inner network** is one more card, on a wire between guests only. **ssh** is reached on 127.0.0.1.

### What is not touched?
This machine's own network settings.
"""

    def rows(self) -> ComposeResult:
        """The fields."""
        guest, marks = self.guest, self.marks
        yield Row("sandbox", "Sandbox", Turning(SANDBOXES, guest.sandbox, id="sandbox"), marks)
        yield Static("", id="kinds", markup=False)
        yield Row("bridge", "Bridged to", typed(guest.bridge, id="bridge", example="eth0"), marks)
        yield Row("inner", "Inner networks", typed(guest.inner, id="inner", example="none"), marks)
        yield Row("port", "Port for ssh", typed(guest.port, id="port", example="one that is free"), marks)

    def ready(self) -> None:
        """The cards of this machine are looked up meanwhile."""
        self._cards: tuple[str, ...] = ()
        super().ready()
        self.ask_rooms(self.wizard.desk.sandbox.cards, self._carded, lambda _error: None)

    def _carded(self, cards: tuple[str, ...]) -> None:
        self._cards = cards
        if cards:
            self.query_one("#bridge", Input).placeholder = cards[0]
        self._draw()

    def _draw(self) -> None:
        self.query_one("#row-bridge").display = self.guest.sandbox == "lan"
        lines = []
        for offer in SANDBOXES:
            mine = offer.value == self.guest.sandbox
            mark = self.marks.done if mine else self.marks.todo
            style = "bold" if mine else "$dim"
            lines.append(
                Content.assemble(
                    "  ",
                    (mark, "$accent" if mine else "$faint"),
                    (f" {offer.words:<8}", style),
                    (offer.more, style),
                )
            )
        self.query_one("#kinds", Static).update(Content("\n").join(lines))
        super()._draw()

    def beside(self, name: str) -> str:
        """What a field that is right means."""
        guest = self.guest
        match name:
            case "bridge":
                return f"here: {', '.join(self._cards[:3])}" if self._cards else "a card of this machine"
            case "inner":
                return "names, between guests only"
            case "port":
                return "on 127.0.0.1 only" if guest.sandbox != "lan" else "not used: it has an address"
            case _:
                return ""

    def below(self) -> list[Content]:
        """What is on, then all that is off, in two columns."""
        switches = self._judged.switches
        if not switches:
            return [Content.assemble(("Shown once the rest makes sense.", "$dim"))]
        lines = [
            Content.assemble(("on  ", "bold $warning"), f"{words:<38}", (how, "bold"))
            for words, how in switches
            if how != "off"
        ]
        column = max(30, self._width() // 2) - len("off ")
        off = [words for words, how in switches if how == "off"]
        long = [words for words in off if len(words) >= column]
        off = [words for words in off if words not in long]
        half = (len(off) + 1) // 2
        for left, right in zip(off[:half], [*off[half:], ""], strict=False):
            lines.append(self._off(left, column) + self._off(right, column))
        return [*lines, *(self._off(words, 0) for words in long)]

    def _off(self, words: str, width: int) -> Content:
        if not words:
            return Content("")
        return Content.assemble(("off ", "$success"), f"{words:<{width}}")

    def sum_up(self) -> str:
        """The sandbox in a line."""
        guest = self.guest
        more = len(guest.inner.replace(",", " ").split())
        inner = f", {more} inner network{'s' if more != 1 else ''}" if more else ""
        return f"Sandbox {guest.sandbox}{inner}"
