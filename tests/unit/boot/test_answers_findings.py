"""Values that setup would accept and then fail on, and values it would refuse, are found and named."""

from __future__ import annotations

import pytest

from smartos_wizard.boot.answers_check import check_answers, has_errors
from smartos_wizard.boot.answers_finding import Finding
from smartos_wizard.boot.answers_keys import ALIASES
from smartos_wizard.boot.answers_schema import BY_NAME, start

GOOD = {
    **start(unattended=True),
    "admin_nic": "52:54:00:2f:61:34",
    "admin_ip": "192.168.1.10",
    "admin_netmask": "255.255.255.0",
    "headnode_default_gateway": "192.168.1.1",
    "dns_resolver1": "192.168.1.1",
    "dns_search": "example.com",
    "bootpool": "zones",
    "pisource": "media",
    "root_password": "long enough to keep",
    "hostname": "sm1",
}


def found(**changes: str | None) -> tuple[Finding, ...]:
    answers = {name: value for name, value in (GOOD | changes).items() if value is not None}
    return tuple(f for f in check_answers(answers) if f.reference != "one-vdev")


def test_a_good_file_has_nothing_to_put_right() -> None:
    assert found() == ()


@pytest.mark.parametrize("unattended", [False, True])
def test_the_defaults_have_nothing_to_put_right(unattended: bool) -> None:
    assert check_answers(start(unattended=unattended)) == ()


# key, value, level, reference, suggestion
ROWS = [
    ("config_console", "false", "warning", "any-word-counts", ""),
    ("skip_instructions", "yes", "warning", "not-true", "true"),
    ("skip_final_confirm", "True", "warning", "not-true", "true"),
    ("simple_headers", "nope", "warning", "not-true", "false"),
    ("admin_nic", "52:54:00:2F:61:34", "error", "bad-mac", "52:54:00:2f:61:34"),
    ("admin_nic", "52:54:0:2f:61:4", "error", "bad-mac", "52:54:00:2f:61:04"),
    ("admin_nic", "52-54-00-2f-61-34", "error", "bad-mac", "52:54:00:2f:61:34"),
    ("admin_nic", "5254.002f.6134", "error", "bad-mac", "52:54:00:2f:61:34"),
    ("admin_nic", "5254002f6134", "error", "bad-mac", "52:54:00:2f:61:34"),
    ("admin_nic", "e1000g0", "error", "bad-mac", ""),
    ("admin_nic", "00:00:00:00:00:00", "error", "bad-mac", ""),
    ("admin_nic", "01:00:5e:00:00:01", "error", "bad-mac", ""),
    ("admin_ip", "10.0.0.999", "error", "bad-address", ""),
    ("admin_ip", "192.168.1.10.7", "error", "bad-address", ""),
    ("admin_ip", "192.168.001.010", "error", "bad-address", ""),
    ("admin_ip", "192.168.1.300", "error", "bad-address", ""),
    ("admin_ip", "192.168.300.1", "error", "not-an-address", ""),
    ("admin_ip", "192.168.1", "error", "not-an-address", ""),
    ("admin_ip", "192.168.1.10/24", "error", "not-an-address", "192.168.1.10"),
    ("admin_ip", "DHCP", "error", "not-an-address", "dhcp"),
    ("admin_ip", "fe80::1", "error", "not-an-address", ""),
    ("admin_ip", "<default>", "error", "not-an-address", ""),
    ("admin_ip", "none", "error", "address-none", ""),
    ("admin_ip", "192.168.1.255", "error", "broadcast-address", ""),
    ("admin_ip", "192.168.1.0", "error", "network-address", ""),
    ("admin_ip", "127.0.0.1", "error", "bad-address", ""),
    ("admin_ip", "224.0.0.1", "error", "bad-address", ""),
    ("admin_ip", "0.0.0.1", "error", "bad-address", ""),
    ("admin_netmask", "/24", "error", "bad-netmask", "255.255.255.0"),
    ("admin_netmask", "20", "error", "bad-netmask", "255.255.240.0"),
    ("admin_netmask", "255.0.255.0", "error", "netmask-with-holes", ""),
    ("admin_netmask", "0.255.255.255", "error", "netmask-with-holes", ""),
    ("admin_netmask", "255.255.255.256", "error", "bad-netmask", ""),
    ("admin_netmask", "none", "error", "bad-netmask", ""),
    ("admin_netmask", "0.0.0.0", "error", "bad-netmask", ""),
    ("headnode_default_gateway", "192.168.2.1", "error", "gateway-outside", ""),
    ("headnode_default_gateway", "192.168.1.10", "error", "gateway-is-self", ""),
    ("headnode_default_gateway", "192.168.1.255", "error", "bad-gateway", ""),
    ("headnode_default_gateway", "192.168.1.0", "error", "bad-gateway", ""),
    ("headnode_default_gateway", "dhcp", "error", "bad-gateway", "none"),
    ("headnode_default_gateway", "None", "error", "not-an-address", "none"),
    ("headnode_default_gateway", "192.168.1.999", "error", "bad-address", ""),
    ("headnode_default_gateway", "router.example.com", "error", "not-an-address", ""),
    ("dns_resolver1", "dns.example.com", "error", "bad-name-server", ""),
    ("dns_resolver1", "2001:db8::1", "error", "bad-name-server", ""),
    ("dns_resolver2", "none", "error", "bad-name-server", ""),
    ("dns_resolver2", "8.8.4.444", "error", "bad-name-server", ""),
    ("dns_resolver2", "224.0.0.1", "error", "bad-name-server", ""),
    ("dns_resolver2", "127.0.0.1", "warning", "loopback-name-server", ""),
    ("dns_search", "<default>", "error", "no-default", ""),
    ("dns_search", "it's.example.com", "error", "breaks-config", ""),
    ("dns_search", "`reboot`", "error", "breaks-config", ""),
    ("dns_search", "a.example b.example", "error", "breaks-config", ""),
    ("dns_search", "a..example", "error", "bad-domain", ""),
    ("dns_search", "-a.example", "error", "bad-domain", ""),
    ("dns_search", "example.com.", "error", "bad-domain", "example.com"),
    ("ntp_host", "300.1.2.3", "error", "bad-time-server", ""),
    ("ntp_host", "ntp one", "error", "breaks-config", ""),
    ("ntp_host", "-x", "error", "bad-time-server", ""),
    ("ntp_host", "2001:db8::1", "warning", "ipv6-time-server", ""),
    ("zpool_layout", "raidz3", "warning", "unknown-layout", "default"),
    ("zpool_confirm_layout", "raidz2", "error", "loops-for-ever", "yes"),
    ("zpool_confirm_layout", "mirror", "error", "loops-for-ever", "yes"),
    ("zpool_confirm_layout", "default", "error", "loops-for-ever", "yes"),
    ("zpool_confirm_layout", "true", "error", "loops-for-ever", "yes"),
    ("bootpool", "", "error", "empty-pool", "none"),
    ("bootpool", "None", "error", "bad-pool", "none"),
    ("bootpool", "false", "error", "bad-pool", "none"),
    ("bootpool", "my pool", "error", "bad-pool", ""),
    ("bootpool", "standalone", "warning", "foreign-pool", ""),
    ("pisource", "", "error", "empty-source", "media"),
    ("pisource", "Latest", "error", "bad-source", "latest"),
    ("pisource", "20260903", "error", "bad-source", ""),
    ("pisource", "https://a b", "error", "bad-source", ""),
    ("pisource", "/var/tmp/smartos.iso", "warning", "local-source", ""),
    ("install_pkgsrc", "false", "warning", "depends-on-release", "no"),
    ("install_pkgsrc", "never", "warning", "depends-on-release", "no"),
    ("install_pkgsrc", "0", "warning", "means-no", "no"),
    ("root_password", "", "warning", "empty-password", ""),
    ("root_password", "<default>", "error", "no-default", ""),
    ("root_password", "secret", "warning", "weak-password", ""),
    ("root_password", "Password", "warning", "weak-password", ""),
    ("root_password", "Überraschung", "warning", "password-not-ascii", ""),
    ("root_password", " long enough", "warning", "blanks-around", ""),
    ("root_password", "two\nlines of it", "error", "control-character", ""),
    ("root_password", "-n", "error", "lost-value", ""),
    ("hostname", "", "info", "no-hostname", ""),
    ("hostname", "my host", "error", "breaks-config", ""),
    ("hostname", "a;reboot", "error", "breaks-config", ""),
    ("hostname", "$(reboot)", "error", "breaks-config", ""),
    ("hostname", "a_b", "warning", "odd-hostname", "a-b"),
    ("hostname", "-a", "error", "bad-hostname", ""),
    ("hostname", "a" * 64, "error", "bad-hostname", ""),
    ("hostname", "10.0.0.1", "error", "bad-hostname", ""),
    ("hostname", "localhost", "warning", "odd-hostname", ""),
    ("hostname", "\ud800", "error", "half-character", ""),
]


@pytest.mark.parametrize(("key", "value", "level", "reference", "suggestion"), ROWS)
def test_a_bad_value_is_named_with_what_would_be_right(
    key: str, value: str, level: str, reference: str, suggestion: str
) -> None:
    own = [(f.level, f.reference, f.suggestion) for f in found(**{key: value}) if f.key == key]
    assert (level, reference, suggestion) in own


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}={row[1][:20]!r}")
def test_what_is_suggested_would_be_right(row: tuple[str, ...]) -> None:
    if row[4]:
        assert not has_errors(f for f in found(**{row[0]: row[4]}) if f.key == row[0])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("admin_ip", "dhcp"),
        ("admin_netmask", "255.255.255.252"),
        ("admin_netmask", "<default>"),
        ("headnode_default_gateway", "none"),
        ("headnode_default_gateway", "<default>"),
        ("dns_resolver1", "<default>"),
        ("dns_search", "lan"),
        ("dns_search", "xn--bcher-kva.example"),
        ("ntp_host", "10.1.2.3"),
        ("ntp_host", "<default>"),
        ("zpool_confirm_layout", "manual"),
        ("bootpool", "none"),
        ("pisource", "latest"),
        ("pisource", "20260903T001557Z"),
        ("pisource", "https://example.com/smartos.iso"),
        ("install_pkgsrc", "Yes"),
        ("hostname", "sm1.example.com"),
        ("root_password", 'it\'s `fine` "here" & there'),
    ],
)
def test_what_setup_can_use_is_no_error(key: str, value: str) -> None:
    changes: dict[str, str | None] = {key: value}
    if value == "255.255.255.252":
        changes |= {"headnode_default_gateway": "192.168.1.9"}
    assert not has_errors(found(**changes))


def test_the_broadcast_address_says_that_setup_would_loop_for_ever() -> None:
    (finding,) = found(admin_ip="192.168.1.255")
    assert "for ever" in finding.text


def test_the_default_netmask_counts_where_none_is_given() -> None:
    (finding,) = found(admin_netmask=None, headnode_default_gateway="192.168.2.1")
    assert finding.reference == "gateway-outside"
    (finding,) = found(admin_netmask=None, admin_ip="192.168.1.255")
    assert finding.reference == "broadcast-address"


def test_a_gateway_beside_dhcp_and_a_netmask_beside_dhcp_are_told() -> None:
    assert [(f.key, f.level) for f in found(admin_ip="dhcp")] == [
        ("admin_netmask", "info"),
        ("headnode_default_gateway", "warning"),
    ]


def test_a_name_server_outside_without_a_gateway_is_told() -> None:
    references = [f.reference for f in found(headnode_default_gateway="none")]
    assert references == ["unreachable-name-server"]


def test_a_source_without_a_pool_is_told() -> None:
    assert [f.reference for f in found(bootpool="none")] == ["not-read"]


def test_the_published_key_is_named_with_the_one_that_setup_reads_and_why() -> None:
    (finding,) = found(admin_nic=None, admin_mac="52:54:00:2f:61:34")
    assert (finding.level, finding.reference, finding.suggestion) == ("error", "misspelt-key", "admin_nic")
    assert "published page" in finding.text
    (finding,) = found(admin_mac="52:54:00:2f:61:34")
    assert (finding.level, finding.suggestion) == ("warning", "admin_nic")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("root_pasword", "root_password"),
        ("Hostname", "hostname"),
        ("host-name", "hostname"),
        ("dns_resolver_1", "dns_resolver1"),
        ("skip-final-confirm", "skip_final_confirm"),
        ("zpool_confirm", "zpool_confirm_layout"),
        *((alias, key) for alias, (key, _) in ALIASES.items()),
    ],
)
def test_a_misspelt_key_is_named_with_the_right_one(wrong: str, right: str) -> None:
    (finding,) = check_answers({wrong: "hunter22"})
    assert (finding.level, finding.reference, finding.suggestion) == ("error", "misspelt-key", right)
    assert "hunter22" not in finding.text


def test_an_unknown_key_is_a_warning_and_its_name_cannot_lie() -> None:
    (finding,) = check_answers({"external\u202e_nic\x1b[31m": "x"})
    assert (finding.level, finding.reference) == ("warning", "unknown-key")
    assert "\x1b" not in finding.text and "\u202e" not in finding.text


def test_every_key_tells_what_it_does_when_it_is_asked_and_what_a_bad_value_does() -> None:
    for key in BY_NAME.values():
        for text in (key.title, key.help, key.asked, key.bad):
            assert text, key.name
        assert key.default == "" or key.has_default, key.name
