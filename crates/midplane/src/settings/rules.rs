//! What the settings decide about platforms and versions, as the kernel takes it.

use midplane_contract::settings::{AdapterSettings, Compatibility, Versions};
use midplane_kernel::platform::{AdapterRule, Detection, FallbackStrategy, Rules};
use midplane_kernel::resolve::Selection;

/// `compatibility`.
pub(super) fn rules(settings: &Compatibility) -> Rules {
    let adapter = |(name, rule): (&String, &AdapterSettings)| {
        let AdapterSettings { enabled, supported_formats, runtime } = rule.clone();
        (name.clone(), AdapterRule { enabled, supported_formats, runtime })
    };
    Rules {
        enable_fallback: settings.enable_fallback,
        strict_mode: settings.strict_mode,
        platform_detection: Detection {
            auto_detect: settings.auto_detect,
            override_os: settings.override_os.clone(),
            override_arch: settings.override_arch.clone(),
        },
        adapters: settings.adapters.iter().map(adapter).collect(),
        fallback_strategy: FallbackStrategy {
            prefer_native: settings.prefer_native,
            allow_emulation: settings.allow_emulation,
            max_fallback_attempts: settings.max_fallback_attempts as usize,
        },
    }
}

/// `versions`.
pub(super) fn selection(settings: &Versions) -> Selection {
    Selection { strategy: settings.strategy, allow_prerelease: settings.allow_prerelease }
}
