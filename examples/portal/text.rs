//! Text of partners, before it goes to a store or stands for somebody.

use serde::Serialize;
use serde_json::Value;
use tower_sso::providers::tutorcruncher::CompanySignup;
use tower_sso::rejection::RefusedClaims;
use unicode_normalization::UnicodeNormalization;

const LONGEST_NAME: usize = 320;

/// Whether every database can hold it. Postgres takes no NUL in a text, SQLite takes it and cuts some answers off there.
fn is_storable(text: &str) -> bool {
    !text.contains('\0')
}

/// Whether somebody may be called so.
pub(crate) fn is_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME && !text.chars().any(char::is_control)
}

/// Refuses claims that hold text which a database cannot hold: for `map_claims`. It would be the partner's fault, and never
/// get better, but be answered as ours: 503, try again.
pub(crate) fn storable<C: Serialize>(claims: C) -> Result<C, RefusedClaims> {
    let values = serde_json::to_value(&claims).map_err(|_| RefusedClaims::new("the claims are no JSON"))?;
    if all_storable(&values) { Ok(claims) } else { Err(unstorable()) }
}

/// The same for a company, whose key keeps its claims from being serialized.
pub(crate) fn storable_company(call: CompanySignup) -> Result<CompanySignup, RefusedClaims> {
    let texts = [&call.company_name, &call.admin_name, &call.admin_email];
    if texts.into_iter().all(|text| is_storable(text)) { Ok(call) } else { Err(unstorable()) }
}

fn unstorable() -> RefusedClaims {
    RefusedClaims::new("a text holds NUL, which a database cannot hold")
}

fn all_storable(value: &Value) -> bool {
    match value {
        Value::String(text) => is_storable(text),
        Value::Array(values) => values.iter().all(all_storable),
        Value::Object(fields) => fields.iter().all(|(name, value)| is_storable(name) && all_storable(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// What names have in common that look alike: `Default`, ` default `, and `default` with something in it that nobody sees.
/// Letters of different scripts that look alike are different.
pub(crate) fn fold(name: &str) -> String {
    let visible: String = name.nfkc().filter(|letter| !is_invisible(*letter)).flat_map(char::to_lowercase).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Unicode's `Default_Ignorable_Code_Point`, and controls.
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
            ("default\u{200b}", "a space of no width"),
            ("default\u{feff}", "a byte order mark"),
            ("\u{202e}default", "the other direction"),
            ("\u{ff44}efault", "a wide letter"),
        ] {
            assert_eq!(fold(name), "default", "{why}");
        }
        assert_eq!(fold("e\u{301}cole\u{a0} du  soir"), fold("\u{c9}cole du soir"));
        for name in ["defau1t", "default 2", "de fault"] {
            assert_ne!(fold(name), "default");
        }
        assert_eq!(fold("\u{200b} \u{3164}"), "", "nothing that anybody sees");
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
