"""Serve a tree, or write configuration for other servers: which network, and who gives addresses there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from smartos_wizard.core.errors import ErrorReport, WizardError
from smartos_wizard.netboot.interface import Interface
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.netboot_desk import port_of
from smartos_wizard.screens.netboot_model import HTTP, OWN, PROXY, ServeAnswers
from smartos_wizard.screens.netboot_page import LongRow, NetbootForm
from smartos_wizard.screens.netboot_words import DANGER, GIVES, card_line, here, serve_words, tree_line
from smartos_wizard.screens.options_fields import Row, Turning, typed
from smartos_wizard.screens.page import error_words
from smartos_wizard.screens.widgets.choices import Choices

_NARROW = 64  # columns below which a card has no place for its address


class ChooseWire(NetbootForm):
    """Which tree, on which interface, beside which DHCP server?"""

    HINTS: ClassVar[dict[str, str]] = {
        "directory": "It is read and compared with its hashes first; what is not whole is not served. F4 shows trees.",
        "addresses": "First and last address that this computer gives, in that interface's own network: 192.0.2.50-192.0.2.99",
        "port": "The port of the web server. Ports below 1024 take root's rights.",
        "into": "A new directory for the files; none that is there is written over.",
    }
    HELP = """
### What is this?
For one evening in a lab: this computer serves the tree to machines on **one** network, until you stop. For a fleet take
“For servers of your own”: the same tree, served by what your site has already.

### What happens?
Choose the interface the machines hang on: **none is chosen for you**. By default **no address is given** to anybody: the
network's DHCP server goes on, and dnsmasq adds where to boot from (proxyDHCP). `F2` shows the plan. Root's rights are
asked for once, by sudo or doas, for dnsmasq alone; “others do it all” takes none. UEFI machines are told on their screens
that they have to be switched to BIOS boot, or started from a key.

### What is not touched?
The tree, every other network of this computer, its own configuration and services. Only the address of that interface is
listened on. When it is stopped there is no process, no lease and no file of it left.
"""

    def __init__(self, said: ServeAnswers) -> None:
        super().__init__()
        self.said = said
        self._cards: tuple[Interface, ...] = ()
        self._missing: ErrorReport | None = None

    def rows(self) -> ComposeResult:
        """The fields."""
        said, marks = self.said, self.marks
        yield LongRow(
            "directory", "Tree", typed(said.directory, id="directory", example="~/smartos-netboot"), marks
        )
        if said.config:
            yield LongRow("into", "Files into", typed(said.into, id="into", example="a new directory"), marks)
        offers = tuple(o for o in GIVES if not (said.config and o.value == HTTP))
        yield Row("gives", "Addresses from", Turning(offers, said.gives, id="gives"), marks)
        yield Row(
            "addresses", "Addresses", typed(said.addresses, id="addresses", example="FIRST-LAST"), marks
        )
        yield Row("port", "Web server's port", typed(said.port, id="port", example="8080"), marks)

    def below(self) -> ComposeResult:
        """The interfaces."""
        with Vertical(classes="card -tight", id="cards-card") as card:
            card.border_title = "On which interface are the machines?"
            yield Choices(self.marks, id="cards")

    def ready(self) -> None:
        """Ask which interfaces there are, again and again: a cable may be plugged in."""
        self.query_one("#asked").border_title = (
            "Whose servers are told?" if self.said.config else "What is served?"
        )
        if self.said.config and not self.said.into:
            self.query_one("#into", Input).value = (
                f"{self.said.directory}-config" if self.said.directory else ""
            )
        super().ready()
        self._ask()
        self.set_interval(2.0, self._ask)

    @property
    def directory(self) -> str:
        """The tree's."""
        return self.said.directory

    def words(self) -> str:
        """The same by command."""
        return serve_words(self.said)

    def take(self, name: str, value: str) -> None:
        """A field says something else."""
        changes: dict[str, Any] = {name: value}
        self.said = replace(self.said, **changes)

    # ------------------------------------------------------------------ interfaces

    def _ask(self) -> None:
        desk = self.desk
        self.ask_rooms(lambda: (desk.cards(), desk.missing()), self._there, lambda _error: None)

    def _there(self, found: tuple[tuple[Interface, ...], ErrorReport | None]) -> None:
        cards, missing = found
        if cards == self._cards and missing == self._missing:
            return
        self._cards, self._missing = cards, missing
        choices = self.query_one("#cards", Choices)
        width = max(40, (choices.content_region.width or self.app.size.width - 8) - 1)
        good = [card for card in cards if card.up and card.address]
        rest = [card for card in cards if card not in good]
        rows = [(card.name, self._card(card, width), True) for card in good]
        if not good:
            rows = [
                (
                    "",
                    Content.assemble(("  No interface is up and has an IPv4 address.", "bold $warning")),
                    False,
                )
            ]
        if rest:
            rows += [("", Content.assemble(("  Not offered", "$dim")), False)]
            rows += [("", self._card(card, width), False) for card in rest]
        choices.fill(rows, keep=choices.chosen or self.said.interface)
        self.changed()

    def _card(self, card: Interface, width: int) -> Content:
        address, state = card_line(card)
        usable = card.up and bool(card.address)
        mac = "" if width < _NARROW else f"{card.mac:<19}"
        return Content.assemble(
            "  ", (f"{card.name:<16} ", "bold" if usable else "$dim"), f"{address:<20} ", (mac, "$dim"),
            (state, "$success" if usable else "$warning"),
        )  # fmt: skip

    def on_option_list_option_highlighted(self) -> None:
        """The pointer is on this one."""
        super().on_option_list_option_highlighted()
        name = self.query_one("#cards", Choices).chosen
        if name and name != self.said.interface:
            self._took("interface", name)

    def on_option_list_option_selected(self) -> None:
        """On with it."""
        self.action_next()

    @property
    def card(self) -> Interface | None:
        """The one that was chosen."""
        return next((card for card in self._cards if card.name == self.said.interface), None)

    # ------------------------------------------------------------------ what is shown

    def hint(self) -> str:
        """Of the list: what hangs there."""
        if self.query("#cards") and self.query_one("#cards").has_focus:
            return "The one that the machines hang on; no other network sees anything. Shift-Tab leads back to the rows."
        return super().hint()

    def changed(self) -> None:
        """What is wrong, what is missing."""
        if not self.query("#cards"):
            return
        said, facts = self.said, self.facts
        self.query_one("#row-addresses").display = said.gives == OWN
        self.note("gives", next((w for v, w in _BESIDE if v == said.gives), ""))
        self.note("port", self._port_wrong() or "", bad=bool(self._port_wrong()))
        if self.card is not None and self.card.network.num_addresses >= 32:
            last = self.card.network.broadcast_address - 1
            self.query_one("#addresses", Input).placeholder = f"{last - 9}-{last}"
        wrong = self._stop()
        self.query_one("#asked").border_subtitle = (
            tree_line(facts) if facts is not None and facts.state == "tree" else ""
        )
        good = f"{said.directory.rstrip('/').rpartition('/')[2]} on {said.interface}"
        if wrong:
            self.sum(wrong, bad=bool(facts is not None and facts.problem) or self._lacks is not None)
        else:
            self.sum(f"{good}: F2 shows the plan")

    @property
    def _lacks(self) -> ErrorReport | None:
        said = self.said
        return None if said.config or said.gives == HTTP else self._missing

    def _port_wrong(self) -> str:
        try:
            port_of(self.said.port or "8080")
        except WizardError:
            return "1 to 65535"
        return ""

    def _stop(self) -> str:
        """What keeps from going on."""
        facts, said = self.facts, self.said
        if facts is None or facts.problem or facts.state != "tree":
            return (
                facts.problem if facts is not None and facts.problem else "There is no tree in that directory"
            )
        if self.card is None:
            return "Choose the interface: Down, to the list"
        if self._lacks is not None:
            return f"{self._lacks.message}"
        if said.gives == OWN and not said.addresses.strip():
            return "Which addresses may be given?"
        if said.config and not said.into.strip():
            return "Into which directory?"
        return self._port_wrong()

    # ------------------------------------------------------------------ going on

    def action_next(self) -> None:
        """The plan; where addresses are to be given the danger is told first."""
        stop = self._stop()
        if (
            stop
            and self._lacks is not None
            and self.card is not None
            and self.facts is not None
            and self.facts.state == "tree"
        ):
            self._offer_http(self._lacks)
        elif stop:
            self.notify(stop, severity="warning")
            if self.facts is not None and self.facts.state == "tree" and self.card is None:
                self.query_one("#cards").focus()
            elif self.said.gives == OWN and not self.said.addresses.strip():
                self.query_one("#addresses").focus()
        elif self.said.gives == OWN and not self.said.config:
            words = DANGER.format(interface=self.said.interface)
            buttons = (("no", "Back"), ("!own", "It is a wire of its own"))
            self.wizard.ask(Asking("Give addresses too?", words, buttons, tall=True), self._dared)
        else:
            self._review()

    def _dared(self, answer: str | None) -> None:
        if answer == "own":
            self._review()

    def _offer_http(self, missing: ErrorReport) -> None:
        """How to get what is missing; the files can be served without it."""
        words = Content("\n\n").join(
            [
                error_words(here(missing)),
                Content(
                    "Or another server gives addresses and iPXE already: then only the files are served."
                ),
            ]
        )

        def answered(answer: str | None) -> None:
            if answer == "http":
                self.query_one("#gives", Turning).put(HTTP)
                self._took("gives", HTTP)

        self.wizard.ask(
            Asking(
                "It is not installed here",
                words,
                (("ok", "Close"), ("http", "Serve the files only")),
                tall=True,
            ),
            answered,
        )

    def _review(self) -> None:
        from smartos_wizard.screens.netboot_review import ConfigReview, ServeReview

        self.wizard.show((ConfigReview if self.said.config else ServeReview)(self.said))


_BESIDE = (
    (PROXY, "none here: proxyDHCP"),
    (HTTP, "files only; needs no root"),
    (OWN, "dangerous where others do"),
)
