//! What a document is called in messages about it.

/// The words for one kind of document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wording {
    /// The document.
    pub(crate) what: &'static str,
    /// What to do when it is empty.
    pub(crate) empty: &'static str,
    /// What to do when it is too large.
    pub(crate) large: &'static str,
    /// Where fields of one's own can stand, if anywhere.
    pub(crate) free: Option<&'static str>,
}

/// A plugin's manifest.
pub(crate) const MANIFEST: Wording = Wording {
    what: "the manifest",
    empty: "write at least id, version and entry",
    large: "move data out of the manifest, into files beside it",
    free: Some("metadata"),
};

/// A file of test cases.
pub(crate) const CASES: Wording = Wording {
    what: "the case file",
    empty: "write `cases:` and at least one case, or remove the file",
    large: "spread the cases over several files, and name large inputs with `file:`",
    free: None,
};

/// The host's settings.
pub(crate) const SETTINGS: Wording = Wording {
    what: "the settings file",
    empty: "write at least one setting, or do without the file",
    large: "spread the settings over several files",
    free: None,
};
