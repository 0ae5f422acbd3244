"""Root's password as a SHA-256 crypt string: the vectors of the specification, and what is refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartos_wizard.boot.shadow import (
    LONGEST,
    check_password,
    check_shadow,
    matches,
    one_time_password,
    shadow_of,
)
from smartos_wizard.core.errors import UsageProblem

VECTORS = [
    ("Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"),
    ("Hello world!", "$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA"),
    ("This is just a test", "$5$rounds=5000$toolongsaltstrin$Un/5jzAHMgOGZ5.mWJpuVolil07guHPvOW8mGRcvxa5"),
    (
        "a very much longer text to encrypt.  This one even stretches over morethan one line.",
        "$5$rounds=1400$anotherlongsalts$Rx.j8H.h8HjEDGomFU8bDkXm3XIUnzyxf12oP84Bnq1",
    ),
    (
        "we have a short salt string but not a short password",
        "$5$rounds=77777$short$JiO1O3ZpDAxGJeaDIuqCoEFysAe1mZNJRs3pw0KQRd/",
    ),
    ("a short string", "$5$rounds=123456$asaltof16chars..$gP3VQ/6X7UUEW3HkBn2w1/Ptq2jxPyzV/cZKmF/wJvD"),
    (
        "the minimum number is still observed",
        "$5$rounds=1000$roundstoolow$yfvwcWrQ8l/K0DAWyuPMDNHpIVlTQebY9l/gL972bIC",
    ),
]
"""Ulrich Drepper: Unix crypt using SHA-256 and SHA-512, test vectors."""
RELEASED = "$5$2HOHRnK3$NvLlm.1KQBbB0WjoP7xcIwGnllhzp2HnT.mDO7DpxYA"
"""smartos-live: tools/build_boot_image; the password is `root`."""


@pytest.mark.parametrize(("password", "expected"), VECTORS)
def test_the_vectors_of_the_specification(password: str, expected: str) -> None:
    assert matches(password, expected)
    assert not matches(password + " ", expected)
    rounds = re.search(r"rounds=(\d+)", expected)
    made = shadow_of(password, salt=expected.split("$")[-2], rounds=int(rounds[1]) if rounds else None)
    assert made == expected.replace("rounds=5000$", "")
    assert check_shadow(made) == made


def test_the_hash_of_a_release_is_root() -> None:
    assert matches("root", RELEASED)
    assert shadow_of("root", salt="2HOHRnK3") == RELEASED


@settings(max_examples=15, deadline=None)
@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40))
def test_every_hash_of_ours_verifies_is_taken_and_does_not_hold_the_password(password: str) -> None:
    made = shadow_of(password)
    assert matches(password, made)
    assert check_shadow(f" {made}\n") == made
    assert re.fullmatch(r"\$5\$[./0-9A-Za-z]{16}\$[./0-9A-Za-z]{43}", made)
    assert shadow_of(password) != made


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("", "no-hash"),
        ("hunter2", "no-hash"),
        ("5$salt$" + "a" * 43, "no-hash"),
        ("$5$salt$" + "a" * 42, "no-hash"),
        ("$5$salt$" + "a" * 44, "no-hash"),
        ("$5$" + "s" * 17 + "$" + "a" * 43, "no-hash"),
        (RELEASED + ":", "no-hash"),
        (RELEASED.replace("K3$", "K:$"), "no-hash"),
        (RELEASED + "\nhostname=evil", "no-hash"),
        (RELEASED + "'", "no-hash"),
        ("root:" + RELEASED, "no-hash"),
        ("$5$rounds=٥٠٠٠$salt$" + "a" * 43, "no-hash"),
        ("$5$rounds=999$salt$" + "a" * 43, "no-hash"),
        ("$5$rounds=0999$salt$" + "a" * 43, "no-hash"),
        ("$5$rounds=1000000000$salt$" + "a" * 43, "no-hash"),
        ("$1$salt$aaaaaaaaaaaaaaaaaaaaaa", "other-hash"),
        ("$6$salt$" + "a" * 86, "other-hash"),
        ("$2b$12$" + "a" * 53, "other-hash"),
        ("$md5,rounds=904$salt$$" + "a" * 22, "other-hash"),
    ],
)
def test_what_is_no_hash_of_smartos_kind_is_refused_and_not_repeated(text: str, reference: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        check_shadow(text)
    assert caught.value.reference == reference
    assert caught.value.hint
    assert not text or text not in caught.value.message + caught.value.hint + caught.value.context
    assert not matches("hunter2", text)


@pytest.mark.parametrize(
    ("password", "reference"),
    [
        ("", "empty-password"),
        ("a\nb", "untypable-password"),
        ("a\x00b", "untypable-password"),
        ("a\x7f", "untypable-password"),
        ("a\x9b", "untypable-password"),
        ("a\udcff", "untypable-password"),
        ("x" * (LONGEST + 1), "too-long-password"),
        ("é" * (LONGEST // 2 + 1), "too-long-password"),
    ],
)
def test_passwords_that_nobody_could_type_are_refused(password: str, reference: str) -> None:
    for refuse in (check_password, shadow_of):
        with pytest.raises(UsageProblem) as caught:
            refuse(password)
        assert caught.value.reference == reference
        assert len(password) < 2 or password not in caught.value.message


def test_the_longest_password_is_taken() -> None:
    assert matches("x" * LONGEST, shadow_of("x" * LONGEST, rounds=1000))


def test_one_time_passwords_have_sixty_bits_and_no_letter_that_is_read_for_another() -> None:
    made = {one_time_password() for _ in range(300)}
    assert len(made) == 300
    letters = set("".join(made)) - {"-"}
    assert letters == set("abcdefghijkmnpqrstuvwxyz23456789")
    assert len(letters) == 32
    for each in made:
        assert re.fullmatch(r"[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}", each)
        check_password(each)
