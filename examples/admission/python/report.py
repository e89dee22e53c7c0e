"""The summary, for people or as JSON."""

import json

from limits import VERDICTS


def summary(program) -> dict:
    """What came out, with everything that is inconsistent counted in violations."""
    counts, stats = program.counts, program.engine.stats()
    names = ("stale", "contradicted", "backwards", "lost", "unexpected")
    violations = {name: counts[name] for name in names}
    whole = (
        counts["sent"] == counts["answered"] == counts["decided"] == counts["drained"] + stats.dropped
        and counts["announced"] == len(program.eras) - 1
        and len(program.refusals) == 1
        and all(counts["decided", v] == counts["answered", v] for v in range(len(VERDICTS)))
    )
    violations["total"] = sum(violations.values()) + (not whole)
    return {
        "language": "python",
        "seconds": round(program.elapsed, 3),
        "workers": program.connections,
        "connections": program.connections,
        "sent": counts["sent"],
        "answered": counts["answered"],
        "decided": counts["decided"],
        "verdicts": {name: counts["decided", v] for v, name in enumerate(VERDICTS)},
        "versions": [
            {
                "version": era.version.version,
                "generation": era.version.epoch,
                "rollback_of": era.version.rollback_of or 0,
                "by": era.version.by,
                "why": era.version.why,
                "change": era.change or "the first limits",
                "promote_us": (era.returned_ns - era.called_ns) / 1e3,
                "effective_us": max(era.first_ns - era.returned_ns, 0) / 1e3,
                "decisions": era.decisions,
            }
            for era in program.eras
        ],
        "refused": len(program.refusals),
        "refusal": "; ".join(program.refusals),
        "announced": counts["announced"],
        "decision_ns": round(program.decision_ns, 1),
        "longest_us": program.longest_ns / 1e3,
        "observations": {"accepted": stats.observed, "dropped": stats.dropped, "drained": counts["drained"]},
        "violations": violations,
    }


def show(told: dict) -> None:
    """Prints a summary for people."""
    decided, wrong = told["decided"], told["violations"]
    print(f"\n  decisions   {decided:>12,}   {decided / told['seconds']:,.0f} a second\n")
    for name, count in told["verdicts"].items():
        share = count / max(decided, 1)
        print(f"    {name:<10}{count:>12,}   {share:6.1%}  {'█' * round(share * 40)}")
    print("\n  limits        version   promoted in    first decision      decisions")
    for version in told["versions"]:
        mark = "↶" if version["rollback_of"] else "●"
        print(
            f"    {mark} {version['by']:<11}{version['version']:>4} {version['promote_us']:>10.0f} µs"
            f" {version['effective_us']:>9.0f} µs after {version['decisions']:>14,}   {version['change']}"
        )
    print(f"    ✗ refused: {told['refusal']}")
    print(f"\n  a decision      {told['decision_ns']:.0f} ns: one view, up to six typed reads")
    print(f"  longest pause   {told['longest_us']:.0f} µs in one decision, the interpreter's and the scheduler's share included")
    print(f"  observations    {told['observations']['drained']:,} accepted, {told['observations']['dropped']:,} dropped")
    print("\n  checked")
    print(f"    {wrong['stale'] + wrong['backwards']} of {decided:,} decisions were made on limits older than the last acknowledged")
    print(f"    {wrong['contradicted']} of {told['observations']['drained']:,} audited verdicts contradict their generation's limits")
    print(f"    {told['sent']:,} orders sent, {told['answered']:,} answered, {decided:,} decided\n")


def report(program, as_json: bool) -> bool:
    """Whether everything is consistent."""
    told = summary(program)
    if as_json:
        print(json.dumps(told))
    else:
        show(told)
    return told["violations"]["total"] == 0 and told["decided"] > 0
