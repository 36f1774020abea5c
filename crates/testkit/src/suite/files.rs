//! Finding and reading case files, and the files that cases name.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use midplane_contract::manifest::cases::{self, Body, Case, CaseFile, Demand, Demanded, Expectation, Spot, Step};
use midplane_contract::manifest::{Fault, FaultCode};
use midplane_contract::{Code, Error, Result, defaults};
use serde_json::json;

/// Case files of one plugin at most.
const MOST: usize = 1000;

/// The folder that paths in case files begin at. No path leads out of it, through links neither.
#[derive(Debug, Clone)]
pub(super) struct Folder(pub(super) PathBuf);

/// A case file that was read.
#[derive(Debug)]
pub(super) struct Cases {
    /// Its path from the plugin's folder on, with `/`.
    pub(super) name: String,
    /// What it says.
    pub(super) file: CaseFile,
}

/// Reads the case files of the plugin at a path. `stem` is their name where they stand beside it.
///
/// # Errors
/// `manifest_invalid` with all faults of all files in `data.files`; `io`.
pub(super) fn read(folder: &Folder, stem: &str, in_folder: bool) -> Result<Vec<Cases>> {
    let (mut read, mut faulty) = (Vec::new(), Vec::new());
    for (name, path) in find(folder, stem, in_folder)? {
        let text = bounded(&path, defaults::MANIFEST_SIZE as u64 + 1)?;
        let cases::Parsed { file, mut faults } = cases::parse(&name, &text);
        if let Some(file) = &file {
            faults.extend(file.cases.iter().flat_map(|case| vet(case, folder)));
        }
        match file {
            Some(file) if !faults.iter().any(Fault::is_error) => read.push(Cases { name, file }),
            _ => faulty.push((path.display().to_string(), faults)),
        }
    }
    if faulty.is_empty() { Ok(read) } else { Err(invalid(&faulty)) }
}

/// One error for all files, in the shape of a manifest's.
fn invalid(faulty: &[(String, Vec<Fault>)]) -> Error {
    let lines: Vec<String> = faulty
        .iter()
        .flat_map(|(file, faults)| {
            faults.iter().map(move |fault| format!("{} ({})", fault.in_file(file), fault.remedy))
        })
        .collect();
    let message = match lines.as_slice() {
        [one] => one.clone(),
        many => format!("the case files have {} faults\n{}", many.len(), many.join("\n")),
    };
    let files: Vec<_> = faulty.iter().map(|(file, faults)| json!({ "file": file, "faults": faults })).collect();
    Error::new(Code::ManifestInvalid, message).remedy("correct the faults; nothing was run").with("files", files)
}

fn find(folder: &Folder, stem: &str, in_folder: bool) -> Result<Vec<(String, PathBuf)>> {
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    for ending in cases::ENDINGS {
        let name = format!("{stem}.{ending}");
        let path = folder.0.join(&name);
        if path.is_file() {
            found.push((name, path));
        }
    }
    let tests = folder.0.join(cases::FOLDER);
    if in_folder && tests.is_dir() {
        let entries = fs::read_dir(&tests).map_err(|error| unreadable(&tests, &error))?;
        let mut names: Vec<String> =
            entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        let is_case_file = |name: &&String| name.rsplit_once('.').is_some_and(|(_, end)| cases::ENDINGS.contains(&end));
        for name in names.iter().filter(is_case_file) {
            let path = tests.join(name);
            if path.is_file() {
                found.push((format!("{}/{name}", cases::FOLDER), path));
            }
        }
    }
    if found.len() > MOST {
        let message = format!("{} has {} case files, more than {MOST}", folder.0.display(), found.len());
        return Err(Error::new(Code::LimitExceeded, message).remedy("put several cases into one file"));
    }
    Ok(found)
}

/// What only somebody who sees the folder, and knows JSON Schema, can find wrong with a case.
fn vet(case: &Case, folder: &Folder) -> Vec<Fault> {
    let steps = case.setup.iter().chain(&case.act).chain(&case.verify).chain(&case.cleanup);
    steps.flat_map(|step| vet_step(step, folder)).collect()
}

fn vet_step(step: &Step, folder: &Folder) -> Vec<Fault> {
    let body = match &step.input {
        Body::Base64(text, spot) => base64_fault(text, spot),
        Body::File(path, spot) => file_fault(path, spot, folder),
        Body::Nothing | Body::Json(_) | Body::Text(_) => None,
    };
    let demands = match &step.expect {
        Some(Expectation::Reply(demands)) => demands.as_slice(),
        Some(Expectation::Error(_)) | None => &[],
    };
    let of_demand = |demand: &Demand| match &demand.demanded {
        Demanded::Base64(text) => base64_fault(text, &demand.spot),
        Demanded::File(path) => file_fault(path, &demand.spot, folder),
        Demanded::Schema(schema) => super::expect::schema(schema).err().map(|why| {
            let message = format!("this is not a JSON Schema that can be used: {why}");
            demand.spot.fault(FaultCode::InvalidSchema, message, "correct the schema")
        }),
        Demanded::Json(_) | Demanded::Subset(_) | Demanded::Text(_) | Demanded::Contains(_) | Demanded::Empty(_) => {
            None
        }
    };
    body.into_iter().chain(demands.iter().filter_map(of_demand)).collect()
}

fn base64_fault(text: &str, spot: &Spot) -> Option<Fault> {
    let error = decode(text).err()?;
    let remedy = "write the bytes in base64 with padding, as `base64` prints them";
    Some(spot.fault(FaultCode::InvalidValue, format!("this is not base64: {error}"), remedy))
}

fn file_fault(path: &str, spot: &Spot, folder: &Folder) -> Option<Fault> {
    let error = folder.locate(path).err()?;
    let record = error.record();
    Some(spot.fault(FaultCode::InvalidValue, &record.message, record.remedy.clone().unwrap_or_default()))
}

/// Bytes from base64; spaces and line ends in it do not count.
pub(super) fn decode(text: &str) -> std::result::Result<Vec<u8>, base64::DecodeError> {
    STANDARD.decode(text.split_whitespace().collect::<String>())
}

impl Folder {
    /// The content of a file in the folder, at most as much as a call may have.
    pub(super) fn content(&self, path: &str) -> Result<Vec<u8>> {
        let path = self.locate(path)?;
        let most = defaults::PAYLOAD_CAP as u64;
        let content = bounded(&path, most + 1)?;
        if content.len() as u64 > most {
            let message = format!("{} has more than the {most} bytes that a call may have", path.display());
            return Err(Error::new(Code::LimitExceeded, message).remedy("use a smaller file"));
        }
        Ok(content)
    }

    /// The bytes that an action gets.
    pub(super) fn bytes(&self, body: &Body) -> Result<Vec<u8>> {
        match body {
            Body::Nothing => Ok(Vec::new()),
            Body::Json(value) => Ok(value.to_string().into_bytes()),
            Body::Text(text) => Ok(text.clone().into_bytes()),
            Body::Base64(text, _) => decode(text)
                .map_err(|error| Error::new(Code::InvalidInput, "the input is not base64").caused_by(&error)),
            Body::File(path, _) => self.content(path),
        }
    }

    fn locate(&self, path: &str) -> Result<PathBuf> {
        let remedy = "name a file from the plugin's folder on, for example `tests/data/input.txt`";
        let named = self.0.join(path);
        let missing = |error: std::io::Error| {
            Error::new(Code::Io, format!("there is no file {}", named.display())).remedy(remedy).caused_by(&error)
        };
        let (real, home) = (named.canonicalize().map_err(missing)?, self.0.canonicalize().map_err(missing)?);
        if !real.starts_with(&home) {
            let message = format!("`{path}` leads out of the plugin's folder");
            return Err(Error::new(Code::InvalidInput, message).remedy("put the file itself into the folder"));
        }
        if !real.is_file() {
            return Err(Error::new(Code::InvalidInput, format!("{} is no file", named.display())).remedy(remedy));
        }
        Ok(real)
    }
}

fn bounded(path: &Path, most: u64) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut content));
    read.map_err(|error| unreadable(path, &error))?;
    Ok(content)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::Io, format!("{} cannot be read", path.display()))
        .caused_by(error)
        .remedy("see whether it is there and whether this user may read it")
}
