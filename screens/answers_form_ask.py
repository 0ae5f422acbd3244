"""The boxes of the answers form: root's password in its three kinds, and files to read from and keep in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from smartos_wizard.boot.answers_check import check_answers
from smartos_wizard.boot.answers_text import HOW_TO_CHANGE
from smartos_wizard.screens.asking import Asking
from smartos_wizard.screens.options_ask import said_by
from smartos_wizard.screens.options_boxes import Asked, Box, Pick
from smartos_wizard.screens.options_list import Offer

if TYPE_CHECKING:
    from smartos_wizard.screens.answers_form import AnswersForm

_KINDS = (
    Offer("", "Asked at the machine", "The safest: it never stands on the key."),
    Offer("once", "A one-time password, made here", "Random; you change it after the first login."),
    Offer("typed", "One that you type", "It stands in clear text on the key and in a log of the machine."),
)


class AnswersAsking:
    """Opens the box of a row and hands what was decided back to the form."""

    def __init__(self, form: AnswersForm) -> None:
        self.form = form
        self.desk = form.wizard.desk.boot
        self._kept = ""

    def open(self, name: str) -> None:
        """The box of the row `name`."""
        match name:
            case "root_password":
                words = "Setup takes it in clear text only."
                pick = Pick("Root's password", _KINDS, self.form.marks, words=words)
                _ = self.form.app.push_screen(pick, self._password_kind)
            case "load":
                box = Box("Answers from a file", "What stands in the form now is replaced.",
                          [Asked("place", "File", self.form.file, "answers.json")], self._try_load, "Read it")  # fmt: skip
                _ = self.form.app.push_screen(box, lambda _found: None)
            case "save":
                self._kept = ""
                box = Box("Answers to a file", "Only you will be able to read it.",
                          [Asked("place", "File", self.form.file or "answers.json")], self._try_save, "Keep it")  # fmt: skip
                _ = self.form.app.push_screen(box, self._saved)
            case _:
                self.form.leave(None)

    # ------------------------------------------------------------------ root's password

    def _password_kind(self, kind: str | None) -> None:
        if kind is None:
            return
        if kind == "typed":
            self._ask_password()
            return
        answers = {k: v for k, v in self.form.answers.items() if k != "root_password"}
        if kind == "once":
            answers["root_password"] = self.desk.one_time_password()
        self.form.took(answers)
        if kind == "once":
            self._show_once(answers["root_password"])

    def _show_once(self, password: str) -> None:
        words = Content.assemble(
            "Root's first password is\n\n    ", (password, "bold $accent"),
            "\n\nWrite it down: it is shown only now. After the first login change it, as root:\n\n",
            *(f"    {line}\n" for line in HOW_TO_CHANGE),
            ("\nThe last line takes away the trace of setup, in which it stands.", "$dim"),
        )  # fmt: skip
        self.form.wizard.ask(Asking("A one-time password", words, (("ok", "Written down"),), tall=True))

    def _ask_password(self) -> None:
        words = (
            "It stands in clear text on the key, for everybody who holds it, and in the machine's "
            "/var/log/prompt-config.log. Setup takes any length; eight characters are a beginning."
        )
        fields = [Asked("one", "Password", hidden=True), Asked("two", "Once more", hidden=True)]

        def check(found: dict[str, str]) -> str:
            if not found["one"]:
                return "The password is empty; setup would ask for one."
            if found["one"] != found["two"]:
                return "The two are different."
            tried = {"root_password": found["one"]}
            return next((f.text for f in check_answers(tried) if f.level == "error"), "")

        def taken(found: dict[str, str] | None) -> None:
            if found is not None:
                self.form.took({**self.form.answers, "root_password": found["one"]})

        _ = self.form.app.push_screen(Box("Root's password", words, fields, check), taken)

    # ------------------------------------------------------------------ files

    def _try_load(self, found: dict[str, str]) -> str:
        place = found["place"].strip()
        return said_by(lambda: self.form.took(self.desk.read_answers(place).parsed.answers, place))

    def _try_save(self, found: dict[str, str]) -> str:
        place = found["place"].strip()
        wrong = said_by(lambda: self.desk.save_answers(place, self.form.answers, replace=self._kept == place))
        if "is there already" in wrong:
            self._kept = place
            return f"{wrong} Once more replaces it."
        return wrong

    def _saved(self, found: dict[str, str] | None) -> None:
        if found is not None:
            self.form.file = found["place"].strip()
            self.form.notify(f"Kept in {self.form.file}.")
