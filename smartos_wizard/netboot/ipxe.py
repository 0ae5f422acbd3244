"""The iPXE scripts of a tree: the first one, the menu, and one for each machine with wishes of its own.

Our own text. Facts: smartos-docs, pxe-booting-smartos (kernel, modules and their arguments); illumos dboot (a hash
module has the name of what it guards); ipxe.org/scripting. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from smartos_wizard.boot.model import CONSOLES, BootChoices, Kmdb
from smartos_wizard.netboot.bootline import (
    CONSOLE,
    RESCUE,
    RESCUE_SHADOW,
    SPEED,
    own_properties,
    quoted,
)
from smartos_wizard.netboot.model import ARCHIVE, FIRST_SCRIPT, HASH, KERNEL, MENU, RELEASES, Machine

MARK = "# Written by SmartOS Wizard: `smartos-wizard netboot build` writes it anew."
DELAY = 10
"""Seconds a menu waits, as SmartOS's own."""
_KMDB = {"off": "", "loaded": "-k", "boot": "-kd"}


@dataclass(frozen=True, slots=True)
class Extra:
    """A file that is loaded beside the archive: its path in the tree, the name SmartOS sees. Its hash lies beside it."""

    path: str
    name: str


def first_script(machines: tuple[Machine, ...]) -> str:
    """What every machine is given first: UEFI is told off, machines with scripts of their own go there."""
    lines = [
        "#!ipxe", MARK,
        "iseq ${platform} pcbios || goto uefi",
        *(f"iseq ${{netX/mac:hexhyp}} {m.mac} && goto {_label(m)} ||" for m in machines),
        "goto all",
    ]  # fmt: skip
    for machine in machines:
        lines += [
            f":{_label(machine)}",
            f"chain --replace --autofree {machine.place}/{FIRST_SCRIPT} || goto fail",
        ]
    lines += [
        ":all",
        f"chain --replace --autofree {MENU} || goto fail",
        ":fail",
        "echo",
        "echo The menu of SmartOS could not be fetched. The line above says why.",
        "prompt --timeout 30000 Any key tries again; it does so by itself in 30 seconds. ||",
        f"chain --replace --autofree {FIRST_SCRIPT} ||",
        "goto fail",
        ":uefi",
        "echo",
        "echo This machine started iPXE by UEFI. iPXE starts SmartOS by BIOS only: with UEFI",
        "echo it would say Exec format error. Nothing was started.",
        "echo",
        "echo What works: switch the machine to BIOS (legacy, CSM) boot and come back,",
        "echo or start it from a USB key: smartos-wizard key write",
        "prompt --timeout 60000 Any key leaves. ||",
        "exit 1",
    ]
    return "\n".join(lines) + "\n"


def menu_script(
    stamps: tuple[str, ...], choices: BootChoices, *, up: str = "", title: str = "SmartOS", extras: tuple[Extra, ...] = ()
) -> str:  # fmt: skip
    """A menu of the releases, newest first, that begins with these choices. Raises UsageProblem.

    `up` leads from the script's place to the root of the tree, `extras` are loaded with every release.
    """
    newest = stamps[0]
    console = choices.console or CONSOLE
    delay = DELAY if choices.delay is None else choices.delay
    lines = [
        "#!ipxe", MARK,
        f"set console {console}",
        f"set rescue {'on' if choices.rescue else 'off'}",
        f"set kmdb {_kmdb(choices.kmdb)}",
        f"set verbose {'-v' if choices.verbose else ''}".rstrip(),
        f"set chosen {newest}",
        ":menu",
        "imgfree",
        f"menu {title} over the network",
        "item --gap Releases, newest first",
        *(f"item {stamp} SmartOS {stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}  {stamp}" for stamp in stamps),
        "item --gap Options",
        "item --key c console (c) Console SmartOS talks on: ${console}",
        "item --key r rescue  (r) Rescue, imports no pool, root's password is root: ${rescue}"
        if not choices.root_shadow else "item --key r rescue  (r) Rescue, imports no pool: ${rescue}",
        "item --key k kmdb    (k) Kernel debugger: ${kmdb}",
        "item --gap",
        "item --key s shell   (s) iPXE shell",
        "item --key x leave   (x) Leave, go on with the next boot device",
        _choose(delay),
        "iseq ${picked} console && goto console ||",
        "iseq ${picked} rescue && goto rescue ||",
        "iseq ${picked} kmdb && goto kmdb ||",
        "iseq ${picked} shell && goto shell ||",
        "iseq ${picked} leave && goto leave ||",
        "set chosen ${picked}",
        "goto start",
        *_turns(),
        *_start(choices, up, extras),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _choose(delay: int) -> str:
    """The timeout is in milliseconds, and 0 would wait for ever: what should not wait gets one."""
    wait = "" if delay < 0 else f" --timeout {max(1, delay * 1000)}"
    return f"choose --default ${{chosen}}{wait} picked || goto leave"


def _turns() -> list[str]:
    """The options, each of which goes round."""
    lines = [":console"]
    for name, following in zip(CONSOLES, (*CONSOLES[1:], CONSOLES[0]), strict=True):
        lines.append(f"iseq ${{console}} {name} && set console {following} && goto menu ||")
    lines += [
        "goto menu",
        ":rescue",
        "iseq ${rescue} on && set rescue off || set rescue on",
        "goto menu",
        ":kmdb",
        "iseq ${kmdb} off && set kmdb loaded && goto menu ||",
        "iseq ${kmdb} loaded && set kmdb boot && goto menu ||",
        "set kmdb off",
        "goto menu",
        ":shell",
        "echo Type exit to come back.",
        "shell ||",
        "goto menu",
        ":leave",
        "exit",
    ]
    return lines


def _start(choices: BootChoices, up: str, extras: tuple[Extra, ...]) -> list[str]:
    own = choices.console or CONSOLE
    speed = choices.speed or SPEED
    normal = f",root_shadow={quoted('root_shadow', choices.root_shadow)}" if choices.root_shadow else ""
    rescue = "".join(f",{name}={value}" for name, value in RESCUE.items() if name != "smartos")
    rescue += f",root_shadow={quoted('root_shadow', choices.root_shadow or RESCUE_SHADOW)}"
    always = "".join(
        f",{name}={quoted(name, value)}"
        for name, value in own_properties(choices).items()
        if name != "smartos"
    )
    if choices.kmdb in (Kmdb.NMI, Kmdb.BOOT_NMI):
        always += ",nmi=kmdb"
    platform = f"{up}{RELEASES}/${{chosen}}/"
    lines = [
        ":start",
        "imgfree",
        "set line console=${console}",
        f'iseq ${{console}} text || set line ${{line}},${{console}}-mode="{SPEED},8,n,1,-"',
        *([f'iseq ${{console}} {own} && set line console={own},{own}-mode="{speed},8,n,1,-" ||']
          if speed != SPEED and own != "text" else []),
        f"iseq ${{rescue}} on && set line ${{line}},smartos=false{rescue} || set line ${{line}},smartos=true{normal}",
        *([f"set line ${{line}}{always}"] if always else []),
        "set flags ${verbose}",
        *(f"iseq ${{kmdb}} {name} && set flags ${{flags}} {flag} ||" for name, flag in _KMDB.items() if flag),
        "echo SmartOS ${chosen}, console ${console}, rescue ${rescue}",
        "set what the kernel",
        f"kernel {platform}{KERNEL} ${{flags}} -B ${{line}} || goto fail",
        "set what the boot archive",
        f"module {platform}{ARCHIVE} type=rootfs name=ramdisk || goto fail",
        "set what the hash of the boot archive",
        f"module {platform}{HASH} type=hash name=ramdisk || goto fail",
    ]  # fmt: skip
    for extra in extras:
        lines += [
            f"set what {extra.name}",
            f"module {up}{extra.path} type=file name={extra.name} || goto fail",
            f"module {up}{extra.path}.hash type=hash name={extra.name} || goto fail",
        ]
    return [
        *lines,
        "set what the start of SmartOS",
        "boot || goto fail",
        ":fail",
        "imgfree",
        "echo",
        "echo SmartOS ${chosen} was not started: ${what} failed. The line above says why:",
        "echo  No such file: the server has no such release any more. Reset or timed out: the network.",
        "echo  Not enough or no memory: the machine has less than the archive needs, or its BIOS keeps",
        "echo  memory where the archive should go: try another iPXE, or a USB key.",
        "prompt --timeout 30000 Any key shows the menu again; it comes by itself in 30 seconds. ||",
        "goto menu",
    ]


def _label(machine: Machine) -> str:
    return "at_" + machine.mac.replace("-", "")


def _kmdb(kmdb: Kmdb | None) -> str:
    if kmdb in (Kmdb.LOADED, Kmdb.NMI):
        return "loaded"
    return "boot" if kmdb in (Kmdb.BOOT, Kmdb.BOOT_NMI) else "off"
