"""Reading here and there in something that can only be decoded from its beginning to its end.

For a few small files of a compressed image: nothing is unpacked to disk, and decoding stops behind the last byte
asked for. What lies before the place reached is decoded again, unless it was kept.
"""

from __future__ import annotations

from collections.abc import Callable

from smartos_wizard.core.errors import UsageProblem

Fill = Callable[[memoryview], int]
"""Fills the buffer with what follows, as far as there is something; 0 at the end."""

_PAGE = 64 << 10
_STEP = 16 * _PAGE
_MOST_STARTS = 12
_MOST_PAGES = 1024


class Forward:
    """`pread` over a stream. `start` begins it anew; `starts` counts how often that was needed."""

    def __init__(self, start: Callable[[], Fill]) -> None:
        self._start = start
        self._fill = start()
        self._page = 0
        self._pages: dict[int, bytes] = {}
        self._keep = range(0)
        self._buffer = memoryview(bytearray(_STEP))
        self.starts = 1

    def keep(self, first: int, length: int) -> None:
        """Remember these bytes when they come by: up to 32 MiB that will be asked for again."""
        self._keep = range(first // _PAGE, (first + min(length, 32 << 20)) // _PAGE + 1)

    def pread(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; fewer at the end. Raises what decoding raises.

        Raises UsageProblem `too-scattered` where reading would begin anew without end.
        """
        out = bytearray()
        while length > 0:
            index, within = divmod(offset, _PAGE)
            piece = self._at(index)[within : within + length]
            if not piece:
                break
            out += piece
            offset += len(piece)
            length -= len(piece)
        return bytes(out)

    def _at(self, index: int) -> bytes:
        found = self._pages.get(index)
        if found is not None:
            return found
        if index < self._page:
            self._again()
        while self._page <= index:
            if not self._step(index):
                return b""
        return self._pages[index]

    def _again(self) -> None:
        if self.starts >= _MOST_STARTS:
            raise UsageProblem(
                "too-scattered",
                "What is asked for lies scattered over the compressed image.",
                hint="Unpack it first, with gunzip or bunzip2, and name the unpacked file.",
            )
        self.starts += 1
        self._fill = self._start()
        self._page = 0

    def _step(self, wanted: int) -> bool:
        """Decode on to `wanted` or a step further; False at the end of the stream."""
        pages = max(1, min(_STEP // _PAGE, wanted + 1 - self._page))
        size = pages * _PAGE
        got = 0
        while got < size and (count := self._fill(self._buffer[got:size])):
            got += count
        for page in range(-(-got // _PAGE)):
            number = self._page + page
            if number == wanted or number in self._keep:
                if len(self._pages) >= _MOST_PAGES:
                    self._pages.pop(next(iter(self._pages)))
                self._pages[number] = bytes(self._buffer[page * _PAGE : min((page + 1) * _PAGE, got)])
        self._page += pages
        return wanted in self._pages or got == size
