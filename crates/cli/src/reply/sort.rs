//! What sort of thing some bytes are, for people. By the first bytes that the formats' own specifications fix.

/// A name for the bytes; `binary` where nothing is recognized.
pub(super) fn of(bytes: &[u8]) -> String {
    let be = |at: usize| bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map(u32::from_be_bytes);
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        // After the signature: length and name of the IHDR chunk, width, height.
        return match (be(16), be(20)) {
            (Some(width), Some(height)) => format!("PNG picture, {width} × {height}"),
            _ => "PNG picture".to_owned(),
        };
    }
    let riff = |form: &[u8]| bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(form);
    if riff(b"WEBP") {
        return "WebP picture".to_owned();
    }
    if riff(b"WAVE") {
        return "WAV sound".to_owned();
    }
    let known: [(&[u8], &str); 11] = [
        (b"\xff\xd8\xff", "JPEG picture"),
        (b"GIF8", "GIF picture"),
        (b"%PDF-", "PDF document"),
        (b"PK\x03\x04", "ZIP archive"),
        (b"\x1f\x8b", "gzip data"),
        (b"\x28\xb5\x2f\xfd", "Zstandard data"),
        (b"fLaC", "FLAC sound"),
        (b"OggS", "Ogg sound"),
        (b"ID3", "MP3 sound"),
        (b"\x7fELF", "ELF file"),
        (b"\0asm", "WebAssembly"),
    ];
    let found = known.iter().find(|(magic, _)| bytes.starts_with(magic));
    let text = if std::str::from_utf8(bytes).is_ok() { "text with control characters" } else { "binary" };
    found.map_or(text, |(_, name)| name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend_from_slice(&[0, 0, 1, 0, 0, 0, 0, 128]);
        assert_eq!(of(&png), "PNG picture, 256 × 128");
        assert_eq!(of(b"RIFF\0\0\0\0WEBPVP8 "), "WebP picture");
        assert_eq!(of(b"\xff\xd8\xff\xe0"), "JPEG picture");
        assert_eq!(of(b"\x1b[31m"), "text with control characters");
        assert_eq!(of(b"\xfe\xff"), "binary");
    }
}
