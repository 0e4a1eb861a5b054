//! Puts values where the forms' settings say.

use std::borrow::Cow;

use http::header::COOKIE;

#[cfg(any(feature = "signed-parameters", feature = "timestamp-hash"))]
use super::Draft;
use super::{Body, Expr, Outgoing, as_written};
#[cfg(any(feature = "jwt", feature = "fernet"))]
use crate::scheme::Places;
#[cfg(any(feature = "signed-parameters", feature = "timestamp-hash"))]
use crate::scheme::Source;
use crate::scheme::{Place, PlaceKind};

impl Place {
    /// Puts a value here, and says what it is.
    pub(crate) fn put(&self, outgoing: &mut Outgoing, value: Expr, what: impl Into<Cow<'static, str>>) {
        let what = what.into();
        match &self.0 {
            PlaceKind::Query(name) => {
                outgoing.part(name, "query", what);
                outgoing.query(name, value);
            }
            PlaceKind::Form(name) => {
                outgoing.part(name, "form", what);
                outgoing.form_field(name, value);
            }
            PlaceKind::Json(name) => {
                outgoing.part(name, "JSON body", what);
                outgoing.json(name, value);
            }
            PlaceKind::Header { name, word } => {
                let word = word.as_ref().map_or_else(String::new, |word| format!("{word} "));
                let what = if word.is_empty() { what } else { format!("`{word}`, and {what}").into() };
                outgoing.part(&as_written(name), "header", what);
                outgoing.header(name, Expr::concat([Expr::text(word), value]));
            }
            PlaceKind::Body(content_type) => {
                outgoing.part("body", "body", what);
                outgoing.request.body = Body::Text(value, content_type.clone());
            }
            PlaceKind::Cookie(name) => {
                outgoing.part(name, "cookie", what);
                outgoing.header(&COOKIE, Expr::concat([Expr::text(format!("{name}=")), value]));
            }
        }
    }
}

#[cfg(any(feature = "jwt", feature = "fernet"))]
impl Places {
    /// Puts a value at the first place.
    pub(crate) fn put(&self, outgoing: &mut Outgoing, value: Expr, what: impl Into<Cow<'static, str>>) {
        if let Some(place) = self.first() {
            place.put(outgoing, value, what);
        }
    }
}

#[cfg(any(feature = "signed-parameters", feature = "timestamp-hash"))]
type Pairs = Vec<(String, Expr)>;

#[cfg(any(feature = "signed-parameters", feature = "timestamp-hash"))]
impl Source {
    /// Its name, for a partner.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Form => "form",
            Self::Json => "JSON body",
            Self::Value(_) => "value",
        }
    }

    /// Puts a step's ordered pairs here, then the others.
    pub(crate) fn put(&self, draft: &mut Draft, outgoing: &mut Outgoing, parameters: &Expr, others: Pairs, all: Pairs) {
        let others = if others.is_empty() { None } else { Some(Expr::Pairs(others).form()) };
        let pieces = [parameters.clone().form()].into_iter().chain(others);
        match self {
            Self::Query => outgoing.request.query.extend(pieces),
            Self::Form => pieces.for_each(|piece| outgoing.form(piece)),
            Self::Json => all.into_iter().for_each(|(name, value)| outgoing.json(&name, value)),
            Self::Value(place) => {
                let value =
                    pieces.enumerate().flat_map(|(at, piece)| [Expr::text(if at == 0 { "" } else { "&" }), piece]);
                let value = draft.step("value", Expr::concat(value));
                place.put(outgoing, value, "all parameters, as a query");
            }
        }
    }
}
