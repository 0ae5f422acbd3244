"""Datasets of a backup that lie on another host: where, what was received of each, and how it was set. Pure."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from smartos_wizard.reinstall.parse_values import is_dataset

MARK = "smartos-wizard:backup"
"""A property of the dataset that holds a backup: which machine's it is, and its stamp."""


@dataclass(frozen=True, slots=True)
class There:
    """The other host, and the dataset that holds everything there. `pool` and `guid` say which pool it lies in."""

    host: str
    user: str
    port: int | None
    jump: str
    identity: str
    host_key: str
    pool: str
    guid: str
    dataset: str

    @property
    def words(self) -> str:
        """In words."""
        return f"{self.dataset} on {self.host}"


Guids = tuple[tuple[str, str], ...]
"""Snapshots, oldest first: the name after the `@`, and the guid, which is the same wherever the snapshot lies."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A tree of datasets that was received there as `place`, up to `snapshot`.

    `snapshots` and `properties` are by the name below the top: empty, `/child`, and for properties of a snapshot
    `/child@name`. `size` is bytes in use.
    """

    dataset: str
    group: str
    place: str
    snapshot: str
    size: int
    snapshots: dict[str, Guids] = field(default_factory=dict)
    properties: dict[str, dict[str, str]] = field(default_factory=dict)


def there_to_json(there: There) -> dict[str, Any]:
    """As an object."""
    return dataclasses.asdict(there)


def there_from_json(data: dict[str, Any]) -> There:
    """The inverse. Raises ValueError, KeyError, TypeError for an odd one."""
    if not is_dataset(data["dataset"]) or not (data["port"] is None or type(data["port"]) is int):
        raise ValueError("an odd place")
    return There(**{name: data[name] for name in There.__slots__})


def sent_to_json(sent: Sent) -> dict[str, Any]:
    """As an object."""
    return dataclasses.asdict(sent)


def sent_from_json(data: dict[str, Any]) -> Sent:
    """The inverse. Raises ValueError, KeyError, TypeError for an odd one."""
    for name in (data["dataset"], data["place"], *(data["place"] + below for below in data["snapshots"])):
        if not is_dataset(name):
            raise ValueError("an odd dataset")
    snapshots = {str(k): tuple((str(name), str(guid)) for name, guid in v) for k, v in data["snapshots"].items()}  # fmt: skip
    properties = {str(k): {str(n): str(v) for n, v in p.items()} for k, p in data["properties"].items()}
    return Sent(data["dataset"], str(data["group"]), data["place"], str(data["snapshot"]), int(data["size"]), snapshots, properties)  # fmt: skip
