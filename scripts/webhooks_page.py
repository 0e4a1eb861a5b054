#!/usr/bin/env python3
"""Writes docs/webhooks.md, the table of senders, from the documentation of the presets, and their number into README.md.

    scripts/webhooks_page.py            writes both
    scripts/webhooks_page.py --check    fails if either is out of date, or a preset is missing from a table or a test

A preset is a function in src/providers/webhooks that returns a Builder. Its documentation begins with the sender, says
what is not signed in sentences with those words, and ends with `Source: …`.
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PRESETS = ROOT / "src" / "providers" / "webhooks"
NUMBER = re.compile(r"(?<=Webhooks of )\d+(?= senders)")

HEAD = """# Senders of webhooks

<!-- Written by scripts/webhooks_page.py from the presets' documentation. Do not edit. -->

{number} presets. Each is one line, with the sender's secret as its page shows it:

```rust
let verify = webhooks::stripe::<Event>().secrets(["whsec_…"]).replay(replay).handler_remembers().build()?;
let app = Router::new().route("/stripe", post(handler).layer(verify));
```

For many tenants, take `.keys(store).tenant(Tenant::path_segment(2))` instead of `.secrets(…)`: see
[`examples/webhooks.rs`](../examples/webhooks.rs). What a preset signs, and how it recognises a retry, is in its documentation
(`cargo doc --open`, `providers::webhooks`).

Unsigned for every sender: all headers that its preset does not name, and the URL unless the preset says that it is signed.
Decide nothing by what is not signed. A preset with `danger_` in its name is weaker than a signature over all that the handler
reads; those of the second table sign nothing. *Vector*: whether a call published by the sender, or signed by its library, is
among the tests.
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


class Preset:
    def __init__(self, documentation, name, parameters, returns):
        self.name, self.returns = name, returns
        self.short = name.removeprefix("danger_").removesuffix("_com") if name != "cal_com" else name
        paragraphs = [" ".join(text.split()) for text in documentation.split("\n\n")]
        self.sender = re.sub(r"^(Deliveries|Calls|Requests|Updates|Pings|Events|Interactions( and webhook events)?) of ", "", paragraphs[0]).rstrip(".")
        self.sender = self.sender[0].upper() + self.sender[1:]
        sources = [text.removeprefix("Source: ") for text in paragraphs if text.startswith("Source: ")]
        self.source = sources[0].rstrip(".") if sources else None
        names = re.findall(r"(\w+):", re.sub(r"<[^>]*>", "", parameters))
        self.call = f"webhooks::{name}({', '.join(names)})"
        sentences = re.split(r"(?<=[.:]) +(?=[A-Z`*])", " ".join(text for text in paragraphs if not text.startswith("Source: ")))
        said = [text for text in sentences if re.search(r"\b(not|nothing is|no time is) signed|signs nothing", text, re.I)]
        said = [re.sub(r"\[(`[^`]+`)\](\([^)]*\))?", r"\1", text).replace("**", "").strip() for text in said]
        self.unsigned = " ".join("No time is signed." if text.startswith("No time is signed") else text for text in said)
        self.is_secret = "SharedSecret" in returns


def presets():
    found = []
    for file in sorted(PRESETS.rglob("*.rs")):
        text = file.read_text()
        for match in re.finditer(r"((?:^///.*\n)+)(?:#\[.*\n)*^pub fn (\w+)(?:<[^(]*>)?\(([^)]*)\) -> ([^{]*)", text, re.M):
            documentation, name, parameters, returns = match.groups()
            if not returns.startswith("Builder<"):
                continue
            lines = [line.removeprefix("///").removeprefix(" ") for line in documentation.splitlines()]
            prose = re.sub(r"```.*?```", "", "\n".join(lines), flags=re.S)
            found.append(Preset(prose, name, parameters, returns))
    return sorted(found, key=lambda preset: preset.sender.lower())


def with_vectors():
    """The presets of which a row was not merely made by a rule."""
    rows = (ROOT / "tests" / "vectors" / "webhooks.jsonl").read_text().splitlines()
    rows = [json.loads(row) for row in rows if row]
    return {row["route"]["preset"] for row in rows if not row["source"].startswith("made by") and row["expect"] == "accept"}


def page(found):
    vectors = with_vectors()

    def table(of):
        lines = ["| sender | preset | not signed | source | vector |", "|---|---|---|---|---|"]
        for preset in of:
            vector = "yes" if preset.short in vectors else "no"
            lines.append(f"| {preset.sender} | `{preset.call}` | {preset.unsigned} | {preset.source} | {vector} |")
        return "\n".join(lines) + "\n"

    signed = [preset for preset in found if not preset.is_secret]
    secret = [preset for preset in found if preset.is_secret]
    head = HEAD.replace("{number}", str(len(found)))
    return f"{head}\n## Senders that sign\n\n{table(signed)}\n## Senders that send the secret itself\n\n{table(secret)}{TAIL}"


def missing(found):
    listed = (PRESETS / "mod.rs").read_text()
    tested = "".join(file.read_text() for file in sorted((ROOT / "tests" / "forms").rglob("*.rs")))
    served = "".join(file.read_text() for file in sorted((ROOT / "examples" / "conformance").rglob("*.rs")))
    for preset in found:
        if not preset.source:
            yield f"{preset.name}: its documentation names no `Source: …`"
        if not re.search(rf"\[`{preset.name}(\(\))?`\]", listed):
            yield f"{preset.name}: not in the table of src/providers/webhooks/mod.rs"
        if not re.search(rf"(senders|webhooks)::{preset.name}\b", tested):
            yield f"{preset.name}: not in a table of tests/forms"
        if not re.search(rf"(senders|webhooks)::{preset.name}\b", served):
            yield f"{preset.name}: not served by examples/conformance"


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    found = presets()
    if len(found) < 40:
        sys.exit(f"only {len(found)} presets found: does this script still understand {PRESETS}?")
    readme = ROOT / "README.md"
    if not NUMBER.search(readme.read_text()):
        sys.exit("README.md does not say `Webhooks of … senders`")
    wanted = {ROOT / "docs" / "webhooks.md": page(found), readme: NUMBER.sub(str(len(found)), readme.read_text())}
    if not sys.argv[1:]:
        for file, text in wanted.items():
            file.write_text(text)
        return 0
    wrong = list(missing(found))
    for file, text in wanted.items():
        if not file.exists() or file.read_text() != text:
            wrong.append(f"{file.relative_to(ROOT)} is out of date: run scripts/webhooks_page.py")
    print(*wrong, f"{len(found)} presets of senders", sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
