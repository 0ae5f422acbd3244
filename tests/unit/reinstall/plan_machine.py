"""A machine of a few lines that does what a plan's steps say, to see which pools are lost then.

Told anew from what SmartOS's own scripts do (illumos-joyent: fs-joyent; smartos-live: smartos_prompt_config.sh), without
the code that is judged: it takes the steps with their params and typed lines, and nothing else of the plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product

from smartos_wizard.boot.disk_classes import size_class
from smartos_wizard.core.plan import Plan, Step
from smartos_wizard.reinstall.model import Mode, Pool, Survey

LIMITS = ("zpool", "zpools")


@dataclass
class Machine:
    """The machine in the middle of a plan. `comes`: pools that could not be imported can be, after a boot;
    `in_time`: somebody types at the loader before its menu has gone; `told`: the next boot has the parameters of this one.
    """

    survey: Survey
    by_hand: bool
    comes: bool
    in_time: bool
    told: bool
    alive: list[Pool] = field(default_factory=list)
    imported: list[Pool] = field(default_factory=list)
    marked: bool = False
    wiped: list[Pool] = field(default_factory=list)
    """What was destroyed as such, before setup overwrote disks."""

    def __post_init__(self) -> None:
        self.alive = list(self.survey.pools)
        self.imported = [pool for pool in self.alive if pool.imported]

    def does(self, plan: Plan) -> list[Pool]:
        """Every pool that is lost when all steps are done, and setup after them."""
        for step in plan.steps:
            self._does(step, plan)
        return [pool for pool in self.survey.pools if pool not in self.alive]

    def _does(self, step: Step, plan: Plan) -> None:
        name, guid = step.params.get("pool"), step.params.get("guid")
        match step.action:
            case "set-reset":
                assert (name, guid) in [(pool.name, pool.guid) for pool in self.imported]
                assert step.by_hand == f"zfs set smartdc:factoryreset=yes {name}/var"
                self.marked = True
            case "reboot" if step.params["into"] == "rescue":
                self.imported = []
            case "reboot" if step.params["into"] == "loader":
                if step.params.get("lines") or not self.in_time:
                    self._boot(step.params.get("lines", []) if self.in_time else [])
            case "reboot":
                self._boot([])
            case "loader-destroy":
                assert step.by_hand == "; ".join([*step.params["lines"], "boot"])
                if self.in_time:
                    self._boot(step.params["lines"])
            case "rescue-import":
                assert step.by_hand.endswith(f"zpool import -f -N {guid}")
                self.imported += [pool for pool in self.alive if pool.guid == guid]
            case "rescue-destroy":
                assert step.by_hand.endswith(f"zpool destroy {name}")
                there = [pool for pool in self.imported if pool.name == name]
                assert [pool.guid for pool in there] == [guid], "by name, after the guid was compared"
                self._destroy(there)
            case _:
                assert step.effect.value in ("reads", "creates") or step.action == "stop-instances", step

    def _boot(self, lines: list[str]) -> None:
        """A normal boot: the pools that are named, or all that can be, are imported, and perhaps destroyed."""
        told = dict(line.removeprefix("set ").split("=", 1) for line in lines)
        limits = [told[name].split(",") for name in LIMITS if name in told]
        standing = [value.split(",") for name, value in self.survey.boot_parameters if name in LIMITS]
        limits = limits or (standing if self.told else [])
        names = [pool.name for pool in self.alive]
        self.imported = [
            pool for pool in self.alive
            if (self.comes or pool.imported or pool.importable) and names.count(pool.name) == 1
            and all(pool.name in limit for limit in limits)
        ]  # fmt: skip
        system = any(pool.name == self.survey.system_pool for pool in self.imported)
        if told.get("destroy_zpools") == "true" or (self.marked and system):
            self._destroy(list(self.imported))
        if self.survey.system_pool not in [pool.name for pool in self.alive]:
            self._set_up()

    def _destroy(self, pools: list[Pool]) -> None:
        self.wiped += pools
        self._lose(pools)

    def _lose(self, pools: list[Pool]) -> None:
        self.alive = [pool for pool in self.alive if pool not in pools]
        self.imported = [pool for pool in self.imported if pool not in pools]

    def _set_up(self) -> None:
        """`zpool create -f` of all disks but those on USB: refused for disks of an imported pool, else overwritten."""
        if self.by_hand:
            return
        hit = self.in_setups_way()
        if not any(pool in self.imported for pool in hit):
            self._lose(hit)

    def in_setups_way(self) -> list[Pool]:
        """The pools on disks that setup's list holds."""
        taken = {
            d.name for d in self.survey.disks if d.kind != "USB" and not d.removable and size_class(d.size)
        }
        return [pool for pool in self.alive if taken & {member.name for member in pool.disks}]

    def after_way_c(self, target: Pool) -> tuple[list[Pool], list[Pool]]:
        """The pools that make setup stop after a wipe by way C, and those that it would overwrite."""
        self.by_hand, self.imported = True, [target]
        self._destroy([target])
        self._boot([])
        hit = self.in_setups_way()
        return [p for p in hit if p in self.imported], [p for p in hit if p not in self.imported]


def lost_at_worst(survey: Survey, plan: Plan, *, by_hand: bool) -> list[Pool]:
    """Every pool that is lost in one of the courses that things may take."""
    lost: list[Pool] = []
    for comes, in_time, told in product((False, True), repeat=3):
        lost += Machine(survey, by_hand, comes, in_time, told).does(plan)
    return [pool for pool in survey.pools if pool in lost]


def as_said(survey: Survey, plan: Plan, *, by_hand: bool) -> Machine:
    """The machine after everything went as the plan says."""
    machine = Machine(survey, by_hand, comes=False, in_time=True, told=True)
    machine.does(plan)
    return machine


def must_be_refused(survey: Survey, way: str, prepared: bool, now: float) -> bool:
    """Whether something speaks against this machine and way that nobody can consent to, told anew."""
    target = [pool for pool in survey.pools if pool.name == survey.system_pool]
    names = [pool.name for pool in survey.pools]
    limits = [value.split(",") for name, value in survey.boot_parameters if name in LIMITS]
    return any((
        not survey.smartos, not survey.root, survey.zone not in ("", "global"), bool(survey.triton),
        survey.mode is Mode.OTHER, not survey.hostid, survey.reset_pending,
        ("destroy_zpools", "true") in survey.boot_parameters,
        not -120 <= now - survey.taken <= 900,
        {gap.probe for gap in survey.gaps} & {"pools", "disks", "import", "unheard-of"},
        len(target) != 1, not any(pool.imported or pool.importable for pool in target),
        any(pool.encrypted for pool in target) and way != "C",
        way == "A" and survey.mode is Mode.RESCUE,
        len(set(names)) < len(names) and way != "C",
        way != "C" and any(survey.system_pool not in limit for limit in limits),
        not survey.medium and not prepared and survey.booted_from.value != "network",
        any(not name or not name.isascii() or not name.replace(":", "").replace(".", "").replace("-", "").replace("_", "").isalnum() for name in names),
    ))  # fmt: skip
