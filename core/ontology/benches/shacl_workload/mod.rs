//! What the SHACL benchmarks validate, ours and the peers' alike: the records of a trading firm as Turtle, ten statements each, and
//! twenty named shapes of twenty-six component kinds. One record in fifty breaks one of them.

use std::fmt::Write;

/// Statements of one record.
const STATEMENTS: usize = 10;

const PREFIXES: &str = "\
@prefix ex: <http://example.org/> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
";

/// The shapes.
pub fn shapes() -> String {
    format!("{PREFIXES}{SHAPES}")
}

/// `statements` statements about orders, accounts, instruments, trades and parties, a fifth each.
pub fn data(statements: usize) -> String {
    let mut text = PREFIXES.to_owned();
    let records = statements / STATEMENTS / 5;
    for at in 0..records {
        let broken = at % 50 == 7;
        let other = (at * 7 + 3) % records;
        order(&mut text, at, other, broken).expect("a string takes any text");
        account(&mut text, at, other, broken).expect("a string takes any text");
        instrument(&mut text, at, broken).expect("a string takes any text");
        trade(&mut text, at, other, records, broken).expect("a string takes any text");
        party(&mut text, at, other, broken).expect("a string takes any text");
    }
    text
}

fn order(text: &mut String, at: usize, other: usize, broken: bool) -> std::fmt::Result {
    let qty = if broken { 9000 } else { 1 + at % 5000 };
    let side = if at % 2 == 0 { "Buy" } else { "Sell" };
    writeln!(
        text,
        "ex:order{at} a ex:Order ; ex:id \"ORD-{at:06}\" ; ex:account ex:account{other} ; ex:instrument ex:instrument{other} ;
         ex:qty {qty} ; ex:price {}.25 ; ex:stop {}.5 ; ex:side ex:{side} ; ex:placed \"2026-01-{:02}T09:30:00Z\"^^xsd:dateTime ;
         ex:expires \"2026-02-{:02}T16:00:00Z\"^^xsd:dateTime .",
        100 + at % 900,
        50 + at % 50,
        1 + at % 28,
        1 + at % 28
    )
}

fn account(text: &mut String, at: usize, other: usize, broken: bool) -> std::fmt::Result {
    let german = if broken { "\"Konto\"@fr" } else { "\"Konto\"@de" };
    writeln!(
        text,
        "ex:account{at} a ex:Account ; ex:id \"ACC-{at:06}\" ; ex:owner ex:party{other} ; ex:name \"Account {at}\"@en, {german} ;
         ex:currency \"EUR\" ; ex:opened \"2020-03-{:02}\"^^xsd:date ; ex:status ex:Open ; ex:limit {} ; ex:mail \"desk{at}@example.org\" .",
        1 + at % 28,
        1000 * (1 + at % 500)
    )
}

fn instrument(text: &mut String, at: usize, broken: bool) -> std::fmt::Result {
    let isin = if broken { format!("de{at:010}") } else { format!("DE{at:010}") };
    writeln!(
        text,
        "ex:instrument{at} a ex:Instrument ; ex:isin \"{isin}\" ; ex:local \"L{at:06}\" ; ex:title \"Share {at}\" ; ex:tick 0.01 ;
         ex:lot {} ; ex:venue ex:Xetra ; ex:kind ex:Equity ; ex:shares {} ; ex:free {} .",
        1 + at % 100,
        1_000_000 + at,
        500_000 + at
    )
}

fn trade(text: &mut String, at: usize, other: usize, records: usize, broken: bool) -> std::fmt::Result {
    let seller = if broken { at } else { (at + 1) % records };
    writeln!(
        text,
        "ex:trade{at} a ex:Trade ; ex:order ex:order{other} ; ex:buyer ex:party{at} ; ex:seller ex:party{seller} ; ex:qty {} ;
         ex:price {}.75 ; ex:traded \"2026-01-{:02}T10:00:00Z\"^^xsd:dateTime ; ex:settled \"2026-02-{:02}T10:00:00Z\"^^xsd:dateTime ;
         ex:leg ex:order{other}, ex:instrument{other} .",
        1 + at % 1000,
        100 + at % 900,
        1 + at % 28,
        1 + at % 28
    )
}

fn party(text: &mut String, at: usize, other: usize, broken: bool) -> std::fmt::Result {
    let country = if broken { "Germany" } else { "DE" };
    writeln!(
        text,
        "ex:party{at} a ex:Party ; ex:id \"PTY-{at:06}\" ; ex:lei \"5493{at:016}\" ; ex:title \"Party {at}\" ; ex:country \"{country}\" ;
         ex:kind ex:Firm ; ex:parent ex:party{other} ; ex:rating {} ; ex:active true ; ex:seat \"Frankfurt\" .",
        1 + at % 10
    )
}

const SHAPES: &str = r#"
ex:OrderId a sh:NodeShape ; sh:targetClass ex:Order ;
    sh:property [ sh:path ex:id ; sh:datatype xsd:string ; sh:pattern "^ORD-[0-9]{6}$" ; sh:minCount 1 ; sh:maxCount 1 ] .
ex:OrderParties a sh:NodeShape ; sh:targetClass ex:Order ;
    sh:property [ sh:path ex:account ; sh:class ex:Account ; sh:minCount 1 ; sh:nodeKind sh:IRI ] ;
    sh:property [ sh:path ex:instrument ; sh:node ex:Listed ; sh:maxCount 1 ] .
ex:OrderAmounts a sh:NodeShape ; sh:targetClass ex:Order ;
    sh:property [ sh:path ex:qty ; sh:datatype xsd:integer ; sh:minInclusive 1 ; sh:maxInclusive 5000 ] ;
    sh:property [ sh:path ex:price ; sh:datatype xsd:decimal ; sh:minExclusive 0 ; sh:maxExclusive 100000 ] .
ex:OrderTimes a sh:NodeShape ; sh:targetClass ex:Order ;
    sh:property [ sh:path ex:placed ; sh:datatype xsd:dateTime ; sh:lessThan ex:expires ] ;
    sh:property [ sh:path ex:side ; sh:in ( ex:Buy ex:Sell ) ] .
ex:AccountNames a sh:NodeShape ; sh:targetClass ex:Account ;
    sh:property [ sh:path ex:name ; sh:uniqueLang true ; sh:languageIn ( "en" "de" ) ; sh:maxLength 40 ] .
ex:AccountOwner a sh:NodeShape ; sh:targetClass ex:Account ;
    sh:property [ sh:path ex:owner ; sh:class ex:Party ; sh:minCount 1 ] ;
    sh:property [ sh:path ( ex:owner ex:country ) ; sh:minCount 1 ] .
ex:AccountClosed a sh:NodeShape ; sh:targetClass ex:Account ; sh:closed true ;
    sh:ignoredProperties ( rdf:type ex:id ex:owner ex:name ex:currency ex:opened ex:status ex:limit ex:mail ) .
ex:AccountMoney a sh:NodeShape ; sh:targetClass ex:Account ;
    sh:property [ sh:path ex:currency ; sh:minLength 3 ; sh:maxLength 3 ; sh:in ( "EUR" "USD" "GBP" ) ] ;
    sh:property [ sh:path ex:limit ; sh:minInclusive 0 ; sh:or ( [ sh:datatype xsd:integer ] [ sh:datatype xsd:decimal ] ) ] .
ex:InstrumentIds a sh:NodeShape ; sh:targetClass ex:Instrument ;
    sh:property [ sh:path ex:isin ; sh:pattern "^[A-Z]{2}[0-9A-Z]{9}[0-9]$" ; sh:disjoint ex:local ; sh:minCount 1 ] .
ex:InstrumentSize a sh:NodeShape ; sh:targetClass ex:Instrument ;
    sh:property [ sh:path ex:free ; sh:lessThanOrEquals ex:shares ] ;
    sh:property [ sh:path ex:lot ; sh:datatype xsd:integer ; sh:minExclusive 0 ] .
ex:InstrumentKind a sh:NodeShape ; sh:targetClass ex:Instrument ;
    sh:not [ sh:path ex:kind ; sh:hasValue ex:Unknown ] ;
    sh:xone ( [ sh:path ex:kind ; sh:hasValue ex:Equity ] [ sh:path ex:kind ; sh:hasValue ex:Bond ] ) .
ex:Listed a sh:NodeShape ; sh:targetSubjectsOf ex:venue ;
    sh:property [ sh:path ex:venue ; sh:minCount 1 ; sh:nodeKind sh:IRI ] .
ex:TradeLegs a sh:NodeShape ; sh:targetClass ex:Trade ;
    sh:property [ sh:path ex:leg ; sh:qualifiedValueShape [ sh:class ex:Order ] ; sh:qualifiedMinCount 1 ; sh:qualifiedMaxCount 1 ] .
ex:TradeParties a sh:NodeShape ; sh:targetClass ex:Trade ;
    sh:property [ sh:path ex:buyer ; sh:class ex:Party ; sh:disjoint ex:seller ] .
ex:TradeTimes a sh:NodeShape ; sh:targetClass ex:Trade ;
    sh:property [ sh:path ex:traded ; sh:lessThan ex:settled ; sh:minCount 1 ; sh:maxCount 1 ] .
ex:TradeAmounts a sh:NodeShape ; sh:targetClass ex:Trade ;
    sh:and ( [ sh:path ex:qty ; sh:minInclusive 1 ] [ sh:path ex:price ; sh:minExclusive 0 ] ) .
ex:PartyIds a sh:NodeShape ; sh:targetClass ex:Party ;
    sh:property [ sh:path ex:lei ; sh:minLength 20 ; sh:maxLength 20 ; sh:pattern "^[0-9A-Z]+$" ] .
ex:PartyPlace a sh:NodeShape ; sh:targetClass ex:Party ;
    sh:property [ sh:path ex:country ; sh:maxLength 2 ; sh:minCount 1 ; sh:maxCount 1 ] .
ex:PartyFamily a sh:NodeShape ; sh:targetClass ex:Party ;
    sh:property [ sh:path ex:parent ; sh:class ex:Party ; sh:maxCount 1 ] ;
    sh:property [ sh:path [ sh:inversePath ex:buyer ] ; sh:class ex:Trade ] .
ex:PartyRating a sh:NodeShape ; sh:targetClass ex:Party ;
    sh:property [ sh:path ex:rating ; sh:datatype xsd:integer ; sh:minInclusive 1 ; sh:maxInclusive 10 ] ;
    sh:property [ sh:path ex:active ; sh:datatype xsd:boolean ; sh:hasValue true ] .
"#;
