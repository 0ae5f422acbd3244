"""Decoding images while they are read: every member of a gzip, every stream of a bzip2, or raw bytes.

Pulls compressed bytes, pushes them through `tap` (so that the source is hashed in the same pass) and fills
the caller's buffer. Knows nothing of targets or partition tables; imports no other part of the room.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from smartos_wizard.core.errors import WizardError, WriteFailed
from smartos_wizard.core.text import exact
from smartos_wizard.media.model import ImageKind

CHUNK = 1 << 20
"""Compressed bytes asked for at a time."""
_PIECE = 256 << 10
"""Decoded bytes asked of the library at a time: small enough that its memory is re-used, not mapped anew."""

Tap = Callable[[bytes | memoryview], None]
Source = Any
"""A file opened for reading bytes, or a callable that takes a number of bytes and returns up to as many."""


class Decoder(Protocol):
    """Gives decoded bytes. `consumed` and `produced` count bytes on either side so far."""

    consumed: int
    produced: int

    def readinto(self, into: memoryview) -> int:
        """Fill the buffer as far as there is something; return how many bytes, 0 at the proper end.

        Raises WriteFailed `truncated-stream`, `corrupt-stream`, `trailing-garbage` or `oversized-stream`,
        after everything decoded before the fault has been delivered. Raising is final.
        """
        ...

    def drain(self) -> None:
        """Read what is left of the source through the tap without decoding it, to complete its digest."""
        ...


class _Stream(Protocol):
    """What bz2 and isal decompressors have in common."""

    eof: bool
    needs_input: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


def open_decoder(
    source: Source, kind: ImageKind, limit: int | None = None, tap: Tap | None = None
) -> Decoder:
    """A decoder of `source`, which stays the caller's to close.

    `limit` is the most bytes that may come out; one more is `oversized-stream`. `tap` is called, in the
    thread that calls `readinto`, with each piece of the source in order; a memoryview given to it is only
    valid until it returns. Raises ValueError for a kind that cannot be decoded.
    """
    if kind is ImageKind.RAW:
        return _Raw(source, limit, tap)
    if kind is ImageKind.GZIP:
        from isal import igzip_lib

        def new_gzip() -> _Stream:
            return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)

        return _Compressed(source, limit, tap, "gzip", b"\x1f\x8b", new_gzip, (igzip_lib.error,))  # type: ignore[arg-type]
    if kind is ImageKind.BZIP2:
        import bz2

        new_bzip2: Callable[[], _Stream] = bz2.BZ2Decompressor  # type: ignore[assignment]
        return _Compressed(source, limit, tap, "bzip2", b"BZh", new_bzip2, (OSError,))
    raise ValueError(f"not something to decode: {kind}")


class _Raw:
    """Bytes as they are, read straight into the caller's buffer where the source can do that."""

    def __init__(self, source: Source, limit: int | None, tap: Tap | None) -> None:
        self.consumed = 0
        self.produced = 0
        self._read = _reader(source)
        self._readinto: Callable[[memoryview], int | None] | None = getattr(source, "readinto", None)
        self._limit = limit
        self._tap = tap or _no_tap
        self._pending: WizardError | None = None

    def readinto(self, into: memoryview) -> int:
        """See Decoder."""
        if self._pending:
            raise self._pending
        filled = 0
        while filled < len(into):
            count = self._some(into[filled:])
            if not count:
                break
            self._tap(into[filled : filled + count])
            self.consumed += count
            filled += count
        if self._limit is not None and self.produced + filled > self._limit:
            self._pending = _oversized(self._limit)
            filled = self._limit - self.produced
            if not filled:
                raise self._pending
        self.produced += filled
        return filled

    def drain(self) -> None:
        """See Decoder."""
        while chunk := self._read(CHUNK):
            self.consumed += len(chunk)
            self._tap(chunk)

    def _some(self, into: memoryview) -> int:
        if self._readinto is not None:
            return self._readinto(into) or 0
        chunk = self._read(len(into))
        into[: len(chunk)] = chunk
        return len(chunk)


class _Compressed:
    """Member after member, until the source ends or stops being compressed data."""

    def __init__(
        self,
        source: Source,
        limit: int | None,
        tap: Tap | None,
        name: str,
        magic: bytes,
        new: Callable[[], _Stream],
        faults: tuple[type[BaseException], ...],
    ) -> None:
        self.consumed = 0
        self.produced = 0
        self._read = _reader(source)
        self._limit = limit
        self._tap = tap or _no_tap
        self._name = name
        self._magic = magic
        self._new = new
        self._faults = faults
        self._stream: _Stream | None = None
        self._members = 0
        self._held = b""
        self._ended = False
        self._pending: WizardError | None = None

    def readinto(self, into: memoryview) -> int:
        """See Decoder."""
        if self._pending:
            raise self._pending
        filled = 0
        try:
            while filled < len(into):
                piece = self._next(min(_PIECE, len(into) - filled))
                if not piece:
                    break
                room = None if self._limit is None else self._limit - self.produced
                if room is not None and len(piece) > room:
                    self._take(piece[:room], into, filled)
                    filled += room
                    raise _oversized(self._limit or 0)
                self._take(piece, into, filled)
                filled += len(piece)
        except WriteFailed as fault:
            self._pending = fault
            if not filled:
                raise
        return filled

    def drain(self) -> None:
        """See Decoder."""
        while self._chunk():
            pass

    def _take(self, piece: bytes, into: memoryview, at: int) -> None:
        into[at : at + len(piece)] = piece
        self.produced += len(piece)

    def _next(self, most: int) -> bytes:
        """The next decoded bytes, empty only at the proper end. Raises WriteFailed."""
        while not self._ended:
            if self._stream is None and not self._start_member():
                break
            stream = self._stream
            assert stream is not None
            piece = self._feed(stream, most)
            if stream.eof:
                self._members += 1
                self._held = bytes(stream.unused_data)
                self._stream = None
            if piece:
                return piece
        return b""

    def _feed(self, stream: _Stream, most: int) -> bytes:
        data, self._held = self._held, b""
        if not data and stream.needs_input:
            data = self._chunk()
            if not data:
                raise self._truncated()
        try:
            return stream.decompress(data, most)
        except self._faults as error:
            raise self._corrupt(str(error)) from error

    def _start_member(self) -> bool:
        """Begin with the next member; False at the end of the source. Raises on anything else there."""
        if self._members:
            self._skip_padding()
            if not self._held:
                self._ended = True
                return False
        while len(self._held) < len(self._magic) and (more := self._chunk()):
            self._held += more
        if not self._held.startswith(self._magic):
            raise self._foreign()
        self._stream = self._new()
        return True

    def _skip_padding(self) -> None:
        """Zeros after a member pad it to a whole sector or tape block; gzip passes over them and so do we."""
        while True:
            self._held = self._held.lstrip(b"\0")
            if self._held:
                return
            self._held = self._chunk()
            if not self._held:
                return

    def _chunk(self) -> bytes:
        chunk = self._read(CHUNK)
        self.consumed += len(chunk)
        if chunk:
            self._tap(chunk)
        return chunk

    def _foreign(self) -> WriteFailed:
        offset = self.consumed - len(self._held)
        if not self._members:
            if self._magic.startswith(self._held):
                return self._truncated()
            return self._corrupt("it does not begin as one")
        return WriteFailed(
            "trailing-garbage",
            f"The {self._name} file goes on after its end: there is something else from byte {exact(offset)} on.",
            hint="The file was changed or joined with another one. Download it again.",
            offset=offset,
        )

    def _truncated(self) -> WriteFailed:
        return WriteFailed(
            "truncated-stream",
            f"The {self._name} file ends too early: after {exact(self.consumed)} bytes, in the middle of the data.",
            hint="The download was probably cut off. Download it again; it goes on where it stopped.",
            offset=self.consumed,
        )

    def _corrupt(self, why: str) -> WriteFailed:
        return WriteFailed(
            "corrupt-stream",
            f"The {self._name} file is damaged, at or shortly before byte {exact(self.consumed)}.",
            hint="Its bytes are not what was published. Download it again.",
            context=why,
            offset=self.consumed,
            decoded=self.produced,
        )


def _oversized(limit: int) -> WriteFailed:
    return WriteFailed(
        "oversized-stream",
        f"The image is larger than it may be: more than {exact(limit)} bytes come out of the file.",
        hint="This is not the image it says it is, or the target is too small for it.",
        offset=limit,
        limit=limit,
    )


def _reader(source: Source) -> Callable[[int], bytes]:
    read: Callable[[int], bytes] = source if callable(source) else source.read
    return read


def _no_tap(_chunk: bytes | memoryview) -> None:
    return None
