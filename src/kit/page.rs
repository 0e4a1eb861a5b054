//! What the page says.

use std::time::Duration;

use http::Method;

use super::document::{Block, Document, Span, code, spans};
use super::languages::Program;
use super::words;
use crate::VerifyLayer;
use crate::clock::UnixTime;
use crate::form::{Form, Usage};
use crate::rejection::Code;
use crate::scheme::TimeFormat;
use crate::steps::{Body, Computed, Lifetime, SecretShape, Steps, Values};
use crate::text::hex::encode_hex;
use crate::window::Window;

/// A worked example.
pub(super) struct Vector<'a> {
    pub(super) key: &'a str,
    pub(super) now: UnixTime,
    pub(super) values: Values,
    pub(super) lines: Vec<String>,
    pub(super) is_timed: bool,
}

pub(super) fn of<F: Form, C>(
    layer: &VerifyLayer<F, C>,
    (partner, address): (Option<&str>, &str),
    steps: &Steps,
    vector: &Vector<'_>,
    programs: &[Program],
) -> Document {
    let title = format!("requests to {address}");
    let title =
        partner.map_or_else(|| format!("R{}", title.get(1..).unwrap_or_default()), |name| format!("{name}: {title}"));
    let mut page = Document { title, blocks: Vec::new() };
    request(layer, address, steps, &mut page);
    signing(steps, &mut page);
    rules(layer, steps, &mut page);
    vector.write(&mut page);
    refusals(layer, steps, &mut page);
    page.heading("Programs");
    page.paragraph(
        "Each one makes the example's request as of now, with this page's test key, and prints it. They need nothing but \
         the language's own library, unless a comment names a package.",
    );
    for Program { language, source } in programs {
        page.blocks.push(Block::Heading(3, language.name()));
        page.blocks.push(Block::Code(language.fence(), source.clone()));
    }
    page
}

fn request<F: Form, C>(layer: &VerifyLayer<F, C>, address: &str, steps: &Steps, page: &mut Document) {
    page.heading("Request");
    let methods: Vec<&str> = layer.settings().methods.iter().map(Method::as_str).collect();
    let mut sentence = spans("Send ");
    sentence.push(Span::Code(format!("{} {address}", methods.join(" or "))));
    sentence.extend(spans(" with:"));
    page.blocks.push(Block::Paragraph(sentence));
    let row = |part: &crate::steps::Part| vec![code(&*part.name), spans(part.place), spans(&part.what)];
    page.blocks.push(Block::Table(vec!["name", "place", "what"], steps.parts.iter().map(row).collect()));
}

fn signing(steps: &Steps, page: &mut Document) {
    page.heading("Steps");
    let secret = match steps.secret {
        SecretShape::Text | SecretShape::Credentials => {
            "`secret` is the text that we gave you, as it is: without white space or a line feed around it."
        }
        SecretShape::Base64(_) => "`secret` is the text that we gave you: base64 of the key.",
        SecretShape::Fernet => "`secret` is the Fernet key that we gave you: 44 characters, base64url of 32 bytes.",
        SecretShape::PrivateKey(_) => {
            "`secret` is your private key in PEM (PKCS#8). Make a key pair of your own, and give us the public key. Give \
             the private one to nobody. Most signatures differ each time, so yours need not be the example's."
        }
        SecretShape::Hex => "`secret` is the text that we gave you: the key in hexadecimal.",
    };
    page.paragraph(secret);
    let mut formulas: Vec<String> =
        steps.steps.iter().map(|step| format!("{} = {}", step.name, words::formula(&step.expr))).collect();
    if !formulas.is_empty() {
        page.blocks.push(Block::Numbered(formulas.iter().map(code).collect()));
    }
    page.paragraph(if formulas.is_empty() { "Send:" } else { "Then send:" });
    let mut lines: Vec<String> = steps.request.lines().iter().map(words::formula).collect();
    if let Some((body, _)) = steps.request.content() {
        lines.extend(["\"\"".to_owned(), words::formula(&body)]);
    }
    page.blocks.push(Block::Code("", lines.join("\n")));
    formulas.extend(lines);
    let is_used = |function: &str| {
        formulas.iter().any(|formula| {
            formula.match_indices(function).any(|(at, _)| {
                let before = formula.get(..at).and_then(|before| before.chars().next_back());
                before.is_none_or(|letter| !letter.is_alphanumeric() && letter != '_')
            })
        })
    };
    let row = |(function, what): &(&str, &str)| vec![code(function.trim_end_matches(['(', '_'])), spans(what)];
    let used: Vec<_> = words::FUNCTIONS.iter().filter(|(function, _)| is_used(function)).map(row).collect();
    if !used.is_empty() {
        page.blocks.push(Block::Table(vec!["function", "what"], used));
    }
}

fn rules<F: Form, C>(layer: &VerifyLayer<F, C>, steps: &Steps, page: &mut Document) {
    page.heading("Rules");
    let mut rules = Vec::new();
    match &steps.lifetime {
        Some(Lifetime::Window(Window { max_age, clock_skew })) => rules.push(spans(&format!(
            "A request is taken until {} after it was made, and {} before, for clocks that differ. Set yours by NTP.",
            seconds(*max_age),
            seconds(*clock_skew)
        ))),
        Some(Lifetime::Stated(skew)) => rules.push(spans(&format!(
            "A request is taken until the end that it states, and for {} more, for clocks that differ. Set yours by NTP.",
            seconds(*skew)
        ))),
        None => {}
    }
    rules.push(spans(match layer.rules().usage {
        Usage::Once => "A request is taken once. Sign a new one for each click; never send or store one for later.",
        Usage::Idempotent { .. } => match (steps.lifetime, layer.rules().has_time) {
            // Its end counts, and its time is part of what makes two calls the same.
            (Some(_), true) => {
                "A call is processed once. If you get no answer, or another than 2xx, send the same bytes again while they are \
                 taken: signed with a new time, it is another call. A duplicate of a processed call is acknowledged and \
                 changes nothing."
            }
            // It is known by its event's id.
            (Some(_), false) => {
                "A call is processed once. If you get no answer, or another than 2xx, send the same event again, signed with a \
                 new time; a duplicate of a processed call is acknowledged and changes nothing."
            }
            (None, _) => {
                "A call is processed once. If you get no answer, or another than 2xx, send the same bytes again; a duplicate of a \
                 processed call is acknowledged and changes nothing."
            }
        },
        Usage::Reusable => "The same request may come again. Keep it secret, as whoever has it can send it.",
    }));
    if !matches!(steps.request.body, Body::None) {
        rules.push(spans(&format!("The body has at most {} bytes.", layer.settings().body.size)));
    } else if layer.settings().methods != [Method::GET] && !layer.takes_unsigned_body() {
        rules.push(spans("Send no body: nothing signs it, so a request with one is refused as `malformed`."));
    }
    rules.push(spans("Use `https`, and check our certificate."));
    page.blocks.push(Block::Numbered(rules));
}

impl Vector<'_> {
    fn write(&self, page: &mut Document) {
        page.heading("Test vector");
        let at = TimeFormat::Rfc3339.write(self.now);
        page.paragraph(&format!(
            "Made at `{at}` with a key that was made for this page and is good for nothing else. If your code gets \
             another request, compare the values of the steps: the first that differs shows where.",
        ));
        let mut lines = vec![format!("secret = {:?}", self.key)];
        lines.extend(self.values.iter().map(|(name, value)| format!("{name} = {}", shown(value))));
        page.blocks.push(Block::Code("", lines.join("\n")));
        page.paragraph(if self.is_timed { "The request, which is too old to be taken:" } else { "The request:" });
        page.blocks.push(Block::Code("", self.lines.join("\n")));
    }
}

fn shown(value: &Computed) -> String {
    match value {
        Computed::Text(text) => format!("{text:?}"),
        Computed::Number(number) => number.to_string(),
        Computed::Bytes(bytes) => format!("{} (in hexadecimal)", encode_hex(bytes)),
        Computed::Pairs(pairs) => {
            let pairs = pairs.iter().map(|(name, value)| format!("{name:?}: {value:?}"));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

fn refusals<F: Form, C>(layer: &VerifyLayer<F, C>, steps: &Steps, page: &mut Document) {
    page.heading("What is refused");
    page.paragraph(
        "Unless our app answers in its own way, the answer is `application/problem+json` with a `code`. It does not say \
         which part was wrong: ask us, our log does.",
    );
    let once = layer.rules().usage == Usage::Once;
    let (is_timed, has_body) = (steps.lifetime.is_some(), !matches!(steps.request.body, Body::None));
    let rows = [
        (true, Code::Malformed, "a part is missing, there twice or badly encoded", "compare with the table of parts"),
        (
            true,
            Code::Invalid,
            "the signature or the secret is wrong",
            "compare each step with the test vector; look for white space around the secret",
        ),
        (is_timed, Code::Expired, "signed too long ago", "sign when it is sent; set your clock"),
        (is_timed, Code::NotYetValid, "signed in the future", "set your clock; seconds are not milliseconds"),
        (once, Code::Replayed, "used before", "sign a new one each time"),
        (true, Code::RejectedClaims, "authentic, but what it says is not what we need", "ask us which fields we need"),
        (true, Code::MethodNotAllowed, "another method", "see above"),
        (has_body, Code::PayloadTooLarge, "the body is too large", "send less"),
        (has_body, Code::UnsupportedMediaType, "another content type, or a compressed body", "see above"),
        (true, Code::Unavailable, "we cannot check it now", "try again after `Retry-After`"),
    ];
    let row = |(_, code_of, when, remedy): (bool, Code, &'static str, &'static str)| {
        vec![code(code_of.as_str()), spans(code_of.status().as_str()), spans(when), spans(remedy)]
    };
    let rows = rows.into_iter().filter(|(applies, ..)| *applies).map(row).collect();
    page.blocks.push(Block::Table(vec!["code", "status", "when", "what to do"], rows));
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}
