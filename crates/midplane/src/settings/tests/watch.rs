use std::path::{Path, PathBuf};
use std::sync::Arc;

use midplane_contract::{Code, Hook, PluginId, SecretRef, Settings};
use midplane_kernel::{Kernel, block_on};
use midplane_testkit::{Fake, Gate, PluginFolder, Program, Scratch, eventually, probe};
use serde_json::Value;

use super::super::{Sources, Watch, policies, read};

/// A host with one plugin, and the file that its settings are in.
struct House {
    scratch: Scratch,
    kernel: Kernel,
    id: PluginId,
    sources: Sources,
    settings: Settings,
}

impl House {
    fn new(text: &str) -> Self {
        let scratch = Scratch::new("watch").unwrap();
        let file = scratch.path().join("m.yaml");
        std::fs::write(scratch.path().join("one"), "canary-the-first").unwrap();
        std::fs::write(scratch.path().join("two"), "canary-the-second").unwrap();
        let sources = Sources { files: vec![file], ..Sources::default() };
        write(&sources.files[0], scratch.path(), text);
        let (settings, _) = read(&sources).unwrap().into_result().unwrap();
        let fake = Fake::new().program("probe", probe());
        let kernel = Kernel::builder().runtime(Arc::new(fake)).cache(scratch.path().join("cache"));
        let kernel = kernel.secrets(settings.secrets.clone()).build();
        policies(&settings).into_iter().for_each(|(id, policy)| kernel.set_policy(&id, policy));
        let folder = PluginFolder::fake("p", "probe\n1").write(&scratch.path().join("plugins")).unwrap();
        let id = block_on(kernel.load_path(folder)).unwrap();
        Self { scratch, kernel, id, sources, settings }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Settings with the folder of the house in place of `@`.
    fn write(&self, text: &str) {
        write(&self.sources.files[0], self.scratch.path(), text);
    }

    fn watch(&self) -> Watch {
        Watch::begin(&self.kernel, self.sources.clone(), self.settings.clone(), |_| {}).unwrap()
    }

    fn call(&self, action: &str, input: &str) -> midplane_contract::Result<Vec<u8>> {
        let action = self.kernel.action(&format!("p/{action}")).unwrap();
        block_on(action.call(input.as_bytes()))
    }

    /// The configuration that the plugin has.
    fn config(&self) -> Value {
        serde_json::from_slice(&self.call("config", "").unwrap()).unwrap()
    }
}

fn write(file: &Path, folder: &Path, text: &str) {
    std::fs::write(file, text.replace('@', &folder.display().to_string())).unwrap();
}

#[test]
fn what_has_changed_while_plugins_were_loaded_is_taken_over() {
    let house = House::new("plugins: {p: {config: {level: low, token: {secret: 'file:@/one'}}}}\n");
    let events = house.kernel.bus().subscribe("plugin.config_changed").unwrap();
    house.write("plugins: {p: {config: {level: high, token: {secret: 'file:@/one'}}}}\n");
    let watch = house.watch();
    assert!(eventually(|| house.config()["level"] == "high"));
    drop(watch);

    // The same for a secret; and what is as it was is not handed over again.
    let house = House::new("plugins: {p: {config: {token: {secret: 'file:@/one'}}}}\n");
    std::fs::write(house.file("one"), "canary-the-next").unwrap();
    let watch = house.watch();
    assert!(eventually(|| house.config()["token"] == "canary-the-next"));
    drop(watch);
    assert!(events.try_next().is_some());
    assert!(events.try_next().is_none());
}

#[test]
fn a_secret_of_a_configuration_that_the_settings_do_not_have_is_read_anew() {
    let house = House::new("plugins: {p: {priority: 1}}\n");
    let place = SecretRef::File(house.file("one")).to_value();
    let config = [("token".to_owned(), place)].into_iter().collect();
    block_on(house.kernel.update_config(&house.id, config)).unwrap();
    let _watch = house.watch();
    std::fs::write(house.file("one"), "canary-the-next").unwrap();
    assert!(eventually(|| house.config()["token"] == "canary-the-next"));
}

#[test]
fn another_place_of_a_secret_that_settings_name_counts_while_the_host_runs() {
    let house = House::new("secrets: {key: 'file:@/one'}\nplugins: {p: {config: {token: {secret: key}}}}\n");
    let _watch = house.watch();
    house.write("secrets: {key: 'file:@/two'}\nplugins: {p: {config: {token: {secret: key}}}}\n");
    assert!(eventually(|| house.config()["token"] == "canary-the-second"));
    // One that was not there before.
    let text = "secrets: {other: 'file:@/one'}\nplugins: {p: {config: {token: {secret: other}}}}\n";
    house.write(text);
    assert!(eventually(|| house.config()["token"] == "canary-the-first"));
}

#[test]
fn limits_of_the_host_that_change_count_from_a_plugin_s_next_load() {
    let house = House::new("limits: {payload: 64}\n");
    let _watch = house.watch();
    house.write("limits: {payload: 4}\n");
    let reloaded = || {
        block_on(house.kernel.reload(&house.id)).unwrap();
        house.call("echo", "12345").map_err(|error| error.code())
    };
    assert_eq!(house.call("echo", "12345").unwrap(), b"12345");
    assert!(eventually(|| reloaded() == Err(Code::LimitExceeded)));
}

#[test]
fn a_configuration_that_changes_while_its_plugin_is_loaded_reaches_it() {
    let house = House::new("plugins: {p: {config: {level: low}}}\n");
    let gate = Gate::new();
    let fake = Fake::new().program("slow", Program::echoing().waits_in(Hook::Init, &gate));
    let kernel = Kernel::builder().runtime(Arc::new(fake)).cache(house.file("other")).build();
    policies(&house.settings).into_iter().for_each(|(id, policy)| kernel.set_policy(&id, policy));
    let folder = PluginFolder::fake("p", "slow\n1").write(&house.file("slow")).unwrap();
    let id = block_on(kernel.register(folder)).unwrap();
    let _watch = Watch::begin(&kernel, house.sources.clone(), house.settings.clone(), |_| {}).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| block_on(kernel.load(&id)).unwrap());
        assert!(gate.wait_for(1));
        house.write("plugins: {p: {priority: 7, config: {level: high}}}\n");
        assert!(eventually(|| kernel.policy(&id).priority == 7));
        gate.open();
    });
    assert!(eventually(|| block_on(kernel.config(&id)).unwrap()["level"] == "high"));
}
