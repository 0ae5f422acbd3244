"""What a restore tells the machine, word for word. Imports nothing that connects or reads.

/etc/zones holds a file of each zone and an index with a line `name:state:path:uuid` (illumos: usr/src/lib/libzonecfg,
zones(7)); vmadm reads both. A dataset for cores is made by vmadm when it creates an instance, and by nobody afterwards
(smartos-docs: docs/managing-instances-with-vmamd.md).
"""

from __future__ import annotations

import shlex

INDEX = "etc/zones/index"


def receive(dataset: str) -> str:
    """Receive a stream as that dataset, without mounting anything, and never over what is there (no -F)."""
    return f"zfs recv -u {shlex.quote(dataset)}"


def destroy(dataset: str) -> str:
    """Take a dataset away that this restore made."""
    return f"zfs destroy -r {shlex.quote(dataset)}"


def mount(datasets: list[str]) -> str:
    """Mount those of the datasets that can be; volumes and delegated ones cannot."""
    words = " ".join(shlex.quote(name) for name in datasets)
    return f'for each in {words}; do zfs mount "$each" 2>/dev/null; done; true'


def extract() -> str:
    """Put the files of a tar stream in their places."""
    return "cd / && tar xpf -"


def remove(paths: list[str]) -> str:
    """Take those files away."""
    return "cd / && rm -f -- " + " ".join(shlex.quote(path) for path in paths)


def put(path: str) -> str:
    """Write stdin to a file; one that is there and differs is left, and the command fails."""
    folder, place, new = (
        shlex.quote(each) for each in (path.rpartition("/")[0], path, path + ".smartos-wizard")
    )
    clash = f"rm -f {new}; echo 'it is there already, and differs' >&2; exit 1"
    return f"cd / && mkdir -p {folder} && cat > {new} && if [ -e {place} ] && ! cmp -s {place} {new}; then {clash}; else mv {new} {place}; fi"


def add_to_index(uuid: str, line: str) -> str:
    """Add the zone's line to the index, once, in one replacement of the file."""
    new = f"{INDEX}.smartos-wizard"
    return f"cd / && if ! grep -q '^{uuid}:' {INDEX}; then cp -p {INDEX} {new} && echo {shlex.quote(line)} >> {new} && mv {new} {INDEX}; fi"  # fmt: skip


def take_from_index(uuid: str) -> str:
    """The inverse, with the zone's file."""
    new = f"{INDEX}.smartos-wizard"
    return f"cd / && cp -p {INDEX} {new} && sed '/^{uuid}:/d' {INDEX} > {new} && mv {new} {INDEX} && rm -f etc/zones/{uuid}.xml"


def cores(pool: str, uuid: str) -> str:
    """The dataset for the instance's core dumps, as vmadm makes it, where it is missing."""
    name = shlex.quote(f"{pool}/cores/{uuid}")
    where = shlex.quote(f"/{pool}/{uuid}/cores")
    return f"zfs get -Ho name type {name} >/dev/null 2>&1 || zfs create -p -o quota=100g -o mountpoint={where} {name}"


def lookup(uuid: str) -> str:
    """Its UUID, where vmadm knows it."""
    return f"vmadm lookup uuid={uuid}"
