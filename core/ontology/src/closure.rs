//! The reflexive and transitive closure of a relation, as rows of bits.

/// What each of the numbers leads to, itself included: a row of `⌈n/64⌉` words for each. What leads to each other has equal rows.
///
/// Strongly connected components (Tarjan, 1972) come out with what they lead to first, so that one pass closes them.
pub(crate) fn closure(edges: &[Vec<u32>]) -> Vec<u64> {
    let count = edges.len();
    let words = count.div_ceil(64);
    let mut rows = vec![0u64; words * count];
    let mut search = Search { order: vec![UNSEEN; count], low: vec![0; count], stack: Vec::new(), next: 0 };
    // Number and the edge to follow next: the recursion, on the heap.
    let mut path: Vec<(u32, usize)> = Vec::new();
    let mut union = vec![0u64; words];
    for start in 0..count as u32 {
        if search.order[start as usize] != UNSEEN {
            continue;
        }
        search.enter(start);
        path.push((start, 0));
        while let Some((node, edge)) = path.last_mut() {
            let at = *node as usize;
            if let Some(&to) = edges[at].get(*edge) {
                *edge += 1;
                match search.order[to as usize] {
                    UNSEEN => {
                        search.enter(to);
                        path.push((to, 0));
                    }
                    CLOSED => {}
                    order => search.low[at] = search.low[at].min(order),
                }
                continue;
            }
            path.pop();
            if let Some((above, _)) = path.last() {
                search.low[*above as usize] = search.low[*above as usize].min(search.low[at]);
            }
            if search.low[at] != search.order[at] {
                continue;
            }
            let first = search.stack.iter().rposition(|&member| member as usize == at).expect("a root is on the stack");
            let members: Vec<u32> = search.stack.drain(first..).collect();
            union.fill(0);
            for &member in &members {
                union[member as usize / 64] |= 1 << (member % 64);
                search.order[member as usize] = CLOSED;
            }
            for to in members.iter().flat_map(|&member| &edges[member as usize]) {
                let row = &rows[*to as usize * words..][..words];
                union.iter_mut().zip(row).for_each(|(word, more)| *word |= more);
            }
            for &member in &members {
                rows[member as usize * words..][..words].copy_from_slice(&union);
            }
        }
    }
    rows
}

const UNSEEN: u32 = u32::MAX;
const CLOSED: u32 = u32::MAX - 1;

struct Search {
    order: Vec<u32>,
    low: Vec<u32>,
    stack: Vec<u32>,
    next: u32,
}

impl Search {
    fn enter(&mut self, node: u32) {
        (self.order[node as usize], self.low[node as usize]) = (self.next, self.next);
        self.next += 1;
        self.stack.push(node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

        /// Against the obvious: squaring until nothing is added.
        #[test]
        fn closes_any_relation(edges in prop::collection::vec(prop::collection::vec(0u32..70, 0..3), 1..70)) {
            let count = edges.len() as u32;
            let edges: Vec<Vec<u32>> = edges.iter().map(|to| to.iter().map(|to| to % count).collect()).collect();
            let mut reached: Vec<Vec<bool>> = (0..count).map(|node| (0..count).map(|to| node == to).collect()).collect();
            for _ in 0..count {
                for node in 0..count as usize {
                    for &to in &edges[node] {
                        let more = reached[to as usize].clone();
                        reached[node].iter_mut().zip(more).for_each(|(known, more)| *known |= more);
                    }
                }
            }
            let rows = closure(&edges);
            let words = edges.len().div_ceil(64);
            for node in 0..count as usize {
                for to in 0..count as usize {
                    let bit = rows[node * words + to / 64] >> (to % 64) & 1 != 0;
                    prop_assert_eq!(bit, reached[node][to], "{} {}", node, to);
                }
            }
        }
    }
}
