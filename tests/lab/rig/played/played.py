#!/usr/bin/python3 -IS
# ruff: noqa: PTH110, PTH118, PTH119, PTH123, PTH208
# A survey starts it two dozen times on an imitated processor, where pathlib takes longer than all the rest.
"""The commands of SmartOS that Linux does not have, played: each under its own name, with the facts of this machine.

Instances are JSON in /etc/zones, which lies on the pool as it does on SmartOS: NAME.json, and UUID.xml where the index
names it, as for a zone. What is printed has the
form of the real commands (smartos-live: src/vm/man, src/diskinfo; illumos: cmd/bootparams and others), as far as it is used.
"""

import json
import os
import sys

ZONES = "/etc/zones"
STAMP = "joyent_20260903T001557Z"


def read(path):
    with open(path) as file:
        return file.read()


def settings():
    return json.loads(read("/mnt/settings.json"))


def state():
    return json.loads(read("/run/lab-state.json"))


def places():
    """The files of instances, by UUID."""
    index = os.path.join(ZONES, "index")
    named = read(index) if os.path.exists(index) else ""
    found = sorted(os.listdir(ZONES))
    wanted = [n for n in found if n.endswith(".json") or (n.endswith(".xml") and f"{n[:-4]}:" in named)]
    return {json.loads(read(f"{ZONES}/{name}"))["uuid"]: f"{ZONES}/{name}" for name in wanted}


def instances():
    return [json.loads(read(path)) for path in places().values()]


def out(*words, sep=" "):
    print(*words, sep=sep)


def uname(args):
    known = {"-s": "SunOS", "-v": STAMP, "-n": os.uname().nodename, "-r": "5.11", "-m": "i86pc"}
    out(*[known.get(arg, "SunOS") for arg in args] or ["SunOS"])


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
    for name in sorted(os.listdir("/sys/block")):
        if name.startswith("vd"):
            yield name, int(read(f"/sys/block/{name}/size")) * 512


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
    if verb == "lookup" and "-j" not in rest:
        out(*[uuid for uuid in places() if f"uuid={uuid}" in rest])
    elif verb == "list" and "-Ho" in rest:
        out(*[f"{each['uuid']} {each['state']}" for each in instances()], sep="\n")
    elif verb in ("lookup", "list"):
        out(json.dumps(instances()))
    elif verb == "get":
        found = [each for each in instances() if each["uuid"] == rest[0]]
        out(json.dumps(found[0])) if found else sys.exit(f"vmadm: {rest[0]}: No such zone configured")
    elif verb in ("stop", "start"):
        uuid = next(word for word in rest if not word.startswith("-"))
        path = places()[uuid]
        data = json.loads(read(path))
        data["state"] = data["zone_state"] = "stopped" if verb == "stop" else "running"
        with open(path, "w") as file:
            file.write(json.dumps(data))
        print(f"Successfully {'stopped' if verb == 'stop' else 'started'} VM {uuid}", file=sys.stderr)
    else:
        sys.exit(f"vmadm: {verb} is not played")


def zonecfg(args):
    out("create -b", f"set zonepath=/zones/{args[1]}", sep="\n")


def kstat(_args):
    stat = read("/proc/stat").split()
    out(f"unix:0:system_misc:boot_time\t{stat[stat.index('btime') + 1]}")


def swap(_args):
    out("swapfile             dev    swaplo   blocks     free\n/dev/zvol/dsk/zones/swap 90,1 8 131064 131064")


def dumpadm(_args):
    out("       Dump device: /dev/zvol/dsk/zones/dump (dedicated)")


def reboot(_args):
    os.sync()
    with open("/proc/sysrq-trigger", "w") as file:
        file.write("b")


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
        zonecfg,
        kstat,
        swap,
        dumpadm,
        reboot,
    )
}

if __name__ == "__main__":
    name = os.path.basename(sys.argv[0])
    with open("/run/played.log", "a") as log:
        log.write(json.dumps([name, *sys.argv[1:]]) + "\n")
    COMMANDS[name](sys.argv[1:])
