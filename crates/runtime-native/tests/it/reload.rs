use std::fs;
use std::sync::Arc;

use midplane_kernel::Runtime;

use crate::workshop::{Workshop, call};

#[test]
fn overwriting_a_c_library_in_place_and_loading_again_gives_the_new_answer() {
    let shop = Workshop::new();
    let main = shop.cc("echo.c", "libecho.so", &[]);
    let old = shop.load(&main).unwrap();
    let mut old_instance = shop.instance(&*old).unwrap();
    let changed = shop.cc("echo.c", "changed.so", &["-DANSWER=\"two\""]);
    // Into the same file, not by rename: the inode that is mapped under the running code stays the same.
    fs::write(&main, fs::read(changed).unwrap()).unwrap();
    let new = shop.runtime.load(&shop.request(&main, 2)).unwrap();
    let mut new_instance = shop.instance(&*new).unwrap();
    assert_eq!(call(&*new, &mut *new_instance, "answer", b"").unwrap(), b"two");
    assert_eq!(call(&*old, &mut *old_instance, "answer", b"").unwrap(), b"one");
    assert_ne!(old.facts().build_id, new.facts().build_id);
}

#[test]
fn overwriting_a_rust_library_in_place_and_loading_again_gives_the_new_answer() {
    let shop = Workshop::new();
    let main = shop.rust("fixture_one");
    let old = shop.load(&main).unwrap();
    let mut old_instance = shop.instance(&*old).unwrap();
    fs::write(&main, fs::read(shop.rust("fixture_two")).unwrap()).unwrap();
    let new = shop.runtime.load(&shop.request(&main, 2)).unwrap();
    let mut new_instance = shop.instance(&*new).unwrap();
    assert_eq!(call(&*new, &mut *new_instance, "answer", b"").unwrap(), b"two");
    assert_eq!(call(&*old, &mut *old_instance, "answer", b"").unwrap(), b"one");
}

#[test]
fn a_library_without_a_build_id_is_known_by_its_content() {
    let shop = Workshop::new();
    let main = shop.cc("echo.c", "libecho.so", &["-Wl,--build-id=none"]);
    let old = shop.load(&main).unwrap();
    assert!(old.facts().build_id.starts_with("sha256:"), "{}", old.facts().build_id);
    let changed = shop.cc("echo.c", "changed.so", &["-Wl,--build-id=none", "-DANSWER=\"two\""]);
    fs::write(&main, fs::read(changed).unwrap()).unwrap();
    let new = shop.runtime.load(&shop.request(&main, 2)).unwrap();
    assert_eq!(call(&*new, &mut *shop.instance(&*new).unwrap(), "answer", b"").unwrap(), b"two");
}

#[test]
fn two_libraries_with_one_soname_do_not_mix() {
    let shop = Workshop::new();
    let flags = ["-Wl,-soname,libsame.so"];
    let one = shop.load(&shop.cc("echo.c", "one.so", &flags)).unwrap();
    let two = shop.load(&shop.cc("echo.c", "two.so", &["-DANSWER=\"two\"", flags[0]])).unwrap();
    assert_eq!(call(&*one, &mut *shop.instance(&*one).unwrap(), "answer", b"").unwrap(), b"one");
    assert_eq!(call(&*two, &mut *shop.instance(&*two).unwrap(), "answer", b"").unwrap(), b"two");
}

#[test]
fn loading_the_same_generation_again_shares_the_library() {
    let shop = Workshop::new();
    let main = shop.cc("echo.c", "libecho.so", &[]);
    let (first, second) = (shop.load(&main).unwrap(), shop.load(&main).unwrap());
    assert_eq!(first.facts().details["path"], second.facts().details["path"]);
    assert_eq!(first.facts().details["references"], 1);
    assert_eq!(second.facts().details["references"], 2);
    assert_eq!(shop.copies().len(), 1);
    drop(first);
    assert_eq!(shop.copies().len(), 1);
    drop(second);
    assert!(shop.copies().is_empty());
}

#[test]
fn an_instance_keeps_its_library_until_it_is_dropped() {
    let shop = Workshop::new();
    let code = shop.load(&shop.cc("echo.c", "libecho.so", &[])).unwrap();
    let kept = Arc::clone(&code);
    let mut instance = shop.instance(&*code).unwrap();
    drop(code);
    assert_eq!(call(&*kept, &mut *instance, "answer", b"").unwrap(), b"one");
    drop(kept);
    assert_eq!(shop.copies().len(), 1);
    drop(instance);
    assert!(shop.copies().is_empty());
}

#[test]
fn what_a_killed_process_left_behind_is_removed() {
    let shop = Workshop::new();
    let main = shop.cc("echo.c", "libecho.so", &[]);
    let living = shop.load(&main).unwrap();
    fs::write(shop.cache().join("native/0123-1-1-0.so"), b"left behind").unwrap();
    let other = Workshop::new();
    let mut request = other.request(&main, 2);
    request.cache = shop.cache();
    let second = other.runtime.load(&request).unwrap();
    assert_eq!(shop.copies().len(), 2, "{:?}", shop.copies());
    drop((living, second));
}

#[test]
fn a_library_that_cannot_be_unloaded_is_said_to_be_so() {
    let shop = Workshop::new();
    let code = shop.load(&shop.cc("echo.c", "libecho.so", &["-Wl,-z,nodelete"])).unwrap();
    assert!(code.facts().stays_loaded.as_ref().unwrap().contains("nodelete"));
    let source = shop.folder.join("thread_local.cc");
    let text = "struct Kept { ~Kept(); int used; }; Kept::~Kept() { used = 0; }\n\
                thread_local Kept kept; extern \"C\" int use_it() { return kept.used++; }\n";
    fs::write(&source, format!("{text}#include \"{}\"\n", crate::workshop::plugins().join("echo.c").display()))
        .unwrap();
    let main = shop.compile("c++", &["-fPIC", "-shared"], &source, "tls.so", &[]);
    let code = shop.load(&main).unwrap();
    assert!(code.facts().stays_loaded.as_ref().unwrap().contains("thread_local"), "{:?}", code.facts().stays_loaded);
}

#[test]
fn thread_local_destructors_that_keep_a_library_are_seen_when_it_is_closed() {
    let shop = Workshop::new();
    let main = shop.rust("fixture_one");
    let code = shop.load(&main).unwrap();
    assert_eq!(code.facts().stays_loaded, None);
    let mut instance = shop.instance(&*code).unwrap();
    assert_eq!(call(&*code, &mut *instance, "remember", b"").unwrap(), b"kept");
    drop((instance, code));
    let next = shop.runtime.load(&shop.request(&main, 2)).unwrap();
    assert!(next.facts().stays_loaded.as_ref().unwrap().contains("thread-local"), "{:?}", next.facts().stays_loaded);
}

#[test]
fn a_rust_library_without_thread_local_destructors_is_unloaded() {
    let shop = Workshop::new();
    let main = shop.rust("fixture_one");
    for generation in 1..=3 {
        let code = shop.runtime.load(&shop.request(&main, generation)).unwrap();
        assert_eq!(code.facts().stays_loaded, None);
        let mut instance = shop.instance(&*code).unwrap();
        assert_eq!(call(&*code, &mut *instance, "greet", br#"{"name":"Ada"}"#).unwrap(), br#"{"hello":"Ada"}"#);
        call(&*code, &mut *instance, "fail", b"").unwrap_err();
    }
}
