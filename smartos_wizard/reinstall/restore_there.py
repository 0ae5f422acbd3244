"""The steps of a restore whose datasets come back from another host. `restore_planning` says what each is for."""

from __future__ import annotations

from collections.abc import Generator

from smartos_wizard.core.errors import ProofFailed, Refused
from smartos_wizard.core.events import Event, Noted
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Run, Work
from smartos_wizard.core.text import tame
from smartos_wizard.reinstall import sending
from smartos_wizard.reinstall.doors import ReinstallWorld, door, stopper
from smartos_wizard.reinstall.restore_notes import manifest_of, note
from smartos_wizard.reinstall.sent import Sent
from smartos_wizard.reinstall.streams import StreamHost, ask
from smartos_wizard.reinstall.there import differences, there_of
from smartos_wizard.reinstall.transfer import Transfer, keeping, transferred

_Run = Run[ReinstallWorld]
_NAMED = 6


def check_step(run: _Run, step: Step) -> Work:
    """Compare guids there with the manifest. Raises ProofFailed `sent-differs`."""
    wanted = set(step.params["datasets"])
    wrong = differences(there_of(run), (sent for sent in manifest_of(run).sent if sent.dataset in wanted))
    for words in wrong.values():
        yield Noted(run.clock(), step.id, words, level="warning", reference="sent-differs")
    if wrong:
        raise ProofFailed("sent-differs", next(iter(wrong.values())), hint="Do not rely on this backup.")
    return {"trees": len(wanted)}


def receive_step(run: _Run, step: Step) -> Work:
    """One tree, into a dataset that is not there, or that an earlier try of this began."""
    dataset, host = step.params["dataset"], door(run)
    sent = manifest_of(run).place(dataset)
    if sent is None:
        raise ProofFailed("not-in-backup", f"The backup holds no {tame(dataset, 120)}.")
    what = Transfer(
        there_of(run), host, sent.place, dataset, sent.snapshot.partition("@")[2], step.params["raw"], sent.size,
        sending.moved_by(step.params["places"]), _in_the_way,
    )  # fmt: skip
    note(run, began=dataset)
    run.found[f"began:{dataset}"] = True

    def work() -> Generator[Event, None, None]:
        count, _ = yield from transferred(run, step, what)
        run.found[f"count:{dataset}"] = count
        yield from _set(run, step, host, sent)

    how = f"What came stays in {tame(dataset, 120)}: give the same command again and it goes on."
    yield from keeping(run, step, work(), how)
    note(run, finished=dataset)
    run.found[f"began:{dataset}"] = False
    run.result.setdefault("received", []).append(dataset)
    return {"dataset": dataset, "bytes": run.found[f"count:{dataset}"]}


def _set(run: _Run, step: Step, host: StreamHost, sent: Sent) -> Generator[Event, None, None]:
    """The properties, as they were; what cannot be set is said."""
    for script in sending.set_all(sent.dataset, sent.properties):
        ask(host, script, stopper(run))
    said = ask(host, sending.properties(sent.dataset), stopper(run)).decode("utf-8", "replace")
    odd = sending.differing(sent.properties, sending.properties_of(said, sent.dataset))
    if odd:
        named = "; ".join(tame(each, 80) for each in odd[:_NAMED]) + ("; and more" if len(odd) > _NAMED else "")  # fmt: skip
        yield Noted(run.clock(), step.id, f"Not set again on {tame(sent.dataset, 120)}: {named}. The manifest has their values.", level="warning", reference="property-not-set")  # fmt: skip


def _in_the_way(stale: sending.Stale) -> None:
    raise Refused("target-exists", f"{tame(stale.dataset, 120)} is there and is not what this backup began. Nothing is received over it.", hint="Rename it, or destroy it yourself, if it is not wanted.")  # fmt: skip
