"""What a person should know of a surveyed machine before anything is planned. Notes only: the plan decides.

Imports nothing that connects or reads.
"""

from __future__ import annotations

from collections.abc import Iterator

from smartos_wizard.core.text import age
from smartos_wizard.reinstall.model import BootedFrom, Mode, Stop, Survey

_OLD = 7 * 86400
_WHERE = {
    BootedFrom.USB: "a USB key",
    BootedFrom.ISO: "an ISO",
    BootedFrom.NETWORK: "the network",
    BootedFrom.POOL: "a pool",
    BootedFrom.UNKNOWN: "somewhere that could not be seen",
}


def started_from(booted: BootedFrom) -> str:
    """Where it was started from, in words."""
    return _WHERE[booted]


def remarks(survey: Survey, now: float) -> tuple[Stop, ...]:
    """The notes, the gravest first. `now` in seconds since the epoch."""
    return tuple(
        Stop(reference, text, level="note")
        for reference, text in (*_host(survey), *_pools(survey), *_losses(survey, now))
    )


def _host(survey: Survey) -> Iterator[tuple[str, str]]:
    if survey.reset_pending:
        yield (
            "reset-pending",
            "A factory reset is waiting: the next normal boot destroys every pool it imports.",
        )
    if survey.triton:
        yield "triton", f"This is a {survey.triton} of Triton. It is not re-installed this way."
    if survey.mode is Mode.RESCUE:
        yield "rescue", "It runs in Rescue Mode: no pool was imported, so what is on them was not seen."
    if survey.gaps:
        yield "gaps", "Not everything could be found out; what is missing is listed."


def _pools(survey: Survey) -> Iterator[tuple[str, str]]:
    others = [pool.name for pool in survey.imported if not pool.system]
    if others:
        yield (
            "other-pools",
            f"A factory reset would destroy {_and(others)} too, not only {survey.system_pool}.",
        )
    attached = [
        pool.name for pool in survey.pools if not pool.imported and pool.importable and not pool.system
    ]
    if attached:
        yield "attached-pools", f"Every normal boot imports {_and(attached)} too, so a reset would destroy that as well. Unplug it first."  # fmt: skip
    for pool in survey.pools:
        if pool.health not in ("ONLINE", "") or (pool.problem and pool.imported):
            yield "unhealthy-pool", f"{pool.name} is not well ({pool.health}). {pool.problem}".rstrip()
        if pool.encrypted:
            yield (
                "encrypted-pool",
                f"{pool.name} is encrypted: without its key a reset stops before it destroys.",
            )
        if pool.bootable:
            yield "bootable-pool", f"The machine can start from {pool.name}; after the wipe it cannot."
    if survey.pools and not survey.medium and survey.booted_from is not BootedFrom.NETWORK and not survey.missing("volumes"):  # fmt: skip
        yield "no-medium", "No SmartOS key is attached. Prepare one, or the machine cannot start afterwards."


def _losses(survey: Survey, now: float) -> Iterator[tuple[str, str]]:
    running = [each.title for each in survey.instances if each.running]
    if running:
        yield (
            "running",
            f"{len(running)} {'are' if len(running) > 1 else 'is'} running: {', '.join(running)}.",
        )
    bare = [each.title for each in survey.instances if _never_snapped(survey, each.datasets)]
    if bare and not survey.missing("snapshots", "datasets"):
        yield "no-snapshots", f"No snapshot was ever taken of {', '.join(bare)}."
    newest = newest_snapshot(survey)
    if newest is not None and now - newest > _OLD:
        yield "old-snapshots", f"The newest snapshot is {age(now - newest)} old."


def _never_snapped(survey: Survey, datasets: tuple[str, ...]) -> bool:
    return not any(dataset.newest is not None for dataset in survey.datasets if dataset.name in datasets)


def newest_snapshot(survey: Survey) -> int | None:
    """When the newest snapshot of the system pool was made."""
    times = [
        each.newest for each in survey.datasets if each.newest is not None and each.pool == survey.system_pool
    ]
    return max(times, default=None)


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
