"""How large a file may be before it is refused unread."""

from __future__ import annotations

from holdfast.core.issues import Issue

MAX_BYTES = 32 * 1024 * 1024  # the largest real file of a two-hour session seen is 0.8 MB
MAX_ROWS = 100_000  # samples or breaths; more than a day at one a second
MAX_COLUMNS = 400
MAX_CELL = 2_000  # characters


def too_large(data: bytes, what: str) -> tuple[Issue, ...]:
    """An issue when the file is empty or larger than `MAX_BYTES`."""
    if not data:
        return (Issue("empty-file", what, "the file holds no bytes."),)
    if len(data) > MAX_BYTES:
        size = f"{len(data) / 1e6:.0f} MB"
        return (Issue("file-too-large", what, f"the file is {size}; {MAX_BYTES / 1e6:.0f} MB is the limit."),)
    return ()
