"""What the steps of a restore do. `restore_planning` says what each is for."""

from __future__ import annotations

import time
from collections.abc import Iterator

from smartos_wizard.core.errors import ProofFailed, Refused, WizardError
from smartos_wizard.core.events import Advanced, Noted
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Action, Run, Work
from smartos_wizard.core.text import tame
from smartos_wizard.media.watching import in_thread
from smartos_wizard.reinstall import backup_asking, restore_asking, restore_there
from smartos_wizard.reinstall.backup_files import keep, unpacked
from smartos_wizard.reinstall.backup_manifest import CONFIGURATION, Kept
from smartos_wizard.reinstall.backup_steps import check_files
from smartos_wizard.reinstall.doors import ReinstallWorld, door, recheck, stopper
from smartos_wizard.reinstall.restore_config import only, text_of
from smartos_wizard.reinstall.restore_notes import before, manifest_of, note, place_of
from smartos_wizard.reinstall.streams import StreamHost, ask, patient, shell

_Run = Run[ReinstallWorld]


def _tar(run: _Run) -> Iterator[bytes]:
    kept = manifest_of(run).file(CONFIGURATION)
    if kept is None:
        raise ProofFailed("no-configuration", "The backup holds no configuration.")
    return unpacked(place_of(run), kept)


def _host(run: _Run) -> StreamHost:
    return door(run)


def _check(run: _Run, step: Step) -> Work:
    """Read back what is going to be used."""
    wanted = set(step.params["datasets"])
    files = [kept for kept in manifest_of(run).files if kept.kind != "stream" or kept.dataset in wanted]
    yield from check_files(run, step, place_of(run), files)
    return {"files": len(files)}


def _look(run: _Run, step: Step) -> Work:
    """Raise Refused `target-exists`, `origin-missing`: the survey may be older than that."""
    absent, origins = step.params["absent"], step.params["origins"]
    there = set(ask(_host(run), backup_asking.there([*absent, *origins])).decode().split("\n"))
    for name in absent:
        if name in there:
            raise Refused("target-exists", f"{tame(name, 120)} is there now. Nothing was changed.", hint="Survey the machine again.")  # fmt: skip
    for name in origins:
        if name not in there:
            image = name.split("@")[0].rsplit("/", 1)[-1]
            raise Refused("origin-missing", f"The image {tame(image)} is there, without the snapshot {tame(name, 120)} that the instance is made from.", hint=f"imgadm delete {tame(image)}, then restore again: the backup's own comes with its snapshots.")  # fmt: skip
    yield from ()
    return {}


def _clear(run: _Run, step: Step) -> Work:
    """Only what the journal of this backup calls its own."""
    dataset = step.params["dataset"]
    was = before(place_of(run), run.plan.params["address"]["hostid"])
    if dataset not in was.began or dataset in was.finished:
        raise Refused("not-ours", f"{tame(dataset, 120)} was not left by a restore of this backup.")
    ask(_host(run), restore_asking.destroy(dataset))
    note(run, cleared=dataset)
    yield from ()
    return {"destroyed": dataset}


def _configuration(run: _Run, step: Step) -> Work:
    """What is there now is kept beside the backup first."""
    host, directory = _host(run), place_of(run)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(run.world.now()))
    chunks = host.stream(shell(backup_asking.configuration()), stopper(run))
    work = keep(directory, Kept(f"before-restore-{stamp}.tar.gz", 0, "", "configuration"), chunks)
    try:
        while True:
            next(work)
    except StopIteration as end:
        run.found["before"] = end.value
    paths = {*step.params["made"], *step.params["replaced"]}
    run.found["configuration-begun"] = True
    host.feed(shell(restore_asking.extract()), only(_tar(run), paths), stopper(run))
    run.found["configuration-begun"] = False
    run.state = lambda: "Stopped; what is whole stays, and is passed over the next time."
    run.result["configuration"] = sorted(paths)
    run.result["before"] = run.found["before"].path
    yield Noted(run.clock(), step.id, f"What was there before is kept in {run.found['before'].path}.")
    return {"files": len(paths)}


def _configuration_undo(run: _Run, step: Step) -> Work:
    if run.found.get("configuration-begun"):
        host, old = _host(run), run.found["before"]
        if step.params["made"]:
            ask(host, restore_asking.remove(step.params["made"]))
        if step.params["replaced"]:
            host.feed(shell(restore_asking.extract()), only(unpacked(place_of(run), old), set(step.params["replaced"])))  # fmt: skip
    yield from ()
    return {}


def _receive(run: _Run, step: Step) -> Work:
    """One stream, into a dataset that is not there."""
    dataset, host = step.params["dataset"], _host(run)
    kept = manifest_of(run).stream(dataset)
    if kept is None:
        raise ProofFailed("not-in-backup", f"The backup holds no stream of {tame(dataset, 120)}.")
    done = 0

    def seen(count: int) -> None:
        nonlocal done
        done = count

    note(run, began=dataset)
    run.found[f"began:{dataset}"] = True
    chunks = unpacked(place_of(run), kept, seen)
    yield from in_thread(
        run,
        lambda: host.feed(shell(restore_asking.receive(dataset)), chunks, stopper(run)),
        lambda: [Advanced(run.clock(), step.id, done, kept.size)],
    )
    note(run, finished=dataset)
    run.found[f"began:{dataset}"] = False
    run.result.setdefault("received", []).append(dataset)
    return {"dataset": dataset, "bytes": kept.stream_size}


def _receive_undo(run: _Run, step: Step) -> Work:
    """Only a half one goes; `_look` has seen that it was not there before."""
    dataset = step.params["dataset"]
    if run.found.get(f"began:{dataset}") and not run.found.get("kept-for-later"):
        host = _host(run)
        if dataset in ask(host, backup_asking.there([dataset])).decode().split("\n"):
            ask(host, patient(restore_asking.destroy(dataset)))
        note(run, cleared=dataset)
    yield from ()
    return {}


def _image(run: _Run, step: Step) -> Work:
    """The image's manifest, by which imgadm knows it (smartos-live: src/img/lib/imgadm.js, /var/imgadm/images)."""
    name = step.params["dataset"].replace("/", "-")
    path = f"var/imgadm/images/{name}.json"
    text = text_of(_tar(run), path)
    if text is None:
        yield Noted(run.clock(), step.id, f"/{tame(path, 120)} is not in the backup; `imgadm import` makes the image known.", level="warning", reference="image-unknown")  # fmt: skip
        return {}
    try:
        _host(run).feed(shell(restore_asking.put(path)), [text], stopper(run))
    except WizardError as error:
        yield Noted(run.clock(), step.id, f"/{tame(path, 120)} was left as it is: {tame(error.context or error.message, 120)}")  # fmt: skip
    return {}


def _instance(run: _Run, step: Step) -> Work:
    """The zone's own files, then vmadm must know it."""
    uuid, host, stop = step.params["uuid"], _host(run), stopper(run)
    if not backup_asking.is_uuid(uuid):
        raise Refused("odd-uuid", f"{tame(uuid)} is no UUID.")
    path = f"etc/zones/{uuid}.xml"
    text = text_of(_tar(run), path)
    index = (text_of(_tar(run), restore_asking.INDEX) or b"").decode("utf-8", "replace").splitlines()
    line = next((each for each in index if each.startswith(f"{uuid}:")), "")
    if text is None or not line:
        raise ProofFailed("instance-not-in-backup", f"The backup holds no /etc/zones/{uuid}.xml, or no line for it in the index.", hint=f"Its data is there. {uuid}.zonecfg and {uuid}.vmadm.json in the backup say how it was made.")  # fmt: skip
    ask(host, restore_asking.mount(step.params["datasets"]), stop)
    run.found[f"zone:{uuid}"] = True
    host.feed(shell(restore_asking.put(path)), [text], stop)
    ask(host, restore_asking.add_to_index(uuid, line), stop)
    ask(host, restore_asking.cores(step.params["pool"], uuid), stop)
    known = ask(host, restore_asking.lookup(uuid), stop).decode("utf-8", "replace")
    if uuid not in known:
        raise ProofFailed("not-known-to-vmadm", f"vmadm does not know {uuid} after its files were put back.", hint="Its data is there. Look at `zoneadm list -cv` and at vmadmd's log, or give the same command again.")  # fmt: skip
    run.found[f"zone:{uuid}"] = False
    run.result.setdefault("instances", []).append(uuid)
    run.result.setdefault("say", []).append(f"vmadm knows {uuid}. It is not started: vmadm start {uuid}")
    yield from ()
    return {"uuid": uuid}


def _instance_undo(run: _Run, step: Step) -> Work:
    if run.found.get(f"zone:{step.params['uuid']}"):
        ask(_host(run), restore_asking.take_from_index(step.params["uuid"]))
    yield from ()
    return {}


RESTORE_ACTIONS: dict[str, Action[ReinstallWorld]] = {
    "recheck": Action(recheck),
    "restore-check": Action(_check),
    "restore-clear": Action(_clear),
    "restore-look": Action(_look),
    "restore-configuration": Action(_configuration, _configuration_undo),
    "restore-receive": Action(_receive, _receive_undo),
    "restore-check-there": Action(restore_there.check_step),
    "restore-receive-there": Action(restore_there.receive_step, _receive_undo),
    "restore-image": Action(_image),
    "restore-instance": Action(_instance, _instance_undo),
}
"""The code of a `reinstall-restore` plan."""
