"""Plans and runs a download: fetched, hashed while it arrives, resumed, kept only when it is the published file.

Imports core only.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smartos_wizard.core import text
from smartos_wizard.core.errors import ChecksumFailed, Refused
from smartos_wizard.core.events import Advanced, Noted
from smartos_wizard.core.plan import Effect, Plan, Step
from smartos_wizard.core.runner import Action, Run, Work
from smartos_wizard.releases.fetching import Fetching
from smartos_wizard.releases.model import Artifact, ArtifactKind, Checksum, Release, StoredFile
from smartos_wizard.releases.part import Part, claim, disk_trouble, require_space
from smartos_wizard.releases.pins import pins_of
from smartos_wizard.releases.ports import ReleaseWorld
from smartos_wizard.releases.store import Store
from smartos_wizard.releases.sums import LISTS

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Order:
    """What a download step is told; `to` is the file it ends as."""

    artifact: Artifact
    mirror: str
    to: Path
    force: bool = False

    @property
    def expected(self) -> Checksum:
        """The digest the file must have."""
        best = self.artifact.best
        assert best is not None
        return best

    def to_json(self) -> dict[str, Any]:
        """JSON values; `from_json` is the inverse."""
        return {
            "stamp": self.artifact.stamp,
            "kind": self.artifact.kind.value,
            "name": self.artifact.name,
            "size": self.artifact.size,
            "checksums": {c.algorithm: c.digest for c in self.artifact.checksums},
            "mirror": self.mirror,
            "to": str(self.to),
            "force": self.force,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Order:
        """The inverse of `to_json`."""
        sums = tuple(Checksum(a, d) for a, d in data["checksums"].items())
        artifact = Artifact(data["stamp"], ArtifactKind(data["kind"]), data["name"], data["size"], sums)
        return cls(artifact, data["mirror"], Path(data["to"]), bool(data["force"]))


def plan_download(
    release: Release,
    artifact: Artifact,
    to: Path | None,
    store: Store,
    mirror_base: str,
    *,
    force: bool = False,
) -> Plan:
    """The plan to have `artifact` in directory `to`, or in the store where that is None.

    What is there and verified already is not fetched again unless `force`. Raises ChecksumFailed where
    nothing published vouches for the file: what cannot be checked is not fetched.
    """
    expected = require_checksum(release, artifact)
    target = (to / artifact.name if to is not None else store.path_of(artifact)).absolute()
    order = Order(artifact, mirror_base, target, force)
    have = None if force else _already(store, artifact, target, to is None)
    if have is not None:
        order = Order(artifact, have.source, have.path)
        step = Step(
            "stored", "release-stored", f"{artifact.name} is here already, downloaded and verified",
            Effect.READS, (str(have.path),), params=order.to_json(),
        )  # fmt: skip
        return Plan("release-download", f"Use {artifact.name} from before", (step,))
    size = "size not told by the mirror" if artifact.size is None else text.size(artifact.size)
    fetch = Step(
        "fetch", "release-fetch", f"Download {artifact.name} and check its {expected.algorithm} while it arrives",
        Effect.CREATES, (f"{size}, from {mirror_base}{artifact.stamp}/", _word_on(expected)),
        undo=f"remove {target}.part", params=order.to_json(),
        by_hand=f"curl -C - -o '{target}' '{mirror_base}{artifact.stamp}/{artifact.name}' && "
        f"{expected.algorithm}sum '{target}'",
    )  # fmt: skip
    keep = Step(
        "keep", "release-keep", f"Keep it as {target}", Effect.CREATES,
        undo=f"remove {target}", params=order.to_json(),
    )  # fmt: skip
    return Plan("release-download", f"Download {artifact.name}", (fetch, keep), locks=(str(target),))


def require_checksum(release: Release, artifact: Artifact) -> Checksum:
    """The digest that vouches for `artifact`. Raises ChecksumFailed naming why there is none."""
    if artifact.best is not None:
        return artifact.best
    if not release.algorithms and not release.problems:
        why, reference = "no checksum list was read", "no-checksums"
    elif any("malformed" in problem for problem in release.problems):
        why, reference = "; ".join(release.problems), "malformed-checksums"
    elif release.problems:
        why, reference = "; ".join(release.problems), "no-checksums"
    else:
        lists = " and ".join(LISTS[a] for a in release.algorithms)
        why, reference = f"{lists} has no usable line for exactly this name", "not-in-checksums"
    raise ChecksumFailed(
        reference,
        f"{artifact.name} cannot be checked, so it is not downloaded: {why}.",
        context=release.base + release.stamp,
        hint="Try another mirror or release. This program never uses a file that nothing vouches for.",
    )


def _already(store: Store, artifact: Artifact, target: Path, anywhere: bool) -> StoredFile | None:
    """The verified file to use instead of fetching: at its place, or anywhere where no place was asked for."""
    candidates = [store.at(target), *(store.list() if anywhere else ())]
    for file in candidates:
        if file is not None and file.artifact.name == artifact.name and file.verified in artifact.checksums:
            return file
    return None


def _word_on(expected: Checksum) -> str:
    if expected.algorithm == "sha256":
        return f"sha256 {expected.digest}"
    return f"md5 {expected.digest} (this release publishes no sha256)"


def _stored(run: Run[ReleaseWorld], step: Step) -> Work:
    order = Order.from_json(step.params)
    file = Store(run.world.paths.store).at(order.to)
    if file is None:
        raise Refused(
            "file-changed", "The file was changed or removed since this was planned.", context=str(order.to),
            hint="Ask for the download again.",
        )  # fmt: skip
    pins_of(run.world.paths.state).require((order.artifact,))
    yield Advanced(run.clock(), step.id, file.artifact.size or 0, file.artifact.size)
    return _report(run, order, file.source, fetched=0)


def _fetch(run: Run[ReleaseWorld], step: Step) -> Work:
    order = Order.from_json(step.params)
    pins_of(run.world.paths.state).require((order.artifact,))
    if (yield from _found_in_place(run, step, order)):
        return {"fetched": 0}
    part_path = order.to.with_name(order.to.name + ".part")
    held = contextlib.ExitStack()
    run.on_end.append(held.close)
    part = held.enter_context(claim(part_path, order.expected.algorithm))
    if order.artifact.size is not None:
        require_space(order.to.parent, max(0, order.artifact.size - part.have))
    run.found["part"] = part
    fetching = Fetching(
        run.world.mirror(order.mirror), order.artifact, order.expected, part, run.cancel, run.clock
    )
    try:
        yield from fetching.work(step.id)
    except OSError as error:
        raise disk_trouble(error, part.path) from error
    run.found["fetched"] = fetching.fetched
    return {"fetched": fetching.fetched, "resumed_from": fetching.resumed_from}


def _keep(run: Run[ReleaseWorld], step: Step) -> Work:
    order = Order.from_json(step.params)
    part: Part | None = run.found.get("part")
    if part is not None:
        try:
            part.finish(order.to)
        except OSError as error:
            raise disk_trouble(error, order.to) from error
    source = order.mirror + f"{order.artifact.stamp}/{order.artifact.name}"
    Store(run.world.paths.store).record(StoredFile(order.to, order.artifact, order.expected, source))
    yield Noted(
        run.clock(), step.id, f"{order.expected.algorithm} is the published one: {order.expected.digest}"
    )
    return _report(run, order, source, fetched=int(run.found.get("fetched", 0)))


def _found_in_place(run: Run[ReleaseWorld], step: Step, order: Order) -> Work:
    """Whether a file of that name is there and is the right one; a wrong one outside the store is not touched."""
    if order.force or not order.to.exists():
        return None
    yield Noted(run.clock(), step.id, f"{order.to} is there already; checking whether it is the right file.")
    digest = hashlib.new(order.expected.algorithm)
    whole, done = order.to.stat().st_size, 0
    with order.to.open("rb") as file:
        while data := file.read(_CHUNK):
            run.cancel.check()
            digest.update(data)
            done += len(data)
            if done % (16 * _CHUNK) == 0:
                yield Advanced(run.clock(), step.id, done, whole)
    if digest.hexdigest() == order.expected.digest:
        return {"found": True}
    if not Store(run.world.paths.store).holds(order.to):
        raise Refused(
            "file-in-the-way", f"There is another file of that name; it is not the published {order.artifact.name}.",
            context=str(order.to), hint="Move it away, or say --force to replace it.",
        )  # fmt: skip
    return None


def _report(run: Run[ReleaseWorld], order: Order, source: str, *, fetched: int) -> dict[str, Any]:
    expected = order.expected
    result = {
        "path": str(order.to),
        "stamp": order.artifact.stamp,
        "artifact": order.artifact.kind.value,
        "name": order.artifact.name,
        "size": order.to.stat().st_size,
        "algorithm": expected.algorithm,
        "digest": expected.digest,
        "source": source,
        "fetched": fetched,
    }
    weak = "" if expected.algorithm == "sha256" else " (this release publishes no sha256)"
    run.result.update(result)
    run.result["say"] = [f"{order.to}", f"verified: {expected.algorithm} {expected.digest}{weak}"]
    return result


DOWNLOAD_ACTIONS: Mapping[str, Action[ReleaseWorld]] = {
    "release-stored": Action(_stored),
    "release-fetch": Action(_fetch),
    "release-keep": Action(_keep),
}
"""The code that runs plans of kind `release-download`."""
