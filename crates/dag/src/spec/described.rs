//! Inputs that say how a file is read: `{path, format, encoding, sheet, header_row, text_column, label_column, map}`.

use std::collections::BTreeMap;
use std::path::Path;

use stage::{ArtifactType, Encoding, Format, InputSpec, Sheet, SourceOptions, nearest};
use unicode_normalization::UnicodeNormalization;

use super::header::{one_of, string, unknown_keys};
use super::inputs::{Linker, with_options};
use super::node::{Content, Entry, Node};
use crate::InputRef;

const KEYS: &[&str] = &[
    "path",
    "format",
    "encoding",
    "sheet",
    "header_row",
    "text_column",
    "label_column",
    "map",
];

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
            encoding: self.encoding(&within, node),
            sheet: self.sheet(&within, node),
            header_row: self.header_row(&within, node),
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
        if options != SourceOptions::default() && is_model(&path_ref) {
            self.error(
                entry,
                node.place,
                "is a model: only a table has a format and columns",
            );
            return None;
        }
        if let InputRef::Path { path, .. } = &path_ref {
            self.check_format(&within, node, path, &options);
        }
        Some(with_options(path_ref, options))
    }

    fn format(&mut self, within: &str, node: &Node) -> Option<Format> {
        let format = one_of(node, &format!("{within}`format`"), &Format::NAMES, self.report)?;
        Format::from_name(&format)
    }

    /// One of UTF-8 as it is written; any other by its own name, so that `EUC-KR` and `cp949` are the same.
    fn encoding(&mut self, within: &str, node: &Node) -> Option<String> {
        let written = self.optional_text(within, node, "encoding")?;
        match Encoding::from_name(&written) {
            Some(Encoding::Utf8) => Some(written),
            Some(encoding) => Some(encoding.name().to_owned()),
            None => {
                let place = node.get("encoding").map_or(node.place, |node| node.place);
                let known = Encoding::NAMES;
                let message = format!(
                    "{within}`encoding` must be one of {}, not `{written}`",
                    known.join(", ")
                );
                let problem = self.report.error(place, message);
                if let Some(close) = nearest(&written.to_lowercase(), known) {
                    problem.hint(format!("did you mean `{close}`?"));
                }
                None
            }
        }
    }

    fn sheet(&mut self, within: &str, node: &Node) -> Option<Sheet> {
        let node = node.get("sheet").filter(|node| !node.is_null())?;
        let name = node.text().map(str::trim).filter(|name| !name.is_empty());
        if let Some(name) = name {
            return Some(Sheet::Name(name.to_owned()));
        }
        let number = node.whole_number().filter(|number| *number > 0);
        if let Some(number) = number.and_then(|number| u32::try_from(number).ok()) {
            return Some(Sheet::Number(number));
        }
        let message = format!(
            "{within}`sheet` must be a name or a number from 1, not {}",
            node.describe()
        );
        self.report.error(node.place, message);
        None
    }

    fn header_row(&mut self, within: &str, node: &Node) -> Option<u64> {
        let node = node.get("header_row").filter(|node| !node.is_null())?;
        let number = node.whole_number().filter(|number| *number > 0);
        if number.is_none() {
            let message = format!(
                "{within}`header_row` must be a whole number from 1, not {}",
                node.describe()
            );
            self.report.error(node.place, message);
        }
        number
    }

    /// Reports what a file of its format does not have.
    fn check_format(&mut self, within: &str, node: &Node, path: &Path, options: &SourceOptions) {
        let Some(format) = options.format.or_else(|| Format::from_path(path)) else {
            return;
        };
        let encoding = options.encoding.as_deref().and_then(Encoding::from_name);
        let wrong = [
            ("sheet", options.sheet.is_some() && !format.has_sheets(), "sheets"),
            (
                "header_row",
                options.header_row.is_some() && !format.has_header(),
                "row of column names",
            ),
            (
                "encoding",
                encoding.is_some_and(|encoding| encoding != Encoding::Utf8) && !format.is_text(),
                "encoding of its own",
            ),
        ];
        for (key, _, what) in wrong.iter().filter(|(_, wrong, _)| *wrong) {
            let place = node.get(key).map_or(node.place, |node| node.place);
            let message = format!("{within}`{key}`: {} has no {what}", format.name());
            self.report.error(place, message);
        }
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

fn is_model(input: &InputRef) -> bool {
    match input {
        InputRef::Artifact { artifact_type, .. } | InputRef::Path { artifact_type, .. } => {
            *artifact_type == ArtifactType::Model
        }
        InputRef::Hub(_) => true,
    }
}
