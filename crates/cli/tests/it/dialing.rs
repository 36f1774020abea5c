//! The command with its door open, and plugins that dial it.

use std::io::{BufRead, BufReader};
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Error, Message, WebSocket};

use crate::midplane::{command, piped};

/// Longer than anything takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The command, running, with a line of its output or stderr at a time.
pub(crate) struct Command {
    child: Child,
    pub(crate) stdout: Receiver<String>,
    pub(crate) stderr: Receiver<String>,
}

impl Command {
    /// `run --listen 0` and more.
    pub(crate) fn start(more: &[&str]) -> Self {
        let mut child = piped(&mut command(["run", "--listen", "0"].iter().chain(more)));
        let (stdout, stderr) = (lines(child.stdout.take().unwrap()), lines(child.stderr.take().unwrap()));
        Self { child, stdout, stderr }
    }

    /// The URL and the tokens that were printed for people on stdout, of so many.
    pub(crate) fn doors(&self, tokens: usize) -> (String, Vec<String>) {
        let last = |lines: &Receiver<String>| last_word(&lines.recv_timeout(PATIENCE).unwrap());
        let url = last(&self.stdout);
        (url, (0..tokens).map(|_| last(&self.stdout)).collect())
    }

    /// Waits for a line on stderr that has this in it.
    pub(crate) fn until(&self, said: &str) -> String {
        loop {
            let line = self.stderr.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("never said: {said}"));
            if line.contains(said) {
                return line;
            }
        }
    }

    pub(crate) fn interrupt(self) -> i32 {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        self.end().0
    }

    /// The exit code, and what is left of stdout and stderr.
    pub(crate) fn end(mut self) -> (i32, String, String) {
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        (code, self.stdout.iter().collect(), self.stderr.iter().collect())
    }
}

impl Drop for Command {
    /// A test that fails leaves no command behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stream: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        BufReader::new(stream).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    receiver
}

pub(crate) fn last_word(line: &str) -> String {
    line.split_whitespace().last().unwrap().to_owned()
}

/// A plugin that connects.
pub(crate) struct Plugin(WebSocket<MaybeTlsStream<std::net::TcpStream>>);

impl Plugin {
    pub(crate) fn dial(url: &str, origin: Option<&str>) -> Result<Self, Error> {
        let mut request = url.into_client_request()?;
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        tungstenite::connect(request).map(|(socket, _)| Self(socket))
    }

    /// The answer to a registration with the action `echo` and no hooks.
    pub(crate) fn register(url: &str, id: &str, token: &str) -> (Self, Value) {
        Self::register_with(url, id, token, json!([]))
    }

    pub(crate) fn register_with(url: &str, id: &str, token: &str, hooks: Value) -> (Self, Value) {
        let mut plugin = Self::dial(url, None).unwrap();
        let params =
            json!({ "plugin_id": id, "token": token, "version": "1.2.3", "actions": ["echo"], "hooks": hooks });
        plugin.send(&json!({ "id": "r", "method": "register", "params": params }));
        let answer = plugin.next().unwrap();
        (plugin, answer)
    }

    pub(crate) fn send(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).unwrap();
    }

    /// The next message, or how the connection is closed.
    pub(crate) fn next(&mut self) -> Result<Value, (u16, String)> {
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
    pub(crate) fn serve(mut self) -> (u16, String) {
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

pub(crate) fn registered(url: &str, id: &str, token: &str) -> Plugin {
    let (plugin, answer) = Plugin::register(url, id, token);
    assert_eq!(answer["result"]["success"], true, "{answer}");
    plugin
}
