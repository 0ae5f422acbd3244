"""Datasets with their snapshots, instances and images. Imports nothing that connects or reads."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from smartos_wizard.reinstall.answers import Answers
from smartos_wizard.reinstall.model import Dataset, Gap, Image, Instance
from smartos_wizard.reinstall.parse_values import is_dataset, number, objects, odd_lines, rows, words

_NOTHING = "no datasets available"


def read_encryption(answers: Answers) -> tuple[dict[str, str], tuple[Gap, ...]]:
    """The `encryption` of each dataset. A release whose ZFS does not know the property encrypts nothing."""
    answer = answers.get("encryption")
    if answer is not None and answer.status and any("invalid property" in line for line in answer.complaints):
        return {}, ()
    if answer is None or not answer.whole:
        return {}, (answers.gap("encryption"),)
    good, odd = rows(answer.lines, 2)
    return {name: value.strip() for name, value in good}, _odd("encryption", odd)


def read_datasets(
    answers: Answers, encryption: dict[str, str]
) -> tuple[tuple[Dataset, ...], tuple[Gap, ...]]:
    """Every file system and volume of the imported pools."""
    answer = answers.whole("datasets")
    if answer is None:
        return (), (answers.gap("datasets"),)
    counts, newest, gaps = _snapshots(answers)
    good, odd = rows(tuple(line for line in answer.lines if line.strip() != _NOTHING), 6)
    found: dict[str, Dataset] = {}
    for name, kind, used, referenced, origin, mountpoint in good:
        sizes = (number(used), number(referenced))
        if (
            not is_dataset(name)
            or kind not in ("filesystem", "volume")
            or sizes[0] is None
            or sizes[1] is None
        ):
            odd.append(name)
            continue
        found[name] = Dataset(
            name, kind, sizes[0], sizes[1], "" if origin == "-" else origin, "" if mountpoint == "-" else mountpoint,
            encryption.get(name, "off"), counts[name], newest.get(name),
        )  # fmt: skip
    return tuple(found.values()), (*gaps, *_odd("datasets", odd))


def _snapshots(answers: Answers) -> tuple[dict[str, int], dict[str, int], tuple[Gap, ...]]:
    """How many snapshots each dataset has, and when its newest was made."""
    counts: dict[str, int] = defaultdict(int)
    newest: dict[str, int] = {}
    answer = answers.whole("snapshots")
    if answer is None:
        return counts, newest, (answers.gap("snapshots"),)
    good, odd = rows(tuple(line for line in answer.lines if line.strip() != _NOTHING), 2)
    for snapshot, created in good:
        name, mark, _ = snapshot.partition("@")
        when = number(created.strip())
        if not mark or not is_dataset(name) or when is None:
            odd.append(snapshot)
            continue
        counts[name] += 1
        newest[name] = max(when, newest.get(name, 0))
    return counts, newest, _odd("snapshots", odd)


def read_instances(answers: Answers) -> tuple[tuple[Instance, ...], tuple[Gap, ...]]:
    """What `vmadm lookup -j` lists."""
    answer = answers.whole("instances")
    if answer is None:
        return (), (answers.gap("instances"),)
    listed = objects(answer.text)
    if listed is None:
        return (), (Gap("instances", "vmadm's answer is no list"),)
    found = [_instance(each) for each in listed if words(each, "uuid")]
    nameless = len(listed) - len(found)
    return tuple(found), (
        Gap("instances", f"{nameless} of vmadm's entries have no UUID"),
    ) if nameless else ()


def _instance(data: dict[str, Any]) -> Instance:
    memory = next((data[key] for key in ("ram", "max_physical_memory") if type(data.get(key)) is int), None)
    return Instance(
        words(data, "uuid"), words(data, "alias"), words(data, "brand") or "unknown", words(data, "state", "zone_state") or "unknown",
        words(data, "owner_uuid"), memory, _datasets_of(data), data.get("autoboot") in (True, "true"),
    )  # fmt: skip


def _datasets_of(data: dict[str, Any]) -> tuple[str, ...]:
    """Its root, the disks of a virtual machine (older ones lie beside the root), and what is delegated to it."""
    disks = data.get("disks")
    delegated = data.get("datasets")
    names = [
        data.get("zfs_filesystem"),
        *(
            each.get("zfs_filesystem")
            for each in (disks if isinstance(disks, list) else [])
            if isinstance(each, dict)
        ),
        *(delegated if isinstance(delegated, list) else []),
    ]
    kept = [name for name in names if isinstance(name, str) and is_dataset(name)]
    return tuple(dict.fromkeys(kept))


def read_images(answers: Answers) -> tuple[tuple[Image, ...], tuple[Gap, ...]]:
    """What `imgadm list -j` lists."""
    answer = answers.whole("images")
    if answer is None:
        return (), (answers.gap("images"),)
    listed = objects(answer.text)
    if listed is None:
        return (), (Gap("images", "imgadm's answer is no list"),)
    manifests = [each["manifest"] if isinstance(each.get("manifest"), dict) else each for each in listed]
    found = [
        Image(words(m, "uuid"), words(m, "name"), words(m, "version")) for m in manifests if words(m, "uuid")
    ]
    nameless = len(listed) - len(found)
    return tuple(found), (Gap("images", f"{nameless} of imgadm's entries have no UUID"),) if nameless else ()


def _odd(probe: str, odd: list[str]) -> tuple[Gap, ...]:
    return (Gap(probe, odd_lines(odd)),) if odd else ()
