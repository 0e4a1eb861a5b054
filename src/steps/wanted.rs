use http::Method;
use serde_json::{Map, Value};

use super::Expr;
use super::SignError;
use crate::query::Query;
use crate::text::percent::decode_form;

/// What a partner wants to sign: see [`Signs::signing`](super::Signs::signing).
///
/// ```
/// use tower_sso::sign::Wanted;
///
/// fn host<'a>(wanted: &Wanted<'a>) -> Option<&'a str> {
///     wanted.address().split('/').nth(2)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    pub(crate) address: &'a str,
    pub(crate) method: Method,
    pub(crate) tenant: Option<&'a str>,
    /// The query parameter in which the layer reads the tenant.
    pub(crate) tenant_parameter: Option<&'a str>,
    pub(crate) claims: Map<String, Value>,
    /// Whether claims that are missing are made up: for a page that shows how to sign.
    pub(crate) examples: bool,
}

impl<'a> Wanted<'a> {
    /// The public address that the request goes to, without what is signed.
    pub fn address(&self) -> &'a str {
        self.address
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Whose request it is, if the layer has several tenants.
    pub fn tenant(&self) -> Option<&'a str> {
        self.tenant
    }

    /// What it says.
    pub(crate) fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The tenant's name, which the form itself writes.
    pub(crate) fn own_tenant(&self) -> Result<&'a str, SignError> {
        self.tenant.ok_or(SignError::NO_TENANT)
    }

    /// A claim that must be there, as the text of a parameter.
    pub(crate) fn required(&self, name: &str) -> Result<Expr, SignError> {
        match self.claims.get(name) {
            Some(value) => Ok(Expr::text(text(value))),
            None => self.made_up(name).map(Expr::text),
        }
    }

    /// The value of a claim that is missing: for a page, one that is made up.
    pub(crate) fn made_up(&self, name: &str) -> Result<&'static str, SignError> {
        if self.examples { Ok(example(name)) } else { Err(SignError::Missing(name.to_owned())) }
    }

    /// Adds claims that must be there, if they are missing. A name that begins with `/` is a pointer (RFC 6901).
    pub(crate) fn with<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Result<Self, SignError> {
        let mut wanted = self.clone();
        for name in names {
            if !self.has(name) {
                insert(&mut wanted.claims, &path_of(name), self.made_up(name)?);
            }
        }
        Ok(wanted)
    }

    /// Whether there is such a claim. A name that begins with `/` is a pointer.
    pub(crate) fn has(&self, name: &str) -> bool {
        let path = path_of(name);
        let Some((first, rest)) = path.split_first() else { return false };
        rest.iter().try_fold(self.claims.get(first), |value, name| Some(value?.get(name))).flatten().is_some()
    }

    /// The claims as parameters.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (String, Expr)> {
        self.claims.iter().map(|(name, value)| (name.clone(), Expr::text(text(value))))
    }

    /// The claims as members of a JSON object.
    pub(crate) fn members(&self) -> impl Iterator<Item = (String, Expr)> {
        self.claims.iter().map(|(name, value)| (name.clone(), Expr::Value(value.clone())))
    }

    /// The claims as members, and a computed one that they lack. A name that begins with `/` is a pointer.
    pub(crate) fn members_with(&self, name: &str, value: Expr) -> Vec<(String, Expr)> {
        let mut members = self.members().collect();
        put(&mut members, &path_of(name), value);
        members
    }

    /// The pairs of the address's query.
    pub(crate) fn address_pairs(&self) -> Result<Vec<(String, Expr)>, SignError> {
        const BAD: SignError = SignError::Address("has a query that is not form data");
        let query = self.address_parts().1.unwrap_or_default();
        let pairs = Query::new(query).pairs().map(|(name, value)| {
            let decode = |text| decode_form(text).map_err(|_| BAD);
            Ok((decode(name)?.into_owned(), Expr::text(decode(value)?.into_owned())))
        });
        pairs.collect()
    }

    /// The address up to its query, and the query.
    pub(crate) fn address_parts(&self) -> (&'a str, Option<&'a str>) {
        let address = self.address.split('#').next().unwrap_or_default();
        address.split_once('?').map_or((address, None), |(base, query)| (base, Some(query)))
    }
}

/// The names on the way to a claim, as in RFC 6901 if the name begins with `/`.
fn path_of(name: &str) -> Vec<String> {
    match name.strip_prefix('/') {
        Some(pointer) => pointer.split('/').map(|name| name.replace("~1", "/").replace("~0", "~")).collect(),
        None => vec![name.to_owned()],
    }
}

/// Adds a computed member where it stands.
fn put(members: &mut Vec<(String, Expr)>, path: &[String], value: Expr) {
    let Some((name, inside)) = path.split_first() else { return };
    if inside.is_empty() {
        members.push((name.clone(), value));
        return;
    }
    let at = members.iter().position(|(other, _)| other == name);
    let mut inner = match at.map(|at| members.remove(at).1) {
        Some(Expr::Value(Value::Object(claims))) => {
            claims.into_iter().map(|(name, claim)| (name, Expr::Value(claim))).collect()
        }
        // It takes the place of what is no object.
        _ => Vec::new(),
    };
    put(&mut inner, inside, value);
    members.push((name.clone(), Expr::Object(inner)));
}

/// Adds an example where it stands.
fn insert(mut claims: &mut Map<String, Value>, path: &[String], value: &str) {
    let Some((last, objects)) = path.split_last() else { return };
    for name in objects {
        match claims.entry(name).or_insert_with(|| Map::new().into()) {
            Value::Object(inner) => claims = inner,
            _ => return,
        }
    }
    claims.insert(last.clone(), value.into());
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A value for the page, which a partner recognises as made up.
fn example(name: &str) -> &'static str {
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        // LTI 1.1 knows no other values for a launch.
        "lti_message_type" => "basic-lti-launch-request",
        "lti_version" => "LTI-1p0",
        name if name.contains("mail") || name == "login" => "ada@example.com",
        name if name.contains("first") => "Ada",
        name if name.contains("last") => "Lovelace",
        name if name.contains("name") => "Ada Lovelace",
        _ => "42",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_that_must_be_there_may_be_inside_others() {
        let wanted = |claims: Value, examples| {
            let claims = claims.as_object().cloned().unwrap_or_default();
            Wanted { address: "/", method: Method::POST, tenant: None, tenant_parameter: None, claims, examples }
        };
        for (name, claims, expected, why) in [
            ("id", json!({"id": 1}), Ok(json!({"id": 1})), "there"),
            ("id", json!({"in": {"id": 1}}), Err("id"), "elsewhere"),
            ("/in/id", json!({"in": {"id": 1}}), Ok(json!({"in": {"id": 1}})), "inside"),
            ("/a~1b/~0c", json!({"a/b": {"~c": 1}}), Ok(json!({"a/b": {"~c": 1}})), "escapes"),
            ("/in/id", json!({"in": {}, "/in/id": 1}), Err("/in/id"), "a name that looks like a pointer"),
        ] {
            let with = wanted(claims, false).with([name]).map(|wanted| Value::Object(wanted.claims));
            let missing = |error: SignError| match error {
                SignError::Missing(name) => name,
                other => other.to_string(),
            };
            assert_eq!(with.map_err(missing), expected.map_err(str::to_owned), "{why}");
        }
        let made_up = wanted(json!({"in": {"n": 1}}), true).with(["/in/id", "email"]).map(|wanted| wanted.claims);
        let made_up = made_up.map(Value::Object).ok();
        assert_eq!(made_up, Some(json!({"in": {"n": 1, "id": "42"}, "email": "ada@example.com"})));
    }
}
