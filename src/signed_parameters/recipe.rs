use std::borrow::Cow;

use crate::ConfigProblem;

/// Which pairs are signed, and how they are written for it.
///
/// | made by | signed |
/// |---|---|
/// | [`Recipe::all`] | every pair but the signature |
/// | [`Recipe::prefixed`] | pairs whose name begins in some way |
/// | [`Recipe::listed`] | pairs with these names |
///
/// ```
/// use tower_sso::signed_parameters::{Join, Order, Recipe, Text};
///
/// // a=1&b=2, sorted by name, values encoded
/// let recipe = Recipe::all(Join::pairs('&')).order(Order::Names).text(Text::Encoded);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    pub(super) selected: Selected,
    pub(super) except: Vec<Cow<'static, str>>,
    pub(super) join: Join,
    pub(super) text: Text,
    pub(super) order: Order,
    pub(super) repeated: Repeated,
    pub(super) before: Cow<'static, str>,
    pub(super) after: Cow<'static, str>,
    /// Where the secret is hashed with the text. `None`: the secret is the key of a MAC.
    pub(super) hashed_secret: Option<HashedSecret>,
    /// Whether the digest is MD5, which no [`digest`](crate::Builder::digest) can name.
    pub(super) md5: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HashedSecret {
    /// Before the listed value of this index.
    Before(usize),
    AtTheEnd,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Selected {
    All,
    Prefixed(Cow<'static, str>),
    Listed(Vec<Cow<'static, str>>),
}

impl Selected {
    /// The names, if they are listed.
    pub(super) fn names(&self) -> &[Cow<'static, str>] {
        if let Self::Listed(names) = self { names } else { &[] }
    }
}

/// What stands between the pairs.
///
/// One text must not be readable as two lists of pairs. So a name or value that holds the separator is refused, and
/// without a separator one that holds `=`.
///
/// ```
/// use tower_sso::signed_parameters::Join;
///
/// let query = Join::pairs('&'); // name=value&name=value
/// let lines = Join::pairs('\n');
/// let values = Join::values(':'); // value:value
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Join(pub(super) Between);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Between {
    Pairs(Option<char>),
    Values(char),
    Json,
}

impl Join {
    /// `name=value`, with this character between pairs: `&`, or a line feed.
    pub const fn pairs(separator: char) -> Self {
        Self(Between::Pairs(Some(separator)))
    }

    /// `name=value` with nothing between pairs.
    ///
    /// **Whoever may choose a parameter's name can move the border between a value and the next name.** So only the
    /// pairs that the layer names are among the claims, and `name=` must be in the signed text just where such a pair
    /// begins: with the name `shop`, a visitor's `workshop=1` is `malformed`. The end of a value is proved only if its
    /// shape is set, by [`digits`](crate::Builder::digits) or [`ends_with`](crate::Builder::ends_with).
    ///
    /// **All this holds for pairs that the sender always sends**, empty ones too. If it leaves one out, a visitor can
    /// write that pair: the signed text is the same.
    pub const fn pairs_without_separator() -> Self {
        Self(Between::Pairs(None))
    }

    /// The values alone, with this character between them, for [`Recipe::listed`]. Each must be there.
    pub const fn values(separator: char) -> Self {
        Self(Between::Values(separator))
    }

    /// A JSON object of strings, as PHP's `json_encode` writes it: `/` and all but ASCII is escaped.
    pub const fn json() -> Self {
        Self(Between::Json)
    }
}

/// How names and values are written for the signature.
///
/// ```
/// use tower_sso::signed_parameters::Text;
///
/// assert_eq!(Text::default(), Text::Decoded);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Text {
    /// Decoded.
    #[default]
    Decoded,
    /// As received, escapes and all.
    Raw,
    /// Decoded and percent-encoded again (RFC 3986, 2.1), a space as `%20`. Libraries differ in the characters
    /// `!~*'()`: what is signed may be written as RFC 3986 says, as form data is (WHATWG URL, 5.2), or as JavaScript's
    /// `encodeURIComponent` does. A forgery with such characters costs three checks.
    Encoded,
    /// The same, with a space as `+`, as in form data.
    FormEncoded,
}

/// The order of the pairs.
///
/// ```
/// use tower_sso::signed_parameters::Order;
///
/// assert_eq!(Order::default(), Order::Pairs);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// Sorted as `name=value`, by bytes.
    #[default]
    Pairs,
    /// Sorted by name, by bytes.
    Names,
    /// As sent.
    Sent,
    /// As [`Recipe::listed`].
    Listed,
}

/// What becomes of a name that comes more than once.
///
/// ```
/// use tower_sso::signed_parameters::Repeated;
///
/// assert_eq!(Repeated::default(), Repeated::Refused);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repeated {
    /// The request is malformed.
    #[default]
    Refused,
    /// Its values are joined by commas, in the order in which they were sent. The claim is the joined text.
    Commas,
    /// A name that ends with `[]` is a list: `ids[]=1&ids[]=2` is signed as `ids=["1", "2"]`, not encoded, and the
    /// claim `ids` is that text. An element must not hold `"`, `\`, `=`, `&` or `/`. Another name may come once.
    Brackets,
}

impl Recipe {
    /// Every pair but the signature and the [excepted](Self::except) ones, sorted.
    pub fn all(join: Join) -> Self {
        Self::new(Selected::All, join, Order::Pairs)
    }

    /// The pairs whose name begins with this, sorted. **Others are not signed**, and not among the claims.
    pub fn prefixed(prefix: impl Into<Cow<'static, str>>, join: Join) -> Self {
        Self::new(Selected::Prefixed(prefix.into()), join, Order::Pairs)
    }

    /// The pairs of these names, in this order; those that are not sent are left out, unless values are joined without
    /// their names. **Others are not signed**, and not among the claims.
    pub fn listed<N: Into<Cow<'static, str>>>(names: impl IntoIterator<Item = N>, join: Join) -> Self {
        Self::new(Selected::Listed(names.into_iter().map(Into::into).collect()), join, Order::Listed)
    }

    fn new(selected: Selected, join: Join, order: Order) -> Self {
        Self {
            selected,
            except: Vec::new(),
            join,
            text: Text::default(),
            order,
            repeated: Repeated::default(),
            before: "".into(),
            after: "".into(),
            hashed_secret: None,
            md5: false,
        }
    }

    /// Names that are not signed. They are not among the claims.
    #[must_use]
    pub fn except<N: Into<Cow<'static, str>>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.except.extend(names.into_iter().map(Into::into));
        self
    }

    /// How names and values are written. Default: decoded.
    #[must_use]
    pub fn text(self, text: Text) -> Self {
        Self { text, ..self }
    }

    /// The order of the pairs. Default: sorted; as listed, if they are.
    #[must_use]
    pub fn order(self, order: Order) -> Self {
        Self { order, ..self }
    }

    /// What becomes of a name that comes more than once. Default: it is refused.
    #[must_use]
    pub fn repeated(self, repeated: Repeated) -> Self {
        Self { repeated, ..self }
    }

    /// Text before and after the pairs. Default: none.
    #[must_use]
    pub fn around(self, before: impl Into<Cow<'static, str>>, after: impl Into<Cow<'static, str>>) -> Self {
        Self { before: before.into(), after: after.into(), ..self }
    }

    /// The signature is a plain digest of the listed values, with the secret behind so many of them, at least one: no
    /// MAC. **Anyone with one signature can sign the same text with more appended** (length extension). The padding in
    /// between has bytes that no parameter can hold here, so such a request is `malformed`. Take it only if the partner
    /// has no MAC. For [`Join::values`].
    ///
    /// ```
    /// use tower_sso::signed_parameters::{Join, Recipe};
    ///
    /// // SHA-256(id:SECRET:time)
    /// let recipe = Recipe::listed(["id", "time"], Join::values(':')).danger_digest_with_secret_before(1);
    /// ```
    #[must_use]
    pub fn danger_digest_with_secret_before(self, index: usize) -> Self {
        Self { hashed_secret: Some(HashedSecret::Before(index)), md5: false, ..self }
    }

    /// The signature is a plain digest of the text with the secret behind it: no MAC. **Two texts with one digest have
    /// one signature**: whoever finds them, and has the first signed, can send the second. For SHA-1 that is within
    /// reach, so take SHA-256 where the partner leaves the choice.
    #[must_use]
    pub fn danger_digest_with_secret_at_the_end(self) -> Self {
        Self { hashed_secret: Some(HashedSecret::AtTheEnd), md5: false, ..self }
    }

    /// The signature is the MD5 of the text with the secret behind it. **Two texts with one MD5 are found in seconds,
    /// even of letters and digits alone, and they have one signature.** So it proves nothing if anyone but the partner
    /// can choose a part of the text. What stands before the secret, such as `&key=`, is the second text of
    /// [`around`](Self::around). The layer ignores the [`digest`](crate::Builder::digest) SHA-256 and does not build
    /// with another one. This crate does not make such signatures: there is no signer and no kit.
    ///
    /// ```
    /// use tower_sso::signed_parameters::{Join, Order, Recipe};
    ///
    /// // MD5(a=1&b=2&key=SECRET)
    /// let recipe = Recipe::all(Join::pairs('&')).order(Order::Names).around("", "&key=");
    /// let recipe = recipe.danger_md5_with_secret_at_the_end();
    /// ```
    #[must_use]
    pub fn danger_md5_with_secret_at_the_end(self) -> Self {
        Self { hashed_secret: Some(HashedSecret::AtTheEnd), md5: true, ..self }
    }

    /// Whether a pair with this name is signed, if it is not the signature itself.
    pub(super) fn signs(&self, name: &str) -> bool {
        let is_selected = match &self.selected {
            Selected::All => true,
            Selected::Prefixed(prefix) => name.starts_with(&**prefix),
            Selected::Listed(names) => names.iter().any(|other| other == name),
        };
        is_selected && !self.except.iter().any(|other| other == name)
    }

    #[cfg(any(feature = "explain", feature = "sign"))]
    pub(super) fn joins_values(&self) -> bool {
        matches!(self.join.0, Between::Values(_))
    }

    /// Whether nothing in the text says where a value ends.
    pub(super) fn has_no_separator(&self) -> bool {
        self.join.0 == Between::Pairs(None)
    }

    pub(super) fn check(&self) -> Result<(), ConfigProblem> {
        let problem = |problem| Err(ConfigProblem::setting("recipe", problem));
        let listed = match &self.selected {
            Selected::All => None,
            Selected::Prefixed(prefix) if prefix.is_empty() => {
                return problem("selects by an empty prefix: call `Recipe::all`");
            }
            Selected::Prefixed(_) => None,
            Selected::Listed(names) => Some(names),
        };
        if let Some(names) = listed {
            if names.is_empty() || names.iter().any(|name| name.is_empty()) {
                return problem("has a name that is empty, or none: say which parameters are signed");
            }
            if names.iter().enumerate().any(|(at, name)| names.iter().take(at).any(|other| other == name)) {
                return problem("names a parameter twice");
            }
        }
        if self.order == Order::Listed && listed.is_none() {
            return problem("orders pairs as they are listed, and lists none: call `Recipe::listed`");
        }
        match self.join.0 {
            Between::Pairs(separator) if self.text == Text::Raw && separator != Some('&') => {
                problem("signs the text as received, which has `&` between pairs: take `Join::pairs('&')`")
            }
            Between::Pairs(None) if self.text != Text::Decoded => {
                problem("joins pairs without a separator, which are signed decoded: leave `text` out")
            }
            Between::Pairs(None) if self.order == Order::Sent => problem(
                "joins pairs without a separator in the order in which they were sent, so that a visitor's name can \
                 lengthen any value: leave `order` out",
            ),
            Between::Pairs(Some('=')) => {
                problem("separates pairs with what separates names and values: they could be cut in two ways")
            }
            // One of the encodings leaves these in a name or value.
            Between::Pairs(Some(separator))
                if matches!(self.text, Text::Encoded | Text::FormEncoded)
                    && (separator.is_ascii_alphanumeric() || "-._~!*'()+%".contains(separator)) =>
            {
                problem("separates encoded pairs with what an encoded value can hold: they could be cut in two ways")
            }
            Between::Values(_) if listed.is_none() || self.order != Order::Listed => {
                problem("joins values without their names, so that they could change places: call `Recipe::listed`")
            }
            Between::Values(_) if self.text != Text::Decoded => {
                problem("joins values, which are signed decoded: leave `text` out")
            }
            Between::Json if self.text != Text::Decoded => {
                problem("joins to JSON, which is signed decoded: leave `text` out")
            }
            Between::Pairs(_) | Between::Values(_) | Between::Json
                if self.repeated != Repeated::Refused && self.text == Text::Raw =>
            {
                problem("joins repeated names, which have to be decoded: leave `Text::Raw` out")
            }
            Between::Json if self.repeated != Repeated::Refused => {
                problem("joins repeated names to JSON: which of them would be the list is not known")
            }
            Between::Pairs(_) | Between::Json if matches!(self.hashed_secret, Some(HashedSecret::Before(_))) => {
                problem("hashes the secret among values: call `Join::values`")
            }
            Between::Pairs(_) if self.repeated == Repeated::Brackets && self.text != Text::Encoded => {
                problem("joins lists in brackets, which only encoded text is told apart from: take `Text::Encoded`")
            }
            _ => match (self.hashed_secret, listed) {
                (Some(HashedSecret::Before(0)), _) => {
                    problem("hashes the secret first, so that anyone could append to it: there is no such form")
                }
                (Some(HashedSecret::Before(index)), Some(names)) if index >= names.len() => {
                    problem("hashes the secret behind the last value: call `danger_digest_with_secret_at_the_end`")
                }
                _ => Ok(()),
            },
        }
    }
}
