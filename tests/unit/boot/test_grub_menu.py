"""Boot choices in a GRUB menu: the kernel gets what was asked, and the menu comes back as it was."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smartos_wizard.boot.grub_menu import files_of, merged_menu, settings_in, without_changes
from smartos_wizard.boot.model import BootChoices, Kmdb
from smartos_wizard.core.errors import UsageProblem
from tests.unit.boot.boot_choices import SHADOW, all_choices
from tests.unit.boot.loader_reader import boot_properties

UNIX = "/platform/i86pc/kernel/amd64/unix"
MENU = f"""\
default=0
timeout=10
min_mem64 1024
variable os_console vga
title SmartOS
   kernel$ {UNIX} -B root_shadow='{SHADOW}',smartos=true,console=${{os_console}},${{os_console}}-mode="115200,8,n,1,-"
   module$ /platform/i86pc/amd64/boot_archive type=rootfs name=ramdisk
title SmartOS noinstall/recovery (login/pw: root/root)
   kernel$ {UNIX} -B standalone=true,noimport=true,console=${{os_console}}
   module$ /platform/i86pc/amd64/boot_archive type=rootfs name=ramdisk
"""
OLD_MENU = f"""\
default=0
timeout=10
title Live 64-bit (text)
   kernel {UNIX} -B console=text,root_shadow='{SHADOW}',smartos=true
   module /platform/i86pc/amd64/boot_archive
title Live 64-bit (ttya)
   kernel {UNIX} -B console=ttya,ttya-mode="115200,8,n,1,-",smartos=true
   module /platform/i86pc/amd64/boot_archive
"""
"""smartos-live: tools/build_iso of 2019 and of 2013."""

CHOICES = all_choices().map(
    lambda c: c.with_(modules=(), delay=None if c.delay is not None and c.delay < 0 else c.delay)
)
MENUS = st.sampled_from(
    [
        MENU,
        OLD_MENU,
        MENU.replace("\n", "\r\n"),
        MENU.removesuffix("\n"),
        MENU.replace("timeout=10\n", ""),
        f"title one\n  kernel$ {UNIX}",
        f"title one\n  kernel$ {UNIX} -kd",
        f'variable os_console ttyb\ntitle\n kernel {UNIX} -v -B flag,a=1,b="x y",a=2 -s\n',
        f"timeout=3\n\n# \x0c \u2028 mine\n\nkernel$ {UNIX} -B smartos=true\ntimeout 5",
    ]
)


def kernel(menu: str, entry: int = 0) -> tuple[dict[str, str], str]:
    """Properties and arguments of one kernel line, as GRUB hands it over and the kernel takes it."""
    lines = [line.strip() for line in menu.split("\n") if line.lstrip().startswith("kernel")]
    console = settings_in(menu).get("os_console", "")
    for line in menu.split("\n"):
        if line.split()[:2] == ["variable", "os_console"]:
            console = "text" if line.split()[2] == "vga" else line.split()[2]
    command = lines[entry].split(None, 1)[1].replace("${os_console}", console)
    return boot_properties(command)


@settings(max_examples=80, deadline=None)
@given(MENUS, CHOICES)
def test_the_kernel_gets_what_was_asked(menu: str, choices: BootChoices) -> None:
    text = merged_menu(menu, choices)
    given_, arguments = kernel(text)
    before, _ = kernel(menu)
    asked: dict[str, str] = {}
    if choices.console:
        asked["console"] = choices.console
    if choices.speed is not None:
        asked[f"{choices.console}-mode"] = f"{choices.speed},8,n,1,-"
    if choices.pools:
        asked["zpools"] = ",".join(choices.pools)
    if choices.root_shadow:
        asked["root_shadow"] = choices.root_shadow
    if choices.hostname:
        asked["hostname"] = choices.hostname
    if choices.rescue:
        asked |= {"noimport": "true", "standalone": "true"}
    if choices.kmdb in (Kmdb.NMI, Kmdb.BOOT_NMI):
        asked["nmi"] = "kmdb"
    assert {n: given_.get(n) for n in asked} == asked
    assert ("smartos" in given_) is ("smartos" in before and not choices.rescue)
    kept = set(before) - set(asked) - {"smartos"}
    assert {n: given_.get(n) for n in kept if "mode" not in n and n != "console"} == {
        n: before[n] for n in kept if "mode" not in n and n != "console"
    }
    flags = "".join(word[1:] for word in arguments.split() if word.startswith("-"))
    if choices.verbose is not None:
        assert ("v" in flags) is choices.verbose
    if choices.kmdb is not None:
        assert ("k" in flags) is (choices.kmdb is not Kmdb.OFF)
        assert ("d" in flags) is (choices.kmdb in (Kmdb.BOOT, Kmdb.BOOT_NMI))
    if choices.delay is not None:
        assert f"timeout={choices.delay}" in text.replace("\r", "").split("\n")


@settings(max_examples=80, deadline=None)
@given(
    MENUS | st.text(max_size=60) | st.binary(max_size=60).map(lambda b: b.decode("utf-8", "surrogateescape")),
    CHOICES,
    CHOICES,
    st.lists(st.sampled_from(["local/a", "local/é \u2028 b", "private/answers.json"]), unique=True),
)
@example("timeout=3", BootChoices(delay=1), BootChoices(), ["local/a"])
@example("a\r\n\r\n", BootChoices(delay=1), BootChoices(), [])
def test_the_menu_comes_back_byte_for_byte(
    menu: str, first: BootChoices, second: BootChoices, files: list[str]
) -> None:
    try:
        once = merged_menu(menu, first, tuple(files))
        twice = merged_menu(once, second)
    except UsageProblem as problem:
        assert problem.reference == "no-entry"
        assert "unix" not in menu
        return
    assert merged_menu(once, first, tuple(files)) == once
    assert merged_menu(twice, BootChoices()) == menu
    assert files_of(once) == tuple(sorted(files))
    others = [
        line for line in menu.split("\n") if not line.strip().startswith(("kernel", "variable", "timeout"))
    ]
    assert [line for line in once.split("\n") if line in others][-len(others) :] == others


def test_the_entry_that_starts_by_itself_is_changed_and_no_other() -> None:
    text = merged_menu(MENU.replace("default=0", "default 1"), BootChoices(hostname="sm1"))
    assert kernel(text, 0) == kernel(MENU, 0)
    assert kernel(text, 1)[0]["hostname"] == "sm1"
    assert settings_in(text)["hostname"] == "sm1"
    for odd in ("default=7", "default saved", "default=-1", "default=" + "9" * 40):
        assert (
            kernel(merged_menu(MENU.replace("default=0", odd), BootChoices(hostname="a")), 0)[0]["hostname"]
            == "a"
        )


def test_a_menu_without_the_variable_gets_the_console_in_its_kernel_line() -> None:
    text = merged_menu(OLD_MENU, BootChoices(console="ttyb", speed=9600))
    assert kernel(text)[0] | {"smartos": ""} == {
        "console": "ttyb", "ttyb-mode": "9600,8,n,1,-", "root_shadow": SHADOW, "smartos": "",
    }  # fmt: skip
    assert "variable" not in text


def test_commas_and_dollars_stand_in_quotes_and_the_rest_bare() -> None:
    (line,) = (
        each
        for each in merged_menu(
            OLD_MENU, BootChoices(pools=("zones", "data"), hostname="a", root_shadow=SHADOW)
        ).split("\n")
        if "zpools" in each
    )
    assert line.endswith(
        f"-B console=text,smartos=true,zpools='zones,data',root_shadow='{SHADOW}',hostname=a"
    )


def test_what_the_user_changed_beside_our_marks_is_kept() -> None:
    text = merged_menu(MENU, BootChoices(delay=3, console="ttya", hostname="sm1"))
    gone = "".join(line for line in text.splitlines(keepends=True) if line != "timeout=3\n")
    assert without_changes(gone) == MENU
    edited = text.replace("hostname=sm1", "hostname=mine")
    assert without_changes(edited) == MENU
    own = "#smartos-wizard was: something of mine\nkept\n#smartos-wizard added the next line\nkept too\n"
    assert "kept\n" in without_changes(own)
    assert "kept too\n" in without_changes(own)


NO_PLACE: list[tuple[str, BootChoices, str]] = [
    (MENU, BootChoices(delay=-1), "no-endless-wait"),
    (MENU, BootChoices(delay=3601), "bad-delay"),
    (MENU, BootChoices(console="vga"), "unknown-console"),
    (MENU, BootChoices(console="text", speed=9600), "speed-without-port"),
    (MENU, BootChoices(hostname="a,b=c"), "bad-hostname"),
    (MENU, BootChoices(pools=("a'b",)), "bad-pool-name"),
    (MENU, BootChoices(root_shadow="x y"), "no-hash"),
    ("timeout=3\n", BootChoices(hostname="a"), "no-entry"),
    ("", BootChoices(verbose=True), "no-entry"),
]


@pytest.mark.parametrize(("menu", "choices", "reference"), NO_PLACE)
def test_what_grub_cannot_be_told_is_refused(menu: str, choices: BootChoices, reference: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        merged_menu(menu, choices)
    assert caught.value.reference == reference


@pytest.mark.parametrize(
    "menu", ["\0" * 100, "\r" * 9, "'\"" * 50, f"kernel {UNIX} -B " + "'" * 99, "x" * (1 << 20)]
)
def test_hostile_menus_are_kept_or_refused_by_name(menu: str) -> None:
    for choices in (
        BootChoices(delay=3),
        BootChoices(hostname="a"),
        BootChoices(verbose=False, kmdb=Kmdb.OFF),
    ):
        try:
            assert without_changes(merged_menu(menu, choices)) == menu
        except UsageProblem as problem:
            assert problem.reference == "no-entry"
    assert isinstance(settings_in(menu), dict)
