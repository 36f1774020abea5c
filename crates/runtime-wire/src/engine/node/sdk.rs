//! The SDK of `sdk/js` as a part of this program.

use super::super::bundle::Bundle;

macro_rules! files {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../../../../../sdk/js/", $path)))),+]
    };
}

/// What `npm pack` would pack, but for types and texts.
pub(super) const BUNDLE: Bundle = Bundle {
    name: "midplane-sdk-js",
    files: files![
        "index.js",
        "import-map.json",
        "package.json",
        "run.js",
        "testing.js",
        "src/console.js",
        "src/context.js",
        "src/error.js",
        "src/instance.js",
        "src/load.js",
        "src/outcome.js",
        "src/peer.js",
        "src/sdk-import-thread.js",
        "src/sdk-import.js",
        "src/shape.js",
        "src/wire/asks.js",
        "src/wire/carrier.js",
        "src/wire/connection.js",
        "src/wire/decoder.js",
        "src/wire/frame.js",
        "src/wire/pieces.js",
        "src/wire/request.js",
        "src/wire/socket.js",
    ],
};

#[cfg(test)]
mod tests {
    use std::path::Path;

    use midplane_testkit::files_below;

    use super::*;

    #[test]
    fn it_is_what_the_folder_has() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/js");
        let mut wanted = files_below(&folder).unwrap();
        // Texts, tests, and what dials a host instead of being started by one.
        let no_part = ["test/", "stage/", "node_modules/", "README.md", "connect.js", "dial.js", "src/connect/"];
        wanted.retain(|path| !path.ends_with(".d.ts") && !no_part.iter().any(|no| path.starts_with(no)));
        let mut has: Vec<&str> = BUNDLE.files.iter().map(|(path, _)| *path).collect();
        has.sort_unstable();
        assert_eq!(wanted, has, "list every file of sdk/js here");
    }
}
