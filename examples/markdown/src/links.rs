//! Which addresses a link or an image may have.

/// Schemes that a link may use. Everything else with a scheme is taken out: `javascript:`, `vbscript:`, `data:`, `file:`.
const LINK_SCHEMES: [&str; 5] = ["http", "https", "mailto", "tel", "ftp"];

/// Pictures that may stand inside an address: formats that cannot hold scripts (SVG can).
const INLINE_PICTURES: [&str; 4] = ["data:image/png", "data:image/gif", "data:image/jpeg", "data:image/webp"];

/// Whether following this address cannot run code in the page.
#[must_use]
pub(crate) fn is_safe_link(address: &str) -> bool {
    scheme(address).is_none_or(|scheme| LINK_SCHEMES.contains(&scheme.as_str()))
}

/// Whether showing a picture from this address cannot run code in the page.
#[must_use]
pub(crate) fn is_safe_picture(address: &str) -> bool {
    let address_lower = as_a_browser_reads(address).to_ascii_lowercase();
    is_safe_link(address) || INLINE_PICTURES.iter().any(|prefix| address_lower.starts_with(prefix))
}

/// The scheme in lower case; `None` for relative addresses. A colon after `/`, `?` or `#` does not end a scheme.
fn scheme(address: &str) -> Option<String> {
    let address = as_a_browser_reads(address);
    let end = address.find([':', '/', '?', '#'])?;
    let (scheme, rest) = address.split_at_checked(end)?;
    rest.starts_with(':').then(|| scheme.to_ascii_lowercase())
}

/// Browsers skip control characters and blanks when they look for the scheme (WHATWG URL, section 4.4): `java\tscript:`
/// is `javascript:` to them.
fn as_a_browser_reads(address: &str) -> String {
    address.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_addresses_are_safe() {
        for address in [
            "https://a.example/x?y=1:2#z",
            "HTTP://A",
            "mailto:a@b.example",
            "page.html",
            "../a:b/",
            "#top",
            "",
            "/x:y",
        ] {
            assert!(is_safe_link(address), "{address}");
        }
    }

    #[test]
    fn addresses_that_run_code_are_not() {
        for address in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            " javascript:alert(1)",
            "java\tscript:alert(1)",
            "java\nscript:alert(1)",
            "\u{1}javascript:alert(1)",
            "vbscript:x",
            "data:text/html,<script>1</script>",
            "file:///etc/passwd",
        ] {
            assert!(!is_safe_link(address), "{address:?}");
            assert!(!is_safe_picture(address), "{address:?}");
        }
    }

    #[test]
    fn pictures_may_be_inline_unless_they_can_hold_scripts() {
        assert!(is_safe_picture("data:image/png;base64,AAAA"));
        assert!(!is_safe_picture("data:image/svg+xml;base64,AAAA"));
        assert!(!is_safe_link("data:image/png;base64,AAAA"));
    }
}
