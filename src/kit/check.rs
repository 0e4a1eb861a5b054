//! Whether the layer takes the page's example. Otherwise a partner would search in the wrong place.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Request, Uri};

use crate::VerifyLayer;
use crate::clock::UnixTime;
use crate::form::{Form, Presence};
use crate::keys::Secret;
use crate::rejection::Reason;
use crate::steps::SignError;

/// Checks the example with the page's own key, up to the claims. The layer's keys and stores are not asked.
pub(super) fn check<F: Form, C>(
    layer: &VerifyLayer<F, C>,
    vector: &Request<Bytes>,
    key: &Secret,
    now: UnixTime,
) -> Result<(), SignError> {
    let (head, body) = vector.clone().into_parts();
    let mut problem = None;
    for head in behind_proxies(head) {
        match take(layer, &head, &body, key, now) {
            Ok(()) => return Ok(()),
            Err(reason) => _ = problem.get_or_insert(reason),
        }
    }
    problem.map_or(Ok(()), |reason| Err(SignError::Refused(reason)))
}

/// The request as it may reach the layer: a proxy names the host, and may take the front of the path away.
fn behind_proxies(mut head: Parts) -> impl Iterator<Item = Parts> {
    let uri = head.uri.clone();
    for (name, value) in [
        ("x-forwarded-proto", uri.scheme_str()),
        ("x-forwarded-host", uri.authority().map(http::uri::Authority::as_str)),
    ] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            head.headers.insert(name, value);
        }
    }
    let fronts: Vec<usize> = uri.path().match_indices('/').map(|(at, _)| at).collect();
    fronts.into_iter().filter_map(move |front| {
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = uri.path_and_query()?.as_str().get(front..)?.parse().ok();
        let mut head = head.clone();
        head.uri = Uri::from_parts(parts).ok()?;
        Some(head)
    })
}

/// The steps of a check, in its order.
fn take<F: Form, C>(
    layer: &VerifyLayer<F, C>,
    head: &Parts,
    body: &Bytes,
    key: &Secret,
    now: UnixTime,
) -> Result<(), Reason> {
    let form = layer.form();
    let none = Bytes::new();
    let presence = form.screen(head)?;
    let found = form.extract(head, if presence == Presence::InBody { body } else { &none })?;
    let is_unsigned = presence == Presence::InHead || found.in_head;
    if is_unsigned && !body.is_empty() && !layer.takes_unsigned_body() {
        return Err(Reason::UnsignedBody);
    }
    // Otherwise a key is a digest of the page's, and the example shows the key itself.
    if layer.rules().looks_keys_up {
        return Ok(());
    }
    let message = form.verify(&found.credential, key)?;
    form.validity(&message)?.check(now)?;
    form.claims(message, now).map(drop)
}
