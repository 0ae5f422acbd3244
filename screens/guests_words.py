"""A guest in words: its state, its row in the list, what may be done with it, what to do where something is wrong. Pure."""

from __future__ import annotations

import shlex
import textwrap

from textual.content import Content

from smartos_wizard.core import text
from smartos_wizard.guests.looking import Look
from smartos_wizard.guests.model import Guest, State
from smartos_wizard.guests.sandbox import compared
from smartos_wizard.screens.words import Marks, begin

_WORDS: dict[State, tuple[str, str, str]] = {
    State.RUNNING: ("done", "$success", "running"),
    State.STARTING: ("now", "$accent", "starting"),
    State.STOPPING: ("now", "$accent", "stopping"),
    State.PAUSED: ("now", "$warning", "paused"),
    State.SAVED: ("todo", "$dim", "saved"),
    State.STOPPED: ("todo", "$dim", "off"),
    State.CRASHED: ("failed", "bold $error", "crashed"),
    State.MISSING: ("failed", "bold $error", "missing"),
    State.HALF_MADE: ("warn", "bold $warning", "half made"),
    State.UNKNOWN: ("warn", "bold $warning", "not known"),
}
"""State: which mark, its colour, its word."""
_ALIVE = (State.RUNNING, State.PAUSED, State.STARTING, State.STOPPING)


def state_words(look: Look, marks: Marks) -> Content:
    """The state as a mark and a word."""
    mark, style, word = _WORDS[look.state]
    return Content.assemble((f"{getattr(marks, mark)} {word}", style))


def runs(look: Look) -> bool:
    """Whether it has a process of its own."""
    return look.state in _ALIVE


def may(look: Look | None) -> frozenset[str]:
    """What may be done with it now. Before its hypervisor answered, what is right for any whole guest."""
    if look is None:
        return frozenset({"console", "delete"})
    if look.state is State.HALF_MADE:
        return frozenset({"delete"})
    if look.state is State.MISSING:
        return frozenset({"console", "delete"})
    found = {"console", "snapshots", "reinstall", "delete", "export"}
    found.add("stop" if runs(look) else "start")
    if look.state is State.UNKNOWN:
        found |= {"start", "stop"}
    return frozenset(found)


def what_to_do(look: Look, title: str = "") -> str:
    """What is wrong with a guest and what to do about it; empty where all is well."""
    name, who = look.guest.name, title or look.guest.spec.hypervisor
    match look.state:
        case State.HALF_MADE:
            return f"Making it broke off. Make a guest called {name} again and it is made anew, or delete it."
        case State.MISSING:
            return f"{who} does not know it any more. Its files are here still; delete removes them."
        case State.UNKNOWN:
            return look.problem or f"{who} does not say how it is."
        case State.CRASHED:
            return "It crashed. Its console may say why; start it again."
        case _:
            return look.problem


def as_asked(look: Look) -> Content:
    """Whether it is as asked, in two words."""
    if look.actual is None or look.state in (State.HALF_MADE, State.MISSING):
        return Content("")
    count = len(look.drift)
    if not count:
        return Content.assemble(("as asked", "$dim"))
    return Content.assemble((f"{count} not as asked", "bold $warning"))


def sizes(guest: Guest) -> str:
    """Memory, processors and disks in one line."""
    spec = guest.spec
    memory = f"{spec.memory / 1024:g} GiB" if spec.memory % 512 == 0 else f"{spec.memory} MiB"
    cpus = "1 CPU" if spec.cpus == 1 else f"{spec.cpus} CPUs"
    each = [text.size(disk.size) for disk in spec.disks]
    alike = len(set(each)) == 1
    disks = (each[0] if len(each) == 1 else f"{len(each)} × {each[0]}") if alike else " + ".join(each)
    return f"{memory}, {cpus}, {'disk' if len(each) == 1 else 'disks'} {disks}"


def row(guest: Guest, look: Look | None, title: str, marks: Marks, width: int) -> Content:
    """A guest in the list: who and how it is; what it has; what is wrong with it, if anything."""
    state = Content.assemble((f"{marks.now} asking …", "$dim")) if look is None else state_words(look, marks)
    wide = max(12, min(32, width - 40))
    name = guest.name if len(guest.name) <= wide else guest.name[: wide - 1] + "…"
    lines = [Content.assemble("  ", (f"{name:<{wide}}", "bold"), "  ", state)]
    if look is not None:
        told = as_asked(look)
        gap = max(2, width - lines[0].cell_length - told.cell_length - 1)
        lines = [Content.assemble(lines[0], " " * gap, told)]
    port = look.actual.ssh_port if look is not None and look.actual is not None else None
    more = f"{title}, {sizes(guest)}" + (f", ssh port {port}" if port else "")
    lines.append(Content.assemble((f"    {_cut(more, width - 5)}", "$dim")))
    wrong = what_to_do(look, title) if look is not None else ""
    for part in textwrap.wrap(wrong, width - 5):
        lines.append(Content.assemble((f"    {part}", "$warning")))
    return Content("\n").join(lines)


def facts(look: Look, title: str, ssh: str) -> list[tuple[str, str]]:
    """One guest as pairs, the important ones first."""
    guest, spec, actual = look.guest, look.guest.spec, look.actual
    rows = [("In", title)]
    wrong = what_to_do(look, title)
    if wrong:
        rows.append(("What to do", wrong))
    if ssh:
        rows.append(("ssh", f"{ssh} (once setup is done)"))
    elif actual is not None and actual.ssh_port:
        rows.append(("ssh", f"127.0.0.1 port {actual.ssh_port}"))
    source = spec.boot.stamp or spec.boot.source
    rows += [
        ("Size", sizes(guest)),
        ("Starts", f"{source} ({'its own key' if spec.boot.kind == 'key' else 'an ISO'}), console {spec.console}"),
        *((f"Card {number}", f"{nic.mac}, {_network(nic.network, nic.bridge)}") for number, nic in enumerate(spec.nics, 1)),
        ("Sandbox", f"{spec.sandbox.value}{', nested virtualisation' if spec.nested else ''}"),
    ]  # fmt: skip
    if spec.configured:
        rows.append(("On its key", ", ".join(spec.configured)))
    if actual is not None:
        rows.append(("Snapshots", ", ".join(text.tame(each) for each in actual.snapshots) or "none"))
        rows += [("Note", note) for note in actual.notes]
    return [*rows, ("UUID", spec.uuid)]


def sandbox_table(look: Look, marks: Marks) -> Content:
    """Each switch as asked and as the hypervisor says; below, each difference in words."""
    if look.actual is None or look.state in (State.HALF_MADE, State.MISSING):
        return Content.assemble(("The hypervisor says nothing of it now.", "$dim"))
    rows = compared(look.guest.spec, look.actual)
    first = max(len(words) for _n, words, _a, _s in rows) + 2
    second = max(len("asked"), *(len(asked) for _n, _w, asked, _s in rows)) + 2
    lines = [Content.assemble((f"{'':<{first}}{'asked':<{second}}it is", "$dim"))]
    for _name, words, asked, said in rows:
        mark, style = "", ""
        if said not in ("not told", asked):
            mark, style = f"  {marks.warn} not as asked", "bold $warning"
        elif said == "not told":
            style = "$dim"
        lines.append(Content.assemble((f"{words:<{first}}", "$dim"), f"{asked:<{second}}", (said + mark, style)))  # fmt: skip
    lines += [
        Content.assemble((f"{marks.warn} {d.what}: asked {d.asked}, it is {d.actual}", "bold $warning"))
        for d in look.drift
        if d.what not in [words for _n, words, _a, _s in rows]
    ]
    return Content("\n").join(lines)


def by_command(words: str, name: str, *, practice: bool, after: str = "") -> str:
    """The command of the same name."""
    start = begin(practice=practice)
    return f"{start} guest {words} {shlex.quote(name)}{f' {after}' if after else ''}"


def _network(name: str, bridge: str) -> str:
    if name != "uplink":
        return f"network between guests {name}"
    return f"bridged to {bridge}" if bridge else "as the sandbox allows"


def _cut(words: str, room: int) -> str:
    return words if len(words) <= room else words[: max(1, room - 1)] + "…"
