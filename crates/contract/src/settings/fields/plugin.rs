//! The settings of one plugin: those of contract and of requirement 003.

use super::parts::{HEALTH, REMOTE, RESTARTING};
use crate::manifest::shapes::{COUNT, FILLED, MILLISECONDS, SIZE, SOME_SIZE, SOME_TIME, TEXTS, with_limits};
use crate::manifest::{PLACEMENT_WORDS, RESOURCE_FIELDS, RUNTIME_WORDS};
use crate::reading::rule::Rule;
use crate::reading::shape::{Field, Shape, may};
use crate::reading::{FaultCode, Words};

static TRUST: Words = Words { what: "trust", code: FaultCode::UnknownWord, words: &["trusted", "normal", "untrusted"] };

/// Limits of a plugin.
pub(in crate::settings) const LIMITS: &[Field] = with_limits![
    may("instances", COUNT, "Instances of a pool at most, whatever its manifest says"),
    may("subscriber_queue", COUNT, "Events waiting for it at once"),
    may("publish_rate", COUNT, "Events it may publish in a second"),
    may("call_depth", Shape::Whole(1, 128), "How deep in a chain of calls it may call others"),
    may("log_line", SIZE, "Longest log line; 16KiB at most"),
];

const SECURITY: &[Field] = &[
    may("sandbox", Shape::Flag, "Run everything of it in a worker: trust `untrusted`"),
    may("allowed_paths", TEXTS, "Grants file.read and file.write of these paths"),
    may("allowed_networks", TEXTS, "Grants network.http of these addresses"),
    may("allowed_syscalls", TEXTS, "System calls of a worker"),
    may("trusted_sources", TEXTS, "Where it may come from"),
];

/// One plugin.
pub(in crate::settings) const PLUGIN: &[Field] = &[
    may("name", FILLED, "Name for people"),
    may("type", Shape::Word(&RUNTIME_WORDS), "The runtime, for a check against the manifest's"),
    may("path", FILLED, "Folder, manifest or file to register it by"),
    may("enabled", Shape::Flag, "May be loaded at all"),
    may("auto_start", Shape::Flag, "Load and start it with the host"),
    may("priority", Shape::Signed, "The highest is loaded and chosen first; 0 where absent"),
    may("trust", Shape::Word(&TRUST), "trusted, normal or untrusted"),
    may("placement", Shape::Word(&PLACEMENT_WORDS), "Where it runs"),
    may("permissions", Shape::List(&Shape::Text(Rule::Permission)), "What it is granted, and denied with a leading !"),
    may(
        "config",
        Shape::FreeMap,
        "Its configuration, laid over the manifest's; {secret: env:NAME} stands for a secret",
    ),
    may("limits", Shape::Object(LIMITS), "What it may use at most"),
    may("resources", Shape::Object(RESOURCE_FIELDS), "The same, as requirement 003 writes it"),
    may("security", Shape::Object(SECURITY), "As requirement 003 writes it: trust and permissions"),
    may("restart", Shape::Object(RESTARTING), "Restarting it when it fails"),
    may("health", Shape::Object(HEALTH), "Asking it how it is"),
    may("remote", Shape::Object(REMOTE), "Connections to it"),
];
