//! Every field of a case file, once. Validation and the JSON Schema for editors both read these.

use crate::reading::rule::Rule;
use crate::reading::shape::{Field, Shape, may, must};

const TEXT: Shape = Shape::Text(Rule::Any);
const FILLED: Shape = Shape::Text(Rule::Filled);
const PATH: Shape = Shape::Text(Rule::Path);
const DURATION: Shape = Shape::Text(Rule::Duration);
const TEXTS: Shape = Shape::Either(&[FILLED, Shape::List(&FILLED)]);
const STEPS: Shape = Shape::List(&Shape::Object(STEP));

/// The document.
pub(super) const FILE: &[Field] = &[
    may("description", TEXT, "What the cases are about"),
    may("config", Shape::FreeMap, "Configuration for every case; a case's own is laid over it"),
    may("timeout", DURATION, "Longest time of a case, with its unit; 30s where absent"),
    may("setup", STEPS, "Calls before the setup of every case"),
    may("cleanup", STEPS, "Calls after the cleanup of every case"),
    must("cases", Shape::List(&Shape::Object(CASE)), "The cases, each with a name"),
];

/// One case.
const CASE: &[Field] = &[
    must("name", FILLED, "What the case is called; unique in the file"),
    may("description", TEXT, "For people who read the file"),
    may("skip", FILLED, "Why it is not run"),
    may("config", Shape::FreeMap, "Configuration that the plugin is loaded with"),
    may("timeout", DURATION, "Longest time of setup, call and verification together, with its unit"),
    may("setup", STEPS, "Calls before; one that fails ends the case"),
    may("action", Shape::Text(Rule::Action), "The action that is called; without one the case is about loading"),
    may("input", Shape::Anything, "What the action gets, as a value that is sent as JSON"),
    may("text", TEXT, "What the action gets, as text"),
    may("base64", TEXT, "What the action gets, as bytes in base64"),
    may("file", PATH, "What the action gets, as a file in the plugin's folder"),
    may("expect", Shape::Object(EXPECT), "What is to come back; anything but an error where absent"),
    may("verify", STEPS, "Calls after, which look at what the call has done"),
    may("cleanup", STEPS, "Calls at the end, whatever has happened before"),
];

/// One call of setup, verification or cleanup.
const STEP: &[Field] = &[
    may("plugin", Shape::Text(Rule::Id), "Whose action it is; the plugin under test where absent"),
    must("action", Shape::Text(Rule::Action), "The action that is called"),
    may("input", Shape::Anything, "What the action gets, as a value that is sent as JSON"),
    may("text", TEXT, "What the action gets, as text"),
    may("base64", TEXT, "What the action gets, as bytes in base64"),
    may("file", PATH, "What the action gets, as a file in the plugin's folder"),
    may("expect", Shape::Object(EXPECT), "What is to come back; anything but an error where absent"),
];

/// The fields that say what an action gets.
pub(super) const INPUTS: [&str; 4] = ["input", "text", "base64", "file"];

/// What is to come back.
const EXPECT: &[Field] = &[
    may("json", Shape::Anything, "Exactly this value, as JSON"),
    may("text", TEXT, "Exactly this text"),
    may("base64", TEXT, "Exactly these bytes, in base64"),
    may("file", PATH, "Exactly the content of this file in the plugin's folder"),
    may("empty", Shape::Flag, "Whether the reply has no bytes"),
    may("subset", Shape::Anything, "JSON that has everything that is in this value, and maybe more"),
    may("contains", TEXTS, "Text that contains this, or all of these"),
    may("schema", Shape::JsonSchema, "JSON that fits this JSON Schema"),
    may("error", Shape::Either(&[FILLED, Shape::Object(ERROR)]), "An error: its code, or a map of code and message"),
];

/// The fields of [`EXPECT`] that name the whole reply.
pub(super) const WHOLE: [&str; 5] = ["json", "text", "base64", "file", "empty"];

/// What an error has to be.
const ERROR: &[Field] = &[
    may("code", FILLED, "Its code: one of the contract's, or the plugin's own"),
    may("message", TEXTS, "What its message contains"),
];
