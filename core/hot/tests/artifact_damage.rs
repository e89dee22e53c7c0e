//! Damaged and hostile images: refused, or every read of them stays inside.

use knhk_hot::artifact::{Artifact, ArtifactError, Builder, Limits, Value};
use proptest::prelude::*;

mod walk;
use walk::{forge, walk};

/// Something of everything, small enough to try every byte.
fn sample() -> Vec<u8> {
    let mut builder = Builder::new(14);
    builder
        .set(0, Value::Map)
        .set(1, Value::Bool(true))
        .set(2, Value::I64(-5))
        .set(3, Value::F64(2.5))
        .set(4, Value::Str("grüße"))
        .set(5, Value::Bytes(&[0, 255]))
        .set(6, Value::ListBool(&[true, false]))
        .set(7, Value::ListI64(&[i64::MIN, 7]))
        .set(8, Value::ListF64(&[1.5, -2.0]))
        .set(9, Value::ListStr(vec!["", "XPAR"]))
        .set(10, Value::ListBytes(vec![&[], &[1]]))
        .set(11, Value::Class { number: 0, ancestors: vec![0] })
        .set(12, Value::Class { number: 1, ancestors: vec![0, 1] })
        .range_i64(2, -10, 10)
        .range_f64(3, f64::NEG_INFINITY, 3.0)
        .name(None, "limits", 0);
    for (slot, leaf) in ["b", "i", "f", "s", "y", "lb", "li", "lf", "ls", "ly"].into_iter().enumerate() {
        builder.name(Some(0), leaf, slot as u32 + 1);
    }
    builder.name(None, "c0", 11).name(None, "c1", 12);
    builder.finish().expect("the sample keeps every rule").image().to_vec()
}

fn check(image: &[u8]) -> Result<Artifact, ArtifactError> {
    Artifact::from_image(image, &Limits::default())
}

/// Whatever the bytes are, nothing may go wrong; true if they were accepted.
fn survives(image: &[u8]) -> bool {
    check(image).is_ok_and(|artifact| {
        walk(&artifact);
        true
    })
}

#[test]
fn every_damaged_byte_is_noticed() {
    let whole = sample();
    walk(&check(&whole).expect("the sample itself is valid"));
    for at in 0..whole.len() {
        for damage in [1, 0x80, 0xff] {
            let mut image = whole.clone();
            image[at] ^= damage;
            assert!(check(&image).is_err(), "byte {at} may be wrong by {damage:#x}");
        }
    }
}

#[test]
fn every_truncation_is_noticed() {
    let whole = sample();
    for len in 0..whole.len() {
        assert!(check(&whole[..len]).is_err(), "{len} bytes of {} are taken for all", whole.len());
        let mut image = whole[..len].to_vec();
        forge(&mut image);
        assert!(check(&image).is_err());
    }
    let longer = [whole.as_slice(), &[0; 8]].concat();
    assert!(matches!(check(&longer), Err(ArtifactError::Length { .. })));
}

#[test]
fn a_forged_checksum_does_not_open_the_gate() {
    let whole = sample();
    let mut accepted = 0;
    for at in 32..whole.len() {
        for value in (0..8).map(|bit| whole[at] ^ 1 << bit).chain([0, 0x7f, 0xff]) {
            let mut image = whole.clone();
            image[at] = value;
            forge(&mut image);
            accepted += usize::from(survives(&image));
        }
    }
    assert!(accepted > 0, "a changed value makes another valid image");
}

/// What a mutation would not find by itself: each image is wrong in one way, and refused for that.
#[test]
fn each_rule_is_checked() {
    let whole = sample();
    let (slots, references) = (192 + 16 * 14, 192 + 32 * 14);
    let heap = (references + 4 * 14usize).next_multiple_of(8);
    let word = |at: usize| u64::from_le_bytes(whole[at..at + 8].try_into().expect("eight bytes"));
    let half = |at: usize| u32::from_le_bytes(whole[at..at + 4].try_into().expect("four bytes")) as usize;
    let rows = heap + half(52);
    let names = rows + 2 * 8;
    let buckets = names + half(44);
    let bucket = (buckets..whole.len()).step_by(8).find(|&at| word(at) != u64::MAX).expect("there are names");
    let slot = |number: usize| slots + 16 * number;
    let text = (heap - slots) as u64;
    let span = |offset: u64, len: u64| offset | len << 32;
    let cases: Vec<(usize, Vec<u8>, &str)> = vec![
        (8, vec![2], "layout version 2"),
        (12, vec![200], "header has another size"),
        (128, vec![1], "reserved byte"),
        (slot(13), vec![2], "a range does not fit"),
        (slot(13) + 8, vec![1], "has value bits"),
        (slot(0) + 8, vec![1], "has value bits"),
        (slot(1) + 8, vec![2], "neither 0 nor 1"),
        (slot(1), vec![13], "tag is unknown"),
        (slot(1), vec![0, 1], "tag is unknown"),
        (slot(2) + 8, 11i64.to_le_bytes().into(), "a range does not fit"),
        (slot(3) + 8, f64::NAN.to_le_bytes().into(), "a range does not fit"),
        (slot(3) + 8, f64::NEG_INFINITY.to_le_bytes().into(), "a range does not fit"),
        (slot(4) + 8, span(text - 1, 1).to_le_bytes().into(), "a string leaves the heap"),
        (slot(4) + 8, span(u64::from(u32::MAX), u64::from(u32::MAX)).to_le_bytes().into(), "a string leaves the heap"),
        (slot(4) + 8, span(text, 3).to_le_bytes().into(), "lacks its NUL"),
        (heap, vec![0xff], "not UTF-8"),
        (heap, vec![0], "holds one"),
        (slot(6) + 8, span(text, 2).to_le_bytes().into(), "invalid element"),
        (slot(7) + 8, span(text + 4, 1).to_le_bytes().into(), "not aligned"),
        (slot(7) + 8, span(text, 1 << 30).to_le_bytes().into(), "leave the heap"),
        (slot(12) + 8, word(slot(11) + 8).to_le_bytes().into(), "not its own"),
        (slot(12) + 12, vec![2], "not its own"),
        (slot(12) + 8, word(slot(11) + 8).to_le_bytes()[..4].to_vec(), "not its own"),
        (rows, vec![0b101], "beyond the last class"),
        (rows, vec![0b10], "lacks an ancestor"),
        (rows, vec![0], "not among its own ancestors"),
        (rows + 8, vec![0b10, 1], "beyond the last class"),
        (references, vec![1], "do not refer to each other"),
        (references + 4 * 13, vec![0; 4], "refers to no name"),
        (names, vec![99], "do not refer to each other"),
        (names + 4, vec![1, 0, 0, 0], "no name before it"),
        (names + 4, vec![0, 0, 0, 0], "no name before it"),
        (names + 8, vec![0xff, 0xff], "a name leaves its section"),
        (names + 8, vec![3], "lacks its NUL"),
        (names + 12, b"a/".to_vec(), "a slash"),
        (names + 12, b"xx".to_vec(), "does not find a name"),
        (slot(0), vec![0], "is not a map"),
        (bucket, vec![whole[bucket] ^ 1], "does not find a name"),
        (bucket, vec![0xff; 8], "does not find a name"),
        (48, vec![33], "it has"),
        (44, vec![whole[44] + 8], "it has"),
        (40, vec![12], "end early or late"),
        (56, vec![1], "does not find a name"),
    ];
    let mut wrong = Vec::new();
    for (at, bytes, reason) in cases {
        let mut image = whole.clone();
        image[at..at + bytes.len()].copy_from_slice(&bytes);
        forge(&mut image);
        let said = check(&image).map_or_else(|error| error.to_string(), |_| "accepted".to_owned());
        if !said.contains(reason) {
            wrong.push(format!("{bytes:?} at {at}: {said}, where {reason:?} was expected"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn counts_beyond_all_memory_take_none() {
    for at in (32..56).step_by(4) {
        let mut image = sample();
        image[at..at + 4].copy_from_slice(&[0xff; 4]);
        forge(&mut image);
        assert!(matches!(
            check(&image),
            Err(ArtifactError::TooLarge { .. } | ArtifactError::Length { .. } | ArtifactError::Malformed { .. })
        ));
    }
    let mut limits = Limits::default();
    limits.bytes = 100;
    assert!(matches!(
        Artifact::from_image(&sample(), &limits),
        Err(ArtifactError::TooLarge { what: "bytes", limit: 100, .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn no_forgery_leads_out(changes in prop::collection::vec((32usize..2048, any::<u8>()), 1..8), words in prop::collection::vec((8usize..512, any::<u32>()), 0..3)) {
        let mut image = sample();
        for (at, value) in changes {
            let at = 32 + (at - 32) % (image.len() - 32);
            image[at] = value;
        }
        for (at, value) in words {
            let at = 32 + (4 * at) % (image.len() - 32) / 4 * 4;
            image[at..at + 4].copy_from_slice(&(value >> (value % 32)).to_le_bytes());
        }
        forge(&mut image);
        survives(&image);
    }

    #[test]
    fn no_bytes_lead_out(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut image = sample();
        let len = bytes.len().min(image.len() - 32);
        image[32..32 + len].copy_from_slice(&bytes[..len]);
        forge(&mut image);
        survives(&image);
        survives(&bytes);
    }
}

#[test]
fn the_corpus_survives() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/artifact");
    let mut accepted = 0;
    for entry in std::fs::read_dir(corpus).expect("the corpus is part of the repository") {
        let mut image = std::fs::read(entry.expect("an entry").path()).expect("a file");
        forge(&mut image);
        accepted += usize::from(survives(&image));
    }
    assert!(accepted > 1, "the corpus has images that are accepted");
}
