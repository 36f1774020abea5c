//! What executes code of some formats on some systems.

use std::fmt;
use std::str::FromStr;

use midplane_contract::RuntimeKind;
use serde::{Deserialize, Serialize};

use super::Needs;
use super::machine::Machine;
use super::names::means;
use super::rules::Rules;

/// What executes code of some formats on some systems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Adapter {
    /// Its name, which rules and fallbacks use.
    pub name: String,
    /// The operating systems that it works on; empty means all.
    pub systems: Vec<String>,
    /// The formats that it executes.
    pub formats: Vec<Format>,
    /// Whether it executes code made for the machine itself.
    pub native: bool,
}

/// How code is packed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// `.so`.
    SharedLibrary,
    /// `.dll` and `.dylib`.
    DynamicLibrary,
    /// `.wasm`.
    Wasm,
    /// `.js`, `.mjs`, `.cjs`, `.ts`.
    Javascript,
    /// `.py`.
    Python,
    /// A shell script.
    Shell,
    /// A program of its own.
    Executable,
    /// A service elsewhere.
    Service,
    /// An embedder's own, by its name.
    #[serde(untagged)]
    Other(String),
}

impl Adapter {
    /// The adapters of requirement 004, and those of the runtimes that it does not name.
    #[must_use]
    pub fn standard() -> Vec<Self> {
        use Format::{DynamicLibrary, Executable, Javascript, Python, Service, SharedLibrary, Shell, Wasm};
        let adapter = |name: &str, systems: &[&str], formats: &[Format], native: bool| Self {
            name: name.to_owned(),
            systems: systems.iter().map(ToString::to_string).collect(),
            formats: formats.to_vec(),
            native,
        };
        vec![
            adapter("windows", &["windows"], &[DynamicLibrary], true),
            adapter("linux", &["linux"], &[SharedLibrary], true),
            adapter("macos", &["macos"], &[DynamicLibrary, SharedLibrary], true),
            adapter("process", &[], &[Executable], true),
            adapter("wasm", &[], &[Wasm], false),
            adapter("script", &[], &[Javascript, Python, Shell], false),
            adapter("remote", &[], &[Service], false),
        ]
    }

    /// Whether it is on and works on a machine.
    #[must_use]
    pub fn is_available(&self, machine: &Machine, rules: &Rules) -> bool {
        let enabled = rules.adapters.get(&self.name).is_none_or(|rule| rule.enabled);
        enabled && (self.systems.is_empty() || means(&self.systems, &machine.os, super::system))
    }

    /// The formats that it executes, as far as the operator lets it.
    #[must_use]
    pub fn formats(&self, rules: &Rules) -> Vec<Format> {
        let rule = rules.adapters.get(&self.name).map_or(&[] as &[String], |rule| &rule.supported_formats);
        if rule.is_empty() {
            return self.formats.clone();
        }
        let given: Vec<Format> = rule.iter().filter_map(|name| name.parse().ok()).collect();
        self.formats.iter().filter(|format| given.contains(format)).cloned().collect()
    }
}

impl Format {
    /// The format of a plugin's code: by its file's ending where that says it, else by what executes it.
    #[must_use]
    pub fn of(needs: &Needs<'_>, machine: &Machine) -> Self {
        let of_file = || match needs.runtime {
            RuntimeKind::Native => {
                let ending = needs.main?.rsplit_once('.')?.1;
                format!(".{ending}")
                    .parse()
                    .ok()
                    .filter(|format| matches!(format, Self::SharedLibrary | Self::DynamicLibrary))
            }
            _ => None,
        };
        of_file().unwrap_or_else(|| match needs.runtime {
            RuntimeKind::Native if super::system(&machine.os) == "linux" => Self::SharedLibrary,
            RuntimeKind::Native => Self::DynamicLibrary,
            RuntimeKind::Wasm => Self::Wasm,
            RuntimeKind::Js => Self::Javascript,
            RuntimeKind::Python => Self::Python,
            RuntimeKind::Script => Self::Shell,
            RuntimeKind::Process => Self::Executable,
            RuntimeKind::Remote => Self::Service,
        })
    }
}

impl Format {
    /// What files of this format end in, without the dot.
    #[must_use]
    pub fn endings(&self) -> &[&str] {
        match self {
            Self::SharedLibrary => &["so"],
            Self::DynamicLibrary => &["dll", "dylib"],
            Self::Wasm => &["wasm"],
            Self::Javascript => &["js", "mjs", "cjs", "ts"],
            Self::Python => &["py"],
            Self::Shell => &["sh"],
            Self::Executable => &["exe"],
            Self::Service | Self::Other(_) => &[],
        }
    }

    /// The kind of runtime that executes it, where the format alone says that.
    #[must_use]
    pub fn runtime(&self) -> Option<RuntimeKind> {
        Some(match self {
            Self::SharedLibrary | Self::DynamicLibrary => RuntimeKind::Native,
            Self::Wasm => RuntimeKind::Wasm,
            Self::Javascript => RuntimeKind::Js,
            Self::Python => RuntimeKind::Python,
            Self::Shell => RuntimeKind::Script,
            Self::Executable => RuntimeKind::Process,
            Self::Service | Self::Other(_) => return None,
        })
    }
}

impl FromStr for Format {
    type Err = std::convert::Infallible;

    /// Reads a name or an ending, in any case. What is not known is an embedder's own.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.trim().to_lowercase().as_str() {
            "shared_library" | ".so" => Self::SharedLibrary,
            "dynamic_library" | ".dll" | ".dylib" => Self::DynamicLibrary,
            "wasm" | ".wasm" => Self::Wasm,
            "javascript" | ".js" | ".mjs" | ".cjs" | ".ts" => Self::Javascript,
            "python" | ".py" => Self::Python,
            "shell" | ".sh" => Self::Shell,
            "executable" | ".exe" => Self::Executable,
            "service" => Self::Service,
            other => Self::Other(other.to_owned()),
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SharedLibrary => "shared_library",
            Self::DynamicLibrary => "dynamic_library",
            Self::Wasm => "wasm",
            Self::Javascript => "javascript",
            Self::Python => "python",
            Self::Shell => "shell",
            Self::Executable => "executable",
            Self::Service => "service",
            Self::Other(name) => name,
        })
    }
}
