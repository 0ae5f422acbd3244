"""Which driver of SmartOS takes a device, by the table in assets/drivers.toml (illumos-joyent: driver_aliases, manifest)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from smartos_wizard.boot.hardware_facts import PciDevice


@dataclass(frozen=True, slots=True)
class Driver:
    """A driver: `kind` is network, wireless, usb-network, storage or usb. See the head of the table.

    `raid` drives show what the card makes of the disks; `newer` ones are missing in releases of 2023 and before.
    """

    name: str
    kind: str
    what: str
    ids: tuple[str, ...] = ()
    subsystems: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    via: str = ""
    raid: bool = False
    newer: bool = False


@cache
def drivers() -> tuple[Driver, ...]:
    """The whole table, in its order."""
    text = files("smartos_wizard").joinpath("assets", "drivers.toml").read_text(encoding="utf-8")
    return tuple(_driver(entry) for entry in tomllib.loads(text)["driver"])


def _driver(entry: dict[str, Any]) -> Driver:
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
    return Driver(**fields)


@cache
def _by_id(kind: str) -> dict[str, Driver]:
    return {ids: driver for driver in drivers() if driver.kind == kind for ids in driver.ids}


def driver_of(device: PciDevice, kind: str) -> Driver | None:
    """The driver of that kind that takes the device, or None.

    The most exact match wins: chip on that board, board, chip, class; the order illumos tries its names in.
    """
    by_id = _by_id(kind)
    exact = by_id.get(f"{device.ids}/{device.board}")
    if exact is not None:
        return exact
    for driver in drivers():
        if driver.kind == kind and device.board in driver.subsystems:
            return driver
    if device.ids in by_id:
        return by_id[device.ids]
    for driver in drivers():
        if driver.kind == kind and any(device.kind.startswith(c) for c in driver.classes):
            return driver
    return None


def usb_driver_of(ids: str) -> Driver | None:
    """The driver that takes the USB network adapter with these ids, or None."""
    return _by_id("usb-network").get(ids)
