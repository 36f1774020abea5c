//! A plugin's own packages.

use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use midplane_contract::Code as Fault;

use super::place::Place;
use crate::stage::{alive, eventually};

const SIX: &str = "import importlib.metadata, six
def which(): return [importlib.metadata.version('six'), six.__version__]
actions = [which]
";

const TINY: &str = "import tiny
def which(): return tiny.NAME
actions = [which]
";

/// What keeps installers from every index.
const NO_NETWORK: [(&str, &str); 7] = [
    ("PIP_NO_INDEX", "1"),
    ("PIP_FIND_LINKS", "/nowhere"),
    ("UV_OFFLINE", "1"),
    ("UV_FIND_LINKS", "/nowhere"),
    ("HTTP_PROXY", "http://127.0.0.1:9"),
    ("HTTPS_PROXY", "http://127.0.0.1:9"),
    ("ALL_PROXY", "http://127.0.0.1:9"),
];

/// A plugin that brings a wheel of its own, so that no index is asked.
fn with_wheel(place: &Place, name: &str, version: &str) -> PathBuf {
    let wheel = format!("tiny-{version}-py3-none-any.whl");
    let folder = place.plugin(name, &[("plugin.py", TINY), ("requirements.txt", &format!("./{wheel}\n"))]);
    let script = "
import sys, zipfile
path, version = sys.argv[1:]
info = f'tiny-{version}.dist-info/'
with zipfile.ZipFile(path, 'w') as wheel:
    wheel.writestr('tiny.py', f'NAME = \"tiny {version}\"')
    wheel.writestr(info + 'METADATA', f'Metadata-Version: 2.1\\nName: tiny\\nVersion: {version}\\n')
    wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(info + 'RECORD', f'tiny.py,,\\n{info}METADATA,,\\n{info}WHEEL,,\\n{info}RECORD,,\\n')
";
    let status = Command::new("python3").args(["-I", "-c", script]).arg(folder.join(&wheel)).arg(version).status();
    assert!(status.unwrap().success());
    folder
}

#[test]
fn two_plugins_with_two_versions_of_a_package_answer_at_once_and_again_without_a_network() {
    let place = Place::new();
    let older = place.plugin("older", &[("plugin.py", SIX), ("requirements.txt", "six==1.15.0\n")]);
    let newer = place.plugin("newer", &[("plugin.py", SIX), ("requirements.txt", "six == 1.16.0  # for us\n")]);
    let project = "[project]\nname = 'x'\nversion = '1'\ndependencies = [\n  'six==1.16.0',\n]\n";
    let third = place.plugin("third", &[("plugin.py", SIX), ("pyproject.toml", project)]);
    for env in [&[][..], &NO_NETWORK] {
        let (mut older, mut newer, mut third) =
            (place.load(&older, env).unwrap(), place.load(&newer, env).unwrap(), place.load(&third, env).unwrap());
        assert_eq!(older.call("which", b"").unwrap(), br#"["1.15.0","1.15.0"]"#);
        assert_eq!(newer.call("which", b"").unwrap(), br#"["1.16.0","1.16.0"]"#);
        assert_eq!(third.call("which", b"").unwrap(), br#"["1.16.0","1.16.0"]"#);
        assert_eq!(older.call("which", b"").unwrap(), br#"["1.15.0","1.15.0"]"#);
    }
    assert_eq!(place.environments(), (3, 3));
    // It was the cache, not a network that is there all the same.
    let fresh = place.plugin("fresh", &[("plugin.py", SIX), ("requirements.txt", "six==1.14.0")]);
    let error = place.load(&fresh, &NO_NETWORK).err().unwrap();
    assert_eq!(error.code(), Fault::Io, "{error:?}");
    assert!(error.record().message.contains("requirements.txt"), "{error}");
    assert!(error.record().data["output"].as_str().unwrap().contains("six==1.14.0"), "{error:?}");
    assert!(error.record().remedy.is_some());
    assert_eq!(place.environments(), (3, 3), "a failed build leaves nothing");
}

/// `examples/tags`, with mutagen from its `requirements.txt`, on files that other programs have tagged.
#[test]
fn the_tag_reader_of_the_examples_reads_the_samples() {
    let place = Place::new();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").canonicalize().unwrap();
    let mut tags = place.load(&examples.join("tags"), &[]).unwrap();
    for name in ["tone.mp3", "tone.flac", "tone.ogg"] {
        let answer = tags.call("read", &std::fs::read(examples.join("samples").join(name)).unwrap()).unwrap();
        let facts: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(facts["tags"]["title"], serde_json::json!(["Tone"]), "{name}: {facts}");
        assert_eq!(facts["tags"]["artist"], serde_json::json!(["Midplane"]), "{name}: {facts}");
    }
    let error = tags.call("read", b"no sound").unwrap_err();
    assert_eq!((error.code(), &error.record().data["code"]), (Fault::PluginError, &"unknown_format".into()));
}

#[test]
fn starts_at_once_make_an_environment_once() {
    let place = Place::new();
    let folder = with_wheel(&place, "tiny", "1.0");
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                let mut loaded = place.load(&folder, &[]).unwrap();
                assert_eq!(loaded.call("which", b"").unwrap(), b"\"tiny 1.0\"");
            });
        }
    });
    assert_eq!(place.environments(), (1, 1));
}

#[test]
fn another_wheel_makes_another_environment() {
    let place = Place::new();
    for version in ["1.0", "2.0"] {
        let mut loaded = place.load(&with_wheel(&place, "tiny", version), &[]).unwrap();
        assert_eq!(loaded.call("which", b"").unwrap(), format!("\"tiny {version}\"").as_bytes());
    }
    assert_eq!(place.environments(), (2, 2));
}

#[test]
fn programs_that_the_plugin_starts_see_its_packages_too() {
    let place = Place::new();
    let folder = with_wheel(&place, "tiny", "1.0");
    let code = "import subprocess, sys
def which():
    return subprocess.run([sys.executable, '-c', 'import tiny; print(tiny.NAME)'], capture_output=True).stdout.decode()
actions = [which]
";
    std::fs::write(folder.join("plugin.py"), code).unwrap();
    assert_eq!(place.load(&folder, &[]).unwrap().call("which", b"").unwrap(), br#""tiny 1.0\n""#);
}

#[test]
fn an_environment_that_the_author_brings_is_taken_as_it_is() {
    let place = Place::new();
    let folder = place.plugin("own", &[("plugin.py", TINY), ("requirements.txt", "no-such-package-of-midplane\n")]);
    let made = Command::new("python3").args(["-I", "-m", "venv", "--without-pip"]).arg(folder.join(".venv")).status();
    assert!(made.unwrap().success());
    let library = std::fs::read_dir(folder.join(".venv/lib")).unwrap().next().unwrap().unwrap().path();
    std::fs::write(library.join("site-packages/tiny.py"), "NAME = 'my own'").unwrap();
    assert_eq!(place.load(&folder, &NO_NETWORK).unwrap().call("which", b"").unwrap(), b"\"my own\"");
    assert_eq!(place.environments(), (0, 0));
}

/// The processes below this one.
fn descendants(pid: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let children = threads.map(|thread| std::fs::read_to_string(thread.path().join("children")).unwrap_or_default());
    let children: Vec<u32> = children.collect::<String>().split_whitespace().map(|pid| pid.parse().unwrap()).collect();
    children.iter().flat_map(|child| [vec![*child], descendants(*child)].concat()).collect()
}

/// Run by the test below as a process of its own.
#[test]
fn a_host_that_is_killed() {
    if let (Ok(folder), Ok(cache), Ok(index)) =
        (std::env::var("PYTHON_TEST_PLUGIN"), std::env::var("PYTHON_TEST_CACHE"), std::env::var("PYTHON_TEST_INDEX"))
    {
        let env = [("PIP_INDEX_URL", index.as_str()), ("UV_INDEX_URL", &index), ("PIP_FIND_LINKS", "")];
        let request = super::place::request_of(Path::new(&folder), Path::new(&cache), &env);
        drop(crate::stage::load_with(&super::place::runtime(), &request, 1));
    }
}

#[test]
fn an_environment_whose_host_was_killed_is_not_taken_for_finished() {
    let place = Place::new();
    let folder = with_wheel(&place, "tiny", "1.0");
    // An index that takes the question and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let index = format!("http://{}/simple", silent.local_addr().unwrap());
    let requirements = folder.join("requirements.txt");
    std::fs::write(&requirements, "./tiny-1.0-py3-none-any.whl\nno-such-package-of-midplane\n").unwrap();
    let mut host = Command::new(std::env::current_exe().unwrap())
        .args(["python::packages::a_host_that_is_killed", "--exact"])
        .envs([("PYTHON_TEST_PLUGIN", folder.as_path()), ("PYTHON_TEST_CACHE", &place.cache())])
        .env("PYTHON_TEST_INDEX", &index)
        // What the installer has begun goes with the test.
        .env("TMPDIR", folder.parent().unwrap())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let (mut asked, _) = silent.accept().unwrap();
    assert!(asked.read(&mut [0; 16]).unwrap() > 0);
    let installers = descendants(host.id());
    assert!(!installers.is_empty());
    host.kill().unwrap();
    host.wait().unwrap();
    eventually("the installer ends with its host", || !installers.iter().any(|pid| alive(*pid as i32)));
    assert_eq!(place.environments(), (0, 1), "what was begun is there, and is not finished");
    std::fs::write(requirements, "./tiny-1.0-py3-none-any.whl\nno-such-package-of-midplane; python_version < '3'\n")
        .unwrap();
    assert_eq!(place.load(&folder, &[]).unwrap().call("which", b"").unwrap(), b"\"tiny 1.0\"");
}
