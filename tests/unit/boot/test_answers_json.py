"""What is wrong with the JSON of an answers file, and where."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartos_wizard.boot.answers_check import (
    asked,
    check_answers,
    check_file,
    parse_answers,
    parse_bytes,
    render,
    trap_warnings,
)
from smartos_wizard.boot.answers_schema import BY_NAME

BAD = [
    ('{\n  "a": "1",\n}', 2, 11, "comma too many"),
    ('{"a": "1",, "b": "2"}', 1, 11, "comma too many"),
    ('{"a": "1"\n "b": "2"}', 2, 2, "comma is missing"),
    ('{"a" "1"}', 1, 6, "colon is missing"),
    ('{"a"= "1"}', 1, 5, "colon"),
    ("{'a': \"1\"}", 1, 2, "double quotes, not single"),
    ("{“a”: 1}", 1, 2, "typographic"),
    ("{a: 1}", 1, 2, "key in double quotes"),
    ('{"a": true', 1, 11, "ends too early"),
    ('{"a": "x', 1, 7, "never closed"),
    ('{"a": "x\ny"}', 1, 9, "line break"),
    ('{"a": "c:\\dir"}', 1, 10, "backslash"),
    ('// hello\n{"a": "1"}', 1, 1, "no comments"),
    ('{"a": "1" # hello\n}', 1, 11, "no comments"),
    ('{"a": True}', 1, 7, "small letters"),
    ('{"a": 010}', 1, 8, "begin with 0"),
    ('{"s": "NaN", "a": NaN}', 1, 19, "no NaN"),
    ('{"a": "1"} x', 1, 12, "after the closing bracket"),
    ('{"a": dhcp}', 1, 7, "not in double quotes"),
]


@pytest.mark.parametrize(("text", "line", "column", "words"), BAD)
def test_bad_json_is_named_with_its_line_and_column(text: str, line: int, column: int, words: str) -> None:
    parsed = parse_answers(text)
    (finding,) = parsed.findings
    assert (finding.line, finding.column, finding.level) == (line, column, "error")
    assert finding.reference == "bad-json"
    assert words in finding.text
    assert "whole file" in finding.text
    assert (parsed.readable, parsed.answers) == (False, {})


@pytest.mark.parametrize(
    ("data", "reference", "line", "column"),
    [
        (b"", "empty-file", 1, 1),
        (b" \n\t", "empty-file", 1, 1),
        (b'\xef\xbb\xbf{"a": "1"}', "byte-order-mark", 1, 1),
        ('{"a": "1"}'.encode("utf-16"), "not-utf-8", 1, 1),
        ('{"a": "1"}'.encode("utf-16-le"), "not-utf-8", 1, 1),
        (b'{\n"a": "\xe4"}', "not-utf-8", 2, 7),
        (b'\n ["a"]', "not-an-object", 2, 2),
        (b'"a"', "not-an-object", 1, 1),
        (b"null", "not-an-object", 1, 1),
        (b"[" * 100_000, "bad-json", 1, 1),
    ],
)
def test_what_is_no_answers_file_at_all_is_named(data: bytes, reference: str, line: int, column: int) -> None:
    parsed = parse_bytes(data)
    found = [(f.reference, f.line, f.column) for f in parsed.findings]
    assert (found, parsed.readable) == ([(reference, line, column)], False)


def test_a_mistake_never_quotes_the_file_because_a_password_may_be_next_to_it() -> None:
    for text in (
        '{"root_password": "hunter22",}',
        '{"root_password": "hunter22',
        '{"root_password": hunter22}',
    ):
        assert "hunter22" not in str(parse_answers(text).findings)


def test_true_and_false_are_read_as_the_words() -> None:
    parsed = parse_answers('{"skip_instructions": true, "simple_headers": false}')
    assert parsed.answers == {"skip_instructions": "true", "simple_headers": "false"}
    assert parsed.findings == ()


@pytest.mark.parametrize(
    ("value", "reference", "level", "read"),
    [
        ("12", "number-value", "warning", "12"),
        ("1.50", "number-value", "error", "1.50"),
        ("12345678901234567890", "number-value", "error", "12345678901234567890"),
        ("9" * 6000, "number-value", "error", "9" * 6000),
        ("null", "null-value", "error", None),
        ('["10.0.0.1"]', "nested-value", "error", None),
        ('{"a": "b"}', "nested-value", "error", None),
    ],
)
def test_a_value_that_is_no_text_is_told(value: str, reference: str, level: str, read: str | None) -> None:
    parsed = parse_answers('{"bootpool": "none",\n  "hostname": ' + value + "}")
    (finding,) = parsed.findings
    assert (finding.reference, finding.level, finding.line, finding.column) == (reference, level, 2, 3)
    assert parsed.answers.get("hostname") == read


def test_of_two_equal_keys_the_last_counts_and_the_first_is_told() -> None:
    parsed = parse_answers('{\n"hostname": "a",\n"bootpool": "none",\n  "hostname": "b"}')
    assert parsed.answers == {"bootpool": "none", "hostname": "b"}
    (finding,) = parsed.findings
    assert (finding.reference, finding.line, finding.column) == ("double-key", 4, 3)
    assert "line 2" in finding.text


def test_every_finding_of_a_file_stands_at_its_key() -> None:
    text = '{\n  "admin_ip": "10.0.0.999",\n\n     "hostnam": "x",\n  "dns_resolver1": "y"\n}'
    found = [(f.key, f.line, f.column) for f in check_file(text.encode()).findings]
    assert found == [("admin_ip", 2, 3), ("hostnam", 4, 6), ("dns_resolver1", 5, 3)]


ANSWERS = st.dictionaries(st.sampled_from(sorted(BY_NAME)) | st.text(), st.text(), max_size=25)


@settings(deadline=None)
@given(ANSWERS)
def test_what_is_written_is_read_back(answers: dict[str, str]) -> None:
    text = render(answers)
    assert parse_bytes(text.encode("ascii")).answers == answers
    assert render(parse_answers(text).answers) == text


@settings(deadline=None)
@given(ANSWERS)
def test_the_order_of_the_file_is_the_order_of_setup(answers: dict[str, str]) -> None:
    written = [name for name in json.loads(render(answers)) if name in BY_NAME]
    assert written == [name for name in BY_NAME if name in answers]


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(sorted(BY_NAME)), inner),
)


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_the_checker_takes_any_json(value: object) -> None:
    assert check_file(json.dumps(value).encode()).parsed.readable is isinstance(value, dict)


@settings(max_examples=200, deadline=None)
@given(st.binary() | st.text().map(str.encode))
def test_the_checker_takes_any_bytes(data: bytes) -> None:
    checked = check_file(data)
    assert checked.parsed.readable or checked.findings


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="{}[]\",:\\ \n\t0a.-tnu'#/"))
def test_the_checker_takes_any_text_that_looks_like_json_and_agrees_with_json(text: str) -> None:
    try:
        good = isinstance(json.loads(text), dict)
    except ValueError:
        good = False
    parsed = parse_answers(text)
    assert parsed.readable is good
    for finding in parsed.findings:
        lines = text.split("\n")
        assert finding.line is not None and finding.column is not None
        assert 1 <= finding.line <= len(lines)
        assert 1 <= finding.column <= len(lines[finding.line - 1]) + 1


ODD = (
    st.text()
    | st.from_regex(r"\A[0-9./a-f:]{0,20}\Z")
    | st.sampled_from(
        [
            "dhcp",
            "none",
            "<default>",
            "",
            "10.0.0.5",
            "255.255.255.0",
            "yes",
            "zones",
            "latest",
            "-n",
            "\ud800",
            "٣.٣.٣.٣",
            "9" * 5000,
            "1.1.1." + "9" * 5000,
            "9" * 5000 + ".1.1.1",
            "00000099",
            "/099",
            "10.0.0.255.\x1b[31m",
            "²",
        ]
    )
)


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(BY_NAME)), ODD))
def test_the_checker_takes_any_answers_and_never_tells_the_password(answers: dict[str, str]) -> None:
    marked = answers | {"root_password": f"hunter22{answers.get('root_password', '')}"}
    for given_ in (answers, marked):
        assert "hunter22" not in str(asked(given_)) + str(trap_warnings(given_))
        assert all(trap.text.isprintable() for trap in trap_warnings(given_))
        for finding in check_answers(given_):
            assert "hunter22" not in finding.text + finding.suggestion
            assert finding.text.isprintable()
            assert finding.level in ("error", "warning", "info")
