//! An account: its payment intents, its refunds, and the requests that it remembers.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::{
    Step,
    answer::Answer,
    fault::Faults,
    request::{Form, Request},
};

/// An account.
#[derive(Default)]
pub struct Account {
    /// What is to go wrong.
    pub faults: Faults,
    /// What was asked, by the payment that it was for.
    pub requests: Vec<(i64, Request)>,
    intents: Vec<Value>,
    refunds: Vec<Value>,
    kept: HashMap<String, Kept>,
    locked: HashSet<String>,
    refund_status: HashMap<i64, String>,
    forgotten: HashSet<i64>,
}

/// What is kept under an idempotency key.
struct Kept {
    path: String,
    form: Form,
    /// `None` while the request is under way.
    answer: Option<Answer>,
}

impl Account {
    /// The payment that a request is for; 0 for none that is known.
    pub fn payment_of(&self, request: &Request) -> i64 {
        let of_intent = |id: &str| self.intents.iter().find(|intent| intent["id"] == id).and_then(payment_of);
        let of_refund = |id: &str| {
            let refund = self.refunds.iter().find(|refund| refund["id"] == id)?;
            of_intent(refund["payment_intent"].as_str()?)
        };
        let payment = match request.step {
            Step::Create => request.parameter("metadata[shop_payment_id]").parse().ok(),
            Step::Refund | Step::List => of_intent(request.parameter("payment_intent")),
            Step::ReadRefund => of_refund(request.id()),
            Step::Confirm | Step::Read | Step::Cancel => of_intent(request.id()),
        };
        payment.unwrap_or_default()
    }

    /// The answer that a request has already, by its idempotency key or because another is at the same intent.
    pub fn known(&self, request: &Request) -> Option<Answer> {
        let kept = request.idempotency_key.as_ref().and_then(|key| self.kept.get(key));
        match kept {
            Some(kept) if (&kept.path, &kept.form) != (&request.path, &request.form) => Some(Answer::used_otherwise()),
            Some(Kept { answer: None, .. }) => Some(Answer::in_use()),
            Some(Kept { answer: Some(answer), .. }) => Some(Answer { replayed: true, ..answer.clone() }),
            None => (changes_intent(request) && self.locked.contains(request.id())).then(Answer::locked),
        }
    }

    /// Begins a request: from now on its idempotency key is used, and its intent is for nobody else.
    pub fn begin(&mut self, request: &Request) {
        if let Some(key) = &request.idempotency_key {
            let kept = Kept { path: request.path.clone(), form: request.form.clone(), answer: None };
            self.kept.insert(key.clone(), kept);
        }
        if changes_intent(request) {
            self.locked.insert(request.id().to_owned());
        }
    }

    /// Ends a request that was begun; its answer is kept under its key.
    pub fn end(&mut self, request: &Request, answer: &Answer) {
        self.locked.remove(request.id());
        if self.forgotten.contains(&self.payment_of(request)) {
            self.kept.retain(|key, _| request.idempotency_key.as_ref() != Some(key));
        }
        if let Some(kept) = request.idempotency_key.as_ref().and_then(|key| self.kept.get_mut(key)) {
            kept.answer = Some(answer.clone());
        }
    }

    /// Does what is asked.
    pub fn act(&mut self, request: &Request) -> Answer {
        match request.step {
            Step::Create => self.create(request),
            Step::Confirm => self.confirm(request),
            Step::Read => self.read(request.id()),
            Step::Cancel => self.cancel(request.id()),
            Step::Refund => self.refund(request),
            Step::ReadRefund => {
                let refund = self.refunds.iter().find(|refund| refund["id"] == request.id());
                refund.cloned().map_or_else(|| missing("refund"), Answer::ok)
            }
            Step::List => self.list(request),
        }
    }

    /// See [`super::Stripe::intents`].
    pub fn intents_of(&self, payment: i64) -> Vec<Value> {
        self.intents.iter().filter(|intent| is_of(intent, payment)).cloned().collect()
    }

    /// See [`super::Stripe::refunds`].
    pub fn refunds_of(&self, payment: i64) -> Vec<Value> {
        let intents: Vec<Value> = self.intents_of(payment).iter().map(|intent| intent["id"].clone()).collect();
        self.refunds.iter().filter(|refund| intents.contains(&refund["payment_intent"])).cloned().collect()
    }

    /// See [`super::Stripe::refunds_become`].
    pub fn refunds_become(&mut self, payment: i64, status: &str) {
        self.refund_status.insert(payment, status.to_owned());
        let made: Vec<Value> = self.refunds_of(payment).iter().map(|refund| refund["id"].clone()).collect();
        for refund in self.refunds.iter_mut().filter(|refund| made.contains(&refund["id"])) {
            set_status(refund, status);
        }
    }

    /// See [`super::Stripe::forgets_requests`].
    pub fn forget_requests(&mut self, payment: i64) {
        self.forgotten.insert(payment);
    }

    /// See [`super::Stripe::customer_acts`].
    pub fn customer_acts(&mut self, payment: i64, well: bool) -> Value {
        let waits = |intent: &&mut Value| is_of(intent, payment) && intent["status"] == "requires_action";
        let intent = self.intents.iter_mut().find(waits).expect("an intent that waits for its customer");
        intent["next_action"] = Value::Null;
        if well {
            intent["status"] = "succeeded".into();
        } else {
            decline(intent, "payment_intent_authentication_failure", None);
        }
        intent.clone()
    }

    fn create(&mut self, request: &Request) -> Answer {
        let (amount, currency) = (request.parameter("amount").parse::<i64>(), request.parameter("currency"));
        let Ok(amount) = amount else {
            return Answer::invalid(400, "parameter_invalid_integer", "amount", "Invalid integer");
        };
        if amount < 50 {
            return Answer::invalid(400, "amount_too_small", "amount", "Amount must be at least €0.50 eur");
        }
        if currency.len() != 3 || currency.to_lowercase() != currency {
            return Answer::invalid(400, "invalid_currency", "currency", "Invalid currency");
        }
        let intent = json!({
            "id": format!("pi_{}", self.intents.len() + 1),
            "object": "payment_intent",
            "amount": amount,
            "currency": currency,
            "status": "requires_payment_method",
            "last_payment_error": null,
            "next_action": null,
            "livemode": false,
            "allow_redirects": request.parameter("automatic_payment_methods[allow_redirects]"),
            "metadata": {
                "shop_key": request.parameter("metadata[shop_key]"),
                "shop_payment_id": request.parameter("metadata[shop_payment_id]"),
            },
        });
        self.intents.push(intent.clone());
        Answer::ok(intent)
    }

    fn confirm(&mut self, request: &Request) -> Answer {
        let Some(intent) = self.intents.iter_mut().find(|intent| intent["id"] == request.id()) else {
            return missing("intent");
        };
        if intent["status"] != "requires_payment_method" {
            return Answer::unexpected_state(intent);
        }
        let returns = request.parameter("return_url");
        if returns.is_empty() && intent["allow_redirects"] != "never" {
            return Answer::invalid(400, "", "return_url", "a return_url must be specified");
        }
        let tokens = ["payment_method", "payment_method_data[card][token]", "confirmation_token"];
        let (name, token) = tokens
            .map(|name| (name, request.parameter(name)))
            .into_iter()
            .max_by_key(|(_, t)| t.len())
            .expect("one of three");
        match token {
            "pm_card_visa" | "tok_visa" | "ctoken_visa" => intent["status"] = "succeeded".into(),
            "pm_sepa_debit" => intent["status"] = "processing".into(),
            "pm_card_authenticationRequired" if !returns.is_empty() => {
                intent["status"] = "requires_action".into();
                let url = format!("https://hooks.stripe.com/3d_secure_2/{}", request.id());
                intent["next_action"] =
                    json!({"type": "redirect_to_url", "redirect_to_url": {"return_url": returns, "url": url}});
            }
            "pm_card_authenticationRequired" => {
                decline(intent, "authentication_required", None);
                return Answer::declined("authentication_required", intent);
            }
            "pm_card_chargeDeclinedInsufficientFunds" | "pm_card_chargeDeclinedStolenCard" => {
                let reason = if token.ends_with("StolenCard") { "stolen_card" } else { "insufficient_funds" };
                decline(intent, "card_declined", Some(reason));
                return Answer::declined(reason, intent);
            }
            _ => return Answer::invalid(400, "resource_missing", name, &format!("No such token: '{token}'")),
        }
        Answer::ok(intent.clone())
    }

    fn read(&self, id: &str) -> Answer {
        let intent = self.intents.iter().find(|intent| intent["id"] == id);
        intent.cloned().map_or_else(|| missing("intent"), Answer::ok)
    }

    fn cancel(&mut self, id: &str) -> Answer {
        let Some(intent) = self.intents.iter_mut().find(|intent| intent["id"] == id) else {
            return missing("intent");
        };
        if ["succeeded", "canceled", "processing"].iter().any(|over| intent["status"] == *over) {
            return Answer::unexpected_state(intent);
        }
        intent["status"] = "canceled".into();
        Answer::ok(intent.clone())
    }

    fn refund(&mut self, request: &Request) -> Answer {
        let payment = self.payment_of(request);
        let id = request.parameter("payment_intent");
        let Some(intent) = self.intents.iter().find(|intent| intent["id"] == id && intent["status"] == "succeeded")
        else {
            return missing("payment_intent");
        };
        let amount: i64 = request.parameter("amount").parse().unwrap_or_default();
        let before: i64 = self.refunds_of(payment).iter().filter_map(|refund| refund["amount"].as_i64()).sum();
        if amount < 1 || before + amount > intent["amount"].as_i64().expect("an amount") {
            return Answer::invalid(400, "charge_already_refunded", "", "Charge has already been refunded.");
        }
        let mut refund = json!({
            "id": format!("re_{}", self.refunds.len() + 1),
            "object": "refund",
            "amount": amount,
            "payment_intent": id,
            "metadata": {"shop_key": request.parameter("metadata[shop_key]")},
        });
        set_status(&mut refund, self.refund_status.get(&payment).map_or("succeeded", String::as_str));
        self.refunds.push(refund.clone());
        Answer::ok(refund)
    }

    /// The newest first, a page at a time.
    fn list(&self, request: &Request) -> Answer {
        let of = |refund: &&Value| refund["payment_intent"] == request.parameter("payment_intent");
        let after = request.parameter("starting_after");
        let all: Vec<&Value> = self.refunds.iter().rev().filter(of).collect();
        let begin = all.iter().position(|refund| refund["id"] == after).map_or(0, |at| at + 1);
        let limit = request.parameter("limit").parse().unwrap_or(10);
        let page: Vec<&&Value> = all.iter().skip(begin).take(limit).collect();
        Answer::ok(json!({"object": "list", "data": page, "has_more": begin + page.len() < all.len()}))
    }
}

fn is_of(intent: &Value, payment: i64) -> bool {
    payment_of(intent) == Some(payment)
}

fn payment_of(intent: &Value) -> Option<i64> {
    intent["metadata"]["shop_payment_id"].as_str()?.parse().ok()
}

fn changes_intent(request: &Request) -> bool {
    matches!(request.step, Step::Confirm | Step::Cancel)
}

fn decline(intent: &mut Value, code: &str, decline_code: Option<&str>) {
    intent["status"] = "requires_payment_method".into();
    intent["last_payment_error"] = json!({"type": "card_error", "code": code, "decline_code": decline_code});
}

fn set_status(refund: &mut Value, status: &str) {
    refund["status"] = status.into();
    refund["failure_reason"] = if status == "failed" { "expired_or_canceled_card".into() } else { Value::Null };
}

fn missing(param: &str) -> Answer {
    Answer::invalid(404, "resource_missing", param, "No such object")
}
