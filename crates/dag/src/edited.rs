//! Versions that do not count any more, in words: above all artifacts that somebody edited by hand, who must learn
//! where the edits are and how they can be made to stay.

use std::path::{Path, PathBuf};

use stage::Role;

use crate::StageSpec;
use crate::store::{Broken, Damage, Store};

/// Before anything is done about it.
pub(crate) fn planned_note(spec: &StageSpec, store: &Store, broken: &Broken) -> String {
    let Some(what) = edited(broken) else {
        return format!(
            "{} does not count and is set aside: {}",
            broken.reference(),
            broken.damage
        );
    };
    let aside = shown(&store.aside_folder(&broken.stage));
    let import = import(spec, broken, &broken.path)
        .map(|command| format!(" Edits that are meant: `{command}` makes them decisions that stay."))
        .unwrap_or_default();
    format!("{what}. `pipeline run` sets it aside below `{aside}` and makes it anew.{import}")
}

/// After the version was moved to `path`.
pub(crate) fn set_aside_note(spec: &StageSpec, broken: &Broken, path: &Path) -> String {
    let aside = shown(path);
    let Some(what) = edited(broken) else {
        return format!(
            "{} does not count: {}; set aside as `{aside}`",
            broken.reference(),
            broken.damage
        );
    };
    let import = import(spec, broken, path)
        .map(|command| format!(" Edits that are meant: `{command}` makes them decisions that stay."))
        .unwrap_or_default();
    format!("{what}. With the edits it is set aside as `{aside}`.{import}")
}

fn edited(broken: &Broken) -> Option<String> {
    let Damage::Modified(file) = &broken.damage else {
        return None;
    };
    Some(format!(
        "`{file}` of {} was edited: it is not what the stage wrote, and does not count",
        broken.reference()
    ))
}

/// The command that makes decisions of the edits, if the stage takes decisions.
fn import(spec: &StageSpec, broken: &Broken, folder: &Path) -> Option<String> {
    let Damage::Modified(file) = &broken.damage else {
        return None;
    };
    let takes_decisions = spec
        .kind
        .inputs()
        .iter()
        .any(|input| spec.kind.role(input.name) == Role::Decisions);
    let is_table = Path::new(file)
        .extension()
        .is_some_and(|ending| ending == "parquet");
    (takes_decisions && is_table).then(|| {
        let path = shown(&folder.join(file));
        format!("pipeline review import {} {path}", spec.name)
    })
}

/// As the user would type it: relative to the working directory if it lies below.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}
