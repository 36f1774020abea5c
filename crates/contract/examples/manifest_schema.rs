//! Prints `contract/manifest.schema.json`, the JSON Schema of manifests for editors. `cargo xtask generate` writes it.

use std::io::Write;

fn main() -> std::io::Result<()> {
    let schema = serde_json::to_string_pretty(&midplane_contract::manifest::json_schema())?;
    writeln!(std::io::stdout(), "{schema}")
}
