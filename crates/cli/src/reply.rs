//! What becomes of a reply: bytes to a pipe, text to a terminal, a file, or a part of the JSON document.

mod sort;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine as _;
use midplane::contract::defaults;
use midplane::{Action, CallOptions, Code, Error};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::command::lost_thread;
use crate::exit::{Outcome, Stop};
use crate::interrupt::Interrupt;
use crate::notice;
use crate::output::Output;
use crate::save::Save;

/// A reply in the JSON document.
#[derive(Debug, Serialize)]
pub(crate) struct Reply {
    /// Its bytes.
    size: u64,
    /// Milliseconds from the call to the last byte.
    took_ms: f64,
    /// How `content` holds the bytes: `json`, `text` or `base64`; absent where a file does.
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Content>,
    /// The file that holds the bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    saved: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Content {
    /// Kept as the plugin wrote it: no digit of a large number is lost.
    Json(Box<RawValue>),
    Text(String),
}

/// A call and the place its reply goes to.
pub(crate) struct Delivery<'a> {
    pub(crate) output: Output,
    pub(crate) save: Option<&'a Path>,
    pub(crate) interrupt: &'a Interrupt,
}

impl Delivery<'_> {
    /// Calls, and delivers the reply; what JSON output needs of it comes back. Where chunks go straight on (a pipe, a
    /// file) no more than a few of them are held at once.
    ///
    /// # Errors
    /// The call's, and what goes wrong with writing. A saved file is then as it was; a pipe may have got a part.
    pub(crate) async fn call(&self, action: &Action, input: Vec<u8>, deadline: Option<Duration>) -> Outcome<Reply> {
        let options = deadline.map_or_else(CallOptions::default, CallOptions::within);
        let began = Instant::now();
        // A place that cannot be written shows before the plugin has done its work.
        let mut sink = Sink::open(self)?;
        let mut stream = self.interrupt.or(action.stream(input, options)).await??;
        let mut size = 0;
        while let Some(chunk) = self.interrupt.or(stream.next()).await? {
            let chunk = chunk?;
            size += chunk.len() as u64;
            // A pipe may be full for long: Ctrl-C is to be heard meanwhile.
            let written = tokio::task::spawn_blocking(move || sink.take(chunk));
            sink = self.interrupt.or(written).await?.map_err(lost_thread)??;
        }
        let took_ms = (began.elapsed().as_secs_f64() * 1e6).round() / 1e3;
        sink.finish(self.output, size, took_ms)
    }
}

/// Where the chunks go.
enum Sink {
    Pipe(Output),
    File(Save, PathBuf),
    /// Gathered, for a terminal or for JSON.
    Whole(Vec<u8>),
}

impl Sink {
    fn open(delivery: &Delivery<'_>) -> Outcome<Self> {
        match delivery.save {
            Some(path) => Ok(Self::File(Save::begin(path)?, path.to_path_buf())),
            None if delivery.output.is_json() || delivery.output.is_terminal() => Ok(Self::Whole(Vec::new())),
            None => Ok(Self::Pipe(delivery.output)),
        }
    }

    fn take(mut self, chunk: Vec<u8>) -> Outcome<Self> {
        match &mut self {
            Self::Pipe(output) => output.bytes(&chunk)?,
            Self::File(save, _) => save.write(&chunk)?,
            Self::Whole(whole) if whole.len() + chunk.len() > defaults::PAYLOAD_CAP => return Err(too_large()),
            Self::Whole(whole) => whole.extend_from_slice(&chunk),
        }
        Ok(self)
    }

    fn finish(self, output: Output, size: u64, took_ms: f64) -> Outcome<Reply> {
        let mut reply = Reply { size, took_ms, encoding: None, content: None, saved: None };
        match self {
            Self::Pipe(_) => {}
            Self::File(save, path) => {
                save.finish()?;
                notice::say(&format!("saved {size} bytes to {}", path.display()));
                reply.saved = Some(path.display().to_string());
            }
            Self::Whole(whole) if output.is_json() => {
                let (encoding, content) = encode(whole);
                (reply.encoding, reply.content) = (Some(encoding), Some(content));
            }
            Self::Whole(whole) => show(&whole, output)?,
        }
        Ok(reply)
    }
}

fn too_large() -> Stop {
    let most = defaults::PAYLOAD_CAP;
    Error::new(Code::LimitExceeded, format!("the reply has more than {most} bytes, too many to be shown"))
        .remedy("write it to a file with --save FILE, or to a pipe without --output json")
        .with("which", "payload")
        .with("limit", most as u64)
        .into()
}

/// JSON where it is JSON, text where it is text, otherwise base64.
fn encode(bytes: Vec<u8>) -> (&'static str, Content) {
    match String::from_utf8(bytes) {
        Ok(text) => match serde_json::from_str::<Value>(&text).and_then(|_| RawValue::from_string(text.clone())) {
            Ok(json) => ("json", Content::Json(json)),
            Err(_) => ("text", Content::Text(text)),
        },
        Err(binary) => ("base64", Content::Text(base64::engine::general_purpose::STANDARD.encode(binary.as_bytes()))),
    }
}

/// Text as it is; of anything else only what it is, since raw bytes upset a terminal.
fn show(bytes: &[u8], output: Output) -> Outcome<()> {
    match std::str::from_utf8(bytes) {
        _ if bytes.is_empty() => {
            notice::say("the reply is empty");
            Ok(())
        }
        Ok(text) if is_plain(text) => output.text(text),
        _ => {
            let message = format!("{}, {} bytes: not shown on a terminal", sort::of(bytes), bytes.len());
            output.text(&format!("{message}; --save FILE writes it to a file, and a pipe gets it as it is"))
        }
    }
}

fn is_plain(text: &str) -> bool {
    !text.replace("\r\n", "\n").chars().any(|c| c.is_control() && c != '\n' && c != '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(bytes: &[u8]) -> String {
        let (encoding, content) = encode(bytes.to_vec());
        format!("{encoding} {}", serde_json::to_string(&content).unwrap())
    }

    #[test]
    fn json_keeps_every_byte() {
        assert_eq!(json(b"{\"n\": 123456789012345678901234567890}"), "json {\"n\": 123456789012345678901234567890}");
        assert_eq!(json("plain ü".as_bytes()), "text \"plain ü\"");
        assert_eq!(json(b""), "text \"\"");
        assert_eq!(json(b"\xff\x00"), "base64 \"/wA=\"");
    }
}
