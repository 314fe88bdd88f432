//! Image references, as far as defaulting asks: which tag, and whether it is a reference at all.
//!
//! Source: pkg/util/parsers/parsers.go ParseImageName; github.com/distribution/reference (v1.37).

/// The parts of an image reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageReference {
    /// Registry and repository, with what is left out filled in: `docker.io/library/nginx`.
    pub repository: String,
    /// The tag; `latest` where neither tag nor digest is given, else empty.
    pub tag: String,
    /// The digest (`sha256:…`); empty where there is none.
    pub digest: String,
}

/// The parts of an image reference as they stand in it, but for what is left out before the path.
struct Parts<'a> {
    domain: &'a str,
    /// Whether the path is one of the `library`'s, which is not written.
    of_library: bool,
    path: &'a str,
    tag: &'a str,
    digest: &'a str,
}

/// Reads an image reference; `None` for what no registry could hold (`Nginx`, `a b`, ``).
pub fn parse_image_name(image: &str) -> Option<ImageReference> {
    let Parts { domain, of_library, path, tag, digest } = parts(image)?;
    let library = if of_library { "library/" } else { "" };
    Some(ImageReference {
        repository: format!("{domain}/{library}{path}"),
        tag: tag.to_owned(),
        digest: digest.to_owned(),
    })
}

fn parts(image: &str) -> Option<Parts<'_>> {
    if image.len() == 64 && image.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f')) {
        return None;
    }
    let (rest, digest) = image.split_once('@').unwrap_or((image, ""));
    if image.contains('@') && !is_digest(digest) {
        return None;
    }
    let after_slash = rest.rfind('/').map_or(0, |i| i + 1);
    let colon = rest.get(after_slash..)?.find(':').map(|i| i + after_slash);
    let (name, tag) = match colon {
        Some(i) => (rest.get(..i)?, rest.get(i + 1..)?),
        None => (rest, ""),
    };
    if colon.is_some() && !is_tag(tag) {
        return None;
    }
    let (domain, path) = match name.split_once('/') {
        Some((first, path)) if is_domain_like(first) => (first, path),
        _ => ("docker.io", name),
    };
    let domain = if domain == "index.docker.io" { "docker.io" } else { domain };
    let of_library = domain == "docker.io" && !path.contains('/');
    let length = domain.len() + path.len() + 1 + if of_library { "library/".len() } else { 0 };
    if !path.split('/').all(is_path_component) || !is_domain(domain) || length > 255 {
        return None;
    }
    let tag = if tag.is_empty() && digest.is_empty() { "latest" } else { tag };
    Some(Parts { domain, of_library, path, tag, digest })
}

/// `Always` for the tag latest, else `IfNotPresent`.
pub(super) fn default_pull_policy(image: &str) -> &'static str {
    match parts(image) {
        Some(parts) if parts.tag == "latest" => "Always",
        _ => "IfNotPresent",
    }
}

/// Whether the first part of a name is a registry rather than a folder.
fn is_domain_like(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost" || first.bytes().any(|b| b.is_ascii_uppercase())
}

fn is_domain(domain: &str) -> bool {
    let (host, port) = domain.rsplit_once(':').map_or((domain, None), |(h, p)| (h, Some(p)));
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let host_fits = host.split('.').all(is_label) || host.starts_with('[') && host.ends_with(']');
    host_fits && port.is_none_or(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
}

/// Lower-case words joined by `.`, `_`, `__` or any number of `-`.
fn is_path_component(text: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_digit() || b.is_ascii_lowercase();
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    if !is_word(*first) || !is_word(*last) {
        return false;
    }
    bytes.split(|b| is_word(*b)).all(|separator| {
        matches!(separator, [] | [b'.'] | [b'_'] | [b'_', b'_']) || separator.iter().all(|b| *b == b'-')
    })
}

fn is_tag(tag: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (1..=128).contains(&tag.len())
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|b| is_word(b) || b == b'.' || b == b'-')
}

fn is_digest(digest: &str) -> bool {
    let Some((algorithm, hex)) = digest.split_once(':') else { return false };
    let word = |w: &str| {
        w.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
            && w.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    algorithm.split(['-', '_', '+', '.']).all(word)
        && hex.len() >= 32
        && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_decides_the_pull_policy() {
        for (image, policy) in [
            ("nginx", "Always"),
            ("nginx:latest", "Always"),
            ("nginx:1.27", "IfNotPresent"),
            ("localhost:5000/nginx", "Always"),
            ("localhost:5000/nginx:1", "IfNotPresent"),
            ("nginx@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "IfNotPresent"),
            ("Nginx", "IfNotPresent"),
            ("registry.k8s.io/pause:3.10", "IfNotPresent"),
            ("", "IfNotPresent"),
            ("a b", "IfNotPresent"),
            ("a--b/c__d", "Always"),
        ] {
            assert_eq!(default_pull_policy(image), policy, "{image}");
        }
    }

    #[test]
    fn names_are_filled_up() {
        assert_eq!(parse_image_name("nginx").unwrap().repository, "docker.io/library/nginx");
        assert_eq!(parse_image_name("bitnami/redis:7").unwrap().repository, "docker.io/bitnami/redis");
    }
}
