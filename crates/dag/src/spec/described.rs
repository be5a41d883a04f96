//! Inputs that say how a file is read: `{path, format, encoding, text_column, label_column, map}`.

use std::collections::BTreeMap;

use stage::{ArtifactType, Format, InputSpec, SourceOptions, nearest};
use unicode_normalization::UnicodeNormalization;

use super::header::{one_of, string, unknown_keys};
use super::inputs::{Linker, with_options};
use super::node::{Content, Entry, Node};
use crate::InputRef;

const KEYS: &[&str] = &["path", "format", "encoding", "text_column", "label_column", "map"];

impl Linker<'_, '_, '_> {
    /// The file that the mapping `node` describes.
    pub(super) fn described_file(
        &mut self,
        entry: &Entry,
        node: &Node,
        spec: Option<&InputSpec>,
    ) -> Option<InputRef> {
        let within = format!("stage `{}`: input `{}`: ", self.stage.name, entry.key);
        unknown_keys(node.entries(), KEYS, &within, self.report);
        let options = SourceOptions {
            format: node.get("format").and_then(|format| self.format(&within, format)),
            encoding: self.optional_text(&within, node, "encoding"),
            text_column: self.optional_text(&within, node, "text_column"),
            label_column: self.optional_text(&within, node, "label_column"),
            map: node
                .get("map")
                .map(|map| self.label_map(&within, map))
                .unwrap_or_default(),
        };
        let Some(path) = node.get("path") else {
            self.error(entry, node.place, "has no `path`")
                .push("write `{path: FILE, text_column: NAME}`".to_owned());
            return None;
        };
        let written = string(path, &format!("{within}`path`"), self.report)?;
        if let Some((stage, artifact)) = written.split_once('.')
            && let Some(from) = self.drafts.iter().position(|draft| draft.name == stage)
            && !self.base_dir.join(&written).exists()
        {
            let what = format!("names the artifact `{written}` as a `path`");
            let hint = format!("an artifact stands alone: `{}: {written}`", entry.key);
            self.error(entry, path.place, &what).push(hint);
            self.artifact(entry, path.place, from, artifact, spec);
            return None;
        }
        let path_ref = self.path(entry, path.place, &written, spec)?;
        if options != SourceOptions::default()
            && let InputRef::Path {
                artifact_type: ArtifactType::Model,
                ..
            } = path_ref
        {
            self.error(
                entry,
                node.place,
                "is a model: only a table has a format and columns",
            );
            return None;
        }
        Some(with_options(path_ref, options))
    }

    fn format(&mut self, within: &str, node: &Node) -> Option<Format> {
        let format = one_of(
            node,
            &format!("{within}`format`"),
            &["csv", "tsv", "jsonl", "parquet"],
            self.report,
        )?;
        Some(match format.as_str() {
            "csv" => Format::Csv,
            "tsv" => Format::Tsv,
            "jsonl" => Format::Jsonl,
            _ => Format::Parquet,
        })
    }

    fn optional_text(&mut self, within: &str, node: &Node, key: &str) -> Option<String> {
        let node = node.get(key).filter(|node| !node.is_null())?;
        string(node, &format!("{within}`{key}`"), self.report)
    }

    fn label_map(&mut self, within: &str, node: &Node) -> BTreeMap<String, String> {
        if !matches!(node.content, Content::Map(_)) && !node.is_null() {
            let message = format!(
                "{within}`map` must be a mapping of labels in the file to labels, not {}",
                node.describe()
            );
            self.report
                .error(node.place, message)
                .hint("write `{중립: drop, joy: 기쁨}`");
        }
        let mut map = BTreeMap::new();
        for entry in node.entries() {
            let to: String = entry.node.text().unwrap_or_default().trim().nfc().collect();
            let label = self.labels.resolve(&to).map(|id| self.labels.name(id).to_owned());
            match label.or_else(|| (to == "drop").then(|| to.clone())) {
                Some(label) => {
                    map.insert(entry.key.clone(), label);
                }
                None => {
                    let message = format!(
                        "{within}`map` sends `{}` to {}, which is no label",
                        entry.key,
                        entry.node.describe()
                    );
                    let names = || self.labels.all_names().chain(["drop"]);
                    let hint = match nearest(&to, names()) {
                        Some(close) => format!("did you mean `{close}`?"),
                        None => format!(
                            "labels are: {}; or `drop`",
                            self.labels.names().collect::<Vec<_>>().join(", ")
                        ),
                    };
                    self.report.error(entry.node.place, message).hint(hint);
                }
            }
        }
        map
    }
}
