"""What is decided on the way back: which backup, which machine, what of it. Pure; knows neither Textual nor how machines are reached."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from smartos_wizard.core import text
from smartos_wizard.core.text import counted, tame
from smartos_wizard.reinstall.backup_choice import Group
from smartos_wizard.reinstall.backup_manifest import Manifest
from smartos_wizard.reinstall.model import Survey
from smartos_wizard.reinstall.ports import Address
from smartos_wizard.reinstall.restore_config import CONFIG, PLACES, Compared
from smartos_wizard.reinstall.restore_planning import Before, Wanted
from smartos_wizard.reinstall.saying import host_name
from smartos_wizard.screens.reinstall_words import host_words

PLACE_WORDS = {
    "usbkey": "passwords, host keys, settings", "opt/custom": "services and scripts of your own",
    "root/.ssh/authorized_keys": "who may log in as root", "var/fw": "firewall rules",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that lies here."""

    directory: str
    manifest: Manifest

    @property
    def host(self) -> str:
        """The machine it is of."""
        return tame(str(self.manifest.host.get("hostname") or "unknown"))

    @property
    def size(self) -> int:
        """Bytes that come back: packed files here, and what lies on another host."""
        return self.manifest.size + sum(sent.size for sent in self.manifest.sent)


@dataclass(frozen=True, slots=True)
class Fate:
    """What may be done with a group. `state`: `free`, `half` (begun by an earlier restore), `there`, or `blocked`; `why` in words."""

    group: Group
    state: str
    why: str = ""

    @property
    def free(self) -> bool:
        """Whether it can be chosen."""
        return self.state in ("free", "half")


@dataclass(frozen=True, slots=True)
class Found:
    """The machine as it is now, beside the backup."""

    survey: Survey = field(repr=False)
    compared: Compared
    before: Before
    fates: tuple[Fate, ...]

    @property
    def places(self) -> tuple[tuple[str, int], ...]:
        """Where files are missing, and how many; the network configuration is not counted: it has to be named."""
        rows = ((place, sum(below(path, place) for path in self.compared.missing if path != CONFIG)) for place in PLACES)  # fmt: skip
        return tuple((place, count) for place, count in rows if count)

    @property
    def named(self) -> tuple[str, ...]:
        """Files that are put back only where they are named: those that differ, and the network configuration."""
        missing = (CONFIG,) if CONFIG in self.compared.missing else ()
        return (*missing, *self.compared.different)


@dataclass(frozen=True, slots=True)
class Ticks:
    """What is to be put back."""

    places: frozenset[str] = frozenset()
    overwrite: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    @property
    def any(self) -> bool:
        """Whether there is something."""
        return bool(self.places or self.overwrite or self.groups)

    def has(self, kind: str, name: str) -> bool:
        """Whether that line is ticked. `kind`: `p` a place, `f` a file that differs, `g` an instance or dataset."""
        return name in {"p": self.places, "f": self.overwrite, "g": self.groups}[kind]

    def turned(self, kind: str, name: str) -> Ticks:
        """The same with that line the other way."""
        match kind:
            case "p":
                return replace(self, places=self.places ^ {name})
            case "f":
                return replace(self, overwrite=self.overwrite ^ {name})
            case _:
                return replace(self, groups=self.groups ^ {name})

    @property
    def wanted(self) -> Wanted:
        """As plans take it."""
        return Wanted(
            bool(self.places or self.overwrite), tuple(sorted(self.groups)),
            overwrite=tuple(sorted(self.overwrite)), places=tuple(sorted(self.places)),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Restoring:
    """Everything so far. `ticks` is None as long as nobody chose: what is missing is proposed then."""

    backup: Backup
    address: Address | None = None
    found: Found | None = None
    ticks: Ticks | None = None

    @property
    def name(self) -> str:
        """What the machine is called."""
        if self.found is not None:
            return host_name(self.found.survey)
        return self.address.host if self.address is not None else "HOST"

    @property
    def other_machine(self) -> str:
        """A sentence where the backup is of another machine; empty where it is not."""
        if self.found is None or self.found.survey.hostid == self.backup.manifest.host.get("hostid"):
            return ""
        if self.name == self.backup.host:
            return f"{self.name} has another hostid than when it was backed up. After other hardware that is so; otherwise ask again."
        return f"This is a backup of {self.backup.host}, and the machine is {self.name}."

    @property
    def chosen(self) -> Ticks:
        """What is ticked of what can be."""
        found = self.found
        if found is None:
            return Ticks()
        free = frozenset(fate.group.name for fate in found.fates if fate.free and fate.group.kind != "image")
        places = frozenset(place for place, _ in found.places)
        if self.ticks is None:
            return Ticks(
                places, groups=frozenset(f.group.name for f in found.fates if f.state == "free") & free
            )
        ticks = self.ticks
        return Ticks(ticks.places & places, ticks.overwrite & frozenset(found.named), ticks.groups & free)


def directory_of(words: str) -> str:
    """The directory in the words by which a plan names its backup (`backup_proof.words_of`); empty without one."""
    found = re.match(r"(.+?), (?:of today|\d+ \w+ old)(?:;|:)", words)
    return found[1] if found else words.partition(",")[0]


def below(path: str, place: str) -> bool:
    """Whether the path is that place or lies in it."""
    return path == place or path.startswith(place + "/")


def restore_words(said: Restoring) -> str:
    """The command that does the same."""
    host = host_words(said.address) if said.address is not None else "HOST"
    words = ["reinstall", "restore", shlex.quote(said.backup.directory), host]
    ticks, found = said.chosen, said.found
    if found is None:
        return " ".join(words)
    if ticks.places or ticks.overwrite:
        words.append("--config")
        every = ticks.places == {place for place, _ in found.places}
        for place in () if every else sorted(ticks.places):
            words += ["--place", f"/{place}"]
        words += [] if every or ticks.places else ["--place", "none"]
    for path in sorted(ticks.overwrite):
        words += ["--overwrite", shlex.quote(f"/{path}")]
    kinds = {group.name: group.kind for group in said.backup.manifest.groups}
    for name in sorted(ticks.groups):
        words += ["--dataset" if kinds.get(name) == "data" else "--instance", shlex.quote(name)]
    return " ".join(words)


def facts_of(backup: Backup, now: float) -> Iterator[tuple[str, str]]:
    """What is in it, as names and values."""
    manifest = backup.manifest
    when = text.age(max(0.0, now - manifest.made))
    yield "Machine", f"{backup.host}, hostid {tame(str(manifest.host.get('hostid') or 'unknown'))}"
    proof = "every file was read back" if manifest.verified is not None else "NEVER READ BACK"
    yield "Made", f"{'today' if when == 'today' else when + ' ago'}, snapshot {tame(manifest.stamp)}; {proof}"
    here = counted(len(manifest.files), "file")
    yield "Here", f"{here}, {text.size(manifest.size)}, in {backup.directory}"
    if manifest.there is not None:
        size = text.size(sum(sent.size for sent in manifest.sent))
        yield (
            "Elsewhere",
            f"{counted(len(manifest.sent), 'dataset')}, {size} in use, in {tame(manifest.there.words, 160)}; that host must let you in with a key",
        )
    yield "Holds", "configuration: /usbkey, /opt/custom, root's keys, firewall rules, settings of instances"
    for group in manifest.groups:
        kind = {"image": "image", "instance": "instance", "data": "dataset"}.get(group.kind, group.kind)
        yield "", f"{kind} {tame(group.title, 100)}, {text.size(group.size)}"
    for words in manifest.missing:
        yield "Not in it", tame(words, 200)


def files_of(backup: Backup) -> Iterator[str]:
    """Every file with size and digest, and every dataset that lies elsewhere."""
    for kept in backup.manifest.files:
        yield f"{tame(kept.path, 120)}, {text.exact(kept.size)} bytes"
        yield f"  {kept.sha256}"
    for sent in backup.manifest.sent:
        yield f"{tame(sent.dataset, 120)}, {text.size(sent.size)} in use, there as {tame(sent.place, 160)}"
        yield f"  {counted(sum(len(each) for each in sent.snapshots.values()), 'snapshot')}, compared by guid"
