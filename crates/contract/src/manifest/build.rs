//! A tree without errors to the model.

mod needs;
mod offers;
mod process;
mod remote;

use std::collections::BTreeMap;

use super::document::{Document, Spelling};
use super::model::{Entry, Manifest, PackageFacts, PluginType, StateSpec};
use super::words;
use crate::reading::tree::Node;
use crate::version::parse_version;
use crate::{InstanceMode, Instances, PluginId, RuntimeKind};

/// Makes the model. `None` where validation let something through that it should not have.
pub(super) fn build(document: &Document<'_>) -> Option<Manifest> {
    let name = document.text(&["name"])?;
    let id = PluginId::new(document.text(&["id"]).unwrap_or(name)).ok()?;
    let text = |field: &str| document.text(&[field]).map(str::to_owned);
    let (config, config_schema) = needs::configuration(document);
    Some(Manifest {
        id,
        name: name.to_owned(),
        version: parse_version(document.text(&["version"])?).ok()?,
        description: text("description"),
        author: text("author"),
        license: text("license"),
        homepage: text("homepage"),
        repository: text("repository"),
        plugin_type: plugin_type(document),
        entry: entry(document)?,
        placement: document.text(&["placement"]).and_then(words::placement),
        instances: instances(document),
        limits: needs::limits(document),
        actions: offers::actions(document)?,
        file_types: offers::file_types(document),
        provides: offers::interfaces(document, "provides")?,
        consumes: offers::interfaces(document, "consumes")?,
        dependencies: needs::dependencies(document)?,
        permissions: needs::permissions(document)?,
        config_schema,
        config,
        resources: needs::resources(document),
        compatibility: needs::compatibility(document)?,
        capabilities: offers::capabilities(document),
        state: document.text(&["state", "schema"]).map(|schema| StateSpec { schema: schema.to_owned() }),
        reload: document.text(&["reload"]).and_then(words::reload).unwrap_or_default(),
        labels: text_table(document.part(&["labels"])),
        tags: offers::tags(document),
        package: package(document),
        metadata: match document.spelling {
            Spelling::Enveloped => serde_json::Map::new(),
            _ => document.part(&["metadata"]).map(Node::to_json_map).unwrap_or_default(),
        },
    })
}

fn plugin_type(document: &Document<'_>) -> PluginType {
    match document.spelling {
        // The envelope's type is a kind of code, which stands in `entry.runtime`.
        Spelling::Enveloped => PluginType::default(),
        _ => document.text(&["type"]).and_then(words::plugin_type).unwrap_or_default(),
    }
}

fn entry(document: &Document<'_>) -> Option<Entry> {
    let Some(main) = document.main() else { return Some(Entry::default()) };
    let text = |field: &str| document.entry(field).and_then(Node::text).map(str::to_owned);
    Some(Entry {
        main: main.to_owned(),
        runtime: runtime(document, main)?,
        engine: text("engine"),
        args: texts(document.entry("args")),
        env: text_table(document.entry("env")),
        workdir: text("workdir").or_else(|| text("work_dir")),
        process: process::spec(document),
        remote: remote::spec(document),
    })
}

fn runtime(document: &Document<'_>, main: &str) -> Option<RuntimeKind> {
    match document.runtime_word() {
        // No kind of code, so the file says which; a library where it does not.
        Some("hot_reload") => words::runtime_of_main(main).or(Some(RuntimeKind::Native)),
        Some(word) => words::runtime(word),
        None if document.entry("executable").is_some() => Some(RuntimeKind::Process),
        None => words::runtime_of_main(main),
    }
}

/// Where only `min` is written for a pool, it is as large as the smaller bound asks.
fn instances(document: &Document<'_>) -> Instances {
    let number = |name: &str| {
        document.part(&["instances", name]).and_then(Node::whole).and_then(|number| u32::try_from(number).ok())
    };
    let mode = document.text(&["instances", "mode"]).and_then(words::mode).unwrap_or(InstanceMode::Actor);
    let min = number("min").unwrap_or(1);
    let max = number("max").unwrap_or(match mode {
        InstanceMode::Actor => 1,
        InstanceMode::Pool => min.max(crate::defaults::WASM_INSTANCES),
    });
    Instances { mode, min, max }
}

fn package(document: &Document<'_>) -> Option<PackageFacts> {
    let text = |field: &str| document.text(&[field]).map(str::to_owned);
    let facts = PackageFacts {
        publish_time: text("publish_time"),
        checksum: text("checksum"),
        signature: text("signature"),
        download_url: text("download_url"),
        size: document.part(&["size"]).and_then(Node::whole),
    };
    (facts != PackageFacts::default()).then_some(facts)
}

fn texts(list: Option<&Node>) -> Vec<String> {
    list.map_or(&[] as &[Node], Node::items).iter().filter_map(|node| node.text().map(str::to_owned)).collect()
}

fn text_table(table: Option<&Node>) -> BTreeMap<String, String> {
    let entries = table.map_or(&[] as &[_], Node::entries);
    entries.iter().filter_map(|entry| Some((entry.key.clone(), entry.node.text()?.to_owned()))).collect()
}
