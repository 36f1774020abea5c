//! Every setting, once. Validation and the JSON Schema for editors both read these.

mod older;
mod parts;
mod plugin;

pub(super) use older::MODULE_MANAGER;
pub(super) use plugin::{LIMITS, PLUGIN};

use crate::manifest::shapes::TEXTS;
use crate::reading::rule::Rule;
use crate::reading::shape::{Field, Shape, may};
use crate::settings::fields::parts::{
    COMPATIBILITY, HEALTH, LISTEN, LOADING, RELOADING, REMOTE, RESTARTING, RUNTIMES, SCANNING, SHUTDOWN, STORE,
    VERSIONS, WIRE,
};

/// The document.
pub(super) const FILE: &[Field] = &[
    may("folders", TEXTS, "Folders with plugins; `~` is the home folder, a later one is shadowed by an earlier one"),
    may("scan", Shape::Object(SCANNING), "Looking for plugins in the folders"),
    may("load", Shape::Object(LOADING), "Loading plugins"),
    may("reload", Shape::Object(RELOADING), "Replacing plugins whose files change"),
    may("restart", Shape::Object(RESTARTING), "Restarting plugins that fail"),
    may("health", Shape::Object(HEALTH), "Asking plugins how they are"),
    may("limits", Shape::Object(LIMITS), "What a plugin may use at most where its manifest says nothing"),
    may("runtimes", Shape::Object(RUNTIMES), "Numbers of single runtimes"),
    may("wire", Shape::Object(WIRE), "Numbers of the protocol that workers and processes speak"),
    may("remote", Shape::Object(REMOTE), "Connections to plugins that are services elsewhere"),
    may("listen", Shape::Object(LISTEN), "Plugins that connect to this host"),
    may("shutdown", Shape::Object(SHUTDOWN), "The end of the host"),
    may("versions", Shape::Object(VERSIONS), "Versions of plugins"),
    may("compatibility", Shape::Object(COMPATIBILITY), "Plugins and the machine"),
    may(
        "interfaces",
        TEXTS,
        "Interfaces that providers are held to: files (.json, .wit), or music-source, player, plugin, ui-extension",
    ),
    may(
        "secrets",
        Shape::Table(Rule::Filled, &Shape::Text(Rule::Secret)),
        "Secrets by name: env:VARIABLE or file:PATH",
    ),
    may("store", Shape::Object(STORE), "Where plugins' configurations that are changed at run time are kept"),
    may("plugins", Shape::Table(Rule::Id, &Shape::Object(PLUGIN)), "What is decided about single plugins, by id"),
    may("module_manager", Shape::Object(MODULE_MANAGER), "The settings of requirement 000, as they stand there"),
];
