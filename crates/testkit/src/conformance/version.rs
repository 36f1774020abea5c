//! Two versions of the conformance plugin, without building it twice.

/// What the conformance plugin has in it for its action `version` to answer.
const MARK: &[u8] = b"probe-version-01";

/// The conformance plugin's code, source or compiled, with another version in it: what a change of its source would make
/// of it. `version` has one digit, so that everything stays in its place.
///
/// # Errors
/// The code has no version to change: it is not the conformance plugin's.
pub fn of_version(code: &[u8], version: u8) -> Result<Vec<u8>, String> {
    let places = code.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK);
    let ends: Vec<usize> = places.map(|(place, _)| place + MARK.len() - 1).collect();
    if ends.is_empty() {
        return Err(format!("the code has no `{}` to change", String::from_utf8_lossy(MARK)));
    }
    let mut changed = code.to_vec();
    for end in ends {
        if let Some(digit) = changed.get_mut(end) {
            *digit = b'0' + version;
        }
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_in_the_code_is_changed_and_nothing_else() {
        let changed = of_version(b"a probe-version-01\xffprobe-version-01 z", 2).unwrap();
        assert_eq!(changed, b"a probe-version-02\xffprobe-version-02 z");
        assert!(of_version(b"something else", 2).unwrap_err().contains("probe-version-01"));
    }
}
