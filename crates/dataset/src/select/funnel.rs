//! How many rows came through.

use std::collections::BTreeMap;

use classification::LabelSet;
use serde::{Serialize, Serializer};

use super::policy::Reason;
use super::predictions::ClassLists;

/// How many rows came through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Funnel {
    /// Scored rows.
    pub rows: u64,
    /// Rows that came through.
    pub kept: u64,
    /// Reason → rows.
    pub drops: BTreeMap<&'static str, u64>,
    /// By predicted label, in id order; a row with several counts to each of them.
    #[serde(serialize_with = "as_map")]
    pub classes: Vec<(String, ClassFunnel)>,
}

/// How many rows of a class came through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClassFunnel {
    /// Rows that were predicted to be of this class.
    pub candidates: u64,
    /// Rows that came through.
    pub kept: u64,
    /// Reason → rows.
    pub drops: BTreeMap<&'static str, u64>,
}

impl Funnel {
    /// Counts; `reasons` are there even if they are the cause of nothing.
    pub(super) fn count(
        classes: &ClassLists,
        drops: &[Option<Reason>],
        reasons: &[Reason],
        labels: &LabelSet,
    ) -> Self {
        let none: BTreeMap<&str, u64> = reasons.iter().map(|reason| (reason.as_str(), 0)).collect();
        let empty = |name: &str| {
            let funnel = ClassFunnel {
                drops: none.clone(),
                ..ClassFunnel::default()
            };
            (name.to_owned(), funnel)
        };
        let mut funnel = Self {
            rows: drops.len() as u64,
            kept: 0,
            drops: none.clone(),
            classes: labels.names().map(empty).collect(),
        };
        for (row, drop) in drops.iter().enumerate() {
            match drop {
                None => funnel.kept += 1,
                Some(reason) => *funnel.drops.entry(reason.as_str()).or_default() += 1,
            }
            for id in classes.of(row) {
                let class = &mut funnel.classes[*id as usize].1;
                class.candidates += 1;
                match drop {
                    None => class.kept += 1,
                    Some(reason) => *class.drops.entry(reason.as_str()).or_default() += 1,
                }
            }
        }
        funnel
    }
}

/// Pairs as a map in their own order.
pub(super) fn as_map<V: Serialize, S: Serializer>(
    classes: &[(String, V)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(classes.iter().map(|(name, value)| (name, value)))
}
