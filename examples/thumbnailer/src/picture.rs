//! Reading what a picture is, before anything of it is decoded.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{ImageDecoder, ImageFormat, ImageReader, Limits};
use serde::Serialize;

use crate::fault::Fault;

/// Memory that a decoder may take, in bytes.
pub(crate) const DECODER_MEMORY: u64 = 192 * 1024 * 1024;

/// What the head of a picture file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// Name of the format: `png`, `jpeg`, `gif`, `bmp`, `webp`.
    pub format: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// Width as stored, in pixels.
    pub width: u32,
    /// Height as stored, in pixels.
    pub height: u32,
    /// How to turn the stored picture for looking at it, as EXIF counts: 1 = as it is, up to 8.
    pub orientation: u8,
    /// Width as it is looked at.
    pub displayed_width: u32,
    /// Height as it is looked at.
    pub displayed_height: u32,
    /// How a pixel is stored: `rgb8`, `la16`, …
    pub color: String,
    /// Size of the file in bytes.
    pub bytes: u64,
}

/// Says what a picture is. Reads the head of the file only, so a picture of any dimensions will do.
///
/// # Errors
/// [`Fault::UnknownFormat`], [`Fault::UnsupportedFormat`] or [`Fault::Damaged`].
pub fn inspect(file: &[u8]) -> Result<Picture, Fault> {
    let format = format_of(file)?;
    let mut decoder = decoder(file, format)?;
    let (width, height) = decoder.dimensions();
    // A damaged EXIF block says nothing about the orientation; the picture itself may be sound.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let (displayed_width, displayed_height) = if swaps_edges(orientation) { (height, width) } else { (width, height) };
    Ok(Picture {
        format: name_of(format),
        media_type: format.to_mime_type(),
        width,
        height,
        orientation: orientation.to_exif(),
        displayed_width,
        displayed_height,
        color: format!("{:?}", decoder.original_color_type()).to_lowercase(),
        bytes: file.len() as u64,
    })
}

/// The format by the first bytes, never by a name.
pub(crate) fn format_of(file: &[u8]) -> Result<ImageFormat, Fault> {
    let format = image::guess_format(file).map_err(|_| Fault::UnknownFormat)?;
    match format {
        ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Gif | ImageFormat::Bmp | ImageFormat::WebP => Ok(format),
        other => Err(Fault::UnsupportedFormat { format: name_of(other).to_owned() }),
    }
}

/// A decoder that has read the head of the file and will keep to [`DECODER_MEMORY`].
pub(crate) fn decoder(file: &[u8], format: ImageFormat) -> Result<impl ImageDecoder, Fault> {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(DECODER_MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    // The reader's own check counts the decoded picture as well, which only reading the head never needs.
    reader.no_limits();
    let mut decoder = reader.into_decoder().map_err(|error| Fault::of(error, DECODER_MEMORY))?;
    decoder.set_limits(limits).map_err(|error| Fault::of(error, DECODER_MEMORY))?;
    Ok(decoder)
}

fn swaps_edges(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    )
}

fn name_of(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Jpeg => "jpeg",
        other => other.extensions_str().first().copied().unwrap_or("unknown"),
    }
}
