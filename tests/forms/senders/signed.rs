//! Senders that sign with headers: how each signs.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request};
use http_body_util::Full;
use sha2::{Digest as _, Sha256};
use tower_sso::Builder;
use tower_sso::clock::ManualClock;
use tower_sso::keys::Secret;
use tower_sso::sign::SigningWebhook;
use tower_sso::webhook::{Digest, Encoding, PublicKeyAlgorithm, RawBody, Webhook};

use super::contract::{Delivery, Facts, Preset, Retries};
use crate::support::pairs::Pair;
use crate::support::{App, Request_, replay};

/// How a sender signs.
#[derive(Clone)]
pub(super) struct Sender {
    pub(super) name: &'static str,
    pub(super) layer: fn() -> Builder<Webhook<RawBody>>,
    pub(super) header: &'static [&'static str],
    /// What parts the signatures in a header, for a sender that writes several.
    pub(super) list: Option<&'static str>,
    pub(super) prefix: &'static str,
    pub(super) digest: Digest,
    /// Signs with private keys instead, whose public keys are the secrets.
    pub(super) private: Option<(PublicKeyAlgorithm, [Pair; 2])>,
    pub(super) encoding: Encoding,
    pub(super) signed: &'static str,
    /// Path and query, of a sender that signs them.
    pub(super) address: Option<&'static str>,
    pub(super) id: Option<&'static str>,
    pub(super) time: Time,
    /// What the key is of a secret as the page shows it.
    pub(super) key: fn(&str) -> Vec<u8>,
    pub(super) secrets: [&'static str; 2],
    /// Whether bodies are forms.
    pub(super) form: bool,
    /// Whether the URL ends with the body's SHA-256.
    pub(super) digest_in_query: bool,
    /// The body of an event with this id, sent at this time.
    pub(super) body: fn(&str, u64) -> String,
    /// Headers that are always the same, and signed.
    pub(super) extra: &'static [(&'static str, &'static str)],
    /// Whether it is a digest with the secret in front.
    pub(super) secret_first: bool,
    /// The age is that of deliveries with a time; the contract asks for it only then.
    pub(super) facts: Facts,
}

#[derive(Clone, Copy)]
pub(super) enum Time {
    None,
    Header(&'static str, fn(u64) -> String),
    Element(&'static str, fn(u64) -> String),
    /// A field of the body.
    Field(&'static str, fn(u64) -> String),
}

const SECRETS: [&str; 2] = ["0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"];

/// A sender of a hexadecimal HMAC of the body, from which the others differ.
pub(super) fn plain(
    name: &'static str,
    layer: fn() -> Builder<Webhook<RawBody>>,
    header: &'static [&'static str],
) -> Sender {
    Sender {
        name,
        layer,
        header,
        list: None,
        prefix: "",
        digest: Digest::Sha256,
        private: None,
        encoding: Encoding::Hex,
        signed: "{body}",
        address: None,
        id: None,
        time: Time::None,
        key: |secret| secret.as_bytes().to_vec(),
        secrets: SECRETS,
        form: false,
        digest_in_query: false,
        body: |id, _| format!(r#"{{"id":"{id}","n":1}}"#),
        extra: &[],
        secret_first: false,
        facts: Facts { max_age: Some(300), ..Facts::USUAL },
    }
}

/// Names and values, sorted by name, with nothing between them.
fn fields(form: &str) -> String {
    let mut pairs: Vec<_> = form.split('&').filter_map(|pair| pair.split_once('=')).collect();
    pairs.sort_unstable();
    pairs.iter().flat_map(|(name, value)| [*name, *value]).collect()
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As PayPal has it of the body, bit by bit.
fn crc32(text: &[u8]) -> u32 {
    let shift = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !text.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| shift(crc)))
}

fn flipped(text: &[u8], at: usize) -> Vec<u8> {
    let mut text = text.to_vec();
    text[at] ^= 1;
    text
}

/// Other addresses: each byte after the first slash changed, the last one left out, and more in the query if there is one.
fn others(address: &str) -> Vec<String> {
    let changed = |at: usize| {
        let other = if address.as_bytes()[at] == b'x' { "y" } else { "x" };
        [&address[..at], other, &address[at + 1..]].concat()
    };
    let mut others: Vec<_> = (1..address.len()).map(changed).collect();
    others.push(address[..address.len() - 1].to_owned());
    others.extend(address.split_once('?').into_iter().flat_map(|(path, query)| {
        [
            path.to_owned(),
            format!("{path}?"),
            format!("{path}/?{query}"),
            format!("{address}&"),
            format!("{address}&x=1"),
        ]
    }));
    others
}

impl Sender {
    /// Retries are known by an id in the body, which is a new one each time.
    pub(super) fn known_by(self, body: fn(&str, u64) -> String) -> Self {
        Self { body, facts: Facts { retries: Retries::Known, ..self.facts }, ..self }
    }

    /// Retries are not known: why.
    pub(super) fn unknown(self, why: &'static str) -> Self {
        Self { facts: Facts { retries: Retries::New(why), ..self.facts }, ..self }
    }

    pub(super) fn target(&self) -> &'static str {
        self.address.unwrap_or("/hook")
    }

    fn body(&self, Delivery { event, time, is_empty, .. }: &Delivery) -> String {
        match (is_empty, self.form, self.time) {
            (true, ..) => String::new(),
            (_, true, _) => format!("n=1&id=evt_{event}"),
            (_, _, Time::Field(name, write)) => format!(r#"{{"id":"evt_{event}","{name}":{}}}"#, write(*time)),
            _ => (self.body)(&format!("evt_{event}"), *time),
        }
    }

    fn signature(&self, secret: &str, text: &str) -> String {
        if self.secret_first {
            return sha256(&format!("{secret}{text}"));
        }
        let signer = match self.private {
            None => SigningWebhook::new(Secret::new((self.key)(secret))).digest(self.digest),
            Some((algorithm, pairs)) => {
                let pair = pairs.into_iter().find(|pair| pair.public == secret).unwrap();
                SigningWebhook::private_key(algorithm, &pair.private()).unwrap()
            }
        };
        signer.encoding(self.encoding).prefix(self.prefix).sign(text).signature
    }

    pub(super) fn signs_several(&self) -> bool {
        self.list.is_some() || self.header.len() > 1
    }

    /// The headers that are signed, or are the signature, of a delivery with one.
    pub(super) fn signed_headers(&self) -> Vec<&'static str> {
        let mut names = vec![self.header[0]];
        names.extend(self.id);
        if let Time::Header(name, _) = self.time {
            names.push(name);
        }
        names.extend(self.extra.iter().map(|(name, _)| *name));
        names
    }
}

impl Preset for Sender {
    fn name(&self) -> &'static str {
        self.name
    }

    fn secrets(&self) -> [&'static str; 2] {
        self.secrets
    }

    fn facts(&self) -> Facts {
        let max_age = self.facts.max_age.filter(|_| !matches!(self.time, Time::None));
        Facts { max_age, several: self.signs_several(), ..self.facts }
    }

    fn app(&self, clock: &ManualClock, secrets: &[&'static str]) -> App {
        let layer = (self.layer)().secrets(secrets.iter().copied()).danger_forgets_on_restart();
        let layer = if self.facts.every_delivery { layer } else { layer.replay(replay()) };
        App::new(layer.clock(clock.clone()).build().unwrap())
    }

    fn request(&self, delivery: &Delivery) -> Request_ {
        let body = self.body(delivery);
        let digest = self.digest_in_query.then(|| format!("?bodySHA256={}", sha256(&body)));
        let target = format!("{}{}", self.target(), digest.unwrap_or_default());
        let mut request = Request::post(&target)
            .header("content-type", if self.form { "application/x-www-form-urlencoded" } else { "application/json" });
        for (name, value) in self.extra {
            request = request.header(*name, *value);
        }
        let time = match self.time {
            Time::None => String::new(),
            Time::Header(_, write) | Time::Element(_, write) | Time::Field(_, write) => write(delivery.time),
        };
        let id = format!("msg_{}", delivery.event);
        let text = self.signed.replace("{id}", &id).replace("{timestamp}", &time);
        let text = text.replace("{method}", "POST").replace("{url}", &format!("https://app.example{target}"));
        let text = text.replace("{crc}", &crc32(body.as_bytes()).to_string());
        let text = text.replace("{form}", &fields(&body)).replace("{body}", &body);
        let mut elements: Vec<String> = delivery.keys.iter().map(|secret| self.signature(secret, &text)).collect();
        match self.time {
            Time::Header(name, _) => request = request.header(name, &time),
            Time::Element(prefix, _) => elements.insert(0, format!("{prefix}{time}")),
            Time::None | Time::Field(..) => {}
        }
        if let Some(name) = self.id {
            request = request.header(name, &id);
        }
        match self.list {
            Some(separator) => request = request.header(self.header[0], elements.join(separator)),
            None => {
                for (name, element) in self.header.iter().zip(elements) {
                    request = request.header(*name, element);
                }
            }
        }
        request.body(Full::new(Bytes::from(body))).unwrap()
    }

    fn tampered(&self, delivery: &Delivery) -> Vec<(String, Request_)> {
        let good = self.request(delivery);
        let body = self.body(delivery).into_bytes();
        let of_body = |at| (format!("body {at}"), good.clone().map(|_| Full::new(flipped(&body, at).into())));
        let mut all: Vec<_> = (0..body.len()).map(of_body).collect();
        for name in self.signed_headers() {
            let value = good.headers()[name].as_bytes();
            let others = (0..value.len()).map(|at| flipped(value, at)).chain([value[..value.len() - 1].to_vec()]);
            for other in others {
                let mut request = good.clone();
                let name = HeaderName::from_static(name);
                request.headers_mut().insert(name.clone(), HeaderValue::from_bytes(&other).unwrap());
                all.push((format!("{name}: {}", String::from_utf8_lossy(&other)), request));
            }
        }
        for address in self.address.into_iter().flat_map(others) {
            let mut request = good.clone();
            *request.uri_mut() = address.parse().unwrap();
            all.push((address, request));
        }
        if self.signed.contains("{method}") {
            let mut request = good;
            *request.method_mut() = Method::PUT;
            all.push(("another method".to_owned(), request));
        }
        all
    }
}
