"""The steps of a runbook: one thing to do each, with what must be seen and what to do where it is not.

Menus and keys are those of today's loader (illumos-joyent: usr/src/boot/sys/boot/forth/joyent.menu.rc): “Configure Boot
[O]ptions...”, “[R]escue Mode”. Keys made before April 2019 have GRUB's menu, and its words stand as the exception.
Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from smartos_wizard.boot.pool_picture import pool_picture
from smartos_wizard.core.text import counted, tame
from smartos_wizard.reinstall.model import BootedFrom, Mode, Pool, Way
from smartos_wizard.reinstall.planning_steps import PROPERTY, Scene, loader_lines
from smartos_wizard.reinstall.saying import doomed, listed, pool_name, pools
from smartos_wizard.reinstall.ways import Fate

OLD_MENU = (
    "The menu is a plain list without “Options” (a key made before April 2019)",
    "Choose the line with “noinstall/recovery”, or “noinstall” on still older keys. Login root, password root.",
)
_PLUG = "Plug nothing in: every other pool that this boot can import dies too."


@dataclass(frozen=True, slots=True)
class Todo:
    """One step. `keys` are pressed or done, `typed` are lines for a shell or prompt, each ended with Enter; `see`
    must be seen then; `otherwise` are pairs of what is seen instead and what to do. `final`: no way back after it.
    """

    title: str
    keys: tuple[str, ...] = ()
    typed: tuple[str, ...] = ()
    see: tuple[str, ...] = ()
    otherwise: tuple[tuple[str, str], ...] = ()
    final: bool = False

    @property
    def acts(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What is typed and what is done, in order, as `Type` and `Do` with their lines: keys come after a reboot."""
        rebooting = self.typed[:1] == ("reboot",)
        first, rest = (self.typed[:1], self.typed[1:]) if rebooting else ((), self.typed)
        return tuple(each for each in (("Type", first), ("Do", self.keys), ("Type", rest)) if each[1])


def todos_of(scene: Scene) -> tuple[Todo, ...]:
    """All steps, in order."""
    rescue = scene.survey.mode is Mode.RESCUE
    way = {Way.RESET: _reset, Way.LOADER: _loader, Way.RESCUE: _rescue}[scene.choices.way]
    before = [_same_machine(scene), _medium(scene)]
    if not rescue:
        before += [_note_down(scene), *_stop_instances(scene)]
    return (*before, *way(scene), *_setup(scene), _check(scene))


def _same_machine(scene: Scene) -> Todo:
    survey = scene.survey
    here = [p for p in survey.pools if p.imported]
    seen = [pool for pool in survey.pools if not pool.imported]
    see = [f"hostid says {tame(survey.hostid)}."]
    see += [f"zpool list: {tame(p.name)}, guid {tame(p.guid)}, {tame(p.health)}" for p in here] or ["zpool list: no pools available"]  # fmt: skip
    see.append("and no other line." if here else "")
    see += [f"zpool import: {tame(pool.name)}, id {tame(pool.guid)}" for pool in seen] or ["zpool import: nothing to import."]  # fmt: skip
    return Todo(
        "Make sure it is this machine, unchanged", typed=("hostid", "zpool list -o name,guid,health", "zpool import"),
        see=tuple(filter(None, see)),
        otherwise=(("Another hostid", "This is not the machine. Stop here."),
                   ("Another pool, another guid, or one is missing", "Stop here. Survey the machine again, and make a new runbook.")),
    )  # fmt: skip


def _medium(scene: Scene) -> Todo:
    keys = []
    if scene.survey.booted_from is BootedFrom.NETWORK and not scene.survey.medium:
        keys.append("Make sure that the machine boots from the network, and that its boot server answers.")
    else:
        keys.append(
            "Leave the SmartOS key (or CD) in the machine, and put it first in the firmware's boot order."
        )
    usb = [p for p in scene.survey.pools if p.usb]
    if usb:
        keys.append(
            f"Unplug the USB disks of {listed([pool_name(p) for p in usb])} now, unless they are to die too."
        )
    else:
        keys.append("Unplug every other USB disk.")
    if scene.choices.by_hand:
        keys.append(
            "Make sure that the key holds no private/answers.json that takes the layout without asking."
        )
    bootable = [p for p in scene.outcome.destroyed if p.bootable]
    if bootable:
        keys.append(f"{listed([tame(p.name) for p in bootable])} starts the machine now, and its boot code stays on the disks: the firmware must not try them first.")  # fmt: skip
    return Todo(
        "Something to boot from", keys=tuple(keys),
        otherwise=(("There is no key", "Stop here. Without one the machine does not start again. `smartos-wizard key write` makes one."),),
    )  # fmt: skip


def _note_down(scene: Scene) -> Todo:
    return Todo(
        "Write down what you will type again",
        typed=("cat /usbkey/config", "vmadm list", "imgadm list", f"zfs list -t snapshot -r {scene.name}"),
        see=("Address, netmask, gateway, DNS and host name of the machine.",),
        otherwise=(("Something here is still needed", "Stop here and copy it away first."),),
    )


def _stop_instances(scene: Scene) -> list[Todo]:
    running = [instance for instance in scene.survey.instances if instance.running]
    if not running:
        return []
    typed = [f"vmadm stop {uuid}" for uuid in (tame(instance.uuid) for instance in running)]
    return [
        Todo(
            f"Stop {counted(len(running), 'instance')}", typed=(*typed, "vmadm list"),
            see=("Every line of vmadm list says stopped.",),
            otherwise=(("One still runs after some minutes", "Type vmadm stop -F and its UUID."),),
        )
    ]  # fmt: skip


def _reset(scene: Scene) -> list[Todo]:
    pool = scene.name
    mark = Todo(
        f"Mark {pool} to be destroyed",
        typed=(f"zfs set {PROPERTY}=yes {pool}/var", f"zfs get -H -o value {PROPERTY} {pool}/var"),
        see=("yes",),
        otherwise=(("You change your mind, until the reboot", f"Type zfs inherit {PROPERTY} {pool}/var; then nothing happens."),
                   ("dataset does not exist", "Stop here. This is not the pool SmartOS lives on.")),
    )  # fmt: skip
    if not scene.outcome.limited:
        again = f"While it boots anew: power off, boot in Rescue Mode, zpool import -N {pool}, zfs inherit {PROPERTY} {pool}/var."  # fmt: skip
        boot = Todo("Reboot. This destroys " + _doomed(scene), typed=("reboot",), keys=(_PLUG,), see=("The loader's menu, then SmartOS boots. Leave the menu alone.",),
                    otherwise=(("You change your mind now", again),), final=True)  # fmt: skip
        return [mark, boot]
    risked = listed([tame(p.name) for p in scene.outcome.of(Fate.RISKED)]) or "every other pool"
    return [
        mark,
        *_at_prompt(scene, missed=f"{risked} will be destroyed too. Power the machine off at once."),
    ]


def _loader(scene: Scene) -> list[Todo]:
    return _at_prompt(scene, missed="It boots normally, and nothing is destroyed. Log in, type reboot, and be quicker.")  # fmt: skip


def _at_prompt(scene: Scene, missed: str) -> list[Todo]:
    prompt = Todo(
        "Go to the loader's prompt", typed=("reboot",), keys=("When the menu shows, press Esc. It waits ten seconds.",),
        see=("A line that begins with “ok” or “OK”.",), otherwise=(("The menu has gone", missed),),
    )  # fmt: skip
    typed: list[str] = []
    see: list[str] = []
    for line in loader_lines(scene):
        name, _, value = line.removeprefix("set ").partition("=")
        typed += [line, f"show {name}"]
        see.append(f"{value}   after show {name}, letter by letter")
    words = Todo(
        "Say what this one boot is to do", typed=tuple(typed), see=tuple(see),
        otherwise=(("Anything else, or “not found”", "Type the line again. If in doubt type reboot, and let it boot normally."),),
    )  # fmt: skip
    boot = Todo("Boot. This destroys " + _doomed(scene), keys=() if scene.outcome.limited else (_PLUG,), typed=("boot",), see=("SmartOS boots.",), final=True)  # fmt: skip
    return [prompt, words, boot]


def _rescue(scene: Scene) -> list[Todo]:
    target = scene.target
    todos = [] if scene.survey.mode is Mode.RESCUE else [_into_rescue(scene)]
    if scene.survey.mode is not Mode.RESCUE or not target.imported:
        todos.append(_import(target))
    others = [pool for pool in scene.survey.pools if pool is not target]
    there = [p for p in others if p.imported] if scene.survey.mode is Mode.RESCUE else []
    left = [f"zpool list: {pool_name(pool)}" for pool in there] or ["zpool list: no pools available"]
    todos.append(
        Todo(
            f"Destroy {pool_name(target)}", typed=(f"zpool destroy {target.name}", "zpool list", "zpool import"),
            see=(*left, *(f"zpool import: {pool_name(p)}" for p in others if p not in there), f"{target.name} is nowhere."),
            otherwise=(("pool is busy", f"Type zpool destroy -f {target.name}."),
                       ("It was a mistake", f"Write nothing. zpool import -D shows it; zpool import -D -f -N {target.guid} may bring it back.")),
            final=True,
        )
    )  # fmt: skip
    todos.append(Todo("Reboot normally", typed=("reboot",), see=("The loader's menu; leave it alone. “Rescue Mode” is off again by itself.",)))  # fmt: skip
    return todos


def _into_rescue(scene: Scene) -> Todo:
    if scene.survey.booted_from is BootedFrom.NETWORK and not scene.survey.medium:
        keys: tuple[str, ...] = (
            "In the network boot's menu choose the rescue mode, then the release.",
            "With a script of your own: smartos=false,noimport=true,standalone=true on the kernel's -B line.",
        )
    else:
        keys = (
            "In the loader's menu press o: “Configure Boot [O]ptions...”. The menu waits ten seconds.",
            "Press r: “[R]escue Mode” changes to On.", "Press 1 to go back, then Enter to boot.",
            "Log in as root, password root.",
        )  # fmt: skip
    return Todo(
        "Boot in Rescue Mode, where no pool is imported", typed=("reboot", "zpool list"), keys=keys,
        see=("zpool list: no pools available",),
        otherwise=(
            ("The menu has gone", "It boots normally, and nothing is destroyed. Type reboot, and be quicker."), OLD_MENU,
            ("The password is refused", "Use the one in SINGLE_USER_ROOT_PASSWORD.txt of that release."),
            ("zpool list shows pools", "This is not Rescue Mode. Destroy nothing; type reboot, and begin this step again."),
        ),
    )  # fmt: skip


def _import(target: Pool) -> Todo:
    return Todo(
        f"Import {target.name} alone, by its guid",
        typed=("zpool import", f"zpool import -f -N {target.guid}", "zpool list -o name,guid"),
        see=(f"Exactly one line: {target.name}   {target.guid}",),
        otherwise=(("Another name or guid, or a second line", f"Destroy nothing. Type zpool export {target.name}, then reboot."),
                   ("no such pool available", "Destroy nothing. The pool is not there any more, or a disk is missing.")),
    )  # fmt: skip


def _setup(scene: Scene) -> list[Todo]:
    after = scene.after
    begin = Todo(
        "Setup begins on the console", keys=("Answer its questions about the network.",),
        see=("“You must answer the following questions to configure your SmartOS node.”",),
        otherwise=(("Nothing on the screen, or it waits silently", "Press Enter. If nothing comes, the console is another one: look at the serial line."),
                   ("A login and no setup", f"The pool may still be there. zpool list tells; begin again with step 1 if it shows {scene.name}."),
                   ("It does not boot at all", "In the firmware choose the SmartOS key. Old boot code on the disks may hang.")),
    )  # fmt: skip
    drawn = (
        tuple(pool_picture(after.preview.layout, 70, True)) if after.preview is not None else (after.problem,)
    )
    if after.answer == "manual":
        typed = ("manual", *([after.command] if after.command else []), "exit")
        layout = Todo("Answer “manual” for the layout, and make the pool by hand", typed=typed, see=drawn, keys=_not_yes(scene),
                      otherwise=(("is part of active pool, or of exported or potentially active pool", "Do not add -f. That disk belongs to a pool that is to live: leave it out."),))  # fmt: skip
    else:
        layout = Todo("Take the layout", typed=("yes",), see=drawn, keys=_if_overwritten(scene),
                      otherwise=(("Another layout, or other disks", "Type manual, then exit, and look before you take it."),))  # fmt: skip
    return [begin, layout]


def _doomed(scene: Scene) -> str:
    return doomed(scene.outcome.of(Fate.DESTROYED), scene.outcome.of(Fate.RISKED))


def _not_yes(scene: Scene) -> tuple[str, ...]:
    live = [pool for pool in scene.outcome.alive_if_by_hand if not pool.usb]
    return (f"Never type yes: that layout counts in the disks of {listed([tame(p.name) for p in live])}.",) if live else ()  # fmt: skip


def _if_overwritten(scene: Scene) -> tuple[str, ...]:
    later = scene.outcome.of(Fate.OVERWRITTEN)
    return (f"This overwrites {pools(later)} as well.",) if later else ()


def _check(scene: Scene) -> Todo:
    kept = [fate.pool for fate in scene.outcome.fates if not fate.dies and fate.pool.name != scene.name]
    return Todo(
        "After setup's reboot: look", typed=("zpool list", "zpool status zones", "zfs list -d 1 zones", "svcs -xv", "swap -l", "uname -v"),
        see=("zones is ONLINE; config, cores, dump, opt, swap, usbkey and var are in it.", "svcs -xv says nothing.",
             *(f"{pool_name(pool)} is still there (zpool list, or zpool import)." for pool in kept)),
        otherwise=(("failed to create swap partition", "The pool is smaller than the memory. Larger disks, or less memory."),),
    )  # fmt: skip
