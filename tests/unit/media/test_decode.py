"""What comes out of a compressed image, and the four ways it can be wrong."""

import bz2
import gzip
import hashlib
import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartos_wizard.core.errors import WriteFailed
from smartos_wizard.media.decode import open_decoder
from smartos_wizard.media.model import ImageKind

DATA = random.Random(7).randbytes(300_000) + bytes(700_000)
SQUEEZERS = {ImageKind.GZIP: gzip.compress, ImageKind.BZIP2: bz2.compress}
BOTH = pytest.mark.parametrize("kind", [ImageKind.GZIP, ImageKind.BZIP2])


def decode(packed, kind, limit=None, slot=77_777, tap=None):
    """Everything delivered, and the fault at the end if there was one."""
    decoder = open_decoder(io.BytesIO(packed), kind, limit, tap)
    out, buffer, fault = bytearray(), memoryview(bytearray(slot)), None
    try:
        while count := decoder.readinto(buffer):
            out += buffer[:count]
    except WriteFailed as error:
        fault = error
    assert decoder.produced == len(out)
    return bytes(out), fault, decoder


@BOTH
def test_all_members_are_decoded(kind):
    packed = SQUEEZERS[kind](DATA) + SQUEEZERS[kind](b"") + SQUEEZERS[kind](b"second")
    assert decode(packed, kind)[:2] == (DATA + b"second", None)


def test_raw_bytes_come_as_they_are_and_are_tapped():
    tapped = hashlib.sha256()
    out, fault, decoder = decode(DATA, ImageKind.RAW, tap=tapped.update)
    assert (out, fault, decoder.consumed) == (DATA, None, len(DATA))
    assert tapped.hexdigest() == hashlib.sha256(DATA).hexdigest()


@BOTH
def test_the_tap_sees_every_compressed_byte_once(kind):
    packed = SQUEEZERS[kind](DATA)
    tapped = bytearray()
    _out, _fault, decoder = decode(packed, kind, tap=tapped.extend)
    assert bytes(tapped) == packed
    assert decoder.consumed == len(packed)


@BOTH
@pytest.mark.parametrize("missing", [1, 4, 8, 100, 10_000])
def test_a_cut_off_stream_is_truncated_and_says_where(kind, missing):
    packed = SQUEEZERS[kind](DATA)[:-missing]
    out, fault, _decoder = decode(packed, kind)
    assert fault.reference == "truncated-stream"
    assert fault.exit_code == 7
    assert fault.details["offset"] == len(packed)
    assert DATA.startswith(out)


@BOTH
def test_an_empty_file_is_truncated(kind):
    assert decode(b"", kind)[1].reference == "truncated-stream"


@BOTH
@pytest.mark.parametrize("at", [0, 20, 150_000])
def test_a_changed_byte_is_corrupt(kind, at):
    packed = bytearray(SQUEEZERS[kind](DATA))
    packed[at] ^= 0x55
    assert decode(bytes(packed), kind)[1].reference == "corrupt-stream"


@pytest.mark.parametrize("from_end", [1, 6])
def test_a_wrong_gzip_checksum_or_length_is_corrupt(from_end):
    packed = bytearray(gzip.compress(DATA))
    packed[-from_end] ^= 1
    out, fault, _decoder = decode(bytes(packed), ImageKind.GZIP)
    assert fault.reference == "corrupt-stream"
    assert DATA.startswith(out)


@BOTH
@pytest.mark.parametrize("garbage", [b"x", b"hello world", bytes(512) + b"!"])
def test_garbage_after_the_last_member_is_named_after_the_data_was_delivered(kind, garbage):
    packed = SQUEEZERS[kind](DATA)
    out, fault, _decoder = decode(packed + garbage, kind)
    assert out == DATA
    assert fault.reference == "trailing-garbage"
    assert fault.details["offset"] == len(packed) + len(garbage) - len(garbage.lstrip(b"\0"))


@BOTH
def test_zero_padding_to_a_sector_is_no_garbage(kind):
    packed = SQUEEZERS[kind](DATA)
    assert decode(packed + bytes(-len(packed) % 512 + 512), kind)[:2] == (DATA, None)


@pytest.mark.parametrize("kind", [ImageKind.GZIP, ImageKind.BZIP2, ImageKind.RAW])
def test_a_stream_of_exactly_the_limit_passes_and_one_byte_more_is_oversized(kind):
    packed = SQUEEZERS.get(kind, bytes)(DATA)
    assert decode(packed, kind, limit=len(DATA))[:2] == (DATA, None)
    out, fault, _decoder = decode(packed, kind, limit=len(DATA) - 1)
    assert out == DATA[:-1]
    assert fault.reference == "oversized-stream"
    assert fault.details["offset"] == len(DATA) - 1


def test_a_bomb_is_capped_after_the_limit_without_unpacking_the_rest():
    bomb = gzip.compress(bytes(64 << 20), 9)
    decoder = open_decoder(io.BytesIO(bomb * 50), ImageKind.GZIP, 1 << 20)
    buffer = memoryview(bytearray(4 << 20))
    assert decoder.readinto(buffer) == 1 << 20
    with pytest.raises(WriteFailed, match="larger than it may be"):
        decoder.readinto(buffer)


@BOTH
def test_a_fault_stays_a_fault(kind):
    decoder = open_decoder(io.BytesIO(b"nonsense"), kind)
    for _again in range(2):
        with pytest.raises(WriteFailed) as caught:
            decoder.readinto(memoryview(bytearray(10)))
        assert caught.value.reference == "corrupt-stream"


def test_drain_completes_the_digest_after_an_early_end():
    packed = gzip.compress(DATA) + b"garbage" * 1_000_000
    tapped = hashlib.sha256()
    _out, fault, decoder = decode(packed, ImageKind.GZIP, tap=tapped.update)
    assert fault.reference == "trailing-garbage"
    decoder.drain()
    assert tapped.hexdigest() == hashlib.sha256(packed).hexdigest()


def test_a_callable_serves_as_source_even_in_single_bytes():
    stream = io.BytesIO(gzip.compress(b"x" * 1000) + gzip.compress(b"y"))
    decoder = open_decoder(lambda _most: stream.read(1), ImageKind.GZIP)
    buffer = memoryview(bytearray(2000))
    assert decoder.readinto(buffer) == 1001


def test_what_is_no_stream_is_not_opened():
    with pytest.raises(ValueError, match="iso"):
        open_decoder(io.BytesIO(b""), ImageKind.ISO)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=4), st.integers(1, 700), st.data())
def test_any_cut_or_change_of_a_gzip_is_noticed(parts, slot, data):
    packed = b"".join(gzip.compress(part, mtime=0) for part in parts)
    assert decode(packed, ImageKind.GZIP, slot=slot)[:2] == (b"".join(parts), None)
    ends = {sum(len(gzip.compress(p, mtime=0)) for p in parts[:n]) for n in range(1, len(parts) + 1)}
    cut = data.draw(st.integers(0, len(packed) - 1))
    out, fault, _decoder = decode(packed[:cut], ImageKind.GZIP, slot=slot)
    assert (fault is None) == (cut in ends)
    assert b"".join(parts).startswith(out)
