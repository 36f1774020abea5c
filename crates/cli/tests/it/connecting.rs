//! Plugins that connect to `midplane run --listen`, with a WebSocket of their own.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::Error;

use crate::dialing::{Command, PATIENCE, Plugin, last_word, registered};
use crate::midplane::{Done, run};
use crate::plugins::guest;

fn token_in(file: &Path) -> String {
    fs::read_to_string(file).unwrap().trim().to_owned()
}

#[test]
fn a_call_waits_for_the_plugin_and_reaches_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let token = format!("tab={}", file.display());
    let call = ["--token", &token, "--call", "tab/echo", "--input", "{\"a\": 1}"];
    let midplane = Command::start(&call);
    let url = last_word(&midplane.until("listening"));
    midplane.until(&format!("in {}", file.display()));
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let closing = registered(&url, "tab", &token_in(&file)).serve();
    assert_eq!(closing, (1000, "the host needs the plugin no longer".to_owned()));
    let (code, stdout, stderr) = midplane.end();
    assert_eq!((code, stdout.as_str()), (0, "{\"a\":1}"), "{stderr}");
    assert!(!file.exists(), "a token that nobody can use is not left");
}

#[test]
fn programs_get_one_document_and_learn_the_address_before() {
    let midplane = Command::start(&["--token", "tab", "--call", "tab/echo", "--input", "[1]", "--output", "json"]);
    let doors: Value = serde_json::from_str(&midplane.until("listening")).unwrap();
    let (url, token) = (&doors["listening"]["url"], &doors["tokens"][0]);
    assert_eq!((&token["plugin"], &doors["listening"]["host"]), (&json!("tab"), &json!("127.0.0.1")));
    registered(url.as_str().unwrap(), "tab", token["token"].as_str().unwrap()).serve();
    let (code, stdout, stderr) = midplane.end();
    let reply: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &reply["reply"]["content"], &reply["plugin"]), (0, &json!([1]), &json!("tab")), "{stderr}");

    let midplane = Command::start(&["--token", "tab", "--output", "json"]);
    let document: Value = serde_json::from_str(&midplane.stdout.recv_timeout(PATIENCE).unwrap()).unwrap();
    assert_eq!(document["plugins"], json!([]));
    let token = document["tokens"][0]["token"].as_str().unwrap();
    let plugin = registered(document["listening"]["url"].as_str().unwrap(), "tab", token);
    midplane.until("tab 1.2.3 has connected");
    let serving = std::thread::spawn(|| plugin.serve());
    assert_eq!(midplane.interrupt(), 130);
    assert_eq!(serving.join().unwrap(), (1001, "the host is stopping".to_owned()));
}

#[test]
fn each_token_lets_its_plugin_in_once() {
    let midplane = Command::start(&["--token", "tab", "--token", "tab", "--token", "other"]);
    let (url, tokens) = midplane.doors(3);
    let refusal = |id: &str, token: &str| {
        let (mut plugin, answer) = Plugin::register(&url, id, token);
        assert_eq!(answer["error"]["message"], plugin.next().unwrap_err().1);
        answer["error"]["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(refusal("tab", "guessed"), "unknown token");
    assert_eq!(refusal("other", &tokens[0]), "the token is for another plugin");
    let tab = registered(&url, "tab", &tokens[0]);
    midplane.until("tab 1.2.3 has connected");
    assert_eq!(refusal("tab", &tokens[0]), "the token has been used");
    assert_eq!(refusal("tab", &tokens[1]), "a plugin `tab` is connected already");
    drop(tab);
    midplane.until("tab has gone");
    let again = registered(&url, "tab", &tokens[1]);
    midplane.until("tab 1.2.3 has connected again");
    let logged: String = midplane.stderr.try_iter().collect();
    assert!(!tokens.iter().any(|token| logged.contains(token.as_str())), "{logged}");
    drop(again);
    assert_eq!(midplane.interrupt(), 130);
}

#[test]
fn a_token_file_holds_another_token_when_the_last_was_used() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let midplane = Command::start(&["--token", &format!("tab={}", file.display())]);
    let (url, _) = midplane.doors(1);
    let mut used = Vec::new();
    for said in ["has connected", "has connected again", "has connected again"] {
        let token = token_in(&file);
        assert!(!used.contains(&token));
        let plugin = registered(&url, "tab", &token);
        midplane.until(said);
        for _ in 0..6000 {
            if token_in(&file) != token {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        used.push(token);
        drop(plugin);
        midplane.until("has gone");
    }
    assert_eq!(midplane.interrupt(), 130);
    assert!(!file.exists());
}

#[test]
fn pages_connect_from_the_origins_that_were_named() {
    let midplane = Command::start(&["--token", "tab", "--origin", "http://localhost:8080/", "--origin", "null"]);
    let (url, _) = midplane.doors(1);
    for origin in ["http://localhost:8080", "null"] {
        assert!(Plugin::dial(&url, Some(origin)).is_ok(), "{origin}");
    }
    for origin in ["http://localhost:8081", "https://localhost:8080", "http://evil.example"] {
        let refused = Plugin::dial(&url, Some(origin)).err();
        assert!(matches!(&refused, Some(Error::Http(answer)) if answer.status() == 403), "{refused:?}");
    }
    assert_eq!(midplane.interrupt(), 130);
}

#[test]
fn a_call_for_which_nobody_comes_says_who_is_missing() {
    let done =
        run(["run", "--listen", "0", "--token", "tab", "--call", "tab/echo", "--wait", "1ms", "--output", "json"]);
    assert_eq!((done.code, done.error().as_str()), (6, "deadline_exceeded"), "{}", done.stderr);
    assert_eq!(done.json()["error"]["data"]["missing"], json!(["tab"]));
}

#[test]
fn a_plugin_that_cannot_be_started_ends_the_call() {
    let midplane = Command::start(&["--token", "tab", "--call", "tab/echo", "--output", "json"]);
    let doors: Value = serde_json::from_str(&midplane.until("listening")).unwrap();
    let token = doors["tokens"][0]["token"].as_str().unwrap();
    let (mut plugin, _) =
        Plugin::register_with(doors["listening"]["url"].as_str().unwrap(), "tab", token, json!(["init"]));
    let asked = plugin.next().unwrap();
    assert_eq!(asked["method"], "initialize", "{asked}");
    plugin.send(&json!({ "id": asked["id"], "error": { "code": "no_camera", "message": "no camera here" } }));
    let (_, why) = plugin.serve();
    assert!(why.contains("no camera here"), "{why}");
    let (code, stdout, stderr) = midplane.end();
    let error: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &error["error"]["plugin"]), (1, &json!("tab")), "{error} {stderr}");
    assert!(stderr.contains("tab has connected and could not be started"), "{stderr}");
}

#[test]
fn what_cannot_be_listened_on_is_said() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let done = run(["run", "--listen", &port, "--token", "tab", "--output", "json"]);
    assert_eq!((done.code, done.error().as_str()), (7, "io"), "{}", done.stderr);
    assert!(done.json()["error"]["message"].as_str().unwrap().contains(&format!("127.0.0.1:{port}")));

    let done = run(["run", "--listen", "0.0.0.0:0", "--token", "tab"]);
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("--allow-remote"), "{}", done.stderr);
    let open = Command::start(&["--token", "tab"]);
    open.doors(1);
    assert_eq!(open.interrupt(), 130);
}

#[test]
fn what_does_not_fit_together_is_refused_before_anybody_can_connect() {
    let guest = guest().display().to_string();
    let table: [(&[&str], i32, &str); 7] = [
        (&["--listen", "0"], 2, "--token"),
        (&["--token", "tab"], 2, "--listen"),
        (&["--listen", "0", "--token", "tab", "--wait", "1s"], 2, "--call"),
        (&["--listen", "0", "--token", "tab", "--call", "tap/echo"], 4, "did you mean `tab`"),
        (&["--listen", "0", "--token", "tab", "--grant", "tap=plugin.call:x/*"], 4, "did you mean `tab`"),
        (&["--listen", "0", "--token", "tab", "--listen-config", "{\"heart\": 1}"], 3, "heartbeat"),
        (&[&guest, "--listen", "0", "--token", "guest"], 3, "there is a token for `guest`"),
    ];
    for (arguments, code, said) in table {
        let done: Done = run(["run"].iter().chain(arguments));
        assert_eq!(done.code, code, "{arguments:?}: {}", done.stderr);
        assert!(done.stderr.contains(said), "{arguments:?}: {}", done.stderr);
    }
}

#[test]
fn loaded_and_connected_plugins_are_neighbours() {
    let guest = guest().display().to_string();
    let midplane = Command::start(&["--token", "tab", "--call", "guest/echo", "--input", "7", &guest]);
    let url = last_word(&midplane.until("listening"));
    let token = last_word(&midplane.until("token"));
    let plugin = registered(&url, "tab", &token);
    midplane.until("tab 1.2.3 has connected");
    plugin.serve();
    let (code, stdout, stderr) = midplane.end();
    assert_eq!((code, stdout.as_str()), (0, "7"), "{stderr}");
}

#[test]
fn every_line_of_a_burst_for_the_log_arrives_or_is_counted() {
    const LINES: usize = 10_000;
    let midplane = Command::start(&["--token", "tab"]);
    let (url, tokens) = midplane.doors(1);
    let mut plugin = registered(&url, "tab", &tokens[0]);
    midplane.until("tab 1.2.3 has connected");
    for number in 0..LINES {
        plugin.send(&json!({ "method": "log", "params": { "level": "info", "message": format!("line {number}.") } }));
    }
    let mut seen = 0;
    while seen < LINES {
        let line = midplane.until("[tab] ");
        let count = line.split_once(" lines were left out").map(|(before, _)| before.rsplit(' ').next().unwrap());
        seen += count.map_or(1, |count| count.parse().unwrap());
    }
    assert_eq!(seen, LINES);
    plugin.send(&json!({ "id": "t", "method": "time.now" }));
    assert!(plugin.next().unwrap()["result"].is_string(), "it is connected as before");
    assert_eq!(midplane.interrupt(), 130);
}
