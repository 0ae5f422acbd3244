"""The options by which commands take boot choices, and what they make of them."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from smartos_wizard.boot.model import CONSOLES, BootChoices, Kmdb, Module
from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.core.text import size, tame

if TYPE_CHECKING:
    from smartos_wizard.boot.answers_finding import Finding
    from smartos_wizard.world import World

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--profile", default="", metavar="NAME", help="Begin with the choices saved under NAME."),
    click.option("--console", type=click.Choice(CONSOLES), default=None, help="Where SmartOS talks and asks."),
    click.option("--speed", type=int, default=None, metavar="BPS", help="Bits per second of that serial console."),
    click.option("--verbose/--no-verbose", default=None, help="Show what the kernel does while it starts."),
    click.option("--kmdb", type=click.Choice([k.value for k in Kmdb]), default=None, help="The kernel debugger."),
    click.option("--rescue/--no-rescue", default=None, help="Import no pool, run no setup."),
    click.option("--zpools", default="", metavar="POOL[,POOL]", help="Import these pools and no others."),
    click.option("--boot-delay", type=int, default=None, metavar="S",
                 help="Seconds the menu waits; -1 waits for ever."),
    click.option("--root-password-prompt", is_flag=True, help="Ask for root's password in rescue; only its hash is kept."),
    click.option("--root-password-file", default="", metavar="FILE",
                 help="Read root's password from FILE (- for standard input); only its hash is kept."),
    click.option("--root-shadow", default="", metavar="HASH", help="Root's password as a SHA-256 crypt string."),
    click.option("--hostname", default="", metavar="NAME", help="The host name given to the kernel."),
    click.option("--answers", default="", metavar="FILE", help="Answers for the first setup (`answers new`)."),
    click.option("--etc-system", default="", metavar="FILE", help="A file that becomes /etc/system."),
    click.option("--module", "modules", multiple=True, metavar="NAME=FILE",
                 help="A file SmartOS sees at /system/boot/NAME, before /NAME. Repeatable."),
    click.option("--add-file", "add_files", multiple=True, metavar="PATH=FILE",
                 help="Put FILE at PATH on the medium, for example local/notes.txt. Repeatable."),
)  # fmt: skip

NAMES = (
    "profile", "console", "speed", "verbose", "kmdb", "rescue", "zpools", "boot_delay", "root_password_prompt",
    "root_password_file", "root_shadow", "hostname", "answers", "etc_system", "modules", "add_files",
)  # fmt: skip
"""The parameters that `boot_options` adds to a command."""


def boot_options(command: F) -> F:
    """Add the options of boot choices; the command gets one dictionary, `boot`, for `choices_from`."""

    @functools.wraps(command)
    def collected(*args: Any, **kwargs: Any) -> Any:
        boot = {name: kwargs.pop(name) for name in NAMES}
        return command(*args, boot=boot, **kwargs)

    found: Any = collected
    for option in reversed(_OPTIONS):
        found = option(found)
    return found  # type: ignore[no-any-return]


def choices_from(
    world: World, boot: dict[str, Any], tell: Callable[[str], None] | None = None, *, partial: bool = False
) -> BootChoices:
    """The choices these options make. `tell` gets warnings, one line each.

    `partial` means that they will be combined with others: a speed may come without its console. With --profile, files given here come beside those of the profile. Raises UsageProblem for values that the
    loader, SmartOS or the medium could not take, and Refused `bad-answers` where setup would fail with the answers.
    """
    from smartos_wizard.boot.key_files import files_wanted
    from smartos_wizard.boot.loader_write import loader_lines
    from smartos_wizard.boot.present import combined

    base = BootChoices()
    if boot["profile"]:
        from smartos_wizard.boot.profile import ProfileStore

        base = ProfileStore(world.paths).load(boot["profile"]).choices
    chosen = BootChoices(
        console=boot["console"] or "",
        speed=boot["speed"],
        verbose=boot["verbose"],
        kmdb=Kmdb(boot["kmdb"]) if boot["kmdb"] else None,
        rescue=boot["rescue"],
        pools=tuple(p.strip() for p in boot["zpools"].split(",") if p.strip()),
        delay=boot["boot_delay"],
        root_shadow=_shadow(boot),
        hostname=boot["hostname"],
        answers=_answers(boot["answers"], tell) if boot["answers"] else None,
        modules=_modules(boot),
        files=_files(boot["add_files"]),
    )
    merged = combined(chosen, base)
    alone = merged.with_(speed=None) if partial and not merged.console else merged
    _ = loader_lines(alone), files_wanted(merged, legacy=False)
    if chosen.answers is None and merged.answers is not None:
        from smartos_wizard.boot.answers_check import check_answers

        name = boot["profile"]
        _refuse_errors(check_answers(merged.answers), f"profile {name}", f"Save the profile {name} anew.")
    if tell is not None and merged.answers is not None:
        for line in _traps(merged.answers, bool(merged.console)):
            tell(line)
    return merged


_TOLD = ("console-matters", "erases-unasked")
"""Traps that are no warnings by themselves and belong beside the choice of what a machine is told at boot."""


def _traps(answers: dict[str, str], console_set: bool) -> list[str]:
    from smartos_wizard.boot.answers_check import trap_warnings

    found = trap_warnings(answers, console_set=console_set)
    return [f"answers: {trap.text}" for trap in found if trap.level != "info" or trap.reference in _TOLD]


def _shadow(boot: dict[str, Any]) -> str:
    given = [n for n in ("root_password_prompt", "root_password_file", "root_shadow") if boot[n]]
    if len(given) > 1:
        raise UsageProblem(
            "two-passwords", "Root's password was given in more than one way.", hint="Give one."
        )
    if not given:
        return ""
    from smartos_wizard.boot.shadow import check_shadow, shadow_of

    if boot["root_shadow"]:
        return check_shadow(boot["root_shadow"])
    password = _asked() if boot["root_password_prompt"] else read_password(boot["root_password_file"])
    return shadow_of(password)


def _asked() -> str:
    if not sys.stdin.isatty():
        raise UsageProblem(
            "no-terminal",
            "There is no terminal to ask for the password.",
            hint="Use --root-password-file - and give it on standard input.",
        )
    answer: str = click.prompt("Root's password", hide_input=True, confirmation_prompt=True, err=True)
    return answer


def read_password(place: str) -> str:
    """The first line of a file, or of standard input where `place` is `-`. Raises UsageProblem.

    A byte order mark before it, as Windows editors write one, is no part of it.
    """
    try:
        if place == "-":
            data = sys.stdin.buffer.read(_LINE)
        else:
            with Path(place).open("rb") as file:
                data = file.read(_LINE)
        text = data.split(b"\n", 1)[0].removesuffix(b"\r").decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageProblem(
            "no-password",
            "The password cannot be read: it is not UTF-8.",
            hint="Save the file as UTF-8.",
            context=tame(place, 200),
        ) from error
    except OSError as error:
        raise UsageProblem(
            "no-password",
            f"The password cannot be read: {error.strerror or error}.",
            hint="Check the name and the rights of the file.",
            context=tame(place, 200),
        ) from error
    if not text:
        raise UsageProblem(
            "no-password",
            "There is no password in the first line.",
            hint="Put it there and nothing else.",
            context=tame(place, 200),
        )
    return text


def _answers(place: str, tell: Callable[[str], None] | None) -> dict[str, str]:
    from smartos_wizard.boot.answers_check import check_file

    shown = tame(place, 200)
    checked = check_file(_read(place, _ANSWERS_MOST))
    _refuse_errors(checked.findings, shown, f"`smartos-wizard answers check {shown}` says all of it.")
    for finding in checked.findings:
        if tell is not None and finding.level == "warning":
            tell(f"{shown}: {_at(finding)}{finding.text}")
    return dict(checked.parsed.answers)


def _refuse_errors(findings: Sequence[Finding], where: str, hint: str) -> None:
    bad = [f for f in findings if f.level == "error"]
    if not bad:
        return
    said = " ".join(f"{_at(f)}{f.text}" for f in bad[:3]) + (" And more." if len(bad) > 3 else "")
    raise Refused(
        "bad-answers", f"Setup would fail with the answers of {where}: {said}", context=where, hint=hint
    )


def _at(finding: Finding) -> str:
    return f"line {finding.line}, column {finding.column}: " if finding.line is not None else ""


def _modules(boot: dict[str, Any]) -> tuple[Module, ...]:
    from smartos_wizard.boot.key_files import check_path

    found = []
    if boot["etc_system"]:
        found.append(Module("etc/system", "boot/bootfs/etc/system", _read(boot["etc_system"])))
    for given in boot["modules"]:
        name, place = _pair(given, "--module")
        path = check_path(f"boot/bootfs/{name.strip().lstrip('/')}")
        found.append(Module(path.removeprefix("boot/bootfs/"), path, _read(place)))
    return tuple(found)


def _files(given: tuple[str, ...]) -> dict[str, bytes]:
    from smartos_wizard.boot.key_files import check_path

    found: dict[str, bytes] = {}
    for each in given:
        path, place = _pair(each, "--add-file")
        path = check_path(path)
        if path in found:
            raise UsageProblem("same-file-twice", f"{tame(path)} is asked for twice.", hint="Give it once.")
        found[path] = _read(place)
    return found


def _pair(given: str, option: str) -> tuple[str, str]:
    name, equals, place = given.partition("=")
    if not equals or not name or not place:
        raise UsageProblem(
            "no-pair",
            f"{option} takes two things with = between them, not “{tame(given)}”.",
            hint="First what it will be called, then the file here: etc/system=./my-system.",
        )
    return name, place


_MOST = 64 << 20
_ANSWERS_MOST = 64 << 10
_LINE = 4096


def _read(place: str, most: int = _MOST) -> bytes:
    shown = tame(place, 200)
    try:
        with Path(place).open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise UsageProblem(
            "no-such-file",
            f"{shown} cannot be read: {error.strerror or error}.",
            hint="Check the name and the rights of the file.",
            context=shown,
        ) from error
    if len(data) > most:
        raise UsageProblem("too-large", f"{shown} has more than {size(most)}.", context=shown)
    return data
