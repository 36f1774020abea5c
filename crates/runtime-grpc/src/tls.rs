//! TLS: whom the host trusts, what it shows, and what is said when that does not fit.

use std::path::Path;
use std::sync::Arc;

use midplane_contract::manifest::TlsSpec;
use midplane_contract::{Code, Error, Result};
use midplane_kernel::LoadRequest;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, RootCertStore};

/// TLS as one plugin wants it.
#[derive(Debug)]
pub(crate) struct Tls {
    pub(crate) config: Arc<ClientConfig>,
    /// The name that certificates must bear, where it is not the address's host.
    server_name: Option<String>,
    /// The authority's file, for messages.
    authority: Option<String>,
}

impl Tls {
    /// Reads the certificates that a manifest names.
    ///
    /// # Errors
    /// `manifest_invalid` with the file that is missing or holds something else.
    pub(crate) fn new(request: &LoadRequest) -> Result<Self> {
        let spec = request.manifest.entry.remote.tls.clone().unwrap_or_default();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| unusable("TLS cannot be set up", &error))?;
        let builder = builder.with_root_certificates(roots(&spec, &request.folder)?);
        let mut config = match identity(&spec, &request.folder)? {
            Some((chain, key)) => builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| unusable("`tls.cert` and `tls.key` do not fit each other", &error))?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self { config: Arc::new(config), server_name: spec.server_name, authority: spec.ca })
    }

    /// The name that the certificate of this host must bear.
    pub(crate) fn name(&self, host: &str) -> Result<ServerName<'static>> {
        let name = self.server_name.as_deref().unwrap_or(host);
        ServerName::try_from(name.to_owned()).map_err(|error| {
            Error::new(Code::ManifestInvalid, format!("`{name}` is no name that a certificate can bear"))
                .remedy("set `entry.tls.server_name`")
                .caused_by(&error)
        })
    }

    /// What a failed handshake means. `address` is the endpoint's.
    pub(crate) fn explain(&self, address: &str, error: &rustls::Error) -> Error {
        let trusted = self.authority.as_deref().map_or("the system's authorities", |file| file);
        let (code, message, remedy) = match error {
            rustls::Error::InvalidCertificate(
                CertificateError::UnknownIssuer
                | CertificateError::BadSignature
                | CertificateError::UnhandledCriticalExtension,
            ) => (
                Code::SignatureInvalid,
                format!("the certificate of {address} is not signed by {trusted}"),
                "name the authority that signed it in `entry.tls.ca`; if it should be this one, somebody else answers there",
            ),
            rustls::Error::InvalidCertificate(reason) => (
                Code::SignatureInvalid,
                format!("the certificate of {address} is refused: {reason}"),
                "correct the certificate, or name what it bears in `entry.tls.server_name`",
            ),
            rustls::Error::AlertReceived(alert) => return refused(address, &format!("{alert:?}")),
            _ => (
                Code::PeerGone,
                format!("there is no TLS with {address}: {error}"),
                "check that the service speaks TLS there; write `grpc://` if it does not",
            ),
        };
        Error::new(code, message).remedy(remedy).with("endpoint", address).caused_by(error)
    }
}

/// What it means that a service ended TLS with an alert.
pub(crate) fn refused(address: &str, alert: &str) -> Error {
    Error::new(Code::PermissionDenied, format!("{address} refuses the host's certificate: {alert}"))
        .remedy("name one that it accepts in `entry.tls.cert` and `entry.tls.key`")
        .with("endpoint", address)
}

fn roots(spec: &TlsSpec, folder: &Path) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let Some(file) = &spec.ca else {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        return Ok(roots);
    };
    for certificate in certificates(folder, file)? {
        roots.add(certificate).map_err(|error| unusable(&format!("`{file}` holds no authority"), &error))?;
    }
    Ok(roots)
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn identity(spec: &TlsSpec, folder: &Path) -> Result<Option<Identity>> {
    let (Some(cert), Some(key)) = (&spec.cert, &spec.key) else { return Ok(None) };
    let chain = certificates(folder, cert)?;
    let key = PrivateKeyDer::from_pem_file(folder.join(key))
        .map_err(|error| unusable(&format!("`{key}` holds no private key"), &error))?;
    Ok(Some((chain, key)))
}

fn certificates(folder: &Path, file: &str) -> Result<Vec<CertificateDer<'static>>> {
    let wrong = |error| unusable(&format!("`{file}` holds no certificate"), &error);
    let found: Vec<_> =
        CertificateDer::pem_file_iter(folder.join(file)).map_err(wrong)?.collect::<Result<_, _>>().map_err(wrong)?;
    if found.is_empty() {
        return Err(Error::new(Code::ManifestInvalid, format!("`{file}` holds no certificate"))
            .remedy("it has to be PEM, with BEGIN CERTIFICATE"));
    }
    Ok(found)
}

fn unusable(what: &str, cause: &(dyn std::error::Error + 'static)) -> Error {
    Error::new(Code::ManifestInvalid, format!("{what}: {cause}"))
        .remedy("correct `entry.tls`; its files are PEM, in the plugin's folder")
        .caused_by(cause)
}

/// The TLS fault in a chain of errors.
pub(crate) fn fault<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(fault) = error.downcast_ref::<rustls::Error>() {
            return Some(fault);
        }
        if let Some(inner) = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref)
            && let Some(fault) = fault(inner)
        {
            return Some(fault);
        }
        next = error.source();
    }
    None
}
