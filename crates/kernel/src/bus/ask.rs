//! A request on its way: an event for whose answer somebody waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_channel::{Receiver, Sender, bounded};
use midplane_contract::{Code, Error, Result};

use crate::alarm::until;
use crate::call::Caller;

/// The answering end. Travels in the event and goes with it: when the last subscriber has let go of the event and nobody
/// has answered, whoever waits knows at once.
#[derive(Debug)]
pub(crate) struct Ask {
    answer: Sender<Vec<u8>>,
    outcome: Arc<Outcome>,
    /// Who waits, innermost first.
    pub(crate) caller: Option<Arc<Caller>>,
    pub(crate) deadline: Instant,
}

/// The waiting end.
pub(crate) struct Waiting {
    answer: Receiver<Vec<u8>>,
    outcome: Arc<Outcome>,
    deadline: Instant,
}

#[derive(Debug, Default)]
struct Outcome {
    /// The one answer was given. The channel cannot tell: it has room again once that was taken.
    answered: AtomicBool,
    /// Somebody took it in and had nothing to say.
    heard: AtomicBool,
    refused: Mutex<Option<Error>>,
}

/// Both ends of a request.
pub(crate) fn ask(deadline: Instant, caller: Option<Arc<Caller>>) -> (Ask, Waiting) {
    let (sender, answer) = bounded(1);
    let outcome = Arc::new(Outcome::default());
    let waiting = Waiting { answer, outcome: Arc::clone(&outcome), deadline };
    (Ask { answer: sender, outcome, caller, deadline }, waiting)
}

impl Ask {
    pub(crate) fn answer(&self, answer: Vec<u8>) -> bool {
        let first = !self.outcome.answered.swap(true, Ordering::AcqRel);
        first && self.answer.try_send(answer).is_ok()
    }

    /// The first reason is kept.
    pub(crate) fn refuse(&self, why: Error) {
        self.outcome.refused.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
    }

    /// What an event hook said: nothing is no answer, but somebody was there.
    pub(crate) fn heard(&self, answer: Vec<u8>) {
        if answer.is_empty() {
            self.outcome.heard.store(true, Ordering::Release);
        } else {
            self.answer(answer);
        }
    }
}

impl Waiting {
    /// The first answer. Without one: the first refusal, or an empty answer where somebody took the request in.
    ///
    /// # Errors
    /// `deadline_exceeded`, what was refused, and `peer_gone` when nobody is there to answer.
    pub(crate) async fn answer(self, topic: &str) -> Result<Vec<u8>> {
        match until(self.deadline, self.answer.recv()).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => self.without_an_answer(topic),
            Err(_) => Err(Error::new(Code::DeadlineExceeded, format!("nobody answered on `{topic}` in time"))
                .remedy("give the request more time, or look at why whoever subscribes takes so long")
                .with("topic", topic)),
        }
    }

    fn without_an_answer(&self, topic: &str) -> Result<Vec<u8>> {
        if let Some(why) = self.outcome.refused.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(why);
        }
        if self.outcome.heard.load(Ordering::Acquire) { Ok(Vec::new()) } else { Err(nobody(topic)) }
    }
}

fn nobody(topic: &str) -> Error {
    Error::new(Code::PeerGone, format!("nobody answers on `{topic}`"))
        .remedy("load the plugin that subscribes to it, and look at whether it may")
        .with("topic", topic)
}
