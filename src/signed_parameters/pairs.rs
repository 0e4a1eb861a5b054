use std::borrow::Cow;
use std::fmt::Write;

use super::recipe::{Between, HashedSecret, Order, Recipe, Repeated, Selected, Text};
use crate::rejection::Reason;
use crate::text::name::shown;
use crate::text::percent::{Spelling, decode_form};

/// How many pairs a request may have.
const MOST: usize = 256;

/// The selected pairs, and the text that was signed.
pub(super) struct Pairs {
    /// Decoded, in the order in which they are signed.
    pub(super) all: Vec<Pair>,
    /// The signed text. If the secret is hashed within it, what stands before the secret.
    pub(super) before: Vec<u8>,
    /// The rest of the signed text.
    pub(super) after: Vec<u8>,
    /// The same two, as other libraries would escape them: see [`Spelling`].
    other_spellings: Vec<[Vec<u8>; 2]>,
}

#[derive(Clone)]
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) value: String,
    /// As it is signed.
    text: Vec<u8>,
    /// Whether the value is a list in brackets, which is not encoded.
    is_list: bool,
    is_repeated: bool,
}

impl Pair {
    /// Whether this was the name before a list lost its brackets.
    fn was_sent_as(&self, name: &str) -> bool {
        let name = if self.is_list { name.strip_suffix("[]") } else { Some(name) };
        name == Some(&self.name)
    }
}

fn malformed(name: &str, what: &'static str) -> Reason {
    Reason::Malformed(shown(name).to_owned().into(), what)
}

impl Pairs {
    /// Reads the pairs of a query, and the signature among them if it is there.
    pub(super) fn read<'a>(
        text: &'a str,
        recipe: &Recipe,
        signature: Option<&str>,
    ) -> Result<(Self, Option<Cow<'a, str>>), Reason> {
        let (mut pairs, mut found) = (Vec::new(), None);
        for raw in text.split('&').filter(|raw| !raw.is_empty()) {
            let (raw_name, raw_value) = raw.split_once('=').unwrap_or((raw, ""));
            let name = match decode_form(raw_name) {
                Ok(name) => name,
                Err(what) if recipe.selected == Selected::All => return Err(malformed("parameters", what)),
                // Not signed.
                Err(_) => continue,
            };
            let value = || decode_form(raw_value).map_err(|what| malformed(&name, what));
            if signature == Some(&*name) {
                if found.replace(value()?).is_some() {
                    return Err(Reason::DuplicateParameter(name.into_owned().into()));
                }
            } else if recipe.signs(&name) {
                if pairs.len() == MOST {
                    return Err(malformed("parameters", "are too many"));
                }
                let text = if recipe.text == Text::Raw { raw.as_bytes().to_vec() } else { Vec::new() };
                let value = value()?.into_owned();
                pairs.push(Pair { name: name.into_owned(), value, text, is_list: false, is_repeated: false });
            }
        }
        Ok((Self::signed(pairs, recipe)?, found))
    }

    fn signed(pairs: Vec<Pair>, recipe: &Recipe) -> Result<Self, Reason> {
        let mut all = joined(pairs, recipe.repeated)?;
        if let (Between::Values(_), Selected::Listed(names)) = (recipe.join.0, &recipe.selected)
            && let Some(missing) = names.iter().find(|name| !all.iter().any(|pair| pair.name == **name))
        {
            return Err(Reason::MissingParameter(missing.clone()));
        }
        let is_encoded = matches!(recipe.text, Text::Encoded | Text::FormEncoded);
        let differs = |pair: &Pair| Spelling::differs_for(&pair.name) || Spelling::differs_for(&pair.value);
        let mut other_spellings = Vec::new();
        if is_encoded && all.iter().any(differs) {
            for spelling in [Spelling::Form, Spelling::Component] {
                other_spellings.push(text_of(&mut all.clone(), recipe, spelling)?);
            }
        }
        let [before, after] = text_of(&mut all, recipe, Spelling::Rfc3986)?;
        Ok(Self { all, before, after, other_spellings })
    }

    /// Each text that may have been signed, before and after the secret.
    pub(super) fn texts(&self) -> impl Iterator<Item = [&[u8]; 2]> {
        let others = self.other_spellings.iter().map(|[before, after]| [before.as_slice(), after]);
        std::iter::once([self.before.as_slice(), &self.after]).chain(others)
    }

    /// The decoded value of a pair that is signed.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.all.iter().find(|pair| pair.name == name).map(|pair| pair.value.as_str())
    }

    /// How often a name followed by `=` is in the signed text, inside other names and values too.
    pub(super) fn occurrences(&self, name: &str) -> usize {
        let start = format!("{name}=");
        self.before.windows(start.len()).filter(|window| *window == start.as_bytes()).count()
    }

    /// Whether the name came more than once.
    pub(super) fn is_repeated(&self, name: &str) -> bool {
        self.all.iter().any(|pair| pair.name == name && pair.is_repeated)
    }
}

/// Writes the pairs, sorts them, and joins them. Returns what stands before the secret, and the rest.
fn text_of(all: &mut [Pair], recipe: &Recipe, spelling: Spelling) -> Result<[Vec<u8>; 2], Reason> {
    for pair in &mut *all {
        write(pair, recipe, spelling)?;
    }
    match (&recipe.selected, recipe.order) {
        (Selected::Listed(names), Order::Listed) => {
            all.sort_by_key(|pair| names.iter().position(|name| pair.was_sent_as(name)));
        }
        (_, Order::Names) => all.sort_by(|one, other| one.name.cmp(&other.name)),
        (_, Order::Sent | Order::Listed) => {}
        (_, Order::Pairs) => all.sort_by(|one, other| one.text.cmp(&other.text)),
    }
    let (mut before, mut after) = (recipe.before.as_bytes().to_vec(), Vec::new());
    let mut separator = [0; 4];
    let separator: &str = match recipe.join.0 {
        Between::Pairs(None) => "",
        Between::Pairs(Some(separates)) | Between::Values(separates) => separates.encode_utf8(&mut separator),
        Between::Json => ",",
    };
    if recipe.join.0 == Between::Json {
        before.push(b'{');
    }
    for (position, pair) in all.iter().enumerate() {
        let is_behind_the_secret = match recipe.hashed_secret {
            Some(HashedSecret::Before(index)) => position >= index,
            Some(HashedSecret::AtTheEnd) | None => false,
        };
        if recipe.hashed_secret == Some(HashedSecret::Before(position)) {
            before.extend_from_slice(separator.as_bytes());
        }
        let text = if is_behind_the_secret { &mut after } else { &mut before };
        if position > 0 {
            text.extend_from_slice(separator.as_bytes());
        }
        text.extend_from_slice(&pair.text);
    }
    let end = if recipe.hashed_secret == Some(HashedSecret::AtTheEnd) { &mut before } else { &mut after };
    if recipe.join.0 == Between::Json {
        end.push(b'}');
    }
    end.extend_from_slice(recipe.after.as_bytes());
    Ok([before, after])
}

/// Joins pairs of one name, or refuses them. Afterwards each name is there once.
fn joined(pairs: Vec<Pair>, repeated: Repeated) -> Result<Vec<Pair>, Reason> {
    let mut all: Vec<Pair> = Vec::with_capacity(pairs.len());
    for mut pair in pairs {
        let is_list = repeated == Repeated::Brackets && pair.name.ends_with("[]");
        if is_list {
            // Elements are not encoded. A quote or a backslash would hide where one ends. With `=`, `&` and `/`, an
            // element could hold a text that the platform signs elsewhere under this secret, such as an app proxy's.
            if pair.value.contains(['"', '\\', '=', '&', '/']) {
                return Err(malformed(&pair.name, "holds what an element of a list must not, as it is not encoded"));
            }
            pair.name.truncate(pair.name.len().saturating_sub(2));
            pair.value = format!("[\"{}\"]", pair.value);
            pair.is_list = true;
        }
        let Some(first) = all.iter_mut().find(|first| first.name == pair.name) else {
            all.push(pair);
            continue;
        };
        match repeated {
            Repeated::Commas => {
                first.is_repeated = true;
                _ = write!(first.value, ",{}", pair.value);
            }
            Repeated::Brackets if is_list && first.is_list => {
                first.value.pop();
                _ = write!(first.value, ", {}", pair.value.get(1..).unwrap_or_default());
            }
            Repeated::Brackets | Repeated::Refused => {
                return Err(Reason::DuplicateParameter(shown(&pair.name).to_owned().into()));
            }
        }
    }
    Ok(all)
}

/// Writes a pair as it is signed. `read` has kept the text of one that is signed as received.
fn write(pair: &mut Pair, recipe: &Recipe, spelling: Spelling) -> Result<(), Reason> {
    let (name, value) = (pair.name.as_bytes(), pair.value.as_bytes());
    let mut text = Vec::with_capacity(name.len() + value.len() + 8);
    match (recipe.join.0, recipe.text) {
        (_, Text::Raw) => return Ok(()),
        (Between::Json, _) => {
            php_string(&pair.name, &mut text);
            text.push(b':');
            php_string(&pair.value, &mut text);
        }
        (Between::Values(separator), _) => {
            if pair.value.contains(separator) {
                return Err(malformed(&pair.name, "holds the separator of the signed values"));
            }
            text.extend_from_slice(value);
        }
        (Between::Pairs(separator), Text::Decoded) => {
            let has_separator = |text: &str| match separator {
                Some(separator) => text.contains(separator),
                None => text.contains('='),
            };
            if pair.name.contains('=') || has_separator(&pair.name) || has_separator(&pair.value) {
                return Err(malformed(&pair.name, "holds what separates the signed pairs"));
            }
            text.extend_from_slice(name);
            text.push(b'=');
            text.extend_from_slice(value);
        }
        (Between::Pairs(_), how) => {
            let space = if how == Text::FormEncoded { "+" } else { "%20" };
            spelling.encode(&pair.name, space, &mut text);
            text.push(b'=');
            if pair.is_list { text.extend_from_slice(value) } else { spelling.encode(&pair.value, space, &mut text) }
        }
    }
    pair.text = text;
    Ok(())
}

/// A string as PHP's `json_encode` writes it.
fn php_string(text: &str, json: &mut Vec<u8>) {
    let mut written = String::with_capacity(text.len() + 2);
    written.push('"');
    for letter in text.chars() {
        match letter {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '/' => written.push_str("\\/"),
            '\u{8}' => written.push_str("\\b"),
            '\u{c}' => written.push_str("\\f"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            ' '..='~' | '\u{7f}' => written.push(letter),
            _ => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    _ = write!(written, "\\u{unit:04x}");
                }
            }
        }
    }
    written.push('"');
    json.extend_from_slice(written.as_bytes());
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use super::super::recipe::Join;
    use super::*;

    /// Every query of up to so many of these pieces.
    fn queries(pieces: &[&str], most: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut from = 0;
        for _ in 0..most {
            let to = all.len();
            for at in from..to {
                all.extend(pieces.iter().map(|piece| format!("{}{piece}", all[at])).collect::<Vec<_>>());
            }
            from = to;
        }
        all
    }

    #[test]
    fn pairs_are_bounded() {
        let recipe = Recipe::all(Join::pairs('&'));
        for (count, is_read) in [(MOST, true), (MOST + 1, false)] {
            let query = (0..count).map(|n| format!("a{n}=1")).collect::<Vec<_>>().join("&");
            assert_eq!(Pairs::read(&query, &recipe, None).is_ok(), is_read, "{count}");
        }
    }

    /// Whoever can choose a value must not be able to move a border under an authentic signature.
    #[test]
    fn one_text_has_one_reading() {
        let and = || Recipe::all(Join::pairs('&'));
        let listed = |join| Recipe::listed(["a", "b"], join);
        let encoded = |text| and().order(Order::Names).text(text);
        let plain = ["a", "b", "=", "&", "1", "%26", "%3D"];
        for (recipe, pieces, why) in [
            (and(), &plain[..], "decoded"),
            (and().order(Order::Sent), &plain, "as sent"),
            (and().order(Order::Names), &plain, "by name"),
            (Recipe::all(Join::pairs(';')), &["a", "b", "=", "&", ";", "%3B", "%3D"], "another separator"),
            (Recipe::all(Join::pairs('\n')), &["a", "b", "=", "&", "%0A", "%3D"], "in lines"),
            (Recipe::all(Join::pairs('\n')).around("a=1\n", "\nb=1"), &["a", "b", "=", "&", "%0A"], "between others"),
            (and().text(Text::Raw).order(Order::Sent), &plain, "as received"),
            (encoded(Text::Encoded), &plain, "encoded"),
            (encoded(Text::FormEncoded), &["a", "b", "=", "&", "+", "%2B", "%20"], "as form data"),
            (encoded(Text::Encoded), &["a", "=", "&", "~", "*", "'", "%25", "7E", "%2527"], "in other spellings"),
            (and().text(Text::FormEncoded), &["~", "=", "&", "!", "*", "%252A", "%253D"], "in other orders"),
            (and().repeated(Repeated::Commas), &["a", "b", "=", "&", ",", "1"], "lists with commas"),
            (
                encoded(Text::Encoded).repeated(Repeated::Brackets),
                &["a", "[]", "=", "&", "1", "[%221%22]", "%22", ",%20"],
                "lists in brackets",
            ),
            (Recipe::prefixed("a", Join::pairs('&')), &plain, "some"),
            (and().except(["a"]), &plain, "all but one"),
            (listed(Join::pairs('&')), &plain, "listed"),
            (listed(Join::values(':')), &["a=", "b=", "&", ":", "1", "%3A"], "values"),
            (
                listed(Join::values(':')).danger_digest_with_secret_before(1),
                &["a=", "b=", "&", ":", "1", "%3A"],
                "the secret between them",
            ),
            (and().danger_digest_with_secret_at_the_end(), &plain, "the secret behind them"),
            (
                and().order(Order::Names).around("", "&a=").danger_md5_with_secret_at_the_end(),
                &plain,
                "and text before it",
            ),
            (Recipe::all(Join::json()), &["a", "=", "&", "%22", ":", ",", "%5C"], "JSON"),
        ] {
            assert_eq!(recipe.check(), Ok(()), "{why}");
            let (mut readings, mut several) = (HashMap::new(), 0);
            for query in queries(pieces, 5) {
                let Ok((pairs, _)) = Pairs::read(&query, &recipe, None) else { continue };
                let claims: BTreeMap<_, _> =
                    pairs.all.iter().map(|pair| (pair.name.clone(), pair.value.clone())).collect();
                several += usize::from(claims.len() > 1);
                for [before, after] in pairs.texts() {
                    let text = match recipe.hashed_secret {
                        Some(_) => [before.to_vec(), after.to_vec()],
                        None => [[before, after].concat(), Vec::new()],
                    };
                    let (first, other) = readings.entry(text).or_insert_with(|| (claims.clone(), query.clone()));
                    assert_eq!(*first, claims, "{why}: {query} and {other}");
                }
            }
            assert!(several > 5, "{why}: {several}");
        }
    }
}
