"""What a person decided about a re-install: the way, what was consented to, the answers file, the proven medium.

Pure; imports the nouns only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.model import Way

MANUAL = "manual-layout"
"""The new pool is made by hand, in the shell that setup opens for `manual`."""
NO_BACKUP = "no-backup"
STOP_INSTANCES = "stop-instances"
CONTENTS_UNKNOWN = "contents-unknown"
BOOT_ORDER = "boot-order"
OTHER_DISKS = "other-disks"
LAYOUT_FAILS = "layout-fails"
UNHEALTHY = "unhealthy"
"""Comes with the pool's name after a colon."""


@dataclass(frozen=True, slots=True)
class AnswersFile:
    """The answers for the next setup. `name` and `digest` (sha256, hex) stand in the plan; the values never do."""

    name: str
    digest: str
    values: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A medium that was proven to hold SmartOS: `medium` names it, `proof` says with what."""

    medium: str
    proof: str


@dataclass(frozen=True, slots=True)
class Choices:
    """All that was decided. `limited`: with A and B only the system pool is to be imported; `consents` are the
    tokens said beforehand; `backup` names a verified backup, empty without one. `console` is where the machine's serial
    console is (`guest:NAME`, the path of a socket, or HOST:PORT); empty: ssh, and a person at the machine.
    """

    way: Way
    limited: bool = False
    consents: tuple[str, ...] = ()
    answers: AnswersFile | None = None
    prepared: Prepared | None = None
    backup: str = ""
    console: str = ""

    @property
    def by_hand(self) -> bool:
        """Whether the new pool is made with `manual`."""
        return MANUAL in self.consents


def prepared_of(text: str) -> Prepared:
    """The medium that a receipt of `key write`, or what `key check --json` printed, proves.

    Raises UsageProblem `no-proof` where it proves nothing.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    for candidate in (text, lines[-1] if lines else ""):
        try:
            data = json.loads(candidate)
        except ValueError:
            continue
        found = _of_receipt(data) or _of_event(data)
        if found is not None:
            return found
    raise UsageProblem(
        "no-proof", "This file does not prove that a key was written or checked.",
        hint="Give the receipt of `key write`, or the output of `key check --json`, that ended with PROVEN.",
    )  # fmt: skip


def _of_receipt(data: Any) -> Prepared | None:
    if not isinstance(data, dict) or "receipt" not in data or data.get("result") != "proven":
        return None
    source, device = data.get("source"), data.get("device")
    stamp = source.get("stamp", "") if isinstance(source, dict) else ""
    name = device.get("name", "") if isinstance(device, dict) else ""
    medium = f"{tame(str(name)) or 'a key'} with {tame(str(stamp)) or 'SmartOS'}"
    return Prepared(medium, f"receipt of {tame(str(data.get('time', ''))) or 'an unknown day'}")


def _of_event(data: Any) -> Prepared | None:
    if not isinstance(data, dict) or data.get("event") != "plan-finished" or data.get("exit_code") != 0:
        return None
    result = data.get("result")
    keys = result.get("keys", []) if isinstance(result, dict) else []
    for key in keys if isinstance(keys, list) else []:
        if isinstance(key, dict) and key.get("state") == "proven":
            said = result.get("say") if isinstance(result, dict) else None
            first = str(said[0]) if isinstance(said, list) and said else "`key check` compared every byte"
            return Prepared(tame(str(key.get("serial") or key.get("path") or "a key")), tame(first, 120))
    return None
