//! A live fake plugin.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use midplane_contract::{Code, Error, Hook, Limits, Result};
use midplane_kernel::{BoxFuture, Call, Condition, Instance, InstanceContext, Interrupt, Reply, Scope};

use super::brake::Brake;
use super::desk::{Desk, Memory};
use super::program::Deed;
use super::{Image, Program, Sabotage, Shared};

/// Memory that each instance really holds, so that a leaked one shows in the process.
const BALLAST: usize = 1024 * 1024;
/// What a leaked one leaves behind. Much, since what other tests of the process give back meanwhile hides as much of it.
const LEAK: usize = 4 * BALLAST;
/// Of so many calls the last one loses its reply, where that is the sabotage.
const LOSES_EVERY: u64 = 40;

/// One instance.
pub(crate) struct FakeInstance {
    shared: Arc<Shared>,
    image: Arc<Image>,
    program: Program,
    limits: Limits,
    context: InstanceContext,
    memory: Memory,
    brake: Arc<Brake>,
    condition: Condition,
    ballast: Vec<u8>,
    calls: u64,
}

impl FakeInstance {
    pub(crate) fn new(
        shared: Arc<Shared>,
        image: Arc<Image>,
        program: Program,
        limits: Limits,
        context: InstanceContext,
    ) -> Self {
        shared.instances.fetch_add(1, Ordering::SeqCst);
        let brake = Arc::new(Brake::new(Arc::clone(&context.host)));
        Self {
            shared,
            image,
            program,
            limits,
            context,
            memory: Memory::default(),
            brake,
            condition: Condition::Ready,
            ballast: vec![1; BALLAST],
            calls: 0,
        }
    }

    /// Counts a call and says whether its reply gets lost.
    fn loses(&mut self) -> bool {
        self.calls += 1;
        self.shared.calls.fetch_add(1, Ordering::SeqCst);
        self.shared.is(Sabotage::LostReply) && self.calls.is_multiple_of(LOSES_EVERY)
    }

    fn is_undead(&self) -> bool {
        self.shared.is(Sabotage::Undead) && matches!(self.condition, Condition::Dead(_))
    }

    fn at_desk<T>(&mut self, action: Option<&str>, scope: &Scope, act: impl FnOnce(&mut Desk<'_>) -> T) -> T {
        self.brake.enter();
        let mut desk = Desk {
            memory: &mut self.memory,
            scope,
            action,
            text: &self.image.text,
            context: &self.context,
            limits: &self.limits,
            brake: &self.brake,
            shared: &self.shared,
            condition: &mut self.condition,
            deadline: scope.deadline.instant(),
        };
        let done = act(&mut desk);
        self.brake.leave();
        done
    }

    fn run(&mut self, call: &Call<'_>, reply: &mut Reply<'_>) -> Result<()> {
        let Some(deed) = self.program.actions.get(call.action as usize).cloned() else {
            return Err(Error::new(Code::ActionNotFound, format!("the fake has no action number {}", call.action)));
        };
        if self.is_undead() {
            return Err(Error::new(Code::Internal, "the fake called what is dead"));
        }
        let lost = self.loses();
        self.at_desk(Some(call.name), call.scope, |desk| match &deed {
            Deed::Quick(run) | Deed::Waiting(run) if lost => {
                run(desk, call.input, &mut Reply::buffer(&mut Vec::new(), usize::MAX))
            }
            Deed::Quick(run) | Deed::Waiting(run) => run(desk, call.input, reply),
            Deed::Hang => desk.hang(),
        })
    }
}

impl Instance for FakeInstance {
    fn call_inline(&mut self, call: &Call<'_>, reply: &mut Reply<'_>) -> Result<()> {
        self.run(call, reply)
    }

    fn call<'a>(&'a mut self, call: &'a Call<'a>, reply: &'a mut Reply<'_>) -> Option<BoxFuture<'a, Result<()>>> {
        if !self.program.futures {
            return None;
        }
        match self.program.actions.get(call.action as usize)? {
            Deed::Waiting(_) => None,
            Deed::Hang => Some(Box::pin(async move {
                self.at_desk(Some(call.name), call.scope, |desk| desk.says("hanging"))?;
                Hanging { instance: self }.await
            })),
            Deed::Quick(_) => Some(Box::pin(async move {
                yield_once().await;
                self.run(call, reply)
            })),
        }
    }

    fn hook(&mut self, hook: Hook, input: &[u8], scope: &Scope) -> Result<Option<Vec<u8>>> {
        let Some((_, run)) = self.program.hooks.iter().find(|(known, _)| *known == hook).cloned() else {
            let claims = self.shared.is(Sabotage::EveryHook);
            return if claims { Err(Error::new(Code::NotSupported, format!("no hook `{hook}`"))) } else { Ok(None) };
        };
        self.at_desk(None, scope, |desk| {
            desk.memory.notes.push(hook.name().to_owned());
            run(desk, input)
        })
        .map(Some)
    }

    fn interrupter(&self) -> Option<Arc<dyn Interrupt>> {
        Some(Arc::clone(&self.brake) as Arc<dyn Interrupt>)
    }

    fn condition(&self) -> Condition {
        if self.is_undead() { Condition::Ready } else { self.condition.clone() }
    }

    fn memory(&self) -> Option<u64> {
        Some(self.memory.held)
    }
}

impl Drop for FakeInstance {
    fn drop(&mut self) {
        if self.shared.is(Sabotage::LeakedInstance) {
            self.ballast.resize(LEAK, 1);
            std::mem::forget(std::mem::take(&mut self.ballast));
        }
        self.shared.instances.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A call that never ends. Dropping it leaves the instance as an aborted WebAssembly call does: good for nothing.
struct Hanging<'a> {
    instance: &'a mut FakeInstance,
}

impl Future for Hanging<'_> {
    type Output = Result<()>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Pending
    }
}

impl Drop for Hanging<'_> {
    fn drop(&mut self) {
        self.instance.condition = Condition::Spent(Error::new(Code::Cancelled, "a call was dropped midway"));
    }
}

/// Gives way once, so that calls through futures really interleave.
async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(move |context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
