"""A guest that starts from the ISO of a release: what the file must be, and what cannot be asked of it.

The ISO stays where it is, read-only and never changed. Facts: smartos-live, tools/build_boot_image -I (El Torito,
Rock Ridge, the same tree as a key) and smartos_prompt_config.sh (answers are looked for on USB keys, never on a CD).
"""

from __future__ import annotations

import io
import re
import shlex
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core.errors import Refused
from smartos_wizard.core.events import Advanced
from smartos_wizard.core.plan import Effect, Step
from smartos_wizard.core.runner import Action, Run, Work
from smartos_wizard.guests.model import BootKind, BootMedium, Guest, GuestSpec
from smartos_wizard.guests.ports import GuestWorld
from smartos_wizard.media.as_json import image_from_json, image_to_json
from smartos_wizard.media.images import recognise
from smartos_wizard.media.model import ImageKind, VerifiedImage
from smartos_wizard.media.verified import verify_now
from smartos_wizard.media.watching import in_thread

CONSOLE = "text"
"""What the loader of a release names as console where nothing else is known: the screen."""
_NEEDED = ("platform/i86pc/kernel/amd64/unix", "platform/i86pc/amd64/boot_archive")
_DESCRIPTOR, _SECTOR = 32768, 2048
_OS_CONSOLE = re.compile(r'^\s*os_console\s*=\s*"?(text|tty[a-d])"?', re.MULTILINE)
_MENU = (
    "The loader's menu is on the serial port too: there press 4, then 2 until it says {console}, then 1 and Enter. "
    "Or say --boot key: the guest's own copy of the USB image has the console you choose."
)


@dataclass(frozen=True, slots=True)
class IsoFacts:
    """A SmartOS ISO. `console` is what SmartOS talks on where nobody says otherwise in the loader's menu."""

    stamp: str
    console: str


def require_iso(path: Path) -> IsoFacts:
    """What the ISO at `path` is.

    Raises Refused `not-an-iso`, `iso-compressed`, `iso-cut-off`, `iso-damaged`, `iso-not-smartos` or
    `iso-does-not-boot`, UsageProblem `no-such-file`.
    """
    facts = recognise(path)
    if facts.kind is not ImageKind.ISO:
        use = "Say --image for a USB image. " if facts.has_table or facts.kind is ImageKind.VMWARE else ""
        raise _not(path, "not-an-iso", f"it looks like {facts.looks_like}", use)
    with path.open("rb") as file:
        file.seek(_DESCRIPTOR)
        head = file.read(_SECTOR)
    if head[1:6] != b"CD001":
        raise Refused(
            "iso-compressed", f"{path.name} is a compressed ISO, and a CD drive reads none.", context=str(path),
            hint="Unpack it first, and give the digest of what came out; or download the .iso.",
        )  # fmt: skip
    says = int.from_bytes(head[80:84], "little") * _SECTOR
    if facts.size < says:
        raise Refused(
            "iso-cut-off", f"{path.name} is cut off: {facts.size:,} of {says:,} bytes are there.", context=str(path),
            hint="Download it again.",
        )  # fmt: skip
    return _looked_into(path, facts.stamp)


def _looked_into(path: Path, stamp: str) -> IsoFacts:
    import pycdlib

    disc: Any = pycdlib.PyCdlib()
    with path.open("rb") as file:  # pycdlib itself would leave it open where it is damaged
        try:
            disc.open_fp(file)
        except Exception as error:  # pycdlib raises struct.error, IndexError and more for what is damaged
            raise Refused(
                "iso-damaged", f"{path.name} cannot be read as an ISO: {error}.", context=str(path), hint="Download it again."
            ) from error  # fmt: skip
        try:
            lost = [name for name in _NEEDED if not _has(disc, name)]
            if lost:
                raise _not(path, "iso-not-smartos", f"it is an ISO, but has no {lost[0]}")
            if disc.eltorito_boot_catalog is None:
                raise Refused(
                    "iso-does-not-boot",
                    f"{path.name} has SmartOS in it, but no BIOS starts it: there is no boot record.",
                    context=str(path),
                    hint="Use the .iso as published; one that was packed anew has lost it.",
                )
            return IsoFacts(stamp, _console_of(disc))
        finally:
            disc.close()


def _has(disc: Any, name: str) -> bool:
    with suppress(Exception):
        return bool(disc.get_record(rr_path=f"/{name}").is_file())
    return False


def _console_of(disc: Any) -> str:
    out = io.BytesIO()
    with suppress(Exception):
        disc.get_file_from_iso_fp(out, rr_path="/boot/loader.conf")
    match = _OS_CONSOLE.search(out.getvalue().decode("utf-8", "replace"))
    return match[1] if match else CONSOLE


def _not(path: Path, reference: str, why: str, use: str = "") -> Refused:
    return Refused(
        reference, f"{path.name} is no SmartOS ISO: {why}.", context=str(path),
        hint=f"{use}To get one: smartos-wizard guest create NAME --boot iso --release latest",
    )  # fmt: skip


def refuse_choices(choices: BootChoices | None, console: str = CONSOLE) -> None:
    """Return where an ISO can do all that was chosen; `console` is what it has.

    Raises Refused `iso-takes-no-choices` or `iso-console-fixed`.
    """
    if choices is None:
        return
    named = {
        "answers": choices.answers is not None,
        "root's password": choices.root_shadow,
        "boot modules": choices.modules,
        "files": choices.files,
        "settings of the loader": choices.with_(
            console="", answers=None, root_shadow="", modules=(), files={}, speed=None
        )
        != BootChoices(),
    }
    asked = [name for name, there in named.items() if there]
    if asked:
        raise Refused(
            "iso-takes-no-choices",
            f"A guest that starts from the ISO cannot be given {' and '.join(asked)}: the ISO is read-only, and "
            "SmartOS looks for them on a key, never on a CD.",
            hint="Say --boot key: then the guest has a copy of the USB image of the same release, with them on it.",
        )
    if choices.console not in ("", console) or choices.speed is not None:
        raise Refused(
            "iso-console-fixed", f"The ISO talks on {_named(console)}, and nothing can be changed on it.",
            hint=_MENU.format(console=choices.console or "ttya"),
        )  # fmt: skip


def _named(console: str) -> str:
    return "the screen (console `text`)" if console == CONSOLE else f"the serial port {console}"


def told(console: str) -> str:
    """What whoever makes a guest from an ISO should know of its console, one or two sentences."""
    return f"SmartOS on the ISO talks on {_named(console)}." + (
        f" {_MENU.format(console='ttya')}" if console == CONSOLE else ""
    )


def medium_of(image: VerifiedImage) -> BootMedium:
    """What a guest starts from, by what the image is: the ISO itself, or a copy of the USB image."""
    if image.kind is ImageKind.ISO:
        return BootMedium(
            BootKind.ISO, str(image.path.absolute()), image.stamp, image.algorithm, image.digest
        )
    return BootMedium(BootKind.KEY, str(image.path), image.stamp, image.algorithm, image.digest)


def require_there(guest: Guest) -> None:
    """Return where the guest has what it starts from. Raises Refused `iso-gone` where its ISO is not there any more."""
    boot = guest.spec.boot
    if boot.kind is BootKind.ISO and not Path(boot.source).is_file():
        raise Refused(
            "iso-gone", f"{guest.name} starts from the ISO {boot.source}, which is not there any more.",
            context=boot.source, hint="Put it back there. Its disks are as they were.",
        )  # fmt: skip


def comes_later(spec: GuestSpec, world: GuestWorld) -> bool:
    """Whether the guest's ISO is of a release, so that one that is not here yet is downloaded before the guest is made."""
    return spec.boot.kind is BootKind.ISO and Path(spec.boot.source).is_relative_to(world.paths.store)


def untouched(spec: GuestSpec) -> tuple[str, ...]:
    """What plans about a guest with an ISO leave alone besides all else."""
    return (f"the ISO {spec.boot.source}",) if spec.boot.kind is BootKind.ISO else ()


def iso_step(spec: GuestSpec, image: VerifiedImage) -> Step:
    """The step that compares the ISO with its digest, before anything is made."""
    image = replace(image, path=Path(spec.boot.source))
    words = f"{image.algorithm} {image.digest[:4]}…{image.digest[-4:]}" if image.digest else "no checksum"
    by_hand = ""
    if image.algorithm in ("sha256", "md5"):
        by_hand = f"echo {shlex.quote(f'{image.digest}  {image.path}')} | {image.algorithm}sum -c -"
    return Step(
        "iso", "iso", f"the ISO it starts from, {image.path}", Effect.READS,
        (
            f"{words}: {image.vouched_by or 'nobody vouches for it'}",
            "It stays where it is, is never changed, and is not removed with the guest.",
        ),
        by_hand=by_hand, params={"image": image_to_json(image)},
    )  # fmt: skip


def _compare(run: Run[GuestWorld], step: Step) -> Work:
    """Read the ISO and compare it. Without a digest there is nothing to compare, and it is not read."""
    image = image_from_json(step.params["image"])
    if image.algorithm == "none":
        yield from ()
        return {}
    done = 0
    total = image.path.stat().st_size if image.path.is_file() else None

    def advance(count: int) -> None:
        nonlocal done
        done = count
        run.cancel.check(run.state())

    yield from in_thread(
        run, lambda: verify_now(image, advance), lambda: [Advanced(run.clock(), step.id, done, total)]
    )
    return {"bytes": done}


ISO_ACTIONS: dict[str, Action[Any]] = {"iso": Action(_compare)}
