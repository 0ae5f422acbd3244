"""Streams from one machine through this one into another, piece after piece, until both hold the same tree."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass

from smartos_wizard.core.errors import Cancelled, ProofFailed, WizardError
from smartos_wizard.core.events import Advanced, Event, Noted
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Run
from smartos_wizard.core.text import tame
from smartos_wizard.media.watching import in_thread
from smartos_wizard.reinstall import sending
from smartos_wizard.reinstall.doors import ReinstallWorld, stopper
from smartos_wizard.reinstall.sent import Guids
from smartos_wizard.reinstall.streams import CommandFailed, StreamHost, ask, shell

_Run = Run[ReinstallWorld]


@dataclass(frozen=True, slots=True)
class Transfer:
    """What goes where. `until` is the name of the last snapshot, after the `@`; `stale` makes room where it may.

    `moved` gives the name that an origin has in the target, empty where ZFS has to look for it itself.
    """

    source: StreamHost
    target: StreamHost
    top: str
    place: str
    until: str
    raw: bool
    total: int | None
    moved: Callable[[str], str]
    stale: Callable[[sending.Stale], None]


def transferred(
    run: _Run, step: Step, what: Transfer
) -> Generator[Event, None, tuple[int, dict[str, Guids]]]:
    """Send what is missing; the bytes that were sent now, and the snapshots that both sides hold then.

    Where the target is stale, `what.stale` is called once, which may raise. Raises ProofFailed `not-received` where a
    stream was taken and changed nothing, CommandFailed, DeviceLost, Cancelled; what came is kept there to go on with.
    """
    sent, cleared, before = 0, False, None
    while True:
        source, target = (_listed(run, host, name) for host, name in ((what.source, what.top), (what.target, what.place)))  # fmt: skip
        try:
            piece = sending.next_piece(source, target, what.top, what.place, what.until, raw=what.raw, moved=what.moved)  # fmt: skip
        except sending.Stale as stale:
            if cleared:
                raise ProofFailed("not-received", f"{tame(stale.dataset, 120)} does not become what was sent.") from stale  # fmt: skip
            what.stale(stale)
            cleared = True
            continue
        if piece is None:
            return sent, _same(what, source, target)
        if piece == before:
            raise ProofFailed("not-received", f"{tame(piece.target, 120)} took a stream, and is what it was.")
        before = piece
        if piece.resumes:
            yield Noted(run.clock(), step.id, f"{tame(piece.target, 120)}: taken up where it broke off.", reference="stream-resumed")  # fmt: skip
        try:
            sent = yield from _piece(run, step, what, piece, sent)
        except CommandFailed as error:
            if not piece.resumes or "no longer" not in error.complaint:
                raise
            # what it was made from is gone there, so the half of it is worth nothing any more
            ask(what.target, sending.forget_half(piece.target))


def _listed(run: _Run, host: StreamHost, top: str) -> sending.Listing:
    return sending.tree_of(ask(host, sending.list_tree(top), stopper(run)).decode("utf-8", "replace"), top)


def _same(what: Transfer, source: sending.Listing, target: sending.Listing) -> dict[str, Guids]:
    """The snapshots there, by guid those of here. Raises ProofFailed `sent-differs`."""
    wanted, found = sending.kept(source, what.until), sending.kept(target, what.until)
    for name, snapshots in wanted.items():
        if not set(snapshots) <= set(found.get(name, ())):
            raise ProofFailed("sent-differs", f"{tame(what.place + name, 120)} does not hold the snapshots of {tame(what.top + name, 120)}.", hint="Give the same command again.")  # fmt: skip
    return {name: found[name] for name in wanted}


def _piece(
    run: _Run, step: Step, what: Transfer, piece: sending.Piece, before: int
) -> Generator[Event, None, int]:  # fmt: skip
    """One stream; the bytes that were sent with it and before it."""
    done, stop = before, stopper(run)

    def chunks() -> Generator[bytes, None, None]:
        nonlocal done
        for chunk in what.source.stream(shell(piece.send), stop):
            done += len(chunk)
            yield chunk

    def through() -> None:
        with closing(chunks()) as stream:  # where the target fails, the source's command is ended at once
            what.target.feed(shell(piece.receive), stream, stop)

    yield from in_thread(
        run,
        through,
        lambda: [Advanced(run.clock(), step.id, done, max(what.total, done) if what.total else None)],
        lambda: False,  # both ends see the stop themselves; none is left behind that still receives
    )
    return done


def keeping(
    run: _Run, step: Step, work: Generator[Event, None, None], how: str
) -> Generator[Event, None, None]:
    """Do the work; where it fails, but was not asked to stop, nothing that it can go on with is undone, and that is said."""
    try:
        yield from work
    except Cancelled:
        raise
    except WizardError:
        run.found["kept-for-later"] = True
        yield Noted(run.clock(), step.id, how, level="warning", reference="kept-for-later")
        raise
