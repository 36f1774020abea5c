//! The web, through the host and its rules.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Context, reply_of};
use crate::{Error, Result};

/// What is sent to a web address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HttpRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// The whole address.
    pub url: String,
    /// Headers by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// At most 64 MiB.
    #[serde(skip)]
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: &str, url: &str) -> Self {
        Self { method: method.to_owned(), url: url.to_owned(), ..Self::default() }
    }

    /// `GET`s an address.
    #[must_use]
    pub fn get(url: &str) -> Self {
        Self::new("GET", url)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// What came back from a web address.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct HttpReply {
    /// The HTTP status, such as 200.
    pub status: u16,
    /// Names in lower case; one that came more than once is joined with `, `.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body as it came.
    #[serde(skip)]
    pub body: Vec<u8>,
}

impl HttpReply {
    /// The body as text; what is not UTF-8 becomes U+FFFD.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body, read as JSON. An empty one reads as `null`.
    ///
    /// # Errors
    /// `invalid_reply` for a body that does not fit.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        reply_of("a web address", &self.body)
    }
}

/// The web.
impl Context<'_> {
    /// What a web address answers, whatever its status.
    ///
    /// # Errors
    /// What the host answers: `permission_denied` for an address that is not granted, `deadline_exceeded`, …
    pub fn http_fetch(&self, request: &HttpRequest) -> Result<HttpReply> {
        let mut body = self.host("http.fetch", &json!(request), &request.body)?;
        let end = body.iter().position(|byte| *byte == b'\n').unwrap_or(body.len());
        let rest = body.split_off(end);
        let mut reply: HttpReply = serde_json::from_slice(&body).map_err(|error| {
            Error::new("protocol_error", format!("the host's answer to http.fetch does not fit: {error}"))
        })?;
        reply.body = rest.get(1..).unwrap_or_default().to_vec();
        Ok(reply)
    }
}
