//! What can only be seen of all shapes together: circles, depth, which are shared, and which property shapes one look can serve.

use super::super::constraint::{Constraint, Shape, ShapeId};
use super::super::error::ProblemKind;
use super::{Compiler, SHAPE_DEPTH};

impl Compiler<'_> {
    pub(super) fn link(&mut self, shapes: &mut [Shape]) {
        let before = self.problems.len();
        self.refuse_circles(shapes);
        if self.problems.len() > before {
            return;
        }
        let mut references = vec![0u32; shapes.len()];
        for constraint in shapes.iter().flat_map(|shape| &shape.constraints) {
            constraint.references().for_each(|reference| references[reference.shape as usize] += 1);
        }
        let paths: Vec<_> =
            shapes.iter().map(|shape| shape.path.as_ref().and_then(|path| path.as_predicate())).collect();
        for (shape, references) in shapes.iter_mut().zip(references) {
            shape.shared = references > 1 && shape.constraints.iter().any(|it| it.references().next().is_some());
            let mut direct = Vec::new();
            shape.constraints.retain(|constraint| match constraint {
                Constraint::Property(property) => match paths[*property as usize] {
                    Some(predicate) => {
                        direct.push((predicate, *property));
                        false
                    }
                    None => true,
                },
                _ => true,
            });
            direct.sort_unstable();
            shape.direct = direct;
        }
    }

    /// Shapes that refer to themselves have no meaning in SHACL (<https://www.w3.org/TR/shacl/#shapes-recursion>).
    fn refuse_circles(&mut self, shapes: &[Shape]) {
        let mut depths: Vec<Option<usize>> = vec![None; shapes.len()];
        for id in 0..shapes.len() as ShapeId {
            self.depth(shapes, id, &mut Vec::new(), &mut depths);
        }
    }

    /// How many shapes are below a shape on the longest way down. Stops at the first circle, or where it is too deep.
    fn depth(
        &mut self,
        shapes: &[Shape],
        id: ShapeId,
        above: &mut Vec<ShapeId>,
        depths: &mut [Option<usize>],
    ) -> usize {
        if let Some(depth) = depths[id as usize] {
            return depth;
        }
        if let Some(start) = above.iter().position(|&shape| shape == id) {
            let circle = above[start..].iter().chain([&id]);
            let circle: Vec<_> = circle.map(|&shape| self.describe(shapes[shape as usize].node)).collect();
            let reason = format!("it refers to itself, which SHACL leaves undefined: {}", circle.join(" → "));
            self.problem(shapes[id as usize].node, ProblemKind::Recursive, reason);
            return 0;
        }
        if above.len() == SHAPE_DEPTH {
            self.too_deep(shapes, above[0]);
            return 0;
        }
        above.push(id);
        let references = shapes[id as usize].constraints.iter().flat_map(Constraint::references);
        let below = references.map(|reference| self.depth(shapes, reference.shape, above, depths)).max();
        above.pop();
        let depth = below.map_or(0, |depth| depth + 1);
        depths[id as usize] = Some(depth);
        if depth + above.len() > SHAPE_DEPTH {
            self.too_deep(shapes, id);
        }
        depth
    }

    fn too_deep(&mut self, shapes: &[Shape], id: ShapeId) {
        // Every shape above is too deep as well, and one complaint is enough.
        if self.problems.iter().any(|problem| problem.kind == ProblemKind::Limit) {
            return;
        }
        let reason = format!("it refers to shapes more than {SHAPE_DEPTH} deep");
        self.problem(shapes[id as usize].node, ProblemKind::Limit, reason);
    }
}
