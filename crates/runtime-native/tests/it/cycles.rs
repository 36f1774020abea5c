use std::fs;

use midplane_kernel::Runtime;
use midplane_testkit::memory;

use crate::workshop::{Workshop, alone, assert_passed, call};

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// In a process of its own: other tests need memory and descriptors too.
#[test]
fn a_thousand_loads_and_unloads_leave_nothing_behind() {
    let name = "cycles::a_thousand_loads_and_unloads_leave_nothing_behind";
    if let Some(run) = alone(name, "MIDPLANE_TEST_ALONE", &[]) {
        return assert_passed(&run);
    }
    let shop = Workshop::new();
    let main = shop.cc("echo.c", "libecho.so", &[]);
    let cycle = |generation| {
        let code = shop.runtime.load(&shop.request(&main, generation)).unwrap();
        let mut instance = shop.instance(&*code).unwrap();
        assert_eq!(call(&*code, &mut *instance, "answer", b"").unwrap(), b"one");
    };
    (0..50).for_each(cycle);
    let (before, open) = (memory::resident().unwrap(), descriptors());
    (50..1050).for_each(cycle);
    let grown = memory::resident().unwrap().saturating_sub(before);
    assert!(grown < 1 << 20, "resident memory grew by {grown} bytes");
    assert_eq!(descriptors(), open);
    let copies = shop.cache().join("native").canonicalize().unwrap();
    assert!(!memory::is_mapped(copies.to_str().unwrap()));
    assert!(shop.copies().is_empty());
}
