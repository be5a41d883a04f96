//! Listing, verifying, collecting.

use dag::{Damage, Removed, Selection};

use crate::project::{Project, names_in};

/// Three versions of `third`, one of the others.
fn three_versions() -> Project {
    let mut project = Project::chain();
    for text in ["3", "4", "5"] {
        project.set("third", "text", text);
        project.run();
    }
    project
}

#[test]
fn versions_are_listed_by_stage_and_number() {
    let project = three_versions();
    let list = project.store.list(None);
    let lines: Vec<_> = list
        .iter()
        .map(|info| (info.stage.as_str(), info.number, info.latest))
        .collect();
    let third = [("third", 1, false), ("third", 2, false), ("third", 3, true)];
    assert_eq!(
        lines,
        [[("first", 1, true), ("second", 1, true)].as_slice(), &third].concat()
    );
    assert!(
        list.iter()
            .all(|info| info.seconds.is_some() && info.created.is_some() && info.damage.is_none())
    );
}

#[test]
fn verify_reads_every_file_again() {
    let project = three_versions();
    let found = project.store.verify();
    assert_eq!(found.intact.len(), 5);
    let path = project
        .store
        .stage_folder("third")
        .join(project.store.versions("third")[1].to_string());
    std::fs::write(path.join("out.txt"), "tampered").unwrap();
    let found = project.store.verify();
    assert_eq!(found.broken.len(), 1);
    assert_eq!(found.broken[0].reference(), "third@2");
    assert_eq!(found.broken[0].damage, Damage::Modified("out.txt".into()));
}

#[test]
fn gc_keeps_the_newest_and_latest_and_what_they_were_made_from() {
    let mut project = three_versions();
    project.set("third", "text", "3");
    project.run(); // `latest` links to version 1 again.
    let lock = project.lock();
    let planned = project.store.collect(&lock, 1, true).unwrap();
    assert_eq!(planned.removed.len(), 1);
    assert_eq!(project.names("third").len(), 3, "a dry run removes nothing");
    let done = project.store.collect(&lock, 1, false).unwrap();
    assert_eq!((done.kept, done.removed.len()), (4, 1));
    let numbers: Vec<_> = project
        .store
        .versions("third")
        .iter()
        .map(|name| name.number)
        .collect();
    assert_eq!(numbers, [1, 3]);
    assert!(project.plan(&Selection::default()).is_current());
}

#[test]
fn gc_keeps_tagged_versions() {
    let project = three_versions();
    let lock = project.lock();
    let second = project.store.resolve_version("third@2").unwrap();
    project.store.tag(&lock, &second, "best").unwrap();
    project.store.collect(&lock, 1, false).unwrap();
    let numbers: Vec<_> = project
        .store
        .versions("third")
        .iter()
        .map(|name| name.number)
        .collect();
    assert_eq!(numbers, [2, 3]);
}

#[test]
fn gc_clears_what_was_set_aside() {
    let project = Project::chain();
    project.run();
    std::fs::remove_file(project.latest("third").path.join("out.txt")).unwrap();
    project.run();
    project.store.collect(&project.lock(), 1, false).unwrap();
    assert_eq!(
        names_in(&project.path("artifacts/.broken/third")),
        Vec::<String>::new()
    );
    assert_eq!(project.names("third").len(), 1);
}

#[test]
fn an_empty_store_has_nothing_to_say() {
    let project = Project::chain();
    assert!(project.store.list(None).is_empty());
    assert!(project.store.verify().intact.is_empty());
    assert!(project.store.runs().is_empty());
    assert!(!project.path("artifacts").exists(), "reading makes nothing");
}

#[test]
fn gc_says_of_what_it_removes_whether_it_was_edited() {
    let project = three_versions();
    let folder = project.store.stage_folder("third");
    let edited = folder.join(project.store.versions("third")[1].to_string());
    std::fs::write(edited.join("out.txt"), "edited").unwrap();
    let planned = project.store.collect(&project.lock(), 1, true).unwrap();
    let what: Vec<_> = planned.removed.iter().map(|removal| removal.what).collect();
    assert_eq!(what, [Removed::Version, Removed::Broken]);
}
