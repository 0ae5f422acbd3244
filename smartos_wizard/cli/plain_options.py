"""The step “Options” line by line: Enter leaves the key as released; a number changes one thing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from smartos_wizard.boot.answers_check import check_answers, has_errors
from smartos_wizard.boot.model import BootChoices
from smartos_wizard.cli.answers_said import finding_line, stop_lines, trap_lines
from smartos_wizard.cli.plain_voice import Voice
from smartos_wizard.core.errors import Cancelled, UsageProblem, WizardError
from smartos_wizard.screens.options_desk import BootDesk
from smartos_wizard.screens.options_list import OPTIONS, TYPED, Option
from smartos_wizard.screens.options_model import (
    ETC_SYSTEM,
    Given,
    asks_speed,
    in_short,
    in_words,
    offers_of,
    problems,
    sum_up,
    take,
    with_etc_system,
)


class PlainOptions:
    """Asks for boot choices. `choices` and `given` are what was decided so far."""

    HEADING = "Step 4, options: what the machine is told at boot. All of it may stay as released."

    def __init__(self, voice: Voice, desk: BootDesk, choices: BootChoices, given: Given) -> None:
        self.voice, self.desk = voice, desk
        self.choices, self.given = choices, given

    def run(self) -> bool:
        """Ask until the user goes on; False for back."""
        say = self.voice.say
        say(self.HEADING)
        while True:
            rows = [o for o in OPTIONS if o.name != "speed" or asks_speed(self.choices)]
            self._list(rows)
            answer = self.voice.ask("A number changes that, Enter goes on")
            if answer == "b":
                return False
            if answer == "":
                if self._may_go_on():
                    return True
            elif answer.isdecimal() and 1 <= int(answer) <= len(rows):
                self._guarded(lambda o=rows[int(answer) - 1]: self._change(o))  # type: ignore[misc]
            else:
                say(f"Please answer with a number from 1 to {len(rows)}, Enter, b or q.")

    def _list(self, rows: list[Option]) -> None:
        for number, option in enumerate(rows, 1):
            words = "" if option.name in ("load", "save") else f": {in_words(option.name, self.choices)}"
            self.voice.say(f"{number}. {option.title}{words}")
        clauses = sum_up(self.choices)
        self.voice.say(
            f"Set: {'; '.join(clauses)}." if clauses else "Nothing is set: the key stays as released."
        )

    def _may_go_on(self) -> bool:
        wrong = list(problems(self.choices, self.given))
        for name, words in wrong:
            self.voice.say(f"{name}: {words}")
        if wrong:
            self.voice.say("Not gone on: this has to be put right first.")
        return not wrong

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Cancelled:
            self.voice.say("Left as it was.")
        except WizardError as error:
            if error.reference == "no-answer":
                raise
            self.voice.say(f"{error.message} {error.hint}".strip())

    def _change(self, option: Option) -> None:
        self.voice.say(f"{option.title}. {option.help}")
        match option.name:
            case "answers":
                self._answers()
            case "root_shadow":
                self._password()
            case "etc_system":
                self._etc_system()
            case "files":
                self._files()
            case "load":
                self._load()
            case "save":
                self._save()
            case name if name in TYPED:
                self._typed(option)
            case _:
                self._offered(option)

    def _offered(self, option: Option) -> None:
        offers = offers_of(option, self.choices)
        for number, offer in enumerate(offers, 1):
            self.voice.say(f"{number}. {offer.words}" + (f": {offer.more}" if offer.more else ""))
        chosen = self.voice.choose(f"{option.title}?", len(offers))
        if chosen is not None:
            self.choices = take(option.name, offers[chosen].value, self.choices)

    def _typed(self, option: Option) -> None:
        while True:
            words = self.voice.ask(f"{option.title}, - for as released, or b to leave it")
            if words in ("b", ""):
                return
            try:
                self.choices = take(option.name, "" if words == "-" else words, self.choices)
            except UsageProblem as problem:
                self.voice.say(in_short(problem))
            else:
                return

    # ------------------------------------------------------------------ answers, password

    def _answers(self) -> None:
        self.voice.say("1. Question by question. 2. From a file. 3. None: setup asks at the machine.")
        match self.voice.choose("Answers?", 3):
            case 0:
                from smartos_wizard.cli.answers_ask import Asker

                answers, password = Asker(self.choices.answers).run()
                if password:
                    self.voice.say(f"Root's first password is {password}. Change it after the first login.")
                self._take_answers(answers, "")
            case 1:
                place = self.voice.ask("The answers file, or b to leave it")
                if place not in ("b", ""):
                    self._take_answers(dict(self.desk.read_answers(place).parsed.answers), place)
            case 2:
                self.choices = self.choices.with_(answers=None)
            case _:
                pass

    def _take_answers(self, answers: dict[str, str], file: str) -> None:
        findings = check_answers(answers)
        for finding in findings:
            self.voice.say(finding_line(finding).strip())
        if has_errors(findings):
            raise UsageProblem(
                "bad-answers", "Setup would fail with these answers.", hint="They are not taken."
            )
        from smartos_wizard.boot.answers_check import trap_warnings

        traps = trap_warnings(answers, console_set=bool(self.choices.console))
        for line in (*stop_lines(answers), *trap_lines(traps)):
            self.voice.say(line)
        self.choices = self.choices.with_(answers=answers)
        self.given = replace(self.given, answers_file=file)

    def _password(self) -> None:
        self.voice.say("1. Type one for rescue; only its hash goes on the key. 2. As released: root.")
        match self.voice.choose("Root's password?", 2):
            case 0:
                one = self.voice.ask_hidden("Password, nothing is shown")
                if one != self.voice.ask_hidden("Once more"):
                    self.voice.say("The two are different. Left as it was.")
                    return
                self.choices = self.choices.with_(root_shadow=self.desk.shadow(one))
            case 1:
                self.choices = self.choices.with_(root_shadow="")
            case _:
                pass

    # ------------------------------------------------------------------ files, profiles

    def _etc_system(self) -> None:
        place = self.voice.ask("The file on this computer, - for as released, or b to leave it")
        if place in ("b", ""):
            return
        data = None if place == "-" else self.desk.local_file(place)
        self.choices = with_etc_system(self.choices, data)
        self._came_from(f"boot/bootfs/{ETC_SYSTEM}", place)

    def _files(self) -> None:
        from smartos_wizard.boot.key_files import check_path

        paths = list(self.choices.files)
        for number, path in enumerate(paths, 1):
            self.voice.say(f"{number}. Take off {path}, {len(self.choices.files[path]):,} bytes")
        self.voice.say(f"{len(paths) + 1}. Add a file")
        chosen = self.voice.choose("Extra files?", len(paths) + 1)
        if chosen is None:
            return
        if chosen < len(paths):
            left = {p: d for p, d in self.choices.files.items() if p != paths[chosen]}
            self.choices = self.choices.with_(files=left)
            return
        place = self.voice.ask("The file on this computer, or b to leave it")
        if place in ("b", ""):
            return
        data = self.desk.local_file(place)
        usual = f"local/{place.rsplit('/', 1)[-1]}"
        path = self.voice.ask(f"Its place on the key, Enter for {usual}")
        if path == "b":
            return
        path = check_path(path or usual)
        self.choices = self.choices.with_(files={**self.choices.files, path: data})
        self._came_from(path, place)

    def _came_from(self, path: str, place: str) -> None:
        self.given = replace(self.given, files={**self.given.files, path: place})

    def _load(self) -> None:
        names = self.desk.profiles()
        if not names:
            self.voice.say("No profile was saved yet.")
            return
        for number, name in enumerate(names, 1):
            self.voice.say(f"{number}. {name}")
        chosen = self.voice.choose("Which profile?", len(names))
        if chosen is not None:
            self.choices = self.desk.profile(names[chosen])
            self.given = Given(profile=names[chosen], base=self.choices)

    def _save(self) -> None:
        if not self._may_go_on():
            return
        name = self.voice.ask("A name for these choices, or b to leave it")
        if name in ("b", ""):
            return
        if name in self.desk.profiles():
            self.voice.say(f"{name} is there already. 1. Replace it. 2. Leave it.")
            if self.voice.choose("Replace it?", 2) != 0:
                return
        self.desk.save_profile(name, self.choices)
        self.given = replace(self.given, profile=name, base=self.choices)
        self.voice.say(f"Saved as {name}.")
