//! Links in pages that go through `proxy`: what begins at the server's root is to begin at the proxy's path.
//!
//! Source: k8s.io/apimachinery/pkg/util/proxy/transport.go (v1.37).

/// The attributes that hold a link, by tag.
const ATTRIBUTES: [(&str, &[&str]); 25] = [
    ("a", &["href"]),
    ("applet", &["codebase"]),
    ("area", &["href"]),
    ("audio", &["src"]),
    ("base", &["href"]),
    ("blockquote", &["cite"]),
    ("body", &["background"]),
    ("button", &["formaction"]),
    ("command", &["icon"]),
    ("del", &["cite"]),
    ("embed", &["src"]),
    ("form", &["action"]),
    ("frame", &["longdesc", "src"]),
    ("head", &["profile"]),
    ("html", &["manifest"]),
    ("iframe", &["longdesc", "src"]),
    ("img", &["longdesc", "src", "usemap"]),
    ("input", &["src", "usemap", "formaction"]),
    ("ins", &["cite"]),
    ("link", &["href"]),
    ("object", &["classid", "codebase", "data", "usemap"]),
    ("q", &["cite"]),
    ("script", &["src"]),
    ("source", &["src"]),
    ("video", &["poster", "src"]),
];

/// A link as it is to be through the proxy at `prefix`. What leads elsewhere or is relative stays as it is.
pub(crate) fn link(target: &str, prefix: &str) -> String {
    let of_root = target.starts_with('/') && !target.starts_with("//");
    if !of_root || target.starts_with(prefix) {
        return target.to_owned();
    }
    format!("{}{target}", prefix.trim_end_matches('/'))
}

/// A page whose links lead through the proxy at `prefix`.
pub(crate) fn page(html: &str, prefix: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        if let Some(end) = tag.strip_prefix("<!--").and_then(|comment| comment.find("-->")) {
            let (comment, after) = tag.split_at(end + "<!---->".len());
            out.push_str(comment);
            rest = after;
            continue;
        }
        let Some(end) = tag.find('>') else {
            rest = tag;
            break;
        };
        let (tag, after) = tag.split_at(end);
        out.push_str(&with_links(tag, prefix));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A tag (`<a href="/x"`, without its end) with its links changed.
fn with_links(tag: &str, prefix: &str) -> String {
    let name = tag.get(1..).unwrap_or("").split([' ', '\t', '\n', '\r', '/']).next().unwrap_or("");
    let known = ATTRIBUTES.iter().find(|(own, _)| name.eq_ignore_ascii_case(own));
    let Some((_, attributes)) = known else { return tag.to_owned() };
    let mut out = String::with_capacity(tag.len());
    let mut rest = tag;
    while let Some(equals) = rest.find('=') {
        let (before, value) = rest.split_at(equals + 1);
        out.push_str(before);
        let attribute = before.trim_end_matches('=').trim_end();
        let attribute = attribute.rsplit([' ', '\t', '\n', '\r', '"', '\'']).next().unwrap_or("");
        let space = value.len() - value.trim_start().len();
        let (space, value) = value.split_at(space);
        out.push_str(space);
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let inner = value.get(quote.map_or(0, char::len_utf8)..).unwrap_or("");
        let end = match quote {
            Some(quote) => inner.find(quote),
            None => Some(inner.find([' ', '\t', '\n', '\r']).unwrap_or(inner.len())),
        };
        let Some(end) = end else {
            out.push_str(value);
            return out;
        };
        out.extend(quote);
        let (value, after) = inner.split_at(end);
        match attributes.iter().any(|own| attribute.eq_ignore_ascii_case(own)) {
            true => out.push_str(&link(value, prefix)),
            false => out.push_str(value),
        }
        rest = after;
        if let Some(after) = quote.and_then(|quote| rest.strip_prefix(quote)) {
            out.extend(quote);
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::{link, page};

    #[test]
    fn links_of_the_root_lead_through_the_proxy() {
        let at = |html: &str| page(html, "/api/v1/pods/p/proxy");
        assert_eq!(at("<a href=\"/x\">y</a>"), "<a href=\"/api/v1/pods/p/proxy/x\">y</a>");
        assert_eq!(at("<A class=big HREF='/x/'>"), "<A class=big HREF='/api/v1/pods/p/proxy/x/'>");
        assert_eq!(at("<img src=/i.png alt=x>"), "<img src=/api/v1/pods/p/proxy/i.png alt=x>");
        for same in [
            "<a href=\"x\">",
            "<a href=\"//host/x\">",
            "<a href=\"http://host/x\">",
            "<p title=\"/x\">",
            "<!-- <a href=\"/x\"> -->",
            "a < b = /c",
            "<a href=\"/x",
            "<a href=",
            "<",
        ] {
            assert_eq!(at(same), same);
        }
        assert_eq!(link("/api/v1/pods/p/proxy/x", "/api/v1/pods/p/proxy"), "/api/v1/pods/p/proxy/x");
    }
}
