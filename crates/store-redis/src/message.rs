//! What is told on the channel: which plugin, and by which host.

use midplane_contract::PluginId;

/// The text of a message.
pub(crate) fn write(plugin: &PluginId, from: &str) -> String {
    format!("{plugin} {from}")
}

/// The plugin that somebody else has changed. `None` for a host's own message, and for what is none of ours.
pub(crate) fn read(text: &[u8], own: &str) -> Option<PluginId> {
    // Longer than any id and host together.
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= 512)?;
    let (plugin, from) = text.split_once(' ').unwrap_or((text, ""));
    if from == own { None } else { PluginId::new(plugin).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_another_host_names_a_plugin_and_everything_else_is_nothing() {
        let id = PluginId::new("p").unwrap();
        assert_eq!(read(write(&id, "a").as_bytes(), "b"), Some(id.clone()));
        assert_eq!(read(b"p", "b"), Some(id.clone()));
        assert_eq!(read(write(&id, "a").as_bytes(), "a"), None);
        for garbage in [&b""[..], b" ", b"\xff", b"A B", &[b'p'; 4096]] {
            assert_eq!(read(garbage, "b"), None);
        }
    }
}
