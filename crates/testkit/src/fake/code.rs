//! Loaded code of the fake.

use std::sync::Arc;

use midplane_contract::{Hook, Limits, Result};
use midplane_kernel::{Code, CodeFacts, Instance, InstanceContext};

use super::instance::FakeInstance;
use super::{Image, Program, Sabotage, Shared};

/// One loaded version.
pub(crate) struct FakeCode {
    shared: Arc<Shared>,
    image: Arc<Image>,
    program: Program,
    limits: Limits,
    facts: CodeFacts,
}

impl FakeCode {
    pub(crate) fn new(shared: Arc<Shared>, image: Arc<Image>, program: Program, limits: Limits) -> Self {
        let claims = shared.is(Sabotage::EveryHook);
        let own = program.hooks.iter().map(|(hook, _)| *hook);
        let facts = CodeFacts {
            actions: program.names.clone(),
            hooks: if claims { Hook::ALL.to_vec() } else { own.collect() },
            build_id: image.text.clone(),
            stays_loaded: shared.stays_loaded.clone(),
            info: program.info.clone(),
            ..CodeFacts::default()
        };
        Self { shared, image, program, limits, facts }
    }
}

impl Code for FakeCode {
    fn facts(&self) -> &CodeFacts {
        &self.facts
    }

    fn instantiate(&self, context: InstanceContext) -> Result<Box<dyn Instance>> {
        let (shared, image) = (Arc::clone(&self.shared), Arc::clone(&self.image));
        Ok(Box::new(FakeInstance::new(shared, image, self.program.clone(), self.limits.clone(), context)))
    }
}
