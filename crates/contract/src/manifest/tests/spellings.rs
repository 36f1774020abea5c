use serde_json::json;

use super::{Spelling, manifest, parse};
use crate::manifest::{DependencyKind, PluginType, Reload};
use crate::{InstanceMode, Placement, RuntimeKind, Version};

const FLAT: &str = r#"
id: "photo-card"
name: "Fotokarte"
version: "v1.2.3"
description: "Shows photos"
author: "Someone"
license: "MIT"
homepage: "https://photos.example/"
type: "renderer"
entry: {main: "dist/index.js", runtime: "js"}
dependencies:
  - {id: "photo-decoder", version: "^2.0.0", optional: false}
  - {id: "caption", version: ">=1.5.0 <2.0.0", optional: true}
interfaces:
  actions: ["edit", "render", "export"]
  file_types:
    - {extension: ".JPG", mime_type: "image/jpeg", priority: 10}
    - {extension: ".png", priority: -3, action: render}
permissions: ["file.read", "file.write", "network.http", "media.encode"]
config_schema:
  type: object
  properties:
    max_size: {type: integer, default: 1073741824}
    codecs: {type: array, items: {type: string}, default: ["h264", "h265", "vp9"]}
resources: {min_memory_mb: 100, max_memory_mb: 500, requires_gpu: false}
compatibility:
  core_version: "^1.0.0"
  platforms: ["win32", "darwin", "linux"]
  architectures: ["x64", "arm64"]
metadata:
  icon: "assets/icon.png"
  screenshots: ["assets/1.png", "assets/2.png"]
  tags: ["photo", "card"]
  anything: {goes: [1, 2.5, null, true]}
"#;

#[test]
fn the_flat_spelling_is_read_whole() {
    let parsed = parse("module.yaml", FLAT.as_bytes());
    assert_eq!(parsed.spelling, Some(Spelling::Flat));
    assert!(parsed.faults.iter().all(|fault| !fault.is_error()), "{:#?}", parsed.faults);
    let plugin = parsed.manifest.unwrap();
    assert_eq!(plugin.id.as_str(), "photo-card");
    assert_eq!(plugin.name, "Fotokarte");
    assert_eq!(plugin.version, Version::new(1, 2, 3));
    assert_eq!(plugin.homepage.as_deref(), Some("https://photos.example/"));
    assert_eq!(plugin.plugin_type, PluginType::Renderer);
    assert_eq!((plugin.entry.main.as_str(), plugin.entry.runtime), ("dist/index.js", RuntimeKind::Js));
    let caption = &plugin.dependencies[1];
    assert_eq!((caption.id.as_str(), caption.optional), ("caption", true));
    assert!(caption.version.matches(&Version::new(1, 7, 0)) && !caption.version.matches(&Version::new(2, 0, 0)));
    assert_eq!(plugin.actions.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), ["edit", "render", "export"]);
    assert_eq!(plugin.file_types[0].extension, ".jpg");
    assert_eq!((plugin.file_types[1].priority, plugin.file_types[1].action.as_deref()), (-3, Some("render")));
    assert_eq!(plugin.permissions[3].as_str(), "media.encode");
    let schema = plugin.config_schema.unwrap();
    assert_eq!(schema["properties"]["max_size"]["default"], json!(1_073_741_824));
    assert_eq!(schema["properties"]["codecs"]["default"], json!(["h264", "h265", "vp9"]));
    assert_eq!(plugin.resources.min_memory_mb, Some(100));
    assert_eq!(plugin.limits.memory, Some(500 << 20));
    assert_eq!(plugin.compatibility.platforms, ["win32", "darwin", "linux"]);
    assert_eq!(plugin.metadata["anything"], json!({"goes": [1, 2.5, null, true]}));
    assert_eq!(plugin.tags, ["photo", "card"]);
    let codes: Vec<_> = parsed.faults.iter().map(|fault| (fault.code.as_str(), fault.line)).collect();
    assert_eq!(codes, [("missing_field", 17), ("unknown_permission", 19)]);
}

#[test]
fn the_least_that_a_manifest_can_say_is_enough() {
    let plugin = manifest("plugin.yaml", "id: a\nname: A\nversion: 1.0.0\nentry: {main: a.wasm}\n");
    assert_eq!(plugin.entry.runtime, RuntimeKind::Wasm);
    assert_eq!(plugin.plugin_type, PluginType::Plugin);
    assert_eq!((plugin.instances.min, plugin.instances.max), (1, 1));
    assert!(plugin.dependencies.is_empty() && plugin.permissions.is_empty() && plugin.actions.is_empty());
    let empty = "id: a\nname: A\nversion: 1.0.0\nentry: {main: a.wasm}\ndependencies:\nactions:\nmetadata: ~\n";
    assert_eq!(manifest("plugin.yaml", empty), plugin);
}

#[test]
fn the_additions_are_read() {
    let plugin = manifest(
        "plugin.yaml",
        r#"
id: thumbs
name: Thumbnails
version: 1.2.0-rc.1+build.7
entry:
  main: bin/serve
  runtime: process
  engine: node
  args: ["--port", "0"]
  env: {LOG_LEVEL: debug}
  workdir: bin
placement: worker
instances: {mode: pool, min: 2, max: 8}
limits: {memory: 64MiB, cpu: 0.5, call_deadline: 1.5s, hook_deadline_ms: 200, threads: 4, payload: 1048576, queue: 16}
actions:
  - scale
  - {name: v1/crop, description: Cuts, input: {type: object}, output: true, idempotent: true, deadline: 2s}
file_types: [{extension: .png, action: scale}]
interfaces:
  provides: ["image.scaler@^1", {name: image.info, version: "1.0.0"}]
  consumes: [clock]
state: {schema: "3"}
reload: restart
capabilities: [scaling]
labels: {team: media}
config: {quality: 80}
"#,
    );
    assert_eq!(plugin.version.to_string(), "1.2.0-rc.1+build.7");
    assert_eq!(plugin.entry.args, ["--port", "0"]);
    assert_eq!((plugin.entry.engine.as_deref(), plugin.entry.workdir.as_deref()), (Some("node"), Some("bin")));
    assert_eq!(plugin.entry.env["LOG_LEVEL"], "debug");
    assert_eq!(plugin.placement, Some(Placement::Worker));
    assert_eq!((plugin.instances.mode, plugin.instances.min, plugin.instances.max), (InstanceMode::Pool, 2, 8));
    assert_eq!((plugin.limits.memory, plugin.limits.cpu), (Some(64 << 20), Some(0.5)));
    assert_eq!((plugin.limits.call_deadline_ms, plugin.limits.hook_deadline_ms), (Some(1500), Some(200)));
    assert_eq!(plugin.actions[1].deadline_ms, Some(2000));
    assert!(plugin.actions[1].idempotent && plugin.actions[1].input.is_some());
    assert_eq!(plugin.provides[0].range.as_ref().unwrap().as_str(), "^1");
    assert_eq!((plugin.provides[1].name.as_str(), plugin.consumes[0].name.as_str()), ("image.info", "clock"));
    assert_eq!((plugin.state.unwrap().schema.as_str(), plugin.reload), ("3", Reload::Restart));
    assert_eq!(plugin.config["quality"], json!(80));
}

#[test]
fn the_envelope_is_read_whole() {
    let parsed = parse(
        "plugin.yaml",
        br#"
api_version: v1
kind: Plugin
metadata:
  name: audio-tools
  version: v0.9.0
  description: Audio
  author: Someone
  license: Apache-2.0
  homepage: https://audio.example/
  repository: https://audio.example/source
  tags: [audio]
  labels: {tier: gold}
spec:
  type: rpc
  entry_point: bin/audio
  runtime: {name: python, engine: cpython, args: [-u], env: {A: b}, workdir: bin}
  interfaces: [AudioProcessor, "Lyrics@^2"]
  config: {schema: {type: object}, values: {rate: 44100}}
dependencies: [{name: core, version: ">=1.0.0", type: plugin}, "codec@~>1.2"]
permissions: [file.read, {name: "network.http:https://audio.example/**", reason: lyrics}]
resources: {max_memory: 500MB, max_cpu: 0.9, max_disk_io: 100MB/s, timeout: 30s, max_goroutines: 1000}
compatibility: {core_version: ^1}
"#,
    );
    assert_eq!((parsed.spelling, parsed.faults.as_slice()), (Some(Spelling::Enveloped), &[] as &[_]));
    let plugin = parsed.manifest.unwrap();
    assert_eq!((plugin.id.as_str(), plugin.name.as_str()), ("audio-tools", "audio-tools"));
    assert_eq!(plugin.repository.as_deref(), Some("https://audio.example/source"));
    assert_eq!((plugin.entry.main.as_str(), plugin.entry.runtime), ("bin/audio", RuntimeKind::Python));
    assert_eq!((plugin.entry.args.as_slice(), plugin.entry.env["A"].as_str()), (&["-u".to_owned()][..], "b"));
    assert_eq!(plugin.provides[1].name, "Lyrics");
    assert_eq!(plugin.config["rate"], json!(44100));
    assert_eq!(plugin.config_schema, Some(json!({"type": "object"})));
    assert_eq!((plugin.dependencies[0].id.as_str(), plugin.dependencies[1].version.as_str()), ("core", "~>1.2"));
    assert_eq!(plugin.permissions.len(), 2);
    assert_eq!((plugin.limits.memory, plugin.limits.cpu), (Some(500_000_000), Some(0.9)));
    assert_eq!((plugin.limits.disk_io, plugin.limits.call_deadline_ms), (Some(100_000_000), Some(30_000)));
    assert_eq!(plugin.limits.threads, Some(1000));
    assert_eq!((plugin.labels["tier"].as_str(), plugin.tags[0].as_str()), ("gold", "audio"));
}

#[test]
fn each_type_of_the_envelope_chooses_a_runtime() {
    let types = [
        ("dynamic_library", "a.bin", RuntimeKind::Native),
        ("hot_reload", "a.bin", RuntimeKind::Native),
        ("hot_reload", "a.js", RuntimeKind::Js),
        ("hot_reload", "a.py", RuntimeKind::Python),
        ("webassembly", "a.bin", RuntimeKind::Wasm),
        ("rpc", "a.bin", RuntimeKind::Process),
        ("grpc", "a.bin", RuntimeKind::Remote),
    ];
    for (word, main, runtime) in types {
        let text = format!(
            "api_version: v1\nkind: Plugin\nmetadata: {{name: a, version: 1.0.0}}\nspec: {{type: {word}, entry_point: {main}, config: {{k: v}}}}\n"
        );
        let plugin = manifest("plugin.yaml", &text);
        assert_eq!(plugin.entry.runtime, runtime, "{word}, {main}");
        assert_eq!(plugin.config["k"], "v");
    }
}

const PACKAGE: &str = r#"{
  "name": "colour-picker", "version": "2.0.1", "description": "d", "author": "a", "homepage": "h", "license": "MIT",
  "keywords": ["colour"],
  "dependencies": {"palette": "^1.0.0", "core": ">=1.0.0"},
  "dev_dependencies": {"tester": "*"},
  "peer_dependencies": {"canvas": "~2.1"},
  "engines": {"midplane": "^1", "node": ">=18"},
  "os": ["linux", "!win32"], "cpu": ["x64"],
  "publish_time": "2026-01-31T12:00:00Z", "checksum": "sha256:00", "signature": "c2ln",
  "download_url": "https://repo.example/x.tgz", "size": 12345
}"#;

#[test]
fn the_package_spelling_is_read_whole_even_without_code() {
    let parsed = parse("manifest.json", PACKAGE.as_bytes());
    assert_eq!((parsed.spelling, parsed.faults.as_slice()), (Some(Spelling::Package), &[] as &[_]));
    let plugin = parsed.manifest.unwrap();
    assert_eq!(plugin.id.as_str(), "colour-picker");
    assert!(plugin.entry.is_unnamed());
    let kind = |id: &str| plugin.dependencies.iter().find(|d| d.id.as_str() == id).unwrap().kind;
    assert_eq!((kind("palette"), kind("core")), (DependencyKind::Run, DependencyKind::Run));
    assert_eq!((kind("tester"), kind("canvas")), (DependencyKind::Dev, DependencyKind::Peer));
    assert_eq!(plugin.compatibility.engines[1].name, "node");
    assert_eq!(plugin.compatibility.platforms, ["linux", "!win32"]);
    let package = plugin.package.unwrap();
    assert_eq!((package.size, package.checksum.as_deref()), (Some(12345), Some("sha256:00")));
    assert_eq!(plugin.tags, ["colour"]);
}

#[test]
fn the_compatibility_block_of_requirement_004_is_read() {
    let block = r#"{"name": "p", "version": "1.0.0", "size": 1, "compatibility": {"supported_os": ["Linux"],
        "supported_arch": ["amd64"], "min_version": "1.0.0", "max_version": "v1.9.0", "dependencies": ["a", "b@^2"],
        "capabilities": ["wasm"], "fallbacks": ["p-lite"]}}"#;
    let plugin = manifest("manifest.json", block);
    assert_eq!(plugin.compatibility.platforms, ["Linux"]);
    assert_eq!(plugin.compatibility.architectures, ["amd64"]);
    assert_eq!(plugin.compatibility.max_version, Some(Version::new(1, 9, 0)));
    assert_eq!(plugin.compatibility.fallbacks, ["p-lite"]);
    assert_eq!(plugin.compatibility.capabilities, ["wasm"]);
    assert_eq!(plugin.dependencies[1].version.as_str(), "^2");
}

#[test]
fn what_the_model_prints_it_reads_again() {
    for (name, text) in [("module.yaml", FLAT), ("manifest.json", PACKAGE)] {
        let plugin = manifest(name, text);
        let json = serde_json::to_string(&plugin).unwrap();
        assert_eq!(serde_json::from_str::<super::Manifest>(&json).unwrap(), plugin);
    }
}

/// What the parser reads, an editor with the schema does not underline.
#[test]
fn the_json_schema_accepts_what_is_read_and_refuses_what_is_not() {
    let validator = jsonschema::validator_for(&crate::manifest::json_schema()).unwrap();
    let envelope = "api_version: v1\nkind: Plugin\nmetadata: {name: a, version: 1.0.0}\n";
    let right = format!("{envelope}spec: {{type: rpc, entry_point: a, runtime: {{name: js}}, interfaces: [X]}}\n");
    for text in [FLAT, PACKAGE, &right, "id: a\nname: A\nversion: 1.0.0\nentry: {main: a.wasm}\nactions:\n"] {
        let errors: Vec<String> = validator.iter_errors(&tree(text)).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{text}: {errors:?}");
    }
    for wrong in ["id: A\nname: A\nversion: 1.0.0", "id: a\nname: A\nversion: 1.0.0\ncolour: red", "[]", envelope] {
        assert!(!validator.is_valid(&tree(wrong)), "{wrong}");
    }
}

fn tree(text: &str) -> serde_json::Value {
    crate::reading::yaml::read(text.as_bytes(), false, &mut Default::default()).unwrap().to_json()
}
