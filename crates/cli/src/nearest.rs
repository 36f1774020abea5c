//! What a name that nobody knows was probably meant to be.

/// Names shown at most.
const SHOWN: usize = 3;

/// The nearest of the known names, best first; empty when none is near.
pub(crate) fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let written = written.to_lowercase();
    let distance = |name: &str| strsim::osa_distance(&written, &name.to_lowercase());
    let mut near: Vec<(usize, &str)> = known
        .map(|name| (distance(name), name))
        .filter(|(distance, name)| {
            let part = written.len() >= 3 && (name.contains(&written) || written.contains(name));
            part || *distance <= name.chars().count().div_ceil(3)
        })
        .collect();
    near.sort_unstable();
    near.into_iter().take(SHOWN).map(|(_, name)| name).collect()
}

/// A remedy: the nearest names, or all of them where none is near and they are few.
pub(crate) fn did_you_mean<'a>(written: &str, known: impl Iterator<Item = &'a str> + Clone, what: &str) -> String {
    let near = nearest(written, known.clone());
    if !near.is_empty() {
        return format!("did you mean {}?", near.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "));
    }
    let all: Vec<&str> = known.collect();
    match all.len() {
        0 => format!("there are no {what}"),
        1..=12 => format!("the {what} are: {}", all.join(", ")),
        many => format!("there are {many} {what}; `midplane list` shows them"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["markdown", "text-stats", "thumbnailer", "audio"];

    #[test]
    fn the_nearest_come_first() {
        assert_eq!(nearest("markdwon", KNOWN.into_iter()), ["markdown"]);
        assert_eq!(nearest("text_stats", KNOWN.into_iter()), ["text-stats"]);
        assert_eq!(nearest("stats", KNOWN.into_iter()), ["text-stats"]);
        assert!(nearest("zzz", KNOWN.into_iter()).is_empty());
    }

    #[test]
    fn without_a_near_one_all_are_named() {
        assert_eq!(did_you_mean("zzz", ["audio", "b"].into_iter(), "plugins"), "the plugins are: audio, b");
        assert_eq!(did_you_mean("zzz", [].into_iter(), "plugins"), "there are no plugins");
    }
}
