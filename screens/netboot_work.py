"""Work on trees: building one, checking one, serving one with a live table of machines, writing configuration."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Static

from smartos_wizard.core.events import Noted, PlanCancelled, PlanFinished
from smartos_wizard.core.journal import Job
from smartos_wizard.core.plan import Plan
from smartos_wizard.core.progress import Meter
from smartos_wizard.core.text import folded
from smartos_wizard.netboot.machines import BROKE_OFF
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.netboot_model import BuildAnswers, MachineRow, ServeAnswers, answers_of, rows_of
from smartos_wizard.screens.netboot_words import advice, checked, counted, here, sum_of, table
from smartos_wizard.screens.options_fields import say
from smartos_wizard.screens.page import error_words
from smartos_wizard.screens.step_list import step_list
from smartos_wizard.screens.taking_up import take_up
from smartos_wizard.screens.widgets.gauges import clock_time
from smartos_wizard.screens.widgets.panel import pairs
from smartos_wizard.screens.widgets.reading import Reading
from smartos_wizard.screens.work_words import how_it_ended
from smartos_wizard.screens.working import Working

BUILD, CHECK, SERVE, CONFIG = "netboot-build", "netboot-check", "netboot-serve", "netboot-config"
_BESIDE = 16
"""Rows of the window that are not the list of steps."""
_NAMED = ("other-server", "no-dhcp-server")


def netboot_work(job: Job, plan: Plan) -> Working:
    """The screen of a job of that room."""
    if plan.kind == SERVE:
        return ServeWork(job, plan)
    return CheckWork(job, plan) if plan.kind == CHECK else NetbootWork(job, plan)


class NetbootWork(Working):
    """A tree that is built, or configuration that is written."""

    SIDE_TITLE: ClassVar[str] = "The tree and what happened"
    HELP = """
### What is this?
The work, in a process of its own, step by step as the plan said.

### What happens?
If this window closes, the work goes on: start the wizard again and follow it from Home. `c` stops at the next safe moment;
the tree is then as it was, and what was downloaded is kept. At the end every file that a script names is read back.

### What is not touched?
Everything else in that directory, and every other one.
"""

    def side(self) -> ComposeResult:
        """What it is about, and what was noted."""
        yield Static("", id="facts", markup=False)
        yield Static("Events", classes="heading gap", markup=False)
        yield Static("", id="events", markup=False)

    def below(self) -> ComposeResult:
        """What was noted last, where it is not at the side."""
        yield Static("", id="noted", markup=False)

    # ------------------------------------------------------------------ drawing

    def steps(self, width: int) -> Content:
        """As many as fit around the one at hand."""
        return step_list(self.progress, self.plan, self.marks, width, self.app.size.height - _BESIDE)

    def facts(self) -> list[tuple[str, str]]:
        """What it is about, as pairs."""
        params = self.plan.params
        rows = [("Tree", str(params.get("root") or params.get("where") or ""))]
        if params.get("after"):
            rows.append(("Releases", ", ".join(map(str, params["after"]))))
        if params.get("gone"):
            rows.append(("Leave it", ", ".join(map(str, params["gone"]))))
        return [(name, words) for name, words in rows if words]

    def draw_head(self, width: int) -> None:
        """The side."""
        del width
        if self.app.size.width < 110:
            return
        say(self.query_one("#facts", Static), pairs(self.facts(), width=34), grows=True)
        notes = [
            Content.assemble((f"{clock_time(n.at)}  ", "$dim"), n.text) for n in self.progress.notes[-10:]
        ]
        say(
            self.query_one("#events", Static),
            Content("\n").join(notes or [Content("Nothing yet.")]),
            grows=True,
        )

    def draw_below(self, meters: dict[str, Meter], width: int) -> None:
        """The last word."""
        del meters
        place = self.query_one("#noted", Static)
        note = self.progress.notes[-1] if self.progress.notes else None
        place.display = note is not None and not self._ended
        if note is not None:
            words = note.text if len(note.text) <= width else note.text[: width - 1] + "…"
            say(
                place,
                Content.assemble("  ", (words, "bold $warning" if note.level == "warning" else "$dim")),
                grows=True,
            )
        self.query_one("#meters").display = not self._ended

    # ------------------------------------------------------------------ the end

    def leaves(self) -> bool:
        """Room for the end."""
        for part in ("#noted", "#meters"):
            self.query_one(part).display = False
        if self.good and self.plan.kind == BUILD:
            self.wizard.desk.boot.forget(self.plan)
        return False

    def how_it_ended(self, *, lost: bool) -> Content:
        """The end in words, wrapped."""
        words = how_it_ended(self.progress, lost=lost)
        ended = self.progress.ended
        if self.progress.error is not None and not lost:
            return error_words(here(self.progress.error))
        if self.good and isinstance(ended, PlanFinished):
            width = max(40, self.query_one("#body").content_region.width - 5)
            said = [str(line) for line in ended.result.get("say", ())]
            shown = [line for line in said if not line.startswith("To serve it: ")]
            words = Content("\n".join(part for line in shown for part in folded(line, width)))
        return words

    def _end(self, *, lost: bool) -> None:
        super()._end(lost=lost)
        if self._wire and not self.good and self.query("#next"):
            self.query_one("#next", Button).label = "Change it"

    @property
    def _wire(self) -> bool:
        """Whether it is about a network, which was chosen."""
        return self.plan.kind in (SERVE, CONFIG)

    def again(self) -> None:
        """What was chosen of the network may be what was wrong; anything else is begun once more."""
        if not self._wire:
            super().again()
            return
        from smartos_wizard.screens.netboot_wire import ChooseWire

        self.job.seen_file.touch()
        self.wizard.show(ChooseWire(answers_of(self.plan)))

    def onward(self) -> str:
        """From a tree to serving it."""
        return "Serve it now" if self.plan.kind == BUILD else ""

    def go_on(self) -> None:
        """To the network."""
        from smartos_wizard.screens.netboot_wire import ChooseWire

        self.wizard.show(ChooseWire(ServeAnswers(str(self.plan.params["root"]))))


class CheckWork(NetbootWork):
    """A tree that is checked: findings in words, then file by file."""

    HELP = """
### What is this?
Every script is read and followed to every file it can name. Findings come first, then every file with what it is.

### What happens?
**WHOLE** means that every file is there, lies where SmartOS insists on it, and that the archives that were read are what
their hashes say. A hash that does not hold means that SmartOS would panic at boot: build that release in anew.
`c` gives up; nothing is changed by that.

### What is not touched?
Everything: it only reads.
"""

    def below(self) -> ComposeResult:
        """What was found."""
        yield from super().below()
        with Reading(how="Tab, arrow keys", id="found-card", keeps=False) as card:
            card.border_title = "What was found"
            yield Static("", id="found-said", markup=False)

    @property
    def result(self) -> dict[str, Any]:
        """What the check tells at its end."""
        ended = self.progress.ended
        return ended.result if isinstance(ended, PlanFinished) else {}

    def draw_below(self, meters: dict[str, Meter], width: int) -> None:
        """Findings as they come, all of it at the end."""
        super().draw_below(meters, width)
        self.query_one("#noted").display = False
        card = self.query_one("#found-card")
        each, notes = list(self.result.get("each", ())), self.progress.notes
        card.display = bool(each or notes)
        if each:
            card.border_title = f"File by file: {counted(each)}"
            lines = list(checked(each, list(self.result.get("findings", ())), self.marks, width - 2))
        else:
            lines = [Content.assemble((f"{self.marks.warn} ", "bold $warning"), note.text) for note in notes]
        say(self.query_one("#found-said", Static), Content("\n").join(lines), grows=True)

    def steps(self, width: int) -> Content:
        """None at the end: what was found needs the room."""
        return super().steps(width)

    def leaves(self) -> bool:
        """Room for what was found."""
        if self.app.size.height < 32 and self.result.get("each"):
            self.query_one("#going").display = False
        if self.result.get("each"):
            self.job.seen_file.touch()  # a tree that is not right is an answer, not work left unfinished
        return super().leaves()

    def _end(self, *, lost: bool) -> None:
        super()._end(lost=lost)
        if self.result.get("each"):
            self.query_one("#end").border_title = "WHOLE" if self.good else "NOT RIGHT"
            if self._broken:
                self.query_one("#next", Button).label = "Build it anew"
            self.draw()

    def how_it_ended(self, *, lost: bool) -> Content:
        """In one or two lines: the rest stands below."""
        each = list(self.result.get("each", ()))
        ended = self.progress.ended
        if not each or not isinstance(ended, PlanFinished) or lost:
            return super().how_it_ended(lost=lost)
        if self.good:
            return super().how_it_ended(lost=lost)
        error = ended.error
        wrong = sum(f.get("level") == "error" for f in self.result.get("findings", ()))
        count = f"{wrong} things are wrong." if wrong != 1 else "One thing is wrong."
        hint = error.hint if error is not None else ""
        if "://" in str(self.plan.params["where"]):
            hint = "Whoever runs that server can put it right."
        elif self._broken:
            hint = f"Build {', '.join(self._broken)} into the tree anew."
        said = f"{count} {hint}".strip()
        width = max(40, self.query_one("#body").content_region.width - 5)
        lines: list[Content] = [Content(part) for part in folded(said, width)]
        code = error.exit_code if error is not None else ended.exit_code
        return Content("\n").join([*lines, Content.assemble((f"(exit code {code})", "$faint"))])

    @property
    def _broken(self) -> tuple[str, ...]:
        """Releases of a tree of this computer that are not right, newest first."""
        if self.good or "://" in str(self.plan.params["where"]):
            return ()
        bad = [
            str(row["path"]).split("/") for row in self.result.get("each", ()) if row.get("state") == "bad"
        ]
        return tuple(sorted({parts[1] for parts in bad if parts[0] == "os" and len(parts) > 2}, reverse=True))

    def again(self) -> None:
        """Build anew what is not right; otherwise check once more."""
        if not self._broken:
            super().again()
            return
        from smartos_wizard.screens.netboot_build import BuildTree

        self.wizard.show(BuildTree(BuildAnswers(str(self.plan.params["where"]), self._broken, again=True)))

    def onward(self) -> str:
        """From a good tree of this computer to serving it."""
        return "" if "://" in str(self.plan.params["where"]) else "Serve it now"

    def go_on(self) -> None:
        """To the network."""
        from smartos_wizard.screens.netboot_wire import ChooseWire

        self.wizard.show(ChooseWire(ServeAnswers(str(self.plan.params["where"]))))


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
