//! An error as miette draws it.

use std::error::Error as StdError;
use std::fmt;

use midplane::contract::manifest::Severity;
use midplane::{Code, Error};
use miette::{Diagnostic, LabeledSpan, MietteHandlerOpts, ReportHandler, SourceCode};
use serde_json::Value;

use super::finding::Finding;
use super::snippet::Source;
use crate::notice;

/// Widest lines where output is no terminal, in columns: long enough that no path or message is broken.
const UNBROKEN: usize = 4096;

/// What is drawn.
#[derive(Debug)]
pub(super) struct Shown {
    message: String,
    code: String,
    severity: miette::Severity,
    remedy: Option<String>,
    cause: Option<Cause>,
    about: Option<String>,
    place: Option<(Source, LabeledSpan)>,
}

impl Shown {
    /// An error with its causes, its remedy and whom it is about.
    pub(super) fn of(error: &Error) -> Self {
        let record = error.record();
        let own = record.data.get("code").and_then(Value::as_str).map(str::to_owned);
        let hook = record.data.get("hook").and_then(Value::as_str).map(str::to_owned);
        let about = [
            ("its own code", own.filter(|_| record.code == Code::PluginError)),
            ("plugin", record.plugin.clone()),
            ("runtime", record.runtime.clone()),
            ("action", record.action.clone()),
            ("hook", hook),
            ("generation", record.generation.map(|generation| generation.to_string())),
        ];
        // Many messages end in the cause, for where one line is all there is.
        let said = record.cause.iter().take_while(|cause| record.message.contains(cause.as_str())).count();
        let causes = record.cause.get(said..).unwrap_or_default();
        let about: Vec<String> =
            about.into_iter().filter_map(|(what, name)| Some(format!("{what} {}", name?))).collect();
        Self {
            message: notice::tidy(&record.message),
            code: record.code.to_string(),
            severity: miette::Severity::Error,
            remedy: record.remedy.as_deref().map(notice::tidy),
            cause: Cause::chain(causes),
            about: (!about.is_empty()).then(|| notice::tidy(&about.join(", "))),
            place: None,
        }
    }

    /// A finding at its place in a manifest.
    pub(super) fn of_finding(finding: &Finding, source: &Source) -> Self {
        let place = source.label(finding.line, finding.column).map(|label| (source.clone(), label));
        let message = notice::tidy(&finding.message);
        Self {
            // Without a snippet the message says where.
            message: match (&place, finding.line) {
                (Some(_), _) => message,
                (None, 0) => format!("{}: {message}", source.name()),
                (None, line) => format!("{}:{line}:{}: {message}", source.name(), finding.column),
            },
            code: finding.code.clone(),
            severity: match finding.severity {
                Severity::Error => miette::Severity::Error,
                Severity::Warning => miette::Severity::Warning,
            },
            remedy: Some(notice::tidy(&finding.remedy)).filter(|remedy| !remedy.is_empty()),
            cause: None,
            about: None,
            place,
        }
    }

    /// Draws it on stderr, coloured on a terminal only.
    pub(super) fn print(&self) {
        let stderr = std::io::stderr();
        let colour = notice::colour(&stderr);
        let mut options =
            MietteHandlerOpts::new().force_graphical(true).color(colour).unicode(true).terminal_links(false);
        if !std::io::IsTerminal::is_terminal(&stderr) {
            options = options.width(UNBROKEN);
        }
        if let Some(about) = &self.about {
            options = options.footer(about.clone());
        }
        let drawn = Drawn { shown: self, handler: options.build() };
        notice::write_as_is(&format!("{drawn:?}"));
    }
}

struct Drawn<'a> {
    shown: &'a Shown,
    handler: miette::MietteHandler,
}

impl fmt::Debug for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handler.debug(self.shown, f)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Shown {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_ref().map(|cause| cause as &(dyn StdError + 'static))
    }
}

impl Diagnostic for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.remedy.as_ref().map(|remedy| Box::new(remedy) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.place.as_ref().map(|(source, _)| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let (_, label) = self.place.as_ref()?;
        Some(Box::new(std::iter::once(label.clone())))
    }
}

/// A chain of causes, which the record keeps as texts.
#[derive(Debug)]
struct Cause {
    text: String,
    next: Option<Box<Cause>>,
}

impl Cause {
    fn chain(texts: &[String]) -> Option<Self> {
        let (first, rest) = texts.split_first()?;
        Some(Self { text: notice::tidy(first), next: Self::chain(rest).map(Box::new) })
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for Cause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.next.as_deref().map(|next| next as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_a_hook_says_which_one_it_was() {
        let error = Error::new(Code::PluginError, "no disc").with("hook", "start");
        assert_eq!(Shown::of(&error).about.as_deref(), Some("hook start"));
    }

    #[test]
    fn a_cause_that_the_message_says_already_is_not_said_again() {
        let full = std::io::Error::other("the disk is full");
        let cause = |message: &str| Shown::of(&Error::new(Code::Io, message).caused_by(&full)).cause.map(|it| it.text);
        assert_eq!(cause("a.db cannot be written: the disk is full"), None);
        assert_eq!(cause("a.db cannot be written").as_deref(), Some("the disk is full"));
    }
}
