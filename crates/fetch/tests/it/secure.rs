//! TLS: who is trusted, and what a refusal says.

use std::fs;

use midplane_contract::{Code, Error};
use midplane_fetch::{Client, Settings};
use midplane_kernel::fetch::Fetch;

use crate::server::{Authority, Server};
use crate::stage::{Rules, get, settings};

fn rules() -> Rules {
    Rules::naming(&["a.test", "b.test"])
}

fn refused(settings: Settings, url: &str) -> Error {
    Client::new(settings).fetch(&get(url), &rules()).unwrap_err()
}

fn trusting(folder: &tempfile::TempDir, authority: &Authority) -> Settings {
    let file = folder.path().join("authority.pem");
    fs::write(&file, &authority.pem).unwrap();
    Settings { extra_authorities: Some(file), ..settings() }
}

#[test]
fn a_server_whose_authority_is_named_is_trusted_under_its_own_name_alone() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let server = Server::secure(&authority.sign("a.test"));
    let url = |host: &str| format!("https://{host}:{}/", server.port);
    let client = Client::new(trusting(&folder, &authority));
    assert_eq!(client.fetch(&get(&url("a.test")), &rules()).unwrap().body, b"ok");
    let error = client.fetch(&get(&url("b.test")), &rules()).unwrap_err();
    assert_eq!(error.code(), Code::SignatureInvalid, "{error}");
    assert_eq!(error.record().data.get("stage").unwrap(), "tls");
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_server_that_nobody_vouches_for_is_refused() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let server = Server::secure(&authority.sign("a.test"));
    let url = format!("https://a.test:{}/", server.port);
    for settings in
        [settings(), Settings { system_authorities: true, ..settings() }, trusting(&folder, &Authority::new())]
    {
        let error = refused(settings, &url);
        assert_eq!(error.code(), Code::SignatureInvalid, "{error}");
        assert!(error.to_string().contains("authority"), "{error}");
    }
    assert!(server.seen().is_empty());
}

#[test]
fn a_server_that_speaks_no_tls_is_said_to() {
    let server = Server::saying("HTTP/1.1 400 Bad Request\r\n\r\n");
    let error = refused(settings(), &format!("https://a.test:{}/", server.port));
    assert_eq!(error.record().data.get("stage").unwrap(), "tls", "{error}");
}

#[test]
fn a_file_of_authorities_that_holds_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("empty.pem");
    fs::write(&file, "nothing").unwrap();
    let error = refused(Settings { extra_authorities: Some(file), ..settings() }, "https://a.test/");
    assert_eq!(error.code(), Code::ConfigInvalid);
    assert!(error.to_string().contains("empty.pem"), "{error}");
}
