//! Any executable as a plugin.
//!
//! `entry.main` is a file in the plugin's folder, `entry.executable` any program. It speaks the wire protocol of
//! `contract/wire.md` on the descriptor in `MIDPLANE_FD`, on stdin and stdout (`protocol: stdio`) or at an address where
//! it listens (`network`); or the text protocol of `contract/text.md` (`protocol: text`).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use midplane_contract::manifest::Protocol;
use midplane_contract::{Code, Error, Result};
use midplane_kernel::LoadRequest;

use super::{search, shebang};
use crate::channel::{Channel, Speech, Wiring};
use crate::dial::Dial;
use crate::program::{Program, Programs};

const ELF: &[u8] = b"\x7fELF";
/// Bytes that an error shows of a file that is no program.
const QUOTED: usize = 20;
/// Processors that run programs of another: x86-64 those of i386, aarch64 those of arm.
const COMPATIBLE: [(u16, u16); 2] = [(62, 3), (183, 40)];

/// Plugins that are programs of their own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Executable;

impl Programs for Executable {
    fn program(&self, request: &LoadRequest) -> Result<Program> {
        Ok(Program::peer(command(request)?, &request.manifest.entry.args))
    }

    fn channel(&self, request: &LoadRequest) -> Result<Channel> {
        channel(request, Protocol::Wire)
    }

    fn host_limits_memory(&self, _: &LoadRequest) -> bool {
        true
    }
}

/// The channel that a manifest asks for; `otherwise` is spoken where it names no protocol.
pub(super) fn channel(request: &LoadRequest, otherwise: Protocol) -> Result<Channel> {
    let spec = &request.manifest.entry.process;
    let protocol = spec.protocol.unwrap_or(otherwise);
    let speech = if protocol == Protocol::Text { Speech::Text } else { Speech::Frames };
    let wiring = match (spec.network, protocol) {
        (Some(network), _) => Wiring::Dial(Dial::new(network, spec, &request.folder)?),
        (None, Protocol::Wire) => Wiring::Descriptor,
        (None, Protocol::Stdio | Protocol::Text) => Wiring::Stdio,
    };
    Ok(Channel { wiring, speech })
}

/// The program that a manifest names, in full.
pub(super) fn command(request: &LoadRequest) -> Result<PathBuf> {
    let entry = &request.manifest.entry;
    match entry.process.executable.as_deref() {
        Some(name) if !name.contains('/') => on_path(name),
        Some(path) => check(request.folder.join(path), &entry.env),
        None => check(request.main.clone(), &entry.env),
    }
}

pub(super) fn on_path(name: &str) -> Result<PathBuf> {
    search::on_path(name).ok_or_else(|| {
        Error::new(Code::ConfigInvalid, format!("`{name}` is not installed: it is not on the search path"))
            .remedy(format!("install {name}, or write the path of a program"))
            .with("executable", name)
    })
}

fn check(path: PathBuf, vars: &BTreeMap<String, String>) -> Result<PathBuf> {
    let refused = |why: String, remedy: String| Err(Error::new(Code::ConfigInvalid, why).remedy(remedy));
    if !path.is_file() {
        let what = if path.exists() { "is no file" } else { "is not there" };
        return refused(
            format!("the executable {} {what}", path.display()),
            "build the plugin, or correct the path".to_owned(),
        );
    }
    let begin = begin(&path)?;
    if !begin.starts_with(b"#!") && !begin.starts_with(ELF) {
        // The system would hand it to a shell, which takes anything for commands.
        let quoted = begin.get(..QUOTED).unwrap_or(&begin).escape_ascii();
        let message = format!("{} is no program: it begins with \"{quoted}\"", path.display());
        return Err(Error::new(Code::NotAPlugin, message)
            .remedy("build the program, or begin a script with a line like `#!/usr/bin/env python3`"));
    }
    let ours = self::begin(Path::new("/proc/self/exe"))?;
    if let (Some(machine), Some(ours)) = (machine(&begin), machine(&ours))
        && machine != ours
        && !COMPATIBLE.contains(&(ours, machine))
    {
        let message = format!("{} is built for another processor (ELF machine {machine}, not {ours})", path.display());
        return Err(Error::new(Code::WrongArchitecture, message).remedy("build it for this machine"));
    }
    if let Some(line) = shebang::parse(&begin) {
        shebang::check(&path, line, vars)?;
    }
    if !is_executable(&path) {
        let remedy = format!("chmod +x {}", path.display());
        return refused(format!("{} is not executable", path.display()), remedy);
    }
    Ok(path)
}

/// The first bytes of a file, as many as say what it is.
fn begin(path: &Path) -> Result<Vec<u8>> {
    let mut begin = Vec::new();
    let read = File::open(path).and_then(|file| file.take(shebang::LINE).read_to_end(&mut begin));
    read.map(|_| begin).map_err(|error| {
        Error::new(Code::Io, format!("{} cannot be read: {error}", path.display())).remedy("check the file's rights")
    })
}

/// The processor that an ELF file is for; both byte orders that this runs on are the host's own.
fn machine(begin: &[u8]) -> Option<u16> {
    let bytes = begin.strip_prefix(ELF).and_then(|rest| rest.get(14..16))?;
    Some(u16::from_ne_bytes(bytes.try_into().ok()?))
}

pub(super) fn is_executable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}
