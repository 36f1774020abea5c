//! The hooks of the contract.

macro_rules! hooks {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $symbol:literal;)+) => {
        /// A hook of the contract. Its number is its position, in every ABI.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Hook { $($(#[$doc])* $variant),+ }

        impl Hook {
            /// Every hook, in the order of the contract.
            pub const ALL: [Self; 16] = [$(Self::$variant),+];

            /// The contract's name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The field of the C table and the export of a core WebAssembly module.
            #[must_use]
            pub fn symbol(self) -> &'static str {
                match self { $(Self::$variant => $symbol),+ }
            }
        }
    };
}

hooks! {
    /// Describes the plugin. Every plugin of this SDK has it.
    Info = "info", "plugin_get_info";
    /// Checks a configuration before it is accepted.
    ValidateConfig = "validate_config", "plugin_validate_config";
    /// Once per instance, before anything else.
    Init = "init", "plugin_init";
    /// Calls begin.
    Start = "start", "plugin_start";
    /// Calls have ended.
    Stop = "stop", "plugin_stop";
    /// Before unload.
    Cleanup = "cleanup", "plugin_cleanup";
    /// How it is.
    Health = "health", "plugin_health_check";
    /// Whether it lives.
    Ping = "ping", "plugin_ping";
    /// The configuration in effect.
    GetConfig = "get_config", "plugin_get_config";
    /// A live change of configuration.
    ConfigChanged = "config_changed", "plugin_update_config";
    /// An event of a subscribed topic.
    Event = "event", "plugin_handle_event";
    /// An optional dependency came or went.
    DependencyChanged = "dependency_changed", "plugin_dependency_changed";
    /// The state to hand to the next generation.
    ExportState = "export_state", "plugin_export_state";
    /// The state of the generation before.
    ImportState = "import_state", "plugin_import_state";
    /// Translates an older state.
    Migrate = "migrate", "plugin_migrate";
    /// Translates a state back to an older layout.
    MigrateBack = "migrate_back", "plugin_migrate_back";
}

impl Hook {
    /// The hook of a number.
    #[must_use]
    pub fn from_number(number: usize) -> Option<Self> {
        Self::ALL.get(number).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::Hook;

    #[test]
    fn the_hooks_are_those_of_the_contract() {
        let ours: Vec<_> = Hook::ALL.iter().map(|hook| (hook.name(), hook.symbol())).collect();
        let contract: Vec<_> = midplane_contract::Hook::ALL.iter().map(|hook| (hook.name(), hook.symbol())).collect();
        assert_eq!(ours, contract);
    }
}
