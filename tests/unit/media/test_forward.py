"""Reading here and there in a stream gives what reading a file would, and never without end."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from smartos_wizard.core.errors import UsageProblem
from smartos_wizard.media.forward import Fill, Forward

PAGE = 64 << 10
DATA = random.Random(5).randbytes(3_000_001)


def stream(data: bytes = DATA, most: int = 100_000) -> Callable[[], Fill]:
    """A stream that gives at most `most` bytes at a time, as decoders do."""

    def start() -> Fill:
        at = 0

        def fill(into: memoryview) -> int:
            nonlocal at
            piece = data[at : at + min(len(into), most)]
            into[: len(piece)] = piece
            at += len(piece)
            return len(piece)

        return fill

    return start


@pytest.mark.parametrize("most", [1, 4096, 10**9])
def test_rising_reads_pass_over_the_stream_once(most: int) -> None:
    data = DATA if most > 1 else DATA[:200_000]
    forward = Forward(stream(data, most))
    for at in range(0, len(data), 77_777):
        assert forward.pread(at, 20_000) == data[at : at + 20_000]
    assert forward.starts == 1


def test_any_reads_give_what_a_file_would(seed: int = 9) -> None:
    chance = random.Random(seed)
    for _round in range(20):
        forward = Forward(stream())
        for _read in range(8):
            at, length = chance.randrange(len(DATA) + PAGE), chance.choice((0, 1, 512, PAGE, 300_000))
            assert forward.pread(at, length) == DATA[at : at + length]


def test_what_was_to_be_kept_is_not_decoded_again() -> None:
    forward = Forward(stream())
    forward.keep(500_000, 1_000_000)
    assert forward.pread(2_900_000, 10) == DATA[2_900_000:2_900_010]
    assert forward.pread(500_000, 1_000_000) == DATA[500_000:1_500_000]
    assert forward.starts == 1
    assert forward.pread(100, 10) == DATA[100:110]
    assert forward.starts == 2


def test_at_the_end_less_is_given_and_behind_it_nothing() -> None:
    forward = Forward(stream())
    assert forward.pread(len(DATA) - 5, 100) == DATA[-5:]
    assert forward.pread(1 << 60, 512) == b""
    assert forward.pread(len(DATA), 1) == b""
    assert Forward(stream(b"")).pread(0, 10) == b""


def test_reading_backwards_without_end_is_refused() -> None:
    forward = Forward(stream())
    with pytest.raises(UsageProblem) as caught:
        for page in range(40, 0, -1):
            forward.pread(page * PAGE, 1)
    assert caught.value.reference == "too-scattered"
    assert "Unpack it first" in caught.value.hint
