//! Models of the Hub in a pipeline file: when the Hub is asked, what is remembered, what a miss says.

use std::path::PathBuf;

use serde_json::Value;

use crate::hub_server::{COMMIT, Entry, Server, Site};
use crate::support::{Project, Said, command, repository};

const PIPELINE: &str = "\
version: 1
task: single_label
labels: [분노, 슬픔, 기쁨]
stages:
  teacher:
    kind: fine_tune
    inputs: {train: train.csv}
    params: {base_model: owner/tiny, max_length: 16, batch_size: 32, epochs: 1}
";
const OTHER: &str = "89abcdef0123456789abcdef0123456789abcdef";

/// A project whose model is on a Hub.
struct World {
    project: Project,
    server: Server,
}

impl World {
    fn new() -> Self {
        let fixture = repository().join("crates/model/tests/fixtures/electra");
        let read = |file: &str| std::fs::read(fixture.join(file)).unwrap();
        let etag = |digit: &str| digit.repeat(40);
        let server = Server::start(Site::new([
            ("config.json", Entry::small(read("config.json"), &etag("1"))),
            ("tokenizer.json", Entry::small(read("tokenizer.json"), &etag("2"))),
            (
                "tokenizer_config.json",
                Entry::small(read("tokenizer_config.json"), &etag("3")),
            ),
            ("vocab.txt", Entry::small(read("vocab.txt"), &etag("4"))),
            (
                "model.safetensors",
                Entry::large(read("model.safetensors"), &etag("5")),
            ),
        ]));
        let project = Project::new();
        project.write("pipeline.yaml", PIPELINE);
        Self { project, server }
    }

    fn pipeline(&self, arguments: &[&str]) -> Said {
        self.pipeline_at(self.server.address(), &[], arguments)
    }

    fn offline(&self, arguments: &[&str]) -> Said {
        // A port where nobody listens: whoever opened a connection would fail.
        self.pipeline_at("http://127.0.0.1:1", &[("HF_HUB_OFFLINE", "1")], arguments)
    }

    fn pipeline_at(&self, endpoint: &str, more: &[(&str, &str)], arguments: &[&str]) -> Said {
        let mut command = command(&self.project.path(""));
        command
            .env("HF_HOME", self.project.path("hf"))
            .env("HF_ENDPOINT", endpoint);
        command.envs(more.iter().copied());
        Said::from(command.args(arguments).output().unwrap())
    }

    /// `run` or `reuse`.
    #[track_caller]
    fn ran(&self, said: Said) -> String {
        let said = said.expect(0);
        said.json()["stages"][0]["action"].as_str().unwrap().to_owned()
    }

    fn manifest(&self) -> Value {
        serde_json::from_str(&self.project.read("artifacts/teacher/latest/manifest.json")).unwrap()
    }

    fn snapshot(&self) -> PathBuf {
        self.project
            .path("hf/hub/models--owner--tiny/snapshots")
            .join(COMMIT)
    }
}

#[test]
fn a_model_is_fetched_once_and_its_commit_is_its_identity() {
    let world = World::new();
    assert_eq!(world.ran(world.pipeline(&["run", "--json"])), "run");
    assert!(world.snapshot().join("model.safetensors").exists());
    let manifest = world.manifest();
    let item = &manifest["inputs"][1]["items"][0];
    assert_eq!(
        (item["written"].as_str(), item["commit"].as_str()),
        (Some("hf://owner/tiny"), Some(COMMIT))
    );
    let remembered: Value = serde_json::from_str(&world.project.read("artifacts/hub.json")).unwrap();
    assert_eq!(remembered["owner/tiny@main"], COMMIT);

    // Nothing is asked for a model that is known, wherever its files are by now.
    world.server.asked();
    std::fs::remove_dir_all(world.project.path("hf")).unwrap();
    assert_eq!(world.ran(world.pipeline(&["run", "--json"])), "reuse");
    world.project.edit("owner/tiny", &format!("owner/tiny@{COMMIT}"));
    assert_eq!(world.ran(world.pipeline(&["run", "--json"])), "reuse");
    assert_eq!(world.server.asked(), [""; 0]);
}

#[test]
fn commands_that_only_look_ask_nobody() {
    let world = World::new();
    for arguments in [&["check"][..], &["graph"], &["explain", "teacher"]] {
        world.pipeline(arguments).expect(0);
    }
    for arguments in [&["status"][..], &["run", "--dry-run"]] {
        let said = world.pipeline(arguments).expect(0);
        assert!(said.out.contains("base_model: not resolved yet"), "{}", said.out);
    }
    assert_eq!(world.server.asked(), [""; 0]);
    assert!(!world.project.path("hf").exists());
}

#[test]
fn offline_a_miss_ends_with_4_and_names_the_file() {
    let world = World::new();
    world.offline(&["run"]).expect(4).names(&[
        "`config.json` of `owner/tiny@main` is not in the cache",
        "models--owner--tiny",
        "hint: ",
    ]);
    world.project.edit("owner/tiny", &format!("owner/tiny@{COMMIT}"));
    world.offline(&["run"]).expect(4).names(&[&format!(
        "`config.json` of `owner/tiny@{COMMIT}` is not in the cache"
    )]);
}

#[test]
fn offline_a_cached_model_trains_without_a_connection() {
    let world = World::new();
    world.pipeline(&["run"]).expect(0);
    std::fs::remove_dir_all(world.project.path("artifacts")).unwrap();
    assert_eq!(world.ran(world.offline(&["run", "--json"])), "run");
    assert_eq!(world.manifest()["inputs"][1]["items"][0]["commit"], COMMIT);
}

#[test]
fn a_branch_that_moves_changes_nothing_until_it_is_asked_for() {
    let world = World::new();
    world.pipeline(&["run"]).expect(0);
    world.server.change(|site| {
        site.revisions = ["main", OTHER]
            .map(|revision| (revision.to_owned(), OTHER.to_owned()))
            .into();
    });
    assert_eq!(world.ran(world.pipeline(&["run", "--json"])), "reuse");
    let said = world.pipeline(&["run", "--update-hub"]).expect(0);
    let expected = "input base_model changed (01234567 → 89abcdef)";
    assert!(said.err.contains(expected), "{}", said.err);
    assert_eq!(world.manifest()["inputs"][1]["items"][0]["commit"], OTHER);
}

#[test]
fn a_model_that_is_not_on_the_hub_ends_with_4() {
    let world = World::new();
    world.project.edit("owner/tiny", "owner/huge");
    world
        .pipeline(&["run"])
        .expect(4)
        .names(&["there is no model `owner/huge`", "owner/name"]);
    assert!(!world.project.path("artifacts/teacher").exists());
}

#[test]
fn a_stage_that_needs_no_model_runs_without_the_hub() {
    let world = World::new();
    let prepare =
        "stages:\n  prepare: {kind: prepare, inputs: {train: train.csv, validation: validation.csv}}\n";
    world.project.edit("stages:\n", prepare);
    world.offline(&["run", "prepare"]).expect(0);
}
