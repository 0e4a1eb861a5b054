use std::borrow::Cow;

use subtle::ConstantTimeEq;

use super::form_key::{form, written};
#[cfg(feature = "explain")]
use super::near::{FormSlip, SLIPS};
use crate::ConfigProblem;
use crate::keys::Secret;
use crate::mac::Digest;
#[cfg(feature = "explain")]
use crate::near_miss::orders;
#[cfg(feature = "explain")]
use crate::scheme::near::digests;

const LONGEST_FIELD: usize = 1_024;

/// Which fields are hashed, and how.
///
/// | made by | hash |
/// |---|---|
/// | [`Recipe::hmac`] | HMAC(key = secret, message = fields joined by a separator) |
/// | [`Recipe::form_as_key`] | HMAC(key = fields and secret as form data, message = nothing): LCvista |
/// | [`Recipe::digest_with_secret_last`] | plain digest(fields and then the secret, joined by a separator) |
///
/// ```
/// use tower_sso::timestamp_hash::{Digest, Recipe};
///
/// let lcvista = Recipe::form_as_key(Digest::Sha1, ["timestamp", "email", "slug"], "token");
/// assert_eq!(lcvista.digest(), Digest::Sha1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    pub(super) digest: Digest,
    fields: Vec<Cow<'static, str>>,
    pub(super) kind: Kind,
    #[cfg(feature = "explain")]
    slip: Option<FormSlip>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Hmac {
        separator: Cow<'static, str>,
    },
    /// The names, already written as form data: `timestamp=`, `&email=`, and the secret's last.
    FormAsKey {
        names: Vec<Vec<u8>>,
        /// Whether a space is written as a plus, or as `%20`.
        plus: bool,
    },
    Digest {
        separator: Cow<'static, str>,
    },
}

impl Recipe {
    /// The secret is the key, the fields are the message, joined by the separator.
    ///
    /// One hash must not allow two splits: `admin|` and `b`, joined by `||`, are also `admin` and `|b`. So a value that
    /// contains the separator is malformed, and a separator that overlaps itself (`||`, `::`, `-:-`: its end is also
    /// its beginning) does not build. A single character is always safe.
    pub fn hmac<N: Into<Cow<'static, str>>>(
        digest: Digest,
        fields: impl IntoIterator<Item = N>,
        separator: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(digest, fields, Kind::Hmac { separator: separator.into() })
    }

    /// Writes the fields and, under its own name, the secret as form data, as Python's `urlencode` does. The result is
    /// the key of an HMAC over the empty message.
    pub fn form_as_key<N: Into<Cow<'static, str>>>(
        digest: Digest,
        fields: impl IntoIterator<Item = N>,
        secret_name: impl Into<Cow<'static, str>>,
    ) -> Self {
        let fields: Vec<Cow<'static, str>> = fields.into_iter().map(Into::into).collect();
        let names = fields.iter().chain([&secret_name.into()]).enumerate().map(written).collect();
        Self::new(digest, fields, Kind::FormAsKey { names, plus: true })
    }

    /// A plain digest of the fields and, last, the secret, joined by the separator. The separator follows the rule of
    /// [`hmac`](Self::hmac). With the secret anywhere else, anyone could append to the message (length extension), so
    /// there is no recipe for that.
    pub fn digest_with_secret_last<N: Into<Cow<'static, str>>>(
        digest: Digest,
        fields: impl IntoIterator<Item = N>,
        separator: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(digest, fields, Kind::Digest { separator: separator.into() })
    }

    fn new<N: Into<Cow<'static, str>>>(digest: Digest, fields: impl IntoIterator<Item = N>, kind: Kind) -> Self {
        Self {
            digest,
            fields: fields.into_iter().map(Into::into).collect(),
            kind,
            #[cfg(feature = "explain")]
            slip: None,
        }
    }

    /// Recipes that a partner may have followed instead, and what that would mean.
    #[cfg(feature = "explain")]
    pub(super) fn near(&self) -> Vec<(String, Self)> {
        let mut near = Vec::new();
        for fields in orders(&self.fields) {
            let cause = format!("the partner hashes the fields in another order: {}", fields.join(", "));
            near.push((cause, self.reordered(fields)));
        }
        for separator in ["|", ":", ",", ";", "-", "_", "&", "\n", " ", ""] {
            for (how, kind) in [
                ("as an HMAC", Kind::Hmac { separator: separator.into() }),
                ("as a plain digest with the secret last", Kind::Digest { separator: separator.into() }),
            ] {
                let cause = format!("the partner joins the fields by {separator:?} and hashes {how}");
                near.push((cause, Self::new(self.digest, self.fields.clone(), kind)));
            }
        }
        for (digest, name) in digests() {
            let cause = format!("the partner hashes with {name}");
            near.push((cause, Self { digest, ..self.clone() }));
        }
        if let Kind::FormAsKey { names, plus } = &self.kind {
            let written = if *plus { "`%20`, as `rawurlencode` and `encodeURIComponent` do" } else { "a plus" };
            let kind = Kind::FormAsKey { names: names.clone(), plus: !plus };
            near.push((format!("the partner writes a space as {written}"), Self { kind, ..self.clone() }));
            let slips = SLIPS.into_iter();
            near.extend(
                slips.map(|(slip, does)| (format!("the partner {does}"), Self { slip: Some(slip), ..self.clone() })),
            );
        }
        near.retain(|(_, other)| other != self);
        near
    }

    /// The same fields in another order.
    #[cfg(feature = "explain")]
    fn reordered(&self, fields: Vec<Cow<'static, str>>) -> Self {
        let kind = match &self.kind {
            Kind::FormAsKey { names, plus } => {
                let names = fields.iter().enumerate().map(written).chain(names.last().cloned()).collect();
                Kind::FormAsKey { names, plus: *plus }
            }
            other => other.clone(),
        };
        Self { fields, kind, ..*self }
    }

    /// The digest.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = &Cow<'static, str>> + Clone {
        self.fields.iter()
    }

    pub(super) fn check_value(&self, value: &str) -> Result<(), &'static str> {
        if value.is_empty() {
            return Err("is empty");
        }
        if value.len() > LONGEST_FIELD {
            return Err("is too long");
        }
        match &self.kind {
            Kind::Hmac { separator } | Kind::Digest { separator } if value.contains(separator.as_ref()) => {
                Err("holds the separator of the hashed fields")
            }
            _ => Ok(()),
        }
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.fields.iter().any(|other| other == field)
    }

    pub(super) fn check(&self, timestamp: &str) -> Result<(), ConfigProblem> {
        if !self.has(timestamp) {
            return Err(ConfigProblem::setting(
                "recipe",
                "does not hash the timestamp: anyone could make a link new again",
            ));
        }
        if self.fields.len() < 2 {
            return Err(ConfigProblem::setting("recipe", "hashes nothing but the timestamp: say who the user is"));
        }
        if self.fields.iter().any(|field| field.is_empty()) {
            return Err(ConfigProblem::setting("recipe", "has a field without a name: say which parameter is hashed"));
        }
        if self.fields.iter().enumerate().any(|(at, field)| self.fields.iter().take(at).any(|other| other == field)) {
            return Err(ConfigProblem::setting("recipe", "names a field twice"));
        }
        match &self.kind {
            Kind::Hmac { separator } | Kind::Digest { separator } if separator.is_empty() => {
                Err(ConfigProblem::setting(
                    "recipe",
                    "joins its fields without a separator: they could be cut in another place",
                ))
            }
            Kind::Hmac { separator } | Kind::Digest { separator } if overlaps_itself(separator.as_bytes()) => {
                Err(ConfigProblem::setting(
                    "recipe",
                    "has a separator that overlaps itself: the fields could be cut in another place; use one character",
                ))
            }
            _ => Ok(()),
        }
    }

    /// Whether these fields have this hash. Constant time for a hash of the right length.
    pub(super) fn verify<'a>(
        &'a self,
        fields: impl Iterator<Item = &'a str> + Clone,
        secret: &'a Secret,
        mac: &[u8],
    ) -> bool {
        #[cfg(feature = "explain")]
        if let (Some(slip), Kind::FormAsKey { names, .. }) = (self.slip, &self.kind) {
            return slip.signed(self.digest, names, fields, secret, mac);
        }
        match &self.kind {
            Kind::Hmac { separator } => self.digest.verify(secret, joined(fields, separator), mac),
            Kind::FormAsKey { names, plus } => {
                self.digest.verify_with_key(&form((names, *plus), fields, secret).bytes, &[], mac)
            }
            Kind::Digest { separator } => {
                let secret_last = [separator.as_bytes(), secret.expose()];
                self.digest.hash(joined(fields, separator).chain(secret_last))[..].ct_eq(mac).into()
            }
        }
    }
}

/// Whether some suffix is also a prefix. Only then can the separator occur across the border of a value that does not
/// contain it.
fn overlaps_itself(separator: &[u8]) -> bool {
    (1..separator.len()).any(|from| separator.get(from..).is_some_and(|end| separator.starts_with(end)))
}

/// The fields with the separator between them.
fn joined<'a>(fields: impl Iterator<Item = &'a str>, separator: &'a str) -> impl Iterator<Item = &'a [u8]> {
    let before = move |position| if position == 0 { "" } else { separator };
    fields.enumerate().flat_map(move |(position, field)| [before(position).as_bytes(), field.as_bytes()])
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    const FIELDS: [&str; 3] = ["timestamp", "user", "role"];

    /// One of each kind that joins its fields.
    fn joining(separator: &str) -> [Recipe; 2] {
        let separator = || separator.to_owned();
        [
            Recipe::hmac(Digest::Sha256, FIELDS, separator()),
            Recipe::digest_with_secret_last(Digest::Sha256, FIELDS, separator()),
        ]
    }

    #[test]
    fn separators_that_overlap_themselves_do_not_build() {
        for (separator, builds, why) in [
            ("|", true, "one character"),
            ("ab", true, "no end is a beginning"),
            ("\r\n", true, "a line break"),
            ("aab", true, "a repeated beginning that is no end"),
            ("é", true, "two bytes"),
            ("", false, "nothing"),
            ("||", false, "the same character twice"),
            ("::", false, "the same character twice"),
            ("-:-", false, "it ends as it begins"),
            ("abcab", false, "two characters of it do"),
            ("éé", false, "a character of two bytes, twice"),
        ] {
            for recipe in joining(separator) {
                assert_eq!(recipe.check("timestamp").is_ok(), builds, "{separator:?}: {why}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        /// Two different accepted tuples of values never join to the same bytes.
        #[test]
        fn joins_are_injective(
            separator in "[a:]{1,3}",
            tuples in proptest::collection::vec(proptest::array::uniform3("[a:]{1,3}"), 2..60),
        ) {
            for recipe in joining(&separator).into_iter().filter(|recipe| recipe.check("timestamp").is_ok()) {
                let mut seen = HashMap::new();
                for tuple in &tuples {
                    if tuple.iter().any(|value| recipe.check_value(value).is_err()) {
                        continue;
                    }
                    let bytes = joined(tuple.iter().map(String::as_str), &separator).collect::<Vec<_>>().concat();
                    let before = seen.insert(bytes, tuple);
                    prop_assert!(before.is_none_or(|before| before == tuple), "{separator:?}: {before:?} and {tuple:?}");
                }
            }
        }
    }
}
