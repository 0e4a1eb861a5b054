//! What a sender may do otherwise than this layer expects.

use http::HeaderName;
use http::request::Parts;

use super::signed::{Part, Template};
use super::{TimeFormat, Webhook};
use crate::near_miss::copy_form;

/// What senders write before a signature.
const PREFIXES: [&str; 7] = ["", "sha256=", "sha1=", "sha512=", "v0=", "v1=", "v1,"];

/// What senders sign.
const TEMPLATES: [&str; 16] = [
    "{body}",
    "{timestamp}.{body}",
    "{timestamp}{body}",
    "{timestamp}:{body}",
    "{timestamp}\n{body}",
    "v0:{timestamp}:{body}",
    "{body}{timestamp}",
    "{body}.{timestamp}",
    "{id}.{timestamp}.{body}",
    "{id}.{body}",
    "{url}",
    "{url}{body}",
    "{path}{body}",
    "{method}{path}{body}",
    "{body:sha256}",
    "",
];

const TIMES: [(TimeFormat, &str); 5] = [
    (TimeFormat::Seconds, "seconds"),
    (TimeFormat::Milliseconds, "milliseconds"),
    (TimeFormat::FractionalSeconds, "seconds with a fraction"),
    (TimeFormat::Rfc3339, "RFC 3339"),
    (TimeFormat::HttpDate, "the date of HTTP headers"),
];

/// What the names of headers begin with in two spellings of one scheme.
const FAMILIES: [[&str; 2]; 2] = [["svix-", "webhook-"], ["webhook-", "svix-"]];

/// How many headers are looked at.
const MOST_HEADERS: usize = 8;

copy_form!(Webhook<C> {
    signatures, secret_format, template, cut_is_free, reading, timestamp_header, timestamp_field, time_format, expires_within,
    id_header,
    window, content_types, optional_body, object_or_list, processing, sameness, every_delivery, within_window, once,
    acknowledgement, hands_duplicates_on, remember,
});

impl<C> Webhook<C> {
    pub(super) fn near(&self, head: &Parts) -> Vec<(String, Self)> {
        let mut near = Vec::new();
        let mut add = |cause: String, change: &dyn Fn(&mut Self)| {
            let mut other = self.copy();
            change(&mut other);
            near.push((cause, other));
        };
        for (cause, made) in self.signatures.near(self.secret_format) {
            add(cause, &|other| other.secret_format = other.signatures.set(made));
        }
        if self.signatures.secret_first {
            let cause = "the sender makes an HMAC, and this layer expects a plain digest with the secret in front";
            add(cause.to_owned(), &|other| other.signatures.secret_first = false);
        }
        for (cause, signatures) in self.signatures.near_odd() {
            add(cause, &|other| other.signatures = signatures.clone());
        }
        for prefix in PREFIXES.into_iter().filter(|prefix| *prefix != self.signatures.prefix) {
            let ours = &self.signatures.prefix;
            let cause = format!("the sender writes {prefix:?} before the signature, and this layer expects {ours:?}");
            add(cause, &|other| other.signatures.prefix = prefix.into());
        }
        for name in like_a_signature(head).filter(|name| !self.signatures.headers.contains(name)) {
            for prefix in PREFIXES.into_iter().chain([&*self.signatures.prefix]) {
                let cause = format!("the signature is in the header `{name}`: see `signature_header`");
                add(cause, &|other| {
                    other.signatures.headers = vec![name.clone()];
                    other.signatures.prefix = prefix.to_owned().into();
                });
            }
        }
        for [ours, theirs] in FAMILIES {
            let cause = format!("the sender's headers begin with `{theirs}`, and this layer expects `{ours}`");
            add(cause, &|other| {
                let headers = other.signatures.headers.iter_mut();
                for name in headers.chain(&mut other.timestamp_header).chain(&mut other.id_header) {
                    let renamed = name.as_str().strip_prefix(ours).map(|rest| format!("{theirs}{rest}"));
                    *name = renamed.and_then(|renamed| renamed.parse().ok()).unwrap_or_else(|| name.clone());
                }
            });
        }
        for (time_format, written) in TIMES.into_iter().filter(|(format, _)| *format != self.time_format) {
            let cause = format!("the sender writes the time in {written}: see `timestamp_format`");
            add(cause, &|other| other.time_format = time_format);
        }
        let ours = self.template.as_ref().map(ToString::to_string).unwrap_or_default();
        for text in TEMPLATES {
            let Some(template) = Template::parse(text).ok().filter(|template| self.has_parts_of(template)) else {
                continue;
            };
            let theirs = if text.is_empty() { "nothing, as if the body was empty".into() } else { format!("`{text}`") };
            let cause = format!("the sender signs {theirs}, and this layer expects `{ours}`");
            if template.has(&Part::Timestamp) && !self.has_time_beside_the_body() {
                for name in like_a_time(head) {
                    add(format!("{cause}, without the time"), &|other| {
                        other.template = Ok(template.clone());
                        other.timestamp_header = Some(name.clone());
                    });
                }
            } else if Ok(&template) != self.template.as_ref() {
                add(cause, &|other| other.template = Ok(template.clone()));
            }
        }
        for (cause, origin) in self.reading.origin.iter().flat_map(|origin| origin.near(head)) {
            add(cause, &|other| other.reading.origin = Some(origin.clone()));
        }
        near
    }

    /// Whether the layer knows where to find what the template names, but for the time.
    fn has_parts_of(&self, template: &Template) -> bool {
        (self.id_header.is_some() || !template.has(&Part::Id))
            && (self.reading.origin.is_some() || !template.has(&Part::Url))
    }
}

fn like_a_signature(head: &Parts) -> impl Iterator<Item = &HeaderName> {
    named(head, &["signature", "hmac", "sign", "digest", "hash"])
}

fn like_a_time(head: &Parts) -> impl Iterator<Item = &HeaderName> {
    named(head, &["time", "date"])
}

fn named<'h>(head: &'h Parts, words: &'static [&str]) -> impl Iterator<Item = &'h HeaderName> {
    let is_named = |name: &&HeaderName| words.iter().any(|word| name.as_str().contains(word));
    head.headers.keys().filter(is_named).take(MOST_HEADERS)
}
