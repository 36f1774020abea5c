//! Logs of the host and of plugins, on stderr: one line each.

use std::fmt::{self, Write as _};

use midplane::secret::mask;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, Layer};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;

use crate::exit::{Outcome, Stop};
use crate::notice;

/// The variable that takes the place of `-v` and `-q`.
pub(crate) const VARIABLE: &str = "MIDPLANE_LOG";

/// What is logged when nothing else is asked for: what plugins log and print among it.
pub(crate) const USUAL: &str = "warn,plugin=info,midplane::stderr=info";
/// The same where plugins are called a thousand times to see what they do, and what they say of it buries the results.
pub(crate) const TESTING: &str = "warn,plugin=off,midplane::stderr=off";

/// Begins to log. `MIDPLANE_LOG` (`debug`, or `plugin=debug,midplane_kernel=trace`) counts before `-v` and `-q`, and
/// without any of them it is `usual`.
pub(crate) fn start(verbose: u8, quiet: bool, usual: &'static str) -> Outcome<()> {
    let wanted = std::env::var(VARIABLE).ok().filter(|text| !text.is_empty());
    let wanted = wanted.unwrap_or_else(|| level(verbose, quiet, usual).to_owned());
    let targets: Targets = wanted.parse().map_err(|error| {
        let remedy = "write a level (error, warn, info, debug, trace) or TARGET=LEVEL, separated by commas";
        Stop::usage(format!("{VARIABLE}={wanted} cannot be understood: {error}"), remedy)
    })?;
    let lines = Layer::new()
        .with_writer(std::io::stderr)
        .log_internal_errors(false)
        .event_format(Lines { colour: notice::colour(&std::io::stderr()) });
    let subscriber = tracing_subscriber::registry().with(targets).with(lines);
    // Nobody else sets one in this process.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}

fn level(verbose: u8, quiet: bool, usual: &'static str) -> &'static str {
    match (quiet, verbose) {
        (true, _) => "error",
        (false, 0) => usual,
        (false, 1) => "info,plugin=debug",
        (false, _) => {
            "info,plugin=trace,midplane=debug,midplane_kernel=debug,midplane_runtime_native=debug,\
                       midplane_runtime_wasm=debug,midplane_runtime_wire=debug,midplane_runtime_connect=debug"
        }
    }
}

/// `warn  [text-stats] what happened (key=value)`.
struct Lines {
    colour: bool,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = Line::default();
        event.record(&mut line);
        let (name, colour) = match *event.metadata().level() {
            Level::ERROR => ("error", 31),
            Level::WARN => ("warn", 33),
            Level::INFO => ("info", 32),
            Level::DEBUG => ("debug", 34),
            Level::TRACE => ("trace", 35),
        };
        match self.colour {
            true => write!(writer, "\u{1b}[{colour}m{name:<5}\u{1b}[0m ")?,
            false => write!(writer, "{name:<5} ")?,
        }
        if !line.plugin.is_empty() {
            write!(writer, "[{}] ", line.plugin)?;
        }
        writer.write_str(&notice::tidy(&mask(&line.message)))?;
        if !line.fields.is_empty() {
            write!(writer, " ({})", notice::tidy(&mask(&line.fields)))?;
        }
        writeln!(writer)
    }
}

/// The parts of one line.
#[derive(Default)]
struct Line {
    plugin: String,
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            "plugin" => write!(self.plugin, "{value:?}"),
            name => {
                let separator = if self.fields.is_empty() { "" } else { ", " };
                write!(self.fields, "{separator}{name}={value:?}")
            }
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            // What a plugin logs beside its message: a JSON object, or nothing.
            "fields" if value.is_empty() => {}
            "fields" => self.fields.push_str(value),
            _ => self.record_debug(field, &format_args!("{value}")),
        }
    }
}
