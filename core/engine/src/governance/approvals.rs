//! Approvals: what an approver signs, and what becomes of what they signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use knhk_governance::Need;
use knhk_governance::approval::{
    Approval, Approvers, Ballot, Change, Kind, Matter, Next, Relaxation, Request, Tally, Word,
};
use knhk_governance::guard::{Guard, Guards};
use knhk_ledger::{Entry, Evidence, Outcome, Signer};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::book::{APPROVERS, CHANGE, GUARDS, Kept, RELAXATION, entry, serialized};
use super::life::{Filed, only_sector};
use super::{Proposal, Watch};
use crate::control::hex;
use crate::{Engine, Error, Status};

/// How long a request may be signed and handed in, unless it says otherwise: a day.
const GOOD_NS: u64 = 24 * 3600 * 1_000_000_000;

/// How long a change of approvers or guards takes approvals: thirty days.
const OPEN_NS: u64 = 30 * GOOD_NS;

/// What an approver is asked to sign.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskApproval {
    /// What kind of thing is approved.
    pub kind: Kind,
    /// Which: `p-19`, `r-3`, `c-1`.
    pub id: String,
    /// Takes an approval back instead of giving one.
    #[serde(default)]
    pub withdraw: bool,
    /// The soft-mandatory rules that it overrides, such as `orders/four-eyes`; of a proposal alone.
    #[serde(default)]
    pub overrides: Vec<String>,
    /// From when on it is good for nothing, in nanoseconds since 1970 (UTC); a day from now if left out.
    #[serde(default)]
    pub expires_ns: Option<u64>,
}

/// A change of the approvers or the guards, and how far it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChangeInfo {
    /// Its name, such as `c-1`.
    pub id: String,
    /// Who asked for it.
    pub by: String,
    /// Why.
    pub why: String,
    /// What would be in force, or is.
    pub next: Next,
    /// Whether it is in force.
    pub in_force: bool,
    /// What it lacks.
    pub needs: Vec<Need>,
}

/// A thing that approvers were asked about, after they said something.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Approvable {
    /// A proposal.
    Proposal(Box<Proposal>),
    /// A relaxation.
    Relaxation(Box<Relaxation>),
    /// A change of the approvers or the guards.
    Change(Box<ChangeInfo>),
}

/// Signs what [`Engine::approval_request`] gave with an approver's key: its secret 32 bytes. Bytes that somebody else signed already get
/// another signature. No engine has a part in it, and no key leaves the process.
///
/// # Errors
/// `InvalidArgument` for what is no request and no approval.
pub fn sign_approval(bytes: &[u8], secret: &[u8; 32]) -> Result<Vec<u8>, Error> {
    let signer = Signer::from_seed(secret);
    match Request::from_bytes(bytes) {
        Ok(request) => Ok(request.sign(&signer)?),
        Err(not_a_request) => {
            let mut approval = Approval::from_bytes(bytes).map_err(|_| Error::from(not_a_request))?;
            approval.sign(&signer)?;
            Ok(approval.to_bytes())
        }
    }
}

impl Engine {
    /// What an approver signs to approve something, or to take an approval back: bytes for [`sign_approval`], or for any COSE library.
    ///
    /// # Errors
    /// `NotFound`; `InvalidArgument` for what takes no approvals any more.
    pub fn approval_request(&self, ask: &AskApproval) -> Result<Request, Error> {
        let now_ns = self.now_ns();
        let matter = match ask.kind {
            Kind::Proposal => {
                let filed = self.open_proposal(&ask.id)?;
                filed.tally.ok_or_else(|| not_run(&ask.id))?.matter
            }
            Kind::Relaxation => self.find::<Relaxation>(RELAXATION, &ask.id)?.body.tally.matter,
            Kind::Approvers | Kind::Guards => self.find::<Change>(CHANGE, &ask.id)?.body.tally.matter,
        };
        let word = if ask.withdraw { Word::Withdraw } else { Word::Approve };
        let expires_ns = ask.expires_ns.unwrap_or_else(|| now_ns.saturating_add(GOOD_NS));
        let mut nonce = [0; 16];
        random(&mut nonce)?;
        Ok(Request { overrides: ask.overrides.clone(), ..matter.request(word, nonce, now_ns, expires_ns) })
    }

    /// Takes what approvers signed, a COSE_Sign message of one of them or several: verified, recorded, and what it completes is done. Handing in
    /// the same twice changes nothing.
    ///
    /// # Errors
    /// `Unproven` for a signature that is not an approver's, `Refused` for an approval that may not be given (one's own request, twice, out
    /// of order, expired, of other content), `NotFound`, `InvalidArgument`; nothing was recorded then. `Io` when it cannot be recorded.
    pub fn approve(&self, signed: &[u8]) -> Result<Approvable, Error> {
        self.recording()?;
        let approval = Approval::from_bytes(signed)?;
        let id = approval.request.id.clone();
        match approval.request.kind {
            Kind::Proposal => {
                self.approve_proposal(&id, &approval, signed).map(|done| Approvable::Proposal(done.into()))
            }
            Kind::Relaxation => self.approve_relaxation(&id, &approval).map(|done| Approvable::Relaxation(done.into())),
            Kind::Approvers | Kind::Guards => {
                self.approve_change(&id, &approval).map(|done| Approvable::Change(done.into()))
            }
        }
    }

    /// Asks for another set of approvers. It comes into force once the threshold of the set in force and that of the new one have signed; the
    /// first one once its own has.
    ///
    /// # Errors
    /// `InvalidArgument` for a set that cannot be, or does not follow the one in force by one revision; `Io` when it cannot be recorded.
    pub fn change_approvers(&self, next: Approvers, by: &str, why: &str) -> Result<ChangeInfo, Error> {
        self.request_change(Next::Approvers(next.checked()?), by, why)
    }

    /// Asks for another set of guards. It comes into force once the approvers' threshold has signed, and of each guard that it takes away
    /// or alters whoever it would take to relax that guard; at once where there are no approvers.
    ///
    /// # Errors
    /// As [`Engine::change_approvers`].
    pub fn change_guards(&self, next: Guards, by: &str, why: &str) -> Result<ChangeInfo, Error> {
        self.request_change(Next::Guards(next.checked()?), by, why)
    }

    /// [`Engine::change_guards`] by one guard: added, or put in the place of the one of its name.
    ///
    /// # Errors
    /// As [`Engine::change_guards`].
    pub fn add_guard(&self, guard: Guard, by: &str, why: &str) -> Result<ChangeInfo, Error> {
        self.change_guards(self.guards()?.with(guard), by, why)
    }

    /// [`Engine::change_guards`] by one guard that goes.
    ///
    /// # Errors
    /// `NotFound` where there is none; else as [`Engine::change_guards`].
    pub fn remove_guard(&self, id: &str, by: &str, why: &str) -> Result<ChangeInfo, Error> {
        let guards = self.guards()?;
        if guards.get(id).is_none() {
            let message = format!("there is no guard {id:?}: `knhk guard` lists them");
            return Err(Error::new(Status::NotFound, "govern", id, message));
        }
        self.change_guards(guards.without(id), by, why)
    }

    /// Changes of the approvers and of the guards that are on their way, oldest first, each with what it lacks.
    ///
    /// # Errors
    /// As [`Engine::approvers`].
    pub fn changes_on_the_way(&self) -> Result<Vec<ChangeInfo>, Error> {
        let (approvers, guards, now_ns) = (self.approvers()?, self.guards()?, self.now_ns());
        let all = self.all::<Change>(CHANGE, true)?.into_iter();
        // One that ended, or that another overtook, is on its way no more.
        let lacks = |change: &Change| change.lacks(approvers.as_ref(), &guards, now_ns).ok();
        Ok(all.filter_map(|change| Some(ChangeInfo::of(change.clone(), lacks(&change)?, false))).collect())
    }

    /// What approvals of a proposal are about.
    pub(super) fn matter_of(&self, proposal: &Proposal, digest: [u8; 32]) -> Result<Matter, Error> {
        let log = match self.durable() {
            Ok(durable) => durable.history.ledger().keys()?.root().origin().to_owned(),
            Err(_) => String::new(),
        };
        Ok(Matter {
            log,
            kind: Kind::Proposal,
            id: proposal.id.clone(),
            digest,
            by: proposal.by.clone(),
            // Doctrine says who may approve what they asked for.
            own: true,
            groups: Vec::new(),
            requested_ns: proposal.time_ns,
            until_ns: u64::MAX,
        })
    }

    fn approve_proposal(&self, id: &str, approval: &Approval, signed: &[u8]) -> Result<Proposal, Error> {
        {
            let _turn = self.inner.governance.turn();
            let mut filed = self.open_proposal(id)?;
            let tally = filed.tally.clone().ok_or_else(|| not_run(id))?;
            let ballot = approval.verify(&[&self.approvers_or_nobody()?])?;
            if approval.request.word == Word::Approve {
                self.may_approve(&filed, &ballot)?;
            }
            let taken = tally.take(&ballot, self.now_ns())?;
            if taken.votes.len() == tally.votes.len() {
                return Ok(filed.proposal);
            }
            let entries = approvals(&filed.proposal, &tally, &taken, signed);
            filed.tally = Some(taken);
            filed.signed.push(STANDARD.encode(signed));
            self.keep_proposal(entries, &mut filed)?;
        }
        self.carry(id, None, None, Watch::nobody())
    }

    /// Whether doctrine lets those who signed approve.
    fn may_approve(&self, filed: &Filed, ballot: &Ballot) -> Result<(), Error> {
        let doctrine = self.doctrine_now()?;
        for one in self.candidates(&filed.proposal.id, &filed.proposal.asked(), self.now_ns())? {
            for voter in &ballot.voters {
                doctrine.may_approve(&one.candidate, &voter.name, &voter.groups).map_err(|finding| {
                    let message = format!("{}: {}; {}", finding.item, finding.what, finding.fix);
                    Error::new(Status::Refused, "govern", filed.proposal.id.clone(), message)
                })?;
            }
        }
        Ok(())
    }

    fn request_change(&self, next: Next, by: &str, why: &str) -> Result<ChangeInfo, Error> {
        self.recording()?;
        let _turn = self.inner.governance.turn();
        let (now_ns, id) = (self.now_ns(), self.next_id(CHANGE)?);
        let log = self.durable()?.history.ledger().keys()?.root().origin().to_owned();
        let change = Change::request(&log, &id, by, why, next, now_ns, now_ns.saturating_add(OPEN_NS));
        self.carry_change(&id, change)
    }

    fn approve_change(&self, id: &str, approval: &Approval) -> Result<ChangeInfo, Error> {
        let _turn = self.inner.governance.turn();
        let change = self.find::<Change>(CHANGE, id)?.body;
        let in_force = self.approvers()?;
        let ballot = approval.verify(&change.signers(in_force.as_ref()))?;
        let change = change.take(&ballot, self.now_ns())?;
        self.carry_change(id, change)
    }

    /// Keeps a change, and puts it into force where nothing is missing. Under the governance lock.
    fn carry_change(&self, id: &str, change: Change) -> Result<ChangeInfo, Error> {
        let now_ns = self.now_ns();
        let (approvers, guards) = (self.approvers()?, self.guards()?);
        let lacks = change.lacks(approvers.as_ref(), &guards, now_ns)?;
        let kept = |open| Kept { kind: CHANGE, id, sector: None, open };
        let body = serialized(&change);
        if !lacks.is_empty() {
            let what = match &change.next {
                Next::Approvers(next) => format!("approvers {} asked for ({id})", next.revision),
                Next::Guards(next) => format!("guards {} asked for ({id})", next.revision),
            };
            let (by, why) = (change.tally.matter.by.clone(), change.why.clone());
            let asked = entry(now_ns, None, Outcome::Pending, Evidence::SectorUpdated { change: what, by, why });
            self.keep(vec![asked], |_| vec![(kept(true), body)])?;
            return Ok(ChangeInfo::of(change, lacks, false));
        }
        let (kind, entries, set) = match &change.next {
            Next::Approvers(next) => (APPROVERS, vec![approvers_changed(&change, next, now_ns)], serialized(next)),
            Next::Guards(next) => (GUARDS, guards_changed(&change, &guards, next, now_ns), serialized(next)),
        };
        let in_force = Kept { kind, id: kind.name, sector: None, open: true };
        self.keep(entries, |_| vec![(in_force, set), (kept(false), body)])?;
        self.inner.governance.moved();
        Ok(ChangeInfo::of(change, Vec::new(), true))
    }
}

impl ChangeInfo {
    fn of(change: Change, needs: Vec<Need>, in_force: bool) -> ChangeInfo {
        let Change { next, why, tally } = change;
        ChangeInfo { id: tally.matter.id, by: tally.matter.by, why, next, in_force, needs }
    }
}

/// Fills it from the system's random source.
pub(super) fn random(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes)
        .map_err(|error| Error::new(Status::System, "govern", "", format!("the system gives no random bytes: {error}")))
}

/// A request for people: what whoever signs it says.
pub(super) fn spoken(request: &Request) -> String {
    let Request { log, kind, id, digest, word, issued_ns, expires_ns, overrides, .. } = request;
    let mut text = format!("{} {} {id} of {log}, content {}", word.as_str(), kind.as_str(), hex(digest));
    if !overrides.is_empty() {
        text += &format!(", overriding {}", overrides.join(", "));
    }
    text + &format!("; asked for at {issued_ns}, good until {expires_ns} (nanoseconds since 1970)")
}

fn not_run(id: &str) -> Error {
    let message = format!("proposal {id} was not run yet: look at it again in a moment");
    Error::new(Status::Busy, "govern", id, message)
}

/// A receipt of each word that came.
fn approvals(proposal: &Proposal, before: &Tally, after: &Tally, signed: &[u8]) -> Vec<Entry> {
    let approval = Sha256::digest(signed).into();
    let of = |vote: &knhk_governance::approval::Vote| {
        let outcome = if vote.word == Word::Approve { Outcome::Approved } else { Outcome::Rejected };
        let (by, request) = (vote.by.clone(), after.matter.digest);
        let evidence = Evidence::ProposalApproved { proposal: proposal.id.clone(), by, request, approval };
        let links = proposal.receipts.first().cloned().into_iter().collect();
        Entry { links, ..entry(vote.time_ns, only_sector(proposal), outcome, evidence) }
    };
    after.votes[before.votes.len()..].iter().map(of).collect()
}

fn approvers_changed(change: &Change, next: &Approvers, now_ns: u64) -> Entry {
    let (by, why) = (change.tally.matter.by.clone(), change.why.clone());
    let evidence = Evidence::ApproversChanged { revision: next.revision, body: next.digest(), by, why };
    entry(now_ns, None, Outcome::Approved, evidence)
}

/// A receipt of each guard that comes, is altered, or goes.
fn guards_changed(change: &Change, before: &Guards, next: &Guards, now_ns: u64) -> Vec<Entry> {
    let (by, why, revision) = (&change.tally.matter.by, &change.why, next.revision);
    let added = next.guards.iter().filter(|guard| !before.guards.contains(guard)).map(|guard| {
        let (by, why) = (by.clone(), why.clone());
        let evidence = Evidence::GuardAdded { guard: guard.id.clone(), revision, body: guard.hash(), by, why };
        entry(now_ns, guard.sector.as_deref(), Outcome::Approved, evidence)
    });
    let gone = before.guards.iter().filter(|guard| !next.guards.iter().any(|other| other.id == guard.id));
    let removed = gone.map(|guard| {
        let (by, why) = (by.clone(), why.clone());
        let evidence = Evidence::GuardRemoved { guard: guard.id.clone(), revision, by, why };
        entry(now_ns, guard.sector.as_deref(), Outcome::Approved, evidence)
    });
    added.chain(removed).collect()
}
