use std::fs;

use midplane_kernel::Runtime;

use crate::workshop::{Workshop, alone, assert_passed, call};

/// Resident memory of this process in KiB.
fn resident() -> i64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn mapped_copies(shop: &Workshop) -> usize {
    let folder = shop.cache().join("native").canonicalize().unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().filter(|line| line.contains(folder.to_str().unwrap())).count()
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
    let (memory, open) = (resident(), descriptors());
    (50..1050).for_each(cycle);
    let grown = resident() - memory;
    assert!(grown < 1024, "resident memory grew by {grown} KiB");
    assert_eq!(descriptors(), open);
    assert_eq!(mapped_copies(&shop), 0);
    assert!(shop.copies().is_empty());
}
