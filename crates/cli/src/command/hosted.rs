//! `midplane install`, `uninstall`, `load`, `unload`, `start` and the like: asked of the host that runs over the data
//! folder. What is installed can be changed without one, too.

use std::path::Path;

use midplane::settings::Sources;
use midplane::{Code, Error, PluginId};
use midplane_node::{Line, Method, Purpose, Seat};
use serde_json::{Map, Value, json};

use super::installed;
use crate::args::{DataFolder, Install, Named, Uninstall, Unload};
use crate::exit::{Exit, Outcome, Stop};
use crate::host::Host;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::{notice, stale};

/// Who there is to turn to.
enum Reached {
    /// A host that runs.
    Host(Line),
    /// No host, and none begins while this is held.
    Nobody(Seat),
}

/// Installs, in the host or for the next one.
pub(super) async fn install(install: Install, output: Output) -> Outcome<Exit> {
    let interrupt = Interrupt::listen()?;
    let folder = install.data.folder()?;
    // The host may be in another folder.
    let path = std::path::absolute(&install.path).unwrap_or_else(|_| install.path.clone());
    let text = path.to_str().ok_or_else(|| {
        Stop::usage(format!("{} is not UTF-8 text", path.display()), "rename it: what is installed is kept by its path")
    })?;
    stale::warn(&path);
    let done = match reach(&interrupt, &folder).await? {
        Reached::Host(line) => {
            asked(&interrupt, line, Method::Install, json!({ "path": text, "grant": install.grant })).await?
        }
        Reached::Nobody(seat) => {
            alone(&install.settings.sources(), seat, async |host| {
                let id = interrupt.or(host.kernel().install_granting(&path, &install.grant)).await??;
                let mut done = midplane_node::installed(host.kernel(), &id)?;
                if let Some(state) = done.get_mut("state") {
                    // As the next host finds it.
                    *state = json!(midplane::State::Registered);
                }
                Ok(done)
            })
            .await?
        }
    };
    mention_not_granted(&done);
    mention_unasked(&done);
    show(output, done, |done| {
        let what = format!("installed {} {}", word(done, "id"), word(done, "version"));
        match (is(done, "host"), is(done, "disabled")) {
            (_, true) => format!("{what}; it is disabled and not loaded"),
            (true, _) => format!("{what}; it is {}", word(done, "state")),
            (false, _) => format!("{what}; `midplane run --data {}` loads it", folder.display()),
        }
    })
}

/// Takes it away, in the host or for the next one.
pub(super) async fn uninstall(uninstall: Uninstall, output: Output) -> Outcome<Exit> {
    let interrupt = Interrupt::listen()?;
    let Uninstall { id, cascade, data } = uninstall;
    let done = match reach(&interrupt, &data.folder()?).await? {
        Reached::Host(line) => {
            asked(&interrupt, line, Method::Uninstall, json!({ "id": id, "cascade": cascade })).await?
        }
        Reached::Nobody(seat) => {
            alone(&Sources::default(), seat, async |host| {
                let id = PluginId::new(&id).or_else(|_| host.kernel().id_of(&id))?;
                let unloaded = match cascade {
                    true => host.kernel().uninstall_cascade(&id).await?,
                    false => host.kernel().uninstall(&id).await.map(|()| Vec::new())?,
                };
                Ok(json!({ "id": id, "unloaded": unloaded }))
            })
            .await?
        }
    };
    show(output, done, |done| format!("uninstalled {}{}", word(done, "id"), also(done)))
}

/// Loads, starts, stops and the like, in the host.
pub(super) async fn change(named: Named, method: Method, output: Output) -> Outcome<Exit> {
    let done = ask(&named.data, method, json!({ "id": named.id })).await?;
    show(output, done, |done| {
        let mark = if is(done, "disabled") { ", and disabled" } else { "" };
        format!("{} {} is {}{mark}", word(done, "id"), word(done, "version"), word(done, "state"))
    })
}

/// Unloads in the host.
pub(super) async fn unload(unload: Unload, output: Output) -> Outcome<Exit> {
    let done = ask(&unload.data, Method::Unload, json!({ "id": unload.id, "cascade": unload.cascade })).await?;
    show(output, done, |done| format!("unloaded {}{}", word(done, "id"), also(done)))
}

/// Asks the host that runs over the data folder.
///
/// # Errors
/// `peer_gone` where none does; the host's own.
pub(super) async fn ask(data: &DataFolder, method: Method, params: Value) -> Outcome<Value> {
    let interrupt = Interrupt::listen()?;
    let folder = data.folder()?;
    let place = folder.clone();
    let line = interrupt.or(tokio::task::spawn_blocking(move || Line::to(&place))).await?;
    let Some(line) = line.map_err(super::lost_thread)?? else { return Err(nobody(&folder).into()) };
    asked(&interrupt, line, method, params).await
}

fn nobody(folder: &Path) -> Error {
    Error::new(Code::PeerGone, format!("no host runs over the data folder {}", folder.display()))
        .remedy(format!("begin one with `midplane run --data {}`, or name another folder", folder.display()))
        .with("data", folder.display().to_string())
}

async fn reach(interrupt: &Interrupt, folder: &Path) -> Outcome<Reached> {
    let place = folder.to_path_buf();
    let reached = interrupt.or(tokio::task::spawn_blocking(move || turn_to(&place))).await?;
    Ok(reached.map_err(super::lost_thread)??)
}

fn turn_to(folder: &Path) -> midplane::Result<Reached> {
    if let Some(line) = Line::to(folder)? {
        return Ok(Reached::Host(line));
    }
    if let Some(seat) = Seat::take(folder, Purpose::Command)? {
        return Ok(Reached::Nobody(seat));
    }
    // It may have begun meanwhile.
    match Line::to(folder)? {
        Some(line) => Ok(Reached::Host(line)),
        None => Err(Error::new(Code::PeerGone, format!("a host runs over {}, and has no door", folder.display()))
            .remedy("see what it said when it began, or end it")),
    }
}

/// The host's answer. Whoever ends the command meanwhile takes an installation back with it.
async fn asked(interrupt: &Interrupt, mut line: Line, method: Method, params: Value) -> Outcome<Value> {
    let answer = tokio::task::spawn_blocking(move || line.ask(method, params));
    let answer = interrupt.or(answer).await?.map_err(super::lost_thread)??;
    Ok(with_host(answer, true))
}

/// Does something about what is installed in a host of the command's own.
async fn alone(sources: &Sources, seat: Seat, work: impl AsyncFnOnce(&Host) -> Outcome<Value>) -> Outcome<Value> {
    let stores = midplane::data(seat.folder())?;
    let done = Host::over(sources, Some(stores), async |host| {
        let reinstated = installed::reinstate(host).await?;
        reinstated.into_iter().filter_map(|one| Some((one.record.id, one.outcome.err()?))).for_each(mention);
        work(host).await
    })
    .await;
    // Held until everything is put away.
    drop(seat);
    done.map(|done| with_host(done, false))
}

/// Says what a plugin asks for and nobody granted.
fn mention_not_granted(done: &Value) {
    let open = quoted(done, "not_granted");
    if !open.is_empty() {
        let id = done.get("id").and_then(Value::as_str).unwrap_or_default();
        notice::say(&format!("it asks for what nobody granted; while its host runs: midplane grant {id} {open}"));
    }
}

/// Says what was granted and changes nothing, since the plugin does not ask for it.
pub(super) fn mention_unasked(done: &Value) {
    let unasked = quoted(done, "unasked");
    if !unasked.is_empty() {
        notice::say(&format!("its manifest does not ask for {unasked}: such a grant changes nothing"));
    }
}

fn quoted(done: &Value, name: &str) -> String {
    texts(done.get(name)).map(|one| format!("'{one}'")).collect::<Vec<_>>().join(" ")
}

/// The texts of a list; none of anything else.
pub(super) fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn mention((id, error): (PluginId, Error)) {
    notice::say(&format!("installed and not usable: {id}: {}", crate::report::line(&error)));
}

/// Says whether a host that runs has done it, unless the host has said something of itself.
fn with_host(mut done: Value, host: bool) -> Value {
    if let Value::Object(fields) = &mut done {
        fields.entry("host").or_insert(host.into());
    }
    done
}

/// Shows the answer: as it is, or in words.
pub(super) fn show(output: Output, done: Value, text: impl FnOnce(&Map<String, Value>) -> String) -> Outcome<Exit> {
    match &done {
        Value::Object(fields) if !output.is_json() => output.text(&notice::tidy(&text(fields)))?,
        done => output.json(done)?,
    }
    Ok(Exit::Done)
}

pub(super) fn word<'a>(done: &'a Map<String, Value>, name: &str) -> &'a str {
    done.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn is(done: &Map<String, Value>, name: &str) -> bool {
    done.get(name) == Some(&Value::Bool(true))
}

/// What else was unloaded.
fn also(done: &Map<String, Value>) -> String {
    let own = word(done, "id");
    let others: Vec<&str> = texts(done.get("unloaded")).filter(|other| *other != own).collect();
    if others.is_empty() { String::new() } else { format!(", after {}", others.join(", ")) }
}
