"""The steps of a re-install, and what each of their actions has to do when the plan runs.

| Action | What it does | Undo |
| --- | --- | --- |
| `recheck` | compares host key, hostid, pool guids, instances and mode with `params.identity`; any difference ends the plan | nothing was changed |
| `final-snapshots` | reads the list of snapshots once more and keeps it in the journal | nothing was changed |
| `stop-instances` | `vmadm stop` for each of `params.instances`, waits, and remembers which it stopped | starts those again |
| `set-reset` | `zfs set smartdc:factoryreset=yes POOL/var`, and reads it back | `clear-reset` |
| `clear-reset` | `zfs inherit smartdc:factoryreset POOL/var`, and reads it back; never a step of its own, only an undo | - |
| `reboot` | reboots; `params.into` is `normal`, `rescue` or `loader`; with `normal` after `set-reset` it destroys | for `rescue` and `loader`: reboots normally |
| `loader-destroy` | types `params.lines` at the loader's prompt, reads each value back with `show`, and only then `boot` | nothing |
| `rescue-import` | in Rescue Mode `zpool import -f -N GUID`, and compares name and guid of what came | `zpool export POOL` |
| `rescue-destroy` | `zpool destroy POOL` after the guid was compared again | nothing (`zpool import -D` with luck) |
| `wait-back` | waits for the machine on ssh or its console, and says in which state it is | nothing was changed |
| `verify` | `zpool import`, `zpool list`: all of `params.gone` are gone, all of `params.kept` are there; of pools at risk it says which | nothing was changed |
| `receipt` | writes what was done, and what was seen after it | removes the file |

A step that destroys names in `params.destroys` every pool by name and guid. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from smartos_wizard.core.plan import Effect, Step
from smartos_wizard.core.text import counted, tame
from smartos_wizard.reinstall.after import After
from smartos_wizard.reinstall.choices import Choices
from smartos_wizard.reinstall.losing import losses
from smartos_wizard.reinstall.model import Mode, Pool, Stop, Survey, Way
from smartos_wizard.reinstall.saying import doomed, host_name, listed, pool_line, pool_name, pools
from smartos_wizard.reinstall.ways import Fate, Outcome, target_of

NOTHING = "nothing to take back: it only reads"
PROPERTY = "smartdc:factoryreset"
_ITEMS = 8


@dataclass(frozen=True, slots=True)
class Scene:
    """All that the steps are made of."""

    survey: Survey
    choices: Choices
    outcome: Outcome
    after: After
    stops: tuple[Stop, ...]

    @property
    def name(self) -> str:
        """The system pool, safe in a command: a plan with an odd name is never made."""
        return self.survey.system_pool

    @property
    def target(self) -> Pool:
        """The system pool. Raises LookupError where there is none: judging stops before that."""
        found = target_of(self.survey)
        if found is None:
            raise LookupError(self.name)
        return found


def steps_of(scene: Scene) -> tuple[Step, ...]:
    """Every step of the chosen way."""
    way = {Way.RESET: _reset, Way.LOADER: _loader, Way.RESCUE: _rescue}[scene.choices.way]
    before = [_recheck(scene)]
    if scene.survey.mode is Mode.NORMAL:
        before.append(_snapshots(scene))
        before += _stop_instances(scene)
    return (*before, *way(scene), *_afterwards(scene))


def loader_lines(scene: Scene) -> list[str]:
    """What is typed at the loader's prompt, without `boot`. The limit comes first: alone it does no harm."""
    limit = [f"set zpools={scene.name}"] if scene.outcome.limited else []
    return [*limit, *(["set destroy_zpools=true"] if scene.choices.way is Way.LOADER else [])]


def loss_lines(scene: Scene) -> tuple[str, ...]:
    """What goes with the pools, a line each."""
    lines: list[str] = []
    for loss in losses(scene.survey, scene.outcome):
        lines.append(f"lost: {loss.line}")
        lines += [f"  {item}" for item in loss.items[:_ITEMS]]
        if len(loss.items) > _ITEMS:
            lines.append(f"  and {len(loss.items) - _ITEMS} more")
    return tuple(lines)


def _recheck(scene: Scene) -> Step:
    known = [f"hostid {tame(scene.survey.hostid)}"]
    if scene.survey.host_key:
        known.append(f"ssh key {tame(scene.survey.host_key, 80)}")
    details = (
        f"{host_name(scene.survey)}: {listed(known)}",
        *(f"still there: {pool_line(pool)}" for pool in scene.survey.pools),
        *(stop.text for stop in scene.stops if stop.level == "note"),
    )
    return Step("recheck", "recheck", "that it is still the surveyed machine, with the same pools", Effect.READS, details,
                undo=NOTHING, by_hand="hostid; zpool list -o name,guid,health; zpool import; vmadm list")  # fmt: skip


def _snapshots(scene: Scene) -> Step:
    return Step("snapshots", "final-snapshots", "the list of snapshots, a last time", Effect.READS, undo=NOTHING,
                by_hand=f"zfs list -t snapshot -r -o name,used,creation {scene.name}")  # fmt: skip


def _stop_instances(scene: Scene) -> list[Step]:
    running = [instance for instance in scene.survey.instances if instance.running]
    if not running:
        return []
    return [
        Step(
            "stop", "stop-instances", f"stop {counted(len(running), 'instance')}, gracefully", Effect.CHANGES,
            tuple(tame(instance.title) for instance in running), undo="those that were stopped are started again",
            by_hand="vmadm list -o uuid,state,alias; vmadm stop UUID   for each that runs",
            params={"instances": [instance.uuid for instance in running]},
        )
    ]  # fmt: skip


def _reset(scene: Scene) -> list[Step]:
    mark = Step(
        "mark", "set-reset", f"mark {scene.name} to be destroyed at the next boot", Effect.CHANGES,
        ("Until the reboot this can be taken back.",), undo="clear-reset: the mark is taken away",
        by_hand=f"zfs set {PROPERTY}=yes {scene.name}/var", params={"pool": scene.name, "guid": scene.target.guid},
    )  # fmt: skip
    typed = loader_lines(scene)
    into = "loader" if scene.outcome.limited else "normal"
    by_hand = "reboot" + (f"   then Esc in the loader's menu: {'; '.join(typed)}; boot" if typed else "")
    return [
        mark,
        _destroying(scene, "reboot", "reboot", "reboot, which", by_hand, {"into": into, "lines": typed}),
    ]


def _loader(scene: Scene) -> list[Step]:
    typed = loader_lines(scene)
    there = Step("reboot", "reboot", "reboot, to the loader's prompt (Esc in its menu)", Effect.CHANGES,
                 ("The menu waits ten seconds. Missed, it boots normally and nothing is destroyed.",),
                 undo="boots normally, and nothing was destroyed", by_hand="reboot", params={"into": "loader"})  # fmt: skip
    return [there, _destroying(scene, "loader", "loader-destroy", "boot with destroy_zpools, which",
                               "; ".join([*typed, "boot"]), {"lines": typed})]  # fmt: skip


def _rescue(scene: Scene) -> list[Step]:
    steps = []
    if scene.survey.mode is not Mode.RESCUE:
        steps.append(
            Step("rescue", "reboot", "reboot into Rescue Mode, where no pool is imported", Effect.CHANGES,
                 ("In the loader's menu: Configure Boot [O]ptions, then [R]escue Mode.",
                  "The menu waits ten seconds. Missed, it boots normally and nothing is destroyed."),
                 undo="boots normally, and nothing was destroyed", by_hand="reboot", params={"into": "rescue"})
        )  # fmt: skip
    target = scene.target
    if scene.survey.mode is not Mode.RESCUE or not target.imported:
        steps.append(
            Step("import", "rescue-import", f"import {pool_name(target)} alone, without mounting anything", Effect.CHANGES,
                 undo=f"zpool export {target.name}", by_hand=f"zpool import; zpool import -f -N {target.guid}",
                 params={"pool": target.name, "guid": target.guid})
        )  # fmt: skip
    by_hand = f"zpool list -o name,guid; zpool destroy {target.name}"
    steps.append(_destroying(scene, "destroy", "rescue-destroy", "", by_hand, {"guid": target.guid}))
    steps.append(
        Step("normal", "reboot", "reboot normally; setup begins on the console", Effect.CHANGES,
             by_hand="reboot", params={"into": "normal"})
    )  # fmt: skip
    return steps


def _destroying(scene: Scene, name: str, action: str, how: str, by_hand: str, params: dict[str, Any]) -> Step:
    """The step after which nothing is as it was."""
    sure, perhaps = scene.outcome.of(Fate.DESTROYED), scene.outcome.of(Fate.RISKED)
    later = scene.outcome.of(Fate.OVERWRITTEN)
    details = [pool_line(pool) for pool in sure]
    details += [
        f"at risk: {pool_line(fate.pool)}; {fate.why}"
        for fate in scene.outcome.fates
        if fate.fate is Fate.RISKED
    ]
    details += [f"{pool_line(pool)}: overwritten later, when setup takes its disks" for pool in later]
    if scene.choices.way is not Way.RESCUE and not scene.outcome.limited:
        details.append("Plug nothing in before: every other pool that this boot can import dies too.")
    details += loss_lines(scene)
    title = f"{how} destroys {doomed(sure, perhaps)}" if how else f"destroy {doomed(sure, perhaps)}"
    named = [{"name": pool.name, "guid": pool.guid} for pool in (*sure, *perhaps, *later)]
    return Step(name, action, title, Effect.DESTROYS, tuple(details), by_hand=by_hand,
                params={**params, "pool": scene.name, "destroys": named})  # fmt: skip


def _afterwards(scene: Scene) -> list[Step]:
    gone = [{"name": pool.name, "guid": pool.guid} for pool in scene.outcome.of(Fate.DESTROYED)]
    kept = [{"name": fate.pool.name, "guid": fate.pool.guid} for fate in scene.outcome.fates if not fate.dies]
    later = scene.outcome.of(Fate.OVERWRITTEN)
    overwritten = [f"Setup's default layout then overwrites {pools(later)}."] if later else []
    command = [f"in setup's shell: {scene.after.command}; exit"] if scene.after.command else []
    return [
        Step("back", "wait-back", f"until {host_name(scene.survey)} is back; setup asks on its console", Effect.READS,
             (*overwritten, *scene.after.words, *command), params={"answer": scene.after.answer}),
        Step("verify", "verify", "that exactly the named pools are gone", Effect.READS,
             by_hand="zpool list -o name,guid; zpool import; zpool status; svcs -xv; swap -l; dumpadm",
             params={"gone": gone, "kept": kept}),
        Step("receipt", "receipt", "a receipt of what was done", Effect.CREATES),
    ]  # fmt: skip
