"""`answers new` question by question, for a terminal: key by key, with help, a default, a check, a way back.

Everything said goes to stderr, so that the file itself may go to stdout.
"""

from __future__ import annotations

import click

from smartos_wizard.boot.answers_check import check_answers, has_errors
from smartos_wizard.boot.answers_make import begin
from smartos_wizard.boot.answers_network import address, netmask, prefix_length
from smartos_wizard.boot.answers_schema import BY_NAME, KEYS, AnswerKey
from smartos_wizard.boot.answers_script import Does, does
from smartos_wizard.boot.answers_text import ordered
from smartos_wizard.cli.output import tell
from smartos_wizard.core.errors import Cancelled, UsageProblem

_ORDER = tuple(key.name for key in KEYS)
_ALWAYS = ("config_console", "skip_instructions", "simple_headers", "skip_final_summary", "zpool_layout")
"""Not asked: they follow from whether setup shall run unattended, and --set changes them."""


class Asker:
    """Asks for the answers one by one. `given` are answers to begin with, None for sane defaults."""

    def __init__(self, given: dict[str, str] | None) -> None:
        self._answers = dict(given or {})
        self._fresh = given is None
        self._password = ""

    def run(self) -> tuple[dict[str, str], str]:
        """The answers, and the one-time password where one was made. Raises Cancelled for q."""
        tell(
            "Each question can be answered with Enter for what stands in [brackets], - to leave it to setup,"
        )
        tell("< to go back, ? for more, q to leave without writing anything.")
        if self._fresh:
            self._answers = begin(None, unattended=self._unattended())
        names = [key.name for key in KEYS if key.name not in _ALWAYS]
        at = 0
        while at < len(names):
            if does(names[at], self._answers) is Does.SKIPS and names[at] in ("admin_netmask", "pisource"):
                self._answers.pop(names[at], None)
                at += 1
            elif self._one(BY_NAME[names[at]]):
                at += 1
            else:
                at = self._before(names, at)
        return ordered(self._answers), self._password if self._answers.get("root_password") else ""

    def _unattended(self) -> bool:
        tell(
            "\nUnattended means: every machine started with this file is set up without a question, and its fixed"
        )
        tell("disks, all of them, are erased.")
        while True:
            said = self._read("Shall setup run unattended? yes or no [no]").lower()
            if said in ("", "n", "no", "y", "yes"):
                return said in ("y", "yes")
            tell("Please answer yes or no.")

    def _before(self, names: list[str], at: int) -> int:
        """The question before this one that was asked."""
        at = max(at - 1, 0)
        while (
            at and names[at] in ("admin_netmask", "pisource") and does(names[at], self._answers) is Does.SKIPS
        ):
            at -= 1
        return at

    def _one(self, key: AnswerKey) -> bool:
        """Ask for one key until the answer holds; False for back."""
        tell(f"\n{key.title} ({key.name})")
        tell(f"  {key.help}")
        now = self._answers.get(key.name)
        while True:
            said = self._secret(now) if key.secret else self._read(f"  {key.name} [{_shown(key, now)}]")
            if said == "<":
                return False
            if said == "?":
                self._more(key)
                continue
            if said == "" or (said == now and not key.secret):
                return True
            if said == "-":
                self._answers.pop(key.name, None)
                return True
            if self._holds(key, said):
                return True

    def _holds(self, key: AnswerKey, said: str) -> bool:
        """Take the answer where it is no error, and say what is to say about it."""
        tried = self._answers | self._spread(key, said)
        before, sooner = check_answers(self._answers), _ORDER[: _ORDER.index(key.name)]
        found = [
            f for f in check_answers(tried) if f.key == key.name or (f.key in sooner and f not in before)
        ]
        for finding in found:
            tell(f"  {finding.level}: {finding.text}")
        if has_errors(found):
            return False
        self._answers = tried
        return True

    def _spread(self, key: AnswerKey, said: str) -> dict[str, str]:
        """An answer, and another that is in it: 192.168.1.10/24 gives the netmask too."""
        ip, _, rest = said.partition("/")
        length = prefix_length(rest)
        if key.name == "admin_ip" and address(ip) and length is not None:
            return {"admin_ip": ip, "admin_netmask": netmask(length)}
        return {key.name: said}

    def _more(self, key: AnswerKey) -> None:
        tell(f"  Asked at the machine: {key.asked}")
        tell(f"  With a bad value: {key.bad}")
        if key.choices:
            tell(f"  Usual answers: {', '.join(key.choices)}.")

    def _secret(self, now: str | None) -> str:
        tell("  Nothing is shown while you type. * makes a one-time password and shows it at the end.")
        said = self._read(f"  root_password [{'as it is' if now else 'asked at the machine'}]", hidden=True)
        if said == "*":
            from smartos_wizard.boot.shadow import one_time_password

            self._password = one_time_password()
            return self._password
        if said not in ("", "<", "?", "-") and self._read("  once more", hidden=True) != said:
            tell("  The two are different; please once more.")
            return self._secret(now)
        return said

    def _read(self, question: str, *, hidden: bool = False) -> str:
        try:
            said = str(click.prompt(question, default="", show_default=False, hide_input=hidden, err=True))
        except click.Abort as end:
            if isinstance(end.__context__, KeyboardInterrupt):
                raise KeyboardInterrupt from None
            raise UsageProblem(
                "no-answer", "The input ended before the questions did.", hint="Nothing was written."
            ) from end
        if not hidden:
            said = said.strip()
        if said in ("q", "Q"):
            raise Cancelled("answers-left", "Nothing was written.")
        return said


def _shown(key: AnswerKey, now: str | None) -> str:
    return now or ("none" if key.name == "hostname" and now == "" else "asked at the machine")
