//! Which web pages may connect. Browsers say the page's origin, whatever the page wants; programs say none.

/// Whether somebody with this `Origin` may connect. Compared without case: scheme and host have none.
pub(crate) fn is_allowed(origin: Option<&str>, allowed: &[String]) -> bool {
    let Some(origin) = origin else { return true };
    let plain = |text: &str| text.trim_end_matches('/').to_ascii_lowercase();
    allowed.iter().any(|known| plain(known) == plain(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_refused_unless_their_origin_is_listed() {
        let listed = ["https://tool.example".to_owned(), "http://localhost:8080/".to_owned()];
        assert!(is_allowed(None, &[]));
        assert!(!is_allowed(Some("https://tool.example"), &[]));
        assert!(is_allowed(Some("https://Tool.example"), &listed));
        assert!(is_allowed(Some("http://localhost:8080"), &listed));
        for other in ["http://tool.example", "https://tool.example.evil", "https://tool.example:444", "null", ""] {
            assert!(!is_allowed(Some(other), &listed), "{other}");
        }
    }
}
