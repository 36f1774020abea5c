//! What goes out and what comes back.

use midplane_contract::Code;
use midplane_fetch::{Client, Settings};
use midplane_kernel::fetch::{Fetch, FetchRequest};

use crate::server::{Server, silent_port};
use crate::stage::{Rules, fails, fetch, get};

#[test]
fn method_headers_and_body_go_out_and_status_headers_and_body_come_back() {
    let server = Server::saying(
        "HTTP/1.1 404 Not Found\r\nX-Two: a\r\nx-two: b\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n\
         3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    );
    let url = server.url("127.0.0.1", "/p/../q?x=1#part");
    let request = FetchRequest { method: "put", headers: vec![("X-One", "1")], body: b"body", ..get(&url) };
    let answer = fetch(&request, &Rules::naming(&["127.0.0.1"])).unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (404, b"abcde".as_slice()));
    let pairs: Vec<_> = answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(pairs, [("x-two", "a"), ("x-two", "b")]);
    let [seen] = server.seen().try_into().unwrap();
    assert!(seen.starts_with("PUT /q?x=1 HTTP/1.1\r\n"), "{seen}");
    for line in ["x-one: 1", &format!("host: 127.0.0.1:{}", server.port), "content-length: 4", "user-agent: midplane/"]
    {
        assert!(seen.contains(line), "{line} is not in {seen}");
    }
    assert!(seen.ends_with("\r\n\r\nbody") && !seen.contains("accept-encoding"), "{seen}");
}

#[test]
fn an_answer_to_head_and_one_without_content_have_no_body() {
    let server = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n");
    let url = server.url("127.0.0.1", "/");
    let head = FetchRequest { method: "HEAD", ..get(&url) };
    assert_eq!(fetch(&head, &Rules::naming(&["127.0.0.1"])).unwrap().body, b"");
    let server = Server::saying("HTTP/1.1 204 No Content\r\n\r\n");
    assert_eq!(fetch(&get(&server.url("127.0.0.1", "/")), &Rules::naming(&["127.0.0.1"])).unwrap().status, 204);
}

#[test]
fn each_stage_that_fails_says_so() {
    let rules = Rules::naming(&["127.0.0.1", "nowhere.test"]);
    assert_eq!(fails(&get("http://nowhere.test/"), &rules), (Code::PeerGone, "resolve".into()));
    let refused = format!("http://127.0.0.1:{}/", silent_port());
    assert_eq!(fails(&get(&refused), &rules), (Code::PeerGone, "connect".into()));
    let babble = Server::saying("this is no HTTP\r\n\r\n");
    assert_eq!(fails(&get(&babble.url("127.0.0.1", "/")), &rules), (Code::ProtocolError, "headers".into()));
    let mute = Server::saying("");
    assert_eq!(fails(&get(&mute.url("127.0.0.1", "/")), &rules), (Code::PeerGone, "headers".into()));
    let short = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc");
    assert_eq!(fails(&get(&short.url("127.0.0.1", "/")), &rules), (Code::PeerGone, "body".into()));
    assert_eq!(fails(&get("ftp://127.0.0.1/"), &rules), (Code::InvalidInput, "address".into()));
}

#[test]
fn no_error_holds_a_query_or_a_header() {
    let rules = Rules::naming(&["127.0.0.1"]);
    let short = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc");
    for url in [format!("http://127.0.0.1:{}/p?key=hidden", silent_port()), short.url("127.0.0.1", "/p?key=hidden")] {
        let request = FetchRequest { headers: vec![("authorization", "hidden")], ..get(&url) };
        let error = fetch(&request, &rules).unwrap_err();
        assert!(!format!("{error:?}").contains("hidden"), "{error:?}");
        assert!(error.to_string().contains("/p?**"), "{error}");
    }
}

#[test]
fn names_are_looked_up_as_the_system_does_unless_told_otherwise() {
    let server = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    let client = Client::new(Settings::default());
    let answer = client.fetch(&get(&server.url("localhost", "/")), &Rules::naming(&["localhost"])).unwrap();
    assert_eq!(answer.body, b"ok");
}
