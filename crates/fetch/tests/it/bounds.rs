//! Servers that never end.

use std::thread;
use std::time::Duration;

use midplane_contract::Code;

use crate::server::{Server, mute};
use crate::stage::{Rules, fails, get, soon};

fn rules() -> Rules {
    Rules::naming(&["127.0.0.1"])
}

#[test]
fn headers_that_drip_in_are_awaited_until_the_deadline() {
    let server = Server::new(|_, out| {
        for byte in b"HTTP/1.1 200 OK\r\nx: ".iter().chain(std::iter::repeat(&b'a')) {
            out.write_all(&[*byte])?;
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    });
    assert_eq!(fails(&soon(&server.url("127.0.0.1", "/")), &rules()), (Code::DeadlineExceeded, "headers".into()));
}

#[test]
fn a_body_that_drips_in_is_awaited_until_the_deadline() {
    let server = Server::new(|_, out| {
        out.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        loop {
            out.write_all(b"a")?;
            thread::sleep(Duration::from_millis(10));
        }
    });
    assert_eq!(fails(&soon(&server.url("127.0.0.1", "/")), &rules()), (Code::DeadlineExceeded, "body".into()));
}

#[test]
fn a_server_that_says_nothing_is_awaited_until_the_deadline() {
    let (_listener, port) = mute();
    let plain = format!("http://127.0.0.1:{port}/");
    assert_eq!(fails(&soon(&plain), &rules()), (Code::DeadlineExceeded, "headers".into()));
    let secure = format!("https://127.0.0.1:{port}/");
    assert_eq!(fails(&soon(&secure), &rules()), (Code::DeadlineExceeded, "tls".into()));
}

#[test]
fn a_body_without_end_is_ended_at_the_limit() {
    let server = Server::new(|_, out| {
        out.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        loop {
            out.write_all(&[b'a'; 4096])?;
        }
    });
    assert_eq!(fails(&get(&server.url("127.0.0.1", "/")), &rules()), (Code::LimitExceeded, "body".into()));
}

#[test]
fn a_body_that_announces_too_much_is_not_read() {
    let server = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 4294967296\r\n\r\n");
    assert_eq!(fails(&get(&server.url("127.0.0.1", "/")), &rules()), (Code::LimitExceeded, "body".into()));
}

#[test]
fn a_head_without_end_is_refused() {
    let server = Server::new(|_, out| {
        out.write_all(b"HTTP/1.1 200 OK\r\n")?;
        loop {
            out.write_all(b"x: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n")?;
        }
    });
    let (code, stage) = fails(&get(&server.url("127.0.0.1", "/")), &rules());
    assert_eq!((code, stage.as_str()), (Code::ProtocolError, "headers"));
}
