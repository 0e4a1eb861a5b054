//! The signature base (RFC 9421, 2.5): the text that is signed.

use http::request::Parts;
use http::{HeaderName, Method};

use super::fields::Input;
use crate::rejection::Reason;

/// A line for each covered component, and one for the list of them. No value holds a line feed.
pub(super) fn base(input: &Input, head: &Parts, url: &str) -> Result<String, Reason> {
    let mut base = String::new();
    for component in &input.components {
        let value = value(component, head, url)?;
        base.extend(["\"", component, "\": ", &value, "\n"]);
    }
    base.extend(["\"@signature-params\": ", &input.text]);
    Ok(base)
}

fn value(component: &str, head: &Parts, url: &str) -> Result<String, Reason> {
    match derived(component, &head.method, url) {
        Some(value) => Ok(value),
        None => field(component, head),
    }
}

/// The value of a component that is made of method and URL; `None` for another one.
pub(super) fn derived(component: &str, method: &Method, url: &str) -> Option<String> {
    let address = Address::of(url);
    let derived = match component {
        "@method" => method.as_str(),
        "@target-uri" => url,
        "@scheme" => address.scheme,
        "@authority" => address.authority,
        "@path" => address.path,
        "@request-target" => address.target,
        // With its question mark, also if there is no query (2.2.7).
        "@query" => return Some(format!("?{}", address.query)),
        _ => return None,
    };
    Some(derived.to_owned())
}

/// The lines of a header, without white space around each (2.1).
fn field(name: &str, head: &Parts) -> Result<String, Reason> {
    let malformed = |what| Reason::Malformed(name.to_owned().into(), what);
    let is_lower = !name.bytes().any(|byte| byte.is_ascii_uppercase());
    let header = name.parse::<HeaderName>().ok().filter(|_| is_lower);
    let header = header.ok_or(malformed("is a covered component that this layer does not know"))?;
    let mut lines = head.headers.get_all(header).iter().peekable();
    if lines.peek().is_none() {
        return Err(Reason::MissingParameter(name.to_owned().into()));
    }
    let texts: Result<Vec<&str>, _> = lines.map(|line| line.to_str().map(str::trim_ascii)).collect();
    Ok(texts.map_err(|_| malformed("is not ASCII text"))?.join(", "))
}

/// The parts of a URL as the client sent it.
struct Address<'a> {
    scheme: &'a str,
    authority: &'a str,
    path: &'a str,
    query: &'a str,
    /// Path and query.
    target: &'a str,
}

impl<'a> Address<'a> {
    fn of(url: &'a str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = if path.is_empty() { "/" } else { path };
        Self { scheme, authority, path, query, target }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    /// RFC 9421, 2.1 and 2.2.
    #[test]
    fn components_of_a_request() {
        let request = Request::post("/path?param=value")
            .header("x-ows", "  Leading and trailing whitespace.   ")
            .header("x-empty", "")
            .header("cache-control", "max-age=60")
            .header("cache-control", "   must-revalidate");
        let (head, ()) = request.body(()).unwrap().into_parts();
        let url = "https://www.example.com/path?param=value";
        for (component, expected) in [
            ("@method", Some("POST")),
            ("@target-uri", Some(url)),
            ("@scheme", Some("https")),
            ("@authority", Some("www.example.com")),
            ("@path", Some("/path")),
            ("@query", Some("?param=value")),
            ("@request-target", Some("/path?param=value")),
            ("x-ows", Some("Leading and trailing whitespace.")),
            ("x-empty", Some("")),
            ("cache-control", Some("max-age=60, must-revalidate")),
            ("X-Empty", None),
            ("x-other", None),
            ("@status", None),
            ("@query-param", None),
            ("@signature-params", None),
            ("", None),
        ] {
            assert_eq!(value(component, &head, url).ok().as_deref(), expected, "{component}");
        }
        for (url, path, query) in [("http://a", "/", "?"), ("http://a/?", "/", "?"), ("http://a/b?c?d", "/b", "?c?d")] {
            let read = ["@path", "@query"].map(|component| value(component, &head, url).unwrap());
            assert_eq!(read, [path, query], "{url}");
        }
    }
}
