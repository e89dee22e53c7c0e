//! What appending a record of one cache line costs in `rtrb` and in crossbeam's `ArrayQueue`, with a live consumer.

mod bursts;
mod driver;

use std::hint::black_box;
use std::sync::Arc;

use bursts::{Bursts, CAPACITY, Looks};
use crossbeam_queue::ArrayQueue;
use driver::{Program, Sample};

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Record([u64; 8]);

impl Record {
    /// The fields of an observation: time, epoch, key, value, tag and outcome, subject, detail.
    #[inline(always)]
    fn new(i: u64) -> Record {
        Record([i + 1, i, 7, 11, i, 2, 13, 0])
    }
}

#[unsafe(no_mangle)]
#[inline(never)]
fn loop_rtrb(producer: &mut rtrb::Producer<Record>, n: u64) -> u64 {
    (0..n).map(|i| u64::from(producer.push(Record::new(i)).is_ok())).sum()
}

#[unsafe(no_mangle)]
#[inline(never)]
fn loop_array_queue(queue: &ArrayQueue<Record>, n: u64) -> u64 {
    (0..n).map(|i| u64::from(queue.push(Record::new(i)).is_ok())).sum()
}

fn rtrb(looks: Looks) -> Sample {
    let (mut producer, mut consumer) = rtrb::RingBuffer::new(CAPACITY);
    let take = move || (0..CAPACITY).map_while(|_| consumer.pop().ok().map(black_box::<Record>)).count();
    Bursts::consume(looks, take).round(|n| loop_rtrb(&mut producer, n))
}

fn array_queue(looks: Looks) -> Sample {
    let queue = Arc::new(ArrayQueue::new(CAPACITY));
    let consumer = queue.clone();
    let take = move || (0..CAPACITY).map_while(|_| consumer.pop().map(black_box::<Record>)).count();
    Bursts::consume(looks, take).round(|n| loop_array_queue(&queue, n))
}

fn main() {
    let mut program = Program::default();
    program.add("rtrb", || rtrb(Looks::InBatches));
    program.add("rtrb_contended", || rtrb(Looks::Always));
    program.add("array_queue", || array_queue(Looks::InBatches));
    program.add("array_queue_contended", || array_queue(Looks::Always));
    program.run();
}
