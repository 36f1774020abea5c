//! The runtime: from a manifest to connected endpoints.

use std::sync::Arc;

use midplane_contract::{Limit, Limits, Placement, Result, RuntimeKind};
use midplane_kernel::{Code, LoadRequest, Runtime};

use crate::code::GrpcCode;
use crate::discovery;
use crate::engine::engine;
use crate::fleet::Fleet;
use crate::session::Session;
use crate::settings::Settings;
use crate::tls::Tls;

/// Runs plugins that are gRPC services, with the contract's numbers unless it is given others.
#[derive(Debug, Clone, Default)]
pub struct GrpcRuntime {
    settings: Settings,
}

impl GrpcRuntime {
    /// A runtime with these settings for all plugins; manifests override them.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }
}

impl Runtime for GrpcRuntime {
    fn serves(&self) -> (RuntimeKind, Placement) {
        (RuntimeKind::Remote, Placement::Remote)
    }

    /// Another machine's memory, processor and files are not ours to bound.
    fn unenforceable(&self, limits: &Limits) -> Vec<&'static str> {
        limits.set_among(&Limit::RESOURCES)
    }

    fn load(&self, request: &LoadRequest) -> Result<Arc<dyn Code>> {
        let settings = self.settings.with(&request.manifest.entry.remote.connection);
        let discovery = discovery::of(request, &settings)?;
        let tls = if discovery.is_secure() { Some(Tls::new(request)?) } else { None };
        let session = Session::new(request, settings, tls);
        let fleet = Fleet::assemble(session, engine()?, discovery)?;
        fleet.arrive()?;
        let Some(offer) = fleet.session.offer.get().cloned() else { return Err(fleet.nobody()) };
        Ok(Arc::new(GrpcCode::new(fleet, &offer, &request.manifest)))
    }
}
