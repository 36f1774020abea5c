//! A worker for tests and measurements: a runtime in a few lines of Rust, hosted in a process of its own. A real worker
//! brings runtimes that load files.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use midplane_contract::{
    ActionName, Code as Fault, Error, Hook, HostFunction, Limit, Limits, Placement, Result, RuntimeKind,
};
use midplane_kernel::{
    Call, Code, CodeFacts, Condition, Host, HostRequest, Instance, InstanceContext, Interrupt, LoadRequest, Reply,
    Runtime, Scope, Within,
};

const ACTIONS: [&str; 18] = [
    "echo",
    "stream",
    "spin",
    "hang",
    "panic",
    "abort",
    "exit",
    "crash",
    "overflow",
    "fill",
    "ask",
    "say",
    "env",
    "fail",
    "spend",
    "fork",
    "quit-later",
    "caller",
];

struct Echo(RuntimeKind);

impl Runtime for Echo {
    fn serves(&self) -> (RuntimeKind, Placement) {
        (self.0, Placement::InProcess)
    }

    fn unenforceable(&self, limits: &Limits) -> Vec<&'static str> {
        limits.set_among(&[Limit::Memory])
    }

    fn load(&self, request: &LoadRequest) -> Result<Arc<dyn Code>> {
        match request.main.file_name().and_then(|name| name.to_str()) {
            Some("no-plugin") => return Err(Error::new(Fault::NotAPlugin, "just text").remedy("name a plugin")),
            Some("slow") => std::thread::sleep(Duration::from_secs(3600)),
            Some("exits") => std::process::exit(7),
            _ => {}
        }
        let actions = ACTIONS.iter().filter_map(|name| ActionName::new(name).ok()).collect();
        let hooks = vec![Hook::Init, Hook::Health];
        let build_id = std::process::id().to_string();
        let build_id = if request.main.ends_with("fresh") { build_id } else { "one".to_owned() };
        Ok(Arc::new(EchoCode(CodeFacts { actions, hooks, build_id, ..CodeFacts::default() })))
    }
}

struct EchoCode(CodeFacts);

impl Code for EchoCode {
    fn facts(&self) -> &CodeFacts {
        &self.0
    }

    fn instantiate(&self, context: InstanceContext) -> Result<Box<dyn Instance>> {
        Ok(Box::new(EchoInstance { host: context.host, stop: Arc::default(), spent: false }))
    }
}

struct EchoInstance {
    host: Arc<dyn Host>,
    stop: Arc<Stop>,
    spent: bool,
}

#[derive(Default)]
struct Stop(AtomicBool);

impl Interrupt for Stop {
    fn interrupt(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Instance for EchoInstance {
    fn call_inline(&mut self, call: &Call<'_>, reply: &mut Reply<'_>) -> Result<()> {
        self.stop.0.store(false, Ordering::SeqCst);
        match call.name {
            "echo" => reply.write(call.input),
            "stream" => self.stream(call, reply),
            "spin" => self.spin(call.scope),
            "ask" => self.ask(call, reply),
            "caller" => reply.write(format!("{:?}", call.scope).as_bytes()),
            "say" => std::io::stderr().write_all(call.input).map_err(|e| Error::new(Fault::Io, e.to_string())),
            "env" => {
                let names: Vec<String> = std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
                reply.write(names.join("\n").as_bytes())
            }
            "fail" => Err(Error::new(Fault::PluginError, "as asked").with("mine", true).recoverable(true)),
            "spend" => {
                self.spent = true;
                Err(Error::new(Fault::Trapped, "unreachable"))
            }
            other => misbehave(other, call.input, reply),
        }
    }

    fn hook(&mut self, hook: Hook, input: &[u8], _scope: &Scope) -> Result<Option<Vec<u8>>> {
        Ok(match hook {
            Hook::Init => Some(input.to_vec()),
            Hook::Health => Some(br#"{"status":"healthy"}"#.to_vec()),
            _ => None,
        })
    }

    fn interrupter(&self) -> Option<Arc<dyn Interrupt>> {
        Some(Arc::clone(&self.stop) as Arc<dyn Interrupt>)
    }

    fn condition(&self) -> Condition {
        if self.spent { Condition::Spent(Error::new(Fault::Trapped, "unreachable")) } else { Condition::Ready }
    }
}

impl EchoInstance {
    /// Writes so many chunks of so many bytes: `COUNT SIZE`.
    fn stream(&self, call: &Call<'_>, reply: &mut Reply<'_>) -> Result<()> {
        let text = String::from_utf8_lossy(call.input);
        let mut numbers = text.split(' ').filter_map(|word| word.parse::<usize>().ok());
        let (count, size) = (numbers.next().unwrap_or(3), numbers.next().unwrap_or(10));
        (0..count).try_for_each(|number| reply.write(&vec![number.to_le_bytes()[0]; size]))
    }

    fn spin(&self, scope: &Scope) -> Result<()> {
        let deadline = scope.deadline.instant();
        loop {
            if self.stop.0.load(Ordering::SeqCst) {
                return Err(Error::new(Fault::Cancelled, "interrupted"));
            }
            if Instant::now() >= deadline {
                return Err(Error::new(Fault::DeadlineExceeded, "spun until the deadline"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Sets a state value to the input and reads it back.
    fn ask(&self, call: &Call<'_>, reply: &mut Reply<'_>) -> Result<()> {
        let within = Within { scope: call.scope, action: Some(call.name) };
        let set = HostRequest { function: HostFunction::StateSet, args: r#"{"key":"k"}"#, payload: call.input };
        self.host.request(&within, &set)?;
        let get = HostRequest { function: HostFunction::StateGet, args: r#"{"key":"k"}"#, payload: &[] };
        reply.write(&self.host.request(&within, &get)?)
    }
}

#[expect(unsafe_code, clippy::panic, reason = "it is here to crash")]
fn misbehave(how: &str, input: &[u8], reply: &mut Reply<'_>) -> Result<()> {
    match how {
        "hang" => loop {
            std::thread::sleep(Duration::from_secs(3600));
        },
        "panic" => panic!("on purpose"),
        "abort" => std::process::abort(),
        "exit" => std::process::exit(9),
        // SAFETY: deliberately none; the process is meant to die of it.
        "crash" => unsafe { std::ptr::null_mut::<u8>().write_volatile(1) },
        "overflow" => reply.write(&deeper(input.len() as u64).to_le_bytes())?,
        "fill" => {
            let mut held = Vec::new();
            while held.len() < 4096 {
                held.push(vec![1_u8; 1024 * 1024]);
            }
            reply.write(&held.len().to_le_bytes())?;
        }
        "fork" => {
            let child = std::process::Command::new("setsid").args(["sleep", "1000"]).spawn();
            let child = child.map_err(|e| Error::new(Fault::Io, e.to_string()))?;
            reply.write(child.id().to_string().as_bytes())?;
        }
        "quit-later" => {
            std::thread::spawn(|| {
                std::thread::sleep(Duration::from_millis(50));
                std::process::exit(3);
            });
        }
        _ => return Err(Error::new(Fault::ActionNotFound, how)),
    }
    Ok(())
}

#[expect(unconditional_recursion, reason = "it is here to overflow the stack")]
fn deeper(depth: u64) -> u64 {
    let page = std::hint::black_box([depth; 512]);
    deeper(page.len() as u64 + depth) + page.iter().sum::<u64>()
}

fn main() {
    let kinds = [RuntimeKind::Wasm, RuntimeKind::Native];
    midplane_runtime_wire::child::run_if_child(|| {
        kinds.into_iter().map(|kind| Arc::new(Echo(kind)) as Arc<dyn Runtime>).collect()
    });
    eprintln!("this program is a worker: a host starts it");
}
