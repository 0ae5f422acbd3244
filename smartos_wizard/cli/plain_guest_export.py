"""A guest for other programs, line by line; and the offer to stop it first, for what wants a guest that is off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartos_wizard.cli.output import plan_lines
from smartos_wizard.cli.plain_work import PlainWork

if TYPE_CHECKING:
    from smartos_wizard.guests.model import Guest

_FORMATS = (
    ("ova", ".ova", "OVA, one file for VirtualBox and VMware, with its disks in it"),
    ("libvirt", ".xml", "libvirt domain, a description over its own disks, for virsh and virt-manager"),
    ("utm", ".utm", "UTM bundle, a folder with copies of its disks, for a Mac"),
)


def stopped(work: PlainWork, guest: Guest, why: str) -> bool:
    """Whether the guest is off, after offering to stop one that runs. `why` is the reason it has to be."""
    from smartos_wizard.guests.looking import look
    from smartos_wizard.guests.planning import plan_stop, running

    def on() -> bool:
        return running(look(work.desk.world, guest).state)

    if not on():
        return True
    voice = work.voice
    voice.say(f"{guest.name} runs. {why}")
    voice.say("1. Ask it to shut down, and switch it off after 90 seconds. 2. Leave it on.")
    if voice.choose("Stop it first?", 2) != 0:
        return False
    work.run(plan_stop(guest))
    return not on()


def export(work: PlainWork, guest: Guest) -> None:
    """Ask as what and where to, show the plan, write it. Raises what planning raises."""
    from smartos_wizard.guests.export.planning import plan_export
    from smartos_wizard.guests.export.words import file_stem
    from smartos_wizard.screens.sandbox_start import path_of

    voice = work.voice
    if not stopped(work, guest, "An export copies disks, and those of a running guest change meanwhile."):
        return
    for number, (_kind, _ending, words) in enumerate(_FORMATS, 1):
        voice.say(f"{number}. {words}")
    chosen = voice.choose("Export it as what?", len(_FORMATS))
    if chosen is None:
        return
    kind, ending, _words = _FORMATS[chosen]
    target = voice.ask(f"A new file, for example ~/{file_stem(guest.name)}{ending}, or b to leave it")
    if target in ("b", ""):
        return
    plan = plan_export(guest, kind, path_of(target), work.desk.world)
    for line in plan_lines(plan):
        voice.say(line)
    voice.say("1. Write it. 2. Go back.")
    if voice.choose("Write it?", 2) == 0:
        work.run(plan)
