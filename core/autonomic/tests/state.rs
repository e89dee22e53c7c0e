//! What detectors and models have seen survives being kept: they go on as if nothing had been between.

use knhk_autonomic::detect::Score;
use knhk_autonomic::forecast::{Best, HoltWinters, Linear, Model, MovingAverage, Running};
use knhk_autonomic::watch::{Detecting, Sample, Sentinel, Watch};
use knhk_observation::{Aggregate, Counts};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Each kind of watch.
fn watches() -> Vec<Watch> {
    let measured = ["ewma", "robust", "cusum", "page-hinkley", "adwin", "seasonal", "unusual"];
    let measured = measured.map(|name| Detecting::Measured(name, Aggregate::P50, 30));
    let counted = [Detecting::Rate, Detecting::ErrorRatio, Detecting::Heartbeat, Detecting::Mismatch];
    let watch = |detecting| Watch {
        name: "Watched".into(),
        kind: "Served".into(),
        detecting,
        sample_s: 1,
        confidence: 0.95,
        concerns: Some("limit".into()),
    };
    measured.into_iter().chain(counted).map(watch).collect()
}

fn sample(second: u64, count: u64, failed: u64, value: Option<f64>) -> Sample {
    let mut counts = Counts::default();
    counts.count = count;
    counts.outcomes[1] = count - failed.min(count);
    counts.outcomes[3] = failed.min(count);
    counts.mismatched = failed.min(count);
    Sample { from_ns: second * 1_000_000_000, to_ns: (second + 1) * 1_000_000_000, counts, value }
}

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let value = prop_oneof![
        8 => (-1e3..1e3f64).prop_map(Some),
        1 => prop_oneof![Just(0.0), Just(-0.0), Just(1e150), Just(-1e150), Just(5e-324), Just(1e200)].prop_map(Some),
        1 => Just(None),
    ];
    let one = (prop_oneof![8 => 0u64..300, 1 => Just(0)], 0u64..20, value);
    prop::collection::vec(one, 1..400).prop_map(|all| {
        let place = |(second, (count, failed, value))| sample(second, count, failed, value);
        (0..).zip(all).map(place).collect()
    })
}

/// As it lies in the store.
fn kept(state: &Value) -> Value {
    serde_json::from_str(&state.to_string()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_sentinel_goes_on_from_what_was_kept_as_if_nothing_had_been(samples in samples(), at: proptest::sample::Index) {
        let at = at.index(samples.len());
        for watch in watches() {
            let mut whole = Sentinel::new("gateway", watch.clone());
            let mut first = Sentinel::new("gateway", watch.clone());
            for sample in &samples[..at] {
                prop_assert_eq!(whole.observe(sample), first.observe(sample));
            }
            let mut second = Sentinel::restore("gateway", watch, &kept(&first.state())).unwrap();
            for sample in &samples[at..] {
                prop_assert_eq!(format!("{:?}", whole.observe(sample)), format!("{:?}", second.observe(sample)));
            }
            prop_assert_eq!(whole.state().to_string(), second.state().to_string(), "to the last bit");
        }
    }

    #[test]
    fn forecasts_go_on_from_what_was_kept(values in prop::collection::vec(-1e6..1e6f64, 1..300), at: proptest::sample::Index) {
        let best = || {
            let models = vec![
                Running::Linear(Linear::new(12)),
                Running::MovingAverage(MovingAverage::new(12)),
                Running::HoltWinters(HoltWinters::new(0.3, 0.05, 0.2, 24)),
            ];
            Best::of(models, 0.02)
        };
        let at = at.index(values.len());
        let (mut whole, mut first) = (best(), best());
        values[..at].iter().for_each(|&value| (whole.observe(value), first.observe(value)).0);
        let mut second = best().restore(&kept(&serde_json::to_value(&first).unwrap())).unwrap();
        values[at..].iter().for_each(|&value| (whole.observe(value), second.observe(value)).0);
        prop_assert_eq!(whole.forecast(3).map(f64::to_bits), second.forecast(3).map(f64::to_bits));
        prop_assert_eq!(serde_json::to_string(&whole).unwrap(), serde_json::to_string(&second).unwrap());
    }

    /// A store can be damaged, and whoever owns the folder can write into it.
    #[test]
    fn a_damaged_state_is_refused_or_harmless(
        samples in samples(), place: proptest::sample::Index, other in prop_oneof![
            Just(json!(null)), Just(json!(-1)), Just(json!(1e308)), Just(json!(u64::MAX)), Just(json!([])), Just(json!([1e9, -1e9, 0.0])),
            Just(json!("x")), Just(json!({})), Just(json!(0)), Just(json!(7)),
        ],
    ) {
        for watch in watches() {
            let mut sentinel = Sentinel::new("gateway", watch.clone());
            samples.iter().for_each(|sample| _ = sentinel.observe(sample));
            let mut state = sentinel.state();
            let mut paths = Vec::new();
            collect(&state, String::new(), &mut paths);
            *state.pointer_mut(&paths[place.index(paths.len())]).unwrap() = other.clone();
            if let Ok(mut sentinel) = Sentinel::restore("gateway", watch, &state) {
                samples.iter().for_each(|sample| _ = sentinel.observe(sample));
            }
        }
    }
}

/// The path of everything within.
fn collect(value: &Value, path: String, into: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(place, item)| collect(item, format!("{path}/{place}"), into))
        }
        Value::Object(fields) => fields.iter().for_each(|(name, item)| collect(item, format!("{path}/{name}"), into)),
        _ => {}
    }
    into.push(path);
}

#[test]
fn a_state_is_of_no_use_to_another_watch() {
    let all = watches();
    for (place, watch) in all.iter().enumerate() {
        let state = Sentinel::new("gateway", watch.clone()).state();
        for (other, watch) in all.iter().enumerate() {
            assert_eq!(Sentinel::restore("gateway", watch.clone(), &state).is_ok(), place == other);
        }
    }
    // How sure it must be is no part of what was seen.
    let surer = Watch { confidence: 0.99, ..all[0].clone() };
    let state = Sentinel::new("gateway", all[0].clone()).state();
    assert!(Sentinel::restore("gateway", surer.clone(), &state).is_ok());
    let slower = Watch { sample_s: 5, ..surer };
    let error = Sentinel::restore("gateway", slower, &state).map(|_| ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the kept state of watch gateway/Watched is of what it was declared to be before; it begins anew"
    );
}

#[test]
fn a_detector_of_the_program_s_own_is_one_like_any() {
    let detecting = Detecting::Callback("above".into(), Some(Aggregate::P50));
    let watch = Watch { detecting, ..watches().remove(0) };
    let scored = |sentinel: &mut Sentinel, value: f64, confidence: f64| {
        let score = Score { statistic: value, confidence, expected: 5.0 };
        let pattern = sentinel.scored(&sample(1, 10, 0, Some(value)), Some(score));
        pattern.map(|pattern| (pattern.detector, pattern.observed))
    };
    let told = |value: f64| Some(("callback:above".to_owned(), value));
    let mut sentinel = Sentinel::new("gateway", watch.clone());
    assert!(sentinel.is_own());
    assert_eq!(scored(&mut sentinel, 4.0, 0.5), None);
    assert_eq!(sentinel.scored(&sample(2, 0, 0, None), None), None);
    for nonsense in [70.0, -0.1, f64::NAN] {
        assert_eq!(scored(&mut sentinel, 99.0, nonsense), None, "no confidence is {nonsense}");
    }
    assert_eq!(scored(&mut sentinel, 9.0, 1.0), told(9.0));
    assert_eq!(scored(&mut sentinel, 9.5, 1.0), None, "what lasts is told once");
    let mut again = Sentinel::restore("gateway", watch, &kept(&sentinel.state())).unwrap();
    assert_eq!((again.samples(), again.last_confidence()), (7, Some(1.0)));
    assert_eq!(scored(&mut again, 9.6, 1.0), None, "what was told stays told");
    let calm = Score { statistic: 0.1, confidence: 0.1, expected: 5.0 };
    let low = Score { statistic: 4.0, confidence: 1.0, expected: 5.0 };
    assert!(
        again.scored(&sample(4, 1, 0, Some(1.0)), Some(low)).is_some(),
        "what is below is no part of what was above"
    );
    (0..100).for_each(|_| _ = again.scored(&sample(5, 1, 0, Some(5.0)), Some(calm)));
    assert_eq!(scored(&mut again, 9.5, 1.0), told(9.5), "what was told is forgotten with time");
    again.rearm();
    assert_eq!(scored(&mut again, 9.6, 1.0), told(9.6), "and where it is to be told again");
    let shown = serde_json::to_value(sample(1, 10, 2, Some(1.5))).unwrap();
    assert_eq!(
        (&shown["counts"]["count"], &shown["counts"]["outcomes"][3], &shown["value"]),
        (&json!(10), &json!(2), &json!(1.5))
    );
}
