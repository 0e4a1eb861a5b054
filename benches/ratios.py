"""Prints the tables of ratios in Markdown: ratios.py DIRECTORY

The directory holds a run of the benches in each of its own directories: what criterion wrote, and python.json. Each ratio is
of two medians of the same run, and the middle one of those of all runs: a machine that is slower for a while is so for both.
One that misses its target is bold. `benches/run` makes the directory.
"""

import json
import pathlib
import statistics
import sys

RUNS = [run for run in pathlib.Path(sys.argv[1]).iterdir() if run.is_dir()]
FORMS = ["fernet", "jwt", "timestamp_hash", "oauth1", "webhook", "webhook_64_kib", "shared_secret", "ticket"]
OVER_MAC = {"jwt": 2.4, "timestamp_hash": 3, "oauth1": 5}
JWT_LAYER = [("peers_jwt", "tower-sso, layer"), ("peers_jwt", "tower-sso, no layer")]
JWT_AUTHORIZER = [("peers_jwt", "jwt-authorizer"), ("peers_jwt", "jwt-authorizer, no layer")]
SVIX = "peers_standard_webhooks"
AXUM_JWT_AUTH = [("peers_jwt", "axum-jwt-auth"), ("peers_jwt", "axum-jwt-auth, no extractor")]


def cost(run, bench):
    """The median of a bench. For a pair, the marginal cost: the first bench minus the second, which is the bare request."""
    if isinstance(bench, tuple):
        return median(run, *bench)
    whole, rest = (median(run, *each) for each in bench)
    return whole - rest if whole and rest else None


def median(run, group, bench, *size):
    if group == "python":
        file = run / "python.json"
        return json.loads(file.read_text())[bench] if file.exists() else None
    file = run.joinpath(group, bench, *size, "new", "estimates.json")
    return json.loads(file.read_text())["median"]["point_estimate"] if file.exists() else None


def ratio(over, under, most=None, least=None):
    costs = [(cost(run, over), cost(run, under)) for run in RUNS]
    ratios = [over / under for over, under in costs if over and under]
    if not ratios:
        return "–"
    ratio = statistics.median(ratios)
    text = f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"
    held = (most is None or ratio <= most) and (least is None or ratio >= least)
    return text if held else f"**{text}**"


def quietest(form, step):
    """The fastest run, in microseconds: other load on the machine only ever slows a run down."""
    nanoseconds = min(filter(None, (median(run, form, step) for run in RUNS)), default=None)
    return f"{nanoseconds / 1000:.2f}" if nanoseconds else "–"


def row(*cells):
    print("|", " | ".join(cells), "|")


def both(form, what, reference, most):
    return " · ".join(ratio((form, f"{kib} KiB {what}"), (form, reference.format(kib)), most) for kib in (4, 8))


row("form", "layer / verify", "by hand / verify", "layer / by hand", "authentic / raw MAC", "verify / raw MAC", "forged / good", "unknown tenant / good", "garbage of the right shape", "of the wrong shape")
row(*["---"] * 10)
for form in FORMS:
    row(
        form,
        ratio((form, "layer"), (form, "verify"), 1.2),
        ratio((form, "by hand"), (form, "verify")),
        ratio((form, "layer"), (form, "by hand")),
        ratio((form, "authentic"), (form, "raw MAC"), OVER_MAC.get(form)),
        ratio((form, "verify"), (form, "raw MAC"), OVER_MAC.get(form)),
        ratio((form, "forged"), (form, "request"), 1),
        ratio((form, "unknown tenant"), (form, "request"), 1),
        both(form, "of the right shape", "{} KiB, good", 1),
        both(form, "of the wrong shape", "request", 0.5),
    )
print()
STEPS = ["raw MAC", "authentic", "verify", "by hand", "layer", "request"]
row("µs", *STEPS[:-1], "good")
row(*["---"] * 7)
for form in FORMS:
    row(form, *(quietest(form, step) for step in STEPS))
print()
row("the same credential", "ratio", "target")
row(*["---"] * 3)
for what, over, under, most, least in [
    ("fernet: is it authentic / `fernet`'s decrypt", ("peers_fernet", "tower-sso, authentic"), ("peers_fernet", "fernet"), 1.25, None),
    ("fernet: Python's cryptography / is it authentic", ("python", "cryptography"), ("peers_fernet", "tower-sso, authentic"), None, 10),
    ("fernet: Python's cryptography / layer", ("python", "cryptography"), ("peers_fernet", "tower-sso, layer"), None, 10),
    ("jwt: `jsonwebtoken::decode` / verify", ("peers_jwt", "jsonwebtoken"), ("peers_jwt", "tower-sso, verify"), None, 1.5),
    ("jwt: `jsonwebtoken::decode` / layer", ("peers_jwt", "jsonwebtoken"), ("peers_jwt", "tower-sso, layer"), None, 1.5),
    ("jwt: jwt-authorizer / layer", ("peers_jwt", "jwt-authorizer"), ("peers_jwt", "tower-sso, layer"), None, 1.5),
    ("jwt: jwt-authorizer / layer, marginal", JWT_AUTHORIZER, JWT_LAYER, None, 1.5),
    ("jwt: axum-jwt-auth / layer", ("peers_jwt", "axum-jwt-auth"), ("peers_jwt", "tower-sso, layer"), None, 1.5),
    ("jwt: axum-jwt-auth / layer, marginal", AXUM_JWT_AUTH, JWT_LAYER, None, 1.5),
    ("jwt: PyJWT / verify", ("python", "PyJWT"), ("peers_jwt", "tower-sso, verify"), None, 15),
    ("jwt: PyJWT / layer", ("python", "PyJWT"), ("peers_jwt", "tower-sso, layer"), None, 15),
    ("oauth1: oauth-client's `check_signature` / is it authentic", ("peers_oauth1", "oauth-client"), ("peers_oauth1", "tower-sso, authentic"), None, None),
    ("oauth1: oauthlib / verify", ("python", "oauthlib"), ("peers_oauth1", "tower-sso, verify"), None, 60),
    ("oauth1: Authlib / verify", ("python", "Authlib"), ("peers_oauth1", "tower-sso, verify"), None, 40),
    ("oauth1: oauthlib / layer", ("python", "oauthlib"), ("peers_oauth1", "tower-sso, layer"), None, 60),
    ("oauth1: Authlib / layer", ("python", "Authlib"), ("peers_oauth1", "tower-sso, layer"), None, 40),
    ("webhook: webhook-verify / is it authentic", ("peers_webhook", "webhook-verify"), ("peers_webhook", "tower-sso, authentic"), None, None),
    ("webhook: is it authentic / by hand", ("peers_webhook", "tower-sso, authentic"), ("peers_webhook", "by hand"), 1.3, None),
    ("webhook: is it authentic / bare MAC", ("peers_webhook", "tower-sso, authentic"), ("peers_webhook", "bare MAC"), None, None),
    ("Standard Webhooks: is it authentic / by hand", (SVIX, "tower-sso, authentic"), (SVIX, "by hand"), 1.3, None),
    ("Standard Webhooks: is it authentic / bare MAC", (SVIX, "tower-sso, authentic"), (SVIX, "bare MAC"), None, None),
    ("Standard Webhooks: `svix`, without the time / is it authentic", (SVIX, "svix"), (SVIX, "tower-sso, authentic"), None, None),
    ("Standard Webhooks: `standardwebhooks` / is it authentic", (SVIX, "standardwebhooks"), (SVIX, "tower-sso, authentic"), None, None),
    ("webhook, 64 KiB: layer / raw MAC", ("webhook_64_kib", "layer"), ("webhook_64_kib", "raw MAC"), 1.1, None),
]:
    row(what, ratio(over, under, most, least), f"≤ {most}" if most else f"≥ {least}" if least else "")
for threads in ("1", "2", "8"):
    claim, insert = ("claim_moka", f"claim, {threads} threads"), ("claim_moka", f"its own insert, {threads} threads")
    over_insert = [ratio((*claim, size), (*insert, size), 1.2) for size in ("1000", "100000", "1000000")]
    row(f"replay claim / moka's insert beside 1k · 100k · 1M, {threads} threads", " · ".join(over_insert), "≤ 1.2")
    row(f"replay claim beside 1M / beside 1k, {threads} threads", ratio((*claim, "1000000"), (*claim, "1000"), 3), "≤ 3")
