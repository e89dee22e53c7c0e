//! What a document cannot hold is named at the field, all of them at once.
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use knhk_engine::PromotionSafe;

#[derive(PromotionSafe)]
#[knhk(sector = "orders")]
struct Limits<'a> {
    letter: char,
    single: f32,
    wide: u128,
    pair: (i64, i64),
    array: [i64; 2],
    borrowed: &'a i64,
    slice: &'a [i64],
    boxed: Box<i64>,
    perhaps: Cow<'a, str>,
    hashed: HashMap<String, i64>,
    numbered: BTreeMap<u32, i64>,
    timeout: Duration,
    doubted: Option<Option<i64>>,
    single_within: Option<f32>,
    list_of_lists: Vec<Vec<i64>>,
    list_of_singles: Vec<f32>,
    list_of_options: Vec<Option<i64>>,
    map_of_maps: BTreeMap<String, BTreeMap<String, i64>>,
    call: fn(),
    #[knhk(bytes)]
    text: String,
    #[knhk(bytes)]
    borrowed_text: &'a str,
}

fn main() {}
