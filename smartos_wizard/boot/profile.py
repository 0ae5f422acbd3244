"""Profiles: named sets of boot choices, kept as TOML; what is secret in them lies apart, readable by its owner only.

Imports core only. One file `NAME.toml` that may be shown and shared, and where needed `NAME.secrets.toml` (0600).
"""

from __future__ import annotations

import base64
import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smartos_wizard.boot.loader_conf import masked
from smartos_wizard.boot.model import BootChoices, Kmdb, Module
from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.core.files import exclusive, replace_file
from smartos_wizard.core.paths import Paths, private_directory
from smartos_wizard.core.text import tame

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}\Z")
_SECRET_ANSWERS = ("root_password",)
VERSION = 1
_PATIENCE = 5.0
"""Seconds to wait while another process saves or deletes."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A name and what it stands for."""

    name: str
    choices: BootChoices


class ProfileStore:
    """The profiles of this user."""

    def __init__(self, paths: Paths) -> None:
        self.root = paths.config / "profiles"

    def list(self) -> tuple[str, ...]:
        """The names, in order; none where nothing was saved."""
        names = (p.name.removesuffix(".toml") for p in self.root.glob("*.toml"))
        return tuple(sorted(n for n in names if not n.endswith((".secrets", ".toml")) and _NAME.match(n)))

    def load(self, name: str) -> Profile:
        """The profile of that name. Raises Refused `no-such-profile`, `bad-profile`."""
        path, apart = self._files(name)
        if not path.is_file():
            raise self._missing(name)
        shown = _read(path)
        hidden = _read(apart) if apart.is_file() else {}
        try:
            return Profile(name, _from_tables(shown, hidden))
        except KeyError as error:
            raise _bad(path, f"one of its files has no {error}") from error
        except ValueError as error:
            raise _bad(path, f"{error}") from error
        except (TypeError, AttributeError) as error:
            raise _bad(path, "something in it is of the wrong kind") from error

    def save(self, profile: Profile, *, replace: bool = True) -> Path:
        """Write it, in the place of an older one of that name where `replace`; return its file.

        Raises UsageProblem, OSError, Refused `profile-exists`, `profiles-busy`.
        """
        if profile.choices.destroy_pools:
            raise UsageProblem(
                "not-in-a-profile",
                "Destroying pools is never part of a profile.",
                hint="It belongs to one re-install.",
            )
        path, apart = self._files(profile.name)
        shown, hidden = (_toml(table) for table in _to_tables(profile.choices))
        with self._alone():
            if not replace:
                self.check_free(profile.name)
            if hidden:
                replace_file(apart, hidden, 0o600)
            replace_file(path, shown, 0o600)
            if not hidden:
                apart.unlink(missing_ok=True)
        return path

    def check_name(self, name: str) -> None:
        """Raise UsageProblem `bad-name` where no profile can have this name."""
        self._files(name)

    def check_free(self, name: str) -> None:
        """Raise UsageProblem `bad-name`, Refused `profile-exists` where a new profile cannot have this name."""
        path, _ = self._files(name)
        if path.exists():
            raise Refused(
                "profile-exists", f"There is a profile “{name}” already.", hint="--force replaces it."
            )

    def delete(self, name: str) -> None:
        """Remove it and its secrets, readable or not. Raises Refused `no-such-profile`, `profiles-busy`."""
        files = self._files(name)
        if not any(file.exists() for file in files):
            raise self._missing(name)
        with self._alone():
            for file in reversed(files):
                file.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else saves or deletes meanwhile, so that what is shown and what is secret belong together."""
        private_directory(self.root)
        busy = Refused("profiles-busy", "Another SmartOS Wizard is saving a profile.", hint="Try again.")
        until = time.monotonic() + _PATIENCE
        with contextlib.ExitStack() as stack:
            while True:
                try:
                    stack.enter_context(exclusive(self.root / ".lock", busy))
                    break
                except Refused:
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.02)
            yield

    def _missing(self, name: str) -> Refused:
        saved = ", ".join(self.list()) or "none; `profile save NAME` makes one"
        return Refused("no-such-profile", f"There is no profile “{name}”.", hint=f"Saved are: {saved}.")

    def _files(self, name: str) -> tuple[Path, Path]:
        if not _NAME.match(name) or name.endswith((".secrets", ".toml")):
            raise UsageProblem(
                "bad-name",
                f"“{tame(name)}” cannot be the name of a profile.",
                hint="Letters, digits, - _ and . please.",
            )
        return self.root / f"{name}.toml", self.root / f"{name}.secrets.toml"


def _read(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _bad(path, str(error)) from error


def _toml(table: dict[str, Any]) -> bytes:
    """The bytes of a TOML file; none for an empty table."""
    import tomli_w

    try:
        return tomli_w.dumps(table).encode()
    except UnicodeEncodeError as error:
        raise UsageProblem(
            "not-unicode", "One of these values holds half a character, which no file can keep."
        ) from error


def _bad(path: Path, why: str) -> Refused:
    return Refused(
        "bad-profile",
        f"The profile cannot be read: {why}",
        context=str(path),
        hint="Mend the file, or delete it and save the profile anew.",
    )


def _to_tables(choices: BootChoices) -> tuple[dict[str, Any], dict[str, Any]]:
    """What may be shown, and what may not."""
    boot: dict[str, Any] = {}
    for name in ("console", "speed", "verbose", "rescue", "delay", "hostname"):
        value = getattr(choices, name)
        if value not in (None, ""):
            boot[name] = value
    if choices.kmdb is not None:
        boot["kmdb"] = choices.kmdb.value
    if choices.pools:
        boot["pools"] = list(choices.pools)
    shown: dict[str, Any] = {"profile": VERSION, "boot": boot}
    hidden: dict[str, Any] = {}
    if choices.answers is not None:
        shown["answers"] = {k: v for k, v in choices.answers.items() if k not in _SECRET_ANSWERS}
        secret = {k: v for k, v in choices.answers.items() if k in _SECRET_ANSWERS}
        if secret:
            hidden["answers"] = secret
    if choices.root_shadow:
        hidden["root_shadow"] = choices.root_shadow
    rows = {
        "modules": [{"name": m.name, "path": m.path, **_data(m.data)} for m in choices.modules],
        "files": [{"path": path, **_data(data)} for path, data in choices.files.items()],
    }
    for kind, each in rows.items():
        for row in each:
            table = hidden if _secret(row) else shown
            table.setdefault(kind, []).append(row)
    return shown, hidden


def _secret(row: dict[str, str]) -> bool:
    """Files below private/ are kept with the secrets, and so is what holds a password's hash."""
    text = row.get("text", "")
    return row["path"].lower().startswith("private/") or masked(text) != text


def _data(data: bytes) -> dict[str, str]:
    """Bytes as text where they are, so that a person can read them; else base64."""
    with contextlib.suppress(UnicodeDecodeError):
        text = data.decode("utf-8")
        if all(c in {"\n", "\t"} or c.isprintable() for c in text):
            return {"text": text}
    return {"base64": base64.b64encode(data).decode()}


def _bytes(row: dict[str, str]) -> bytes:
    return _text(row, "text").encode() if "text" in row else _unpacked(_text(row, "base64"))


def _unpacked(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError("a file in it is no base64") from error


def _from_tables(shown: dict[str, Any], hidden: dict[str, Any]) -> BootChoices:
    if shown.get("profile") != VERSION:
        raise ValueError(f"it is of version {shown.get('profile')!r}, this program knows {VERSION}")
    boot = dict(shown.get("boot", {}))
    unknown = set(shown) - {"profile", "boot", "answers", "modules", "files"}
    unknown |= set(boot) - {"console", "speed", "verbose", "rescue", "delay", "hostname", "kmdb", "pools"}
    unknown |= set(hidden) - {"root_shadow", "answers", "modules", "files"}
    if unknown:
        raise ValueError(f"nothing is known of {', '.join(sorted(tame(name) for name in unknown))}")
    answers = shown.get("answers")
    if answers is not None or "answers" in hidden:
        both = {**(answers or {}), **hidden.get("answers", {})}
        answers = {name: _text(both, name) for name in both}
    pools = _typed(boot, "pools", list, [])
    files = [*shown.get("files", []), *hidden.get("files", [])]
    modules = [*shown.get("modules", []), *hidden.get("modules", [])]
    return BootChoices(
        console=_typed(boot, "console", str, ""),
        speed=_typed(boot, "speed", int, None),
        verbose=_typed(boot, "verbose", bool, None),
        kmdb=_kmdb(boot["kmdb"]) if "kmdb" in boot else None,
        rescue=_typed(boot, "rescue", bool, None),
        pools=tuple(_text({"pools": pool}, "pools") for pool in pools),
        delay=_typed(boot, "delay", int, None),
        root_shadow=_typed(hidden, "root_shadow", str, ""),
        hostname=_typed(boot, "hostname", str, ""),
        answers=answers,
        modules=tuple(Module(_text(r, "name"), _text(r, "path"), _bytes(r)) for r in modules),
        files={_text(r, "path"): _bytes(r) for r in files},
    )


def _kmdb(word: Any) -> Kmdb:
    known = [k.value for k in Kmdb]
    if word not in known:
        raise ValueError(f"kmdb is none of {', '.join(known)}")
    return Kmdb(word)


def _text(table: dict[str, Any], name: str) -> str:
    value = table[name]
    if not isinstance(value, str):
        raise ValueError(f"{tame(name)} is not a text")
    return value


_KINDS = {bool: "yes or no", int: "a number", str: "a text", list: "a list"}


def _typed(table: dict[str, Any], name: str, kind: type, empty: Any) -> Any:
    value = table.get(name, empty)
    if value is not empty and type(value) is not kind:
        raise ValueError(f"{name} is not {_KINDS[kind]}")
    return value
