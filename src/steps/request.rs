//! The request that the steps end in.

use std::borrow::Cow;

use http::{HeaderName, Method};

use super::{Escape, Expr, Wanted};

/// A request, whose parts are expressions.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) address: String,
    /// Behind the address's path.
    pub(crate) segment: Option<Expr>,
    /// Pieces of the query, with `&` between them.
    pub(crate) query: Vec<Expr>,
    pub(crate) headers: Vec<(HeaderName, Expr)>,
    pub(crate) body: Body,
}

pub(crate) enum Body {
    None,
    /// Pieces of a form, with `&` between them.
    Form(Vec<Expr>),
    /// The members of an object.
    Json(Vec<(String, Expr)>),
    /// A text and its content type.
    Text(Expr, Cow<'static, str>),
}

/// A part of the request that the partner sets, for the page.
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) place: &'static str,
    pub(crate) what: Cow<'static, str>,
}

/// A request that is being put together.
pub(crate) struct Outgoing {
    pub(crate) request: Request,
    pub(crate) parts: Vec<Part>,
}

impl Outgoing {
    /// A request to the wanted address, which names the tenant where the layer reads it in the query.
    pub(crate) fn new(wanted: &Wanted<'_>) -> Self {
        let (address, query) = wanted.address_parts();
        let query = query.filter(|query| !query.is_empty()).map(|query| Expr::text(query.to_owned()));
        let request = Request {
            method: wanted.method.clone(),
            address: address.to_owned(),
            segment: None,
            query: query.into_iter().collect(),
            headers: Vec::new(),
            body: Body::None,
        };
        let mut outgoing = Self { request, parts: Vec::new() };
        if let (Some(name), Some(tenant)) = (wanted.tenant_parameter, wanted.tenant) {
            outgoing.query(name, Expr::text(tenant.to_owned()));
            outgoing.part(name, "query", "whose key signs: yours, as agreed");
        }
        outgoing
    }

    /// As [`new`](Self::new), for a form that writes the address's query and the tenant itself.
    pub(crate) fn bare(wanted: &Wanted<'_>) -> Self {
        let wanted = Wanted { address: wanted.address_parts().0, tenant_parameter: None, ..wanted.clone() };
        Self::new(&wanted)
    }

    /// Lists the claims among the parts.
    pub(crate) fn claims(&mut self, wanted: &Wanted<'_>, place: &'static str) {
        for name in wanted
            .claims()
            .keys()
            .filter(|name| !self.parts.iter().any(|part| part.name == **name))
            .cloned()
            .collect::<Vec<_>>()
        {
            self.part(&name, place, "what you say about the user or the event");
        }
    }

    pub(crate) fn query(&mut self, name: &str, value: Expr) {
        self.request.query.push(pair(name, value));
    }

    pub(crate) fn header(&mut self, name: &HeaderName, value: Expr) {
        self.request.headers.push((name.clone(), value));
    }

    pub(crate) fn form(&mut self, piece: Expr) {
        match &mut self.request.body {
            Body::Form(pieces) => pieces.push(piece),
            body => *body = Body::Form(vec![piece]),
        }
    }

    pub(crate) fn form_field(&mut self, name: &str, value: Expr) {
        self.form(pair(name, value));
    }

    pub(crate) fn json(&mut self, name: &str, value: Expr) {
        match &mut self.request.body {
            Body::Json(members) => members.push((name.to_owned(), value)),
            body => *body = Body::Json(vec![(name.to_owned(), value)]),
        }
    }

    pub(crate) fn part(&mut self, name: &str, place: &'static str, what: impl Into<Cow<'static, str>>) {
        self.parts.push(Part { name: name.to_owned(), place, what: what.into() });
    }
}

impl Request {
    /// The query, without its question mark.
    pub(crate) fn query(&self) -> Expr {
        separated(self.query.iter().cloned())
    }

    /// The whole URI.
    pub(crate) fn uri(&self) -> Expr {
        let query = self.query();
        let separator = if self.query.is_empty() { "" } else { "?" };
        let (mut address, segment) = (self.address.clone(), self.segment.clone());
        if segment.is_some() && !address.ends_with('/') {
            address.push('/');
        }
        Expr::concat([Expr::text(address), segment.unwrap_or(Expr::text("")), Expr::text(separator), query])
    }

    /// The body and its content type.
    pub(crate) fn content(&self) -> Option<(Expr, Cow<'static, str>)> {
        match &self.body {
            Body::None => None,
            Body::Form(pieces) => {
                Some((separated(pieces.iter().cloned()), Cow::Borrowed("application/x-www-form-urlencoded")))
            }
            Body::Json(members) => Some((Expr::Json(members.clone()), Cow::Borrowed("application/json"))),
            Body::Text(text, content_type) => Some((text.clone(), content_type.clone())),
        }
    }

    /// The lines of the request as HTTP/1.1 and `.http` files write them, without the body.
    pub(crate) fn lines(&self) -> Vec<Expr> {
        let mut lines = vec![Expr::concat([Expr::text(format!("{} ", self.method)), self.uri()])];
        if let Some((_, content_type)) = self.content() {
            lines.push(Expr::text(format!("Content-Type: {content_type}")));
        }
        for (name, value) in &self.headers {
            lines.push(Expr::concat([Expr::text(format!("{}: ", as_written(name))), value.clone()]));
        }
        lines
    }
}

/// `X-Signature`, as partners' pages write a header's name.
pub(crate) fn as_written(name: &HeaderName) -> String {
    let words = name.as_str().split('-').map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        first.to_ascii_uppercase() + rest
    });
    words.collect::<Vec<_>>().join("-")
}

fn pair(name: &str, value: Expr) -> Expr {
    let name = Expr::text(name.to_owned()).escaped(Escape::Percent);
    Expr::concat([name, Expr::text("="), value.escaped(Escape::Percent)])
}

fn separated(pieces: impl Iterator<Item = Expr>) -> Expr {
    let pieces = pieces.enumerate().flat_map(|(at, piece)| [Expr::text(if at == 0 { "" } else { "&" }), piece]);
    Expr::concat(pieces)
}
