//! JSON is read as serde_json reads it, but for duplicate names.

use std::collections::HashSet;

use proptest::prelude::*;
use serde::Deserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Value, json};

use super::{NO_JSON, Nothing, TWICE, read, refused};

/// A value as serde_json reads it, and whether a name came twice: the simplest reference.
struct Reference<'a>(&'a mut bool);

impl<'de> DeserializeSeed<'de> for Reference<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reference<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Reference(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            *self.0 |= !names.insert(name);
            map.next_value_seed(Reference(self.0))?;
        }
        Ok(())
    }
}

/// serde_json's result, if it is an object without duplicate names.
fn reference(json: &[u8]) -> Option<Value> {
    let value: Value = serde_json::from_slice(json).ok()?;
    let mut twice = false;
    Reference(&mut twice).deserialize(&mut serde_json::Deserializer::from_slice(json)).unwrap();
    (value.is_object() && !twice).then_some(value)
}

fn agree(json: &[u8]) -> Result<(), TestCaseError> {
    let expected = reference(json);
    let text = String::from_utf8_lossy(json);
    prop_assert_eq!(read::<Value>(json).ok(), expected.clone(), "{}", text);
    prop_assert_eq!(read::<Nothing>(json).is_ok(), expected.is_some(), "{}", text);
    if let (Err(error), Ok(text)) = (serde_json::from_slice::<Value>(json), std::str::from_utf8(json)) {
        let said = refused::<Nothing>(json);
        // If two things are wrong, either may be reported.
        prop_assert!(matches!(said.as_deref(), Some(NO_JSON | TWICE)), "{text:?}: {said:?}, and {error}");
    }
    Ok(())
}

/// A long string is looked at many bytes at a time.
#[test]
fn the_end_of_a_string_is_found_wherever_it_is() {
    for length in 0..140 {
        for special in ['"', '\\', '\n', '\x1f', '\x7f', 'é'] {
            let mut text = "x".repeat(length);
            text.push(special);
            text.push_str(&"x".repeat(140 - length));
            for value in [&format!("{text}\""), &format!("{text}\"}}"), text.as_str()] {
                agree(format!("{{\"a\":\"{value}").as_bytes()).unwrap();
            }
            let written = Value::from(text.clone());
            assert_eq!(read::<Value>(format!(r#"{{"a":{written}}}"#)), Ok(json!({"a": text})));
        }
    }
}

/// Text that is mostly JSON, with few names, in many spellings.
fn any_json() -> impl Strategy<Value = String> {
    let space = "[ \n]{0,1}";
    let name = prop_oneof![
        3 => "\"[ab]{0,2}\"",
        1 => r#""(\\u006[12]|\\u0041|\\n|\\"|\\\\|é|\\u00e9){0,2}""#,
    ];
    let leaf = prop_oneof![
        "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?",
        "null|true|false",
        r#""([a-c{}:,\[\]]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}|\\ud83d\\ude00|😀){0,6}""#,
        name.clone(),
    ];
    leaf.prop_recursive(4, 48, 6, move |inner| {
        let member = (name.clone(), space, inner.clone())
            .prop_map(|(name, space, value)| format!("{name}{space}:{space}{value}"));
        prop_oneof![
            (proptest::collection::vec(inner, 0..4), space)
                .prop_map(|(list, space)| format!("[{space}{}]", list.join(","))),
            (proptest::collection::vec(member, 0..5), space)
                .prop_map(|(members, space)| format!("{{{}{space}}}", members.join(","))),
        ]
    })
}

fn any_object() -> impl Strategy<Value = String> {
    proptest::collection::vec(any_json(), 0..4).prop_map(|values| {
        let members: Vec<_> = values.iter().enumerate().map(|(n, value)| format!("\"n{n}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_is_read_as_serde_json_reads_it(json in prop_oneof![any_json(), any_object()]) {
        agree(json.as_bytes())?;
    }

    /// Almost JSON: with bytes changed, inserted and removed.
    #[test]
    fn changed_json_is_read_as_serde_json_reads_it(
        json in any_object(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..3u8, prop_oneof![
            prop::sample::select(b"{}[],:\"\\ \n\t0123456789.-+eEuabfnrtl\0\x1f\x7f".to_vec()), any::<u8>(),
        ]), 1..4),
    ) {
        let mut json = json.into_bytes();
        for (at, how, byte) in changes {
            let at = at.index(json.len() + 1);
            match how {
                0 => json.insert(at, byte),
                1 if at < json.len() => json[at] = byte,
                _ if at < json.len() => drop(json.remove(at)),
                _ => {}
            }
        }
        agree(&json)?;
    }

    #[test]
    fn tokens_in_any_order_are_read_as_serde_json_reads_them(
        tokens in proptest::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", r#""\u0061""#, "1", "-0", "null", " ", r#""\"#,
        ]), 0..12),
    ) {
        agree(tokens.concat().as_bytes())?;
    }
}
