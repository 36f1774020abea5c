//! One name for each operating system and processor.

/// One name for each operating system, whatever a plugin's author calls it.
#[must_use]
pub fn system(name: &str) -> String {
    match name.trim().to_lowercase().as_str() {
        "win32" | "win64" | "windows" | "win" => "windows",
        "darwin" | "macos" | "osx" | "mac" => "macos",
        other => return other.to_owned(),
    }
    .to_owned()
}

/// One name for each processor, whatever a plugin's author calls it.
#[must_use]
pub fn processor(name: &str) -> String {
    match name.trim().to_lowercase().as_str() {
        "x64" | "amd64" | "x86_64" | "x86-64" => "x86_64",
        "arm64" | "aarch64" => "aarch64",
        "ia32" | "x86" | "386" | "i386" | "i586" | "i686" => "x86",
        other => return other.to_owned(),
    }
    .to_owned()
}

/// A machine is meant by a list that is empty, names it or `*`, or only excludes others with `!`.
pub(super) fn means(list: &[String], found: &str, name: fn(&str) -> String) -> bool {
    let means = |entry: &str| entry.trim() == "*" || name(entry) == name(found);
    let (excluded, included): (Vec<&str>, Vec<&str>) =
        list.iter().map(String::as_str).partition(|entry| entry.starts_with('!'));
    let out = excluded.iter().any(|entry| means(entry.trim_start_matches('!')));
    (included.is_empty() || included.iter().any(|entry| means(entry))) && !out
}
