"""What goes with the pools, in words and sizes: instances, images, configuration, programs, logs, snapshots.

Pure. Facts: smartos-docs: docs/administering-the-global-zone.md, docs/persistent-configuration-for-the-global-zone.md.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from smartos_wizard.core.text import counted, size, tame
from smartos_wizard.reinstall.model import Dataset, KeptFile, Pool, Survey
from smartos_wizard.reinstall.saying import dataset_line, listed
from smartos_wizard.reinstall.ways import Outcome, target_of

SYSTEM_DATASETS = frozenset({"dump", "swap", "config", "usbkey", "cores", "opt", "var", "boot", "archive"})
"""Datasets that SmartOS makes for itself (smartos-live: smartos_prompt_config.sh, setup_datasets; piadm.sh)."""
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Loss:
    """One kind of thing that goes: `size` in bytes, None where nobody counted; `items` name single ones."""

    what: str
    size: int | None = None
    items: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """It in one line."""
        return self.what if self.size is None else f"{self.what}: {size(self.size)}"


def losses(survey: Survey, outcome: Outcome) -> tuple[Loss, ...]:
    """Everything that is lost by the way, the most valuable first."""
    gone = [fate.pool for fate in outcome.dying]
    system = any(pool is target_of(survey) for pool in gone)
    found = [*_instances(survey, gone)] + [loss for pool in gone for loss in _data(survey, pool)]
    return (*found, *(_system(survey) if system else ()), *_snapshots(survey, gone))


def _instances(survey: Survey, gone: list[Pool]) -> Iterator[Loss]:
    names = {pool.name for pool in gone}
    lost = [i for i in survey.instances if not i.datasets or {d.split("/", 1)[0] for d in i.datasets} & names]
    if lost:
        items = tuple(
            f"{tame(i.title)}, {tame(i.brand) or 'unknown kind'}, {tame(i.state) or 'state not known'}" for i in lost
        )  # fmt: skip
        used = [
            d.used
            for d in survey.datasets
            if d.pool in names and any(d.name in i.datasets for i in lost)
        ]  # fmt: skip
        yield Loss(f"{counted(len(lost), 'instance')} with all data", sum(used) if used else None, items)


def _data(survey: Survey, pool: Pool) -> Iterator[Loss]:
    of_instances = {name for instance in survey.instances for name in instance.datasets}
    top = [d for d in survey.datasets if d.pool == pool.name and d.name.count("/") == 1]
    images = {image.uuid for image in survey.images}
    own = [
        d
        for d in top
        if d.name.split("/")[1] not in SYSTEM_DATASETS | images and not _belongs(d, of_instances)
    ]
    if own:
        own.sort(key=lambda d: -d.used)
        more = (f"and {len(own) - _SHOWN} more",) if len(own) > _SHOWN else ()
        yield Loss(f"Datasets of your own in {tame(pool.name)}", sum(d.used for d in own), (*map(dataset_line, own[:_SHOWN]), *more))  # fmt: skip
    elif not pool.imported:
        yield Loss(f"All that is in {tame(pool.name)}; it is not imported, so nobody could look")


def _belongs(dataset: Dataset, of_instances: set[str]) -> bool:
    return any(name == dataset.name or name.startswith(dataset.name + "/") for name in of_instances)


def _system(survey: Survey) -> Iterator[Loss]:
    """What lies on the system pool beside instances and own datasets."""
    pool = tame(survey.system_pool)
    elsewhere = [i for i in survey.instances if i.datasets and not any(_in(d, survey.system_pool) for d in i.datasets)]  # fmt: skip
    if elsewhere:
        yield Loss(f"Settings of {counted(len(elsewhere), 'instance')} whose data lies in another pool: they stand in {pool}/config", None, tuple(tame(i.title) for i in elsewhere))  # fmt: skip
    if survey.usbkey:
        yield _files("/usbkey: network, host name, root's password, ssh host keys", survey.usbkey)
    if survey.custom:
        yield _files("/opt/custom: your services and programs", survey.custom)
    if survey.images:
        names = [f"{tame(image.name) or 'unnamed'} {tame(image.version)}".strip() for image in survey.images]
        yield Loss(f"{counted(len(names), 'image')}: {listed(names, most=4)}")
    if survey.firewall_rules:
        yield Loss(counted(survey.firewall_rules, "firewall rule"))
    yield Loss("/opt and /var: pkgsrc programs, logs, crash dumps; /etc/zones; swap and dump")


def _in(dataset: str, pool: str) -> bool:
    return dataset.split("/", 1)[0] == pool


def _files(what: str, files: tuple[KeptFile, ...]) -> Loss:
    return Loss(what, sum(file.size for file in files), tuple(tame(file.path, 80) for file in files[:_SHOWN]))


def _snapshots(survey: Survey, gone: list[Pool]) -> Iterator[Loss]:
    names = {pool.name for pool in gone}
    kept = [d for d in survey.datasets if d.pool in names and d.snapshots]
    if kept:
        number = sum(d.snapshots for d in kept)
        last = max((d.newest for d in kept if d.newest is not None), default=None)
        try:
            when = "" if last is None else time.strftime(", the newest of %Y-%m-%d", time.gmtime(last))
        except (OverflowError, OSError, ValueError):
            when = ""
        yield Loss(f"{counted(number, 'snapshot')}{when}")
