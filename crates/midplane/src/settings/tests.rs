use std::fs;

use midplane_contract::{Code, Trust};
use midplane_testkit::Scratch;

use super::{Sources, expand_home, folders, kernel, policies, read};

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
