//! `midplane new`: a plugin to begin with.

mod kit;
mod machine;
mod place;
mod sdk;
mod template;

use std::path::{Path, PathBuf};

use midplane::PluginId;
use serde_json::json;

use self::kit::Kit;
use self::machine::{Machine, Missing};
use self::place::Place;
use crate::args::{Language, New};
use crate::exit::{Exit, Outcome, Stop};
use crate::notice;
use crate::output::Output;

/// Writes the project, and says what to type next.
pub(super) fn new(new: &New, output: Output) -> Outcome<Exit> {
    let id = PluginId::new(&new.name).map_err(|error| {
        Stop::usage(error.to_string(), format!("`{}` would do; it is the plugin's id and its folder", near(&new.name)))
    })?;
    let parent = new.dir.clone().unwrap_or_else(|| PathBuf::from("."));
    let place = Place::free(&parent, id.as_str())?;
    let machine = Machine::seen_from(&parent);
    let (kit, why) = chosen(new.lang, &machine);
    let files = template::files(kit, id.as_str());
    let folder = if new.dir.is_some() { place.folder().to_path_buf() } else { PathBuf::from(id.as_str()) };
    place.fill(&files)?;
    let missing = machine.missing(kit);
    if output.is_json() {
        output.json(&json!({
            "plugin": id,
            "language": kit.language(),
            "because": why,
            "runtime": kit.runtime(),
            "folder": folder,
            "source": kit.source(),
            "files": files.iter().map(|(path, _)| path).collect::<Vec<_>>(),
            "build": kit.build(),
            "commands": template::commands(kit, id.as_str()),
            "missing": missing,
        }))?;
        return Ok(Exit::Done);
    }
    output.text(&notice::tidy(&told(kit, &id, &folder)))?;
    if let Some(why) = why {
        notice::say(&format!("written in {}: {why}", kit.language()));
    }
    missing.iter().for_each(tell);
    if kit.build().is_some_and(|build| build.starts_with("cargo")) && std::env::var_os("CARGO_TARGET_DIR").is_some() {
        notice::say(
            "CARGO_TARGET_DIR is set, and plugin.yaml looks in target/: add `--target-dir target` to the build",
        );
    }
    Ok(Exit::Done)
}

/// The kit, and why it is that one where the language leaves a choice.
fn chosen(language: Language, machine: &Machine) -> (Kit, Option<String>) {
    let kit = match language {
        Language::Wasm => {
            let (kit, why) = machine.wasm();
            return (kit, Some(why));
        }
        Language::Rust => Kit::Rust,
        Language::C => Kit::C,
        Language::Js => Kit::Js,
        Language::Ts => Kit::Ts,
        Language::Python => Kit::Python,
        Language::Go => Kit::Go,
        Language::Shell => Kit::Shell,
    };
    (kit, None)
}

fn told(kit: Kit, id: &PluginId, folder: &Path) -> String {
    let commands = template::commands(kit, id.as_str()).join("\n  ");
    format!(
        "{} is a plugin in {}. Next:\n\n  cd {}\n  {commands}\n\nThen change {}; tests/greet.yaml says what it should answer.\n",
        folder.display(),
        kit.language(),
        quoted(&folder.display().to_string()),
        kit.source(),
    )
}

fn tell(missing: &Missing) {
    notice::say(&format!("missing here: {}; {}", missing.program, missing.remedy));
}

/// The nearest valid id: what is written, as far as an id may have it.
fn near(written: &str) -> String {
    // Of a path its last part.
    let last = written.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let kept = last.chars().flat_map(char::to_lowercase).map(|c| {
        let valid = c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        if valid { c } else { '-' }
    });
    let mut id = String::new();
    for c in kept {
        if !(c == '-' && id.ends_with('-')) {
            id.push(c);
        }
    }
    let edge = |c: char| !c.is_ascii_alphanumeric();
    let id: String = id.trim_start_matches(edge).chars().take(128).collect();
    let id = id.trim_end_matches(edge);
    if id.is_empty() { "my-plugin".to_owned() } else { id.to_owned() }
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "._-/".contains(c);
    if path.chars().all(plain) && !path.starts_with('-') {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_id_is_always_a_valid_one() {
        let table = [
            ("My Plugin", "my-plugin"),
            ("plugins/Greeter/", "greeter"),
            ("-_x_-", "x"),
            ("Überraschung!", "berraschung"),
            ("…", "my-plugin"),
            ("", "my-plugin"),
        ];
        for (written, expected) in table {
            assert_eq!(near(written), expected);
        }
        for written in [&"é".repeat(300), &format!("{}-", "a".repeat(127)), &"x -".repeat(90)] {
            assert!(PluginId::new(near(written)).is_ok(), "{written}");
        }
    }

    #[test]
    fn paths_can_be_pasted_into_a_shell() {
        assert_eq!(quoted("a/b-c.d"), "a/b-c.d");
        assert_eq!(quoted("a b's"), r"'a b'\''s'");
    }
}
