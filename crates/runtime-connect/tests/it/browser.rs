//! A page in a browser that is a plugin: `examples/browser-tab`, in headless Chromium.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, thread};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use midplane_contract::{Code, State};
use midplane_kernel::block_on;
use midplane_runtime_connect::Settings;
use midplane_testkit::{PATIENCE, Scratch, eventually};
use serde_json::{Value, json};

use crate::node::Program;
use crate::stage::Stage;

/// Serves the repository's files on loopback until the test's process ends.
fn files() -> SocketAddr {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for tcp in listener.incoming().flatten() {
            let root = root.clone();
            thread::spawn(move || file(&tcp, &root));
        }
    });
    address
}

fn file(mut tcp: &TcpStream, root: &Path) {
    let mut line = String::new();
    let mut request = BufReader::new(tcp);
    if request.read_line(&mut line).is_err() {
        return;
    }
    let mut header = String::new();
    while request.read_line(&mut header).is_ok_and(|count| count > 2) {
        header.clear();
    }
    let path = line.split(' ').nth(1).unwrap_or("/").split(['?', '#']).next().unwrap_or("/");
    let path = root.join(path.trim_start_matches('/'));
    let path = if path.is_dir() { path.join("index.html") } else { path };
    let kind = match path.extension().and_then(|end| end.to_str()) {
        Some("html") => "text/html",
        Some("js") => "text/javascript",
        _ => "application/octet-stream",
    };
    let inside = path.canonicalize().is_ok_and(|path| path.starts_with(root));
    let (status, body) = match fs::read(&path) {
        Ok(body) if inside => ("200 OK", body),
        _ => ("404 Not Found", Vec::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = tcp.write_all(head.as_bytes()).and_then(|()| tcp.write_all(&body));
}

/// A browser without windows, and the address of its tools.
struct Browser {
    _program: Program,
    tools: String,
    _profile: Scratch,
}

impl Browser {
    fn open(url: &str) -> Self {
        let profile = Scratch::new("browser").unwrap();
        let flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--remote-debugging-port=0",
        ];
        let mut command = Command::new(chromium());
        command.args(flags).arg(format!("--user-data-dir={}", profile.path().display()));
        // A tab that keeps the browser when the other is closed.
        command
            .env("TMPDIR", profile.path())
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let program = Program::new(command.spawn().unwrap());
        let port = profile.path().join("DevToolsActivePort");
        let written = || fs::read_to_string(&port).is_ok_and(|text| text.lines().count() > 1);
        assert!(eventually(written), "the browser does not start");
        let port = fs::read_to_string(&port).unwrap().lines().next().unwrap().to_owned();
        let browser = Self { _program: program, tools: format!("127.0.0.1:{port}"), _profile: profile };
        let escaped: String = url.bytes().map(|byte| format!("%{byte:02x}")).collect();
        browser.ask("PUT", &format!("/json/new?{escaped}"));
        browser
    }

    fn ask(&self, method: &str, path: &str) -> String {
        let mut tcp = TcpStream::connect(&self.tools).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(tcp, "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.tools).unwrap();
        let mut reader = BufReader::new(tcp);
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line).unwrap() > 2 {
            if let Some(told) = line.to_lowercase().strip_prefix("content-length:") {
                length = told.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        String::from_utf8(body).unwrap()
    }

    /// Closes the tab of the page, and only that.
    fn close_tab(&self) {
        let tabs: Vec<Value> = serde_json::from_str(&self.ask("GET", "/json/list")).unwrap();
        let page = tabs.iter().find(|tab| tab["url"].as_str().is_some_and(|url| url.contains("browser-tab"))).unwrap();
        self.ask("GET", &format!("/json/close/{}", page["id"].as_str().unwrap()));
    }
}

/// Where Debian and others put it.
fn chromium() -> PathBuf {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found =
        std::env::split_paths(&paths).flat_map(|path| names.map(|name| path.join(name))).find(|path| path.exists());
    found.expect("Chromium is needed for this test: apt-get install chromium")
}

#[test]
fn a_browser_tab_is_a_plugin_until_it_is_closed() {
    let pages = files();
    let stage = Stage::with(Settings { origins: vec![format!("http://{pages}")], ..Settings::default() });
    let page =
        || format!("http://{pages}/examples/browser-tab/#token={}&host={}&id=tab", stage.token(), stage.listener.url());
    let browser = Browser::open(&page());
    stage.wait_for("tab", State::Running);
    let status = stage.kernel.status(&crate::stage::id("tab")).unwrap();
    assert_eq!(status.generation.unwrap().actions, ["measure", "convert", "card"]);

    let measured = stage.call("tab/measure", r#"{"text": "to be or not to be", "width": 60}"#).unwrap();
    let measured: Value = serde_json::from_str(&measured).unwrap();
    assert!(measured["width"].as_f64().unwrap() > 10.0, "{measured}");
    assert!(measured["lines"].as_array().unwrap().len() > 1, "{measured}");

    let card = block_on(stage.kernel.call("tab/card", r#"{"title": "Hello", "width": 300, "height": 150}"#)).unwrap();
    assert_eq!((&card[1..4], &card[16..24]), (&b"PNG"[..], &[0, 0, 1, 44, 0, 0, 0, 150][..]), "a PNG of 300 × 150");
    let webp = json!({ "image": STANDARD.encode(&card), "type": "image/webp", "width": 100 }).to_string();
    let webp = block_on(stage.kernel.call("tab/convert", webp)).unwrap();
    assert_eq!((&webp[..4], &webp[8..12]), (&b"RIFF"[..], &b"WEBP"[..]));
    assert!(webp.len() < card.len());
    let bad = block_on(stage.kernel.call("tab/convert", r#"{"image": "AAAA"}"#)).unwrap_err();
    assert_eq!((bad.code(), &bad.record().data["code"]), (Code::PluginError, &json!("invalid_image")));

    browser.close_tab();
    stage.wait_for("tab", State::Stopped);
    assert_eq!(stage.record("tab").connections, 1);

    let _again = Browser::open(&page());
    stage.wait_for("tab", State::Running);
    assert_eq!(stage.record("tab").connections, 2);
}

#[test]
fn a_page_of_another_origin_gets_no_connection() {
    let pages = files();
    let stage = Stage::with(Settings { origins: vec!["http://127.0.0.1:1".to_owned()], ..Settings::default() });
    let token = stage.token();
    let url = format!("http://{pages}/examples/browser-tab/#token={token}&host={}&id=tab", stage.listener.url());
    let browser = Browser::open(&url);
    // The page says so in its title.
    assert!(eventually(|| browser.ask("GET", "/json/list").contains("closed: A tab that is a plugin")));
    assert!(stage.host.records().is_empty());
    // The token is as good as before.
    assert_eq!(stage.client().register("tab", &token, json!({}))["result"]["success"], true);
}
