use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use midplane_contract::frame::WINDOW;
use midplane_contract::{Code as Fault, Error, Result, RuntimeKind};
use midplane_kernel::call::ChunkSink;
use midplane_kernel::{Call, Condition, Instance, Reply, Scope};

use crate::stage::{alive, call, load};

fn stream(instance: &mut dyn Instance, action: u32, input: &[u8], sink: &mut dyn ChunkSink) -> Result<()> {
    let scope = Scope::within(Duration::from_secs(30));
    let call = Call { action, name: "stream", input, scope: &scope };
    instance.call_inline(&call, &mut Reply::stream(sink, 64 << 20))
}

struct Collect(Vec<Vec<u8>>);

impl ChunkSink for Collect {
    fn chunk(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.push(bytes.to_vec());
        Ok(())
    }
}

#[test]
fn chunks_arrive_as_they_were_written() {
    let mut echo = load(RuntimeKind::Native, 1);
    let action = echo.action("stream");
    let mut chunks = Collect(Vec::new());
    stream(&mut *echo.instances[0], action, b"200 1000", &mut chunks).unwrap();
    assert_eq!(chunks.0.len(), 200);
    assert!(chunks.0.iter().enumerate().all(|(n, chunk)| chunk.len() == 1000 && chunk[0] == n as u8));
}

#[test]
fn a_stream_far_larger_than_the_window_passes_through_it() {
    let mut echo = load(RuntimeKind::Native, 1);
    let action = echo.action("stream");
    let mut chunks = Collect(Vec::new());
    stream(&mut *echo.instances[0], action, b"40 1000000", &mut chunks).unwrap();
    assert_eq!(chunks.0.iter().map(Vec::len).sum::<usize>(), 40_000_000);
}

#[test]
fn a_slow_reader_holds_up_the_writer_and_nobody_else() {
    struct Slow<'a>(&'a AtomicUsize, &'a mut (dyn FnMut() + Send));
    impl ChunkSink for Slow<'_> {
        fn chunk(&mut self, bytes: &[u8]) -> Result<()> {
            self.0.fetch_add(bytes.len(), Ordering::SeqCst);
            (self.1)();
            Ok(())
        }
    }
    let mut echo = load(RuntimeKind::Wasm, 2);
    let (action, answer) = (echo.action("stream"), echo.action("echo"));
    let taken = AtomicUsize::new(0);
    let (first, second) = echo.instances.split_at_mut(1);
    let before = second[0].memory().unwrap();
    let mut between = || {
        let reply = call(&mut *second[0], answer, "echo", b"sibling", &Scope::default()).unwrap();
        assert_eq!(reply, b"sibling");
        let grown = second[0].memory().unwrap().saturating_sub(before);
        assert!(grown < 16 * WINDOW as u64, "the writer waits instead of piling up: {grown} bytes");
    };
    stream(&mut *first[0], action, b"100 200000", &mut Slow(&taken, &mut between)).unwrap();
    assert_eq!(taken.load(Ordering::SeqCst), 20_000_000);
}

#[test]
fn a_reader_that_stops_ends_the_stream() {
    struct Enough(usize);
    impl ChunkSink for Enough {
        fn chunk(&mut self, _bytes: &[u8]) -> Result<()> {
            self.0 += 1;
            if self.0 < 3 { Ok(()) } else { Err(Error::new(Fault::Cancelled, "enough")) }
        }
    }
    let mut echo = load(RuntimeKind::Native, 1);
    let (pid, action) = (echo.pid(), echo.action("stream"));
    let error = stream(&mut *echo.instances[0], action, b"100000 10000", &mut Enough(0)).unwrap_err();
    assert_eq!(error.record().message, "enough");
    assert_eq!(echo.call("echo", b"next").unwrap(), b"next");
    assert!(alive(pid) && matches!(echo.instances[0].condition(), Condition::Ready));
}

#[test]
fn a_reply_over_its_cap_is_an_error_and_the_worker_goes_on() {
    let mut echo = load(RuntimeKind::Native, 1);
    let action = echo.action("stream");
    let scope = Scope::default();
    let mut out = Vec::new();
    let wanted = Call { action, name: "stream", input: b"20 1000000", scope: &scope };
    let error = echo.instances[0].call_inline(&wanted, &mut Reply::buffer(&mut out, 1 << 20)).unwrap_err();
    assert_eq!(error.code(), Fault::LimitExceeded);
    assert!(out.len() <= 1 << 20);
    assert_eq!(echo.call("echo", b"next").unwrap(), b"next");
}
