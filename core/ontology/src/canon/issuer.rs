//! Issues numbers to blank nodes, in order (RDFC-1.0, 4.5).

/// Which blank nodes were issued a number, and which.
#[derive(Clone, Debug, Default)]
pub(super) struct Issuer {
    order: Vec<u32>,
    /// Number of a node plus one, or 0, once there are enough to make looking along the order slow.
    numbers: Vec<u32>,
}

/// Nodes along which looking is quick.
const FEW: usize = 32;

impl Issuer {
    /// The nodes in order of issue.
    pub fn order(&self) -> &[u32] {
        &self.order
    }

    /// The number of a node.
    pub fn number(&self, node: u32) -> Option<u32> {
        if self.numbers.is_empty() {
            return self.order.iter().position(|&issued| issued == node).map(|at| at as u32);
        }
        self.numbers.get(node as usize).and_then(|number| number.checked_sub(1))
    }

    /// The number of a node, a new one where it had none.
    pub fn issue(&mut self, node: u32) -> u32 {
        if let Some(number) = self.number(node) {
            return number;
        }
        self.order.push(node);
        if !self.numbers.is_empty() {
            self.note(node, self.order.len() as u32);
        } else if self.order.len() > FEW {
            for at in 0..self.order.len() {
                self.note(self.order[at], at as u32 + 1);
            }
        }
        self.order.len() as u32 - 1
    }

    fn note(&mut self, node: u32, number: u32) {
        let needed = node as usize + 1;
        if self.numbers.len() < needed {
            self.numbers.resize(needed.next_power_of_two(), 0);
        }
        self.numbers[node as usize] = number;
    }

    /// How much copying it costs, in units of a few dozen nanoseconds.
    pub fn weight(&self) -> usize {
        1 + (self.order.len() + self.numbers.len()) / 64
    }
}
