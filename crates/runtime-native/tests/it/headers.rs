use std::process::Command;

use midplane_contract::Code as Fault;
use midplane_kernel::Condition;

use crate::workshop::{Workshop, call, plugins, root};

#[test]
fn the_example_in_c_is_accepted_by_strict_c_and_cpp_compilers_and_counts_as_wc_does() {
    let shop = Workshop::new();
    let source = root().join("sdk/c/example/wordcount.c");
    let text = b"three small words\nand  two more\n\n";
    for (compiler, flags, output) in [
        ("cc", &["-std=c99", "-Wextra", "-fPIC", "-shared"][..], "libwordcount.so"),
        ("c++", &["-x", "c++", "-std=c++11", "-Wextra", "-fPIC", "-shared"], "libwordcount++.so"),
    ] {
        let main = shop.compile(compiler, flags, &source, output, &[]);
        let code = shop.load(&main).unwrap();
        let mut instance = shop.instance(&*code).unwrap();
        let reply = call(&*code, &mut *instance, "count", text).unwrap();
        assert_eq!(String::from_utf8(reply).unwrap(), r#"{"lines":3,"words":6,"bytes":33}"#);
    }
}

#[test]
fn the_sdk_in_c_asks_for_all_of_the_host_api_and_tests_itself_without_a_host() {
    let shop = Workshop::new();
    let source = root().join("sdk/c/tests/api.c");
    for (compiler, flags, output) in
        [("cc", &["-std=c99", "-Wextra"][..], "api"), ("c++", &["-x", "c++", "-std=c++11", "-Wextra"], "api++")]
    {
        let ran = Command::new(shop.compile(compiler, flags, &source, output, &[])).output().unwrap();
        assert!(ran.status.success(), "{compiler}: {}", String::from_utf8_lossy(&ran.stderr));
    }
}

#[test]
fn an_exception_that_leaves_an_action_in_cpp_is_a_panic() {
    let shop = Workshop::new();
    let source = shop.folder.join("throws.cc");
    let text = r#"
        #include "midplane_plugin.h"
        #include <stdexcept>
        static midplane_status boom(void *, const uint8_t *, size_t, midplane_call *) {
          throw std::runtime_error("thrown on purpose");
        }
        static const midplane_action actions[] = {{"boom", boom}};
        MIDPLANE_PLUGIN("", "", actions)
    "#;
    std::fs::write(&source, text).unwrap();
    let code = shop.load(&shop.compile("c++", &["-fPIC", "-shared"], &source, "throws.so", &[])).unwrap();
    let mut instance = shop.instance(&*code).unwrap();
    let error = call(&*code, &mut *instance, "boom", b"").unwrap_err();
    assert_eq!((error.code(), error.record().message.as_str()), (Fault::Panicked, "thrown on purpose"));
    assert!(matches!(instance.condition(), Condition::Spent(_)));
}

/// What the C compiler makes of the header is what the Rust mirrors (here and in the SDK) assume.
#[test]
#[cfg(target_pointer_width = "64")]
fn the_header_has_the_layout_that_the_rust_side_assumes() {
    let shop = Workshop::new();
    let program = shop.compile("cc", &["-std=c99"], &plugins().join("layout.c"), "layout", &[]);
    let printed = Command::new(program).output().unwrap().stdout;
    let expected = "midplane_host 40\nmidplane_host.reply_write 16\nmidplane_host.error_set 24\n\
        midplane_host.host_call 32\nmidplane_call 16\nmidplane_call.host 8\nmidplane_instance_info 48\n\
        midplane_instance_info.generation 8\nmidplane_instance_info.version_len 40\nmidplane_plugin_table 176\n\
        midplane_plugin_table.plugin_resolve_action 16\nmidplane_plugin_table.plugin_call 24\n\
        midplane_plugin_table.plugin_create 32\nmidplane_plugin_table.plugin_destroy 40\n\
        midplane_plugin_table.plugin_get_info 48\nmidplane_plugin_table.plugin_validate_config 56\n\
        midplane_plugin_table.plugin_migrate_back 168\n";
    assert_eq!(String::from_utf8(printed).unwrap(), expected);
}
