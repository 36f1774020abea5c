//! Plugins that connect to `midplane run --listen`, with a WebSocket of their own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Error, Message, WebSocket};

use crate::midplane::{Done, command, piped, run};
use crate::plugins::guest;

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// The command, running, with a line of its output or stderr at a time.
struct Command {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Command {
    /// `run --listen 0` and more.
    fn start(more: &[&str]) -> Self {
        let mut child = piped(&mut command(["run", "--listen", "0"].iter().chain(more)));
        let (stdout, stderr) = (lines(child.stdout.take().unwrap()), lines(child.stderr.take().unwrap()));
        Self { child, stdout, stderr }
    }

    /// The URL and the tokens that were printed for people on stdout, of so many.
    fn doors(&self, tokens: usize) -> (String, Vec<String>) {
        let last = |lines: &Receiver<String>| last_word(&lines.recv_timeout(PATIENCE).unwrap());
        let url = last(&self.stdout);
        (url, (0..tokens).map(|_| last(&self.stdout)).collect())
    }

    /// Waits for a line on stderr that has this in it.
    fn until(&self, said: &str) -> String {
        loop {
            let line = self.stderr.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("never said: {said}"));
            if line.contains(said) {
                return line;
            }
        }
    }

    fn interrupt(self) -> i32 {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        self.end().0
    }

    /// The exit code, and what is left of stdout and stderr.
    fn end(mut self) -> (i32, String, String) {
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        (code, self.stdout.iter().collect(), self.stderr.iter().collect())
    }
}

fn lines(stream: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        BufReader::new(stream).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    receiver
}

fn last_word(line: &str) -> String {
    line.split_whitespace().last().unwrap().to_owned()
}

/// A plugin that connects.
struct Plugin(WebSocket<MaybeTlsStream<std::net::TcpStream>>);

impl Plugin {
    fn dial(url: &str, origin: Option<&str>) -> Result<Self, Error> {
        let mut request = url.into_client_request()?;
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        tungstenite::connect(request).map(|(socket, _)| Self(socket))
    }

    /// The answer to a registration with the action `echo` and no hooks.
    fn register(url: &str, id: &str, token: &str) -> (Self, Value) {
        Self::register_with(url, id, token, json!([]))
    }

    fn register_with(url: &str, id: &str, token: &str, hooks: Value) -> (Self, Value) {
        let mut plugin = Self::dial(url, None).unwrap();
        let params =
            json!({ "plugin_id": id, "token": token, "version": "1.2.3", "actions": ["echo"], "hooks": hooks });
        plugin.send(&json!({ "id": "r", "method": "register", "params": params }));
        let answer = plugin.next().unwrap();
        (plugin, answer)
    }

    fn send(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).unwrap();
    }

    /// The next message, or how the connection is closed.
    fn next(&mut self) -> Result<Value, (u16, String)> {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => return Ok(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(frame)) => {
                    let _ = self.0.flush();
                    return Err(frame.map(|frame| (frame.code.into(), frame.reason.to_string())).unwrap_or_default());
                }
                Ok(_) => {}
                Err(error) => return Err((0, error.to_string())),
            }
        }
    }

    /// Answers calls with their input until the connection is closed; says how.
    fn serve(mut self) -> (u16, String) {
        loop {
            match self.next() {
                Ok(message) if message["method"] == "call" => {
                    self.send(&json!({ "id": message["id"], "result": message["params"]["input"] }));
                }
                Ok(message) if message.get("id").is_some() => {
                    self.send(&json!({ "id": message["id"], "result": {} }));
                }
                Ok(_) => {}
                Err(closing) => return closing,
            }
        }
    }
}

fn registered(url: &str, id: &str, token: &str) -> Plugin {
    let (plugin, answer) = Plugin::register(url, id, token);
    assert_eq!(answer["result"]["success"], true, "{answer}");
    plugin
}

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
