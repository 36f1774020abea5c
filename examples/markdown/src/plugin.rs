//! What the host sees.

use midplane_sdk::prelude::*;
use serde::Deserialize;

use crate::{Options, RenderError, render};

/// The plugin: its configuration is how `render` renders.
#[derive(Debug, Default)]
pub struct Markdown {
    options: Options,
}

/// Input of `render_with`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    markdown: String,
    /// In place of the plugin's configuration, as a whole.
    options: Option<Options>,
}

impl Plugin for Markdown {
    fn define() -> Definition<Self> {
        Definition::new()
            .on_validate_config(|_, Json(_): Json<Options>, _| Ok(()))
            .on_init(Self::configure)
            .on_config_changed(Self::configure)
            .action("render", |plugin, document: Vec<u8>, _| html(&document, plugin.options))
            .describe("Markdown in, HTML out")
            .idempotent()
            .action("render_with", |plugin, Json(request): Json<Request>, _| {
                html(request.markdown.as_bytes(), request.options.unwrap_or(plugin.options))
            })
            .describe("Markdown and options as JSON in, HTML out")
            .idempotent()
    }
}

impl Markdown {
    fn configure(&mut self, Json(options): Json<Options>, _: &Context<'_>) -> Result<()> {
        self.options = options;
        Ok(())
    }
}

fn html(document: &[u8], options: Options) -> Result<String> {
    render(document, options).map_err(|error| {
        let answer = Error::new(error.code(), error.to_string());
        match error {
            RenderError::TooLarge { size } => answer.with("size", size),
            RenderError::NotUtf8 { offset } => answer.with("offset", offset),
        }
    })
}

#[cfg(test)]
mod tests {
    use midplane_sdk::{Hook, testing::Bench};

    use super::*;

    #[test]
    fn the_configuration_is_how_render_renders() {
        let mut bench = Bench::<Markdown>::new();
        bench.hook(Hook::Init, "{\"raw_html\": \"strip\", \"no_heading_ids\": true}").unwrap();
        assert_eq!(bench.call("render", "# Hi <b>there</b>").unwrap(), b"<h1>Hi there</h1>\n");
        bench.hook(Hook::ConfigChanged, "{}").unwrap();
        assert!(String::from_utf8(bench.call("render", "# Hi").unwrap()).unwrap().contains("id=\"hi\""));
        let error = bench.hook(Hook::ValidateConfig, "{\"raw_htlm\": \"strip\"}").unwrap_err();
        assert!(error.message.contains("raw_htlm"), "{error}");
    }

    #[test]
    fn options_of_a_call_stand_in_place_of_the_configuration() {
        let mut bench = Bench::<Markdown>::new();
        let input = json!({"markdown": "<b>x</b>", "options": {"raw_html": "allow"}}).to_string();
        assert_eq!(bench.call("render_with", input).unwrap(), b"<p><b>x</b></p>\n");
        assert_eq!(bench.call("render_with", "{}").unwrap_err().code, "invalid_input");
    }

    #[test]
    fn a_document_that_is_no_text_is_a_typed_error() {
        let error = Bench::<Markdown>::new().call("render", b"\xff").unwrap_err();
        assert_eq!(error.code, "not_utf8");
        assert_eq!(error.data.get("offset"), Some(&json!(0)));
    }

    /// What `plugin.yaml` and the code say of the actions must agree, in names and order.
    #[test]
    fn the_manifest_is_sound_and_names_the_actions_of_the_code() {
        let parsed = midplane_contract::manifest::parse("plugin.yaml", include_bytes!("../plugin.yaml"));
        assert!(parsed.faults.is_empty(), "{:?}", parsed.faults);
        let info = Bench::<Markdown>::new().hook(Hook::Info, "").unwrap().unwrap();
        let info: midplane_contract::PluginInfo = serde_json::from_slice(&info).unwrap();
        let names = |actions: Vec<midplane_contract::ActionSpec>| {
            actions.into_iter().map(|action| action.name).collect::<Vec<_>>()
        };
        assert_eq!(names(parsed.manifest.unwrap().actions), names(info.actions));
    }
}
