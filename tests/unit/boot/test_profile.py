"""Profiles: saved and used by command, secrets in one file of their own and nowhere else, broken ones told."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smartos_wizard.boot.model import BootChoices, Kmdb, Module
from smartos_wizard.boot.profile import Profile, ProfileStore
from smartos_wizard.boot.shadow import matches
from smartos_wizard.cli.main import cli
from smartos_wizard.core.errors import Refused, UsageProblem, WizardError
from smartos_wizard.core.files import exclusive
from smartos_wizard.core.paths import Paths
from tests.unit.boot.boot_choices import SHADOW, all_choices

PASSWORD = "geheim-hunter22"


def run(*words: str, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(cli, ["profile", *words], input=stdin, standalone_mode=False)


def failed(result: Result) -> WizardError:
    assert isinstance(result.exception, WizardError), (result.output, result.exception)
    return result.exception


def done(result: Result) -> Result:
    assert result.exception is None, result.exception
    return result


def root() -> Path:
    return Path(os.environ["SMARTOS_WIZARD_HOME"]) / "config" / "profiles"


def document(*words: str, stdin: str | bytes = "") -> dict[str, object]:
    found: dict[str, object] = json.loads(done(run(*words, "--json", stdin=stdin)).stdout)
    return found


@pytest.fixture
def answers(tmp_path: Path) -> str:
    path = tmp_path / "answers.json"
    path.write_text(json.dumps({"config_console": "true", "hostname": "sm1", "root_password": PASSWORD}))
    path.chmod(0o600)
    return str(path)


def test_save_list_show_use_and_delete(answers: str) -> None:
    assert document("list") == {"profiles": []}
    assert "profile save NAME" in done(run("list")).stderr
    saved = document("save", "rack", "--console", "ttyb", "--speed", "9600", "--zpools", "zones, data",
                     "--boot-delay", "0", "--no-verbose", "--answers", answers)  # fmt: skip
    shown = document("show", "rack")
    assert saved == shown | {"path": str(root() / "rack.toml")}
    assert (shown["console"], shown["speed"], shown["zpools"]) == ("ttyb", 9600, ["zones", "data"])
    assert (shown["boot_delay"], shown["verbose"], shown["rescue"]) == (0, False, None)
    lines = done(run("show", "rack")).stdout.split("\n")
    assert {
        "rack:",
        "  console ttyb",
        "  speed 9600",
        "  zpools zones, data",
        "  boot delay 0",
        "  verbose no",
    } <= set(lines)
    assert "  answer hostname = sm1" in lines
    assert done(run("save", "rack2", "--profile", "rack", "--console", "text")).stdout.startswith("Saved: ")
    used = document("show", "rack2")
    assert (used["console"], used["speed"], used["zpools"]) == ("text", None, ["zones", "data"])
    assert document("list") == {"profiles": ["rack", "rack2"]}
    assert document("delete", "rack") == {"deleted": "rack"}
    assert done(run("delete", "rack2")).stdout == "Deleted: rack2\n"
    assert document("list") == {"profiles": []}
    assert [p.name for p in root().iterdir()] == [".lock"]


def test_an_empty_profile_says_that_nothing_is_changed() -> None:
    done(run("save", "plain"))
    assert "as released: nothing is changed" in done(run("show", "plain")).stdout


def test_secrets_lie_in_one_file_of_their_own_and_nowhere_else(answers: str, tmp_path: Path) -> None:
    private = tmp_path / "key"
    private.write_text("geheim-key\n")
    done(run("save", "rack", "--answers", answers, "--root-password-file", "-", "--add-file", f"private/id={private}",
             "--add-file", f"local/id={answers}", stdin="geheim-root\n"))  # fmt: skip
    done(run("delete", "rack"))
    result = run("save", "rack", "--answers", answers, "--root-password-file", "-", "--add-file",
                 f"private/id={private}", "--json", stdin="geheim-root\n")  # fmt: skip
    shown = (
        done(result).output + done(run("show", "rack")).output + done(run("show", "rack", "--json")).output
    )
    shadow = store_here().load("rack").choices.root_shadow
    assert matches("geheim-root", shadow)
    home = Path(os.environ["SMARTOS_WIZARD_HOME"])
    for secret in ("geheim", shadow, shadow.split("$")[-1]):
        assert secret not in shown
        holders = [p.name for p in home.rglob("*") if p.is_file() and secret.encode() in p.read_bytes()]
        assert holders == ["rack.secrets.toml"]
    assert {stat.S_IMODE(p.stat().st_mode) for p in root().iterdir()} == {0o600}
    assert stat.S_IMODE(root().stat().st_mode) == 0o700
    assert b"geheim-root" not in (root() / "rack.secrets.toml").read_bytes()
    done(run("save", "rack", "--console", "ttya", "--force"))
    assert not (root() / "rack.secrets.toml").exists()


def test_a_file_with_a_hash_in_it_is_a_secret_too(paths: Paths) -> None:
    shadow = f"root:{SHADOW}:1::::::\n".encode()
    choices = BootChoices(
        modules=(Module("etc/shadow", "boot/bootfs/etc/shadow", shadow), Module("a", "boot/bootfs/a", b"a")),
        files={"local/shadow": shadow, "local/a": b"a"},
    )
    store = ProfileStore(paths)
    assert b"$5$" not in store.save(Profile("p", choices)).read_bytes()
    loaded = store.load("p").choices
    assert {m.name: m.data for m in loaded.modules} == {"etc/shadow": shadow, "a": b"a"}
    assert loaded.files == choices.files


def store_here() -> ProfileStore:
    from smartos_wizard.core.paths import user_paths

    return ProfileStore(user_paths())


def test_a_name_that_is_taken_is_refused_before_a_password_is_asked() -> None:
    done(run("save", "rack", "--console", "ttya"))
    error = failed(run("save", "rack", "--root-password-prompt"))
    assert (error.reference, int(error.exit_code)) == ("profile-exists", 4)
    assert document("show", "rack")["console"] == "ttya"
    assert document("save", "rack", "--console", "ttyb", "--force")["console"] == "ttyb"


BAD_NAMES = [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "-x",
    ".hidden",
    "a b",
    "a\n",
    "x" * 65,
    "é",
    "a.secrets",
    "a.toml",
    "a\x1b[2J",
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_names_are_refused_everywhere(name: str) -> None:
    for words in (
        ("save", "--", name),
        ("show", "--", name),
        ("delete", "--", name),
        ("save", f"--profile={name}", "x"),
    ):
        if words[-1] == "x" and not name:
            continue  # no profile named is no profile wanted
        error = failed(run(*words))
        assert (error.reference, int(error.exit_code)) == ("bad-name", 2)
        assert error.message.isprintable()
    assert not root().exists() or list(root().glob("*.toml")) == []


def test_no_such_profile_tells_those_there_are() -> None:
    done(run("save", "rack"))
    for words in (("show", "rock"), ("delete", "rock"), ("save", "x", "--profile", "rock")):
        error = failed(run(*words))
        assert (error.reference, int(error.exit_code)) == ("no-such-profile", 4)
        assert "rack" in error.hint


def test_secrets_left_alone_go_with_delete() -> None:
    done(run("save", "rack", "--root-shadow", SHADOW))
    (root() / "rack.toml").unlink()
    assert document("list") == {"profiles": []}
    done(run("delete", "rack"))
    assert not (root() / "rack.secrets.toml").exists()


def test_a_text_that_could_talk_to_the_terminal_is_tamed() -> None:
    done(run("save", "rack"))
    (root() / "rack.toml").write_text('profile = 1\n[answers]\nhostname = "a\\u001b[2J\\u202eb"\n')
    shown = done(run("show", "rack")).stdout
    assert "\x1b" not in shown
    assert "\u202e" not in shown


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    all_choices(),
    st.none() | st.dictionaries(st.text(max_size=6), st.text(max_size=9), max_size=3),
    st.dictionaries(
        st.sampled_from(["local/a", "Private/b", "é"]), st.binary(max_size=20) | st.text().map(str.encode)
    ),
)
def test_what_was_saved_is_what_is_loaded(
    paths: Paths, choices: BootChoices, answers: dict[str, str] | None, files: dict[str, bytes]
) -> None:
    store = ProfileStore(paths)
    full = choices.with_(answers=answers, files=files)
    full = full.with_(modules=tuple(Module(m.name, m.path, b"\r\n\x00") for m in full.modules))
    store.save(Profile("p", full))
    assert store.load("p") == Profile("p", full)


def test_destroying_pools_and_half_characters_are_never_kept(paths: Paths) -> None:
    for choices, reference in (
        (BootChoices(destroy_pools=True), "not-in-a-profile"),
        (BootChoices(answers={"hostname": "\ud800"}), "not-unicode"),
        (BootChoices(answers={"root_password": "\ud800"}), "not-unicode"),
    ):
        with pytest.raises(UsageProblem) as caught:
            ProfileStore(paths).save(Profile("p", choices))
        assert caught.value.reference == reference
    assert ProfileStore(paths).list() == ()


SAVER = """
import sys
from smartos_wizard.boot.model import BootChoices
from smartos_wizard.boot.profile import Profile, ProfileStore
from smartos_wizard.core.paths import user_paths
store, me = ProfileStore(user_paths()), sys.argv[1]
for _ in range(40):
    store.save(Profile("p", BootChoices(hostname=me, answers={"root_password": me})))
"""


def test_two_processes_that_save_at_once_leave_the_whole_of_one() -> None:
    both = [subprocess.Popen([sys.executable, "-c", SAVER, name]) for name in ("one", "two")]
    assert [each.wait(60) for each in both] == [0, 0]
    choices = store_here().load("p").choices
    assert choices.answers == {"root_password": choices.hostname}
    assert sorted(p.name for p in root().iterdir()) == [".lock", "p.secrets.toml", "p.toml"]


def test_a_save_that_another_holds_up_too_long_is_refused(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smartos_wizard.boot.profile._PATIENCE", 0.05)
    store = ProfileStore(paths)
    store.save(Profile("p", BootChoices(kmdb=Kmdb.NMI)))
    with exclusive(store.root / ".lock", Refused("x", "x")):
        for act in (lambda: store.save(Profile("p", BootChoices())), lambda: store.delete("p")):
            with pytest.raises(Refused) as caught:
                act()
            assert caught.value.reference == "profiles-busy"
    assert store.load("p").choices.kmdb is Kmdb.NMI


def test_of_two_that_take_a_name_at_once_one_is_refused(paths: Paths) -> None:
    store = ProfileStore(paths)
    store.check_free("p")
    store.save(Profile("p", BootChoices(verbose=True)), replace=False)
    with pytest.raises(Refused) as caught:
        store.save(Profile("p", BootChoices()), replace=False)
    assert caught.value.reference == "profile-exists"
    assert store.load("p").choices.verbose is True
