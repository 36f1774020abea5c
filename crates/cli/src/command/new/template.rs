//! The files of a new project. Nothing here touches the disk.

use std::borrow::Cow;

use super::kit::{Kit, Template};

/// A file: its path in the project's folder, and its content.
pub(super) type File = (String, Cow<'static, [u8]>);

const SHARED: &[Template] = &[
    ("plugin.yaml", include_str!("../../../templates/plugin.yaml")),
    ("README.md", include_str!("../../../templates/README.md")),
    ("tests/greet.yaml", include_str!("../../../templates/greet.yaml")),
];

/// Where a project keeps what came with `midplane new`.
const SDK: &str = ".midplane/sdk";

/// Every file of a project with this id, which must be a valid one.
pub(super) fn files(kit: Kit, id: &str) -> Vec<File> {
    let words = words(kit, id);
    let texts = SHARED.iter().chain(kit.templates());
    let texts = texts.map(|(path, text)| ((*path).to_owned(), Cow::Owned(filled(text, &words).into_bytes())));
    let sdk = kit.sdk().iter().map(|(path, content)| (format!("{SDK}/{path}"), Cow::Borrowed(*content)));
    let ignored = (".gitignore".to_owned(), Cow::Owned(kit.ignored().into_bytes()));
    texts.chain([ignored]).chain(sdk).collect()
}

/// What is typed in the project's folder, in order: the build if there is one, the test, a call.
pub(super) fn commands(kit: Kit, id: &str) -> Vec<String> {
    let call = format!(r#"midplane run . --call {id}/greet --input '{{"name":"x"}}'"#);
    kit.build().into_iter().chain(["midplane test .".to_owned(), call]).collect()
}

fn words(kit: Kit, id: &str) -> [(&'static str, String); 11] {
    [
        ("id", id.to_owned()),
        ("yaml id", yaml(id)),
        // Of the characters of an id, a package's name may have all but the dot.
        ("crate", id.replace('.', "-")),
        ("runtime", kit.runtime().to_owned()),
        ("main", kit.main()),
        // Shown by every error that is about this line, a missing file among them.
        ("built", kit.build().map(|command| format!(" # {command}")).unwrap_or_default()),
        ("source", kit.source().to_owned()),
        ("commands", commands(kit, id).join("\n")),
        ("note", note(kit)),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        // Libraries for WebAssembly came with 1.24.
        ("go", if kit == Kit::WasmGo { "1.24" } else { "1.22" }.to_owned()),
    ]
}

/// What a project's README says behind the commands.
fn note(kit: Kit) -> String {
    let text = match kit {
        Kit::Rust | Kit::WasmRust(_) | Kit::C | Kit::Go | Kit::WasmGo => {
            "The first command builds it; again after every change. `.midplane` holds the SDK, and is best left as it is."
        }
        Kit::Js => "There is nothing to build.",
        Kit::Ts => {
            "There is nothing to build: types are stripped when it is loaded. `.midplane` holds them for editors."
        }
        Kit::Python => {
            "There is nothing to build. Packages that `requirements.txt` names are installed when it is first loaded."
        }
        Kit::Shell => "There is nothing to build.",
    };
    format!("\n{text}\n")
}

/// An id in YAML, which would read some of them as numbers or truths.
fn yaml(id: &str) -> String {
    let word = matches!(id, "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n");
    let plain = id.starts_with(|c: char| c.is_ascii_lowercase()) && !word;
    if plain { id.to_owned() } else { format!("\"{id}\"") }
}

fn filled(text: &str, words: &[(&str, String)]) -> String {
    let mut text = text.to_owned();
    for (word, value) in words {
        text = text.replace(&format!("{{{{{word}}}}}"), value);
    }
    // A note ends its line itself.
    format!("{}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(files: &[File], path: &str) -> String {
        let (_, content) = files.iter().find(|(one, _)| one == path).unwrap_or_else(|| panic!("no {path}"));
        String::from_utf8(content.to_vec()).unwrap()
    }

    #[test]
    fn every_project_has_what_a_project_needs_and_no_word_is_left_open() {
        for kit in Kit::ALL {
            let files = files(kit, "a.greeter-1");
            for path in ["plugin.yaml", "README.md", "tests/greet.yaml", ".gitignore", kit.source()] {
                assert!(!text(&files, path).is_empty(), "{kit:?}: {path}");
            }
            for (path, content) in files.iter().filter(|(path, _)| !path.starts_with(".midplane/sdk/")) {
                let content = String::from_utf8_lossy(content);
                let open = |rest: &str| {
                    rest.split_once("}}")
                        .is_some_and(|(word, _)| word.chars().all(|c| c.is_ascii_lowercase() || c == ' '))
                };
                assert!(!content.split("{{").skip(1).any(open), "{kit:?}: {path}");
            }
            let readme = text(&files, "README.md");
            assert!(commands(kit, "a.greeter-1").iter().all(|command| readme.contains(command)), "{readme}");
        }
    }

    #[test]
    fn no_path_is_named_twice_or_leaves_the_folder() {
        for kit in Kit::ALL {
            let files = files(kit, "greeter");
            let mut paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
            paths.sort_unstable();
            assert!(paths.windows(2).all(|pair| pair[0] != pair[1]), "{paths:?}");
            assert!(paths.iter().all(|path| !path.starts_with('/') && !path.contains("..")), "{paths:?}");
        }
    }

    #[test]
    fn ids_that_yaml_takes_for_something_else_are_quoted() {
        for quoted in ["1.0", "7", "true", "null", "1e5", "0x7", "no"] {
            assert_eq!(yaml(quoted), format!("\"{quoted}\""));
        }
        assert_eq!(yaml("video-card.plugin_2"), "video-card.plugin_2");
    }

    #[test]
    fn an_interpreted_language_is_not_built() {
        for kit in [Kit::Js, Kit::Ts, Kit::Python, Kit::Shell] {
            assert_eq!((kit.build(), kit.main().as_str()), (None, kit.source()));
        }
    }
}
