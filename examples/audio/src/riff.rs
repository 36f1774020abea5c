//! The tags of a WAV file: its `LIST`/`INFO` chunk (Multimedia Programming Interface and Data Specifications 1.0, 1991).
//! symphonia 0.6.1 reads that chunk and drops what it has read.

/// Every tag of the file as its four letters and its text; nothing for files that are no WAV. A chunk that claims more
/// than there is ends the search.
pub(crate) fn info_tags(file: &[u8]) -> Vec<(&str, String)> {
    match file.first_chunk::<12>() {
        Some([b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E']) => {}
        _ => return Vec::new(),
    }
    chunks(file.get(12..).unwrap_or_default())
        .filter_map(|(name, content)| (name == b"LIST").then(|| content.strip_prefix(b"INFO")).flatten())
        .flat_map(chunks)
        .filter_map(|(name, text)| {
            let text = String::from_utf8_lossy(text);
            Some((std::str::from_utf8(name).ok()?, text.trim_end_matches('\0').to_owned()))
        })
        .collect()
}

/// Name and content of each chunk; contents are padded to even lengths.
fn chunks(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let (name, rest) = bytes.split_at_checked(4)?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (content, rest) = rest.split_at_checked(length)?;
        bytes = rest.get(length % 2..).unwrap_or_default();
        Some((name, content))
    })
}

/// One name for what RIFF writes in four letters.
pub(crate) fn common_name(letters: &str) -> Option<&'static str> {
    Some(match letters {
        "INAM" => "title",
        "IART" => "artist",
        "IPRD" => "album",
        "IMUS" => "composer",
        "IGNR" => "genre",
        "ICMT" => "comment",
        "ICOP" => "copyright",
        "ICRD" => "date",
        "ITRK" | "IPRT" => "track_number",
        "ISFT" => "encoder",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_between_other_chunks() {
        let file =
            b"RIFF\0\0\0\0WAVEfmt \x03\0\0\0abc\0LIST\x1c\0\0\0INFOINAM\x02\0\0\0x\0IART\x01\0\0\0y\0data\0\0\0\0";
        assert_eq!(info_tags(file), [("INAM", "x".to_owned()), ("IART", "y".to_owned())]);
    }

    #[test]
    fn a_chunk_that_claims_too_much_ends_the_search() {
        assert_eq!(info_tags(b"RIFF\0\0\0\0WAVELIST\xff\xff\xff\xffINFOINAM\x01\0\0\0x\0"), []);
        assert_eq!(info_tags(b"RIFF\0\0\0\0WAVELIST\x10\0\0\0INFOINAM\xff\xff\xff\x7fx\0"), []);
        assert_eq!(info_tags(b"RIFF"), []);
        assert_eq!(info_tags(b""), []);
    }
}
