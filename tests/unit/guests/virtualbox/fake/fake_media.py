"""Controllers and media of the make-believe VBoxManage."""

import re
import sys
from pathlib import Path

from fake_base import BUSY, FILE, IN_USE, NOT_FOUND, Stop, machine, parse, progress


def storagectl(state: dict, words: list[str]) -> None:
    (who,), found = parse(state, "storagectl", words)
    ports = int(found.get("--portcount", ["2"])[0])
    machine(state, who)["controllers"][found["--name"][0]] = {"ports": ports, "media": {}}


def storageattach(state: dict, words: list[str]) -> None:
    (who,), found = parse(state, "storageattach", words)
    name, port, medium = found["--storagectl"][0], found["--port"][0], found["--medium"][0]
    controller = machine(state, who)["controllers"].get(name)
    if controller is None or int(port) >= controller["ports"]:
        raise Stop(f"Could not find a storage controller named '{name}'", NOT_FOUND)
    if medium == "none":
        if port not in controller["media"]:
            raise Stop(
                f"No storage device attached to device slot 0 on port {port} of controller '{name}'",
                NOT_FOUND,
            )
        del controller["media"][port]
        return
    if not Path(medium).exists():
        raise Stop(f"Could not find file for the medium '{medium}' (VERR_FILE_NOT_FOUND)", FILE)
    if medium.endswith(".vmdk") and "FLAT" in Path(medium).read_text():
        sectors = int(re.search(r"^RW (\d+) FLAT", Path(medium).read_text(), re.M)[1])
        if sectors * 512 != Path(medium).with_name("key.img").stat().st_size:
            raise Stop("VMDK: incorrect size of the extent", "VBOX_E_IPRT_ERROR (0x80bb0005)")
    if found["--type"][0] == "hdd" and medium not in state["media"]:
        state["media"].append(medium)
    controller["media"][port] = medium


def createmedium(state: dict, words: list[str]) -> None:
    _, found = parse(state, "createmedium", words)
    path = Path(found["--filename"][0])
    if path.exists() or state["faults"].get("disk-full"):
        print("0%...VBOX_E_FILE_ERROR\nVBoxManage: error: Failed to create medium", file=sys.stderr)
        raise Stop(f"Could not create the medium storage unit '{path}'.\nVBoxManage: error: VDI: cannot create image '{path}' "
                   f"({'VERR_DISK_FULL' if state['faults'].get('disk-full') else 'VERR_ALREADY_EXISTS'})", FILE)  # fmt: skip
    progress()
    path.write_bytes(b"<<< Oracle VM VirtualBox Disk Image >>>\n")
    state["media"].append(str(path))
    print("Medium created. UUID: 4e6cec95-1e77-4ada-ab1a-a5b7fbf02717")


def convertfromraw(state: dict, words: list[str]) -> None:
    (source, target), _ = parse(state, "convertfromraw", words)
    Path(target).write_bytes(b"converted " + Path(source).read_bytes()[:16])
    print(f"Creating dynamic image with size {Path(source).stat().st_size} bytes...", file=sys.stderr)


def closemedium(state: dict, words: list[str]) -> None:
    (_, path), found = parse(state, "closemedium", words)
    if state["faults"].get("busy-medium"):
        state["faults"]["busy-medium"] -= 1
        raise Stop(f"Medium '{path}' is locked for reading", BUSY)
    if path not in state["media"] and not Path(path).exists():
        raise Stop(f"Could not find file for the medium '{path}' (VERR_FILE_NOT_FOUND)", FILE)
    users = [
        vm
        for vm in state["machines"].values()
        if path in str(vm["controllers"]) or path in str(vm["snapshots"])
    ]
    if users:
        raise Stop(
            f"Medium '{path}' cannot be closed because it is still attached to {len(users)} virtual machines",
            IN_USE,
        )
    state["media"] = [each for each in state["media"] if each != path]
    if "--delete" in found:
        progress()
        Path(path).unlink(missing_ok=True)
