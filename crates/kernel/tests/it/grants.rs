//! Lasting grants: given and taken back for good, and given with an installation.

use std::sync::Arc;
use std::thread;

use futures_lite::future::poll_once;
use midplane_contract::{Code, Hook, HostFunction, Permission, PluginId, State};
use midplane_kernel::catalog::InstallStatus;
use midplane_kernel::{Kernel, Policy, Standing, Stores, block_on};
use midplane_testkit::{Fake, Gate, PluginFolder, Program, eventually, probe};
use serde_json::json;

use crate::house::{House, Until, name};

fn permissions(texts: &[&str]) -> Vec<Permission> {
    texts.iter().map(|text| Permission::parse(text).unwrap()).collect()
}

fn asking(id: &str, code: &str, asks: &[&str]) -> PluginFolder {
    PluginFolder::fake(id, code).with("permissions", json!(asks))
}

fn texts(kernel: &Kernel, id: &PluginId) -> Vec<String> {
    kernel.grants(id).unwrap().iter().map(ToString::to_string).collect()
}

/// Keeps something in `init`, for which it has to be granted that much; then waits at a gate, if there is one.
fn keeper(gate: Option<Gate>) -> Program {
    Program::new().action("echo", |_, input, reply| reply.write(input)).hook(Hook::Init, move |desk, _| {
        desk.host(HostFunction::StateSet, &json!({ "key": "k" }), b"v")?;
        gate.iter().try_for_each(|gate| desk.wait_at(gate))?;
        Ok(Vec::new())
    })
}

#[test]
fn several_are_granted_and_taken_back_in_one_step_or_not_at_all() {
    let house = House::new();
    let id = house.register(&asking("p", "probe\n1", &["state.read", "state.write"]));
    let both = permissions(&["state.read", "!file.read"]);
    assert_eq!(house.kernel.grant(&id, &both).unwrap(), both);
    assert_eq!(house.kernel.grant(&id, &permissions(&["state.read", "state.write"])).unwrap().len(), 1);
    let error = house.kernel.revoke(&id, &permissions(&["state.read", "state.raed"])).unwrap_err();
    assert_eq!((error.code(), &error.record().data["permissions"]), (Code::KeyNotFound, &json!(["state.raed"])));
    assert_eq!(texts(&house.kernel, &id), ["!file.read", "state.read", "state.write"]);
    house.kernel.revoke(&id, &both).unwrap();
    assert_eq!(house.kernel.revoke_all(&id).unwrap(), permissions(&["state.write"]));
    assert!(house.kernel.revoke_all(&id).unwrap().is_empty());
    for error in [
        house.kernel.grant(&name("q"), &both).unwrap_err(),
        house.kernel.revoke_all(&name("q")).unwrap_err(),
        house.kernel.rights(&name("q")).unwrap_err(),
    ] {
        assert_eq!(error.code(), Code::PluginNotFound);
    }
    assert!(house.kernel.grants(&name("q")).unwrap().is_empty());
}

#[test]
fn what_the_settings_grant_is_told_to_be_theirs() {
    let house = House::new();
    let id = house.register(&asking("p", "probe\n1", &["state.read", "state.write", "network.http"]));
    house.kernel.set_policy(&id, Policy { grants: permissions(&["state.read"]), ..Policy::default() });
    house.kernel.grant(&id, &permissions(&["state.write:a", "file.read"])).unwrap();
    let error = house.kernel.revoke(&id, &permissions(&["state.read"])).unwrap_err();
    assert!(error.record().remedy.as_ref().unwrap().contains("plugins.p.permissions"), "{error:?}");
    let rights = house.kernel.rights(&id).unwrap();
    let standings: Vec<Standing> = rights.asked.iter().map(|asked| asked.standing).collect();
    assert_eq!(standings, [Standing::Granted, Standing::Partly, Standing::NotGranted]);
    assert_eq!((rights.settings, rights.unasked), (permissions(&["state.read"]), permissions(&["file.read"])));
    // Who is not here, and was granted something, is among all.
    let elsewhere = House::over(Fake::new().program("probe", probe()), |builder| builder);
    assert!(elsewhere.kernel.all_rights().unwrap().is_empty());
    block_on(house.kernel.unregister(&id)).unwrap();
    let all = house.kernel.all_rights().unwrap();
    assert_eq!((all.len(), all[0].registered, all[0].granted.len(), all[0].asked.len()), (1, false, 2, 0));
    house.kernel.revoke(&id, &permissions(&["file.read"])).unwrap();
}

#[test]
fn what_is_granted_with_an_installation_counts_before_its_code_runs_and_outlives_the_host() {
    let stores = Stores::default();
    let build = || House::over(Fake::new().program("keeper", keeper(None)), |builder| builder.stores(stores.clone()));
    let first = build();
    let path = first.write(&asking("p", "keeper", &["state.write"]));
    let refused = block_on(first.kernel.install(&path)).unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let id = block_on(first.kernel.install_granting(&path, &permissions(&["state.write"]))).unwrap();
    assert_eq!((first.state(&id), texts(&first.kernel, &id)), (State::Running, vec!["state.write".to_owned()]));
    assert!(first.kernel.catalog().installed_as(&id).unwrap().unwrap().metadata.is_empty());
    let second = build();
    block_on(second.kernel.reinstate()).unwrap();
    block_on(second.kernel.load(&id)).unwrap();
}

#[test]
fn an_installation_that_fails_takes_back_what_was_granted_with_it_and_nothing_else() {
    let house = House::with(&[("keeper", keeper(None))]);
    let path = house
        .write(&asking("p", "keeper", &["state.write", "state.read"]).with("dependencies", json!([{ "id": "no" }])));
    let failing = |granted: &[&str]| block_on(house.kernel.install_granting(&path, &permissions(granted))).unwrap_err();
    assert_eq!(failing(&["state.write", "!file.read"]).code(), Code::DependencyNotFound);
    assert!(texts(&house.kernel, &name("p")).is_empty());
    let record = house.kernel.catalog().installed_as(&name("p")).unwrap().unwrap();
    assert_eq!((record.status, record.metadata.len()), (InstallStatus::Failed, 1));
    // What was granted before stays.
    let id = block_on(house.kernel.register(&path)).unwrap();
    house.kernel.grant(&id, &permissions(&["state.write"])).unwrap();
    block_on(house.kernel.unregister(&id)).unwrap();
    assert_eq!(failing(&["state.write", "state.read"]).code(), Code::DependencyNotFound);
    assert_eq!(texts(&house.kernel, &id), ["state.write"]);
}

#[test]
fn a_host_that_is_killed_half_way_leaves_no_grants_of_the_installation() {
    let (stores, gate) = (Stores::default(), Gate::new());
    let fake = Fake::new().program("keeper", keeper(Some(gate.clone())));
    let first = House::over(fake, |builder| builder.stores(stores.clone()));
    let _until = Until(&gate);
    let path = first.write(&asking("p", "keeper", &["state.write"]));
    let granted = permissions(&["state.write"]);
    let mut installing = Box::pin(first.kernel.install_granting(&path, &granted));
    while gate.arrived() < 1 {
        assert!(block_on(poll_once(&mut installing)).is_none());
        thread::yield_now();
    }
    assert_eq!(texts(&first.kernel, &name("p")), ["state.write"]);
    // As the next host finds it, had this one ended here.
    let second = House::over(Fake::new(), |builder| builder.stores(stores.clone()));
    assert_eq!(second.kernel.settle_installed().unwrap().len(), 1);
    assert!(texts(&second.kernel, &name("p")).is_empty());
    let record = second.kernel.catalog().installed_as(&name("p")).unwrap().unwrap();
    assert_eq!((record.status, record.metadata.contains_key("granted")), (InstallStatus::Failed, false));
    drop(installing);
    gate.open();
    assert!(eventually(|| !first.kernel.exists(&name("p"))));
}

#[test]
fn nothing_is_left_that_was_granted_while_it_was_uninstalled() {
    for _ in 0..20 {
        let house = House::new();
        let path = house.write(&asking("p", "probe\n1", &["state.read"]));
        let id = block_on(house.kernel.install(&path)).unwrap();
        thread::scope(|scope| {
            let granting = scope.spawn(|| {
                // Until it is refused.
                while house.kernel.grant(&id, &permissions(&["state.read"])).is_ok() {
                    let _ = house.kernel.revoke(&id, &permissions(&["state.read"]));
                }
            });
            block_on(house.kernel.uninstall(&id)).unwrap();
            granting.join().unwrap();
        });
        assert!(texts(&house.kernel, &id).is_empty());
    }
}

#[test]
fn of_grants_that_change_at_once_the_gate_knows_the_last() {
    let house = House::new();
    let id = house.load(&asking("p", "probe\n1", &["state.read"]));
    let kernel = Arc::new(house.kernel.clone());
    for round in 0..50 {
        thread::scope(|scope| {
            for texts in [["state.read"], ["state.write"], ["!state.write:x"]] {
                let (kernel, id) = (&kernel, &id);
                scope.spawn(move || {
                    let permissions = permissions(&texts);
                    kernel.grant(id, &permissions).unwrap();
                    if round % 2 == 0 {
                        kernel.revoke(id, &permissions).unwrap();
                    }
                });
            }
        });
        let ask = json!({ "function": "state.list", "args": {}, "payload": "" }).to_string();
        assert_eq!(house.call("p/host", &ask).is_ok(), round % 2 == 1, "{:?}", texts(&kernel, &id));
    }
}
