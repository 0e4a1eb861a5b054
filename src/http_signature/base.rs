//! The signature base (RFC 9421, 2.5): the text that is signed.

use http::request::Parts;
use http::{HeaderName, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::fields::{Component, Input};
use crate::query::Query;
use crate::rejection::Reason;
use crate::text::percent::decode_form;

/// How many parameters a query may have of which one is signed: they are decoded before the signature is checked.
const MOST_PARAMETERS: usize = 256;

/// Names and values.
type Parameters = Vec<(String, String)>;

/// A line for each covered component, and one for the list of them. No value holds a line feed.
pub(super) fn base(input: &Input, head: &Parts, url: &str) -> Result<String, Reason> {
    let mut base = String::new();
    let has_parameters = input.components.iter().any(|component| component.parameter.is_some());
    let parameters = if has_parameters { parameters(Address::of(url).query)? } else { Parameters::new() };
    for component in &input.components {
        let value = value(component, head, url, &parameters)?;
        base.extend([&component.to_string(), ": ", &value, "\n"]);
    }
    base.extend(["\"@signature-params\": ", &input.text]);
    Ok(base)
}

fn value(
    Component { name, parameter }: &Component,
    head: &Parts,
    url: &str,
    parameters: &Parameters,
) -> Result<String, Reason> {
    match (parameter, derived(name, &head.method, url)) {
        (Some(parameter), _) => only(parameter, parameters),
        (None, Some(value)) => Ok(value),
        (None, None) => field(name, head),
    }
}

/// The parameters of a query, percent-encoded in one way (2.2.8).
fn parameters(query: &str) -> Result<Parameters, Reason> {
    const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');
    let malformed = |what| Reason::Malformed("query".into(), what);
    if Query::new(query).pairs().nth(MOST_PARAMETERS).is_some() {
        return Err(malformed("has more parameters than any sender signs"));
    }
    let encode = |text| decode_form(text).map(|text| utf8_percent_encode(&text, ENCODED).to_string());
    let encoded = Query::new(query).pairs().map(|(name, value)| Ok((encode(name)?, encode(value)?)));
    encoded.collect::<Result<_, _>>().map_err(malformed)
}

fn only(name: &str, parameters: &Parameters) -> Result<String, Reason> {
    let mut found = parameters.iter().filter(|(other, _)| other == name).map(|(_, value)| value);
    match (found.next(), found.next()) {
        (Some(value), None) => Ok(value.clone()),
        (None, _) => Err(Reason::MissingParameter(name.to_owned().into())),
        (Some(_), Some(_)) => Err(Reason::DuplicateParameter(name.to_owned().into())),
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

    fn named(name: &str) -> Component {
        Component { name: name.to_owned(), parameter: None }
    }

    /// The examples of RFC 9421, 2.2.8.
    #[test]
    fn query_parameters() {
        let long =
            "var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something";
        for (query, name, expected) in [
            ("param=value&foo=bar&baz=batman&qux=", "baz", Some("batman")),
            ("param=value&foo=bar&baz=batman&qux=", "qux", Some("")),
            ("param=value&foo=bar&baz=batman&qux=", "param", Some("value")),
            (long, "var", Some("this%20is%20a%20big%0Amultiline%20value")),
            (long, "bar", Some("with%20plus%20whitespace")),
            (long, "fa%C3%A7ade%22%3A%20", Some("something")),
            (long, "façade\": ", None),
            ("a=1&a=2", "a", None),
            ("a=1&%61=1", "a", None),
            ("a=1&a=2&b=3", "b", Some("3")),
            ("a=%zz", "a", None),
            ("", "a", None),
            (&"b&".repeat(256), "a", None),
        ] {
            let read = parameters(query).and_then(|parameters| only(name, &parameters));
            assert_eq!(read.ok().as_deref(), expected, "{name} in {query}");
        }
        assert!(parameters(&"b&".repeat(257)).is_err());
    }

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
            assert_eq!(value(&named(component), &head, url, &Vec::new()).ok().as_deref(), expected, "{component}");
        }
        for (url, path, query) in [("http://a", "/", "?"), ("http://a/?", "/", "?"), ("http://a/b?c?d", "/b", "?c?d")] {
            let read = ["@path", "@query"].map(|component| value(&named(component), &head, url, &Vec::new()).unwrap());
            assert_eq!(read, [path, query], "{url}");
        }
    }
}
