//! A Hub of one repository on a port of this machine, for tests: it speaks the paths that a client uses, remembers what
//! it was asked, and can be told to misbehave.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A way to misbehave, once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// Half of the bytes, then the end of the connection.
    Cut,
    /// A whole answer, of fewer bytes than was said before.
    Short,
    /// As many bytes as was said, but others.
    Altered,
    /// Something else than the file.
    Status(u16),
}

/// A file of the repository.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) content: Vec<u8>,
    pub(crate) etag: String,
    /// Whether it lies elsewhere, as large files do.
    pub(crate) redirects: bool,
    /// What goes wrong with the next transfers.
    pub(crate) faults: Vec<Fault>,
}

/// What is on the Hub. Tests change it while it is served.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) repository: String,
    /// Branches and commits → commit.
    pub(crate) revisions: BTreeMap<String, String>,
    pub(crate) files: BTreeMap<String, Entry>,
    /// Without it, nothing is handed out.
    pub(crate) token: Option<String>,
}

pub(crate) struct Server {
    address: String,
    site: Arc<Mutex<Site>>,
    requests: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Site {
    /// `owner/tiny`, whose `main` is [`COMMIT`].
    pub(crate) fn new(files: impl IntoIterator<Item = (&'static str, Entry)>) -> Self {
        let revisions = ["main", COMMIT].map(|revision| (revision.to_owned(), COMMIT.to_owned()));
        Self {
            repository: "owner/tiny".to_owned(),
            revisions: revisions.into(),
            files: files
                .into_iter()
                .map(|(name, entry)| (name.to_owned(), entry))
                .collect(),
            token: None,
        }
    }
}

impl Entry {
    /// A small file, as git knows it.
    pub(crate) fn small(content: impl Into<Vec<u8>>, etag: &str) -> Self {
        Self {
            content: content.into(),
            etag: etag.to_owned(),
            redirects: false,
            faults: Vec::new(),
        }
    }

    /// A file that lies elsewhere.
    pub(crate) fn large(content: impl Into<Vec<u8>>, etag: &str) -> Self {
        Self {
            redirects: true,
            ..Self::small(content, etag)
        }
    }
}

impl Server {
    pub(crate) fn start(site: Site) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (site, requests) = (Arc::new(Mutex::new(site)), Arc::new(Mutex::new(Vec::new())));
        let stop = Arc::new(AtomicBool::new(false));
        let host = Host {
            address: address.clone(),
            site: site.clone(),
            requests: requests.clone(),
        };
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                // A client that has gone away is its own affair.
                drop(stream.and_then(|stream| host.serve(stream)));
            }
        });
        Self {
            address,
            site,
            requests,
            stop,
            thread: Some(thread),
        }
    }

    /// For `HF_ENDPOINT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Changes what is on the Hub.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Site)) {
        change(&mut self.site.lock().unwrap());
    }

    /// What was asked since the last call: `HEAD /owner/tiny/resolve/…`.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address.trim_start_matches("http://")));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

struct Host {
    address: String,
    site: Arc<Mutex<Site>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Host {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let (mut token, mut header) = (None, String::new());
        while reader.read_line(&mut header)? > 2 {
            if let Some(value) = header.to_lowercase().strip_prefix("authorization: bearer") {
                token = Some(value.trim().to_owned());
            }
            header.clear();
        }
        let mut words = line.split_whitespace();
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Ok(());
        };
        let path = target.split('?').next().unwrap_or_default();
        self.requests.lock().unwrap().push(format!("{method} {path}"));
        self.answer(&mut stream, method == "HEAD", path, token)
    }

    fn answer(
        &self,
        stream: &mut TcpStream,
        is_head: bool,
        path: &str,
        token: Option<String>,
    ) -> std::io::Result<()> {
        let mut site = self.site.lock().unwrap();
        if let Some(etag) = path.strip_prefix("/cdn/") {
            let entry = site.files.values_mut().find(|entry| entry.etag == etag).unwrap();
            return transfer(stream, is_head, entry, &[]);
        }
        if site.token.is_some() && token != site.token {
            let headers = ["X-Error-Message: Invalid credentials in Authorization header".to_owned()];
            return respond(stream, is_head, 401, &headers, b"{\"error\": \"no\"}");
        }
        let repository = site.repository.clone();
        if let Some(revision) = path.strip_prefix(&format!("/api/models/{repository}/revision/")) {
            let Some(commit) = site.revisions.get(revision) else {
                return respond(
                    stream,
                    is_head,
                    404,
                    &["X-Error-Code: RevisionNotFound".to_owned()],
                    b"",
                );
            };
            let names = site
                .files
                .keys()
                .map(|name| format!("{{\"rfilename\": \"{name}\"}}"));
            let siblings = names.collect::<Vec<_>>().join(", ");
            let body =
                format!("{{\"id\": \"{repository}\", \"sha\": \"{commit}\", \"siblings\": [{siblings}]}}");
            return respond(
                stream,
                is_head,
                200,
                &["Content-Type: application/json".to_owned()],
                body.as_bytes(),
            );
        }
        let Some((revision, file)) = path
            .strip_prefix(&format!("/{repository}/resolve/"))
            .and_then(|rest| rest.split_once('/'))
        else {
            return respond(
                stream,
                is_head,
                404,
                &["X-Error-Code: RepoNotFound".to_owned()],
                b"",
            );
        };
        let Some(commit) = site.revisions.get(revision).cloned() else {
            return respond(
                stream,
                is_head,
                404,
                &["X-Error-Code: RevisionNotFound".to_owned()],
                b"",
            );
        };
        let commit = format!("X-Repo-Commit: {commit}");
        match site.files.get_mut(file) {
            None => respond(
                stream,
                is_head,
                404,
                &["X-Error-Code: EntryNotFound".to_owned(), commit],
                b"",
            ),
            Some(entry) if entry.redirects => {
                let headers = [
                    commit,
                    format!("Location: {}/cdn/{}", self.address, entry.etag),
                    format!("X-Linked-Size: {}", entry.content.len()),
                    format!("X-Linked-Etag: \"{}\"", entry.etag),
                ];
                respond(stream, is_head, 302, &headers, b"")
            }
            Some(entry) => transfer(stream, is_head, entry, &[commit]),
        }
    }
}

/// The file's bytes, unless a fault comes first.
fn transfer(
    stream: &mut TcpStream,
    is_head: bool,
    entry: &mut Entry,
    more: &[String],
) -> std::io::Result<()> {
    let headers = [&[format!("ETag: \"{}\"", entry.etag)], more].concat();
    let fault = if is_head || entry.faults.is_empty() {
        None
    } else {
        Some(entry.faults.remove(0))
    };
    let content = &entry.content;
    match fault {
        None => respond(stream, is_head, 200, &headers, content),
        Some(Fault::Short) => respond(stream, is_head, 200, &headers, &content[..content.len() - 1]),
        Some(Fault::Altered) => respond(stream, is_head, 200, &headers, &vec![b'?'; content.len()]),
        Some(Fault::Status(status)) => respond(stream, is_head, status, &[], b"sorry"),
        Some(Fault::Cut) => {
            let head = format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                content.len()
            );
            stream.write_all(head.as_bytes())?;
            stream.write_all(&content[..content.len() / 2])
        }
    }
}

fn respond(
    stream: &mut TcpStream,
    is_head: bool,
    status: u16,
    headers: &[String],
    body: &[u8],
) -> std::io::Result<()> {
    let mut head = format!(
        "HTTP/1.1 {status} Status\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    if is_head { Ok(()) } else { stream.write_all(body) }
}
