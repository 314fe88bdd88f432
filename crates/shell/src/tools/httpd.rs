//! A small file server: `python3 -m http.server`, busybox `httpd`.

use super::lines::deferred;
use super::options;
use crate::context::Ctx;
use crate::host::{HttpRequest, HttpResponse};
use crate::process::{Family, Program, Step, Wait};
use std::time::Duration;

#[derive(Clone, Debug)]
struct FileServer {
    port: u16,
    root: String,
    python: bool,
    greeted: bool,
}

impl Program for FileServer {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if !self.greeted && self.python {
            let p = self.port;
            ctx.out(format!("Serving HTTP on 0.0.0.0 port {p} (http://0.0.0.0:{p}/) ...\n"));
        }
        self.greeted = true;
        Step::Block(Wait::signal())
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn memory_bytes(&self) -> u64 {
        if self.python { 18 << 20 } else { 700 << 10 }
    }

    fn listening(&self) -> Vec<u16> {
        vec![self.port]
    }

    fn serve(&mut self, ctx: &mut Ctx<'_>, request: &HttpRequest) -> Option<HttpResponse> {
        let path = request.path.split('?').next().unwrap_or_default();
        let clean = format!("{}{}", self.root.trim_end_matches('/'), path);
        let file = if ctx.is_dir(&clean) {
            format!("{}/index.html", clean.trim_end_matches('/'))
        } else {
            clean.clone()
        };
        let text = |s: &str| ("Content-Type".to_owned(), s.to_owned());
        let (status, reason, kind, body) = if path.contains("..") {
            (404, "Not Found", "text/html", b"Not Found\n".to_vec())
        } else if let Ok(body) = ctx.read_file(&file) {
            let kind = match file.rsplit('.').next() {
                Some("html") => "text/html",
                Some("json") => "application/json",
                Some("txt" | "log") => "text/plain",
                _ => "application/octet-stream",
            };
            (200, "OK", kind, body)
        } else if self.python && ctx.is_dir(&clean) {
            let mut page = format!(
                "<!DOCTYPE HTML>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Directory listing for {path}</title>\n</head>\n<body>\n<h1>Directory listing for {path}</h1>\n<hr>\n<ul>\n"
            );
            for n in ctx.list(&clean).unwrap_or_default() {
                let slash = if ctx.is_dir(&format!("{clean}/{n}")) { "/" } else { "" };
                page.push_str(&format!("<li><a href=\"{n}{slash}\">{n}{slash}</a></li>\n"));
            }
            page.push_str("</ul>\n<hr>\n</body>\n</html>\n");
            (200, "OK", "text/html; charset=utf-8", page.into_bytes())
        } else if self.python {
            let page = "<!DOCTYPE HTML>\n<html lang=\"en\">\n    <head>\n        <meta charset=\"utf-8\">\n        <title>Error response</title>\n    </head>\n    <body>\n        <h1>Error response</h1>\n        <p>Error code: 404</p>\n        <p>Message: File not found.</p>\n        <p>Error code explanation: 404 - Nothing matches the given URI.</p>\n    </body>\n</html>\n";
            (404, "File not found", "text/html;charset=utf-8", page.as_bytes().to_vec())
        } else {
            let page = "<HTML><HEAD><TITLE>404 Not Found</TITLE></HEAD>\n<BODY><H1>404 Not Found</H1>\nThe requested URL was not found\n</BODY></HTML>\n";
            (404, "Not Found", "text/html", page.as_bytes().to_vec())
        };
        if self.python {
            let when = super::date::format(ctx.now(), "%d/%b/%Y %H:%M:%S");
            ctx.err(format!(
                "127.0.0.1 - - [{when}] \"{} {} HTTP/1.1\" {status} -\n",
                request.method, request.path
            ));
        }
        let body = if request.method == "HEAD" { Vec::new() } else { body };
        let headers = vec![text(kind), ("Content-Length".to_owned(), body.len().to_string())];
        Some(HttpResponse { status, reason: reason.to_owned(), headers, body, delay: Duration::ZERO })
    }
}

pub(super) fn httpd(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let o = options(ctx, args, "fvip:h:c:u:", &[])?;
        let port = o.value('p').and_then(|p| p.rsplit(':').next()?.parse().ok()).unwrap_or(80);
        let root = ctx.absolute(o.value('h').unwrap_or("."));
        let server = FileServer { port, root, python: false, greeted: false };
        if o.has('f') {
            return Ok(Box::new(server));
        }
        // Without `-f` it goes on in the background.
        let family = ctx.family();
        let argv = ctx.core.argv.clone();
        let _ = ctx.spawn(Box::new(server), family, argv, None, None);
        Err(0)
    })
}

/// Python in two forms only: the file server, and `-c` texts made of `print("…")`, `x = "…" * N` and sleeping.
pub(super) fn python(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let rest: Vec<&str> = args.iter().skip(1).map(String::as_str).filter(|a| *a != "-u").collect();
        match rest.as_slice() {
            ["--version" | "-V"] => {
                ctx.out("Python 3.12.3\n");
                Err(0)
            }
            ["-m", "http.server", more @ ..] => {
                let port = more.iter().find_map(|a| a.parse().ok()).unwrap_or(8000);
                let root = ctx.absolute(".");
                Ok(Box::new(FileServer { port, root, python: true, greeted: false }))
            }
            ["-c", text, ..] => super::python::start(ctx, text),
            _ => Err(ctx.fail(2, "not simulated: Python programs")),
        }
    })
}
