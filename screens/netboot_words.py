"""Words of booting over the network: the commands that do the same, a tree in a line, the table of machines. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace

from textual.content import Content

from smartos_wizard.core import text
from smartos_wizard.core.errors import ErrorReport
from smartos_wizard.core.text import folded
from smartos_wizard.netboot import machines
from smartos_wizard.netboot.interface import Interface
from smartos_wizard.netboot.serve_plan import PORT
from smartos_wizard.screens.netboot_model import (
    HTTP,
    OWN,
    PROXY,
    BuildAnswers,
    MachineRow,
    ServeAnswers,
    TreeFacts,
)
from smartos_wizard.screens.options_list import Offer
from smartos_wizard.screens.widgets.gauges import bar
from smartos_wizard.screens.words import Marks, begin

UEFI = (
    "iPXE starts SmartOS by BIOS only: the kernel is a multiboot 1 kernel, which has no UEFI. A UEFI machine is told so "
    "on its screen: switch it to BIOS (legacy, CSM) boot, or start it from a key."
)
GIVES = (
    Offer(PROXY, "the network's own", "The network's DHCP server goes on as it is; this adds where to boot from (proxyDHCP)."),
    Offer(HTTP, "others do it all", "DHCP and TFTP are left to others; only files by HTTP. Takes no rights of root."),
    Offer(OWN, "this computer", "Only on a network of its own: two servers that give addresses break a network."),
)  # fmt: skip
DANGER = (
    "This computer would give addresses to every machine on {interface}, as a DHCP server does.\n\n"
    "Where another DHCP server is on that wire, machines get wrong addresses from one of the two and lose the network: "
    "telephones, printers and computers of others too. Do this only on a wire of its own, a cable or a switch that "
    "nothing else hangs on.\n\n"
    "Before it begins the wire is asked, and where another server answers nothing is served."
)
_SHORT = {"boot_archive": "archive", "unix": "kernel"}
_FAR, _SPEED, _NAME = 16, 9, 17
_SILENT = 5.0
"""Seconds without news of a machine that loads before that is said."""


_HERE = {
    "other-dhcp-server": "Choose “the network's own”: machines keep that server's addresses and are only told where to boot from.",
    "port-in-use": "Choose another port for the web server: Change it, below.",
    "dhcp-port-in-use": "Stop it for this evening, or put the settings “For servers of your own” into its configuration.",
    "cannot-listen": "Ports below 1024 take root's rights: choose 8080.",
    "interface-gone": "Nothing is served any more. Serve it again when it is back.",
    "needs-root": "Serve it again and give the password, or choose “others do it all”, which takes no rights.",
    "file-in-the-way": "Choose a new directory: Change it, below.",
}
"""What to do, in the wizard, where the hint speaks of commands."""


def here(error: ErrorReport) -> ErrorReport:
    """The error with what to do about it here."""
    hint = _HERE.get(error.reference) or error.hint.partition(" Or say --")[0]
    return replace(error, hint=hint)


def start(*, practice: bool) -> str:
    """How the command begins."""
    return f"{begin(practice=practice)} netboot"


def build_words(said: BuildAnswers, confirm: tuple[str, ...] = ()) -> str:
    """The command that builds the same tree, without its beginning."""
    words = ["build", said.directory or "DIR"]
    for stamp in said.stamps:
        words += ["--release", stamp]
    words += ["--again"] if said.again else []
    words += ["--keep", said.keep.strip()] if said.keep.strip() else []
    words += ["--profile", said.profile] if said.profile else []
    words += ["--console", said.console] if said.console else []
    for each in said.told:
        words += ["--mac", each]
    for token in confirm:
        words += ["--confirm", token]
    return shlex.join(words)


def serve_words(said: ServeAnswers) -> str:
    """The command that serves the same, or writes the same configuration."""
    words = ["serve", said.directory or "DIR", "--interface", said.interface or "IF"]
    words += ["--dhcp", said.addresses.strip() or "FIRST-LAST"] if said.gives == OWN else []
    words += ["--http-only"] if said.gives == HTTP and not said.config else []
    words += ["--port", said.port.strip()] if said.port.strip() not in ("", str(PORT)) else []
    words += ["--config-only", said.into or "DIR2"] if said.config else []
    return shlex.join(words)


def check_words(where: str, full: bool) -> str:
    """The command that checks the same."""
    words = ["check", where.strip() or "URL|DIR"]
    remote = "://" in where
    words += ["--full"] if full and remote else ["--quick"] if not full and not remote else []
    return shlex.join(words)


def tree_line(facts: TreeFacts) -> str:
    """What is in a directory, in a line."""
    if facts.problem:
        return facts.problem
    free = "" if facts.free is None else f" · {text.size(facts.free)} free"
    match facts.state:
        case "tree":
            count = len(facts.stamps)
            own = f" · {len(facts.machines)} of their own" if facts.machines else ""
            return f"{count} release{'s' if count != 1 else ''}, {text.size(facts.size)}{own}{free}"
        case "other":
            return f"no tree; what is in it stays{free}"
        case "empty":
            return f"empty{free}"
        case _:
            return f"not there yet; it is made{free}"


def card_line(card: Interface) -> tuple[str, str]:
    """An interface's address and its state."""
    if not card.address:
        return "no IPv4 address", "up" if card.up else "down"
    return f"{card.address}/{card.network.prefixlen}", "up" if card.up else "down"


# ---------------------------------------------------------------------- the table of machines


def table(rows: tuple[MachineRow, ...], marks: Marks, width: int, now: float) -> Content:
    """The machines, one in a line, below a heading."""
    room = max(16, width - _NAME - _FAR - _SPEED - 5)
    lines = [
        Content.assemble(
            (
                f"{'Machine':<{_NAME}}  {'What it does':<{room}}  {'How far':<{_FAR}} {'Speed':>{_SPEED}}",
                "$dim",
            )
        )
    ]
    return Content("\n").join([*lines, *(_machine(row, marks, room, now) for row in rows)])


def _machine(row: MachineRow, marks: Marks, room: int, now: float) -> Content:
    mark, style, words = _state(row, marks)
    quiet = now - row.at
    if row.loading and quiet >= _SILENT:
        mark, style, words = marks.warn, "bold $warning", f"silent for {text.duration(quiet)}"
    words = f"{mark} {words}"
    words = words if len(words) <= room else words[: room - 1] + "…"
    speed = _rate(row.rate) if row.rate and quiet < _SILENT else ""
    return Content.assemble(
        (f"{row.name:<{_NAME}}", "bold"), "  ", (f"{words:<{room}}", style), "  ", _far(row, marks), (f" {speed:>{_SPEED}}", "$dim")
    )  # fmt: skip


def _rate(per_second: float) -> str:
    """A speed; what is slow in smaller units."""
    return text.rate(per_second) if per_second >= 1e6 else f"{per_second / 1e3:.0f} kB/s"


def _state(row: MachineRow, marks: Marks) -> tuple[str, str, str]:
    match row.state:
        case machines.STARTING:
            again = f", {row.starts} x" if row.starts > 1 else ""
            return marks.good, "bold $success", f"has everything{again}"
        case machines.BROKE_OFF:
            return (
                marks.failed,
                "bold $error",
                f"broke off, {_SHORT.get(row.file, row.file)}" if row.file else "broke off",
            )
        case machines.MISSING:
            return marks.failed, "bold $error", f"asked in vain: {row.file}"
        case machines.NOT_BY_UEFI:
            return marks.warn, "bold $warning", "UEFI: not possible"
        case machines.KERNEL_:
            return marks.now, "bold $accent", "loads the kernel"
        case machines.ARCHIVE_:
            return marks.now, "bold $accent", "loads the archive"
        case state:
            return marks.now, "$accent", machines.WORDS.get(state, state)


def _far(row: MachineRow, marks: Marks) -> Content:
    if row.state == machines.STARTING:
        return Content.assemble((f"{row.release:<{_FAR}}", "$dim"))
    if not row.total or row.state not in (machines.KERNEL_, machines.ARCHIVE_, machines.BROKE_OFF):
        return Content(" " * _FAR)
    share = min(1.0, row.done / row.total)
    return Content.assemble(bar(share, 10, marks), f"{int(share * 100):>4} %" + " " * (_FAR - 16))


def sum_of(rows: tuple[MachineRow, ...]) -> str:
    """All machines in a line."""
    if not rows:
        return "No machine has asked yet. Start one, and have it boot from its network card."
    begun = sum(row.starts > 0 for row in rows)
    loading, bad = sum(row.loading for row in rows), sum(row.bad for row in rows)
    parts = [f"{len(rows)} machine{'s' if len(rows) != 1 else ''}"]
    parts += [f"{begun} {'have' if begun != 1 else 'has'} everything"] if begun else []
    parts += [f"{loading} loading"] if loading else []
    parts += [f"{bad} in trouble"] if bad else []
    return ", ".join(parts)


def advice(rows: tuple[MachineRow, ...]) -> str:
    """What to do about the machine that came to grief last; empty where none did."""
    bad = [row for row in rows if row.bad]
    if not bad:
        return ""
    row = max(bad, key=lambda each: each.at)
    match row.state:
        case machines.NOT_BY_UEFI:
            return f"{row.name} starts by UEFI: switch it to BIOS (legacy) boot, or start it from a key."
        case machines.MISSING:
            return f"{row.name} asked for {row.file}, which is not in the tree: check the tree."
        case _:
            return f"{row.name} broke off: look at its screen, which says why; then start it once more."


# ---------------------------------------------------------------------- what a check found


def checked(
    each: list[dict[str, object]], findings: list[dict[str, object]], marks: Marks, width: int
) -> Iterator[Content]:
    """Findings first, then file by file."""
    for found in findings:
        bad = found.get("level") == "error"
        mark, style = (marks.failed, "bold $error") if bad else (marks.warn, "bold $warning")
        words, where = str(found.get("text")), str(found.get("where") or "")
        words += f" ({where})" if where and where.partition(":")[0] not in words else ""
        for number, part in enumerate(folded(words, width - 4)):
            yield Content.assemble((mark if not number else " " * len(mark), style), " ", part)
    looks = {"good": (marks.good, "$success", "right"), "bad": (marks.failed, "bold $error", "not right"), "unread": (marks.todo, "$warning", "not compared")}  # fmt: skip
    for row in each:
        mark, style, word = looks.get(str(row.get("state")), (" ", "", ""))
        size = row.get("size")
        count = text.size(int(str(size))) if size is not None else ""
        path, room = str(row.get("path")).replace("/platform/i86pc/", "/…/"), max(20, width - 28)
        path = path if len(path) <= room else "…" + path[-(room - 1) :]
        yield Content.assemble((mark, style), f" {path:<{room}} ", (f"{count:>10}  ", "$dim"), (word, style))


def counted(each: list[dict[str, object]]) -> str:
    """How many are right, are not, and were not compared, in a line."""
    good, bad, unread = (sum(row.get("state") == s for row in each) for s in ("good", "bad", "unread"))
    return f"{good} right, {bad} not right" + (f", {unread} not compared with their hash" if unread else "")
