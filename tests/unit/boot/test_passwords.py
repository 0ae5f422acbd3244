"""Which of root's passwords counts: the order of SmartOS's own script, for every boot and every setting."""

from __future__ import annotations

import pytest

from smartos_wizard.boot.passwords import (
    AS_RELEASED,
    Rule,
    Shadow,
    Whose,
    explanation,
    rules,
    shadow_of_settings,
)


def smartdc_config(smartos: str, noimport: bool, config: bool, shadow: bool, root_shadow: bool) -> Whose:
    """What illumos' smartdc-config does on a machine that is no Triton node, as far as root's password goes."""
    if smartos == "true" and not config:
        return Whose.RELEASE  # with noimport at once, otherwise after set-up was left without an end
    if smartos and shadow:
        return Whose.SETUP
    return Whose.LOADER if root_shadow else Whose.RELEASE


BOOTS = {
    # reference: smartos, noimport, /usbkey/config, /usbkey/shadow
    "set-up": ("true", False, True, True),
    "not-set-up": ("true", False, False, False),
    "rescue": ("false", True, False, False),
    "noimport": ("true", True, False, False),
    "shadow-lost": ("true", False, True, False),
}


def by_name(*arguments: Shadow, grub: bool = False) -> dict[str, Rule]:
    return {rule.reference: rule for rule in rules(*arguments, grub=grub)}


@pytest.mark.parametrize("boot", BOOTS)
@pytest.mark.parametrize("shadow", list(Shadow))
def test_every_rule_says_what_the_boot_script_does(boot: str, shadow: Shadow) -> None:
    expected = smartdc_config(*BOOTS[boot], root_shadow=shadow is not Shadow.ABSENT)
    assert by_name(shadow)[boot].whose is expected


def test_every_boot_has_one_rule_and_the_usual_one_is_first() -> None:
    assert set(by_name()) == set(BOOTS)
    assert rules()[0].reference == "set-up"


@pytest.mark.parametrize(
    ("shadow", "words"),
    [
        (Shadow.RELEASED, "root"),
        (Shadow.CHANGED, "the one you set for this key (root_shadow); only its hash is kept"),
        (Shadow.ABSENT, "the release's own, because no root_shadow is set"),
    ],
)
def test_rescue_mode_takes_what_the_loader_was_told(shadow: Shadow, words: str) -> None:
    assert by_name(shadow)["rescue"].password == words


def test_a_grub_key_has_a_recovery_entry_and_no_rescue_mode() -> None:
    found = by_name(grub=True)
    assert found["recovery"].password.startswith("root,")
    assert "rescue" not in found
    assert not any("Rescue" in line for line in explanation(grub=True))


@pytest.mark.parametrize(
    ("settings", "shadow"),
    [
        ({}, Shadow.UNKNOWN),
        ({"os_console": "text"}, Shadow.ABSENT),
        ({"root_shadow": AS_RELEASED}, Shadow.RELEASED),
        ({"root_shadow": "(changed; not shown)"}, Shadow.CHANGED),
    ],
)
def test_the_settings_of_a_key_tell_about_root_shadow(settings: dict[str, str], shadow: Shadow) -> None:
    assert shadow_of_settings(settings) is shadow


@pytest.mark.parametrize("grub", [False, True])
def test_the_lines_are_the_rules_and_hold_no_hash(grub: bool) -> None:
    lines = explanation(grub=grub)
    for rule in rules(grub=grub):
        assert f"  {rule.when}:" in lines
        assert f"      {rule.password}" in lines
        assert set(rule.to_json()) == {"reference", "when", "password", "whose", "source"}
        assert rule.source
    assert not any("$5$" in line or "\n" in line or len(line) > 110 for line in lines)
