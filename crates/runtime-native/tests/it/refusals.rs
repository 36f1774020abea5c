use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use midplane_contract::{Code as Fault, Error, Kind};
use midplane_kernel::Runtime;
use midplane_testkit::{GoBuild, go_guest};

use crate::workshop::{Workshop, alone, assert_passed};

/// Writes an executable file.
fn write(shop: &Workshop, name: &str, bytes: &[u8]) -> PathBuf {
    let path = shop.folder.join(name);
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn assert_refusal(error: &Error, code: Fault, says: &str) {
    assert_eq!(error.code(), code, "{error}");
    assert!(error.record().message.contains(says), "{says:?} is not in {error}");
    assert!(error.record().remedy.is_some(), "{error} says no remedy");
}

#[test]
fn six_faults_of_a_library_have_six_codes() {
    let shop = Workshop::new();
    let good = fs::read(shop.cc("echo.c", "libecho.so", &[])).unwrap();
    let text = shop.refusal(&write(&shop, "text.so", b"this is no library\n"));
    assert_refusal(&text, Fault::NotAPlugin, "a text file");

    let mut foreign = good.clone();
    foreign[18..20].copy_from_slice(&183_u16.to_le_bytes());
    let machine = shop.refusal(&write(&shop, "foreign.so", &foreign));
    assert_refusal(&machine, Fault::WrongArchitecture, "aarch64");
    assert_eq!(machine.record().data["required"], std::env::consts::ARCH);

    let empty = shop.folder.join("empty.c");
    fs::write(&empty, "int nothing(void) { return 0; }\n").unwrap();
    let symbol = shop.refusal(&shop.compile("cc", &["-fPIC", "-shared"], &empty, "nothing.so", &[]));
    assert_refusal(&symbol, Fault::MissingSymbol, "midplane_plugin");
    assert_eq!(symbol.record().data["symbol"], "midplane_plugin");

    let newer = "-DTABLE={sizeof(midplane_plugin_table),2,3,0,resolve,call}";
    let abi = shop.refusal(&shop.cc("table.c", "newer.so", &[newer]));
    assert_refusal(&abi, Fault::AbiMismatch, "ABI 2.3");
    assert_eq!((&abi.record().data["required"], &abi.record().data["found"]), (&"1.0".into(), &"2.3".into()));

    let cut = shop.refusal(&write(&shop, "cut.so", &good[..good.len() / 2]));
    assert_refusal(&cut, Fault::InvalidInput, "cut off");
    assert_eq!(cut.record().kind, Kind::Load);

    let denied = shop.folder.join("shared");
    fs::create_dir(&denied).unwrap();
    fs::set_permissions(&denied, fs::Permissions::from_mode(0o777)).unwrap();
    let mut request = shop.request(&write(&shop, "good.so", &good), 1);
    request.cache = denied;
    let folder = shop.runtime.load(&request).err().unwrap();
    assert_refusal(&folder, Fault::PermissionDenied, "written to by others");
}

/// In a process with a mount namespace of its own, where the cache folder forbids execution.
#[test]
fn a_cache_folder_that_forbids_execution_is_permission_denied() {
    let shop = Workshop::new();
    let folder = shop.folder.join("noexec");
    fs::create_dir(&folder).unwrap();
    // Inherited by the process below, which mounts onto the folder that was made out here.
    let script = format!("mount -t tmpfs -o noexec,mode=700 none '{}' || exit 77; exec \"$@\"", folder.display());
    let name = "refusals::a_cache_folder_that_forbids_execution_is_permission_denied";
    let launcher = [
        "env",
        &format!("NOEXEC={}", folder.display()),
        "unshare",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        &script,
        "sh",
    ];
    if let Some(run) = alone(name, "MIDPLANE_TEST_ALONE", &launcher) {
        if matches!(run.status.code(), Some(1 | 77 | 127)) {
            return eprintln!("not tried, this machine gives no mount namespace: {run:?}");
        }
        return assert_passed(&run);
    }
    let mut request = shop.request(&shop.cc("echo.c", "libecho.so", &[]), 1);
    request.cache = std::env::var_os("NOEXEC").unwrap().into();
    let error = shop.runtime.load(&request).err().unwrap();
    assert_refusal(&error, Fault::PermissionDenied, "forbids execution");
}

#[test]
fn every_cut_of_a_library_is_refused_without_being_opened() {
    let shop = Workshop::new();
    let good = fs::read(shop.cc("echo.c", "libecho.so", &[])).unwrap();
    let path = write(&shop, "cut.so", b"");
    for length in (0..good.len()).step_by(97).chain(1..64) {
        fs::write(&path, &good[..length]).unwrap();
        let code = shop.refusal(&path).code();
        assert!(matches!(code, Fault::NotAPlugin | Fault::InvalidInput), "{length} bytes: {code}");
        assert!(shop.copies().is_empty());
    }
}

#[test]
fn endings_files_and_modes_are_refused_by_name() {
    let shop = Workshop::new();
    let good = fs::read(shop.cc("echo.c", "libecho.so", &[])).unwrap();
    assert_refusal(&shop.refusal(&write(&shop, "plugin.txt", &good)), Fault::NotAPlugin, "plugin.txt");
    assert_refusal(&shop.refusal(&shop.folder.join("gone.so")), Fault::Io, "gone.so");
    assert_refusal(
        &shop.refusal(&{
            let folder = shop.folder.join("folder.so");
            fs::create_dir(&folder).unwrap();
            folder
        }),
        Fault::NotAPlugin,
        "not a file",
    );
    let plain = write(&shop, "plain.so", &good);
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o644)).unwrap();
    assert_refusal(&shop.refusal(&plain), Fault::PermissionDenied, "not executable");
    for ending in ["libgood.so", "libgood.so.1.2", "good.dylib", "good.DLL"] {
        shop.load(&write(&shop, ending, &good)).unwrap();
    }
}

#[test]
fn what_belongs_elsewhere_is_named() {
    let shop = Workshop::new();
    for (bytes, code, says) in [
        (&b"MZ\x90\0"[..], Fault::UnsupportedPlatform, "Windows"),
        (b"\xcf\xfa\xed\xfe\x07\0\0\x01", Fault::UnsupportedPlatform, "macOS"),
        (b"\xca\xfe\xba\xbe\0\0\0\x02", Fault::UnsupportedPlatform, "macOS"),
        (b"\0asm\x01\0\0\0", Fault::NotAPlugin, "WebAssembly"),
        (b"!<arch>\n", Fault::NotAPlugin, "static library"),
        (b"#!/bin/sh\n", Fault::NotAPlugin, "script"),
        (b"", Fault::NotAPlugin, "empty"),
        (b"\0\x01\x02\x03", Fault::NotAPlugin, "unknown format"),
    ] {
        assert_refusal(&shop.refusal(&write(&shop, "file.so", bytes)), code, says);
    }
}

#[test]
fn what_go_makes_is_recognized() {
    let shop = Workshop::new();
    let source = shop.folder.join("go.c");
    fs::write(&source, "int hash __asm__(\"\\\"go:link.pkghashbytes.main\\\"\") = 1;\n").unwrap();
    let error =
        shop.refusal(&shop.compile("cc", &["-std=gnu99", "-Wno-pedantic", "-fPIC", "-shared"], &source, "go.so", &[]));
    assert_refusal(&error, Fault::NotAPlugin, "-buildmode=plugin");

    let plugin = crate::workshop::plugins().join("echo.c");
    let text =
        format!("#include \"{}\"\nint info __attribute__((section(\".go.buildinfo\"))) = 1;\n", plugin.display());
    fs::write(&source, text).unwrap();
    let code = shop.load(&shop.compile("cc", &["-fPIC", "-shared"], &source, "go.so", &[])).unwrap();
    assert!(code.facts().stays_loaded.as_ref().unwrap().contains("Go runtime"));
}

#[test]
fn what_go_itself_builds_as_a_plugin_is_refused_and_told_what_to_build() {
    let shop = Workshop::new();
    let built = go_guest("probe-go", GoBuild::GoPlugin, &Path::new(env!("CARGO_TARGET_TMPDIR")).join("go"));
    let built = built.unwrap_or_else(|error| panic!("{error}"));
    let error = shop.refusal(&built);
    assert_refusal(&error, Fault::NotAPlugin, "-buildmode=plugin");
    assert!(error.record().remedy.as_ref().unwrap().contains("-buildmode=c-shared"), "{error:?}");
}

#[test]
fn programs_and_object_files_are_no_libraries() {
    let shop = Workshop::new();
    let source = crate::workshop::plugins().join("layout.c");
    let program = shop.compile("cc", &["-std=c99", "-pie", "-fPIE"], &source, "program.so", &[]);
    assert_refusal(&shop.refusal(&program), Fault::NotAPlugin, "a program");
    let program = shop.compile("cc", &["-std=c99", "-no-pie"], &source, "program.so", &[]);
    assert_refusal(&shop.refusal(&program), Fault::NotAPlugin, "a program");
    let object = shop.compile("cc", &["-std=c99", "-c"], &source, "object.so", &[]);
    fs::set_permissions(&object, fs::Permissions::from_mode(0o755)).unwrap();
    assert_refusal(&shop.refusal(&object), Fault::NotAPlugin, "an object file");
}

#[test]
fn what_the_linker_misses_is_named_in_its_own_words() {
    let shop = Workshop::new();
    let source = shop.folder.join("needs.c");
    let plugin = crate::workshop::plugins().join("table.c");
    fs::write(
        &source,
        format!("#include \"{}\"\nint absent(void);\nint (*needed)(void) = absent;\n", plugin.display()),
    )
    .unwrap();
    let error = shop.refusal(&shop.compile("cc", &["-std=c99", "-fPIC", "-shared"], &source, "needs.so", &[]));
    assert_refusal(&error, Fault::MissingSymbol, "undefined symbol: absent");
    assert_eq!(error.record().data["symbol"], "absent");

    let empty = shop.folder.join("empty.c");
    fs::write(&empty, "int absent(void) { return 0; }\n").unwrap();
    let library = shop.compile("cc", &["-fPIC", "-shared"], &empty, "libabsent.so", &["-Wl,-soname,libabsent.so"]);
    let needs =
        shop.compile("cc", &["-std=c99", "-fPIC", "-shared"], &source, "needs.so", &[library.to_str().unwrap()]);
    let error = shop.refusal(&needs);
    assert_refusal(&error, Fault::DependencyNotFound, "libabsent.so");
}

#[test]
fn an_entry_that_is_code_of_another_library_is_build_id_mismatch() {
    let shop = Workshop::new();
    let other = shop.cc("table.c", "libother.so", &["-Dmidplane_plugin=other_entry"]);
    let source = shop.folder.join("forward.c");
    let text = "void *other_entry(void);\nstatic void *(*pick(void))(void) { return other_entry; }\n\
                void *midplane_plugin(void) __attribute__((ifunc(\"pick\")));\n";
    fs::write(&source, text).unwrap();
    let flags = [other.to_str().unwrap(), "-Wl,-z,lazy"];
    let main = shop.compile("cc", &["-fPIC", "-shared"], &source, "forward.so", &flags);
    let error = shop.refusal(&main);
    assert_refusal(&error, Fault::BuildIdMismatch, "build id");
    assert!(shop.copies().is_empty());
}

#[test]
fn a_cache_that_is_a_symbolic_link_is_refused() {
    let shop = Workshop::new();
    let main = shop.cc("echo.c", "libecho.so", &[]);
    let real = shop.folder.join("real");
    fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, shop.cache()).unwrap();
    assert_refusal(&shop.refusal(&main), Fault::PermissionDenied, "symbolic link");
}
