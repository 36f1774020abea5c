//! What a plugin has: its actions and hooks, said in one place.

mod hooks;

use serde_json::Value;

use crate::hook::Hook;
use crate::info::{ActionInfo, Info};
use crate::{Context, Input, Output, Reply, Result};

/// Everything of a plugin comes down to this: bytes in, bytes out.
pub(crate) type Handler<P> = Box<dyn Fn(&mut P, &[u8], &mut Reply<'_>, &Context<'_>) -> Result<()> + Send + Sync>;

/// A plugin's actions and hooks. What is not defined does not exist.
pub struct Definition<P> {
    pub(crate) info: Info,
    pub(crate) actions: Vec<Handler<P>>,
    pub(crate) hooks: [Option<Handler<P>>; Hook::ALL.len()],
}

impl<P> Default for Definition<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P> Definition<P> {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self { info: Info::default(), actions: Vec::new(), hooks: std::array::from_fn(|_| None) }
    }

    /// What the plugin says of itself. Its `actions` are ignored: they are those defined here.
    #[must_use]
    pub fn info(mut self, info: Info) -> Self {
        let actions = std::mem::take(&mut self.info.actions);
        self.info = Info { actions, ..info };
        self
    }

    /// An action that takes and gives values: [`crate::Json`], `String`, `Vec<u8>` or `()`.
    ///
    /// Of two actions with one name the later one wins.
    #[must_use]
    pub fn action<I: Input, O: Output>(
        self,
        name: &str,
        run: impl Fn(&mut P, I, &Context<'_>) -> Result<O> + Send + Sync + 'static,
    ) -> Self {
        self.raw(name, move |plugin, input, reply, context| run(plugin, I::read(input)?, context)?.write(reply))
    }

    /// An action on bytes without copies: the input is the caller's, the reply is written into the host's buffer.
    #[must_use]
    pub fn raw(
        mut self,
        name: &str,
        run: impl Fn(&mut P, &[u8], &mut Reply<'_>, &Context<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        if let Some(earlier) = self.info.actions.iter().position(|action| action.name == name) {
            self.info.actions.remove(earlier);
            drop(self.actions.remove(earlier));
        }
        self.info.actions.push(ActionInfo { name: name.to_owned(), ..ActionInfo::default() });
        self.actions.push(Box::new(run));
        self
    }

    /// Describes the action defined last, in one sentence for people.
    #[must_use]
    pub fn describe(self, description: &str) -> Self {
        self.last(|action| action.description = Some(description.to_owned()))
    }

    /// The JSON Schemas of input and reply of the action defined last.
    #[must_use]
    pub fn schema(self, input: Value, output: Value) -> Self {
        self.last(|action| (action.input, action.output) = (Some(input), Some(output)))
    }

    /// Says of the action defined last that calling it twice does no more than calling it once.
    #[must_use]
    pub fn idempotent(self) -> Self {
        self.last(|action| action.idempotent = true)
    }

    /// The longest call of the action defined last, in milliseconds.
    #[must_use]
    pub fn deadline_ms(self, milliseconds: u64) -> Self {
        self.last(|action| action.deadline_ms = Some(milliseconds))
    }

    /// Whether the plugin has the hook. `info` it always has.
    pub(crate) fn has(&self, hook: Hook) -> bool {
        hook == Hook::Info || self.hooks.get(hook as usize).is_some_and(Option::is_some)
    }

    fn last(mut self, change: impl FnOnce(&mut ActionInfo)) -> Self {
        if let Some(action) = self.info.actions.last_mut() {
            change(action);
        }
        self
    }
}

impl<P> std::fmt::Debug for Definition<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Definition").field("info", &self.info).finish_non_exhaustive()
    }
}
