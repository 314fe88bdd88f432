//! What an image brings: shells, tools, `/etc`, `/dev`.

use crate::fs::{Device, Inode, Kind, Volume};
use podlab_sim::SimTime;
use std::sync::Arc;

/// `PATH` where the image says none.
pub(crate) const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A kind of image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Userland {
    /// `busybox`: ash and applets in `/bin`.
    Busybox,
    /// `alpine`: busybox in `/bin`, `/usr/bin`, musl.
    Alpine,
    /// `debian`, `ubuntu`, and images built on them (nginx, httpd, redis): dash, bash, coreutils.
    Debian,
    /// Nothing but `/etc` and `/dev`: distroless and scratch images.
    Distroless,
}

/// Files of a busybox image.
pub fn busybox(now: SimTime) -> Volume {
    install(Userland::Busybox, now)
}

/// Files of an alpine image.
pub fn alpine(now: SimTime) -> Volume {
    install(Userland::Alpine, now)
}

/// Files of a Debian image.
pub fn debian(now: SimTime) -> Volume {
    install(Userland::Debian, now)
}

/// Files of an image without a shell.
pub fn distroless(now: SimTime) -> Volume {
    install(Userland::Distroless, now)
}

/// Makes an image's root file system. Add the image's own programs with [`Volume::put`] and
/// [`Kind::Program`], then [`Volume::freeze`] it.
pub fn install(userland: Userland, now: SimTime) -> Volume {
    let mut v = Volume::new(now, "overlay");
    // Nothing here can fail: an empty volume takes these names.
    for dir in [
        "bin", "dev", "etc", "home", "proc", "root", "sys", "tmp", "usr/bin", "usr/sbin", "var/log",
        "var/run",
    ] {
        let _ = v.make_dirs(dir, now);
    }
    if let Some(ino) = v.lookup("/tmp") {
        v.set_mode(ino, 0o1777);
    }
    if let Some(ino) = v.lookup("/root") {
        v.set_mode(ino, 0o700);
    }
    let mut device = |name: &str, d: Device| {
        let _ = v.put(&format!("dev/{name}"), Kind::Device(d), 0o666, now);
    };
    device("null", Device::Null);
    device("zero", Device::Zero);
    device("full", Device::Full);
    device("random", Device::Random);
    device("urandom", Device::Random);
    device("stdin", Device::Stdin);
    device("stdout", Device::Stdout);
    device("stderr", Device::Stderr);
    device("tty", Device::Tty);
    let _ = v.make_dirs("dev/shm", now);
    let mut text = |path: &str, s: &str| {
        let _ = v.put_file(path, s.as_bytes(), 0o644, now);
    };
    match userland {
        Userland::Debian => {
            text(
                "etc/os-release",
                "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\nHOME_URL=\"https://www.debian.org/\"\nSUPPORT_URL=\"https://www.debian.org/support\"\nBUG_REPORT_URL=\"https://bugs.debian.org/\"\n",
            );
            text("etc/debian_version", "12.12\n");
            text(
                "etc/passwd",
                "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nbin:x:2:2:bin:/bin:/usr/sbin/nologin\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
            );
            text(
                "etc/group",
                "root:x:0:\ndaemon:x:1:\nbin:x:2:\nadm:x:4:\ntty:x:5:\nwww-data:x:33:\nnogroup:x:65534:\n",
            );
        }
        Userland::Alpine => {
            text(
                "etc/os-release",
                "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.22.1\nPRETTY_NAME=\"Alpine Linux v3.22\"\nHOME_URL=\"https://alpinelinux.org/\"\nBUG_REPORT_URL=\"https://gitlab.alpinelinux.org/alpine/aports/-/issues\"\n",
            );
            text("etc/alpine-release", "3.22.1\n");
            text(
                "etc/passwd",
                "root:x:0:0:root:/root:/bin/sh\nbin:x:1:1:bin:/bin:/sbin/nologin\ndaemon:x:2:2:daemon:/sbin:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n",
            );
            text(
                "etc/group",
                "root:x:0:root\nbin:x:1:root,bin,daemon\ndaemon:x:2:root,bin,daemon\nwheel:x:10:root\nnobody:x:65534:\n",
            );
        }
        Userland::Busybox => {
            text(
                "etc/passwd",
                "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nbin:x:2:2:bin:/bin:/bin/false\nsys:x:3:3:sys:/dev:/bin/false\nsync:x:4:100:sync:/bin:/bin/sync\nmail:x:8:8:mail:/var/spool/mail:/bin/false\nwww-data:x:33:33:www-data:/var/www:/bin/false\noperator:x:37:37:Operator:/var:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n",
            );
            text(
                "etc/group",
                "root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\nadm:x:4:\ntty:x:5:\ndisk:x:6:\nlp:x:7:\nmail:x:8:\nkmem:x:9:\nwheel:x:10:root\ncdrom:x:11:\ndialout:x:18:\nfloppy:x:19:\nvideo:x:28:\naudio:x:29:\ntape:x:32:\nwww-data:x:33:\noperator:x:37:\nutmp:x:43:\nplugdev:x:46:\nstaff:x:50:\nlock:x:54:\nnetdev:x:82:\nusers:x:100:\nnobody:x:65534:\n",
            );
        }
        Userland::Distroless => {
            text(
                "etc/passwd",
                "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n",
            );
            text("etc/group", "root:x:0:\nnobody:x:65534:\ntty:x:5:\nstaff:x:50:\nnonroot:x:65532:\n");
        }
    }
    let program = |v: &mut Volume, path: &str, name: &str| {
        let _ = v.put(path, Kind::Program(Arc::from(name)), 0o755, now);
    };
    match userland {
        Userland::Busybox | Userland::Alpine => {
            // One program under many names, as busybox is.
            let Ok(ino) = v.put("bin/busybox", Kind::Program(Arc::from("busybox:*")), 0o755, now) else {
                return v;
            };
            let bin = v.lookup("/bin").unwrap_or(crate::fs::ROOT);
            let usr_bin = v.lookup("/usr/bin").unwrap_or(bin);
            for name in crate::tools::names(crate::Family::Busybox) {
                let dir = if userland == Userland::Alpine && !IN_BIN.contains(&name) { usr_bin } else { bin };
                let _ = v.link(dir, name, ino, now);
            }
            if userland == Userland::Busybox {
                let env = Inode {
                    kind: Kind::Symlink("../../bin/env".to_owned()),
                    mode: 0o777,
                    uid: 0,
                    gid: 0,
                    mtime: now,
                    nlink: 1,
                };
                let _ = v.create(usr_bin, "env", env);
            }
        }
        Userland::Debian => {
            let _ = v.remove_all(crate::fs::ROOT, "bin", now);
            for name in crate::tools::names(crate::Family::Gnu) {
                program(&mut v, &format!("usr/bin/{name}"), &format!("gnu:{name}"));
            }
            let link = |target: &str| Inode {
                kind: Kind::Symlink(target.to_owned()),
                mode: 0o777,
                uid: 0,
                gid: 0,
                mtime: now,
                nlink: 1,
            };
            let _ = v.create(crate::fs::ROOT, "bin", link("usr/bin"));
            let _ = v.create(crate::fs::ROOT, "sbin", link("usr/sbin"));
            if let Some(dir) = v.lookup("/usr/bin") {
                let _ = v.remove(dir, "sh", now);
                let _ = v.create(dir, "sh", link("dash"));
            }
        }
        Userland::Distroless => {}
    }
    v.freeze();
    v
}

/// Alpine's applets that live in `/bin`; the others live in `/usr/bin`.
const IN_BIN: [&str; 44] = [
    "ash", "base64", "cat", "chgrp", "chmod", "chown", "cp", "date", "dd", "df", "dmesg", "echo", "egrep",
    "false", "fgrep", "grep", "gunzip", "gzip", "hostname", "kill", "ln", "ls", "mkdir", "mknod", "mktemp",
    "more", "mount", "mv", "netstat", "nice", "pidof", "ping", "printenv", "ps", "pwd", "rm", "rmdir", "sed",
    "sh", "sleep", "stat", "touch", "true", "uname",
];
