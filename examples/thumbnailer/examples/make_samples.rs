//! Draws `picture.png` and `picture.jpg` of `examples/samples/`, the same every time:
//! `cargo run -p midplane-example-thumbnailer --example make_samples`.

use std::path::Path;

use image::{ImageFormat, Rgb, RgbImage};

/// A sun over the sea, 640 × 400: flat and smooth parts, so that both formats stay small.
fn picture() -> RgbImage {
    RgbImage::from_fn(640, 400, |x, y| {
        let (dx, dy) = (f64::from(x) - 460.0, f64::from(y) - 130.0);
        let sky = (y / 2).min(150) as u8;
        if dx.hypot(dy) < 60.0 {
            Rgb([255, 210, 60])
        } else if f64::from(y) > 280.0 + 8.0 * (f64::from(x) / 40.0).sin() {
            Rgb([20, 70, 130])
        } else {
            Rgb([90 + sky, 150 + sky / 2, 230])
        }
    })
}

fn main() -> image::ImageResult<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples");
    picture().save_with_format(folder.join("picture.png"), ImageFormat::Png)?;
    picture().save_with_format(folder.join("picture.jpg"), ImageFormat::Jpeg)
}
