//! What is said about a child that ended.

use midplane_contract::{Code, Error};

use crate::process::{End, Process};

/// What programs print when the system gives them no more memory.
const OUT_OF_MEMORY: [&str; 7] = [
    "memory allocation of",
    "MemoryError",
    "std::bad_alloc",
    "out of memory",
    "Cannot allocate memory",
    // Bash.
    "alloc: cannot allocate",
    // Go, for the stack of another thread.
    "failed to create new OS thread",
];

/// How a line begins that says why a program ends, where a trace of many lines follows.
pub(crate) const HEADLINES: [&str; 5] = [
    // Go: a panic that nobody caught, the runtime's own, a signal.
    "panic: ",
    "fatal error: ",
    "runtime: ",
    "SIGABRT: ",
    // V8, where its heap is full for example.
    "FATAL ERROR: ",
];

/// The error for a process that ended of itself.
pub(crate) fn crashed(process: &Process) -> Error {
    if let Some(guest) = process.guest() {
        return guest.went();
    }
    let words = process.last_words();
    let limit = process.memory_limit();
    if let Some(limit) = limit
        && OUT_OF_MEMORY.iter().any(|sign| words.contains(sign))
    {
        let message = format!("the worker was given no more memory{}", quoted(&words));
        return Error::new(Code::MemoryLimit, message)
            .remedy("raise limits.memory, or give the plugin less at once")
            .with("limit", limit);
    }
    let error = match process.end() {
        Some(End::Signal(signal)) => {
            let name = signal_name(signal);
            Error::new(Code::Crashed, format!("the worker died of signal {signal} ({name}){}", quoted(&words)))
                .with("signal", signal)
                .with("signal_name", name)
        }
        Some(End::Exit(code)) => {
            Error::new(Code::Crashed, format!("the worker ended with exit code {code}{}", quoted(&words)))
                .with("exit", code)
        }
        None => Error::new(Code::PeerGone, format!("the worker cannot be reached any longer{}", quoted(&words))),
    };
    let error = error.with("pid", process.pid());
    match limit {
        Some(limit) => error
            .remedy(format!("see the plugin's own output; its memory limit of {limit} bytes may have been the cause")),
        None => error.remedy("see the plugin's own output and report it to the plugin's author"),
    }
}

/// Adds the last lines of output to an error that has another cause.
pub(crate) fn with_last_words(error: Error, process: &Process) -> Error {
    let words = if process.guest().is_some() { String::new() } else { process.last_words() };
    if words.is_empty() { error } else { error.with("stderr", words) }
}

fn quoted(words: &str) -> String {
    if words.is_empty() { ", having printed nothing".to_owned() } else { format!("; it last printed:\n{words}") }
}

/// The name of the signals that end processes.
fn signal_name(signal: i32) -> &'static str {
    match signal {
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGILL => "SIGILL",
        libc::SIGINT => "SIGINT",
        libc::SIGKILL => "SIGKILL",
        libc::SIGPIPE => "SIGPIPE",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGSYS => "SIGSYS",
        libc::SIGTERM => "SIGTERM",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGXFSZ => "SIGXFSZ",
        _ => "see signal(7)",
    }
}
