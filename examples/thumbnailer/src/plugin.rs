//! What the host sees.

use midplane_sdk::prelude::*;
use serde::Deserialize;

use crate::{Fault, Options, inspect, thumbnail};

/// Longest first line of `thumbnail_with`, in bytes.
const HEADER_CAP: usize = 4096;

/// The plugin: its configuration is how `thumbnail` works.
#[derive(Debug, Default)]
pub struct Thumbnailer {
    options: Options,
}

/// First line of `thumbnail_with`. How large a picture may be is the operator's choice, never the caller's.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    longest_edge: Option<u32>,
}

impl Plugin for Thumbnailer {
    fn define() -> Definition<Self> {
        Definition::new()
            .on_validate_config(|_, Json(options): Json<Options>, _| checked(options).map(drop))
            .on_init(Self::configure)
            .on_config_changed(Self::configure)
            .raw("thumbnail", |plugin, file, reply, _| reply.write(&thumbnail(file, plugin.options).map_err(answer)?))
            .describe("A picture in, a small PNG out")
            .idempotent()
            .raw("thumbnail_with", |plugin, input, reply, _| {
                let (options, file) = plugin.split(input)?;
                reply.write(&thumbnail(file, options).map_err(answer)?)
            })
            .describe("One line of JSON with options, then the picture in; a small PNG out")
            .idempotent()
            .raw("inspect", |_, file, reply, _| reply.write(&serde_json::to_vec(&inspect(file).map_err(answer)?)?))
            .describe("A picture in, its format and dimensions as JSON out")
            .idempotent()
    }
}

impl Thumbnailer {
    fn configure(&mut self, Json(options): Json<Options>, _: &Context<'_>) -> Result<()> {
        self.options = checked(options)?;
        Ok(())
    }

    /// Divides the input of `thumbnail_with` into options and picture.
    fn split<'a>(&self, input: &'a [u8]) -> Result<(Options, &'a [u8])> {
        let bad = |reason: String| answer(Fault::BadOptions { reason });
        let end = input.iter().take(HEADER_CAP).position(|byte| *byte == b'\n');
        let (line, file) = end
            .and_then(|end| Some((input.get(..end)?, input.get(end + 1..)?)))
            .ok_or_else(|| bad(format!("the input must begin with a line of JSON of at most {HEADER_CAP} bytes")))?;
        let header: Header =
            serde_json::from_slice(line).map_err(|error| bad(format!("the first line does not fit: {error}")))?;
        let longest_edge = header.longest_edge.unwrap_or(self.options.longest_edge);
        Ok((Options { longest_edge, ..self.options }, file))
    }
}

fn checked(options: Options) -> Result<Options> {
    options.check().map_err(|reason| Error::new("config_invalid", reason))
}

fn answer(fault: Fault) -> Error {
    let error = Error::new(fault.code(), fault.to_string());
    match fault {
        Fault::UnknownFormat | Fault::Damaged { .. } | Fault::BadOptions { .. } => error,
        Fault::UnsupportedFormat { format } => error.with("format", format),
        Fault::TooManyPixels { width, height, max_pixels } => {
            error.with("width", width).with("height", height).with("max_pixels", max_pixels)
        }
        Fault::TooMuchMemory { max_bytes } => error.with("max_bytes", max_bytes),
    }
}

#[cfg(test)]
mod tests {
    use midplane_sdk::{Hook, testing::Bench};

    use super::*;

    const PICTURE: &[u8] = include_bytes!("../../samples/picture.jpg");

    fn dimensions(bench: &mut Bench<Thumbnailer>, png: &[u8]) -> (Value, Value) {
        let found: Value = serde_json::from_slice(&bench.call("inspect", png).unwrap()).unwrap();
        (found["width"].clone(), found["height"].clone())
    }

    #[test]
    fn the_longest_edge_is_256_unless_configuration_or_header_say_otherwise() {
        let mut bench = Bench::<Thumbnailer>::new();
        let png = bench.call("thumbnail", PICTURE).unwrap();
        assert_eq!(dimensions(&mut bench, &png), (json!(256), json!(160)));
        bench.hook(Hook::Init, "{\"longest_edge\": 128}").unwrap();
        let png = bench.call("thumbnail", PICTURE).unwrap();
        assert_eq!(dimensions(&mut bench, &png), (json!(128), json!(80)));
        let png = bench.call("thumbnail_with", [b"{\"longest_edge\": 64}\n", PICTURE].concat()).unwrap();
        assert_eq!(dimensions(&mut bench, &png), (json!(64), json!(40)));
        let png = bench.call("thumbnail_with", [b"{}\n", PICTURE].concat()).unwrap();
        assert_eq!(dimensions(&mut bench, &png), (json!(128), json!(80)));
    }

    #[test]
    fn a_picture_beyond_the_limit_is_a_typed_error_with_the_numbers() {
        let mut bench = Bench::<Thumbnailer>::new();
        bench.hook(Hook::Init, "{\"max_pixels\": 1000}").unwrap();
        let error = bench.call("thumbnail", PICTURE).unwrap_err();
        assert_eq!(error.code, "too_many_pixels");
        assert_eq!(Value::Object(error.data.clone()), json!({"width": 640, "height": 400, "max_pixels": 1000}));
    }

    #[test]
    fn options_that_do_not_fit_are_a_typed_error() {
        let mut bench = Bench::<Thumbnailer>::new();
        for input in
            [&b"no line"[..], b"{\"edge\": 1}\n", b"[]\n", b"{\"longest_edge\": 0}\n", b"{\"max_pixels\": 9}\n"]
        {
            assert_eq!(bench.call("thumbnail_with", input).unwrap_err().code, "bad_options");
        }
        assert_eq!(bench.hook(Hook::ValidateConfig, "{\"longest_edge\": 5000}").unwrap_err().code, "config_invalid");
    }

    /// What `plugin.yaml` and the code say of the actions must agree, in names and order.
    #[test]
    fn the_manifest_is_sound_and_names_the_actions_of_the_code() {
        let parsed = midplane_contract::manifest::parse("plugin.yaml", include_bytes!("../plugin.yaml"));
        assert!(parsed.faults.is_empty(), "{:?}", parsed.faults);
        let info = Bench::<Thumbnailer>::new().hook(Hook::Info, "").unwrap().unwrap();
        let info: midplane_contract::PluginInfo = serde_json::from_slice(&info).unwrap();
        let names = |actions: Vec<midplane_contract::ActionSpec>| {
            actions.into_iter().map(|action| action.name).collect::<Vec<_>>()
        };
        assert_eq!(names(parsed.manifest.unwrap().actions), names(info.actions));
    }
}
