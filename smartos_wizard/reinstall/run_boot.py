"""Reboots of a run: told once, waited for, and known by when the machine started, not by what was told.

Where keys have to be pressed at the loader, a person is asked to (`hands-needed`) or the serial console does it. A
menu that was missed is no accident: the machine starts normally, nothing is destroyed, and it is tried again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator

from smartos_wizard.core.errors import DeviceLost, NetworkFailed, Refused, WizardError
from smartos_wizard.core.events import Event, Noted
from smartos_wizard.core.plan import Effect, Step
from smartos_wizard.core.runner import Run, Work
from smartos_wizard.reinstall import run_asking as asking
from smartos_wizard.reinstall.doors import ReinstallWorld
from smartos_wizard.reinstall.run_asking import Look
from smartos_wizard.reinstall.run_console import by_console, to_the_prompt, typed
from smartos_wizard.reinstall.run_door import LATE, Line
from smartos_wizard.reinstall.streams import CommandFailed

_Run = Run[ReinstallWorld]
TRIES = 3
"""So often the machine is rebooted again where the loader's menu was missed."""
WAIT = 60
"""Minutes a machine may take to be back: somebody has to answer setup's questions meanwhile."""
_GRACE, _GRACE_PRACTICE = 15.0, 0.5
"""Seconds between asking for a person's hands and the reboot."""
_ARRIVED, _ARRIVED_PRACTICE = 20.0, 1.0
"""Seconds for which a machine that should reboot and answers is given the benefit of the doubt."""
RESCUE_KEYS = (
    "In the loader's menu press o: “Configure Boot [O]ptions...”. The menu waits ten seconds.",
    "Press r: “[R]escue Mode” changes to On.",
    "Press 1 to go back, then Enter to boot.",
    "Where it gets no address by itself: log in as root, password root, and bring a card up (ifconfig e1000g0 plumb; ifconfig e1000g0 dhcp start).",
)
RESCUE_BY_NETWORK = (
    "In the network boot's menu choose the rescue mode, then the release.",
    "Where it gets no address by itself: log in as root, password root, and bring a card up (ifconfig e1000g0 plumb; ifconfig e1000g0 dhcp start).",
)


def boot_again(run: _Run, step: Step, line: Line) -> Work:
    """Reboot into `params.into`. With `rescue` it is waited for; with `normal` the step `wait-back` does that."""
    into = step.params.get("into", "normal")
    if into == "rescue":
        return (yield from _into_rescue(run, step, line))
    if into == "loader" and step.effect is not Effect.DESTROYS:
        if line.console:
            yield from _tell(run, step, line, hands=False)
            return (yield from to_the_prompt(run, step, line))
        line.record.begin(step.id)
        yield Noted(run.clock(), step.id, "It is told to reboot in the next step, when everything is noted.")
        return {}
    yield from _tell(run, step, line, hands=into == "loader" and not line.console)
    if into == "loader" and line.console:
        yield from to_the_prompt(run, step, line)
        yield from typed(run, step, line)
    return {}


def at_the_prompt(run: _Run, step: Step, line: Line) -> Work:
    """The boot that destroys, with what a person, or the serial console, types at the prompt."""
    if line.console:
        return (yield from typed(run, step, line))
    yield from _tell(run, step, line, hands=True)
    return {}


def restarted(
    run: _Run, step: Step, line: Line, wanted: Callable[[Look], bool], boot: int | None
) -> Generator[Event, None, Look]:
    """Wait until the machine has started since `boot` and looks as wanted; the look is the result. Raises as `Line.back`."""
    seconds = float(run.plan.params.get("wait", WAIT)) * 60
    for each in line.back(step, wanted, boot, seconds):
        if isinstance(each, Look):
            return each
        yield each
    raise AssertionError("unreachable")


def _into_rescue(run: _Run, step: Step, line: Line) -> Work:
    line.rescue = True
    for attempt in range(TRIES):
        if attempt or not line.record.began(step.id):
            seen = line.patiently(line.look)
            line.same(seen)
            if seen.rescue:
                line.record.begin(step.id, boot=None)
                return {}
        yield from _tell(run, step, line, hands=not line.console, again=bool(attempt))
        if line.console:
            yield from by_console(run, step, line)
        boot = line.record.facts(step.id).get("boot")
        look = yield from restarted(run, step, line, lambda _: True, boot)
        if look.rescue:
            return {"boot": boot, "tries": attempt + 1}
        yield Noted(run.clock(), step.id, "The loader's menu was missed: it started normally. Nothing was destroyed.", level="warning", reference="menu-missed")  # fmt: skip
    raise WizardError("menu-missed", f"{run.plan.params['host']} started normally {TRIES} times instead of in Rescue Mode.", hint="Somebody has to be at its console. `reinstall runbook` has it on paper.", context="nothing was destroyed")  # fmt: skip


def _tell(run: _Run, step: Step, line: Line, *, hands: bool, again: bool = False) -> Work:
    """Tell it to reboot, once; where it is not known whether that arrived, the machine is asked."""
    command = _command(run, step, line)
    if again or not line.record.began(step.id):
        seen = line.patiently(line.look)
        line.same(seen)
        if hands:
            yield from _hands(run, step)
        destroys = {"destroys": True} if step.effect is Effect.DESTROYS else {}
        run.cancel.check(run.state())
        line.record.begin(step.id, boot=seen.boot, **destroys)
        yield from _order(run, step, line, command)
    else:
        yield Noted(
            run.clock(),
            step.id,
            "It was told to reboot before; looking whether it did.",
            reference="taken-up",
        )
        yield from _arrived(run, step, line, command)
    line.close()
    line.after_boot = True
    return {}


def _command(run: _Run, step: Step, line: Line) -> str:
    """The reboot. One that destroys is guarded by hostid, guid and the set of imported pools."""
    if step.effect is not Effect.DESTROYS:
        return asking.reboot(_typed(run, step))
    identity = run.plan.params["identity"]
    pool = run.plan.params["pool"]
    imported = [each["guid"] for each in identity["pools"] if each["imported"]]
    hostid = "" if line.record.rebooted else identity["hostid"]
    return asking.guarded(
        hostid, (pool["name"], pool["guid"]), asking.only_these(imported, asking.reboot(_typed(run, step)))
    )


def _order(run: _Run, step: Step, line: Line, command: str) -> Work:
    try:
        line.firm = True
        if line.by_shell:
            line.ask(command.replace(asking.reboot(_typed(run, step)), "true"))
            line.leave("sync; reboot")
            return {}
        said = line.ask(command)
    except (DeviceLost, NetworkFailed):
        yield from _arrived(run, step, line, command)
        return {}
    except CommandFailed as error:
        line.record.note(step.id, destroys=False)
        if error.status != asking.GUARD:
            raise
        raise Refused("pools-changed", f"{run.plan.params['host']} is not as it was surveyed any more: its hostid, or the pools that are imported, are others. Nothing was destroyed.", hint="Survey it again.") from error  # fmt: skip
    finally:
        line.firm = False
    if asking.GOING not in said:
        line.record.note(step.id, destroys=False)
        raise WizardError("not-rebooting", f"{run.plan.params['host']} did not say that it reboots.", context="nothing was destroyed")  # fmt: skip
    return {}


def _arrived(run: _Run, step: Step, line: Line, command: str) -> Work:
    """Find out whether it reboots: it is away, or it started anew. Where it plainly did neither, tell it again."""
    boot = line.record.facts(step.id).get("boot")
    until = time.monotonic() + (_ARRIVED_PRACTICE if run.world.practice else _ARRIVED)
    while True:
        line.rest()
        try:
            seen = line.look()
        except (DeviceLost, NetworkFailed, Refused, WizardError):
            return {}
        if boot is None or seen.boot is None or seen.boot > boot + LATE:
            return {}
        if time.monotonic() > until:
            yield Noted(run.clock(), step.id, "It never got to know; told again.")
            yield from _order(run, step, line, command)
            return {}


def _hands(run: _Run, step: Step) -> Work:
    """Ask a person to press keys, and give them a moment to be there."""
    into = step.params.get("into", "loader")
    lines = step.params.get("lines", [])
    if into == "rescue":
        network = run.plan.params["identity"]["booted_from"] == "network"
        keys = list(RESCUE_BY_NETWORK if network else RESCUE_KEYS)
        text = "Somebody is needed at the console: it reboots now, and must start in Rescue Mode."
    else:
        typed = [
            line for each in lines for line in (each, f"show {each.removeprefix('set ').partition('=')[0]}")
        ]
        keys = ["In the loader's menu press Esc; it waits ten seconds.", *(f"Type: {line}" for line in typed), "Look that each show says what was set. Then type: boot"]  # fmt: skip
        text = "Somebody is needed at the console: it reboots now, and this has to be typed at the loader's prompt."
    yield Noted(run.clock(), step.id, f"{text} {' '.join(keys)}", level="warning", reference="hands-needed", data={"into": into, "lines": keys})  # fmt: skip
    run.cancel.wait(_GRACE_PRACTICE if run.world.practice else _GRACE)
    run.cancel.check(run.state())
    return {}


def _typed(run: _Run, step: Step) -> str:
    """What this boot is for, in words that only stand in the command: where to, and what is typed there."""
    into = step.params.get("into", "loader")
    lines: list[str] = next((each.params["lines"] for each in run.plan.steps if each.params.get("lines")), [])
    return " ".join([into, *(lines if into == "loader" else [])])
