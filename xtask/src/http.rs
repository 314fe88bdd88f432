//! A file server for one folder on loopback: what `serve` and the browser tests need, and no more.

use anyhow::{Result, anyhow};
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A request line or header longer than this ends the connection.
const LINE_LIMIT: u64 = 16 * 1024;

/// The script that a served page runs to reload itself after a build.
const LIVE_SCRIPT: &str = include_str!("../assets/live.js");

/// What stands in place of a page that has never been built: it makes way for the page as soon as there is one.
const NOT_BUILT: &str = "<!doctype html><meta charset=utf-8><title>podlab</title>\
    <p>podlab is not built yet: the terminal with <code>cargo xtask serve</code> says why.</p>\
    <script type=module src=./__podlab/live.js></script>";

/// A folder being served.
pub(crate) struct Server {
    address: SocketAddr,
    builds: Arc<AtomicU64>,
}

/// Whether served pages reload themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reload {
    /// Pages carry a script that asks for the number of the last build.
    Live,
    /// Files go out as they are.
    Never,
}

/// A port that is ours while nothing is served on it yet: a browser that asks waits for its answer.
pub(crate) struct Listening {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listening {
    /// Takes a port of 127.0.0.1; 0 lets the system choose.
    ///
    /// # Errors
    /// With one line that says what to do, if the port can't be had.
    pub(crate) fn on(port: u16) -> Result<Listening> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => {
                anyhow!("port {port} on 127.0.0.1 is in use: end what uses it, or choose another port with --port")
            }
            _ => anyhow!("port {port} on 127.0.0.1 can't be used ({error}): choose another with --port"),
        })?;
        let address = listener.local_addr()?;
        Ok(Listening { listener, address })
    }

    /// Serves `folder` until the process ends.
    pub(crate) fn serve(self, folder: PathBuf, reload: Reload) -> Server {
        let Listening { listener, address } = self;
        let builds = Arc::new(AtomicU64::new(1));
        let counter = Arc::clone(&builds);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (folder, counter) = (folder.clone(), Arc::clone(&counter));
                std::thread::spawn(move || {
                    // A browser that goes away in the middle of an answer is nobody's error.
                    let _ = answer(stream, &folder, &counter, reload);
                });
            }
        });
        Server { address, builds }
    }
}

impl Server {
    /// The address of the page.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Tells open pages that there is a new build.
    pub(crate) fn rebuilt(&self) {
        self.builds.fetch_add(1, Ordering::Relaxed);
    }
}

fn answer(stream: TcpStream, folder: &Path, builds: &AtomicU64, reload: Reload) -> Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request = String::new();
    (&mut reader).take(LINE_LIMIT).read_line(&mut request)?;
    loop {
        let mut header = String::new();
        if (&mut reader).take(LINE_LIMIT).read_line(&mut header)? == 0 || header.trim().is_empty() {
            break;
        }
    }
    let mut words = request.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if method != "GET" && method != "HEAD" {
        return send(stream, "405 Method Not Allowed", "text/plain", b"only GET\n", true);
    }
    let with_body = method == "GET";
    let path = target.split(['?', '#']).next().unwrap_or_default();
    if reload == Reload::Live {
        if path == "/__podlab/build" {
            let number = builds.load(Ordering::Relaxed).to_string();
            return send(stream, "200 OK", "text/plain", number.as_bytes(), with_body);
        }
        if path == "/__podlab/live.js" {
            return send(stream, "200 OK", "text/javascript", LIVE_SCRIPT.as_bytes(), with_body);
        }
    }
    let found = file(folder, path).and_then(|file| Some((fs::read(&file).ok()?, file)));
    let Some((mut content, file)) = found else {
        if reload == Reload::Live && path == "/" {
            return send(stream, "503 Service Unavailable", "text/html", NOT_BUILT.as_bytes(), with_body);
        }
        return send(stream, "404 Not Found", "text/plain", b"no such file\n", with_body);
    };
    if reload == Reload::Live && file.ends_with("index.html") {
        let script = "<script type=\"module\" src=\"./__podlab/live.js\"></script></body>";
        content = String::from_utf8_lossy(&content).replace("</body>", script).into_bytes();
    }
    send(stream, "200 OK", mime(&file), &content, with_body)
}

/// The file that a URL path names; `None` for anything that could leave the folder.
fn file(folder: &Path, path: &str) -> Option<PathBuf> {
    let path = decode(path)?;
    let relative = Path::new(path.trim_start_matches('/'));
    if relative.components().any(|part| !matches!(part, Component::Normal(_))) {
        return None;
    }
    let full = folder.join(relative);
    Some(if full.is_dir() { full.join("index.html") } else { full })
}

/// Decodes `%41` and the like.
fn decode(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// The media type by the file's extension; browsers compile wasm while it loads only if it comes under its own type.
fn mime(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" | "md" | "yaml" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn send(mut stream: TcpStream, status: &str, mime: &str, body: &[u8], with_body: bool) -> Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {mime}\r\nContent-Length: {}\r\nCache-Control: no-cache\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    if with_body {
        stream.write_all(body)?;
    }
    stream.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{decode, file};
    use std::path::Path;

    #[test]
    fn a_path_never_leaves_the_folder() {
        let folder = Path::new("page");
        for path in
            ["/../secret", "/a/../../secret", "/%2e%2e/secret", "/a%2f..%2f..%2fsecret", "/%zz", "/%4"]
        {
            assert_eq!(file(folder, path), None, "{path}");
        }
        assert_eq!(file(folder, "/a/b.js"), Some(folder.join("a/b.js")));
        assert_eq!(file(folder, "//etc/passwd"), Some(folder.join("etc/passwd")));
    }

    #[test]
    fn percent_signs_are_decoded() {
        assert_eq!(decode("/a%20b").as_deref(), Some("/a b"));
        assert_eq!(decode("/%ff"), None);
    }
}
