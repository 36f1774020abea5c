//! The example services, built from the protocol file alone, in Python and in Go.

use std::path::{Path, PathBuf};
use std::process::Command;

use midplane_contract::Code;
use midplane_kernel::{CallOptions, block_on};
use midplane_runtime_grpc::Settings;
use midplane_testkit::{Service, eventually, log};
use serde_json::{Value, json};

use crate::stage::Stage;
use crate::subject::python;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}

fn answer(stage: &Stage, action: &str, input: &Value) -> Value {
    serde_json::from_slice(&stage.call(action, input.to_string()).unwrap()).unwrap()
}

/// Builds the Go example; its modules come from Go's proxy the first time.
fn go() -> PathBuf {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("keywords");
    let mut build = Command::new("go");
    build.current_dir(example("remote-go")).args(["build", "-trimpath", "-buildvcs=false", "-o"]).arg(&program);
    let output = build.env("CGO_ENABLED", "0").arg(".").output();
    let output = output.expect("go is needed (Debian: apt-get install golang-go), 1.24 or newer");
    assert!(output.status.success(), "go build fails:\n{}", String::from_utf8_lossy(&output.stderr));
    program
}

#[test]
fn the_python_example_describes_numbers_and_tables() {
    let python = python();
    let service = Service::start(move |listen| {
        let mut command = python.command(&example("remote-python/service.py"));
        let paths = std::env::join_paths([&python.packages, &python.generated]).unwrap();
        command.env("PYTHONPATH", paths).args(["--listen", listen]);
        command
    });
    let service = service.unwrap();
    let stage = Stage::new(Settings::default());
    stage.load_as("statistics", &json!({ "endpoints": [service.address()] })).unwrap();
    let described = answer(&stage, "describe", &json!({ "values": [1, 2, 3, 10] }));
    assert_eq!((&described["mean"], &described["median"]), (&json!(4.0), &json!(2.5)));
    let histogram = answer(&stage, "histogram", &json!({ "values": [0, 1, 9, 10], "bins": 2 }));
    assert_eq!(histogram["counts"], json!([2, 2]));
    // Larger than a message.
    let table: String = std::iter::once("n,word\n".to_owned())
        .chain((0..600_000).map(|number| format!("{number},{}\n", if number % 3 == 0 { "fizz" } else { "-" })))
        .collect();
    assert!(table.len() > 4 * 1024 * 1024);
    let lines = String::from_utf8(stage.call("table", table).unwrap()).unwrap();
    let columns: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&columns[0]["count"], &columns[0]["max"]), (&json!(600_000), &json!(599_999.0)));
    assert_eq!(columns[1]["distinct"], 2);
    let error = stage.call("describe", r#"{"values": []}"#).unwrap_err();
    assert_eq!((error.code(), &error.record().data["code"]), (Code::PluginError, &json!("no_values")));
    assert_eq!(stage.call("describe", "{").unwrap_err().code(), Code::InvalidInput);
}

#[test]
fn the_go_example_finds_documents_and_writes_to_the_hosts_log() {
    assert!(log::listen());
    let program = go();
    let service = Service::start(move |listen| {
        let mut command = Command::new(&program);
        command.args(["-listen", listen]);
        command
    });
    let service = service.unwrap();
    let stage = Stage::new(Settings::default());
    stage.load_with("keywords", &json!({ "endpoints": [service.address()] }), &json!({ "documents": 2 })).unwrap();
    answer(&stage, "add", &json!({ "id": "a", "text": "blue sky, blue sea" }));
    assert_eq!(answer(&stage, "add", &json!({ "id": "b", "text": "a blue car" })), json!({ "documents": 2 }));
    let found = answer(&stage, "search", &json!({ "words": "blue sky" }));
    assert_eq!((&found[0]["id"], &found[1]["id"]), (&json!("a"), &json!("b")));
    let error = stage.call("add", r#"{"id": "c", "text": "one too many"}"#).unwrap_err();
    assert_eq!(error.record().data["code"], "index_full");
    assert!(eventually(|| log::heard("keywords", "a document was refused: the index is full")));
    let dump = stage.kernel.action("keywords/dump").unwrap();
    let mut stream = block_on(dump.stream("", CallOptions::default())).unwrap();
    let mut chunks = 0;
    while let Some(chunk) = stream.next_blocking() {
        assert!(chunk.unwrap().ends_with(b"\n"));
        chunks += 1;
    }
    assert_eq!(chunks, 2);
    assert_eq!(block_on(stage.kernel.health(&stage.id())).unwrap().details["documents"], 2);
}
