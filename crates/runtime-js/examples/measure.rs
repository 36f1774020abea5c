//! How long calls and starts take: `cargo run --release -p midplane-runtime-js --example measure`.

use std::sync::Arc;
use std::time::Instant;

use midplane_contract::{Error, Instances, Limits, Placement, PluginId, Trust};
use midplane_kernel::{Host, HostRequest, InstanceContext, Kernel, LoadRequest, Policy, Runtime, Within, block_on};
use midplane_runtime_js::{JsConfig, JsRuntime};
use midplane_testkit::{PluginFolder, Scratch};

const SOURCE: &str = "export default { actions: {
    echo: { raw: true, run: (input) => input },
    context: { raw: true, run(input, ctx) { return input; } },
    promise: { raw: true, run: async (input) => input },
    json: (input) => input,
} };";

/// A host that has nothing to say.
struct Silent;

impl Host for Silent {
    fn request(&self, _: &Within<'_>, _: &HostRequest<'_>) -> Result<Vec<u8>, Error> {
        Ok(Vec::new())
    }

    fn lost(&self, _: Error) {}
}

/// What the runtime itself takes: engine, prelude and modules, then once more from what was read.
fn starts(scratch: &Scratch, source: &str) -> Result<(), Box<dyn std::error::Error>> {
    let folder = PluginFolder::new("start", "js", "plugin.js", source).write(scratch.path())?;
    let manifest = midplane_contract::manifest::parse("plugin.json", &std::fs::read(folder.join("plugin.json"))?);
    let request = LoadRequest {
        manifest: Arc::new(manifest.manifest.ok_or("no manifest")?),
        main: folder.join("plugin.js"),
        cache: folder.join("cache"),
        folder,
        generation: 1,
        placement: Placement::InProcess,
        trust: Trust::Normal,
        limits: Limits::default(),
        instances: Instances::default(),
    };
    let context = || InstanceContext {
        plugin: request.manifest.id.clone(),
        version: "1.0.0".to_owned(),
        generation: 1,
        number: 0,
        host: Arc::new(Silent),
    };
    let runtime = JsRuntime::new(JsConfig::default());
    let (mut loads, mut instances) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        let started = Instant::now();
        let code = runtime.load(&request)?;
        let first = code.instantiate(context())?;
        loads.push(started.elapsed());
        let started = Instant::now();
        let second = code.instantiate(context())?;
        instances.push(started.elapsed());
        drop((first, second));
    }
    loads.sort_unstable();
    instances.sort_unstable();
    println!("load and first instance: best {:?}, median {:?}", loads.first(), loads.get(100));
    println!("another instance: best {:?}, median {:?}", instances.first(), instances.get(100));
    let memory = runtime.load(&request)?.instantiate(context())?.memory();
    println!("its memory: {} KiB", memory.unwrap_or(0) / 1024);
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let scratch = Scratch::new("measure")?;
    let runtime = Arc::new(JsRuntime::new(JsConfig::default()));
    let kernel = Kernel::builder().runtime(runtime).cache(scratch.path().join("cache")).build();
    let probe = include_str!("../../testkit/guests/probe-js/plugin.js");
    for (id, source) in [("measured", SOURCE), ("probe", probe)] {
        let folder = PluginFolder::new(id, "js", "plugin.js", source).write(scratch.path())?;
        let plugin = PluginId::new(id)?;
        kernel.set_policy(&plugin, Policy { limits: Limits::default(), ..Policy::default() });
        block_on(kernel.register(folder))?;
        let starts = (0..200).map(|_| {
            let started = Instant::now();
            block_on(kernel.load(&plugin)).and_then(|()| block_on(kernel.call(&format!("{id}/echo"), "x")))?;
            let took = started.elapsed();
            block_on(kernel.unload(&plugin))?;
            Ok::<_, midplane_contract::Error>(took)
        });
        let mut starts = starts.collect::<Result<Vec<_>, _>>()?;
        starts.sort_unstable();
        println!("{id}: load to first reply: best {:?}, median {:?}", starts.first(), starts.get(100));
        block_on(kernel.load(&plugin))?;
    }
    starts(&scratch, SOURCE)?;
    starts(&scratch, probe)?;
    for (action, size, input) in [
        ("echo", 64, vec![7; 64]),
        ("echo", 65_536, vec![7; 65_536]),
        ("context", 64, vec![7; 64]),
        ("promise", 64, vec![7; 64]),
        ("json", 64, serde_json::to_vec(&"x".repeat(62))?),
    ] {
        let action = kernel.action(&format!("measured/{action}"))?;
        let mut reply = Vec::with_capacity(size * 2);
        // Short rounds, so that on a busy machine some are undisturbed.
        let rounds = (0..2_000).map(|_| {
            let started = Instant::now();
            for _ in 0..200 {
                reply.clear();
                action.call_inline(&input, &mut reply)?;
            }
            Ok::<_, midplane_contract::Error>(started.elapsed() / 200)
        });
        let mut rounds = rounds.collect::<Result<Vec<_>, _>>()?;
        rounds.sort_unstable();
        println!("{} of {size} B: best {:?}, median {:?}", action.name(), rounds.first(), rounds.get(1_000));
    }
    Ok(())
}
