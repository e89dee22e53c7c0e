//! Orders and paths of dependencies, by number.

/// A path of dependencies from one of `count` nodes to another, both included.
pub fn path<'a>(count: usize, from: usize, to: usize, needs: impl Fn(usize) -> &'a [usize]) -> Option<Vec<usize>> {
    let mut came_from = vec![None; count];
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        if at == to {
            let mut path: Vec<usize> = std::iter::successors(Some(to), |at| came_from[*at]).collect();
            path.reverse();
            return Some(path);
        }
        for need in needs(at) {
            if came_from[*need].is_none() && *need != from {
                came_from[*need] = Some(at);
                open.push(*need);
            }
        }
    }
    None
}

/// The nodes, each after what it needs, otherwise by number; there is no cycle.
pub(super) fn order<'a>(count: usize, needs: impl Fn(usize) -> &'a [usize]) -> Vec<usize> {
    let mut order = Vec::with_capacity(count);
    let mut placed = vec![false; count];
    while order.len() < count {
        let next = (0..count).find(|at| !placed[*at] && needs(*at).iter().all(|need| placed[*need]));
        let next = next.expect("dependencies that close a cycle are refused");
        placed[next] = true;
        order.push(next);
    }
    order
}

/// For each node the length of the longest chain from it, itself included.
pub(super) fn heights<'a>(count: usize, next: impl Fn(usize) -> &'a [usize]) -> Vec<u32> {
    let mut heights = vec![1; count];
    for at in order(count, &next) {
        heights[at] = 1 + next(at).iter().map(|to| heights[*to]).max().unwrap_or(0);
    }
    heights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_paths_and_heights() {
        // 0 needs 2, 2 needs 3; 1 needs nothing.
        let needs: [&[usize]; 4] = [&[2], &[], &[3], &[]];
        assert_eq!(order(4, |at| needs[at]), [1, 3, 2, 0]);
        assert_eq!(path(4, 0, 3, |at| needs[at]), Some(vec![0, 2, 3]));
        assert_eq!(path(4, 3, 0, |at| needs[at]), None);
        assert_eq!(path(4, 1, 1, |at| needs[at]), Some(vec![1]));
        assert_eq!(heights(4, |at| needs[at]), [3, 1, 2, 1]);
    }
}
