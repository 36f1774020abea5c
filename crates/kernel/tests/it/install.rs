//! Installing: one step, undone as a whole.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use futures_lite::future::poll_once;
use midplane_contract::{Code, Error, Hook, Result, State};
use midplane_kernel::catalog::{InstallStatus, Installed};
use midplane_kernel::store::{Change, Memory, Store, Work};
use midplane_kernel::{Stores, block_on};
use midplane_testkit::{Fake, Gate, PluginFolder, Program, eventually, probe};
use serde_json::{Value, json};

use crate::dependencies::{needing, on};
use crate::house::{House, Until, name};

/// What there is to see of a house: plugins with their states, and routes.
type Sight = (Vec<(String, State)>, String);

fn sight(house: &House) -> Sight {
    let plugins = house.kernel.statuses().into_iter().map(|status| (status.id.to_string(), status.state)).collect();
    let routes = serde_json::to_string(&house.kernel.route_table()).unwrap();
    (plugins, routes)
}

fn record(house: &House, id: &str) -> Option<Installed> {
    house.kernel.catalog().installed_as(&name(id)).unwrap()
}

fn install(house: &House, path: impl AsRef<Path>) -> Result<midplane_contract::PluginId> {
    block_on(house.kernel.install(path))
}

/// A failing installation leaves everything but the note of it as it was, and tells nobody of an installation.
fn comes_to_nothing(house: &House, path: &Path) -> Error {
    let before = sight(house);
    let events = house.kernel.bus().subscribe("plugin.installed").unwrap();
    let error = install(house, path).unwrap_err();
    assert_eq!(before, sight(house), "{error:?}");
    assert!(events.try_next().is_none());
    error
}

#[test]
fn a_folder_is_registered_loaded_routed_noted_and_told_in_one_step() {
    let house = House::new();
    let told = house.kernel.bus().subscribe("plugin.installed").unwrap();
    let as_module = house.kernel.bus().subscribe("module.*").unwrap();
    house.register(&needing("base", on(&[])));
    let types = json!([{ "extension": ".txt", "action": "echo" }]);
    let path = house.write(&needing("top", on(&["base"])).with("file_types", types));
    let id = install(&house, &path).unwrap();
    assert_eq!((house.state(&id), house.state(&name("base"))), (State::Running, State::Running));
    assert_eq!(house.call("top/echo", "x").unwrap(), "x");
    assert_eq!(house.kernel.routes(Path::new("a.txt"), None)[0].plugin, id);
    let record = record(&house, "top").unwrap();
    assert_eq!(
        (record.status, &record.path, record.version.to_string()),
        (InstallStatus::Installed, &path, "1.0.0".into())
    );
    assert_eq!(record.dependencies, [name("base")]);
    assert!(record.update_time >= record.install_time);
    let event = told.try_next().unwrap();
    assert_eq!((event.sender(), &event.data()["module_id"]), ("core", &json!("top")));
    let modules: Vec<String> =
        std::iter::from_fn(|| as_module.try_next()).map(|event| event.topic().to_owned()).collect();
    // The same event under the other name for its kind.
    assert_eq!(modules.last().unwrap(), "plugin.installed", "{modules:?}");
}

#[test]
fn a_bare_file_is_installed_as_well() {
    let house = House::new();
    let folder = house.write(&PluginFolder::fake("aside", "probe\n1"));
    let file = folder.parent().unwrap().join("lonely.wasm");
    std::fs::write(&file, "probe\n1").unwrap();
    let id = install(&house, &file).unwrap();
    assert_eq!((id.as_str(), house.state(&id)), ("lonely", State::Running));
    assert_eq!(record(&house, "lonely").unwrap().path, file);
}

#[test]
fn what_is_no_plugin_leaves_no_trace() {
    let house = House::new();
    let folder = house.write(&PluginFolder::fake("p", "probe\n1"));
    let parent = folder.parent().unwrap().to_path_buf();
    assert_eq!(comes_to_nothing(&house, &parent.join("nowhere")).code(), Code::PluginNotFound);
    std::fs::write(parent.join("notes.txt"), "x").unwrap();
    assert_eq!(comes_to_nothing(&house, &parent.join("notes.txt")).code(), Code::NotAPlugin);
    std::fs::write(folder.join("plugin.json"), "{}").unwrap();
    assert_eq!(comes_to_nothing(&house, &folder).code(), Code::ManifestInvalid);
    std::fs::write(folder.join("plugin.json"), vec![b' '; 2 << 20]).unwrap();
    comes_to_nothing(&house, &folder);
    assert!(house.kernel.catalog().installed().unwrap().is_empty());
}

#[test]
fn an_id_that_is_taken_names_the_version_that_has_it() {
    let house = House::new();
    let path = house.write(&PluginFolder::fake("p", "probe\n1").with("version", "1.2.3"));
    install(&house, &path).unwrap();
    let before = record(&house, "p");
    let error = comes_to_nothing(&house, &path);
    assert_eq!((error.code(), &error.record().data["version"]), (Code::AlreadyRegistered, &json!("1.2.3")));
    assert!(error.record().remedy.as_deref().unwrap().contains("reload it"), "{error:?}");
    assert_eq!((record(&house, "p"), house.state(&name("p"))), (before, State::Running));
}

#[test]
fn dependencies_that_cannot_be_had_undo_it() {
    let house = House::new();
    house.register(&needing("old", on(&[])).with("version", "1.4.0"));
    house.register(&needing("circle", on(&["c"])));
    for (id, needs, code) in [
        ("a", on(&["nowhere"]), Code::DependencyNotFound),
        ("b", json!([{ "id": "old", "version": "^2" }]), Code::VersionMismatch),
        ("c", on(&["circle"]), Code::DependencyCycle),
    ] {
        let path = house.write(&needing(id, needs));
        assert_eq!(comes_to_nothing(&house, &path).code(), code);
        let noted = record(&house, id).unwrap();
        assert_eq!((noted.status, &noted.metadata["error"]["code"]), (InstallStatus::Failed, &json!(code.as_str())));
    }
}

#[test]
fn hooks_that_fail_or_hang_undo_it_and_what_was_loaded_for_it() {
    let failing = |hook| {
        let fails = |_: &mut midplane_testkit::Desk<'_>, _: &[u8]| Err(Error::new(Code::PluginError, "no"));
        Program::echoing().hook(hook, fails)
    };
    let house = House::with(&[("bad-init", failing(Hook::Init)), ("bad-start", failing(Hook::Start))]);
    house.register(&needing("deep", on(&[])));
    house.register(&needing("base", on(&["deep"])));
    let stopped = house.register(&needing("stopped", on(&[])));
    block_on(house.kernel.load_stopped(&stopped)).unwrap();
    block_on(house.kernel.start(&stopped)).unwrap();
    block_on(house.kernel.stop(&stopped)).unwrap();
    house.load(&needing("busy", on(&[])));
    let hanging = |hook: &str| PluginFolder::fake("p", "probe\n1").with("config", json!({ "hang_in": [hook] }));
    let limits = json!({ "hook_deadline_ms": 30 });
    for (folder, code) in [
        (PluginFolder::fake("p", "bad-init"), Code::PluginError),
        (PluginFolder::fake("p", "bad-start"), Code::PluginError),
        (hanging("init"), Code::DeadlineExceeded),
        (hanging("start"), Code::DeadlineExceeded),
        (PluginFolder::fake("p", "no-such-program"), Code::Io),
    ] {
        house.limit(
            "p",
            midplane_contract::Limits { hook_deadline_ms: limits["hook_deadline_ms"].as_u64(), ..Default::default() },
        );
        let path = house.write(&folder.with("dependencies", on(&["base", "stopped", "busy"])));
        let error = comes_to_nothing(&house, &path);
        if code != Code::Io {
            assert_eq!(error.code(), code, "{error:?}");
        }
        assert_eq!(record(&house, "p").unwrap().status, InstallStatus::Failed);
    }
    assert!(eventually(|| house.fake.instances() == 2), "`stopped` and `busy` have theirs");
    let path = house.write(&needing("p", on(&["base"])));
    install(&house, &path).unwrap();
    assert_eq!(record(&house, "p").unwrap().metadata.get("error"), None);
}

#[test]
fn what_another_has_come_to_need_meanwhile_stays_loaded() {
    let gate = Gate::new();
    let at = gate.clone();
    let slow = Program::echoing().hook(Hook::Start, move |desk, _| {
        desk.wait_at(&at)?;
        Err(Error::new(Code::PluginError, "no"))
    });
    let house = House::with(&[("slow", slow)]);
    let _until = Until(&gate);
    house.register(&needing("base", on(&[])));
    let path = house.write(&needing("p", on(&["base"])).code("slow"));
    thread::scope(|scope| {
        let installing = scope.spawn(|| install(&house, &path));
        assert!(gate.wait_for(1));
        house.load(&needing("other", on(&["base"])));
        gate.open();
        assert_eq!(installing.join().unwrap().unwrap_err().code(), Code::PluginError);
    });
    assert_eq!((house.state(&name("base")), house.state(&name("other"))), (State::Running, State::Running));
    assert!(!house.kernel.exists(&name("p")));
}

#[test]
fn an_installation_that_nobody_waits_for_any_longer_is_undone() {
    let gate = Gate::new();
    let house = House::with(&[("slow", Program::echoing().waits_in(Hook::Init, &gate))]);
    let _until = Until(&gate);
    house.register(&needing("base", on(&[])));
    let before = sight(&house);
    let path = house.write(&needing("p", on(&["base"])).code("slow"));
    let events = house.kernel.bus().subscribe("plugin.installed").unwrap();
    let mut installing = Box::pin(house.kernel.install(&path));
    while gate.arrived() < 1 {
        assert!(block_on(poll_once(&mut installing)).is_none());
        thread::yield_now();
    }
    assert_eq!(record(&house, "p").unwrap().status, InstallStatus::Pending);
    drop(installing);
    gate.open();
    let noted = || record(&house, "p").unwrap();
    assert!(eventually(|| noted().status == InstallStatus::Failed));
    assert_eq!(noted().metadata["error"]["code"], "cancelled");
    assert_eq!(before, sight(&house));
    assert!(events.try_next().is_none());
    install(&house, &path).unwrap();
}

#[test]
fn of_two_at_once_one_wins() {
    for _ in 0..20 {
        let house = House::new();
        let path = house.write(&needing("p", on(&[])));
        let done: Vec<Result<_>> = thread::scope(|scope| {
            let both: Vec<_> = (0..2).map(|_| scope.spawn(|| install(&house, &path))).collect();
            both.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let lost: Vec<&Error> = done.iter().filter_map(|one| one.as_ref().err()).collect();
        assert_eq!((lost.len(), lost[0].code()), (1, Code::AlreadyRegistered));
        assert_eq!(record(&house, "p").unwrap().status, InstallStatus::Installed);
        assert_eq!(house.state(&name("p")), State::Running);
    }
}

/// A store whose disk is full while it is told so.
#[derive(Default)]
struct Full {
    store: Memory,
    full: AtomicBool,
}

impl Store for Full {
    fn get(&self, table: &str, key: &str) -> Result<Option<Vec<u8>>> {
        self.store.get(table, key)
    }

    fn scan(&self, table: &str, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
        self.store.scan(table, prefix)
    }

    fn change(&self, work: &mut Work<'_>) -> Result<()> {
        let full = self.full.load(Ordering::SeqCst);
        self.store.change(&mut |change: &mut dyn Change| match full {
            true => Err(Error::new(Code::Storage, "the disk is full")),
            false => work(change),
        })
    }
}

fn over(state: Arc<dyn Store>, programs: &[(&str, Program)]) -> House {
    let fake = programs
        .iter()
        .fold(Fake::new().program("probe", probe()), |fake, (name, program)| fake.program(name, program.clone()));
    House::over(fake, |builder| builder.stores(Stores { state, ..Stores::default() }))
}

#[test]
fn a_store_that_fails_undoes_it() {
    let store = Arc::new(Full::default());
    let (theirs, filling) = (Arc::clone(&store), Program::echoing());
    // Full from the first, and full when it comes to the last.
    let filling = filling.hook(Hook::Start, move |_, _| {
        theirs.full.store(true, Ordering::SeqCst);
        Ok(Vec::new())
    });
    let house = over(Arc::clone(&store) as Arc<dyn Store>, &[("filling", filling)]);
    house.register(&needing("base", on(&[])));
    store.full.store(true, Ordering::SeqCst);
    let path = house.write(&needing("p", on(&["base"])).code("filling"));
    assert_eq!(comes_to_nothing(&house, &path).code(), Code::Storage);
    store.full.store(false, Ordering::SeqCst);
    assert_eq!(comes_to_nothing(&house, &path).code(), Code::Storage);
    // Of what could not be written there is what a killed host leaves.
    assert_eq!(record(&house, "p").unwrap().status, InstallStatus::Pending);
    let good = house.write(&needing("q", on(&["base"])));
    store.full.store(false, Ordering::SeqCst);
    let id = install(&house, good).unwrap();
    store.full.store(true, Ordering::SeqCst);
    assert_eq!(block_on(house.kernel.uninstall(&id)).unwrap_err().code(), Code::Storage);
    assert_eq!((house.state(&id), record(&house, "q").unwrap().status), (State::Running, InstallStatus::Installed));
}

#[test]
fn an_installed_plugin_is_there_again_in_the_next_kernel() {
    let state: Arc<dyn Store> = Arc::new(Memory::default());
    let first = over(Arc::clone(&state), &[]);
    let (base, top) = (first.write(&needing("base", on(&[]))), first.write(&needing("top", on(&["base"]))));
    install(&first, &base).unwrap();
    install(&first, &top).unwrap();
    let bare = base.parent().unwrap().join("gone.wasm");
    std::fs::write(&bare, "probe\n1").unwrap();
    install(&first, &bare).unwrap();
    std::fs::remove_file(&bare).unwrap();
    first.write(&needing("base", on(&[])).with("version", "1.1.0"));
    let second = over(Arc::clone(&state), &[]);
    assert!(second.kernel.settle_installed().unwrap().is_empty());
    let back = block_on(second.kernel.reinstate()).unwrap();
    let wrong: Vec<_> =
        back.iter().filter_map(|one| Some((one.record.id.as_str(), one.outcome.as_ref().err()?.code()))).collect();
    assert_eq!((back.len(), wrong), (3, vec![("gone", Code::PluginNotFound)]));
    assert_eq!(second.state(&name("top")), State::Registered);
    block_on(second.kernel.load(&name("top"))).unwrap();
    let followed = record(&second, "base").unwrap();
    assert_eq!(
        (followed.version.to_string(), followed.install_time),
        ("1.1.0".to_owned(), record(&first, "base").unwrap().install_time)
    );
    // What has vanished can be installed from elsewhere, and when that comes to nothing is as it was.
    let before = record(&second, "gone").unwrap();
    let path = second.write(&PluginFolder::fake("gone", "no-such-program"));
    install(&second, &path).unwrap_err();
    let after = record(&second, "gone").unwrap();
    assert_eq!((after.path, after.status), (before.path, InstallStatus::Installed));
    let path = second.write(&PluginFolder::fake("gone", "probe\n1"));
    install(&second, &path).unwrap();
    assert_eq!(
        (record(&second, "gone").unwrap().path, before.install_time),
        (path, record(&second, "gone").unwrap().install_time)
    );
}

#[test]
fn a_reload_brings_the_record_along() {
    let house = House::new();
    let id = install(&house, house.write(&needing("p", on(&[])))).unwrap();
    let first = record(&house, "p").unwrap();
    house.write(&needing("p", on(&[])).with("version", "1.1.0").code("probe\n2"));
    block_on(house.kernel.reload(&id)).unwrap();
    let next = record(&house, "p").unwrap();
    assert_eq!((next.version.to_string(), next.status), ("1.1.0".to_owned(), InstallStatus::Installed));
    assert!(next.install_time == first.install_time && next.update_time > first.update_time);
    // What is not installed has no record, and gets none.
    let other = house.probe("other");
    block_on(house.kernel.reload(&other)).unwrap();
    assert_eq!(record(&house, "other"), None);
}

#[test]
fn what_a_killed_host_has_left_half_way_is_settled() {
    let state: Arc<dyn Store> = Arc::new(Memory::default());
    let first = over(Arc::clone(&state), &[]);
    for id in ["new", "old"] {
        let path = first.write(&needing(id, on(&[])));
        install(&first, path).unwrap();
    }
    let catalog = first.kernel.catalog();
    catalog.set_install_status(&name("new"), InstallStatus::Pending).unwrap();
    catalog.set_install_status(&name("old"), InstallStatus::Updating).unwrap();
    let second = over(state, &[]);
    let settled: Vec<String> =
        second.kernel.settle_installed().unwrap().into_iter().map(|one| one.id.to_string()).collect();
    assert_eq!(settled, ["new", "old"]);
    let new = record(&second, "new").unwrap();
    assert_eq!((new.status, &new.metadata["error"]["code"]), (InstallStatus::Failed, &json!("cancelled")));
    assert_eq!(record(&second, "old").unwrap().status, InstallStatus::Installed);
    assert!(second.kernel.settle_installed().unwrap().is_empty());
    let back = block_on(second.kernel.reinstate()).unwrap();
    assert_eq!(back.iter().map(|one| one.record.id.as_str()).collect::<Vec<_>>(), ["old"]);
    block_on(second.kernel.uninstall(&name("new"))).unwrap();
    assert_eq!(record(&second, "new"), None);
}

#[test]
fn a_damaged_record_is_a_clear_error_and_no_records_are_none() {
    let state = Arc::new(Memory::default());
    let house = over(Arc::clone(&state) as Arc<dyn Store>, &[]);
    assert!(block_on(house.kernel.reinstate()).unwrap().is_empty());
    state.change(&mut |change| change.put("installed", "p", b"{\"id\"")).unwrap();
    for error in [block_on(house.kernel.reinstate()).unwrap_err(), house.kernel.settle_installed().unwrap_err()] {
        assert_eq!(error.code(), Code::Storage);
        assert!(error.record().message.contains("`p`") && error.record().remedy.is_some(), "{error:?}");
    }
    let path = house.write(&needing("p", on(&[])));
    assert_eq!(comes_to_nothing(&house, &path).code(), Code::Storage);
}

#[test]
fn what_others_need_is_not_uninstalled_unless_they_are_unloaded_first() {
    let house = House::new();
    let path = |id: &str, needs: Value| house.write(&needing(id, needs));
    let base = install(&house, path("base", on(&[]))).unwrap();
    let (top, other) =
        (install(&house, path("top", on(&["base"]))).unwrap(), house.load(&needing("other", on(&["base"]))));
    let refused = block_on(house.kernel.uninstall(&base)).unwrap_err();
    assert_eq!((refused.code(), &refused.record().data["dependents"]), (Code::HasDependents, &json!(["other", "top"])));
    block_on(house.kernel.unload(&other)).unwrap();
    block_on(house.kernel.unload(&top)).unwrap();
    // The next host would load it.
    let refused = block_on(house.kernel.uninstall(&base)).unwrap_err();
    assert_eq!(refused.record().data["dependents"], json!(["top"]));
    assert_eq!(
        (house.state(&base), record(&house, "base").unwrap().status),
        (State::Running, InstallStatus::Installed)
    );
    block_on(house.kernel.load(&top)).unwrap();
    let gone = block_on(house.kernel.uninstall_cascade(&base)).unwrap();
    assert_eq!(gone, [top.clone(), base.clone()]);
    assert!(!house.kernel.exists(&base) && record(&house, "base").is_none());
    assert_eq!(
        (house.state(&top), record(&house, "top").unwrap().status),
        (State::Registered, InstallStatus::Installed)
    );
    let error = block_on(house.kernel.uninstall(&other)).unwrap_err();
    assert_eq!(error.code(), Code::PluginNotFound);
    assert!(house.kernel.exists(&other));
}

#[test]
fn what_is_being_installed_is_taken_away_by_nobody_else() {
    let gate = Gate::new();
    let house = House::with(&[("slow", Program::echoing().waits_in(Hook::Init, &gate))]);
    let end = Until(&gate);
    let (kernel, path) = (house.kernel.clone(), house.write(&PluginFolder::fake("p", "slow\n1")));
    let install = thread::spawn(move || block_on(kernel.install(path)));
    assert!(gate.wait_for(1));
    assert_eq!(block_on(house.kernel.uninstall(&name("p"))).unwrap_err().code(), Code::NotRunning);
    drop(end);
    let id = install.join().unwrap().unwrap();
    assert_eq!((house.state(&id), record(&house, "p").unwrap().status), (State::Running, InstallStatus::Installed));
    block_on(house.kernel.uninstall(&id)).unwrap();
}

#[test]
fn what_is_being_uninstalled_is_not_loaded_for_somebody_else() {
    let gate = Gate::new();
    let house = House::with(&[("probe", probe()), ("slow", Program::echoing().waits_in(Hook::Cleanup, &gate))]);
    let end = Until(&gate);
    let base = install(&house, house.write(&PluginFolder::fake("base", "slow\n1"))).unwrap();
    let top = house.register(&needing("top", on(&["base"])));
    let kernel = house.kernel.clone();
    let id = base.clone();
    let uninstall = thread::spawn(move || block_on(kernel.uninstall(&id)));
    assert!(gate.wait_for(1));
    // It waits for what is under way.
    let mut load = pin!(house.kernel.load(&top));
    assert!(block_on(poll_once(&mut load)).is_none());
    drop(end);
    let refused = block_on(load).unwrap_err();
    assert_eq!(refused.code(), Code::NotRunning, "{refused:?}");
    uninstall.join().unwrap().unwrap();
    assert!(!house.kernel.exists(&base) && record(&house, "base").is_none());
}

#[test]
fn what_is_uninstalled_leaves_no_grants_and_no_mark() {
    let house = House::new();
    let path = house.write(&needing("p", on(&[])));
    let id = install(&house, &path).unwrap();
    house.kernel.grant(&id, &[midplane_contract::Permission::parse("state.read").unwrap()]).unwrap();
    block_on(house.kernel.disable(&id)).unwrap();
    block_on(house.kernel.uninstall(&id)).unwrap();
    assert!(house.kernel.grants(&id).unwrap().is_empty());
    install(&house, &path).unwrap();
    assert_eq!(house.state(&id), State::Running);
}

#[test]
fn what_is_disabled_is_installed_and_not_loaded() {
    let house = House::new();
    house.kernel.set_policy(&name("p"), midplane_kernel::Policy { enabled: false, ..Default::default() });
    let path = house.write(&needing("p", on(&[])));
    let id = install(&house, &path).unwrap();
    assert_eq!((house.state(&id), record(&house, "p").unwrap().status), (State::Registered, InstallStatus::Installed));
    let status = house.kernel.status(&id).unwrap();
    assert!(status.disabled);
    let refused = block_on(house.kernel.load(&id)).unwrap_err();
    assert_eq!(refused.code(), Code::NotRunning);
    assert!(refused.record().message.contains("settings"), "{refused:?}");
    house.kernel.set_policy(&id, midplane_kernel::Policy::default());
    block_on(house.kernel.load(&id)).unwrap();
}
