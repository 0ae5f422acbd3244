"""Targets and images as JSON and back: a plan is executed in another process than the one that made it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from smartos_wizard.media.model import (
    Disk,
    Fingerprint,
    ImageKind,
    Mount,
    Partition,
    Target,
    UsbFacts,
    VerifiedImage,
)


def image_to_json(image: VerifiedImage) -> dict[str, Any]:
    """The image as a JSON object; `image_from_json` is the inverse."""
    return {**asdict(image), "path": str(image.path), "kind": image.kind.value}


def image_from_json(data: dict[str, Any]) -> VerifiedImage:
    """The inverse of `image_to_json`."""
    return VerifiedImage(**{**data, "path": Path(data["path"]), "kind": ImageKind(data["kind"])})


def target_to_json(target: Target) -> dict[str, Any]:
    """The target with every fact of its disk; `target_from_json` is the inverse."""
    return {
        "disk": _plain(asdict(target.disk)),
        "fingerprint": target.fingerprint.to_json(),
        "regular_file": target.regular_file,
        "unmount": list(target.unmount),
        "notes": list(target.notes),
    }


def target_from_json(data: dict[str, Any]) -> Target:
    """The inverse of `target_to_json`."""
    return Target(
        disk=_disk(data["disk"]),
        fingerprint=Fingerprint.from_json(data["fingerprint"]),
        regular_file=data["regular_file"],
        unmount=tuple(data["unmount"]),
        notes=tuple(data["notes"]),
    )


def _plain(value: Any) -> Any:
    """The same with lists for tuples, as it will be after a way through a file."""
    match value:
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case _:
            return value


def _disk(data: dict[str, Any]) -> Disk:
    plain: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
    }
    plain["partitions"] = tuple(Partition(**p) for p in data["partitions"])
    plain["mounts"] = tuple(Mount(**m) for m in data["mounts"])
    plain["usb"] = UsbFacts(**data["usb"]) if data["usb"] else None
    return Disk(**plain)
