"""What a make-believe machine answers to a backup and to a restore: small streams, and a memory of what it was told."""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from smartos_wizard.core.errors import DeviceLost
from smartos_wizard.practice.host_answers import PracticeMachine
from smartos_wizard.practice.host_trees import PracticeTrees, ends, name_sent, received, told
from smartos_wizard.reinstall.streams import CommandFailed

_PIECE = 64 << 10
_PIECES = 24
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAME = re.compile(r"zones/[\w./@:%-]+")


@dataclass(slots=True)
class PracticeMemory:
    """What was made on the machine since it was connected: snapshots, datasets, files."""

    machine: PracticeMachine
    made: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    """UUIDs that were written into /etc/zones/index."""
    sends: int = 0
    files: dict[str, str] = field(default_factory=dict)
    """Configuration that was put back, by path."""
    trees: PracticeTrees = field(default_factory=lambda: PracticeTrees(""))

    @property
    def datasets(self) -> set[str]:
        """What is there."""
        pools = {pool.name for pool in self.machine.pools if pool.imported}
        system = {f"zones/{name}" for name in ("config", "usbkey", "opt", "var", "cores")}
        return (
            pools
            | system
            | {f"zones/{each.uuid}" for each in self.machine.instances}
            | self.made
            | set(self.trees.read())
        )


def answer(host: str, memory: PracticeMemory, command: str) -> Iterator[bytes]:
    """What the command says. Raises CommandFailed for one it does not know, DeviceLost where the machine is that kind."""
    words = command.rsplit("; export PATH LC_ALL; ", maxsplit=1)[-1]
    names = _NAME.findall(words)
    if words.startswith("zfs send ") and not words.startswith("zfs send -nP"):
        memory.sends += 1
        yield from _stream(name_sent(words), host if host == "dropped-stream" and memory.sends == 2 else "")
        return
    pools = {pool.name: pool.guid for pool in memory.machine.pools if pool.imported}
    said = told(memory.trees, memory.datasets - set(memory.trees.read()), pools, words)
    if said is None:
        said = _told(memory, words, names)
    if said is None:
        said = _done(memory, words, names)
    if said is None:
        raise CommandFailed(host, command, 127, "not a command of make-believe machines")
    yield said


def _told(memory: PracticeMemory, words: str, names: list[str]) -> bytes | None:
    """The answer to a question; None where it is none."""
    machine = memory.machine
    pools = "".join(f"{pool.name}\t{pool.guid}\n" for pool in machine.pools if pool.imported)
    there = {each.uuid for each in machine.instances} | memory.known
    found = [each for each in machine.instances if each.uuid in words]
    instance = {"uuid": found[0].uuid, "alias": found[0].alias, "brand": found[0].brand} if found else {}
    answers = {
        "hostid": f"{machine.hostid}\n{pools}",
        "for each in": "".join(f"{name}\n" for name in names if name in memory.datasets),
        "zfs send -nP": f"size\t{_PIECE * _PIECES}\n",
        "vmadm lookup": "".join(f"{uuid}\n" for uuid in sorted(there) if uuid in words),
        "vmadm get": json.dumps(instance),
        "zonecfg": "create -b\nset zonepath=/zones/practice\nset brand=joyent\n",
        "imgadm": "[]\n",
        "echo '###": "### a make-believe machine\n",
    }
    if "tar cf" in words:
        return _tar(machine, memory.files)
    return next((text.encode() for begin, text in answers.items() if words.startswith(begin)), None)


def _done(memory: PracticeMemory, words: str, names: list[str]) -> bytes | None:
    """Do what is told; None where it is not known how."""
    if words.startswith(("zfs snapshot", "zfs get -Ho name type")):
        memory.made.update(names)
    elif words.startswith("zfs destroy"):
        memory.made -= set(names)
    elif "etc/zones/index" in words:
        memory.known.update(_UUID.findall(words))
    elif not words.startswith("cd / && rm -f"):
        return None
    return b""


def swallow(memory: PracticeMemory, command: str, chunks: Iterable[bytes]) -> bytes:
    """Take what is fed to the command."""
    words = command.rsplit("; export PATH LC_ALL; ", maxsplit=1)[-1]
    if words.startswith("zfs recv -s"):
        return f"{received(memory.trees, words, chunks)} bytes\n".encode()
    if "tar xpf" in words:
        packed = b"".join(chunks)
        memory.files |= _files(packed)
        return f"{len(packed)} bytes\n".encode()
    count = sum(len(chunk) for chunk in chunks)
    if "zfs recv" in command and "-nvu" not in command:
        memory.made.update(_NAME.findall(command))
    return f"{count} bytes\n".encode()


def _stream(name: str, drops: str) -> Iterator[bytes]:
    """A stream with a true first and last record and nothing of worth between; `drops` names a machine that goes away."""
    first, last = ends(name)
    yield first
    for number in range(_PIECES):
        if drops and number == _PIECES // 2:
            raise DeviceLost("connection-lost", f"The connection to {drops} was lost in the middle.", hint="Give the same command again: what is finished and proven is not done a second time.")  # fmt: skip
        yield (f"{name} {number} ".encode() * _PIECE)[:_PIECE]
    yield last


def _files(packed: bytes) -> dict[str, str]:
    """The files of a tar, as texts: what make-believe machines have is small."""
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        found = [(member.name, tar.extractfile(member)) for member in tar if member.isreg()]
        return {name: file.read().decode("utf-8", "replace") for name, file in found if file is not None}


def _tar(machine: PracticeMachine, put_back: dict[str, str]) -> bytes:
    files = {
        "usbkey/config": f"hostname={machine.hostname}\nadmin_nic=02:08:20:00:00:01\nadmin_ip=dhcp\n",
        "usbkey/shadow": "root:practice:6445::::::\n",
        "usbkey/ssh/ssh_host_rsa_key": "make-believe\n",
        "opt/custom/smf/backup.xml": "<service_bundle type='manifest' name='backup'/>\n",
        "etc/zones/index": "global:installed:/\n"
        + "".join(f"{e.uuid}:installed:/zones/{e.uuid}:{e.uuid}\n" for e in machine.instances),
        **{f"etc/zones/{each.uuid}.xml": f'<zone name="{each.uuid}"/>\n' for each in machine.instances},
    }
    if machine.clean:
        files = {name: text for name, text in files.items() if name in ("usbkey/config", "usbkey/shadow") or "zones" in name}  # fmt: skip
    files |= put_back
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text), 0o400 if "shadow" in name or "key" in name[-3:] else 0o644
            tar.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()
