"""Boot choices as lines of `boot/loader.conf.local`, in a marked block that leaves the user's own lines alone.

Pure text. How the loader reads a line is taken from its own source (illumos: boot/forth/support.4th):
a name, `=`, a value in double or single quotes or bare; `#` begins a comment. What is in double quotes goes
through `set`, which puts variables in the place of `$name`; what is in single quotes does not. A backslash
vanishes. One line that breaks these rules stops the reading of the whole file, and so does a carriage return.
What is set by module options (`…_load`, `…_name`) does not go through `set`, and must be in double quotes.
"""

from __future__ import annotations

import re

from smartos_wizard.boot import loader_conf
from smartos_wizard.boot.answers_values import is_hostname
from smartos_wizard.boot.loader_block import block_of, files_of, with_block, without_block
from smartos_wizard.boot.model import CONSOLES, BootChoices, Kmdb, Module
from smartos_wizard.boot.shadow import check_shadow
from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.text import tame

__all__ = [
    "block_of",
    "choices_of",
    "files_of",
    "from_settings",
    "line",
    "loader_lines",
    "merged",
    "module_settings",
    "overridden",
    "settings_of",
    "stops_reading",
    "without_block",
]

_PLAIN = re.compile(r"[ !#%-&(-\[\]-~]*\Z")  # printable ASCII but " $ ' \
_MODULE = re.compile(r"[A-Za-z0-9._/@%+,~\-]+")
_KMDB = {
    Kmdb.LOADED: {"boot_kmdb": "YES"},
    Kmdb.NMI: {"boot_kmdb": "YES", "nmi": "kmdb"},
    Kmdb.BOOT: {"boot_kmdb": "YES", "boot_debug": "YES"},
    Kmdb.BOOT_NMI: {"boot_kmdb": "YES", "boot_debug": "YES", "nmi": "kmdb"},
    Kmdb.OFF: {"boot_kmdb": "NO", "boot_debug": "NO"},
}
"""illumos: boot/forth/menu-commands.4th and loader.4th; only YES counts, so NO takes an earlier YES back."""


def settings_of(choices: BootChoices) -> dict[str, str]:
    """Names and values the loader is given for these choices, in the order they are written; modules apart.

    Raises UsageProblem for a choice the loader or SmartOS would not understand.
    """
    found: dict[str, str] = {}
    if choices.console:
        found |= _console(choices)
    elif choices.speed is not None:
        raise UsageProblem(
            "speed-without-port", "A speed belongs to a serial console.", hint="Add --console ttya."
        )
    if choices.verbose is not None:
        found["boot_verbose"] = "YES" if choices.verbose else "NO"
    if choices.kmdb is not None:
        found |= _KMDB[choices.kmdb]
    found |= _rescue(choices)
    if choices.pools:
        found["zpools"] = ",".join(_pool(name) for name in choices.pools)
    if choices.delay is not None:
        found["autoboot_delay"] = _delay(choices.delay)
    if choices.root_shadow:
        found["root_shadow"] = check_shadow(choices.root_shadow)
    if choices.hostname:
        found["hostname"] = _hostname(choices.hostname)
    if choices.destroy_pools:
        found["destroy_zpools"] = "true"
    return found


def _console(choices: BootChoices) -> dict[str, str]:
    """The loader's own console first in its list, and the one SmartOS will use."""
    name = choices.console
    if name not in CONSOLES:
        raise UsageProblem(
            "unknown-console", f"There is no console “{tame(name)}”.", hint=f"One of {', '.join(CONSOLES)}."
        )
    others = [other for other in CONSOLES if other != name]
    found = {"console": ",".join([name, *others]), "os_console": name}
    if choices.speed is not None:
        if name == "text":
            raise UsageProblem(
                "speed-without-port", "A speed belongs to a serial console.", hint="Choose ttya to ttyd."
            )
        if not 300 <= choices.speed <= 4_000_000:
            raise UsageProblem("bad-speed", f"{choices.speed} bits per second is no speed of a serial port.")
        found[f"{name}-mode"] = f"{choices.speed},8,n,1,-"
    return found


def _rescue(choices: BootChoices) -> dict[str, str]:
    """What the menu's Rescue Mode sets (illumos: boot/forth/menu-commands.4th)."""
    if choices.rescue is None or not choices.rescue:
        return {}
    if choices.destroy_pools:
        raise UsageProblem(
            "rescue-and-destroy",
            "Rescue imports no pool, so nothing could be destroyed.",
            hint="Choose one of the two.",
        )
    return {"noimport": "true", "standalone": "true", "smartos": "false"}


def _pool(name: str) -> str:
    """illumos: zpool(8), names of pools."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.:\-]*", name) or len(name) > 255:
        raise UsageProblem("bad-pool-name", f"“{tame(name)}” cannot be the name of a pool.")
    return name


def _hostname(name: str) -> str:
    if not is_hostname(name):
        raise UsageProblem(
            "bad-hostname",
            f"“{tame(name)}” is no host name.",
            hint="Letters, digits, hyphens and dots please.",
        )
    return name


def _delay(seconds: int) -> str:
    """illumos: loader(7): -1 boots at once and cannot be interrupted, NO waits for ever. Our -1 means: wait."""
    if seconds < 0:
        return "NO"
    if seconds > 3600:
        raise UsageProblem(
            "bad-delay", f"{seconds} seconds is too long a wait.", hint="At most 3600; -1 waits."
        )
    return str(seconds)


def module_settings(module: Module, number: int) -> dict[str, str]:
    """The four settings that make the loader read a file (smartos-docs: modifying-boot-files).

    Raises UsageProblem for a name that would be cut at a blank or changed on its way to the kernel.
    """
    for name in (module.name, module.path):
        if not _MODULE.fullmatch(name):
            raise UsageProblem(
                "bad-module-name",
                f"The boot loader cannot load a file by the name “{tame(name)}”.",
                hint="Letters, digits and . _ - / @ % + , ~ please.",
            )
    prefix = _prefix(module, number)
    return {
        f"{prefix}_load": "YES",
        f"{prefix}_type": "file",
        f"{prefix}_name": f"/{module.path}",
        f"{prefix}_flags": f"name={module.name}",
    }


def _prefix(module: Module, number: int) -> str:
    """A name of its own for each module: what the file is called, and a number where that says too little."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", module.name).strip("_").lower()
    return f"sw{number}_{words or 'file'}"


def line(name: str, value: str) -> str:
    """One line of the file. Raises UsageProblem for a value no line can hold."""
    if len(name) + 1 + len(value) > loader_conf.LONGEST:
        raise UsageProblem(
            "too-long-for-the-loader",
            f"The value of {name} is too long for the boot loader.",
            hint=f"It takes {loader_conf.LONGEST - len(name) - 1} characters there.",
        )
    if _PLAIN.match(value):
        return f'{name}="{value}"'
    if "$" in value and _PLAIN.match(value.replace("$", "")):
        return f"{name}='{value}'"
    raise UsageProblem(
        "not-for-the-loader",
        f"The boot loader cannot hold this value of {name}.",
        hint="Leave out quotes, backslashes, line ends and letters that are not ASCII.",
    )


def loader_lines(choices: BootChoices) -> tuple[str, ...]:
    """The lines for these choices, without marks. Raises UsageProblem."""
    lines = [line(name, value) for name, value in settings_of(choices).items()]
    for number, module in enumerate(choices.modules, 1):
        lines += [line(name, value) for name, value in module_settings(module, number).items()]
    return tuple(lines)


def merged(current: str, choices: BootChoices, files: tuple[str, ...] = ()) -> str:
    """`current` with our block at its end saying these choices; every line that is not ours as it was.

    `files` are paths that were put on the medium for these choices: they are noted, so that a later change can
    take away what was put, and no more. With nothing to say the block goes, and what is left is what the user had.
    Raises UsageProblem for choices, Refused `broken-block` for a file in which our block begins and never ends.
    """
    return with_block(current, loader_lines(choices), files)


def choices_of(text: str) -> BootChoices:
    """What our block says, for showing and for changing a part of it; modules without their bytes."""
    return from_settings(loader_conf.parse(block_of(text)))


def from_settings(found: dict[str, str]) -> BootChoices:
    """The inverse of `settings_of`, as far as the settings tell."""
    console = found.get("os_console", "")
    speed = _number(found.get(f"{console}-mode", "").split(",")[0])
    delay = found.get("autoboot_delay", "")
    return BootChoices(
        console=console,
        speed=speed,
        verbose={"YES": True, "NO": False}.get(found.get("boot_verbose", "")),
        kmdb=next(
            (
                k
                for k, v in _KMDB.items()
                if v == {n: found[n] for n in ("boot_kmdb", "boot_debug", "nmi") if n in found}
            ),
            None,
        ),
        rescue=True if found.get("noimport") == "true" else None,
        pools=tuple(p for p in found.get("zpools", "").split(",") if p),
        delay=-1 if delay == "NO" else _number(delay),
        root_shadow=found.get("root_shadow", ""),
        hostname=found.get("hostname", ""),
        modules=_modules(found),
        destroy_pools=found.get("destroy_zpools") == "true",
    )


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,7}", text) else None


def _modules(found: dict[str, str]) -> tuple[Module, ...]:
    names = [name.removesuffix("_load") for name in found if re.match(r"sw\d+_.*_load\Z", name)]
    return tuple(
        Module(found.get(f"{n}_flags", "").removeprefix("name="), found.get(f"{n}_name", "").lstrip("/"))
        for n in names
    )


def overridden(current: str, choices: BootChoices) -> tuple[str, ...]:
    """The settings of the user's own lines that will not count any more, because ours come later."""
    ours = loader_conf.parse("\n".join(loader_lines(choices)))
    theirs = loader_conf.parse(without_block(current))
    return tuple(name for name in theirs if name in ours and theirs[name] != ours[name])


def stops_reading(current: str) -> tuple[tuple[int, str], ...]:
    """(line number, why) of the user's lines at which the loader would stop reading, so that ours would not count."""
    own = without_block(current).split("\n")
    return tuple((at, why) for at, each in enumerate(own, 1) if (why := loader_conf.why_it_stops(each)))
