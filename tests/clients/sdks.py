"""Signs one call for each sender with the sender's own library, and prints them: a JSON object a line.

    sdks.py NOW
"""

import json
import sys
from datetime import datetime, timezone

import alone
import standardwebhooks
import stripe
from slack_sdk.signature import SignatureVerifier
from twilio.request_validator import RequestValidator

NOW = int(sys.argv[1])
TEXT = "0123456789abcdef0123456789abcdef"
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = json.dumps({"id": "evt_1", "name": "Pr\u00fcfung", "n": 1})


def show(preset, secret, headers, body=BODY):
    headers = {"content-type": "application/json", **headers}
    print(json.dumps({"preset": preset, "secret": secret, "headers": headers, "body": body}))


signature = stripe.WebhookSignature._compute_signature(f"{NOW}.{BODY}", TEXT)
show("stripe", TEXT, {"stripe-signature": f"t={NOW},v1={signature}"})

time = datetime.fromtimestamp(NOW, timezone.utc)
svix = alone.load("svix", "webhooks.py").Webhook(WHSEC)
for preset, prefix, library in ("standard_webhooks", "webhook", standardwebhooks.Webhook(WHSEC)), ("svix", "svix", svix):
    headers = {f"{prefix}-id": "msg_1", f"{prefix}-timestamp": str(NOW), f"{prefix}-signature": library.sign("msg_1", time, BODY)}
    show(preset, WHSEC, headers)

FORM = {"content-type": "application/x-www-form-urlencoded"}
form = "command=%2Fhook&text=a+b"
signature = SignatureVerifier(TEXT).generate_signature(timestamp=str(NOW), body=form)
headers = {"x-slack-request-timestamp": str(NOW), "x-slack-signature": signature}
show("slack", TEXT, {**headers, **FORM}, form)

signature = RequestValidator(TEXT).compute_signature("https://app.example/hook", {"From": "+15005550006", "Body": "a b"})
show("twilio", TEXT, {"x-twilio-signature": signature, **FORM}, "From=%2B15005550006&Body=a+b")
