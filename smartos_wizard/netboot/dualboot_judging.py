"""What speaks against SmartOS beside this Linux, where its files can go, and what has to be known before.

Pure. Facts: old SmartOS wiki, “Booting SmartOS from GRUB2”; illumos: fs-joyent (pools), uts/i86pc/dboot (multiboot);
smartos-live: smartos_prompt_config.sh (the default layout takes every fixed disk).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from smartos_wizard.boot.answers_traps import unattended
from smartos_wizard.core.text import size
from smartos_wizard.netboot.dualboot_model import HOMES, READABLE, Problem, Setup, Volume, Way

_SLACK = 16 << 20
"""Bytes that stay free beside what is copied, for the menu and the file system itself; a rule of this program."""


def stops(setup: Setup, way: Way, needed: int | None, uuid: str = "") -> tuple[Problem, ...]:
    """Everything that refuses it. `needed` is the size of what is copied, None where it is not known yet; `uuid` of the
    partition that a loader is chained from.
    """
    if setup.kernel != "Linux":
        return (_not_linux(setup),)
    found = [*_machine(setup, way), *_loader(setup, uuid), *_grub(setup, way)]
    if setup.installed:
        found.append(
            Problem(
                "already-installed", f"SmartOS is beside this Linux already, or an installation was cut short: {setup.installed}.",
                "Take it away first: smartos-wizard dualboot remove. Your SmartOS pool is not touched by that.",
            )
        )  # fmt: skip
    if not any(p.reference in ("not-a-pc", "secure-boot", "no-grub") for p in found):
        found += _place(setup, needed)
    return tuple(found)


def _not_linux(setup: Setup) -> Problem:
    return Problem(
        "not-linux", f"This computer runs {setup.system}. SmartOS beside it is an entry in the GRUB menu of a Linux.",
        "Write a USB key for another machine (smartos-wizard key write), or try SmartOS in a sandbox (smartos-wizard guest create).",
    )  # fmt: skip


def _machine(setup: Setup, way: Way) -> Iterator[Problem]:
    if setup.arch not in ("x86_64", "amd64"):
        yield Problem("not-a-pc", f"SmartOS runs on x86-64 machines only; this one is {setup.arch}.")
        return
    if setup.firmware == "bios":
        if way is Way.CHAINLOAD:
            yield Problem(
                "bios-needs-no-chainloading", "This machine starts by BIOS: there GRUB loads SmartOS itself.", "Leave out --chainload."
            )  # fmt: skip
        return
    if setup.secure_boot:
        yield Problem(
            "secure-boot", "Secure Boot is on: the firmware starts nothing of SmartOS, which has no signature for it.",
            "Switch Secure Boot off in the firmware's set-up, if this Linux starts without it too. Or use a USB key on another machine.",
        )  # fmt: skip
    if way is not Way.CHAINLOAD:
        yield Problem(
            "uefi-needs-chainloading",
            "This machine starts by UEFI. GRUB loads SmartOS' kernel by the multiboot protocol, which is made for BIOS: "
            "nobody has reported that it works from UEFI, so it is not set up.",
            f"Let GRUB start the SmartOS loader of a key or disk instead: {_which(setup)}. Or write a key: smartos-wizard key write.",
        )  # fmt: skip


def _which(setup: Setup) -> str:
    found = [fat for fat in setup.fats if fat.smartos]
    if found:
        return " or ".join(f"--chainload {fat.uuid} (the SmartOS key at {fat.path})" for fat in found)
    return (
        "--chainload UUID, the file system UUID of the partition that holds SmartOS' /EFI/BOOT/BOOTX64.EFI "
        "(`lsblk -o NAME,LABEL,UUID`; on a key it is called SYSTEM)"
    )


def _loader(setup: Setup, uuid: str) -> Iterator[Problem]:
    """The loader looks for SmartOS on its own disk only (illumos: boot/sys/boot/efi/loader/main.c)."""
    found = next((fat for fat in setup.fats if fat.uuid.lower() == uuid.lower()), None)
    if uuid and found is not None and found.own and not found.smartos:
        yield Problem(
            "loader-of-linux", f"{found.path} ({uuid}) is on a disk of this Linux, and there is no SmartOS on that disk: its loader "
            "looks for SmartOS nowhere else.", f"Name the partition of SmartOS: {_which(setup)}.",
        )  # fmt: skip
    elif uuid and found is None and setup.firmware == "uefi":
        yield Problem(
            "loader-not-here", f"No partition with the UUID {uuid} is seen now. The entry works while it is attached.",
            "Plug the key in and look: lsblk -o NAME,LABEL,UUID", "warning",
        )  # fmt: skip


def _grub(setup: Setup, way: Way) -> Iterator[Problem]:
    if not setup.grub_dir:
        other = f" It seems to start with {setup.loader}." if setup.loader else ""
        yield Problem(
            "no-grub", f"No GRUB was found here: no grub.cfg in /boot/grub or /boot/grub2 with its grub-mkconfig.{other}",
            "SmartOS beside Linux is an entry of GRUB's menu. Without GRUB, use a USB key: smartos-wizard key write.",
        )  # fmt: skip
        return
    if not setup.checker:
        yield Problem(
            "no-script-check", "The program that checks GRUB's menu (grub-script-check) is not here.",
            "It comes with GRUB's tools: install grub-common, or grub2-tools.",
        )  # fmt: skip
    if setup.multiboot is False and way is not Way.CHAINLOAD:
        yield Problem(
            "no-multiboot-module", f"There is no {setup.grub_dir}/i386-pc/multiboot.mod, so GRUB could not load SmartOS' kernel.",
            "Install GRUB for BIOS (grub-pc, or grub2-pc-modules) and run grub-install for the disk it starts from.",
        )  # fmt: skip


def _place(setup: Setup, needed: int | None) -> Iterator[Problem]:
    if home_for(setup, needed):
        return
    reasons = list(dict.fromkeys(p for v in setup.volumes for p in volume_stops(v, needed)))
    yield from reasons[:1]
    for more in reasons[1:]:
        yield Problem(more.reference, more.text, more.hint, "note")


def home_for(setup: Setup, needed: int | None) -> str:
    """The first place that takes it; empty where none does."""
    pairs = zip(HOMES, setup.volumes, strict=True)
    return next((home for home, volume in pairs if not list(volume_stops(volume, needed))), "")


def volume_of(setup: Setup, home: str) -> Volume:
    """The file system of one of HOMES. Only for a home that `home_for` gave."""
    found = setup.volumes[HOMES.index(home)]
    assert found is not None
    return found


def volume_stops(volume: Volume | None, needed: int | None) -> Iterator[Problem]:
    """Why SmartOS' files cannot lie on that file system."""
    if volume is None:
        yield Problem("boot-unknown", "It cannot be told which file system /boot lies on.")
        return
    if "LUKS" in volume.layers:
        yield Problem(
            "boot-encrypted", f"{volume.point} is encrypted: GRUB could not read SmartOS from it without your passphrase, if at all.",
            "An unencrypted /boot of its own would do; or use a USB key.",
        )  # fmt: skip
    elif volume.fstype not in READABLE:
        yield Problem(
            "boot-not-readable", f"{volume.point} is {volume.fstype or 'of an unknown kind'}, from which GRUB is not known to load it.",
            f"GRUB reads {', '.join(READABLE)}. Or use a USB key.",
        )  # fmt: skip
    elif other := [layer for layer in volume.layers if layer not in ("LVM", "RAID", "multipath")]:
        yield Problem(
            "boot-not-readable", f"{volume.point} lies on {other[0]}, which GRUB does not see.", "Use a USB key."
        )  # fmt: skip
    elif not volume.uuid:
        yield Problem(
            "no-uuid", f"The UUID of the file system at {volume.point} cannot be told, and GRUB finds it by nothing else.",
            "Run it as root: sudo smartos-wizard dualboot plan.",
        )  # fmt: skip
    elif needed is not None and volume.free is not None and volume.free < needed + _SLACK:
        yield Problem(
            "no-room", f"{volume.point} is too full: {size(needed + _SLACK)} are needed, {size(volume.free)} are free.",
            "Remove old kernels (apt autoremove, dnf remove --oldinstallonly), or use a USB key.",
        )  # fmt: skip


def dangers(setup: Setup, way: Way, pools: tuple[str, ...]) -> tuple[Problem, ...]:
    """What has to be known before, the worst first."""
    return tuple(_dangers(setup, way, pools))


def _dangers(setup: Setup, way: Way, pools: tuple[str, ...]) -> Iterator[Problem]:
    yield Problem(
        "takes-all-disks",
        "SmartOS' setup takes every fixed disk by default, this Linux's disk too, and erases them. "
        "When it asks for the pool layout, answer `manual`, and in the shell make the pool on a disk that you name: "
        "zpool create zones DISK (diskinfo lists them), then exit.",
        level="warning",
    )
    if setup.unused:
        yield Problem(
            "unused-disks", f"Disks that this Linux does not use: {'; '.join(setup.unused)}.", level="note"
        )
    elif setup.unused is not None:
        yield Problem(
            "no-disk-of-its-own",
            "Every fixed disk here is used by this Linux: there is none for SmartOS' pool. It can be started and looked at "
            "(rescue entry), but its setup would have nothing to take but this Linux.",
            "Add a disk before you run its setup.", "warning",
        )  # fmt: skip
    if way is Way.CHAINLOAD:
        yield Problem(
            "imports-every-pool", "Started by its own loader, SmartOS imports every ZFS pool it sees, by force, and changes a "
            "feature of it. Write zpools=\"zones\" into boot/loader.conf.local of the key: smartos-wizard key configure --zpools zones.",
            level="warning",
        )  # fmt: skip
    else:
        yield Problem(
            "imports-pools",
            f"SmartOS imports every ZFS pool it sees, by force, at each start. The entry says zpools={','.join(pools)}, so it takes "
            "no other; a pool of that name that belongs to something else would be taken.",
            level="warning" if setup.pools else "note",
        )  # fmt: skip
    if setup.pools:
        yield Problem(
            "linux-has-pools", f"There are ZFS pools on these disks: {', '.join(setup.pools)}. In rescue nothing is imported.",
            level="warning" if set(setup.pools) & set(pools) else "note",
        )  # fmt: skip
    if setup.menu_hidden:
        yield Problem(
            "menu-hidden", "GRUB's menu is not shown here: hold Shift, or press Esc, while the machine starts. "
            "Or set GRUB_TIMEOUT=5 and GRUB_TIMEOUT_STYLE=menu in /etc/default/grub.",
            level="note",
        )  # fmt: skip
    if setup.secure_boot is None:
        yield Problem(
            "secure-boot-unknown",
            "Whether Secure Boot is on cannot be told; it has to be off.",
            level="warning",
        )


def answers_stop(answers: Mapping[str, str] | None) -> Problem | None:
    """Refuse answers with which setup would erase this Linux without a question."""
    if answers is None:
        return None
    if answers.get("zpool_confirm_layout"):
        said = "without a question" if unattended(answers) else "once its last question is answered"
        return Problem(
            "answers-take-all-disks",
            f"These answers accept the default pool layout: setup would erase every fixed disk, this Linux too, {said}.",
            "Leave zpool_confirm_layout out of the answers: setup then asks, and you answer `manual`.",
        )
    return None
