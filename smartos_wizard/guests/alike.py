"""What every driver asks for alike, in the same words: an ISO that is there, a guest at rest, the name of a snapshot."""

from __future__ import annotations

from pathlib import Path

from smartos_wizard.core.errors import Refused
from smartos_wizard.guests.model import BootKind, Finding, Guest, GuestSpec


def missing_iso(spec: GuestSpec) -> tuple[Finding, ...]:
    """What speaks against a guest that starts from an ISO that is not there."""
    if spec.boot.kind is not BootKind.ISO or Path(spec.boot.source).is_file():
        return ()
    return (Finding("image-missing", f"There is no file {spec.boot.source}.", hint="Download it first."),)


def require_off(guest: Guest, *, off: bool) -> None:
    """Raise Refused `guest-runs` where it is not off."""
    if not off:
        raise Refused("guest-runs", f"{guest.name} runs; its disks are not at rest.", hint="Stop it first.")


def require_snapshot(act: str, name: str, *, known: bool) -> None:
    """Raise Refused `snapshot-name` where one of that name is there and should not be, or should be and is not."""
    if known == (act == "take"):
        words = "There is a snapshot of that name already." if known else f"There is no snapshot {name}."
        raise Refused("snapshot-name", words, hint="`smartos-wizard guest snapshot NAME list` shows them.")
