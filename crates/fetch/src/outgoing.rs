//! What a request may hold.

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};
use midplane_contract::{Code, Error, Result};
use midplane_kernel::fetch::FetchRequest;

use crate::target::Target;

/// What stays the same over redirects, or changes with them.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: hyper::body::Bytes,
}

/// Headers that belong to a connection, or that follow from address and body.
const OURS: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl Outgoing {
    /// Checks what a plugin wrote.
    ///
    /// # Errors
    /// `invalid_input` with the method or header that cannot be sent; never with a value.
    pub(crate) fn new(request: &FetchRequest<'_>) -> Result<Self> {
        let method = Method::from_bytes(request.method.to_ascii_uppercase().as_bytes());
        let method = method.map_err(|_| refused("the method is no word".to_owned(), "write GET, POST, …"))?;
        if matches!(method.as_str(), "CONNECT" | "TRACE" | "TRACK") {
            return Err(refused(format!("the method {method} cannot be used"), "use another"));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let (name, value) = header(name, value, request.body.len())?;
            // One that follows from the body anyway.
            if name != header::CONTENT_LENGTH {
                headers.append(name, value);
            }
        }
        let standing = [(header::ACCEPT, "*/*"), (header::USER_AGENT, AGENT)];
        for (name, value) in standing {
            headers.entry(name).or_insert(HeaderValue::from_static(value));
        }
        Ok(Self { method, headers, body: hyper::body::Bytes::copy_from_slice(request.body) })
    }

    /// The request for one place.
    ///
    /// # Errors
    /// `invalid_input` for an address that HTTP cannot express.
    pub(crate) fn to(&self, target: &Target) -> Result<Request<http_body_util::Full<hyper::body::Bytes>>> {
        let unusable = || refused("the address cannot be asked for over HTTP".to_owned(), "write it percent-encoded");
        let mut request = Request::new(http_body_util::Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = target.path().parse::<Uri>().map_err(|error| unusable().caused_by(&error))?;
        *request.headers_mut() = self.headers.clone();
        let host = HeaderValue::from_str(&target.authority()).map_err(|_| unusable())?;
        request.headers_mut().insert(header::HOST, host);
        // A body that could be there and is not has a length all the same.
        if self.body.is_empty() && matches!(self.method, Method::POST | Method::PUT | Method::PATCH) {
            request.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        // Every connection carries one request.
        request.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        Ok(request)
    }
}

/// What the host says of itself where the plugin says nothing.
const AGENT: &str = concat!("midplane/", env!("CARGO_PKG_VERSION"));

fn header(name: &str, value: &str, body: usize) -> Result<(HeaderName, HeaderValue)> {
    let word = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
        refused(format!("`{}` is no name of a header", name.escape_debug()), "use letters, digits and -")
    })?;
    if word == header::CONTENT_LENGTH && value.parse() == Ok(body) {
        return Ok((word, HeaderValue::from(body)));
    }
    if OURS.contains(&word.as_str()) {
        return Err(refused(format!("the header `{word}` is the host's to set"), "leave it out"));
    }
    let value = HeaderValue::from_str(value).map_err(|_| {
        let message = format!("the value of the header `{word}` holds what a header cannot");
        refused(message, "use printable ASCII, and encode the rest")
    })?;
    Ok((word, value))
}

fn refused(message: String, remedy: &str) -> Error {
    Error::new(Code::InvalidInput, message).remedy(remedy).with("stage", "request")
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use midplane_kernel::fetch::Stop;

    use super::*;

    fn of(method: &'static str, headers: Vec<(&'static str, &'static str)>) -> Result<Outgoing> {
        Outgoing::new(&FetchRequest {
            method,
            url: "",
            headers,
            body: b"abc",
            cap: 0,
            deadline: Instant::now(),
            stop: Stop::never(),
        })
    }

    #[test]
    fn what_belongs_to_the_connection_cannot_be_set() {
        for name in ["Host", "connection", "Transfer-Encoding", "TE", "upgrade", "Proxy-Authorization", "expect"] {
            assert_eq!(of("GET", vec![(name, "a")]).unwrap_err().code(), Code::InvalidInput, "{name}");
        }
        assert!(of("GET", vec![("content-length", "4")]).is_err());
        assert!(of("POST", vec![("content-length", "3")]).is_ok());
    }

    #[test]
    fn no_name_and_no_value_can_break_out_of_its_line() {
        for (name, value) in [("a b", "c"), ("a\r\nb", "c"), ("", "c"), ("a", "secret\r\nhost: d"), ("a", "secret\0")] {
            let error = of("GET", vec![(name, value)]).unwrap_err();
            assert!(!error.to_string().contains("secret") && !error.to_string().contains('\n'), "{error}");
        }
    }

    #[test]
    fn methods_are_words_and_do_not_open_tunnels() {
        for method in ["CONNECT", "trace", "TRACK", "a b", "GET / HTTP/1.1\r\n", ""] {
            assert!(of(method, Vec::new()).is_err(), "{method}");
        }
        assert_eq!(of("patch", Vec::new()).unwrap().method, Method::PATCH);
    }
}
