//! Causes along the dependencies.

use super::Node;

/// What explains that a component fails: those that fail among what it depends on, directly or through others that fail, and do not
/// depend on another that fails. Empty for one that does not fail, and for one that is a cause itself.
pub(super) fn causes(nodes: &[Node], of: usize, failing: impl Fn(usize) -> bool) -> Vec<usize> {
    if !failing(of) {
        return Vec::new();
    }
    let (mut causes, mut seen, mut open) = (Vec::new(), vec![false; nodes.len()], vec![of]);
    while let Some(at) = open.pop() {
        if std::mem::replace(&mut seen[at], true) {
            continue;
        }
        let mut needs = nodes[at].needs.iter().copied().filter(|need| failing(*need)).peekable();
        if needs.peek().is_none() && at != of {
            causes.push(at);
        }
        open.extend(needs);
    }
    causes.sort_unstable();
    causes
}
