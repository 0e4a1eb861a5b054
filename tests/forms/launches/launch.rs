//! A launch in pieces, to be spoilt.

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;

use crate::support::Request_;

/// A request that opens an app. Parameters whose names begin with `free` are not signed by anyone.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Launch {
    uri: String,
    host: Option<&'static str>,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
    content_type: Option<&'static str>,
    /// Where what is signed begins in a header.
    from: usize,
    in_path: bool,
}

/// One of the texts of a launch.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Uri,
    Header(usize),
    Body,
}

impl Launch {
    pub(super) fn get(uri: &str) -> Self {
        Self { uri: uri.to_owned(), ..Self::default() }
    }

    /// With the credential in the path's last segment.
    pub(super) fn path(uri: &str) -> Self {
        Self { in_path: true, ..Self::get(uri) }
    }

    pub(super) fn form(uri: &str, body: &str) -> Self {
        Self { body: Some(body.to_owned()), ..Self::get(uri) }
    }

    /// With a body that is the credential.
    pub(super) fn body(uri: &str, content_type: &'static str, body: &str) -> Self {
        Self { content_type: Some(content_type), ..Self::form(uri, body) }
    }

    pub(super) fn header(name: &'static str, value: &str) -> Self {
        Self::get("/").with_header(name, value)
    }

    pub(super) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The first characters of the header are not signed.
    pub(super) fn signed_from(self, from: usize) -> Self {
        Self { from, ..self }
    }

    pub(super) fn at(self, host: &'static str) -> Self {
        Self { host: Some(host), ..self }
    }

    pub(super) fn request(&self) -> Request_ {
        let mut request = Request::builder().uri(&self.uri);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(host) = self.host {
            request = request.header("host", host);
        }
        if self.body.is_some() {
            let content_type = self.content_type.unwrap_or("application/x-www-form-urlencoded");
            request = request.method(Method::POST).header("content-type", content_type);
        }
        request.body(Full::new(Bytes::from(self.body.clone().unwrap_or_default()))).unwrap()
    }

    fn text(&self, part: Part) -> &str {
        match part {
            Part::Uri => &self.uri,
            Part::Header(at) => &self.headers[at].1,
            Part::Body => self.body.as_deref().unwrap_or_default(),
        }
    }

    fn with_text(&self, part: Part, text: String) -> Self {
        let mut other = self.clone();
        match part {
            Part::Uri => other.uri = text,
            Part::Header(at) => other.headers[at].1 = text,
            Part::Body => other.body = Some(text),
        }
        other
    }

    /// Each text that holds some of the credential, and where it begins there.
    fn parts(&self) -> Vec<(Part, usize)> {
        let query = match self.in_path {
            true => self.uri.rfind('/'),
            false => self.uri.find('?'),
        };
        let query = query.map(|at| (Part::Uri, at + 1));
        let headers = (0..self.headers.len()).map(|at| (Part::Header(at), self.from));
        query.into_iter().chain(headers).chain(self.body.is_some().then_some((Part::Body, 0))).collect()
    }

    /// The text that holds pairs, and where they begin.
    fn pairs(&self) -> Option<(Part, usize)> {
        let parts = self.parts();
        let is_pairs = |part: Part| match part {
            Part::Body => self.content_type.is_none(),
            Part::Header(_) => self.text(part).starts_with("tma "),
            Part::Uri => false,
        };
        let (part, start) = match parts.iter().find(|(part, _)| is_pairs(*part)) {
            Some(found) => *found,
            None => *parts.iter().find(|(part, _)| *part == Part::Uri && !self.in_path)?,
        };
        Some((part, if self.text(part).starts_with("tma ") { 4 } else { start }))
    }

    /// With other pairs.
    fn edited(&self, edit: impl FnOnce(Vec<String>) -> Vec<String>) -> Option<Self> {
        let (part, start) = self.pairs()?;
        let (before, pairs) = self.text(part).split_at(start);
        let pairs = edit(pairs.split('&').map(str::to_owned).collect());
        Some(self.with_text(part, before.to_owned() + &pairs.join("&")))
    }

    /// The indices of pairs that are signed, or sign.
    fn bound(&self) -> Vec<usize> {
        let Some((part, start)) = self.pairs() else { return Vec::new() };
        let pairs = self.text(part)[start..].split('&').enumerate();
        pairs.filter(|(_, pair)| !pair.starts_with("free")).map(|(at, _)| at).collect()
    }

    /// Copies with one character or escape of the credential changed, each in its turn. Of a long text, whose signature
    /// takes long to check, one in sixteen and all beside a border; which ones depends on `row`.
    pub(super) fn spoilt(&self, row: usize) -> Vec<(String, Self)> {
        let mut spoilt = Vec::new();
        for (part, start) in self.parts() {
            let text = self.text(part);
            for (at, byte) in text.bytes().enumerate().skip(start) {
                let pair = text[start..at].rfind('&').map_or(start, |and| start + and + 1);
                // The digits of an escape are changed with it: they have another spelling.
                let in_escape = text[..at].ends_with('%') || text[..at.saturating_sub(1)].ends_with('%');
                let beside = &text.as_bytes()[at.saturating_sub(1)..text.len().min(at + 2)];
                let is_border = beside.len() < 3 || at == start || beside.iter().any(|byte| b"&=. ".contains(byte));
                let is_left_out = text.len() > 320 && !(at + row).is_multiple_of(16) && !is_border;
                if in_escape || is_left_out || text[pair..].starts_with("free") {
                    continue;
                }
                let end = if byte == b'%' { at + 3 } else { at + 1 };
                // Not the same character in another case: hexadecimal is read in either.
                let other = if byte.eq_ignore_ascii_case(&b'a') { "b" } else { "A" };
                let mut changed = text.to_owned();
                changed.replace_range(at..end, other);
                spoilt.push((format!("{part:?} at {at}"), self.with_text(part, changed)));
            }
        }
        spoilt
    }

    /// With one pair more: in the query, if the launch has no pairs.
    pub(super) fn with_pair(&self, pair: &str) -> Self {
        self.edited(|pairs| pairs.into_iter().chain([pair.to_owned()]).collect())
            .unwrap_or_else(|| Self { uri: format!("{}?{pair}", self.uri), ..self.clone() })
    }

    /// Each pair and header left out once.
    pub(super) fn each_removed(&self) -> Vec<(String, Self)> {
        let without = |at: usize| {
            self.edited(|mut pairs| {
                pairs.remove(at);
                pairs
            })
        };
        let mut removed = self.each_pair(without);
        for (at, (name, _)) in self.headers.iter().enumerate() {
            let mut other = self.clone();
            other.headers.remove(at);
            removed.push(((*name).to_owned(), other));
        }
        if self.content_type.is_some() {
            removed.push(("body".to_owned(), Self { body: Some(String::new()), ..self.clone() }));
        }
        if self.in_path {
            removed.push((
                "segment".to_owned(),
                Self { uri: self.uri[..=self.uri.rfind('/').unwrap()].to_owned(), ..self.clone() },
            ));
        }
        removed
    }

    /// Each pair and header twice.
    pub(super) fn each_twice(&self) -> Vec<(String, Self)> {
        let again = |at: usize| {
            self.edited(|mut pairs| {
                pairs.push(pairs[at].clone());
                pairs
            })
        };
        let mut twice = self.each_pair(again);
        for (name, value) in &self.headers {
            twice.push(((*name).to_owned(), self.clone().with_header(name, value)));
        }
        if self.content_type.is_some() {
            let body = self.body.as_ref().map(|body| body.repeat(2));
            twice.push(("body".to_owned(), Self { body, ..self.clone() }));
        }
        twice
    }

    fn each_pair(&self, change: impl Fn(usize) -> Option<Self>) -> Vec<(String, Self)> {
        self.bound().into_iter().filter_map(|at| Some((format!("pair {at}"), change(at)?))).collect()
    }

    /// The same content in other spellings, or beside other things that are not signed. Some of them the form may refuse.
    pub(super) fn respelled(&self) -> Vec<(&'static str, Self)> {
        let values = |pair: &str| match pair.split_once('=') {
            Some((name, value)) => format!("{name}={}", escaped(value)),
            None => pair.to_owned(),
        };
        let each =
            |change: &dyn Fn(&str) -> String| self.edited(|pairs| pairs.iter().map(|pair| change(pair)).collect());
        let everywhere = |change: &dyn Fn(&str) -> String| {
            let parts = self.parts().into_iter();
            parts.fold(self.clone(), |launch, (part, start)| {
                let (before, text) = launch.text(part).split_at(start);
                let text = before.to_owned() + &change(text);
                launch.with_text(part, text)
            })
        };
        let others = [
            ("another pair beside it", Some(self.with_pair("free=2"))),
            ("values are escaped", each(&values)),
            ("names are escaped", each(&escaped)),
            ("the order is another", self.edited(|pairs| pairs.into_iter().rev().collect())),
            ("an empty pair", self.edited(|pairs| [String::new()].into_iter().chain(pairs).collect())),
            ("an ampersand at the end", self.edited(|pairs| pairs.into_iter().chain([String::new()]).collect())),
            ("escapes in lower case", Some(everywhere(&|text| escapes(text, u8::to_ascii_lowercase)))),
            ("escapes in upper case", Some(everywhere(&|text| escapes(text, u8::to_ascii_uppercase)))),
            ("a plus as an escaped space", Some(everywhere(&|text| text.replace('+', "%20")))),
            ("upper case", Some(everywhere(&|text| upper_hex(text)))),
            ("padded", Some(everywhere(&|text| format!("{text}=")))),
            ("padded twice", Some(everywhere(&|text| format!("{text}==")))),
            ("padding is escaped", Some(everywhere(&|text| text.replace('=', "%3D").replacen("%3D", "=", 1)))),
            ("another space", Some(everywhere(&|text| text.replace("%20", "+")))),
            ("the word in lower case", Some(everywhere(&|text| text.replacen("Bearer ", "bearer ", 1)))),
        ];
        others.into_iter().filter_map(|(why, other)| Some((why, other.filter(|other| other != self)?))).collect()
    }
}

/// The first letter or digit as an escape.
fn escaped(text: &str) -> String {
    match text.bytes().position(|byte| byte.is_ascii_alphanumeric()) {
        // An escape stays as it is.
        Some(at) if !text[..at].ends_with('%') => {
            format!("{}%{:02x}{}", &text[..at], text.as_bytes()[at], &text[at + 1..])
        }
        _ => text.to_owned(),
    }
}

/// The digits of escapes in another case.
fn escapes(text: &str, case: fn(&u8) -> u8) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for at in (0..bytes.len()).filter(|at| text.as_bytes()[*at] == b'%') {
        for digit in bytes.iter_mut().skip(at + 1).take(2) {
            *digit = case(digit);
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// Digests in hexadecimal in upper case.
fn upper_hex(text: &str) -> String {
    let is_digest = |word: &str| word.len() >= 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut words: Vec<String> = Vec::new();
    for word in text.split_inclusive(['&', '=', '.']) {
        let bare = word.trim_end_matches(['&', '=', '.']);
        words.push(if is_digest(bare) { word.to_ascii_uppercase() } else { word.to_owned() });
    }
    words.concat()
}
