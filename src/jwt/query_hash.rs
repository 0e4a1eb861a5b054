//! Atlassian Connect's hash of a request: the claim `qsh`.

use std::borrow::Cow;

use http::request::Parts;
use sha2::{Digest, Sha256};

use crate::query::Query;
use crate::received;
use crate::rejection::Reason;
use crate::text::hex::encode_hex;
use crate::text::percent::{decode_form, percent_encoded};

/// The `qsh` of a token that is bound to no request.
const UNBOUND: &str = "context-qsh";
/// How many parameters are sorted before the signature is checked.
const MOST: usize = 1_000;

/// How a layer checks the `qsh`.
#[derive(Clone, Debug)]
pub(super) struct QueryHash {
    /// The path of the app's own address, which is not hashed.
    pub(super) base_path: Cow<'static, str>,
    pub(super) may_be_unbound: bool,
}

impl QueryHash {
    /// The hash of this request: `METHOD&path&query`, the query without the token, sorted by its encoded names.
    pub(super) fn of(&self, head: &Parts, token: &[Cow<'static, str>]) -> Result<String, Reason> {
        let uri = received::uri(head);
        let path = received::path_below(uri, &self.base_path);
        let path =
            path.ok_or(Reason::Malformed("path".into(), "does not begin with the app's own: see `query_hash`"))?;
        let path = match path.strip_suffix('/').unwrap_or(path) {
            "" => Cow::Borrowed("/"),
            path => path.replace('&', "%26").into(),
        };
        if Query::of(uri).pairs().nth(MOST).is_some() {
            return Err(Reason::Malformed("query".into(), "has more parameters than a `qsh` is made of"));
        }
        let decode = |text| decode_form(text).map_err(|what| Reason::Malformed("query".into(), what));
        let mut pairs = Vec::new();
        for (name, value) in Query::of(uri).pairs() {
            let name = decode(name)?;
            if !token.contains(&name) {
                pairs.push((percent_encoded(&name), percent_encoded(&decode(value)?)));
            }
        }
        pairs.sort_unstable();
        let mut text = format!("{}&{path}&", head.method.as_str());
        let mut before: Option<&str> = None;
        for (name, value) in &pairs {
            match before {
                // Values of one name are joined by a bare comma. A comma inside of a value is encoded.
                Some(before) if before == name => text.push(','),
                _ => {
                    text.extend(before.map(|_| '&'));
                    text.push_str(name);
                    text.push('=');
                }
            }
            text.push_str(value);
            before = Some(name);
        }
        Ok(encode_hex(&Sha256::digest(text)))
    }

    /// Whether an authentic token is bound to the request with this hash.
    pub(super) fn check(&self, claim: Option<&str>, hash: Option<&str>) -> Result<(), Reason> {
        let bad = |what| Err(Reason::BadClaim("qsh".into(), what));
        match claim {
            None => Err(Reason::MissingClaim("qsh".into())),
            Some(UNBOUND) if self.may_be_unbound => Ok(()),
            Some(UNBOUND) => bad("is bound to no request: see `danger_context_qsh`"),
            Some(claim) if hash.is_some_and(|hash| claim.eq_ignore_ascii_case(hash)) => Ok(()),
            Some(_) => bad("is not the hash of this request's method, path and query"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of rbriski/atlassian-jwt, jwt_test.go, and a public example of a launch.
    #[test]
    fn hashes_of_requests() {
        let hash = QueryHash { base_path: "".into(), may_be_unbound: false };
        let token = [Cow::Borrowed("jwt")];
        for (uri, expected) in [
            ("/something", "90b8cc6920375d6a6d133bd65be2d802a20e3544bf5704a1a80151210078798d"),
            ("/something/", "90b8cc6920375d6a6d133bd65be2d802a20e3544bf5704a1a80151210078798d"),
            ("/something?jwt=a.b.c", "90b8cc6920375d6a6d133bd65be2d802a20e3544bf5704a1a80151210078798d"),
            ("/something?b10=4&a10=1&a1=2&b1=3", "31e1a2db664e96b08862145f45e290f4045fa894886afbb020e64437dabab07e"),
            (
                "/something?ids=10&ids=2&ids=-1&ids=20&ids=1",
                "cfb9607f936f9523743b25897bd3a4ae822536fd18678b984b9dc0b31bfd8c46",
            ),
            (
                "/something?tuples=6%2C5%2C4&tuples=1,2,3&tuples=7%2c9%2c8",
                "4f6da3fce3772b2b1958f7b97f9f7e8e0919ffc777bb74a892418faedf2fe15b",
            ),
            ("/something?connect*=yes", "4ce3c840740a86e20beafc1d50b106996eaa844de89e879e85c92398cbfb131d"),
            (
                "/addon?cp=%2Fjira&lic=none&loc=en-US&tz=Europe%2FMoscow&user_id=admin&user_key=admin\
                 &xdm_c=channel-servlet-click-me&xdm_e=http%3A%2F%2Flocalhost%3A2990&xdm_p=1",
                "3a6ff1b66f60eb275d0e4cb6be4261d5d3b0216b91c58dc6524509227ef346de",
            ),
        ] {
            let (head, ()) = http::Request::get(uri).body(()).unwrap().into_parts();
            assert_eq!(hash.of(&head, &token).unwrap(), expected, "{uri}");
        }
    }

    #[test]
    fn queries_of_too_many_parameters_are_refused() {
        let hash = QueryHash { base_path: "".into(), may_be_unbound: false };
        for (count, is_read) in [(MOST, true), (MOST + 1, false)] {
            let (head, ()) = http::Request::get(format!("/?{}", "a&".repeat(count))).body(()).unwrap().into_parts();
            assert_eq!(hash.of(&head, &[]).is_ok(), is_read, "{count}");
        }
    }
}
