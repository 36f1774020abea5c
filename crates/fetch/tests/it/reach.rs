//! Which machines are reached, over redirects too.

use midplane_contract::Code;
use midplane_kernel::fetch::FetchRequest;

use crate::server::Server;
use crate::stage::{Rules, fails, fetch, get};

#[test]
fn a_machine_that_is_not_public_is_not_even_connected_to_unless_it_is_named() {
    let server = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    for host in
        ["127.0.0.1", "0x7f.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "a.test", "mapped.test", "metadata.test"]
    {
        let failed = fails(&get(&server.url(host, "/")), &Rules::default());
        assert_eq!(failed, (Code::PermissionDenied, "resolve".into()), "{host}");
    }
    assert!(server.seen().is_empty());
    let named = Rules::naming(&["a.test", "two.test"]);
    assert_eq!(fetch(&get(&server.url("a.test", "/")), &named).unwrap().body, b"ok");
    assert_eq!(fetch(&get(&server.url("two.test", "/")), &named).unwrap().body, b"ok", "the second address answers");
}

#[test]
fn a_refusal_does_not_tell_what_is_behind_a_name() {
    let error = fetch(&get("http://metadata.test/latest"), &Rules::default()).unwrap_err();
    assert!(!format!("{error:?}").contains("169.254"), "{error:?}");
}

#[test]
fn a_redirect_to_a_machine_that_is_not_public_is_not_followed() {
    let inner = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    let outer = Server::leading_to(302, &inner.url("b.test", "/secrets"));
    let failed = fails(&get(&outer.url("a.test", "/")), &Rules::naming(&["a.test"]));
    assert_eq!(failed, (Code::PermissionDenied, "resolve".into()));
    assert!(inner.seen().is_empty());
}

#[test]
fn every_redirect_passes_the_gate() {
    let inner = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    let outer = Server::leading_to(307, &inner.url("b.test", "/x?y"));
    let rules = Rules { denied: vec!["b.test"], ..Rules::naming(&["a.test", "b.test"]) };
    let error = fetch(&get(&outer.url("a.test", "/")), &rules).unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied);
    assert_eq!(rules.asked(), [outer.url("a.test", "/"), inner.url("b.test", "/x?y")]);
    assert!(inner.seen().is_empty());
}

#[test]
fn what_says_who_asks_does_not_go_to_another_origin() {
    let inner = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    let outer = Server::leading_to(307, &inner.url("b.test", "/"));
    let headers = vec![("authorization", "hidden"), ("cookie", "hidden"), ("x-api-key", "hidden"), ("accept", "a/b")];
    let url = outer.url("a.test", "/");
    let request = FetchRequest { method: "POST", headers, body: b"body", ..get(&url) };
    fetch(&request, &Rules::naming(&["a.test", "b.test"])).unwrap();
    assert!(outer.seen()[0].contains("authorization: hidden"));
    let seen = &inner.seen()[0];
    assert!(!seen.contains("hidden") && seen.contains("accept: a/b") && seen.ends_with("body"), "{seen}");
}

#[test]
fn no_cookie_is_kept() {
    let server = Server::new(|request, out| {
        let more = if request.starts_with("GET /first") { "302 Found\r\nlocation: /second" } else { "200 OK" };
        write!(out, "HTTP/1.1 {more}\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n")
    });
    fetch(&get(&server.url("a.test", "/first")), &Rules::naming(&["a.test"])).unwrap();
    let seen = server.seen();
    assert!(seen.len() == 2 && !seen[1].contains("cookie"), "{seen:?}");
}

#[test]
fn redirects_without_end_are_ended() {
    let server = Server::leading_to(302, "/again");
    let rules = Rules::naming(&["a.test"]);
    assert_eq!(fails(&get(&server.url("a.test", "/")), &rules), (Code::LimitExceeded, "redirect".into()));
    assert_eq!(server.seen().len(), 11);
}

#[test]
fn a_redirect_to_what_cannot_be_asked_for_is_an_error() {
    for location in ["file:///etc/passwd", "http://user:word@b.test/", "http://[::1"] {
        let server = Server::leading_to(302, location);
        let failed = fails(&get(&server.url("a.test", "/")), &Rules::naming(&["a.test", "b.test"]));
        assert_eq!(failed, (Code::ProtocolError, "redirect".into()), "{location}");
    }
}
