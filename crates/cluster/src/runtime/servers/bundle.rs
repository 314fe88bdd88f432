//! An image's root file system: its userland, its server and the files that the server shows.

use crate::runtime::cri::ContainerConfig;
use crate::runtime::images::{Image, Reference, Server, Userland};
use podlab_shell::{ENTRYPOINT, Ino, Kind, Volume};
use podlab_sim::SimTime;

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const NGINX_INDEX: &str = "<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n</head>\n<body>\n\
                           <h1>Welcome to nginx!</h1>\n<p>This page is served by podlab's simulated nginx.</p>\n\
                           </body>\n</html>\n";
const NGINX_CONF: &str = "server {\n    listen       80;\n    server_name  localhost;\n\n    location / {\n        \
                          root   /usr/share/nginx/html;\n        index  index.html index.htm;\n    }\n}\n";

/// The files that a container gets of its own when it is made.
pub(crate) const OWN_FILES: [&str; 4] =
    ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/dev/termination-log"];

/// An image's root file system, to be copied for each container.
#[derive(Clone, Debug)]
pub(crate) struct ImageRoot {
    pub(crate) volume: Volume,
    /// Where the [`OWN_FILES`] are; `None` for one that has several names or is no plain file.
    pub(crate) own_files: [Option<Ino>; OWN_FILES.len()],
}

impl ImageRoot {
    pub(crate) fn new(image: &Image, reference: &Reference, now: SimTime) -> ImageRoot {
        let volume = Bundle::root(image, reference, now);
        let plain = |ino: &Ino| {
            volume.get(*ino).is_some_and(|inode| inode.nlink == 1 && matches!(inode.kind, Kind::File(_)))
        };
        let own_files = OWN_FILES.map(|path| volume.lookup(path).filter(plain));
        ImageRoot { volume, own_files }
    }
}

/// Builds what an image brings along.
pub(crate) struct Bundle;

impl Bundle {
    /// The root file system of an image.
    pub(crate) fn root(image: &Image, reference: &Reference, now: SimTime) -> Volume {
        let mut root = match image.userland {
            Userland::Busybox => podlab_shell::busybox(now),
            Userland::Alpine => podlab_shell::alpine(now),
            Userland::Debian => podlab_shell::debian(now),
            Userland::Distroless => podlab_shell::distroless(now),
        };
        let program = |root: &mut Volume, path: &str, name: &str| {
            let _ = root.put(path, Kind::Program(name.into()), 0o755, now);
        };
        let file = |root: &mut Volume, path: &str, text: &str, mode: u32| {
            let _ = root.put_file(path, text.as_bytes(), mode, now);
        };
        match image.server {
            Server::None => {}
            Server::Nginx => {
                program(&mut root, "/usr/sbin/nginx", "nginx");
                file(&mut root, "/docker-entrypoint.sh", ENTRYPOINT, 0o755);
                file(&mut root, "/usr/share/nginx/html/index.html", NGINX_INDEX, 0o644);
                file(&mut root, "/usr/share/nginx/html/50x.html", "<h1>An error occurred.</h1>\n", 0o644);
                file(&mut root, "/etc/nginx/conf.d/default.conf", NGINX_CONF, 0o644);
                file(&mut root, "/etc/nginx/nginx.conf", "include /etc/nginx/conf.d/*.conf;\n", 0o644);
                let _ = root.make_dirs("/var/log/nginx", now);
                let _ = root.make_dirs("/var/cache/nginx", now);
            }
            Server::Httpd => {
                program(&mut root, "/usr/local/apache2/bin/httpd", "httpd");
                program(&mut root, "/usr/local/bin/httpd-foreground", "httpd");
                file(
                    &mut root,
                    "/usr/local/apache2/htdocs/index.html",
                    "<html><body><h1>It works!</h1></body></html>\n",
                    0o644,
                );
            }
            Server::Kubia => {
                program(&mut root, "/usr/local/bin/node", "kubia");
                file(&mut root, "/app.js", "// podlab simulates this server\n", 0o644);
            }
            Server::KubiaUnhealthy => {
                program(&mut root, "/usr/local/bin/node", "kubia-unhealthy");
                file(&mut root, "/app.js", "// podlab simulates this server\n", 0o644);
            }
            Server::Redis => {
                program(&mut root, "/usr/local/bin/redis-server", "redis-server");
                file(&mut root, "/usr/local/bin/docker-entrypoint.sh", ENTRYPOINT, 0o755);
                let _ = root.make_dirs("/data", now);
            }
            Server::Mysql => {
                program(&mut root, "/usr/sbin/mysqld", "mysqld");
                file(&mut root, "/usr/local/bin/docker-entrypoint.sh", ENTRYPOINT, 0o755);
                let _ = root.make_dirs("/var/lib/mysql", now);
            }
            Server::Postgres => {
                program(&mut root, "/usr/local/bin/postgres", "postgres");
                file(&mut root, "/usr/local/bin/docker-entrypoint.sh", ENTRYPOINT, 0o755);
                let _ = root.make_dirs("/var/lib/postgresql/data", now);
            }
            Server::Mongo => {
                program(&mut root, "/usr/bin/mongod", "mongod");
                file(&mut root, "/usr/local/bin/docker-entrypoint.sh", ENTRYPOINT, 0o755);
                let _ = root.make_dirs("/data/db", now);
            }
            Server::HpaExample => {
                program(&mut root, "/usr/local/bin/apache2-foreground", "apache2-foreground");
            }
            Server::HelloApp => program(&mut root, "/hello-app", "hello-app"),
            Server::HttpEcho => program(&mut root, "/http-echo", "http-echo"),
            Server::Agnhost => {
                program(&mut root, "/agnhost", "agnhost");
                program(&mut root, "/agnhost-2", "agnhost");
                for name in ["/localhost.crt", "/localhost.key"] {
                    file(&mut root, name, "podlab simulates no certificates\n", 0o644);
                }
                let _ = root.make_dirs("/uploads", now);
                program(&mut root, "/usr/local/bin/agnhost", "agnhost");
                program(&mut root, "/server", "liveness-server");
            }
            Server::Pause => {
                program(&mut root, "/pause", "pause");
                program(&mut root, "/system", "system");
            }
            Server::Generic => program(&mut root, "/app/server", "generic"),
        }
        for tool in image.tools {
            program(&mut root, &format!("/usr/bin/{tool}"), &format!("tool:{tool}"));
        }
        if reference.short().rsplit('/').next() == Some("etcd") {
            program(&mut root, "/usr/local/bin/etcd", "etcd");
        }
        if reference.short() == "curlimages/curl" {
            file(&mut root, "/entrypoint.sh", ENTRYPOINT, 0o755);
        }
        if !image.workdir.is_empty() {
            let _ = root.make_dirs(image.workdir, now);
        }
        // What every container gets of its own: names that are there need no change of their directory.
        for path in OWN_FILES {
            file(&mut root, path, "", 0o644);
        }
        root.freeze();
        root
    }

    /// The environment of a container's processes: what the runtime sets, the image's, the pod's; a later one
    /// replaces an earlier one of the same name.
    ///
    /// Source: containerd, internal/cri/server/container_create.go (PATH and HOSTNAME first).
    pub(crate) fn environment(
        image: &Image,
        config: &ContainerConfig,
        hostname: &str,
    ) -> Vec<(String, String)> {
        let own = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let mut env: Vec<(String, String)> = Vec::with_capacity(image.env.len() + config.envs.len() + 3);
        env.extend([own("PATH", PATH), own("HOSTNAME", hostname)]);
        let own = image.env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        for (key, value) in own.chain(config.envs.iter().cloned()) {
            match env.iter_mut().find(|(k, _)| *k == key) {
                Some(slot) => slot.1 = value,
                None => env.push((key, value)),
            }
        }
        if !env.iter().any(|(k, _)| k == "HOME") {
            env.push(("HOME".to_owned(), "/root".to_owned()));
        }
        env
    }
}
