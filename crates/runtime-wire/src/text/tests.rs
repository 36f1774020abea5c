//! The translator between two sides that the test plays.

use midplane_contract::frame::message::{Hello, Loaded, Open};
use midplane_contract::frame::{CONNECTION, Decoder, FrameKind, MAGIC, Prefix, WINDOW, flag};
use midplane_contract::{Code, Hook, PluginId};
use serde_json::{Value, json};

use super::flow::frame;
use super::{Registration, Translator};

/// A frame as it came out.
#[derive(Debug)]
struct Seen {
    head: Prefix,
    header: Vec<u8>,
    payload: Vec<u8>,
}

/// Both sides of a translator.
struct Stage {
    translator: Translator,
    decoder: Decoder,
}

impl Stage {
    fn new(translator: Translator) -> Self {
        let mut stage = Self { translator, decoder: Decoder::default() };
        stage.translator.told(&MAGIC).unwrap();
        stage.host(Prefix::new(FrameKind::Hello, CONNECTION, 0), b"{\"versions\":[1]}", b"");
        stage
    }

    /// One whose plugin has registered with these params, loaded and open as instance 0.
    fn open(params: &str) -> Self {
        let mut stage = Self::new(Translator::new());
        stage.plugin(&format!(r#"{{"id":"r","method":"register","params":{params}}}"#));
        stage.load();
        stage.frames();
        assert!(stage.said().starts_with(r#"{"id":"r","result":{"success":true,"#));
        stage
    }

    fn load(&mut self) {
        let load = json!({
            "manifest": {"id": "p", "name": "P", "version": "1.0.0", "entry": {"main": "p.sh", "runtime": "script"}},
            "runtime": "script", "folder": "/p", "main": "/p/p.sh", "generation": 3, "trust": "normal",
            "limits": {}, "instances": {"mode": "actor", "min": 1, "max": 1}, "cache": "/c",
        });
        self.host(Prefix::new(FrameKind::Load, CONNECTION, 1), b"", load.to_string().as_bytes());
        let open = Open { plugin: PluginId::new("p").unwrap(), version: "1.0.0".into(), generation: 3 };
        self.host(Prefix::new(FrameKind::Open, 0, 3), &serde_json::to_vec(&open).unwrap(), b"");
    }

    fn host(&mut self, head: Prefix, header: &[u8], payload: &[u8]) {
        let mut bytes = Vec::new();
        frame(head, header, payload, &mut bytes);
        // In pieces, as a stream may bring them.
        for piece in bytes.chunks(70_000) {
            self.translator.told(piece).unwrap();
        }
    }

    fn call(&mut self, id: u32, input: &[u8]) {
        self.host(Prefix::new(FrameKind::Call, 0, id), b"", input);
    }

    fn plugin(&mut self, message: &str) {
        self.translator.heard(message.as_bytes()).unwrap();
    }

    fn said(&mut self) -> String {
        String::from_utf8(self.translator.next_message().expect("a message for the plugin")).unwrap()
    }

    fn frames(&mut self) -> Vec<Seen> {
        let mut bytes = std::mem::take(self.translator.frames());
        let mut seen = Vec::new();
        while !bytes.is_empty() {
            let space = self.decoder.space();
            let count = space.len().min(bytes.len());
            space[..count].copy_from_slice(&bytes[..count]);
            self.decoder.filled(count);
            bytes.drain(..count);
            while let Some(frame) = Decoder::next(&mut self.decoder).unwrap() {
                let (header, payload) = (frame.header.to_vec(), frame.payload.to_vec());
                seen.push(Seen { head: frame.prefix, header, payload });
            }
        }
        seen
    }

    /// The one frame that came out.
    fn one(&mut self) -> Seen {
        let mut frames = self.frames();
        assert_eq!(frames.len(), 1, "{frames:?}");
        frames.remove(0)
    }

    fn error(&mut self) -> Value {
        let seen = self.one();
        assert_eq!(seen.head.kind, FrameKind::Error);
        serde_json::from_slice(&seen.payload).unwrap()
    }
}

#[test]
fn registering_becomes_the_greeting_and_the_answer_to_load() {
    let mut stage = Stage::new(Translator::new());
    stage.plugin("");
    stage.plugin(r#"{"id":7,"method":"register","params":{"name":"N","version":"1.0.0","actions":["a"]}}"#);
    let hello = stage.one();
    let (hello, limits) = Hello::accept(&hello.header).unwrap();
    assert_eq!((hello.peer.as_str(), limits.window), ("N 1.0.0", 64 << 20));
    stage.load();
    let frames = stage.frames();
    let loaded: Loaded = serde_json::from_slice(&frames[0].payload).unwrap();
    assert_eq!((loaded.actions.len(), loaded.info.name.as_str()), (1, "N"));
    assert_eq!((frames[1].head.kind, frames[1].head.id), (FrameKind::Done, 3));
    let welcome: Value = serde_json::from_str(&stage.said()).unwrap();
    assert_eq!((&welcome["id"], &welcome["result"]["generation"]), (&json!(7), &json!(3)));
}

#[test]
fn who_registered_elsewhere_is_not_answered_again() {
    let registration = Registration::read(r#"{"actions":["a"],"attach":1}"#).unwrap();
    let mut stage = Stage::new(Translator::registered(registration));
    stage.load();
    assert_eq!(stage.translator.next_message(), None);
    stage.call(5, b"long enough");
    assert_eq!(stage.said(), r#"{"id":"5","method":"call","params":{"action":"a","text":"long enough"}}"#);
}

#[test]
fn a_call_carries_what_is_known_about_it() {
    let mut stage = Stage::open(r#"{"actions":["a"]}"#);
    let origin = br#"{"caller":[{"plugin":"q","action":"x"}],"trace":"00-ab"}"#;
    stage.host(Prefix::new(FrameKind::Call, 0, 5).time(250).flags(flag::STREAM), origin, b"{\"n\": 1}");
    let expected = concat!(
        r#"{"id":"5","method":"call","params":{"action":"a","deadline_ms":250,"#,
        r#""caller":[{"plugin":"q","action":"x"}],"trace":"00-ab","stream":true,"input":{"n": 1}}}"#
    );
    assert_eq!(stage.said(), expected);
    stage.plugin(r#"{"id":"5","result":{"n": 2.50}}"#);
    let done = stage.one();
    assert_eq!((done.head.kind, done.head.id, done.payload.as_slice()), (FrameKind::Done, 5, &b"{\"n\": 2.50}"[..]));
}

#[test]
fn a_large_input_comes_whole_and_a_large_reply_waits_for_credit() {
    let mut stage = Stage::open(r#"{"actions":["a"],"encoding":"base64","attach":1000}"#);
    let input = vec![7_u8; 600_000];
    stage.host(Prefix::new(FrameKind::Call, 0, 5).flags(flag::MORE), b"", &input[..200_000]);
    stage.host(Prefix::new(FrameKind::Data, 0, 5).flags(flag::MORE), b"", &input[200_000..400_000]);
    assert_eq!(stage.translator.next_message(), None);
    stage.host(Prefix::new(FrameKind::Data, 0, 5), b"", &input[400_000..]);
    assert_eq!(stage.said(), r#"{"id":"5","method":"call","params":{"action":"a","attached":800000}}"#);
    let line = stage.said();
    assert_eq!(line.len(), 800_000);
    let reply = format!(r#"{{"id":"5","base64":"{}"}}"#, line.repeat(10));
    stage.plugin(&reply);
    let before: usize = stage.frames().iter().map(|frame| frame.payload.len()).sum();
    assert_eq!(before, WINDOW, "no more without credit");
    assert!(stage.translator.is_full());
    stage.host(Prefix::new(FrameKind::Credit, 0, 5).value(1 << 30), b"", b"");
    let rest = stage.frames();
    assert_eq!(rest.iter().map(|frame| frame.payload.len()).sum::<usize>(), 6_000_000 - WINDOW);
    assert_eq!(rest.last().unwrap().head.kind, FrameKind::Done);
    assert!(!stage.translator.is_full());
}

#[test]
fn what_is_asked_before_the_instance_is_open_is_passed_on_when_it_is() {
    // Over a WebSocket the answer to `register` comes before the host loads.
    let mut stage = Stage::new(Translator::registered(Registration::read(r#"{"actions":["a"]}"#).unwrap()));
    stage.frames();
    stage.plugin(r#"{"method":"log","params":{"level":"info","message":"here I am"}}"#);
    stage.plugin(r#"{"id":"t","method":"time.now"}"#);
    assert!(stage.frames().is_empty() && !stage.translator.is_full());
    stage.plugin(&format!(r#"{{"method":"log","params":{{"message":"{}"}}}}"#, "x".repeat(70_000)));
    assert!(stage.translator.is_full(), "no more is read until then");
    stage.load();
    let frames = stage.frames();
    let asked: Vec<&Seen> = frames.iter().filter(|frame| frame.head.kind == FrameKind::Host).collect();
    assert_eq!(asked.iter().map(|frame| frame.head.instance).collect::<Vec<_>>(), [0, 0, 0]);
    assert!(!stage.translator.is_full());
}

#[test]
fn lines_for_the_log_wait_their_turn_instead_of_being_refused() {
    let mut stage = Stage::open(r#"{"actions":["a"]}"#);
    let mut lines = 0;
    while !stage.translator.is_full() {
        stage.plugin(r#"{"method":"log","params":{"level":"info","message":"on and on"}}"#);
        lines += 1;
    }
    assert!(lines < 256, "the host takes so many at once, not {lines}");
    // What was read with the last one is not lost.
    for _ in 0..500 {
        stage.plugin(r#"{"method":"log","params":{"level":"info","message":"on and on"}}"#);
    }
    let mut passed_on = 0;
    while passed_on < lines + 500 {
        let asked = stage.frames();
        assert!(!asked.is_empty() && asked.len() <= lines);
        passed_on += asked.len();
        asked.iter().for_each(|line| stage.host(Prefix::new(FrameKind::Done, 0, line.head.id), b"", b""));
    }
    assert!(stage.frames().is_empty() && !stage.translator.is_full());
}

#[test]
fn pieces_are_passed_on_as_they_come() {
    let mut stage = Stage::open(r#"{"actions":["a"]}"#);
    stage.call(5, b"");
    for piece in
        [r#"{"id":"5","more":true,"text":"one"}"#, r#"{"id":"5","more":true,"text":""}"#, r#"{"id":"5","text":"two"}"#]
    {
        stage.plugin(piece);
    }
    let frames: Vec<_> = stage.frames().into_iter().map(|seen| (seen.head.kind, seen.payload)).collect();
    assert_eq!(frames, [(FrameKind::Data, b"one".to_vec()), (FrameKind::Done, b"two".to_vec())]);
}

#[test]
fn what_is_given_up_is_said_to_the_plugin_and_answered_all_the_same() {
    let mut stage = Stage::open(r#"{"actions":["a"]}"#);
    stage.call(5, b"");
    stage.said();
    stage.plugin(r#"{"id":"5","more":true,"text":"one"}"#);
    stage.frames();
    stage.host(Prefix::new(FrameKind::Cancel, 0, 5), b"", b"");
    assert_eq!(stage.said(), r#"{"method":"cancel","params":{"id":"5"}}"#);
    stage.plugin(r#"{"id":"5","more":true,"text":"two"}"#);
    assert!(stage.frames().is_empty(), "nobody wants it");
    stage.plugin(r#"{"id":"5","result":1}"#);
    assert_eq!(stage.error()["code"], "cancelled");
    // One that has not come in full, and one whose answer waits for credit, are over at once.
    stage.host(Prefix::new(FrameKind::Call, 0, 7).flags(flag::MORE), b"", b"half");
    stage.host(Prefix::new(FrameKind::Cancel, 0, 7), b"", b"");
    assert_eq!(stage.error()["code"], "cancelled");
    stage.call(9, b"");
    stage.plugin(&format!(r#"{{"id":"9","text":"{}"}}"#, "x".repeat(2 * WINDOW)));
    stage.frames();
    stage.host(Prefix::new(FrameKind::Cancel, 0, 9), b"", b"");
    assert_eq!(stage.error()["code"], "cancelled");
}

#[test]
fn hooks_are_methods_and_those_that_are_unknown_are_absent_from_then_on() {
    let mut stage = Stage::open(r#"{"actions":["a"]}"#);
    let number = |hook: Hook| u32::try_from(Hook::ALL.iter().position(|known| *known == hook).unwrap()).unwrap();
    stage.host(Prefix::new(FrameKind::Hook, 0, 5).value(number(Hook::Stop)), b"", b"");
    assert_eq!(stage.said(), r#"{"id":"5","method":"stop","params":{"plugin_id":"p"}}"#);
    stage.plugin(r#"{"id":"5","error":{"code":-32601,"message":"Method not found"}}"#);
    assert_eq!(stage.one().head.flags, flag::ABSENT);
    stage.host(Prefix::new(FrameKind::Hook, 0, 7).value(number(Hook::Stop)), b"", b"");
    assert_eq!((stage.one().head.flags, stage.translator.next_message()), (flag::ABSENT, None));
    stage.host(Prefix::new(FrameKind::Hook, 0, 9).value(number(Hook::Health)), b"", b"");
    stage.plugin(r#"{"id":"9","result":{"healthy":true,"status":"fine"}}"#);
    assert_eq!(stage.one().payload, br#"{"status":"healthy","details":{"status":"fine"}}"#);
    stage.host(Prefix::new(FrameKind::Hook, 0, 11).value(number(Hook::Init)), b"", b"{}");
    stage.plugin(r#"{"id":"11","result":{"success":false,"error":"no port"}}"#);
    assert_eq!(stage.error()["message"], "no port");
}

#[test]
fn the_plugin_asks_and_is_answered() {
    let mut stage = Stage::open(r#"{"actions":["a"]}"#);
    stage.plugin(r#"{"id":"mine","method":"state.set","params":{"key":"k","ttl_ms":5,"text":"v"}}"#);
    let ask = stage.one();
    assert_eq!((ask.head.kind, ask.head.value, ask.head.id), (FrameKind::Host, 3, 2));
    assert_eq!((ask.header.as_slice(), ask.payload.as_slice()), (&br#"{"key":"k","ttl_ms":5}"#[..], &b"v"[..]));
    stage.host(Prefix::new(FrameKind::Data, 0, 2).flags(flag::MORE), b"", b"a");
    stage.host(Prefix::new(FrameKind::Done, 0, 2), b"", b"b");
    assert_eq!(stage.said(), r#"{"id":"mine","text":"ab"}"#);
    stage.plugin(r#"{"id":5,"method":"state.get","params":{"key":"k"}}"#);
    assert_eq!(stage.one().head.id, 4);
    let refusal = br#"{"code":"permission_denied","message":"no"}"#;
    stage.host(Prefix::new(FrameKind::Error, 0, 4), b"", refusal);
    let told: Value = serde_json::from_str(&stage.said()).unwrap();
    assert_eq!((&told["id"], &told["error"]["code"]), (&json!(5), &json!("permission_denied")));
    stage.plugin(r#"{"method":"log","params":{"message":"x"}}"#);
    stage.host(Prefix::new(FrameKind::Done, 0, 6), b"", b"");
    assert_eq!(stage.translator.next_message(), None, "nobody waits for the answer to a notice");
}

#[test]
fn what_the_host_has_not_is_refused_by_name_and_pings_are_answered() {
    let mut stage = Stage::open(r#"{"actions":["a"]}"#);
    stage.plugin(r#"{"id":"1","method":"search","params":{}}"#);
    let ask = stage.one();
    stage.host(Prefix::new(FrameKind::Error, 0, ask.head.id), b"", br#"{"code":"not_supported","message":"?"}"#);
    let told: Value = serde_json::from_str(&stage.said()).unwrap();
    assert_eq!(told["error"]["message"], "unknown method: search");
    stage.plugin(r#"{"id":"2","method":"ping"}"#);
    let ping = stage.one();
    assert_eq!(ping.head.kind, FrameKind::Ping);
    stage.host(Prefix::new(FrameKind::Pong, CONNECTION, ping.head.id), b"", b"");
    assert_eq!(stage.said(), r#"{"id":"2","result":{}}"#);
    stage.host(Prefix::new(FrameKind::Ping, CONNECTION, 9), b"", b"");
    assert_eq!(stage.one().head.kind, FrameKind::Pong, "nobody asks the plugin");
}

#[test]
fn arguments_over_the_bound_concern_that_request_alone() {
    let mut stage = Stage::open(r#"{"actions":["a"]}"#);
    stage.plugin(&format!(r#"{{"id":"1","method":"log","params":{{"message":"{}"}}}}"#, "x".repeat(70_000)));
    let ask = stage.one();
    stage.host(Prefix::new(FrameKind::Error, 0, ask.head.id), b"", br#"{"code":"not_supported","message":"?"}"#);
    let told: Value = serde_json::from_str(&stage.said()).unwrap();
    assert_eq!(told["error"]["code"], "limit_exceeded");
}

#[test]
fn nothing_but_register_comes_first_and_nothing_deep_reaches_the_host() {
    for first in [r#"{"id":1,"method":"log"}"#, r#"{"id":1,"result":1}"#, "MIDPLANE"] {
        let error = Stage::new(Translator::new()).translator.heard(first.as_bytes()).unwrap_err();
        assert_eq!(error.code(), Code::ProtocolError, "{first}");
    }
    let mut stage = Stage::open("{}");
    let deep = format!(r#"{{"method":"log","params":{{"fields":{}{}}}}}"#, "[".repeat(500), "]".repeat(500));
    assert_eq!(stage.translator.heard(deep.as_bytes()).unwrap_err().code(), Code::ProtocolError);
}

#[test]
fn the_end_is_said_once() {
    let mut stage = Stage::open("{}");
    assert!(!stage.translator.is_ending());
    stage.host(Prefix::new(FrameKind::Shutdown, CONNECTION, 0), b"", b"");
    assert_eq!(stage.said(), r#"{"method":"shutdown","params":{}}"#);
    assert!(stage.translator.is_ending());
}
