"""The files of a release's ISO that a tree needs (smartos-live: tools/build_boot_image -I, Rock Ridge)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any

from smartos_wizard.core.errors import ChecksumFailed, UsageProblem
from smartos_wizard.media.model import VerifiedImage
from smartos_wizard.media.verified import verify_now
from smartos_wizard.netboot.model import NEEDED
from smartos_wizard.netboot.unpacking import Entries, Watch, odd

_PIECE = 1 << 20
_DESCRIPTOR, _SECTOR = 32768, 2048


def iso_entries(image: VerifiedImage, watch: Watch) -> Entries:
    """The needed files as (path, size, pieces), once the whole ISO was compared with its digest.

    Raises as `unpacking.unpack`.
    """
    if image.digest:
        _compared(image, watch)
    import pycdlib

    whole = image.path.stat().st_size
    with image.path.open("rb") as file:
        _require_whole(file, whole, image.path)
        disc: Any = pycdlib.PyCdlib()
        try:
            disc.open_fp(file)
        except Exception as error:  # pycdlib raises struct.error, IndexError and more for what is damaged
            raise UsageProblem(
                "not-a-platform", f"{image.path.name} cannot be read as an ISO: {error}. Nothing was changed.",
                context=str(image.path), hint="Download it again.",
            ) from error  # fmt: skip
        with closing(disc):
            for path in NEEDED:
                yield from _one(disc, path, whole, image.path, watch)


def _require_whole(file: IO[bytes], size: int, where: Path) -> None:
    """Raise UsageProblem where the file ends before the volume (ECMA-119, 8.4.8): pycdlib would shorten what is cut."""
    file.seek(_DESCRIPTOR + 80)
    says = int.from_bytes(file.read(4), "little") * _SECTOR
    file.seek(0)
    if size < says:
        raise UsageProblem(
            "not-a-platform", f"{where.name} is cut off: {size:,} of {says:,} bytes are there. Nothing was changed.",
            context=str(where), hint="Download it again.",
        )  # fmt: skip


def _compared(image: VerifiedImage, watch: Watch) -> None:
    def advance(count: int) -> None:
        watch.stop()
        watch.told(count)

    try:
        verify_now(image, advance)
    except ChecksumFailed as error:
        raise ChecksumFailed(
            "image-changed", f"{error.message} Nothing was changed.", hint=error.hint, context=str(image.path),
            **error.details,
        ) from error  # fmt: skip


def _one(disc: Any, path: str, whole: int, where: Path, watch: Watch) -> Entries:
    try:
        record = disc.get_record(rr_path=f"/{path}")
    except Exception:  # pycdlib's own for what is not there, and others for what is damaged
        return
    rock = getattr(record, "rock_ridge", None)
    if not record.is_file() or (rock is not None and rock.is_symlink()):
        raise odd(where, f"{path} is a link or a directory")
    size = int(record.get_data_length())
    if not 0 <= size <= whole:
        raise odd(where, f"{path} would be larger than the ISO")
    yield path, size, _pieces(disc, path, where, size, watch)


def _pieces(disc: Any, path: str, where: Path, size: int, watch: Watch) -> Iterator[bytes]:
    done = 0
    with disc.open_file_from_iso(rr_path=f"/{path}") as content:
        while done < size:
            watch.stop()
            piece = content.read(min(_PIECE, size - done))
            if not piece:
                raise UsageProblem(
                    "not-a-platform", f"{where.name} is cut off in {path}. Nothing was changed.",
                    context=str(where), hint="Download it again.",
                )  # fmt: skip
            done += len(piece)
            yield bytes(piece)
