//! Golden rows stay golden: whatever way they get to a model, the pipeline file is refused with that way.

use serde_json::Value;

use crate::support::Project;

/// The project's golden rows as they are, as a copy, and in the form that macOS gives to names and texts.
fn golden_copies(project: &Project) -> [String; 3] {
    let golden = project.read("golden.csv");
    project.write("copy.csv", &golden);
    project.write("nfd.csv", nfd(&golden));
    ["golden.csv", "copy.csv", "nfd.csv"].map(str::to_owned)
}

/// Hangul syllables taken apart.
fn nfd(text: &str) -> String {
    let mut decomposed = String::new();
    for c in text.chars() {
        let Some(syllable) = u32::from(c).checked_sub(0xAC00).filter(|code| *code < 11_172) else {
            decomposed.push(c);
            continue;
        };
        let (lead, vowel, tail) = (syllable / 588, syllable % 588 / 28, syllable % 28);
        let tail = (tail > 0).then_some(0x11A7 + tail);
        let letters = [Some(0x1100 + lead), Some(0x1161 + vowel), tail];
        decomposed.extend(letters.into_iter().flatten().filter_map(char::from_u32));
    }
    decomposed
}

#[test]
fn golden_rows_are_refused_by_every_way_to_a_model() {
    let ways = [
        ("train: prepare.train,", "train: FILE,", "teacher.train ← FILE"),
        (
            "raw: prepare.raw, validation",
            "raw: FILE, validation",
            "student.train ← pseudo_label.kept ← score.raw ← FILE",
        ),
        (
            "train: train.csv",
            "train: [train.csv, FILE]",
            "prepare.train ← FILE",
        ),
        (
            "validation: validation.csv",
            "validation: FILE",
            "prepare.validation ← FILE",
        ),
        ("raw: raw.csv", "raw: [raw.csv, FILE]", "prepare.raw ← FILE"),
        (
            "golden: prepare.golden",
            "golden: FILE",
            "`golden` is the file `FILE`",
        ),
    ];
    let project = Project::new();
    let whole = project.read("pipeline.yaml");
    for file in golden_copies(&project) {
        for (from, to, way) in ways {
            project.write("pipeline.yaml", &whole);
            project.edit(from, &to.replace("FILE", &file));
            for command in [&["check"][..], &["run"], &["run", "--dry-run"]] {
                project.pipeline(command).expect(2).names(&[
                    "error: stage `evaluate`: ",
                    &way.replace("FILE", &file),
                    "--> pipeline.yaml:",
                ]);
            }
        }
    }
    assert!(!project.path("artifacts").exists(), "nothing was run");
}

#[test]
fn what_the_user_wants_all_the_same_runs_and_is_marked() {
    let project = Project::new();
    project.edit("golden: prepare.golden", "golden: golden.csv");
    project.edit("{bootstrap: 50}", "{bootstrap: 50, allow_unguarded: true}");
    let said = project.pipeline(&["check"]).expect(0);
    assert!(
        said.err
            .contains("warning: stage `evaluate`: `golden` is the file `golden.csv`"),
        "{}",
        said.err
    );
    assert!(said.out.contains("1 warning"), "{}", said.out);
    let said = project.pipeline(&["run"]).expect(0);
    assert!(
        said.err
            .contains("warning: stage `evaluate`: `golden` is the file"),
        "{}",
        said.err
    );
    let manifest: Value =
        serde_json::from_str(&project.read("artifacts/evaluate/latest/manifest.json")).unwrap();
    assert_eq!(manifest["key"]["guard"]["state"], "unguarded");
    let reason = manifest["key"]["guard"]["reasons"][0].as_str().unwrap();
    assert!(
        reason.starts_with("`golden` is the file `golden.csv`"),
        "{reason}"
    );
    let report: Value = serde_json::from_str(&project.read("artifacts/evaluate/latest/report.json")).unwrap();
    assert_eq!(report["guard"]["guarded"], false);
    assert_eq!(report["guard"]["reasons"][0], reason);
    let html = project.read("artifacts/evaluate/latest/report.html");
    assert!(html.contains("Unguarded"));
    assert!(html.contains("no stage keeps its rows out of what the models learn from"));
}

#[test]
fn a_guarded_pipeline_says_so_in_its_report() {
    let project = Project::finished();
    let report: Value = serde_json::from_str(&project.read("artifacts/evaluate/latest/report.json")).unwrap();
    assert_eq!(report["guard"]["guarded"], true);
    assert_eq!(report["guard"]["reasons"], serde_json::json!([]));
}

#[test]
fn a_guard_that_is_switched_off_is_a_warning() {
    let project = Project::new();
    project.edit(
        "raw: raw.csv}\n",
        "raw: raw.csv}\n    params: {leak_guard: off}\n",
    );
    project
        .pipeline(&["check"])
        .expect(0)
        .names(&["warning: stage `evaluate`: `leak_guard: off` of `prepare`"]);
}

#[test]
fn a_model_from_elsewhere_is_measured_with_a_warning() {
    let project = Project::finished();
    project
        .pipeline(&["export", "teacher.model", "--to", "elsewhere"])
        .expect(0);
    project.edit("student: student.model, golden", "student: ./elsewhere, golden");
    project
        .pipeline(&["check"])
        .expect(0)
        .names(&["warning: stage `evaluate`: what `./elsewhere` was trained on is not known"]);
}
