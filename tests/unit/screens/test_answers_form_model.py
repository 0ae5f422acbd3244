"""The answers form without a screen: which rows matter, what two rows stand for, what is said beside them."""

from __future__ import annotations

import pytest

from smartos_wizard.boot.answers_check import stops
from smartos_wizard.boot.answers_schema import KEYS, start
from smartos_wizard.screens.answers_form_model import (
    HOW,
    TITLES,
    address_of,
    beside_all,
    fitting,
    how_of,
    matters,
    offers,
    put_address,
    put_how,
    put_key,
    stop_line,
    title,
)


def rows(answers: dict[str, str], *, every: bool = False) -> list[str]:
    beside = beside_all(answers, console_set=False)
    return [key.name for key in KEYS if matters(key.name, answers, beside, every=every)]


def test_few_rows_are_shown_at_first_and_all_on_demand() -> None:
    assert len(rows(start())) == 7
    assert "admin_netmask" not in rows(start())
    assert len(rows(start(), every=True)) == len(KEYS) == 21


def test_a_fixed_address_shows_what_belongs_to_it() -> None:
    shown = rows(put_key(put_address(start(), "fixed"), "admin_ip", "10.0.0.9"))
    assert {"admin_ip", "admin_netmask", "headnode_default_gateway"} <= set(shown)


@pytest.mark.parametrize(
    ("name", "value"), [("bootpool", "zones"), ("install_pkgsrc", "yes"), ("zpool_layout", "mirror"), ("pisource", "x")]
)  # fmt: skip
def test_what_is_unusual_or_wrong_is_never_hidden(name: str, value: str) -> None:
    assert name in rows({**start(), name: value})


def test_an_address_with_a_prefix_gives_the_netmask_too() -> None:
    answers = put_key({}, "admin_ip", "192.168.7.10/26")
    assert answers == {"admin_ip": "192.168.7.10", "admin_netmask": "255.255.255.192"}
    assert put_key(answers, "admin_ip", "") == {"admin_netmask": "255.255.255.192"}


@pytest.mark.parametrize("value", ["dhcp", "fixed", ""])
def test_where_the_address_comes_from_is_shown_as_it_was_chosen(value: str) -> None:
    answers = put_address(start(), value)
    assert address_of(answers) == value
    assert "headnode_default_gateway" not in answers or value == "dhcp"
    assert address_of(put_address(put_key(answers, "admin_ip", "10.0.0.1"), value)) == value


def test_running_by_itself_is_one_choice_and_takes_no_router_for_granted() -> None:
    alone = put_how(start(), "alone")
    assert how_of(alone) == "alone"
    assert [s.key for s in stops(alone) if not s.maybe] == ["dns_search", "root_password", "hostname"]
    assert beside_all(alone, console_set=True)[HOW].level == "warning"
    assert how_of(put_how(alone, "")) == ""
    fixed = put_how(put_key(put_address(start(), "fixed"), "admin_ip", "10.0.0.9"), "alone")
    assert "headnode_default_gateway" not in fixed
    assert fixed["admin_ip"] == "10.0.0.9"


def test_what_is_wrong_and_what_will_be_asked_stands_beside_the_row() -> None:
    beside = beside_all({"admin_ip": "10.0.0.999", "root_password": "x y"}, console_set=False)
    assert beside["admin_ip"].level == "error"
    assert beside["dns_search"].short == "setup asks"
    assert "clear text" in beside["root_password"].short or beside["root_password"].level == "warning"
    assert "x y" not in "".join(b.short + b.long for b in beside.values())


def test_where_setup_stops_is_one_sentence() -> None:
    assert "search domain, root's password and the host name" in stop_line(put_how(start(), "alone"))
    full = {
        **start(unattended=True),
        "dns_search": "a.example",
        "root_password": "xxxxxxxxx",
        "hostname": "h",
    }
    assert stop_line(full) == "Setup will not stop: nobody has to be there."


def test_titles_fit_and_every_turned_key_can_be_left_to_setup() -> None:
    assert all(len(title(key)) <= 16 for key in KEYS), [title(key) for key in KEYS if len(title(key)) > 16]
    assert set(TITLES) <= {key.name for key in KEYS}
    for key in KEYS:
        found = offers(key, "odd")
        assert not found or (found[0].value == "" and found[-1].value == "odd")


def test_long_words_are_cut_where_they_do_not_fit() -> None:
    words = "one two three four five six seven eight nine ten"
    assert fitting(words, 80, 1, "… more") == words
    cut = fitting(words, 20, 2, "… F4")
    assert cut.endswith("… F4")
    assert all(len(line) <= 20 for line in cut.splitlines())
