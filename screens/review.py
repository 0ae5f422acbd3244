"""The review: the plan with everything that will be destroyed, and the typed confirmation that arms it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import Key
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core import text
from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.journal import Job
from smartos_wizard.core.plan import Plan
from smartos_wizard.media.optioning import is_legacy
from smartos_wizard.screens.answers_form_model import fitting
from smartos_wizard.screens.flow import Stage, armed, short_token, tokens_for
from smartos_wizard.screens.options_model import sum_up
from smartos_wizard.screens.options_words import preview_of, warned_of
from smartos_wizard.screens.page import Page, error_words
from smartos_wizard.screens.plan_words import plan_words
from smartos_wizard.screens.words import what_to_type


class _PlanPanel(VerticalScroll):
    """Holds the plan, and has it wrapped anew when its width changes: the side panel may come later."""

    def on_resize(self) -> None:
        """Tell the screen; the window itself may have kept its size."""
        if isinstance(self.screen, Review):
            self.screen.resized()


class Review(Page):
    """The plan to write, armed by typing."""

    STAGE = Stage.REVIEW
    HEADING = "What will happen, in this order"
    GO = "Write"
    HELP = """
### What is this?
The whole plan. Nothing is done that is not in it.

### What happens?
Type what names the disk, then **Write**. Until the first byte is written everything can be
cancelled and nothing has changed. The boot sectors come last: a half written key never boots.

### What is not touched?
Every other disk, the network, this computer's own boot set-up.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f",
            "full",
            "Full plan",
            id="review.full",
            tooltip="Every detail, and what one would type by hand",
        ),
        Binding(
            "f3",
            "preview",
            "On the key",
            id="review.preview",
            key_display="F3",
            tooltip="What will be on it besides the release; secrets are masked",
        ),
    ]

    def frame(self) -> Widget:
        """The plan scrolls, the confirmation stays."""
        return Vertical(id="body")

    def body(self) -> ComposeResult:
        """Heading, plan, what is left alone, confirmation."""
        with _PlanPanel(id="plan", classes="card") as plan:
            plan.border_title = self.HEADING
            yield Static("Making the plan …", id="steps", markup=False)
        yield Static("", id="untouched", classes="muted", markup=False)
        with Horizontal(id="confirm", classes="card") as confirm:
            confirm.border_title = "Confirm"
            yield Static("[", id="open", classes="bracket", markup=False)
            yield Input(id="token", compact=True, select_on_focus=False)
            yield Static("]", id="close", classes="bracket", markup=False)
            yield Static("", id="state", markup=False)
            yield Button(Content("[ Back ]"), id="back", compact=True)
            yield Button(Content(f"[ {self.GO} ]"), id="go", classes="-danger", disabled=True, compact=True)

    def ready(self) -> None:
        """Make the plan in a thread; the safe button has the focus."""
        self._plan: Plan | None = None
        self._started = False
        self.query_one("#back").focus()
        self.watch(self.query_one("#plan"), "scroll_y", self._hint, init=False)
        self.ask_rooms(self.make_plan, self._planned, self._failed)

    def make_plan(self) -> Plan:
        """The plan under review. Raises WizardError."""
        answers = self.wizard.flow.answers
        assert answers.image is not None
        return self.wizard.desk.write_plan(answers.image, answers.targets, answers.choices)

    @property
    def tokens(self) -> tuple[str, ...]:
        """What must be named."""
        asked = self._plan.confirmation if self._plan is not None else None
        return asked.tokens if asked is not None else ()

    def _planned(self, plan: Plan) -> None:
        self._plan = plan
        self._draw()
        for part in ("#open", "#token", "#close"):
            self.query_one(part).display = bool(self.tokens)
        shorts = [short_token(t) or t for t in self.tokens]
        self.query_one("#token", Input).placeholder = " ".join("_" * min(20, len(s)) for s in shorts)
        self._judge()

    def _draw(self) -> None:
        if self._plan is None or not self.query("#steps"):
            return
        plan = self._plan
        steps = plan_words(plan, short=self.app.size.height < 32, width=self._width())
        self.query_one("#steps", Static).update(steps)
        about = f" About {text.duration(max(1, plan.seconds))}." if plan.seconds else ""
        untouched = Content.assemble(("Not touched: ", "bold"), "; ".join(plan.untouched) + "." + about)
        self.query_one("#untouched", Static).update(Content("\n").join([*self._told(), untouched]))
        words = (
            what_to_type(self.tokens)
            if self.tokens
            else "Nothing is lost by this; no confirmation is needed."
        )
        if len(words) + 8 > self.app.size.width:
            words = f"Type {' '.join(short_token(t) or t for t in self.tokens)} to arm it"
        self.query_one("#confirm").border_title = words
        self.call_after_refresh(self._hint)

    @property
    def choices(self) -> BootChoices:
        """What the machine is told at boot."""
        return self.wizard.flow.answers.choices if self.STAGE is Stage.REVIEW else BootChoices()

    def _told(self) -> list[Content]:
        """What the machine is told at boot, and what has to be known of that."""
        clauses = sum_up(self.choices)
        line = fitting("; ".join(clauses) + ".", self._width() - 8, 1, "…")
        lines = [Content.assemble(("Options: ", "bold"), line)] if clauses else []
        mark, style = self.marks.warn, "bold $warning"
        return lines + [Content.assemble((f"{mark} {words}", style)) for words in warned_of(self.choices)]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing to preview where the key stays as released."""
        del parameters
        return action != "preview" or not self.choices.empty

    def action_preview(self) -> None:
        """The files, with what is secret masked."""
        from smartos_wizard.screens.asking import Asking

        words = Content(preview_of(self.choices, legacy=self._legacy()))
        self.wizard.ask(Asking("On the key, besides the release", words, (("ok", "Close"),), tall=True))

    def _legacy(self) -> bool:
        image = self.wizard.flow.answers.image if self.STAGE is Stage.REVIEW else None
        return image is not None and is_legacy(image)

    def on_unmount(self) -> None:
        """A plan that is not begun leaves no secret behind."""
        if getattr(self, "_plan", None) is not None and not self._started and self._plan is not None:
            self.wizard.desk.boot.forget(self._plan)

    def _hint(self) -> None:
        if not self.query("#plan"):
            return
        plan = self.query_one("#plan")
        below = plan.max_scroll_y - round(plan.scroll_y)
        plan.border_subtitle = (
            f"{below} more below: Tab, then the arrow keys; f shows the full plan" if below > 0 else ""
        )

    def on_key(self, event: Key) -> None:
        """What is typed goes into the field, wherever the focus is."""
        field = self.query_one("#token", Input)
        taken = self._plan is None or self._started or not field.display or field.has_focus
        if taken or event.key in self.active_bindings or not (event.character or "").strip():
            return
        if event.is_printable and event.character:
            field.focus()
            field.insert_text_at_cursor(event.character)
            event.stop()

    def _width(self) -> int:
        return max(40, (self.query_one("#plan").content_region.width or self.app.size.width - 4) - 2)

    def resized(self) -> None:
        """More details where there is room."""
        if hasattr(self, "_plan"):
            self.call_after_refresh(self._draw)

    def _failed(self, error: ErrorReport) -> None:
        self.query_one("#steps", Static).update(error_words(error))

    @property
    def is_armed(self) -> bool:
        """Whether the confirmation names all that is lost."""
        if self._plan is None:
            return False
        return armed(self.query_one("#token", Input).value, self.tokens) or (
            not self.tokens and not self._plan.destroys
        )

    def _judge(self) -> None:
        ready = self.is_armed and not self._started
        typed = self.query_one("#token", Input).value
        self.query_one("#go", Button).disabled = not ready
        word, style = ("armed", "bold $error") if ready else ("not armed", "$dim")
        if typed and not ready and len(typed) >= 4 and not self._started:
            word, style = "not armed: that is not it", "bold $warning"
        self.query_one("#state", Static).update(Content.assemble((f"  {word}", style)))

    def on_input_changed(self) -> None:
        """Judge on each key."""
        self._judge()

    def on_input_submitted(self) -> None:
        """Enter in the field moves to the button it armed; it never writes by itself."""
        if self.is_armed:
            self.query_one("#go").focus()
        else:
            self.notify("Not armed: what was typed does not name what will be erased.", severity="warning")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Back, or begin."""
        if event.button.id == "back":
            self.action_back()
        elif event.button.id == "go" and self.is_armed and not self._started:
            self._begin()

    def _begin(self) -> None:
        plan, desk = self._plan, self.wizard.desk
        assert plan is not None
        self._started = True
        confirm = tokens_for(self.query_one("#token", Input).value, self.tokens)
        self._judge()
        self.ask_rooms(lambda: desk.start(plan, confirm), self._begun, self._refused)

    def _begun(self, job: Job) -> None:
        self.wizard.begun(job)

    def _refused(self, error: ErrorReport) -> None:
        self._started = False
        self._failed(error)
        self._judge()

    def _by_command(self) -> list[Content]:
        words = self.command()
        return [Content.assemble(("\nThe same by command", "bold"), f"\n{words}")] if words else []

    def action_full(self) -> None:
        """Every detail in a box."""
        from smartos_wizard.screens.asking import Asking

        if self._plan is not None:
            self.wizard.ask(
                Asking(
                    "The whole plan",
                    Content("\n").join(
                        [
                            plan_words(self._plan, by_hand=True, width=66),
                            *self._by_command(),
                        ]
                    ),
                    (("ok", "Close"),),
                    tall=True,
                )
            )
