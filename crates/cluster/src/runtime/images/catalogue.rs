//! The images that podlab knows, a line each, and the rule for those it does not.

use super::reference::Reference;

/// Which tools an image holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Userland {
    /// Busybox with its `ash`.
    Busybox,
    /// Alpine: busybox, musl, `/etc/alpine-release`.
    Alpine,
    /// Debian and its children: `dash` as sh, `bash`, GNU tools.
    Debian,
    /// No shell, no tools.
    Distroless,
}

/// The simulated program behind an image's entrypoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// The image holds no server of its own.
    None,
    /// Serves files on port 80.
    Nginx,
    /// Serves files on port 80.
    Httpd,
    /// Answers on 8080 with its host name; ignores TERM.
    Kubia,
    /// Answers on 8080; 500 from the sixth request on.
    KubiaUnhealthy,
    /// Speaks its own protocol on 6379.
    Redis,
    /// A database on 3306 that wants a password in its environment.
    Mysql,
    /// A database on 5432 that wants a password in its environment.
    Postgres,
    /// A database on 27017.
    Mongo,
    /// Answers on 8080 with a greeting.
    HelloApp,
    /// hpa-example: computes for every request.
    HpaExample,
    /// Answers on 5678 with the text it is given.
    HttpEcho,
    /// Kubernetes' own test image, with many sub-commands.
    Agnhost,
    /// Does nothing until it is told to end.
    Pause,
    /// Answers any request on the port named in `PORT`, else 8080; its page says that it is simulated.
    Generic,
}

/// An image.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Tools in it.
    pub userland: Userland,
    /// What its entrypoint runs.
    pub server: Server,
    /// Entrypoint.
    pub entrypoint: &'static [&'static str],
    /// Arguments.
    pub cmd: &'static [&'static str],
    /// Environment beside `PATH`.
    pub env: &'static [(&'static str, &'static str)],
    /// Where it starts.
    pub workdir: &'static str,
    /// The signal that asks it to end: its number.
    pub stop_signal: u8,
    /// Tools that it has beside its userland's.
    pub tools: &'static [&'static str],
    /// Bytes of the compressed image.
    pub size: u64,
    /// The user id it runs as.
    pub uid: i64,
    /// The user's name, where the image names one.
    pub username: Option<&'static str>,
    /// What is known of its tags.
    tags: Tags,
    /// Whether it is in the catalogue; if not, the page says what it is simulated as.
    pub known: bool,
}

/// Which tags an image has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tags {
    /// Any that could be a version or a name of one.
    Any,
    /// Versions up to this major and minor, `latest` and the usual suffixes.
    UpTo(u32, u32),
}

const TERM: u8 = 15;
const QUIT: u8 = 3;
const WINCH: u8 = 28;

const fn image(userland: Userland, server: Server, size: u64) -> Image {
    Image {
        userland,
        server,
        entrypoint: &[],
        cmd: &[],
        env: &[],
        workdir: "/",
        stop_signal: TERM,
        tools: &[],
        size,
        uid: 0,
        username: None,
        tags: Tags::Any,
        known: true,
    }
}

const SH: &[&str] = &["sh"];
/// What Docker's buildpack-deps adds to Debian, as far as podlab has it.
const BUILDPACK: &[&str] = &["curl", "wget", "ps"];
/// What images for looks at name servers bring.
const DNS_TOOLS: &[&str] = &["curl", "dig", "nslookup"];
const PYTHON: &[&str] = &["curl", "wget", "ps", "python", "python3"];

/// The image that a name stands for; `None` where no registry could hold it.
pub fn find(reference: &Reference) -> Option<Image> {
    let short = reference.short();
    let last = short.rsplit('/').next().unwrap_or("");
    // Kubernetes' own tests have copies of well-known images.
    let copied = short.strip_prefix("registry.k8s.io/e2e-test-images/").unwrap_or(&short);
    if let Some(mut found) = known(copied, last) {
        if reference.tag.contains("alpine") && found.userland == Userland::Debian {
            found.userland = Userland::Alpine;
        }
        return Some(found);
    }
    let official = reference.registry == "docker.io" && reference.path.starts_with("library/");
    if official && !OFFICIAL.contains(&short.as_str()) {
        return None;
    }
    const NAMES_OF_NOTHING: &[&str] = &[
        "non-exist",
        "nonexist",
        "not-exist",
        "notexist",
        "doesnotexist",
        "does-not-exist",
        "doesntexist",
        "no-such",
        "nosuch",
        "not-found",
        "notfound",
        "missing-image",
        "invalid-image",
        "bad-image",
        "wrong-image",
        "fake-image",
        "invalidimage",
        "badimage",
        "wrongimage",
    ];
    if NAMES_OF_NOTHING.iter().any(|word| short.contains(word)) {
        return None;
    }
    Some(Image {
        entrypoint: &["/app/server"],
        known: false,
        ..image(Userland::Debian, Server::Generic, 80_000_000)
    })
}

fn known(short: &str, last: &str) -> Option<Image> {
    use Server as S;
    use Userland as U;
    let base = image(U::Debian, S::None, 50_000_000);
    Some(match short {
        "busybox" | "registry.k8s.io/busybox" | "k8s.gcr.io/busybox" | "gcr.io/google_containers/busybox" => {
            Image { cmd: SH, tags: Tags::UpTo(1, 38), ..image(U::Busybox, S::None, 2_224_358) }
        }
        "radial/busyboxplus" | "yauritux/busybox-curl" => {
            Image { cmd: SH, tools: &["curl"], ..image(U::Busybox, S::None, 4_000_000) }
        }
        "alpine" => {
            Image { cmd: &["/bin/sh"], tags: Tags::UpTo(3, 24), ..image(U::Alpine, S::None, 3_806_120) }
        }
        "alpine/git" | "bitnami/git" => {
            Image { entrypoint: &["git"], workdir: "/git", ..image(U::Alpine, S::None, 33_000_000) }
        }
        "curlimages/curl" => Image {
            entrypoint: &["/entrypoint.sh"],
            cmd: &["curl"],
            uid: 100,
            username: Some("curl_user"),
            tools: &["curl"],
            ..image(U::Alpine, S::None, 8_500_000)
        },
        "alpine/curl" => {
            Image { entrypoint: &["/usr/bin/curl"], tools: &["curl"], ..image(U::Alpine, S::None, 6_000_000) }
        }
        "bash" => Image { cmd: &["bash"], tags: Tags::UpTo(5, 4), ..image(U::Alpine, S::None, 6_400_000) },
        "debian" => Image { cmd: &["bash"], size: 48_500_000, ..base },
        "ubuntu" => Image { cmd: &["/bin/bash"], size: 29_700_000, ..base },
        "fedora" | "centos" | "rockylinux" | "almalinux" | "amazonlinux" => {
            Image { cmd: &["/bin/bash"], tools: &["curl"], size: 70_000_000, ..base }
        }
        "bitnami/kubectl" | "registry.k8s.io/kubectl" => {
            Image { entrypoint: &["kubectl"], cmd: &["--help"], ..image(U::Debian, S::None, 90_000_000) }
        }
        "nginx" | "nginxinc/nginx-unprivileged" | "registry.k8s.io/nginx-slim" | "bitnami/nginx" => Image {
            entrypoint: &["/docker-entrypoint.sh"],
            tools: &["curl"],
            cmd: &["nginx", "-g", "daemon off;"],
            env: &[("NGINX_VERSION", "1.27.5")],
            stop_signal: QUIT,
            tags: if short == "nginx" { Tags::UpTo(1, 31) } else { Tags::Any },
            ..image(U::Debian, S::Nginx, 72_319_182)
        },
        "httpd" => Image {
            cmd: &["httpd-foreground"],
            env: &[("HTTPD_PREFIX", "/usr/local/apache2")],
            workdir: "/usr/local/apache2",
            stop_signal: WINCH,
            tags: Tags::UpTo(2, 4),
            ..image(U::Debian, S::Httpd, 45_181_938)
        },
        "luksa/kubia" | "luksa/kubia-pet" | "luksa/kubia-pet-peers" => Image {
            entrypoint: &["node", "app.js"],
            tools: BUILDPACK,
            ..image(U::Debian, S::Kubia, 263_000_000)
        },
        "luksa/kubia-unhealthy" => Image {
            entrypoint: &["node", "app.js"],
            tools: BUILDPACK,
            ..image(U::Debian, S::KubiaUnhealthy, 263_000_000)
        },
        "redis" => Image {
            entrypoint: &["docker-entrypoint.sh"],
            cmd: &["redis-server"],
            workdir: "/data",
            tags: Tags::UpTo(8, 8),
            ..image(U::Debian, S::Redis, 45_000_000)
        },
        "mysql" | "mariadb" => Image {
            entrypoint: &["docker-entrypoint.sh"],
            cmd: &["mysqld"],
            ..image(U::Debian, S::Mysql, 233_000_000)
        },
        "postgres" => Image {
            entrypoint: &["docker-entrypoint.sh"],
            cmd: &["postgres"],
            tags: Tags::UpTo(18, 99),
            ..image(U::Debian, S::Postgres, 150_000_000)
        },
        "mongo" => Image {
            entrypoint: &["docker-entrypoint.sh"],
            cmd: &["mongod"],
            ..image(U::Debian, S::Mongo, 250_000_000)
        },
        "python" => Image { cmd: &["python3"], tools: PYTHON, size: 365_000_000, ..base },
        "perl" => Image { cmd: &["perl"], tools: BUILDPACK, size: 340_000_000, ..base },
        "node" => Image { cmd: &["node"], tools: BUILDPACK, size: 400_000_000, ..base },
        "polinux/stress" => Image { tools: &["stress"], ..image(U::Alpine, S::None, 4_041_495) },
        "progrium/stress" => {
            Image { entrypoint: &["stress", "--verbose"], tools: &["stress"], size: 117_000_000, ..base }
        }
        "vish/stress" => {
            Image { entrypoint: &["stress"], tools: &["stress"], ..image(U::Distroless, S::None, 1_600_000) }
        }
        "alexeiled/stress-ng" => Image {
            entrypoint: &["stress-ng"],
            tools: &["stress-ng"],
            ..image(U::Distroless, S::None, 4_000_000)
        },
        "hashicorp/http-echo" => {
            Image { entrypoint: &["/http-echo"], ..image(U::Distroless, S::HttpEcho, 4_000_000) }
        }
        _ => match last {
            "hello-app" | "hello-go-gke" | "echo-server" | "echoserver" | "whoami" => {
                Image { entrypoint: &["./hello-app"], ..image(U::Distroless, S::HelloApp, 11_500_000) }
            }
            "agnhost" => Image {
                entrypoint: &["/agnhost"],
                tools: &["curl", "dig", "getent"],
                cmd: &["pause"],
                ..image(U::Alpine, S::Agnhost, 49_000_000)
            },
            "liveness" if short.contains("k8s") => {
                Image { entrypoint: &["/server"], ..image(U::Distroless, S::Agnhost, 1_600_000) }
            }
            "jessie-dnsutils" | "glibc-dns-testing" | "dnsutils" => {
                Image { cmd: SH, tools: DNS_TOOLS, size: 60_000_000, ..base }
            }
            "hpa-example" => Image {
                entrypoint: &["apache2-foreground"],
                cmd: &[],
                ..image(U::Debian, S::HpaExample, 196_000_000)
            },
            "pause" | "pause-amd64" => {
                Image { entrypoint: &["/pause"], uid: 65535, ..image(U::Distroless, S::Pause, 268_051) }
            }
            "etcd"
            | "kube-apiserver"
            | "kube-controller-manager"
            | "kube-scheduler"
            | "kube-proxy"
            | "coredns"
            | "kindnetd"
            | "kindnet" => Image { entrypoint: &["/system"], ..image(U::Distroless, S::Pause, 25_000_000) },
            _ => return None,
        },
    })
}

/// Official images of Docker's library that podlab simulates as a generic server.
const OFFICIAL: &[&str] = &[
    "adminer",
    "aerospike",
    "almalinux",
    "amazoncorretto",
    "arangodb",
    "archlinux",
    "buildpack-deps",
    "caddy",
    "cassandra",
    "chronograf",
    "clojure",
    "composer",
    "consul",
    "couchbase",
    "couchdb",
    "crate",
    "docker",
    "drupal",
    "eclipse-mosquitto",
    "eclipse-temurin",
    "elasticsearch",
    "elixir",
    "erlang",
    "fluentd",
    "flink",
    "gcc",
    "ghost",
    "golang",
    "gradle",
    "groovy",
    "haproxy",
    "haskell",
    "hello-world",
    "influxdb",
    "jenkins",
    "jetty",
    "joomla",
    "julia",
    "kapacitor",
    "kibana",
    "kong",
    "logstash",
    "matomo",
    "maven",
    "mediawiki",
    "memcached",
    "mongo-express",
    "nats",
    "neo4j",
    "nextcloud",
    "odoo",
    "openjdk",
    "oraclelinux",
    "percona",
    "php",
    "phpmyadmin",
    "photon",
    "rabbitmq",
    "registry",
    "rethinkdb",
    "rocket.chat",
    "ruby",
    "rust",
    "solr",
    "sonarqube",
    "spark",
    "storm",
    "swift",
    "telegraf",
    "tomcat",
    "traefik",
    "vault",
    "wordpress",
    "zookeeper",
];

impl Image {
    /// Whether the registry has this tag (or digest) of the image.
    pub fn has_tag(&self, tag: &str) -> bool {
        if tag.starts_with("sha256:") || matches!(tag, "latest" | "stable" | "mainline" | "edge" | "rc") {
            return true;
        }
        let lower = tag.to_ascii_lowercase();
        if [
            "nope",
            "doesnotexist",
            "does-not-exist",
            "nonexist",
            "invalid",
            "notfound",
            "not-found",
            "typo",
            "wrong",
        ]
        .iter()
        .any(|word| lower.contains(word))
        {
            return false;
        }
        let Tags::UpTo(major, minor) = self.tags else { return !implausible_version(tag) };
        const NAMES: &[&str] = &[
            "alpine",
            "alpine-slim",
            "perl",
            "bookworm",
            "trixie",
            "bullseye",
            "slim",
            "musl",
            "glibc",
            "uclibc",
            "stable-alpine",
            "mainline-alpine",
            "stable-perl",
            "unstable",
            "noble",
            "jammy",
            "unstable-musl",
        ];
        if NAMES.contains(&tag) {
            return true;
        }
        let version = tag.split('-').next().unwrap_or("");
        let mut parts = version.split('.').map(str::parse::<u32>);
        let Some(Ok(first)) = parts.next() else { return false };
        let second = match parts.next() {
            None => 0,
            Some(Ok(n)) => n,
            Some(Err(_)) => return false,
        };
        let third = match parts.next() {
            None => 0,
            Some(Ok(n)) => n,
            Some(Err(_)) => return false,
        };
        first <= major && (first < major || second <= minor) && second < 100 && third < 100
    }
}

/// A version that nobody ever released, as people write it to see a pull fail.
fn implausible_version(tag: &str) -> bool {
    tag.trim_start_matches('v')
        .split(['.', '-'])
        .filter_map(|part| part.parse::<u64>().ok())
        .any(|n| n == 999 || n == 9999 || n == 99999)
}
