"""The traps of unattended setup are told where they matter, and every stop of setup is foretold."""

from __future__ import annotations

import pytest

from smartos_wizard.boot.answers_check import asked, masked, stops, trap_warnings
from smartos_wizard.boot.answers_schema import BY_NAME, start

GIB = 1 << 30
COMPLETE = {
    **start(unattended=True),
    "admin_nic": "52:54:00:2f:61:34",
    "dns_search": "example.com",
    "root_password": "hunter22hunter22",
    "hostname": "sm1",
}


def keys(answers: dict[str, str]) -> list[str]:
    return [stop.key for stop in stops(answers)]


def traps(answers: dict[str, str], **options: object) -> dict[str, str]:
    return {t.reference: t.level for t in trap_warnings(answers, **options)}  # type: ignore[arg-type]


def test_a_complete_file_does_not_stop() -> None:
    assert stops(COMPLETE) == ()


def test_with_nothing_answered_setup_stops_at_every_question_in_its_order() -> None:
    assert keys({}) == [
        "config_console",
        "skip_instructions",
        "admin_nic",
        "admin_ip",
        "headnode_default_gateway",
        "dns_resolver1",
        "dns_resolver2",
        "dns_search",
        "ntp_host",
        "skip_ntp_check",
        "zpool_confirm_layout",
        "bootpool",
        "install_pkgsrc",
        "root_password",
        "hostname",
        "skip_final_confirm",
    ]


@pytest.mark.parametrize("name", [n for n in COMPLETE if n not in ("simple_headers", "zpool_layout")])
def test_every_answer_left_out_is_one_stop_more(name: str) -> None:
    assert keys({k: v for k, v in COMPLETE.items() if k != name}) == [name]


def test_the_silent_wait_is_told_as_one() -> None:
    without = {k: v for k, v in COMPLETE.items() if k != "config_console"}
    (stop,) = stops(without)
    assert stop.silent
    assert "say nothing" in asked(without)[0]
    assert traps(without)["silent-wait"] == "warning"
    assert not any(stop.silent for stop in stops({"config_console": "true"}))


def test_what_depends_on_the_machine_or_the_network_is_told_as_such() -> None:
    assert [stop.key for stop in stops({}) if stop.maybe] == ["admin_nic", "skip_ntp_check"]


def test_a_value_that_setup_refuses_is_a_stop() -> None:
    assert keys(COMPLETE | {"admin_ip": "10.0.0"}) == ["admin_ip"]
    assert keys(COMPLETE | {"admin_ip": "10.0.0.5"}) == ["admin_netmask"]
    assert keys(COMPLETE | {"headnode_default_gateway": "the router"}) == ["headnode_default_gateway"]
    assert keys(COMPLETE | {"bootpool": "zones"}) == ["pisource"]
    assert keys(COMPLETE | {"skip_final_confirm": "yes"}) == ["skip_final_confirm"]
    assert asked(COMPLETE | {"zpool_confirm_layout": "manual"}) == (
        "open a shell in which the pool zones has to be made by hand (zpool_confirm_layout)",
    )


@pytest.mark.parametrize("layout", ["raidz2", "mirror", "manual"])
def test_unattended_setup_gives_the_default_layout_whatever_is_asked_for(layout: str) -> None:
    assert traps(COMPLETE | {"zpool_layout": layout})["layout-not-honoured"] == "warning"
    attended = {k: v for k, v in COMPLETE.items() if k != "zpool_confirm_layout"}
    assert traps(attended | {"zpool_layout": layout})["layout-is-a-label"] == "info"
    assert not [r for r in traps(COMPLETE) if r.startswith("layout")]


def test_the_clear_password_is_told_with_a_way_out() -> None:
    said = {t.reference: t.text for t in trap_warnings(COMPLETE)}["clear-password"]
    assert "one-time password" in said and "Leave it out" in said and "prompt-config.log" in said
    assert "hunter22" not in str(trap_warnings(COMPLETE))
    assert "clear-password" not in traps({k: v for k, v in COMPLETE.items() if k != "root_password"})


def test_erasing_without_a_question_is_told() -> None:
    assert "erases-unasked" in traps(COMPLETE)
    assert "erases-unasked" not in traps(COMPLETE | {"skip_final_confirm": "false"})


def test_what_needs_the_internet_is_told_and_more_so_without_a_gateway() -> None:
    needy = COMPLETE | {"bootpool": "zones", "pisource": "latest", "install_pkgsrc": "yes"}
    told = traps(needy)
    assert (told["internet-for-pisource"], told["internet-for-install-pkgsrc"]) == ("info", "info")
    cut_off = needy | {"admin_ip": "10.0.0.5", "admin_netmask": "255.255.255.0"}
    told = traps(cut_off)
    assert (told["no-internet-for-pisource"], told["no-internet-for-install-pkgsrc"]) == (
        "warning",
        "warning",
    )
    assert not [r for r in traps(COMPLETE) if "internet" in r]


def test_a_time_server_out_of_reach_is_told_only_where_it_is_tried() -> None:
    cut_off = COMPLETE | {"admin_ip": "10.0.0.5", "admin_netmask": "255.255.255.0"}
    assert "no-internet-for-time" not in traps(cut_off)
    tried = cut_off | {"skip_ntp_check": "false"}
    assert traps(tried)["no-internet-for-time"] == "warning"
    assert "no-internet-for-time" not in traps(tried | {"ntp_host": "10.0.0.1"})


def test_media_needs_a_medium() -> None:
    assert "needs-medium" in traps(COMPLETE | {"bootpool": "zones", "pisource": "media"})
    assert "needs-medium" not in traps(COMPLETE | {"bootpool": "none", "pisource": "media"})


def test_the_console_is_told_of_until_it_is_chosen() -> None:
    assert "console-matters" in traps(COMPLETE)
    assert "console-matters" not in traps(COMPLETE, console_set=True)


@pytest.mark.parametrize(
    ("ram", "pool", "level"),
    [
        (16, 16, "error"),
        (16, 16.9, "error"),
        (16, 17, "warning"),
        (16, 20, "warning"),
        (16, 27, None),
        (None, 0.5, "error"),
    ],
)
def test_swap_as_large_as_the_ram_and_a_dump_have_to_fit_the_pool(
    ram: int | None, pool: float, level: str | None
) -> None:
    told = traps(COMPLETE, ram=None if ram is None else ram * GIB, pool_size=int(pool * GIB))
    assert (told.get("pool-too-small") or told.get("pool-nearly-full")) == level


def test_secrets_are_masked_and_so_is_what_may_be_a_misspelt_one() -> None:
    shown = masked(COMPLETE | {"root_pasword": "hunter22"})
    assert "hunter22" not in str(shown)
    assert {k: v for k, v in shown.items() if k in BY_NAME and k != "root_password"} == {
        k: v for k, v in COMPLETE.items() if k != "root_password"
    }
