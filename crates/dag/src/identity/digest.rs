//! Digests of bytes, files and directories (BLAKE3), and the fingerprint of a result.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The BLAKE3 digest of bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

/// The digest of all that determines a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub Digest);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The first 8 hex digits, for people.
    pub fn short(&self) -> String {
        self.to_string()[..8].to_owned()
    }
}

impl Fingerprint {
    /// The first 8 hex digits, as in the name of a version.
    pub fn short(&self) -> String {
        self.0.short()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hash = blake3::Hash::from_hex(text).map_err(|_| format!("`{text}` is not 64 hex digits"))?;
        Ok(Self(*hash.as_bytes()))
    }
}

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

/// The digest of a file's content. Read in pieces, not mapped: a file that is cut short meanwhile must not kill the
/// program (SIGBUS).
pub(crate) fn digest_file(path: &Path) -> io::Result<Digest> {
    const PIECE: usize = 4 << 20;
    const WORTH_THREADS: usize = 1 << 20;
    let mut file = File::open(path)?;
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(PIECE);
    let mut buffer = vec![0; (length + 1).clamp(1 << 12, PIECE)];
    let mut hasher = blake3::Hasher::new();
    loop {
        let mut filled = 0;
        while filled < buffer.len() {
            match file.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if filled >= WORTH_THREADS {
            hasher.update_rayon(&buffer[..filled]);
        } else {
            hasher.update(&buffer[..filled]);
        }
        if filled < buffer.len() {
            return Ok(Digest(*hasher.finalize().as_bytes()));
        }
    }
}

/// The digest of a directory: of its files' relative paths and digests, which come sorted by path.
pub(crate) fn digest_of_entries<'a>(entries: impl IntoIterator<Item = (&'a str, Digest)>) -> Digest {
    let mut hasher = blake3::Hasher::new();
    for (path, digest) in entries {
        hasher.update(path.as_bytes()).update(b"\0").update(&digest.0);
    }
    Digest(*hasher.finalize().as_bytes())
}

/// The files below `directory`: path relative to it with `/` between parts, and where it is; sorted. Links are
/// followed, hidden files left out.
pub(crate) fn walk(directory: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    walk_into(directory, "", &mut Vec::new(), &mut files)?;
    files.sort();
    Ok(files)
}

fn walk_into(
    directory: &Path,
    prefix: &str,
    above: &mut Vec<PathBuf>,
    files: &mut Vec<(String, PathBuf)>,
) -> io::Result<()> {
    let real = directory.canonicalize()?;
    if above.contains(&real) {
        let message = format!("`{}` links to a folder that it lies in", directory.display());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    above.push(real);
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            let message = format!("the name of `{}` is not UTF-8", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        };
        if name.starts_with('.') {
            continue;
        }
        let relative = format!("{prefix}{name}");
        if path.metadata()?.is_dir() {
            walk_into(&path, &format!("{relative}/"), above, files)?;
        } else {
            files.push((relative, path));
        }
    }
    above.pop();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_file_read_in_pieces_has_the_digest_of_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("big");
        for length in [0, 1, 4095, 4096, (4 << 20) - 1, 4 << 20, (4 << 20) + 1, 9 << 20] {
            let bytes: Vec<u8> = (0..length).map(|position| (position % 251) as u8).collect();
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(digest_file(&path).unwrap(), Digest::of(&bytes), "{length} bytes");
        }
    }

    #[test]
    fn walking_follows_links_and_skips_hidden_files() {
        let folder = tempfile::tempdir().unwrap();
        let (blobs, snapshot) = (folder.path().join("blobs"), folder.path().join("snapshot"));
        std::fs::create_dir_all(&blobs).unwrap();
        std::fs::create_dir_all(snapshot.join("b")).unwrap();
        std::fs::write(blobs.join("1234"), "x").unwrap();
        symlink("../blobs/1234", snapshot.join("config.json")).unwrap();
        std::fs::write(snapshot.join(".hidden"), "x").unwrap();
        std::fs::write(snapshot.join("b/a"), "x").unwrap();
        let names: Vec<_> = walk(&snapshot)
            .unwrap()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["b/a", "config.json"]);
    }

    #[test]
    fn a_link_to_a_parent_is_an_error_and_not_a_loop() {
        let folder = tempfile::tempdir().unwrap();
        symlink(".", folder.path().join("again")).unwrap();
        assert!(walk(folder.path()).unwrap_err().to_string().contains("again"));
    }

    #[test]
    fn a_renamed_file_changes_the_digest_of_its_folder() {
        let digest = Digest::of(b"x");
        assert_ne!(
            digest_of_entries([("a", digest)]),
            digest_of_entries([("b", digest)])
        );
    }

    #[test]
    fn digests_are_written_as_hex() {
        let digest = Digest::of(b"");
        let text = serde_json::to_string(&digest).unwrap();
        assert_eq!(
            text,
            "\"af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262\""
        );
        assert_eq!(serde_json::from_str::<Digest>(&text).unwrap(), digest);
        assert!(serde_json::from_str::<Digest>("\"af13\"").is_err());
    }
}
