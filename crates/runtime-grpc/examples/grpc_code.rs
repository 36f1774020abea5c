//! Writes the Rust code of one protocol file: `grpc_code OUTPUT PACKAGE`. `cargo xtask generate` runs it, so that no
//! build needs protoc.

use std::error::Error;
use std::path::Path;

/// The packages and their files in `contract/`.
const FILES: [(&str, &str); 2] = [("midplane.plugin.v1", "plugin.proto"), ("musicfox.plugin", "musicfox_plugin.proto")];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(output), Some(package)) = (arguments.next(), arguments.next()) else {
        return Err("usage: grpc_code OUTPUT PACKAGE".into());
    };
    let (_, file) = FILES.iter().find(|(name, _)| *name == package).ok_or("there is no such package")?;
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contract");
    let folder = Path::new(&output).with_extension("made");
    std::fs::create_dir_all(&folder)?;
    let descriptors = protox::compile([file], [contract])?;
    tonic_prost_build::configure()
        .build_transport(false)
        .emit_rerun_if_changed(false)
        .out_dir(&folder)
        .compile_fds(descriptors)?;
    std::fs::rename(folder.join(format!("{package}.rs")), &output)?;
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
