//! Prints the JSON Schema of manifests into the file named by the first argument, `contract/manifest.schema.json`
//! where there is none: `cargo run -p midplane-contract --example manifest_schema`.

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let file = std::env::args_os().nth(1).map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contract/manifest.schema.json"),
        PathBuf::from,
    );
    let schema = serde_json::to_string_pretty(&midplane_contract::manifest::json_schema())?;
    std::fs::write(file, schema + "\n")
}
