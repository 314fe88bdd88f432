//! The servers that images hold: programs like any other, each a file.
//!
//! A new one needs its file, a line in [`program`] and an entry in the image catalogue.

mod agnhost;
mod bundle;
mod database;
mod echo;
mod etcd;
mod files;
mod generic;
mod hpa_example;
mod kubia;
mod pause;

pub(super) use bundle::{Bundle, ImageRoot, OWN_FILES};

use super::images::Image;
use podlab_shell::{Ctx, HttpRequest, HttpResponse, OnSignal, Program, Signal};
use podlab_sim::SimDuration;

/// The program behind an executable of an image.
pub(super) fn program(image: &Image, name: &str, argv: &[String]) -> Option<Box<dyn Program>> {
    let _ = image;
    let args = argv.get(1..).unwrap_or(&[]);
    Some(match name {
        "nginx" => files::nginx(args),
        "httpd" => files::httpd(),
        "apache2-foreground" => hpa_example::hpa_example(),
        "kubia" => kubia::kubia(false),
        "kubia-unhealthy" => kubia::kubia(true),
        "hello-app" => echo::hello_app(),
        "http-echo" => echo::http_echo(args),
        "redis-server" => database::redis(args),
        "mysqld" => database::mysql(),
        "postgres" => database::postgres(),
        "mongod" => database::mongo(),
        "etcd" => etcd::etcd(args),
        "agnhost" => agnhost::agnhost(args),
        "liveness-server" => agnhost::agnhost(&["liveness".to_owned()]),
        "pause" => pause::pause(),
        "system" => pause::system(),
        "generic" => generic::generic(),
        "http.server" => files::python_http_server(args),
        _ => return None,
    })
}

/// An answer with a body of text.
fn text(status: u16, reason: &str, kind: &str, body: impl Into<Vec<u8>>) -> HttpResponse {
    let body = body.into();
    HttpResponse {
        status,
        reason: reason.to_owned(),
        headers: vec![
            ("Content-Type".to_owned(), kind.to_owned()),
            ("Content-Length".to_owned(), body.len().to_string()),
        ],
        body,
        delay: SimDuration::from_millis(1),
    }
}

/// The path of a request without its query.
fn path_of(request: &HttpRequest) -> &str {
    request.path.split(['?', '#']).next().unwrap_or("/")
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        301 => "Moved Permanently",
        302 => "Found",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Not Allowed",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "",
    }
}

/// What a server makes of a signal that ends at once, and well, when it is asked to.
fn ends_well(signal: Signal) -> OnSignal {
    match signal {
        Signal::TERM | Signal::INT => OnSignal::Exit(0),
        _ => OnSignal::Default,
    }
}

/// The time as servers log it: `01/Jan/2026:10:00:00 +0000`.
fn log_time(ctx: &Ctx<'_>) -> String {
    log_time_at(ctx.now())
}

/// As [`log_time`], for any instant.
pub(super) fn log_time_at(now: podlab_sim::SimTime) -> String {
    podlab_api::time::time_nanos(now.as_nanos()).strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
}
