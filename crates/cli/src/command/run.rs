//! `midplane run`: loads plugins, lets others connect, and calls one of them or waits.

use std::sync::Arc;

use midplane::contract::{Settings, defaults};
use midplane::settings::{Discovery, Watch};
use midplane::{Address, Code, Error, PluginId, Status};
use midplane_node::{Door as Control, Purpose, Seat};
use serde_json::{Value, json};

use super::{installed, table};
use crate::args::Run;
use crate::door::Door;
use crate::exit::{Exit, Outcome, Stop};
use crate::host::Host;
use crate::input::Input;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::reply::Delivery;
use crate::{notice, report};

/// Loads what was named; then calls, or shows it and waits for the end.
pub(super) async fn run(run: Run, output: Output) -> Outcome<Exit> {
    if run.call.is_none() && (run.calling.save.is_some() || run.calling.deadline.is_some()) {
        return Err(Stop::usage("--save and --deadline are about a call, and there is none", "add --call ID/ACTION"));
    }
    let input = Input::parse(run.input.as_deref())?;
    let interrupt = Interrupt::listen()?;
    let seat = interrupt.or(seat(&run)).await??;
    let stores = run.data.stores()?;
    let mut control = None;
    let done = Host::over(&run.policies.sources(), stores, async |host| {
        let named = interrupt.or(register(&run, host)).await??;
        let unnamed = interrupt.or(unnamed(&run, host, &named, seat.as_deref())).await??;
        control = seat.as_ref().and_then(|seat| open(host, seat));
        let door = interrupt.or(load(&run, host, &named, &unnamed)).await??;
        let delivery = Delivery { output, save: run.calling.save.as_deref(), interrupt: &interrupt };
        let done = match &run.call {
            Some(address) => {
                if let Some(door) = door {
                    gather(door, &delivery).await?;
                }
                call(&run, address, input, host, &delivery).await
            }
            None => {
                // What comes from here on; it was looked once already.
                let _watching = unnamed.discovery.as_ref().map(Discovery::watch).transpose()?;
                let _watch = watch(&run, host, unnamed.discovery.clone())?;
                wait(host, door, output, &interrupt).await
            }
        };
        if let Some(control) = control.take() {
            control.shut().await;
        }
        done
    })
    .await;
    drop(control);
    // Held until everything is put away, with a door or without.
    drop(seat);
    done
}

/// The seat of the data folder, for a host that stays. Without it there is no door, and what is installed is another's.
async fn seat(run: &Run) -> Outcome<Option<Arc<Seat>>> {
    let (None, Some(folder)) = (&run.call, run.data.named()?) else { return Ok(None) };
    let place = folder.clone();
    let seat =
        tokio::task::spawn_blocking(move || Seat::take(&place, Purpose::Host)).await.map_err(super::lost_thread)??;
    if seat.is_none() {
        let folder = folder.display();
        if run.plugins.is_empty() && run.listening.listen.is_none() && run.policies.settings.settings.is_empty() {
            return Err(Error::new(
                Code::NotSupported,
                format!("another host runs over {folder}, and there is nothing else to do"),
            )
            .remedy("install plugins into that one with `midplane install`, or end it first")
            .into());
        }
        notice::say(&format!(
            "another host runs over {folder}: this one opens no door there, and leaves what is installed to it"
        ));
    }
    Ok(seat.map(Arc::new))
}

/// Opens the door through which other commands speak to this host. What stands in the way is said, and it runs without.
fn open(host: &Host, seat: &Arc<Seat>) -> Option<Control> {
    Control::open(seat, host.kernel())
        .map_err(|error| {
            let remedy = error.record().remedy.clone().unwrap_or_default();
            notice::say(&format!("no door for other commands: {}; {remedy}", report::line(&error)));
        })
        .ok()
}

/// Registers what was named.
async fn register(run: &Run, host: &Host) -> Outcome<Vec<PluginId>> {
    let mut ids = Vec::new();
    for path in &run.plugins {
        ids.push(host.register(path).await?);
    }
    Ok(ids)
}

/// The plugins that nobody named, and where more may come from.
struct Unnamed {
    ids: Vec<PluginId>,
    discovery: Option<Discovery>,
}

async fn unnamed(run: &Run, host: &Host, named: &[PluginId], seat: Option<&Seat>) -> Outcome<Unnamed> {
    let mut unnamed = Unnamed { ids: Vec::new(), discovery: None };
    let is_left_to_another = run.call.is_none() && seat.is_none();
    if run.data.data.is_some() && !is_left_to_another {
        unnamed.ids = installed::installed(host, seat).await?;
    }
    if named.is_empty() && !run.policies.settings.settings.is_empty() {
        let discovery = unnamed.discovery.insert(Discovery::new(host.kernel(), host.settings()));
        unnamed.ids.extend(installed::discover(host, discovery).await);
    }
    Ok(unnamed)
}

async fn load<'a>(run: &Run, host: &'a Host, named: &[PluginId], unnamed: &Unnamed) -> Outcome<Option<&'a Door>> {
    let door = host.open(&run.listening)?;
    let called = run.call.as_ref().map(|address| &address.plugin);
    called.map(|id| host.named(id)).transpose()?;
    host.decide(&run.policies, called, &run.calling)?;
    // One may have been loaded already, because another depends on it.
    host.kernel().ensure_all_loaded(named).await.into_iter().collect::<Result<(), Error>>()?;
    match called.filter(|id| host.kernel().exists(id)) {
        // A call needs what it calls, and nothing else that nobody named.
        Some(id) => host.kernel().ensure_loaded(id).await?,
        None => installed::load(host, unnamed.ids.clone()).await,
    }
    door.map(Door::hand_out).transpose()?;
    Ok(door)
}

/// Watches the settings files, where there are any. What was decided on the command line would be lost with a change, so
/// then they are not watched.
fn watch(run: &Run, host: &Host, discovery: Option<Discovery>) -> Outcome<Option<Watch>> {
    let policies = &run.policies;
    let decided = policies.placement.len() + policies.trust.len() + policies.grant.len() + policies.config.len();
    if policies.settings.settings.is_empty() || decided > 0 {
        return Ok(None);
    }
    let follow = move |settings: &Settings| discovery.iter().for_each(|discovery| discovery.take_over(settings));
    Ok(Some(Watch::begin(host.kernel(), policies.sources(), host.settings().clone(), follow)?))
}

/// Tells where to connect and with what, on stderr since stdout is for the reply, and waits for those who are to come.
async fn gather(door: &Door, delivery: &Delivery<'_>) -> Outcome<()> {
    match delivery.output.is_json() {
        true => {
            notice::write(&Value::from(door.document()).to_string());
        }
        false => notice::write(table::columns(&door.rows()).trim_end()),
    }
    delivery.interrupt.or(door.gathered()).await?
}

async fn call(run: &Run, address: &Address, input: Input, host: &Host, delivery: &Delivery<'_>) -> Outcome<Exit> {
    let action = host.action(address)?;
    let status = host.known(&address.plugin)?;
    let cap = status.manifest.limits.payload.unwrap_or(defaults::PAYLOAD_CAP as u64);
    // Stdin may never end: Ctrl-C is to be heard meanwhile.
    let read = tokio::task::spawn_blocking(move || input.read(cap));
    let input = delivery.interrupt.or(read).await?.map_err(super::lost_thread)??;
    let reply = delivery.call(&action, input, run.calling.deadline).await?;
    if delivery.output.is_json() {
        let runtime = status.generation.map(|generation| generation.runtime);
        let (plugin, action) = (&address.plugin, &address.action);
        delivery.output.json(&json!({ "plugin": plugin, "action": action, "runtime": runtime, "reply": reply }))?;
    }
    Ok(Exit::Done)
}

async fn wait(host: &Host, door: Option<&Door>, output: Output, interrupt: &Interrupt) -> Outcome<Exit> {
    let statuses = host.kernel().statuses();
    if output.is_json() {
        let mut document = door.map(Door::document).unwrap_or_default();
        document.insert("plugins".to_owned(), json!(statuses));
        output.json(&document)?;
    } else {
        let plugins = table::columns(&statuses.iter().map(row).collect::<Vec<_>>());
        let door = door.map(|door| table::columns(&door.rows())).unwrap_or_default();
        output.text(&(plugins + &door))?;
        notice::say("running; Ctrl-C ends it");
    }
    match door {
        None => interrupt.asked().await,
        Some(door) => {
            tokio::select! {
                () = interrupt.asked() => {}
                () = door.keep() => {}
            }
            door.shut(true);
        }
    }
    notice::say("stopping");
    Ok(Exit::Interrupted)
}

fn row(status: &Status) -> [String; 5] {
    let generation = status.generation.as_ref();
    [
        status.id.to_string(),
        status.manifest.version.to_string(),
        status.state.to_string(),
        generation.map(|generation| generation.runtime.clone()).unwrap_or_default(),
        generation.map(|generation| generation.actions.join(", ")).unwrap_or_default(),
    ]
}
