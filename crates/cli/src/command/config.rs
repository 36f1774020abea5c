//! `midplane config`: checks, shows and imports settings.

use std::io::Write;
use std::path::{Path, PathBuf};

use midplane::contract::settings::import::{Imported, Key, import};
use midplane::contract::settings::{FILE_NAME, FaultsByFile, Settled, to_yaml};
use midplane::settings::{Sources, read, text};
use midplane::{Code, Error};
use serde_json::{Value, json};

use crate::args::{Config, Import, Meant, Show, What};
use crate::exit::{Exit, Outcome};
use crate::notice;
use crate::output::Output;
use crate::policies::unread;
use crate::report::{Finding, Source};

/// Does what was asked about settings.
pub(super) fn config(config: Config, output: Output) -> Outcome<Exit> {
    match config.what {
        What::Check(named) => check(named, output),
        What::Show(show) => self::show(show, output),
        What::Import(files) => self::import_files(&files, output),
    }
}

/// The files that are meant: those named, else those of `--settings`, else the one here.
fn sources(named: Meant) -> Sources {
    let mut files: Vec<PathBuf> = named.settings.settings.into_iter().filter(|_| named.files.is_empty()).collect();
    files.extend(named.files);
    if files.is_empty() && Path::new(FILE_NAME).exists() {
        files.push(PathBuf::from(FILE_NAME));
    }
    Sources { files, assignments: named.settings.set }
}

fn check(named: Meant, output: Output) -> Outcome<Exit> {
    let sources = sources(named);
    if sources.files.is_empty() {
        notice::say(&format!("no settings file is named, and there is no {FILE_NAME} here"));
    }
    let settled = read(&sources).map_err(unread)?;
    let findings = findings(&settled.faults);
    let errors = findings.iter().filter(|(_, _, finding)| finding.is_error()).count();
    let warnings = findings.len() - errors;
    if output.is_json() {
        let faults: Vec<Value> = findings
            .iter()
            .map(|(file, _, finding)| {
                let mut fault = json!(finding);
                if let Value::Object(fault) = &mut fault {
                    fault.insert("file".to_owned(), Value::from(file.as_str()));
                }
                fault
            })
            .collect();
        let files: Vec<String> = sources.files.iter().map(|file| file.display().to_string()).collect();
        let valid = settled.settings.is_some();
        output
            .json(&json!({"files": files, "valid": valid, "errors": errors, "warnings": warnings, "faults": faults}))?;
    } else {
        findings.iter().for_each(|(_, source, finding)| finding.print(source));
        output.text(&format!("{}, {}", count(errors, "error"), count(warnings, "warning")))?;
    }
    Ok(if settled.settings.is_some() { Exit::Done } else { Exit::Invalid })
}

/// Everything that is wrong, and what it is shown in.
fn findings(faults: &FaultsByFile) -> Vec<(String, Source, Finding)> {
    let of_file = |(file, faults): &(String, Vec<_>)| {
        let source = Source::of(file, faults);
        let found = faults.iter().map(|fault| (file.clone(), source.clone(), Finding::of_fault(fault, &source)));
        found.collect::<Vec<_>>()
    };
    faults.iter().flat_map(of_file).collect()
}

fn show(show: Show, output: Output) -> Outcome<Exit> {
    let settled = read(&sources(show.named)).map_err(unread)?;
    let Settled { shown, origins, .. } = settled.clone();
    let (_, faults) = settled.into_result()?;
    for (file, _, finding) in findings(&faults) {
        notice::say(&format!("{file}: {}", finding.message()));
    }
    if output.is_json() {
        let origins: serde_json::Map<String, Value> =
            origins.iter().map(|(path, origin)| (path.clone(), Value::from(origin.to_string()))).collect();
        output.json(&json!({"settings": shown, "origins": origins}))?;
    } else if show.origins {
        let mut rows = Vec::new();
        leaves(&shown, "", &mut rows);
        let origin = |path: &str| origins.get(path).map_or("default".to_owned(), ToString::to_string);
        let rows: Vec<[String; 3]> =
            rows.into_iter().map(|(path, value)| [path.clone(), value, origin(&path)]).collect();
        output.text(&notice::tidy(&super::table::columns(&rows)))?;
    } else {
        output.text(&to_yaml(&shown))?;
    }
    Ok(Exit::Done)
}

/// The values with their paths. Lists, and maps with nothing in them, are values.
fn leaves(value: &Value, path: &str, rows: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let step = key.replace('~', "~0").replace('/', "~1");
                leaves(value, &format!("{path}/{step}"), rows);
            }
        }
        other => rows.push((path.to_owned(), other.to_string())),
    }
}

fn import_files(wanted: &Import, output: Output) -> Outcome<Exit> {
    let mut files = Vec::new();
    for file in &wanted.files {
        files.push((file.display().to_string(), text(file).map_err(unread)?));
    }
    let imported = import(files.iter().map(|(file, text)| (file.as_str(), text.as_slice())));
    imported.check()?;
    let yaml = imported.to_yaml();
    let saved = wanted.save.as_ref().map(|file| save(file, &yaml)).transpose()?;
    if output.is_json() {
        let Imported { settings, used, idle, unused, .. } = &imported;
        output.json(&json!({"settings": settings, "used": used, "idle": idle, "unused": unused, "saved": saved}))?;
        return Ok(Exit::Done);
    }
    say_what_came_of(&imported, files.len());
    if saved.is_none() {
        output.text(&yaml)?;
    }
    Ok(Exit::Done)
}

/// Names every value that is without effect, and counts the rest.
fn say_what_came_of(imported: &Imported, files: usize) {
    let place = |key: &Key| format!("{}:{}:{}: {}", key.file, key.line, key.column, key.path);
    for key in &imported.unused {
        notice::say(&format!("{} is not taken over: {}", place(key), key.outcome));
    }
    for key in &imported.idle {
        let to = &key.outcome;
        notice::say(&format!("{} is taken over as {to}, and nothing in this version goes by it", place(key)));
    }
    for (file, _, finding) in findings(&imported.faults) {
        notice::say(&format!("{file}: {}", finding.message()));
    }
    let (used, idle, left) = (imported.used.len(), imported.idle.len(), imported.unused.len());
    let of = count(files, "file");
    notice::say(&format!(
        "{} of {of} in effect, {idle} for a later version, {left} not taken over",
        count(used, "value")
    ));
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// Writes a file that is not there yet.
fn save(file: &Path, text: &str) -> Outcome<String> {
    let created = std::fs::OpenOptions::new().write(true).create_new(true).open(file);
    created.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| {
        Error::new(Code::Io, format!("{} cannot be written", file.display()))
            .remedy("name a file that is not there yet, in a folder that you may write")
            .caused_by(&error)
    })?;
    Ok(file.display().to_string())
}
