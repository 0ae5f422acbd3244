"""Starts a written key in QEMU, which cannot change it, until its loader is seen: BIOS first, then UEFI.

The key's bytes are hashed before and after, and the two must be equal. What could not be tried (no UEFI
firmware on this machine) is said to be untried, never called a success.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Generator, Sequence
from typing import Any

from smartos_wizard.core.errors import ProofFailed, WizardError, report_of
from smartos_wizard.core.events import Advanced, Event, Noted, StepFailed
from smartos_wizard.core.plan import Effect, Plan, Step
from smartos_wizard.core.runner import Action, Run, Work
from smartos_wizard.media import machine
from smartos_wizard.media.as_json import target_from_json, target_to_json
from smartos_wizard.media.keys import Key
from smartos_wizard.media.machine import Firmware, Machine
from smartos_wizard.media.model import USB_IMAGE_SIZE, Target
from smartos_wizard.media.opened import open_key
from smartos_wizard.media.ports import MediaWorld
from smartos_wizard.media.slots import SLOT, aligned

SIGNS = (
    "Boot SmartOS",
    "scape to loader prompt",
    "Autoboot in",
    "illumos/x86 boot",
    "Booting [/platform/i86pc",
    "Live 64-bit",
)
"""Words of which one shows that a SmartOS loader runs (illumos-joyent: boot/forth/joyent.menu.rc, gptzfsboot;
the last is the menu of keys from before 2019-04, smartos-live: tools/build_iso)."""
LOST = (
    "No bootable device",
    "not a bootable disk",
    "UEFI Interactive Shell",
    "No bootable option or device was found",
)
"""Words of a firmware that found nothing to start."""
PATIENCE = 180.0
"""Seconds one firmware gets; without hardware help a start takes five to forty."""


def plan_boot_test(
    targets: Sequence[Target], *, signs: Sequence[str] = SIGNS, patience: float = PATIENCE
) -> Plan:
    """The plan that starts every target by BIOS and by UEFI. Changes nothing on any of them."""
    names = ", ".join(t.path for t in targets)
    steps = (
        Step("open", "open", f"Open {names}, to read only", Effect.READS),
        Step("before", "before", "Read what is on it, to compare later", Effect.READS),
        Step("bios", "boot", "Start it by BIOS, until its loader is seen", Effect.READS, params={"firmware": "bios"},
             details=("QEMU keeps what the started system writes in a file of its own",)),
        Step("uefi", "boot", "Start it by UEFI, until its loader is seen", Effect.READS, params={"firmware": "uefi"}),
        Step("after", "after", "Read it again: nothing on it may have changed", Effect.READS),
    )  # fmt: skip
    return Plan(
        kind="key-boot-test",
        title=f"Start {names} in QEMU",
        steps=steps,
        untouched=("the key", "every disk of this machine"),
        seconds=60.0 * len(targets),
        locks=tuple(t.path for t in targets),
        params={"targets": [target_to_json(t) for t in targets], "signs": list(signs), "patience": patience},
    )


def _tests(run: Run[MediaWorld]) -> list[dict[str, Any]]:
    """One record per key: the key itself, its digests, and what each firmware found."""
    found = run.found.get("tests")
    if found is None:
        keys = [Key(target_from_json(data)) for data in run.plan.params["targets"]]
        found = [
            {"key": key, "before": "", "after": "", "bios": "", "uefi": "", "error": None} for key in keys
        ]
        run.found["tests"] = found
        run.on_end.append(lambda: _fill(run, found))
    assert isinstance(found, list)
    return found


def _open(run: Run[MediaWorld], step: Step) -> Work:
    _require_qemu()
    for test in _tests(run):
        yield from open_key(run, step, test["key"], write=False)
    return {}


def _require_qemu() -> None:
    if shutil.which(machine.PROGRAM) is None:
        words = f"Starting a key for a test needs {machine.PROGRAM}, which is not on this machine."
        raise WizardError("qemu-missing", words, hint=machine.HINT)


def _before(run: Run[MediaWorld], step: Step) -> Work:
    for test in _tests(run):
        copy = None
        if getattr(test["key"].opened, "fd", None) is None:
            copy = _copy_for(run)
        test["fd"] = _for_reading(run, copy) if copy is not None else test["key"].opened.fd
        test["gpt"] = _has_gpt(test["key"])
        test["before"] = yield from _digest(run, step, test["key"], copy)
    return {"digests": [test["before"] for test in _tests(run)]}


def _copy_for(run: Run[MediaWorld]) -> int:
    """A nameless file for the contents of a key that is no descriptor (a practice key)."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed at the end of the run
    run.on_end.append(file.close)
    return file.fileno()


def _for_reading(run: Run[MediaWorld], fd: int) -> int:
    """Another descriptor of the same file: QEMU takes only one opened exactly as it would open it itself."""
    again = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
    run.on_end.append(lambda: os.close(again))
    return again


def _has_gpt(key: Key) -> bool:
    """Whether the first partition of the MBR is the protective one of a GPT (type 0xEE)."""
    sector = aligned(4096)
    return key.opened.pread(sector, 0) >= 512 and sector[450] == 0xEE


def _after(run: Run[MediaWorld], step: Step) -> Work:
    for test in _tests(run):
        test["after"] = yield from _digest(run, step, test["key"], None)
        if test["after"] != test["before"]:
            raise ProofFailed(
                "changed-by-boot-test", f"{test['key'].target.path} is not what it was before it was started.",
                hint="Write and prove this key again, and report this: it must not happen.",
                expected=test["before"], got=test["after"],
            )  # fmt: skip
    return {"digests": [test["after"] for test in _tests(run)]}


def _digest(run: Run[MediaWorld], step: Step, key: Key, copy: int | None) -> Generator[Event, None, str]:
    """xxh3-128 of the part of the key that an image takes, read past the cache; put into `copy` meanwhile."""
    from xxhash import xxh3_128

    device, path = key.opened, key.target.path
    total = min(device.size, USB_IMAGE_SIZE)
    state, buffer, done, told = xxh3_128(), aligned(SLOT), 0, 0.0
    device.drop_cache()
    if copy is not None:
        os.ftruncate(copy, device.size)
    while done < total:
        run.cancel.check("Stopped; the key is as it was.")
        got = device.pread(buffer[: min(SLOT, total - done)], done)
        if got == 0:
            raise ProofFailed("ended-early", f"{path} ends at byte {done}.", context=path, offset=done)
        state.update(buffer[:got])
        if copy is not None and any(buffer[:got]):
            os.pwrite(copy, buffer[:got], done)
        done += got
        if time.monotonic() - told > 0.2 or done == total:
            told = time.monotonic()
            yield Advanced(run.clock(), step.id, done, total, target=path)
    return str(state.hexdigest())


def _boot(run: Run[MediaWorld], step: Step) -> Work:
    kind = str(step.params["firmware"])
    firmware = machine.bios() if kind == "bios" else machine.uefi()
    for test in _tests(run):
        path = test["key"].target.path
        why, hint = _untried(run, kind, firmware, test)
        if firmware is None or why:
            test[kind] = f"not tested: {why}"
            text = f"{path} was not started by {kind.upper()}: {why}. {hint}".strip()
            yield Noted(run.clock(), step.id, text, "warning", path, "not-tested")
            continue
        sign, said = yield from _until_seen(run, step, firmware, test)
        if sign:
            test[kind] = f"seen: {sign}"
            yield Noted(
                run.clock(),
                step.id,
                f"{path} starts by {firmware.name}: “{sign}”.",
                "info",
                path,
                "loader-seen",
            )
            continue
        test[kind] = "no loader was seen"
        error = ProofFailed(
            "no-loader-seen", f"{path} did not start by {firmware.name}: no SmartOS loader was seen.", context=path,
            hint="Write and prove it again. Where it is proven, try it on a real machine: QEMU is only one of many.",
            firmware=firmware.key, last_words=said,
        )  # fmt: skip
        test["error"] = test["error"] or error
        run.error = run.error or report_of(error)
        yield StepFailed(run.clock(), step.id, report_of(error), path)
    return {kind: {test["key"].target.path: test[kind] for test in _tests(run)}}


def _untried(
    run: Run[MediaWorld], kind: str, firmware: Firmware | None, test: dict[str, Any]
) -> tuple[str, str]:
    """Why a start by this firmware cannot be tried, and what would help; empty where it can."""
    if kind == "bios":
        return "", ""
    if run.world.practice:
        return "a practice key has nothing on it that UEFI could start", ""
    if not test["gpt"]:
        return "it has no GPT (a key from before 2019-04), and UEFI needs one", ""
    if firmware is None:
        return "this machine has no UEFI firmware for QEMU", machine.OVMF_HINT
    return "", ""


def _until_seen(
    run: Run[MediaWorld], step: Step, firmware: Firmware, test: dict[str, Any]
) -> Generator[Event, None, tuple[str, str]]:
    """Start it and wait: the sign that was seen (empty for none), and the last words on its screen."""
    signs, patience = run.plan.params["signs"], float(run.plan.params["patience"])
    patience = min(patience, 30.0) if run.world.practice else patience
    began, last, text = time.monotonic(), "", ""
    with Machine(test["fd"], firmware) as computer:
        while time.monotonic() - began < patience:
            alive = computer.running  # asked first, so that a failed start is told by text()
            text = computer.text()
            sign = next((s for s in signs if s in text), "")
            if sign or any(lost in text for lost in LOST) or not alive:
                return sign, _last_words(text)
            words = (_last_words(text).splitlines() or [""])[-1][:100]
            if words not in ("", last):
                last = words
                yield Noted(
                    run.clock(), step.id, words, target=test["key"].target.path, reference="on-screen"
                )
            run.cancel.wait(0.3)
            run.cancel.check("Stopped; the key is as it was.")
    return "", _last_words(text)


def _last_words(text: str) -> str:
    lines = ["".join(c for c in line if c.isprintable()).strip() for line in text.splitlines()]
    return "\n".join([line for line in lines if line][-8:])


def _fill(run: Run[MediaWorld], tests: list[dict[str, Any]]) -> None:
    rows, say = [], []
    for test in tests:
        path, same = test["key"].target.path, bool(test["after"]) and test["before"] == test["after"]
        rows.append({
            "path": path, "bios": test["bios"], "uefi": test["uefi"], "unchanged": same, "digest": test["before"],
            "error": test["error"].report().to_json() if test["error"] else None,
        })  # fmt: skip
        for kind, name in (("bios", "BIOS"), ("uefi", "UEFI")):
            say.append(f"{path}, {name}: {test[kind] or 'not tested'}.")
        if same:
            say.append(f"{path} holds the same bytes as before ({test['before']}).")
    run.result.update({"keys": rows, "say": say})


BOOT_TEST_ACTIONS = {
    "open": Action(_open),
    "before": Action(_before),
    "boot": Action(_boot),
    "after": Action(_after),
}
"""The code behind the steps of a boot test."""
