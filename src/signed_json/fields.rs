//! The signed fields of a JSON body, and the text that they make.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::ConfigProblem;
use crate::rejection::Reason;
use crate::text::json::{self, Object};

/// How the signed fields make the signed text.
///
/// ```
/// use tower_sso::signed_json::{self, Layout};
///
/// let layer = signed_json::layer::<serde_json::Value>(["/order", "/amount/value"]).layout(Layout::Joined(':'));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layout {
    /// One value after the other. Only a time of a fixed length can stand before another value.
    Concatenated,
    /// The values with this character between them. A missing value is empty, and an empty one of an
    /// [optional field](crate::Builder::optional_fields) is missing from the claims too: what is signed is the same.
    Joined(char),
    /// For each field that is there its name, a line feed, its value and a line feed.
    Lines,
}

/// Pointers (RFC 6901) to what is signed. Names in them have neither `/` nor `~`.
#[derive(Clone)]
pub(super) struct Fields {
    /// The object that has the fields; empty for the body itself.
    pub(super) within: Cow<'static, str>,
    pub(super) signed: Vec<Cow<'static, str>>,
    pub(super) optional: Vec<Cow<'static, str>>,
    /// The one field whose value may hold what separates the values.
    pub(super) free: Option<Cow<'static, str>>,
    pub(super) layout: Layout,
}

/// The signed fields that were found: pointer, text and value.
type Found<'a> = Vec<(&'a str, String, &'a Value)>;

impl Fields {
    /// The object that has the signed fields, of a body that is not authentic yet.
    pub(super) fn object(&self, body: &[u8]) -> Result<Value, Reason> {
        let not_json = |_| Reason::Malformed("body".into(), "is not one JSON object without duplicate names");
        Object::read(body).map_err(not_json)?;
        let mut value: Value = json::parse(body).map_err(not_json)?;
        for name in names(&self.within) {
            let inner = match &mut value {
                Value::Object(fields) => fields.remove(name),
                // What a second element says is not signed.
                Value::Array(items) if items.len() == 1 && name == "0" => items.pop(),
                _ => None,
            };
            value = inner.ok_or_else(|| malformed(&self.within, "is not there, or in a list of several"))?;
        }
        Ok(value)
    }

    /// The signed text, and the claims: the signed fields and no others.
    pub(super) fn read(&self, object: &Value) -> Result<(String, Value), Reason> {
        let found = self.find(object)?;
        let mut claims = Map::new();
        for (pointer, text, value) in &found {
            // The signature does not tell it from a missing one.
            let is_as_missing = matches!(self.layout, Layout::Joined(_)) && text.is_empty();
            if !is_as_missing || !self.optional.iter().any(|optional| optional == pointer) {
                insert(&mut claims, pointer, value);
            }
        }
        Ok((self.text(&found)?, Value::Object(claims)))
    }

    fn find<'a>(&'a self, object: &'a Value) -> Result<Found<'a>, Reason> {
        let mut found = Vec::new();
        for pointer in &self.signed {
            match value_at(object, pointer) {
                Some(value) => found.push((&**pointer, text_of(pointer, value)?, value)),
                None if self.optional.contains(pointer) => {}
                None => return Err(Reason::MissingParameter(pointer.clone())),
            }
        }
        Ok(found)
    }

    fn text(&self, found: &Found<'_>) -> Result<String, Reason> {
        let separator = match self.layout {
            Layout::Concatenated => None,
            Layout::Joined(separator) => Some(separator),
            Layout::Lines => Some('\n'),
        };
        let is_cut = |(pointer, text, _): &&(&str, String, &Value)| {
            self.free.as_deref() != Some(*pointer) && separator.is_some_and(|separator| text.contains(separator))
        };
        if let Some((pointer, ..)) = found.iter().find(is_cut) {
            return Err(malformed(pointer, "holds what separates the signed values"));
        }
        Ok(match self.layout {
            Layout::Concatenated => found.iter().map(|(_, text, _)| text.as_str()).collect(),
            Layout::Lines => {
                found.iter().map(|(pointer, text, _)| format!("{}\n{text}\n", last_name(pointer))).collect()
            }
            Layout::Joined(separator) => {
                let text = |pointer| found.iter().find(|(other, ..)| *other == pointer).map_or("", |(_, text, _)| text);
                let values: Vec<&str> = self.signed.iter().map(|pointer| text(&**pointer)).collect();
                values.join(&separator.to_string())
            }
        })
    }

    /// Refuses pointers that cannot be followed, and texts that could be cut in two ways.
    pub(super) fn check(&self, fixed_time: Option<&str>) -> Result<(), ConfigProblem> {
        if self.signed.is_empty() || !self.signed.iter().all(|pointer| is_pointer(pointer)) {
            return Err(ConfigProblem::setting(
                "signed_json",
                "signs no field, or one whose pointer is not like `/a/b`",
            ));
        }
        if !self.within.is_empty() && !is_pointer(&self.within) {
            return Err(ConfigProblem::setting("within", "is not a pointer like `/a/0/b`"));
        }
        for (name, pointers) in [("optional_fields", self.optional.as_slice()), ("free_field", self.free.as_slice())] {
            if pointers.iter().any(|pointer| !self.signed.contains(pointer)) {
                return Err(ConfigProblem::setting(name, "names a field that is not signed"));
            }
        }
        match (self.layout, &self.signed[..]) {
            (Layout::Concatenated, [_]) => Ok(()),
            (Layout::Concatenated, [first, _]) if fixed_time == Some(first) && self.optional.is_empty() => Ok(()),
            (Layout::Concatenated, _) => Err(ConfigProblem::setting(
                "layout",
                "can be cut in two ways: only a `timestamp_field` of a fixed length may stand before another value",
            )),
            (Layout::Lines, _) => self.check_lines(),
            (Layout::Joined(_), _) => Ok(()),
        }
    }

    /// Whether each line tells which fields are there: before the free field counted from the start, after it from the
    /// end.
    fn check_lines(&self) -> Result<(), ConfigProblem> {
        let problem = |problem| Err(ConfigProblem::setting("optional_fields", problem));
        let is_optional = |pointer: &Cow<'static, str>| self.optional.contains(pointer);
        let behind_the_free = self.signed.iter().skip_while(|pointer| Some(*pointer) != self.free.as_ref()).nth(1);
        if behind_the_free.is_some_and(is_optional) {
            return problem(
                "names the one right behind the `free_field`, whose value could hold its lines: sign another in between",
            );
        }
        let has_a_twin = |pointer: &&Cow<'static, str>| {
            let same_name = |other: &&Cow<'static, str>| last_name(other) == last_name(pointer);
            self.signed.iter().filter(same_name).count() > 1
        };
        if self.optional.iter().any(|pointer| has_a_twin(&pointer)) {
            return problem("names one whose last name another has, so that a line could be either's: require both");
        }
        Ok(())
    }
}

/// The value at a pointer; `None` also for null.
pub(super) fn value_at<'v>(object: &'v Value, pointer: &str) -> Option<&'v Value> {
    names(pointer).try_fold(object, |value, name| value.as_object()?.get(name)).filter(|value| !value.is_null())
}

/// Text, or a whole number, which has one spelling.
pub(super) fn text_of(pointer: &str, value: &Value) -> Result<String, Reason> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) if number.is_u64() || number.is_i64() => Ok(number.to_string()),
        _ => Err(malformed(pointer, "is neither text nor a whole number of 64 bits")),
    }
}

pub(super) fn malformed(pointer: &str, what: &'static str) -> Reason {
    Reason::Malformed(pointer.to_owned().into(), what)
}

/// One that can be followed: names in it have neither `/` nor `~`.
pub(super) fn is_pointer(text: &str) -> bool {
    text.starts_with('/') && !text.contains('~') && names(text).all(|name| !name.is_empty())
}

/// Whether a pointer leads through another, whose value is then no text.
pub(super) fn is_inside(pointer: &str, outer: &str) -> bool {
    pointer.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
}

pub(super) fn names(pointer: &str) -> impl Iterator<Item = &str> {
    pointer.split('/').skip(1)
}

pub(super) fn last_name(pointer: &str) -> &str {
    pointer.rsplit('/').next().unwrap_or(pointer)
}

pub(super) fn insert(mut claims: &mut Map<String, Value>, pointer: &str, value: &Value) {
    let mut names = names(pointer).peekable();
    while let Some(name) = names.next() {
        if names.peek().is_none() {
            claims.insert(name.to_owned(), value.clone());
            return;
        }
        let inner = claims.entry(name).or_insert_with(|| Value::Object(Map::new()));
        match inner {
            Value::Object(inner) => claims = inner,
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(layout: Layout, free: Option<&'static str>) -> Fields {
        let signed = ["/a", "/in/b", "/c"].map(Cow::from).to_vec();
        Fields { within: "".into(), signed, optional: vec!["/in/b".into()], free: free.map(Cow::from), layout }
    }

    #[test]
    fn texts_that_can_be_cut_in_one_way_alone() {
        use Layout::{Concatenated, Joined, Lines};
        for (layout, free, object, expected, why) in [
            (Joined(':'), None, json!({"a": "1", "in": {"b": 2}, "c": "3", "d": "4"}), Some("1:2:3"), "all"),
            (Joined(':'), None, json!({"a": "1", "c": "3"}), Some("1::3"), "one is missing"),
            (Joined(':'), None, json!({"a": "1", "in": null, "c": "3"}), Some("1::3"), "or null"),
            (Joined(':'), None, json!({"a": "1:2", "c": "3"}), None, "a colon where none may be"),
            (Joined(':'), Some("/a"), json!({"a": "1:2", "c": "3"}), Some("1:2::3"), "a colon where one may be"),
            (Joined(':'), None, json!({"a": "1"}), None, "a required one is missing"),
            (Joined(':'), None, json!({"a": 1.0, "c": "3"}), None, "a number of several spellings"),
            (Joined(':'), None, json!({"a": true, "c": "3"}), None, "a truth value"),
            (Lines, None, json!({"a": "1", "in": {"b": "2"}, "c": "3"}), Some("a\n1\nb\n2\nc\n3\n"), "lines"),
            (Lines, None, json!({"a": "1", "c": "3"}), Some("a\n1\nc\n3\n"), "a missing one has no line"),
            (Lines, Some("/a"), json!({"a": "1\nb\n2", "c": "3"}), Some("a\n1\nb\n2\nc\n3\n"), "free"),
            (Lines, Some("/a"), json!({"a": "1", "c": "3\n"}), None, "a line feed where none may be"),
            (Concatenated, None, json!({"a": "1", "in": {"b": "2"}, "c": "3"}), Some("123"), "one after the other"),
        ] {
            let read = fields(layout, free).read(&object).ok();
            assert_eq!(read.map(|(text, _)| text).as_deref(), expected, "{why}");
        }
    }

    /// Each layout that builds writes other claims in another text.
    #[test]
    fn one_text_has_one_reading() {
        use std::collections::HashMap;

        let values = ["", "1", ":", "1:2", "\n", "1\na\n2", "1\nb\n2", "1\nc\n2", "1\nb\n2\nc\n3"];
        let all = || std::iter::once(None).chain(values.map(Some));
        let mut built = 0;
        for signed in [["/a", "/b", "/c"], ["/a", "/x/a", "/c"]] {
            for (optional, free, layout) in (0..8).flat_map(|optional| {
                let layouts = [Layout::Joined(':'), Layout::Lines];
                (0..4).flat_map(move |free| layouts.map(|layout| (optional, free, layout)))
            }) {
                let optional = signed.iter().enumerate().filter(|(at, _)| optional >> at & 1 == 1);
                let optional = optional.map(|(_, pointer)| Cow::from(*pointer)).collect();
                let free = signed.get(free).map(|pointer| Cow::from(*pointer));
                let fields =
                    Fields { within: "".into(), signed: signed.map(Cow::from).to_vec(), optional, free, layout };
                if fields.check(None).is_err() {
                    continue;
                }
                built += 1;
                let mut readings = HashMap::new();
                for (one, two, three) in
                    all().flat_map(|one| all().flat_map(move |two| all().map(move |three| (one, two, three))))
                {
                    let mut object = Map::new();
                    for (pointer, value) in signed.iter().zip([one, two, three]) {
                        value.into_iter().for_each(|value| insert(&mut object, pointer, &value.into()));
                    }
                    let Ok((text, claims)) = fields.read(&Value::Object(object)) else { continue };
                    let first = readings.entry(text.clone()).or_insert_with(|| claims.clone());
                    assert_eq!(
                        *first, claims,
                        "{layout:?} of {:?}, optional {:?}, free {:?}",
                        signed, fields.optional, fields.free
                    );
                }
            }
        }
        assert!(built > 64, "{built}");
    }

    #[test]
    fn claims_are_what_was_signed() {
        let object = json!({"a": "1", "in": {"b": 2, "evil": 1}, "c": "3", "evil": 1});
        let (_, claims) = fields(Layout::Joined(':'), None).read(&object).unwrap();
        assert_eq!(claims, json!({"a": "1", "in": {"b": 2}, "c": "3"}));
    }

    #[test]
    fn the_object_is_one() {
        let within = |within: &'static str| Fields { within: within.into(), ..fields(Layout::Lines, None) };
        for (pointer, body, expected, why) in [
            ("", r#"{"a":1}"#, Some(json!({"a": 1})), "the body"),
            ("/x/0/y", r#"{"x":[{"y":{"a":1}}],"z":2}"#, Some(json!({"a": 1})), "inside"),
            ("/x/0/y", r#"{"x":[{"y":{"a":1}},{}]}"#, None, "two elements"),
            ("/x/0/y", r#"{"x":[]}"#, None, "none"),
            ("/x", "{}", None, "not there"),
            ("", "[]", None, "a list"),
            ("", r#"{"a":1,"a":2}"#, None, "a name twice"),
            ("", "{", None, "no JSON"),
        ] {
            assert_eq!(within(pointer).object(body.as_bytes()).ok(), expected, "{why}");
        }
    }
}
