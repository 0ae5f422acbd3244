"""What `guest create` starts its guest from: the USB image, of which it gets a copy of its own, or the ISO as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from smartos_wizard.cli.key_image import (
    choice_of,
    downloaded,
    look_at,
    released,
    require_typed,
    verified_file,
)
from smartos_wizard.cli.output import tell
from smartos_wizard.core.errors import Refused, UsageProblem

if TYPE_CHECKING:
    from smartos_wizard.boot.model import BootChoices
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.media.model import VerifiedImage
    from smartos_wizard.world import World

F = TypeVar("F", bound=Callable[..., Any])


def medium_options(function: F) -> F:
    """The options that choose between the ISO and a copy of the USB image, beside those of `image_options`."""
    options = (
        click.option("--iso", default="", metavar="FILE", type=click.Path(dir_okay=False),
                     help="Start from this ISO; it stays where it is. --sha256, --sums and --unverified go with it too."),
        click.option("--boot", "boot_from", type=click.Choice(["key", "iso", "bundle"]), default=None,
                     help="With --release: a copy of its USB image (the default), its ISO, or its bundle for VMware."),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


class Medium:
    """One guest's medium. Raises UsageProblem where the options contradict each other."""

    def __init__(self, world: World, said: dict[str, Any]) -> None:
        self._world = world
        self.is_iso = _is_iso(said["iso"], said["image"], said["boot_from"])
        self._kind = "iso" if self.is_iso else "vmware" if said["boot_from"] == "bundle" else "usb"
        self._choice = choice_of(
            said["release"], said["iso"] or said["image"], said["sha256"], said["sums"], said["mirror"], said["unverified"]
        )  # fmt: skip
        self._console = ""

    @property
    def console(self) -> str:
        """The console of the ISO, empty for a key."""
        from smartos_wizard.guests.iso import CONSOLE

        return (self._console or CONSOLE) if self.is_iso else ""

    def fit(self, choices: BootChoices) -> BootChoices:
        """The choices as this medium takes them. Raises Refused for what an ISO cannot be told."""
        from smartos_wizard.guests.iso import refuse_choices, told

        if not self.is_iso:
            return choices if choices.console else choices.with_(console="ttya")
        if self._choice.image:
            self._look()
        refuse_choices(choices, self.console)
        tell(told(self.console))
        return choices.with_(console="")

    def image(self, confirm: tuple[str, ...] | None) -> tuple[Plan | None, VerifiedImage]:
        """The download that is needed first, if any, and the image. `confirm` is None where nothing will be made."""
        from smartos_wizard.guests.vmware.bundle import is_bundle

        if not self._choice.image:
            return self._released()
        if self.is_iso:
            self._look()
        elif not is_bundle(self._choice.image):
            _look_for_key(Path(self._choice.image))
        if confirm is not None:
            require_typed(self._choice, confirm)
        return None, verified_file(self._choice, self._world, later=True, bundle=True, iso=self.is_iso)

    def downloaded(self, image: VerifiedImage) -> VerifiedImage:
        """The image once its download ended well."""
        found = downloaded(image, self._world, self._kind)
        if self.is_iso:
            self._look(found.path)
        return found

    def _released(self) -> tuple[Plan | None, VerifiedImage]:
        download, image = released(self._choice, self._world, self._kind)
        if self.is_iso and download is None:
            self._look(image.path)
        return download, image

    def _look(self, path: Path | None = None) -> None:
        from smartos_wizard.guests.iso import require_iso

        self._console = require_iso(path or Path(self._choice.image)).console


def _is_iso(iso: str, image: str, boot_from: str | None) -> bool:
    if iso and image:
        raise UsageProblem("which-image", "Say either --image or --iso.")
    if iso and boot_from in ("key", "bundle"):
        raise UsageProblem(
            "iso-is-no-key", f"--boot {boot_from} needs another file, and --iso is none.",
            hint="Say --image smartos-…-USB.img.gz, or leave --boot away.",
        )  # fmt: skip
    if image and boot_from == "bundle":
        raise UsageProblem(
            "bundle-is-an-image", "--boot bundle goes with --release; a bundle that is here is given by --image.",
            hint="Leave --boot away.",
        )  # fmt: skip
    if image and boot_from == "iso":
        raise UsageProblem(
            "image-is-no-iso", "--boot iso goes with --release, or say --iso FILE in the place of --image."
        )
    return bool(iso) or boot_from == "iso"


def _look_for_key(path: Path) -> None:
    try:
        look_at(path)
    except Refused as refused:
        if refused.reference != "iso-is-no-key":
            raise
        raise Refused(
            "iso-is-no-key", f"{path.name} is an ISO.", context=str(path),
            hint=f"Say --iso {path} to start the guest from it.",
        ) from refused  # fmt: skip
