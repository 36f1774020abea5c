//! Configurations that outlive a host and are shared by hosts, and secrets that are in none of what is left behind.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStderr, Stdio};

use midplane_testkit::{Redis, files_below};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::midplane::{Done, command};

/// A plugin that says its configuration wherever it can.
const PLUGIN: &str = "let seen = {};
export default {
  onValidateConfig(config) {
    if (config.level === 'loud') throw new Error(`too loud with ${config.env} and ${config.file}`);
  },
  onInit(config) { seen = config; console.log(`begun with ${JSON.stringify(config)}`); },
  onConfigChanged(config) { seen = config; console.error(`changed to ${config.level} with ${config.env}`); },
  onHealthCheck() { return {status: 'degraded', details: {env: seen.env}}; },
  actions: {
    fail() { const error = new Error(`no luck with ${seen.file}`); error.data = {env: seen.env}; throw error; },
    panic() { throw `${seen.env}`; },
  },
};
";

const MANIFEST: &str = "id: radio
name: Radio
version: 1.0.0
entry: {runtime: js, main: radio.js}
actions: [fail, panic]
config_schema:
  type: object
  properties:
    env: {type: string, pattern: '^canary-env'}
    file: {type: string, maxLength: 40}
";

const ENV: &str = "canary-env-5f1d\"with a quote";
const FILE: &str = "canary-file-77aa";
const PASSWORD: &str = "canary-password-20c4";

struct House {
    folder: TempDir,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plugin = folder.path().join("plugins/radio");
        fs::create_dir_all(&plugin).unwrap();
        fs::write(plugin.join("plugin.yaml"), MANIFEST).unwrap();
        fs::write(plugin.join("radio.js"), PLUGIN).unwrap();
        fs::write(folder.path().join("secret"), format!("{FILE}\n")).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Settings whose plugin has secrets of all three kinds.
    fn settings(&self, name: &str, level: &str, store: &Value) -> String {
        let config = json!({
            "level": level,
            "env": {"secret": "env:CANARY"},
            "file": {"secret": format!("file:{}", self.path("secret"))},
            "named": {"secret": "named"},
        });
        let settings = json!({
            "folders": [self.path("plugins")],
            "secrets": {"named": "env:CANARY"},
            "store": store,
            "plugins": {"radio": {"auto_start": true, "config": config}},
        });
        let file = self.path(name);
        fs::write(&file, settings.to_string()).unwrap();
        file
    }

    /// Runs a command with the secrets in its environment; nothing of them is in what it says.
    fn run(&self, arguments: &[&str]) -> Done {
        let mut command = command(arguments);
        command.env("CANARY", ENV).env("REDIS_PASSWORD", PASSWORD).env("MIDPLANE_DATA", self.path("data"));
        let done = Done::of(command.output().unwrap());
        nothing_of_secrets(&done.text(), arguments);
        nothing_of_secrets(&done.stderr, arguments);
        done
    }

    fn host(&self, settings: &str) -> Host {
        let mut command = command(["run", "-vv", "--settings", settings, "--data", &self.path("data")]);
        command.env("CANARY", ENV).env("REDIS_PASSWORD", PASSWORD).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut host = Host { child, lines, heard: Vec::new() };
        host.until("running; Ctrl-C ends it");
        host
    }

    /// What is left in files, those of databases as well.
    fn files(&self) -> Vec<(String, String)> {
        let files = files_below(self.folder.path()).unwrap().into_iter();
        let theirs = files.filter(|name| name != "secret" && !name.starts_with("plugins/"));
        // The host's door is among them, and nothing to read.
        let theirs = theirs.filter(|name| fs::metadata(self.path(name)).unwrap().is_file());
        theirs
            .map(|name| (name.clone(), String::from_utf8_lossy(&fs::read(self.path(&name)).unwrap()).into_owned()))
            .collect()
    }
}

fn nothing_of_secrets(text: &str, of: impl std::fmt::Debug) {
    for canary in ["canary-env-5f1d", FILE, PASSWORD] {
        assert!(!text.contains(canary), "{canary} is in what is left of {of:?}: {text}");
    }
}

/// A host that waits, and what it says.
struct Host {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
    heard: Vec<String>,
}

impl Host {
    fn until(&mut self, part: &str) {
        let heard = &mut self.heard;
        let found = self.lines.by_ref().map_while(Result::ok).any(|line| {
            heard.push(line.clone());
            line.contains(part)
        });
        assert!(found, "no {part} in {heard:#?}");
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_secret_is_in_nothing_that_a_host_says_or_keeps_whatever_its_store() {
    let house = House::new();
    let server = Redis::start(&["--requirepass", PASSWORD]);
    let redis = json!({"kind": "redis", "address": server.address(), "password": "env:REDIS_PASSWORD"});
    let stores = [json!({"kind": "file", "path": house.path("configs")}), json!({"kind": "database"}), redis];
    for store in &stores {
        let file = house.settings("m.json", "low", store);
        let mut host = house.host(&file);
        house.settings("m.json", "loud", store);
        host.until("the changed configuration is refused");
        house.settings("m.json", "higher", store);
        host.until("changed to higher");
        host.until("is in effect");
        let said = host.heard.join("\n");
        assert!(said.contains("begun with") && said.contains("******"), "{said}");
        nothing_of_secrets(&said, store);
        drop(host);
        // The next host finds what was kept, although its settings say something else.
        house.settings("m.json", "lowest", store);
        let host = house.host(&file);
        assert!(
            host.heard.iter().any(|line| line.contains("begun with") && line.contains("higher")),
            "{:#?}",
            host.heard
        );
        let told = "the configuration that was kept stands in place of the one that it is given";
        assert!(host.heard.iter().any(|line| line.contains(told)), "{:#?}", host.heard);
    }
    let kept = server.cli(&["-a", PASSWORD, "HGETALL", "midplane:configs"]);
    assert!(kept.contains("env:CANARY"), "{kept}");
    nothing_of_secrets(&kept, "redis");
    let files = house.files();
    for name in ["configs/radio.json", "data/state.db", "data/catalog.db"] {
        assert!(files.iter().any(|(path, _)| path.ends_with(name)), "{name}");
    }
    files.iter().for_each(|(path, text)| nothing_of_secrets(text, path));
}

#[test]
fn a_secret_is_in_no_error_and_in_nothing_that_commands_show() {
    let house = House::new();
    let file = house.settings("m.json", "low", &json!({"kind": "file", "path": house.path("configs")}));
    let plugin = house.path("plugins/radio");
    let plugins = house.path("plugins");
    let call = |more: &[&str]| {
        for output in ["text", "json"] {
            let arguments = ["run", &plugin, "-vv", "--settings", &file, "--output", output];
            let done = house.run(&[&arguments, more].concat());
            assert_ne!(done.code, 0, "{done:?}");
        }
    };
    call(&["--call", "radio/fail"]);
    call(&["--call", "radio/panic"]);
    // Refused by the plugin, and by the schema: the secret is too long, and is not what is wanted.
    call(&["--call", "radio/fail", "--set", "plugins.radio.config.level=loud"]);
    let schema = "plugins.radio.config.file={secret: 'env:CANARY'}";
    call(&["--call", "radio/fail", "--set", schema, "--set", "plugins.radio.config.env={secret: named}"]);
    call(&["--call", "radio/fail", "--set", "plugins.radio.config.env={secret: 'file:/proc/self/environ'}"]);
    let swapped = format!("plugins.radio.config.env={{secret: 'file:{}'}}", house.path("secret"));
    call(&["--call", "radio/fail", "--set", &swapped]);
    // Secrets where they do not belong.
    call(&[
        "--call",
        "radio/fail",
        "--set",
        &format!("store={{kind: redis, address: 'redis://:{PASSWORD}@127.0.0.1:1'}}"),
    ]);
    call(&["--call", "radio/fail", "--set", &format!("store={{kind: redis, address: 'a:1', password: {PASSWORD}}}")]);
    call(&["--call", "radio/fail", "--set", "secrets.named=${CANARY}"]);

    let server = Redis::start(&["--requirepass", "another"]);
    let locked = format!("store={{kind: redis, address: '{}', password: 'env:REDIS_PASSWORD'}}", server.address());
    let done =
        house.run(&["run", &plugin, "--settings", &file, "--set", &locked, "--call", "radio/fail", "--output", "json"]);
    assert_eq!(done.error(), "storage");
    assert!(done.text().contains("refuses the user or the password"), "{done:?}");

    for output in ["text", "json"] {
        for arguments in [
            &["config", "check", &file][..],
            &["config", "show", &file],
            &["config", "show", &file, "--origins"],
            &["check", &plugin, "--settings", &file],
            &["list", "--plugins", &plugins],
            &["inspect", &plugin],
            &["catalog", "rescan", "--plugins", &plugins],
            &["catalog", "list"],
            &["catalog", "show", "radio"],
        ] {
            let done = house.run(&[arguments, &["-vv", "--output", output]].concat());
            assert_eq!(done.code, 0, "{arguments:?}: {done:?}");
        }
    }
    house.files().iter().for_each(|(path, text)| nothing_of_secrets(text, path));
}

#[test]
fn hosts_that_share_a_redis_server_take_over_from_each_other_and_go_on_without_it() {
    let house = House::new();
    let mut server = Redis::start(&[]);
    let store = json!({"kind": "redis", "address": server.address()});
    let (first, second) = (house.settings("1.json", "low", &store), house.settings("2.json", "low", &store));
    let (mut one, mut two) = (house.host(&first), house.host(&second));
    house.settings("1.json", "from-one", &store);
    two.until("changed to from-one");
    house.settings("2.json", "from-two", &store);
    one.until("changed to from-two");

    server.kill();
    one.until("are not followed until the server is back");
    two.until("are not followed until the server is back");
    house.settings("1.json", "lost", &store);
    one.until("the changed configuration is not in effect yet, and is tried again");
    let said = one.heard.last().unwrap();
    assert!(said.contains("cannot be reached") && said.contains(&server.address()), "{said}");
    server.revive();
    one.until("are followed again");
    two.until("are followed again");
    two.until("changed to lost");
    house.settings("1.json", "again", &store);
    two.until("changed to again");
}
