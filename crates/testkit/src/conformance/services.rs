//! Services: a plugin and the program around it find who provides an interface, and go on while the first is killed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::{fs, thread};

use midplane_contract::{Interface, PluginId, VersionRange};
use midplane_kernel::{CallOptions, Choice, Policy, Service, block_on};
use serde_json::{Value, json};

use super::faults::{LONG, endless, hangs, leisurely};
use super::site::{Site, told};
use super::together::{granted, host};
use super::{Behaviour, Cell, Outcome, ensure};

const ECHO: &str = "conformance.echo";
/// Those who call all the time: one through a plugin, the others through the program's handle.
const CALLERS: usize = 5;
/// How often each caller has to be answered by a provider. All together are more calls than a runtime that loses one in
/// 40 gets by with.
const ANSWERS: u64 = 12;

/// By whom a caller was answered how often.
#[derive(Default)]
struct Answers {
    by_first: AtomicU64,
    by_other: AtomicU64,
}

impl Answers {
    fn by_first(&self) -> u64 {
        self.by_first.load(Ordering::SeqCst)
    }

    fn by_other(&self) -> u64 {
        self.by_other.load(Ordering::SeqCst)
    }

    fn all(&self) -> u64 {
        self.by_first() + self.by_other()
    }
}

/// Two providers, the first of which is preferred, and who uses them.
struct Scene<'s> {
    site: &'s Site<'s>,
    first: PluginId,
    other: PluginId,
    user: PluginId,
    service: Service,
    answers: [Answers; CALLERS],
    over: AtomicBool,
    failed: AtomicBool,
}

/// Callers call an idempotent action all the time, and the provider that they are given is killed among their calls: none of
/// these fails, and from then on the other provider answers.
pub(super) fn services(site: &Site<'_>) -> Outcome {
    let scene = Scene::set(site)?;
    let (found, both) = (scene.found()?, [scene.first.to_string(), scene.other.to_string()]);
    ensure!(found == both, "it finds {found:?}, not {both:?}");
    thread::scope(|scope| {
        let scene = &scene;
        let callers = scene.answers.iter().enumerate();
        let callers: Vec<_> =
            callers.map(|(number, answers)| scope.spawn(move || scene.keep_calling(number == 0, answers))).collect();
        let killed = scene.kill_among_calls();
        scene.over.store(true, Ordering::SeqCst);
        let ends = callers.into_iter().map(|caller| caller.join().map_err(|_| "a caller panicked".to_owned())?);
        // What a caller met says more than that there were no answers.
        ends.collect::<Vec<_>>().into_iter().collect::<Outcome>().and(killed)
    })?;
    // Where a service was is looked for it again and again.
    let goes = || scene.found().is_ok_and(|found| found == [scene.other.to_string()]);
    ensure!(
        site.subject.cell() == Cell::RemoteGrpc || site.eventually(goes),
        "what is gone is found: {:?}",
        scene.found()
    );
    Ok(())
}

impl<'s> Scene<'s> {
    fn set(site: &'s Site<'s>) -> Result<Self, String> {
        let actions = json!([{ "name": "identity", "idempotent": true }, { "name": "hang", "idempotent": true }]);
        let interface = json!({ "name": ECHO, "version": "1.2.0", "actions": actions });
        let interface: Interface = serde_json::from_value(interface).map_err(|error| error.to_string())?;
        block_on(site.kernel.define(interface)).map_err(told)?;
        let provide = |id: &str, priority: i32| {
            let provides = json!({ "provides": [format!("{ECHO}@1.2.0")] });
            let folder = site.subject.plugin(&site.unique(id), 1).with("interfaces", provides);
            site.load_folder(&folder, Policy { priority, ..leisurely(site) })
        };
        let range = VersionRange::parse("^1").map_err(|error| error.to_string())?;
        Ok(Self {
            site,
            first: provide("bad", 9)?,
            other: provide("good", 1)?,
            user: site.load_with("using", granted(site, &["service.find", "service.call"])?)?,
            service: site.kernel.service(ECHO, range, Choice::default()),
            answers: Default::default(),
            over: AtomicBool::default(),
            failed: AtomicBool::default(),
        })
    }

    /// Whom a plugin finds.
    fn found(&self) -> Result<Vec<String>, String> {
        let wanted = json!({ "interface": ECHO, "range": "^1" });
        let found = host(self.site, &self.user, "service.find", &wanted, "")?;
        let found: Vec<Value> =
            serde_json::from_slice(&found).map_err(|error| format!("what is found is no list: {error}"))?;
        Ok(found.iter().filter_map(|one| one.get("plugin")?.as_str().map(str::to_owned)).collect())
    }

    /// Asks who answers.
    fn who(&self, through_a_plugin: bool) -> Result<String, String> {
        let reply = if through_a_plugin {
            let args = json!({ "interface": ECHO, "range": "^1", "action": "identity" });
            host(self.site, &self.user, "service.call", &args, "")
        } else {
            block_on(self.service.call("identity", "")).map_err(told)
        };
        let identity = reply.map_err(|why| format!("a call that may be repeated has failed: {why}"))?;
        let identity: Value = serde_json::from_slice(&identity).map_err(|error| format!("no identity: {error}"))?;
        Ok(identity.get("id").and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    /// Calls until it is over, or until something is not as it should be.
    fn keep_calling(&self, through_a_plugin: bool, answers: &Answers) -> Outcome {
        while !self.over.load(Ordering::SeqCst) {
            let heard = self.who(through_a_plugin).and_then(|who| self.note(&who, answers));
            if heard.is_err() {
                self.failed.store(true, Ordering::SeqCst);
                return heard;
            }
        }
        Ok(())
    }

    fn note(&self, who: &str, answers: &Answers) -> Outcome {
        if who == self.other.as_str() {
            answers.by_other.fetch_add(1, Ordering::SeqCst);
            return Ok(());
        }
        ensure!(who == self.first.as_str(), "`{who}` has answered");
        let others = answers.by_other();
        ensure!(others == 0, "the one that was killed has answered after the other, which did so {others} times");
        answers.by_first.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// Waits until every caller has this many answers of a kind.
    fn everybody(&self, heard: fn(&Answers) -> u64, wanted: [u64; CALLERS]) -> Outcome {
        let counts = || self.answers.each_ref().map(heard);
        let all = || counts().iter().zip(wanted).all(|(count, wanted)| *count >= wanted);
        let ends = self.site.eventually(|| self.failed.load(Ordering::SeqCst) || all());
        ensure!(ends && all(), "callers have {:?} answers", counts());
        Ok(())
    }

    /// Waits until the first provider answers everybody, kills it, and waits until the other one does.
    fn kill_among_calls(&self) -> Outcome {
        self.everybody(Answers::by_first, [ANSWERS; CALLERS])?;
        let others: u64 = self.answers.iter().map(Answers::by_other).sum();
        ensure!(others == 0, "the other provider has answered {others} calls as well");
        if self.site.subject.cell().has_its_own_process() {
            self.kill_the_process()?
        } else {
            self.end_inside()?
        }
        self.everybody(Answers::by_other, [ANSWERS; CALLERS])
    }

    /// Kills it while it is in the middle of a call that does not end, and the other callers wait for their turn: that call
    /// goes on at the other provider.
    fn kill_the_process(&self) -> Outcome {
        let status = self.site.kernel.status(&self.first).map_err(told)?;
        let details = status.generation.map(|generation| generation.details).unwrap_or_default();
        let (input, release) = endless(self.site);
        let mut call = Box::pin(self.service.call_with("hang", input, CallOptions::within(LONG)));
        hangs(self.site, &self.first, &mut call)?;
        self.site.subject.kill(&self.first, &details)?;
        hangs(self.site, &self.other, &mut call).map_err(|why| format!("at the other provider: {why}"))?;
        // Ends it where it sees files. Dropping it ends it everywhere else.
        fs::write(release, "").map_err(|error| error.to_string())
    }

    /// Ends it among calls in the worst way that there is in the host's own process: its instance, where something it does
    /// ends that, and then all of it.
    fn end_inside(&self) -> Outcome {
        let site = self.site;
        let range = VersionRange::any();
        let busy = || site.kernel.providers(ECHO, &range).iter().any(|p| p.plugin == self.first && p.in_flight > 0);
        ensure!(site.eventually(busy), "nobody calls");
        let place = Cell::ALL.iter().position(|cell| *cell == site.subject.cell());
        if place.and_then(|place| *Behaviour::Abort.reasons().get(place)?).is_none() {
            let before = self.answers.each_ref().map(Answers::all);
            ensure!(site.call(&self.first, "abort", "").is_err(), "a provider that aborts has answered");
            self.everybody(Answers::all, before.map(|count| count + 1))?;
        }
        block_on(site.kernel.unload(&self.first)).map_err(told)
    }
}
