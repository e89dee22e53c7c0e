//! The one way into governance for texts: a verb and a request as JSON, an answer as JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use knhk_governance::approval::{Approvers, Relaxation, State};
use knhk_governance::doctrine::{Rule, RuleRevision, rules_from_toml};
use knhk_governance::guard::{Guard, Guards};
use knhk_governance::{Need, Test};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Approvable, ApprovalGiven, AskApproval, Bisect, BlameOf, Merge, ProposalQuery, Propose, Relax, SectorChange, Trial,
    Watch,
};
use crate::control::hex;
use crate::{Engine, Error, Status};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Empty {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    id: String,
    #[serde(default)]
    by: String,
    #[serde(default)]
    why: String,
}

/// Something that people write as JSON or as TOML, handed in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    #[serde(default)]
    rule: Option<Value>,
    #[serde(default)]
    guard: Option<Value>,
    #[serde(default)]
    guards: Option<Value>,
    #[serde(default)]
    approvers: Option<Value>,
    #[serde(default)]
    toml: Option<String>,
    #[serde(default)]
    by: String,
    #[serde(default)]
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    #[serde(default)]
    sector: Option<String>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    open: bool,
    #[serde(default)]
    valid_ns: Option<u64>,
    #[serde(default)]
    decided_ns: Option<u64>,
}

/// A relaxation as it travels.
#[derive(Serialize)]
struct RelaxationInfo<'r> {
    id: &'r str,
    state: State,
    guard: &'r str,
    sector: Option<&'r str>,
    proposal: Option<&'r str>,
    by: &'r str,
    why: &'r str,
    requested_ns: u64,
    until_ns: u64,
    approvals: Vec<ApprovalGiven>,
    need: Need,
}

impl Engine {
    /// Does what a verb asks for. Requests and answers are those of `docs/governance.md`; a field that a request does not know is refused.
    ///
    /// # Errors
    /// `InvalidArgument` for an unknown verb or a malformed request; else what the verb's own method says.
    pub fn govern(&self, verb: &str, request: Value) -> Result<Value, Error> {
        self.govern_watched(verb, request, Watch::nobody())
    }

    /// [`Engine::govern`] in the way of [`Engine::propose_watched`], as far as the verb has stages run: `propose` and `check`.
    ///
    /// # Errors
    /// As [`Engine::govern`].
    pub fn govern_watched(&self, verb: &str, request: Value, watch: Watch<'_>) -> Result<Value, Error> {
        match verb {
            "propose" => value(&self.propose_watched(&read::<Propose>(verb, request)?, watch)?),
            "check" => {
                let reports = self.check_watched(&read::<Propose>(verb, request)?, watch)?;
                Ok(json!({ "text": super::rendered(&reports), "reports": value(&reports)? }))
            }
            "proposals" => Ok(json!({ "proposals": value(&self.proposals(&read::<ProposalQuery>(verb, request)?)?)? })),
            "proposal" => value(&self.proposal(&read::<Named>(verb, request)?.id)?),
            "enact" => {
                let Named { id, by, .. } = read(verb, request)?;
                value(&self.enact(&id, &by)?)
            }
            "withdraw" => {
                let Named { id, by, why } = read(verb, request)?;
                value(&self.withdraw(&id, &by, &why)?)
            }
            "approval_request" => {
                let request = self.approval_request(&read::<AskApproval>(verb, request)?)?;
                Ok(
                    json!({ "payload": STANDARD.encode(request.to_bytes()), "text": super::approvals::spoken(&request) }),
                )
            }
            "approve" => {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Approve {
                    approval: String,
                }
                let Approve { approval } = read(verb, request)?;
                match self.approve(&bytes("approval", &approval)?)? {
                    Approvable::Proposal(proposal) => Ok(json!({ "proposal": value(&proposal)? })),
                    Approvable::Relaxation(relaxation) => Ok(json!({ "relaxation": self.told(&relaxation)? })),
                    Approvable::Change(change) => Ok(json!({ "change": value(&change)? })),
                }
            }
            "relax" => self.told(&self.relax(&read::<Relax>(verb, request)?)?),
            "revoke" => {
                let Named { id, by, why } = read(verb, request)?;
                self.told(&self.revoke(&id, &by, &why)?)
            }
            "relaxations" => {
                let open = read::<Listed>(verb, request)?.open;
                let all = self.relaxations(open)?;
                let told = all.iter().map(|(relaxation, _)| self.told(relaxation)).collect::<Result<Vec<_>, _>>()?;
                Ok(json!({ "relaxations": told }))
            }
            "approvers" => {
                let Empty {} = read(verb, request)?;
                Ok(json!({ "approvers": value(&self.approvers()?)? }))
            }
            "change_approvers" => {
                let given: Given = read(verb, request)?;
                let next = match (given.approvers, given.toml) {
                    (Some(json), None) => Approvers::from_json(&json.to_string())?,
                    (None, Some(toml)) => Approvers::from_toml(&toml)?,
                    _ => return Err(wrong(verb, "give `approvers`, or `toml`")),
                };
                value(&self.change_approvers(next, &given.by, &given.why)?)
            }
            "guards" => {
                let sector = read::<Listed>(verb, request)?.sector;
                let mut guards = self.guards()?;
                let guards_it = |guard: &Guard| match (&sector, &guard.sector) {
                    (Some(sector), Some(of)) => sector == of,
                    _ => true,
                };
                guards.guards.retain(guards_it);
                Ok(json!({ "guards": value(&guards)? }))
            }
            "change_guards" => {
                let given: Given = read(verb, request)?;
                let next = match (given.guards, given.toml) {
                    (Some(json), None) => Guards::from_json(&json.to_string())?,
                    (None, Some(toml)) => Guards::from_toml(&toml)?,
                    _ => return Err(wrong(verb, "give `guards`, or `toml`")),
                };
                value(&self.change_guards(next, &given.by, &given.why)?)
            }
            "add_guard" => {
                let given: Given = read(verb, request)?;
                let guard = given.guard.ok_or_else(|| wrong(verb, "give `guard`"))?;
                value(&self.add_guard(Guard::from_json(&guard.to_string())?, &given.by, &given.why)?)
            }
            "remove_guard" => {
                let Named { id, by, why } = read(verb, request)?;
                value(&self.remove_guard(&id, &by, &why)?)
            }
            "changes" => {
                let Empty {} = read(verb, request)?;
                Ok(json!({ "changes": value(&self.changes_on_the_way()?)? }))
            }
            "add_rule" => {
                let given: Given = read(verb, request)?;
                let rules = match (given.rule, given.toml) {
                    (Some(json), None) => vec![Rule::from_json(&json.to_string())?],
                    (None, Some(toml)) => rules_from_toml(&toml)?,
                    _ => return Err(wrong(verb, "give `rule`, or `toml`")),
                };
                Ok(json!({ "rules": rules_told(&self.add_rules(&rules, &given.by, &given.why)?)? }))
            }
            "remove_rule" => {
                let Named { id, by, why } = read(verb, request)?;
                Ok(json!({ "rule": value(&self.remove_rule(&id, &by, &why)?)? }))
            }
            "rules" => {
                let Listed { sector, valid_ns, decided_ns, .. } = read(verb, request)?;
                let rules = self.rules(sector.as_deref(), valid_ns, decided_ns)?;
                Ok(json!({ "rules": rules_told(&rules)?, "hash": hex(&self.doctrine_hash(valid_ns, decided_ns)?) }))
            }
            "doctrine_log" => {
                let id = read::<Listed>(verb, request)?.id;
                Ok(json!({ "revisions": rules_told(&self.doctrine_log(id.as_deref())?)? }))
            }
            "rollback_doctrine" => {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Back {
                    to_ns: u64,
                    #[serde(default)]
                    by: String,
                    #[serde(default)]
                    why: String,
                }
                let Back { to_ns, by, why } = read(verb, request)?;
                Ok(json!({ "revisions": rules_told(&self.rollback_doctrine(to_ns, &by, &why)?)? }))
            }
            "clean_up_doctrine" => {
                let Empty {} = read(verb, request)?;
                Ok(json!({ "revisions": rules_told(&self.clean_up_doctrine()?)? }))
            }
            "violations" => {
                let sector = read::<Listed>(verb, request)?.sector;
                Ok(json!({ "violations": value(&self.violations(sector.as_deref())?)? }))
            }
            "shadow" => {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Make {
                    changes: Vec<SectorChange>,
                    #[serde(default)]
                    by: String,
                }
                let Make { changes, by } = read(verb, request)?;
                value(&self.shadow(&changes, &by)?)
            }
            "shadow_test" => {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Try {
                    id: String,
                    #[serde(default)]
                    sector: Option<String>,
                    tests: Vec<Test>,
                }
                let Try { id, sector, tests } = read(verb, request)?;
                Ok(json!({ "results": value(&self.shadow_test(&id, sector.as_deref(), &tests)?)? }))
            }
            "shadows" => {
                let Empty {} = read(verb, request)?;
                Ok(json!({ "shadows": value(&self.shadows()?)? }))
            }
            "drop_shadow" => {
                self.drop_shadow(&read::<Named>(verb, request)?.id)?;
                Ok(json!({ "dropped": true }))
            }
            "codegen" => {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Generate {
                    sector: String,
                    language: String,
                    #[serde(default)]
                    version: Option<String>,
                    #[serde(default)]
                    only: Vec<String>,
                }
                let Generate { sector, language, version, only } = read(verb, request)?;
                let only: Vec<&str> = only.iter().map(String::as_str).collect();
                value(&self.generate_keys(&sector, &language, version.as_deref(), &only)?)
            }
            "recompose" => {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Recompose {
                    #[serde(default)]
                    by: String,
                    #[serde(default)]
                    why: String,
                }
                let Recompose { by, why } = read(verb, request)?;
                Ok(json!({ "proposal": value(&self.recompose(&by, &why)?)? }))
            }
            "merge" => value(&self.merge(&read::<Merge>(verb, request)?)?),
            "bisect" => self.govern_bisect(verb, request),
            "blame" => {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Blame {
                    sector: String,
                    #[serde(default)]
                    version: Option<String>,
                    #[serde(default)]
                    path: Option<String>,
                    #[serde(default)]
                    statement: Option<String>,
                }
                let Blame { sector, version, path, statement } = read(verb, request)?;
                let of = match (&path, &statement) {
                    (Some(path), None) => BlameOf::Path(path),
                    (None, Some(statement)) => BlameOf::Statement(statement),
                    (None, None) => BlameOf::Everything,
                    _ => return Err(wrong(verb, "give `path` or `statement`, not both")),
                };
                Ok(json!({ "entries": value(&self.blame(&sector, version.as_deref(), of)?)? }))
            }
            "loop_start" | "loop_stop" | "loop_step" | "loop_status" | "patterns" | "cycles" | "cycle"
            | "knowledge" | "replay" | "export_knowledge" | "import_knowledge" => self.govern_loop(verb, request),
            _ => self.govern_live(verb, request).unwrap_or_else(|| Err(unknown(verb))),
        }
    }

    /// A search begun by `good` and `bad`, done at once where there is a condition `where`, or gone on with by `state`, `version`, `trial`.
    fn govern_bisect(&self, verb: &str, request: Value) -> Result<Value, Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Search {
            #[serde(default)]
            sector: Option<String>,
            #[serde(default)]
            good: Option<String>,
            #[serde(default)]
            bad: Option<String>,
            #[serde(default, rename = "where")]
            condition: Option<String>,
            #[serde(default)]
            state: Option<Bisect>,
            #[serde(default)]
            version: Option<u64>,
            #[serde(default)]
            trial: Option<Trial>,
        }
        match read(verb, request)? {
            Search { sector: Some(sector), good: Some(good), bad, condition: Some(condition), state: None, .. } => {
                let bad = bad.as_deref().unwrap_or("current");
                let culprit = self.bisect_where(&sector, &good, bad, &condition)?;
                Ok(json!({ "culprit": value(&culprit)?, "text": culprit.to_string() }))
            }
            Search { sector: Some(sector), good: Some(good), bad, condition: None, state: None, .. } => {
                value(&self.begin_bisect(&sector, &good, bad.as_deref().unwrap_or("current"))?)
            }
            Search { state: Some(state), version: Some(version), trial: Some(trial), .. } => {
                value(&self.go_on_bisecting(state, version, trial)?)
            }
            _ => Err(wrong(verb, "give `sector` and `good`, or `state`, `version` and `trial`")),
        }
    }

    fn told(&self, relaxation: &Relaxation) -> Result<Value, Error> {
        let (approvers, now_ns, asked) = (self.approvers_or_nobody()?, self.now_ns(), &relaxation.asked);
        value(&RelaxationInfo {
            id: &asked.id,
            state: relaxation.state(&approvers, now_ns),
            guard: &asked.guard,
            sector: asked.sector.as_deref(),
            proposal: asked.proposal.as_deref(),
            by: &asked.by,
            why: &asked.why,
            requested_ns: asked.requested_ns,
            until_ns: asked.until_ns,
            approvals: relaxation.tally.approved(&approvers, now_ns).iter().map(ApprovalGiven::from).collect(),
            need: relaxation.need(&approvers, now_ns),
        })
    }
}

fn rules_told(revisions: &[RuleRevision]) -> Result<Value, Error> {
    value(&revisions)
}

pub(crate) fn read<T: DeserializeOwned>(verb: &str, request: Value) -> Result<T, Error> {
    // Nothing at all is an object of nothing.
    let request = if request.is_null() { json!({}) } else { request };
    serde_json::from_value(request).map_err(|error| wrong(verb, &format!("{verb} takes another request: {error}")))
}

pub(crate) fn value<T: Serialize + ?Sized>(answer: &T) -> Result<Value, Error> {
    serde_json::to_value(answer).map_err(|error| Error::new(Status::System, "govern", "", error.to_string()))
}

pub(super) fn bytes(field: &str, text: &str) -> Result<Vec<u8>, Error> {
    STANDARD.decode(text).map_err(|error| wrong(field, &format!("`{field}` is not base64: {error}")))
}

pub(super) fn wrong(item: &str, message: &str) -> Error {
    Error::new(Status::InvalidArgument, "govern", item, message)
}

pub(crate) fn unknown(verb: &str) -> Error {
    wrong(verb, &format!("there is no verb {verb:?} of governance: docs/governance.md lists them"))
}
