#!/usr/bin/env python3
"""Makes those samples that follow from a formula: measurements.csv and tone.wav.

Needs Python's standard library only and gives the same bytes every time:  python3 make.py
"""
import math
import pathlib
import struct

HERE = pathlib.Path(__file__).parent
RATE, SECONDS, FREQUENCY = 22_050, 1, 441
# Left at half of full scale (-6.02 dB), right at a quarter (-12.04 dB). 441 Hz is 50 samples a period, so no sample is
# cut off at either end; the peak of the sine falls between two samples.
AMPLITUDES = 0.5, 0.25
TAGS = {b"INAM": b"Tone", b"IART": b"Midplane", b"ICMT": b"441 Hz"}


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def tone() -> bytes:
    frames = bytearray()
    for n in range(RATE * SECONDS):
        sine = math.sin(2 * math.pi * FREQUENCY * n / RATE)
        frames += struct.pack("<2h", *(round(32_767 * amplitude * sine) for amplitude in AMPLITUDES))
    form = struct.pack("<HHIIHH", 1, 2, RATE, RATE * 4, 4, 16)
    info = b"INFO" + b"".join(chunk(name, text + b"\0") for name, text in TAGS.items())
    return chunk(b"RIFF", b"WAVE" + chunk(b"fmt ", form) + chunk(b"LIST", info) + chunk(b"data", bytes(frames)))


def measurements() -> str:
    rows = ["hour,temperature,wind"]
    rows += [f"{hour:02},{15 + 6 * math.sin((hour - 9) / 12 * math.pi):.1f},{3 + hour % 5}" for hour in range(24)]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    (HERE / "tone.wav").write_bytes(tone())
    (HERE / "measurements.csv").write_text(measurements())
