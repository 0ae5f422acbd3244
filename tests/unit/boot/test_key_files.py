"""Which files of a key change for boot choices, what is refused, and that no preview shows a secret."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartos_wizard.boot.key_files import (
    MASK,
    check_path,
    files_for,
    files_wanted,
    kernel_properties,
    masked,
    preview,
)
from smartos_wizard.boot.model import (
    ANSWERS,
    LOADER_CONF_LOCAL,
    MENU_LST,
    BootChoices,
    FileChange,
    Module,
)
from smartos_wizard.core.errors import Refused, UsageProblem
from tests.unit.boot.boot_choices import SHADOW
from tests.unit.boot.loader_reader import Loader
from tests.unit.boot.test_grub_menu import MENU

ETC_SYSTEM = Module("etc/system", "boot/bootfs/etc/system", b"set zfs:x=1\n")


class Key:
    """A key's files in memory. FAT knows no upper and lower case."""

    def __init__(self, files: dict[str, bytes] | None = None, *, legacy: bool = False) -> None:
        self.files = dict(files or {})
        self.legacy = legacy

    def read(self, path: str) -> bytes | None:
        return next((data for name, data in self.files.items() if name.lower() == path.lower()), None)

    def tell(self, choices: BootChoices) -> tuple[FileChange, ...]:
        changes = files_for(choices, self.read, legacy=self.legacy)
        for change in changes:
            assert change.old == self.read(change.path)
            self.files = {n: d for n, d in self.files.items() if n.lower() != change.path.lower()}
            if change.new is not None:
                self.files[change.path] = change.new
        return changes


@pytest.mark.parametrize(
    ("path", "reference"),
    [
        ("", "bad-path"),
        ("/", "bad-path"),
        ("..", "bad-path"),
        ("a/../b", "bad-path"),
        ("./a", "bad-path"),
        ("a//b", "bad-path"),
        ("a/", "bad-path"),
        ("a\\b", "bad-path"),
        ("c:x", "bad-path"),
        ('a"b', "bad-path"),
        ("a*", "bad-path"),
        ("a|b", "bad-path"),
        ("a\nb", "bad-path"),
        ("a\x00b", "bad-path"),
        ("a\x9bb", "bad-path"),
        ("a\u2028b", "bad-path"),
        ("a\udcffb", "bad-path"),
        ("a./b", "bad-path"),
        ("a /b", "bad-path"),
        ("x" * 256, "bad-path"),
        ("😀" * 128, "bad-path"),
        (LOADER_CONF_LOCAL, "own-file"),
        ("BOOT/Loader.conf.LOCAL", "own-file"),
        (MENU_LST, "own-file"),
        (ANSWERS, "own-file"),
        ("/Private/Answers.json", "own-file"),
        ("boot", "released-file"),
        ("boot/loader.conf", "released-file"),
        ("Boot/defaults/loader.conf", "released-file"),
        ("boot/bootfs", "released-file"),
        ("boot/conf.d", "released-file"),
        ("platform/i86pc/kernel/amd64/unix", "released-file"),
        ("PLATFORM", "released-file"),
        ("previous/x", "released-file"),
        ("etc/version/boot", "released-file"),
    ],
)
def test_paths_that_are_refused(path: str, reference: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        check_path(path)
    assert caught.value.reference == reference
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("local/notes.txt", "local/notes.txt"),
        (" /local/notes.txt ", "local/notes.txt"),
        ("x" * 255, "x" * 255),
        ("é ü/name with blanks", "é ü/name with blanks"),
        ("boot/bootfs/etc/system", "boot/bootfs/etc/system"),
        ("boot/conf.d/mine.conf", "boot/conf.d/mine.conf"),
        ("boot/loader.rc.local", "boot/loader.rc.local"),
        ("bootx/y", "bootx/y"),
        ("etc/passwd", "etc/passwd"),
        ("private/id", "private/id"),
    ],
)
def test_paths_that_may_be_put_on_the_key(path: str, kept: str) -> None:
    assert check_path(path) == kept


def test_everything_asked_is_on_the_key_and_everything_goes_again() -> None:
    his = b'# mine\nautoboot_delay="4"'
    key = Key({LOADER_CONF_LOCAL: his, "local/his.txt": b"his"})
    before = dict(key.files)
    choices = BootChoices(
        console="ttya", modules=(ETC_SYSTEM,), answers={"hostname": "sm1"}, files={"/local/a.txt": b"a"}
    )
    key.tell(choices)
    assert key.files["local/a.txt"] == b"a"
    assert key.files["boot/bootfs/etc/system"] == ETC_SYSTEM.data
    assert json.loads(key.files[ANSWERS]) == {"hostname": "sm1"}
    assert key.files[LOADER_CONF_LOCAL].startswith(his)
    assert Loader().read(key.files[LOADER_CONF_LOCAL]).loads() == {"etc/system": "/boot/bootfs/etc/system"}
    assert key.tell(choices) == ()
    key.tell(BootChoices())
    assert key.files == before
    assert key.tell(BootChoices()) == ()


def test_only_what_was_put_there_is_taken_away_again() -> None:
    key = Key({"private/answers.json": b"{}", "local/a.txt": b"his"})
    key.tell(BootChoices(verbose=True))
    key.tell(BootChoices())
    assert set(key.files) == {"private/answers.json", "local/a.txt"}
    key.tell(BootChoices(files={"local/b.txt": b"b", "local/c.txt": b"c"}))
    gone = key.tell(BootChoices(files={"local/c.txt": b"c"}))
    assert [(c.path, c.new) for c in gone if c.path != LOADER_CONF_LOCAL] == [("local/b.txt", None)]


def test_a_file_asked_for_again_in_other_letters_is_not_taken_away() -> None:
    key = Key()
    key.tell(BootChoices(files={"local/Notes.txt": b"1"}))
    key.tell(BootChoices(files={"LOCAL/notes.TXT": b"2"}))
    assert key.read("local/notes.txt") == b"2"


@pytest.mark.parametrize(
    "noted", ["platform/i86pc/kernel/amd64/unix", "../x", "boot/loader", "|", "", "a\\b"]
)
def test_a_note_that_somebody_changed_deletes_nothing_of_the_release(noted: str) -> None:
    key = Key({"platform/i86pc/kernel/amd64/unix": b"unix", "boot/loader": b"loader"})
    key.tell(BootChoices(files={"local/a": b"a"}))
    text = key.files[LOADER_CONF_LOCAL].replace(b"local/a", noted.encode())
    key.files[LOADER_CONF_LOCAL] = text
    key.tell(BootChoices())
    assert {"platform/i86pc/kernel/amd64/unix", "boot/loader"} <= set(key.files)


@pytest.mark.parametrize(
    ("choices", "reference"),
    [
        (BootChoices(files={"local/a": b"", "LOCAL/A": b""}), "same-file-twice"),
        (BootChoices(files={"local/a": b"", "/local/a": b""}), "same-file-twice"),
        (BootChoices(modules=(ETC_SYSTEM, ETC_SYSTEM)), "same-file-twice"),
        (BootChoices(modules=(ETC_SYSTEM,), files={"boot/bootfs/etc/SYSTEM": b""}), "same-file-twice"),
        (BootChoices(files={"local": b"", "local/a": b""}), "file-and-directory"),
        (BootChoices(files={"private/answers.json/a": b""}, answers={}), "file-and-directory"),
        (BootChoices(modules=(Module("x", "platform/x"),)), "released-file"),
    ],
)
def test_files_that_cannot_all_be_there_are_refused(choices: BootChoices, reference: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        files_wanted(choices, legacy=False)
    assert caught.value.reference == reference


def test_a_legacy_key_takes_files_and_answers_but_no_modules() -> None:
    key = Key({MENU_LST: MENU.encode(), "boot/loader.conf.local": b"not read here"}, legacy=True)
    before = dict(key.files)
    with pytest.raises(UsageProblem) as caught:
        key.tell(BootChoices(modules=(ETC_SYSTEM,)))
    assert caught.value.reference == "no-modules-on-legacy-keys"
    assert key.files == before
    choices = BootChoices(answers={"hostname": "x"}, files={"local/a": b"a"}, console="ttyb", delay=3)
    key.tell(choices)
    assert {"local/a", ANSWERS} <= set(key.files)
    assert key.tell(choices) == ()
    key.tell(BootChoices(files={"local/a": b"a"}))
    assert key.files[MENU_LST].decode().endswith(MENU)
    key.tell(BootChoices())
    assert key.files == before
    with pytest.raises(Refused) as refused:
        files_for(BootChoices(), lambda _path: None, legacy=True)
    assert refused.value.reference == "no-menu"


HOSTILE = [b"\r\n" * 5, b"\x00", b'a="', b"\xff\xfe", b"x" * (1 << 20), b"# >>> written by\n"]


@pytest.mark.parametrize("raw", HOSTILE, ids=lambda raw: repr(raw[:6]))
def test_a_hostile_settings_file_comes_back_byte_for_byte(raw: bytes) -> None:
    key = Key({LOADER_CONF_LOCAL: raw})
    changes = key.tell(BootChoices(console="ttya", files={"local/a": b"\xff"}))
    assert preview(changes)
    key.tell(BootChoices())
    assert key.files == {LOADER_CONF_LOCAL: raw}


SECRET = st.text("abcXYZ0123456789", min_size=9, max_size=20).map(lambda s: f"geheim{s}")
CRYPT = st.text("./0123456789ABCxyz", min_size=43, max_size=43)


@settings(max_examples=60, deadline=None)
@given(SECRET, CRYPT, CRYPT, st.booleans())
def test_no_preview_holds_a_secret(secret: str, hashed: str, older: str, legacy: bool) -> None:
    old, new = f"$5$sa${older}", f"$5$sb${hashed}"
    menu = MENU.replace(SHADOW, old).encode()
    conf = f"root_shadow = '{old}' # root_shadow=\nROOT_SHADOW=\"{old}\"\n# {old}\n".encode()
    key = Key({MENU_LST: menu} if legacy else {LOADER_CONF_LOCAL: conf}, legacy=legacy)
    key.files |= {ANSWERS: json.dumps({"root_password": secret, "rootpw": secret}).encode()}
    choices = BootChoices(
        root_shadow=new,
        answers={"hostname": "x", "root_password": secret + "2"},
        files={"Private/id": secret.encode(), "local/shadow": f"root:{new}:1:::\n".encode()},
        modules=()
        if legacy
        else (Module("etc/shadow", "boot/bootfs/etc/shadow", f"root:{old}:\n".encode()),),
    )
    for wanted in (choices, BootChoices()):
        told = preview(key.tell(wanted))
        assert told
        for hidden in (secret, older, hashed):
            assert hidden not in told


def test_the_preview_is_a_diff_and_says_so_where_only_hidden_things_change() -> None:
    key = Key({"local/raw": b"\x00\x01"})
    told = preview(
        key.tell(
            BootChoices(
                console="ttya", root_shadow=SHADOW, files={"local/raw": b"\x00\x01\x02", "local/n": b"a\n"}
            )
        )
    )
    assert '+os_console="ttya"' in told.split("\n")
    assert f"+root_shadow={MASK}" in told.split("\n")
    assert "--- /dev/null\n+++ then/local/n\n" in told
    assert "-(2 bytes, no text)\n+(3 bytes, no text)" in told
    other = SHADOW.replace("NvLlm", "NvLlx")
    only = preview(
        key.tell(
            BootChoices(
                console="ttya", root_shadow=other, files={"local/raw": b"\x00\x01\x02", "local/n": b"a\n"}
            )
        )
    )
    assert only == f"  {LOADER_CONF_LOCAL}: only what is not shown changes (secrets, ends of lines)"


def test_what_could_talk_to_a_terminal_is_not_shown() -> None:
    for data in (b"\x1b[2J", "\x9b2J".encode(), "\u202e".encode(), b"\x7f"):
        assert preview([FileChange("local/a", None, data)]).endswith(f"({len(data)} bytes, no text)")


def test_masks_have_one_length() -> None:
    assert masked("root_shadow='x'") == masked("root_shadow='" + "x" * 99 + "'") == f"root_shadow={MASK}"
    assert masked('os_console="ttya"') == 'os_console="ttya"'


def test_kernel_properties_are_those_of_a_start_without_the_loader() -> None:
    choices = BootChoices(console="ttyb", speed=9600, verbose=True, delay=3, pools=("zones",))
    assert kernel_properties(choices) == {
        "smartos": "true", "console": "ttyb", "ttyb-mode": "9600,8,n,1,-", "zpools": "zones",
    }  # fmt: skip
    assert kernel_properties(BootChoices(rescue=True)) == {"noimport": "true", "standalone": "true"}
