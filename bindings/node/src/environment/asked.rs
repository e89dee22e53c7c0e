//! What threads of the engine ask of functions of JavaScript, signatures and answers, and where the replies go.

use std::rc::Rc;

use knhk_engine::Signer;

use super::Environment;
use crate::autonomic::Registered;
use crate::mailbox::{Answered, Signed, ToAnswer, ToSign};
use crate::reference::Reference;
use crate::value;

impl Environment {
    /// A number that no signer, function or request had.
    pub(crate) fn number(&self) -> u32 {
        let number = self.next_signer.get();
        self.next_signer.set(number.wrapping_add(1));
        number
    }

    /// Keeps a signer under a number; `by_function` where a function of JavaScript is behind it.
    pub(crate) fn keep_signer(&self, signer: Signer, by_function: bool) -> u32 {
        let number = self.number();
        self.signers.borrow_mut().insert(number, (signer, by_function));
        number
    }

    pub(crate) fn signer(&self, number: u32) -> Option<(Signer, bool)> {
        self.signers.borrow().get(&number).cloned()
    }

    pub(crate) fn forget_signer(&self, number: u32) {
        let signer = self.signers.borrow_mut().remove(&number);
        drop(signer);
    }

    /// Has a callback be asked nothing from here on; who waits for its answer hears it.
    pub(crate) fn hush(&self, callback: &Registered) {
        self.mailbox.hush(&callback.hushed, callback.function);
        self.to_answer.borrow_mut().retain(|_, (function, _)| *function != callback.function);
    }

    /// Keeps a function that signs or answers.
    pub(crate) fn keep_function(&self, function: Reference) -> u32 {
        let number = self.number();
        self.functions.borrow_mut().insert(number, Rc::new(function));
        number
    }

    /// Tells who waits what was signed.
    pub(crate) fn signed(&self, request: u32, signed: Signed) {
        if let Some(reply) = self.asked.borrow_mut().remove(&request) {
            // Nobody hears it where it came too late.
            _ = reply.send(signed);
        }
    }

    /// Tells who waits what was answered.
    pub(crate) fn answered(&self, request: u32, answered: Answered) {
        if let Some((_, reply)) = self.to_answer.borrow_mut().remove(&request) {
            // Nobody hears it where it came too late.
            _ = reply.send(answered);
        }
    }

    pub(super) fn answer(&self, ToAnswer { function: number, text, view, reply }: ToAnswer) {
        let Some(function) = self.functions.borrow().get(&number).cloned() else { return };
        let request = self.number();
        let mut said = vec![value::number(self.env, f64::from(request)), value::text(self.env, &text)];
        if let Some((place, hold)) = view {
            let Some(local) = self.local(place).filter(|local| local.is_open()) else { return };
            said.push(value::number(self.env, self.hold(local, hold) as f64));
        }
        if let Some(reply) = reply {
            self.to_answer.borrow_mut().insert(request, (number, reply));
        }
        function.call(&said);
    }

    pub(super) fn sign(&self, to_sign: ToSign) {
        let Some(function) = self.functions.borrow().get(&to_sign.function).cloned() else { return };
        let request = self.number();
        self.asked.borrow_mut().insert(request, to_sign.reply);
        function.call(&[value::number(self.env, f64::from(request)), value::bytes(self.env, &to_sign.message)]);
    }
}
