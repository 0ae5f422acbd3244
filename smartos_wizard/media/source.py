"""The image as a stream: read and hashed in one thread, inflated in the thread of whoever asks.

The digest is of the file as it lies on disk, computed from the very bytes that were decoded, so that what
is compared at the end is what was written and not what the file was a minute earlier.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from pathlib import Path
from typing import Any

from smartos_wizard.core.errors import WizardError, WriteFailed
from smartos_wizard.media.model import VerifiedImage

_CHUNK = 1024 * 1024
_AHEAD = 3


class Ahead:
    """Reads a file ahead of its user and hashes it meanwhile. `read` is called from one thread."""

    def __init__(self, path: Path, algorithm: str) -> None:
        self._file = path.open("rb", buffering=0)
        self._hash = hashlib.new(algorithm)
        self._chunks: queue.Queue[bytes | OSError] = queue.Queue(_AHEAD)
        self._rest = memoryview(b"")
        self._ended = False
        self._stop = threading.Event()
        self.waiting = False
        """Whether the user of this reader is waiting for the file just now."""
        self._thread = threading.Thread(target=self._run, name="read-image", daemon=True)
        self._thread.start()

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes, empty at the end. Raises WriteFailed when the file cannot be read."""
        if not self._rest:
            self._rest = memoryview(self._next())
        count = len(self._rest) if size < 0 else min(size, len(self._rest))
        taken = self._rest[:count]
        self._rest = self._rest[count:]
        return bytes(taken) if len(taken) != len(taken.obj) else taken.obj  # type: ignore[arg-type,return-value]

    def drain(self) -> str:
        """Read what is left and return the digest of the whole file, lower-case hex."""
        while self._next():
            pass
        return self._hash.hexdigest()

    def close(self) -> None:
        """Stop reading."""
        self._stop.set()
        self._thread.join(2.0)
        self._file.close()

    def _next(self) -> bytes:
        if self._ended:
            return b""
        self.waiting = True
        chunk = self._chunks.get()
        self.waiting = False
        if isinstance(chunk, OSError):
            raise WriteFailed(
                "image-unreadable",
                f"The image cannot be read: {chunk.strerror or chunk}.",
                context=str(self._file.name),
                hint="Check the disk it lies on, or download it again.",
            ) from chunk
        self._ended = not chunk
        return chunk

    def _run(self) -> None:
        chunk: bytes | OSError = b"-"
        while chunk and not self._stop.is_set():
            try:
                chunk = self._file.read(_CHUNK)
                self._hash.update(chunk)
            except OSError as error:
                chunk = error
            except ValueError:  # closed under us: nobody is listening any more
                return
            while not self._stop.is_set():
                try:
                    self._chunks.put(chunk, timeout=0.2)
                    break
                except queue.Full:
                    continue
            if isinstance(chunk, OSError):
                return


class Source:
    """An image, opened for one pass from its beginning. Use as a context manager."""

    def __init__(self, image: VerifiedImage, limit: int | None = None) -> None:
        from smartos_wizard.media.decode import open_decoder

        self.ahead = Ahead(image.path, "sha256" if image.algorithm == "none" else image.algorithm)
        try:
            self._decoder: Any = open_decoder(self.ahead, image.kind, limit)
        except BaseException:
            self.ahead.close()
            raise

    def fill(self, view: memoryview) -> int:
        """Fill `view` as far as the image goes; return how many bytes that was.

        Raises WriteFailed (truncated-stream, corrupt-stream, trailing-garbage, oversized-stream).
        """
        done = 0
        while done < len(view):
            count = self._decoder.readinto(view[done:])
            if count == 0:
                break
            done += count
        return done

    def digest(self) -> str:
        """The digest of the file, after the last `fill`."""
        return self.ahead.drain()

    def close(self) -> None:
        """Let go of the file."""
        self.ahead.close()

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def declared_size(head: memoryview | bytes) -> int | None:
    """The image's size as its GPT tells: the place of the backup header is the last sector.

    None where the first kilobyte holds no GPT (UEFI specification, table 5-5: AlternateLBA at byte 32).
    """
    if len(head) < 1024 or bytes(head[512:520]) != b"EFI PART":
        return None
    return (int.from_bytes(head[512 + 32 : 512 + 40], "little") + 1) * 512


def peek_size(image: VerifiedImage) -> int | None:
    """The size after decoding, without decoding it: from the file for raw images, else from the GPT.

    None where neither tells, or where the file is still to be downloaded. Never from gzip's ISIZE, which is modulo 4 GiB and of the last member only.
    """
    from smartos_wizard.media.model import ImageKind

    if image.raw_size is not None:
        return image.raw_size
    if not image.path.exists():
        return None
    if image.kind is ImageKind.RAW:
        return image.path.stat().st_size
    try:
        with Source(image) as source:
            head = memoryview(bytearray(1024))
            return declared_size(head[: source.fill(head)])
    except WizardError:
        return None  # the pass that writes will say what is wrong with it
