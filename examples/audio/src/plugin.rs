//! What the host sees.

use midplane_sdk::prelude::*;

use crate::{Fault, inspect};

/// The plugin.
#[derive(Debug, Default)]
pub struct Audio;

impl Plugin for Audio {
    fn define() -> Definition<Self> {
        Definition::new()
            .raw("inspect", |_, file, reply, _| reply.write(&serde_json::to_vec(&inspect(file).map_err(answer)?)?))
            .describe("A sound file in, what is in it as JSON out")
            .idempotent()
    }
}

fn answer(fault: Fault) -> Error {
    Error::new(fault.code(), fault.to_string())
}

#[cfg(test)]
mod tests {
    use midplane_sdk::{Hook, testing::Bench};

    use super::*;

    #[test]
    fn the_answer_is_json() {
        let file = include_bytes!("../../samples/tone.wav");
        let sound: Value = serde_json::from_slice(&Bench::<Audio>::new().call("inspect", file).unwrap()).unwrap();
        assert_eq!(sound["sample_rate"], 22_050);
        assert_eq!(sound["tags"]["title"], "Tone");
    }

    #[test]
    fn what_is_no_sound_file_is_a_typed_error() {
        assert_eq!(Bench::<Audio>::new().call("inspect", "hello").unwrap_err().code, "unknown_format");
    }

    /// What `plugin.yaml` and the code say of the actions must agree, in names and order.
    #[test]
    fn the_manifest_is_sound_and_names_the_actions_of_the_code() {
        let parsed = midplane_contract::manifest::parse("plugin.yaml", include_bytes!("../plugin.yaml"));
        assert!(parsed.faults.is_empty(), "{:?}", parsed.faults);
        let info = Bench::<Audio>::new().hook(Hook::Info, "").unwrap().unwrap();
        let info: midplane_contract::PluginInfo = serde_json::from_slice(&info).unwrap();
        let names = |actions: Vec<midplane_contract::ActionSpec>| {
            actions.into_iter().map(|action| action.name).collect::<Vec<_>>()
        };
        assert_eq!(names(parsed.manifest.unwrap().actions), names(info.actions));
    }
}
