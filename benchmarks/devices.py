"""How long a session file takes to read: holdfast beside fitdecode, on a made 5,400-second FIT file and real ones.

Run: python benchmarks/devices.py [FOLDER_WITH_FIT_FILES]
"""

import statistics
import struct
import sys
import time
import warnings
from pathlib import Path

import fitdecode
import numpy as np

from holdfast.devices import read_fit
from holdfast.devices.fit_crc import crc16


def made_session(seconds: int = 5400) -> bytes:
    """A made recording at one sample a second, with laps, as an ergometer writes it."""
    rng = np.random.default_rng(1)
    fields = [(253, 4, 0x86), (7, 2, 0x84), (3, 1, 0x02), (4, 1, 0x02), (5, 4, 0x86)]
    body = bytearray(b"\x40\x00\x00" + struct.pack("<HB", 20, len(fields)) + b"".join(map(bytes, fields)))
    lap = [(253, 4, 0x86), (2, 4, 0x86), (7, 4, 0x86)]
    body += b"\x41\x00\x00" + struct.pack("<HB", 19, len(lap)) + b"".join(map(bytes, lap))
    watts = rng.normal(200, 15, seconds).clip(0).astype(int)
    for i in range(seconds):
        body += struct.pack("<BIHBBI", 0, 1_000_000_000 + i, watts[i], 140 + i % 20, 90, 800 * i)
        if i % 60 == 59:
            body += struct.pack("<BIII", 1, 1_000_000_000 + i, 1_000_000_000 + i - 59, 60_000)
    head = struct.pack("<BBHI4s", 12, 0x10, 2132, len(body), b".FIT")
    return head + bytes(body) + struct.pack("<H", crc16(head + bytes(body)))


def with_fitdecode(data: bytes) -> int:
    """Read every record with fitdecode; returns how many there were."""
    count = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with fitdecode.FitReader(data, error_handling=fitdecode.ErrorHandling.IGNORE) as reader:
            for frame in reader:
                if frame.frame_type == fitdecode.FIT_FRAME_DATA and frame.name == "record":
                    count += 1
                    [frame.get_value(name, fallback=None) for name in ("timestamp", "power", "heart_rate", "cadence")]
    return count


def median_ms(read, data: bytes, runs: int) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        read(data)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def main() -> None:
    files = {"made, 5,400 s": made_session()}
    if len(sys.argv) > 1:
        files |= {path.name: path.read_bytes() for path in sorted(Path(sys.argv[1]).glob("*.fit"))}
    print(f"{'file':45} {'records':>8} {'holdfast ms':>12} {'fitdecode ms':>13} {'ratio':>6}")
    for name, data in files.items():
        records = len(read_fit(data)[0])
        ours, theirs = median_ms(read_fit, data, 15), median_ms(with_fitdecode, data, 3)
        print(f"{name:45} {records:8d} {ours:12.1f} {theirs:13.1f} {theirs / ours:6.0f}")


if __name__ == "__main__":
    main()
