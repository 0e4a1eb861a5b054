"""Signs launches with the libraries that partners sign with, and prints them: a JSON object a line.

    launches.py NOW

Each is there as it was signed, with another user, and as it would have been signed two days ago. A library that verifies
too has to agree about all three.
"""

import base64
import hashlib
import hmac
import json
import re
import sys
from datetime import datetime, timezone
from unittest import mock
from urllib.parse import parse_qsl, quote, urlencode

import alone
import init_data_py
import itsdangerous
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.conf import settings
from django.core import signing
from oauthlib import oauth1

NOW = int(sys.argv[1])
LONG_AGO = NOW - 2 * 24 * 60 * 60
KEY = "0123456789abcdef0123456789abcdef"
# A name that no signature has in it by chance.
USER = {"sub": "lovelace"}


def show(signer, layer, sign, request, verify=None, key=KEY, **more):
    good, stale = sign(NOW), sign(LONG_AGO)
    texts = {"good": good, "tampered": forged(good), "stale": stale}
    if verify:
        opinions = {name: accepts(verify, text) for name, text in texts.items()}
        assert opinions == {"good": True, "tampered": False, "stale": False}, (signer, opinions)
    requests = {name: request(text) for name, text in texts.items()}
    print(json.dumps({"signer": signer, "layer": layer, "key": key, **requests, **more}))


def accepts(verify, text):
    try:
        return verify(text) is not False
    except (
        init_data_py.errors.InvalidInitDataError,
        itsdangerous.BadData,
        jwt.InvalidTokenError,
        signing.BadSignature,
    ):
        return False


def forged(text):
    """The same of another user, who is named in the text or in a piece of it in base64."""
    if "lovelace" in text:
        return text.replace("lovelace", "babbage")
    for piece in re.split(r"[.:]|--", text):
        letters = b"+/" if re.search("[+/]", piece) else b"-_"
        decoded = base64.b64decode(piece + "=" * (-len(piece) % 4), letters)
        if b"lovelace" in decoded:
            encoded = base64.b64encode(decoded.replace(b"lovelace", b"babbage"), letters).decode()
            return text.replace(piece, encoded if piece.endswith("=") else encoded.rstrip("="))
    sys.exit(f"no user in {text}")


def in_query(text):
    return {"target": f"/launch?{text}"}


def as_token(text):
    return in_query("t=" + quote(text, safe=""))


# --- LTI 1.1 ----------------------------------------------------------------------------------------------------------

LAUNCH = {"lti_message_type": "basic-lti-launch-request", "lti_version": "LTI-1p0", "resource_link_id": "r1"}
LAUNCH |= {"user_id": "lovelace", "roles": "Instructor,urn:lti:role:ims/lis/TeachingAssistant", "context_title": "K\u00fcnste & Co+"}


def lti(address, fields):
    def sign(at):
        kind = oauth1.SIGNATURE_TYPE_BODY
        client = oauth1.Client("acme", client_secret=KEY, signature_type=kind, timestamp=str(at))
        return client.sign(address, "POST", fields, {"Content-Type": "application/x-www-form-urlencoded"})[2]

    return sign


def post(target):
    return lambda form: {"target": target, "body": form, "headers": {"content-type": "application/x-www-form-urlencoded"}}


TOOL = "https://tool.example/launch"
show("oauthlib: LTI 1.1", "lti11", lti(TOOL, LAUNCH), post("/launch"))
show("oauthlib: LTI 1.1, a launch URL with a query", "lti11", lti(f"{TOOL}?tool=7", LAUNCH), post("/launch?tool=7"))
# Canvas signs the query as fields of the form, and leaves it in the URL.
show("oauthlib: LTI 1.1 from Canvas", "lti11", lti(TOOL, LAUNCH | {"tool": "7"}), post("/launch?tool=7"))

# --- JWT with a JWK set -----------------------------------------------------------------------------------------------

RSA = rsa.generate_private_key(65537, 2048)
P256 = ec.generate_private_key(ec.SECP256R1())
JWKS = {
    "keys": [
        {**jwt.algorithms.RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True), "kid": "rsa", "use": "sig", "alg": "RS256"},
        {**jwt.algorithms.ECAlgorithm.to_jwk(P256.public_key(), as_dict=True), "kid": "p256", "use": "sig", "alg": "ES256"},
    ]
}
for algorithm, key, kid in ("RS256", RSA, "rsa"), ("ES256", P256, "p256"):

    def sign(at):
        claims = {**USER, "aud": "app", "iat": at, "exp": at + 60}
        return jwt.encode(claims, key, algorithm, headers={"kid": kid})

    def verify(token):
        # The key that a reader of the set finds by its `kid`.
        found = jwt.PyJWKSet.from_dict(JWKS)[jwt.get_unverified_header(token)["kid"]]
        jwt.decode(token, found.key, [algorithm], audience="app")

    show(f"PyJWT and cryptography: {algorithm}", algorithm, sign, as_token, verify, jwks=json.dumps(JWKS))

# --- Frameworks -------------------------------------------------------------------------------------------------------


def dated(at):
    return type("At", (itsdangerous.TimestampSigner,), {"get_timestamp": lambda self: at})


show(
    "itsdangerous: URLSafeTimedSerializer",
    "itsdangerous serializer",
    lambda at: itsdangerous.URLSafeTimedSerializer(KEY, signer=dated(at)).dumps(USER),
    as_token,
    lambda token: itsdangerous.URLSafeTimedSerializer(KEY).loads(token, max_age=300),
)
show(
    "itsdangerous: TimestampSigner",
    "itsdangerous signer",
    lambda at: dated(at)(KEY).sign(itsdangerous.encoding.base64_encode(json.dumps(USER))).decode(),
    as_token,
    lambda token: itsdangerous.TimestampSigner(KEY).unsign(token, max_age=300),
)

show(
    "itsdangerous: TimestampSigner of text",
    "itsdangerous text",
    lambda at: dated(at)(KEY).sign("lovelace.ada").decode(),
    as_token,
    lambda token: itsdangerous.TimestampSigner(KEY).unsign(token, max_age=300),
)

settings.configure()
django = lambda sign: lambda at: mock.patch.object(signing.time, "time", lambda: at)(sign)()
show(
    "Django: signing.dumps",
    "Django dumps",
    django(lambda: signing.dumps(USER, key=KEY)),
    as_token,
    lambda token: signing.loads(token, key=KEY, max_age=300),
)
show(
    "Django: TimestampSigner",
    "Django signer",
    django(lambda: signing.TimestampSigner(key=KEY).sign_object(USER)),
    as_token,
    lambda token: signing.TimestampSigner(key=KEY).unsign_object(token, max_age=300),
)
show(
    "Django: TimestampSigner of text",
    "Django text",
    django(lambda: signing.TimestampSigner(key=KEY).sign("lovelace:ada")),
    as_token,
    lambda token: signing.TimestampSigner(key=KEY).unsign(token, max_age=300),
)


def rails(digest, encode):
    """By hand, as `ActiveSupport::MessageVerifier` of Rails 7.1 and later with the serializer `:json`."""

    def sign(at):
        end = datetime.fromtimestamp(at + 60, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        envelope = {"_rails": {"data": USER, "exp": end, "pur": "sso"}}
        payload = encode(json.dumps(envelope, separators=(",", ":")).encode())
        return f"{payload}--{hmac.new(KEY.encode(), payload.encode(), digest).hexdigest()}"

    return sign


show("as Rails 7.1: MessageVerifier", "Rails", rails("sha1", lambda json: base64.b64encode(json).decode()), as_token)
url_safe = lambda json: base64.urlsafe_b64encode(json).decode().rstrip("=")
show("as Rails 7.1: MessageVerifier, url_safe", "Rails url_safe", rails("sha256", url_safe), as_token)

# --- Telegram ---------------------------------------------------------------------------------------------------------

BOT = "12345:0123456789abcdef0123456789abcdef"
ACCOUNT = json.dumps({"id": 7, "username": "lovelace", "first_name": "Z\u00f6e & Co+"}, ensure_ascii=False)
FIELDS = {"user": ACCOUNT, "query_id": "AAHdF6IQ", "signature": "c2lnbmVkIHRvbw"}


def lines(fields):
    return "\n".join(f"{name}={fields[name]}" for name in sorted(fields)).encode()


def mini_app_by_hand(at):
    fields = FIELDS | {"auth_date": str(at)}
    key = hmac.digest(b"WebAppData", BOT.encode(), "sha256")
    return urlencode(fields | {"hash": hmac.digest(key, lines(fields), "sha256").hex()}, quote_via=quote)


def login(at):
    fields = {"id": "7", "username": "lovelace", "first_name": "Z\u00f6e & Co+", "auth_date": str(at)}
    key = hashlib.sha256(BOT.encode()).digest()
    return urlencode(fields | {"hash": hmac.digest(key, lines(fields), "sha256").hex()})


def verify_login(query):
    fields = dict(parse_qsl(query))
    # aiogram leaves the age to the bot.
    is_recent = abs(NOW - int(fields["auth_date"])) <= 300
    return alone.load("aiogram", "utils/auth_widget.py").check_integrity(BOT, fields) and is_recent


for signer, sign in (
    ("init-data-py: Telegram Mini App", lambda at: init_data_py.sign(FIELDS, BOT, auth_date=at)),
    ("by hand: Telegram Mini App", mini_app_by_hand),
):
    in_header = lambda text: {"target": "/launch", "headers": {"authorization": f"tma {text}"}}
    validate = lambda text: init_data_py.validate_by_hash(text, BOT)
    show(signer, "telegram_mini_app", sign, in_header, validate, key=BOT, again="ok")
show("by hand: Telegram's login widget", "telegram_login", login, in_query, verify_login, key=BOT)
