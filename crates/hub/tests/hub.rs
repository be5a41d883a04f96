//! The Hub's client and the cache against a server on this machine.

mod server;

use std::path::{Path, PathBuf};

use hub::{Hub, HubError, HubModel, Progress, Settings, Watch};
use server::{COMMIT, Entry, Fault, Server, Site};
use sha2::{Digest, Sha256};

const OTHER: &str = "89abcdef0123456789abcdef0123456789abcdef";
const CONFIG: &str = "1111111111111111111111111111111111111111";
const TOKENIZER: &str = "2222222222222222222222222222222222222222";

/// A server, and a cache in a temporary folder.
struct World {
    server: Server,
    home: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self::of(site())
    }

    fn of(site: Site) -> Self {
        Self {
            server: Server::start(site),
            home: tempfile::tempdir().unwrap(),
        }
    }

    fn hub(&self, more: &[(&str, &str)]) -> Hub {
        let home = self.home.path().to_str().unwrap();
        let variables = [("HF_HOME", home), ("HF_ENDPOINT", self.server.address())];
        let variables = variables
            .iter()
            .chain(more)
            .map(|(name, value)| (name.into(), value.into()));
        Hub::new(Settings::from_env(variables).unwrap())
    }

    /// Resolves and fetches `written`.
    fn fetch(&self, written: &str) -> Result<PathBuf, HubError> {
        let (hub, model) = (self.hub(&[]), model(written));
        let commit = hub.resolve(&model, &mut ())?;
        hub.fetch(&model, &commit, &mut ())
    }

    /// Below the repository's folder in the cache.
    fn cached(&self, path: &str) -> PathBuf {
        self.home.path().join("hub/models--owner--tiny").join(path)
    }

    fn snapshot(&self, file: &str) -> PathBuf {
        self.cached("snapshots").join(COMMIT).join(file)
    }

    fn fault(&self, file: &str, faults: &[Fault]) {
        self.server
            .change(|site| site.files.get_mut(file).unwrap().faults = faults.to_vec());
    }

    fn blobs(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.cached("blobs"))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn model(written: &str) -> HubModel {
    written.parse().unwrap()
}

fn weights() -> Vec<u8> {
    (0..50_000_u32).flat_map(u32::to_le_bytes).collect()
}

fn sha256(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn large(content: &[u8]) -> Entry {
    Entry::large(content, &sha256(content))
}

fn site() -> Site {
    Site::new([
        ("config.json", Entry::small("{}", CONFIG)),
        (
            "tokenizer.json",
            Entry::small("{\"version\": \"1.0\"}", TOKENIZER),
        ),
        ("model.safetensors", large(&weights())),
        (
            "flax_model.msgpack",
            Entry::small("not for us", "3333333333333333333333333333333333333333"),
        ),
    ])
}

fn read(path: impl AsRef<Path>) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

#[test]
fn a_model_lands_in_the_layout_of_python() {
    let world = World::new();
    let snapshot = world.fetch("owner/tiny").unwrap();
    assert_eq!(snapshot, world.cached("snapshots").join(COMMIT));
    assert_eq!(read(world.cached("refs/main")), COMMIT.as_bytes());
    assert_eq!(read(snapshot.join("model.safetensors")), weights());
    let link = std::fs::read_link(snapshot.join("config.json")).unwrap();
    assert_eq!(link, Path::new("../../blobs").join(CONFIG));
    assert_eq!(world.blobs(), {
        let mut names = [CONFIG.to_owned(), TOKENIZER.to_owned(), sha256(&weights())];
        names.sort();
        names
    });
    assert!(world.cached(".no_exist").join(COMMIT).join("vocab.txt").exists());
    assert!(!world.cached(".incomplete").exists());
    assert!(!snapshot.join("flax_model.msgpack").exists());
}

#[test]
fn what_is_in_the_cache_is_not_asked_for_again() {
    let world = World::new();
    world.fetch("owner/tiny").unwrap();
    world.server.asked();
    let pinned = format!("owner/tiny@{COMMIT}");
    assert_eq!(
        world.fetch(&pinned).unwrap(),
        world.cached("snapshots").join(COMMIT)
    );
    assert_eq!(world.server.asked(), [""; 0]);
}

#[test]
fn only_what_a_model_needs_and_the_hub_has_is_asked_for() {
    let world = World::new();
    world.fetch(&format!("owner/tiny@{COMMIT}")).unwrap();
    let asked = world.server.asked();
    let resolve = |method: &str, file: &str| format!("{method} /owner/tiny/resolve/{COMMIT}/{file}");
    let weights = format!("GET /cdn/{}", sha256(&weights()));
    assert_eq!(
        asked,
        [
            format!("GET /api/models/owner/tiny/revision/{COMMIT}"),
            resolve("HEAD", "config.json"),
            resolve("GET", "config.json"),
            resolve("HEAD", "tokenizer.json"),
            resolve("GET", "tokenizer.json"),
            resolve("HEAD", "model.safetensors"),
            resolve("GET", "model.safetensors"),
            weights,
        ]
    );
}

#[test]
fn a_commit_stands_for_itself_without_a_question() {
    let world = World::new();
    let commit = world
        .hub(&[])
        .resolve(&model(&format!("owner/tiny@{OTHER}")), &mut ())
        .unwrap();
    assert_eq!(commit, OTHER);
    assert_eq!(world.server.asked(), [""; 0]);
}

#[test]
fn weights_that_a_new_commit_shares_with_an_old_one_are_not_fetched_again() {
    let world = World::new();
    world.fetch("owner/tiny").unwrap();
    world.server.change(|site| {
        site.revisions = ["main", OTHER]
            .map(|revision| (revision.to_owned(), OTHER.to_owned()))
            .into();
        site.files.insert(
            "config.json".into(),
            Entry::small("{\"a\": 1}", "4444444444444444444444444444444444444444"),
        );
    });
    world.server.asked();
    let snapshot = world.fetch("owner/tiny").unwrap();
    assert_eq!(read(snapshot.join("model.safetensors")), weights());
    assert_eq!(read(snapshot.join("config.json")), b"{\"a\": 1}");
    assert!(
        world
            .server
            .asked()
            .iter()
            .all(|request| !request.contains("/cdn/"))
    );
    assert!(world.snapshot("config.json").exists(), "the old commit stays");
}

#[test]
fn offline_a_miss_names_the_file_and_the_cache() {
    let world = World::new();
    let hub = world.hub(&[("HF_HUB_OFFLINE", "1")]);
    let repository = world.cached("").display().to_string();
    let expected = |revision: &str| {
        let repository = repository.trim_end_matches('/');
        format!(
            "`config.json` of `owner/tiny@{revision}` is not in the cache `{repository}`, and this run is offline"
        )
    };
    let error = hub.resolve(&model("owner/tiny"), &mut ()).unwrap_err();
    assert_eq!(error.to_string(), expected("main"));
    let error = hub.fetch(&model("owner/tiny"), COMMIT, &mut ()).unwrap_err();
    assert_eq!(error.to_string(), expected(COMMIT));
    assert_eq!(stage::Failure::from(error).kind, stage::FailureKind::Missing);
    assert_eq!(world.server.asked(), [""; 0]);
}

#[test]
fn offline_a_file_that_is_lost_is_named() {
    let world = World::new();
    world.fetch("owner/tiny").unwrap();
    std::fs::remove_file(world.cached("blobs").join(sha256(&weights()))).unwrap();
    let error = world
        .hub(&[("TRANSFORMERS_OFFLINE", "1")])
        .fetch(&model("owner/tiny"), COMMIT, &mut ())
        .unwrap_err();
    assert!(matches!(error, HubError::NotCached { file, .. } if file == "model.safetensors"));
}

#[test]
fn offline_what_is_cached_is_found_without_a_connection() {
    let world = World::new();
    let fetched = world.fetch("owner/tiny").unwrap();
    world.server.asked();
    let hub = world.hub(&[("HF_HUB_OFFLINE", "1")]);
    let commit = hub.resolve(&model("owner/tiny"), &mut ()).unwrap();
    assert_eq!(
        hub.fetch(&model("owner/tiny"), &commit, &mut ()).unwrap(),
        fetched
    );
    assert_eq!(world.server.asked(), [""; 0]);
}

#[test]
fn what_python_fetched_is_used() {
    let world = World::new();
    // As `AutoModel.from_pretrained` leaves it: nothing is said about files that it did not want.
    std::fs::create_dir_all(world.cached("snapshots").join(COMMIT)).unwrap();
    std::fs::create_dir_all(world.cached("blobs")).unwrap();
    for (file, content, blob) in [
        ("config.json", b"{}".to_vec(), CONFIG.to_owned()),
        ("model.safetensors", weights(), sha256(&weights())),
    ] {
        std::fs::write(world.cached("blobs").join(&blob), content).unwrap();
        std::os::unix::fs::symlink(Path::new("../../blobs").join(blob), world.snapshot(file)).unwrap();
    }
    world.fetch("owner/tiny").unwrap();
    let asked = world.server.asked().join("\n");
    assert!(asked.contains("tokenizer.json"), "{asked}");
    assert!(
        !asked.contains("safetensors") && !asked.contains("config.json"),
        "{asked}"
    );
}

#[test]
fn an_unknown_repository_is_told_from_an_unknown_revision() {
    let world = World::new();
    let error = world.fetch("owner/other").unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("there is no model `owner/other` on {}", world.server.address())
    );
    let error = world.fetch("owner/tiny@v2").unwrap_err();
    assert!(matches!(error, HubError::RevisionNotFound { revision, .. } if revision == "v2"));
}

#[test]
fn a_repository_without_weights_names_what_it_lacks() {
    let world = World::new();
    world
        .server
        .change(|site| drop(site.files.remove("model.safetensors")));
    let error = world.fetch("owner/tiny").unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("`owner/tiny@{COMMIT}` has no `model.safetensors`")
    );
}

#[test]
fn weights_may_be_pickled_or_spread_over_files() {
    let world = World::new();
    world.server.change(|site| {
        let weights = site.files.remove("model.safetensors").unwrap();
        site.files.insert("pytorch_model.bin".into(), weights);
    });
    assert_eq!(
        read(world.fetch("owner/tiny").unwrap().join("pytorch_model.bin")),
        weights()
    );

    let world = World::new();
    let index = r#"{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-1.safetensors"}}"#;
    world.server.change(|site| {
        site.files.remove("model.safetensors");
        let index = Entry::small(index, "5555555555555555555555555555555555555555");
        site.files.insert("model.safetensors.index.json".into(), index);
        site.files.insert("model-1.safetensors".into(), large(b"one"));
        site.files.insert("model-2.safetensors".into(), large(b"two"));
    });
    let snapshot = world.fetch("owner/tiny").unwrap();
    assert_eq!(read(snapshot.join("model-2.safetensors")), b"two");
    world.server.asked();
    world.fetch(&format!("owner/tiny@{COMMIT}")).unwrap();
    assert_eq!(world.server.asked(), [""; 0]);
}

#[test]
fn a_private_model_asks_for_a_token_and_takes_it() {
    let world = World::new();
    world.server.change(|site| site.token = Some("hf_secret".into()));
    let error = world.fetch("owner/tiny").unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("does not hand out `owner/tiny` (401): Invalid credentials"),
        "{text}"
    );
    assert!(error.hints()[0].contains("HF_TOKEN"), "{:?}", error.hints());
    let hub = world.hub(&[("HF_TOKEN", "hf_secret")]);
    assert_eq!(hub.resolve(&model("owner/tiny"), &mut ()).unwrap(), COMMIT);
    hub.fetch(&model("owner/tiny"), COMMIT, &mut ()).unwrap();
}

#[test]
fn a_connection_cut_half_way_is_tried_again() {
    let world = World::new();
    world.fault("model.safetensors", &[Fault::Cut, Fault::Cut]);
    assert_eq!(
        read(world.fetch("owner/tiny").unwrap().join("model.safetensors")),
        weights()
    );
}

/// Nothing wrong got a name in the cache, and what was whole did.
#[track_caller]
fn assert_nothing_half(world: &World) {
    assert!(!world.snapshot("model.safetensors").exists());
    assert!(!world.cached("blobs").join(sha256(&weights())).exists());
    assert!(world.snapshot("config.json").exists());
}

#[test]
fn a_connection_that_is_always_cut_leaves_no_half_file() {
    let world = World::new();
    world.fault("model.safetensors", &[Fault::Cut; 9]);
    let text = world.fetch("owner/tiny").unwrap_err().to_string();
    assert!(
        text.starts_with(&format!(
            "`model.safetensors` of `owner/tiny@{COMMIT}` did not arrive whole"
        )),
        "{text}"
    );
    assert!(text.contains("the connection broke off"), "{text}");
    assert_nothing_half(&world);
    world.fault("model.safetensors", &[]);
    world.fetch("owner/tiny").unwrap();
}

#[test]
fn a_file_of_another_size_is_refused() {
    let world = World::new();
    world.fault("model.safetensors", &[Fault::Short; 9]);
    let text = world.fetch("owner/tiny").unwrap_err().to_string();
    assert!(text.ends_with("199999 bytes came, not 200000"), "{text}");
    assert_nothing_half(&world);
}

#[test]
fn a_file_of_another_content_is_refused() {
    let world = World::new();
    world.fault("model.safetensors", &[Fault::Altered; 9]);
    let text = world.fetch("owner/tiny").unwrap_err().to_string();
    assert!(
        text.ends_with(&format!("what came is not {}", sha256(&weights()))),
        "{text}"
    );
    assert_nothing_half(&world);
}

#[test]
fn an_apology_is_not_taken_for_the_file() {
    let world = World::new();
    world.fault("model.safetensors", &[Fault::Status(403); 9]);
    let error = world.fetch("owner/tiny").unwrap_err();
    assert!(
        matches!(error, HubError::Unauthorised { status: 403, .. }),
        "{error}"
    );
    assert_nothing_half(&world);
}

#[test]
fn a_half_blob_of_the_cache_is_replaced() {
    let world = World::new();
    std::fs::create_dir_all(world.cached("blobs")).unwrap();
    std::fs::write(world.cached("blobs").join(sha256(&weights())), b"half").unwrap();
    assert_eq!(
        read(world.fetch("owner/tiny").unwrap().join("model.safetensors")),
        weights()
    );
}

#[test]
fn without_an_answer_the_cache_serves() {
    let world = World::new();
    let fetched = world.fetch("owner/tiny").unwrap();
    let closed = [("HF_ENDPOINT", "http://127.0.0.1:1")];
    let hub = world.hub(&closed);
    let commit = hub.resolve(&model("owner/tiny"), &mut ()).unwrap();
    assert_eq!(
        hub.fetch(&model("owner/tiny"), &commit, &mut ()).unwrap(),
        fetched
    );
    let error = hub.resolve(&model("owner/tiny@v2"), &mut ()).unwrap_err();
    assert!(matches!(error, HubError::Unreachable { .. }), "{error}");
}

#[derive(Default)]
struct Notebook {
    heard: Vec<Progress>,
    interrupt: bool,
}

impl Watch for Notebook {
    fn progress(&mut self, progress: &Progress) {
        self.heard.push(progress.clone());
    }

    fn is_interrupted(&mut self) -> bool {
        self.interrupt
    }
}

#[test]
fn progress_counts_the_bytes_of_each_file() {
    let world = World::new();
    let mut notebook = Notebook::default();
    world
        .hub(&[])
        .fetch(&model("owner/tiny"), COMMIT, &mut notebook)
        .unwrap();
    let last = notebook.heard.last().unwrap();
    let expected = Progress {
        file: "model.safetensors".into(),
        done: 200_000,
        total: Some(200_000),
    };
    assert_eq!(*last, expected);
}

#[test]
fn an_interrupt_ends_it() {
    let world = World::new();
    let mut notebook = Notebook {
        interrupt: true,
        ..Notebook::default()
    };
    let error = world
        .hub(&[])
        .fetch(&model("owner/tiny"), COMMIT, &mut notebook)
        .unwrap_err();
    assert!(matches!(error, HubError::Interrupted), "{error}");
}
