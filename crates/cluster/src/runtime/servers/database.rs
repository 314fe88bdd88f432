//! Databases: they listen, and speak no HTTP. Those that want a password end without one, as the real images do.

use podlab_shell::{Ctx, HttpRequest, HttpResponse, OnSignal, Program, Signal, Step, Wait};

#[derive(Clone, Debug)]
struct Database {
    port: u16,
    ready: &'static str,
    /// One of these must be set.
    wants: &'static [&'static str],
    refusal: &'static str,
    /// What it says, and what it exits with, where its port is somebody else's.
    taken: &'static str,
    taken_code: i32,
    memory: u64,
    started: bool,
}

pub(super) fn redis(args: &[String]) -> Box<dyn Program> {
    let port =
        args.iter().position(|a| a == "--port").and_then(|i| args.get(i + 1)?.parse().ok()).unwrap_or(6379);
    Box::new(Database {
        port,
        ready: "1:C oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo\n1:M * Ready to accept connections tcp\n",
        wants: &[],
        refusal: "",
        taken: "Warning: Could not create server TCP listening socket *:6379: bind: Address already in use\nFailed listening on port 6379 (tcp), aborting.\n",
        taken_code: 1,
        memory: 8 << 20,
        started: false,
    })
}

pub(super) fn mysql() -> Box<dyn Program> {
    Box::new(Database {
        port: 3306,
        ready: "[Note] [Entrypoint]: MySQL init process done. Ready for start up.\n\
                [System] [Server] /usr/sbin/mysqld: ready for connections.  port: 3306\n",
        wants: &[
            "MYSQL_ROOT_PASSWORD",
            "MYSQL_ALLOW_EMPTY_PASSWORD",
            "MYSQL_RANDOM_ROOT_PASSWORD",
            "MARIADB_ROOT_PASSWORD",
            "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD",
        ],
        refusal: "[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified\n    \
                  You need to specify one of the following as an environment variable:\n    \
                  - MYSQL_ROOT_PASSWORD\n    - MYSQL_ALLOW_EMPTY_PASSWORD\n    - MYSQL_RANDOM_ROOT_PASSWORD\n",
        taken: "[ERROR] [MY-010262] [Server] Can't start server: Bind on TCP/IP port: Address already in use\n",
        taken_code: 1,
        memory: 350 << 20,
        started: false,
    })
}

pub(super) fn postgres() -> Box<dyn Program> {
    Box::new(Database {
        port: 5432,
        ready: "PostgreSQL init process complete; ready for start up.\n\
                LOG:  database system is ready to accept connections\n",
        wants: &["POSTGRES_PASSWORD", "POSTGRES_HOST_AUTH_METHOD", "POSTGRES_PASSWORD_FILE"],
        refusal: "Error: Database is uninitialized and superuser password is not specified.\n       \
                  You must specify POSTGRES_PASSWORD to a non-empty value for the\n       \
                  superuser. For example, \"-e POSTGRES_PASSWORD=password\" on \"docker run\".\n",
        taken: "LOG:  could not bind IPv4 address \"0.0.0.0\": Address already in use\nFATAL:  could not create any TCP/IP sockets\n",
        taken_code: 1,
        memory: 40 << 20,
        started: false,
    })
}

pub(super) fn mongo() -> Box<dyn Program> {
    Box::new(Database {
        port: 27017,
        ready: "{\"s\":\"I\",\"c\":\"NETWORK\",\"msg\":\"Waiting for connections\",\"attr\":{\"port\":27017}}\n",
        wants: &[],
        refusal: "",
        taken: "{\"s\":\"E\",\"c\":\"CONTROL\",\"msg\":\"Failed to set up listener\",\"attr\":{\"error\":\"SocketException: Address already in use\"}}\n",
        taken_code: 48,
        memory: 120 << 20,
        started: false,
    })
}

impl Program for Database {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if !self.started {
            if !self.wants.is_empty() && !self.wants.iter().any(|name| ctx.core.env_var(name).is_some()) {
                ctx.err(self.refusal);
                return Step::Exit(1);
            }
            if ctx.port_in_use(self.port) {
                ctx.err(self.taken);
                return Step::Exit(self.taken_code);
            }
            self.started = true;
            ctx.out(self.ready);
        }
        Step::Block(Wait::signal())
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn memory_bytes(&self) -> u64 {
        self.memory
    }

    fn on_signal(&mut self, signal: Signal) -> OnSignal {
        super::ends_well(signal)
    }

    fn listening(&self) -> Vec<u16> {
        if self.started { vec![self.port] } else { Vec::new() }
    }

    fn serve(&mut self, ctx: &mut Ctx<'_>, request: &HttpRequest) -> Option<HttpResponse> {
        let _ = (ctx, request);
        None
    }
}
