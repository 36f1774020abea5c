//! Folders that hold plugins.

use std::path::{Path, PathBuf};

use midplane::contract::Settings;
use midplane::resolve::{Available, Release, Standing};
use midplane::settings::Unusable;
use midplane::{Stores, discover};

use crate::args::{Data, DataFolder, Folders};
use crate::exit::{Outcome, Stop};
use crate::host::Host;
use crate::input::unreadable;

/// The variable that names folders where `--plugins` does not.
pub(crate) const VARIABLE: &str = "MIDPLANE_PLUGINS";

impl Folders {
    /// Whether any is named.
    pub(crate) fn is_named(&self) -> bool {
        !self.plugins.is_empty() || std::env::var_os(VARIABLE).is_some_and(|folders| !folders.is_empty())
    }

    /// The folders to look in: those that are named, else those of settings that are given.
    ///
    /// # Errors
    /// Usage when none is named; not found for one that is named and not there.
    pub(crate) fn chosen(&self, settings: Option<&Settings>) -> Outcome<Chosen> {
        if let (Some(settings), false) = (settings, self.is_named()) {
            return Ok(Chosen::of(settings));
        }
        let mut folders = self.plugins.clone();
        if folders.is_empty() {
            let variable = std::env::var_os(VARIABLE).unwrap_or_default();
            folders = std::env::split_paths(&variable).filter(|folder| !folder.as_os_str().is_empty()).collect();
        }
        if folders.is_empty() {
            let remedy =
                format!("name one with --plugins DIR, several in {VARIABLE}, separated like PATH, or settings that do");
            return Err(Stop::usage("no folder with plugins is named", remedy));
        }
        let folders = folders.iter().map(|folder| expanded(folder)).collect::<Outcome<Vec<PathBuf>>>()?;
        Ok(Chosen { folders, unusable: Vec::new() })
    }

    /// Registers everything in the folders, and returns what cannot be. A folder that is itself a plugin is one.
    ///
    /// # Errors
    /// As [`Folders::chosen`], and a folder that is named and cannot be read.
    pub(crate) async fn register(&self, host: &Host) -> Outcome<Vec<Unusable>> {
        let Chosen { folders, mut unusable } = self.chosen(host.given_settings())?;
        folders.iter().try_for_each(|folder| searchable(folder))?;
        for found in discover::scan(&folders) {
            let registered = match found {
                Ok(found) => {
                    let path = if found.bare { found.main } else { found.folder };
                    host.kernel().register(&path).await.map(drop).map_err(|error| (path, error))
                }
                Err(broken) => Err(broken),
            };
            unusable.extend(registered.err().map(|(path, error)| Unusable { path, error }));
        }
        Ok(unusable)
    }

    /// Everything in the folders to choose from, every version of every plugin, and what cannot be.
    ///
    /// # Errors
    /// As [`Folders::register`].
    pub(crate) async fn available(&self, host: &Host) -> Outcome<(Available, Vec<Unusable>)> {
        let Chosen { folders, mut unusable } = self.chosen(host.given_settings())?;
        folders.iter().try_for_each(|folder| searchable(folder))?;
        let mut available = Available::new();
        for found in discover::scan(&folders) {
            let manifest = match found {
                Ok(found) if found.bare => {
                    let described = host.kernel().describe(&found.main).await;
                    described.map(|(described, _)| described.manifest).map_err(|error| (found.main, error))
                }
                found => found.map(|found| found.manifest),
            };
            match manifest {
                Ok(manifest) => available.add(manifest.id.clone(), Release::of(&manifest, Standing::Installed)),
                Err((path, error)) => unusable.push(Unusable { path, error }),
            }
        }
        Ok((available, unusable))
    }
}

/// The folders to look in, and those of the settings that cannot be.
pub(crate) struct Chosen {
    /// Where to look.
    pub(crate) folders: Vec<PathBuf>,
    /// What the settings name and is not there, or cannot be read.
    pub(crate) unusable: Vec<Unusable>,
}

impl Chosen {
    /// Those of settings. The folders of the defaults need not be there.
    fn of(settings: &Settings) -> Self {
        let is_default = midplane::settings::are_defaults(&settings.folders);
        let mut chosen = Self { folders: Vec::new(), unusable: Vec::new() };
        for folder in midplane::settings::folders(settings) {
            match searchable(&folder) {
                Ok(()) => chosen.folders.push(folder),
                Err(Stop::Failed(error, _)) if !is_default || folder.exists() => {
                    chosen.unusable.push(Unusable { path: folder, error });
                }
                Err(_) => {}
            }
        }
        chosen
    }
}

impl DataFolder {
    /// The data folder: the one that is named, or `midplane` in the user's data folder.
    ///
    /// # Errors
    /// Usage where none is named and the user has none.
    pub(crate) fn folder(&self) -> Outcome<PathBuf> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let own = || {
            set("XDG_DATA_HOME").filter(|path| path.is_absolute()).or_else(|| Some(set("HOME")?.join(".local/share")))
        };
        named(self.data.as_deref())?
            .or_else(|| own().map(|folder| folder.join("midplane")))
            .ok_or_else(|| Stop::usage("no data folder is named", "name one with --data DIR, or in MIDPLANE_DATA"))
    }
}

impl Data {
    /// The data folder that is named; `None` where none is.
    ///
    /// # Errors
    /// A variable in it that is not set.
    pub(crate) fn named(&self) -> Outcome<Option<PathBuf>> {
        named(self.data.as_deref())
    }

    /// The stores of the data folder that is named; `None` where none is.
    ///
    /// # Errors
    /// `storage`, as the library says.
    pub(crate) fn stores(&self) -> Outcome<Option<Stores>> {
        Ok(self.named()?.map(midplane::data).transpose()?)
    }
}

fn named(folder: Option<&Path>) -> Outcome<Option<PathBuf>> {
    folder.map(expanded).transpose()
}

/// A path with `~` and variables put in, for those that no shell has seen.
fn expanded(path: &Path) -> Outcome<PathBuf> {
    match path.to_str() {
        Some(text) if (text.starts_with('~') || text.contains('$')) && !path.exists() => {
            Ok(midplane::catalog::folders::expand(text, &|name| std::env::var_os(name))?)
        }
        _ => Ok(path.to_path_buf()),
    }
}

/// Whether a folder can be searched.
fn searchable(folder: &Path) -> Outcome<()> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            let remedy = "check the folders given with --plugins and MIDPLANE_PLUGINS, or those of the settings";
            Stop::not_found(format!("there is no folder {}", folder.display()), remedy)
        }
        std::io::ErrorKind::NotADirectory => {
            Stop::usage(format!("{} is no folder", folder.display()), "name the folder that the plugins are in")
        }
        _ => unreadable(&folder.display().to_string(), &error),
    };
    std::fs::read_dir(folder).map(drop).map_err(unreadable)
}
