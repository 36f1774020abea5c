use midplane_contract::{Code as Fault, Limits, RuntimeKind};
use midplane_kernel::Runtime;

use crate::stage::{load, load_with, request, runtime};

#[test]
fn a_memory_limit_ends_the_worker_and_names_itself() {
    let mut wanted = request(RuntimeKind::Native);
    wanted.limits.memory = Some(64 << 20);
    let mut echo = load_with(&runtime(RuntimeKind::Native), &wanted, 1).unwrap();
    assert_eq!(echo.call("echo", &vec![1; 16 << 20]).unwrap().len(), 16 << 20);
    let error = echo.call("fill", b"").unwrap_err();
    assert_eq!(error.code(), Fault::MemoryLimit, "{error:?}");
    assert_eq!(error.record().data["limit"], 64 << 20);
}

#[test]
fn limits_that_a_process_cannot_hold_are_named() {
    let limits = Limits {
        memory: Some(1),
        cpu: Some(0.5),
        disk_io: Some(1),
        network_io: Some(1),
        threads: Some(1),
        file_descriptors: Some(64),
        connections: Some(1),
        table_elements: Some(1),
        ..Limits::default()
    };
    let named = runtime(RuntimeKind::Native).unenforceable(&limits);
    assert_eq!(named, ["cpu", "disk_io", "network_io", "threads", "connections", "table_elements"]);
    assert!(!runtime(RuntimeKind::Wasm).unenforceable(&limits).contains(&"table_elements"));
    assert!(runtime(RuntimeKind::Native).unenforceable(&Limits::default()).is_empty());
}

#[test]
fn a_worker_sees_nothing_of_the_host_but_path_locale_and_its_own() {
    let mut wanted = request(RuntimeKind::Native);
    let mut manifest = (*wanted.manifest).clone();
    manifest.entry.env.insert("MINE".into(), "yes".into());
    wanted.manifest = manifest.into();
    let mut echo = load_with(&runtime(RuntimeKind::Native), &wanted, 1).unwrap();
    let text = String::from_utf8(echo.call("env", b"").unwrap()).unwrap();
    for line in text.lines() {
        let name = line.split('=').next().unwrap();
        let known = matches!(name, "PATH" | "LANG" | "LANGUAGE" | "TZ" | "MIDPLANE_FD" | "MIDPLANE_HOST" | "MINE")
            || name.starts_with("LC_");
        assert!(known, "{line}");
    }
    assert!(text.contains("MINE=yes"));
    assert!(std::env::vars().count() > text.lines().count(), "the test itself has more to hide");
}

#[test]
fn no_descriptor_of_the_host_reaches_a_worker() {
    let open = |pid: i32| -> Vec<String> {
        let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
        entries.map(|entry| std::fs::read_link(entry.path()).unwrap_or_default().display().to_string()).collect()
    };
    // A descriptor that is not closed on exec, as a careless library would open it.
    let secret = std::fs::File::open("/proc/self/status").unwrap();
    rustix::io::fcntl_setfd(&secret, rustix::io::FdFlags::empty()).unwrap();
    let echo = load(RuntimeKind::Native, 1);
    let inside = open(echo.pid());
    assert!(inside.len() <= 4, "{inside:?}");
    assert!(!inside.iter().any(|name| name.contains("status")), "{inside:?}");
}

#[test]
fn a_hundred_loads_leave_no_descriptor_and_no_thread_behind() {
    let count = |what: &str| std::fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
    let _first = load(RuntimeKind::Native, 1);
    let mut settled = usize::MAX;
    for round in 0..100 {
        drop(load(RuntimeKind::Wasm, 3));
        if round == 10 {
            settled = count("fd");
        }
    }
    // Other tests run beside this one, so the bound is loose; a leak of one per load would be far above it.
    assert!(count("fd") < settled.saturating_add(60), "descriptors: {settled} after 10, {} after 100", count("fd"));
}
