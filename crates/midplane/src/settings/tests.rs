use std::fs;

use midplane_contract::{Code, Trust};
use midplane_testkit::Scratch;

use super::{Sources, expand_home, folders, kernel, policies, read};

#[test]
fn files_and_assignments_make_a_kernel_and_policies() {
    let folder = Scratch::new("settings").unwrap();
    let (first, second) = (folder.path().join("a.yaml"), folder.path().join("b.json"));
    fs::write(&first, "folders: [./p, ~/q]\nplugins: {a: {trust: trusted, limits: {queue: 3, call_depth: 4}}}\n")
        .unwrap();
    fs::write(&second, r#"{"plugins": {"a": {"trust": "untrusted", "config": {"n": 1}}}}"#).unwrap();
    let sources = Sources { files: vec![first, second], assignments: vec!["load.concurrent=2".to_owned()] };
    let (settings, _) = read(&sources).unwrap().into_result().unwrap();
    assert_eq!(settings.load.concurrent, 2);
    let (id, policy) = policies(&settings).pop_first().unwrap();
    assert_eq!((id.as_str(), policy.trust, policy.limits.queue), ("a", Trust::Untrusted, Some(3)));
    assert_eq!(policy.config["n"], 1);
    assert_eq!(policy.bounds.call_depth, Some(4));
    assert_eq!(folders(&settings), [expand_home("./p"), expand_home("~/q")]);
    assert!(kernel(&settings, None).unwrap().build().statuses().is_empty());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = read(&Sources { files: vec!["nowhere.yaml".into()], ..Sources::default() }).unwrap_err();
    assert_eq!(error.code(), Code::Io);
    assert!(error.record().message.contains("nowhere.yaml"));
}

#[test]
fn the_store_of_the_settings_is_the_kernels() {
    let folder = Scratch::new("settings").unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    let open = |store: &str, data| {
        let sources = Sources { assignments: vec![format!("store={store}")], ..Sources::default() };
        let (settings, _) = read(&sources).unwrap().into_result()?;
        kernel(&settings, data).map(drop)
    };
    open(&format!("{{kind: file, path: {}}}", place("files")), None).unwrap();
    assert!(folder.path().join("files").is_dir());
    open(&format!("{{kind: database, path: {}}}", place("data")), None).unwrap();
    assert!(folder.path().join("data/state.db").exists());
    open("{kind: database}", Some(crate::data(folder.path().join("data")).unwrap())).unwrap();
    // Nobody need be there yet.
    open("{kind: redis, address: '127.0.0.1:1', password: 'env:NOT_SET'}", None).unwrap();

    let error = open("{kind: database}", None).unwrap_err();
    assert_eq!(error.code(), Code::ConfigInvalid);
    assert!(error.record().remedy.as_deref().unwrap().contains("--data"), "{error:?}");
    assert_eq!(open("{kind: redis}", None).unwrap_err().code(), Code::ConfigInvalid);
    fs::write(folder.path().join("file"), "").unwrap();
    let error = open(&format!("{{path: {}}}", place("file/below")), None).unwrap_err();
    assert_eq!(error.code(), Code::Storage);
    assert!(error.record().message.contains("file/below"), "{error}");
}
