"""The 21 keys that SmartOS's setup reads from an answers file, and what it does with each. Pure; imports nothing.

The facts are from smartos-live: src/smartdc/lib/smartos_prompt_config.sh, not from the published page
(smartos-docs: docs/non-interactive-install.md), which names a key that the script never reads. The keys of the
storage step are read since January 2024 (OS-8515); releases before that ask for the storage layout whatever the
file says.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DEFAULT = "<default>"
"""The word that makes setup take its own default, for the keys that have one."""


class Kind(StrEnum):
    """What sort of value a key takes: which check and which field of a form belong to it."""

    ANY = "any"
    FLAG = "flag"
    MAC = "mac"
    ADDRESS = "address"
    NETMASK = "netmask"
    GATEWAY = "gateway"
    SERVER = "server"
    DOMAIN = "domain"
    TIME_SERVER = "time-server"
    LAYOUT = "layout"
    CONFIRM = "confirm"
    POOL = "pool"
    SOURCE = "source"
    YES_NO = "yes-no"
    PASSWORD = "password"
    HOSTNAME = "hostname"


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """One key of an answers file.

    `title` is a label for a form. `help` says what setup does with it. `default` is what setup takes for
    `<default>` or offers in brackets; empty where there is none (`has_default` tells an empty default from none).
    `asked` says when setup asks for it where the key is missing. `bad` says what a bad value leads to.
    `choices` are the values worth offering. `start` and `unattended` are what a new file begins with, attended or
    not; empty means left out. `secret` values are masked wherever they are shown.
    """

    name: str
    title: str
    kind: Kind
    help: str
    asked: str
    bad: str
    default: str = ""
    has_default: bool = False
    choices: tuple[str, ...] = ()
    secret: bool = False
    start: str = ""
    unattended: str = ""


KEYS: tuple[AnswerKey, ...] = (
    AnswerKey(
        "config_console",
        "Start without waiting",
        Kind.ANY,
        "Any word, usually true. Its presence tells setup not to wait. Setup also has to run on the console that "
        "SmartOS was started with.",
        "Never: without it setup waits for Enter and says nothing.",
        'Any word counts, "false" too.',
        choices=("true",),
        start="true",
        unattended="true",
    ),
    AnswerKey(
        "skip_instructions",
        "Leave out the instructions",
        Kind.FLAG,
        "true leaves out the explanations and the first “Press [enter] to continue”.",
        "Never: without it setup explains each section and waits for Enter before the network questions.",
        "Only the word true counts; anything else means no.",
        choices=("true", "false"),
        start="true",
        unattended="true",
    ),
    AnswerKey(
        "simple_headers",
        "Short headings",
        Kind.FLAG,
        "true prints one short line per section and does not clear the screen; good for serial consoles and logs.",
        "Never.",
        "Only the word true counts; anything else means no.",
        choices=("true", "false"),
        unattended="true",
    ),
    AnswerKey(
        "admin_nic",
        "Network card (MAC address)",
        Kind.MAC,
        "The MAC address of the card for the admin network, as text in small letters with two digits each: "
        "52:54:00:2f:61:34. Where the machine has one card, that card is used whatever stands here. The published "
        "page calls this key admin_mac; setup never reads that.",
        "On machines with more than one network card: setup shows them and asks for a number.",
        "An address that no card has is passed over: setup uses the only card, or asks.",
    ),
    AnswerKey(
        "admin_ip",
        "IP address",
        Kind.ADDRESS,
        "dhcp, or an IPv4 address such as 192.168.1.10.",
        "Always, where it is missing or not an address.",
        "Setup looks at the digits only: 10.0.0.999 passes and fails later. The broadcast address of the network "
        "makes setup ask itself the same question for ever.",
        choices=("dhcp",),
        start="dhcp",
        unattended="dhcp",
    ),
    AnswerKey(
        "admin_netmask",
        "Netmask",
        Kind.NETMASK,
        "The netmask as four numbers, 255.255.255.0, not /24. Read only where admin_ip is an address.",
        "Where admin_ip is an address and this is missing or not a netmask.",
        "Any four numbers pass, and so do the words none and dhcp; the network does not work afterwards.",
        default="255.255.255.0",
        has_default=True,
    ),
    AnswerKey(
        "headnode_default_gateway",
        "Default gateway",
        Kind.GATEWAY,
        "The IPv4 address of the router, or none. Asked with dhcp too: none is right then, the router comes with "
        "the lease.",
        "Always, where it is missing or neither an address nor none, even with dhcp.",
        "Setup does not look whether the router is in the machine's own network.",
        default="none",
        has_default=True,
        choices=("none",),
        start="none",
        unattended="none",
    ),
    AnswerKey(
        "dns_resolver1",
        "First name server",
        Kind.SERVER,
        "The IPv4 address of a DNS server for the global zone.",
        "Always, where it is missing or empty.",
        "Taken as it stands, without a look at it and without trying to reach it.",
        default="8.8.8.8",
        has_default=True,
        start="8.8.8.8",
        unattended="8.8.8.8",
    ),
    AnswerKey(
        "dns_resolver2",
        "Second name server",
        Kind.SERVER,
        "The IPv4 address of another DNS server.",
        "Always, where it is missing or empty.",
        "Taken as it stands, without a look at it and without trying to reach it.",
        default="8.8.4.4",
        has_default=True,
        start="8.8.4.4",
        unattended="8.8.4.4",
    ),
    AnswerKey(
        "dns_search",
        "Search domain",
        Kind.DOMAIN,
        "The domain that short names are looked up in, such as example.com. Setup insists on one and has no "
        "default for it.",
        "Always, where it is missing or empty.",
        "Quotes and blanks pass from a file, and break the configuration that the machine reads at every start.",
    ),
    AnswerKey(
        "ntp_host",
        "Time server",
        Kind.TIME_SERVER,
        "The name or address of an NTP server.",
        "Always, where it is missing or empty.",
        "Taken as it stands. A server that does not answer makes setup wait for Enter, unless skip_ntp_check is true.",
        default="0.smartos.pool.ntp.org",
        has_default=True,
        start="0.smartos.pool.ntp.org",
        unattended="0.smartos.pool.ntp.org",
    ),
    AnswerKey(
        "skip_ntp_check",
        "Do not try the time server",
        Kind.FLAG,
        "true leaves out setting the clock from the time server during setup.",
        "Never; but without it a time server that does not answer makes setup wait for Enter.",
        "Only the word true counts; anything else means no.",
        choices=("true", "false"),
        unattended="true",
    ),
    AnswerKey(
        "zpool_layout",
        "Name of the pool layout (label only)",
        Kind.LAYOUT,
        "Only a label in what setup shows: unattended setup builds the default layout whatever stands here. For "
        "another layout leave out zpool_confirm_layout and choose at the machine.",
        "Never: it changes nothing but the text shown.",
        "raidz2 and mirror are shown and not built.",
        choices=("default", "mirror", "raidz2", "manual"),
        unattended="default",
    ),
    AnswerKey(
        "zpool_confirm_layout",
        "Accept the pool layout",
        Kind.CONFIRM,
        "yes takes the default layout over all fixed disks; manual opens a shell in which you make the pool zones "
        "by hand.",
        "Always, where it is missing or empty: setup shows the layout and asks.",
        "raidz2, mirror, default and any other word make setup compute the layout and read the same answer again, "
        "for ever.",
        default="yes",
        has_default=True,
        choices=("yes", "manual"),
        unattended="yes",
    ),
    AnswerKey(
        "bootpool",
        "Pool to boot from later",
        Kind.POOL,
        "none, or the pool that shall be made bootable, usually zones, so that no key is needed afterwards.",
        "Always, where it is missing.",
        "An empty answer or a pool that does not exist makes that last step fail; booting from the key still works.",
        default="none",
        has_default=True,
        choices=("none", "zones"),
        start="none",
        unattended="none",
    ),
    AnswerKey(
        "pisource",
        "Where the bootable pool takes SmartOS from",
        Kind.SOURCE,
        "media (the key or CD in the machine), latest, a release stamp, the URL of an ISO image, or a file. Read "
        "only where bootpool is not none. latest, stamps and URLs need the Internet; media needs a key or CD.",
        "Where bootpool names a pool and this is missing.",
        "A source that cannot be had makes that last step fail; booting from the key still works.",
        default="media",
        has_default=True,
        choices=("media", "latest"),
    ),
    AnswerKey(
        "install_pkgsrc",
        "Install pkgsrc tools",
        Kind.YES_NO,
        "yes installs third-party tools in the global zone during setup; needs the Internet.",
        "Always, where it is missing or empty.",
        "y, yes and true mean yes, anything else no; releases before 2024 take any word with a y, an e or an s for "
        'yes, "false" too. Write no.',
        choices=("no", "yes"),
        start="no",
        unattended="no",
    ),
    AnswerKey(
        "root_password",
        "Root's password",
        Kind.PASSWORD,
        "Root's password in clear text. Setup stores its hash on the machine; the file on the key keeps the clear "
        "text. Leave it out to be asked at the machine.",
        "Always, where it is missing or empty.",
        "Any length passes. <default> is taken as the password itself.",
        secret=True,
    ),
    AnswerKey(
        "hostname",
        "Host name",
        Kind.HOSTNAME,
        "The machine's name. It may be empty.",
        "Where it is missing.",
        "Taken as it stands; blanks and quotes break the configuration that the machine reads at every start.",
        has_default=True,
    ),
    AnswerKey(
        "skip_final_summary",
        "Leave out the summary",
        Kind.FLAG,
        "true leaves out the summary before the disks are erased.",
        "Never.",
        "Only the word true counts; anything else means no.",
        choices=("true", "false"),
    ),
    AnswerKey(
        "skip_final_confirm",
        "Erase the disks without asking",
        Kind.FLAG,
        "true erases the disks and sets the machine up without a last question, and restarts it afterwards.",
        "Never; without it setup asks “Is this correct, proceed with installation?” before it erases the disks.",
        "Only the word true counts; anything else means no.",
        choices=("true", "false"),
        unattended="true",
    ),
)
"""In the order in which setup comes to them."""

BY_NAME: dict[str, AnswerKey] = {key.name: key for key in KEYS}
SECRETS: frozenset[str] = frozenset(key.name for key in KEYS if key.secret)


def start(*, unattended: bool = False) -> dict[str, str]:
    """The answers a new file starts with.

    Attended: the questions with a sane default are answered, and setup still asks for the layout, the password
    and, before it erases anything, for consent. `unattended`: what setup asks besides the search domain, the
    password and the host name, which nobody can guess.
    """
    return {key.name: value for key in KEYS if (value := key.unattended if unattended else key.start)}
