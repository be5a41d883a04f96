//! A project in a temporary folder, and the program run in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A small pipeline of all five kinds; a run takes about a second.
pub(crate) const PIPELINE: &str = "\
version: 1
name: test
seed: 7
task: single_label
labels: [분노, 슬픔, 기쁨]
stages:
  prepare:
    kind: prepare
    inputs: {train: train.csv, validation: validation.csv, golden: golden.csv, raw: raw.csv}
  teacher:
    kind: fine_tune
    inputs: {train: prepare.train, validation: prepare.validation, corpus: prepare.raw}
    params:
      base_model: {architecture: electra, vocab_size: 200, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 32, max_position_embeddings: 34}
      max_length: 32
      batch_size: 8
      epochs: 2
      learning_rate: 5.0e-3
  score:
    kind: score
    inputs: {model: teacher.model, raw: prepare.raw, validation: prepare.validation}
  pseudo_label:
    kind: select
    inputs: {scored: score.scored}
    params: {min_confidence: 0.2, min_margin: 0.0}
  student:
    kind: fine_tune
    inputs: {train: [pseudo_label.kept, prepare.train], validation: prepare.validation, corpus: prepare.raw}
    params:
      base_model: {architecture: roberta, vocab_size: 200, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 32, max_position_embeddings: 34}
      max_length: 32
      batch_size: 8
      epochs: 1
      learning_rate: 5.0e-3
  evaluate:
    kind: evaluate
    inputs: {teacher: teacher.model, student: student.model, golden: prepare.golden}
    params: {bootstrap: 50}
";

const PHRASES: [(&str, [&str; 4]); 3] = [
    (
        "분노",
        [
            "정말 화가 난다",
            "짜증나서 못 참겠어",
            "이게 말이 되냐 열받네",
            "왜 자꾸 거짓말을 하는 거야",
        ],
    ),
    (
        "슬픔",
        [
            "눈물이 멈추지 않아",
            "헤어지고 나니 마음이 아파",
            "보고 싶은데 볼 수가 없네",
            "혼자 남은 방이 너무 쓸쓸해",
        ],
    ),
    (
        "기쁨",
        [
            "오늘 정말 신난다",
            "합격했어 너무 행복해",
            "선물 받아서 기분 최고야",
            "드디어 휴가다 만세",
        ],
    ),
];

/// A temporary project.
pub(crate) struct Project {
    folder: tempfile::TempDir,
}

/// What the program said, and how it ended.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Project {
    /// The pipeline above and tables for it: 36 train, 12 validation, 12 golden, 60 raw rows.
    pub(crate) fn new() -> Self {
        let project = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        project.write("pipeline.yaml", PIPELINE);
        project.write("train.csv", labelled("아침", 12));
        project.write("validation.csv", labelled("점심", 4));
        project.write("golden.csv", labelled("저녁", 4));
        let raw = (0..60).map(|row| format!("{} {row}번째 생각\n", PHRASES[row % 3].1[row % 4]));
        project.write("raw.csv", format!("text\n{}", raw.collect::<String>()));
        project
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The pipeline file with `from` replaced by `to`.
    pub(crate) fn edit(&self, from: &str, to: &str) -> &Self {
        let text = self.read("pipeline.yaml");
        assert!(text.contains(from), "the pipeline file has no `{from}`");
        self.write("pipeline.yaml", text.replacen(from, to, 1));
        self
    }

    /// Runs `pipeline ARGUMENTS` in the project.
    pub(crate) fn pipeline(&self, arguments: &[&str]) -> Said {
        Said::from(command(self.folder.path()).args(arguments).output().unwrap())
    }

    /// A finished run of everything.
    pub(crate) fn finished() -> Self {
        let project = Self::new();
        project.pipeline(&["run"]).expect(0);
        project
    }

    /// `run ARGUMENTS --json`: stage → action.
    pub(crate) fn actions(&self, arguments: &[&str]) -> Vec<(String, String)> {
        let said = self.pipeline(&[&["run", "--json"], arguments].concat());
        assert!(
            said.code == 0 || said.code == 3,
            "exit {}: {}",
            said.code,
            said.err
        );
        let document = said.json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let stages = document["stages"].as_array().unwrap();
        stages
            .iter()
            .map(|stage| (text(&stage["stage"]), text(&stage["action"])))
            .collect()
    }

    /// Names of the stages that `run ARGUMENTS` executes.
    pub(crate) fn executed(&self, arguments: &[&str]) -> Vec<String> {
        let actions = self.actions(arguments).into_iter();
        actions
            .filter(|(_, action)| action == "run")
            .map(|(stage, _)| stage)
            .collect()
    }
}

impl Said {
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn names(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.err.contains(part), "no `{part}` in:\n{}", self.err);
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error} in:\n{}{}", self.out, self.err))
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

/// The program in `folder`, with nothing of the caller's environment but the path.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipeline"));
    command
        .env_clear()
        // Not in any build: where burn chose a device by itself, the program would end here.
        .env("BURN_DEVICE", "metal")
        .current_dir(folder)
        .stdin(std::process::Stdio::null());
    command
}

/// The repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn labelled(time: &str, rows_per_label: usize) -> String {
    let mut table = String::from("text,label\n");
    for row in 0..rows_per_label {
        for (label, phrases) in PHRASES {
            table.push_str(
                &format!("{time} {} {}\n", phrases[row % 4], row / 4).replace('\n', &format!(",{label}\n")),
            );
        }
    }
    table
}
