//! Names of images.
//!
//! Source: github.com/distribution/reference `ParseNormalizedNamed`, pkg/kubelet/images/image_manager.go
//! `applyDefaultImageTag` (v1.37).

/// `nginx` → `docker.io/library/nginx:latest`, as containerd names an image.
pub(crate) fn canonical_image(image: &str) -> String {
    let tagged = with_default_tag(image);
    let (first, rest) = match tagged.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest),
        _ => ("docker.io", tagged.as_str()),
    };
    let first = if first == "index.docker.io" { "docker.io" } else { first };
    if first == "docker.io" && !rest.contains('/') {
        return ["docker.io/library/", rest].concat();
    }
    [first, "/", rest].concat()
}

/// The image with `:latest` where it has neither tag nor digest.
pub(crate) fn with_default_tag(image: &str) -> String {
    let name = image.rsplit('/').next().unwrap_or(image);
    if name.contains(':') || name.contains('@') { image.to_owned() } else { format!("{image}:latest") }
}

/// Checks the name as a registry client does.
///
/// # Errors
/// The parser's text (`invalid reference format`).
pub(crate) fn check(image: &str) -> Result<(), String> {
    if image.len() == 64 && image.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()) {
        return Err(format!("invalid repository name ({image}), cannot specify 64-byte hexadecimal strings"));
    }
    const FORMAT: &str = "invalid reference format";
    let (name, digest) = match image.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image, None),
    };
    if let Some(digest) = digest {
        let good = digest.split_once(':').is_some_and(|(algorithm, hex)| {
            !algorithm.is_empty() && hex.len() >= 32 && hex.bytes().all(|b| b.is_ascii_hexdigit())
        });
        if !good {
            return Err(FORMAT.to_owned());
        }
    }
    let slash = name.rfind('/').map_or(0, |i| i + 1);
    let last = name.get(slash..).unwrap_or("");
    let (path, tag) = match last.find(':') {
        Some(colon) => (name.get(..slash + colon).unwrap_or(""), last.get(colon + 1..)),
        None => (name, None),
    };
    if let Some(tag) = tag {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let good = tag.len() <= 128
            && tag.bytes().next().is_some_and(word)
            && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-');
        if !good {
            return Err(FORMAT.to_owned());
        }
    }
    let mut parts: Vec<&str> = path.split('/').collect();
    if parts.len() > 1 && parts.first().is_some_and(|p| p.contains(['.', ':']) || *p == "localhost") {
        let domain = parts.remove(0);
        let (host, port) = domain.split_once(':').unwrap_or((domain, "0"));
        let label = |l: &str| {
            !l.is_empty()
                && !l.starts_with('-')
                && !l.ends_with('-')
                && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if !host.split('.').all(label) || port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) {
            return Err(FORMAT.to_owned());
        }
    }
    if parts.iter().any(|p| p.bytes().any(|b| b.is_ascii_uppercase())) {
        let remote = if parts.len() == 1 && path == parts.join("/") {
            format!("library/{}", parts.join("/"))
        } else {
            parts.join("/")
        };
        return Err(format!("{FORMAT}: repository name ({remote}) must be lowercase"));
    }
    if parts.is_empty() || !parts.iter().all(|p| component(p)) {
        return Err(FORMAT.to_owned());
    }
    Ok(())
}

/// Lower-case words with `.`, `_`, `__` or dashes between them.
fn component(part: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = part.as_bytes();
    if !bytes.first().copied().is_some_and(word) || !bytes.last().copied().is_some_and(word) {
        return false;
    }
    let mut separator = String::new();
    for byte in bytes {
        if word(*byte) {
            if !matches!(separator.as_str(), "" | "." | "_" | "__") && !separator.bytes().all(|b| b == b'-') {
                return false;
            }
            separator.clear();
        } else if matches!(byte, b'.' | b'_' | b'-') {
            separator.push(char::from(*byte));
        } else {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed() {
        for (short, long) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("nginx:1.27", "docker.io/library/nginx:1.27"),
            ("luksa/kubia:v1", "docker.io/luksa/kubia:v1"),
            ("registry.k8s.io/pause:3.9", "registry.k8s.io/pause:3.9"),
            ("localhost:5000/a", "localhost:5000/a:latest"),
        ] {
            assert_eq!(canonical_image(short), long);
        }
    }

    #[test]
    fn bad_names_are_refused() {
        for good in
            ["nginx", "a/b-c_d.e:1", "localhost:5000/x@sha256:0123456789abcdef0123456789abcdef", "a--b"]
        {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["nginx::1", "", ":x", "a//b", "a..b", "-a", "a/b:"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
