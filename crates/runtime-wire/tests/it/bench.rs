//! Measurements against the raw thing: a framed echo over a Unix socket with nothing around it. Printed, not judged.
//!
//! `cargo test -p midplane-runtime-wire --release -- --ignored --nocapture bench`

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use midplane_contract::RuntimeKind;
use midplane_kernel::{Call, Reply, Scope};

use crate::calls::block_on;
use crate::stage::{call, load};

fn median(mut measure: impl FnMut() -> Duration) -> Duration {
    let mut all: Vec<Duration> = (0..9).map(|_| measure()).collect();
    all.sort();
    all[all.len() / 2]
}

/// The raw echo is this program started again: one process per end, as with workers.
fn raw_echo() -> (std::process::Child, UnixStream) {
    use std::os::fd::AsRawFd;
    use std::os::unix::process::CommandExt;
    let (ours, theirs) = UnixStream::pair().unwrap();
    let fd = theirs.as_raw_fd();
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["bench::raw_echo_process", "--exact", "--ignored", "--nocapture"]).env("WIRE_TEST_ECHO", "3");
    // SAFETY: dup2 is async-signal-safe.
    unsafe {
        command.pre_exec(move || if libc::dup2(fd, 3) < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) })
    };
    (command.stdout(std::process::Stdio::null()).spawn().unwrap(), ours)
}

#[test]
#[ignore = "no test of its own: the measurement starts it"]
fn raw_echo_process() {
    use std::os::fd::FromRawFd;
    if std::env::var("WIRE_TEST_ECHO").is_err() {
        return;
    }
    // SAFETY: the parent put a socket there for this process.
    let mut wire = unsafe { UnixStream::from_raw_fd(3) };
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count) = wire.read(&mut buffer) {
        if count == 0 || wire.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
}

#[test]
#[ignore = "a measurement"]
fn one_call_and_sixty_four_in_flight() {
    const CALLS: u32 = 20_000;
    let (mut child, mut wire) = raw_echo();
    let mut frame = [7_u8; 24 + 64];
    let raw = median(|| {
        let start = Instant::now();
        for _ in 0..CALLS {
            wire.write_all(&frame).unwrap();
            wire.read_exact(&mut frame).unwrap();
        }
        start.elapsed() / CALLS
    });
    let batch = [7_u8; 88 * 64];
    let mut back = [0_u8; 88 * 64];
    let raw_64 = median(|| {
        let start = Instant::now();
        for _ in 0..CALLS / 4 {
            wire.write_all(&batch).unwrap();
            wire.read_exact(&mut back).unwrap();
        }
        start.elapsed() / (CALLS / 4 * 64)
    });
    drop(wire);
    child.wait().unwrap();
    println!("raw framed echo: one {raw:?}, 64 in a batch {raw_64:?} each ({:.0} k/s)", 1e6 / raw_64.as_nanos() as f64);

    let mut echo = load(RuntimeKind::Wasm, 64);
    let action = echo.action("echo");
    for size in [64, 65_536] {
        let input = vec![1_u8; size];
        let rounds = if size == 64 { CALLS } else { CALLS / 10 };
        let inline = median(|| {
            let start = Instant::now();
            for _ in 0..rounds {
                call(&mut *echo.instances[0], action, "echo", &input, &Scope::default()).unwrap();
            }
            start.elapsed() / rounds
        });
        let future = median(|| {
            let start = Instant::now();
            for _ in 0..rounds {
                one(&mut *echo.instances[0], action, &input);
            }
            start.elapsed() / rounds
        });
        println!("worker, {size} B: call_inline {inline:?}, call {future:?}");
    }
    let each = median(|| in_flight(&mut echo.instances, action, 200_000));
    println!("worker, 64 in flight: {each:?} each ({:.0} k/s)", 1e6 / each.as_nanos() as f64);
    let start = median(|| {
        let start = Instant::now();
        let mut fresh = load(RuntimeKind::Native, 1);
        fresh.call("echo", b"x").unwrap();
        start.elapsed()
    });
    println!("worker: spawn to first reply {start:?}");
}

fn one(instance: &mut dyn midplane_kernel::Instance, action: u32, input: &[u8]) {
    let scope = Scope::default();
    let mut out = Vec::new();
    let mut reply = Reply::buffer(&mut out, 1 << 20);
    let call = Call { action, name: "echo", input, scope: &scope };
    block_on(instance.call(&call, &mut reply).unwrap()).unwrap();
}

/// Keeps all instances busy from one thread, each with its next call as soon as the last one is answered.
fn in_flight(instances: &mut [Box<dyn midplane_kernel::Instance>], action: u32, total: u32) -> Duration {
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use std::sync::{Arc, Mutex};

    struct Ready {
        number: usize,
        queued: AtomicBool,
        queue: Arc<(Mutex<Vec<usize>>, std::thread::Thread)>,
    }
    impl std::task::Wake for Ready {
        fn wake(self: Arc<Self>) {
            self.wake_by_ref();
        }
        fn wake_by_ref(self: &Arc<Self>) {
            if !self.queued.swap(true, Ordering::AcqRel) {
                let mut queue = self.queue.0.lock().unwrap();
                queue.push(self.number);
                let first = queue.len() == 1;
                drop(queue);
                if first {
                    self.queue.1.unpark();
                }
            }
        }
    }

    let left = AtomicU32::new(total);
    let scope = Scope::default();
    let input = [1_u8; 64];
    let queue = Arc::new((Mutex::new(Vec::new()), std::thread::current()));
    let mut tasks: Vec<Option<Pin<Box<dyn Future<Output = ()> + '_>>>> = Vec::new();
    for instance in instances.iter_mut() {
        let (left, scope, input) = (&left, &scope, &input);
        tasks.push(Some(Box::pin(async move {
            let mut out = Vec::new();
            while left.load(Ordering::Relaxed) > 0 {
                left.fetch_sub(1, Ordering::Relaxed);
                out.clear();
                let mut reply = Reply::buffer(&mut out, 1 << 20);
                let call = Call { action, name: "echo", input, scope };
                instance.call(&call, &mut reply).unwrap().await.unwrap();
            }
        })));
    }
    let ready: Vec<Arc<Ready>> = (0..tasks.len())
        .map(|number| Arc::new(Ready { number, queued: AtomicBool::new(true), queue: queue.clone() }))
        .collect();
    let wakers: Vec<Waker> = ready.iter().map(|ready| Waker::from(ready.clone())).collect();
    let start = Instant::now();
    let mut due: Vec<usize> = (0..tasks.len()).collect();
    let mut running = tasks.len();
    while running > 0 {
        for number in due.drain(..) {
            ready[number].queued.store(false, Ordering::Release);
            let Some(task) = &mut tasks[number] else { continue };
            if task.as_mut().poll(&mut Context::from_waker(&wakers[number])).is_ready() {
                tasks[number] = None;
                running -= 1;
            }
        }
        loop {
            std::mem::swap(&mut *queue.0.lock().unwrap(), &mut due);
            if !due.is_empty() || running == 0 {
                break;
            }
            std::thread::park();
        }
    }
    start.elapsed() / total
}
