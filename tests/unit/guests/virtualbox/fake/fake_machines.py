"""Machines of the make-believe VBoxManage."""

import re
import sys
from pathlib import Path

from fake_base import FILE, NOT_FOUND, Stop, machine, parse, progress, quoted


def createvm(state: dict, words: list[str]) -> None:
    _, found = parse(state, "createvm", words)
    name, uuid = found["--name"][0], found["--uuid"][0]
    folder = (
        Path(found["--basefolder"][0]) / found["--groups"][0].strip("/") / re.sub(r'["/:*?<>|]', "_", name)
    )
    file = folder / f"{folder.name}.vbox"
    if file.exists():
        raise Stop(f"Machine settings file '{file}' already exists", FILE)
    folder.mkdir(parents=True)
    file.write_text("<VirtualBox/>")
    state["machines"][uuid] = {
        "name": name, "file": str(file), "state": "poweroff", "extra": {}, "controllers": {}, "forwards": {}, "snapshots": [],
        "set": {"--memory": ["128"], "--cpus": ["1"], "--vrde": ["off"], "--audio": ["alsa"], "--accelerate3d": ["off"],
                "--clipboard-mode": ["disabled"], "--draganddrop": ["disabled"], "--usbohci": ["on"]},
    }  # fmt: skip
    print(f"Virtual machine '{name}' is created and registered.\nUUID: {uuid}\nSettings file: '{file}'")


def modifyvm(state: dict, words: list[str]) -> None:
    (who, *more), found = parse(state, "modifyvm", words)
    vm = machine(state, who)
    if more:
        raise Stop(f"Invalid parameter '{more[0]}'", status=2)
    if state["faults"].get("locked"):
        state["faults"]["locked"] -= 1
        raise Stop(
            f"The machine '{vm['name']}' is already locked for a session (or being unlocked)",
            "VBOX_E_INVALID_OBJECT_STATE (0x80bb0007)",
        )
    if vm["state"] != "poweroff":
        raise Stop("The machine is not mutable (state is Running)", "VBOX_E_INVALID_VM_STATE (0x80bb0002)")
    for name, values in found.items():
        if name == "--natpf1" and values[0] == "delete":
            if vm["forwards"].pop(values[1], None) is None:
                raise Stop(
                    f"Could not find a NAT rule named '{values[1]}'", "NS_ERROR_INVALID_ARG (0x80070057)"
                )
        elif name == "--natpf1":
            if values[0].split(",")[0] in vm["forwards"]:
                raise Stop("A NAT rule of this name already exists", "NS_ERROR_INVALID_ARG (0x80070057)")
            vm["forwards"][values[0].split(",")[0]] = values[0]
        else:
            vm["set"][name] = values
    if "--audio" in found and state["table"] == "7.1":
        print(
            "Warning: --audio is deprecated and will be removed soon. Use --audio-driver instead!",
            file=sys.stderr,
        )


def unregistervm(state: dict, words: list[str]) -> None:
    (who,), found = parse(state, "unregistervm", words)
    vm = machine(state, who)
    if "--delete" in found:  # as the real one: every hard disk that was attached, wherever it lies
        for controller in vm["controllers"].values():
            for path in controller["media"].values():
                Path(path).unlink(missing_ok=True)
    del state["machines"][who]


def showvminfo(state: dict, words: list[str]) -> None:
    (who,), _ = parse(state, "showvminfo", words)
    vm = machine(state, who)
    if vm["state"] == "stopping":
        vm["off-in"] -= 1
        if vm["off-in"] <= 0:
            vm["state"] = "poweroff"
    put, modern = vm["set"], state["table"] == "7.1"
    if "forgets" in state["faults"] and vm["state"] == "poweroff":
        put.pop("--nat-localhostreachable1", None)
    print(
        f'name={quoted(vm["name"])}\nUUID="{who}"\nCfgFile={quoted(vm["file"])}\nLogFldr={quoted(str(Path(vm["file"]).parent / "Logs"))}'
    )
    print(
        f'description="{put.get("--description", [""])[0]}"\nmemory={put["--memory"][0]}\ncpus={put["--cpus"][0]}'
    )
    print(f'VMState="{vm["state"]}"\naccelerate3d="{put["--accelerate3d"][0]}"')
    if vm["state"] in ("running", "stopping"):
        print('SessionName="headless"')
    for name, controller in vm["controllers"].items():
        for port in map(str, range(controller["ports"])):
            medium = controller["media"].get(port, "none")
            print(f'"{name}-{port}-0"={quoted(medium)}')
            if medium != "none":
                print(f'"{name}-ImageUUID-{port}-0"="49df6a30-7ab7-4a93-91e3-e62f1ee385ff"')
    for n in range(1, 9):
        kind = put.get(f"--nic{n}", ["none"])[0]
        for option, key in (
            ("bridgeadapter", "bridgeadapter"),
            ("hostonlyadapter", "hostonlyadapter"),
            ("intnet", "intnet"),
        ):
            if f"--{option}{n}" in put and kind != "none":
                print(f'{key}{n}="{put[f"--{option}{n}"][0]}"')
        if kind != "none":
            print(f'macaddress{n}="{put[f"--macaddress{n}"][0]}"')
        print(f'nic{n}="{kind}"')
        if kind == "nat" and modern:
            print(f'localhostReachable="{int(put.get(f"--nat-localhostreachable{n}", ["on"])[0] == "on")}"')
    for n, rule in enumerate(vm["forwards"].values()):
        print(f'Forwarding({n})="{rule}"')
    sound = put.get("--audio-enabled", ["on"])[0] if modern else put["--audio"][0]
    print(
        f'audio="{"none" if sound in ("off", "none") else "default"}"\nclipboard="{put["--clipboard-mode"][0]}"'
    )
    print(f'draganddrop="{put["--draganddrop"][0]}"\nvrde="{put["--vrde"][0]}"\nusb="{put["--usbohci"][0]}"')
    snapshot_lines(vm)


def snapshot_lines(vm: dict) -> None:
    for n, (name, uuid, _) in enumerate(vm["snapshots"]):
        tail = "-1" * n
        print(f'SnapshotName{tail}="{name}"\nSnapshotUUID{tail}="{uuid}"')
    if vm["snapshots"]:
        print(
            f'CurrentSnapshotName="{vm["snapshots"][-1][0]}"\nCurrentSnapshotUUID="{vm["snapshots"][-1][1]}"'
        )


def snapshot(state: dict, words: list[str]) -> None:
    left, _ = parse(state, "snapshot", words)
    vm, act = machine(state, left[0]), left[1]
    if act == "list":
        if not vm["snapshots"]:
            print("This machine does not have any snapshots")
            sys.exit(1)
        snapshot_lines(vm)
    elif act == "take":
        progress()
        vm["snapshots"].append(
            [left[2], f"05af8ee5-6f85-44a5-9dd6-{len(vm['snapshots']):012}", vm["controllers"]]
        )
    elif left[2] not in [part for each in vm["snapshots"] for part in each[:2]]:
        raise Stop(f"Could not find a snapshot named '{left[2]}'", NOT_FOUND)
    elif act == "delete":
        vm["snapshots"] = [each for each in vm["snapshots"] if left[2] not in each[:2]]


def extradata(state: dict, words: list[str], get: bool) -> None:
    extra = machine(state, words[0])["extra"]
    if not get:
        extra.pop(words[1], None)
        if len(words) > 2:
            extra[words[1]] = words[2]
    elif words[1] == "enumerate":
        for key, value in extra.items():
            print(f"Key: {key}, Value: {value}")
    else:
        print(f"Value: {extra[words[1]]}" if words[1] in extra else "No value set!")


def listing(state: dict, words: list[str]) -> None:
    if words[0] == "vms":
        for uuid, vm in state["machines"].items():
            print(f'"{vm["name"]}" {{{uuid}}}')
    else:
        for name in state["networks"].get(words[0], []):
            print(
                f"Name:            {name}\nGUID:            effffff9-7b97-44b7-8000-02fc00000001\nStatus:          Up\n"
            )
