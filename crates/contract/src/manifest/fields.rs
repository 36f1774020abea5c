//! Every field of every spelling, once. [`crate::reading::walk`] validates by these tables and [`super::schema`] prints them.

mod enveloped;
mod parts;
mod remote;
pub(crate) mod shapes;

use super::words;
use crate::reading::rule::Rule;
use crate::reading::shape::{Field, Shape, may, must};

pub(super) use enveloped::ENVELOPED;
pub(crate) use parts::RESOURCES;
use parts::{
    ACTIONS, COMPATIBILITY, DEPENDENCIES, DEPENDENCY_TABLE, ENTRY, FILE_TYPES, INSTANCES, INTERFACES, LIMITS,
    PERMISSIONS, STATE, VERSION_TABLE,
};

use shapes::{FILLED, TEXTS};

const TEXT: Shape = Shape::Text(Rule::Any);

/// The flat spelling of requirement 000. `id` is required by [`super::agree`], since the package spelling has none.
pub(super) const FLAT: &[Field] = &[
    may("id", Shape::Text(Rule::Id), "The plugin's id: 1 to 128 of a-z 0-9 . _ -"),
    must("name", FILLED, "Name for people. In a package without an id it is the id"),
    must("version", Shape::Text(Rule::Version), "Semantic version; a leading v is accepted"),
    may("description", TEXT, "One sentence for people"),
    may("author", TEXT, "Who wrote it"),
    may("license", TEXT, "SPDX expression"),
    may("homepage", TEXT, "A web address"),
    may("repository", TEXT, "Where its source is"),
    may("type", Shape::Word(&words::PLUGIN_TYPES), "Its part in an application"),
    may("entry", Shape::Object(ENTRY), "What to run, and by what"),
    may("entry_point", Shape::Text(Rule::Path), "Older name of entry.main; write only one of them"),
    may("placement", Shape::Word(&words::PLACEMENTS), "Where to run it"),
    may("instances", Shape::Object(INSTANCES), "How many instances; one actor where absent"),
    may("limits", Shape::Object(LIMITS), "What it may use at most"),
    may("actions", ACTIONS, "The actions it answers: names, or maps"),
    may("file_types", FILE_TYPES, "The files it handles"),
    may("interfaces", INTERFACES, "Actions, file types and interfaces that it provides and consumes"),
    may("dependencies", DEPENDENCIES, "Plugins it needs: a list, or a map of id to range"),
    may("dev_dependencies", DEPENDENCY_TABLE, "Plugins that its author needs: id to range"),
    may("peer_dependencies", DEPENDENCY_TABLE, "Plugins that must be there and are not installed along: id to range"),
    may("permissions", PERMISSIONS, "What it asks for. Nothing else can be granted"),
    may("config_schema", Shape::JsonSchema, "JSON Schema of its configuration; defaults in it reach the plugin"),
    may("config", Shape::FreeMap, "Configuration that the manifest itself brings"),
    may("resources", Shape::Object(RESOURCES), "What the machine must have, and what the plugin may use"),
    may("compatibility", Shape::Object(COMPATIBILITY), "Where it can run"),
    may("capabilities", TEXTS, "What it can do, in an application's own words"),
    may("state", Shape::Object(STATE), "Its exported state, for live updates"),
    may("reload", Shape::Word(&words::RELOADS), "How it wants to be replaced"),
    may("labels", Shape::Table(Rule::Filled, &TEXT), "Free text labels"),
    may("tags", TEXTS, "Search words"),
    may("keywords", TEXTS, "Search words; the package spelling of tags"),
    may("engines", VERSION_TABLE, "Engines and their ranges; `midplane` is the contract"),
    may("os", TEXTS, "Operating systems; a leading ! excludes, * means any"),
    may("cpu", TEXTS, "Processors; a leading ! excludes, * means any"),
    may("supported_os", TEXTS, "Operating systems, as os"),
    may("supported_arch", TEXTS, "Processors, as cpu"),
    may("min_version", Shape::Text(Rule::Version), "Oldest contract version"),
    may("max_version", Shape::Text(Rule::Version), "Newest contract version"),
    may("fallbacks", TEXTS, "What to load instead where this cannot run"),
    may("publish_time", Shape::Text(Rule::Time), "When it was published, RFC 3339"),
    may("checksum", TEXT, "Checksum of the archive"),
    may("signature", TEXT, "Signature of the archive"),
    may("download_url", TEXT, "Where the archive is"),
    may("size", Shape::Whole(0, u64::MAX), "Size of the archive in bytes"),
    may("metadata", Shape::FreeMap, "A free map, kept as written; icon, screenshots and tags are shown to users"),
];

/// The fields that only packages have: one of them makes it the package spelling.
pub(super) const PACKAGE_ONLY: &[&str] = &[
    "dev_dependencies",
    "peer_dependencies",
    "keywords",
    "engines",
    "os",
    "cpu",
    "supported_os",
    "supported_arch",
    "min_version",
    "max_version",
    "publish_time",
    "checksum",
    "signature",
    "download_url",
    "size",
];

/// The fields that only the envelope has: one of them makes it the enveloped spelling.
pub(super) const ENVELOPE_ONLY: &[&str] = &["api_version", "kind", "spec"];
