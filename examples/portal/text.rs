//! Checks of text from partners, before it is stored or identifies a tenant.

use serde::Serialize;
use serde_json::Value;
use tower_sso::providers::tutorcruncher::CompanySignup;
use tower_sso::rejection::RefusedClaims;
use unicode_normalization::UnicodeNormalization;

const LONGEST_NAME: usize = 320;

/// Whether every database can store it. Postgres refuses NUL in a text; SQLite stores it, but truncates some results there.
fn is_storable(text: &str) -> bool {
    !text.contains('\0')
}

/// Whether it may be a name: at most 320 bytes, without control characters.
pub(crate) fn is_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME && !text.chars().any(char::is_control)
}

/// For `map_claims`: refuses claims with text that a database cannot store. The failing query would look like an outage of
/// ours, with 503 and a retry that can never succeed.
pub(crate) fn storable<C: Serialize>(claims: C) -> Result<C, RefusedClaims> {
    let values = serde_json::to_value(&claims).map_err(|_| RefusedClaims::new("the claims are not valid JSON"))?;
    if all_storable(&values) { Ok(claims) } else { Err(unstorable()) }
}

/// The same for a company, whose claims hold a key and cannot be serialized.
pub(crate) fn storable_company(call: CompanySignup) -> Result<CompanySignup, RefusedClaims> {
    let texts = [&call.company_name, &call.admin_name, &call.admin_email];
    if texts.into_iter().all(|text| is_storable(text)) { Ok(call) } else { Err(unstorable()) }
}

fn unstorable() -> RefusedClaims {
    RefusedClaims::new("a text contains NUL, which a database cannot store")
}

fn all_storable(value: &Value) -> bool {
    match value {
        Value::String(text) => is_storable(text),
        Value::Array(values) => values.iter().all(all_storable),
        Value::Object(fields) => fields.iter().all(|(name, value)| is_storable(name) && all_storable(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Maps look-alike names to the same text: `Default`, ` default `, and `default` with invisible characters. Does not map
/// look-alike letters of different scripts.
pub(crate) fn fold(name: &str) -> String {
    let visible: String = name.nfkc().filter(|letter| !is_invisible(*letter)).flat_map(char::to_lowercase).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Control characters and Unicode's `Default_Ignorable_Code_Point`.
fn is_invisible(letter: char) -> bool {
    (letter.is_control() && !letter.is_whitespace())
        || matches!(letter, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike_are_one() {
        for (name, why) in [
            ("default", "itself"),
            ("Default", "a capital letter"),
            (" default ", "spaces around it"),
            ("de\u{ad}fault", "a soft hyphen"),
            ("default\u{200b}", "a zero-width space"),
            ("default\u{feff}", "a byte order mark"),
            ("\u{202e}default", "a right-to-left override"),
            ("\u{ff44}efault", "a full-width letter"),
        ] {
            assert_eq!(fold(name), "default", "{why}");
        }
        assert_eq!(fold("e\u{301}cole\u{a0} du  soir"), fold("\u{c9}cole du soir"));
        for name in ["defau1t", "default 2", "de fault"] {
            assert_ne!(fold(name), "default");
        }
        assert_eq!(fold("\u{200b} \u{3164}"), "", "only invisible characters");
    }

    #[test]
    fn nul_is_found_wherever_it_is() {
        for (claims, expected) in [
            (serde_json::json!({"a": "b", "c": [1, null, {"d": "e\\u0000"}]}), true),
            (serde_json::json!({"a": {"b": ["c\0"]}}), false),
            (serde_json::json!({"a": {"b\0": 1}}), false),
        ] {
            assert_eq!(storable(&claims).is_ok(), expected, "{claims}");
        }
    }
}
