use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use midplane_contract::{Code, RuntimeKind};

use super::*;

/// A folder of this test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("discover-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path.canonicalize().unwrap())
    }

    fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self::new();
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const MANIFEST: &str = "id: a\nname: A\nversion: 1.0.0\nentry: {main: bin/a.wasm}\n";

fn fails(path: &Path) -> Error {
    match read(path) {
        Err(error) => error,
        Ok(found) => panic!("{found:?}"),
    }
}

#[test]
fn a_folder_and_its_manifest_mean_the_same_plugin() {
    for name in midplane_contract::manifest::FILE_NAMES {
        let text = if name.ends_with("json") {
            r#"{"id": "a", "name": "A", "version": "1.0.0", "entry": {"main": "bin/a.wasm"}}"#
        } else {
            MANIFEST
        };
        let folder = Folder::with(&[(name, text), ("bin/a.wasm", ""), ("other.so", "")]);
        for path in [folder.0.clone(), folder.at(name)] {
            let found = read(&path).unwrap();
            assert_eq!((found.folder, found.main, found.bare), (folder.0.clone(), folder.at("bin/a.wasm"), false));
            assert_eq!(found.manifest.entry.runtime, RuntimeKind::Wasm);
        }
    }
}

#[test]
fn a_bare_file_is_a_plugin_named_after_itself() {
    let folder = Folder::with(&[("My Plugin.SO", ""), ("x.ts", ""), ("---.wasm", ""), ("y.py", ""), ("z.txt", "")]);
    let found = read(&folder.at("My Plugin.SO")).unwrap();
    assert!(found.bare);
    assert_eq!((found.manifest.id.as_str(), found.manifest.entry.runtime), ("my-plugin", RuntimeKind::Native));
    assert_eq!((found.folder.clone(), found.main), (folder.0.clone(), folder.at("My Plugin.SO")));
    assert_eq!(read(&folder.at("x.ts")).unwrap().manifest.entry.runtime, RuntimeKind::Js);
    assert_eq!(read(&folder.at("---.wasm")).unwrap().manifest.id.as_str(), "unnamed");
    assert_eq!(fails(&folder.at("y.py")).code(), Code::NotAPlugin);
    assert_eq!(fails(&folder.at("z.txt")).code(), Code::NotAPlugin);
}

#[test]
fn what_is_no_plugin_is_told_with_its_reason() {
    let folder = Folder::with(&[("empty/.keep", ""), ("two/plugin.yaml", MANIFEST), ("two/module.yaml", MANIFEST)]);
    fs::remove_file(folder.at("empty/.keep")).unwrap();
    assert_eq!(fails(&folder.at("nowhere")).code(), Code::PluginNotFound);
    let empty = fails(&folder.at("empty"));
    assert_eq!(empty.code(), Code::NotAPlugin);
    assert!(empty.record().message.contains("is empty"));
    let two = fails(&folder.at("two"));
    assert_eq!(two.code(), Code::ManifestInvalid);
    assert!(two.record().message.contains("plugin.yaml, module.yaml"));
    folder.write("code/a.wasm", "");
    assert!(fails(&folder.at("code")).record().remedy.as_ref().unwrap().contains("a.wasm"));
    folder.write("tool.py", "");
    assert!(fails(&folder.at("tool.py")).record().remedy.as_ref().unwrap().contains("runtime: python, main: tool.py"));
}

#[test]
fn a_manifest_that_is_no_file_is_refused() {
    let folder = Folder::with(&[("dir/plugin.yaml/x", "")]);
    let error = fails(&folder.at("dir"));
    assert!(error.record().message.contains("is a folder"), "{error}");
    assert_eq!(fails(Path::new("/dev/null")).code(), Code::NotAPlugin);
}

#[cfg(target_os = "linux")]
#[test]
fn a_named_pipe_is_refused_at_once() {
    let folder = Folder::new();
    for name in ["plugin.yaml", "x.wasm"] {
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, folder.at(name), rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert!(fails(&folder.at(name)).record().message.contains("is a named pipe"));
    }
    assert!(fails(&folder.0).record().message.contains("is a named pipe"));
}

#[test]
fn a_huge_manifest_is_read_no_further_than_its_cap() {
    let folder = Folder::with(&[("plugin.yaml", "")]);
    // A sparse file: 1 TiB that costs nothing, unless somebody reads it.
    fs::File::options().write(true).open(folder.at("plugin.yaml")).unwrap().set_len(1 << 40).unwrap();
    let error = fails(&folder.0);
    assert_eq!(error.record().data["faults"][0]["code"], "too_large");
}

#[cfg(unix)]
#[test]
fn links_that_lead_out_of_the_folder_are_refused() {
    use std::os::unix::fs::symlink;

    let folder = Folder::with(&[("outside.wasm", ""), ("secret.yaml", "id: x"), ("p/plugin.yaml", MANIFEST)]);
    fs::create_dir(folder.at("p/bin")).unwrap();
    symlink(folder.at("outside.wasm"), folder.at("p/bin/a.wasm")).unwrap();
    let error = fails(&folder.at("p"));
    assert_eq!(error.record().data["faults"][0]["code"], "path_leaves_folder");
    assert_eq!(error.record().data["faults"][0]["line"], 4);

    fs::remove_file(folder.at("p/bin/a.wasm")).unwrap();
    folder.write("p/real.wasm", "");
    symlink("../real.wasm", folder.at("p/bin/a.wasm")).unwrap();
    assert_eq!(read(&folder.at("p")).unwrap().main, folder.at("p/real.wasm"));

    fs::create_dir(folder.at("q")).unwrap();
    symlink(folder.at("secret.yaml"), folder.at("q/plugin.yaml")).unwrap();
    let error = fails(&folder.at("q"));
    assert!(error.record().message.contains("outside of its folder"));
    fs::create_dir(folder.at("r")).unwrap();
    symlink("nothing", folder.at("r/plugin.yaml")).unwrap();
    assert_eq!(fails(&folder.at("r")).code(), Code::PluginNotFound);
}

#[test]
fn code_that_is_not_there_is_a_fault_at_its_place_beside_all_others() {
    let folder = Folder::with(&[("plugin.yaml", &format!("{MANIFEST}colour: red\n"))]);
    let report = check(&folder.0, &Platform::anywhere()).unwrap();
    assert!(!report.is_good());
    let codes: Vec<_> = report.faults.iter().map(|fault| (fault.code.as_str(), fault.line, fault.column)).collect();
    assert_eq!(codes, [("unknown_field", 5, 1), ("missing_code", 4, 15)]);
    folder.write("bin/a.wasm/x", "");
    let report = check(&folder.0, &Platform::anywhere()).unwrap();
    assert!(report.faults.iter().any(|fault| fault.message.contains("`bin/a.wasm` is a folder")));
}

#[test]
fn a_check_looks_at_platform_and_schema_too() {
    let text = format!(
        "{MANIFEST}compatibility: {{platforms: [plan9], core_version: ^7}}\nconfig_schema: {{type: nonsense}}\n"
    );
    let folder = Folder::with(&[("plugin.yaml", &text), ("bin/a.wasm", "")]);
    let report = check(&folder.0, &Platform::anywhere()).unwrap();
    let codes: Vec<&str> = report.faults.iter().map(|fault| fault.code.as_str()).collect();
    assert_eq!(codes, ["unsupported_platform", "version_mismatch", "invalid_schema"]);
    assert!(report.manifest.is_some() && !report.is_good());
    assert!(read(&folder.0).is_ok(), "whether it can run is asked at load");
}

#[test]
fn a_package_without_an_entry_runs_its_only_file_of_code() {
    let metadata = r#"{"name": "p", "version": "1.0.0", "size": 3}"#;
    let folder = Folder::with(&[("manifest.json", metadata), ("p.wasm", ""), ("readme.md", "")]);
    let found = read(&folder.0).unwrap();
    assert_eq!((found.main, found.manifest.entry.runtime), (folder.at("p.wasm"), RuntimeKind::Wasm));
    folder.write("q.so", "");
    assert!(fails(&folder.0).record().message.contains("p.wasm, q.so"));
}

#[test]
fn a_scan_finds_plugins_in_depth_and_goes_on_past_broken_ones() {
    let folder = Folder::with(&[
        ("a/plugin.yaml", "nonsense: 1"),
        ("b/c/plugin.yaml", MANIFEST),
        ("b/c/bin/a.wasm", ""),
        ("b/c/extra.so", ""),
        ("d/E.WASM", ""),
        ("d/script.js", ""),
        ("d/readme.md", ""),
        (".git/x.wasm", ""),
        ("two/plugin.yaml", MANIFEST),
        ("two/plugin.yml", MANIFEST),
    ]);
    #[cfg(unix)]
    std::os::unix::fs::symlink(&folder.0, folder.at("d/loop")).unwrap();
    let found = scan(&[folder.0.clone(), folder.at("nowhere")]);
    let shown: Vec<String> = found
        .iter()
        .map(|found| match found {
            Ok(found) => format!("ok {}", found.manifest.id),
            Err((path, error)) => format!("{} {}", error.code(), path.strip_prefix(&folder.0).unwrap().display()),
        })
        .collect();
    let expected = ["manifest_invalid a", "ok a", "ok e", "manifest_invalid two", "plugin_not_found nowhere"];
    assert_eq!(shown, expected);
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_read_is_told_and_the_scan_goes_on() {
    use std::os::unix::fs::PermissionsExt;

    // Nothing is unreadable to root: somebody else runs this very test.
    if rustix::process::geteuid().is_root() {
        return as_nobody("discover::tests::a_folder_that_may_not_be_read_is_told_and_the_scan_goes_on");
    }
    let folder = Folder::with(&[("closed/x.wasm", ""), ("open/y.wasm", "")]);
    fs::set_permissions(folder.at("closed"), fs::Permissions::from_mode(0o0)).unwrap();
    let found = scan(std::slice::from_ref(&folder.0));
    fs::set_permissions(folder.at("closed"), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].as_ref().unwrap_err().1.code(), Code::Io);
    assert!(found[1].is_ok());
}

/// Runs one test of this binary as the user `nobody`, from a place where nobody may go.
fn as_nobody(test: &str) {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;

    let folder = Folder::with(&[]);
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o755)).unwrap();
    let copy = folder.at("tests");
    fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = std::process::Command::new(&copy);
    let output = command.args(["--exact", test]).uid(65534).gid(65534).current_dir("/").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}
