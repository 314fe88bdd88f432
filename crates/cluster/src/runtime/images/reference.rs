//! Image names: registry, path, tag and digest.
//!
//! Source: github.com/distribution/reference, reference.go and normalize.go.

use std::fmt;

/// A complete image name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// `docker.io`.
    pub registry: String,
    /// `library/nginx`.
    pub path: String,
    /// `latest`; for a digest, what follows the `@`.
    pub tag: String,
    /// Whether `tag` is a digest.
    pub digest: bool,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.digest { '@' } else { ':' };
        write!(f, "{}/{}{mark}{}", self.registry, self.path, self.tag)
    }
}

impl Reference {
    /// Whether the registry's name is one that no name server knows.
    ///
    /// Source: RFC 2606 and RFC 6761, names that are never in use.
    pub fn has_no_host(&self) -> bool {
        let host = self.registry.split(':').next().unwrap_or("");
        [".invalid", ".test", ".example", ".local"].iter().any(|end| host.ends_with(end))
            || ["example.com", "example.org", "example.net"]
                .iter()
                .any(|name| host == *name || host.ends_with(&format!(".{name}")))
    }

    /// The path as people say it: without `library/`, and without the registry where it is Docker's.
    pub fn short(&self) -> String {
        match (self.registry.as_str(), self.path.strip_prefix("library/")) {
            ("docker.io", Some(official)) => official.to_owned(),
            ("docker.io", None) => self.path.clone(),
            (registry, _) => format!("{registry}/{}", self.path),
        }
    }
}

/// Reads an image name and completes it.
///
/// # Errors
/// The text behind `couldn't parse image name "…": `.
pub fn parse(image: &str) -> Result<Reference, String> {
    let refused = || "invalid reference format".to_owned();
    if image.is_empty() || image.len() > 512 {
        return Err(refused());
    }
    let (rest, digest) = match image.split_once('@') {
        Some((rest, digest)) => {
            let (algorithm, hex) = digest.split_once(':').ok_or_else(refused)?;
            let good = algorithm == "sha256" && hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit());
            if !good {
                return Err(refused());
            }
            (rest, Some(digest))
        }
        None => (image, None),
    };
    let slash = rest.rfind('/').map_or(0, |i| i + 1);
    let (name, tag) = match rest[slash..].find(':') {
        Some(colon) => (&rest[..slash + colon], Some(&rest[slash + colon + 1..])),
        None => (rest, None),
    };
    if let Some(tag) = tag {
        let good = !tag.is_empty()
            && tag.len() <= 128
            && tag.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
            && !tag.starts_with(['.', '-']);
        if !good {
            return Err(refused());
        }
    }
    let (registry, path) = match name.split_once('/') {
        Some((first, path)) if first.contains(['.', ':']) || first == "localhost" || has_upper(first) => {
            (first.to_owned(), path.to_owned())
        }
        Some(_) => ("docker.io".to_owned(), name.to_owned()),
        None => ("docker.io".to_owned(), format!("library/{name}")),
    };
    let port = registry.split_once(':').map_or("1", |(_, port)| port);
    if port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) {
        return Err(refused());
    }
    if has_upper(&path) {
        return Err(format!("{}: repository name ({path}) must be lowercase", refused()));
    }
    if !path.split('/').all(good_component) {
        return Err(refused());
    }
    let (tag, digest) = match digest {
        Some(digest) => (digest.to_owned(), true),
        None => (tag.unwrap_or("latest").to_owned(), false),
    };
    Ok(Reference { registry, path, tag, digest })
}

fn has_upper(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_uppercase())
}

/// Letters and digits, with one of `.`, `_`, `__` or any number of `-` between them.
fn good_component(part: &str) -> bool {
    let bytes = part.as_bytes();
    let alnum = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    alnum(*first)
        && alnum(*last)
        && bytes.iter().all(|b| alnum(*b) || matches!(b, b'.' | b'_' | b'-'))
        && !part.contains("..")
        && !part.contains("___")
        && !["._", "_.", ".-", "-.", "_-", "-_"].iter().any(|pair| part.contains(pair))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed() {
        let check = |image: &str, full: &str| assert_eq!(parse(image).unwrap().to_string(), full);
        check("nginx", "docker.io/library/nginx:latest");
        check("luksa/kubia:v1", "docker.io/luksa/kubia:v1");
        check("localhost:5000/a/b:1", "localhost:5000/a/b:1");
        check("registry.k8s.io/pause", "registry.k8s.io/pause:latest");
    }

    #[test]
    fn names_that_are_none_are_refused() {
        assert_eq!(parse("nginx:UP/x").unwrap_err(), "invalid reference format");
        assert_eq!(
            parse("NGINX").unwrap_err(),
            "invalid reference format: repository name (library/NGINX) must be lowercase"
        );
        for bad in ["", "nginx:", "a//b", "-a", "nginx@sha256:12", "a:b:c", "nginx:1 27"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
