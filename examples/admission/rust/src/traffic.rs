//! The traffic: each client keeps its connection busy with batches of orders, and checks every answer.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::limits::{TENANTS, VENUES, VERDICTS};
use crate::{Program, Tally};

const BATCH: u64 = 64;

/// Sends orders until the time is over.
pub fn client(p: &Program, server: SocketAddr, number: u64) -> io::Result<Tally> {
    let mut output = TcpStream::connect(server)?;
    output.set_nodelay(true)?;
    output.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut input = BufReader::new(output.try_clone()?);
    let (mut tally, mut text, mut line, mut newest) = (Tally::default(), Vec::new(), String::new(), 0);
    let mut random = 0x9e37_79b9_7f4a_7c15u64.wrapping_mul(number + 1);
    while p.begun.elapsed() < p.seconds {
        text.clear();
        for id in tally.orders..tally.orders + BATCH {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let (tenant, venue) =
                (TENANTS[random as usize % TENANTS.len()], VENUES[(random >> 8) as usize % VENUES.len()]);
            let (qty, price) = (1 + (random >> 16) % 1100, 9400 + (random >> 32) % 1200);
            writeln!(text, "{id} {tenant} {venue} {qty} {price}")?;
        }
        tally.orders += BATCH;
        output.write_all(&text)?;
        while tally.answered < tally.orders {
            line.clear();
            input.read_line(&mut line)?;
            let mut words = line.split_whitespace();
            let id = words.next().and_then(|id| id.parse::<u64>().ok());
            let verdict = words.next().and_then(|verdict| VERDICTS.iter().position(|name| *name == verdict));
            let generation = words.next().and_then(|generation| generation.parse::<u64>().ok());
            let (Some(verdict), Some(generation), true) = (verdict, generation, id == Some(tally.answered)) else {
                tally.lost = tally.orders - tally.answered;
                return Ok(tally);
            };
            tally.answered += 1;
            tally.verdicts[verdict] += 1;
            tally.backwards += u64::from(generation < newest);
            newest = generation;
        }
    }
    Ok(tally)
}
