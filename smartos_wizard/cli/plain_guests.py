"""The guests that are there, line by line: look, start, stop, console, snapshots, as new again, remove."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from smartos_wizard.cli.output import plan_lines
from smartos_wizard.cli.plain_guest_export import export, stopped
from smartos_wizard.cli.plain_work import PlainWork
from smartos_wizard.core import text
from smartos_wizard.screens.words import begin

if TYPE_CHECKING:
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.guests.looking import Look
    from smartos_wizard.guests.model import Guest
    from smartos_wizard.screens.job_rows import JobRow

_LINES = 20
"""Lines of a console that are said."""
_WAIT = 900.0


class PlainGuests:
    """Reads out guests and does with them what is asked for."""

    def __init__(self, work: PlainWork, *, ascii_only: bool) -> None:
        self.work, self.desk, self.voice, self.world = work, work.desk, work.voice, work.desk.world
        self._ascii = ascii_only

    def make(self) -> None:
        """The way to a new guest; then it may be started and reached."""
        from smartos_wizard.cli.plain_guest_new import PlainSandbox

        guest = PlainSandbox(self.work, ascii_only=self._ascii).run()
        if guest is None:
            return
        self.voice.say("1. Start it now. 2. Leave it off.")
        if self.voice.choose("Start it?", 2) == 0:
            self._start(guest)
        self.one(guest.name)

    def all(self) -> None:
        """Choose a guest, and do something with it; any number of times."""
        while True:
            guests = self.world.guests.list()
            if not guests:
                self.voice.say("There are no guests yet. “Try SmartOS in a sandbox” makes one.")
                return
            for number, guest in enumerate(guests, 1):
                self.voice.say(f"{number}. {self._in_short(self._look(guest))}")
            chosen = self.voice.choose("Which guest?", len(guests))
            if chosen is None:
                return
            self.one(guests[chosen].name)

    def one(self, name: str) -> None:
        """One guest, until the user goes back or it is gone."""
        while any(guest.name == name for guest in self.world.guests.list()):
            look = self._look(self.world.guests.find(name))
            self._tell(look)
            rows = self._rows(look)
            for number, (words, _act) in enumerate(rows, 1):
                self.voice.say(f"{number}. {words}")
            what = self.voice.choose(f"What shall be done with {name}?", len(rows))
            if what is None:
                return
            act = rows[what][1]
            _ = self.work.guarded(lambda a=act, g=look.guest: a(g))  # type: ignore[misc]

    def take_up(self, row: JobRow) -> None:
        """Do again what was left unfinished. Raises Refused where that cannot be."""
        plan, done = row.job.plan(), row.job.seen_file.touch
        if plan.kind == "guest-create":
            self.work.run(self.desk.sandbox.create_again(plan), begun=done)
            self.desk.boot.forget(plan)
        elif plan.confirmation is None:
            self.work.run(plan, begun=done)
        else:
            name = plan.confirmation.tokens[0]
            self._typed(self.world.guests.find(name), plan, begun=done)

    # ------------------------------------------------------------------ what is said

    def _look(self, guest: Guest) -> Look:
        from smartos_wizard.guests.looking import look

        return look(self.world, guest)

    def _in_short(self, look: Look) -> str:
        spec = look.guest.spec
        size = f"{text.size(spec.memory << 20)}, {len(spec.disks)} disk{'s' if len(spec.disks) != 1 else ''}"
        return f"{spec.name}: {look.state.value}, in {self._title(spec.hypervisor)}, {size}, {spec.boot.stamp}".rstrip(
            ", "
        )

    def _title(self, name: str) -> str:
        return next((each.title for each in self.world.hypervisors() if each.id == name), name)

    def _tell(self, look: Look) -> None:
        from smartos_wizard.guests.model import State

        say, guest = self.voice.say, look.guest
        say()
        say(f"{self._in_short(look)}. Sandbox {guest.spec.sandbox.value}.")
        if look.state is State.HALF_MADE:
            say("Making it broke off: make a guest of that name once more, or remove it.")
        if look.state is State.MISSING:
            say(
                f"{self._title(guest.spec.hypervisor)} does not know it any more. Its files are here; removing it removes them."
            )
        if look.problem:
            say(look.problem)
        for each in look.drift:
            say(f"Not as asked: {each.what}: asked {each.asked}, it is {each.actual}.")
        for note in look.actual.notes if look.actual is not None else ():
            say(f"Note: {note}")

    def _rows(self, look: Look) -> list[tuple[str, Callable[[Guest], None]]]:
        from smartos_wizard.guests.model import State
        from smartos_wizard.guests.planning import running

        remove = ("Remove it with every file of it", self._delete)
        if look.state is State.HALF_MADE:
            return [remove]
        if look.state is State.MISSING:
            return [("Hear what its console said", self._console), remove]
        on = running(look.state)
        first: list[tuple[str, Callable[[Guest], None]]] = (
            [
                ("Stop it", self._stop),
                ("Wait for what its console says", self._wait),
                ("How to reach it", self._reach),
            ]
            if on
            else [("Start it", self._start)]
        )
        return [
            *first, ("Hear what its console said", self._console), ("Snapshots", self._snapshots),
            ("As new again: empty its disks", self._reinstall), ("Export it for another program", self._export), remove,
        ]  # fmt: skip

    # ------------------------------------------------------------------ start, stop, console

    def _start(self, guest: Guest) -> None:
        from smartos_wizard.guests.planning import plan_start

        self.work.run(plan_start(guest))

    def _stop(self, guest: Guest) -> None:
        from smartos_wizard.guests.planning import plan_stop

        self.voice.say(
            "1. Ask it to shut down, and switch it off after 90 seconds. 2. Switch it off at once."
        )
        chosen = self.voice.choose("How?", 2)
        if chosen is not None:
            self.work.run(plan_stop(guest, force=chosen == 1))

    def _reach(self, guest: Guest) -> None:
        from smartos_wizard.guests.ports import driver

        start = begin(practice=self.world.practice)
        name = _quoted(guest.name)
        self.voice.say(f"Its console, in another terminal: {start} guest console {name}")
        where = driver(self.world, guest.spec.hypervisor).ssh(guest)
        if where is not None:
            self.voice.say(f"Once it is set up: {start} guest ssh {name}")
            self.voice.say(f"The same by hand: ssh -p {where.port} {where.user}@{where.host}")

    def _console(self, guest: Guest) -> None:
        from smartos_wizard.guests.console_text import said_so_far

        lines, _before = said_so_far(guest.console.log)
        told = [line for line in lines if line.strip()][-_LINES:]
        if not told:
            self.voice.say("Its console has said nothing yet.")
        for line in told:
            self.voice.say(f"> {text.tame(line, 200)}")

    def _wait(self, guest: Guest) -> None:
        from smartos_wizard.guests.ports import driver
        from smartos_wizard.guests.waiting import Outcome, started_at, still_on, text_of, wait_for

        word = self.voice.ask("For which text? Enter for the log-in, `setup` for SmartOS's questions, or b")
        log = guest.console.log
        if word == "b" or log is None:
            return
        word = word or "login"
        say, hypervisor = self.voice.say, driver(self.world, guest.spec.hypervisor)
        say(f"Waiting for “{text_of(word)}”, {text.duration(_WAIT)} at most. Ctrl-C ends the waiting.")
        try:
            came = wait_for(
                log, word, _WAIT, begin=started_at(guest), alive=lambda: still_on(guest, hypervisor),
                tell=lambda line: say(f"> {line}") if line else None,
            )  # fmt: skip
        except KeyboardInterrupt:
            say("No longer waiting; the guest goes on.")
            return
        for line in came.last:
            say(f"> {line}")
        match came.outcome:
            case Outcome.SEEN:
                say(f"“{came.text}” is there.")
            case Outcome.STOPPED:
                say(f"{guest.name} went off before it said “{came.text}”.")
            case _:
                say(f"“{came.text}” did not come in {text.duration(_WAIT)}; the guest goes on.")

    # ------------------------------------------------------------------ snapshots

    def _snapshots(self, guest: Guest) -> None:
        from smartos_wizard.guests.planning import plan_snapshot
        from smartos_wizard.guests.ports import driver

        if not stopped(self.work, guest, "Snapshots are of disks that are at rest."):
            return
        names = driver(self.world, guest.spec.hypervisor).snapshot(guest, "list", "")
        acts = [(act, name) for name in names for act in ("restore", "delete")]
        self.voice.say("1. Take one")
        for number, (act, name) in enumerate(acts, 2):
            self.voice.say(f"{number}. {'Go back to' if act == 'restore' else 'Forget'} {text.tame(name)}")
        chosen = self.voice.choose("Snapshots, of all its disks together?", len(acts) + 1)
        if chosen is None:
            return
        if chosen:
            self._typed(guest, plan_snapshot(guest, *acts[chosen - 1]))
            return
        name = self.voice.ask("A name for it, or b to leave it")
        if name not in ("b", ""):
            self.work.run(plan_snapshot(guest, "take", name))

    # ------------------------------------------------------------------ as new, gone

    def _reinstall(self, guest: Guest) -> None:
        from smartos_wizard.guests.planning import plan_reinstall

        keep = []
        for disk in guest.spec.disks:
            self.voice.say(f"Disk {disk.name}, {text.size(disk.size)}. 1. Empty it. 2. Keep what is on it.")
            chosen = self.voice.choose(f"{disk.name}?", 2)
            if chosen is None:
                return
            if chosen == 1:
                keep.append(disk.name)
        self.voice.say("1. First take a snapshot to go back to. 2. No snapshot.")
        chosen = self.voice.choose("Snapshot?", 2)
        if chosen is not None:
            self._typed(guest, plan_reinstall(guest, self.world, keep, snapshot=chosen == 0))

    def _export(self, guest: Guest) -> None:
        export(self.work, guest)

    def _delete(self, guest: Guest) -> None:
        from smartos_wizard.guests.planning import plan_delete

        self._typed(guest, plan_delete(guest, self.world))

    def _typed(self, guest: Guest, plan: Plan, begun: Callable[[], object] | None = None) -> None:
        """Show the plan, and do it once the guest's whole name was typed."""
        for line in plan_lines(plan)[: -1 if plan.confirmation else None]:
            self.voice.say(line)
        typed = self.voice.ask(f"To do it, type the guest's name ({guest.name}), or b to go back")
        if typed == guest.name:
            self.work.run(plan, (guest.name,), begun)
        elif typed != "b":
            self.voice.say(f"That is not its name ({guest.name}). Nothing was done.")


def _quoted(name: str) -> str:
    import shlex

    return shlex.quote(name)
