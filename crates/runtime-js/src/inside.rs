//! What an instance and the functions inside its engine share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use midplane_contract::{ActionName, Code, Error, HostFunction, PluginId, Result, defaults};
use midplane_kernel::{Deadline, HostRequest, InstanceContext, Interrupt, Scope, Within};
use serde_json::{Value, json};

use crate::background::Next;
use crate::clock::Clock;
use crate::running::{Origin, Running};
use crate::sources::Sources;
use crate::timers::Timers;
use crate::turnstile::Turnstile;

/// Log lines that wait for the host; more are dropped.
const EARLY: usize = 100;

/// Everything of an instance that is no JavaScript.
#[derive(Debug)]
pub(crate) struct Inside {
    pub(crate) plugin: PluginId,
    pub(crate) clock: Arc<Clock>,
    pub(crate) turnstile: Turnstile,
    pub(crate) timers: Timers,
    pub(crate) running: Running,
    pub(crate) sources: Arc<Sources>,
    /// When the timers are to be looked at.
    pub(crate) appointment: Next,
    /// The plugin has changed the length of a buffer.
    resized: AtomicBool,
    /// There may be rejections that nobody handles.
    pub(crate) rejections: AtomicBool,
    /// Memory in use when it was last looked at.
    pub(crate) memory: AtomicU64,
    identity: OnceLock<Identity>,
    actions: OnceLock<Arc<[ActionName]>>,
    config: Mutex<Arc<str>>,
    early: Mutex<Vec<Value>>,
    spent: OnceLock<Error>,
}

struct Identity(InstanceContext);

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Identity").field(&self.0.number).finish()
    }
}

impl Interrupt for Inside {
    fn interrupt(&self) {
        self.clock.interrupt();
        // Code that waits for the host looks at no clock.
        if self.clock.ends_a_call()
            && let Some(Identity(context)) = self.identity.get()
        {
            context.host.interrupted();
        }
    }
}

impl Inside {
    pub(crate) fn new(plugin: PluginId, sources: Arc<Sources>) -> Self {
        Self {
            plugin,
            clock: Arc::default(),
            turnstile: Turnstile::default(),
            timers: Timers::default(),
            running: Running::default(),
            sources,
            appointment: Next::default(),
            resized: AtomicBool::new(false),
            rejections: AtomicBool::new(false),
            memory: AtomicU64::new(0),
            identity: OnceLock::new(),
            actions: OnceLock::new(),
            config: Mutex::new("{}".into()),
            early: Mutex::default(),
            spent: OnceLock::new(),
        }
    }

    /// The kernel takes the instance: from here on the plugin can ask the host.
    pub(crate) fn take_up(&self, context: InstanceContext, actions: Arc<[ActionName]>) {
        let _ = self.actions.set(actions);
        let _ = self.identity.set(Identity(context));
        for line in std::mem::take(&mut *lock(&self.early)) {
            self.write_log(&line);
        }
    }

    /// Asks the host within the call that asks, 0 for whatever runs.
    pub(crate) fn ask(&self, number: u32, name: &str, args: &str, payload: &[u8]) -> Result<Vec<u8>> {
        let function = HostFunction::named(name)?;
        let Some(Identity(context)) = self.identity.get() else {
            return Err(Error::new(Code::NotSupported, format!("`{name}` is not available while the code is loaded"))
                .remedy("ask for it in a hook or an action"));
        };
        let (scope, action) = self.scope_of(number);
        let name = action.and_then(|action| self.actions.get()?.get(action as usize).cloned());
        let within = Within { scope: &scope, action: name.as_ref().map(ActionName::as_str) };
        context.host.request(&within, &HostRequest { function, args, payload })
    }

    fn scope_of(&self, number: u32) -> (Scope, Option<u32>) {
        let Some((Origin { caller, trace }, action)) = self.running.get(number) else {
            return (Scope::within(defaults::HOOK_DEADLINE), None);
        };
        // A relative deadline began with the call, not with this question.
        (Scope { caller, deadline: Deadline::At(self.clock.end()), trace }, action)
    }

    /// What a call may know of itself, as JSON.
    pub(crate) fn facts(&self, number: u32) -> Value {
        let (scope, action) = self.scope_of(number);
        let action = action.and_then(|action| self.actions.get()?.get(action as usize));
        let caller: Vec<Value> = scope
            .caller
            .iter()
            .flat_map(|caller| caller.chain())
            .map(|link| match &link.action {
                Some(action) => json!({ "plugin": link.plugin, "action": action }),
                None => json!({ "plugin": link.plugin }),
            })
            .collect();
        let left = scope.deadline.remaining().as_secs_f64() * 1000.0;
        let now = now_ms();
        let mut facts = json!({ "caller": caller, "deadline": (now + left).round() });
        if let (Some(facts), Some(action)) = (facts.as_object_mut(), action) {
            facts.insert("action".to_owned(), json!(action));
        }
        if let (Some(facts), Some(trace)) = (facts.as_object_mut(), &scope.trace) {
            facts.insert("trace".to_owned(), json!(trace));
        }
        facts
    }

    /// Who the instance is, as JSON.
    pub(crate) fn identity(&self) -> Value {
        self.identity.get().map_or_else(
            || json!({ "id": self.plugin, "version": "", "generation": 0, "instance": 0 }),
            |Identity(context)| {
                json!({
                    "id": context.plugin, "version": context.version,
                    "generation": context.generation, "instance": context.number,
                })
            },
        )
    }

    /// The configuration in effect, as JSON.
    pub(crate) fn config(&self) -> Arc<str> {
        Arc::clone(&lock(&self.config))
    }

    pub(crate) fn accept_config(&self, config: &[u8]) {
        let text = String::from_utf8_lossy(config);
        *lock(&self.config) = if text.trim().is_empty() { "{}".into() } else { text.into() };
    }

    /// Writes to the plugin's log; keeps the first lines while there is no host yet.
    pub(crate) fn log(&self, level: &str, message: &str, fields: Option<Value>) {
        let message = message.get(..message.floor_char_boundary(defaults::LOG_LINE)).unwrap_or(message);
        let line = json!({ "level": level, "message": message, "fields": fields.unwrap_or(Value::Null) });
        if self.identity.get().is_some() {
            return self.write_log(&line);
        }
        let mut early = lock(&self.early);
        if early.len() < EARLY {
            early.push(line);
        }
    }

    /// A line that the kernel refuses is lost, as a log may be.
    fn write_log(&self, line: &Value) {
        if let Err(error) = self.ask(0, HostFunction::Log.name(), &line.to_string(), &[]) {
            tracing::debug!(plugin = %self.plugin, %error, "a log line was refused");
        }
    }

    /// The engine must not be used again.
    pub(crate) fn spend(&self, why: &Error) {
        let _ = self.spent.set(why.clone());
    }

    #[inline]
    pub(crate) fn spent(&self) -> Option<&Error> {
        self.spent.get()
    }

    /// The instance died of something that it did between calls.
    pub(crate) fn lost(&self, why: Error) {
        if let Some(Identity(context)) = self.identity.get()
            && !self.clock.is_closed()
        {
            context.host.lost(why);
        }
    }

    /// A buffer is about to get another length: arrays that show all of it then have other lengths than they began with.
    pub(crate) fn resize(&self) {
        self.resized.store(true, Ordering::Relaxed);
    }

    /// Whether there was one.
    #[inline]
    pub(crate) fn has_resized(&self) -> bool {
        self.resized.load(Ordering::Relaxed)
    }

    /// Whether rejections wait to be looked at; they are then.
    pub(crate) fn take_rejections(&self) -> bool {
        self.rejections.load(Ordering::Relaxed) && self.rejections.swap(false, Ordering::Relaxed)
    }
}

/// Milliseconds since 1970.
fn now_ms() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64() * 1000.0)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
