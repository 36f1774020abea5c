//! JUnit XML, as Jenkins and most build servers read it: <https://github.com/testmoapp/junitxml>.

use std::fmt::Write;

use super::report::Report;
use super::verdict::{Outcome, Verdict};

/// The whole document.
pub(super) fn write(report: &Report) -> String {
    let mut groups: Vec<&str> = Vec::new();
    for verdict in &report.verdicts {
        if !groups.contains(&verdict.group.as_str()) {
            groups.push(&verdict.group);
        }
    }
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
    attribute(&mut xml, "name", &report.title());
    numbers(&mut xml, &report.verdicts.iter().collect::<Vec<_>>(), report.took_ms);
    xml.push_str(">\n");
    for group in groups {
        let verdicts: Vec<&Verdict> = report.verdicts.iter().filter(|verdict| verdict.group == group).collect();
        suite(&mut xml, report, group, &verdicts);
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn suite(xml: &mut String, report: &Report, group: &str, verdicts: &[&Verdict]) {
    xml.push_str("  <testsuite");
    attribute(xml, "name", group);
    numbers(xml, verdicts, verdicts.iter().map(|verdict| verdict.took_ms).sum());
    xml.push_str(">\n");
    verdicts.iter().for_each(|verdict| case(xml, report, verdict));
    xml.push_str("  </testsuite>\n");
}

fn case(xml: &mut String, report: &Report, verdict: &Verdict) {
    xml.push_str("    <testcase");
    attribute(xml, "name", &verdict.name);
    attribute(xml, "classname", &format!("{}.{}", report.plugin, verdict.group));
    if let Some(line) = verdict.line {
        attribute(xml, "file", &verdict.group);
        attribute(xml, "line", &line.to_string());
    }
    attribute(xml, "time", &seconds(verdict.took_ms));
    let mut inside = String::new();
    match &verdict.outcome {
        Outcome::Passed => {}
        Outcome::Failed(failure) => {
            inside.push_str("      <failure");
            attribute(&mut inside, "message", failure.reason.lines().next().unwrap_or_default());
            attribute(&mut inside, "type", failure.kind.as_str());
            inside.push('>');
            escape(&mut inside, &failure.text(), false);
            inside.push_str("</failure>\n");
        }
        Outcome::Skipped { reason } => {
            inside.push_str("      <skipped");
            attribute(&mut inside, "message", reason);
            inside.push_str("/>\n");
        }
    }
    if !verdict.notes.is_empty() {
        inside.push_str("      <system-out>");
        escape(&mut inside, &verdict.notes.join("\n"), false);
        inside.push_str("</system-out>\n");
    }
    match inside.is_empty() {
        true => xml.push_str("/>\n"),
        false => xml.push_str(&format!(">\n{inside}    </testcase>\n")),
    }
}

fn numbers(xml: &mut String, verdicts: &[&Verdict], millis: f64) {
    let count = |wanted: fn(&Outcome) -> bool| verdicts.iter().filter(|verdict| wanted(&verdict.outcome)).count();
    attribute(xml, "tests", &verdicts.len().to_string());
    attribute(xml, "failures", &count(|outcome| matches!(outcome, Outcome::Failed(_))).to_string());
    attribute(xml, "errors", "0");
    attribute(xml, "skipped", &count(|outcome| matches!(outcome, Outcome::Skipped { .. })).to_string());
    attribute(xml, "time", &seconds(millis));
}

fn seconds(millis: f64) -> String {
    format!("{:.3}", millis / 1000.0)
}

fn attribute(xml: &mut String, name: &str, value: &str) {
    // Writing into a text does not fail.
    let _ = write!(xml, " {name}=\"");
    escape(xml, value, true);
    xml.push('"');
}

/// Characters that XML 1.0 §2.2 does not know give way to U+FFFD; those that mean something are written as references,
/// in attributes also those that a reader would make a space of (§3.3.3).
fn escape(xml: &mut String, text: &str, in_attribute: bool) {
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\r' => xml.push_str("&#13;"),
            '\n' if in_attribute => xml.push_str("&#10;"),
            '\t' if in_attribute => xml.push_str("&#9;"),
            '\n' | '\t' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => xml.push(c),
            _ => xml.push('\u{fffd}'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::verdict::{Failure, FailureKind};
    use super::*;

    const NASTY: &str = "a<b>&\"c'\u{1b}[2J\0 ]]>\r\n\tü\u{fffe} \u{1f600}";

    fn verdict(name: &str, outcome: Outcome) -> Verdict {
        let notes = vec![NASTY.to_owned()];
        Verdict {
            group: "tests/a.yaml".into(),
            name: name.into(),
            description: None,
            line: Some(7),
            outcome,
            notes,
            took_ms: 1500.0,
        }
    }

    fn report() -> Report {
        let failure = Failure::new(FailureKind::WrongAnswer, NASTY).instead("<1>", "2 && 3");
        let verdicts = vec![
            verdict("fine", Outcome::Passed),
            verdict(NASTY, Outcome::Failed(failure)),
            verdict("later", Outcome::Skipped { reason: NASTY.into() }),
        ];
        let (runtime, folder) = (None, "x".to_owned());
        let (plugin, version) = ("p".to_owned(), "1.0.0".to_owned());
        let counts = (0, 0, 0);
        Report {
            plugin,
            version,
            runtime,
            folder,
            passed: counts.0,
            failed: counts.1,
            skipped: counts.2,
            ended_early: false,
            took_ms: 3000.0,
            verdicts,
        }
        .count()
    }

    #[test]
    fn an_xml_parser_reads_what_was_written_whatever_is_in_it() {
        let xml = report().junit();
        let document = roxmltree::Document::parse(&xml).unwrap_or_else(|error| panic!("{error}: {xml}"));
        let root = document.root_element();
        assert_eq!(
            (root.attribute("tests"), root.attribute("failures"), root.attribute("skipped")),
            (Some("3"), Some("1"), Some("1"))
        );
        let cases: Vec<_> = root.descendants().filter(|node| node.has_tag_name("testcase")).collect();
        let plain = |c: char| if matches!(c, '\u{1b}' | '\0' | '\u{fffe}') { '\u{fffd}' } else { c };
        let expected: String = NASTY.chars().map(plain).collect();
        assert_eq!(cases[1].attribute("name"), Some(expected.as_str()));
        let failure = cases[1].children().find(|node| node.has_tag_name("failure")).unwrap();
        assert_eq!(failure.attribute("type"), Some("wrong_answer"));
        assert!(failure.text().unwrap().contains("expected: <1>\ngot: 2 && 3"), "{:?}", failure.text());
        assert_eq!((cases[0].attribute("time"), cases[0].attribute("line")), (Some("1.500"), Some("7")));
        assert!(cases[2].children().any(|node| node.has_tag_name("skipped")));
    }
}
