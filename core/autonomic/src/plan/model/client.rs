//! Asking: one request, its retries, and what came back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use std::{env, fmt};

use knhk_resilience::retry::{self, Failure, retry_after};
use knhk_resilience::{Deadline, InvalidSetting, Retry, Scope};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use ureq::Agent;
use ureq::http::Response;

use super::{Caps, Spent, prompt, schema};
use crate::plan::{Flaw, Plan, PlanError, Proposer, Question};

/// The most characters of an error.
const SHOWN: usize = 500;
/// The most bytes of an answer that are read.
const ANSWER_BYTES: u64 = 1 << 20;

/// Where a model answers, and how it is asked.
#[derive(Clone, PartialEq)]
pub struct Endpoint {
    /// The base, such as `https://api.example.com/v1`; `/chat/completions` is added.
    pub url: String,
    /// The model's name there.
    pub model: String,
    /// The bearer token; none: none is sent.
    pub key: Option<String>,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// Attempts in all.
    pub attempts: u32,
    /// What may be spent.
    pub caps: Caps,
}

/// The key is not shown, nor what else may be one: whoever a URL names, and its query.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key.as_ref().map(|_| "…");
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("", &self.url));
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = host.rsplit('@').next().unwrap_or_default();
        f.debug_struct("Endpoint")
            .field("url", &format!("{scheme}://{host}{path}"))
            .field("model", &self.model)
            .field("key", &key)
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    /// The endpoint that the environment names ([`Endpoint::from_variables`]).
    ///
    /// # Errors
    /// As there.
    pub fn from_environment() -> Result<Option<Endpoint>, InvalidVariable> {
        Endpoint::from_variables(|name| env::var(name).ok())
    }

    /// The endpoint that variables name; none where `KNHK_MODEL_URL` or `KNHK_MODEL` is not set.
    ///
    /// | variable | what |
    /// |---|---|
    /// | `KNHK_MODEL_URL` | the base, such as `https://api.example.com/v1` |
    /// | `KNHK_MODEL` | the model's name there |
    /// | `KNHK_MODEL_KEY` | the bearer token, where one is needed |
    /// | `KNHK_MODEL_TIMEOUT_S` | how long one attempt may take; 30 |
    /// | `KNHK_MODEL_ATTEMPTS` | attempts in all, 1 to 100; 3 |
    /// | `KNHK_MODEL_ANSWER_TOKENS`, `KNHK_MODEL_TOKENS_PER_HOUR` | [`Caps`] on tokens; 2000, 100000 |
    /// | `KNHK_MODEL_QUESTION_PRICE`, `KNHK_MODEL_ANSWER_PRICE`, `KNHK_MODEL_COST_PER_HOUR` | prices of a million tokens, and the cap on their cost |
    ///
    /// # Errors
    /// A number that is none or out of its range: a cap that is misspelt would cap nothing. So is a cap on cost without a price.
    pub fn from_variables(of: impl Fn(&str) -> Option<String>) -> Result<Option<Endpoint>, InvalidVariable> {
        let set = |name: &'static str| of(name).filter(|value| !value.is_empty());
        let number = |name: &'static str, usual: f64, least: f64, most: f64| {
            let Some(text) = set(name) else { return Ok(usual) };
            let fits = |number: &f64| (least..=most).contains(number);
            text.trim().parse().ok().filter(fits).ok_or(InvalidVariable { name, least, most })
        };
        let (Some(url), Some(model)) = (set("KNHK_MODEL_URL"), set("KNHK_MODEL")) else { return Ok(None) };
        let usual = Caps::default();
        let tokens = |name, usual: u64| number(name, usual as f64, 1.0, 1e12).map(|number| number as u64);
        let price = |name| number(name, 0.0, 0.0, 1e9);
        let caps = Caps {
            answer_tokens: tokens("KNHK_MODEL_ANSWER_TOKENS", usual.answer_tokens)?,
            tokens_per_hour: tokens("KNHK_MODEL_TOKENS_PER_HOUR", usual.tokens_per_hour)?,
            question_price: price("KNHK_MODEL_QUESTION_PRICE")?,
            answer_price: price("KNHK_MODEL_ANSWER_PRICE")?,
            cost_per_hour: number("KNHK_MODEL_COST_PER_HOUR", f64::INFINITY, 0.0, 1e12)?,
        };
        if caps.cost_per_hour.is_finite() && caps.question_price + caps.answer_price == 0.0 {
            return Err(InvalidVariable { name: "KNHK_MODEL_ANSWER_PRICE", least: f64::MIN_POSITIVE, most: 1e9 });
        }
        Ok(Some(Endpoint {
            url,
            model,
            key: set("KNHK_MODEL_KEY"),
            timeout: Duration::from_secs_f64(number("KNHK_MODEL_TIMEOUT_S", 30.0, 0.001, 3600.0)?),
            attempts: number("KNHK_MODEL_ATTEMPTS", 3.0, 1.0, 100.0)? as u32,
            caps,
        }))
    }
}

/// A variable of the environment that does not say what it must.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{name} must be a number from {least} to {most}")]
pub struct InvalidVariable {
    /// Its name.
    pub name: &'static str,
    /// The smallest that it may be.
    pub least: f64,
    /// The largest.
    pub most: f64,
}

/// What was asked and answered, as a receipt states it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transcript {
    /// The model's name.
    pub model: String,
    /// SHA-256 of the request's body.
    pub prompt: [u8; 32],
    /// SHA-256 of the answer's body; none where none came.
    pub response: Option<[u8; 32]>,
    /// Attempts that were made.
    pub attempts: u32,
}

/// The proposer.
pub struct Model {
    endpoint: Endpoint,
    agent: Agent,
    retry: Retry,
    scope: Scope,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    spent: Spent,
    last: Option<Transcript>,
}

enum Failed {
    /// Another attempt may do better.
    Passing { why: String, after: Option<Duration> },
    /// No attempt will.
    Lasting(String),
}

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

impl Model {
    /// The proposer that asks `endpoint`. Pauses between attempts are by the scope's clock, and drawn from `seed`.
    ///
    /// # Errors
    /// [`InvalidSetting`] where the attempts are none, or more than 100.
    pub fn new(endpoint: Endpoint, seed: u64, scope: &Scope) -> Result<Model, InvalidSetting> {
        let settings = retry::Settings { attempts: endpoint.attempts, ..retry::Settings::default() };
        let retry = Retry::new(settings, seed, None, scope)?;
        let agent = Agent::config_builder()
            .timeout_global(Some(endpoint.timeout))
            .http_status_as_error(false)
            // A key must not follow to wherever an endpoint points.
            .max_redirects(0)
            .build()
            .new_agent();
        Ok(Model { endpoint, agent, retry, scope: scope.clone(), state: Mutex::default() })
    }

    /// What the last question and its answer were, for the receipt; none before the first.
    pub fn last(&self) -> Option<Transcript> {
        self.state().last.clone()
    }

    /// How long a question may take at most: all attempts, and the longest pauses between them.
    pub fn longest(&self) -> Duration {
        let one = self.endpoint.timeout.saturating_add(self.retry.settings().longest_retry_after);
        one.saturating_mul(self.endpoint.attempts)
    }

    /// What was spent in the hour that runs.
    pub fn spent(&self) -> Spent {
        self.state().spent
    }

    // Plain figures, whole whatever panicked while they were locked.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, why: impl Into<String>) -> PlanError {
        let mut why = why.into();
        // Errors are logged, and strangers' words are in them: one that repeats the key must not take it there.
        if let Some(key) = self.key() {
            why = why.replace(key, "…");
        }
        let why = why.chars().take(SHOWN).map(|one| if one.is_control() { ' ' } else { one }).collect();
        PlanError { proposer: format!("model {}", self.endpoint.model), why }
    }

    fn key(&self) -> Option<&str> {
        self.endpoint.key.as_deref().filter(|key| !key.is_empty())
    }

    /// One attempt: the answer's body.
    fn ask(&self, body: &str) -> Result<Vec<u8>, Failed> {
        let url = format!("{}/chat/completions", self.endpoint.url.trim_end_matches('/'));
        let mut request = self.agent.post(url).header("content-type", "application/json");
        if let Some(key) = &self.endpoint.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let passing = |why: String| Failed::Passing { why, after: None };
        let mut response = request.send(body).map_err(|error| passing(error.to_string()))?;
        let status = response.status();
        if !status.is_success() {
            let why = format!("the endpoint answered {status}");
            let passes = status.is_server_error() || matches!(status.as_u16(), 408 | 409 | 429);
            return Err(if passes {
                Failed::Passing { why, after: asked_pause(&response) }
            } else {
                Failed::Lasting(why)
            });
        }
        response.body_mut().with_config().limit(ANSWER_BYTES).read_to_vec().map_err(|error| passing(error.to_string()))
    }
}

fn asked_pause<T>(response: &Response<T>) -> Option<Duration> {
    retry_after(response.headers().get("retry-after")?.to_str().ok()?, SystemTime::now())
}

impl Proposer for Model {
    fn name(&self) -> &str {
        "model"
    }

    fn transcript(&self) -> Option<Transcript> {
        self.last()
    }

    fn propose(&self, question: &Question) -> Result<Option<Plan>, PlanError> {
        self.propose_unless(question, &AtomicBool::new(false))
    }

    fn propose_unless(&self, question: &Question, given_up: &AtomicBool) -> Result<Option<Plan>, PlanError> {
        if question.parameters.is_empty() {
            return Ok(None);
        }
        let form = json!({"name": "plan", "strict": true, "schema": schema(&question.parameters)});
        let body = json!({
            "model": self.endpoint.model,
            "messages": prompt(question),
            "response_format": {"type": "json_schema", "json_schema": form},
            "max_completion_tokens": self.endpoint.caps.answer_tokens,
        })
        .to_string();
        let mut transcript = Transcript {
            model: self.endpoint.model.clone(),
            prompt: digest(body.as_bytes()),
            response: None,
            attempts: 0,
        };
        let answer = self.retry.call(
            Deadline::NONE,
            |attempt| {
                if given_up.load(Ordering::Acquire) {
                    return Err(Failed::Lasting("nobody waits for its answer any more".into()));
                }
                let now = self.scope.clock().now_ns();
                let reserved = self.state().spent.reserve(&self.endpoint.caps, body.len() as u64, now);
                let reserved = reserved.map_err(Failed::Lasting)?;
                transcript.attempts = attempt;
                let answer = self.ask(&body)?;
                transcript.response = Some(digest(&answer));
                // An answer without its end is no answer.
                let completion: Completion = serde_json::from_slice(&answer)
                    .map_err(|error| Failed::Passing { why: format!("no completion: {error}"), after: None })?;
                let used = completion.usage.as_ref().map(|usage| (usage.prompt_tokens, usage.completion_tokens));
                self.state().spent.settle(&self.endpoint.caps, reserved, used);
                Ok(completion)
            },
            |failed| match failed {
                Failed::Lasting(_) => Failure::Permanent,
                Failed::Passing { after: Some(after), .. } => Failure::TransientAfter(*after),
                Failed::Passing { after: None, .. } => Failure::Transient,
            },
        );
        self.state().last = Some(transcript);
        let completion = answer.map_err(|exhausted| {
            let (Failed::Lasting(why) | Failed::Passing { why, .. }) = exhausted.error;
            self.error(why)
        })?;
        self.read(completion, question).map(Some)
    }
}

impl Model {
    /// The plan that an answer holds.
    fn read(&self, completion: Completion, question: &Question) -> Result<Plan, PlanError> {
        let Some(choice) = completion.choices.into_iter().next() else { return Err(self.error("it answered nothing")) };
        if let Some(refusal) = choice.message.refusal {
            return Err(self.error(format!("it refuses: {refusal}")));
        }
        if choice.finish_reason.as_deref().is_some_and(|reason| reason != "stop") {
            return Err(self.error("its answer was cut off"));
        }
        let content = choice.message.content.unwrap_or_default();
        let plan: Plan = serde_json::from_str(&content)
            .map_err(|error| self.error(format!("its answer is no plan: {error}: {content}")))?;
        plan.check(&question.parameters).map_err(|flaws| {
            let flaws: Vec<_> = flaws.iter().take(5).map(Flaw::to_string).collect();
            self.error(format!("its plan may not be: {}", flaws.join("; ")))
        })?;
        // What a plan says goes into receipts.
        let says =
            |key: &str| plan.changes.iter().map(|change| change.value.to_string()).any(|value| value.contains(key));
        if self.key().is_some_and(|key| plan.why.contains(key) || says(key)) {
            return Err(self.error("its plan repeats the key"));
        }
        Ok(plan)
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
