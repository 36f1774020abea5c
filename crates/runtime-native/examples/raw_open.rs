//! The raw limit of native loads, for the bench: the linker opens a fresh copy of a library, a symbol is found, and the
//! library is closed again. Gets numbers of repetitions on its input, a line each, and answers each with the nanoseconds
//! that it took to open them and find the symbol.

use std::io::BufRead;
use std::path::Path;
use std::time::{Duration, Instant};

fn main() -> std::io::Result<()> {
    let file = std::env::args_os().nth(1).ok_or_else(|| std::io::Error::other("which library?"))?;
    let copies = std::env::temp_dir().join(format!("raw-open-{}", std::process::id()));
    std::fs::create_dir_all(&copies)?;
    let mut number = 0;
    let mut run = || -> std::io::Result<()> {
        for line in std::io::stdin().lock().lines() {
            let times: u64 = line?.trim().parse().map_err(std::io::Error::other)?;
            let mut took = Duration::ZERO;
            for _ in 0..times {
                number += 1;
                took += open(Path::new(&file), &copies.join(format!("{number}.so")))?;
            }
            println!("{}", took.as_nanos());
        }
        Ok(())
    };
    let done = run();
    std::fs::remove_dir_all(copies)?;
    done
}

fn open(file: &Path, copy: &Path) -> std::io::Result<Duration> {
    let started = Instant::now();
    std::fs::copy(file, copy)?;
    // SAFETY: the library is one of ours, whose initializers do nothing.
    let library = unsafe { libloading::Library::new(copy) }.map_err(std::io::Error::other)?;
    // SAFETY: the symbol is only looked up, never called.
    let symbol = unsafe { library.get::<unsafe extern "C" fn()>(b"midplane_plugin") };
    let found = symbol.map(|_| started.elapsed()).map_err(std::io::Error::other);
    library.close().map_err(std::io::Error::other)?;
    std::fs::remove_file(copy)?;
    found
}
