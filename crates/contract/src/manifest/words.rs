//! Vocabularies: the words that a field may hold, older spellings included.

use super::model::{Discovery, Network, PluginType, Protocol, Reload};
use crate::reading::{FaultCode, Words};
use crate::{InstanceMode, Placement, RuntimeKind};

pub(super) static PLUGIN_TYPES: Words = Words {
    what: "plugin type",
    code: FaultCode::UnsupportedType,
    words: &["plugin", "service", "renderer", "processor"],
};

/// Runtimes, and the spellings of requirement 003 for them.
pub(crate) static RUNTIMES: Words = Words {
    what: "runtime",
    code: FaultCode::UnsupportedRuntime,
    words: &[
        "native",
        "wasm",
        "js",
        "python",
        "process",
        "remote",
        "script",
        "dynamic_library",
        "webassembly",
        "rpc",
        "grpc",
        "hot_reload",
    ],
};

/// The same words as `spec.type`, where another one is an unsupported plugin type.
pub(super) static SPEC_TYPES: Words =
    Words { what: "plugin type", code: FaultCode::UnsupportedType, words: RUNTIMES_BY_TYPE };

const RUNTIMES_BY_TYPE: &[&str] = &[
    "dynamic_library",
    "rpc",
    "webassembly",
    "hot_reload",
    "grpc",
    "native",
    "wasm",
    "js",
    "python",
    "process",
    "remote",
    "script",
];

pub(super) static PROTOCOLS: Words =
    Words { what: "protocol", code: FaultCode::UnknownWord, words: &["wire", "stdio", "text"] };

pub(super) static NETWORKS: Words = Words { what: "network", code: FaultCode::UnknownWord, words: &["tcp", "unix"] };

pub(super) static DISCOVERIES: Words =
    Words { what: "discovery", code: FaultCode::UnknownWord, words: &["static", "dns"] };

pub(crate) static PLACEMENTS: Words =
    Words { what: "placement", code: FaultCode::UnknownWord, words: &["in-process", "worker", "remote"] };

pub(super) static MODES: Words =
    Words { what: "instance mode", code: FaultCode::UnknownWord, words: &["actor", "pool"] };

pub(super) static RELOADS: Words =
    Words { what: "reload mode", code: FaultCode::UnknownWord, words: &["hot", "restart", "never"] };

pub(super) static DEPENDENCY_TYPES: Words =
    Words { what: "dependency type", code: FaultCode::UnknownWord, words: &["plugin", "module"] };

/// The runtime of a word of [`RUNTIMES`].
pub(crate) fn runtime(word: &str) -> Option<RuntimeKind> {
    RuntimeKind::from_word(word).or(match word {
        // Hot reload is what Midplane does with every library, not a kind of code.
        "dynamic_library" | "hot_reload" => Some(RuntimeKind::Native),
        "webassembly" => Some(RuntimeKind::Wasm),
        "rpc" => Some(RuntimeKind::Process),
        "grpc" => Some(RuntimeKind::Remote),
        _ => None,
    })
}

/// The runtime that a file's ending suggests; letter case does not matter.
#[must_use]
pub fn runtime_of_file(name: &str) -> Option<RuntimeKind> {
    let (stem, ending) = name.rsplit_once('.')?;
    if stem.is_empty() || stem.ends_with('/') {
        return None;
    }
    match ending.to_ascii_lowercase().as_str() {
        "so" | "dll" | "dylib" => Some(RuntimeKind::Native),
        "wasm" => Some(RuntimeKind::Wasm),
        "js" | "mjs" | "ts" | "mts" => Some(RuntimeKind::Js),
        "py" => Some(RuntimeKind::Python),
        _ => None,
    }
}

/// The runtime that the ending of a manifest's main file suggests. Scripts are among them only here: every other folder
/// holds shell scripts that are no plugins.
pub(super) fn runtime_of_main(name: &str) -> Option<RuntimeKind> {
    let script = name.rsplit_once('.').is_some_and(|(_, ending)| matches!(ending, "sh" | "bash"));
    runtime_of_file(name).or(script.then_some(RuntimeKind::Script))
}

pub(super) fn protocol(word: &str) -> Option<Protocol> {
    Some(match word {
        "wire" => Protocol::Wire,
        "stdio" => Protocol::Stdio,
        "text" => Protocol::Text,
        _ => return None,
    })
}

pub(super) fn network(word: &str) -> Option<Network> {
    Some(match word {
        "tcp" => Network::Tcp,
        "unix" => Network::Unix,
        _ => return None,
    })
}

pub(super) fn discovery(word: &str) -> Option<Discovery> {
    Some(match word {
        "static" => Discovery::Static,
        "dns" => Discovery::Dns,
        _ => return None,
    })
}

pub(super) fn placement(word: &str) -> Option<Placement> {
    Placement::from_word(word)
}

pub(super) fn mode(word: &str) -> Option<InstanceMode> {
    InstanceMode::from_word(word)
}

pub(super) fn plugin_type(word: &str) -> Option<PluginType> {
    Some(match word {
        "plugin" => PluginType::Plugin,
        "service" => PluginType::Service,
        "renderer" => PluginType::Renderer,
        "processor" => PluginType::Processor,
        _ => return None,
    })
}

pub(super) fn reload(word: &str) -> Option<Reload> {
    Some(match word {
        "hot" => Reload::Hot,
        "restart" => Reload::Restart,
        "never" => Reload::Never,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_vocabulary_has_a_meaning() {
        assert!(RUNTIMES.words.iter().all(|word| runtime(word).is_some()));
        assert!(SPEC_TYPES.words.iter().all(|word| runtime(word).is_some()));
        assert!(PLACEMENTS.words.iter().all(|word| placement(word).is_some()));
        assert!(MODES.words.iter().all(|word| mode(word).is_some()));
        assert!(PLUGIN_TYPES.words.iter().all(|word| plugin_type(word).is_some()));
        assert!(PROTOCOLS.words.iter().all(|word| protocol(word).is_some()));
        assert!(NETWORKS.words.iter().all(|word| network(word).is_some()));
        assert!(DISCOVERIES.words.iter().all(|word| discovery(word).is_some()));
        assert!(RELOADS.words.iter().all(|word| reload(word).is_some()));
        assert!(RuntimeKind::ALL.iter().all(|kind| RUNTIMES.words.contains(&kind.as_str())));
        assert!(Placement::ALL.iter().all(|placement| PLACEMENTS.words.contains(&placement.as_str())));
    }

    #[test]
    fn endings_suggest_runtimes_in_any_letter_case() {
        assert_eq!(runtime_of_file("a/b.SO"), Some(RuntimeKind::Native));
        assert_eq!(runtime_of_file("x.Wasm"), Some(RuntimeKind::Wasm));
        assert_eq!(runtime_of_file("x.ts"), Some(RuntimeKind::Js));
        assert_eq!((runtime_of_file("x.sh"), runtime_of_main("x.sh")), (None, Some(RuntimeKind::Script)));
        assert_eq!(runtime_of_file("x.txt"), None);
        assert_eq!(runtime_of_file(".so"), None);
        assert_eq!(runtime_of_file("dir/.wasm"), None);
    }
}
