//! Providers held to definitions that come along, and to those of WIT files.

use midplane_contract::{Code, Interface, VersionRange};
use midplane_kernel::block_on;
use midplane_kernel::services::definitions;
use midplane_testkit::{PluginFolder, Program};
use serde_json::json;

use crate::house::{House, name};

/// A program whose actions answer with what the plugin's code says.
fn answering(actions: &[&str]) -> Program {
    let one =
        |program: Program, action: &&str| program.action(action, |desk, _, reply| reply.write(desk.code().as_bytes()));
    actions.iter().fold(Program::new(), one)
}

fn provider(id: &str, program: &str, answer: &str, provided: &str) -> PluginFolder {
    PluginFolder::fake(id, &format!("{program}\n{answer}")).with("interfaces", json!({ "provides": [provided] }))
}

fn define(house: &House, interfaces: impl IntoIterator<Item = Interface>) {
    interfaces.into_iter().for_each(|interface| block_on(house.kernel.define(interface)).unwrap());
}

/// What it is refused for: the code, and the action or what else is named.
fn refusal(house: &House, id: &str, interface: &str) -> Option<(Code, String)> {
    let providers = house.kernel.providers(interface, &VersionRange::any());
    let error = providers.into_iter().find(|provider| provider.plugin == name(id)).unwrap().refused?;
    Some((error.code(), error.record().message.clone()))
}

#[test]
fn a_provider_that_lacks_a_function_of_a_wit_interface_is_refused_by_its_name() {
    let house = House::with(&[("whole", answering(&["search", "get_song_url"])), ("part", answering(&["search"]))]);
    let text = "package music:api@1.2.0;
        interface source { search: func(query: string); get-song-url: func(id: string) -> string; }";
    define(&house, definitions::read("music.wit", text).unwrap());
    for (id, program) in [("whole", "whole"), ("part", "part")] {
        house.load(&provider(id, program, "", "music:api/source@^1"));
    }
    assert_eq!(refusal(&house, "whole", "music:api/source"), None);
    let (code, message) = refusal(&house, "part", "music:api/source").unwrap();
    assert_eq!(code, Code::ActionNotFound);
    assert!(message.contains("`get_song_url`"), "{message}");
    assert_eq!(house.call("part/search", "").unwrap(), "");
    house.load(&provider("later", "whole", "", "music:api/source@^2"));
    assert_eq!(refusal(&house, "later", "music:api/source").unwrap().0, Code::VersionMismatch);
}

#[test]
fn music_sources_players_and_extensions_are_held_to_what_comes_along() {
    let house = House::with(&[
        ("search", answering(&["search"])),
        ("source", answering(&["search", "get_song_url"])),
        ("state", answering(&["get_state"])),
        ("themes", answering(&["get_supported_themes"])),
    ]);
    define(&house, Interface::known().filter(|interface| interface.name != "plugin"));
    for (id, program, answer, interface, lacks) in [
        ("deaf", "search", "", "music-source", Some("`get_song_url`")),
        ("good", "source", "", "music-source", None),
        ("mute", "source", "", "player", Some("`get_state`")),
        ("lost", "state", r#"{"status":"unknown"}"#, "player", Some("does not fit")),
        ("stateless", "state", "{}", "player", Some("does not fit")),
        ("still", "state", r#"{"status":"stopped"}"#, "player", None),
        ("bare", "themes", "[]", "ui-extension", Some("does not fit")),
        ("dark", "themes", r#"["dark"]"#, "ui-extension", None),
    ] {
        house.load(&provider(id, program, answer, interface));
        let refused = refusal(&house, id, interface).map(|(_, message)| message);
        let told = refused.as_deref();
        assert!(lacks.is_none_or(|part| told.is_some_and(|told| told.contains(part))), "{id}: {refused:?}");
        assert_eq!(refused.is_some(), lacks.is_some(), "{id}: {refused:?}");
    }
}

#[test]
fn every_plugin_says_what_it_can_where_that_is_asked_for() {
    let house = House::with(&[("source", answering(&["search"]))]);
    define(&house, Interface::known().filter(|interface| interface.name == "plugin"));
    house.load(&provider("silent", "source", "", "music"));
    house.load(&provider("able", "source", "", "music").with("capabilities", json!(["search"])));
    let (code, message) = refusal(&house, "silent", "music").unwrap();
    assert_eq!(code, Code::ManifestInvalid);
    assert!(message.contains("at least 1 capabilit"), "{message}");
    assert_eq!(refusal(&house, "able", "music"), None);
}
