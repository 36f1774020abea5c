//! Makes `contract/settings.schema.json`, the JSON Schema of `midplane.yaml` for editors: into the file that is named, or
//! on stdout. `cargo xtask generate` runs it.

use std::io::Write;

fn main() -> std::io::Result<()> {
    let schema = serde_json::to_string_pretty(&midplane_contract::settings::json_schema())?;
    match std::env::args_os().nth(1) {
        Some(file) => std::fs::write(file, format!("{schema}\n")),
        None => writeln!(std::io::stdout(), "{schema}"),
    }
}
