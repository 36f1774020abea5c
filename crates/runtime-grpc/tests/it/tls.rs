//! TLS: who is trusted, who has to show what, and what a refusal says.

use std::fs;

use midplane_contract::Code;
use midplane_runtime_grpc::Settings;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::json;
use tonic::transport::{Certificate, Identity, ServerTlsConfig};

use crate::service::{Service, State};
use crate::stage::Stage;

/// An authority, and what it signs.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for a name, and its key.
    fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

fn service(authority: &Authority, name: &str, clients: Option<&Authority>) -> Service {
    let (certificate, key) = authority.sign(name);
    let mut tls = ServerTlsConfig::new().identity(Identity::from_pem(certificate, key));
    if let Some(clients) = clients {
        tls = tls.client_ca_root(Certificate::from_pem(&clients.pem));
    }
    Service::with(State::new("secret"), Some(tls))
}

#[test]
fn a_service_whose_authority_is_named_is_trusted() {
    let authority = Authority::new();
    let service = service(&authority, "localhost", None);
    let stage = Stage::new(Settings::default());
    fs::write(stage.folder().join("ca.pem"), &authority.pem).unwrap();
    stage.load(&json!({ "endpoints": [service.address()], "tls": { "ca": "ca.pem" } })).unwrap();
    assert_eq!(stage.call("name", "").unwrap(), b"secret");
}

#[test]
fn a_wrong_authority_is_refused_by_name_with_what_to_do() {
    let service = service(&Authority::new(), "localhost", None);
    let stage = Stage::new(Settings::default());
    fs::write(stage.folder().join("other.pem"), Authority::new().pem).unwrap();
    let error = stage.load(&json!({ "endpoints": [service.address()], "tls": { "ca": "other.pem" } })).unwrap_err();
    assert_eq!(error.code(), Code::SignatureInvalid);
    let record = error.record();
    assert!(record.message.contains(&service.address()) && record.message.contains("other.pem"), "{error}");
    assert!(record.remedy.as_deref().is_some_and(|remedy| remedy.contains("entry.tls.ca")), "{record:?}");
    // Without any authority it is the system's, which did not sign it either.
    let stage = Stage::new(Settings::default());
    let error = stage.load(&json!({ "endpoints": [service.address()] })).unwrap_err();
    assert_eq!(error.code(), Code::SignatureInvalid, "{error}");
}

#[test]
fn a_certificate_for_another_name_is_refused_unless_that_name_is_expected() {
    let authority = Authority::new();
    let service = service(&authority, "elsewhere.test", None);
    let stage = Stage::new(Settings::default());
    fs::write(stage.folder().join("ca.pem"), &authority.pem).unwrap();
    let error = stage.load(&json!({ "endpoints": [service.address()], "tls": { "ca": "ca.pem" } })).unwrap_err();
    assert_eq!(error.code(), Code::SignatureInvalid, "{error}");
    let stage = Stage::new(Settings::default());
    fs::write(stage.folder().join("ca.pem"), &authority.pem).unwrap();
    let tls = json!({ "ca": "ca.pem", "server_name": "elsewhere.test" });
    stage.load(&json!({ "endpoints": [service.address()], "tls": tls })).unwrap();
}

#[test]
fn a_service_that_wants_a_certificate_of_its_host_gets_it() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let service = service(&authority, "localhost", Some(&clients));
    let (certificate, key) = clients.sign("host.test");
    let written = || {
        let stage = Stage::new(Settings::default());
        fs::write(stage.folder().join("ca.pem"), &authority.pem).unwrap();
        fs::write(stage.folder().join("host.pem"), &certificate).unwrap();
        fs::write(stage.folder().join("host.key"), &key).unwrap();
        stage
    };
    let stage = written();
    let tls = json!({ "ca": "ca.pem", "cert": "host.pem", "key": "host.key" });
    stage.load(&json!({ "endpoints": [service.address()], "tls": tls })).unwrap();
    assert_eq!(stage.call("name", "").unwrap(), b"secret");
    // Without one the service hangs up.
    let error = written().load(&json!({ "endpoints": [service.address()], "tls": { "ca": "ca.pem" } })).unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied, "{error}");
    assert!(error.record().remedy.as_deref().is_some_and(|remedy| remedy.contains("entry.tls.cert")), "{error}");
    // A key that belongs to another certificate is a fault of the manifest.
    let stage = written();
    fs::write(stage.folder().join("host.key"), clients.sign("other.test").1).unwrap();
    let tls = json!({ "ca": "ca.pem", "cert": "host.pem", "key": "host.key" });
    let error = stage.load(&json!({ "endpoints": [service.address()], "tls": tls })).unwrap_err();
    assert_eq!(error.code(), Code::ManifestInvalid, "{error}");
}

#[test]
fn the_clear_with_a_service_that_speaks_tls_says_what_may_be_wrong() {
    let service = service(&Authority::new(), "localhost", None);
    let clear = service.address().replace("grpcs://", "grpc://");
    let error = Stage::new(Settings::default()).load(&json!({ "endpoints": [clear] })).unwrap_err();
    let remedy = error.record().remedy.clone().unwrap_or_default();
    assert!(error.code() == Code::PeerGone && remedy.contains(&service.address()), "{error}: {remedy}");
}

#[test]
fn tls_with_a_service_in_the_clear_says_what_is_wrong() {
    let service = Service::start("a");
    let stage = Stage::new(Settings::default());
    let secure = service.address().replace("grpc://", "grpcs://");
    let error = stage.load(&json!({ "endpoints": [secure] })).unwrap_err();
    assert_eq!(error.code(), Code::PeerGone);
    assert!(error.record().message.contains("TLS"), "{error}");
    let missing = Stage::new(Settings::default());
    let error = missing.load(&json!({ "endpoints": [secure], "tls": { "ca": "nowhere.pem" } })).unwrap_err();
    assert_eq!(error.code(), Code::ManifestInvalid);
    assert!(error.record().message.contains("nowhere.pem"), "{error}");
}
