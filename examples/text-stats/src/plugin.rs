//! What the host sees.

use midplane_sdk::prelude::*;

use crate::{Options, count};

/// The plugin.
#[derive(Debug, Default)]
pub struct TextStats {
    options: Options,
}

impl Plugin for TextStats {
    fn define() -> Definition<Self> {
        Definition::new()
            .on_validate_config(|_, Json(options): Json<Options>, _| checked(options).map(drop))
            .on_init(Self::configure)
            .on_config_changed(Self::configure)
            .raw("count", |plugin, text, reply, _| reply.write(&serde_json::to_vec(&count(text, plugin.options))?))
            .describe("Any bytes in, their statistics as JSON out")
            .idempotent()
    }
}

impl TextStats {
    fn configure(&mut self, Json(options): Json<Options>, _: &Context<'_>) -> Result<()> {
        self.options = checked(options)?;
        Ok(())
    }
}

fn checked(options: Options) -> Result<Options> {
    options.check().map_err(|reason| Error::new("config_invalid", reason))
}

#[cfg(test)]
mod tests {
    use midplane_sdk::{Hook, testing::Bench};

    use super::*;

    #[test]
    fn the_answer_is_json_and_follows_the_configuration() {
        let mut bench = Bench::<TextStats>::new();
        bench.hook(Hook::Init, "{\"top\": 1}").unwrap();
        let stats: Value = serde_json::from_slice(&bench.call("count", "a b a\n").unwrap()).unwrap();
        assert_eq!(stats["lines"], 1);
        assert_eq!(stats["words"], 3);
        assert_eq!(stats["most_frequent"], json!([{"word": "a", "count": 2}]));
    }

    #[test]
    fn a_configuration_out_of_range_is_refused() {
        let mut bench = Bench::<TextStats>::new();
        for config in ["{\"top\": 1001}", "{\"words_per_minute\": 0}", "{\"topp\": 1}"] {
            assert_eq!(bench.hook(Hook::ValidateConfig, config).unwrap_err().code, "config_invalid", "{config}");
            assert!(bench.hook(Hook::Init, config).is_err(), "{config}");
        }
    }

    /// What `plugin.yaml` and the code say of the actions must agree, in names and order.
    #[test]
    fn the_manifest_is_sound_and_names_the_actions_of_the_code() {
        let parsed = midplane_contract::manifest::parse("plugin.yaml", include_bytes!("../plugin.yaml"));
        assert!(parsed.faults.is_empty(), "{:?}", parsed.faults);
        let info = Bench::<TextStats>::new().hook(Hook::Info, "").unwrap().unwrap();
        let info: midplane_contract::PluginInfo = serde_json::from_slice(&info).unwrap();
        let names = |actions: Vec<midplane_contract::ActionSpec>| {
            actions.into_iter().map(|action| action.name).collect::<Vec<_>>()
        };
        assert_eq!(names(parsed.manifest.unwrap().actions), names(info.actions));
    }
}
