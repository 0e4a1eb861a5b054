"""Prints the table of ratios in Markdown: ratios.py CRITERION_HOME [PYTHON.json]

Each is of two medians of one run. `benches/run` makes both arguments.
"""

import json
import pathlib
import sys

HOME = pathlib.Path(sys.argv[1])
PYTHON = json.loads(pathlib.Path(sys.argv[2]).read_text()) if len(sys.argv) > 2 else {}
FORMS = ["fernet", "jwt", "timestamp_hash", "oauth1", "webhook", "webhook_64_kib", "shared_secret", "ticket"]
SIZES = ["1000", "100000", "1000000"]


def median(*path):
    if path[0] == "python":
        return PYTHON.get(path[1])
    file = HOME.joinpath(*path, "new", "estimates.json")
    return json.loads(file.read_text())["median"]["point_estimate"] if file.exists() else None


def row(what, over, under, most=None, least=None):
    """`over` and `under` are lists of paths, one pair for each ratio."""
    ratios = [a / b for a, b in zip(map(lambda p: median(*p), over), map(lambda p: median(*p), under)) if a and b]
    if not ratios:
        return
    holds = all((most is None or ratio <= most) and (least is None or ratio >= least) for ratio in ratios)
    target = f"≤ {most}" if most else f"≥ {least}" if least else ""
    said = " · ".join(f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}" for ratio in ratios)
    print(f"| {what} | {said} | {target} | {'' if not target else 'yes' if holds else 'no'} |")


def each(group, bench):
    return [(group, bench)]


print("| | ratio | target | held |\n|---|---|---|---|")
for form in FORMS:
    row(f"{form}: layer / its own verification", each(form, "layer"), each(form, "verify"), most=1.2)
row("fernet: authentic / `fernet`'s decrypt", each("peers_fernet", "tower-sso, authentic"), each("peers_fernet", "fernet"), most=1.25)
row("fernet: Python's cryptography / layer", [("python", "cryptography")], each("peers_fernet", "tower-sso, layer"), least=10)
row("jwt: verify / raw HMAC-SHA512, prekeyed", each("jwt", "verify"), each("jwt", "raw MAC"), most=2.4)
for peer in ["jsonwebtoken", "jwt-authorizer", "axum-jwt-auth"]:
    row(f"jwt: {peer} / layer", each("peers_jwt", peer), each("peers_jwt", "tower-sso, layer"), least=1.5)
row("jwt: PyJWT / layer", [("python", "PyJWT")], each("peers_jwt", "tower-sso, layer"), least=15)
row("oauth1: verify / raw HMAC-SHA1, prekeyed", each("oauth1", "verify"), each("oauth1", "raw MAC"), most=5)
row("oauth1: oauth-client / authentic", each("peers_oauth1", "oauth-client"), each("peers_oauth1", "tower-sso, authentic"))
row("oauth1: oauthlib / layer", [("python", "oauthlib")], each("peers_oauth1", "tower-sso, layer"), least=60)
row("oauth1: Authlib / layer", [("python", "Authlib")], each("peers_oauth1", "tower-sso, layer"), least=40)
row("timestamp_hash: verify / raw HMAC-SHA1, keyed", each("timestamp_hash", "verify"), each("timestamp_hash", "raw MAC"), most=3)
row("webhook, 64 KiB: layer / raw HMAC-SHA256", each("webhook_64_kib", "layer"), each("webhook_64_kib", "raw MAC"), most=1.1)
for size in ["", "_64_kib"]:
    group = f"peers_webhook{size}"
    row(f"webhook{size}: webhook-verify / authentic", each(group, "webhook-verify"), each(group, "tower-sso, authentic"))
for threads in ["1", "2", "8"]:
    claims = [("claim_moka", f"claim, {threads} threads", size) for size in SIZES]
    inserts = [("claim_moka", f"its own insert, {threads} threads", size) for size in SIZES]
    row(f"replay: claim / moka's insert, {threads} threads, beside 1k · 100k · 1M", claims, inserts, most=1.2)
    row(f"replay: claim beside 1M / beside 1k, {threads} threads", claims[2:], claims[:1], most=3)
for form in FORMS:
    good = (form, "request")
    row(f"{form}: forged / good", each(form, "forged"), [good], most=1)
    row(f"{form}: unknown tenant / good", each(form, "unknown tenant"), [good], most=1)
    shapes = [(form, f"{kib} KiB of the wrong shape") for kib in (4, 8)]
    row(f"{form}: 4 · 8 KiB of the wrong shape / good", shapes, [good, good], most=0.5)
    row(
        f"{form}: 4 · 8 KiB of the right shape / good, as long",
        [(form, f"{kib} KiB of the right shape") for kib in (4, 8)],
        [(form, f"{kib} KiB, good") for kib in (4, 8)],
        most=1,
    )
