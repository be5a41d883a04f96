//! A pipeline in a temporary folder, put together by hand.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use classification::{LabelSet, Task};
use dag::{
    Dag, InputRef, Interrupt, News, Observer, Options, Plan, RunOutcome, RuntimeSpec, Selection, StageSpec,
    Store, Version, Wait, WriterLock, execute,
};
use serde_json::{Value, json};
use stage::{ArtifactType, OutputSpec, SourceOptions, StageKind};

use crate::helpers;
use crate::script::SCRIPT;

pub(crate) struct Project {
    _temporary: Option<tempfile::TempDir>,
    pub(crate) folder: PathBuf,
    pub(crate) dag: Dag,
    pub(crate) store: Store,
    pub(crate) options: Options,
}

/// What a run told, a line each.
#[derive(Default)]
pub(crate) struct Diary(pub(crate) Vec<String>);

impl Observer for Diary {
    fn observe(&mut self, news: &News<'_>) {
        self.0.push(match news {
            News::RunStarted { .. } => "run".to_owned(),
            News::StageStarted { stage, .. } => format!("start {stage}"),
            News::StageEvent { stage, event } => format!("event {stage} {event:?}"),
            News::StageDone { report, .. } => format!("done {}", report.stage),
            News::StageFailed { stage, failure, .. } => format!("failed {stage}: {failure}"),
            News::StageBlocked { report } => format!("blocked {}", report.stage),
            News::Warning { text, .. } => format!("warning {text}"),
            News::Interrupted { signal } => format!("interrupted {signal}"),
        });
    }
}

impl Project {
    pub(crate) fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let mut project = Self::in_folder(temporary.path().canonicalize().unwrap());
        project._temporary = Some(temporary);
        project
    }

    /// Another pipeline in the same folder and store.
    pub(crate) fn new_in(other: &Self) -> Self {
        Self::in_folder(other.folder.clone())
    }

    /// `first` reads `data.txt`, `second` reads `first`, `third` reads `second`.
    pub(crate) fn chain() -> Self {
        Self::new().with_chain()
    }

    pub(crate) fn chain_in(folder: PathBuf) -> Self {
        Self::in_folder(folder).with_chain()
    }

    fn with_chain(self) -> Self {
        if !self.path("data.txt").exists() {
            self.write("data.txt", "data");
        }
        self.stage("first", json!({"text": "1"}), &["x=data.txt"])
            .stage("second", json!({"text": "2"}), &["x=first.out"])
            .stage("third", json!({"text": "3"}), &["x=second.out"])
    }

    fn in_folder(folder: PathBuf) -> Self {
        let dag = Dag {
            file: folder.join("pipeline.yaml"),
            base_dir: folder.clone(),
            name: None,
            seed: 42,
            task: Task::SingleLabel,
            labels: LabelSet::from_names(["분노", "기쁨"]).unwrap(),
            runtime: RuntimeSpec::default(),
            stages: Vec::new(),
            order: Vec::new(),
            warnings: Vec::new(),
        };
        let program = std::env::current_exe().unwrap().into_os_string();
        let arguments = ["--exact", "helpers::stage_process", "--nocapture"].map(OsString::from);
        let mut options = Options::new(std::iter::once(program).chain(arguments).collect());
        options.env = vec![(helpers::STAGE.into(), "1".into())];
        let store = Store::open(folder.join("artifacts"));
        Self {
            _temporary: None,
            folder,
            dag,
            store,
            options,
        }
    }

    /// Adds a stage of kind `script`; inputs are `NAME=STAGE.out` or `NAME=FILE`, equal names are one list.
    pub(crate) fn stage(self, name: &str, params: Value, inputs: &[&str]) -> Self {
        self.stage_of(&SCRIPT, name, params, inputs)
    }

    pub(crate) fn stage_of(
        mut self,
        kind: &'static dyn StageKind,
        name: &str,
        mut params: Value,
        inputs: &[&str],
    ) -> Self {
        let mut named: Vec<(String, Vec<InputRef>)> = Vec::new();
        for input in inputs {
            let (input, written) = input.split_once('=').unwrap();
            let item = self.input(written);
            match named.iter_mut().find(|(name, _)| name == input) {
                Some((_, items)) => items.push(item),
                None => named.push((input.to_owned(), vec![item])),
            }
        }
        let map = params.as_object_mut().unwrap();
        map.entry("outputs").or_insert_with(|| json!(["out.txt"]));
        let outputs: Vec<String> = serde_json::from_value(map["outputs"].clone()).unwrap();
        self.dag.order.push(self.dag.stages.len());
        self.dag.stages.push(StageSpec {
            name: name.to_owned(),
            kind,
            params,
            param_sources: BTreeMap::new(),
            seed: self.dag.seed,
            precision: "f32".to_owned(),
            inputs: named,
            outputs: outputs
                .into_iter()
                .map(|file| OutputSpec::new(file, ArtifactType::Document))
                .collect(),
            guard: None,
            after: Vec::new(),
        });
        self
    }

    fn input(&self, written: &str) -> InputRef {
        let written = written.to_owned();
        if let Some(stage) = written
            .strip_suffix(".out")
            .and_then(|stage| self.dag.index_of(stage))
        {
            return InputRef::Artifact {
                stage,
                file: "out.txt".into(),
                artifact_type: ArtifactType::Document,
                written,
            };
        }
        let (path, options) = (self.folder.join(&written), SourceOptions::default());
        InputRef::Path {
            path,
            written,
            artifact_type: ArtifactType::File,
            options,
        }
    }

    pub(crate) fn spec(&mut self, stage: &str) -> &mut StageSpec {
        let index = self.dag.index_of(stage).unwrap();
        &mut self.dag.stages[index]
    }

    pub(crate) fn set(&mut self, stage: &str, param: &str, value: impl Into<Value>) {
        self.spec(stage).params[param] = value.into();
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.folder.join(relative)
    }

    pub(crate) fn write(&self, file: &str, content: &str) {
        std::fs::write(self.path(file), content).unwrap();
    }

    /// A lock-holding program would do this first.
    pub(crate) fn lock(&self) -> WriterLock {
        self.store
            .lock("test", Wait::Forever, &Interrupt::default(), &mut |_| {})
            .unwrap()
    }

    pub(crate) fn plan(&self, selection: &Selection) -> Plan {
        Plan::new(&self.dag, &self.store, selection).unwrap()
    }

    /// `first=run second=reuse`.
    pub(crate) fn planned(&self, selection: &Selection) -> String {
        actions(&self.plan(selection).document().stages)
    }

    /// The reasons for a stage in a plan for all, as text.
    pub(crate) fn reasons(&self, stage: &str) -> Vec<String> {
        let plan = self.plan(&Selection::default());
        plan.stage(stage)
            .unwrap()
            .report
            .reasons
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    pub(crate) fn run(&self) -> RunOutcome {
        self.run_selected(&Selection::default())
    }

    pub(crate) fn run_selected(&self, selection: &Selection) -> RunOutcome {
        self.run_observed(selection, &mut Diary::default())
    }

    pub(crate) fn run_observed(&self, selection: &Selection, diary: &mut Diary) -> RunOutcome {
        // As a new process would see it: nothing remembered but what is on the disk.
        let store = Store::open(self.store.root());
        let lock = store
            .lock("test", Wait::Forever, &Interrupt::default(), &mut |_| {})
            .unwrap();
        let plan = Plan::new(&self.dag, &store, selection).unwrap();
        execute(&plan, &self.dag, &store, &lock, &self.options, diary).unwrap()
    }

    pub(crate) fn latest(&self, stage: &str) -> Version {
        let name = self.store.latest(stage).unwrap();
        self.store.load(stage, &name).unwrap()
    }

    pub(crate) fn output(&self, stage: &str) -> String {
        std::fs::read_to_string(self.latest(stage).path.join("out.txt")).unwrap()
    }

    /// Names in a stage's folder, `latest` left out.
    pub(crate) fn names(&self, stage: &str) -> Vec<String> {
        names_in(&self.store.stage_folder(stage))
            .into_iter()
            .filter(|name| name != "latest")
            .collect()
    }
}

pub(crate) fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// `first=run second=reuse`.
pub(crate) fn actions(stages: &[dag::StageReport]) -> String {
    let word = |report: &dag::StageReport| {
        let action = serde_json::to_value(report.action).unwrap();
        format!("{}={}", report.stage, action.as_str().unwrap())
    };
    stages.iter().map(word).collect::<Vec<_>>().join(" ")
}
