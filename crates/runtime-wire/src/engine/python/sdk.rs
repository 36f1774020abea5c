//! The SDK's files: part of this crate.

use crate::engine::bundle::Bundle;

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[$((concat!("midplane/", $name), include_str!(concat!("../../../../../sdk/python/src/midplane/", $name)))),+]
    };
}

/// Every file of the package. A test compares the list with the folder.
pub(super) const BUNDLE: Bundle = Bundle { name: "python-sdk", files: FILES };

/// The program in it.
pub(super) const PROGRAM: &str = "midplane/__main__.py";

const FILES: &[(&str, &str)] = files![
    "__init__.py",
    "__main__.py",
    "_api.py",
    "_async_api.py",
    "_bench_host.py",
    "_failures.py",
    "_frames.py",
    "_handlers.py",
    "_json_text.py",
    "_limits.py",
    "_line.py",
    "_loop.py",
    "_module.py",
    "_plugin_code.py",
    "_session.py",
    "_start.py",
    "_values.py",
    "_watch.py",
    "_wire.py",
    "context.py",
    "errors.py",
    "plugin.py",
    "py.typed",
    "testing.py",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_of_the_sdk_is_forgotten() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sdk/python/src/midplane");
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name != "__pycache__").collect();
        names.sort();
        let listed: Vec<&str> = FILES.iter().filter_map(|(name, _)| name.strip_prefix("midplane/")).collect();
        assert_eq!(names, listed);
        assert!(FILES.iter().any(|(name, _)| *name == PROGRAM));
    }
}
