"""The options by which commands take boot choices, and what they make of them."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from smartos_wizard.boot.model import CONSOLES, BootChoices, Kmdb, Module
from smartos_wizard.core.errors import Refused, UsageProblem

if TYPE_CHECKING:
    from smartos_wizard.world import World

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--profile", default="", metavar="NAME", help="Begin with the choices saved under NAME."),
    click.option("--console", type=click.Choice(CONSOLES), default=None, help="Where SmartOS talks and asks."),
    click.option("--speed", type=int, default=None, metavar="BPS", help="Bits per second of that serial console."),
    click.option("--verbose/--no-verbose", default=None, help="Show what the kernel does while it starts."),
    click.option("--kmdb", type=click.Choice([k.value for k in Kmdb]), default=None, help="The kernel debugger."),
    click.option("--rescue/--no-rescue", default=None, help="Import no pool, run no set-up."),
    click.option("--zpools", default="", metavar="POOL[,POOL]", help="Import these pools and no others."),
    click.option("--boot-delay", type=int, default=None, metavar="S",
                 help="Seconds the menu waits; -1 waits for ever."),
    click.option("--root-password-prompt", is_flag=True, help="Ask for root's password; only its hash is kept."),
    click.option("--root-password-file", default="", metavar="FILE",
                 help="Read root's password from FILE (- for standard input); only its hash is kept."),
    click.option("--root-shadow", default="", metavar="HASH", help="Root's password as a SHA-256 crypt string."),
    click.option("--hostname", default="", metavar="NAME", help="The host name given to the kernel."),
    click.option("--answers", default="", metavar="FILE", help="Answers for the first set-up (`answers new`)."),
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
    world: World, boot: dict[str, Any], tell: Callable[[str], None] | None = None
) -> BootChoices:
    """The choices these options make. `tell` gets warnings, one line each.

    Raises UsageProblem, and Refused `bad-answers` where set-up would fail with the answers.
    """
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
    merged = chosen.over(base)
    if chosen.console and chosen.speed is None and chosen.console != base.console:
        merged = merged.with_(speed=None)
    if merged.speed is not None and not merged.console:
        raise UsageProblem(
            "speed-without-port", "A speed belongs to a serial console.", hint="Add --console ttya."
        )
    return merged


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
    """The first line of a file, or of standard input where `place` is `-`. Raises UsageProblem."""
    try:
        text = sys.stdin.read(4096) if place == "-" else Path(place).read_text(encoding="utf-8")[:4096]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageProblem("no-password", f"The password cannot be read: {error}", context=place) from error
    return text.split("\n", 1)[0].rstrip("\r")


def _answers(place: str, tell: Callable[[str], None] | None) -> dict[str, str]:
    from smartos_wizard.boot.answers_check import check_file, has_errors

    checked = check_file(_read(place))
    if has_errors(checked.findings):
        raise Refused(
            "bad-answers",
            f"Set-up would fail with the answers of {place}: "
            + " ".join(f.text for f in checked.findings if f.level == "error")[:600],
            context=place,
            hint=f"`smartos-wizard answers check {place}` says where.",
        )
    for finding in checked.findings:
        if tell is not None and finding.level == "warning":
            tell(f"{place}: {finding.text}")
    return dict(checked.parsed.answers)


def _modules(boot: dict[str, Any]) -> tuple[Module, ...]:
    found = []
    if boot["etc_system"]:
        found.append(Module("etc/system", "boot/bootfs/etc/system", _read(boot["etc_system"])))
    for given in boot["modules"]:
        name, place = _pair(given, "--module")
        name = name.lstrip("/")
        found.append(Module(name, f"boot/bootfs/{name}", _read(place)))
    return tuple(found)


def _files(given: tuple[str, ...]) -> dict[str, bytes]:
    from smartos_wizard.boot.key_files import check_path

    pairs = [_pair(each, "--add-file") for each in given]
    return {check_path(path): _read(place) for path, place in pairs}


def _pair(given: str, option: str) -> tuple[str, str]:
    name, equals, place = given.partition("=")
    if not equals or not name or not place:
        raise UsageProblem("no-pair", f"{option} takes two things with = between them, not “{given}”.")
    return name, place


_MOST = 64 << 20


def _read(place: str) -> bytes:
    try:
        path = Path(place)
        if path.stat().st_size > _MOST:
            raise UsageProblem("too-large", f"{place} has more than 64 MiB.", context=place)
        return path.read_bytes()
    except OSError as error:
        raise UsageProblem(
            "no-such-file", f"{place} cannot be read: {error.strerror}.", context=place
        ) from error
