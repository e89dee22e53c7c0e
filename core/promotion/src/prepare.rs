//! Preparing a version: what a sector's knowledge becomes, checked and compiled. Under the sector's lock, and nothing that others see changes.

use std::sync::Arc;
use std::time::Instant;

use knhk_ontology::shacl::Severity;
use knhk_ontology::{Compiled, Incompatibility, Snapshot, Text, check_compatible, compile_change, compile_snapshot};

use crate::content::{Changes, TextRead};
use crate::{Content, Phases, PromotionError, Sector, State, Version};

/// What a sector is to become.
#[derive(Debug)]
pub enum Step {
    /// What a content makes of it.
    Content(Content),
    /// A version of its history again.
    Back(Arc<Version>),
    /// A version that the history no longer holds again: its number, and its content, which whoever keeps older ones gave back.
    BackToStored(u64, Arc<Snapshot>),
}

impl Step {
    /// The version that it goes back to.
    pub fn rollback_of(&self) -> Option<u64> {
        match self {
            Step::Content(_) => None,
            Step::Back(version) => Some(version.number),
            Step::BackToStored(number, _) => Some(*number),
        }
    }
}

/// What a step makes of a sector.
pub(crate) struct Prepared {
    pub snapshot: Arc<Snapshot>,
    pub compiled: Arc<Compiled>,
    pub rollback_of: Option<u64>,
    /// The knowledge that it takes the place of.
    pub before: Option<Arc<Snapshot>>,
    /// Promises to programs that a declared major version takes back.
    pub broken: Vec<Incompatibility>,
    /// The JSON text that it comes from.
    pub text: Option<Text>,
}

impl Prepared {
    pub(crate) fn new(
        sector: &Sector,
        state: &mut State,
        step: Step,
        major: bool,
        phases: &mut Phases,
    ) -> Result<Prepared, PromotionError> {
        match step {
            Step::Content(content) => Prepared::changed(sector, state, content, major, phases),
            Step::Back(version) => Ok(Prepared {
                snapshot: version.snapshot.clone(),
                compiled: version.compiled.clone(),
                rollback_of: Some(version.number),
                before: state.current().map(|current| current.snapshot.clone()),
                broken: Vec::new(),
                text: None,
            }),
            Step::BackToStored(number, snapshot) => {
                let begun = Instant::now();
                let current = state.current().cloned();
                let artifact = current.as_ref().map(|current| &**current.artifact());
                let compiled = Arc::new(compile_snapshot(&snapshot, &mut state.keys, artifact)?);
                phases.compile_ns = nanoseconds(begun);
                let before = current.as_ref().map(|current| current.snapshot.clone());
                let (rollback_of, broken, text) = (Some(number), Vec::new(), None);
                Ok(Prepared { snapshot, compiled, rollback_of, before, broken, text })
            }
        }
    }

    fn changed(
        sector: &Sector,
        state: &mut State,
        content: Content,
        major: bool,
        phases: &mut Phases,
    ) -> Result<Prepared, PromotionError> {
        let begun = Instant::now();
        let current = state.current().cloned();
        let base = state.base().clone();
        let Changes { delta, text } = content.against(&base, current.as_ref())?;
        phases.verify_ns += nanoseconds(begun);
        let begun = Instant::now();
        let (mut broken, mut last) = (Vec::new(), None);
        // Where values change alone, no name and no type does: nothing that a program holds can break.
        let (snapshot, compiled) =
            match current.as_ref().and_then(|current| base.revise(&current.compiled, &delta, sector.aside())) {
                Some(revised) => {
                    let (snapshot, compiled) = revised?;
                    conforming(&snapshot)?;
                    (snapshot, compiled)
                }
                None => {
                    let snapshot = base.apply(&delta)?;
                    conforming(&snapshot)?;
                    // A copy: a change that is refused gives no names their slots.
                    let mut keys = state.keys.clone();
                    let before = current.as_ref().map(|current| &*current.compiled);
                    let compiled = compile_change(&base, before, &delta, &snapshot, &mut keys)?;
                    broken = check_compatible(&compiled.artifact, &keys);
                    if !broken.is_empty() && !major {
                        return Err(PromotionError::Incompatible(broken));
                    }
                    state.keys = keys;
                    (snapshot, compiled)
                }
            };
        match text {
            TextRead::Nothing => {}
            TextRead::Text(text) => last = Some(text),
            TextRead::Parsed { json, document } => last = Text::of(json, &document, &compiled, &state.keys),
        }
        phases.compile_ns = nanoseconds(begun);
        let before = current.map(|current| current.snapshot.clone());
        let (snapshot, compiled) = (Arc::new(snapshot), Arc::new(compiled));
        Ok(Prepared { snapshot, compiled, rollback_of: None, before, broken, text: last })
    }
}

fn conforming(snapshot: &Snapshot) -> Result<(), PromotionError> {
    match snapshot.report().worst() {
        Some(Severity::Violation) => Err(PromotionError::Nonconforming(Box::new(snapshot.report().clone()))),
        _ => Ok(()),
    }
}

pub(crate) fn nanoseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
