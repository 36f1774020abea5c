//! The conformance plugin as a program of the fake. It answers as `guests/probe` does.

use midplane_contract::{Code, Error, Hook, HostFunction, Result};
use midplane_kernel::Reply;
use serde_json::{Value, json};

use crate::fake::{Desk, Program};
use crate::hexadecimal;

const MIB: u64 = 1024 * 1024;

/// The program. The text after its name in the code's file is what `version` answers.
#[must_use]
pub fn probe() -> Program {
    let program = Program::new()
        .action("echo", |_, input, reply| reply.write(input))
        .action("version", |desk, _, reply| reply.write(desk.code().as_bytes()))
        .action("config", |desk, _, reply| reply.write(desk.memory.config.to_string().as_bytes()))
        .action("history", |desk, _, reply| reply.write(json!(desk.memory.notes).to_string().as_bytes()))
        .action("events", |desk, _, reply| reply.write(json!(desk.memory.events).to_string().as_bytes()))
        .action("identity", |desk, _, reply| {
            let context = desk.context();
            let identity = json!({
                "id": context.plugin, "version": context.version, "generation": context.generation, "number": context.number,
            });
            reply.write(identity.to_string().as_bytes())
        })
        .action("counter", |desk, input, reply| {
            desk.memory.counter += parsed(input)?.get("add").and_then(Value::as_u64).unwrap_or(1);
            reply.write(desk.memory.counter.to_string().as_bytes())
        })
        .action("fail", |desk, input, _| Err(fail(desk, &parsed(input)?)))
        .action("panic", |desk, input, _| Err(desk.panic(&String::from_utf8_lossy(input))))
        .action("abort", |desk, _, _| Err(desk.die()))
        .hang("hang")
        .action("allocate", allocate)
        .waiting("chunks", chunks)
        .waiting("call", call)
        .waiting("host", host)
        .waiting("transcript", transcript);
    hooks(program)
}

fn hooks(program: Program) -> Program {
    program
        .hook(Hook::ValidateConfig, |desk, input| {
            let invalid = flag(&parsed(input)?, "invalid");
            if invalid {
                Err(desk.own_error("config_invalid", "asked to be invalid", false, Value::Null))
            } else {
                done()
            }
        })
        .hook(Hook::Init, configure)
        .hook(Hook::ConfigChanged, configure)
        .hook(Hook::GetConfig, |desk, _| Ok(desk.memory.config.to_string().into_bytes()))
        .hook(Hook::Start, |desk, _| act(desk, Hook::Start).and_then(|()| done()))
        .hook(Hook::Stop, |desk, _| act(desk, Hook::Stop).and_then(|()| done()))
        .hook(Hook::Cleanup, |desk, _| act(desk, Hook::Cleanup).and_then(|()| done()))
        .hook(Hook::Event, |desk, input| {
            act(desk, Hook::Event)?;
            let event = parsed(input)?;
            desk.memory.events.push(event.get("data").cloned().unwrap_or_default());
            Ok(desk.memory.config.get("answer").map(Value::to_string).unwrap_or_default().into_bytes())
        })
        .hook(Hook::DependencyChanged, |desk, input| {
            let told = parsed(input)?;
            let id = told.get("id").and_then(Value::as_str).unwrap_or_default();
            desk.memory.notes.push(format!("dependency_changed {id} {}", flag(&told, "available")));
            act(desk, Hook::DependencyChanged).and_then(|()| done())
        })
        .hook(Hook::Health, |desk, _| {
            act(desk, Hook::Health)?;
            let status = desk.memory.config.get("health").cloned().unwrap_or_else(|| "healthy".into());
            Ok(json!({ "status": status, "details": { "counter": desk.memory.counter } }).to_string().into_bytes())
        })
}

fn configure(desk: &mut Desk<'_>, input: &[u8]) -> Result<Vec<u8>> {
    let config = parsed(input)?;
    let before = std::mem::replace(&mut desk.memory.config, config);
    let refused = act(desk, Hook::Init).and_then(|()| {
        let rejects = flag(&desk.memory.config, "reject");
        if rejects { Err(desk.own_error("rejected", "asked to be rejected", false, Value::Null)) } else { Ok(()) }
    });
    if let Err(error) = refused {
        desk.memory.config = before;
        return Err(error);
    }
    done()
}

/// Does in a hook what the configuration asks for.
fn act(desk: &mut Desk<'_>, hook: Hook) -> Result<()> {
    let config = desk.memory.config.clone();
    let named = |list: &str| {
        let hooks = config.get(list).and_then(Value::as_array);
        hooks.is_some_and(|hooks| hooks.iter().any(|name| name == hook.name()))
    };
    if named("hang_in") {
        desk.hang()?;
    }
    if named("panic_in") {
        return Err(desk.panic("panicked on purpose"));
    }
    if named("fail_in") {
        return Err(desk.own_error("hook_failed", "failed on purpose", false, Value::Null));
    }
    Ok(())
}

fn fail(desk: &Desk<'_>, wanted: &Value) -> Error {
    let text = |key: &str| wanted.get(key).and_then(Value::as_str).unwrap_or_default();
    let data = wanted.get("data").cloned().unwrap_or_default();
    desk.own_error(text("code"), text("message"), flag(wanted, "recoverable"), data)
}

fn allocate(desk: &mut Desk<'_>, input: &[u8], reply: &mut Reply<'_>) -> Result<()> {
    let wanted = parsed(input)?;
    let bytes = wanted.get("mib").and_then(Value::as_u64).unwrap_or_default().saturating_mul(MIB);
    desk.take_memory(bytes, flag(&wanted, "keep"))?;
    reply.write(json!({ "bytes": bytes }).to_string().as_bytes())
}

fn chunks(_: &mut Desk<'_>, input: &[u8], reply: &mut Reply<'_>) -> Result<()> {
    let wanted = parsed(input)?;
    let number = |key: &str| wanted.get(key).and_then(Value::as_u64).unwrap_or_default();
    let size = usize::try_from(number("size")).unwrap_or_default();
    for chunk in 0..number("count") {
        reply.write(&vec![u8::try_from(chunk % 256).unwrap_or_default(); size])?;
    }
    Ok(())
}

fn call(desk: &mut Desk<'_>, input: &[u8], reply: &mut Reply<'_>) -> Result<()> {
    let wanted = parsed(input)?;
    let payload = match wanted.get("input") {
        Some(Value::String(text)) => text.clone().into_bytes(),
        Some(value) => value.to_string().into_bytes(),
        None => b"null".to_vec(),
    };
    let mut args = wanted;
    if let Value::Object(args) = &mut args {
        args.remove("input");
    }
    let answer = desk.host(HostFunction::Call, &args, &payload).map_err(|error| passed_on(desk, &error))?;
    reply.write(&answer)
}

fn host(desk: &mut Desk<'_>, input: &[u8], reply: &mut Reply<'_>) -> Result<()> {
    let wanted = parsed(input)?;
    let name = wanted.get("function").and_then(Value::as_str).unwrap_or_default();
    let function = HostFunction::named(name)?;
    let args = wanted.get("args").cloned().unwrap_or_else(|| json!({}));
    let payload = wanted.get("payload").and_then(Value::as_str).unwrap_or_default();
    let answer = desk.host(function, &args, payload.as_bytes()).map_err(|error| passed_on(desk, &error))?;
    reply.write(&answer)
}

fn transcript(desk: &mut Desk<'_>, input: &[u8], reply: &mut Reply<'_>) -> Result<()> {
    let script = parsed(input)?;
    let play = |step: &Value| {
        let text = |key: &str| step.get(key).and_then(Value::as_str).unwrap_or_default();
        let name = text("function");
        let asked = HostFunction::named(name).and_then(|function| {
            let args = step.get("args").cloned().unwrap_or_default();
            let payload = hexadecimal::read(text("payload")).map_err(|why| Error::new(Code::InvalidInput, why))?;
            desk.host(function, &args, &payload)
        });
        match asked {
            Ok(answer) => format!("ok {}", hexadecimal::write(&answer)),
            Err(error) => format!("error {} {}", error.code(), hexadecimal::write(error.record().message.as_bytes())),
        }
    };
    let lines: Vec<String> = script.as_array().into_iter().flatten().map(play).collect();
    reply.write(lines.join("\n").as_bytes())
}

/// An error of the host becomes the plugin's own, with the host's code.
fn passed_on(desk: &Desk<'_>, error: &Error) -> Error {
    let record = error.record();
    desk.own_error(error.code().as_str(), &record.message, record.recoverable, Value::Object(record.data.clone()))
}

fn parsed(input: &[u8]) -> Result<Value> {
    if input.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(input)
        .map_err(|error| Error::new(Code::InvalidInput, "the input is not JSON").caused_by(&error))
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

fn done() -> Result<Vec<u8>> {
    Ok(Vec::new())
}
