//! What to do about a text that is no YAML, where its indentation tells.

/// The remedy for an error that was found at a line, from 1: a line that is indented deeper than the one before it,
/// though that one holds a value already, was meant to be beside it.
pub(super) fn remedy(text: &str, line: usize) -> Option<String> {
    let mut lines = text.lines().enumerate().take(line).collect::<Vec<_>>();
    let (_, wrong) = lines.pop()?;
    let told = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let (number, before) = lines.into_iter().rev().find(|(_, line)| told(line))?;
    let depth = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let (wrong, before) = (depth(wrong), depth(before));
    let spaces = |depth: usize| if depth == 1 { "1 space".to_owned() } else { format!("{depth} spaces") };
    (wrong > before).then(|| {
        let number = number + 1;
        format!("line {line} begins with {}, line {number} with {}: indent both alike", spaces(wrong), spaces(before))
    })
}
