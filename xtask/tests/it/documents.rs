//! What the documents say is there, and what they print compiles.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use xtask::lint::{self, SourceFile};
use xtask::workspace;

fn root() -> PathBuf {
    workspace::root().expect("this runs inside the workspace")
}

fn documents() -> Vec<SourceFile> {
    let files = lint::files(&root()).expect("git lists the files");
    files.into_iter().filter(|file| file.has_extension("md") && !file.path.starts_with("examples/samples/")).collect()
}

/// The targets of `[text](target)` outside code blocks.
fn links(text: &str) -> Vec<String> {
    let outside_code: String = text.split("```").step_by(2).collect();
    let targets = outside_code.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.to_owned()).collect()
}

#[test]
fn every_relative_link_in_a_document_leads_somewhere() {
    let root = root();
    let mut broken = Vec::new();
    for document in documents() {
        let folder = root.join(&document.path).parent().map(Path::to_path_buf).unwrap_or_default();
        for link in links(&document.text()) {
            let file = link.split('#').next().unwrap_or_default();
            if !file.is_empty() && !link.contains("://") && !folder.join(file).exists() {
                broken.push(format!("{}: {link}", document.path));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn every_path_on_the_map_exists() {
    let root = root();
    let map = std::fs::read_to_string(root.join("ARCHITECTURE.md")).expect("there is a map");
    let quoted = map.split('`').skip(1).step_by(2);
    let paths: Vec<&str> = quoted.filter(|text| text.contains('/') && !text.contains(' ')).collect();
    assert!(paths.len() > 20, "the map names only {} paths", paths.len());
    let missing: Vec<&&str> = paths.iter().filter(|path| !root.join(path).exists()).collect();
    assert!(missing.is_empty(), "the map names what is not there: {missing:?}");
}

#[test]
fn every_c_plugin_printed_in_a_document_compiles_without_warnings() {
    let mut seen = 0;
    for document in documents() {
        for block in document.text().split("```c\n").skip(1) {
            let code = block.split("```").next().unwrap_or_default();
            if code.contains("#include") {
                seen += 1;
                compile(&document.path, code);
            }
        }
    }
    assert!(seen > 0, "no document prints a C plugin");
}

fn compile(document: &str, code: &str) {
    let mut cc = Command::new("cc");
    cc.args([
        "-std=c99",
        "-pedantic",
        "-Wall",
        "-Werror",
        "-fsyntax-only",
        "-I",
        "contract",
        "-I",
        "sdk/c",
        "-xc",
        "-",
    ]);
    let mut child = cc.current_dir(root()).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("cc starts");
    child.stdin.take().expect("its input is piped").write_all(code.as_bytes()).expect("cc reads");
    let output = child.wait_with_output().expect("cc ends");
    assert!(output.status.success(), "{document}:\n{}", String::from_utf8_lossy(&output.stderr));
}
