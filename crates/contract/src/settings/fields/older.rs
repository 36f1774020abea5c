//! Fields of older spellings.

use crate::manifest::shapes::SOME_TIME;
use crate::manifest::shapes::TEXTS;
use crate::reading::rule::Rule;
use crate::reading::shape::{Field, Shape, may};

/// Whole seconds, or a text with its unit.
const SECONDS: Shape = Shape::Either(&[Shape::Whole(0, 366 * 86_400), Shape::Text(Rule::Duration)]);

const SOME_SECONDS: Shape = Shape::Either(&[Shape::Whole(1, 366 * 86_400), SOME_TIME]);

/// `module_manager:` of requirement 000.
pub(in crate::settings) const MODULE_MANAGER: &[Field] = &[
    may("module_dirs", TEXTS, "folders"),
    may("auto_scan", Shape::Flag, "scan.auto"),
    may("scan_interval", SECONDS, "scan.interval, in seconds"),
    may("auto_load", Shape::Flag, "load.auto"),
    may("auto_restart", Shape::Flag, "restart.auto"),
    may("max_restart_attempts", Shape::Whole(0, u32::MAX as u64), "restart.attempts"),
    may("health_check_interval", SECONDS, "health.interval, in seconds"),
    may("module_timeout", SOME_SECONDS, "limits.call_deadline, in seconds"),
];
