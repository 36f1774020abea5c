//! How a document is rendered.

use serde::Deserialize;

/// What a caller or an operator may choose. The default is safe to show in a browser.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// What becomes of HTML inside the Markdown.
    pub raw_html: RawHtml,
    /// Leaves the `id` attribute of headings out.
    pub no_heading_ids: bool,
    /// Turns straight quotes, `--` and `...` into their typographic forms.
    pub smart_punctuation: bool,
}

/// What becomes of HTML inside the Markdown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RawHtml {
    /// It is shown as text.
    #[default]
    Escape,
    /// It is left out.
    Strip,
    /// It passes unchanged: only for documents whose author may run scripts in the reader's browser.
    Allow,
}
