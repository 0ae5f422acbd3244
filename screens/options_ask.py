"""The boxes of the step “Options”: password, files, profiles, and the way to the answers form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from smartos_wizard.boot.model import BootChoices
from smartos_wizard.core.errors import WizardError
from smartos_wizard.core.text import tame
from smartos_wizard.screens.options_boxes import Asked, Box, Pick
from smartos_wizard.screens.options_list import Offer
from smartos_wizard.screens.options_model import ETC_SYSTEM, Given, with_etc_system

if TYPE_CHECKING:
    from smartos_wizard.screens.options import Options

_ETC_PATH = f"boot/bootfs/{ETC_SYSTEM}"


def said_by(work: Callable[[], object]) -> str:
    """Do it; what is wrong in words, or nothing."""
    try:
        work()
    except WizardError as error:
        return " ".join(w for w in (error.message, error.hint) if w)
    return ""


class OptionsAsking:
    """Opens the box of a row and hands what was decided back to the page."""

    PASSWORD: ClassVar[str] = (
        "For Rescue Mode. Before setup the release's own password counts, and a machine that is set up has "
        "that of its setup. Only a hash goes on the key."
    )
    """What root's password is for, and where it goes."""

    def __init__(self, page: Options) -> None:
        self.page = page
        self.desk = page.wizard.desk.boot
        self._kept = ""

    def open(self, name: str) -> None:
        """The box of the row `name`."""
        {
            "answers": self.answers,
            "root_shadow": self.password,
            "etc_system": self.etc_system,
            "files": self.files,
            "load": self.load,
            "save": self.save,
        }[name]()

    def _pick(self, title: str, offers: list[Offer], then: Callable[[str], None], words: str = "") -> None:
        def picked(value: str | None) -> None:
            if value is not None:
                then(value)

        _ = self.page.app.push_screen(Pick(title, offers, self.page.marks, words=words), picked)

    def _box(self, box: Box, then: Callable[[dict[str, str]], None]) -> None:
        def filled(found: dict[str, str] | None) -> None:
            if found is not None:
                then(found)

        _ = self.page.app.push_screen(box, filled)

    # ------------------------------------------------------------------ answers

    def answers(self) -> None:
        """The form."""
        from smartos_wizard.screens.answers_form import AnswersForm

        page = self.page

        def done(answers: dict[str, str] | None, file: str) -> None:
            page.took(page.choices.with_(answers=answers), replace(page.given, answers_file=file))

        console_set = bool(page.choices.console)
        form = AnswersForm(page.choices.answers, page.given.answers_file, done, console_set=console_set)
        _ = page.app.push_screen(form)

    # ------------------------------------------------------------------ root's password

    def password(self) -> None:
        """Typed twice; only its hash is kept."""
        if not self.page.choices.root_shadow:
            self._ask_password()
            return
        offers = [
            Offer("new", "Another password", "The old one is forgotten."),
            Offer("", "As released", "In rescue the password is root."),
        ]
        self._pick("Root's password", offers, lambda v: self._ask_password() if v else self._take_shadow(""))

    def _ask_password(self) -> None:
        words = self.PASSWORD
        fields = [Asked("one", "Password", hidden=True), Asked("two", "Once more", hidden=True)]
        made: list[str] = []

        def check(found: dict[str, str]) -> str:
            if found["one"] != found["two"]:
                return "The two are different."
            made.clear()
            return said_by(lambda: made.append(self.desk.shadow(found["one"])))

        self._box(Box("Root's password", words, fields, check), lambda _found: self._take_shadow(made[0]))

    def _take_shadow(self, shadow: str) -> None:
        self.page.took(self.page.choices.with_(root_shadow=shadow))

    # ------------------------------------------------------------------ files

    def etc_system(self) -> None:
        """A local file that becomes /etc/system."""
        if not any(m.name == ETC_SYSTEM for m in self.page.choices.modules):
            self._ask_system()
            return
        offers = [Offer("new", "Another file"), Offer("", "As released", "SmartOS's own /etc/system.")]
        self._pick("/etc/system", offers, lambda v: self._ask_system() if v else self._take_system(None, ""))

    def _ask_system(self) -> None:
        read: list[bytes] = []

        def check(found: dict[str, str]) -> str:
            read.clear()
            return said_by(lambda: read.append(self.desk.local_file(found["place"])))

        words = "The file on this computer that SmartOS shall read as /etc/system."
        box = Box("/etc/system", words, [Asked("place", "File", example="system")], check)
        self._box(box, lambda found: self._take_system(read[0], found["place"].strip()))

    def _take_system(self, data: bytes | None, place: str) -> None:
        page = self.page
        files = {k: v for k, v in page.given.files.items() if k != _ETC_PATH}
        if data is not None:
            files[_ETC_PATH] = place
        page.took(with_etc_system(page.choices, data), replace(page.given, files=files))

    def files(self) -> None:
        """The files that are put on the key; one may be added or taken off."""
        choices = self.page.choices
        if not choices.files and not [m for m in choices.modules if m.name != ETC_SYSTEM]:
            self._ask_file()
            return
        offers = [Offer("+", "Add another file …", "Up to 64 MiB.")]
        for path, data in choices.files.items():
            place = self.page.given.files.get(path, "")
            came = f"From {tame(place, 50)}. " if place else ""
            offers.append(Offer(path, f"{path}  {len(data):,} bytes", f"{came}Enter takes it off."))
        for module in choices.modules:
            if module.name != ETC_SYSTEM:
                offers.append(Offer(f"/{module.name}", f"/system/boot/{module.name}", "Enter takes it off."))
        self._pick("Extra files on the key", offers, self._file_picked)

    def _file_picked(self, path: str) -> None:
        if path == "+":
            self._ask_file()
            return
        page = self.page
        left = {p: d for p, d in page.choices.files.items() if p != path}
        modules = tuple(m for m in page.choices.modules if f"/{m.name}" != path)
        page.took(page.choices.with_(files=left, modules=modules))
        if left:
            self.files()

    def _ask_file(self) -> None:
        from smartos_wizard.boot.key_files import check_path

        read: list[tuple[str, bytes]] = []

        def read_it(found: dict[str, str]) -> None:
            data = self.desk.local_file(found["place"])
            read.append((check_path(found["path"] or f"local/{found['place'].rsplit('/', 1)[-1]}"), data))

        def check(found: dict[str, str]) -> str:
            read.clear()
            return said_by(lambda: read_it(found)) or self._twice(read[0][0])

        fields = [
            Asked("place", "File here", example="notes.txt"),
            Asked("path", "On the key", example="local/ and its name"),
        ]
        words = "Your own places on the key are local/, private/ and boot/conf.d/."
        self._box(
            Box("A file for the key", words, fields, check), lambda f: self._add_file(*read[0], f["place"])
        )

    def _twice(self, path: str) -> str:
        same = [p for p in self.page.choices.files if p.lower() == path.lower()]
        return f"{same[0]} is on the list already; take it off first." if same else ""

    def _add_file(self, path: str, data: bytes, place: str) -> None:
        page = self.page
        files = {**page.given.files, path: place.strip()}
        page.took(
            page.choices.with_(files={**page.choices.files, path: data}), replace(page.given, files=files)
        )

    # ------------------------------------------------------------------ profiles

    def load(self) -> None:
        """Choices that were saved, in the place of these."""
        names = self.desk.profiles()
        if not names:
            self.page.notify("No profile was saved yet; the row below saves one.")
            return
        offers = [Offer(n, n, "Takes the place of all choices here.") for n in names]
        self._pick("Load a profile", offers, self._load)

    def _load(self, name: str) -> None:
        found: list[BootChoices] = []
        wrong = said_by(lambda: found.append(self.desk.profile(name)))
        if wrong:
            self.page.notify(wrong, title="Not loaded", severity="error", timeout=20)
            return
        self.page.took(found[0], Given(profile=name, base=found[0]))
        self.page.notify(f"Profile {name} taken.")

    def save(self) -> None:
        """Keep these choices under a name."""
        page = self.page
        if page.wrong():
            page.notify("Put right what is wrong first, then save.", severity="warning")
            return
        self._kept = ""
        words = "Other keys, guests and the network can use it by --profile NAME. Secrets are kept apart."
        fields = [Asked("name", "Name", page.given.profile, example="lab")]
        self._box(Box("Save as a profile", words, fields, self._try_save, "Save"), self._saved)

    def _try_save(self, found: dict[str, str]) -> str:
        name = found["name"].strip()
        if name in self.desk.profiles() and self._kept != name:
            self._kept = name
            return f"{name} is there already. Once more replaces it."
        return said_by(lambda: self.desk.save_profile(name, self.page.choices))

    def _saved(self, found: dict[str, str]) -> None:
        page, name = self.page, found["name"].strip()
        page.took(page.choices, replace(page.given, profile=name, base=page.choices))
        page.notify(f"Saved as {name}.")
