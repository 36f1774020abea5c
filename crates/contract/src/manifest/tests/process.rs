use super::{manifest, parse};
use crate::RuntimeKind;
use crate::manifest::{Network, ProcessSpec};

#[test]
fn a_process_is_described_with_the_keys_of_requirement_003_in_both_spellings() {
    let keys = "executable: bin/tuner, args: [--fast], env: {MODE: x}, work_dir: data, network: unix, address: run/t.sock, \
                timeout: 2s, heartbeat_interval: 500ms, max_retries: 3";
    let flat = format!("id: a\nname: A\nversion: 1.0.0\nentry: {{{keys}}}\n");
    let enveloped = format!(
        "api_version: v1\nkind: Plugin\nmetadata: {{name: a, version: 1.0.0}}\nspec: {{type: rpc, runtime: {{{keys}}}}}\n"
    );
    for text in [flat, enveloped] {
        let entry = manifest("plugin.yaml", &text).entry;
        assert_eq!((entry.main.as_str(), entry.runtime), ("bin/tuner", RuntimeKind::Process));
        assert_eq!((entry.args.as_slice(), entry.workdir.as_deref()), (&["--fast".to_owned()][..], Some("data")));
        let expected = ProcessSpec {
            executable: Some("bin/tuner".into()),
            protocol: None,
            network: Some(Network::Unix),
            address: Some("run/t.sock".into()),
            timeout_ms: Some(2000),
            heartbeat_interval_ms: Some(500),
            max_retries: Some(3),
        };
        assert_eq!(entry.process, expected);
        assert!(parse("plugin.yaml", text.as_bytes()).files.remote, "the program need not be in the folder");
    }
    let script = manifest("plugin.yaml", "id: a\nname: A\nversion: 1.0.0\nentry: {main: a.sh}\n").entry;
    assert_eq!((script.runtime, script.process.is_empty()), (RuntimeKind::Script, true));
}

#[test]
fn fields_of_a_process_that_do_not_fit_each_other_are_refused() {
    #[rustfmt::skip]
    let table = [
        ("main: a, runtime: process, executable: b", "conflict /entry/executable"),
        ("main: a, runtime: process, address: b", "conflict /entry/address"),
        ("main: a, runtime: process, max_retries: 3", "conflict /entry/max_retries"),
        ("main: a, runtime: process, network: unix, protocol: stdio", "conflict /entry/protocol"),
        ("main: a, runtime: process, workdir: a, work_dir: b", "conflict /entry/work_dir"),
        ("main: a, runtime: process, network: udp", "unknown_word /entry/network"),
        ("main: a, runtime: process, network: tcp, timeout: 5", "wrong_type /entry/timeout"),
    ];
    for (entry, expected) in table {
        let text = format!("id: a\nname: A\nversion: 1.0.0\nentry: {{{entry}}}\n");
        let faults = parse("plugin.yaml", text.as_bytes()).faults;
        let found: Vec<String> =
            faults.iter().filter(|f| f.is_error()).map(|f| format!("{} {}", f.code.as_str(), f.path)).collect();
        assert_eq!(found, [expected], "{entry}");
    }
}
