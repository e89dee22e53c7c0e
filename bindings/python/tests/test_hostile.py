"""Texts made to hurt are refused by name, with little memory, and change nothing."""

import resource

import pytest

import knhk

SH, RDF = "http://www.w3.org/ns/shacl#", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DEEP = 100_000
LONG = 2 << 20
LAUGHS = "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12))
CLIQUE = "".join(f"_:n{a} <urn:p> _:n{b} .\n" for a in range(40) for b in range(40) if a != b)

HOSTILE = {
    "nested blank nodes": ("turtle", "<urn:a> <urn:b> " + "[ <urn:b> " * DEEP, "nest"),
    "nested lists": ("turtle", "<urn:a> <urn:b> " + "( " * DEEP, "nest"),
    "nested arrays": ("jsonld", "[" * DEEP, "nest"),
    "nested objects": ("jsonld", '{"urn:b":' * DEEP, "nest"),
    "nested elements": ("rdfxml", "<a>" * DEEP, "nest"),
    "nested documents": ("json", '{"a":' * DEEP, "."),
    "a huge literal": ("turtle", f'<urn:a> <urn:b> "{"x" * LONG}" .', "."),
    "a huge IRI": ("ntriples", f"<urn:a> <urn:b> <urn:{'x' * LONG}> .", "."),
    "a huge attribute": ("rdfxml", f'<a x="{"x" * LONG}"/>', "."),
    "a clique of blank nodes": ("ntriples", CLIQUE, "blank node"),
    "a billion laughs": (
        "rdfxml",
        f'<!DOCTYPE r [<!ENTITY a "ha">{LAUGHS}]><rdf:RDF xmlns:rdf="{RDF}" xmlns:e="urn:e:">'
        '<rdf:Description rdf:about="urn:a"><e:p>&m;</e:p></rdf:Description></rdf:RDF>',
        ".",
    ),
    "a foreign file": ("rdfxml", '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>', "."),
    "a remote context": ("jsonld", '{"@context": "http://example.com/context", "a": 1}', "http://example.com/context"),
    "a list that bites its tail": (
        "turtle",
        f"<urn:s> a <{SH}NodeShape> ; <{SH}in> _:l . _:l <{RDF}first> 1 ; <{RDF}rest> _:l .",
        "urn:s",
    ),
    "a constraint of another language": (
        "turtle",
        f'<urn:s> a <{SH}NodeShape> ; <{SH}targetNode> <urn:n> ; <{SH}sparql> [ <{SH}select> "SELECT $this WHERE {{}}" ] .',
        "sparql",
    ),
    "a gigantic pattern": (
        "turtle",
        f'<urn:s> a <{SH}NodeShape> ; <{SH}targetNode> "a" ; <{SH}pattern> "(((((a{{1000}}){{1000}}){{1000}}){{1000}}){{1000}})" .',
        "urn:s",
    ),
}


def peak_kib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.fixture
def sector():
    with knhk.open() as engine:
        yield engine.create_sector("orders")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_refused(sector, name):
    format, text, said = HOSTILE[name]
    before = peak_kib()
    with pytest.raises((knhk.InvalidDocument, knhk.LimitExceeded), match=said) as refused:
        sector.promote_rdf(text, format)
    assert len(str(refused.value)) < 2000 and peak_kib() - before < 256 << 10
    with pytest.raises((knhk.InvalidDocument, knhk.LimitExceeded)):
        sector.validate_rdf(text, format)
    assert sector.history() == []


@pytest.mark.parametrize("format", ["turtle", "ntriples", "nquads", "jsonld", "rdfxml"])
def test_an_endless_line_is_refused_by_its_size(sector, format):
    line = bytes(1 << 30)  # Zeros that nobody touches.
    before = peak_kib()
    with pytest.raises(knhk.LimitExceeded, match="bytes"):
        sector.promote_rdf(line, format)
    with pytest.raises(knhk.LimitExceeded, match="bytes"):
        sector.promote_delta(add=line, format=format)
    assert peak_kib() - before < 256 << 10
