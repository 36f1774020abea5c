//! Title, artist and what else a file says about itself.

use std::collections::BTreeMap;

use symphonia::core::meta::{MetadataRevision, RawValue, StandardTag, Tag};

use crate::riff;

/// Tags that are kept of one file.
const TAGS_CAP: usize = 200;
/// Characters that are kept of one tag's value.
const VALUE_CAP: usize = 2000;

/// A file's tags under names that are the same for all formats (`title`, `artist`, `album`, `date`, `track_number`, …)
/// where there is such a name, else under the file's own, in lower case. Several values stand on lines of their own.
#[derive(Debug, Default)]
pub(crate) struct Tags {
    /// Values by name.
    pub(crate) values: BTreeMap<String, String>,
    /// Pictures in the file: covers, artists.
    pub(crate) pictures: usize,
}

impl Tags {
    /// Takes the tags of one revision; what is already there stays.
    pub(crate) fn add(&mut self, revision: &MetadataRevision) {
        let containers = std::iter::once(&revision.media).chain(revision.per_track.iter().map(|track| &track.metadata));
        let known = self.values.clone();
        for container in containers {
            self.pictures += container.visuals.len();
            for tag in &container.tags {
                self.add_tag(tag, &known);
            }
        }
    }

    /// Takes what a WAV says of itself; what is already there stays.
    pub(crate) fn add_riff(&mut self, file: &[u8]) {
        let known = self.values.clone();
        for (letters, value) in riff::info_tags(file) {
            let name = riff::common_name(letters).map_or_else(|| letters.to_lowercase(), str::to_owned);
            self.add_value(name, &value, &known);
        }
    }

    fn add_tag(&mut self, tag: &Tag, known: &BTreeMap<String, String>) {
        if matches!(tag.raw.value, RawValue::Binary(_)) {
            return;
        }
        let name = tag.std.as_ref().and_then(common_name).map_or_else(|| tag.raw.key.to_lowercase(), str::to_owned);
        self.add_value(name, &tag.raw.value.to_string(), known);
    }

    fn add_value(&mut self, name: String, value: &str, known: &BTreeMap<String, String>) {
        if known.contains_key(&name) {
            return;
        }
        let value: String = value.chars().take(VALUE_CAP).collect();
        if let Some(present) = self.values.get_mut(&name) {
            if present.len() < VALUE_CAP && *present != value {
                present.push('\n');
                present.push_str(&value);
            }
        } else if self.values.len() < TAGS_CAP {
            self.values.insert(name, value);
        }
    }
}

/// One name for what ID3 and Vorbis comments call differently.
fn common_name(tag: &StandardTag) -> Option<&'static str> {
    Some(match tag {
        StandardTag::TrackTitle(_) => "title",
        StandardTag::Artist(_) => "artist",
        StandardTag::Album(_) => "album",
        StandardTag::AlbumArtist(_) => "album_artist",
        StandardTag::Composer(_) => "composer",
        StandardTag::Genre(_) => "genre",
        StandardTag::Comment(_) => "comment",
        StandardTag::Copyright(_) => "copyright",
        StandardTag::TrackNumber(_) => "track_number",
        StandardTag::TrackTotal(_) => "track_total",
        StandardTag::DiscNumber(_) => "disc_number",
        StandardTag::RecordingDate(_)
        | StandardTag::RecordingYear(_)
        | StandardTag::ReleaseDate(_)
        | StandardTag::ReleaseYear(_) => "date",
        StandardTag::Encoder(_) => "encoder",
        _ => return None,
    })
}
