"""The .vmx file: nothing that is not ours is changed, no key is there twice, every text comes back."""

from __future__ import annotations

import re
import string

from hypothesis import example, given, settings
from hypothesis import strategies as st

from smartos_wizard.guests.vmware.vmx import Vmx, escape, unescape

KEYS = st.text(string.ascii_letters + string.digits + "_.:", min_size=1, max_size=20).filter(
    lambda k: k.strip()
)
VALUES = st.text(st.characters(codec="utf-8"), max_size=40)
LINES = st.one_of(
    st.builds(lambda k, v: f'{k} = "{escape(v)}"', KEYS, VALUES),
    st.builds(lambda k, v: f"{k}={v}", KEYS, st.text(string.ascii_letters, max_size=8)),
    st.just("# a remark = \"not a key\""), st.just(""), st.just("#!/usr/bin/vmware"), st.just("rubbish"),
)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(VALUES)
@example('a "quoted" | pipe |22 \\ path\n')
def test_a_value_comes_back_as_it_was(value: str) -> None:
    assert unescape(escape(value)) == value
    assert '"' not in escape(value) and "\n" not in escape(value)
    assert Vmx(Vmx.of({"displayName": value}).text).get("DISPLAYNAME") == value


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=8))
def test_of_and_items_are_inverse_but_for_doubles(values: dict[str, str]) -> None:
    vmx = Vmx(Vmx.of(values).text)
    last = {key.lower(): value for key, value in values.items()}
    assert {key.lower(): value for key, value in vmx.items()} == last
    lowered = [key.lower() for key in vmx.names()]
    assert len(set(lowered)) == len(lowered)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(LINES, max_size=12), st.dictionaries(KEYS, VALUES, max_size=4), st.sampled_from(["\n", "\r\n"])
)
def test_changing_leaves_every_other_line_byte_for_byte(
    lines: list[str], changes: dict[str, str], end: str
) -> None:
    before = "".join(line + end for line in lines)
    vmx = Vmx(before)
    assert vmx.text == before
    vmx.update(changes)
    ours = {key.lower() for key in changes}

    def foreign(text: str) -> list[str]:
        return [line for line in text.split("\n") if line.partition("=")[0].strip().lower() not in ours]

    assert foreign(vmx.text) == foreign(before)
    last = {key.lower(): value for key, value in changes.items()}
    for key, value in last.items():
        assert vmx.get(key) == value
        assert sum(name.lower() == key for name in vmx.names()) == 1


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_can_be_read(data: bytes) -> None:
    Vmx.decode(data)


def test_case_and_doubles() -> None:
    vmx = Vmx('MemSize = "1024"\nmemsize = "2048"\nRemoteDisplay.vnc.enabled = "TRUE"\n')
    assert vmx.get("MEMSIZE") == "2048"
    vmx.set("memsize", "4096")
    vmx.set("remotedisplay.VNC.enabled", "FALSE")
    assert vmx.text == 'MemSize = "4096"\nRemoteDisplay.vnc.enabled = "FALSE"\n'
    vmx.remove("MEMSIZE")
    assert vmx.names() == ("RemoteDisplay.vnc.enabled",)


def test_a_file_in_an_old_encoding() -> None:
    data = '.encoding = "windows-1252"\r\ndisplayName = "Größe"\r\n'.encode("cp1252")
    vmx = Vmx.decode(data)
    assert vmx.get("displayName") == "Größe"
    vmx.set("memsize", "4")
    assert vmx.text.endswith('memsize = "4"\r\n')
    assert re.fullmatch(r"([^\n]*\r\n)+", vmx.text)


def test_a_line_cannot_be_smuggled_in() -> None:
    vmx = Vmx.of({"displayName": 'x"\nvhv.enable = "TRUE'})
    assert vmx.names() == ("displayName",)
    assert not vmx.true("vhv.enable")
