"""Which files of a key's FAT root must change for these boot choices, and how that looks as a diff.

Pure over a function that reads the medium's present files. Places: smartos-docs, modifying-boot-files and
non-interactive-install; smartos-live, smartos_prompt_config.sh (private/answers.json).
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Sequence

from smartos_wizard.boot import grub_menu, loader_write
from smartos_wizard.boot.answers_json import parse_bytes
from smartos_wizard.boot.answers_text import MASK as ANSWERS_MASK
from smartos_wizard.boot.answers_text import masked as masked_answers
from smartos_wizard.boot.answers_text import render
from smartos_wizard.boot.loader_conf import MASK, masked
from smartos_wizard.boot.model import ANSWERS, LOADER_CONF_LOCAL, MENU_LST, BootChoices, FileChange
from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.core.text import tame

__all__ = ["MASK", "check_path", "files_for", "files_wanted", "kernel_properties", "masked", "preview"]

Reader = Callable[[str], bytes | None]
_RELEASED = re.compile(r"(boot|platform|previous|etc/version)(/|\Z)", re.IGNORECASE)
_OURS_TO_GIVE = re.compile(
    r"boot/(loader\.rc\.local|menu\.rc\.local|conf\.d/.+|custom/.+|bootfs/.+)\Z", re.IGNORECASE
)
_BAD = re.compile(r'[\x00-\x1f"*:<>?\\|\x7f-\x9f\u2028\u2029\ud800-\udfff]')


def check_path(path: str) -> str:
    """`path` as it may be put on the medium, without leading slash. Raises UsageProblem.

    Refused: what leaves the medium, what FAT cannot hold, what a release brings, and what this program writes.
    """
    whole = path.strip().lstrip("/")
    parts = whole.split("/")
    if not whole or any(part in ("", ".", "..") for part in parts):
        raise UsageProblem(
            "bad-path", f"“{tame(path)}” is no path on the key.", hint="For example local/notes.txt."
        )
    for part in parts:
        if _BAD.search(part) or part[-1] in ". " or len(part.encode("utf-16-le")) > 510:
            raise UsageProblem(
                "bad-path", f"“{tame(part)}” cannot be a name on a FAT file system.", context=tame(path, 200)
            )
    if whole.lower() in (LOADER_CONF_LOCAL, ANSWERS, MENU_LST):
        raise UsageProblem(
            "own-file",
            f"{whole} is written from the other options.",
            hint="Give --answers, --console and so on.",
        )
    if _RELEASED.match(whole) and not _OURS_TO_GIVE.match(whole):
        raise UsageProblem(
            "released-file",
            f"{whole} belongs to the release and is not changed.",
            hint="Own places are local/, private/, boot/bootfs/ and boot/conf.d/.",
        )
    return whole


def files_for(choices: BootChoices, current: Reader, *, legacy: bool) -> tuple[FileChange, ...]:
    """Every file that must change so that the medium says `choices`, and nothing that is right already.

    Files that an earlier change put there and these choices do not ask for are taken away; no other file is.
    `legacy` is a key from before 2019-04, which starts with GRUB. Raises UsageProblem and Refused.
    """
    conf = MENU_LST if legacy else LOADER_CONF_LOCAL
    raw = current(conf)
    if legacy and raw is None:
        raise Refused("no-menu", f"There is no {MENU_LST} on it, so nothing can be told to GRUB.")
    old = (raw or b"").decode("utf-8", "surrogateescape")
    wanted = files_wanted(choices, legacy=legacy)
    put = tuple(path for path in wanted if path != ANSWERS)
    noted = (*put, ANSWERS) if ANSWERS in wanted else put
    new = grub_menu.merged_menu(old, choices, noted) if legacy else loader_write.merged(old, choices, noted)
    kept = {path.lower() for path in wanted}
    gone = {p for p in noted_files(old, legacy) if p.lower() not in kept}
    changes = [_change(path, current(path), data) for path, data in wanted.items()]
    changes += [_change(path, current(path), None) for path in sorted(gone)]
    text = new.encode("utf-8", "surrogateescape")
    changes.append(_change(conf, raw, text if text or raw == b"" else None))
    return tuple(c for c in changes if c.old != c.new)


def files_wanted(choices: BootChoices, *, legacy: bool) -> dict[str, bytes]:
    """The files these choices put on the medium, path to bytes, settings files apart. Raises UsageProblem."""
    if choices.modules and legacy:
        raise UsageProblem(
            "no-modules-on-legacy-keys",
            "Files for /system/boot need the loader that keys have since 2019-04.",
            hint="Write a newer release to this key.",
        )
    rows = [(check_path(path), data) for path, data in choices.files.items()]
    rows += [(check_path(module.path), module.data) for module in choices.modules]
    if choices.answers is not None:
        rows.append((ANSWERS, render(choices.answers).encode()))
    folded = {path.lower() for path, _ in rows}
    if len(folded) != len(rows):
        raise UsageProblem(
            "same-file-twice", "The same file is asked for twice.", hint="FAT knows no upper and lower case."
        )
    for path in folded:
        above = next((up for up in folded if path.startswith(f"{up}/")), None)
        if above is not None:
            raise UsageProblem(
                "file-and-directory", f"{tame(above)} cannot be a file and hold {tame(path)} at once."
            )
    return dict(rows)


def noted_files(text: str, legacy: bool) -> tuple[str, ...]:
    """The files that the settings say this program put there, as far as they can be its own."""
    noted = grub_menu.files_of(text) if legacy else loader_write.files_of(text)
    found = []
    for path in noted:  # the note lies on the key and may say anything: only what could be ours is believed
        try:
            found.append(path if path == ANSWERS else check_path(path))
        except UsageProblem:
            continue
    return tuple(found)


def _change(path: str, old: bytes | None, new: bytes | None) -> FileChange:
    return FileChange(path, old, new, secret=path.lower().startswith("private/") or _has_answers(path))


def _has_answers(path: str) -> bool:
    """Whether it is the answers, where setup looks for them or as a module of the loader."""
    return path.lower().rsplit("/", 1)[-1] == "answers.json"


def preview(changes: Sequence[FileChange]) -> str:
    """What changes as a unified diff. Passwords and their hashes are masked; what is no text is named with its size."""
    parts = []
    for change in changes:
        old, new = _shown(change, change.old), _shown(change, change.new)
        lines = difflib.unified_diff(
            old, new, f"now/{change.path}" if change.old is not None else "/dev/null",
            f"then/{change.path}" if change.new is not None else "/dev/null", n=2, lineterm="",
        )  # fmt: skip
        told = list(lines)
        if not told and change.old != change.new:
            told = [f"  {change.path}: only what is not shown changes (secrets, ends of lines)"]
        parts += told
    return "\n".join(parts)


def _shown(change: FileChange, data: bytes | None) -> list[str]:
    if data is None:
        return []
    if _has_answers(change.path):
        told = render(masked_answers(parse_bytes(data).answers))
        return told.replace(json.dumps(ANSWERS_MASK), f'"{MASK}"').splitlines()
    if change.secret:
        return [f"({len(data)} bytes, not shown)"]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return [f"({len(data)} bytes, no text)"]
    if not all(c.isprintable() or c in "\t\r\n" for c in text):
        return [f"({len(data)} bytes, no text)"]
    return [masked(line.replace("\r", "")) for line in text.split("\n") if line or not text.endswith("\n")]


def kernel_properties(choices: BootChoices) -> dict[str, str]:
    """The same choices as boot properties, for what starts the kernel without the loader (iPXE, GRUB 2, guests).

    The loader's own wishes (delay, -v, -k) are not among them. Raises UsageProblem.
    """
    found = loader_write.settings_of(choices)
    for name in ("boot_verbose", "boot_kmdb", "boot_debug", "autoboot_delay", "os_console"):
        found.pop(name, None)
    if choices.console:
        found["console"] = choices.console
    if choices.rescue:
        found.pop("smartos", None)
    else:
        found = {"smartos": "true"} | found
    return found
