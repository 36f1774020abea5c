//! Making the small picture.

use std::io::Cursor;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder};

use crate::fault::Fault;
use crate::options::Options;
use crate::picture::{DECODER_MEMORY, decoder, format_of};

/// Makes a thumbnail: a PNG whose longest edge is `options.longest_edge`, turned the way the EXIF block asks for. Of an
/// animation the first picture is taken. Smaller pictures keep their size.
///
/// # Errors
/// [`Fault`]; what is too large is refused before any pixel is decoded.
pub fn thumbnail(file: &[u8], options: Options) -> Result<Vec<u8>, Fault> {
    let options = options.check().map_err(|reason| Fault::BadOptions { reason })?;
    let mut decoder = decoder(file, format_of(file)?)?;
    let (width, height) = decoder.dimensions();
    refuse_too_large(&decoder, options.max_pixels)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(|error| Fault::of(error, DECODER_MEMORY))?;
    let edge = options.longest_edge;
    // `DynamicImage::thumbnail` would enlarge what is smaller.
    let mut small = if width.max(height) > edge { picture.thumbnail(edge, edge) } else { picture };
    small.apply_orientation(orientation);
    encode(&small)
}

/// Asks the head of the file, not the pixels: a bomb is refused at no cost.
fn refuse_too_large(decoder: &impl ImageDecoder, max_pixels: u64) -> Result<(), Fault> {
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > max_pixels {
        return Err(Fault::TooManyPixels { width, height, max_pixels });
    }
    if decoder.total_bytes() > DECODER_MEMORY {
        return Err(Fault::TooMuchMemory { max_bytes: DECODER_MEMORY });
    }
    Ok(())
}

/// Eight bits a channel are enough for a thumbnail, and every viewer shows them.
fn encode(picture: &DynamicImage) -> Result<Vec<u8>, Fault> {
    let mut png = Vec::new();
    let encoder = PngEncoder::new_with_quality(Cursor::new(&mut png), CompressionType::Default, FilterType::Adaptive);
    let written = if picture.color().has_alpha() {
        picture.to_rgba8().write_with_encoder(encoder)
    } else {
        picture.to_rgb8().write_with_encoder(encoder)
    };
    written.map_err(|error| Fault::of(error, DECODER_MEMORY))?;
    Ok(png)
}

#[cfg(test)]
mod tests;
