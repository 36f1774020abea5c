//! `midplane open`: gives a file to the plugin that handles its type.

use std::path::Path;

use midplane::contract::defaults;
use midplane::settings::Unusable;
use midplane::{ActionName, Address, Code, Error, Route};
use serde_json::json;

use crate::args::Open;
use crate::exit::{Exit, Outcome, Stop};
use crate::host::Host;
use crate::interrupt::Interrupt;
use crate::nearest::did_you_mean;
use crate::output::Output;
use crate::reply::Delivery;
use crate::{input, notice, report};

/// Routes the file, calls, and delivers the reply.
pub(super) async fn open(open: Open, output: Output) -> Outcome<Exit> {
    let interrupt = Interrupt::listen()?;
    let stores = open.data.stores()?;
    Host::over(&open.policies.sources(), stores, async |host| {
        let unusable = interrupt.or(open.folders.register(host)).await??;
        mention(&unusable);
        let chosen = choose(&open, host)?;
        host.decide(&open.policies, Some(&chosen.route.plugin), &open.calling)?;
        let address = chosen.address(&open)?;
        notice::say(&chosen.summary(&open.file, &address));
        let status = host.known(&address.plugin)?;
        let cap = status.manifest.limits.payload.unwrap_or(defaults::PAYLOAD_CAP as u64);
        let content = input::file(&open.file, cap)?;
        interrupt.or(host.kernel().ensure_loaded(&address.plugin)).await??;
        let action = host.action(&address)?;
        let delivery = Delivery { output, save: open.calling.save.as_deref(), interrupt: &interrupt };
        let reply = delivery.call(&action, content, open.calling.deadline).await?;
        if output.is_json() {
            let handled_by =
                json!({ "plugin": address.plugin, "action": address.action, "priority": chosen.route.priority });
            let media_type = media_type(&open.file);
            let file = open.file.display().to_string();
            output.json(&json!({
                "file": file, "media_type": media_type, "handled_by": handled_by, "others": chosen.others, "reply": reply,
            }))?;
        }
        Ok(Exit::Done)
    })
    .await
}

fn mention(unusable: &[Unusable]) {
    for Unusable { path, error } in unusable {
        notice::say(&format!("left out {}: {}", path.display(), report::line(error)));
    }
}

/// The media type that goes with a file's extension.
fn media_type(file: &Path) -> Option<&'static str> {
    mime_guess::from_path(file).first_raw()
}

/// Who handles the file, and who else could.
struct Chosen {
    route: Route,
    others: Vec<Route>,
}

fn choose(open: &Open, host: &Host) -> Outcome<Chosen> {
    // What is not there is said before who could have handled it.
    input::readable(&open.file)?;
    let mut routes = host.kernel().routes(&open.file, media_type(&open.file));
    let Some(id) = &open.with else {
        if routes.is_empty() {
            return Err(nobody(&open.file, host).into());
        }
        let others = routes.split_off(1);
        return Ok(Chosen { route: routes.remove(0), others });
    };
    let status = host.known(id)?;
    let route = match routes.iter().position(|route| route.plugin == *id) {
        Some(at) => routes.remove(at),
        // Asked for by name, it gets the file whatever its types.
        None => {
            let actions: Vec<String> = status.manifest.actions.iter().map(|spec| spec.name.to_string()).collect();
            let only = if let [only] = actions.as_slice() { Some(only.clone()) } else { None };
            Route { plugin: id.clone(), service: None, action: only, priority: 0, actions }
        }
    };
    Ok(Chosen { route, others: routes })
}

fn nobody(file: &Path, host: &Host) -> Error {
    let mut handled: Vec<String> = host
        .kernel()
        .statuses()
        .iter()
        .flat_map(|s| s.manifest.file_types.clone())
        .map(|kind| kind.extension)
        .collect();
    handled.sort();
    handled.dedup();
    let remedy = match handled.is_empty() {
        true => "no plugin here handles files; choose other folders with --plugins".to_owned(),
        false => format!("handled are {}; or choose a plugin with --with ID --action ACTION", handled.join(" ")),
    };
    let kind = file.extension().map_or_else(
        || "files without extension".into(),
        |extension| format!(".{} files", extension.to_string_lossy()),
    );
    Error::new(Code::PluginNotFound, format!("no plugin handles {kind}")).remedy(remedy)
}

impl Chosen {
    fn address(&self, open: &Open) -> Outcome<Address> {
        let plugin = self.route.plugin.clone();
        let Some(action) = open.action.clone().or_else(|| self.route.action.clone()) else {
            let message = format!("`{plugin}` does not say which of its actions gets the file");
            let remedy = match self.route.actions.is_empty() {
                true => "choose one with --action".to_owned(),
                false => format!("choose one with --action: {}", self.route.actions.join(", ")),
            };
            return Err(Error::new(Code::ActionNotFound, message).remedy(remedy).plugin(plugin).into());
        };
        let action = ActionName::new(&action).map_err(|error| {
            let remedy = did_you_mean(&action, self.route.actions.iter().map(String::as_str), "actions");
            Stop::usage(error.to_string(), remedy)
        })?;
        Ok(Address { plugin, action })
    }

    fn summary(&self, file: &Path, address: &Address) -> String {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let mut text = format!("{name}: handled by {address} (priority {})", self.route.priority);
        if !self.others.is_empty() {
            let other = |route: &Route| format!("{} ({})", route.plugin, route.priority);
            let others: Vec<String> = self.others.iter().map(other).collect();
            text.push_str(&format!("; others that could: {}", others.join(", ")));
        }
        text
    }
}
