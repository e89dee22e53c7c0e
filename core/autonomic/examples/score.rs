//! Runs one detector or model over a series: numbers, one a line, in; a line for each out. What other implementations are compared with,
//! and what the benchmark of anomalies scores.
//!
//! `score unusual 288 < values`: statistic and confidence of each value, `0 0` where there is none; `adwin 0.002` and `page-hinkley 0.005 50`
//! print 1 where they saw a change, and `holt-winters 0.3 0.1 0.2 24` what was foretold of each value, `nan` where nothing was.

use std::io::{Read, Write};

use knhk_autonomic::detect::{Adwin, Cusum, Detector, Ewma, Once, PageHinkley, Robust, Seasonal, Unusual};
use knhk_autonomic::forecast::{HoltWinters, Linear, Model, MovingAverage};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((what, numbers)) = arguments.split_first() else { return complain("name a detector or model") };
    let Ok(numbers) = numbers.iter().map(|text| text.parse()).collect::<Result<Vec<f64>, _>>() else {
        return complain("its settings are numbers");
    };
    let mut text = String::new();
    if let Err(error) = std::io::stdin().read_to_string(&mut text) {
        return complain(&error.to_string());
    }
    let Ok(values) = text.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>() else {
        return complain("the series is one number a line");
    };
    let mut lines = Vec::new();
    match run(what, &numbers, &values, &mut lines) {
        Ok(true) => _ = std::io::stdout().write_all(&lines),
        Ok(false) => complain(&format!("{what} with {} settings is no detector and no model", numbers.len())),
        Err(error) => complain(&error.to_string()),
    }
}

fn complain(what: &str) {
    eprintln!("score: {what}");
    std::process::exit(2);
}

fn run(what: &str, numbers: &[f64], values: &[f64], out: &mut Vec<u8>) -> std::io::Result<bool> {
    let whole = |number: f64| number as usize;
    let mut scored: Box<dyn Detector> = match (what, numbers) {
        ("ewma", &[share, warm]) => Box::new(Ewma::new(share, warm as u64)),
        ("robust", &[length]) => Box::new(Robust::new(whole(length))),
        ("cusum", &[slack, limit, warm]) => Box::new(Cusum::new(slack, limit, warm as u64)),
        ("seasonal", &[alpha, beta, gamma, season]) => {
            Box::new(Seasonal::new(HoltWinters::new(alpha, beta, gamma, whole(season)), 0.02))
        }
        ("unusual", &[season]) => Box::new(Unusual::new(whole(season))),
        ("unusual-once", &[season]) => Box::new(Once::new(Unusual::new(whole(season)), 0.994)),
        ("adwin", &[delta]) => {
            let mut adwin = Adwin::new(delta);
            for &value in values {
                adwin.observe(value);
                writeln!(out, "{} {}", u8::from(adwin.has_changed()), adwin.width())?;
            }
            return Ok(true);
        }
        ("page-hinkley", &[delta, limit]) => {
            let mut test = PageHinkley::new(delta, limit, 0.9999, 30);
            for &value in values {
                test.observe(value);
                writeln!(out, "{}", u8::from(test.is_over()))?;
            }
            return Ok(true);
        }
        ("holt-winters", &[alpha, beta, gamma, season]) => {
            return foretell(HoltWinters::new(alpha, beta, gamma, whole(season)), values, out);
        }
        ("linear", &[length]) => return foretell(Linear::new(whole(length)), values, out),
        ("moving-average", &[length]) => return foretell(MovingAverage::new(whole(length)), values, out),
        _ => return Ok(false),
    };
    for &value in values {
        let (statistic, confidence) =
            scored.observe(value).map_or((0.0, 0.0), |score| (score.statistic, score.confidence));
        writeln!(out, "{statistic} {confidence}")?;
    }
    Ok(true)
}

fn foretell(mut model: impl Model, values: &[f64], out: &mut Vec<u8>) -> std::io::Result<bool> {
    for &value in values {
        writeln!(out, "{}", model.forecast(1).unwrap_or(f64::NAN))?;
        model.observe(value);
    }
    Ok(true)
}
