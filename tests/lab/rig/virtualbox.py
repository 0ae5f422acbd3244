"""The real VirtualBox of Debian sid in a tree of its own, without its kernel module: everything but a running guest.

The tree is built once (two minutes, 1.1 GB) and kept below /var/tmp. VBoxManage runs in it by chroot, in a mount namespace
of its own, so that nothing stays mounted; the session's directory is seen in it under the same name, and every
test has settings and a server of its own.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.lab.rig import parts
from tests.lab.rig.space import ROOT

CACHE = Path(os.environ.get("SMARTOS_WIZARD_LAB_CACHE", "/var/tmp/smartos-wizard-lab"))
PROGRAMS = ("debootstrap", "unshare", "chroot", "mount")
_INSTALL = """
mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && mount -t sysfs sys "$0/sys" &&
exec chroot "$0" /usr/bin/env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends virtualbox
"""
_CALL = """#!/bin/sh
# {program} in its tree, seeing {root} and the source under the same names.
exec unshare -m --propagation private sh -c '
mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && mount -t sysfs sys "$0/sys" &&
mount --bind {root} "$0{root}" && mount -o bind,ro {source} "$0{source}" && exec chroot "$0" {program} "$@"' {tree} "$@"
"""
SOURCE = Path(__file__).resolve().parents[3]


def prepare() -> Path:
    """The tree, built on first use."""
    parts.need_programs(PROGRAMS)
    CACHE.mkdir(parents=True, exist_ok=True)
    tree = CACHE / "virtualbox-sid"
    with (CACHE / "virtualbox.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (tree / "usr/bin/VBoxManage").exists():
            _build(tree)
    for seen in (ROOT, SOURCE):
        (tree / str(seen).lstrip("/")).mkdir(parents=True, exist_ok=True)
    return tree


def install(place: Path) -> Path:
    """A directory for PATH with a VBoxManage in it, and with `vbox-python`, which has VirtualBox's own vboxapi."""
    place.mkdir(parents=True)
    tree = prepare()
    for name, real in (("VBoxManage", "/usr/bin/VBoxManage"), ("vbox-python", "/usr/bin/python3")):
        program = place / name
        program.write_text(_CALL.format(root=ROOT, tree=tree, source=SOURCE, program=real))
        program.chmod(0o755)
    return place


def environment(home: Path) -> dict[str, str]:
    """What gives a VBoxManage settings and a server of its own; the server ends some seconds after the last call."""
    return {"VBOX_USER_HOME": str(home), "VBOX_IPC_SOCKETID": f"{home.parent.parent.name}-{home.parent.name}"}


def _build(tree: Path) -> None:
    part = tree.with_name(f"{tree.name}-part")
    shutil.rmtree(part, ignore_errors=True)
    log = CACHE / "virtualbox-build.log"
    with log.open("wb") as out:
        made = subprocess.run(
            ["debootstrap", "--variant=minbase", "--components=main,contrib", "sid", str(part), _mirror()],
            check=False, stdout=out, stderr=out,
        )  # fmt: skip
        if made.returncode == 0:
            policy = part / "usr/sbin/policy-rc.d"  # nothing of it is started as a service
            policy.write_text("#!/bin/sh\nexit 101\n")
            policy.chmod(0o755)
            made = subprocess.run(
                ["unshare", "-m", "--propagation", "private", "sh", "-c", _INSTALL, str(part)],
                check=False, stdout=out, stderr=out,
            )  # fmt: skip
    if made.returncode:
        parts.missing(f"VirtualBox in a tree of Debian sid; {log} says why")
    part.rename(tree)


def _mirror() -> str:
    """The Debian mirror this machine is installed from."""
    for path in (Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("debian*"))):
        if path.is_file():
            found = re.search(
                r"^\s*(?:deb\s.*?|URIs:\s*)(https?://\S*/debian)/?(?=\s|$)", path.read_text(), re.MULTILINE
            )
            if found:
                return found[1]
    return "http://deb.debian.org/debian"
