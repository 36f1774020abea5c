//! Whether there is anything to work with.

use midplane_contract::{Code, HealthStatus, State};
use midplane_kernel::block_on;

use super::{ASK, Done, Ground, failed};
use crate::suite::excerpt;
use crate::suite::verdict::FailureKind;

/// Errors of the manifest end the suite before it begins: here it is about what this host makes of it.
pub(super) fn sound(ground: &mut Ground<'_>) -> Done {
    let policy = ground.stage.policy(&ground.config);
    let refusals = ground.stage.kernel().refusals(ground.manifest, &policy);
    if let Some(first) = refusals.first() {
        return Err(first.clone().into());
    }
    Ok(ground.warnings.iter().map(|fault| excerpt::text(&format!("{} ({})", fault.message, fault.remedy))).collect())
}

pub(super) fn loads(ground: &mut Ground<'_>) -> Done {
    ground.fresh()?;
    let status = ground.stage.status()?;
    let Some(generation) = status.generation.filter(|_| status.state == State::Running) else {
        return Err(failed(FailureKind::Lifecycle, format!("it is {} after a load, not running", status.state)));
    };
    let again = ground.stage.operate("loading again", ASK, |kernel, id| block_on(kernel.load(&id)));
    match again {
        Err(error) if error.code() == Code::AlreadyLoaded => {}
        Err(error) => return Err(error.into()),
        Ok(()) => return Err(failed(FailureKind::Lifecycle, "it can be loaded twice")),
    }
    Ok(generation.stays_loaded.map(|why| format!("its code stays in memory: {why}")).into_iter().collect())
}

pub(super) fn offers(ground: &mut Ground<'_>) -> Done {
    ground.fresh()?;
    let offered = ground.actions();
    let declared = ground.manifest.actions.iter().map(|spec| spec.name.as_str());
    let missing: Vec<&str> = declared.filter(|name| !offered.iter().any(|offered| offered == name)).collect();
    if !missing.is_empty() {
        let reason = format!("the manifest declares what the code does not have: {}", missing.join(", "));
        let has = if offered.is_empty() { "no actions".to_owned() } else { offered.join(", ") };
        return Err(failed(FailureKind::WrongAnswer, format!("{reason}; it has {has}")));
    }
    let hooks = ground.stage.status()?.generation.map(|generation| generation.hooks).unwrap_or_default();
    if offered.is_empty() && ground.manifest.provides.is_empty() && !hooks.contains(&"event") {
        return Err(failed(
            FailureKind::WrongAnswer,
            "there is nothing to call: no action, no subscription, no service",
        ));
    }
    Ok(Vec::new())
}

pub(super) fn health(ground: &mut Ground<'_>) -> Done {
    ground.fresh()?;
    let health = ground.stage.operate("health", ASK, |kernel, id| block_on(kernel.health(&id)))?;
    let details = excerpt::text(&serde_json::to_string(&health.details).unwrap_or_default());
    ground.alive()?;
    match health.status {
        HealthStatus::Healthy => Ok(Vec::new()),
        HealthStatus::Degraded => Ok(vec![format!("it says that it is degraded: {details}")]),
        HealthStatus::Unhealthy => {
            Err(failed(FailureKind::WrongAnswer, format!("it says that it is unhealthy, just loaded: {details}")))
        }
    }
}
