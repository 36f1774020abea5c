use std::fs;

use midplane_contract::{Code, Trust};
use midplane_testkit::Scratch;

use super::{Sources, expand_home, folders, interfaces, kernel, policies, read};

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

mod discovery;
mod watch;

pub(super) fn settled(assignments: &[&str]) -> midplane_contract::Settings {
    let assignments = assignments.iter().map(ToString::to_string).collect();
    read(&Sources { assignments, ..Sources::default() }).unwrap().into_result().unwrap().0
}

#[test]
fn what_is_decided_about_platforms_and_versions_reaches_the_kernel() {
    let plain = kernel(&settled(&[]), None).unwrap().build();
    assert_eq!(plain.platform().rules, midplane_kernel::platform::Rules::default());
    let settings = settled(&[
        "compatibility.strict_mode=true",
        "compatibility.enable_fallback=false",
        "compatibility.auto_detect=false",
        "compatibility.override_os=plan9",
        "compatibility.override_arch=vax",
        "compatibility.prefer_native=false",
        "compatibility.allow_emulation=true",
        "compatibility.max_fallback_attempts=1",
        "compatibility.adapters.wasm.enabled=false",
        "compatibility.adapters.script.supported_formats=['.js']",
        "versions.strategy=exact",
        "versions.allow_prerelease=true",
    ]);
    let kernel = kernel(&settings, None).unwrap().build();
    let platform = kernel.platform();
    assert_eq!((platform.machine.os.as_str(), platform.machine.arch.as_str()), ("plan9", "vax"));
    let rules = &platform.rules;
    assert!(rules.strict_mode && !rules.enable_fallback && !rules.platform_detection.auto_detect);
    let tried = &rules.fallback_strategy;
    assert!(!tried.prefer_native && tried.allow_emulation && tried.max_fallback_attempts == 1);
    let formats = platform.formats();
    assert!(!formats.contains_key("wasm"), "{formats:?}");
    assert_eq!(formats["script"].len(), 1);
}

#[test]
fn interfaces_are_those_that_come_along_and_those_of_files() {
    let folder = Scratch::new("interfaces").unwrap();
    let file = folder.path().join("lyrics.wit");
    fs::write(&file, "package a:lyrics@2.0.0; interface source { get-lyrics: func(id: string) -> string; }").unwrap();
    let named = format!("interfaces=[player, {}]", file.display());
    let defined = interfaces(&settled(&[&named])).unwrap();
    let names: Vec<&str> = defined.iter().map(|interface| interface.name.as_str()).collect();
    assert_eq!(names, ["player", "a:lyrics/source"]);
    for (named, code) in [("[plyer]", Code::ConfigInvalid), ("[./no.wit]", Code::Io), ("[./]", Code::Io)] {
        let error = interfaces(&settled(&[&format!("interfaces={named}")])).unwrap_err();
        assert_eq!(error.code(), code, "{error:?}");
    }
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
