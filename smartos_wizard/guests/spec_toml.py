"""The guest spec as a file that a person can read and change: TOML with a version."""

from __future__ import annotations

import tomllib
from dataclasses import asdict
from typing import Any

from smartos_wizard.core.errors import Refused, UsageProblem
from smartos_wizard.guests.model import (
    SCHEMA,
    BootKind,
    BootMedium,
    DiskSpec,
    GuestSpec,
    NicSpec,
    Sandbox,
)


def dump(spec: GuestSpec) -> str:
    """The spec as TOML; `load` is the inverse."""
    import tomli_w

    table = asdict(spec)
    table["boot"]["kind"] = spec.boot.kind.value
    table["sandbox"] = spec.sandbox.value
    table["configured"] = list(spec.configured)
    head = {"schema": table.pop("schema")}
    return tomli_w.dumps({**head, **table})


def load(text: str, where: str = "the guest's file") -> GuestSpec:
    """The inverse of `dump`.

    Raises UsageProblem `bad-guest-spec` with what is wrong, Refused `newer-guest-spec` for a later schema.
    """
    try:
        table: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _bad(where, str(error)) from error
    schema = table.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        raise Refused(
            "newer-guest-spec", f"{where} was written by a newer version (schema {schema}).",
            hint="Use that version, or make the guest anew.", context=where,
        )  # fmt: skip
    try:
        return _spec(table)
    except KeyError as error:
        raise _bad(where, f"it has no {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise _bad(where, str(error)) from error


def _spec(table: dict[str, Any]) -> GuestSpec:
    known = set(GuestSpec.__dataclass_fields__)
    strange = sorted(set(table) - known)
    if strange:
        raise ValueError(f"it has {', '.join(strange)}, which nobody knows")
    boot = dict(table["boot"])
    return GuestSpec(
        **{
            **table,
            "name": _typed(table["name"], str, "name"),
            "uuid": _typed(table["uuid"], str, "uuid"),
            "memory": _typed(table["memory"], int, "memory"),
            "cpus": _typed(table["cpus"], int, "cpus"),
            "boot": BootMedium(**{**boot, "kind": BootKind(boot["kind"])}),
            "disks": tuple(DiskSpec(**disk) for disk in table["disks"]),
            "nics": tuple(NicSpec(**nic) for nic in table["nics"]),
            "sandbox": Sandbox(table.get("sandbox", "lab")),
            "configured": tuple(table.get("configured", ())),
        }
    )


def _typed(value: Any, kind: type, name: str) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{name} is not what it should be: {value!r}")
    return value


def _bad(where: str, why: str) -> UsageProblem:
    return UsageProblem("bad-guest-spec", f"{where} cannot be read: {why}.", context=where)
