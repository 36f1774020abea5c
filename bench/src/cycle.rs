//! A plugin's whole life, from its folder to its first reply and back; the way there is measured.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use midplane::{PluginId, block_on};

use crate::measure::spin;
use crate::plugins::{Bench, Setting};

/// Older than that are the files of plugins that somebody has installed.
const SETTLED: Duration = Duration::from_secs(4);

/// A plugin that is loaded, called once and unloaded, again and again.
pub(crate) struct Cycle {
    bench: Bench,
    plugin: PluginId,
    address: String,
    folder: PathBuf,
}

impl Cycle {
    /// Of the plugin in this folder of the bench, which has an action `echo`. It has lived once then: what is made once,
    /// compiled code above all, is there.
    pub(crate) fn new(bench: Bench, setting: Setting, folder: PathBuf) -> Result<Self> {
        bench.load(setting, &folder)?;
        let plugin = PluginId::new(setting.id)?;
        block_on(bench.kernel.unload(&plugin))?;
        block_on(bench.kernel.unregister(&plugin))?;
        // A cache trusts the time of a file's last change once no later change could have the same one.
        std::thread::sleep(SETTLED);
        Ok(Self { bench, plugin, address: format!("{}/echo", setting.id), folder })
    }

    /// So many lives; the time that they took from the beginning of the load to the first reply. Reading the manifest
    /// comes before that.
    pub(crate) fn repeat(&self, times: u64, handicap: Duration) -> Result<Duration> {
        let Self { bench: Bench { kernel, .. }, plugin, address, folder } = self;
        let mut took = Duration::ZERO;
        block_on(async {
            for _ in 0..times {
                let mut reply = Vec::new();
                kernel.register(folder).await?;
                let started = Instant::now();
                spin(handicap);
                kernel.load(plugin).await?;
                kernel.action(address)?.call_inline(b"x", &mut reply)?;
                took += started.elapsed();
                if reply != b"x" {
                    bail!("{address} answered {reply:?}");
                }
                kernel.unload(plugin).await?;
                kernel.unregister(plugin).await?;
            }
            Ok(took)
        })
    }
}
