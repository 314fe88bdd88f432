//! etcd as an image of its own: it listens, stores nothing, and answers gRPC's health service.
//!
//! Source: etcd's server/etcdserver/api/v3rpc/health.go and its option `--listen-client-urls`.

use podlab_shell::{Ctx, Health, OnSignal, Program, Signal, Step, Wait};

/// Where it listens unless it is told: nobody outside its pod reaches that.
const DEFAULT_URLS: &str = "http://localhost:2379";

#[derive(Clone, Debug)]
struct Etcd {
    ports: Vec<u16>,
    started: bool,
}

pub(super) fn etcd(args: &[String]) -> Box<dyn Program> {
    let mut urls = DEFAULT_URLS.to_owned();
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let Some(name) = word.strip_prefix("--listen-client-urls") else { continue };
        match name.strip_prefix('=') {
            Some(value) => value.clone_into(&mut urls),
            None if name.is_empty() => urls = words.next().cloned().unwrap_or_default(),
            None => {}
        }
    }
    let ports = urls.split(',').filter_map(|url| {
        let (_, authority) = url.split_once("://")?;
        let (host, port) = authority.trim_end_matches('/').rsplit_once(':')?;
        let is_own = host == "localhost" || host.starts_with("127.") || host == "[::1]";
        if is_own { None } else { port.parse().ok() }
    });
    Box::new(Etcd { ports: ports.collect(), started: false })
}

impl Program for Etcd {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if !self.started {
            self.started = true;
            let at = podlab_api::time::time_nanos(ctx.now().as_nanos());
            let at = at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string();
            ctx.err(format!(
                "{{\"level\":\"info\",\"ts\":\"{at}\",\"msg\":\"ready to serve client requests\"}}\n"
            ));
        }
        Step::Block(Wait::signal())
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn memory_bytes(&self) -> u64 {
        38 << 20
    }

    fn on_signal(&mut self, signal: Signal) -> OnSignal {
        super::ends_well(signal)
    }

    fn listening(&self) -> Vec<u16> {
        if self.started { self.ports.clone() } else { Vec::new() }
    }

    fn health(&mut self, _: &mut Ctx<'_>, _: u16, service: &str) -> Option<Health> {
        Some(match service {
            "" => Health::Serving,
            _ => Health::Refused { code: "NotFound", message: "unknown service".to_owned() },
        })
    }
}
