//! The part of the kernel's face that is about what needs what.

use std::time::Instant;

use midplane_contract::manifest::Dependency;
use midplane_contract::{Code, Error, PluginId, Result, defaults};

use super::Kernel;
use crate::catalog::VersionInfo;
use crate::lasting::to_its_end;
use crate::operate;
use crate::resolve::{self, Available, Plan, Release, Request, Requirement};

impl Kernel {
    /// Everything that is registered, to choose from, with the marks of its versions ([`crate::catalog::Marks`]). Versions
    /// from elsewhere may be added before it is resolved.
    ///
    /// # Errors
    /// `storage`, where the marks cannot be read.
    pub fn available(&self) -> Result<Available> {
        let mut available = Available::new();
        for plugin in self.inner.plugins() {
            let release = operate::release(&plugin);
            let marks = self.inner.catalog.versions(&plugin.id)?.into_iter().find(|it| it.version == release.version);
            available.add(plugin.id.clone(), if let Some(marks) = marks { marked(release, &marks) } else { release });
        }
        Ok(available)
    }

    /// What would be loaded for these, in which order; with sources of packages ([`super::Builder::package_source`]) also what
    /// would have to be fetched: its steps are [`resolve::Standing::Offered`]. Nothing is loaded or fetched. Blocks as long
    /// as the sources do.
    ///
    /// # Errors
    /// As [`resolve::resolve`], those of the sources, and `deadline_exceeded` after 10 s.
    pub fn resolve(&self, roots: Vec<Requirement>) -> Result<Plan> {
        let late = Instant::now() + defaults::RESOLVE_DEADLINE;
        let stop = move || if Instant::now() < late { Ok(()) } else { Err(operate::too_long()) };
        let selection = self.inner.selection;
        let request = Request { selection, platform: Some(self.platform()), stop: &stop, ..Request::new(roots) };
        let mut available = self.available()?;
        for source in &self.inner.sources {
            resolve::add_offered(&mut available, source.as_ref(), &request.roots, &stop)?;
        }
        Ok(resolve::resolve(&available, &request)?)
    }

    /// What a plugin depends on itself: by its manifest, its code, and [`Kernel::add_dependency`].
    ///
    /// # Errors
    /// `plugin_not_found`.
    pub fn dependencies(&self, id: &PluginId) -> Result<Vec<Dependency>> {
        Ok(self.inner.plugin(id)?.life().found.manifest.dependencies.clone())
    }

    /// The plugins that depend on one themselves, and how, by id; loaded or not, registered or not.
    #[must_use]
    pub fn dependents(&self, id: &PluginId) -> Vec<(PluginId, Dependency)> {
        let on = |needed: &&Dependency| needed.id == *id;
        let of = |plugin: &std::sync::Arc<crate::plugin::Plugin>| {
            let needed = operate::needs(&plugin.life().found.manifest).find(on)?.clone();
            Some((plugin.id.clone(), needed))
        };
        self.inner.plugins().iter().filter_map(of).collect()
    }

    /// What a plugin must have and is not registered in a version that fits. A plugin is registered all the same: what it
    /// needs may come later, and loading says so if it has not.
    ///
    /// # Errors
    /// `plugin_not_found`.
    pub fn unmet(&self, id: &PluginId) -> Result<Vec<Error>> {
        let manifest = self.inner.plugin(id)?.life().found.manifest.clone();
        let required = operate::needs(&manifest).filter(|needed| !needed.optional);
        Ok(required.filter_map(|needed| operate::met(&self.inner, needed).err()).collect())
    }

    /// Adds a dependency to those that a plugin declares itself. It counts from the next load, and stays over reloads.
    ///
    /// # Errors
    /// `plugin_not_found`; `dependency_cycle {edges}` where that would close a circle, and nothing is added.
    pub fn add_dependency(&self, id: &PluginId, dependency: Dependency) -> Result<()> {
        let plugin = self.inner.plugin(id)?;
        let mut available = Available::new();
        for other in self.inner.plugins() {
            let mut release = operate::release(&other);
            // Whether it can run, and whether versions fit, is for loading to say; here it is about circles.
            release.dependencies.extend((other.id == *id).then(|| dependency.clone()));
            release.dependencies.iter_mut().for_each(|needed| needed.version = midplane_contract::VersionRange::any());
            release.version = midplane_contract::Version::new(1, 0, 0);
            available.add(other.id.clone(), release);
        }
        match resolve::resolve(&available, &Request::new(vec![Requirement::any(id.clone())])) {
            Err(refusal) if refusal.code == Code::DependencyCycle => return Err(Error::from(refusal).plugin(id)),
            _ => {}
        }
        let mut life = plugin.life();
        life.added.push(dependency.clone());
        life.found.manifest.dependencies.push(dependency);
        Ok(())
    }

    /// Unloads a plugin together with everything that needs it: dependents are stopped and unloaded first. Returns what
    /// was unloaded, in that order.
    ///
    /// # Errors
    /// As [`Kernel::unload`], but `has_dependents` only where new ones keep coming.
    pub async fn unload_cascade(&self, id: &PluginId) -> Result<Vec<PluginId>> {
        let (kernel, id) = self.of(id);
        to_its_end(async move { operate::unload_cascade(&kernel, &id).await }).await
    }
}

/// A version as its marks say that it is.
fn marked(release: Release, marks: &VersionInfo) -> Release {
    // A pre-release is told by its version.
    let stable = marks.is_stable || !release.version.pre.is_empty();
    let deprecated = marks.is_deprecated.then(|| "it is marked as deprecated".to_owned());
    Release { stable, deprecated, ..release }
}
