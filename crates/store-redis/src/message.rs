//! What is told on the channel: which plugin, and by which host.

use midplane_contract::PluginId;

/// The text of a message.
pub(crate) fn write(plugin: &PluginId, from: &str) -> String {
    format!("{plugin} {from}")
}

/// The plugin that was changed, and who says so; nobody where another program has told it. `None` for what is none of
/// ours.
pub(crate) fn read(text: &[u8]) -> Option<(PluginId, &str)> {
    // Longer than any id and host together.
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= 512)?;
    let (plugin, from) = text.split_once(' ').unwrap_or((text, ""));
    Some((PluginId::new(plugin).ok()?, from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_a_plugin_and_a_host_and_everything_else_is_nothing() {
        let id = PluginId::new("p").unwrap();
        assert_eq!(read(write(&id, "a").as_bytes()), Some((id.clone(), "a")));
        assert_eq!(read(b"p"), Some((id, "")));
        for garbage in [&b""[..], b" ", b"\xff", b"A B", &[b'p'; 4096]] {
            assert_eq!(read(garbage), None);
        }
    }
}
