"""After the wipe: that exactly the named pools are gone, that the others are there, and that the new system is whole.

What the pools are is proof, and a difference fails the run. What is looked at beside (smartos-facts of a machine that was set
up: datasets, /usbkey, swap, dump, services) is told where it is not as it should be.
"""

from __future__ import annotations

import json
import time
from typing import Any

from smartos_wizard.core.errors import ProofFailed
from smartos_wizard.core.events import Noted
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Run, Work
from smartos_wizard.core.text import tame
from smartos_wizard.reinstall import run_asking as asking
from smartos_wizard.reinstall.doors import ReinstallWorld
from smartos_wizard.reinstall.run_door import Line
from smartos_wizard.reinstall.saying import listed

DATASETS = ("config", "cores", "dump", "opt", "swap", "usbkey", "var")
"""What setup makes in the system pool (smartos-live: smartos_prompt_config.sh, setup_datasets)."""


def verify(run: Run[ReinstallWorld], step: Step, line: Line) -> Work:
    """Raise ProofFailed `not-destroyed`, `others-missing`; the rest is noted."""
    seen = line.patiently(line.look)
    line.same(seen)
    there = [_name(pool) for pool in step.params["gone"] if pool["guid"] in seen.guids]
    if there:
        raise ProofFailed("not-destroyed", f"{listed(there)} is still there. It was to be destroyed.", hint="Nothing was lost that was not named. Look at the console's log, and plan again.")  # fmt: skip
    missing = [_name(pool) for pool in step.params["kept"] if pool["guid"] not in seen.guids]
    if missing:
        raise ProofFailed("others-missing", f"{listed(missing)} was to stay and is not seen any more.", hint="Is its disk still plugged in? `zpool import -D` on the machine lists what was destroyed.")  # fmt: skip
    risked = [pool for pool in run.plan.params["dying"] if pool["fate"] != "destroyed"]
    fate = {_name(pool): "there" if pool["guid"] in seen.guids else "gone" for pool in risked}
    for name, word in fate.items():
        yield Noted(run.clock(), step.id, f"{name} was at risk: it is {word}.")
    system = run.plan.params["pool"]["name"]
    anew = next((guid for name, guid in seen.pools if name == system), "")
    worries = (
        _worries(line, system) if anew else [f"There is no new pool {system} yet: setup was not finished."]
    )
    for worry in worries:
        yield Noted(run.clock(), step.id, worry, level="warning", reference="not-whole")
    gone = listed([_name(pool) for pool in step.params["gone"]])
    say = [f"{gone} destroyed, as named; {listed([_name(p) for p in step.params['kept']]) or 'no other pool was there'}{' untouched' if step.params['kept'] else ''}."]  # fmt: skip
    say.append(f"The new {system} (guid {anew}) is set up." if anew and not worries else f"To look after: {' '.join(worries)}" if worries else "")  # fmt: skip
    run.result.setdefault("say", []).extend(line for line in say if line)
    checked = {"gone": step.params["gone"], "kept": step.params["kept"], "risked": fate, "new": {"name": system, "guid": anew} if anew else {}, "worries": worries}  # fmt: skip
    run.result["verified"] = checked
    return checked


def _name(pool: dict[str, Any]) -> str:
    return f"{tame(pool['name'])} (guid {tame(pool['guid'])})"


def _worries(line: Line, pool: str) -> list[str]:
    """What is not as setup leaves it, in words. What the machine has no answer to is not guessed at."""
    found = asking.checks_of(line.read(asking.checks(pool)))
    worries = []
    status, rows = found.get("datasets", (1, []))
    lost = [name for name in DATASETS if f"{pool}/{name}" not in rows]
    if status == 0 and lost:
        worries.append(f"In {pool} there is no {listed(lost)}.")
    status, rows = found.get("health", (1, []))
    if status == 0 and rows[:1] != ["ONLINE"]:
        worries.append(f"{pool} is {tame(rows[0] if rows else 'not there', 40)}.")
    status, rows = found.get("usbkey", (1, []))
    if status != 0:
        worries.append("/usbkey/config or /usbkey/shadow is missing.")
    elif any(row.endswith("/usbkey/shadow") and not row.startswith("-r--------") for row in rows):
        worries.append("/usbkey/shadow can be read by others.")
    status, rows = found.get("services", (1, []))
    if status == 0 and rows:
        worries.append(f"Services are in trouble: {tame(rows[0], 80)}")
    status, rows = found.get("swap", (1, []))
    if status == 0 and not any("/swap" in row for row in rows):
        worries.append("Swap is not on the pool.")
    return worries


def told_again(run: Run[ReinstallWorld], step: Step, facts: dict[str, Any]) -> None:
    """What a step that was done by an earlier try has to say in the result of this one."""
    if step.action == "verify":
        run.result["verified"] = facts
    elif step.action == "receipt":
        run.result["receipt"] = facts["path"]
        run.result.setdefault("say", []).append(f"Receipt: {facts['path']}")


def receipt(run: Run[ReinstallWorld], step: Step, line: Line) -> Work:
    """What was done and what was seen after it, in `receipt.json` beside the record."""
    del step
    params = run.plan.params
    document = {
        "receipt": 1,
        "what": "reinstall",
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(run.world.now())),
        "host": params["host"],
        "hostname": params["identity"]["hostname"],
        "hostid": params["identity"]["hostid"],
        "way": params["way"],
        "limited": params["limited"],
        "destroyed": [pool for pool in params["dying"] if pool["fate"] == "destroyed"],
        "kept": params["kept"],
        "backup": params["backup"],
        "verified": line.record.facts("verify"),
        "plan": line.record.run,
    }
    place = line.record.keep("receipt.json", (json.dumps(document, indent=2) + "\n").encode())
    run.result["receipt"] = str(place)
    run.result.setdefault("say", []).append(f"Receipt: {place}")
    yield from ()
    return {"path": str(place)}
