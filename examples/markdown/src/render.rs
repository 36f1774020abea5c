//! Markdown to HTML: CommonMark with tables, footnotes, strikethrough and task lists.

use pulldown_cmark::{CowStr, Event, Options as Extensions, Parser, Tag, TagEnd, html};

use crate::links::{is_safe_link, is_safe_picture};
use crate::options::{Options, RawHtml};
use crate::slug::Slugs;

/// Largest document, in bytes. Far above any text that people write, far below what would hold up a host.
pub const DOCUMENT_CAP: usize = 8 * 1024 * 1024;

/// Why a document was not rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// More bytes than [`DOCUMENT_CAP`].
    #[error("the document has {size} bytes; at most {DOCUMENT_CAP} are rendered")]
    TooLarge {
        /// Bytes of the document.
        size: usize,
    },
    /// Not UTF-8.
    #[error("the document is not UTF-8: byte {offset} begins no character")]
    NotUtf8 {
        /// Where the first wrong byte is, from 0.
        offset: usize,
    },
}

impl RenderError {
    /// The stable name of the fault.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::NotUtf8 { .. } => "not_utf8",
        }
    }
}

/// Renders a document of UTF-8 bytes; a byte order mark is skipped.
///
/// # Errors
/// [`RenderError`] for documents that are too large or not UTF-8. Any UTF-8 text is valid Markdown.
pub fn render(document: &[u8], options: Options) -> Result<String, RenderError> {
    if document.len() > DOCUMENT_CAP {
        return Err(RenderError::TooLarge { size: document.len() });
    }
    let text = std::str::from_utf8(document).map_err(|e| RenderError::NotUtf8 { offset: e.valid_up_to() })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut events: Vec<Event<'_>> =
        Parser::new_ext(text, extensions(options)).filter_map(|event| tame(event, options.raw_html)).collect();
    if !options.no_heading_ids {
        name_headings(&mut events);
    }
    let mut page = String::with_capacity(text.len() + text.len() / 2);
    html::push_html(&mut page, events.into_iter());
    Ok(page)
}

/// Heading attributes (`{onclick=…}`) stay off: they would let a document put any attribute into the page.
fn extensions(options: Options) -> Extensions {
    let mut extensions = Extensions::ENABLE_TABLES
        | Extensions::ENABLE_FOOTNOTES
        | Extensions::ENABLE_STRIKETHROUGH
        | Extensions::ENABLE_TASKLISTS;
    extensions.set(Extensions::ENABLE_SMART_PUNCTUATION, options.smart_punctuation);
    extensions
}

/// Takes out of one event what could run code in the page, as far as the options ask for it.
fn tame(event: Event<'_>, raw_html: RawHtml) -> Option<Event<'_>> {
    match event {
        Event::Html(_) | Event::InlineHtml(_) if raw_html == RawHtml::Strip => None,
        Event::Html(html) | Event::InlineHtml(html) if raw_html == RawHtml::Escape => Some(Event::Text(html)),
        // Escaped HTML is text, and text belongs into a paragraph.
        Event::Start(Tag::HtmlBlock) if raw_html == RawHtml::Escape => Some(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::HtmlBlock) if raw_html == RawHtml::Escape => Some(Event::End(TagEnd::Paragraph)),
        Event::Start(tag) => Some(Event::Start(tame_tag(tag))),
        // A prefix of its own keeps a footnote from taking the id of a heading.
        Event::FootnoteReference(label) => Some(Event::FootnoteReference(footnote_id(&label))),
        event => Some(event),
    }
}

fn tame_tag(tag: Tag<'_>) -> Tag<'_> {
    match tag {
        Tag::Link { link_type, dest_url, title, id } if !is_safe_link(&dest_url) => {
            Tag::Link { link_type, dest_url: CowStr::Borrowed(""), title, id }
        }
        Tag::Image { link_type, dest_url, title, id } if !is_safe_picture(&dest_url) => {
            Tag::Image { link_type, dest_url: CowStr::Borrowed(""), title, id }
        }
        Tag::FootnoteDefinition(label) => Tag::FootnoteDefinition(footnote_id(&label)),
        tag => tag,
    }
}

fn footnote_id<'a>(label: &str) -> CowStr<'a> {
    CowStr::from(format!("fn-{label}"))
}

/// Gives each heading an id made of its text.
fn name_headings(events: &mut [Event<'_>]) {
    let mut slugs = Slugs::default();
    let mut rest = events;
    while let Some((event, after)) = rest.split_first_mut() {
        if let Event::Start(Tag::Heading { id, .. }) = event {
            *id = Some(CowStr::from(slugs.next(&text_of_heading(after))));
        }
        rest = after;
    }
}

fn text_of_heading(events: &[Event<'_>]) -> String {
    events
        .iter()
        .take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))))
        .filter_map(|event| match event {
            Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
            Event::SoftBreak | Event::HardBreak => Some(" "),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests;
