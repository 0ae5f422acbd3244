"""Carries out an installation beside Linux; each step can be taken back, and a record is there before anything else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from smartos_wizard.boot.packed import unpack_choices
from smartos_wizard.core.errors import PrivilegeFailed, ProofFailed, Refused, WizardError
from smartos_wizard.core.events import Advanced, Event, Noted
from smartos_wizard.core.plan import Step
from smartos_wizard.core.runner import Action, Run, Work
from smartos_wizard.core.text import size, tame
from smartos_wizard.core.vault import Vault
from smartos_wizard.media.as_json import image_from_json
from smartos_wizard.media.model import VerifiedImage
from smartos_wizard.media.watching import in_thread
from smartos_wizard.netboot import dualboot_files as files
from smartos_wizard.netboot.dualboot_copy import copy_iso, sums_from_disk
from smartos_wizard.netboot.dualboot_draft import own_files
from smartos_wizard.netboot.dualboot_model import SCRIPT, Installed, Way
from smartos_wizard.netboot.dualboot_ports import DualBootWorld, Linux
from smartos_wizard.netboot.unpacking import Watch, unpack

R = Run[DualBootWorld]
_TAKEN_BACK = "What was begun is taken back; this Linux starts as before."


def linux_of(run: R) -> Linux:
    """The Linux that the plan is about."""
    if "linux" not in run.found:
        run.found["linux"] = run.world.linux(run.plan.params["root"])
    found: Linux = run.found["linux"]
    return found


def require_rights(linux: Linux) -> None:
    """Raise PrivilegeFailed where its boot set-up cannot be changed."""
    if not linux.may_change():
        raise PrivilegeFailed(
            "needs-root", "Changing how this machine starts needs root's rights. Nothing was changed.",
            hint="Give the same command with sudo.",
        )  # fmt: skip


def _check(run: R, _step: Step) -> Work:
    yield from ()
    linux, params = linux_of(run), run.plan.params
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
    _forget(run)
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


def _generate(run: R, step: Step) -> Work:
    linux, params = linux_of(run), run.plan.params
    yield from generate(run, step, linux, f"{params['home']}/{files.NEXT}")
    made = linux.at(f"{params['home']}/{files.NEXT}").read_bytes()
    lost = [title for title in params["titles"] if title.encode() not in made]
    if lost or not files.has_ours(made):
        raise WizardError(
            "entries-missing", f"The menu that {params['generator']} made has no entry “{(lost or params['titles'])[0]}”.",
            hint=f"Does something keep it from running {SCRIPT}? What was done is taken back.",
        )  # fmt: skip
    before: tuple[bytes, int] = run.found["menu"]
    if files.without_ours(made) != before[0]:
        yield Noted(
            run.clock(), step.id,
            "Beside SmartOS' entries the new menu differs from the old one: it was changed by hand, or is older than the kernels and "
            f"settings here. The old one is kept in {params['home']}/{files.BEFORE}, and `dualboot remove` puts it back.",
            level="warning", reference="menu-differs",
        )  # fmt: skip
    return {}


def generate(run: R, step: Step, linux: Linux, to: str) -> Iterator[Event]:
    """Have the generator make a menu at `to`, and check it. Raises WizardError `generator-failed`, `menu-not-valid`."""

    def tick() -> Iterator[Event]:
        yield Advanced(run.clock(), step.id, 0)

    params = run.plan.params
    ran = yield from in_thread(run, lambda: linux.run([params["generator"], "-o", to]), tick, lambda: False)
    if ran.code != 0 or not linux.at(to).is_file():
        raise WizardError(
            "generator-failed", f"{params['generator']} did not make a menu (it ended with {ran.code}).", context=_tail(ran.said),
            hint=f"Run {params['generator']} by itself to see what is wrong; the menu in use was not touched.",
        )  # fmt: skip
    ran = linux.run([params["checker"], to])
    if ran.code != 0:
        raise WizardError(
            "menu-not-valid", "GRUB would not understand the menu that was made; the menu in use was not touched.",
            context=_tail(ran.said), hint="Please report this with `smartos-wizard dualboot plan --json`.",
        )  # fmt: skip


def _tail(said: str) -> str:
    return " / ".join(tame(line, 160) for line in said.splitlines()[-3:])


def _generate_back(run: R, _step: Step) -> Work:
    yield from ()
    linux, home = linux_of(run), run.plan.params["home"]
    for name in (files.NEXT, f"{files.NEXT}.new"):
        linux.at(f"{home}/{name}").unlink(missing_ok=True)
    return {}


def _switch(run: R, _step: Step) -> Work:
    yield from ()
    linux, params = linux_of(run), run.plan.params
    following = linux.at(f"{params['home']}/{files.NEXT}")
    made, (old, mode) = following.read_bytes(), run.found["menu"]
    now = files.read_menu(linux, params["grub_cfg"])
    if now is None or now[0] != old:
        raise Refused(
            "changed-meanwhile", f"{params['grub_cfg']} was changed by somebody else meanwhile. What was done is taken back.",
            hint="Was a kernel installed just now? Give the same command again.",
        )  # fmt: skip
    record = replace(run.found["record"], after=files.digest(made))
    files.write_record(linux, record)
    files.put(linux.at(params["grub_cfg"]), made, mode)
    following.unlink()
    files.write_record(linux, replace(record, done=True))
    _forget(run)
    run.result["dualboot"] = {
        "home": params["home"], "script": SCRIPT, "entries": params["titles"], "grub_cfg": params["grub_cfg"],
    }  # fmt: skip
    run.result["say"] = [
        f"GRUB's menu has it now: {params['titles'][0]}. What starts by itself is what did before.",
        "When SmartOS' setup asks for the pool layout, answer manual and name a disk: its default takes this Linux's disk too.",
        "To take it away: smartos-wizard dualboot remove",
    ]
    return {}


def _switch_back(run: R, _step: Step) -> Work:
    yield from ()
    linux, params = linux_of(run), run.plan.params
    path = linux.at(params["grub_cfg"])
    now = files.read_menu(linux, params["grub_cfg"])
    old, mode = run.found["menu"]
    if now is not None and now[0] != old and files.has_ours(now[0]):
        files.put(path, old, mode)
    files.sweep_aside(path)
    return {}


def _forget(run: R) -> None:
    if run.plan.params["choices"]:
        Vault(run.world.paths).forget(run.plan.params["choices"])


INSTALL_ACTIONS: dict[str, Action[DualBootWorld]] = {
    "check": Action(_check),
    "begin": Action(_begin, _begin_back),
    "copy": Action(_copy, _copy_back),
    "compare": Action(_compare),
    "told": Action(_told),
    "entry": Action(_entry, _entry_back),
    "generate": Action(_generate, _generate_back),
    "switch": Action(_switch, _switch_back),
}
