"""What `doctor` says of hypervisors and of what guests left behind."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from smartos_wizard.cli.output import say, tell

if TYPE_CHECKING:
    from smartos_wizard.guests.left_overs import LeftOver
    from smartos_wizard.guests.model import Detection
    from smartos_wizard.world import World


def found(world: World) -> tuple[list[Detection], tuple[LeftOver, ...]]:
    """The hypervisors of this machine, and what was left over. Says on stderr what it looks at: it takes seconds."""
    from smartos_wizard.guests.left_overs import look

    detections = []
    for hypervisor in world.hypervisors():
        tell(f"Looking for {hypervisor.title} …")
        detections.append(hypervisor.detect())
    return detections, look(world, tell)


def as_json(detections: list[Detection], left: tuple[LeftOver, ...]) -> dict[str, Any]:
    """The same as keys of one document."""
    return {
        "hypervisors": [{**asdict(each), "can": sorted(each.can)} for each in detections],
        "left_over": [each.to_json() for each in left],
    }


def tell_found(detections: list[Detection], left: tuple[LeftOver, ...]) -> None:
    """The same in lines."""
    say()
    say("Hypervisors, for lab guests; one is enough:")
    for each in detections:
        word = "ok     " if each.starts else "lacking"
        say(f"{word}  {each.title}: {f'{each.version} at {each.path}' if each.found else 'not here'}")
        for problem in each.problems:
            say(f"         {problem.text}")
            if problem.hint:
                say(f"         what to do: {problem.hint}")
        if not each.found and each.how:
            say(f"         what to do: {each.how}")
    say()
    if not left:
        say("Nothing was left over by guests or unfinished work.")
        return
    say("Left over:")
    for thing in left:
        say(f"  {thing.text} ({thing.where})")
        say(f"         what to do: {thing.how}")
