"""What VMware says, and what it means. vmrun tells its errors on its ordinary output and ends with 255.

Some of its words hide the cause (“The operation was canceled”): then the guest's own vmware.log has it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from smartos_wizard.core import text
from smartos_wizard.core.errors import WizardError
from smartos_wizard.guests.model import Guest

LOG = "vmware.log"
_TAIL = 256 << 10
_SLACK = 3.0
"""Seconds by which a file system may date a file too early."""
_ERROR = re.compile(r"^\s*Error:\s*(.+?)\s*$", re.MULTILINE)
_MESSAGE = re.compile(r"\[(msg\.[A-Za-z0-9_.\-]+)\]\s*(.*)")
_LONGEST = 240

_KNOWN: tuple[tuple[str, str, str, str], ...] = (
    ("vmmon", "vmmon-missing", "VMware's kernel module vmmon is not loaded.",
     "`sudo vmware-modconfig --console --install-all` builds it; with Secure Boot it must be signed as well."),
    ("not enough physical memory", "guest-memory", "This machine has not enough free memory for the guest.",
     "Close something, or give the guest less memory."),
    ("promiscuous mode", "vmware-promiscuous", "VMware does not let this user see all frames of the network.",
     "Linux: rights to write /dev/vmnet0 and /dev/vmnet8. Fusion: set “Require authentication to enter promiscuous mode” off."),
    ("vt-x is disabled", "no-vt", "Virtualisation is switched off in this machine's firmware.",
     "Switch Intel VT-x or AMD SVM on there."),
    ("vmx_in_vmx_root_mode", "vt-in-use", "Another hypervisor holds the processor's virtualisation.",
     "End its guests first (KVM, VirtualBox), or unload its kernel module."),
    ("device/credential guard", "hyper-v", "Windows keeps the processor's virtualisation for Hyper-V.",
     "Switch Device Guard off, or use a newer VMware."),
    ("nested virtualization", "no-nesting", "VMware cannot nest virtual machines on this machine.",
     "Make the guest without --nested."),
    ("virtualized intel vt-x/ept", "no-nesting", "VMware cannot nest virtual machines on this machine.",
     "Make the guest without --nested."),
    ("virtualized amd-v/rvi", "no-nesting", "VMware cannot nest virtual machines on this machine.",
     "Make the guest without --nested."),
    ("expired", "vmware-licence", "VMware's trial or licence is over.",
     "17.6.2 and later (Fusion 13.6.2) need no key."),
    ("license", "vmware-licence", "VMware wants a licence.", "17.6.2 and later (Fusion 13.6.2) need no key."),
    ("could not open virtual machine", "vmx-refused", "VMware cannot read the guest's .vmx file.",
     "`smartos-wizard guest show` tells what is in it."),
    ("cannot open vm", "vmx-refused", "VMware cannot read the guest's .vmx file.",
     "`smartos-wizard guest show` tells what is in it."),
    ("dictionary problem", "vmx-refused", "VMware cannot read the guest's .vmx file.",
     "A key may stand in it twice."),
    ("incompatible", "vmware-too-old", "This VMware is too old for the guest's virtual hardware.",
     "Workstation 16 and Fusion 12 are the first that know it."),
    ("failed to lock", "guest-locked", "Another program has the guest's files open.",
     "Close it in VMware's window, or wait until VMware has let go of it."),
    ("already in use", "guest-locked", "Another program has the guest's files open.",
     "Close it in VMware's window, or wait until VMware has let go of it."),
    ("appears to be in use", "guest-locked", "Another program has the guest's files open.",
     "Close it in VMware's window, or wait until VMware has let go of it."),
    ("no space left", "guest-disk-full", "Where the guest lies there is no room left.", "Make room."),
    ("insufficient permissions", "vmware-rights", "VMware was not allowed to open a file of the guest.",
     "Who made the guest? It belongs to that user."),
    ("tools are not running", "no-tools", "The guest has no VMware Tools, so it cannot be asked.",
     "SmartOS has none: shut it down from inside, or switch it off."),
    ("tools are not installed", "no-tools", "The guest has no VMware Tools, so it cannot be asked.",
     "SmartOS has none: shut it down from inside, or switch it off."),
    ("not powered on", "guest-not-running", "The guest does not run.", ""),
)  # fmt: skip
"""A word in what VMware says (small letters), our reference, what it means, what to do."""


def error_in(said: str, code: int) -> str | None:
    """VMware's own words of an error in what a program said, None where it went well."""
    match = _ERROR.search(said)
    if match is not None:
        return _short(match[1])
    if code == 0:
        return None
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return _short(lines[-1]) if lines else f"nothing, and ended with {code}"


def failed(
    reference: str, what: str, words: str, guest: Guest | None = None, since: float = 0.0
) -> WizardError:
    """The error for VMware's words: what happened, its words and the log's, what it means, what to do.

    `since` is when the command began: a log that is older tells of something else.
    """
    logged = logged_errors(guest.folder, since) if guest is not None else ()
    for said in (words, *reversed(logged)):
        for sign, known, meaning, hint in _KNOWN:
            if sign in said.lower():
                quoted = f"VMware says: {words}" + (f" Its log: {said}" if said != words else "")
                return WizardError(
                    known, f"{what} {meaning} {quoted}".strip(), hint=hint, context=_where(guest)
                )
    more = f" Its log: {logged[-1]}" if logged else ""
    hint = f"The whole story may be in {guest.folder / LOG}." if guest is not None else ""
    return WizardError(reference, f"{what} VMware says: {words}{more}", hint=hint, context=_where(guest))


def logged_errors(folder: Path, since: float = 0.0) -> tuple[str, ...]:
    """The messages of errors at the end of the guest's vmware.log, oldest first, at most five.

    None where the log was last written before `since`, in seconds since the epoch.
    """
    try:
        with (folder / LOG).open("rb") as file:
            if os.fstat(file.fileno()).st_mtime < since - _SLACK:
                return ()
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ()
    return tuple(_short(each) for each in _messages(lines)[-5:])


def _messages(lines: Sequence[str]) -> list[str]:
    """VMware logs `Msg_Post: Error` and below it one line `[msg.…] words` for each part of the message."""
    found: list[str] = []
    within = False
    for line in lines:
        message = _MESSAGE.search(line)
        if "Msg_Post: Error" in line:
            within = True
            found.append("")
        elif within and message is not None:
            found[-1] = f"{found[-1]} {message[2]}".strip()
        else:
            within = False
    return [each for each in found if each]


def _short(words: str) -> str:
    return text.tame(words, _LONGEST)


def _where(guest: Guest | None) -> str:
    return str(guest.folder) if guest is not None else ""
