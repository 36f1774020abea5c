//! What is asked next when an answer says: elsewhere.

use hyper::header::{self, HeaderMap, HeaderName};
use hyper::{Method, StatusCode};
use midplane_contract::Result;

use crate::outgoing::Outgoing;
use crate::target::Target;

/// What may go along to another origin: what the answer should be like, and nothing that could say who asks.
const HARMLESS: &[HeaderName] = &[
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_TYPE,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::RANGE,
    header::USER_AGENT,
];

/// Headers of a body that is not sent any longer.
const OF_BODY: &[HeaderName] =
    &[header::CONTENT_ENCODING, header::CONTENT_LANGUAGE, header::CONTENT_LOCATION, header::CONTENT_TYPE];

/// Where to go next, with what; `None` when this answer is the last. After the fetch standard of WHATWG, but that to
/// another origin only harmless headers go along.
///
/// # Errors
/// `protocol_error` when it leads to what cannot be asked for.
pub(crate) fn next(
    at: &Target,
    outgoing: &Outgoing,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Option<(Target, Outgoing)>> {
    let drops_body = match status.as_u16() {
        301 | 302 => outgoing.method == Method::POST,
        303 => outgoing.method != Method::GET && outgoing.method != Method::HEAD,
        307 | 308 => false,
        _ => return Ok(None),
    };
    let Some(location) = headers.get(header::LOCATION) else { return Ok(None) };
    let target = at.join(&String::from_utf8_lossy(location.as_bytes()))?;
    let mut outgoing = outgoing.clone();
    if drops_body {
        outgoing.method = Method::GET;
        outgoing.body = hyper::body::Bytes::new();
        OF_BODY.iter().for_each(|name| drop(outgoing.headers.remove(name)));
    }
    if !target.same_origin(at) {
        outgoing.headers = HARMLESS
            .iter()
            .flat_map(|name| outgoing.headers.get_all(name).iter().map(move |value| (name.clone(), value.clone())))
            .collect();
    }
    Ok(Some((target, outgoing)))
}

#[cfg(test)]
mod tests {
    use hyper::body::Bytes;

    use super::*;

    fn follow(method: Method, status: u16, location: &str) -> Option<(Target, Outgoing)> {
        let mut headers = HeaderMap::new();
        for name in ["authorization", "cookie", "x-api-key", "content-type", "accept"] {
            headers.insert(name, "a".parse().unwrap());
        }
        let outgoing = Outgoing { method, headers, body: Bytes::from_static(b"body") };
        let mut answer = HeaderMap::new();
        answer.insert(header::LOCATION, location.parse().unwrap());
        let status = StatusCode::from_u16(status).unwrap();
        next(&Target::parse("https://a.test/p").unwrap(), &outgoing, status, &answer).unwrap()
    }

    #[test]
    fn to_another_origin_go_only_harmless_headers() {
        for elsewhere in ["https://b.test/", "http://a.test/", "https://a.test:444/"] {
            let (_, outgoing) = follow(Method::GET, 302, elsewhere).unwrap();
            let names: Vec<_> = outgoing.headers.keys().map(HeaderName::as_str).collect();
            assert_eq!(names, ["accept", "content-type"], "{elsewhere}");
        }
        assert_eq!(follow(Method::GET, 302, "/other").unwrap().1.headers.len(), 5);
    }

    #[test]
    fn the_method_and_body_follow_the_standard() {
        let of = |method, status| {
            let (_, outgoing) = follow(method, status, "/x").unwrap();
            (outgoing.method.to_string(), outgoing.body.len())
        };
        assert_eq!(of(Method::POST, 302), ("GET".to_owned(), 0));
        assert_eq!(of(Method::PUT, 302), ("PUT".to_owned(), 4));
        assert_eq!(of(Method::PUT, 303), ("GET".to_owned(), 0));
        assert_eq!(of(Method::HEAD, 303), ("HEAD".to_owned(), 4));
        assert_eq!(of(Method::POST, 308), ("POST".to_owned(), 4));
        assert!(follow(Method::GET, 304, "/x").is_none());
        assert!(follow(Method::GET, 200, "/x").is_none());
    }
}
