"""The same boot choices for a key from before 2019-04: GRUB's `menu.lst`, changed in a way that can be undone.

Pure text. These keys have no file that is read after the release's own, so lines of `menu.lst` are changed, and
what stood there before is kept beside them as a comment. Facts: smartos-live, tools/build_iso before 2019-04
(`variable os_console vga` and `kernel$ … -B …`; before that `kernel … -B console=text,…`); how the kernel takes
what follows -B: illumos, uts/i86pc/os/fakebop.c (build_boot_properties).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from smartos_wizard.boot import loader_conf, loader_write
from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core.errors import UsageProblem

WAS = "#smartos-wizard was: "
NEW = "#smartos-wizard added the next line"
_FILES = "#smartos-wizard files: "
_KERNEL = re.compile(r"(\s*kernel\$?\s+\S*unix\b)(.*)", re.DOTALL)
_VARIABLE = re.compile(r"\s*variable\s+os_console\s")
_TIMEOUT = re.compile(r"\s*timeout\s*[= ]")
_DEFAULT = re.compile(r"\s*default\s*[= ]\s*([0-9]{1,4})\s*\Z")
_OPTIONS = re.compile(r"(\s-B\s+)((?:'[^']*'|\"[^\"]*\"|[^\s'\"])*)")
_CHUNK = re.compile(r"(?:'[^']*'|\"[^\"]*\"|[^,'\"]|['\"])+")
_FLAGS = re.compile(r"(\s)-([a-z]+)(?=\s|\Z)")
_TAKES = re.compile(r"[!#-&(-\[\]-~]*")  # printable ASCII but blank " ' \
_BY_GRUB = ("autoboot_delay", "boot_verbose", "boot_kmdb", "boot_debug", "console", "os_console")


def merged_menu(current: str, choices: BootChoices, files: tuple[str, ...] = ()) -> str:
    """`current` with these choices in it; with none, exactly what it was before any.

    Only the entry that starts by itself is changed: the recovery entries stay as they are.
    Raises UsageProblem where the menu has no place for a choice.
    """
    own = without_changes(current)
    head = f"{_FILES}{'|'.join(sorted(files))}\n" if files else ""
    if choices.with_(answers=None, files={}).empty:
        return head + own
    ending = "\r\n" if "\r\n" in own else "\n"
    lines = _lines(own)
    properties = {k: v for k, v in loader_write.settings_of(choices).items() if k not in _BY_GRUB}
    if choices.rescue:
        properties["smartos"] = ""
    if choices.console:
        properties |= _console(lines, choices.console)
    _delay(lines, choices.delay, ending)
    _entry(lines, choices, properties)
    return head + "".join(lines)


def without_changes(text: str) -> str:
    """The menu as it was before this program changed it, byte for byte.

    A line of ours is known by the mark above it and by what it sets: where the user put another line in its place,
    that one stays.
    """
    out: list[str] = []
    lines = [line for line in _lines(text) if not line.startswith(_FILES)]
    at = 0
    while at < len(lines):
        line = lines[at]
        below = lines[at + 1] if at + 1 < len(lines) else ""
        at += 1
        if line.startswith(NEW):
            at += bool(_VARIABLE.match(below) or _TIMEOUT.match(below))
        elif line.startswith(WAS) and _kind(line.removeprefix(WAS)) >= 0:
            was = line.removeprefix(WAS)
            ours = _kind(below) == _kind(was)
            out.append(was.removesuffix("\n") if ours and not below.endswith("\n") else was)
            at += ours
        else:
            out.append(line)
    return "".join(out)


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _kind(line: str) -> int:
    """Which of the lines that this program changes it is; -1 for another."""
    return next((at for at, kind in enumerate((_KERNEL, _VARIABLE, _TIMEOUT)) if kind.match(line)), -1)


def files_of(text: str) -> tuple[str, ...]:
    """The files that the menu says this program put on the key."""
    first = text.split("\n", 1)[0]
    return tuple(first.removeprefix(_FILES).strip().split("|")) if first.startswith(_FILES) else ()


def settings_in(text: str) -> dict[str, str]:
    """What the entry that starts by itself gives the kernel, and the console variable; for showing."""
    found: dict[str, str] = {}
    lines = _lines(text)
    at = _first_entry(lines)
    if at is not None:
        options = _OPTIONS.search(lines[at])
        chunks = _chunks(options[2] if options else "")
        found = {n: v.strip("'\"") for n, equals, v in (c.partition("=") for c in chunks) if equals}
    console = loader_conf.grub_console(text)
    return found | ({"os_console": console} if console else {})


class Started(NamedTuple):
    """How the menu starts SmartOS: the kernel's one-letter flags, and the seconds it waits (None: not said)."""

    flags: str
    timeout: int | None


def flags_in(text: str) -> Started:
    """What the entry that starts by itself gives the kernel as flags, and the menu's timeout."""
    lines = _lines(text)
    at = _first_entry(lines)
    flags = "".join(m[2] for m in _FLAGS.finditer(lines[at].partition("-B")[0])) if at is not None else ""
    waits = _find(lines, _TIMEOUT)
    number = re.search(r"[0-9]{1,7}", lines[waits]) if waits is not None else None
    return Started(flags, int(number[0]) if number else None)


def _replace(lines: list[str], at: int, new: str) -> None:
    old = lines[at]
    ending = old[len(old.rstrip("\r\n")) :]
    lines[at] = f"{WAS}{old}" if ending else f"{WAS}{old}\n"
    lines.insert(at + 1, new + ending)


def _find(lines: list[str], pattern: re.Pattern[str], start: int = 0) -> int | None:
    return next((i for i in range(start, len(lines)) if pattern.match(lines[i])), None)


def _first_entry(lines: list[str]) -> int | None:
    """The kernel line of the entry that starts by itself: that of `default`, which counts from 0."""
    default = next((int(m[1]) for m in map(_DEFAULT.match, lines) if m), 0)
    titles = [i for i, line in enumerate(lines) if line.lstrip().startswith("title")]
    return _find(lines, _KERNEL, titles[default] if default < len(titles) else 0)


def _console(lines: list[str], console: str) -> dict[str, str]:
    """The console in the variable of the menu; where the entry does not ask it, what the kernel is told instead."""
    entry = _first_entry(lines)
    asks = entry is not None and "${os_console}" in lines[entry]
    at = _find(lines, _VARIABLE)
    if at is None:
        return {"console": console}
    name = "vga" if console == "text" else console
    if lines[at].split() != ["variable", "os_console", name]:
        _replace(lines, at, f"variable os_console {name}")
    return {} if asks else {"console": console}


def _delay(lines: list[str], seconds: int | None, ending: str) -> None:
    if seconds is None:
        return
    if seconds < 0:
        raise UsageProblem(
            "no-endless-wait", "GRUB keys cannot wait for ever.", hint="Give seconds, up to 3600."
        )
    at = _find(lines, _TIMEOUT)
    if at is None:
        lines[:0] = [f"{NEW}{ending}", f"timeout={seconds}{ending}"]
    elif lines[at].strip() != f"timeout={seconds}":
        _replace(lines, at, f"timeout={seconds}")


def _entry(lines: list[str], choices: BootChoices, properties: dict[str, str]) -> None:
    on = ("v" if choices.verbose else "") + _kmdb_flags(choices)
    off = ("v" if choices.verbose is False else "") + ("kd" if choices.kmdb else "")
    at = _first_entry(lines)
    match = _KERNEL.match(lines[at].rstrip("\r\n")) if at is not None else None
    if at is None or match is None:
        if properties or on:
            raise UsageProblem("no-entry", "The menu of this key has no entry that starts SmartOS.")
        return
    rest = _with_flags(match[2], on, off)
    if properties:
        rest = _with_properties(rest, properties)
    if rest != match[2]:
        _replace(lines, at, match[1] + rest)


def _kmdb_flags(choices: BootChoices) -> str:
    found = loader_write.settings_of(BootChoices(kmdb=choices.kmdb)) if choices.kmdb else {}
    return ("k" if found.get("boot_kmdb") == "YES" else "") + (
        "d" if found.get("boot_debug") == "YES" else ""
    )


def _with_flags(rest: str, on: str, off: str) -> str:
    """The rest of a kernel line with the flags of `on` at its beginning and those of `off` nowhere."""

    def kept(match: re.Match[str]) -> str:
        letters = "".join(c for c in match[2] if c not in on + off)
        return f"{match[1]}-{letters}" if letters else ""

    rest = _FLAGS.sub(kept, rest)
    return f" -{on}{rest}" if on else rest


def _with_properties(rest: str, properties: dict[str, str]) -> str:
    """The rest of a kernel line with these properties instead of those of the same name; an empty one is left out."""
    match = _OPTIONS.search(rest)
    gone = set(properties)
    if any(name.endswith("-mode") for name in properties):
        gone.add("${os_console}-mode")
    have = [c for c in _chunks(match[2] if match else "") if c.partition("=")[0] not in gone]
    for name, value in properties.items():
        if not _TAKES.fullmatch(value):
            raise UsageProblem("not-for-grub", f"GRUB cannot hold this value of {name}.")
        if value:  # a comma separates properties, and GRUB would put a variable in the place of $name
            have.append(f"{name}='{value}'" if "$" in value or "," in value else f"{name}={value}")
    before, after = (rest[: match.start()], rest[match.end() :]) if match else (rest, "")
    return f"{before} -B {','.join(have)}{after}" if have else before + after


def _chunks(text: str) -> list[str]:
    return _CHUNK.findall(text)
