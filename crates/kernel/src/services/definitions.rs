//! Definitions of interfaces, as they stand in files.

use midplane_contract::{Code, Error, Interface, Result, defaults};
use serde_json::Value;

use super::wit;

/// The definitions that a file holds: `.json` has one or a list of them, `.wit` a package with interfaces.
///
/// A WIT interface is defined under the name that WIT gives it (`music:api/source`), in the version of its package. Its
/// functions are the actions, their words joined by `_`: `get-song-url` is `get_song_url`. Their types are not looked at:
/// payloads are bytes, and what JSON a WIT value would be is up to whoever calls.
///
/// # Errors
/// `config_invalid {file}` for a file that is neither, with line and column where it cannot be read, and for a definition
/// that contradicts itself; `limit_exceeded` over 1 MiB.
pub fn read(file: &str, text: &str) -> Result<Vec<Interface>> {
    if text.len() > defaults::MANIFEST_SIZE {
        let message = format!("{file} has {} bytes; definitions may have {}", text.len(), defaults::MANIFEST_SIZE);
        return Err(Error::new(Code::LimitExceeded, message)
            .remedy("split it")
            .with("which", "definition")
            .with("limit", defaults::MANIFEST_SIZE));
    }
    let read = match file.rsplit_once('.').map(|(_, ending)| ending.to_lowercase()).as_deref() {
        Some("wit") => wit::interfaces(file, text),
        Some("json") => json(file, text),
        _ => Err(unusable(file, "it ends neither in .json nor in .wit").remedy("name it after what is in it")),
    };
    let sound = |interface: &Interface| super::check(interface).map_err(|error| contradictory(file, &error));
    let checked = read.and_then(|interfaces| interfaces.iter().try_for_each(sound).map(|()| interfaces));
    checked.map_err(|error| error.with("file", file))
}

fn contradictory(file: &str, error: &Error) -> Error {
    let remedy = error.record().remedy.as_deref().unwrap_or("correct the definition");
    Error::new(Code::ConfigInvalid, format!("{file}: {}", error.record().message)).remedy(remedy)
}

fn json(file: &str, text: &str) -> Result<Vec<Interface>> {
    let is_list = text.trim_start().starts_with('[');
    let read = if is_list { serde_json::from_str(text) } else { serde_json::from_str(text).map(|one| vec![one]) };
    read.map_err(|error| {
        unusable(file, &error.to_string())
            .remedy("write {\"name\": …, \"version\": …, \"actions\": [{\"name\": …}]}, or a list of those")
            .with("line", Value::from(error.line()))
            .with("column", Value::from(error.column()))
    })
}

pub(super) fn unusable(file: &str, why: &str) -> Error {
    Error::new(Code::ConfigInvalid, format!("{file} defines no interface: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MUSIC: &str = "/// Where music comes from.
package music:api@1.2.0;

interface types {
    record song { title: string }
}

/// Finds songs.
interface source {
    use types.{song};

    /// Finds songs by words.
    search: func(query: string) -> list<song>;
    get-song-url: func(id: string) -> result<string, string>;
}

world plugin { export source; }
";

    #[test]
    fn the_interfaces_of_a_wit_package_are_definitions() {
        let read = read("music.wit", MUSIC).unwrap();
        assert_eq!(read.len(), 1, "an interface of types alone defines nothing: {read:?}");
        let source = &read[0];
        assert_eq!((source.name.as_str(), source.version.to_string()), ("music:api/source", "1.2.0".to_owned()));
        assert_eq!(source.description, "Finds songs.");
        let actions: Vec<&str> = source.actions.iter().map(|action| action.name.as_str()).collect();
        assert_eq!(actions, ["search", "get_song_url"]);
        assert_eq!(source.actions[0].description, "Finds songs by words.");
        assert!(source.actions.iter().all(|action| !action.optional && !action.idempotent));
    }

    #[test]
    fn one_definition_or_a_list_of_them_is_read_from_json() {
        let one = r#"{ "name": "a", "version": "1.0.0" }"#;
        assert_eq!(read("a.json", one).unwrap().len(), 1);
        assert_eq!(read("a.JSON", &format!(" [{one}, {one}]")).unwrap().len(), 2);
    }

    #[test]
    fn what_cannot_be_a_definition_says_where_and_why() {
        let of = |file: &str, text: &str| {
            let error = read(file, text).unwrap_err();
            assert_eq!((error.code(), &error.record().data["file"]), (Code::ConfigInvalid, &file.into()), "{error:?}");
            assert!(error.record().remedy.is_some(), "{error:?}");
            error.record().message.clone()
        };
        for (file, text, part) in [
            ("a.txt", "", "neither"),
            ("a.json", "{\n  \"nam\": 1 }", "line 2"),
            ("a.json", "", "EOF"),
            ("a.wit", "package a:b@1.0.0;\ninterface c {\n  d: fun();\n}", "a.wit:3:"),
            ("a.wit", "package a:b@1.0.0;\ninterface c { use d.{e}; f: func(); }", "a.wit:2:"),
            ("a.wit", "package a:b; interface c { d: func(); }", "no version"),
            ("a.wit", "package a:b@1.0.0; interface c { resource r { d: func(); } }", "resource"),
            ("a.wit", "package a:b@1.0.0; interface c { use x:y/z@1.0.0.{e}; f: func(); }", "x:y"),
            ("a.wit", "package a:b@1.0.0; world w {}", "no interface with functions"),
            ("a.wit", "", "package"),
            ("a.json", r#"{"name": "a b", "version": "1.0.0"}"#, "its name"),
            (
                "a.json",
                r#"{"name": "a", "version": "1.0.0", "actions": [{"name": "b"}, {"name": "b"}]}"#,
                "`b` stands there twice",
            ),
            ("a.json", r#"{"name": "a", "version": "1.0.0", "actions": [{"name": "b", "ask": {}}]}"#, "no `output`"),
            (
                "a.json",
                r#"{"name": "a", "version": "1.0.0", "actions": [{"name": "b", "input": {"type": 7}}]}"#,
                "schema",
            ),
            ("a.wit", "package a:b@1.0.0; interface c { d-e: func(); d-e: func(); }", "a.wit"),
        ] {
            let message = of(file, text);
            assert!(message.contains(part), "{part}: {message}");
        }
        let large = " ".repeat(defaults::MANIFEST_SIZE + 1);
        assert_eq!(read("a.wit", &large).unwrap_err().code(), Code::LimitExceeded);
    }
}
