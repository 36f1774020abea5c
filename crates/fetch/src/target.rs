//! Which addresses can be asked for.

use midplane_contract::permission::PERMISSION_LENGTH;
use midplane_contract::{Code, Error, Result};
use midplane_kernel::fetch::Place;
use url::{Host, Origin, Url};

/// Longest address, in bytes: it has to fit into the question for permission.
const LENGTH: usize = PERMISSION_LENGTH - "network.http:".len();

/// An address that can be asked for: `http` or `https`, a host, no name or password in it, no fragment.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    url: Url,
    host: String,
    /// What logs and errors may hold: without the query.
    shown: String,
}

impl Target {
    /// Reads what a plugin wrote.
    ///
    /// # Errors
    /// `invalid_input` with what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if text.len() > LENGTH {
            return Err(too_long());
        }
        let url = Url::parse(text).map_err(|error| {
            refused("the address is none", "write http://HOST/PATH or https://HOST/PATH").caused_by(&error)
        })?;
        Self::of(url)
    }

    /// Where a redirect leads to, from here.
    ///
    /// # Errors
    /// `protocol_error` where that is nothing that can be asked for.
    pub(crate) fn join(&self, location: &str) -> Result<Self> {
        let read = || {
            if location.len() > LENGTH {
                return Err(too_long());
            }
            let joined = self.url.join(location);
            Self::of(joined.map_err(|error| refused("the address is none", "ask its operator").caused_by(&error))?)
        };
        read().map_err(|cause| {
            let message = format!("{} redirects to what cannot be asked for", self.shown);
            Error::new(Code::ProtocolError, message)
                .remedy("ask for the address that it should lead to")
                .because(&cause)
                .with("stage", "redirect")
        })
    }

    fn of(mut url: Url) -> Result<Self> {
        if !matches!(url.scheme(), "http" | "https") {
            let message = format!("addresses that begin with `{}:` cannot be fetched", url.scheme());
            return Err(refused(&message, "write http:// or https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("the address holds a user's name or password", "send an `authorization` header"));
        }
        url.set_fragment(None);
        if url.as_str().len() > LENGTH {
            return Err(too_long());
        }
        let host = url.host_str().filter(|host| !host.is_empty()).map(str::to_owned);
        let host = host.ok_or_else(|| refused("the address has no host", "write http://HOST/PATH"))?;
        let shown = format!("{}{}{}", origin(&url), url.path(), if url.query().is_some() { "?**" } else { "" });
        Ok(Self { url, host, shown })
    }

    /// What the gate is asked.
    pub(crate) fn place(&self) -> Place<'_> {
        Place { url: self.url.as_str(), host: &self.host, shown: &self.shown }
    }

    /// What logs and errors may hold.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Name or address of the machine.
    pub(crate) fn host(&self) -> Option<Host<&str>> {
        self.url.host()
    }

    /// Host and port as in a `host` header: the port only where it is not the scheme's own.
    pub(crate) fn authority(&self) -> String {
        self.url.port().map_or_else(|| self.host.clone(), |port| format!("{}:{port}", self.host))
    }

    pub(crate) fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(if self.is_secure() { 443 } else { 80 })
    }

    /// Path and query, as the first line of a request has them.
    pub(crate) fn path(&self) -> String {
        let query = self.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{}{query}", self.url.path())
    }

    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        self.origin() == other.origin()
    }

    fn origin(&self) -> Origin {
        self.url.origin()
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn too_long() -> Error {
    refused(&format!("the address has more than {LENGTH} bytes"), "send the rest as the body of a POST")
}

fn refused(what: &str, remedy: &str) -> Error {
    Error::new(Code::InvalidInput, what).remedy(remedy).with("stage", "address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_the_gate_is_what_will_be_asked_for() {
        let of = |text: &str| Target::parse(text).unwrap().place().url.to_owned();
        assert_eq!(of("HTTP://EXAMPLE.com:80/a/%2e%2E/b?q#f"), "http://example.com/b?q");
        assert_eq!(of("https://evil.test#.example.com/"), "https://evil.test/");
        assert_eq!(of("http://0x7f.1/"), "http://127.0.0.1/");
        assert_eq!(of("http://evil.test\\.example.com/"), "http://evil.test/.example.com/");
    }

    #[test]
    fn other_schemes_and_users_are_refused() {
        for text in
            ["file:///etc/passwd", "ftp://a/", "data:,a", "/a", "http://", "http://user@a/", "http://:hidden@a/"]
        {
            let error = Target::parse(text).unwrap_err();
            assert_eq!(error.code(), Code::InvalidInput, "{text}");
            assert!(!error.to_string().contains("hidden"), "{error}");
        }
        assert!(Target::parse(&format!("http://a/{}", "a".repeat(5000))).is_err());
    }

    #[test]
    fn what_is_shown_has_no_query() {
        let target = Target::parse("https://a.test:444/p/q?key=secret#x").unwrap();
        assert_eq!(target.shown(), "https://a.test:444/p/q?**");
        assert_eq!((target.path().as_str(), target.authority().as_str()), ("/p/q?key=secret", "a.test:444"));
    }

    #[test]
    fn redirects_are_read_from_where_they_came() {
        let from = Target::parse("https://a.test/p/q").unwrap();
        assert_eq!(from.join("../x?y").unwrap().place().url, "https://a.test/x?y");
        assert!(!from.same_origin(&from.join("//b.test/").unwrap()));
        assert!(!from.same_origin(&from.join("http://a.test/").unwrap()));
        assert_eq!(from.join("file:///x").unwrap_err().code(), Code::ProtocolError);
    }
}
