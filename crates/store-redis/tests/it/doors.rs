//! Servers that do not let a host in, or are none.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use midplane_contract::{Code, Error, SecretRef};
use midplane_kernel::config::ConfigStore;
use midplane_store_redis::{RedisStore, Settings};
use midplane_testkit::{Redis, Scratch};

use crate::hosts::{Host, id, numbered, settings};

const CANARY: &str = "canary-0b57-of-redis";

/// What comes of reading and of writing; both are refused alike.
fn refused(settings: Settings) -> String {
    let store = RedisStore::new(settings.clone());
    let (read, written) = (store.load(&id()).unwrap_err(), store.save(&id(), &numbered(1)).unwrap_err());
    for error in [&read, &written] {
        assert_eq!(error.code(), Code::Storage);
        assert!(error.record().remedy.is_some(), "{error}");
        assert!(error.record().message.contains(&settings.address.to_string()), "{error}");
        assert!(!whole(error).contains("canary"), "{error:?}");
    }
    whole(&read)
}

fn whole(error: &Error) -> String {
    serde_json::to_string(error).unwrap()
}

#[test]
fn a_password_opens_the_server_and_a_wrong_or_missing_one_is_said_to_be_so_and_not_shown() {
    let folder = Scratch::new("redis").unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("{text}\n")).unwrap();
        Some(SecretRef::File(path))
    };
    let server = Redis::start(&["--requirepass", CANARY]);
    let open = settings(&server.address());
    let with = |password: Option<SecretRef>| Settings { password, ..open.clone() };

    assert!(refused(with(None)).contains("wants a password"));
    assert!(refused(with(file("wrong", "canary-that-is-wrong"))).contains("refuses the user or the password"));
    let nowhere = refused(with(Some(SecretRef::File(folder.path().join("nowhere")))));
    assert!(nowhere.contains("nowhere") && nowhere.contains("cannot be read"), "{nowhere}");
    let another = Settings { database: 3, ..with(None) };
    assert!(refused(another).contains("wants a password"));

    let unknown = Settings { user: Some("nobody".to_owned()), ..with(file("right", CANARY)) };
    assert!(refused(unknown).contains("refuses the user or the password"));

    let right = RedisStore::new(with(file("right", CANARY)));
    right.save(&id(), &numbered(1)).unwrap();
    assert_eq!(right.load(&id()).unwrap(), Some(numbered(1)));
    // A password that is changed is read anew.
    std::fs::write(folder.path().join("wrong"), CANARY).unwrap();
    let mended = RedisStore::new(with(Some(SecretRef::File(folder.path().join("wrong")))));
    assert_eq!(mended.load(&id()).unwrap(), Some(numbered(1)));
}

#[test]
fn a_user_who_may_not_do_it_is_told_what_to_allow() {
    let server = Redis::start(&[
        "--user",
        "host",
        "on",
        ">canary-host",
        "~midplane:*",
        "&midplane:*",
        "+hget",
        "+hstrlen",
        "+select",
        "+ping",
    ]);
    let folder = Scratch::new("redis").unwrap();
    std::fs::write(folder.path().join("p"), "canary-host").unwrap();
    let password = Some(SecretRef::File(folder.path().join("p")));
    let settings = Settings { user: Some("host".to_owned()), password, ..settings(&server.address()) };
    let store = RedisStore::new(settings);
    assert_eq!(store.load(&id()).unwrap(), None);
    let error = store.save(&id(), &numbered(1)).unwrap_err();
    assert_eq!(error.code(), Code::Storage);
    assert!(whole(&error).contains("&midplane:* +hget"), "{}", whole(&error));
}

#[test]
fn a_server_that_is_not_there_and_a_password_that_is_not_asked_for_are_told_apart() {
    let mut server = Redis::start(&[]);
    let folder = Scratch::new("redis").unwrap();
    std::fs::write(folder.path().join("p"), CANARY).unwrap();
    let password = Some(SecretRef::File(folder.path().join("p")));
    let said = refused(Settings { password, ..settings(&server.address()) });
    assert!(said.contains("has no password, and is sent one"), "{said}");
    server.kill();
    let said = refused(settings(&server.address()));
    assert!(said.contains("cannot be reached") && said.contains("start it"), "{said}");
}

#[test]
fn a_server_that_accepts_and_never_answers_is_given_up_after_its_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let timeout = Duration::from_millis(50);
    let silent_one = Settings { timeout, ..settings(&silent.local_addr().unwrap().to_string()) };
    assert!(refused(silent_one.clone()).contains("has not answered within 50ms"));
    // The login as well.
    let folder = Scratch::new("redis").unwrap();
    std::fs::write(folder.path().join("p"), CANARY).unwrap();
    let password = Some(SecretRef::File(folder.path().join("p")));
    assert!(refused(Settings { password, ..silent_one.clone() }).contains("has not answered"));
    // A host that cannot know what a plugin's configuration is does not load it.
    let host = Host::new(RedisStore::new(silent_one));
    assert_eq!(host.load().unwrap_err().code(), Code::Storage);
}

#[test]
fn what_is_no_redis_server_is_said_to_be_none() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    // It ends with the process.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 512]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let said = refused(settings(&address));
    assert!(said.contains("is no Redis server"), "{said}");
}

#[test]
fn a_socket_in_the_file_system_does_as_well_as_a_port() {
    let folder = Scratch::new("redis").unwrap();
    let socket = folder.path().join("s").display().to_string();
    let _server = Redis::start(&["--unixsocket", &socket]);
    let store = RedisStore::new(settings(&socket));
    store.save(&id(), &numbered(7)).unwrap();
    assert_eq!(store.load(&id()).unwrap(), Some(numbered(7)));
}
