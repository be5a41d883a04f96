//! A stage's inputs: artifacts of other stages, and paths.

use std::path::Path;

use classification::LabelSet;
use stage::{ArtifactType, InputSpec, ParamInput, SourceOptions, nearest};

use super::artifact::{artifact_names, find_artifact};
use super::decisions;
use super::node::{Content, Entry, Node};
use super::order::Edge;
use super::params::find_param;
use super::paths::{PathError, check_path, is_table};
use super::report::Report;
use super::source::Place;
use super::stages::{Draft, is_stage_name};
use crate::InputRef;

/// The inputs of one stage.
#[derive(Default)]
pub(super) struct Linked {
    /// In the file's order; then decisions that it does not name; then params that name files.
    pub(super) inputs: Vec<(String, Vec<InputRef>)>,
    /// The stages that are read.
    pub(super) edges: Vec<Edge>,
}

/// Finds what every input of stage `index` means.
pub(super) fn link(
    drafts: &[Draft<'_>],
    index: usize,
    labels: &LabelSet,
    base_dir: &Path,
    report: &mut Report<'_>,
) -> Linked {
    let stage = &drafts[index];
    let mut linker = Linker {
        drafts,
        stage,
        labels,
        base_dir,
        report,
        linked: Linked::default(),
    };
    linker.missing_inputs();
    for entry in stage.inputs {
        linker.input(entry);
    }
    linker.decisions();
    for input in stage.resolved.iter().flat_map(|resolved| &resolved.inputs) {
        linker.param_input(input);
    }
    linker.linked
}

/// Looks up the inputs of one stage.
pub(super) struct Linker<'a, 'r, 's> {
    pub(super) drafts: &'a [Draft<'a>],
    pub(super) stage: &'a Draft<'a>,
    pub(super) labels: &'a LabelSet,
    pub(super) base_dir: &'a Path,
    pub(super) report: &'r mut Report<'s>,
    linked: Linked,
}

impl Linker<'_, '_, '_> {
    fn missing_inputs(&mut self) {
        let Some(kind) = self.stage.kind else { return };
        for spec in kind.inputs().iter().filter(|spec| spec.required) {
            // A name close to it is reported as an unknown input.
            let near = |entry: &Entry| {
                !self.stage.is_fixed_input(&entry.key) && nearest(&entry.key, [spec.name]).is_some()
            };
            let given = self.stage.inputs.iter().any(|entry| entry.key == spec.name);
            if !given && (kind.other_inputs().is_some() || !self.stage.inputs.iter().any(near)) {
                let message = format!("stage `{}`: input `{}` is missing", self.stage.name, spec.name);
                self.report
                    .error(self.stage.place, message)
                    .hint(format!("`{}`: {}", spec.name, spec.description));
            }
        }
        if let Some(spec) = kind.other_inputs().filter(|spec| spec.required)
            && self
                .stage
                .inputs
                .iter()
                .all(|entry| self.stage.is_fixed_input(&entry.key))
        {
            let message = format!("stage `{}` needs at least one {}", self.stage.name, spec.name);
            self.report
                .error(self.stage.place, message)
                .hint(spec.description);
        }
    }

    fn input(&mut self, entry: &Entry) {
        let spec = self.stage.input_spec(&entry.key);
        if self.stage.kind.is_some() && spec.is_none() {
            self.unknown_input(entry);
        } else if !self.stage.is_fixed_input(&entry.key) && !is_input_name(&entry.key) {
            let message = format!(
                "stage `{}`: `{}` cannot be the name of an input",
                self.stage.name, entry.key
            );
            self.report
                .error(entry.key_place, message)
                .hint("use letters, digits, `_` and `-`");
        }
        let mut items = Vec::new();
        match &entry.node.content {
            Content::List(nodes) => {
                if nodes.is_empty() {
                    self.error(entry, entry.node.place, "is an empty list");
                } else if spec.is_some_and(|spec| !spec.many) {
                    self.error(entry, entry.node.place, "takes one item, not a list");
                }
                for node in nodes {
                    let item = self.item(entry, node, spec);
                    if item.as_ref().is_some_and(|item| items.contains(item)) {
                        self.error(entry, node.place, &format!("holds {} twice", node.describe()));
                    }
                    items.extend(item);
                }
            }
            _ => items.extend(self.item(entry, &entry.node, spec)),
        }
        self.linked.inputs.push((entry.key.clone(), items));
    }

    fn unknown_input(&mut self, entry: &Entry) {
        let known: Vec<&str> = self
            .stage
            .kind
            .map(|kind| kind.inputs())
            .unwrap_or_default()
            .iter()
            .map(|input| input.name)
            .collect();
        let message = format!("stage `{}`: unknown input `{}`", self.stage.name, entry.key);
        self.report
            .error(entry.key_place, message)
            .hint(match nearest(&entry.key, known.iter().copied()) {
                Some(close) => format!("did you mean `{close}`?"),
                None => format!("inputs are: {}", known.join(", ")),
            });
    }

    fn item(&mut self, entry: &Entry, node: &Node, spec: Option<&InputSpec>) -> Option<InputRef> {
        match &node.content {
            Content::Map(_) => self.described_file(entry, node, spec),
            Content::List(_) => {
                self.error(entry, node.place, "is a list within a list");
                None
            }
            Content::Scalar(_) => match node.text() {
                Some(written) => self.written(entry, node.place, written, spec),
                None => {
                    self.error(
                        entry,
                        node.place,
                        &format!("must be an artifact or a path, not {}", node.describe()),
                    );
                    None
                }
            },
        }
    }

    /// `STAGE.ARTIFACT`, or a path.
    fn written(
        &mut self,
        entry: &Entry,
        place: Place,
        written: &str,
        spec: Option<&InputSpec>,
    ) -> Option<InputRef> {
        if let Some((stage, artifact)) = written.split_once('.')
            && let Some(from) = self.drafts.iter().position(|draft| draft.name == stage)
        {
            return self.artifact(entry, place, from, artifact, spec);
        }
        let path = self.path(entry, place, written, spec)?;
        Some(with_options(path, SourceOptions::default()))
    }

    pub(super) fn artifact(
        &mut self,
        entry: &Entry,
        place: Place,
        from: usize,
        artifact: &str,
        spec: Option<&InputSpec>,
    ) -> Option<InputRef> {
        self.linked.edges.push(Edge {
            from,
            input: Some(entry.key.clone()),
            place,
        });
        let stage = &self.drafts[from];
        let written = format!("{}.{artifact}", stage.name);
        let outputs = stage.outputs.as_ref()?;
        let output = match find_artifact(outputs, artifact) {
            Ok(output) => output,
            Err(error) => {
                let mut hints = vec![error.hint(stage.name)];
                if self.base_dir.join(&written).exists() {
                    hints.push(format!("for the file of that name, write `./{written}`"));
                }
                let what = match error {
                    super::ArtifactNameError::Unknown { .. } => format!("names unknown artifact `{written}`"),
                    super::ArtifactNameError::Ambiguous { .. } => format!("names `{written}`: {error}"),
                };
                self.error(entry, place, &what).extend(hints);
                return None;
            }
        };
        if let Some(spec) = spec
            && !spec.accepts.contains(&output.artifact_type)
        {
            let what = format!(
                "takes {}, but `{written}` is {}",
                accepted(spec),
                output.artifact_type.describe()
            );
            let fits: Vec<String> = artifact_names(outputs)
                .into_iter()
                .zip(outputs)
                .filter(|(_, output)| spec.accepts.contains(&output.artifact_type))
                .map(|(name, _)| format!("`{}.{name}`", stage.name))
                .collect();
            let mut hints = Vec::new();
            if !fits.is_empty() {
                hints.push(format!("did you mean {}?", fits.join(" or ")));
            } else if let Some(kind) = self.stage.kind.filter(|_| !self.stage.is_fixed_input(&entry.key)) {
                let fixed = kind
                    .inputs()
                    .iter()
                    .filter(|input| input.accepts.contains(&output.artifact_type));
                hints.extend(fixed.map(|input| format!("did you mean the input `{}`?", input.name)));
            }
            self.error(entry, place, &what).extend(hints);
            return None;
        }
        let (file, artifact_type) = (output.file.clone(), output.artifact_type);
        Some(InputRef::Artifact {
            stage: from,
            file,
            artifact_type,
            written,
        })
    }

    pub(super) fn path(
        &mut self,
        entry: &Entry,
        place: Place,
        written: &str,
        spec: Option<&InputSpec>,
    ) -> Option<InputRef> {
        let accepts = spec.map(|spec| spec.accepts);
        let error = match check_path(self.base_dir, written, accepts) {
            Ok(path) => return Some(path),
            Err(error) => error,
        };
        let missing = matches!(error, PathError::Missing { .. });
        if missing
            && let Some((stage, rest)) = written.split_once('.')
            && is_stage_name(stage)
            && !written.contains('/')
            && !FILE_ENDINGS.contains(&rest)
        {
            let names: Vec<&str> = self.drafts.iter().map(|draft| draft.name).collect();
            let hint = match nearest(stage, names.iter().copied()) {
                Some(close) => format!("did you mean `{close}.{rest}`?"),
                None => format!(
                    "stages are: {}; and there is no file `{written}`",
                    names.join(", ")
                ),
            };
            self.error(entry, place, &format!("names unknown stage `{stage}`"))
                .push(hint);
            return None;
        }
        let mut hints = error.hints();
        if missing && let Some(draft) = self.drafts.iter().find(|draft| draft.name == written) {
            let names = draft.outputs.as_deref().map(artifact_names).unwrap_or_default();
            hints = vec![format!(
                "name an artifact of stage `{written}`: {}",
                names.join(", ")
            )];
        }
        let what = match &error {
            PathError::WrongType { .. } | PathError::HubModel { .. } => match spec {
                Some(spec) => format!("takes {}, but {error}", accepted(spec)),
                None => format!(": {error}"),
            },
            _ => format!(": {error}"),
        };
        self.error(entry, place, &what).extend(hints);
        None
    }

    /// The newest decisions of people, unless the file names others.
    fn decisions(&mut self) {
        let Some(spec) = decisions::missing_input(self.stage) else {
            return;
        };
        match decisions::newest(self.base_dir, self.stage.name) {
            Ok(None) => {}
            Ok(Some(file)) => self.linked.inputs.push((spec.name.to_owned(), vec![file])),
            Err(error) => {
                let message = format!("stage `{}`: input `{}`: {error}", self.stage.name, spec.name);
                self.report.error(self.stage.place, message).hint(error.hint());
            }
        }
    }

    /// A param that names a file: another input, placed at the param.
    fn param_input(&mut self, input: &ParamInput) {
        let place = find_param(self.stage, input.name).map_or(self.stage.place, |entry| entry.node.place);
        match check_path(self.base_dir, &input.path, Some(&[input.artifact_type])) {
            Ok(path) => self.linked.inputs.push((input.name.to_owned(), vec![path])),
            Err(error) => {
                let message = format!("stage `{}`: param `{}`: {error}", self.stage.name, input.name);
                let problem = self.report.error(place, message);
                problem.hints.extend(error.hints());
            }
        }
    }

    /// Reports a mistake of an input; the caller may add hints.
    pub(super) fn error(&mut self, entry: &Entry, place: Place, what: &str) -> &mut Vec<String> {
        let space = if what.starts_with(':') { "" } else { " " };
        let message = format!("stage `{}`: input `{}`{space}{what}", self.stage.name, entry.key);
        &mut self.report.error(place, message).hints
    }
}

/// What follows the dot in the name of a file rather than in a reference.
const FILE_ENDINGS: &[&str] = &[
    "csv", "tsv", "txt", "json", "jsonl", "ndjson", "parquet", "xlsx", "gz", "zst", "zip",
];

/// The same path, read with `given`.
pub(super) fn with_options(path: InputRef, given: SourceOptions) -> InputRef {
    match path {
        InputRef::Path {
            path,
            written,
            artifact_type,
            ..
        } => InputRef::Path {
            path,
            written,
            artifact_type,
            options: given,
        },
        other @ (InputRef::Artifact { .. } | InputRef::Hub(_)) => other,
    }
}

/// Names of inputs that a user chooses become parts of paths and of gates.
fn is_input_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// What an input takes, in words.
fn accepted(spec: &InputSpec) -> String {
    let mut words: Vec<&str> = spec.accepts.iter().map(|accepted| accepted.describe()).collect();
    if spec.accepts.iter().any(|accepted| is_table(*accepted)) && !spec.accepts.contains(&ArtifactType::File)
    {
        words.push(ArtifactType::File.describe());
    }
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => "nothing".to_owned(),
    }
}
