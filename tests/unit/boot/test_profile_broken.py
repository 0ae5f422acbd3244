"""Profiles that cannot be read: told with what is wrong, never half used, and removable."""

from __future__ import annotations

import pytest

from tests.unit.boot.boot_choices import SHADOW
from tests.unit.boot.test_profile import document, done, failed, root, run

BROKEN = [
    ("", "version None"),
    ("profile = 2\n", "version 2"),
    ("profile = \n", "Invalid"),
    ("\x00", "Invalid"),
    ("profile = 1\nsurprise = 1\n", "nothing is known of surprise"),
    ("profile = 1\n[boot]\nconsole = 5\n", "console is not a text"),
    ("profile = 1\n[boot]\nspeed = true\n", "speed is not a number"),
    ("profile = 1\n[boot]\nspeed = 9600.5\n", "speed is not a number"),
    ("profile = 1\n[boot]\nverbose = 1\n", "verbose is not yes or no"),
    ('profile = 1\n[boot]\npools = "zones"\n', "pools is not a list"),
    ("profile = 1\n[boot]\npools = [1]\n", "pools is not a text"),
    ('profile = 1\n[boot]\nkmdb = "often"\n', "kmdb is none of off"),
    ("profile = 1\n[boot]\nkmdb = []\n", "kmdb is none of off"),
    ('profile = 1\n[boot]\nroot_shadow = "x"\n', "nothing is known of root_shadow"),
    ("profile = 1\nboot = 5\n", "of the wrong kind"),
    ('profile = 1\nanswers = "x"\n', "of the wrong kind"),
    ("profile = 1\n[answers]\nhostname = 5\n", "hostname is not a text"),
    ("profile = 1\nmodules = [1]\n", "of the wrong kind"),
    ('profile = 1\n[[modules]]\nname = "a"\npath = "b"\n', "no 'base64'"),
    ('profile = 1\n[[modules]]\nname = 1\npath = "b"\ntext = "x"\n', "name is not a text"),
    ('profile = 1\n[[files]]\npath = "b"\nbase64 = "%"\n', "base64"),
    ('profile = 1\n[[files]]\npath = "b"\ntext = 5\n', "text is not a text"),
    ("profile = 1\nfiles = 7\n", "of the wrong kind"),
]


@pytest.mark.parametrize(("text", "words"), BROKEN)
def test_a_broken_profile_is_told_never_half_used_and_can_be_deleted(text: str, words: str) -> None:
    done(run("save", "rack"))
    (root() / "rack.toml").write_text(text)
    for command in (("show", "rack"), ("save", "x", "--profile", "rack")):
        error = failed(run(*command))
        assert (error.reference, int(error.exit_code)) == ("bad-profile", 4)
        assert words in error.message
        assert error.context == str(root() / "rack.toml")
    assert document("list") == {"profiles": ["rack"]}
    assert document("delete", "rack") == {"deleted": "rack"}


def test_broken_secrets_are_told_and_not_shown() -> None:
    done(run("save", "rack", "--root-shadow", SHADOW))
    secrets = root() / "rack.secrets.toml"
    for text in ("root_shadow = 5", "root_shadow = geheim", "\udcff", 'geheim = "x"'):
        secrets.write_bytes(text.encode("utf-8", "surrogateescape"))
        error = failed(run("show", "rack"))
        assert error.reference == "bad-profile"
        assert "geheim" not in error.message or "nothing is known" in error.message
    secrets.write_text('root_shadow = "geheim"\n')
    error = failed(run("save", "x", "--profile", "rack"))
    assert (error.reference, "geheim" in error.message + error.hint) == ("no-hash", False)
