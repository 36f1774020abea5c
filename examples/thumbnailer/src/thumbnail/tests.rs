use image::{ImageFormat, Rgb, RgbImage};

use super::*;
use crate::inspect;

/// A picture with a red left half and a blue right half.
fn halves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| if x < width / 2 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) })
}

fn encoded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn decoded(file: &[u8]) -> RgbImage {
    image::load_from_memory(file).unwrap().to_rgb8()
}

/// The pixel is mostly of this color; JPEG and scaling may blur it.
fn is_mostly(pixel: Rgb<u8>, channel: usize) -> bool {
    pixel.0[channel] > 200 && (0..3).filter(|c| *c != channel).all(|c| pixel.0[c] < 60)
}

#[test]
fn every_format_becomes_a_png_of_the_asked_size() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::Bmp, ImageFormat::WebP] {
        let file = encoded(&halves(400, 200), format);
        let png = thumbnail(&file, Options { longest_edge: 100, ..Options::default() }).unwrap();
        let small = decoded(&png);
        assert_eq!(small.dimensions(), (100, 50), "{format:?}");
        assert!(is_mostly(*small.get_pixel(10, 25), 0), "{format:?}");
        assert!(is_mostly(*small.get_pixel(90, 25), 2), "{format:?}");
        assert_eq!(inspect(&png).unwrap().format, "png");
    }
}

#[test]
fn a_small_picture_keeps_its_size() {
    let png = thumbnail(&encoded(&halves(40, 20), ImageFormat::Png), Options::default()).unwrap();
    assert_eq!(decoded(&png).dimensions(), (40, 20));
}

#[test]
fn a_very_flat_picture_keeps_one_row() {
    let png = thumbnail(&encoded(&halves(4000, 1), ImageFormat::Png), Options::default()).unwrap();
    assert_eq!(decoded(&png).dimensions(), (256, 1));
}

/// A TIFF block with the one tag 0x0112, orientation (EXIF 2.32, section 4.6.4), in an APP1 segment after SOI.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend_from_slice(&[orientation, 0, 0, 0, 0, 0, 0]);
    let length = u16::try_from(exif.len() + 2).unwrap();
    let mut file = jpeg[..2].to_vec();
    file.extend_from_slice(&[0xff, 0xe1]);
    file.extend_from_slice(&length.to_be_bytes());
    file.extend_from_slice(&exif);
    file.extend_from_slice(&jpeg[2..]);
    file
}

/// Where the stored left half (red) is to be seen, by EXIF orientation.
#[test]
fn the_orientation_that_the_camera_noted_is_respected() {
    let jpeg = encoded(&halves(400, 200), ImageFormat::Jpeg);
    for (orientation, dimensions, red_at) in [
        (1, (100, 50), (10, 25)),
        (2, (100, 50), (90, 25)),
        (3, (100, 50), (90, 25)),
        (4, (100, 50), (10, 25)),
        (5, (50, 100), (25, 10)),
        (6, (50, 100), (25, 10)),
        (7, (50, 100), (25, 90)),
        (8, (50, 100), (25, 90)),
    ] {
        let file = with_orientation(&jpeg, orientation);
        let picture = inspect(&file).unwrap();
        assert_eq!(picture.orientation, orientation);
        assert_eq!((picture.width, picture.height), (400, 200));
        let small = decoded(&thumbnail(&file, Options { longest_edge: 100, ..Options::default() }).unwrap());
        assert_eq!(small.dimensions(), dimensions, "orientation {orientation}");
        assert!(is_mostly(*small.get_pixel(red_at.0, red_at.1), 0), "orientation {orientation}");
    }
}

/// A PNG that claims these dimensions and holds almost nothing, its checksum right (PNG, section 5.3).
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut png = encoded(&halves(1, 1), ImageFormat::Png);
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let mut crc = u32::MAX;
    for byte in &png[12..29] {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    png[29..33].copy_from_slice(&(!crc).to_be_bytes());
    png
}

#[test]
fn a_bomb_is_refused_by_its_head_alone() {
    let file = bomb(100_000, 100_000);
    assert_eq!((inspect(&file).unwrap().width, inspect(&file).unwrap().height), (100_000, 100_000));
    let fault = thumbnail(&file, Options::default()).unwrap_err();
    assert_eq!(fault, Fault::TooManyPixels { width: 100_000, height: 100_000, max_pixels: 32_000_000 });
    let fault = thumbnail(&bomb(u32::MAX >> 1, u32::MAX >> 1), Options::default()).unwrap_err();
    assert!(matches!(fault.code(), "too_many_pixels" | "too_much_memory"), "{fault:?}");
}

#[test]
fn what_is_no_picture_is_refused_by_kind() {
    assert_eq!(thumbnail(b"", Options::default()).unwrap_err(), Fault::UnknownFormat);
    assert_eq!(thumbnail(b"hello, world", Options::default()).unwrap_err(), Fault::UnknownFormat);
    let tiff = b"II*\0\x08\0\0\0";
    assert_eq!(thumbnail(tiff, Options::default()).unwrap_err().code(), "unsupported_format");
    let edge = Options { longest_edge: 0, ..Options::default() };
    assert_eq!(thumbnail(&encoded(&halves(4, 4), ImageFormat::Png), edge).unwrap_err().code(), "bad_options");
}

/// Every cut and many flipped bytes: an answer or a typed fault, never a panic.
#[test]
fn damaged_files_never_panic() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::Bmp, ImageFormat::WebP] {
        let file = encoded(&halves(24, 16), format);
        for end in 0..file.len() {
            let _ = thumbnail(&file[..end], Options::default());
            let _ = inspect(&file[..end]);
        }
        for place in 0..file.len() {
            let mut damaged = file.clone();
            damaged[place] ^= 0x5a;
            let _ = thumbnail(&damaged, Options::default());
        }
        assert!(thumbnail(&file[..file.len() / 3], Options::default()).is_err() || format == ImageFormat::Bmp);
    }
}
