//! What is to be loaded, in which order.

use std::fmt::Write;

use midplane_contract::{PluginId, Version};
use serde::Serialize;

use super::available::Standing;

/// Versions that go together, each after everything that it needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// What is loaded, in order: wave by wave, and by id within a wave.
    pub steps: Vec<Step>,
}

/// One plugin of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its id.
    pub id: PluginId,
    /// The version that was chosen.
    pub version: Version,
    /// Steps of one wave do not need each other and may be loaded at once; each needs something of the wave before.
    pub wave: usize,
    /// It was asked for itself.
    pub asked: bool,
    /// Where it is.
    pub standing: Standing,
    /// What it must have, by id; each is in an earlier wave.
    pub needs: Vec<PluginId>,
    /// What it uses and could be without. In an earlier wave too, unless that would be a circle.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<PluginId>,
    /// What it would use and does not get.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<PluginId>,
    /// Its author advises against this version, and says why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<String>,
}

impl Plan {
    /// The step of a plugin.
    #[must_use]
    pub fn step(&self, id: &PluginId) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == *id)
    }

    /// The steps, wave by wave.
    pub fn waves(&self) -> impl Iterator<Item = &[Step]> {
        self.steps.chunk_by(|one, two| one.wave == two.wave)
    }

    /// The plan as a picture, in the language of Graphviz: an arrow leads from a plugin to what it needs, a dashed one to
    /// what it uses. What was asked for has a double frame.
    #[must_use]
    pub fn to_dot(&self) -> String {
        let mut dot = "digraph plugins {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
        // Ids and versions hold nothing that would have to be escaped between quotes.
        for step in &self.steps {
            let frame = if step.asked { ", peripheries=2" } else { "" };
            let _ = writeln!(dot, "  \"{0}\" [label=\"{0}\\n{1}\"{frame}];", step.id, step.version);
        }
        for step in &self.steps {
            for needed in &step.needs {
                let _ = writeln!(dot, "  \"{}\" -> \"{needed}\";", step.id);
            }
            for used in &step.uses {
                let _ = writeln!(dot, "  \"{}\" -> \"{used}\" [style=dashed];", step.id);
            }
        }
        dot.push_str("}\n");
        dot
    }
}
