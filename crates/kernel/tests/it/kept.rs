//! Configurations that outlive the host.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use midplane_contract::{Code, Error, Hook, PluginId, Result};
use midplane_kernel::block_on;
use midplane_kernel::config::{Changed, ConfigStore, DatabaseStore, FileStore, News};
use midplane_testkit::{Fake, PluginFolder, Program, Scratch, eventually, probe};
use serde_json::{Map, Value, json};

use crate::house::{House, name};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn house(store: Arc<dyn ConfigStore>) -> House {
    House::over(Fake::new().program("probe", probe()), |builder| builder.config_store(store))
}

/// A store in memory that others may change, and that can be out of order.
#[derive(Default)]
struct Shared {
    kept: Mutex<BTreeMap<PluginId, Map<String, Value>>>,
    changed: Mutex<Option<Changed>>,
    broken: Mutex<bool>,
    /// Whether that is because it is away.
    away: Mutex<bool>,
}

impl Shared {
    fn out_of_order(&self) -> Result<()> {
        let error = || Error::new(Code::Storage, "out of order").recoverable(*self.away.lock().unwrap());
        if *self.broken.lock().unwrap() { Err(error()) } else { Ok(()) }
    }

    fn tell(&self, news: News<'_>) {
        self.changed.lock().unwrap().as_ref().unwrap()(news);
    }

    fn change(&self, id: &PluginId, config: Value) {
        self.kept.lock().unwrap().insert(id.clone(), object(config));
        self.tell(News::Of(id));
    }
}

impl ConfigStore for Shared {
    fn load(&self, plugin: &PluginId) -> Result<Option<Map<String, Value>>> {
        self.out_of_order()?;
        Ok(self.kept.lock().unwrap().get(plugin).cloned())
    }

    fn save(&self, plugin: &PluginId, config: &Map<String, Value>) -> Result<()> {
        self.out_of_order()?;
        self.kept.lock().unwrap().insert(plugin.clone(), config.clone());
        Ok(())
    }

    fn watch(&self, changed: Changed) -> Result<()> {
        *self.changed.lock().unwrap() = Some(changed);
        Ok(())
    }
}

#[test]
fn a_changed_configuration_is_there_after_the_host_was_not() {
    let folder = Scratch::new("kept").unwrap();
    let open = || Arc::new(FileStore::open(folder.path().join("configs")).unwrap());
    let first = house(open());
    let id = first.probe("p");
    block_on(first.kernel.update_config(&id, object(json!({"n": 1, "key": {"secret": "env:PATH"}})))).unwrap();
    // A refused one is not kept.
    block_on(first.kernel.update_config(&id, object(json!({"reject": true})))).unwrap_err();
    let path = std::env::var("PATH").unwrap();
    let written = std::fs::read_to_string(folder.path().join("configs/p.json")).unwrap();
    assert!(!written.contains(&path) && written.contains("env:PATH"), "{written}");
    drop(first);

    let second = house(open());
    second.probe("p");
    let config: Value = serde_json::from_str(&second.call("p/config", "").unwrap()).unwrap();
    assert_eq!(config, json!({"n": 1, "key": path}));
}

#[test]
fn a_file_that_is_no_configuration_refuses_the_load_by_its_name() {
    let folder = Scratch::new("kept").unwrap();
    let store = FileStore::open(folder.path()).unwrap();
    std::fs::write(folder.path().join("p.json"), "{").unwrap();
    let house = house(Arc::new(store));
    let id = house.register(&PluginFolder::fake("p", "probe\n1"));
    let error = block_on(house.kernel.load(&id)).unwrap_err();
    assert_eq!(error.code(), Code::Storage);
    assert!(error.record().message.contains("p.json"), "{error}");
}

#[test]
fn a_change_that_cannot_be_kept_leaves_the_old_configuration() {
    let store = Arc::new(Shared::default());
    let house = house(Arc::clone(&store) as Arc<dyn ConfigStore>);
    let id = house.load(&PluginFolder::fake("p", "probe\n1").with("instances", crate::house::pool(2, 2)));
    block_on(house.kernel.update_config(&id, object(json!({"n": 1})))).unwrap();
    *store.broken.lock().unwrap() = true;
    let error = block_on(house.kernel.update_config(&id, object(json!({"n": 2})))).unwrap_err();
    assert_eq!(error.code(), Code::Storage);
    for _ in 0..8 {
        let config: Value = serde_json::from_str(&house.call("p/config", "").unwrap()).unwrap();
        assert_eq!(config, json!({"n": 1}));
    }
    *store.broken.lock().unwrap() = false;
    block_on(house.kernel.update_config(&id, object(json!({"n": 3})))).unwrap();
    assert_eq!(store.kept.lock().unwrap()[&id], object(json!({"n": 3})));
}

#[test]
fn a_plugin_is_told_once_what_cannot_be_kept_while_the_store_is_away() {
    let store = Arc::new(Shared::default());
    let told = Arc::new(Mutex::new(Vec::new()));
    let ears = Arc::clone(&told);
    let program = Program::echoing().hook(Hook::ConfigChanged, move |_, config| {
        ears.lock().unwrap().push(String::from_utf8_lossy(config).into_owned());
        Ok(Vec::new())
    });
    let kept = Arc::clone(&store) as Arc<dyn ConfigStore>;
    let house = House::over(Fake::new().program("hearing", program), |builder| builder.config_store(kept));
    let id = house.load(&PluginFolder::fake("p", "hearing\n1"));
    (*store.broken.lock().unwrap(), *store.away.lock().unwrap()) = (true, true);
    for _ in 0..3 {
        let error = block_on(house.kernel.update_config(&id, object(json!({"n": 1})))).unwrap_err();
        assert_eq!((error.code(), error.record().recoverable), (Code::Storage, true));
    }
    *store.broken.lock().unwrap() = false;
    block_on(house.kernel.update_config(&id, object(json!({"n": 2})))).unwrap();
    assert_eq!(*told.lock().unwrap(), [r#"{"n":1}"#, "{}", r#"{"n":2}"#]);
}

#[test]
fn what_another_host_changes_takes_effect_here() {
    let store = Arc::new(Shared::default());
    let house = house(Arc::clone(&store) as Arc<dyn ConfigStore>);
    let id = house.probe("p");
    store.change(&id, json!({"n": 5}));
    assert!(eventually(|| block_on(house.kernel.config(&id)).unwrap() == json!({"n": 5})));
    // A configuration that the plugin refuses changes nothing, and one of a plugin that is not here does no harm.
    store.change(&id, json!({"reject": true}));
    store.change(&name("absent"), json!({}));
    assert_eq!(block_on(house.kernel.config(&id)).unwrap(), json!({"n": 5}));
}

#[test]
fn what_was_missed_while_nobody_could_listen_takes_effect_and_what_is_gone_changes_nothing() {
    let store = Arc::new(Shared::default());
    let house = house(Arc::clone(&store) as Arc<dyn ConfigStore>);
    let (a, b) = (house.probe("a"), house.probe("b"));
    block_on(house.kernel.update_config(&b, object(json!({"n": 1})))).unwrap();
    store.kept.lock().unwrap().insert(a.clone(), object(json!({"n": 2})));
    store.kept.lock().unwrap().remove(&b);
    store.tell(News::Any);
    assert!(eventually(|| block_on(house.kernel.config(&a)).unwrap() == json!({"n": 2})));
    store.tell(News::Of(&b));
    store.change(&a, json!({"n": 3}));
    assert!(eventually(|| block_on(house.kernel.config(&a)).unwrap() == json!({"n": 3})));
    assert_eq!(block_on(house.kernel.config(&b)).unwrap(), json!({"n": 1}));
}

#[test]
fn a_change_that_is_heard_of_while_an_operator_makes_one_does_not_bring_the_older_back() {
    let store = Arc::new(Shared::default());
    let house = house(Arc::clone(&store) as Arc<dyn ConfigStore>);
    let id = house.probe("p");
    for n in 0..50 {
        // Theirs is heard of first, and ours is what is kept in the end.
        store.change(&id, json!({"n": n, "from": "there"}));
        block_on(house.kernel.update_config(&id, object(json!({"n": n, "from": "here"})))).unwrap();
        store.tell(News::Of(&id));
        let kept = store.kept.lock().unwrap()[&id].clone();
        assert!(eventually(|| block_on(house.kernel.config(&id)).unwrap() == Value::Object(kept.clone())));
        assert_eq!(kept["from"], "here");
    }
}

#[test]
fn a_configuration_is_kept_in_the_database_of_a_data_folder_as_in_a_file() {
    let stores = midplane_kernel::Stores::default();
    let open = || Arc::new(DatabaseStore::over(Arc::clone(&stores.state)));
    let first = house(open());
    let id = first.probe("p");
    block_on(first.kernel.update_config(&id, object(json!({"n": 1})))).unwrap();
    drop(first);
    let second = house(open());
    second.probe("p");
    assert_eq!(second.call("p/config", "").unwrap(), r#"{"n":1}"#);
}

#[cfg(unix)]
#[test]
fn a_pipe_where_a_configuration_or_a_secret_should_be_is_told_and_not_waited_for() {
    let folder = Scratch::new("pipe").unwrap();
    let pipe = folder.path().join("p.json");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let whole = |error: &Error| format!("{error:?}");
    let error = FileStore::open(folder.path()).unwrap().load(&name("p")).unwrap_err();
    assert!(error.code() == Code::Storage && whole(&error).contains("a named pipe, not a file"), "{error:?}");
    let error = midplane_kernel::secret::read(&midplane_contract::SecretRef::File(pipe)).unwrap_err();
    assert!(error.code() == Code::ConfigInvalid && whole(&error).contains("a named pipe, not a file"), "{error:?}");
}
