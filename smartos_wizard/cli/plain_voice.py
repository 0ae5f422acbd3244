"""What the wizard says line by line, and what it is answered. Knows nothing of keys and releases."""

from __future__ import annotations

import click

from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.screens.words import to_ascii


class Leave(Exception):
    """The user is done."""


class Voice:
    """Says lines and asks for them. Every line stands by itself; nothing is drawn over."""

    def __init__(self, *, ascii_only: bool = False) -> None:
        self._ascii = ascii_only

    def say(self, line: str = "") -> None:
        """One line."""
        click.echo(to_ascii(line) if self._ascii else line)

    def ask(self, question: str) -> str:
        """A line from the user, without blanks around it.

        Raises Leave for q, UsageProblem "no-answer" at the end of the input, KeyboardInterrupt for Ctrl-C.
        """
        shown = to_ascii(question) if self._ascii else question
        try:
            answer = str(click.prompt(shown, default="", show_default=False)).strip()
        except click.Abort as end:
            self.say()
            if isinstance(end.__context__, KeyboardInterrupt):
                raise KeyboardInterrupt from None
            raise UsageProblem(
                "no-answer",
                "The input ended before the wizard did.",
                hint="Nothing was left half done by that.",
            ) from end
        if answer.lower() in ("q", "quit"):
            raise Leave
        return "b" if answer.lower() in ("b", "back") else answer

    def ask_hidden(self, question: str) -> str:
        """A line from the user that is not shown, as it was typed. Raises as `ask` does, but never Leave."""
        try:
            return str(click.prompt(question, default="", show_default=False, hide_input=True))
        except click.Abort as end:
            self.say()
            if isinstance(end.__context__, KeyboardInterrupt):
                raise KeyboardInterrupt from None
            raise UsageProblem("no-answer", "The input ended before the wizard did.") from end

    def choose(self, question: str, count: int) -> int | None:
        """A number from 1 to `count` less one, never a default; None for back."""
        while True:
            answer = self.ask(question)
            if answer == "b":
                return None
            if answer.isdecimal() and 1 <= int(answer) <= count:
                return int(answer) - 1
            self.say(f"Please answer with a number from 1 to {count}, b or q.")

    def choose_several(self, question: str, count: int) -> tuple[int, ...]:
        """Different numbers from 1 to `count`, each less one; empty for back."""
        while True:
            answer = self.ask(question)
            if answer == "b":
                return ()
            words = answer.replace(",", " ").split()
            numbers = [int(w) for w in words if w.isdecimal()]
            good = numbers and len(numbers) == len(words) and len(set(numbers)) == len(numbers)
            if good and all(1 <= n <= count for n in numbers):
                return tuple(n - 1 for n in numbers)
            self.say(f"Please answer with numbers from 1 to {count}, b or q.")
