//! Who is here, as it was said last: what is to be said next.

use std::collections::BTreeMap;

use midplane::connect::Record;
use midplane::{PluginId, State};

use crate::report;

/// What was said of each plugin.
#[derive(Default)]
pub(super) struct Roll(BTreeMap<PluginId, Said>);

/// Which of a plugin's connections, and whether it was said to be here or gone.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Said {
    connections: u64,
    here: bool,
}

impl Roll {
    /// What has changed, a line for each plugin at most however often it comes and goes between two looks.
    pub(super) fn changes(&mut self, records: &[Record], actions: impl Fn(&PluginId) -> Vec<String>) -> Vec<String> {
        records.iter().filter_map(|record| self.change(record, &actions)).collect()
    }

    fn change(&mut self, record: &Record, actions: &impl Fn(&PluginId) -> Vec<String>) -> Option<String> {
        let here = match (record.connected, record.status) {
            (true, Some(State::Running)) => true,
            (true, _) => return None,
            (false, _) => false,
        };
        let said = Said { connections: record.connections, here };
        let before = self.0.insert(record.id.clone(), said);
        if before == Some(said) {
            return None;
        }
        let id = &record.id;
        if here {
            let again = if before.is_some() { " again" } else { "" };
            let actions = actions(id).join(", ");
            return Some(format!("{id} {} has connected{again} from {}: {actions}", record.version, record.from));
        }
        let was_here = before.is_some_and(|before| before.here && before.connections == record.connections);
        match record.last_error.as_ref().filter(|_| !was_here) {
            Some(error) => Some(format!("{id} has connected and could not be started: {}", report::line(error))),
            None => Some(format!("{id} has gone: {}", record.gone.as_deref().unwrap_or("its connection ended"))),
        }
    }
}
