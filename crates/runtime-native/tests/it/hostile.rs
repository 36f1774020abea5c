use midplane_contract::Code as Fault;

use crate::workshop::{Workshop, call};

/// Loads `table.c` with these definitions and gives the refusal's code and message.
fn refused(definition: &str) -> (Fault, String) {
    let shop = Workshop::new();
    let main = shop.cc("table.c", "libtable.so", &[definition, "-Wno-unused-const-variable"]);
    let error = shop.refusal(&main);
    assert!(error.record().remedy.is_some(), "{error}");
    assert!(shop.copies().is_empty());
    (error.code(), error.record().message.clone())
}

#[test]
fn tables_that_lead_nowhere_are_refused() {
    for (entry, says) in [
        ("-DENTRY=((const midplane_plugin_table*)0)", "no table"),
        ("-DENTRY=((const midplane_plugin_table*)16)", "not static data"),
        ("-DENTRY=((const midplane_plugin_table*)((const char*)&made+1))", "not static data"),
        ("-DENTRY=((const midplane_plugin_table*)0x7fffffffff00)", "not static data"),
    ] {
        let (code, message) = refused(entry);
        assert_eq!(code, Fault::ProtocolError, "{message}");
        assert!(message.contains(says), "{entry}: {message}");
    }
}

#[test]
fn absurd_sizes_are_refused() {
    for size in ["0", "12", "31", "4097", "0xffffffffu"] {
        let (code, message) = refused(&format!("-DTABLE={{{size},1,0,0,resolve,call}}"));
        assert_eq!(code, Fault::ProtocolError, "{message}");
        assert!(message.contains("claims"), "{message}");
    }
}

#[test]
fn fields_that_are_no_functions_are_refused_by_name() {
    let (code, message) = refused("-DTABLE={sizeof(midplane_plugin_table),1,0,0,resolve,0}");
    assert_eq!(code, Fault::MissingSymbol);
    assert!(message.contains("plugin_call"), "{message}");
    for garbage in ["(midplane_hook)1", "(midplane_hook)&made", "(midplane_hook)0xdeadbeef000"] {
        let (code, message) = refused(&format!(
            "-DTABLE={{sizeof(midplane_plugin_table),1,0,0,resolve,call,0,0,{}}}",
            garbage.replace("&made", "(size_t)0xffffffff")
        ));
        assert_eq!(code, Fault::ProtocolError);
        assert!(message.contains("plugin_get_info"), "{message}");
    }
}

#[test]
fn an_info_that_does_not_fit_and_an_instance_of_nothing_are_refused() {
    let (code, message) = refused("-DTABLE={sizeof(midplane_plugin_table),1,0,0,resolve,call,0,0,bad_info}");
    assert_eq!(code, Fault::ProtocolError);
    assert!(message.contains("version \"one\""), "{message}");
    let shop = Workshop::new();
    let table = "-DTABLE={sizeof(midplane_plugin_table),1,0,0,resolve,call,create_nothing}";
    let code = shop.load(&shop.cc("table.c", "libtable.so", &[table])).unwrap();
    assert_eq!(shop.instance(&*code).err().unwrap().code(), Fault::ProtocolError);
}

#[test]
fn smaller_and_larger_tables_of_one_major_version_work() {
    for table in ["{32,1,0,0,resolve,call}", "{sizeof(midplane_plugin_table)+64,1,9,0,resolve,call}"] {
        let shop = Workshop::new();
        let main = shop.cc("table.c", "libtable.so", &[&format!("-DTABLE={table}")]);
        let mut request = shop.request(&main, 1);
        let mut manifest = (*request.manifest).clone();
        manifest.actions = serde_json::from_value(serde_json::json!(["any"])).unwrap();
        request.manifest = manifest.into();
        let code = midplane_kernel::Runtime::load(&shop.runtime, &request).unwrap();
        assert_eq!(call(&*code, &mut *shop.instance(&*code).unwrap(), "any", b"bytes").unwrap(), b"bytes");
    }
}

#[test]
fn what_a_plugin_passes_that_cannot_be_is_a_typed_error() {
    let shop = Workshop::new();
    let code = shop.load(&shop.cc("echo.c", "libecho.so", &[])).unwrap();
    let mut instance = shop.instance(&*code).unwrap();
    for (input, expected) in [
        ("null", Fault::ProtocolError),
        ("length", Fault::LimitExceeded),
        ("ignored refusal", Fault::ProtocolError),
        ("error of nulls", Fault::PluginError),
        ("unreadable error", Fault::PluginError),
        ("host call of nulls", Fault::PluginError),
        ("status", Fault::ProtocolError),
        ("quiet error", Fault::PluginError),
    ] {
        let error = call(&*code, &mut *instance, "hostile", input.as_bytes()).unwrap_err();
        assert_eq!(error.code(), expected, "{input}: {error}");
        assert_eq!(call(&*code, &mut *instance, "answer", b"").unwrap(), b"one");
    }
}
