"""The same boot choices for a key from before 2019-04: GRUB's `menu.lst`, changed in a way that can be undone.

Pure text. These keys have no file that is read after the release's own, so lines of `menu.lst` are changed, and
what stood there before is kept beside them as a comment. Facts: smartos-live, tools/build_iso before 2019-04
(`variable os_console vga`, `kernel$ … -B …`).
"""

from __future__ import annotations

import re

from smartos_wizard.boot import loader_conf, loader_write
from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core.errors import UsageProblem

WAS = "#smartos-wizard was: "
NEW = "#smartos-wizard added the next line"
_FILES = "#smartos-wizard files: "
_KERNEL = re.compile(r"^(\s*kernel\$?\s+\S*unix\b)(.*)$")
_OPTIONS = re.compile(r"(\s-B\s+)(\S*)")
_PAIR = re.compile(r"([^=,]+)=('[^']*'|\"[^\"]*\"|[^,]*)")
_BY_GRUB = ("autoboot_delay", "boot_verbose", "boot_kmdb", "boot_debug", "console", "os_console")


def merged_menu(current: str, choices: BootChoices, files: tuple[str, ...] = ()) -> str:
    """`current` with these choices in it; with none, exactly what it was before any.

    Only the first entry, the one that starts by itself, is changed: the recovery entries stay as they are.
    Raises UsageProblem where the menu has no place for a choice.
    """
    own = without_changes(current)
    head = f"{_FILES}{'|'.join(sorted(files))}\n" if files else ""
    if choices.with_(answers=None, files={}).empty:
        return head + own
    ending = "\r\n" if "\r\n" in own else "\n"
    lines = own.splitlines(keepends=True)
    _console(lines, choices, ending)
    _delay(lines, choices, ending)
    _entry(lines, choices, ending)
    return head + "".join(lines)


def without_changes(text: str) -> str:
    """The menu as it was before this program changed it, byte for byte."""
    out: list[str] = []
    lines = iter(text.splitlines(keepends=True))
    for line in lines:
        if line.startswith(_FILES):
            continue
        if line.startswith(NEW):
            next(lines, None)
        elif line.startswith(WAS):
            out.append(line.removeprefix(WAS))
            next(lines, None)
        else:
            out.append(line)
    return "".join(out)


def files_of(text: str) -> tuple[str, ...]:
    """The files that the menu says this program put on the key."""
    first = text.split("\n", 1)[0]
    return tuple(first.removeprefix(_FILES).strip().split("|")) if first.startswith(_FILES) else ()


def settings_in(text: str) -> dict[str, str]:
    """What the first entry gives the kernel, and the console variable; for showing."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = _KERNEL.match(line)
        if match:
            options = _OPTIONS.search(match[2])
            found |= {n: v.strip("'\"") for n, v in _pairs(options[2] if options else "")}
            break
    console = loader_conf.grub_console(text)
    return found | ({"os_console": console} if console else {})


def _replace(lines: list[str], at: int, new: str) -> None:
    old = lines[at]
    ending = old[len(old.rstrip("\r\n")) :]
    lines[at] = f"{WAS}{old}" if ending else f"{WAS}{old}\n"
    lines.insert(at + 1, new + (ending or ""))


def _find(lines: list[str], pattern: str) -> int | None:
    return next((i for i, line in enumerate(lines) if re.match(pattern, line)), None)


def _console(lines: list[str], choices: BootChoices, ending: str) -> None:
    if not choices.console:
        return
    if choices.speed is not None and choices.console == "text":
        raise UsageProblem(
            "speed-without-port", "A speed belongs to a serial console.", hint="Choose ttya to ttyd."
        )
    name = "vga" if choices.console == "text" else choices.console
    at = _find(lines, r"\s*variable\s+os_console\s")
    if at is None:
        lines[:0] = [f"{NEW}{ending}", f"variable os_console {name}{ending}"]
    elif lines[at].split() != ["variable", "os_console", name]:
        _replace(lines, at, f"variable os_console {name}")


def _delay(lines: list[str], choices: BootChoices, ending: str) -> None:
    if choices.delay is None:
        return
    if choices.delay < 0:
        raise UsageProblem(
            "no-endless-wait", "GRUB keys cannot wait for ever.", hint="Give seconds, up to 3600."
        )
    at = _find(lines, r"\s*timeout\s*[= ]")
    if at is None:
        lines[:0] = [f"{NEW}{ending}", f"timeout={choices.delay}{ending}"]
    else:
        _replace(lines, at, f"timeout={choices.delay}")


def _entry(lines: list[str], choices: BootChoices, ending: str) -> None:
    del ending
    properties = {k: v for k, v in loader_write.settings_of(choices).items() if k not in _BY_GRUB}
    if choices.rescue:
        properties["smartos"] = ""
    flags = ("v" if choices.verbose else "") + _kmdb_flags(choices)
    if not properties and not flags:
        return
    at = _find(lines, _KERNEL.pattern)
    if at is None:
        raise UsageProblem("no-entry", "The menu of this key has no entry that starts SmartOS.")
    match = _KERNEL.match(lines[at].rstrip("\r\n"))
    assert match is not None
    _replace(lines, at, match[1] + _with_options(match[2], properties, flags))


def _kmdb_flags(choices: BootChoices) -> str:
    found = loader_write.settings_of(BootChoices(kmdb=choices.kmdb)) if choices.kmdb else {}
    return ("k" if found.get("boot_kmdb") == "YES" else "") + (
        "d" if found.get("boot_debug") == "YES" else ""
    )


def _with_options(rest: str, properties: dict[str, str], flags: str) -> str:
    """The rest of a kernel line with these properties instead of those of the same name, `smartos` only where wanted."""
    match = _OPTIONS.search(rest)
    have = dict(_pairs(match[2])) if match else {}
    for name, value in properties.items():
        have.pop(name, None)
        if " " in value or "'" in value:
            raise UsageProblem("not-for-grub", f"GRUB cannot hold this value of {name}.")
        if value:  # a comma separates properties, and GRUB would put a variable in the place of $name
            have[name] = f"'{value}'" if "$" in value or "," in value else value
    text = ",".join(f"{n}={v}" for n, v in have.items())
    before, after = (rest[: match.start()], rest[match.end() :]) if match else ("", rest)
    return f"{before} -{flags}{after} -B {text}" if flags else f"{before} -B {text}{after}"


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(m[1], m[2]) for m in _PAIR.finditer(text)]
