"""Carries out an installation beside Linux; each step can be taken back, and a record is there before anything else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from smartos_wizard.boot.packed import unpack_choices
from smartos_wizard.core.errors import ProofFailed, Refused
from smartos_wizard.core.events import Advanced, Event
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Action, Work
from smartos_wizard.core.text import size, tame
from smartos_wizard.core.vault import Vault
from smartos_wizard.media.as_json import image_from_json
from smartos_wizard.media.model import VerifiedImage
from smartos_wizard.media.watching import in_thread
from smartos_wizard.netboot import dualboot_files as files
from smartos_wizard.netboot.dualboot_copy import copy_iso, sums_from_disk
from smartos_wizard.netboot.dualboot_draft import own_files
from smartos_wizard.netboot.dualboot_menu import make_menu, make_menu_back, switch, switch_back
from smartos_wizard.netboot.dualboot_model import SCRIPT, Installed, Way
from smartos_wizard.netboot.dualboot_ports import DualBootWorld, Linux
from smartos_wizard.netboot.dualboot_run import R, forget, linux_of, require_rights
from smartos_wizard.netboot.unpacking import Watch, unpack

_TAKEN_BACK = "What was begun is taken back; this Linux starts as before."


def _check(run: R, _step: Step) -> Work:
    yield from ()
    linux, params = linux_of(run), run.plan.params
    run.on_end.append(lambda: forget(run))
    require_rights(linux)
    run.state = lambda: "Stopped; nothing has changed."
    if linux.at(SCRIPT).exists() or linux.at(params["home"]).exists():
        raise Refused(
            "already-installed", f"{SCRIPT} or {params['home']} is there already. Nothing was changed.",
            hint="Take it away first: smartos-wizard dualboot remove.",
        )  # fmt: skip
    free = linux.free(params["home"])
    if free is not None and free < params["needed"]:
        raise Refused(
            "no-room", f"{params['point']} is too full: {size(params['needed'])} are needed, {size(free)} are free. Nothing was changed.",
            hint="Remove old kernels, or use a USB key.",
        )  # fmt: skip
    _same_to_grub(linux, params)
    return {}


def _same_to_grub(linux: Linux, params: dict[str, Any]) -> None:
    """GRUB's own tools must name the same file system and the same path on it, where they are there to be asked."""
    near = str(Path(params["home"]).parent)
    for target, ours in (("probe", params["uuid"]), ("mkrelpath", _relative(params, near))):
        program = next((p for p in (f"grub-{target}", f"grub2-{target}") if linux.has(p)), "")
        if not program or not ours:
            continue
        ran = linux.run([program, "--target=fs_uuid", near] if target == "probe" else [program, near])
        said = ran.said.strip()
        if ran.code != 0:
            raise Refused(
                "grub-cannot-see", f"GRUB's own tool does not find {near}: {tame(said, 200)}. Nothing was changed.",
                hint="GRUB could then not load SmartOS from there either. Use a USB key.",
            )  # fmt: skip
        if (said.rstrip("/") or "/").lower() != ours.lower():
            raise Refused(
                "grub-sees-otherwise", f"GRUB calls {near} “{tame(said, 200)}”, this program “{ours}”. Nothing was changed.",
                hint="Please report this with `smartos-wizard dualboot plan --json`.",
            )  # fmt: skip


def _relative(params: dict[str, Any], near: str) -> str:
    below = near.removeprefix(params["point"].rstrip("/")).strip("/")
    return f"{params['inside'].rstrip('/')}/{below}".rstrip("/") or "/"


def _begin(run: R, _step: Step) -> Work:
    yield from ()
    linux, params = linux_of(run), run.plan.params
    home = params["home"]
    menu = files.read_menu(linux, params["grub_cfg"])
    if menu is None:
        raise Refused("no-grub", f"{params['grub_cfg']} is gone. Nothing was changed.")
    run.state = lambda: f"Stopped. {_TAKEN_BACK}"
    try:
        linux.at(home).mkdir(mode=0o755)
        with suppress(PermissionError):  # FAT has no such modes
            linux.at(home).chmod(0o755)
    except OSError as error:
        raise files.cannot_write(linux.at(home), error) from error
    record = Installed(
        home, params["stamp"], params["way"], (*params["files"], *params["own"]), params["grub_cfg"], params["generator"],
        params["checker"], (files.digest(menu[0]), menu[1]), titles=tuple(params["titles"]),
    )  # fmt: skip
    files.write_record(linux, record)
    files.put(linux.at(f"{home}/{files.BEFORE}"), menu[0], 0o600)
    run.found["record"], run.found["menu"] = record, menu
    return {}


def _begin_back(run: R, _step: Step) -> Work:
    yield from ()
    linux, params = linux_of(run), run.plan.params
    if params["home"] in files.homes_here(linux):
        files.remove_files(linux, params["home"], (*params["files"], *params["own"]))
    return {}


def _copy(run: R, step: Step) -> Work:
    linux, params = linux_of(run), run.plan.params
    image = image_from_json(params["image"])
    into = linux.at(f"{params['home']}/{params['stamp']}")
    total = image.path.stat().st_size if image.path.is_file() else 0
    done = 0

    def told(count: int) -> None:
        nonlocal done
        done = count

    def tick() -> Iterator[Event]:
        yield Advanced(run.clock(), step.id, done, total or None)

    def work() -> dict[str, str]:
        return _copied(image, into, params, Watch(told, run.cancel.check))

    run.found["sums"] = yield from in_thread(run, work, tick)
    return {"files": len(run.found["sums"])}


def _copied(image: VerifiedImage, into: Path, params: dict[str, Any], watch: Watch) -> dict[str, str]:
    """SHA-1 by path below the home."""
    if params["way"] == Way.ISO:
        return {
            params["files"][0]: copy_iso(image, into / Path(params["files"][0]).name, params["stamp"], watch)
        }
    held = unpack(image, into, params["stamp"], watch)
    return {f"{params['stamp']}/{path}": file.sha1 for path, file in held.files.items()}


def _copy_back(run: R, _step: Step) -> Work:
    yield from ()
    params = run.plan.params
    files.drop_tree(linux_of(run).at(f"{params['home']}/{params['stamp']}"))
    return {}


def _compare(run: R, step: Step) -> Work:
    linux, home = linux_of(run), run.plan.params["home"]
    wanted: dict[str, str] = run.found["sums"]
    done = 0

    def told(count: int) -> None:
        nonlocal done
        done = count

    def tick() -> Iterator[Event]:
        yield Advanced(run.clock(), step.id, done)

    paths = {name: linux.at(f"{home}/{name}") for name in wanted}
    found = yield from in_thread(run, lambda: sums_from_disk(paths, Watch(told, run.cancel.check)), tick)
    for name, sum_ in wanted.items():
        if found[name] != sum_:
            raise ProofFailed(
                "copy-differs", f"{home}/{name} was read back and is not what was written.", context=f"{home}/{name}",
                hint="The disk or the memory of this machine is at fault. What was copied is taken away again.",
                expected=sum_, actual=found[name],
            )  # fmt: skip
    return {"files": len(wanted)}


def _told(run: R, _step: Step) -> Work:
    yield from ()
    linux, params = linux_of(run), run.plan.params
    choices = unpack_choices(Vault(run.world.paths).get(params["choices"]))
    for name, data in own_files(params["stamp"], choices).items():
        place = linux.at(f"{params['home']}/{name}")
        place.parent.mkdir(parents=True, exist_ok=True)
        files.put(place, data, 0o600)
    return {}


def _entry(run: R, _step: Step) -> Work:
    yield from ()
    params = run.plan.params
    text = files.script_text(params["entries"], params["home"])
    files.put(linux_of(run).at(SCRIPT), text.encode(), 0o755)
    return {}


def _entry_back(run: R, _step: Step) -> Work:
    yield from ()
    script = linux_of(run).at(SCRIPT)
    if files.is_ours(script):
        script.unlink()
    files.sweep_aside(script)
    return {}


INSTALL_ACTIONS: dict[str, Action[DualBootWorld]] = {
    "check": Action(_check),
    "begin": Action(_begin, _begin_back),
    "copy": Action(_copy, _copy_back),
    "compare": Action(_compare),
    "told": Action(_told),
    "entry": Action(_entry, _entry_back),
    "generate": Action(make_menu, make_menu_back),
    "switch": Action(switch, switch_back),
}
