//! The parts of the web's globals that are Rust: text encodings and addresses.

use std::sync::Arc;

use rquickjs::function::Opt;
use rquickjs::{Array, Ctx, Function, IntoJs, Object, Value};
use url::Url;
use url::quirks;

use crate::bytes;
use crate::inside::Inside;

/// Adds them to `native`.
pub(crate) fn add<'js>(ctx: &Ctx<'js>, inside: &Arc<Inside>, native: &Object<'js>) -> rquickjs::Result<()> {
    native.set(
        "encode",
        Function::new(ctx.clone(), |ctx: Ctx<'js>, text: String| bytes::array(&ctx, text.as_bytes()))?,
    )?;
    let own = Arc::clone(inside);
    native.set(
        "decode",
        Function::new(ctx.clone(), move |input: Value<'js>, encoding: String, fatal: bool| {
            bytes::copied(&own, &input).map(|bytes| decode(&bytes.unwrap_or_default(), &encoding, fatal))
        })?,
    )?;
    native.set(
        "url",
        Function::new(ctx.clone(), |url: String, base: Opt<Option<String>>| parse(&url, base.0.flatten()))?,
    )?;
    native.set(
        "urlWith",
        Function::new(ctx.clone(), |url: String, part: String, value: String| with_part(&url, &part, &value))?,
    )?;
    native.set("query", Function::new(ctx.clone(), |ctx: Ctx<'js>, text: String| query(&ctx, &text))?)?;
    native.set(
        "queryText",
        Function::new(ctx.clone(), |pairs: Vec<Vec<String>>| query_text(&pairs))
            .and_then(|function| function.into_js(ctx))?,
    )
}

/// Bytes as text; `None` when they are not text and that matters.
fn decode(bytes: &[u8], encoding: &str, fatal: bool) -> Option<String> {
    if encoding == "utf-8" {
        return if fatal {
            std::str::from_utf8(bytes).ok().map(str::to_owned)
        } else {
            Some(String::from_utf8_lossy(bytes).into_owned())
        };
    }
    let pair = |pair: &[u8]| {
        let pair: [u8; 2] = [pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0)];
        if encoding == "utf-16le" { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
    };
    let (whole, rest) = bytes.split_at(bytes.len() - bytes.len() % 2);
    let units: Vec<u16> = whole.chunks(2).map(pair).collect();
    if fatal && !rest.is_empty() {
        return None;
    }
    if fatal {
        return String::from_utf16(&units).ok();
    }
    let mut text = String::from_utf16_lossy(&units);
    if !rest.is_empty() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    Some(text)
}

/// The parts of an address, in the order that `prelude/url.js` names.
fn parse(url: &str, base: Option<String>) -> Option<Vec<String>> {
    let base = match base {
        Some(base) => Some(Url::parse(&base).ok()?),
        None => None,
    };
    Url::options().base_url(base.as_ref()).parse(url).ok().map(|url| parts(&url))
}

fn parts(url: &Url) -> Vec<String> {
    let parts: [&str; 10] = [
        quirks::href(url),
        quirks::protocol(url),
        quirks::username(url),
        quirks::password(url),
        quirks::host(url),
        quirks::hostname(url),
        quirks::port(url),
        quirks::pathname(url),
        quirks::search(url),
        quirks::hash(url),
    ];
    let mut all: Vec<String> = parts.into_iter().map(str::to_owned).collect();
    all.insert(1, quirks::origin(url));
    all
}

/// The parts of an address with one of them replaced; `None` where that cannot be.
fn with_part(url: &str, part: &str, value: &str) -> Option<Vec<String>> {
    let mut url = Url::parse(url).ok()?;
    match part {
        "href" => quirks::set_href(&mut url, value).ok()?,
        "protocol" => quirks::set_protocol(&mut url, value).ok()?,
        "username" => quirks::set_username(&mut url, value).ok()?,
        "password" => quirks::set_password(&mut url, value).ok()?,
        "host" => quirks::set_host(&mut url, value).ok()?,
        "hostname" => quirks::set_hostname(&mut url, value).ok()?,
        "port" => quirks::set_port(&mut url, value).ok()?,
        "pathname" => quirks::set_pathname(&mut url, value),
        "search" => quirks::set_search(&mut url, value),
        "hash" => quirks::set_hash(&mut url, value),
        _ => return None,
    }
    Some(parts(&url))
}

fn query<'js>(ctx: &Ctx<'js>, text: &str) -> rquickjs::Result<Array<'js>> {
    let pairs = Array::new(ctx.clone())?;
    for (at, (name, value)) in url::form_urlencoded::parse(text.as_bytes()).enumerate() {
        pairs.set(at, vec![name.into_owned(), value.into_owned()])?;
    }
    Ok(pairs)
}

fn query_text(pairs: &[Vec<String>]) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    for pair in pairs {
        if let [name, value] = pair.as_slice() {
            text.append_pair(name, value);
        }
    }
    text.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_replaced_or_refused() {
        assert_eq!(decode(b"a\xffb", "utf-8", false).unwrap(), "a\u{fffd}b");
        assert_eq!(decode(b"a\xffb", "utf-8", true), None);
        assert_eq!(decode(&[0x61, 0, 0x3d, 0xd8, 0, 0xde], "utf-16le", true).unwrap(), "a😀");
        assert_eq!(decode(&[0x61, 0, 7], "utf-16le", true), None);
        assert_eq!(decode(&[0, 0x61, 7], "utf-16be", false).unwrap(), "a\u{fffd}");
    }

    #[test]
    fn addresses_are_taken_apart_and_put_together() {
        let parts = parse("../b?q=1#f", Some("http://u:p@example.org:8080/x/a".into())).unwrap();
        assert_eq!(parts[0], "http://u:p@example.org:8080/b?q=1#f");
        assert_eq!(parts[1], "http://example.org:8080");
        assert_eq!(with_part(&parts[0], "port", "80").unwrap()[0], "http://u:p@example.org/b?q=1#f");
        assert_eq!(parse("nowhere", None), None);
    }
}
