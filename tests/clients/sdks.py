"""Signs one call for each sender with the sender's own library, and prints them: a JSON object a line.

    sdks.py NOW
"""

import json
import sys
from datetime import datetime, timezone

import alone
import standardwebhooks
import stripe
import svix.webhooks
from box_sdk_gen.internal.utils import compute_webhook_signature
from hubspot.utils.signature import Signature
from paddle_billing.Notifications.PaddleSignature import PaddleSignature
from slack_sdk.signature import SignatureVerifier
from twilio.request_validator import RequestValidator

NOW = int(sys.argv[1])
TEXT = "0123456789abcdef0123456789abcdef"
HEX = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
HOOK = "https://app.example/hook"
# The README's.
STRIPE = "whsec_0123456789abcdef0123456789abcdef"
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = json.dumps({"id": "evt_1", "name": "Pr\u00fcfung", "n": 1})


def show(preset, secret, headers, body=BODY, **more):
    headers = {"content-type": "application/json", **headers}
    print(json.dumps({"preset": preset, "secret": secret, "headers": headers, "body": body, **more}))


signature = stripe.WebhookSignature._compute_signature(f"{NOW}.{BODY}", STRIPE)
show("stripe", STRIPE, {"stripe-signature": f"t={NOW},v1={signature}"})

time = datetime.fromtimestamp(NOW, timezone.utc)
for preset, prefix, library in (
    ("standard_webhooks", "webhook", standardwebhooks.Webhook(WHSEC)),
    ("svix", "svix", svix.webhooks.Webhook(WHSEC)),
):
    headers = {f"{prefix}-id": "msg_1", f"{prefix}-timestamp": str(NOW), f"{prefix}-signature": library.sign("msg_1", time, BODY)}
    show(preset, WHSEC, headers)

FORM = {"content-type": "application/x-www-form-urlencoded"}
form = "command=%2Fhook&text=a+b"
signature = SignatureVerifier(TEXT).generate_signature(timestamp=str(NOW), body=form)
headers = {"x-slack-request-timestamp": str(NOW), "x-slack-signature": signature}
show("slack", TEXT, {**headers, **FORM}, form)

signature = RequestValidator(TEXT).compute_signature(HOOK, {"From": "+15005550006", "Body": "a b"})
show("twilio", TEXT, {"x-twilio-signature": signature, **FORM}, "From=%2B15005550006&Body=a+b")

adyen = alone.load("Adyen", "util.py")
show("adyen_header", HEX, {"hmacsignature": adyen.generate_payload_sig(BODY.encode(), HEX).decode()})

item = {"pspReference": "7914073381342284", "merchantAccountCode": "Pr\u00fcfung", "merchantReference": "order-1"}
item |= {"amount": {"value": 1130, "currency": "EUR"}, "eventCode": "AUTHORISATION", "success": "true"}
item["additionalData"] = {"hmacSignature": adyen.generate_notification_sig(item, HEX).decode()}
event = json.dumps({"live": "false", "notificationItems": [{"NotificationRequestItem": item}]})
show("adyen_standard", HEX, {}, event, changed=event.replace("1130", "1"), says="order-1")

headers = {"box-signature-version": "1", "box-signature-algorithm": "HmacSHA256", "box-delivery-timestamp": time.isoformat()}
signatures = {
    "box-signature-primary": compute_webhook_signature(BODY, headers, "a key that was replaced"),
    "box-signature-secondary": compute_webhook_signature(BODY, headers, TEXT),
}
show("box", TEXT, {**headers, **signatures})

show("hubspot_v1", TEXT, {"x-hubspot-signature": Signature.get_signature(TEXT, BODY, "v1")})
show("hubspot_v2", TEXT, {"x-hubspot-signature": Signature.get_signature(TEXT, BODY, "v2", HOOK)})
milliseconds = f"{NOW}123"
signature = Signature.get_signature(TEXT, BODY, "v3", HOOK, timestamp=milliseconds)
show("hubspot_v3", TEXT, {"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": milliseconds})

signature = PaddleSignature.calculate_hmac(TEXT, f"{NOW}:{BODY}".encode()).hexdigest()
show("paddle", TEXT, {"paddle-signature": f"ts={NOW};h1={signature}"})
