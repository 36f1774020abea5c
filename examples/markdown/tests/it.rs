//! Whole documents against what other programs make of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

use markdown::{Options, RawHtml, render};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(name)
}

/// Prints what a browser's parser sees of a page, by Python's standard library alone: one line for each tag with its
/// attributes and for each run of text, blanks squeezed.
const OUTLINE: &str = r#"
import html.parser, sys
class Outline(html.parser.HTMLParser):
    text = ""
    def flush(self):
        if self.text.split(): print("text", " ".join(self.text.split()))
        self.text = ""
    def handle_starttag(self, tag, attributes): self.flush(); print("open", tag, sorted(attributes))
    def handle_endtag(self, tag): self.flush(); print("close", tag)
    def handle_startendtag(self, tag, attributes): self.handle_starttag(tag, attributes)
    def handle_data(self, data): self.text += data
outline = Outline(convert_charrefs=True)
outline.feed(sys.stdin.read()); outline.close(); outline.flush()
"#;

fn outline(page: &str) -> Vec<String> {
    use std::io::Write as _;
    let mut python = Command::new("python3")
        .args(["-X", "utf8", "-c", OUTLINE])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("python3 is there");
    python.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// `commonmark.html` is what cmark, the reference implementation in C, makes of `commonmark.md`.
#[test]
fn a_commonmark_document_becomes_the_page_that_the_reference_implementation_makes() {
    let document = std::fs::read(sample("commonmark.md")).unwrap();
    let options = Options { no_heading_ids: true, raw_html: RawHtml::Allow, ..Options::default() };
    let ours = outline(&render(&document, options).unwrap());
    let theirs = outline(&std::fs::read_to_string(sample("commonmark.html")).unwrap());
    assert!(theirs.len() > 80, "{theirs:?}");
    assert_eq!(ours, theirs);
}

#[test]
fn a_guide_has_its_tables_tasks_and_footnotes() {
    let page = render(&std::fs::read(sample("guide.md")).unwrap(), Options::default()).unwrap();
    let outline = outline(&page);
    for line in [
        "open h1 [('id', 'midplane-in-one-page')]",
        "open h3 [('id', 'links--more')]",
        "open table []",
        "open th [('style', 'text-align: center')]",
        "open a [('href', 'https://example.org/guide?x=1&y=2'), ('title', 'a title')]",
        "open img [('alt', 'a picture'), ('src', 'picture.png')]",
        "open del []",
        "open code [('class', 'language-rust')]",
        "open a [('href', '#fn-note')]",
    ] {
        assert!(outline.iter().any(|seen| seen == line), "{line}\n{page}");
    }
}

/// What counts is what a browser sees: tags and attributes, not how the text is spelled.
#[test]
fn a_hostile_document_has_no_script_no_handler_and_no_address_that_runs_code() {
    let page = render(&std::fs::read(sample("hostile.md")).unwrap(), Options::default()).unwrap();
    for seen in outline(&page).iter().filter(|seen| seen.starts_with("open")) {
        let seen = seen.to_lowercase();
        assert!(!seen.starts_with("open script"), "{seen}\n{page}");
        assert!(!seen.contains("('on"), "{seen}\n{page}");
        for scheme in ["javascript:", "vbscript:", "data:"] {
            assert!(!seen.contains(&format!("'{scheme}")), "{seen}\n{page}");
        }
    }
}
