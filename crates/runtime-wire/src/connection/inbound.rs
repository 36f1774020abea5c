//! What arrives: bytes to frames, frames to lanes.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use midplane_contract::frame::{CONNECTION, Decoder, Frame, FrameKind, Prefix, flag, message};
use midplane_contract::{Code, Error, Result, defaults};

use super::lane::{Lane, Waiter};
use super::{Connection, Inbound};

/// What one read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read {
    /// Frames or parts of them.
    Something,
    /// Nothing in the time given.
    Nothing,
    /// The other side has ended, or broke the protocol.
    End,
}

impl Connection {
    /// Reads once and hands out what is complete. Whoever holds `inbound` is the connection's reader.
    pub(crate) fn read(self: &Arc<Self>, inbound: &mut Inbound, wait: Duration) -> Read {
        if inbound.ended {
            return Read::End;
        }
        let count = match self.carrier.receive(inbound.decoder.space(), wait) {
            Ok(0) => None,
            Ok(count) => Some(count),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Read::Nothing,
            Err(error) => match error.downcast::<Error>() {
                // What came was no breach of the framing but of what the carrier makes frames of.
                Ok(breach) => {
                    inbound.ended = true;
                    self.end(breach);
                    return Read::End;
                }
                Err(_) => None,
            },
        };
        let Some(count) = count else {
            inbound.ended = true;
            self.on_end(inbound);
            return Read::End;
        };
        inbound.decoder.filled(count);
        let dispatched = self.dispatch(inbound);
        for waiter in inbound.woken.drain(..) {
            waiter.wake();
        }
        match dispatched {
            Ok(()) => Read::Something,
            Err(error) => {
                inbound.ended = true;
                self.end(error);
                Read::End
            }
        }
    }

    fn on_end(self: &Arc<Self>, inbound: &Inbound) {
        let held = inbound.decoder.held();
        if !inbound.greeted && !held.is_empty() {
            let seen = midplane_contract::frame::quote(held);
            let message = format!("the peer ended before it had greeted, after writing \"{seen}\" to its wire");
            self.blame(Error::new(Code::ProtocolError, message).remedy("see contract/wire.md for the greeting"));
        }
        self.on_eof();
    }

    fn dispatch(self: &Arc<Self>, inbound: &mut Inbound) -> Result<()> {
        let Inbound { decoder, woken, greeted, lanes, lanes_version, .. } = inbound;
        if *lanes_version != self.lanes_version() {
            (*lanes, *lanes_version) = self.lanes_now();
        }
        while let Some(frame) = Decoder::next(decoder)? {
            let kind = frame.prefix.kind;
            if !*greeted && !matches!(kind, FrameKind::Hello | FrameKind::Error) {
                let message = format!("the first frame is {} instead of HELLO", kind.name());
                return Err(Error::new(Code::ProtocolError, message).remedy("greet first; see contract/wire.md"));
            }
            if kind == FrameKind::Pong {
                self.pulse.heard();
            }
            match kind {
                FrameKind::Hello => {
                    self.on_hello(&frame, std::mem::replace(greeted, true), woken)?;
                }
                FrameKind::Ping => {
                    self.answer_unasked(Prefix { kind: FrameKind::Pong, header: 0, payload: 0, ..frame.prefix }, &[])?
                }
                FrameKind::Error if frame.prefix.id == 0 => {
                    let told = message::read_error(frame.payload)?;
                    return Err(Error::new(
                        Code::ProtocolError,
                        format!("the peer gave up: {}", told.record().message),
                    )
                    .because(&told)
                    .remedy("see what the peer says it did not understand"));
                }
                FrameKind::Host => self.on_ask(&frame)?,
                _ if frame.prefix.id.is_multiple_of(2) => self.on_ask(&frame)?,
                _ => {
                    let number = frame.prefix.instance;
                    let lane = if number == CONNECTION {
                        Some(&self.control)
                    } else {
                        lanes.get(usize::from(number)).and_then(Option::as_ref)
                    };
                    if let Some(lane) = lane {
                        self.on_answer(lane, &frame, woken)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn on_hello(&self, frame: &Frame<'_>, again: bool, woken: &mut Vec<Waiter>) -> Result<()> {
        if again {
            return Err(Error::new(Code::ProtocolError, "the peer greets twice").remedy("send HELLO once"));
        }
        let (hello, limits) = message::Hello::accept(frame.header)?;
        let _ = self.limits.set(limits);
        let _ = self.peer.set(hello.peer.chars().filter(|c| !c.is_control()).take(100).collect());
        let mut state = self.control.lock();
        state.finish(Ok(false));
        woken.push(state.take_waiter());
        Ok(())
    }

    fn on_answer(self: &Arc<Self>, lane: &Arc<Lane>, frame: &Frame<'_>, woken: &mut Vec<Waiter>) -> Result<()> {
        let head = frame.prefix;
        let ends = matches!(head.kind, FrameKind::Done | FrameKind::Error | FrameKind::Pong);
        let mut state = lane.lock();
        // Also the end of a request that was given up says what it left behind.
        if ends && head.flags & flag::SPENT != 0 {
            let spent = Error::new(Code::NotRunning, "the worker says that the instance is spent");
            state.spent = Some(spent.remedy("nothing: the host makes another"));
        }
        if ends {
            self.grace_over(head.instance, head.id);
        }
        if state.live != head.id || state.end.is_some() {
            return Ok(());
        }
        match head.kind {
            FrameKind::Data => state.piece(frame.payload, false)?,
            FrameKind::Done => {
                state.piece(frame.payload, true)?;
                state.finish(Ok(head.flags & flag::ABSENT != 0));
            }
            FrameKind::Pong => state.finish(Ok(false)),
            FrameKind::Error => {
                let error = message::read_error(frame.payload)?;
                if head.flags & flag::SPENT != 0 {
                    state.spent = Some(error.clone());
                }
                state.finish(Err(error));
            }
            FrameKind::Credit => state.credit = state.credit.saturating_add(head.value as usize),
            other => {
                let message = format!("{} comes from the peer, which only hosts send", other.name());
                return Err(
                    Error::new(Code::ProtocolError, message).remedy("see the table of frames in contract/wire.md")
                );
            }
        }
        let waiter = state.take_waiter();
        drop(state);
        if !matches!(waiter, Waiter::Nobody) {
            woken.push(waiter);
        }
        Ok(())
    }

    /// Answers a frame that the peer sent of its own accord, unless it sends more than it reads.
    pub(super) fn answer_unasked(self: &Connection, head: Prefix, payload: &[u8]) -> Result<()> {
        if self.outbox.waiting() > 4 * defaults::WIRE_CHUNK {
            let message = "the peer asks more than it reads answers for";
            return Err(Error::new(Code::ProtocolError, message).remedy("read the wire while asking"));
        }
        self.send(head, &[], payload);
        Ok(())
    }
}
