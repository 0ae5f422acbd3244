"""What the step “Options” may ask of the engine: local files, profiles, answers files. No Textual here."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from smartos_wizard.core.errors import Refused, UsageProblem, WizardError
from smartos_wizard.core.text import tame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smartos_wizard.boot.answers_check import Checked
    from smartos_wizard.boot.model import BootChoices
    from smartos_wizard.core.plan import Plan
    from smartos_wizard.world import World

_MOST = 64 << 20
_MOST_ANSWERS = 1 << 16


class BootDesk:
    """Reads and keeps what boot choices are made of."""

    def __init__(self, world: World) -> None:
        self.world = world

    def local_file(self, place: str, most: int = _MOST) -> bytes:
        """The bytes of an ordinary file of the user's. Raises UsageProblem."""
        path = _path(place)
        try:
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                raise UsageProblem("no-file", f"{tame(place, 60)} is no ordinary file.", context=place)
            if found.st_size > most:
                raise UsageProblem(
                    "too-large", f"{tame(place, 60)} is larger than {most >> 20 or most >> 10} "
                    f"{'MiB' if most >> 20 else 'KiB'}.", context=place,
                )  # fmt: skip
            return path.read_bytes()
        except OSError as error:
            raise UsageProblem(
                "no-such-file", f"{tame(place, 60)} cannot be read: {error.strerror or error}.", context=place
            ) from error

    def planned(self, plan: Plan) -> BootChoices:
        """The choices a plan to write was made with. Raises Refused `secret-gone` where they are kept no more."""
        from smartos_wizard.boot.model import BootChoices
        from smartos_wizard.boot.packed import unpack_choices
        from smartos_wizard.core.vault import Vault

        for name in _tickets(plan):
            return unpack_choices(Vault(self.world.paths).get(name))
        return BootChoices()

    def forget(self, plan: Plan) -> None:
        """Forget the choices of a plan that will not be run."""
        from smartos_wizard.core.vault import Vault

        Vault(self.world.paths).forget_of(plan)

    def profiles(self) -> tuple[str, ...]:
        """The names of the profiles that were saved."""
        from smartos_wizard.boot.profile import ProfileStore

        return ProfileStore(self.world.paths).list()

    def profile(self, name: str) -> BootChoices:
        """The choices saved under that name. Raises Refused."""
        from smartos_wizard.boot.profile import ProfileStore

        return ProfileStore(self.world.paths).load(name).choices

    def save_profile(self, name: str, choices: BootChoices) -> None:
        """Keep the choices under a name, in the place of older ones. Raises UsageProblem, WizardError."""
        from smartos_wizard.boot.profile import Profile, ProfileStore

        try:
            _ = ProfileStore(self.world.paths).save(Profile(name.strip(), choices))
        except OSError as error:
            raise WizardError(
                "profile-not-saved", f"It cannot be written: {error.strerror or error}."
            ) from error

    def shadow(self, password: str) -> str:
        """The hash of root's password. Raises UsageProblem."""
        from smartos_wizard.boot.shadow import shadow_of

        return shadow_of(password)

    def one_time_password(self) -> str:
        """A password to be changed after the first login."""
        from smartos_wizard.boot.shadow import one_time_password

        return one_time_password()

    def read_answers(self, place: str) -> Checked:
        """An answers file, read and judged. Raises UsageProblem where it is no such file at all."""
        from smartos_wizard.boot.answers_check import check_file, has_errors

        checked = check_file(self.local_file(place, _MOST_ANSWERS))
        if has_errors(checked.parsed.findings):
            first = next(f for f in checked.parsed.findings if f.level == "error")
            where = f"Line {first.line}, column {first.column}: " if first.line is not None else ""
            raise UsageProblem("bad-answers", f"{where}{first.text}", context=place)
        return checked

    def save_answers(self, place: str, answers: Mapping[str, str], *, replace: bool) -> None:
        """Keep answers in a file that only the user may read. Raises Refused, UsageProblem, WizardError."""
        from smartos_wizard.boot.answers_check import render
        from smartos_wizard.core.files import replace_file

        path = _path(place)
        if not path.parent.is_dir():
            raise UsageProblem("no-directory", f"There is no directory {tame(str(path.parent), 60)}.")
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise Refused("no-file", f"{tame(place, 60)} is not an ordinary file.", hint="Give another name.")
        if path.exists() and not replace:
            raise Refused("file-exists", f"{tame(place, 60)} is there already.")
        try:
            replace_file(path, render(answers).encode(), 0o600)
        except OSError as error:
            raise WizardError(
                "answers-not-written", f"It cannot be written: {error.strerror or error}."
            ) from error


def _tickets(plan: Plan) -> list[str]:
    return [str(step.params["choices"]) for step in plan.steps if step.params.get("choices")]


def _path(place: str) -> Path:
    if not place.strip() or "\0" in place:
        raise UsageProblem("no-name", "The name of a file is missing.")
    try:
        return Path(place.strip()).expanduser()
    except RuntimeError as error:
        raise UsageProblem("no-home", f"{tame(place, 60)}: there is no such home.") from error
