//! TLS: whom the host trusts, and what is said when a server is somebody else.

use std::path::Path;
use std::sync::Arc;

use midplane_contract::{Code, Error, Result};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, RootCertStore};

use crate::fault;
use crate::settings::Settings;

/// Reads the authorities.
///
/// # Errors
/// `config_invalid` when the additional file cannot be read or holds none.
pub(crate) fn config(settings: &Settings) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    if settings.system_authorities {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "some of the system's certificate authorities cannot be read");
        }
        roots.add_parsable_certificates(found.certs);
    }
    if let Some(file) = &settings.extra_authorities {
        for certificate in certificates(file)? {
            roots.add(certificate).map_err(|error| unusable(file, &error.to_string()))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| Error::new(Code::Internal, format!("TLS cannot be set up: {error}")))?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let wrong = |error: rustls::pki_types::pem::Error| unusable(file, &error.to_string());
    let found: Vec<_> = CertificateDer::pem_file_iter(file).map_err(wrong)?.collect::<Result<_, _>>().map_err(wrong)?;
    if found.is_empty() {
        return Err(unusable(file, "no certificate is in it"));
    }
    Ok(found)
}

fn unusable(file: &Path, why: &str) -> Error {
    let message = format!("the file of additional authorities {} cannot be used: {why}", file.display());
    Error::new(Code::ConfigInvalid, message).remedy("name a PEM file, with BEGIN CERTIFICATE").with("stage", "tls")
}

/// What a failed handshake means.
pub(crate) fn explain(shown: &str, error: &std::io::Error) -> Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let Some(inner) = inner else {
        return fault::no_tls(Code::PeerGone, shown, &error.to_string(), "check that TLS is spoken there");
    };
    let (code, why, remedy) = match inner {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => (
            Code::SignatureInvalid,
            "its certificate is not signed by an authority that this host trusts".to_owned(),
            "let the host's operator add that authority, if it is the right one",
        ),
        rustls::Error::InvalidCertificate(reason) => (
            Code::SignatureInvalid,
            format!("its certificate is refused: {reason}"),
            "check the host's name and clock, and tell that service's operator",
        ),
        rustls::Error::AlertReceived(alert) => {
            (Code::ProtocolError, format!("it refuses with {alert:?}"), "tell that service's operator")
        }
        other => (Code::ProtocolError, other.to_string(), "check that TLS is spoken there, or write http://"),
    };
    fault::caused(fault::no_tls(code, shown, &why, remedy), inner)
}
