//! The enveloped spelling of requirement 003. That document names five types without defining them (`runtime`,
//! `config`, `dependencies`, `permissions`, `resources`); these tables are their definition.

use super::TEXT;
use super::parts::{
    ACTIONS, COMPATIBILITY, DEPENDENCIES, ENTRY, FILE_TYPES, INSTANCES, INTERFACES, LIMITS, PERMISSIONS, RESOURCES,
    STATE, with_process,
};
use super::shapes::{DURATION, FILLED, TEXTS};
use crate::manifest::words;
use crate::reading::rule::Rule;
use crate::reading::shape::{Field, Shape, may, must};

/// The whole document.
pub(in crate::manifest) const ENVELOPED: &[Field] = &[
    must("api_version", Shape::Text(Rule::ApiVersion), "Version of the contract: v1 means 1.0.0"),
    must("kind", FILLED, "What this describes: Plugin"),
    must("metadata", Shape::Object(METADATA), "Who the plugin is"),
    must("spec", Shape::Object(SPEC), "What it is"),
    may("dependencies", DEPENDENCIES, "Plugins it needs: a list, or a map of id to range"),
    may("permissions", PERMISSIONS, "What it asks for. Nothing else can be granted"),
    may("resources", Shape::Object(RESOURCES), "What the machine must have, and what the plugin may use"),
    may("compatibility", Shape::Object(COMPATIBILITY), "Where it can run"),
];

const METADATA: &[Field] = &[
    may("id", Shape::Text(Rule::Id), "The plugin's id; the name where absent"),
    must("name", FILLED, "The plugin's id where no id is written, else a name for people"),
    must("version", Shape::Text(Rule::Version), "Semantic version; a leading v is accepted"),
    may("description", TEXT, "One sentence for people"),
    may("author", TEXT, "Who wrote it"),
    may("license", TEXT, "SPDX expression"),
    may("homepage", TEXT, "A web address"),
    may("repository", TEXT, "Where its source is"),
    may("tags", TEXTS, "Search words"),
    may("labels", Shape::Table(Rule::Filled, &TEXT), "Free text labels"),
];

const SPEC: &[Field] = &[
    must("type", Shape::Word(&words::SPEC_TYPES), "Kind of code"),
    may("entry_point", Shape::Text(Rule::Path), "Path of the code, inside the plugin's folder"),
    may("entry", Shape::Object(ENTRY), "The same with more to say; write only one of the two paths"),
    may("runtime", RUNTIME_WORD_OR_MAP, "What runs it, where type does not say it all"),
    may("interfaces", INTERFACES, "Interfaces it provides: a list of name@range, or a map"),
    may("config", Shape::FreeMap, "Values, or {schema: JSON Schema, values: map}"),
    may("config_schema", Shape::JsonSchema, "JSON Schema of its configuration"),
    may("placement", Shape::Word(&words::PLACEMENTS), "Where to run it"),
    may("instances", Shape::Object(INSTANCES), "How many instances; one actor where absent"),
    may("limits", Shape::Object(LIMITS), "What it may use at most"),
    may("actions", ACTIONS, "The actions it answers: names, or maps"),
    may("file_types", FILE_TYPES, "The files it handles"),
    may("capabilities", TEXTS, "What it can do, in an application's own words"),
    may("state", Shape::Object(STATE), "Its exported state, for live updates"),
    may("reload", Shape::Word(&words::RELOADS), "How it wants to be replaced"),
];

const RUNTIME_WORD_OR_MAP: Shape = Shape::Either(&[Shape::Word(&words::RUNTIMES), Shape::Object(RUNTIME)]);

const RUNTIME: &[Field] = with_process![
    may("name", Shape::Word(&words::RUNTIMES), "What runs it"),
    may("engine", FILLED, "Which engine of the runtime"),
];
