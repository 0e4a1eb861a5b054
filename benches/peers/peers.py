"""Measures Python's libraries on the credentials that benches/peers has written: peers.py CREDENTIALS.json OUT.json

Writes the median time of one call in nanoseconds. Needs: pip install cryptography pyjwt oauthlib authlib
"""

import json
import statistics
import sys
import time

import jwt
from authlib.oauth1.rfc5849 import signature as authlib_signature
from authlib.oauth1.rfc5849.wrapper import OAuth1Request
from cryptography.fernet import Fernet
from oauthlib.oauth1 import RequestValidator, SignatureOnlyEndpoint


class Validator(RequestValidator):
    """Knows one consumer and accepts every nonce, so that no store is measured."""

    enforce_ssl = False
    dummy_client = "dummy"

    def __init__(self, consumer, secret):
        super().__init__()
        self.consumer, self.secret = consumer, secret

    client_key_length = property(lambda self: (1, 255))
    nonce_length = property(lambda self: (1, 255))

    def check_client_key(self, client_key):
        return bool(client_key)

    def check_nonce(self, nonce):
        return bool(nonce)

    def validate_timestamp_and_nonce(self, *args, **kwargs):
        return True

    def validate_client_key(self, client_key, request):
        return client_key == self.consumer

    def get_client_secret(self, client_key, request):
        return self.secret


class Secret:
    def __init__(self, secret):
        self.secret = secret

    def get_client_secret(self):
        return self.secret


def authlib_check(uri, secret):
    request = OAuth1Request("GET", uri, headers={})
    request.client = Secret(secret)
    return authlib_signature.verify_hmac_sha1(request)


def median(call, calls=400, rounds=15):
    assert call()
    times = []
    for _ in range(rounds):
        started = time.perf_counter_ns()
        for _ in range(calls):
            call()
        times.append((time.perf_counter_ns() - started) / calls)
    return statistics.median(times)


def main(given, out):
    with open(given) as file:
        given = json.load(file)
    fernet = Fernet(given["fernet_key"])
    endpoint = SignatureOnlyEndpoint(Validator(given["consumer"], given["consumer_secret"]))
    measured = {
        "cryptography": median(lambda: fernet.decrypt(given["fernet"], ttl=3600)),
        "PyJWT": median(
            lambda: jwt.decode(given["jwt"], given["jwt_secret"], algorithms=["HS512"], audience="app.waggl.com")
        ),
        "oauthlib": median(lambda: endpoint.validate_request(given["oauth1"])[0]),
        "Authlib": median(lambda: authlib_check(given["oauth1"], given["consumer_secret"])),
    }
    with open(out, "w") as file:
        json.dump(measured, file)


main(*sys.argv[1:])
