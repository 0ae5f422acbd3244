"""What VBoxManage said: whether it failed, whether trying again helps, and what it means in plain words.

Its exit code alone does not tell: an error may come with exit code 0, progress goes to stderr when all is well,
and a warning about the kernel module may stand on stdout before the answer of any command.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from smartos_wizard.core import text
from smartos_wizard.core.errors import Refused, WizardError, WriteFailed

_ERROR = re.compile(r"^VBoxManage(?:\.exe|\.bin)?: (?:fatal )?error: (.*)$", re.MULTILINE)
_DETAILS = re.compile(r"Details: code (\w+) \((0x[0-9a-fA-F]+)\)")
_VERR = re.compile(r"\bVERR_[A-Z0-9_]+")
_LAST_OF_WARNING = "until this problem is fixed"
NO_MODULE = (
    "VirtualBox's kernel module is not loaded, so it cannot start any guest.",
    "Install the package that builds it (Debian, Ubuntu: `apt install virtualbox-dkms` and the kernel headers; "
    "others: `sudo /sbin/vboxconfig`). With Secure Boot the module must be signed.",
)
CONFLICT = (
    "Another hypervisor holds the processor's virtualisation, mostly KVM.",
    "End its guests and unload it (`sudo modprobe -r kvm_intel kvm_amd`), or boot Linux with "
    "kvm.enable_virt_at_load=0. Or use QEMU, which works with KVM.",
)
_KNOWN: tuple[tuple[str, str, str, str], ...] = (
    ("VERR_VMX_IN_VMX_ROOT_MODE|VERR_SVM_IN_USE", "virtualbox-conflict", *CONFLICT),
    ("VERR_NEM_", "virtualbox-hyper-v",
     "Windows keeps the processor's virtualisation for itself (Hyper-V, WSL 2, memory integrity), and VirtualBox cannot use it that way.",
     "Switch them off: `bcdedit /set hypervisorlaunchtype off` as administrator, then restart; WSL 2 does not work then."),
    ("VERR_VM_DRIVER_NOT_INSTALLED|VERR_VM_DRIVER_NOT_ACCESSIBLE|-1908|/dev/vboxdrv", "virtualbox-no-module", *NO_MODULE),
    ("VERR_VM_DRIVER_VERSION_MISMATCH", "virtualbox-module-old",
     "VirtualBox's kernel module is of another version than VirtualBox.", "Load the new one: `sudo /sbin/vboxconfig`, or restart."),
    ("VERR_VMX_NO_VMX|VERR_SVM_NO_SVM|VERR_VMX_MSR_ALL_VMX_DISABLED|VERR_SVM_DISABLED|VERR_VMX_MSR_VMX_DISABLED", "no-virtualisation",
     "The processor's virtualisation is switched off or missing.", "Switch on VT-x or AMD-V in the machine's firmware."),
    ("VERR_NO_MEMORY|VERR_NO_LOW_MEMORY|Out of memory", "virtualbox-no-memory",
     "There is not enough free memory for this guest.", "Give it less memory, or end other programs."),
    ("settings file '.*' already exists|VERR_ALREADY_EXISTS", "virtualbox-left-over",
     "A file that VirtualBox should make is there already.", "It is left of something earlier; move it away, or choose another name."),
    ("Cannot register the hard disk .* because a hard disk", "virtualbox-disk-known",
     "VirtualBox knows another disk of that name or number, perhaps one whose file is gone.",
     "`VBoxManage list hdds` shows it; `VBoxManage closemedium disk UUID` forgets it."),
    ("already locked for a session|already locked by a session|is being powered", "virtualbox-locked",
     "The guest is in use by another window or command of VirtualBox.", "Close its window or its settings, and try again."),
    ("cannot be deleted, because it is the current snapshot|more than one child", "virtualbox-snapshot-needed",
     "Other snapshots or the guest's disks are built on this snapshot.", "Delete those taken after it first."),
    ("A NAT rule of this name already exists", "virtualbox-rule-there", "The port forward is there already.", ""),
    ("E_ACCESSDENIED", "virtualbox-not-allowed", "VirtualBox is not allowed to do that.",
     "For host-only networks: addresses outside 192.168.56.0/21 must be allowed in /etc/vbox/networks.conf."),
    ("VERR_DISK_FULL|VERR_FILE_TOO_BIG|No space left", "guest-disk-full", "The disk where guests lie is full.", "Make room."),
    ("VERR_NO_TRANSLATION", "virtualbox-letters", "VirtualBox cannot take letters of this name.", "Use ASCII letters."),
    ("Could not get the storage format", "virtualbox-not-a-medium", "VirtualBox does not take this file as a CD or disk.",
     "Is it whole? The checksum of a download tells."),
    ("Unknown option", "virtualbox-option", "This VirtualBox does not know an option this program gave it.",
     "Please report it, with the version of VirtualBox."),
    ("VBOX_E_OBJECT_NOT_FOUND", "virtualbox-not-there", "VirtualBox does not know this guest or disk.",
     "Was it removed in VirtualBox itself?"),
    ("VBOX_E_OBJECT_IN_USE", "virtualbox-in-use", "It is in use: by a snapshot, or by another guest.", "Delete the snapshots first."),
)  # fmt: skip
"""What is looked for, the reference, what it means, what to do."""


@dataclass(frozen=True, slots=True)
class Said:
    """One call: its words, what came on stdout without the warning, what came on stderr, the exit code."""

    argv: tuple[str, ...]
    out: str
    err: str
    code: int
    warning: str = ""

    @property
    def errors(self) -> tuple[str, ...]:
        """The lines of its error blocks, without those about lines of its source."""
        lines = _ERROR.findall(self.err)
        return tuple(line for line in lines if not line.startswith("Context:"))

    @property
    def failed(self) -> bool:
        """Whether it failed, whatever the exit code says."""
        return bool(self.code) or bool(self.errors)

    @property
    def busy(self) -> bool:
        """Whether the same call may well work a moment later; only then it is tried again."""
        return self.failed and "cannot be deleted" not in self.err and (
            "VBOX_E_INVALID_OBJECT_STATE" in self.err or "locked for a session" in self.err
            or "locked by a session" in self.err
        )  # fmt: skip

    @property
    def result(self) -> str:
        """The name of VirtualBox's result code, as VBOX_E_FILE_ERROR; empty where it names none."""
        match = _DETAILS.search(self.err)
        return match[1] if match else ""

    @property
    def not_found(self) -> bool:
        """Whether VirtualBox does not know what was asked for."""
        return self.failed and self.result == "VBOX_E_OBJECT_NOT_FOUND"

    @property
    def gone(self) -> bool:
        """Whether what was to be taken away is not there, which is as good."""
        return self.not_found or (self.failed and "Could not find file for the medium" in self.err)


def said(argv: tuple[str, ...], out: str, err: str, code: int) -> Said:
    """A call with the warning about the kernel module taken out of its answer."""
    warning, rest = split_warning(out)
    return Said(argv, rest, err, code, warning)


def split_warning(out: str) -> tuple[str, str]:
    """(warning, the rest) of what came on stdout. The wrapper script puts the warning before any answer."""
    if not out.lstrip().startswith("WARNING:"):
        return "", out
    lines = out.lstrip().splitlines(keepends=True)
    end = next((n + 1 for n, line in enumerate(lines) if _LAST_OF_WARNING in line), 0)
    if not end:
        end = next(
            (n for n, line in enumerate(lines) if n and line.strip() and not line[0].isspace()), len(lines)
        )
    return "".join(lines[:end]).strip(), "".join(lines[end:])


def explain(call: Said, more: str = "") -> WizardError:
    """The failure as an error for a person; VirtualBox's own words are quoted, shortened. `more` is of a log."""
    evidence = f"{call.err}\n{call.out}\n{more}"
    own = _own_words(call)
    for pattern, reference, meaning, hint in _KNOWN:
        if re.search(pattern, evidence):
            kind = Refused if reference == "virtualbox-locked" else WriteFailed
            return kind(reference, f"{meaning} VirtualBox says: {own}", hint=hint, context=_shown(call.argv))
    return WriteFailed(
        "virtualbox-failed", f"VirtualBox says: {own}", context=_shown(call.argv),
        hint="Its own log may say more; see Logs in the guest's folder." if more else "",
    )  # fmt: skip


def codes_in(log: str) -> str:
    """The codes of failure in a log of a guest, each once, in order."""
    return " ".join(dict.fromkeys(_VERR.findall(log)))


def _own_words(call: Said) -> str:
    own = [line for line in call.errors if not line.startswith("Details:")]
    if not own:
        lines = [line.strip() for line in (call.err or call.out).splitlines() if line.strip()]
        own = lines[-1:] or [f"nothing, and ended with exit code {call.code}"]
    words = text.tame(own[-1] if "Failed to" in own[0] and len(own) > 1 else own[0], 240)
    return f"{words} ({call.result})" if call.result else words


def _shown(argv: tuple[str, ...]) -> str:
    import shlex

    return text.tame(" ".join(shlex.quote(word) for word in argv), 400)
