#!/usr/bin/env python3
"""Writes docs/launches.md, the table of platforms, from the documentation of the presets, and their number into README.md.

    scripts/launches_page.py            writes both
    scripts/launches_page.py --check    fails if either is out of date, or a preset is missing from a table or a test

A preset is a function in src/providers/launches that returns a Builder. The platforms' names, and why some have no
preset, are in the tables of mod.rs there. A preset's documentation says what is signed, and what is not, in sentences
with that word, and ends with `Source: …`.
"""

import re
import sys

sys.dont_write_bytecode = True  # no __pycache__ beside the scripts

import preset_page
from preset_page import ROOT

PRESETS = ROOT / "src" / "providers" / "launches"
NUMBER = re.compile(r"\d+(?= presets for platforms)")

HEAD = """# Platforms that open your app

<!-- Written by scripts/launches_page.py from the presets' documentation. Do not edit. -->

{number} presets. Each is one line, with the platform's secret as its page shows it:

```rust,no_run
use axum::{Router, routing::post};
use tower_sso::oauth1::Origin;
use tower_sso::providers::launches::{self, LtiLaunch};
use tower_sso::{ConfigError, Identity, MemoryKeys, MemoryReplay};

async fn course(launch: Identity<LtiLaunch>) -> String {
    format!("{:?} of {}", launch.user_id, launch.tenant())
}

fn app() -> Result<Router, ConfigError> {
    let (keys, replay) = (MemoryKeys::new().with("lincoln-high", "the school's secret"), MemoryReplay::new());
    let launch = launches::lti11::<LtiLaunch>(Origin::new("https://tool.example")).keys(keys).replay(replay).build()?;
    Ok(Router::new().route("/launch", post(course).layer(launch)))
}
```

Which form a platform sends, what the handler gets, and what to do on uninstalling: the chapter `marketplaces` of the guide
(`cargo doc --open`). Whole apps: [`examples/lti.rs`](../examples/lti.rs), [`examples/shopify.rs`](../examples/shopify.rs).

Decide nothing by what is not signed. A preset with `danger_` in its name is weaker than a MAC over what the handler reads, or
takes a token that others can get too: its documentation says how. *Again*: whether the same launch may come more than once; such
a layer takes no replay store. *Features*: what to enable, and `axum` if the handlers are axum's. *Claims*: the type that comes with
the preset. *Vector*: whether a launch that the platform or its library published is among the tests.
"""


class Launch:
    def __init__(self, preset, body, platforms, types):
        self.name, self.source, self.features = preset.name, preset.source, preset.features
        self.platform = platforms.get(preset.name)
        self.call = f"launches::{preset.call}"
        self.form = re.search(r"\b(Fernet|Jwt|OAuth1|Sealed|SharedSecret|SignedParameters|SignedPayload)\b", preset.returns)[1]
        self.signed = " ".join(preset.sentences(r"\b(un)?signed\b|\bfor ever\b", ends="."))
        self.again = "yes" if "reusable()" in body or self.form == "SharedSecret" else "no"
        claims = re.search(rf"{preset.name}::<(?!serde_json)([\w:]+)>", preset.documentation) or re.search(r"<(\w+)>>", preset.returns)
        self.claims = claims[1] if claims and claims[1] in types else ""


def bodies():
    """What each function is made of, with that of the preset that it changes."""
    text = preset_page.rust_in(PRESETS.relative_to(ROOT))
    found = dict(re.findall(r"^(?:pub )?fn (\w+)[^{]*\{\n(.*?)^\}", text, re.M | re.S))
    called = lambda body: "".join(found[other] for other in found if re.search(rf"\b{other}\(", body))
    for _ in range(2):
        found = {name: body + called(body) for name, body in found.items()}
    return found


def tables():
    """The platforms by preset, and the table of those without."""
    lines = [line.removeprefix("//! ").rstrip() for line in (PRESETS / "mod.rs").read_text().splitlines()]
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    platforms = {name: row[0] for row in rows if len(row) == 3 for name in re.findall(r"\[`(\w+)`\]", row[1])}
    without = [line for line in lines if line.startswith("| ") and line.count(" | ") == 1 and line != "| platform | why |"]
    plain = [re.sub(r"\[(`[^`]+`)\]\([^)]*\)", r"\1", line) for line in without]
    return platforms, "\n".join(["| platform | why |", "|---|---|", *plain]) + "\n"


def presets(platforms):
    made_of = bodies()
    types = re.findall(r"^pub struct (\w+)", preset_page.rust_in(PRESETS.relative_to(ROOT), "src/shared_secret"), re.M)
    found = [Launch(preset, made_of[preset.name], platforms, types) for preset in preset_page.presets(PRESETS)]
    return sorted(found, key=lambda launch: ((launch.platform or "").lower(), launch.name))


def page(found, without):
    vectors = preset_page.with_vectors("launches.jsonl")
    lines = ["| platform | preset | features | claims | again | signed | source | vector |", "|---|---|---|---|---|---|---|---|"]
    for launch in found:
        vector = "yes" if launch.name.removeprefix("danger_") in vectors else "no"
        claims = f"`{launch.claims}`" if launch.claims else ""
        cells = [launch.platform, f"`{launch.call}`", launch.features, claims, launch.again, launch.signed, launch.source, vector]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    table = "\n".join(lines) + "\n"
    return f"{HEAD.replace('{number}', str(len(found)))}\n## Presets\n\n{table}\n## Without a preset\n\n{without}"


def missing(found):
    tested, served = preset_page.rust_in("tests/forms/launches"), preset_page.rust_in("examples/conformance")
    for launch in found:
        if not launch.source:
            yield f"{launch.name}: its documentation names no `Source: …`"
        if not launch.signed:
            yield f"{launch.name}: its documentation does not say what is signed"
        if not launch.platform:
            yield f"{launch.name}: not in the table of src/providers/launches/mod.rs"
        if not re.search(rf'name: "{launch.name}"', tested):
            yield f"{launch.name}: not in the table of tests/forms/launches"
        if not re.search(rf"launches::{launch.name}\b", served):
            yield f"{launch.name}: not served by examples/conformance"


def main():
    platforms, without = tables()
    found = presets(platforms)
    if len(found) < 40:
        sys.exit(f"only {len(found)} presets found: does this script still understand {PRESETS}?")
    readme = ROOT / "README.md"
    if not NUMBER.search(readme.read_text()):
        sys.exit("README.md does not say `… presets for platforms`")
    wanted = {ROOT / "docs" / "launches.md": page(found, without), readme: NUMBER.sub(str(len(found)), readme.read_text())}
    return preset_page.run(__doc__, wanted, missing(found), f"{len(found)} presets of platforms")


if __name__ == "__main__":
    sys.exit(main())
