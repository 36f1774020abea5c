use std::fs;

use midplane_contract::{Code, Trust};
use midplane_testkit::Scratch;

use super::{Sources, expand_home, folders, interfaces, kernel, policies, read};

#[test]
fn files_and_assignments_make_a_kernel_and_policies() {
    let folder = Scratch::new("settings").unwrap();
    let (first, second) = (folder.path().join("a.yaml"), folder.path().join("b.json"));
    fs::write(&first, "folders: [./p, ~/q]\nplugins: {a: {trust: trusted, limits: {queue: 3}}}\n").unwrap();
    fs::write(&second, r#"{"plugins": {"a": {"trust": "untrusted", "config": {"n": 1}}}}"#).unwrap();
    let sources = Sources { files: vec![first, second], assignments: vec!["load.concurrent=2".to_owned()] };
    let (settings, _) = read(&sources).unwrap().into_result().unwrap();
    assert_eq!(settings.load.concurrent, 2);
    let (id, policy) = policies(&settings).pop_first().unwrap();
    assert_eq!((id.as_str(), policy.trust, policy.limits.queue), ("a", Trust::Untrusted, Some(3)));
    assert_eq!(policy.config["n"], 1);
    assert_eq!(folders(&settings), [expand_home("./p"), expand_home("~/q")]);
    assert!(kernel(&settings).build().statuses().is_empty());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = read(&Sources { files: vec!["nowhere.yaml".into()], ..Sources::default() }).unwrap_err();
    assert_eq!(error.code(), Code::Io);
    assert!(error.record().message.contains("nowhere.yaml"));
}

mod discovery;

fn settled(assignments: &[&str]) -> midplane_contract::Settings {
    let assignments = assignments.iter().map(ToString::to_string).collect();
    read(&Sources { assignments, ..Sources::default() }).unwrap().into_result().unwrap().0
}

#[test]
fn what_is_decided_about_platforms_and_versions_reaches_the_kernel() {
    let plain = kernel(&settled(&[])).build();
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
    let kernel = kernel(&settings).build();
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
