//! What a partner may do otherwise than this layer expects.

use super::algorithm::Kind;
use super::verifier::Verifier;
use super::{Algorithm, Audience, Jwt};
use crate::near_miss::copy_form;
use crate::scheme::Encoding;
use crate::scheme::near::Made;

copy_form!(Jwt<C> {
    verifier, places, padded, usage, by_id, named, query_hash, nonce, issuer, needs_issuer, audience, checks_party,
    header_expires, max_age, remember_endless, clock, leeway, max_lifetime, longest, required, required_claims,
    unchecked_claims,
});

impl<C> Jwt<C> {
    pub(super) fn near(&self) -> Vec<(String, Self)> {
        let mut near = Vec::new();
        let mut add = |cause: String, change: &dyn Fn(&mut Self)| {
            let mut other = self.copy();
            change(&mut other);
            near.push((cause, other));
        };
        for (cause, verifier) in self.verifier.near() {
            add(cause, &|other| other.verifier = verifier.clone());
        }
        if !self.padded {
            add("the parts of the token have the padding of base64, which a JWT has not".into(), &|other| {
                other.padded = true;
            });
        }
        if let Audience::Ours(ours) = &self.audience {
            for (what, audience) in respelled(ours) {
                let cause = format!("the claim `aud` differs from this layer's audience in {what}");
                add(cause, &|other| other.audience = Audience::Ours(audience.clone().into()));
            }
        }
        if let Some(ours) = &self.issuer {
            for (what, issuer) in respelled(ours) {
                let cause = format!("the claim `iss` differs from this layer's issuer in {what}");
                add(cause, &|other| other.issuer = Some(issuer.clone().into()));
            }
        }
        near
    }
}

impl Verifier {
    /// How a MAC may be made instead.
    pub(super) fn near(&self) -> Vec<(String, Self)> {
        let mut near = Vec::new();
        let mut add = |cause: String, change: &dyn Fn(&mut Self)| {
            let mut other = self.clone();
            change(&mut other);
            near.push((cause, other));
        };
        #[cfg_attr(not(feature = "jwt-public-key"), expect(irrefutable_let_patterns, reason = "all keys are shared"))]
        if let Kind::Mac(digest) = self.algorithm().kind() {
            let ours = self.algorithm().name();
            for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                let cause = format!("the partner signs with {}, and this layer expects {ours}", algorithm.name());
                add(cause, &|other| other.set_algorithms([algorithm]));
            }
            let secret_format = self.secret_format();
            let made = Made { digest, encoding: Encoding::Base64Url, secret_format };
            for (cause, made) in made.near().into_iter().filter(|(_, other)| other.secret_format != secret_format) {
                add(cause, &|other| other.set_secret_format(made.secret_format));
            }
        }
        near
    }
}

/// What is often taken for the same address or name.
pub(super) fn respelled(ours: &str) -> Vec<(&'static str, String)> {
    let bare = ours.strip_prefix("https://").or_else(|| ours.strip_prefix("http://"));
    let mut others = vec![
        ("a slash at its end", ours.strip_suffix('/').map_or_else(|| format!("{ours}/"), str::to_owned)),
        ("the case of its letters", ours.to_lowercase()),
        ("the case of its letters", ours.to_uppercase()),
        ("`www.`", ours.strip_prefix("www.").map_or_else(|| format!("www.{ours}"), str::to_owned)),
    ];
    match bare {
        Some(bare) => others.extend([
            ("its scheme", format!("https://{bare}")),
            ("its scheme", format!("http://{bare}")),
            ("its scheme, which it lacks", bare.to_owned()),
        ]),
        None => others.extend([
            ("the scheme before it", format!("https://{ours}")),
            ("the scheme before it", format!("http://{ours}")),
            ("the scheme before it and the slash behind it", format!("https://{ours}/")),
        ]),
    }
    others.retain(|(_, other)| other != ours);
    others
}
