"""The step “Options” without a screen: what may be decided, how it is said, and what a text means. Pure.

The full-screen and the line-by-line wizard ask the same things in the same words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from smartos_wizard.boot.model import BootChoices, Kmdb, Module
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.text import tame
from smartos_wizard.screens.options_list import RELEASED, TYPED, Offer, Option

ETC_SYSTEM = "etc/system"


@dataclass(frozen=True, slots=True)
class Given:
    """How the choices came here, for the command that does the same; and texts that are no choice yet.

    `base` are the choices of the profile that was loaded last. `files` is path on the key to local file.
    `bad` is name of an option to what was typed for it.
    """

    profile: str = ""
    base: BootChoices = field(default_factory=BootChoices)
    answers_file: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    bad: Mapping[str, str] = field(default_factory=dict)


def shown(name: str, choices: BootChoices) -> str:
    """What stands in the field of an option; empty for “as released”."""
    match name:
        case "console" | "hostname":
            return str(getattr(choices, name))
        case "speed" | "delay":
            value = getattr(choices, name)
            return "" if value is None else str(value)
        case "verbose" | "rescue":
            return {None: "", True: "yes", False: "no" if name == "verbose" else ""}[getattr(choices, name)]
        case "kmdb":
            return "" if choices.kmdb is None else choices.kmdb.value
        case "pools":
            return ",".join(choices.pools)
        case _:
            return ""


def take(name: str, text: str, choices: BootChoices) -> BootChoices:
    """The choices with `text` for the option `name`. Raises UsageProblem, with words, where it is none."""
    words = text.strip()
    match name:
        case "console":
            speed = choices.speed if words not in ("", "text") else None
            return choices.with_(console=words, speed=speed)
        case "speed":
            return choices.with_(speed=_number(words, "a speed") if words else None)
        case "verbose" | "rescue":
            return choices.with_(**{name: {"": None, "yes": True, "no": False}[words]})
        case "kmdb":
            return choices.with_(kmdb=Kmdb(words) if words else None)
        case "hostname":
            taken = choices.with_(hostname=_host(words))
        case "delay":
            taken = choices.with_(delay=_delay(words) if words else None)
        case "pools":
            taken = choices.with_(pools=tuple(p.strip() for p in words.split(",") if p.strip()))
        case _:
            raise ValueError(name)
    check(BootChoices(hostname=taken.hostname, delay=taken.delay, pools=taken.pools))
    return taken


def check(choices: BootChoices) -> None:
    """Raise UsageProblem where the loader could not be told these choices."""
    from smartos_wizard.boot.loader_write import loader_lines

    _ = loader_lines(choices)


def _number(words: str, what: str) -> int:
    if not (words.removeprefix("-").isascii() and words.removeprefix("-").isdigit() and len(words) < 8):
        raise UsageProblem("no-number", f"“{tame(words, 20)}” is not {what}.")
    return int(words)


def _delay(words: str) -> int:
    seconds = _number(words, "a number of seconds")
    if seconds < -1:
        raise UsageProblem("bad-delay", "-1 waits for ever; nothing is below it.")
    return seconds


def _host(words: str) -> str:
    from smartos_wizard.boot.answers_values import is_hostname

    if words and not is_hostname(words):
        raise UsageProblem("bad-hostname", "Letters, digits, hyphens and dots only.")
    return words


def asks_speed(choices: BootChoices) -> bool:
    """Whether a speed means anything: the console is a serial port."""
    return choices.console not in ("", "text")


def offers_of(option: Option, choices: BootChoices) -> tuple[Offer, ...]:
    """The values to choose from, with the present one among them wherever it came from."""
    now = shown(option.name, choices)
    if now and now not in [o.value for o in option.offers]:
        return (*option.offers, Offer(now, now, "As it was loaded."))
    return option.offers


def in_words(name: str, choices: BootChoices) -> str:
    """The present value of any option in a few words, secrets never."""
    match name:
        case "answers":
            return _answers_words(choices)
        case "root_shadow":
            return "set, as a hash" if choices.root_shadow else RELEASED
        case "etc_system":
            found = next((m for m in choices.modules if m.name == ETC_SYSTEM), None)
            return f"{len(found.data):,} bytes" if found else RELEASED
        case "files":
            more = [m for m in choices.modules if m.name != ETC_SYSTEM]
            count = len(choices.files) + len(more)
            return "none" if not count else "1 file" if count == 1 else f"{count} files"
        case "load" | "save":
            return "choose" if name == "load" else "name it"
        case _:
            return shown(name, choices) or RELEASED


def _answers_words(choices: BootChoices) -> str:
    if choices.answers is None:
        return "none: setup asks"
    wrong = answers_wrong(choices)
    if wrong:
        return "1 to put right" if wrong == 1 else f"{wrong} to put right"
    count = len(choices.answers)
    return "1 answer" if count == 1 else f"{count or 'no'} answers"


def answers_wrong(choices: BootChoices) -> int:
    """How many answers setup would loop or fail at."""
    from smartos_wizard.boot.answers_check import check_answers

    if choices.answers is None:
        return 0
    return sum(f.level == "error" for f in check_answers(choices.answers))


def problems(choices: BootChoices, given: Given, *, legacy: bool = False) -> Iterator[tuple[str, str]]:
    """What must be put right before going on, as name of the option and a sentence.

    `legacy` is a release from before 2019-04, whose keys start by GRUB.
    """
    found = [*_bad_values(choices, given)]
    if legacy and choices.modules:
        found.append(
            ("etc_system", "This release starts by GRUB, which cannot load it: choose one since 2019-04.")
        )
    if wrong := answers_wrong(choices):
        what = "One answer has" if wrong == 1 else f"{wrong} answers have"
        found.append(("answers", f"{what} to be put right: setup would fail."))
    if not found:
        try:
            _files_fit(choices)
        except UsageProblem as problem:
            found.append(("files", in_short(problem)))
    yield from found


def _bad_values(choices: BootChoices, given: Given) -> Iterator[tuple[str, str]]:
    """What was typed and is wrong, and what a profile written by hand may hold."""
    for name in TYPED:
        try:
            take(name, given.bad.get(name, shown(name, choices)), BootChoices())
        except UsageProblem as problem:
            yield name, in_short(problem)
    named = BootChoices(console=choices.console)
    for name, alone in (("console", named), ("speed", named.with_(speed=choices.speed))):
        try:
            check(alone)
        except UsageProblem as problem:
            yield name, in_short(problem)
            return


def _files_fit(choices: BootChoices) -> None:
    """Everything together, as it would be written."""
    from smartos_wizard.boot.key_files import files_for

    _ = files_for(choices, lambda _path: None, legacy=False)


def in_short(problem: UsageProblem) -> str:
    """An error beside a field: what is wrong and what would be right."""
    return f"{problem.message} {problem.hint}".strip()


def with_etc_system(choices: BootChoices, data: bytes | None) -> BootChoices:
    """The choices with that /etc/system; with None as released."""
    rest = tuple(m for m in choices.modules if m.name != ETC_SYSTEM)
    if data is None:
        return choices.with_(modules=rest)
    return choices.with_(modules=(Module(ETC_SYSTEM, f"boot/bootfs/{ETC_SYSTEM}", data), *rest))


def sum_up(choices: BootChoices) -> tuple[str, ...]:
    """What was decided, one clause each; nothing where the key stays as released."""
    parts = []
    if choices.console:
        parts.append(f"console {choices.console}" + (f" at {choices.speed}" if choices.speed else ""))
    if choices.answers is not None:
        parts.append(f"answers ({len(choices.answers)} of 21)")
    if choices.root_shadow:
        parts.append("root's password")
    for name, word in (("hostname", "host name"), ("delay", "menu waits"), ("verbose", "verbose"),
                       ("kmdb", "debugger"), ("rescue", "rescue"), ("pools", "only pools")):  # fmt: skip
        if value := shown(name, choices):
            parts.append(f"{word} {value}")
    for name, word in (("etc_system", "/etc/system"), ("files", "")):
        value = in_words(name, choices)
        if value not in (RELEASED, "none"):
            parts.append(word or value)
    return tuple(parts)
