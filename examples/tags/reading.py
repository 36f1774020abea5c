"""Tags of a sound file under names that are the same for all formats. Knows nothing of Midplane."""

import base64
import io
from typing import NamedTuple

import mutagen
from mutagen.flac import Picture as FlacPicture
from mutagen.id3 import ID3

# What formats call the same thing: ID3 frames (MP3, WAV), MP4 atoms. Vorbis comments (FLAC, Ogg) are names already.
NAMES = {
    "TIT2": "title", "TPE1": "artist", "TALB": "album", "TPE2": "albumartist", "TDRC": "date", "TRCK": "tracknumber",
    "TPOS": "discnumber", "TCON": "genre", "TCOM": "composer", "TCOP": "copyright", "TSRC": "isrc", "TSSE": "encoder",
    "\xa9nam": "title", "\xa9ART": "artist", "\xa9alb": "album", "aART": "albumartist", "\xa9day": "date",
    "trkn": "tracknumber", "disk": "discnumber", "\xa9gen": "genre", "\xa9wrt": "composer", "cprt": "copyright",
    "\xa9too": "encoder",
}
# Text of one tag at most; some files carry books.
LENGTH = 10_000


class Unreadable(Exception):
    """No sound file that can be read; `code` says why."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Picture(NamedTuple):
    """A picture in a sound file."""

    type: str
    data: bytes


class Sound:
    """A sound file in memory."""

    def __init__(self, content):
        try:
            self.file = mutagen.File(io.BytesIO(content))
        except mutagen.MutagenError as why:
            raise Unreadable("damaged", f"the file cannot be read: {why}") from why
        if self.file is None:
            raise Unreadable("unknown_format", "this is no sound file of a known format")

    def facts(self):
        """Everything but the pictures, as JSON can say it."""
        info = self.file.info
        return {
            "format": type(self.file).__name__.lower(),
            "duration_seconds": round(getattr(info, "length", 0.0), 3),
            "sample_rate": getattr(info, "sample_rate", None),
            "channels": getattr(info, "channels", None),
            "bitrate": getattr(info, "bitrate", None),
            "tags": self.tags(),
            "pictures": [{"type": picture.type, "bytes": len(picture.data)} for picture in self.pictures()],
        }

    def tags(self):
        """`{name: [values]}`, sorted by name."""
        found = {}
        for key, value in (self.file.tags or {}).items():
            name = NAMES.get(key, key.lower() if self._names_are_plain() else None)
            if name and name != "metadata_block_picture":
                found.setdefault(name, []).extend(_texts(value))
        return dict(sorted(found.items()))

    def pictures(self):
        """The pictures, in the order of the file."""
        tags = self.file.tags
        if isinstance(tags, ID3):
            return [Picture(frame.mime, frame.data) for frame in tags.getall("APIC")]
        blocks = list(getattr(self.file, "pictures", []))
        for text in (tags or {}).get("metadata_block_picture", []):
            blocks.append(FlacPicture(base64.b64decode(text)))
        found = [Picture(block.mime, block.data) for block in blocks]
        for cover in (tags or {}).get("covr", []):
            found.append(Picture("image/png" if cover.imageformat == cover.FORMAT_PNG else "image/jpeg", bytes(cover)))
        return found

    def _names_are_plain(self):
        """Whether a tag's key is a word that people chose, as in Vorbis comments."""
        return type(self.file).__name__ in ("FLAC", "OggVorbis", "OggOpus", "OggSpeex", "OggFLAC", "OggTheora")


def _texts(value):
    values = getattr(value, "text", value)
    values = values if isinstance(values, list) else [values]
    return ["/".join(map(str, one)) if isinstance(one, tuple) else str(one)[:LENGTH] for one in values]
