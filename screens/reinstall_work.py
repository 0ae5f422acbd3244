"""A backup or a re-install that goes on: its steps, what is seen of the machine, the keys to press, a key to agree to."""

from __future__ import annotations

import shlex
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from smartos_wizard.core.events import Noted, PlanFinished
from smartos_wizard.core.journal import Job
from smartos_wizard.core.plan import Plan, Step
from smartos_wizard.core.progress import Meter, Progress
from smartos_wizard.core.text import folded
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.flow import REINSTALL_ROAD, Stage
from smartos_wizard.screens.options_fields import say
from smartos_wizard.screens.reinstall_ended import backup_of, put_back, say_before, take_back, take_backup
from smartos_wizard.screens.reinstall_heard import Heard, key_question
from smartos_wizard.screens.reinstall_model import MachineAnswers
from smartos_wizard.screens.step_list import step_list
from smartos_wizard.screens.told_work import ToldWork
from smartos_wizard.screens.widgets.gauges import clock_time
from smartos_wizard.screens.work_words import how_it_ended

RUN, BACKUP = "reinstall-run", "reinstall-backup"
_BESIDE = 15
"""Rows of the window that are not the list of steps."""
_PRESS = "Press these keys at the machine's console, now"
_END = 7
"""Rows that the end takes besides."""
_STATES = {
    "down": "It is down, or still starting.", "rescue": "It runs in Rescue Mode.", "normal": "It runs normally.",
    "setup": "It is back, and SmartOS's setup asks on its console.", "unknown-key": "It is back, with a key that is not known.",
    "back": "It is back.",
}  # fmt: skip


class ReinstallWork(ToldWork):
    """One job about a machine, as it goes."""

    SIDE_TITLE: ClassVar[str] = "The machine and what happened"
    HELP = """
### What is this?
The work, in a process of its own, step by step as the plan said.

### What happens?
If this window closes, the work goes on: start the wizard again and follow it from Home. Where keys must be pressed at the
machine's console, they are shown here, and the work goes on by itself when the machine is there. A key that is not known is
asked about. `c` stops: until a pool is destroyed everything is taken back; after it the machine stays as it is, and the
same plan can be taken up.

### What is not touched?
The pools that the plan names under “Not touched”, and every other machine.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "key", "Its key", id="work.key", tooltip="Is the key that it shows now its own?"),
        Binding("t", "take_back", "Take it back", id="work.take_back", tooltip="Undo what was begun; nothing was destroyed"),
        Binding("u", "runbook", "Runbook", id="work.runbook", tooltip="The same machine and way, to be typed at the console"),
    ]  # fmt: skip

    def __init__(self, job: Job, plan: Plan | None = None) -> None:
        super().__init__(job, plan)
        self._asked_about: set[str] = set()
        self._key_shown = False
        self._undo: Plan | None = None

    @property
    def said(self) -> MachineAnswers | None:
        """What was decided, where this is that very machine."""
        flow = self.wizard.flow
        said = flow.answers.machine if flow.road == REINSTALL_ROAD else None
        mine = said is not None and said.survey is not None
        host = self.plan.params.get("identity", {}).get("hostid")
        return said if mine and said is not None and said.seen.hostid == host else None

    @property
    def stage(self) -> Stage | None:
        """Where it stands on the road."""
        if self.said is None:
            return None
        return Stage.RUN if self.plan.kind == RUN else Stage.KEEP if self.plan.kind == BACKUP else None

    def below(self) -> ComposeResult:
        """Keys to press, what is seen of the machine, what was noted last."""
        with Vertical(classes="card", id="hands") as card:
            card.display = False
            yield Static("", id="hands-said", markup=False)
        yield Static("", id="seen", markup=False)
        yield Static("", id="noted", markup=False)

    # ------------------------------------------------------------------ what is known

    @property
    def heard(self) -> Heard:
        """What was heard of the machine so far."""
        return Heard(self.progress)

    def _lines(self, asked: Noted) -> list[str]:
        """The keys; where setup asks, what the plan says of it."""
        if asked.reference == "hands-needed":
            return [str(line) for line in asked.data.get("lines", ())]
        step = self.step_of(asked)
        room = 3 if self.app.size.height < 32 else 8
        return list(step.details[:room]) if step is not None else []

    def step_of(self, note: Noted) -> Step | None:
        """The step that the note is about."""
        return next((step for step in self.plan.steps if step.id == note.step), None)

    def if_stopped(self, *otherwise: str) -> str:
        """Before the step that destroys all is taken back; after it nothing is."""
        if self.plan.kind != RUN:
            return super().if_stopped(*otherwise)
        if self.heard.destroying:
            return "The pool is being destroyed, or is gone: that cannot be taken back. If you stop now, the machine stays as it is, and the same plan can be taken up later."  # fmt: skip
        return "Nothing has been destroyed yet. If you stop now, what was changed is taken back, and the machine is as before."

    # ------------------------------------------------------------------ drawing

    def steps(self, width: int) -> Content:
        """As many as fit around the one at hand."""
        hands = self.heard.hands
        lines = len(self._lines(hands)) + 4 if hands is not None else _END if self._ended else 0
        return step_list(self.progress, self.plan, self.marks, width, self.app.size.height - _BESIDE - lines)

    def moved(self, progress: Progress, *, lost: bool = False) -> None:
        """A newer picture; a new key of the machine is asked about once."""
        super().moved(progress, lost=lost)
        asked = self.heard.unknown_key
        fingerprint = str(asked.data.get("fingerprint", "")) if asked is not None else ""
        whose = f"{asked.data.get('host', '')} {fingerprint}" if asked is not None else ""
        if fingerprint and whose not in self._asked_about and self.is_current:
            self._asked_about.add(whose)
            self.action_key()

    def facts(self) -> list[tuple[str, str]]:
        """The machine, what dies on it and what lives."""
        params = self.plan.params
        where = params.get("identity", {})
        rows = [("Machine", str(where.get("hostname", ""))), ("Hostid", str(where.get("hostid", "")))]
        for name, key in (("Dies", "dying"), ("Lives", "kept")):
            rows += [(name, f"{pool['name']} (guid {pool['guid']})") for pool in params.get(key, ())]
        if params.get("directory"):
            rows.append(("Into", str(params["directory"])))
        return [(name, words) for name, words in rows if words]

    def draw_below(self, meters: dict[str, Meter], width: int) -> None:
        """Keys, state, the last word."""
        del meters
        hands, card = self.heard.hands, self.query_one("#hands")
        card.display = hands is not None
        if hands is not None:
            said = hands.text.removesuffix(" ".join(self._lines(hands))).strip()  # the keys stand below
            lines = [Content.assemble((part, "bold $warning")) for part in folded(said, width)]
            keys = hands.reference == "hands-needed"
            card.border_title = _PRESS if keys else "Answer SmartOS's setup at the machine's console"
            for number, line in enumerate(self._lines(hands), 1):
                head, *rest = folded(line, width - 4) or [""]
                lines.append(
                    Content.assemble(
                        (f" {number if keys else ' '}  ", "bold $accent"), (head, "bold" if keys else "")
                    )
                )
                lines += [Content(f"    {part}") for part in rest]
            say(self.query_one("#hands-said", Static), Content("\n").join(lines), grows=True)
        state, seen = self.heard.last("host-state"), self.query_one("#seen", Static)
        seen.display = state is not None and not self._ended
        if state is not None:
            words = state.text or _STATES.get(str(state.data.get("state")), "")
            say(
                seen,
                Content.assemble((f"  {clock_time(state.at)}  ", "$dim"), (words, "bold $accent")),
                grows=True,
            )
        note, place = self.heard.word, self.query_one("#noted", Static)
        place.display = note is not None and not self._ended
        if note is not None:
            words = note.text if len(note.text) <= width else note.text[: width - 1] + "…"
            style = "bold $warning" if note.level == "warning" else "$dim"
            say(place, Content.assemble("  ", (words, style)), grows=True)
        self.query_one("#meters").display = not self._ended
        shown = self.heard.unknown_key is not None
        if shown != self._key_shown:  # the footer is made anew by this: only where it changes
            self._key_shown = shown
            self.refresh_bindings()

    # ------------------------------------------------------------------ questions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key is asked about while one is not known; a runbook can be made where the survey is at hand."""
        if not self.is_mounted:
            return super().check_action(action, parameters)
        if action == "key":
            return self.heard.unknown_key is not None
        if action == "take_back":
            return self._undo is not None
        if action == "runbook":
            return self.plan.kind == RUN and self.said is not None
        return super().check_action(action, parameters)

    def action_key(self) -> None:
        """Is this its key?"""
        asked = self.heard.unknown_key
        if asked is None:
            return
        fingerprint = str(asked.data.get("fingerprint", ""))
        host, run = str(asked.data.get("host", "")), str(asked.data.get("run", ""))

        def answered(answer: str | None) -> None:
            if answer == "yes" and not self._ended:
                desk, plan = self.wizard.desk.reinstall, self.plan
                self.ask_rooms(
                    lambda: desk.accept(plan, fingerprint, run),
                    lambda _none: self.notify("Agreed. The work goes on."),
                    lambda error: self.notify(error.message, severity="error"),
                )
            elif not self._ended:
                self.notify("The work waits. k asks again.", timeout=8)

        question = key_question(host, str(asked.data.get("algorithm", "")), fingerprint, again=True)
        self.wizard.ask(question, answered)

    def action_runbook(self) -> None:
        """The same machine and way, to be typed."""
        from smartos_wizard.screens.reinstall_runbook import make_runbook

        if self.said is not None:
            make_runbook(self, self.said)

    # ------------------------------------------------------------------ the end

    def how_it_ended(self, *, lost: bool) -> Content:
        """The end in words, and how to put back what was kept."""
        words = how_it_ended(self.progress, lost=lost)
        ended = self.progress.ended
        if self.good and isinstance(ended, PlanFinished) and ended.result.get("say"):
            width = max(40, self.query_one("#body").content_region.width - 5)
            words = Content(
                "\n".join(part for line in ended.result["say"] for part in folded(str(line), width))
            )
        if self.good and self.plan.kind == "reinstall-undo":
            return Content("Taken back: the machine is as it was before. Its plan can be begun anew.")
        backup = backup_of(self.plan)
        if self.good and backup:
            host = str(self.plan.params.get("host", ""))
            line = f"Put back what was kept, now or later: smartos-wizard reinstall restore {shlex.quote(backup)} {shlex.quote(host)}"
            words = Content("\n").join([words, Content.assemble((line, "$secondary"))])
        if not self.good and self.plan.kind == RUN:
            desk, plan = self.wizard.desk.reinstall, self.plan
            self.ask_rooms(lambda: desk.undo_plan(plan), self._can_undo, lambda _error: None)
        return words

    def _can_undo(self, undo: Plan | None) -> None:
        """Something was begun, and nothing destroyed: it can be taken back."""
        if undo is None:
            return
        self._undo = undo
        line = f"{self.marks.warn} No pool was destroyed. t takes back what was begun; the same plan can be taken up, too."
        say_before(self.query_one("#said", Static), Content.assemble((line, "bold $warning")))
        self.refresh_bindings()

    def action_take_back(self) -> None:
        """The plan that takes it back."""
        if self._undo is not None:
            take_back(self, self._undo)

    def leaves(self) -> bool:
        """Room for the end."""
        for part in ("#hands", "#seen", "#noted", "#meters"):
            self.query_one(part).display = False
        return False

    def onward(self) -> str:
        """From a backup to the way; from a run to putting back what was kept."""
        if backup_of(self.plan):
            return "Put back what was kept"
        return "Choose the way" if self.plan.kind == BACKUP and self.said is not None else ""

    def go_on(self) -> None:
        """The backup counts from now on; after a run it is put back."""
        if self.plan.kind == RUN:
            put_back(self, self.plan)
            return
        said, desk = self.said, self.wizard.desk.reinstall
        if said is None:
            return
        directory = str(self.plan.params["directory"])
        self.query_one("#next").disabled = True
        self.ask_rooms(
            lambda: desk.just_made(directory, said.seen),
            lambda kept: take_backup(self, kept, directory),
            lambda error: self.wizard.ask(Asking("That did not work", error.message, (("ok", "Close"),))),
        )

    def action_back(self) -> None:
        """From a backup that ended back to what is kept; otherwise home, and the work goes on."""
        if self._ended and self.stage is Stage.KEEP:
            self.wizard.go(self.wizard.flow)
        else:
            super().action_back()
