"""What would be lost, with sizes, and what of it a backup can keep: configuration, instances, datasets of your own.

Pure. An instance made from an image is a clone of it: its stream holds only what differs, so the image's dataset is
kept too (illumos: `zfs send -R` of a clone begins at its origin).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.losing import SYSTEM_DATASETS, losses
from smartos_wizard.reinstall.model import Dataset, Survey, Way
from smartos_wizard.reinstall.ways import outcome_of


@dataclass(frozen=True, slots=True)
class Tree:
    """A dataset with everything below it. `size` in bytes as `zfs list` counts what it uses; `raw`: it is encrypted."""

    dataset: str
    size: int
    raw: bool = False
    origins: tuple[str, ...] = ()
    """Snapshots outside of it that it is made from."""


@dataclass(frozen=True, slots=True)
class Group:
    """Trees that belong together and are snapshotted at one moment. `kind`: `image`, `instance` or `data`."""

    name: str
    kind: str
    title: str
    trees: tuple[Tree, ...]

    @property
    def size(self) -> int:
        """Bytes in use."""
        return sum(tree.size for tree in self.trees)


@dataclass(frozen=True, slots=True)
class Choice:
    """What to keep beside the configuration: UUIDs of instances, names of datasets. `all`: every instance."""

    instances: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    every_instance: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A line of what would be lost. `keep` is how to keep it: `always`, `instance`, `dataset`, `along` (with what it belongs to), or empty: it is not."""

    what: str
    size: int | None
    keep: str
    name: str = ""


def what_would_be_lost(survey: Survey) -> tuple[Row, ...]:
    """Everything that the most thorough way would take, and what a backup can keep of it."""
    config = sum(file.size for file in (*survey.usbkey, *survey.custom))
    rows = [Row("Configuration: /usbkey, /opt/custom, settings of instances", config, "always")]
    rows += [
        Row(f"Instance {group.title}", group.size, "instance", group.name) for group in _instances(survey)
    ]
    rows += [Row(f"Dataset {tame(d.name, 80)}", d.used, "dataset", d.name) for d in _own(survey)]
    kept = ("instance with", "instances with", "Datasets of your own", "/usbkey", "/opt/custom:")
    outcome = outcome_of(survey, Way.RESET)
    for loss in losses(survey, outcome):
        if not any(words in loss.what for words in kept):
            along = any(words in loss.what for words in (" image", " snapshot", "firewall", "Settings of"))
            rows.append(Row(loss.what.replace("; /etc/zones", ""), loss.size, "along" if along else ""))
    return tuple(rows)


def chosen(survey: Survey, choice: Choice) -> tuple[Group, ...]:
    """The groups to keep, what others are made from first.

    Raises UsageProblem `no-such-instance`, `no-such-dataset`.
    """
    known = {group.name: group for group in _instances(survey)}
    named = tuple(known) if choice.every_instance else choice.instances
    wanted = [known.get(name) or _found(known, name) for name in dict.fromkeys(named)]
    by_name = {dataset.name: dataset for dataset in survey.datasets}
    for name in dict.fromkeys(choice.datasets):
        dataset = by_name.get(name)
        if dataset is None:
            raise UsageProblem("no-such-dataset", f"The survey knows no dataset {tame(name, 120)}.", hint="`reinstall survey` lists them.")  # fmt: skip
        wanted.append(Group(name, "data", tame(name, 80), (_tree(survey, dataset),)))
    return _with_origins(survey, wanted, tuple(known.values()))


def _found(known: dict[str, Group], name: str) -> Group:
    """The instance whose UUID begins so."""
    found = [group for uuid, group in known.items() if name and uuid.startswith(name)]
    if len(found) != 1:
        which = "no" if not found else "more than one"
        raise UsageProblem("no-such-instance", f"There is {which} instance with data by the name {tame(name)}.", hint=f"There are: {', '.join(g.title for g in known.values()) or 'none'}.")  # fmt: skip
    return found[0]


def _instances(survey: Survey) -> Iterator[Group]:
    by_name = {dataset.name: dataset for dataset in survey.datasets}
    for instance in survey.instances:
        tops = [d for d in instance.datasets if not any(_below(d, other) for other in instance.datasets)]
        trees = tuple(_tree(survey, by_name[name]) for name in tops if name in by_name)
        if trees:
            yield Group(instance.uuid, "instance", tame(instance.title), trees)


def _below(name: str, other: str) -> bool:
    return name.startswith(other + "/")


def _own(survey: Survey) -> Iterator[Dataset]:
    images = {image.uuid for image in survey.images}
    used = [tree.dataset for group in _instances(survey) for tree in group.trees]
    for dataset in survey.datasets:
        last = dataset.name.rsplit("/", 1)[-1]
        top = dataset.name.count("/") == 1 and last not in SYSTEM_DATASETS | images
        if top and not any(name == dataset.name or _below(name, dataset.name) for name in used):
            yield dataset


def _tree(survey: Survey, top: Dataset) -> Tree:
    inside = [d for d in survey.datasets if d.name == top.name or _below(d.name, top.name)]
    names = {d.name for d in inside}
    origins = dict.fromkeys(d.origin for d in inside if d.origin and d.origin.split("@")[0] not in names)
    raw = any(d.encryption not in ("off", "-", "") for d in inside)
    return Tree(top.name, top.used, raw, tuple(origins))


def _with_origins(survey: Survey, wanted: list[Group], instances: tuple[Group, ...]) -> tuple[Group, ...]:
    by_name = {dataset.name: dataset for dataset in survey.datasets}
    images = {image.uuid: image for image in survey.images}
    ordered: dict[str, Group] = {}

    def add(group: Group, above: tuple[str, ...] = ()) -> None:
        if group.name in ordered or group.name in above:
            return
        for origin in (origin for tree in group.trees for origin in tree.origins):
            name = origin.split("@")[0]
            owner = next((g for g in (*wanted, *instances) if any(t.dataset == name or _below(name, t.dataset) for t in g.trees)), None)  # fmt: skip
            if owner is None and name in by_name:
                image = images.get(name.rsplit("/", 1)[-1])
                title = (
                    f"image {tame(image.name)} {tame(image.version)}" if image else f"origin {tame(name, 80)}"
                )
                owner = Group(name, "image", title, (_tree(survey, by_name[name]),))
            if owner is not None:
                add(owner, (*above, group.name))
        ordered[group.name] = group

    for group in wanted:
        add(group)
    return tuple(ordered.values())


def group_to_json(group: Group) -> dict[str, Any]:
    """A group as an object."""
    trees = [{"dataset": t.dataset, "size": t.size, "raw": t.raw, "origins": list(t.origins)} for t in group.trees]  # fmt: skip
    return {"name": group.name, "kind": group.kind, "title": group.title, "trees": trees}


def group_from_json(data: dict[str, Any]) -> Group:
    """The inverse of `group_to_json`."""
    trees = tuple(Tree(t["dataset"], t["size"], t["raw"], tuple(t["origins"])) for t in data["trees"])
    return Group(data["name"], data["kind"], data["title"], trees)
