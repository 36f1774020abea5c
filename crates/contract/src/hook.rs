//! The hooks that a plugin may have, and what each language calls them.

use std::fmt;

macro_rules! hooks {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $camel:literal, $snake:literal, $symbol:literal;)+) => {
        /// A hook of the contract. All are optional.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Hook { $($(#[$doc])* $variant),+ }

        impl Hook {
            /// Every hook, in the order of the contract. The position is the hook's number in the C ABI and on the wire.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The contract's name, also used on the wire.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What JavaScript calls it.
            #[must_use]
            pub fn camel_case(self) -> &'static str {
                match self { $(Self::$variant => $camel),+ }
            }

            /// What Python calls it.
            #[must_use]
            pub fn snake_case(self) -> &'static str {
                match self { $(Self::$variant => $snake),+ }
            }

            /// The export of a core WebAssembly module and the field of the C table.
            #[must_use]
            pub fn symbol(self) -> &'static str {
                match self { $(Self::$variant => $symbol),+ }
            }

            /// The hook of a contract name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

hooks! {
    /// Describes the plugin. In: nothing. Out: [`crate::PluginInfo`] as JSON.
    Info = "info", "info", "info", "plugin_get_info";
    /// Checks a configuration before it is accepted. In: the configuration as JSON. An error refuses it.
    ValidateConfig = "validate_config", "onValidateConfig", "on_validate_config", "plugin_validate_config";
    /// Once per instance, before anything else. In: the configuration as JSON.
    Init = "init", "onInit", "on_init", "plugin_init";
    /// Calls begin.
    Start = "start", "onStart", "on_start", "plugin_start";
    /// Calls have ended.
    Stop = "stop", "onStop", "on_stop", "plugin_stop";
    /// Before unload.
    Cleanup = "cleanup", "onCleanup", "on_cleanup", "plugin_cleanup";
    /// How it is. Out: [`crate::Health`] as JSON.
    Health = "health", "onHealthCheck", "on_health_check", "plugin_health_check";
    /// Whether it lives. Out: anything.
    Ping = "ping", "ping", "ping", "plugin_ping";
    /// The configuration in effect. Out: JSON.
    GetConfig = "get_config", "getConfig", "get_config", "plugin_get_config";
    /// A live change of configuration. In: the whole configuration as JSON.
    ConfigChanged = "config_changed", "onConfigChanged", "on_config_changed", "plugin_update_config";
    /// An event of a subscribed topic. In: [`crate::Envelope`] as JSON. Out: where it is a request, the answer, or nothing.
    Event = "event", "onEvent", "on_event", "plugin_handle_event";
    /// An optional dependency came or went. In: `{"id", "available"}`.
    DependencyChanged = "dependency_changed", "onDependencyChanged", "on_dependency_changed", "plugin_dependency_changed";
    /// The state to hand to the next generation. Out: bytes.
    ExportState = "export_state", "exportState", "export_state", "plugin_export_state";
    /// The state of the generation before. In: bytes.
    ImportState = "import_state", "importState", "import_state", "plugin_import_state";
    /// Translates an older state. In: `{"from"}` as one line of JSON, then the bytes. Out: bytes.
    Migrate = "migrate", "migrate", "migrate", "plugin_migrate";
    /// Translates a state back to an older layout. In and out as [`Hook::Migrate`].
    MigrateBack = "migrate_back", "migrateBack", "migrate_back", "plugin_migrate_back";
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_has_every_hook_under_every_name() {
        let guide = include_str!("../../../docs/guide/hooks.md");
        for hook in Hook::ALL {
            let rows: Vec<&str> =
                guide.lines().filter(|line| line.starts_with(&format!("| `{}` |", hook.name()))).collect();
            assert_eq!(rows.len(), 2, "{hook}: what it is, and what it is called");
            for name in [hook.camel_case(), hook.snake_case(), hook.symbol()] {
                assert!(rows[1].contains(&format!("`{name}`")), "{hook}: {name}");
            }
        }
    }
}
