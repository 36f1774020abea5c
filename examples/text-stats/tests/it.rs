//! The counts of whole files against those of `wc`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

use text_stats::{Options, count};

/// Lines, words, characters and bytes as `wc` counts them in a UTF-8 locale.
fn wc(file: &Path) -> [u64; 4] {
    let output =
        Command::new("wc").env("LC_ALL", "C.UTF-8").arg("-lwmc").arg(file).output().expect("wc is part of coreutils");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<u64> = text.split_whitespace().take(4).map(|number| number.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

fn ours(file: &Path) -> [u64; 4] {
    let stats = count(&std::fs::read(file).unwrap(), Options::default());
    [stats.lines, stats.words, stats.characters, stats.bytes]
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_counts_of_real_files_are_those_of_wc() {
    for file in [
        "../samples/lighthouse.txt",
        "../samples/languages.txt",
        "../samples/measurements.csv",
        "../samples/guide.md",
        "src/stats.rs",
        "Cargo.toml",
    ] {
        let file = here(file);
        assert_eq!(ours(&file), wc(&file), "{}", file.display());
    }
}

#[test]
fn texts_of_unusual_shape_are_counted_as_wc_counts_them() {
    let folder = std::env::temp_dir().join(format!("midplane-text-stats-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let shapes: [&[u8]; 8] = [
        b"",
        b"\n",
        b"no line feed",
        b"  \t blank \r\n\r\n",
        b"\n\n\n",
        "ünï çødé — „x“\n".as_bytes(),
        b"a\x0bb\x0cc\n",
        b"one\ntwo",
    ];
    for (number, shape) in shapes.into_iter().enumerate() {
        let file = folder.join(format!("{number}.txt"));
        std::fs::write(&file, shape).unwrap();
        assert_eq!(ours(&file), wc(&file), "{:?}", String::from_utf8_lossy(shape));
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
