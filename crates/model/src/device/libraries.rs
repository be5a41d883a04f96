//! Shared libraries, where the dynamic loader would find them. Nothing is loaded.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Folders that loaders know without being told.
const SYSTEM: [&str; 5] = [
    "/lib64",
    "/usr/lib64",
    "/usr/lib",
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
];

/// The first of `names` in the folders of `LD_LIBRARY_PATH`, the loader's cache or the system's folders.
pub(super) fn find(names: &[&str]) -> Option<PathBuf> {
    let cache = std::fs::read("/etc/ld.so.cache").unwrap_or_default();
    find_in(names, std::env::var_os("LD_LIBRARY_PATH"), &cache)
}

fn find_in(names: &[&str], search_path: Option<OsString>, cache: &[u8]) -> Option<PathBuf> {
    let told: Vec<PathBuf> = search_path.iter().flat_map(std::env::split_paths).collect();
    let system = SYSTEM.iter().map(PathBuf::from);
    let in_folder = |folder: PathBuf| names.iter().map(move |name| folder.join(name));
    let mut candidates = told
        .into_iter()
        .filter(|folder| folder.is_absolute())
        .flat_map(in_folder)
        .chain(cached(names, cache))
        .chain(system.flat_map(in_folder));
    candidates.find(|path| path.is_file())
}

/// Paths of `names` in the loader's cache, which holds them as strings that end with a zero byte.
fn cached<'a>(names: &'a [&str], cache: &'a [u8]) -> impl Iterator<Item = PathBuf> + 'a {
    let strings = cache.split(|byte| *byte == 0);
    let paths = strings.filter_map(|bytes| std::str::from_utf8(bytes).ok());
    paths
        .filter_map(|text| text.find('/').map(|start| Path::new(&text[start..])))
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| names.iter().any(|known| name == *known))
        })
        .map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, "").unwrap();
        path
    }

    #[test]
    fn the_search_path_comes_first() {
        let (told, known) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = file(told.path(), "libx.so.2");
        let second = file(known.path(), "libx.so");
        let cache = format!("header\0libx.so\0{}\0", second.display());
        let names = ["libx.so", "libx.so.2"];
        let path = Some(told.path().as_os_str().to_owned());
        assert_eq!(find_in(&names, path, cache.as_bytes()), Some(first));
        assert_eq!(find_in(&names, None, cache.as_bytes()), Some(second));
    }

    #[test]
    fn what_the_cache_names_must_be_there() {
        let cache = b"/gone/liby.so.1\0";
        assert_eq!(find_in(&["liby.so.1"], None, cache), None);
    }
}
