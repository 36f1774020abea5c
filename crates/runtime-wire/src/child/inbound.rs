//! What the host sends: frames to jobs.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use midplane_contract::frame::message::Hello;
use midplane_contract::frame::{CONNECTION, Decoder, Frame, FrameKind, Prefix, WINDOW};
use midplane_contract::{Code, Error, Result, defaults};

use super::job::{Job, Request};
use super::line::Line;
use super::seat::Seat;
use crate::eagerness::Eagerness;

/// What the reading thread holds.
#[derive(Default)]
pub(super) struct Inbound {
    pub(super) decoder: Decoder,
    pub(super) eagerness: Eagerness,
    greeted: bool,
    /// Requests of which pieces are missing, and the bytes taken since credit was given.
    partial: HashMap<(u16, u32), (Request, usize)>,
    /// A buffer for the next input.
    pub(super) spare: Vec<u8>,
}

impl Line {
    /// Handles the next complete frame. `None` when there is none; `Some(Some(job))` when somebody has to work.
    pub(super) fn next_frame(self: &Arc<Self>, inbound: &mut Inbound) -> Option<Option<Job>> {
        let Inbound { decoder, greeted, partial, spare, .. } = inbound;
        let frame = match decoder.next() {
            Ok(frame) => frame?,
            Err(fault) => self.give_up(&fault.into()),
        };
        match self.take(&frame, greeted, partial, spare) {
            Ok(job) => Some(job),
            Err(error) => self.give_up(&error),
        }
    }

    fn take(
        self: &Arc<Self>,
        frame: &Frame<'_>,
        greeted: &mut bool,
        partial: &mut HashMap<(u16, u32), (Request, usize)>,
        spare: &mut Vec<u8>,
    ) -> Result<Option<Job>> {
        let head = frame.prefix;
        if *greeted == (head.kind == FrameKind::Hello) {
            let message = format!(
                "{} comes where {}",
                head.kind.name(),
                if *greeted { "the greeting is over" } else { "HELLO is due" }
            );
            return Err(Error::new(Code::ProtocolError, message).remedy("greet once, first"));
        }
        match head.kind {
            FrameKind::Hello => {
                *greeted = true;
                let (_, limits) = Hello::accept(frame.header)?;
                let _ = self.limits.set(limits);
            }
            FrameKind::Call | FrameKind::Hook | FrameKind::Load | FrameKind::Open | FrameKind::Close => {
                let request = Request::new(frame, std::mem::take(spare))?;
                if !head.more() {
                    return Ok(self.ready(request));
                }
                let taken = frame.payload.len();
                partial.insert((head.instance, head.id), (request.wait(), taken));
            }
            FrameKind::Data | FrameKind::Done | FrameKind::Error | FrameKind::Credit if head.id.is_multiple_of(2) => {
                self.on_host_answer(frame)?;
            }
            FrameKind::Data => return self.more_input(frame, partial),
            FrameKind::Credit => {
                if let Some(seat) = self.seat(head.instance) {
                    seat.credit(head.id, head.value as usize);
                }
            }
            FrameKind::Cancel => self.cancel(head, partial),
            FrameKind::Ping => self.write(Prefix { kind: FrameKind::Pong, header: 0, payload: 0, ..head }, &[], &[]),
            FrameKind::Shutdown => self.finish(),
            FrameKind::Error => {
                let message = format!("the host gave up: {}", frame.payload.escape_ascii());
                return Err(Error::new(Code::ProtocolError, message).remedy("see what the host did not understand"));
            }
            FrameKind::Host | FrameKind::Done | FrameKind::Pong => {
                let message = format!("{} comes from the host, which only peers send", head.kind.name());
                return Err(
                    Error::new(Code::ProtocolError, message).remedy("see the table of frames in contract/wire.md")
                );
            }
        }
        Ok(None)
    }

    fn more_input(
        self: &Arc<Self>,
        frame: &Frame<'_>,
        partial: &mut HashMap<(u16, u32), (Request, usize)>,
    ) -> Result<Option<Job>> {
        let head = frame.prefix;
        let key = (head.instance, head.id);
        // The rest of a request that was cancelled or refused.
        let Some((request, taken)) = partial.get_mut(&key) else { return Ok(None) };
        if request.input.len() + frame.payload.len() > defaults::PAYLOAD_CAP {
            let message = format!("an input has more than {} bytes", defaults::PAYLOAD_CAP);
            return Err(Error::new(Code::ProtocolError, message).remedy("keep to the limits of HELLO"));
        }
        request.input.extend_from_slice(frame.payload);
        *taken += frame.payload.len();
        if head.more() {
            if *taken >= WINDOW / 2 {
                let more = u32::try_from(*taken).unwrap_or(u32::MAX);
                *taken = 0;
                self.write(Prefix::new(FrameKind::Credit, head.instance, head.id).value(more), &[], &[]);
            }
            return Ok(None);
        }
        Ok(partial.remove(&key).and_then(|(request, _)| self.ready(request)))
    }

    /// Finds out who can work on a complete request. `None` when it waits or was answered.
    fn ready(self: &Arc<Self>, request: Request) -> Option<Job> {
        let head = request.head;
        if matches!(head.kind, FrameKind::Load | FrameKind::Open) {
            return Some(Job::Worker(request));
        }
        let Some(seat) = self.seat(head.instance) else {
            let message = format!("this worker has no instance {}", head.instance);
            self.answer_error(head, &Error::new(Code::NotLoaded, message).remedy("OPEN it first"));
            return None;
        };
        match seat.admit(request) {
            Ok(admitted) => admitted.map(|request| Job::Seat(seat, request)),
            Err(error) => {
                self.answer_error(head, &error);
                None
            }
        }
    }

    fn cancel(self: &Arc<Self>, head: Prefix, partial: &mut HashMap<(u16, u32), (Request, usize)>) {
        let waited = partial.remove(&(head.instance, head.id)).is_some();
        let seat = self.seat(head.instance).filter(|_| head.instance != CONNECTION);
        if waited || seat.is_some_and(|seat| seat.cancel(self, head.id)) {
            let error = Error::new(Code::Cancelled, "the call was given up before it had begun");
            self.answer_error(head, &error.remedy("call again if the answer is still wanted"));
        }
    }

    /// The instance of a number.
    pub(super) fn seat(&self, number: u16) -> Option<Arc<Seat>> {
        self.seats.read().unwrap_or_else(PoisonError::into_inner).get(usize::from(number)).cloned().flatten()
    }
}
