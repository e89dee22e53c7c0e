//! What goes into an artifact comes out of it, by slot, by name and after a journey as an image.

use knhk_hot::artifact::{Artifact, ArtifactError, Bounds, Builder, Limits, Value, lookup_raw};

fn sample() -> Artifact {
    let mut builder = Builder::new(14);
    builder
        .set(0, Value::Map)
        .set(1, Value::Bool(true))
        .set(2, Value::I64(-5))
        .set(3, Value::F64(-0.0))
        .set(4, Value::Str("grüße"))
        .set(5, Value::Bytes(&[0, 255]))
        .set(6, Value::ListBool(&[true, false]))
        .set(7, Value::ListI64(&[i64::MIN, 7]))
        .set(8, Value::ListF64(&[1.5, -2.0]))
        .set(9, Value::ListStr(vec!["", "XPAR"]))
        .set(10, Value::ListBytes(vec![&[][..], &[1][..]]))
        .set(11, Value::Class { number: 0, ancestors: vec![0] })
        .set(12, Value::Class { number: 1, ancestors: vec![0, 1] })
        .range_i64(2, -10, 10)
        .range_f64(3, f64::NEG_INFINITY, 1.0)
        .key_table([3; 32])
        .snapshot_id([4; 32])
        .name(None, "limits", 0);
    for (slot, leaf) in ["b", "i", "f", "s", "y", "lb", "li", "lf", "ls", "ly"].into_iter().enumerate() {
        builder.name(Some(0), leaf, slot as u32 + 1);
    }
    builder.name(None, "c0", 11).name(None, "c1", 12);
    builder.finish().expect("the sample keeps every rule")
}

#[test]
fn values_and_names_come_out_as_they_went_in() {
    let built = sample();
    let travelled = Artifact::from_image(built.image(), &Limits::default()).expect("a built image is valid");
    for artifact in [&built, &travelled] {
        let entries: Vec<_> = artifact.entries().collect();
        assert_eq!(entries.len(), 13, "slot 13 is absent");
        assert_eq!(entries[2].path, "limits/i");
        assert_eq!(entries[2].value, Value::I64(-5));
        assert_eq!(entries[2].bounds, Some(Bounds::I64(-10, 10)));
        assert!(matches!(entries[3].value, Value::F64(zero) if zero.is_sign_negative()));
        assert_eq!(entries[4].value, Value::Str("grüße"));
        assert_eq!(entries[5].value, Value::Bytes(&[0, 255]));
        assert_eq!(entries[6].value, Value::ListBool(&[true, false]));
        assert_eq!(entries[7].value, Value::ListI64(&[i64::MIN, 7]));
        assert_eq!(entries[8].value, Value::ListF64(&[1.5, -2.0]));
        assert_eq!(entries[9].value, Value::ListStr(vec!["", "XPAR"]));
        assert_eq!(entries[10].value, Value::ListBytes(vec![&[][..], &[1][..]]));
        assert_eq!(entries[12].value, Value::Class { number: 1, ancestors: vec![0, 1] });
        assert_eq!((artifact.key_table(), artifact.snapshot_id()), ([3; 32], [4; 32]));
        assert_eq!((artifact.limit(), artifact.slots()), (14 * 16, 14));
        assert_eq!(artifact.find("limits/ls"), Some(9));
        assert_eq!(artifact.lookup(Some(0), "ls"), Some(9));
        assert_eq!(artifact.find("limits/none"), None);
        assert_eq!(artifact.find(""), None);
        assert_eq!(artifact.find("c1"), Some(12));
        // SAFETY: address and limit are of one artifact that lives.
        let raw = unsafe { lookup_raw(artifact.address(), artifact.limit(), Some(0), b"f") };
        assert_eq!(raw, Some(3));
    }
}

#[test]
fn what_cannot_be_built_says_why() {
    let refused = |build: fn(&mut Builder) -> &mut Builder| {
        let mut builder = Builder::new(2);
        build(&mut builder);
        builder.finish().expect_err("the builder was told nonsense").to_string()
    };
    type Case = (fn(&mut Builder) -> &mut Builder, &'static str);
    let cases: [Case; 11] = [
        (|builder| builder.set(2, Value::Map), "no such slot"),
        (|builder| builder.set(0, Value::F64(f64::NAN)), "finite"),
        (|builder| builder.set(0, Value::Str("a\0b")), "NUL"),
        (|builder| builder.set(0, Value::I64(5)).range_i64(0, 6, 7), "outside its range"),
        (|builder| builder.range_i64(0, 6, 7), "set before the range"),
        (|builder| builder.name(Some(1), "a", 0), "its parent has no name"),
        (|builder| builder.name(None, "a", 0).name(None, "b", 0), "a name already"),
        (|builder| builder.name(None, "a", 0).name(None, "a", 1), "does not find a name"),
        (|builder| builder.name(None, "a/b", 0), "slash"),
        (|builder| builder.name(None, "a", 0).name(Some(0), "b", 1), "not a map"),
        (|builder| builder.set(0, Value::Class { number: 1, ancestors: vec![1] }), "without a gap"),
    ];
    for (build, expected) in cases {
        let message = refused(build);
        assert!(message.contains(expected), "{message:?} should speak of {expected:?}");
    }
    assert!(matches!(Builder::new(u32::MAX).finish(), Err(ArtifactError::TooLarge { what: "slots", .. })));
}

#[test]
fn an_empty_artifact_has_nothing_to_read() {
    let empty = Artifact::empty();
    assert_eq!((empty.limit(), empty.entries().count(), empty.find("a")), (0, 0, None));
    Artifact::from_image(empty.image(), &Limits::default()).expect("it is valid as an image, too");
}

#[test]
fn a_hundred_thousand_names_are_all_found() {
    let mut builder = Builder::new(100_001);
    builder.set(0, Value::Map).name(None, "map", 0);
    for slot in 1..=100_000u32 {
        builder.set(slot, Value::I64(slot.into())).name(Some(0), &format!("name_{slot}"), slot);
    }
    let artifact = builder.finish().expect("the names fit the index");
    for slot in 1..=100_000u32 {
        assert_eq!(artifact.lookup(Some(0), &format!("name_{slot}")), Some(slot));
    }
    assert_eq!(artifact.lookup(Some(0), "name_0"), None);
    assert_eq!(artifact.lookup(None, "name_1"), None);
}
