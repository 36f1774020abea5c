//! Thumbnails and heads of the sample pictures, read again with Python's standard library alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use thumbnailer::{Options, inspect, thumbnail};

/// Reads a PNG of 8 bits a channel: dimensions from its head, checksums of all chunks, then inflates and unfilters every
/// row (PNG, sections 5, 9 and 10). Prints dimensions and the mean color of the picture's four quarters, as JSON.
const READ_PNG: &str = r#"
import json, struct, sys, zlib
data = sys.stdin.buffer.read()
assert data[:8] == b"\x89PNG\r\n\x1a\n"
place, packed, last = 8, b"", b""
while place < len(data):
    length, name = struct.unpack(">I4s", data[place:place + 8])
    body = data[place + 8:place + 8 + length]
    assert struct.unpack(">I", data[place + 8 + length:place + 12 + length])[0] == zlib.crc32(name + body), name
    if name == b"IHDR": width, height, depth, color, _, _, interlace = struct.unpack(">IIBBBBB", body)
    if name == b"IDAT": packed += body
    place, last = place + 12 + length, name
assert last == b"IEND" and depth == 8 and interlace == 0
size = {2: 3, 6: 4}[color]
raw, rows, above = zlib.decompress(packed), [], bytearray(width * size)
assert len(raw) == height * (1 + width * size)
def paeth(a, b, c):
    p = a + b - c
    return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
for y in range(height):
    kind, *line = raw[y * (1 + width * size):(y + 1) * (1 + width * size)]
    row = bytearray(line)
    for i in range(len(row)):
        left, up, corner = (row[i - size] if i >= size else 0), above[i], (above[i - size] if i >= size else 0)
        row[i] = (row[i] + [0, left, up, (left + up) // 2, paeth(left, up, corner)][kind]) & 255
    rows.append(row); above = row
def mean(xs, ys):
    return [sum(rows[y][x * size + c] for y in ys for x in xs) / (len(xs) * len(ys)) for c in range(3)]
halves = lambda n: (range(n // 2), range(n // 2, n))
print(json.dumps({"width": width, "height": height, "quarters": [mean(x, y) for y in halves(height) for x in halves(width)]}))
"#;

/// Finds the dimensions of a JPEG in its first frame header (ITU-T T.81, section B.2.2).
const READ_JPEG: &str = r#"
import json, struct, sys
data = sys.stdin.buffer.read()
assert data[:2] == b"\xff\xd8"
place = 2
while not (0xc0 <= data[place + 1] <= 0xc2):
    place += 2 + struct.unpack(">H", data[place + 2:place + 4])[0]
height, width = struct.unpack(">HH", data[place + 5:place + 9])
print(json.dumps({"width": width, "height": height}))
"#;

fn python(program: &str, input: &[u8]) -> Value {
    let mut child = Command::new("python3")
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is there");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(name)).unwrap()
}

#[test]
fn the_dimensions_are_those_that_the_files_state() {
    for (name, program) in [("picture.png", READ_PNG), ("picture.jpg", READ_JPEG)] {
        let (ours, theirs) = (inspect(&sample(name)).unwrap(), python(program, &sample(name)));
        assert_eq!(
            (Value::from(ours.width), Value::from(ours.height)),
            (theirs["width"].clone(), theirs["height"].clone())
        );
        assert_eq!((ours.width, ours.height), (640, 400), "{name}");
    }
}

/// A thumbnail is the same picture: each quarter has the mean color that it had.
#[test]
fn a_thumbnail_is_a_sound_png_of_the_same_picture() {
    let original = python(READ_PNG, &sample("picture.png"));
    for name in ["picture.png", "picture.jpg"] {
        let small = python(READ_PNG, &thumbnail(&sample(name), Options::default()).unwrap());
        assert_eq!((small["width"].as_u64(), small["height"].as_u64()), (Some(256), Some(160)), "{name}");
        for quarter in 0..4 {
            for color in 0..3 {
                let at = |picture: &Value| picture["quarters"][quarter][color].as_f64().unwrap();
                assert!((at(&small) - at(&original)).abs() < 3.0, "{name}: {small}\n{original}");
            }
        }
    }
}
