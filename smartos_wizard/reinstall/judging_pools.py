"""What speaks against a way because of the pools and disks of the machine, and because of the answers file. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from smartos_wizard.boot.answers_check import check_answers, has_errors
from smartos_wizard.boot.answers_script import Does, does
from smartos_wizard.core.text import tame
from smartos_wizard.reinstall.choices import MANUAL, OTHER_DISKS, UNHEALTHY, Choices
from smartos_wizard.reinstall.model import SYSTEM_POOL, Mode, Pool, Stop, Survey, Way
from smartos_wizard.reinstall.saying import listed, pool_line, pool_name, token_of
from smartos_wizard.reinstall.ways import (
    Fate,
    Outcome,
    PoolFate,
    others_of,
    standing_limit,
    target_of,
    twins_of,
)

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,254}", re.ASCII)
_GUID = re.compile(r"[0-9]{1,20}", re.ASCII)
_LAYOUT = "zpool_confirm_layout"


def judge_pools(survey: Survey, choices: Choices, outcome: Outcome) -> Iterator[Stop]:
    """All that the pools, the disks and the answers give reason to say."""
    yield from _names(survey)
    yield from _target(survey, choices)
    yield from _encrypted(survey, choices, outcome)
    for fate in outcome.fates:
        yield from _fate(survey, choices, fate)
    yield from _in_the_way(outcome)
    yield from _blocked(outcome)
    yield from _strays(outcome)
    yield from _answers(choices)


def _names(survey: Survey) -> Iterator[Stop]:
    for pool in survey.pools:
        if not _NAME.fullmatch(pool.name) or not _GUID.fullmatch(pool.guid):
            yield Stop("odd-pool", f"{pool_name(pool)}: with such a name or guid no command can be built safely.", hint="Export that pool or take its disks out, and survey again.")  # fmt: skip


def _target(survey: Survey, choices: Choices) -> Iterator[Stop]:
    target, name = target_of(survey), tame(survey.system_pool)
    if target is None:
        yield Stop("no-system-pool", f"There is no pool {name}, so there is nothing to wipe.", hint="A normal boot begins with setup then. If the pool should be there, look at its disks.")  # fmt: skip
        return
    if not target.imported and not target.importable:
        problem = f" ({tame(target.problem, 100).rstrip('.')})" if target.problem else ""
        yield Stop("not-importable", f"{pool_name(target)} cannot be imported{problem}, so no way can destroy it.", hint="Setup's default layout overwrites its disks. Boot normally, and look what setup says first.")  # fmt: skip
    elif not target.imported and choices.way is Way.RESET and survey.mode is Mode.NORMAL:
        yield Stop("not-imported", f"{pool_name(target)} is not imported, so it cannot be marked.", hint="Import it, or use way C.")  # fmt: skip
    limit = standing_limit(survey)
    if limit and target.name not in limit and choices.way is not Way.RESCUE:
        yield Stop("limited-elsewhere", f"This boot imports {listed([tame(each) for each in limit])} only, and not {name}: A and B would not reach it.", hint="Use way C, or take zpools= out of the boot parameters.")  # fmt: skip
    twins = [pool for pool in survey.pools if twins_of(survey, pool)]
    if twins and (choices.way is not Way.RESCUE or twins_of(survey, target)):
        yield Stop("same-name", f"{listed([pool_name(pool) for pool in twins])}: of pools with the same name none can be imported by name, so it cannot be foretold what a boot does.", hint="Take the disks of the other one out, or give it another name (`zpool import GUID NEWNAME`), and survey again.")  # fmt: skip


def _encrypted(survey: Survey, choices: Choices, outcome: Outcome) -> Iterator[Stop]:
    locked = [pool for pool in survey.pools if pool.encrypted]
    if choices.way is Way.RESCUE:
        if locked:
            yield Stop("encrypted-note", f"{listed([pool_name(p) for p in locked])}: encrypted. Way C needs no key.", level="note")  # fmt: skip
        return
    in_way = [pool for pool in locked if pool in outcome.destroyed]
    if in_way:
        yield Stop("encrypted-pool", f"{listed([pool_name(p) for p in in_way])}: encrypted. If unlocking fails at boot, the boot ends before anything is destroyed, so A and B cannot be relied on.", hint="Use way C.")  # fmt: skip


def _fate(survey: Survey, choices: Choices, fate: PoolFate) -> Iterator[Stop]:
    pool = fate.pool
    mine = pool is target_of(survey)
    if fate.dies and not mine:
        reference = {Fate.DESTROYED: "other-pool", Fate.RISKED: "other-pool-at-risk"}.get(fate.fate, "overwritten-pool")  # fmt: skip
        spared = choices.way is Way.RESCUE  # C takes one pool and no more, not even later
        yield Stop(
            reference,
            f"{pool_line(pool)}: this pool {'may' if fate.fate is Fate.RISKED else 'would'} be lost too; {fate.why}."
            + ("" if pool.imported else " It is not imported, so nobody could look into it."),
            level="consent",
            hint=_instead(pool, fate),
            token=MANUAL if spared else token_of(survey, pool.name),
        )
    healthy = pool.health.upper() == "ONLINE"
    if healthy:
        return
    problem = f": {tame(pool.problem, 160).rstrip('.')}" if pool.problem else ""
    said = f"{pool_name(pool)} is {tame(pool.health) or 'in unknown health'}{problem}."
    if mine or fate.fate is Fate.DESTROYED:
        yield Stop("unhealthy-pool", said, level="consent", hint="Something is wrong with its disks already; setup will take them again.", token=f"{UNHEALTHY}:{tame(pool.name)}")  # fmt: skip
    else:
        yield Stop("unhealthy-other", said, level="note")


def _instead(pool: Pool, fate: PoolFate) -> str:
    if fate.fate is Fate.OVERWRITTEN or (fate.fate is Fate.RISKED and not pool.imported):
        return f"To keep it, take its disks out and survey again, or make the new pool by hand: --consent {MANUAL}."
    unplug = "unplug it and survey again, or " if pool.usb else ""
    return f"To keep it, {unplug}use way C, or B with --limit."


def _in_the_way(outcome: Outcome) -> Iterator[Stop]:
    left = [fate.pool for fate in outcome.fates if not fate.dies and fate.pool.name == SYSTEM_POOL]
    if left:
        yield Stop("zones-left", f"{pool_name(left[0])} would still be there, and setup makes no pool where there is one named {SYSTEM_POOL}.", hint="Take its disks out, or give it another name (`zpool import GUID NEWNAME`), and survey again.")  # fmt: skip


def _blocked(outcome: Outcome) -> Iterator[Stop]:
    blocking = outcome.of(Fate.BLOCKS)
    if not blocking:
        return
    named = listed([pool_name(pool) for pool in blocking])
    yield Stop(
        "layout-takes-others",
        f"{named} would live, but setup's default layout counts in every disk that is not on USB. ZFS refuses these disks "
        "while their pool is imported, and setup stops; should the pool not be imported then, it is overwritten.",
        level="consent",
        hint="Answer “manual” in setup and make the pool by hand (the plan says how), or take these disks out and survey "
        "again. A key in the machine must hold no answers file that takes the layout unasked.",
        token=MANUAL,
    )  # fmt: skip


def _strays(outcome: Outcome) -> Iterator[Stop]:
    if outcome.strays:
        named = listed([tame(disk.name, 32) for disk in outcome.strays], most=8)
        yield Stop("other-disks", f"In no pool now, and taken by setup's default layout all the same: {named}. Another system or data may be on them.", level="consent", hint=f"Say so, take them out, or make the new pool by hand: --consent {MANUAL}.", token=OTHER_DISKS)  # fmt: skip


def _answers(choices: Choices) -> Iterator[Stop]:
    if choices.answers is None:
        return
    values, name = choices.answers.values, tame(choices.answers.name)
    if has_errors(check_answers(values)):
        yield Stop("answers-wrong", f"{name} has errors, and setup would loop or fail.", hint="`smartos-wizard answers check` says which.")  # fmt: skip
    layout = does(_LAYOUT, values)
    if choices.by_hand and layout not in (Does.SHELL, Does.ASKS):
        yield Stop("answers-take-all", f"{name} takes the default layout without asking, and with it every disk that is not on USB.", hint=f"Put {_LAYOUT} to `manual` in it, or leave the key out.")  # fmt: skip
    if not choices.by_hand and layout is Does.SHELL:
        yield Stop("answers-by-hand", f"{name} says that the pool is made by hand.", hint=f"Plan it so: --consent {MANUAL}.")  # fmt: skip


def others_die(survey: Survey, outcome: Outcome) -> tuple[Pool, ...]:
    """Every pool that is lost beside the system pool."""
    others = others_of(survey)
    return tuple(fate.pool for fate in outcome.dying if any(fate.pool is pool for pool in others))
