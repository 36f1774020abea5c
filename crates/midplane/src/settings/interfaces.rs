//! The interfaces of settings.

use midplane_contract::{Code, Error, Interface, Result, Settings};
use midplane_kernel::services::definitions;

use super::{expand_home, text};

/// The definitions that settings name, for [`Kernel::define`](midplane_kernel::Kernel::define): those that come along, and
/// those of files.
///
/// # Errors
/// `config_invalid` for a name that is none of those; `io`, and those of [`definitions::read`].
pub fn interfaces(settings: &Settings) -> Result<Vec<Interface>> {
    let each = settings.interfaces.iter().map(|named| {
        if let Some(known) = Interface::known().find(|known| known.name == *named) {
            return Ok(vec![known]);
        }
        if !named.contains(['.', '/']) {
            return Err(unknown(named));
        }
        let file = expand_home(named);
        let text = text(&file)?;
        definitions::read(&file.display().to_string(), &String::from_utf8_lossy(&text))
    });
    Ok(each.collect::<Result<Vec<_>>>()?.concat())
}

fn unknown(named: &str) -> Error {
    let known: Vec<String> = Interface::known().map(|known| known.name).collect();
    Error::new(Code::ConfigInvalid, format!("`{named}` under `interfaces` is no interface that comes along"))
        .remedy(format!("write a file that ends in .json or .wit, or one of {}", known.join(", ")))
}
