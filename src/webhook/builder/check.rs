use std::borrow::Cow;

use super::duplicates;
use crate::ConfigProblem;
use crate::webhook::cuts::is_token;
use crate::webhook::request::FORM;
use crate::webhook::signed::{Part, Template};
use crate::webhook::{EventId, Webhook};

/// Refuses settings that are unsafe or contradict each other.
pub(in crate::webhook) fn check<C>(form: &Webhook<C>) -> Result<(), ConfigProblem> {
    form.window.check()?;
    let template = form.template.as_ref().map_err(Clone::clone)?;
    check_signed(form, template)?;
    let (element, list) = (&form.signatures.timestamp_element, form.signatures.separator);
    if form.signatures.headers.is_empty() {
        return Err(ConfigProblem::setting("signature_headers", "are none: name the header that holds the signature"));
    }
    if element.is_some() && (list.is_none() || form.timestamp_header.is_some()) {
        return Err(ConfigProblem::setting(
            "timestamp_element",
            "needs a `separator` and no `timestamp_header`: the time has one place",
        ));
    }
    check_list(form)?;
    if form.timestamp_field.is_some() && takes_forms_alone(form) {
        return Err(ConfigProblem::setting("timestamp_field", "is in a JSON object, and the layer takes forms alone"));
    }
    if form.timestamp_field.is_some() && (form.has_time_beside_the_body() || !template.covers_any_body()) {
        return Err(ConfigProblem::setting(
            "timestamp_field",
            "needs a signed body, and no other setting for the time: the time has one place",
        ));
    }
    form.signatures.check(form.secret_format)?;
    for (part, is_set, name) in [
        (Part::Timestamp, form.has_time_beside_the_body(), "timestamp_header"),
        (Part::Id, form.id_header.is_some(), "id_header"),
    ] {
        // A list of headers must name these two, which is checked for each request.
        let is_listed = is_set && template.has(&Part::Headers);
        match (template.has(&part) || is_listed, is_set) {
            (true, false) => {
                return Err(ConfigProblem::setting(name, "is not set, but its value is signed: name the header"));
            }
            (false, true) => {
                return Err(ConfigProblem::setting(
                    name,
                    "is set, but its value is not signed: anyone could change it; put it into `signed`",
                ));
            }
            _ => {}
        }
    }
    check_event_id(form, template)?;
    if form.every_delivery && (form.sameness.event_id.is_some() || !form.sameness.distinguished_by.is_empty()) {
        return Err(ConfigProblem::setting(
            "danger_every_delivery",
            "leaves nothing to recognise: take the other setting out",
        ));
    }
    if form.within_window && !form.has_time() {
        return Err(ConfigProblem::setting(
            "reusable",
            "needs a signed time, or a recorded request could be used for ever",
        ));
    }
    let answers = form.acknowledgement.is_some() || form.hands_duplicates_on;
    if form.once && (form.every_delivery || answers || form.remember.is_some() || form.sameness.event_id.is_some()) {
        return Err(ConfigProblem::setting("once", "refuses duplicates: take out what else should become of them"));
    }
    if form.signatures.secret_first && (form.signatures.digest.is_some() || form.signatures.is_public()) {
        return Err(ConfigProblem::setting("danger_secret_first", "is SHA-256: take out the `digest` or `public_key`"));
    }
    duplicates::check(form)?;
    form.processing.check()?;
    let types = form.content_types.as_deref();
    if types.is_some_and(|types| types.is_empty() || !types.iter().all(|essence| is_essence(essence))) {
        return Err(ConfigProblem::setting(
            "content_type",
            "names no type such as `application/json`, or one with parameters: leave them out, as senders may have any",
        ));
    }
    if let Some(longest) = form.expires_within {
        let problem = |problem| Err(ConfigProblem::setting("timestamp_is_expiry", problem));
        if !form.has_time() {
            return problem("is for a layer with a time: say which signed part holds it");
        }
        if longest.is_zero() || longest > crate::window::LONGEST {
            return problem("allows no time, or more than 31 days: a delivery would have to be remembered for as long");
        }
    }
    match form.remember {
        Some(_) if form.has_time() => Err(ConfigProblem::setting(
            "danger_remember_for",
            "is for calls without a timestamp: one with is remembered for its whole window",
        )),
        Some(time) if time.is_zero() => {
            Err(ConfigProblem::setting("danger_remember_for", "is zero: nothing is remembered"))
        }
        _ => Ok(()),
    }
}

/// What no element of a list could be: such a layer would refuse every delivery.
fn check_list<C>(form: &Webhook<C>) -> Result<(), ConfigProblem> {
    let Some(separator) = form.signatures.separator else { return Ok(()) };
    let (prefix, element) = (&*form.signatures.prefix, form.signatures.timestamp_element.as_deref());
    let problem = |setting, problem: &'static str| Err(ConfigProblem::setting(setting, problem));
    // White space around elements is ignored.
    let can_begin = |text: &str| !text.contains(separator) && text == text.trim_ascii_start();
    if !(can_begin(prefix) && element.is_none_or(can_begin)) {
        return problem(
            "separator",
            "or white space stands in the `prefix` or the `timestamp_element`: no element of the list can begin with it",
        );
    }
    if element.is_some_and(|element| prefix.starts_with(element)) {
        return problem("timestamp_element", "begins the `prefix` too: each signature would be taken for the time");
    }
    if element.is_some() && form.time_format.always_has(separator) {
        return problem("separator", "stands in each time of the `timestamp_format`");
    }
    Ok(())
}

fn is_essence(text: &str) -> bool {
    let is_token = |text: &str| !text.is_empty() && text.chars().all(is_token);
    text.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

/// Whether no body is JSON.
fn takes_forms_alone<C>(form: &Webhook<C>) -> bool {
    let is_form = |essence: &Cow<'_, str>| essence.eq_ignore_ascii_case(FORM);
    form.content_types.as_ref().is_some_and(|types| types.iter().all(is_form))
}

/// The id must be signed.
fn check_event_id<C>(form: &Webhook<C>, template: &Template) -> Result<(), ConfigProblem> {
    let problem = |problem: &'static str| Err(ConfigProblem::setting("event_id", problem));
    match &form.sameness.event_id {
        None => Ok(()),
        Some(EventId::Header) if form.id_header.is_none() => {
            problem("is said to stand in a header: name it with `id_header`, and sign it")
        }
        Some(EventId::Header) => Ok(()),
        Some(_) if template.has(&Part::BodyCrc32) && !template.covers_any_body() => {
            problem("stands in a body of which only the CRC-32 is signed: anyone could change it")
        }
        Some(EventId::Body) => Ok(()),
        Some(_) if takes_forms_alone(form) => problem(
            "stands in a JSON object or list, and the layer takes forms alone: the body as a whole can be the id",
        ),
        Some(id) => id.check(),
    }
}

/// The body must be signed, and the text have one cut.
fn check_signed<C>(form: &Webhook<C>, template: &Template) -> Result<(), ConfigProblem> {
    let problem = |problem: &'static str| Err(ConfigProblem::setting("signed", problem));
    form.time_format.check("timestamp_format")?;
    let (has_form, digest) = (template.has(&Part::Form), &form.reading.body_digest);
    if digest.is_some() && !template.has(&Part::Url) && !template.has(&Part::Query) {
        return problem("has no {url} and no {query}: the digest in the query could be exchanged");
    }
    if template.has(&Part::BodyCrc32) && !form.cut_is_free {
        return problem("has {body:crc32}, which is no signature of the body: only `danger_signed` takes it");
    }
    let covers_body = template.covers_any_body() || template.has(&Part::BodyCrc32);
    if !covers_body && digest.is_none() && !(has_form && takes_forms_alone(form)) {
        return problem(match has_form {
            true => "has {form} alone: set the content type of forms, as no other body is signed",
            false => "has no {body}: what is not signed could be exchanged",
        });
    }
    if form.optional_body && !template.has_more_than_the_body() {
        return Err(ConfigProblem::setting(
            "optional_body",
            "leaves nothing that is signed: all requests without a body would be the same",
        ));
    }
    if has_form && form.signatures.can_be_rewritten() {
        return problem("has {form}, which needs a single signature: a duplicate is recognised by nothing else");
    }
    if template.is_ambiguous(form.time_format) && !form.cut_is_free {
        return problem("can be cut in two ways: put something between its parts, and {body} last");
    }
    form.reading.check(template)
}
