use super::message::{Hello, read_error, write_error};
use super::*;
use crate::{Code, Error, defaults};

/// A small generator, so that the tests need no seed from outside and repeat exactly.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.roll() % end.max(1) as u64) as usize
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.roll() as u8).collect()
    }
}

fn feed(
    decoder: &mut Decoder,
    mut bytes: &[u8],
    piece: usize,
    mut each: impl FnMut(Frame<'_>),
) -> Result<(), FrameFault> {
    while !bytes.is_empty() {
        let space = decoder.space();
        let count = space.len().min(piece).min(bytes.len());
        space[..count].copy_from_slice(&bytes[..count]);
        decoder.filled(count);
        bytes = &bytes[count..];
        while let Some(frame) = decoder.next()? {
            each(frame);
        }
    }
    Ok(())
}

fn frame(prefix: Prefix, header: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut bytes = prefix.sized(header, payload).encode().to_vec();
    bytes.extend_from_slice(header);
    bytes.extend_from_slice(payload);
    bytes
}

#[test]
fn every_head_survives_the_wire() {
    let mut dice = Dice(7);
    for _ in 0..10_000 {
        let kind = FrameKind::ALL[dice.below(FrameKind::ALL.len())];
        let prefix = Prefix {
            kind,
            flags: dice.roll() as u8,
            instance: dice.roll() as u16,
            id: dice.roll() as u32,
            header: dice.below(defaults::WIRE_HEADER + 1) as u32,
            payload: dice.below(defaults::WIRE_CHUNK + 1) as u32,
            value: dice.roll() as u32,
            time: dice.roll() as u32,
        };
        assert_eq!(Prefix::decode(&prefix.encode()), Ok((Some(prefix), prefix.total())));
    }
}

#[test]
fn frames_come_out_whole_however_the_bytes_are_cut() {
    let mut dice = Dice(11);
    let mut stream = MAGIC.to_vec();
    let mut sent = Vec::new();
    for id in 0..200_u32 {
        let header_length = dice.below(if id % 50 == 0 { defaults::WIRE_HEADER + 1 } else { 100 });
        let payload_length = dice.below(if id % 40 == 0 { defaults::WIRE_CHUNK + 1 } else { 300 });
        let (header, payload) = (dice.bytes(header_length), dice.bytes(payload_length));
        stream.extend(frame(Prefix::new(FrameKind::Data, 3, id), &header, &payload));
        sent.push((id, header, payload));
    }
    for piece in [1, 7, 1000, 65_536, usize::MAX] {
        let mut decoder = Decoder::default();
        let mut got = Vec::new();
        feed(&mut decoder, &stream, piece, |f| got.push((f.prefix.id, f.header.to_vec(), f.payload.to_vec()))).unwrap();
        assert_eq!(got, sent, "in pieces of {piece}");
    }
}

#[test]
fn random_bytes_never_panic_and_never_grow_the_buffer_beyond_its_cap() {
    let mut dice = Dice(13);
    for round in 0..3_000 {
        let mut decoder = Decoder::default();
        let mut stream = if round % 3 == 0 { Vec::new() } else { MAGIC.to_vec() };
        if round % 3 == 2 {
            let sound = Prefix {
                header: dice.below(70_000) as u32,
                payload: dice.below(300_000) as u32,
                ..Prefix::new(FrameKind::Call, 0, 1)
            };
            stream.extend(sound.encode());
        }
        let length = dice.below(4_000);
        stream.extend(dice.bytes(length));
        let _ = feed(&mut decoder, &stream, 1 + dice.below(5_000), |_| ());
        assert!(decoder.space().len() + decoder.held().len() <= 2 * FRAME_CAP);
    }
}

#[test]
fn a_claim_of_four_gigabytes_is_refused_before_any_of_it_is_stored() {
    for (part, prefix) in [
        ("payload", Prefix { payload: u32::MAX, ..Prefix::new(FrameKind::Done, 0, 1) }),
        ("header", Prefix { header: u32::MAX, ..Prefix::new(FrameKind::Done, 0, 1) }),
    ] {
        let mut decoder = Decoder::default();
        let mut stream = MAGIC.to_vec();
        stream.extend(prefix.encode());
        let fault = feed(&mut decoder, &stream, 1000, |_| ()).unwrap_err();
        assert!(
            matches!(&fault, FrameFault::Length { part: named, claimed: u32::MAX, .. } if *named == part),
            "{fault}"
        );
        assert!(decoder.space().len() <= FRAME_CAP);
    }
}

#[test]
fn a_stream_of_text_is_quoted() {
    let fault = feed(&mut Decoder::default(), b"Traceback (most recent call last):\n\x1b[31m", 5, |_| ()).unwrap_err();
    let error = Error::from(fault);
    assert_eq!(error.code(), Code::ProtocolError);
    assert!(error.record().message.contains("Trace"), "{error}");
}

#[test]
fn unknown_kinds_below_128_break_the_protocol_and_those_above_are_skipped() {
    let mut known = frame(Prefix::new(FrameKind::Ping, 0, 9), b"", b"");
    let mut extension = frame(Prefix::new(FrameKind::Ping, 0, 8), b"{}", b"something newer");
    extension[0] = 200;
    let stream = [&MAGIC[..], &extension, &known].concat();
    let mut ids = Vec::new();
    feed(&mut Decoder::default(), &stream, 3, |f| ids.push(f.prefix.id)).unwrap();
    assert_eq!(ids, [9]);
    known[0] = 100;
    let fault = feed(&mut Decoder::default(), &[&MAGIC[..], &known].concat(), 100, |_| ()).unwrap_err();
    assert!(matches!(fault, FrameFault::Kind { number: 100, .. }));
}

#[test]
fn a_greeting_may_hold_what_nobody_knows() {
    let json =
        br#"{"versions":[1,9],"features":["stream","levitation"],"mood":"good","limits":{"chunk":4096,"colour":1}}"#;
    let (hello, limits) = Hello::accept(json).unwrap();
    assert_eq!(hello.features.len(), 2);
    assert_eq!((limits.chunk, limits.payload), (4096, defaults::PAYLOAD_CAP));
    assert_eq!(Hello::accept(br#"{"versions":[2]}"#).unwrap_err().code(), Code::ProtocolError);
    assert_eq!(Hello::accept(br#"{"versions":[1],"limits":{"chunk":0}}"#).unwrap_err().code(), Code::ProtocolError);
}

#[test]
fn json_nested_too_deep_is_a_protocol_error() {
    let deep = "[".repeat(defaults::WIRE_HEADER);
    for json in [deep.clone(), format!(r#"{{"versions":[1],"new":{deep}"#), format!(r#"{{"data":{{"x":{deep}"#)] {
        assert_eq!(Hello::accept(json.as_bytes()).unwrap_err().code(), Code::ProtocolError);
        assert_eq!(read_error(json.as_bytes()).unwrap_err().code(), Code::ProtocolError);
    }
}

#[test]
fn an_error_may_be_told_with_code_and_message_alone() {
    let error = read_error(br#"{"code":"invalid_input","message":"no"}"#).unwrap();
    assert_eq!((error.code(), error.record().message.as_str()), (Code::InvalidInput, "no"));
    let own = read_error(br#"{"code":"E42","message":"mine","data":{"x":1},"recoverable":true}"#).unwrap();
    assert_eq!(own.code(), Code::PluginError);
    assert_eq!(own.record().data["code"], "E42");
    assert!(own.record().recoverable);
    assert!(read_error(b"[]").is_err());
}

#[test]
fn an_error_too_large_for_a_chunk_is_shortened() {
    let error = Error::new(Code::PluginError, "x".repeat(100_000)).with("much", "y".repeat(300_000));
    let json = write_error(&error, defaults::WIRE_CHUNK);
    assert!(json.len() <= defaults::WIRE_CHUNK);
    assert_eq!(read_error(&json).unwrap().code(), Code::PluginError);
}

#[test]
fn the_page_lists_every_kind_hook_and_function_with_its_number() {
    let page = include_str!("../../../../contract/wire.md");
    for kind in FrameKind::ALL {
        let row = format!("| {} | `{}` |", kind.number(), kind.name());
        assert!(page.contains(&row), "{row}");
    }
    let words = page.split_whitespace().collect::<Vec<_>>().join(" ");
    let hooks = crate::Hook::ALL.iter().map(|hook| hook.name());
    let functions = crate::HostFunction::ALL.iter().map(|function| function.name());
    for (number, name) in hooks.enumerate().chain(functions.enumerate()) {
        let listed = [",", ".", ":"].iter().any(|end| words.contains(&format!(" {number} {name}{end}")));
        assert!(listed, "{number} {name}");
    }
}
