//! Scripts as plugins: the text protocol of `contract/text.md` on stdin and stdout.
//!
//! The interpreter is `entry.engine`, else the one in the script's `#!` line, else the shell for `.sh` and `.bash`. The
//! script need not be executable. Bash scripts find the SDK of `sdk/bash` at the path in `MIDPLANE_SH`.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

use midplane_contract::manifest::{Entry, Protocol};
use midplane_contract::{Code, Error, Result};
use midplane_kernel::LoadRequest;

use super::bundle::Bundle;
use super::executable::{channel, command, on_path};
use super::shebang;
use crate::channel::Channel;
use crate::program::{Program, Programs};

/// The environment variable that tells a script where the Bash SDK is.
const SDK_VARIABLE: &str = "MIDPLANE_SH";
const SDK_FILE: &str = "midplane.sh";
const SDK: Bundle = Bundle { name: "bash-sdk", files: &[(SDK_FILE, include_str!("../../../../sdk/bash/midplane.sh"))] };

/// Plugins that are scripts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Script;

impl Programs for Script {
    fn program(&self, request: &LoadRequest) -> Result<Program> {
        let entry = &request.manifest.entry;
        if entry.process.executable.is_some() {
            return Ok(Program::peer(command(request)?, &entry.args));
        }
        let (interpreter, option) = interpreter(&request.main, entry)?;
        let script = [request.main.clone().into_os_string()];
        let args = option.into_iter().chain(script).chain(entry.args.iter().map(OsString::from));
        let mut program = Program::peer(interpreter, args);
        // Somebody who wants another one says so in the manifest.
        if !entry.env.contains_key(SDK_VARIABLE) {
            let sdk = SDK.unpack(&request.cache)?.join(SDK_FILE);
            program.env.push((SDK_VARIABLE.into(), sdk.into_os_string()));
        }
        Ok(program)
    }

    fn channel(&self, request: &LoadRequest) -> Result<Channel> {
        channel(request, Protocol::Text)
    }

    fn host_limits_memory(&self, _: &LoadRequest) -> bool {
        true
    }
}

/// What runs a script, and the option that its `#!` line gives.
fn interpreter(script: &Path, entry: &Entry) -> Result<(PathBuf, Option<OsString>)> {
    if let Some(engine) = entry.engine.as_deref() {
        let command = if engine.contains('/') { PathBuf::from(engine) } else { on_path(engine)? };
        return Ok((command, None));
    }
    let mut begin = Vec::new();
    let read = std::fs::File::open(script).and_then(|file| file.take(shebang::LINE).read_to_end(&mut begin));
    read.map_err(|error| {
        Error::new(Code::Io, format!("{} cannot be read: {error}", script.display())).remedy("check the file's rights")
    })?;
    if let Some(line) = shebang::parse(&begin) {
        shebang::check(script, line, &entry.env)?;
        let (program, option) = line;
        return Ok((PathBuf::from(program), option.map(OsString::from)));
    }
    match script.extension().and_then(|ending| ending.to_str()) {
        Some("bash") => Ok((on_path("bash")?, None)),
        Some("sh") => Ok((on_path("bash").or_else(|_| on_path("sh"))?, None)),
        ending => Err(Error::new(Code::ConfigInvalid, format!("nothing says what runs {}", script.display()))
            .remedy(remedy(ending))),
    }
}

/// What to do about a script that nothing says the interpreter of. Some languages have a runtime of their own.
fn remedy(ending: Option<&str>) -> &'static str {
    match ending {
        Some("py") => {
            "write `runtime: python`; for a program that speaks the text protocol itself, begin it with a line like \
             `#!/usr/bin/env python3`"
        }
        Some("js" | "mjs" | "ts") => {
            "write `runtime: js`; for a program that speaks the text protocol itself, begin it with a \
             line like `#!/usr/bin/env node`"
        }
        _ => "begin it with a line like `#!/usr/bin/env bash`, or name an interpreter in entry.engine",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_of_a_language_with_a_runtime_of_its_own_is_told_of_that() {
        for (ending, runtime) in [("py", "`runtime: python`"), ("ts", "`runtime: js`"), ("pl", "entry.engine")] {
            assert!(remedy(Some(ending)).contains(runtime), "{ending}");
        }
    }
}
