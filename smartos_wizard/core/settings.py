"""The user's settings: a small TOML file, overridden by the environment, overridden by flags."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.files import replace_file

_ENVIRONMENT = {
    "mirror": "SMARTOS_WIZARD_MIRROR",
    "theme": "SMARTOS_WIZARD_THEME",
    "ascii": "SMARTOS_WIZARD_ASCII",
    "virtualbox": "SMARTOS_WIZARD_VIRTUALBOX",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user may set once and for all."""

    mirror: str = ""
    """URL or local directory of the mirror; empty for the official one."""
    theme: str = ""
    """Name of the interface's theme; empty for the default."""
    ascii: bool = False
    """Draw with ASCII only."""
    virtualbox: str = ""
    """`api` drives VirtualBox by its Python interface; empty, by VBoxManage."""


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings of `path` (absent is fine) and of the environment. Raises UsageProblem for a bad file."""
    if not path.exists():
        return _settings({}, environ)
    import tomllib

    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageProblem(
            "bad-settings",
            f"The settings file cannot be read: {error}",
            context=str(path),
            hint="Mend or remove the file; every setting has a default.",
        ) from error
    return _settings(data, environ)


def _settings(data: Mapping[str, object], environ: Mapping[str, str]) -> Settings:
    texts = {name: str(data.get(name, "")) for name in ("mirror", "theme", "ascii", "virtualbox")}
    texts.update(
        {name: environ[variable] for name, variable in _ENVIRONMENT.items() if environ.get(variable)}
    )
    plain = texts["ascii"].lower() not in ("", "0", "no", "false")
    return Settings(texts["mirror"], texts["theme"], plain, texts["virtualbox"].lower())


def save(path: Path, settings: Settings) -> None:
    """Write `settings` to `path`, atomically."""
    import tomli_w

    replace_file(path, tomli_w.dumps(asdict(settings)).encode())
