//! Who is the host of a folder.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;

use midplane_contract::{Code, Error};
use midplane_kernel::Kernel;
use midplane_node::{Door, Method, Purpose, Seat, ask};
use midplane_testkit::Scratch;
use serde_json::json;

use crate::house::House;

/// Opens a door in a folder, asks once, and shuts it.
fn opens(folder: &Path) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let seat = Arc::new(Seat::take(folder, Purpose::Host)?.unwrap());
    let kernel = Kernel::builder().build();
    let door = runtime.block_on(async { Door::open(&seat, &kernel) })?;
    ask(folder, Method::Status, json!({}))?.unwrap();
    runtime.block_on(door.shut());
    Ok(())
}

#[test]
fn a_folder_has_one_host_at_a_time() {
    let mut house = House::new();
    assert!(Seat::take(&house.data(), Purpose::Host).unwrap().is_none());
    house.shut();
    assert!(Seat::take(&house.data(), Purpose::Host).unwrap().is_some());
}

#[test]
fn a_command_that_has_the_seat_is_waited_for() {
    let scratch = Scratch::new("seat").unwrap();
    let command = Seat::take(scratch.path(), Purpose::Command).unwrap().unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| Seat::take(scratch.path(), Purpose::Host).unwrap());
        // It cannot have it yet, however long that takes to show.
        assert!(!waiting.is_finished());
        drop(command);
        assert!(waiting.join().unwrap().is_some());
    });
}

#[test]
fn the_door_is_for_this_user_alone_and_goes_with_its_host() {
    let mut house = House::new();
    let facts = fs::metadata(house.data().join("host.sock")).unwrap();
    assert!(facts.file_type().is_socket());
    assert_eq!(facts.permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(house.data()).unwrap().permissions().mode() & 0o777, 0o700);
    house.shut();
    assert!(!house.data().join("host.sock").exists());
}

#[test]
fn what_a_dead_host_has_left_is_replaced() {
    let scratch = Scratch::new("seat").unwrap();
    // A socket that nobody listens at, and a file in its place.
    drop(UnixListener::bind(scratch.path().join("host.sock")).unwrap());
    assert!(ask(scratch.path(), Method::Status, json!({})).unwrap().is_none());
    opens(scratch.path()).unwrap();
    fs::write(scratch.path().join("host.sock"), "").unwrap();
    fs::write(scratch.path().join("host.sock.new"), "").unwrap();
    opens(scratch.path()).unwrap();
}

#[test]
fn a_folder_that_others_may_write_gets_no_door() {
    let scratch = Scratch::new("seat").unwrap();
    fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let error = opens(scratch.path()).unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied);
    assert!(error.record().remedy.as_ref().unwrap().contains("chmod"), "{error:?}");
}

#[test]
fn a_folder_that_cannot_be_had_says_so() {
    let scratch = Scratch::new("seat").unwrap();
    let file = scratch.path().join("file");
    fs::write(&file, "").unwrap();
    assert_eq!(Seat::take(&file.join("data"), Purpose::Host).unwrap_err().code(), Code::Storage);
    let long = scratch.path().join("x".repeat(120));
    assert_eq!(opens(&long).unwrap_err().code(), Code::Storage);
    assert_eq!(ask(&long, Method::Status, json!({})).unwrap_err().code(), Code::Storage);
    // Where it cannot be a directory at all.
    fs::create_dir(scratch.path().join("host.sock")).unwrap();
    assert_eq!(opens(scratch.path()).unwrap_err().code(), Code::Storage);
}
