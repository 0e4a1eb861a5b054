#!/usr/bin/env python3
"""Writes docs/webhooks.md, the table of senders, from the documentation of the presets, and their number into README.md.

    scripts/webhooks_page.py            writes both
    scripts/webhooks_page.py --check    fails if either is out of date, or a preset is missing from a table or a test

A preset is a function in src/providers/webhooks that returns a Builder. Its documentation begins with the sender, says
what is not signed in sentences with those words, says how a retry is recognised, and ends with `Source: …`.
"""

import re
import sys

sys.dont_write_bytecode = True  # no __pycache__ beside the scripts

import preset_page
from preset_page import ROOT

PRESETS = ROOT / "src" / "providers" / "webhooks"
NUMBER = re.compile(r"\d+(?= presets take the webhooks)")

HEAD = """# Senders of webhooks

<!-- Written by scripts/webhooks_page.py from the presets' documentation. Do not edit. -->

{number} presets. Each is one line, with the sender's secret as its page shows it: see [below](#one-line-each). What `build` returns
is a layer: `Router::new().route("/stripe", post(handler).layer(stripe))`.

For many tenants, take `.keys(store).tenant(Tenant::path_segment(2))` instead of `.secrets(…)`: see
[`examples/webhooks.rs`](../examples/webhooks.rs). What a preset signs, and how it recognises a retry, is in its documentation
(`cargo doc --open`, `providers::webhooks`).

Unsigned for every sender: all headers that its preset does not name, and the URL unless the preset says that it is signed. Decide
nothing by what is not signed. A preset with `danger_` in its name is weaker than a signature over all that the handler reads;
those of the second table sign nothing. *Features*: what to enable, and `axum` if the handlers are axum's. *Typed event*: the
sender's envelope in `webhooks::events`, to take as claims. *A retry*: what the layer does when the sender sends an event again, see
below. *Source*: the sender's own page or code, or what is said to be second-hand. *Vector*: whether a call published by the
sender, or signed by its library, is among the tests.

| a retry | means |
|---|---|
| is known by … | It gets 200, and does not reach your handler. |
| is processed again | It has no id, and what is signed has changed (a new time, for most senders). So it counts as a new event. |
| is handed on | The layer takes no replay store. Every call reaches your handler. |
"""

TAIL = """
## Without a preset

| sender | why |
|---|---|
| Mollie, classic webhooks | They are forms with an id, and nothing is signed. Take the id alone, and ask Mollie's API for its state. |
| Ecwid | It has no MAC over what it sends. |
| Senders of HTTP Message Signatures (RFC 9421), such as MailChannels | Each covers other parts of a request: take `http_signature::layer`, \
and say which it must cover. |
"""


PRELUDE = """use http::HeaderName;
use serde_json::Value;
use tower_sso::keys::PublicKeys;
use tower_sso::providers::webhooks::{self, events::*};
use tower_sso::webhook::{FormBody, JsonBody, RawBody};
use tower_sso::{ConfigError, MemoryReplay, scheme::Origin};

// The secret as the sender's page shows it, and your public address.
fn layers(secret: &'static str, keys: PublicKeys, header: HeaderName) -> Result<(), ConfigError> {
    let (replay, origin) = (MemoryReplay::new, || Origin::new("https://app.example"));""".splitlines()

UNSIGNED = r"\b(not|nothing is|no time is) signed|signs nothing"
# What becomes of an event that is sent again, by what the documentation says.
RECOGNISED = r"\b(?:event|list|delivery) is recognised (by [^.]*?)(?: there)?\."
RETRIES = [
    (r"answered each time|gets an answer at any time|No delivery counts as a duplicate", "is handed on"),
    (r"processed again", "is processed again"),
    (r"No time is signed", "is known by its bytes"),
]
KINDS = r"^(Deliveries|Calls|Requests|Updates|Pings|Events|Interactions( and webhook events)?) of "


class Sender:
    def __init__(self, preset):
        self.name, self.source, self.features = preset.name, preset.source, preset.features
        self.short = preset.name.removeprefix("danger_")
        self.short = self.short if self.short == "cal_com" else self.short.removesuffix("_com")
        sender = re.sub(KINDS, "", preset.paragraphs[0]).rstrip(".")
        self.sender = sender[0].upper() + sender[1:]
        self.call = f"webhooks::{preset.call}"
        said = preset.sentences(UNSIGNED)
        self.unsigned = " ".join("No time is signed." if text.startswith("No time is signed") else text for text in said)
        self.events = re.findall(r"\(super::events::(\w+)\)", preset.documentation)
        self.example = preset.documentation
        self.is_secret = "SharedSecret" in preset.returns
        self.retry = "is handed on" if self.is_secret else retry(" ".join(preset.paragraphs))


def retry(documentation):
    recognised = re.search(RECOGNISED, documentation)
    if recognised:
        return f"is known {recognised[1]}"
    return next((text for pattern, text in RETRIES if re.search(pattern, documentation)), None)


def presets():
    return sorted(map(Sender, preset_page.presets(PRESETS)), key=lambda sender: sender.sender.lower())


def mounted(preset):
    """The call of a preset with its claims: that of its first typed event's example, or of its own."""
    call = rf"\bwebhooks::{preset.name}::<(.+)>\((|[^()]*|Origin::new\([^()]*\))\)"
    of_events = re.findall(call, preset_page.rust_in("src/providers/webhooks/events"))
    typed = [found for found in of_events if preset.events and preset.events[0] in found[0]]
    found = next(iter(typed + re.findall(call, preset.example)), None)
    if not found:
        return None
    claims, values = re.sub(r"\b(serde_json|tower_sso::\w+)::", "", found[0]), found[1]
    if claims == "Value" and preset.events:
        claims = f"{preset.events[0]}<Value>"
    # Types that only the example has.
    claims = re.sub(r"\b(Batch|Invoice|Push|Sale)\b", "Value", claims)
    values = "origin()" if values.startswith(("Origin::", "origin")) else values
    return f"webhooks::{preset.name}::<{claims}>({values})"


def lines(found):
    """One line for each sender, compiled as a documentation test."""
    text = ["", "## One line each", "", "```rust,no_run", *PRELUDE]
    for preset in found:
        keys = ".keys(keys)" if preset.name == "plaid" else ".secrets([secret])"
        store = "" if preset.retry == "is handed on" else ".replay(replay()).handler_remembers()"
        text.append(f"    let {preset.name.removeprefix('danger_')} = {mounted(preset)}{keys}{store}.build()?;")
    return "\n".join([*text, "    Ok(())", "}", "```", ""])


def page(found):
    vectors = preset_page.with_vectors("webhooks.jsonl")

    def table(of):
        lines = ["| sender | preset | features | typed event | not signed | a retry | source | vector |", "|---|---|---|---|---|---|---|---|"]
        for preset in of:
            vector = "yes" if preset.short in vectors else "no"
            events = ", ".join(f"`{name}`" for name in preset.events)
            cells = [preset.sender, f"`{preset.call}`", preset.features, events, preset.unsigned, preset.retry, preset.source, vector]
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join(lines) + "\n"

    signed = [preset for preset in found if not preset.is_secret]
    secret = [preset for preset in found if preset.is_secret]
    head = HEAD.replace("{number}", str(len(found)))
    return f"{head}{lines(found)}\n## Senders that sign\n\n{table(signed)}\n## Senders that send the secret itself\n\n{table(secret)}{TAIL}"


def missing(found):
    listed = (PRESETS / "mod.rs").read_text()
    tested, served = preset_page.rust_in("tests/forms"), preset_page.rust_in("examples/conformance")
    for preset in found:
        if not preset.source:
            yield f"{preset.name}: its documentation names no `Source: …`"
        if not mounted(preset):
            yield f"{preset.name}: its documentation has no example that calls it"
        if not preset.retry:
            yield f"{preset.name}: its documentation does not say how a retry is recognised"
        if not re.search(rf"\[`{preset.name}(\(\))?`\]", listed):
            yield f"{preset.name}: not in the table of src/providers/webhooks/mod.rs"
        if not re.search(rf"(senders|webhooks)::{preset.name}\b", tested):
            yield f"{preset.name}: not in a table of tests/forms"
        if not re.search(rf"(senders|webhooks)::{preset.name}\b", served):
            yield f"{preset.name}: not served by examples/conformance"


def main():
    found = presets()
    if len(found) < 40:
        sys.exit(f"only {len(found)} presets found: does this script still understand {PRESETS}?")
    readme = ROOT / "README.md"
    if not NUMBER.search(readme.read_text()):
        sys.exit("README.md does not say `… presets take the webhooks`")
    wanted = {ROOT / "docs" / "webhooks.md": page(found), readme: NUMBER.sub(str(len(found)), readme.read_text())}
    return preset_page.run(__doc__, wanted, missing(found), f"{len(found)} presets of senders")


if __name__ == "__main__":
    sys.exit(main())
