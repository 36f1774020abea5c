//! Where the tests build libraries, and the small host that they run them with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use midplane_contract::{Code as Fault, Error, HostFunction, Instances, Limits, Placement, Result, Trust};
use midplane_kernel::{
    Call, Code, Host, HostRequest, Instance, InstanceContext, LoadRequest, Reply, Runtime, Scope, Within,
};
use midplane_runtime_native::NativeRuntime;
use serde_json::json;

/// A folder of its own for each test, removed with it.
pub(crate) struct Workshop {
    pub(crate) folder: PathBuf,
    pub(crate) runtime: NativeRuntime,
    pub(crate) host: Arc<TestHost>,
}

impl Workshop {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("native-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        Self { folder, runtime: NativeRuntime::new(), host: Arc::default() }
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.join("cache")
    }

    /// Compiles a C source of `tests/plugins` into this folder.
    pub(crate) fn cc(&self, source: &str, output: &str, flags: &[&str]) -> PathBuf {
        self.compile("cc", &["-std=c99", "-fPIC", "-shared"], &plugins().join(source), output, flags)
    }

    pub(crate) fn compile(
        &self,
        compiler: &str,
        first: &[&str],
        source: &Path,
        output: &str,
        flags: &[&str],
    ) -> PathBuf {
        let output = self.folder.join(output);
        let root = root();
        let built = Command::new(compiler)
            .args(first)
            .args(["-pedantic", "-Wall", "-Werror"])
            .arg("-I")
            .arg(root.join("contract"))
            .arg("-I")
            .arg(root.join("sdk/c"))
            .arg("-o")
            .args([&output, source])
            .args(flags)
            .output()
            .unwrap();
        assert!(built.status.success(), "{compiler} fails: {}", String::from_utf8_lossy(&built.stderr));
        output
    }

    /// A copy of one of the Rust fixtures in this folder.
    pub(crate) fn rust(&self, fixture: &str) -> PathBuf {
        let test = std::env::current_exe().unwrap();
        let built = test.ancestors().nth(2).unwrap().join(format!("examples/lib{fixture}.so"));
        let copy = self.folder.join(format!("{fixture}.so"));
        fs::copy(&built, &copy).unwrap_or_else(|error| panic!("{}: {error}: run all of `cargo test`", built.display()));
        copy
    }

    pub(crate) fn request(&self, main: &Path, generation: u64) -> LoadRequest {
        let manifest = json!({
            "id": "test.plugin", "name": "Test", "version": "1.0.0",
            "entry": {"main": main.file_name().unwrap().to_str().unwrap(), "runtime": "native"},
        });
        LoadRequest {
            manifest: Arc::new(serde_json::from_value(manifest).unwrap()),
            folder: self.folder.clone(),
            main: main.to_owned(),
            generation,
            placement: Placement::InProcess,
            trust: Trust::Trusted,
            limits: Limits::default(),
            instances: Instances::default(),
            cache: self.cache(),
        }
    }

    pub(crate) fn load(&self, main: &Path) -> Result<Arc<dyn Code>> {
        self.runtime.load(&self.request(main, 1))
    }

    pub(crate) fn instance(&self, code: &dyn Code) -> Result<Box<dyn Instance>> {
        code.instantiate(self.context(0))
    }

    pub(crate) fn context(&self, number: u32) -> InstanceContext {
        InstanceContext {
            plugin: "test.plugin".parse().unwrap(),
            version: "1.0.0".to_owned(),
            generation: 7,
            number,
            host: self.host.clone(),
        }
    }

    /// Files in the folder of copies.
    pub(crate) fn copies(&self) -> Vec<String> {
        let entries = fs::read_dir(self.cache().join("native")).into_iter().flatten();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Loads a library that must be refused.
    pub(crate) fn refusal(&self, main: &Path) -> Error {
        self.load(main).err().unwrap_or_else(|| panic!("{} was accepted", main.display()))
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Runs one test of this binary again, in a process of its own where `variable` is set; `None` inside of that process.
///
/// `launcher` is put before the command. What the process printed is given back with its exit status.
pub(crate) fn alone(test: &str, variable: &str, launcher: &[&str]) -> Option<Output> {
    if std::env::var_os(variable).is_some() {
        return None;
    }
    let own = std::env::current_exe().unwrap();
    let words: Vec<&str> =
        launcher.iter().copied().chain([own.to_str().unwrap(), "--exact", test, "--nocapture"]).collect();
    Some(Command::new(words[0]).args(&words[1..]).env(variable, "1").output().unwrap())
}

/// Fails with what a process printed unless it did its one test.
pub(crate) fn assert_passed(run: &Output) {
    let (printed, said) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && printed.contains("1 passed"), "{}\n{printed}\n{said}", run.status);
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn plugins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plugins")
}

/// Calls an action by name, with the payload cap of the contract.
pub(crate) fn call(code: &dyn Code, instance: &mut dyn Instance, action: &str, input: &[u8]) -> Result<Vec<u8>> {
    let mut buffer = Vec::new();
    let mut reply = Reply::buffer(&mut buffer, midplane_contract::defaults::PAYLOAD_CAP);
    call_into(code, instance, action, input, &mut reply)?;
    Ok(buffer)
}

pub(crate) fn call_into(
    code: &dyn Code,
    instance: &mut dyn Instance,
    action: &str,
    input: &[u8],
    reply: &mut Reply<'_>,
) -> Result<()> {
    let position = code.facts().actions.iter().position(|name| name.as_str() == action);
    let position = position.unwrap_or_else(|| panic!("{action} is not among {:?}", code.facts().actions));
    let action_number = u32::try_from(position).unwrap();
    let scope = Scope::default();
    instance.call_inline(&Call { action: action_number, name: action, input, scope: &scope }, reply)
}

/// Answers every function with `FUNCTION ARGS PAYLOAD`, refuses secrets, and remembers what was asked.
#[derive(Default)]
pub(crate) struct TestHost {
    pub(crate) asked: Mutex<Vec<String>>,
}

impl Host for TestHost {
    fn request(&self, within: &Within<'_>, request: &HostRequest<'_>) -> Result<Vec<u8>> {
        let payload = String::from_utf8_lossy(request.payload);
        let line = format!("{} {} {payload}", request.function, request.args);
        self.asked.lock().unwrap().push(format!("{} in {}", line, within.action.unwrap_or("-")));
        match request.function {
            HostFunction::SecretGet => {
                Err(Error::new(Fault::PermissionDenied, "no secrets for you").with("permission", "secret.get:a"))
            }
            HostFunction::Random => panic!("the host has a fault"),
            _ => Ok(line.into_bytes()),
        }
    }

    fn lost(&self, _: Error) {}
}
