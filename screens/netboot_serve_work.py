"""An evening of serving as it goes: who is on the wire, and the machines as they come."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from smartos_wizard.core.events import Noted, PlanCancelled
from smartos_wizard.core.progress import Meter
from smartos_wizard.core.text import folded
from smartos_wizard.netboot.machines import BROKE_OFF
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.netboot_model import MachineRow, rows_of
from smartos_wizard.screens.netboot_words import advice, sum_of, table
from smartos_wizard.screens.netboot_work import NetbootWork
from smartos_wizard.screens.options_fields import say
from smartos_wizard.screens.taking_up import take_up
from smartos_wizard.screens.widgets.reading import Reading

_NAMED = ("other-server", "no-dhcp-server")


class ServeWork(NetbootWork):
    """A tree that is served: who is on the wire, and the machines as they come."""

    SIDE_TITLE: ClassVar[str] = "The network and what happened"
    HELP = """
### What is this?
The machines that asked, as they come: what each fetches, how far it is, how fast. Bytes count when the machine said that
it has them. **Has everything** is the last that can be seen from here: that a kernel runs is told nowhere.

### What happens?
Have machines boot from their network card (BIOS). `c` stops: then there is no process, no lease and no file of it left.
If this window closes it goes on; start the wizard again and follow it from Home. A machine that **broke off** says why on
its own screen: start it once more. One with **UEFI** cannot: switch it to BIOS boot, or use a key.

### What is not touched?
The tree, every other network of this computer, its own configuration and services.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "cancel", "Stop serving", id="work.cancel", tooltip="Stop, and leave nothing behind"),
    ]

    def below(self) -> ComposeResult:
        """The machines."""
        yield from super().below()
        with Reading(how="Tab, arrow keys", id="machines-card", keeps=False) as card:
            card.border_title = "Machines"
            yield Static("", id="table", markup=False)
        yield Static("", id="machines-said", markup=False)

    # ------------------------------------------------------------------ what is known

    @property
    def serving(self) -> bool:
        """Whether machines are served now."""
        current = self.progress.current
        return current is not None and current.head.id == "serve"

    @property
    def machines(self) -> tuple[MachineRow, ...]:
        """Those that asked; what was loading at the end broke off."""
        rows = rows_of(self.progress)
        if self.progress.ended is None:
            return rows
        return tuple(replace(row, state=BROKE_OFF) if row.loading else row for row in rows)

    def _named(self) -> list[Noted]:
        """Other servers on the wire, or that there is none."""
        return [note for note in self.progress.notes if note.reference in _NAMED]

    # ------------------------------------------------------------------ drawing

    def facts(self) -> list[tuple[str, str]]:
        """Where it is served, and how."""
        p = self.plan.params
        gives = f"{p['first']} to {p['last']}, from here" if p.get("first") else "not from here (proxyDHCP)"
        if not any(step.id == "boot" for step in self.plan.steps):
            gives = "by others; files only"
        return [("Tree", str(p["root"])), ("Interface", f"{p['interface']}, {p['address']}"), ("Addresses", gives), ("First file", str(p["url"]))]  # fmt: skip

    def steps(self, width: int) -> Content:
        """The steps until it serves; then where, and who else is there."""
        if not self.serving and not (self._ended and self.machines):
            return super().steps(width)
        p = self.plan.params
        word = "Served" if self._ended else "Serving"
        lines = [Content.assemble((f"{self.marks.done if self._ended else self.marks.now} {word} ", "bold $accent"), (str(p["url"]), "bold"), f" on {p['interface']}")]  # fmt: skip
        for note in self._named() if not self._ended else ():
            style = "bold $warning" if note.level == "warning" else "$dim"
            lines += [Content.assemble((part, style)) for part in folded(note.text, width)]
        return Content("\n").join(lines)

    def draw_below(self, meters: dict[str, Meter], width: int) -> None:
        """The table."""
        super().draw_below(meters, width)
        rows, ready = self.machines, self.serving or bool(self._ended and self.machines)
        self.query_one("#machines-card").display = ready
        self.query_one("#machines-said").display = ready and not self._ended
        if self.serving:
            self.query_one("#meters").display = self.query_one("#noted").display = False
        if not ready:
            return
        now = self.wizard.desk.world.now()
        card = self.query_one("#machines-card")
        card.border_title = sum_of(rows) if rows else "Machines"
        words = (
            table(rows, self.marks, width, now) if rows else Content("\n".join(folded(sum_of(rows), width)))
        )
        say(self.query_one("#table", Static), words, grows=True)
        told = [Content.assemble((f" {part}", "$warning")) for part in folded(advice(rows), width)]
        say(self.query_one("#machines-said", Static), Content("\n").join(told), grows=True)

    def if_stopped(self, *otherwise: str) -> str:
        """Said in the question, not below the table."""
        del otherwise
        return ""

    # ------------------------------------------------------------------ stopping

    def action_cancel(self) -> None:
        """Ask once, with what would break off."""
        if self._ended:
            return
        loading = [row for row in self.machines if row.loading]
        words = "Machines that have everything go on: they need this computer no more. Nothing of it is left here."
        if loading:
            verb = "is loading and breaks off" if len(loading) == 1 else "are loading and break off"
            words = f"{', '.join(row.name for row in loading[:4])} {verb}.\n\n{words}"
        ask = Asking("Stop serving?", words, (("stay", "Go on serving"), ("!stop", "Stop")), of_work=True)
        self.wizard.ask(ask, self._cancel_answered)

    def leaves(self) -> bool:
        """Room for the end."""
        self.query_one("#machines-said").display = False
        return super().leaves()

    def _end(self, *, lost: bool) -> None:
        super()._end(lost=lost)
        stopped = self.good or isinstance(self.progress.ended, PlanCancelled)
        if stopped and self.query("#end"):
            self.query_one("#end").border_title = "Stopped, and nothing is left"
        self.draw()

    def onward(self) -> str:
        """Once more, on the same network."""
        return "Serve it again"

    def go_on(self) -> None:
        """The same plan again: the network is asked as it is then."""
        take_up(self, self.job)
