//! What was found: as one JSON document, as a file for a review, as tables for people.

use std::path::PathBuf;

use classification::{ClassNoise, LabelIds, LabelNoise, LabelSet};
use dataset::SpreadsheetWriter;
use serde::Serialize;

use super::predictions::Predictions;
use crate::table;

/// The document of `--json`.
#[derive(Debug, Serialize)]
pub(super) struct Document {
    /// Version of this format.
    schema_version: u32,
    pub(super) stage: String,
    /// The versions of the stage that judged the rows, one per fold.
    versions: Vec<String>,
    rows: usize,
    /// Rows whose labels the models give, too.
    agreed: u64,
    suspected: usize,
    /// In id order.
    classes: Vec<ClassEntry>,
    /// The file for the review; null if none was asked for.
    pub(super) to: Option<PathBuf>,
    /// The most suspicious first.
    suspects: Vec<SuspectEntry>,
}

#[derive(Debug, Serialize)]
struct ClassEntry {
    label: String,
    rows: u64,
    /// Rows with the label that rather have another one.
    suspected: u64,
    /// Other rows that rather have this label.
    missed: u64,
    /// Mean probability of the label on its rows; null without rows.
    threshold: Option<f64>,
}

#[derive(Debug, Serialize)]
struct SuspectEntry {
    id: String,
    /// Several where the task is multi-label.
    label: Vec<String>,
    suggested: Vec<String>,
    self_confidence: f64,
    suggested_confidence: f64,
    margin: f64,
    text: String,
}

/// What `pipeline review import` reads, and what helps to decide. `label` is empty like `decision`: a label there is a
/// decision.
const REVIEW: [&str; 9] = [
    "id",
    "decision",
    "label",
    "given",
    "suggested",
    "text",
    "self_confidence",
    "suggested_confidence",
    "note",
];

impl Document {
    pub(super) fn new(
        stage: String,
        versions: Vec<String>,
        labels: &LabelSet,
        rows: &Predictions,
        noise: &LabelNoise,
    ) -> Self {
        let names = |ids: &LabelIds| ids.ids().iter().map(|id| labels.name(*id).to_owned()).collect();
        let class = |(label, class): (&str, &ClassNoise)| ClassEntry {
            label: label.to_owned(),
            rows: class.rows,
            suspected: class.suspected,
            missed: class.missed,
            threshold: class.threshold,
        };
        let suspect = |suspect: &classification::Suspect| SuspectEntry {
            id: rows.ids[suspect.row].clone(),
            label: names(&rows.labels[suspect.row]),
            suggested: names(&suspect.suggested),
            self_confidence: suspect.self_confidence,
            suggested_confidence: suspect.suggested_confidence,
            margin: suspect.margin,
            text: rows.texts[suspect.row].clone(),
        };
        Self {
            schema_version: 1,
            stage,
            versions,
            rows: rows.ids.len(),
            agreed: noise.agreed,
            suspected: noise.suspects.len(),
            classes: labels.names().zip(&noise.classes).map(class).collect(),
            to: None,
            suspects: noise.suspects.iter().map(suspect).collect(),
        }
    }

    /// A csv file in which a person decides.
    pub(super) fn review(&self) -> Vec<u8> {
        let mut writer = SpreadsheetWriter::new(&REVIEW);
        for suspect in &self.suspects {
            writer.row([
                suspect.id.as_str(),
                "",
                "",
                &suspect.label.join(","),
                &suspect.suggested.join(","),
                &suspect.text,
                &format!("{:.4}", suspect.self_confidence),
                &format!("{:.4}", suspect.suggested_confidence),
                "",
            ]);
        }
        writer.finish()
    }

    /// A table of the classes, one of the first `top` suspects.
    pub(super) fn text(&self, top: usize, width: Option<usize>) -> String {
        let share = |class: &ClassEntry| match class.rows {
            0 => String::new(),
            rows => format!("{:.1}%", 100.0 * class.suspected as f64 / rows as f64),
        };
        let class = |class: &ClassEntry| {
            vec![
                class.label.clone(),
                stage::grouped(class.rows),
                stage::grouped(class.suspected),
                share(class),
                stage::grouped(class.missed),
                class.threshold.map(|t| format!("{t:.3}")).unwrap_or_default(),
            ]
        };
        let header = ["label", "rows", "suspected", "share", "missed", "threshold"];
        let right = [false, true, true, true, true, true];
        let mut text = aligned(&header, self.classes.iter().map(class).collect(), &right, width);
        let percent = 100.0 * self.agreed as f64 / self.rows.max(1) as f64;
        text.push_str(&format!(
            "\n{} of {} rows are suspected, by models that agree with the labels of {percent:.1}%\n",
            stage::grouped(self.suspected as u64),
            stage::grouped(self.rows as u64)
        ));
        let suspect = |suspect: &SuspectEntry| {
            vec![
                suspect.id.clone(),
                name(&suspect.label),
                name(&suspect.suggested),
                format!("{:.3}", suspect.self_confidence),
                format!("{:.3}", suspect.suggested_confidence),
                suspect.text.clone(),
            ]
        };
        let shown: Vec<_> = self.suspects.iter().take(top).map(suspect).collect();
        if !shown.is_empty() {
            let header = ["id", "label", "suggested", "p_label", "p_suggested", "text"];
            let right = [false, false, false, true, true, false];
            text.push('\n');
            text.push_str(&aligned(&header, shown, &right, width));
        }
        text
    }
}

fn aligned(header: &[&str], rows: Vec<Vec<String>>, right: &[bool], width: Option<usize>) -> String {
    let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
    table::aligned(&header, rows, right, width)
}

/// `기쁨, 당황`; a dash for no label.
fn name(labels: &[String]) -> String {
    match labels {
        [] => "–".to_owned(),
        labels => labels.join(", "),
    }
}
