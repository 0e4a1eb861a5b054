#!/usr/bin/env python3
"""From each row of the driver's that is accepted: what an attacker, another clock and a rotation make of it, as rows.

    variants.py ROWS.jsonl ...

| made by rule | expected |
|---|---|
| one byte of what is signed, or of the signature, is another | reject |
| one character of the secret is another, or it is another key of its kind | reject |
| another secret stands before the right one, or after it | accept |
| the secret is written in hexadecimal, in base64url, or as PEM | accept |
| the clock stands where the window begins and ends, one second outside it, and ten years away | accept, reject |
| the route has a window of its own | accept, reject |
| a wrong signature stands before the right one, or after it, where a sender writes several | accept |
| the only signature is a wrong one, or there is none | reject |

What a sender does not sign stands in the tables below, each with nothing more in it than the sender's documentation says.
"""
import base64
import binascii
import copy
import json
import math
import pathlib
import re
import sys
from datetime import datetime

KEYS = pathlib.Path(__file__).parent.parent / "vectors/keys"
MOST = 8  # changed bytes in one part of a row, or a few more
DECADE = 10 * 365 * 86_400

# The secret is all that is checked.
SECRET_ONLY = "auth0 bigcommerce_webhook flutterwave_v3 front_plugin gitlab_token nextcloud_appapi okta postmark shippo telegram"
# Of JSON, these are signed.
ADYEN = "/notificationItems/0/NotificationRequestItem"
IN_JSON = {
    "mailgun": ["/signature/timestamp", "/signature/token", "/signature/signature"],
    "adyen_standard": [ADYEN + name for name in (
        "/pspReference", "/merchantAccountCode", "/merchantReference", "/amount/value", "/amount/currency", "/eventCode",
        "/success", "/additionalData/hmacSignature")],
    "aws_sns": ["/Type", "/MessageId", "/Token", "/TopicArn", "/Message", "/SubscribeURL", "/Timestamp", "/Signature"],
}
# Senders of webhooks that sign the address too; Canva without its query.
ADDRESS = "canva_extension contentful hubspot_v2 hubspot_v3 mandrill square trello twilio"
METHOD = "contentful hubspot_v2 hubspot_v3"
UNSIGNED_HEADERS = """host content-type x-hubspot-signature-version linear-timestamp paypal-auth-algo paypal-cert-url
ex-app-id ex-app-version aa-version"""
# Of launches, these pairs are not signed.
UNSIGNED_PAIRS = {
    "digitalocean": "user_email user_id",
    "heroku": "resource_token",
    "heroku_v1": "nav-data",
    "pipedrive": "resource view userId companyId selectedIds",
    "telegram_mini_app_third_party": "hash",
    "zendesk_jwt": "return_to",
}
# What separates a sender's signatures, and what each begins with.
LISTS = {
    "stripe": (",", "v1="), "stripe_apps": (",", "v1="), "calendly": (",", "v1="), "coinbase_cdp": (",", "v0="),
    "workos": (", ", "v1="), "paddle": (";", "h1="), "circleci": (",", "v1="), "pagerduty": (",", "v1="),
    "mollie": (",", "sha256="), "canva_extension": (",", ""), "standard_webhooks": (" ", "v1,"), "svix": (" ", "v1,"),
    "gitlab": (" ", "v1,"), "standard_webhooks_v1a": (" ", "v1a,"),
}
# How long a signed time is valid, and how far it may be ahead, in seconds. A token's end is its own.
WINDOWS = {
    "slack": (300, 300), "stripe": (300, 60), "stripe_apps": (300, 60), "paddle": (300, 60), "zoom": (300, 60),
    "standard_webhooks": (300, 300), "svix": (300, 300), "standard_webhooks_v1a": (300, 300), "zendesk": (300, 60),
    "sendgrid": (300, 60), "discord": (300, 60), "hubspot_v3": (300, 60), "canva_extension": (300, 60),
    "linear": (60, 60), "box": (600, 60), "twitch": (300, 60), "calendly": (180, 60), "workos": (180, 180),
    "coinbase_cdp": (300, 60), "contentful": (30, 60), "paypal": (300, 60), "plaid": (300, 60),
}


def changed(text, at):
    """Another character in this place, which no spelling makes the same."""
    old = text[at]
    if old.isdigit():
        return text[:at] + str((int(old) + 1) % 10) + text[at + 1:]
    new = "x" if old.lower() != "x" else "y"
    if old.lower() in "abcdef":
        new = "b" if old.lower() != "b" else "c"
    return text[:at] + new + text[at + 1:]


def places(start, end):
    """All places, or some of them, with both ends and what is beside a border."""
    every = max(1, (end - start) // MOST)
    return sorted({*range(start, end, every), start, end - 1})


class Row:
    def __init__(self, row):
        self.row = row
        self.preset = row["route"]["preset"]
        self.is_webhook = "launch" not in row["file"]

    def of(self, table):
        return self.preset in table.split()

    def variant(self, what, expect, change):
        row = copy.deepcopy(self.row)
        row.pop("file")
        row.pop("errors", None)
        change(row)
        row.update(id=f"{row['id']}: {what}", expect=expect)
        print(json.dumps(row))

    def headers(self):
        return [name for name in self.row["headers"] if name.lower() not in UNSIGNED_HEADERS.split()]

    def signature(self):
        """The header of the signature, if there is one."""
        names = [name for name in self.headers() if "sig" in name.lower() or "hmac" in name.lower()]
        return next((name for name in names if "timestamp" not in name.lower() and "headers" not in name.lower()), None)

    def signed(self):
        """The parts that are signed or sign: name, text, spans of it, and how to set it."""
        for name in self.headers():
            def header(row, text, name=name):
                row["headers"][name] = text
            text = self.row["headers"][name]
            yield name, text, self.header_spans(text), header
        target = self.row["target"]
        if self.is_webhook and self.of(ADDRESS):
            def address(row, text):
                row["target"], row["route"]["path"] = text, "/*"
            yield "address", target, [(1, len(target))], address
        elif "?" in target and not (self.is_webhook and not self.of(SECRET_ONLY)):
            def query(row, text):
                row["target"] = text
            yield "query", target, self.pairs(target, target.index("?") + 1), query
        elif self.preset == "shopify_multipass":
            def segment(row, text):
                row["target"], row["route"]["path"] = text, "/*"
            yield "segment", target, [(target.rindex("/") + 1, len(target))], segment
        body = self.row.get("body", "")
        if self.preset in IN_JSON:
            yield from self.members(json.loads(body))
        elif body and not self.of(SECRET_ONLY):
            def set_body(row, text):
                row["body"] = text
            if self.is_webhook:
                yield "body", body, [(0, len(body))], set_body
            elif "form" in self.row["headers"].get("content-type", ""):
                yield "body", body, self.pairs(body, 0), set_body

    def header_spans(self, text):
        if text.startswith("tma "):
            return self.pairs(text, 4)
        if self.preset == "nextcloud_appapi":  # the user's name is not checked
            return [(8, len(text))]
        if self.preset in LISTS:  # elements of other kinds are passed over
            separator, prefix = LISTS[self.preset]
            spans, at = [], 0
            for element in text.split(separator):
                if element.startswith(prefix) and not set(element) <= set("0"):
                    spans.append((at, at + len(element)))
                at += len(element + separator)
            return spans[-1:] + [(match.start(), match.end()) for match in re.finditer(r"\bts?=\d+", text)] or [(0, len(text))]
        return [(0, len(text))]

    def pairs(self, text, start):
        unsigned = UNSIGNED_PAIRS.get(self.preset, "").split()
        spans, at = [], start
        for pair in text[start:].split("&"):
            if pair.split("=")[0] not in unsigned:
                spans.append((at, at + len(pair)))
            at += len(pair) + 1
        return spans

    def members(self, event):
        for pointer in IN_JSON[self.preset]:
            *parents, name = pointer.split("/")[1:]
            def holder(event, parents=parents):
                for parent in parents:
                    event = event[int(parent) if isinstance(event, list) else parent]
                return event
            if name not in holder(event):
                continue
            def member(row, text, holder=holder, name=name):
                event = json.loads(row["body"])
                old = holder(event)[name]
                holder(event)[name] = int(text) if isinstance(old, int) else text
                row["body"] = json.dumps(event)
            text = str(holder(event)[name])
            yield pointer, text, [(0, len(text))], member

    def tampered(self):
        for name, text, spans, put in self.signed():
            for start, end in spans:
                for at in places(start, end):
                    # The digits of an escape have another spelling.
                    if "%" in text[max(0, at - 2):at + 1] and name in ("query", "body", "authorization"):
                        continue
                    self.variant(f"{name} {at}", "reject", lambda row, at=at: put(row, changed(text, at)))
        if self.is_webhook and self.of(METHOD):
            self.variant("another method", "reject", lambda row: row.update(method="PUT"))
        for name in self.headers():
            self.variant(f"without {name}", "reject", lambda row: row["headers"].pop(name))

    def rotated(self):
        old = self.row["route"]["secrets"]
        new = [{"utf8": other(old[0]["utf8"])}]
        for what, secrets, expect in (
            ("a new secret, then the old one", new + old, "accept"),
            ("the right secret, then another", old + new, "accept"),
            ("another secret", new, "reject"),
        ):
            self.variant(what, expect, lambda row: row["route"].update(secrets=secrets))
        text = old[0]["utf8"]
        written = {"hex": text.encode().hex(), "base64url": base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")}
        if "-----BEGIN" in text:
            written["pem"] = text
        for name, value in written.items():
            self.variant(f"the secret as {name}", "accept", lambda row: row["route"].update(secrets=[{name: value}, *old[1:]]))

    def listed(self):
        if self.preset not in LISTS:
            return
        separator, prefix = LISTS[self.preset]
        name = self.signature()
        value = self.row["headers"][name]
        right = [part for part in value.split(separator) if part.startswith(prefix)][-1]
        wrong = prefix + changed(right, len(prefix) + 4)[len(prefix):]
        for what, elements, expect in (
            ("the wrong signature first", [wrong, right], "accept"),
            ("the wrong signature second", [right, wrong], "accept"),
            ("the right signature twice", [right, right], "accept"),
            ("two wrong signatures", [wrong, wrong], "reject"),
            ("no signature in the list", [], "reject"),
        ):
            rest = [part for part in value.split(separator) if part and not part.startswith(prefix)] if prefix else []
            list_ = separator.join(rest + elements)
            self.variant(what, expect, lambda row: row["headers"].update({name: list_}))

    def timed(self):
        times = signed_times(self.row)
        if self.is_webhook and self.preset not in WINDOWS:
            return
        if not times or self.row["clock"] is None:
            return
        made = times[0]
        for what, now in (("ten years later", made + DECADE), ("ten years before", made - DECADE)):
            if now > 0 and not (now < made and "exp" in times):
                self.variant(what, "reject", lambda row: row.update(clock=now))
        if self.preset in WINDOWS:
            age, ahead = WINDOWS[self.preset]
            for what, now, expect in (
                ("as old as it may be", math.floor(made + age), "accept"),
                ("too old", math.floor(made + age) + 1, "reject"),
                ("as early as it may be", math.ceil(made - ahead), "accept"),
                ("too early", math.ceil(made - ahead) - 1, "reject"),
            ):
                self.variant(what, expect, lambda row: row.update(clock=now))
            if self.preset != "plaid":
                for what, longer, expect in (("a longer window", 10, "accept"), ("not that long", 9, "reject")):
                    change = lambda row: (row.update(clock=math.floor(made + age) + 10), row["route"].update(max_age=age + longer))
                    self.variant(what, expect, change)


def signed_times(row):
    """When it was made, and `exp` if that is all that it says."""
    headers = {name.lower(): value for name, value in row["headers"].items()}
    signed = {name: value for name, value in headers.items() if name not in UNSIGNED_HEADERS.split()}
    texts = [*signed.values(), row["target"], row.get("body", "")]
    for name, value in signed.items():
        if "timestamp" in name or name.endswith("-time"):
            if value.isdigit():
                return [int(value) / (1000 if len(value) == 13 else 1)]
            return [datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()]
    for text in texts:
        for token in re.findall(r"eyJ[\w-]+\.([\w=-]+)\.", text):
            claims = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            if "iat" in claims:
                return [claims["iat"]]
            return [claims["exp"], "exp"] if "exp" in claims else []
        for pattern in (r"\bts?=(\d+)", r"(?:auth_date|timestamp|vk_ts)=(\d{1,10})\b", r'"webhookTimestamp": ?(\d{10})',
                        r'"timestamp": ?"(\d+)"'):
            if found := re.search(pattern, text):
                return [int(found[1])]
    return []


def public_keys():
    """Pairs of public keys of one kind in each spelling of theirs."""
    for one, two in (("ed25519-one", "ed25519-two"), ("p256-one", "p256-two"), ("rsa-2048", "rsa-2048-second")):
        yield one.split("-")[0], [(KEYS / f"{name}-public.pem").read_text() for name in (one, two)]


def other(secret):
    """Another secret, of the same kind and spelling."""
    der = lambda pem: base64.b64decode("".join(pem.split("-----")[2].split()))
    if "-----BEGIN CERTIFICATE" in secret:
        return (KEYS / "rsa-2048-second-public.pem").read_text()
    for kind, pems in public_keys():
        pick = lambda write: next(write(pem) for pem in pems if write(pem) != secret)
        length = {"ed25519": 44, "p256": 91, "rsa": 294}[kind]
        try:
            if "-----BEGIN" in secret:
                raw = der(secret)
                if len(raw) == length:
                    return pick(lambda pem: pem)
            elif len(base64.b64decode(secret, validate=True)) == length:
                return pick(lambda pem: base64.b64encode(der(pem)).decode())
        except (binascii.Error, ValueError):
            pass
        if kind == "ed25519":
            if re.fullmatch("[0-9a-f]{64}", secret):
                return pick(lambda pem: der(pem)[-32:].hex())
            if secret.startswith("whpk_"):
                return pick(lambda pem: "whpk_" + base64.b64encode(der(pem)[-32:]).decode())
    return changed(secret, len(secret) // 2)


for file in sys.argv[1:]:
    for line in open(file, encoding="utf-8"):
        found = Row({**json.loads(line), "file": file})
        if found.row["expect"] == "accept" and "body_hex" not in found.row:
            found.tampered()
            found.rotated()
            found.listed()
            found.timed()
