"""The reading rules of SmartOS's setup script, one row per rule. The script itself cannot run here.

From smartos-live: src/smartdc/lib/smartos_prompt_config.sh.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartos_wizard.boot.answers_schema import BY_NAME, KEYS
from smartos_wizard.boot.answers_script import Does, as_read, does, is_net, number, value_of

STATIC = {"admin_ip": "10.0.0.5", "admin_netmask": "255.255.255.0"}

RULES = [
    # getanswer: what the json tool and the shell make of a value
    ("config_console", {}, Does.WAITS, None),
    ("config_console", {"config_console": ""}, Does.WAITS, None),
    ("config_console", {"config_console": "true"}, Does.USES, "true"),
    ("config_console", {"config_console": "false"}, Does.USES, "false"),
    ("hostname", {"hostname": "a\n\n"}, Does.USES, "a"),
    ("dns_search", {"dns_search": "-n"}, Does.ASKS, None),
    # flags: the word true and nothing else
    ("skip_instructions", {}, Does.WAITS, None),
    ("skip_instructions", {"skip_instructions": "True"}, Does.WAITS, "True"),
    ("skip_instructions", {"skip_instructions": "true"}, Does.USES, "true"),
    ("simple_headers", {}, Does.SKIPS, None),
    ("skip_ntp_check", {}, Does.SKIPS, None),
    ("skip_final_summary", {}, Does.SKIPS, None),
    ("skip_final_confirm", {}, Does.WAITS, None),
    ("skip_final_confirm", {"skip_final_confirm": "yes"}, Does.WAITS, "yes"),
    ("skip_final_confirm", {"skip_final_confirm": "true"}, Does.USES, "true"),
    # promptnic: admin_nic as text, small and padded; admin_mac is never read
    ("admin_nic", {"admin_mac": "52:54:00:2f:61:34"}, Does.ASKS, None),
    ("admin_nic", {"admin_nic": "52:54:00:2f:61:34"}, Does.USES, "52:54:00:2f:61:34"),
    ("admin_nic", {"admin_nic": "52:54:00:2F:61:34"}, Does.ASKS, None),
    ("admin_nic", {"admin_nic": "52:54:0:2f:61:34"}, Does.ASKS, None),
    # promptnet: none and dhcp pass everywhere, the last field has no limit, no default for the address
    ("admin_ip", {}, Does.ASKS, None),
    ("admin_ip", {"admin_ip": "dhcp"}, Does.USES, "dhcp"),
    ("admin_ip", {"admin_ip": "DHCP"}, Does.ASKS, None),
    ("admin_ip", {"admin_ip": "none"}, Does.USES, "none"),
    ("admin_ip", {"admin_ip": "10.0.0.5"}, Does.USES, "10.0.0.5"),
    ("admin_ip", {"admin_ip": "10.0.0.999"}, Does.USES, "10.0.0.999"),
    ("admin_ip", {"admin_ip": "10.0.256.1"}, Does.ASKS, None),
    ("admin_ip", {"admin_ip": "10.0.0"}, Does.ASKS, None),
    ("admin_ip", {"admin_ip": "10.0.0.5/24"}, Does.ASKS, None),
    ("admin_ip", {"admin_ip": "<default>"}, Does.ASKS, None),
    ("admin_netmask", {}, Does.SKIPS, None),
    ("admin_netmask", {"admin_ip": "dhcp"}, Does.SKIPS, None),
    ("admin_netmask", {"admin_ip": "10.0.0.5"}, Does.ASKS, None),
    ("admin_netmask", {"admin_ip": "10.0.0.5", "admin_netmask": "<default>"}, Does.USES, "255.255.255.0"),
    ("admin_netmask", {"admin_ip": "10.0.0.5", "admin_netmask": "/24"}, Does.ASKS, None),
    ("admin_netmask", {"admin_ip": "10.0.0.5", "admin_netmask": "none"}, Does.USES, "none"),
    ("headnode_default_gateway", {"admin_ip": "dhcp"}, Does.ASKS, None),
    ("headnode_default_gateway", {"headnode_default_gateway": "none"}, Does.USES, "none"),
    ("headnode_default_gateway", {"headnode_default_gateway": "<default>"}, Does.USES, "none"),
    ("headnode_default_gateway", {"headnode_default_gateway": ""}, Does.ASKS, None),
    # the loop around address and netmask ends only at another address than the broadcast one
    ("admin_ip", {**STATIC, "admin_ip": "10.0.0.255"}, Does.LOOPS, "10.0.0.255"),
    ("admin_ip", {**STATIC, "admin_ip": "10.0.0.0"}, Does.USES, "10.0.0.0"),
    ("admin_ip", {"admin_ip": "10.0.0.5", "admin_netmask": "255.255.255.255"}, Does.LOOPS, "10.0.0.5"),
    ("admin_ip", {"admin_ip": "10.0.0.7", "admin_netmask": "255.255.255.248"}, Does.LOOPS, "10.0.0.7"),
    ("admin_ip", {"admin_ip": "10.0.0.255"}, Does.USES, "10.0.0.255"),
    # prompt_host_ok_val: any text, with a default
    ("dns_resolver1", {}, Does.ASKS, None),
    ("dns_resolver1", {"dns_resolver1": ""}, Does.ASKS, None),
    ("dns_resolver1", {"dns_resolver1": "no address"}, Does.USES, "no address"),
    ("dns_resolver1", {"dns_resolver1": "<default>"}, Does.USES, "8.8.8.8"),
    ("dns_resolver2", {"dns_resolver2": "<default>"}, Does.USES, "8.8.4.4"),
    ("ntp_host", {"ntp_host": "<default>"}, Does.USES, "0.smartos.pool.ntp.org"),
    # promptval: quotes pass from a file, and <default> stays where there is no default
    ("dns_search", {}, Does.ASKS, None),
    ("dns_search", {"dns_search": ""}, Does.ASKS, None),
    ("dns_search", {"dns_search": "it's"}, Does.USES, "it's"),
    ("dns_search", {"dns_search": "<default>"}, Does.USES, "<default>"),
    ("install_pkgsrc", {}, Does.ASKS, None),
    ("install_pkgsrc", {"install_pkgsrc": ""}, Does.ASKS, None),
    ("install_pkgsrc", {"install_pkgsrc": "perhaps"}, Does.USES, "perhaps"),
    # promptpool
    ("zpool_layout", {}, Does.SKIPS, None),
    ("zpool_layout", {"zpool_layout": "raidz2"}, Does.USES, "raidz2"),
    ("zpool_confirm_layout", {}, Does.ASKS, None),
    ("zpool_confirm_layout", {"zpool_confirm_layout": "yes"}, Does.USES, "yes"),
    ("zpool_confirm_layout", {"zpool_confirm_layout": "<default>"}, Does.USES, "yes"),
    ("zpool_confirm_layout", {"zpool_confirm_layout": "manual"}, Does.SHELL, "manual"),
    ("zpool_confirm_layout", {"zpool_confirm_layout": "raidz2"}, Does.LOOPS, "raidz2"),
    ("zpool_confirm_layout", {"zpool_confirm_layout": "mirror"}, Does.LOOPS, "mirror"),
    ("zpool_confirm_layout", {"zpool_confirm_layout": "default"}, Does.LOOPS, "default"),
    ("zpool_confirm_layout", {"zpool_confirm_layout": "Yes"}, Does.LOOPS, "Yes"),
    # promptopt: an empty answer is one
    ("bootpool", {}, Does.ASKS, None),
    ("bootpool", {"bootpool": ""}, Does.USES, ""),
    ("bootpool", {"bootpool": "<default>"}, Does.USES, "none"),
    ("pisource", {}, Does.SKIPS, None),
    ("pisource", {"bootpool": "none"}, Does.SKIPS, None),
    ("pisource", {"bootpool": "zones"}, Does.ASKS, None),
    ("pisource", {"bootpool": ""}, Does.ASKS, None),
    ("pisource", {"bootpool": "zones", "pisource": "<default>"}, Does.USES, "media"),
    ("hostname", {}, Does.ASKS, None),
    ("hostname", {"hostname": ""}, Does.USES, ""),
    ("hostname", {"hostname": "<default>"}, Does.USES, ""),
    # promptpw: any length, no default
    ("root_password", {}, Does.ASKS, None),
    ("root_password", {"root_password": ""}, Does.ASKS, None),
    ("root_password", {"root_password": "x"}, Does.USES, "x"),
    ("root_password", {"root_password": "<default>"}, Does.USES, "<default>"),
]


@pytest.mark.parametrize(("key", "answers", "what", "value"), RULES)
def test_setup_reads_as_its_script_says(
    key: str, answers: dict[str, str], what: Does, value: str | None
) -> None:
    assert (does(key, answers), value_of(key, answers)) == (what, value)


def test_every_key_has_a_rule() -> None:
    assert {rule[0] for rule in RULES} == set(BY_NAME)


def test_there_are_the_21_keys_and_one_secret() -> None:
    assert len(KEYS) == len(BY_NAME) == 21
    assert [key.name for key in KEYS if key.secret] == ["root_password"]
    assert "admin_mac" not in BY_NAME


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("1.2.3.4", True),
        ("1.2.3.99999", True),
        ("1.2.3.4.5", True),
        ("1.2.3.4.", True),
        ("010.2.3.4", True),
        ("1.2.3", False),
        ("1.2.3.", False),
        ("1.2.3.4/24", False),
        ("256.2.3.4", False),
        ("1.2.-3.4", False),
        ("", False),
        ("a.b.c.d", False),
    ],
)
def test_setup_counts_digits_and_not_addresses(text: str, taken: bool) -> None:
    assert is_net(text) is taken


@pytest.mark.parametrize(
    ("text", "found"), [("0.0.1.0", 256), ("0.0.0.010", 8), ("0.0.0.08", None), ("0.0.0.999", 999)]
)
def test_a_leading_zero_means_octal_to_the_shell(text: str, found: int | None) -> None:
    assert number(text) == found


@settings(deadline=None)
@given(st.text())
def test_what_is_read_once_is_read_the_same_again(text: str) -> None:
    assert as_read(as_read(text)) == as_read(text)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(BY_NAME)), st.text() | st.from_regex(r"[0-9.]{1,15}")))
def test_there_is_an_outcome_for_every_key_whatever_was_answered(answers: dict[str, str]) -> None:
    for name in BY_NAME:
        assert does(name, answers) in Does
