//! A host with a door, and someone at it.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use midplane_contract::{Error, PluginId, Result};
use midplane_kernel::Kernel;
use midplane_node::{Door, Method, Purpose, Seat, ask};
use midplane_testkit::{Fake, PluginFolder, Program, Scratch, probe};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// A kernel over the fake runtime with an open door.
pub(crate) struct House {
    pub(crate) kernel: Kernel,
    door: Option<Door>,
    runtime: Runtime,
    scratch: Scratch,
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    pub(crate) fn with(programs: &[(&str, Program)]) -> Self {
        let scratch = Scratch::new("node").unwrap();
        let fake = Fake::new().program("probe", probe());
        let fake = programs.iter().fold(fake, |fake, (name, program)| fake.program(name, program.clone()));
        let kernel = Kernel::builder().runtime(Arc::new(fake)).cache(scratch.path().join("cache")).build();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let seat = Arc::new(Seat::take(&scratch.path().join("data"), Purpose::Host).unwrap().unwrap());
        let door = Some(runtime.block_on(async { Door::open(&seat, &kernel) }).unwrap());
        Self { kernel, door, runtime, scratch }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.scratch.path().join("data")
    }

    pub(crate) fn write(&self, folder: &PluginFolder) -> PathBuf {
        folder.write(self.scratch.path()).unwrap()
    }

    pub(crate) fn ask(&self, method: Method, params: Value) -> Result<Value> {
        ask(&self.data(), method, params).map(Option::unwrap)
    }

    /// Somebody who says what they like.
    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::at(&self.data())
    }

    pub(crate) fn shut(&mut self) {
        if let Some(door) = self.door.take() {
            self.runtime.block_on(door.shut());
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.shut();
    }
}

pub(crate) struct Visitor(pub(crate) BufReader<UnixStream>);

impl Visitor {
    pub(crate) fn at(data: &Path) -> Self {
        Self(BufReader::new(UnixStream::connect(data.join("host.sock")).unwrap()))
    }

    /// Says something, and takes the answer; `None` when the connection is at its end.
    pub(crate) fn says(&mut self, text: &str) -> Option<Value> {
        let _ = self.0.get_mut().write_all(text.as_bytes());
        self.hears()
    }

    pub(crate) fn hears(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(read) if read > 0 => Some(serde_json::from_str(&line).unwrap()),
            _ => None,
        }
    }
}

/// The code of the error that was answered.
pub(crate) fn code(answer: &Value) -> String {
    let error: Error = serde_json::from_value(answer.get("error").unwrap().clone()).unwrap();
    assert!(error.record().remedy.is_some(), "{error:?}");
    error.code().as_str().to_owned()
}

pub(crate) fn one(id: &str) -> Value {
    json!({ "id": id })
}

pub(crate) fn name(id: &str) -> PluginId {
    PluginId::new(id).unwrap()
}
