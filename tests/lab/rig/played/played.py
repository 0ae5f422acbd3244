#!/usr/bin/python3
"""The commands of SmartOS that Linux does not have, played: each under its own name, with the facts of this machine.

Instances are JSON files in /etc/zones, which lies on the pool as it does on SmartOS. What is printed has the
form of the real commands (smartos-live: src/vm/man, src/diskinfo; illumos: cmd/bootparams and others), as far as it is used.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ZONES = Path("/etc/zones")
STAMP = "joyent_20260903T001557Z"


def settings():
    return json.loads(Path("/mnt/settings.json").read_text())


def state():
    return json.loads(Path("/run/lab-state.json").read_text())


def instances():
    return [json.loads(path.read_text()) for path in sorted(ZONES.glob("*.json"))]


def out(*words):
    print(*words)


def uname(args):
    known = {"-s": "SunOS", "-v": STAMP, "-n": os.uname().nodename, "-r": "5.11", "-m": "i86pc"}
    out(*[known[arg] for arg in args] or ["SunOS"])


def zonename(_args):
    out(settings().get("zone", "global"))


def bootparams(_args):
    shown = {
        name: value
        for name, value in state()["boot"].items()
        if not name.startswith(("lab_", "mitigations", "panic", "loglevel"))
    }
    for name, value in shown.items():
        out(f"{name}={value}")


def prtconf(_args):
    out("System Configuration:  Joyent  i86pc\nMemory size: 1536 Megabytes")


def smbios(_args):
    out("ID    SIZE TYPE\n1     51   SMB_TYPE_SYSTEM (type 1) (system information)\n")
    out("  Manufacturer: QEMU\n  Product: Standard PC\n  Version: pc\n  Serial Number: LAB\n")


def svcprop(_args):
    sys.exit("svcprop: Couldn't find property group `config/zpool' for instance")


def svcs(_args):
    return None


def hostid(_args):
    out(settings().get("hostid", "00ab12cd"))


def disks():
    for path in sorted(Path("/sys/block").iterdir()):
        if path.name.startswith("vd"):
            yield path.name, int((path / "size").read_text()) * 512


def diskinfo(_args):
    usb = settings().get("usb", [])
    for name, size in disks():
        kind = "USB" if name in usb else "SATA"
        out(
            "\t".join(
                [
                    kind,
                    name,
                    "QEMU",
                    "HARDDISK",
                    str(size),
                    "yes" if name in usb else "no",
                    "no",
                ]
            )
        )


def disklist(_args):
    out(*[name for name, _size in disks()])


def fstyp(_args):
    sys.exit("unknown_fstyp (no matches)")


def dladm(args):
    address = "52:54:0:12:34:56"
    out("e1000g0:" + (address.replace(":", "\\:") if "link,address" in args else "up"))


def fwadm(_args):
    out("[]")


def imgadm(_args):
    out(json.dumps(settings().get("images", [])))


def vmadm(args):
    verb, *rest = args
    if verb in ("lookup", "list"):
        out(json.dumps(instances()))
    elif verb == "get":
        out(json.dumps(next(each for each in instances() if each["uuid"] == rest[0])))
    elif verb in ("stop", "start"):
        uuid = next(word for word in rest if not word.startswith("-"))
        path = ZONES / f"{uuid}.json"
        data = json.loads(path.read_text())
        data["state"] = data["zone_state"] = "stopped" if verb == "stop" else "running"
        path.write_text(json.dumps(data))
        print(f"Successfully {'stopped' if verb == 'stop' else 'started'} VM {uuid}", file=sys.stderr)
    else:
        sys.exit(f"vmadm: {verb} is not played")


def reboot(_args):
    subprocess.run(["sync"], check=False)
    Path("/proc/sysrq-trigger").write_text("b")


COMMANDS = {
    each.__name__: each
    for each in (
        uname,
        zonename,
        bootparams,
        prtconf,
        smbios,
        svcprop,
        svcs,
        hostid,
        diskinfo,
        disklist,
        fstyp,
        dladm,
        fwadm,
        imgadm,
        vmadm,
        reboot,
    )
}

if __name__ == "__main__":
    name = Path(sys.argv[0]).name
    with Path("/run/played.log").open("a") as log:
        log.write(json.dumps([name, *sys.argv[1:]]) + "\n")
    COMMANDS[name](sys.argv[1:])
