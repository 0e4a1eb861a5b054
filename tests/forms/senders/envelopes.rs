//! Deliveries in the shape that each sender documents, read as its typed event.

use bytes::Bytes;
use serde_json::{Value, json};
use tower_sso::body::{FormBody, FromBody, JsonBody, JsonOrForm};
use tower_sso::providers::webhooks::events::*;

fn read<C: FromBody>(body: impl ToString) -> C {
    C::from_body(&Bytes::from(body.to_string())).unwrap()
}

#[test]
fn payments() {
    let event: StripeEvent<Value> = read(json!({
        "id": "evt_1", "object": "event", "api_version": "2019-02-19", "created": 1686089970, "livemode": false,
        "data": {"object": {"id": "seti_1", "object": "setup_intent"}}, "pending_webhooks": 0,
        "request": {"id": null, "idempotency_key": null}, "type": "setup_intent.created",
    }));
    assert_eq!((event.id.as_str(), event.event_type.as_str()), ("evt_1", "setup_intent.created"));
    assert_eq!((event.created, event.account, &event.data.object["id"]), (1686089970, None, &json!("seti_1")));
    let event: PaddleEvent<Value> = read(json!({
        "event_id": "evt_01", "event_type": "subscription.canceled", "occurred_at": "2024-04-12T10:18:49.621022Z",
        "notification_id": "ntf_01", "data": {"id": "sub_01"},
    }));
    assert_eq!((event.event_id.as_str(), event.notification_id.as_deref()), ("evt_01", Some("ntf_01")));
    let event: SquareEvent<Value> = read(json!({
        "merchant_id": "M1", "type": "payment.updated", "event_id": "6a8f5f28", "created_at": "2020-02-06T21:27:34.308Z",
        "data": {"type": "payment", "id": "KkAk", "object": {"payment": {"status": "COMPLETED"}}},
    }));
    assert_eq!((event.event_id.as_str(), event.data.object_type.as_str()), ("6a8f5f28", "payment"));
    assert_eq!(event.data.object["payment"]["status"], "COMPLETED");
    let event: PayPalEvent<Value> = read(json!({
        "id": "WH-1", "event_version": "1.0", "create_time": "2024-01-01T00:00:00.000Z", "resource_type": "capture",
        "event_type": "PAYMENT.CAPTURE.COMPLETED", "summary": "Payment completed", "resource": {"id": "5O1"}, "links": [],
    }));
    assert_eq!((event.id.as_str(), &event.resource["id"]), ("WH-1", &json!("5O1")));
    let event: RazorpayEvent<Value> = read(json!({
        "entity": "event", "account_id": "acc_1", "event": "order.paid", "contains": ["payment", "order"],
        "payload": {"order": {"entity": {"id": "order_1"}}}, "created_at": 1747197134,
    }));
    assert_eq!((event.event.as_str(), event.contains.len()), ("order.paid", 2));
    let event: LemonSqueezyEvent<Value> = read(
        json!({"meta": {"event_name": "order_created", "custom_data": {}}, "data": {"type": "orders", "id": "1"}}),
    );
    assert_eq!((event.meta.event_name.as_str(), &event.data["id"]), ("order_created", &json!("1")));
    let event: CoinbaseCommerceEvent<Value> = read(json!({
        "id": 1, "scheduled_for": "2017-01-31T20:50:02Z", "attempt_number": 1, "event": {
            "id": "24934862", "type": "charge:created", "api_version": "2018-03-22",
            "created_at": "2017-01-31T20:49:02Z", "data": {"code": "66BEOV2A"},
        },
    }));
    assert_eq!((event.attempt_number, event.event.id.as_str()), (1, "24934862"));
    assert_eq!((event.event.event_type.as_str(), &event.event.data["code"]), ("charge:created", &json!("66BEOV2A")));
    let event: MollieEvent<Value> = read(json!({
        "resource": "event", "id": "event_Gv", "type": "payment-link.paid", "entityId": "pl_qn",
        "createdAt": "2024-12-16T15:57:04+00:00", "_embedded": {"entity": {"mode": "live"}}, "_links": {},
    }));
    assert_eq!((event.id.as_str(), event.entity_id.as_str()), ("event_Gv", "pl_qn"));
    assert_eq!(event.event["_embedded"]["entity"]["mode"], "live");
}

#[test]
fn books() {
    let event: GoCardlessEvents<GoCardlessEvent> = read(json!({"events": [{
        "id": "EV1", "created_at": "2018-07-05T09:13:51.404Z", "resource_type": "subscriptions", "action": "created",
        "links": {"subscription": "SB1"}, "details": {"origin": "api", "cause": "subscription_created"}, "metadata": {},
    }]}));
    assert_eq!((event.events[0].id.as_str(), event.events[0].links["subscription"].as_str()), ("EV1", "SB1"));
    let one = json!({
        "resourceUrl": "https://api.xero.com/api.xro/2.0/Contacts/717f", "resourceId": "717f", "tenantId": "c2cc",
        "eventDateUtc": "2024-06-21T01:15:39.902", "eventType": "UPDATE", "eventCategory": "CONTACT",
        "tenantType": "ORGANISATION",
    });
    for (events, expected) in [(json!([one]), Some("CONTACT")), (json!([]), None), (json!(null), None)] {
        let sent: XeroEvents =
            read(json!({"events": events, "firstEventSequence": 0, "lastEventSequence": 1, "entropy": "S0m3"}));
        assert_eq!(sent.events.first().map(|event| event.event_category.as_str()), expected);
        assert_eq!((sent.first_event_sequence, sent.last_event_sequence), (0, 1));
    }
    let event: PlaidEvent<Value> = read(json!({
        "webhook_type": "TRANSACTIONS", "webhook_code": "SYNC_UPDATES_AVAILABLE", "item_id": "wz666",
        "initial_update_complete": true, "historical_update_complete": false, "environment": "production",
    }));
    assert_eq!((event.webhook_code.as_str(), event.item_id.as_deref()), ("SYNC_UPDATES_AVAILABLE", Some("wz666")));
    assert_eq!(event.event["initial_update_complete"], true);
    let event: FlutterwaveEvent<Value> = read(json!({
        "id": "wbk_W5", "timestamp": 1735116884019_u64, "type": "charge.completed", "data": {"id": "chg_Hq"},
    }));
    assert_eq!((event.event_type.as_str(), &event.data["id"]), ("charge.completed", &json!("chg_Hq")));
    let event: PaystackEvent<Value> = read(json!({"event": "charge.success", "data": {"id": 302961, "amount": 10000}}));
    assert_eq!((event.event.as_str(), &event.data["id"]), ("charge.success", &json!(302961)));
}

#[test]
fn developer_tools() {
    for (time, expected) in [
        (json!("2022-11-03T20:26:10.344522Z"), Moment::Text("2022-11-03T20:26:10.344522Z".into())),
        (json!(1654012591835_u64), Moment::Number(1654012591835)),
    ] {
        let event: StandardEvent<Value> = read(json!({"type": "user.created", "timestamp": time, "data": {"id": "1"}}));
        assert_eq!((event.event_type.as_str(), event.timestamp), ("user.created", Some(expected)));
    }
    let event: StandardEvent<Value> =
        read(json!({"object": "event", "type": "email.sent", "created_at": "2023-02-22T23:41:12Z", "data": {}}));
    assert!(event.timestamp.is_none() && event.created_at.is_some());
    #[derive(Debug, serde::Deserialize)]
    struct Issue {
        issue: Value,
    }
    let event: GitHubEvent<Issue> = read(json!({
        "action": "opened", "issue": {"number": 1347}, "sender": {"login": "ada", "id": 1},
        "repository": {"id": 1296269, "full_name": "ada/engine", "owner": {}}, "installation": {"id": 7},
    }));
    assert_eq!((event.action.as_deref(), &event.event.issue["number"]), (Some("opened"), &json!(1347)));
    assert_eq!(event.repository.unwrap().full_name, "ada/engine");
    assert_eq!((event.sender.unwrap().login.as_str(), event.installation.unwrap().id), ("ada", 7));
    let event: VercelEvent<Value> = read(json!({
        "id": "d1", "type": "deployment.succeeded", "createdAt": 1700000000000_u64, "region": null,
        "payload": {"deployment": {"id": "dpl_1"}},
    }));
    assert_eq!((event.id.as_str(), event.created_at, event.region), ("d1", 1700000000000, None));
    let event: CircleCiEvent<Value> = read(json!({
        "id": "3888f21b", "happened_at": "2021-09-01T22:49:34.317Z", "type": "workflow-completed",
        "webhook": {"id": "cf8c4fdd"}, "workflow": {"status": "success"},
    }));
    assert_eq!((event.id.as_str(), &event.event["workflow"]["status"]), ("3888f21b", &json!("success")));
    let event: SentryEvent<Value> = read(json!({
        "action": "created", "installation": {"uuid": "a8e5d37a"}, "data": {"issue": {"id": "1"}},
        "actor": {"type": "application", "id": "sentry", "name": "Sentry"},
    }));
    assert_eq!((event.action.as_str(), event.installation.unwrap().uuid.as_str()), ("created", "a8e5d37a"));
    let event: HerokuEvent<Value> = read(json!({
        "action": "create", "actor": {"email": "ada@example.com", "id": "125f"}, "id": "4273",
        "created_at": "2016-05-10T07:30:32Z", "data": {"app": {"name": "sample-app"}}, "previous_data": {},
        "published_at": null, "resource": "release", "sequence": null, "updated_at": "2016-10-26T22:50:29Z",
        "version": "application/vnd.heroku+json; version=3", "webhook_metadata": {
            "attempt": {"id": "8a44"}, "delivery": {"id": "d244"}, "webhook": {"id": "b54e"},
            "event": {"id": "b6a6", "include": "api:release"},
        },
    }));
    assert_eq!((event.resource.as_str(), event.webhook_metadata.event.id.as_str()), ("release", "b6a6"));
    let event: GitLabEvent<Value> = read(json!({
        "object_kind": "merge_request", "event_type": "merge_request", "user": {"username": "ada"},
        "project": {"id": 1, "path_with_namespace": "acme/engine"}, "object_attributes": {"action": "open"},
    }));
    assert_eq!((event.object_kind.as_deref(), event.project.unwrap().id), (Some("merge_request"), 1));
    assert_eq!(event.event["object_attributes"]["action"], "open");
}

#[test]
fn work() {
    let event: BoxEvent<Value> = read(json!({
        "type": "webhook_event", "id": "0f0f", "created_at": "2016-07-11T10:10:33-07:00", "trigger": "FILE.UPLOADED",
        "webhook": {"id": "4137", "type": "webhook"}, "created_by": {"id": "1"}, "source": {"id": "73835521473"},
    }));
    assert_eq!((event.id.as_str(), event.trigger.as_str()), ("0f0f", "FILE.UPLOADED"));
    let event: WorkOsEvent<Value> = read(json!({
        "object": "event", "id": "event_07", "event": "dsync.user.updated", "data": {"id": "directory_user_01"},
        "created_at": "2023-04-28 20:05:31.093",
    }));
    assert_eq!((event.id.as_str(), event.event.as_str()), ("event_07", "dsync.user.updated"));
    let event: NotionEvent<Value> = read(json!({
        "id": "367cba44", "timestamp": "2024-12-05T19:49:36.997Z", "workspace_id": "13950b26", "workspace_name": "Acme",
        "subscription_id": "29d75c0d", "integration_id": "0ef2e755", "authors": [{"id": "c7c11cca", "type": "person"}],
        "attempt_number": 1, "api_version": "2025-09-03", "type": "page.content_updated",
        "entity": {"id": "153104cd", "type": "page"}, "data": {"updated_blocks": []},
    }));
    assert_eq!((event.id.as_str(), event.entity.entity_type.as_str(), event.attempt_number), ("367cba44", "page", 1));
    let event: LinearEvent<Value> = read(json!({
        "action": "create", "type": "Issue", "createdAt": "2021-01-30T11:19:39.427Z", "data": {"id": "236e0fe8"},
        "url": "https://linear.app/acme/issue/KOR-11", "webhookTimestamp": 1700000000000_u64, "webhookId": "w1",
        "organizationId": "o1",
    }));
    assert_eq!((event.entity_type.as_str(), event.webhook_timestamp), ("Issue", 1700000000000));
    let event: CalendlyEvent<Value> = read(json!({
        "event": "invitee.created", "created_at": "2020-11-23T17:51:19.000000Z",
        "created_by": "https://api.calendly.com/users/AAAA", "payload": {"email": "ada@example.com"},
    }));
    assert_eq!((event.event.as_str(), &event.payload["email"]), ("invitee.created", &json!("ada@example.com")));
    let event: PagerDutyEvent<Value> = read(json!({"event": {
        "id": "5ac64822", "event_type": "incident.triggered", "resource_type": "incident",
        "occurred_at": "2020-10-02T18:45:22.169Z", "agent": null, "client": null, "data": {"id": "PT4KHLK"},
    }}));
    assert_eq!((event.event.id.as_str(), event.event.resource_type.as_str()), ("5ac64822", "incident"));
    let event: TypeformEvent<Value> =
        read(json!({"event_id": "01KB", "event_type": "form_response", "form_response": {"form_id": "lT4Z3j"}}));
    assert_eq!((event.event_id.as_str(), &event.form_response["form_id"]), ("01KB", &json!("lT4Z3j")));
    let event: CalComEvent<Value> = read(
        json!({"triggerEvent": "BOOKING_CREATED", "createdAt": "2023-05-24T09:30:00.538Z", "payload": {"uid": "b1"}}),
    );
    assert_eq!(event.trigger_event, "BOOKING_CREATED");
    let event: JiraEvent<Value> = read(json!({
        "timestamp": 1727087443918_u64, "webhookEvent": "jira:issue_updated", "issue_event_type_name": "issue_generic",
        "issue": {"key": "HC-1001"},
    }));
    assert_eq!((event.webhook_event.as_str(), &event.event["issue"]["key"]), ("jira:issue_updated", &json!("HC-1001")));
    let event: AsanaEvents<Value> = read(json!({"events": [{"action": "changed", "resource": {"gid": "1201"}}]}));
    assert_eq!(event.events[0]["resource"]["gid"], "1201");
    let event: DocuSignEvent<Value> = read(json!({
        "event": "envelope-completed", "apiVersion": "v2.1", "uri": "/restapi/v2.1/accounts/a/envelopes/e",
        "retryCount": 0, "configurationId": 11, "generatedDateTime": "2026-04-29T19:00:00.0000000Z",
        "data": {"accountId": "a", "envelopeId": "e"},
    }));
    assert_eq!((event.event.as_str(), &event.data["envelopeId"]), ("envelope-completed", &json!("e")));
    assert!(event.generated_date_time.is_some());
}

#[test]
fn messages() {
    let JsonBody(events) = read::<JsonBody<Vec<SendGridEvent<Value>>>>(json!([
        {"email": "ada@example.com", "timestamp": 1513299569, "event": "processed", "sg_event_id": "sg1", "category": "c"},
        {"email": "ada@example.com", "timestamp": 1513299570, "event": "click", "url": "https://app.example"},
    ]));
    assert_eq!((events.len(), events[0].sg_event_id.as_deref()), (2, Some("sg1")));
    assert_eq!((&events[0].fields["category"], &events[1].sg_event_id), (&json!("c"), &None));
    let event: ZoomEvent<Value> = read(
        json!({"event": "meeting.started", "event_ts": 1626230691572_u64, "payload": {"account_id": "a", "object": {}}}),
    );
    assert_eq!((event.event.as_str(), event.event_ts), ("meeting.started", 1626230691572));
    let subscription = json!({
        "id": "f1c2a387", "type": "channel.follow", "version": "2", "status": "enabled", "cost": 0, "condition": {},
        "transport": {"method": "webhook"}, "created_at": "2019-11-16T10:11:12.634234626Z",
    });
    let event: TwitchEvent<Value> = read(json!({"subscription": subscription, "event": {"user_login": "ada"}}));
    assert_eq!((event.subscription.event_type.as_str(), event.event.is_some()), ("channel.follow", true));
    let event: TwitchEvent<Value> = read(json!({"subscription": subscription, "challenge": "pogchamp"}));
    assert_eq!((event.challenge.as_deref(), event.event), (Some("pogchamp"), None));
    let event: MetaEvent<MetaEntry<Value>> = read(json!({
        "object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"field": "messages", "value": {"messages": [{"id": "wamid.1"}]}}]}],
    }));
    assert_eq!((event.entry[0].id.as_str(), event.entry[0].changes[0].field.as_str()), ("1", "messages"));
    let events: LineEvents<Value> = read(json!({
        "destination": "Uc7472b39",
        "events": [{"type": "message", "webhookEventId": "01G1", "deliveryContext": {"isRedelivery": false}}],
    }));
    assert_eq!((events.destination.as_str(), events.events.len()), ("Uc7472b39", 1));
    let JsonBody(events) = read::<JsonBody<Vec<HubSpotEvent>>>(json!([{
        "eventId": 1, "subscriptionId": 12345, "portalId": 62515, "appId": 54321, "occurredAt": 1564113600000_i64,
        "subscriptionType": "contact.propertyChange", "attemptNumber": 0, "objectId": 1246978,
        "propertyName": "lifecyclestage", "propertyValue": "subscriber", "changeSource": "ACADEMY",
    }]));
    assert_eq!((events[0].object_id, events[0].property_name.as_deref()), (Some(1246978), Some("lifecyclestage")));
    let event: IntercomEvent<Value> = read(json!({
        "type": "notification_event", "app_id": "a1", "id": "notif_1", "topic": "user.tag.created", "links": {},
        "data": {"type": "notification_event_data", "item": {"type": "user_tag"}}, "delivery_attempts": 1,
        "first_sent_at": 1461165019, "created_at": 1461165019, "self": null,
    }));
    assert_eq!((event.id.as_deref(), &event.data.item["type"]), (Some("notif_1"), &json!("user_tag")));
    let call: DiscordInteraction<Value> = read(json!({
        "id": "786008729715212338", "application_id": "775799577604522054", "type": 2, "token": "A_UNIQUE_TOKEN",
        "version": 1, "guild_id": "290926798626357999", "channel_id": "645027906669510667", "data": {"name": "cardsearch"},
    }));
    assert!(!format!("{call:?}").contains("A_UNIQUE_TOKEN"), "{call:?}");
    assert_eq!((call.interaction_type, &call.data.unwrap()["name"]), (2, &json!("cardsearch")));
    let ping: DiscordInteraction<Value> =
        read(json!({"id": "1", "application_id": "2", "type": 1, "token": "t", "version": 1}));
    assert_eq!((ping.interaction_type, ping.data), (1, None));
    let message: SnsMessage = read(json!({
        "Type": "SubscriptionConfirmation", "MessageId": "m1", "TopicArn": "arn:aws:sns:eu-west-1:123456789012:orders",
        "Message": "You have chosen to subscribe", "Timestamp": "2012-04-26T20:45:04.751Z", "Token": "t",
        "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
    }));
    assert_eq!((message.message_id.as_str(), message.subject, message.subscribe_url.is_some()), ("m1", None, true));
    let update: TelegramUpdate<Value> = read(json!({"update_id": 10000, "message": {"text": "/start"}}));
    assert_eq!((update.update_id, &update.update["message"]["text"]), (10000, &json!("/start")));
}

#[test]
fn slack() {
    let ask = json!({"token": "t", "challenge": "3eZbrw1a", "type": "url_verification"});
    assert_eq!(read::<SlackEvent<Value>>(ask), SlackEvent::UrlVerification { challenge: "3eZbrw1a".into() });
    let called = json!({
        "token": "t", "team_id": "T1", "api_app_id": "A1", "event": {"type": "reaction_added", "user": "U1"},
        "type": "event_callback", "event_id": "Ev1", "event_time": 1234567890, "authorizations": [],
    });
    let SlackEvent::EventCallback(callback) = read::<SlackEvent<Value>>(&called) else { panic!("{called}") };
    assert_eq!((callback.event_id.as_str(), &callback.event["type"]), ("Ev1", &json!("reaction_added")));
    let limited = json!({"type": "app_rate_limited", "team_id": "T1", "minute_rate_limited": 1518467820});
    assert_eq!(read::<SlackEvent<Value>>(limited), SlackEvent::Other);
    let typed = "token=t&team_id=T1&channel_id=C1&user_id=U1&command=%2Fweather&text=94070&trigger_id=1.2.3&\
                 response_url=https%3A%2F%2Fhooks.slack.example%2F1";
    let JsonOrForm::Form(command) = read::<JsonOrForm<SlackEvent<Value>, SlackCommand>>(typed) else {
        panic!("{typed}")
    };
    assert_eq!((command.command.as_str(), command.text.as_str()), ("/weather", "94070"));
    assert!(!format!("{command:?}").contains("hooks.slack.example"), "{command:?}");
}

#[test]
fn twilio() {
    let sent = "MessageSid=SM1&SmsSid=SM1&AccountSid=AC1&From=%2B14017122661&To=%2B15558675310&Body=Ahoy%21&NumMedia=0";
    let FormBody(message) = read::<FormBody<TwilioMessage>>(sent);
    assert_eq!(
        (message.message_sid.as_str(), message.body.as_str(), message.from.as_str()),
        ("SM1", "Ahoy!", "+14017122661")
    );
    let called =
        "CallSid=CA1&AccountSid=AC1&From=%2B14017122661&To=%2B15558675310&CallStatus=ringing&Direction=inbound";
    let FormBody(call) = read::<FormBody<TwilioCall>>(called);
    assert_eq!((call.call_sid.as_str(), call.call_status.as_str()), ("CA1", "ringing"));
}
