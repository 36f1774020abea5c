//! The host API: what a plugin may ask of the kernel. One list for every runtime; one gate in front of it.

use std::fmt;

use crate::{Code, Error, Result, defaults};

macro_rules! functions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)+) => {
        /// A function of the host API. `args` is a JSON object; `payload` and the reply are bytes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum HostFunction { $($(#[$doc])* $variant),+ }

        impl HostFunction {
            /// Every function.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in the contract, in every language.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The function of a name. `events.emit` is another for `bus.publish`.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ "events.emit" => Some(Self::BusPublish), _ => None }
            }

            /// The function that a plugin asks for by a name.
            ///
            /// # Errors
            /// `not_supported` for a name that no function has.
            pub fn named(name: &str) -> Result<Self> {
                Self::from_name(name).ok_or_else(|| {
                    let shown: String = name.chars().take(80).collect();
                    Error::new(Code::NotSupported, format!("there is no host function `{shown}`"))
                        .remedy("see the host API in the contract for the names there are")
                })
            }

            /// Says that nothing can be asked with so many bytes of arguments: at most [`defaults::WIRE_HEADER`].
            ///
            /// # Errors
            /// `limit_exceeded`.
            pub fn check_arguments(self, bytes: usize) -> Result<()> {
                const MOST: usize = defaults::WIRE_HEADER;
                if bytes <= MOST {
                    return Ok(());
                }
                let message = format!("the arguments of `{self}` have {bytes} bytes, more than {MOST}");
                Err(Error::new(Code::LimitExceeded, message)
                    .remedy("pass large data as the payload")
                    .with("which", "args")
                    .with("limit", MOST as u64))
            }
        }
    };
}

functions! {
    /// Writes to the plugin's log. Args `{level, message, fields}`; level is `trace`, `debug`, `info`, `warn` or `error`.
    Log = "log";
    /// The plugin's effective configuration as JSON, or one value of it. Args `{key?}`.
    ConfigGet = "config.get";
    /// Reads the plugin's own state. Args `{key}`; the reply is the value, or the error is `key_not_found`.
    StateGet = "state.get";
    /// Writes it. Args `{key, ttl_ms?}`; the payload is the value.
    StateSet = "state.set";
    /// Writes it if it is still what the plugin read. Args `{key, expected?, ttl_ms?}`; the reply is `true` or `false`.
    StateCompareAndSet = "state.compare_and_set";
    /// Removes a key. Args `{key}`.
    StateDelete = "state.delete";
    /// Lists keys. Args `{prefix?}`; the reply is a JSON array.
    StateList = "state.list";
    /// Publishes an event. Args `{topic, content_type?, retain?}`; the payload is its data. Also known as `events.emit`.
    BusPublish = "bus.publish";
    /// Asks a topic and waits for one answer, which is the reply. Args `{topic, content_type?, deadline_ms?}`; the payload is
    /// the question.
    BusRequest = "bus.request";
    /// Begins to receive topics through the `event` hook. Args `{topic, group?, filter?}`; the topic may have wildcards.
    BusSubscribe = "bus.subscribe";
    /// Ends it. Args `{topic}`.
    BusUnsubscribe = "bus.unsubscribe";
    /// Calls another plugin. Args `{address, deadline_ms?}`; payload and reply are the call's.
    Call = "call";
    /// Finds the providers of an interface. Args `{interface, range?}`.
    ServiceFind = "service.find";
    /// Calls the chosen provider of an interface. Args `{interface, range?, action, deadline_ms?}`.
    ServiceCall = "service.call";
    /// Fetches a web address. Args `{method?, url, headers?}`; payload the body; the reply is a line of JSON and the body.
    HttpFetch = "http.fetch";
    /// Adds to a counter. Args `{name, value?, labels?}`.
    MetricsCount = "metrics.count";
    /// Sets a gauge. Args `{name, value, labels?}`.
    MetricsGauge = "metrics.gauge";
    /// Adds to a histogram. Args `{name, value, labels?}`.
    MetricsObserve = "metrics.observe";
    /// Reads a secret. Args `{name}`.
    SecretGet = "secret.get";
    /// Wall clock: RFC 3339 as a JSON string.
    TimeNow = "time.now";
    /// Monotonic clock: nanoseconds as a JSON number.
    TimeMonotonic = "time.monotonic";
    /// Random bytes. Args `{bytes}`, at most 65,536.
    Random = "random";
}

impl fmt::Display for HostFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
