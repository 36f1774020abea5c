//! A kernel over a data folder.

use std::fs;
use std::path::{Path, PathBuf};

use midplane_contract::PluginId;
use midplane_kernel::Kernel;
use midplane_kernel::catalog::By;

fn kernel(data: &Path) -> Kernel {
    Kernel::builder().stores(midplane_store::open(data).unwrap()).build()
}

fn plugins(folder: &Path) -> PathBuf {
    let plugins = folder.join("plugins");
    for n in 0..100 {
        let at = plugins.join(format!("p{n}"));
        fs::create_dir_all(&at).unwrap();
        fs::write(at.join("a.wasm"), "code").unwrap();
        let text = format!("id: p{n}\nname: P\nversion: 1.0.0\nentry: {{main: a.wasm}}\nactions: [run]\n");
        fs::write(at.join("plugin.yaml"), text).unwrap();
    }
    plugins
}

#[test]
fn a_catalog_overwritten_with_garbage_is_found_again_and_the_state_is_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let (data, plugins) = (folder.path().join("data"), vec![plugins(folder.path())]);
    let id = PluginId::new("p7").unwrap();
    let note = [("owner".to_owned(), "x".into())].into_iter().collect();
    let first = kernel(&data);
    assert_eq!(first.catalog().scan(&plugins).read, 100);
    first.catalog().set_metadata(&id, &note).unwrap();
    drop(first);
    let second = kernel(&data);
    assert_eq!(second.catalog().entries().len(), 100);
    assert_eq!(second.catalog().scan(&plugins).read, 0);
    drop(second);
    let state = fs::read(data.join("state.db")).unwrap();
    fs::write(data.join("catalog.db"), vec![0xa5; 300_000]).unwrap();
    let third = kernel(&data);
    assert!(third.catalog().entries().is_empty());
    let scan = third.catalog().scan(&plugins);
    assert_eq!((scan.read, scan.valid, scan.not_kept), (100, 100, None));
    assert_eq!(third.catalog().by(By::Action("run")).len(), 100);
    assert_eq!(third.catalog().metadata(&id).unwrap(), note);
    assert!(fs::read(data.join("state.db")).unwrap() == state);
    let aside = fs::read_dir(&data).unwrap().filter_map(|entry| entry.unwrap().file_name().into_string().ok());
    assert_eq!(aside.filter(|name| name.starts_with("catalog.db.broken-")).count(), 1);
}

#[test]
fn a_catalog_broken_under_a_running_host_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let (data, plugins) = (folder.path().join("data"), vec![plugins(folder.path())]);
    let kernel = kernel(&data);
    kernel.catalog().scan(&plugins);
    for name in ["catalog.db", "catalog.db-wal"] {
        fs::write(data.join(name), vec![0xa5; 300_000]).unwrap();
    }
    fs::remove_dir_all(plugins[0].join("p7")).unwrap();
    let scan = kernel.catalog().scan(&plugins);
    assert_eq!(scan.valid, 99);
    drop(kernel);
    let next = self::kernel(&data);
    next.catalog().scan(&plugins);
    assert_eq!(next.catalog().entries().len(), 99);
}
