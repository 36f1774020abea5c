//! `LOAD` and `OPEN`: the plugin's code and its instances.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};

use midplane_contract::frame::message::{self, Load, Loaded, Open};
use midplane_contract::frame::{FrameKind, flag};
use midplane_contract::{Code as Fault, Error, Hook, Placement, Result};
use midplane_kernel::{InstanceContext, LoadRequest};

use super::ask::HostLine;
use super::job::Request;
use super::limits;
use super::line::{Line, lock};
use super::reply::answer_head;
use super::seat::Seat;

impl Line {
    /// Does what the request asks and answers it.
    pub(super) fn load_or_open(self: &Arc<Self>, request: &Request) {
        let done = catch_unwind(AssertUnwindSafe(|| match request.head.kind {
            FrameKind::Load => self.load(&request.input),
            _ => self.open(request).map(|()| Vec::new()),
        }));
        let done = done.unwrap_or_else(|_| {
            let message = "loading the plugin panicked; the panic stands in the worker's output";
            Err(Error::new(Fault::Panicked, message).remedy("report it to the plugin's author"))
        });
        let head = request.head;
        let chunk = self.host_limits().chunk;
        match done {
            // What a plugin says of itself is far below the window, so it needs no credit.
            Ok(body) => {
                let mut pieces = body.chunks(chunk).peekable();
                while let Some(piece) = pieces.next() {
                    if pieces.peek().is_none() {
                        return self.write(answer_head(FrameKind::Done, head), &[], piece);
                    }
                    self.write(answer_head(FrameKind::Data, head).flags(flag::MORE), &[], piece);
                }
                self.write(answer_head(FrameKind::Done, head), &[], &[]);
            }
            Err(error) => self.answer_error(head, &error),
        }
    }

    fn load(&self, body: &[u8]) -> Result<Vec<u8>> {
        if self.code.get().is_some() {
            return Err(Error::new(Fault::AlreadyLoaded, "this worker hosts a plugin already").remedy("start another"));
        }
        let load: Load = message::parse("LOAD", body)?;
        let kind = load.runtime;
        let served = |placement| self.runtimes.iter().find(|runtime| runtime.serves() == (kind, placement));
        let Some(runtime) = served(Placement::InProcess) else {
            return Err(Error::new(Fault::UnsupportedRuntime, format!("this worker cannot run {kind}"))
                .remedy("start workers from a program that has this runtime")
                .with("runtime", kind.as_str()));
        };
        limits::apply(&load.limits, runtime.unenforceable(&load.limits).contains(&"memory"))?;
        let code = runtime.load(&LoadRequest {
            manifest: Arc::new(load.manifest),
            folder: load.folder,
            main: load.main,
            generation: load.generation,
            placement: Placement::InProcess,
            trust: load.trust,
            limits: load.limits,
            instances: load.instances,
            cache: load.cache,
        })?;
        let facts = code.facts();
        let loaded = Loaded {
            info: facts.info.clone(),
            actions: facts.actions.clone(),
            hooks: facts.hooks.iter().map(|hook: &Hook| hook.name().to_owned()).collect(),
            build_id: facts.build_id.clone(),
            stays_loaded: facts.stays_loaded.clone(),
            details: facts.details.clone(),
        };
        let answer = serde_json::to_vec(&loaded).unwrap_or_default();
        if answer.len() > self.host_limits().window {
            let message = format!("what the plugin says of itself has {} bytes", answer.len());
            return Err(Error::new(Fault::LimitExceeded, message).remedy("say less in the info hook"));
        }
        let _ = self.code.set(code);
        Ok(answer)
    }

    fn open(self: &Arc<Self>, request: &Request) -> Result<()> {
        let open: Open = message::parse("OPEN", &request.header)?;
        let Some(code) = self.code.get() else {
            return Err(Error::new(Fault::NotLoaded, "no plugin is loaded").remedy("LOAD one first"));
        };
        let number = request.head.instance;
        if self.seat(number).is_some() {
            let message = format!("instance {number} is open already");
            return Err(Error::new(Fault::AlreadyLoaded, message).remedy("CLOSE it first, or use another number"));
        }
        let instance = code.instantiate(InstanceContext {
            plugin: open.plugin,
            version: open.version,
            generation: open.generation,
            number: u32::from(number),
            host: Arc::new(HostLine::new(self, number)),
        })?;
        let seat = Arc::new(Seat::new(number, instance, code.facts().actions.clone().into()));
        let mut seats = self.seats.write().unwrap_or_else(PoisonError::into_inner);
        let index = usize::from(number);
        if seats.len() <= index {
            seats.resize(index + 1, None);
        }
        if let Some(slot) = seats.get_mut(index) {
            *slot = Some(seat);
        }
        Ok(())
    }

    /// Forgets a closed instance.
    pub(super) fn remove_seat(&self, seat: &Arc<Seat>) {
        let mut seats = self.seats.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = seats.get_mut(usize::from(seat.number)) {
            slot.take_if(|present| Arc::ptr_eq(present, seat));
        }
        drop(seats);
        lock(&self.asks).retain(|_, ask| !ask.belongs_to(seat.number));
    }
}
