use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use midplane_contract::{Code as Fault, Hook, PluginId, RuntimeKind};
use midplane_kernel::{Call, Caller, Condition, Deadline, Reply, Scope};

use crate::stage::{alive, call, eventually, load, load_with, request, runtime};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        std::thread::park();
    }
}

#[test]
fn a_call_comes_back_whatever_its_size() {
    let mut echo = load(RuntimeKind::Native, 1);
    for size in [0, 1, 64, 65_536, 262_144, 262_145, 1 << 20, (1 << 20) + 1, 16 << 20, 64 << 20] {
        let input: Vec<u8> = (0..size).map(|n| n as u8).collect();
        assert!(echo.call("echo", &input).unwrap() == input, "{size} bytes, inline");
        let scope = Scope::within(Duration::from_secs(30));
        let action = echo.action("echo");
        let mut out = Vec::new();
        let mut reply = Reply::buffer(&mut out, 64 << 20);
        let call = Call { action, name: "echo", input: &input, scope: &scope };
        block_on(echo.instances[0].call(&call, &mut reply).unwrap()).unwrap();
        assert!(out == input, "{size} bytes, as a future");
    }
}

#[test]
fn an_input_over_the_cap_is_refused_before_it_leaves() {
    let mut echo = load(RuntimeKind::Native, 1);
    let error = echo.call("echo", &vec![0; (64 << 20) + 1]).unwrap_err();
    assert_eq!(error.code(), Fault::LimitExceeded);
    assert_eq!(echo.call("echo", b"still there").unwrap(), b"still there");
}

#[test]
fn many_threads_call_many_instances_of_one_worker() {
    let mut echo = load(RuntimeKind::Wasm, 16);
    let action = echo.action("echo");
    std::thread::scope(|threads| {
        for (number, instance) in echo.instances.iter_mut().enumerate() {
            threads.spawn(move || {
                for round in 0..500 {
                    let input = format!("{number}/{round}").repeat(1 + round % 40);
                    let scope = Scope::default();
                    assert_eq!(
                        call(&mut **instance, action, "echo", input.as_bytes(), &scope).unwrap(),
                        input.as_bytes()
                    );
                }
            });
        }
    });
}

#[test]
fn errors_of_the_plugin_arrive_whole() {
    let mut echo = load(RuntimeKind::Native, 1);
    let error = echo.call("fail", b"").unwrap_err();
    assert_eq!(error.code(), Fault::PluginError);
    assert_eq!(error.record().message, "as asked");
    assert_eq!(error.record().data["mine"], true);
    assert!(error.record().recoverable);
}

#[test]
fn a_panic_is_an_answer_and_the_worker_goes_on() {
    let mut echo = load(RuntimeKind::Native, 1);
    let error = echo.call("panic", b"").unwrap_err();
    assert_eq!(error.code(), Fault::Panicked);
    assert!(error.record().message.contains("on purpose"), "{error}");
    assert_eq!(echo.call("echo", b"x").unwrap(), b"x");
}

#[test]
fn hooks_answer_and_absent_ones_say_so() {
    let mut echo = load(RuntimeKind::Native, 1);
    let scope = Scope::within(Duration::from_secs(10));
    let instance = &mut echo.instances[0];
    assert_eq!(instance.hook(Hook::Init, b"{}", &scope).unwrap().as_deref(), Some(&b"{}"[..]));
    assert_eq!(instance.hook(Hook::Start, b"", &scope).unwrap(), None);
    assert_eq!(instance.hook(Hook::Ping, b"", &scope).unwrap(), None);
}

#[test]
fn a_plugin_asks_its_host_within_its_own_call() {
    let mut echo = load(RuntimeKind::Native, 1);
    let caller = Caller { plugin: PluginId::new("boss").unwrap(), action: None, parent: None, depth: 1 };
    let scope = Scope { caller: Some(Arc::new(caller)), ..Scope::default() };
    let action = echo.action("ask");
    for size in [3, 3 << 20] {
        let input = vec![7; size];
        assert!(call(&mut *echo.instances[0], action, "ask", &input, &scope).unwrap() == input);
    }
    let seen = echo.host.seen.lock().unwrap();
    assert_eq!(seen[0], r#"state.set Some("ask") Some("boss")"#);
}

#[test]
fn the_caller_chain_and_the_deadline_reach_the_worker() {
    let mut echo = load(RuntimeKind::Native, 1);
    let outer = Arc::new(Caller { plugin: PluginId::new("outer").unwrap(), action: None, parent: None, depth: 1 });
    let inner = Caller { plugin: PluginId::new("inner").unwrap(), action: None, parent: Some(outer), depth: 2 };
    let scope = Scope {
        caller: Some(Arc::new(inner)),
        deadline: Deadline::After(Duration::from_millis(4500)),
        trace: Some("00-aa-bb-01".into()),
    };
    let action = echo.action("caller");
    let seen = String::from_utf8(call(&mut *echo.instances[0], action, "caller", b"", &scope).unwrap()).unwrap();
    for part in ["inner", "outer", "depth: 2", "After(4.5s)", "00-aa-bb-01"] {
        assert!(seen.contains(part), "{part} in {seen}");
    }
}

#[test]
fn a_deadline_ends_what_listens_and_leaves_the_worker_alive() {
    let mut echo = load(RuntimeKind::Wasm, 2);
    let error = echo.call_within("spin", b"", Duration::from_millis(30)).unwrap_err();
    assert_eq!(error.code(), Fault::DeadlineExceeded);
    assert!(matches!(echo.instances[0].condition(), Condition::Ready));
    assert_eq!(echo.call("echo", b"x").unwrap(), b"x");
}

#[test]
fn a_dropped_future_stops_its_call_and_nothing_else() {
    let mut echo = load(RuntimeKind::Wasm, 2);
    let (spin, answer) = (echo.action("spin"), echo.action("echo"));
    let scope = Scope::default();
    let pid = echo.pid();
    let (first, second) = echo.instances.split_at_mut(1);
    for _ in 0..20 {
        let call_spin = Call { action: spin, name: "spin", input: b"", scope: &scope };
        let mut out = Vec::new();
        let mut reply = Reply::buffer(&mut out, 100);
        let mut future = first[0].call(&call_spin, &mut reply).unwrap();
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!(call(&mut *second[0], answer, "echo", b"sibling", &scope).unwrap(), b"sibling");
        drop(future);
        assert_eq!(call(&mut *first[0], answer, "echo", b"next", &scope).unwrap(), b"next");
    }
    assert!(alive(pid));
}

#[test]
fn an_interrupt_ends_a_call_from_another_thread() {
    let mut echo = load(RuntimeKind::Wasm, 1);
    let stop = echo.instances[0].interrupter().unwrap();
    let spin = echo.action("spin");
    std::thread::scope(|threads| {
        let running =
            threads.spawn(|| call(&mut *echo.instances[0], spin, "spin", b"", &Scope::default()).unwrap_err());
        while !running.is_finished() {
            stop.interrupt();
            std::thread::yield_now();
        }
        assert_eq!(running.join().unwrap().code(), Fault::Cancelled);
    });
}

#[test]
fn a_long_call_holds_up_neither_siblings_nor_pings() {
    let mut echo = load(RuntimeKind::Wasm, 2);
    let (spin, answer) = (echo.action("spin"), echo.action("echo"));
    let (first, second) = echo.instances.split_at_mut(1);
    let stop = first[0].interrupter().unwrap();
    std::thread::scope(|threads| {
        let running = threads.spawn(|| call(&mut *first[0], spin, "spin", b"", &Scope::default()));
        for round in 0..50_u32 {
            let input = round.to_le_bytes();
            assert_eq!(call(&mut *second[0], answer, "echo", &input, &Scope::default()).unwrap(), input);
            assert_eq!(second[0].hook(Hook::Ping, b"", &Scope::default()).unwrap(), None);
        }
        while !running.is_finished() {
            stop.interrupt();
            std::thread::yield_now();
        }
    });
}

#[test]
fn a_spent_instance_says_so_and_another_can_be_opened() {
    let mut echo = load(RuntimeKind::Wasm, 1);
    assert_eq!(echo.call("spend", b"").unwrap_err().code(), Fault::Trapped);
    assert!(matches!(echo.instances[0].condition(), Condition::Spent(_)));
    echo.instances.clear();
    let host = echo.host.clone();
    echo.instances.push(echo.code.instantiate(crate::stage::context(0, host)).unwrap());
    assert_eq!(echo.call("echo", b"again").unwrap(), b"again");
}

#[test]
fn each_native_instance_is_a_process_and_each_pool_is_one() {
    for (kind, processes) in [(RuntimeKind::Native, 3), (RuntimeKind::Wasm, 1)] {
        let mut echo = load(kind, 3);
        let fork = echo.action("echo");
        let memory: Vec<_> = echo.instances.iter().map(|instance| instance.memory()).collect();
        assert!(memory.iter().all(Option::is_some));
        for instance in &mut echo.instances {
            assert_eq!(call(&mut **instance, fork, "echo", b"hi", &Scope::default()).unwrap(), b"hi");
        }
        assert_eq!(echo.code.details()["processes"].as_array().unwrap().len(), processes);
    }
}

#[test]
fn dropping_everything_ends_the_worker_and_its_descendants() {
    let mut echo = load(RuntimeKind::Native, 1);
    let child: i32 = String::from_utf8(echo.call("fork", b"").unwrap()).unwrap().parse().unwrap();
    let pid = echo.pid();
    assert!(alive(pid) && alive(child));
    drop(echo);
    assert!(!alive(pid));
    eventually("the worker's child is gone", || !alive(child));
}

#[test]
fn a_second_worker_with_another_build_is_refused() {
    let mut wanted = request(RuntimeKind::Native);
    wanted.main = "/nowhere/fresh".into();
    let error = load_with(&runtime(RuntimeKind::Native), &wanted, 2).err().unwrap();
    assert_eq!(error.code(), Fault::BuildIdMismatch);
}

#[test]
fn load_errors_of_the_worker_arrive_with_their_code() {
    let mut wanted = request(RuntimeKind::Native);
    wanted.main = "/nowhere/no-plugin".into();
    let error = load_with(&runtime(RuntimeKind::Native), &wanted, 1).err().unwrap();
    assert_eq!(error.code(), Fault::NotAPlugin);
}

#[test]
fn an_interrupt_that_meets_the_end_of_its_call_leaves_the_worker_alone() {
    let mut echo = load(RuntimeKind::Native, 1);
    let (action, stop) = (echo.action("echo"), echo.instances[0].interrupter().unwrap());
    let over = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                stop.interrupt();
                // Not more often than others get to work.
                std::thread::yield_now();
            }
        });
        for _ in 0..2_000 {
            // It comes to its end, or is stopped; which, is the race.
            let _ = call(&mut *echo.instances[0], action, "echo", b"x", &Scope::within(Duration::from_secs(30)));
        }
        over.store(true, Ordering::SeqCst);
    });
    // What was given up and has ended is nobody's business any more; a worker that is held to it is ended.
    eventually("nothing is left to settle", || !matches!(echo.instances[0].condition(), Condition::Settling));
    let condition = echo.instances[0].condition();
    assert!(matches!(condition, Condition::Ready), "{condition:?}");
    assert_eq!(echo.call("echo", b"on").unwrap(), b"on");
}
