// The summary, for people or as JSON.

import { VERDICTS } from './limits.mjs';

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
const grouped = (number) => Math.round(number).toLocaleString('en');

function summarise({ elapsed, workers, connections, sent, tallies, eras, refusals, unexpected, announced, audited, stats }) {
  const of = (name) => sum(tallies.map(({ tally }) => tally[name]));
  const verdicts = VERDICTS.map((_, v) => sum(tallies.map(({ tally }) => tally.verdicts[v])));
  const decided = of('decided');
  const whole =
    sent.orders === decided &&
    sent.answered === decided &&
    audited.drained + stats.dropped === decided &&
    verdicts.every((count, v) => count === sent.verdicts[v]) &&
    announced === eras.length - 1 && // the first one was promoted before the subscription
    refusals.length === 1;
  const violations = {
    stale: of('stale'),
    contradicted: audited.contradicted,
    backwards: sent.backwards,
    lost: sent.lost,
    unexpected,
  };
  return {
    language: 'node',
    seconds: Number(elapsed.toFixed(3)),
    workers,
    connections,
    sent: sent.orders,
    answered: sent.answered,
    decided,
    verdicts: Object.fromEntries(VERDICTS.map((name, v) => [name, verdicts[v]])),
    versions: eras.map(({ version, tookUs, decisions }) => ({
      version: version.version,
      generation: version.epoch,
      rollback_of: version.rollbackOf ?? 0,
      by: version.by,
      why: version.why,
      change: version.version === 1 ? 'the first limits' : version.changes.map(({ summary }) => summary).join(', '),
      promote_us: Number(tookUs.toFixed(1)),
      decisions,
    })),
    refused: refusals.length,
    refusal: refusals.join('; '),
    announced,
    decision_ns: Number(Math.min(...tallies.map(({ decisionNs }) => decisionNs)).toFixed(1)),
    longest_us: Math.max(...tallies.map(({ tally }) => tally.longestNs)) / 1e3,
    observations: { accepted: stats.observed, dropped: stats.dropped, drained: audited.drained },
    violations: { ...violations, total: sum(Object.values(violations)) + (whole ? 0 : 1) },
  };
}

function show({ decided, seconds, verdicts, versions, refusal, violations: wrong, observations, ...told }) {
  console.log(`\n  decisions   ${grouped(decided).padStart(12)}   ${grouped(decided / seconds)} a second\n`);
  for (const [name, count] of Object.entries(verdicts)) {
    const share = count / Math.max(decided, 1);
    const percent = `${(share * 100).toFixed(1)} %`.padStart(7);
    console.log(`    ${name.padEnd(10)}${grouped(count).padStart(12)}   ${percent}  ${'█'.repeat(Math.round(share * 40))}`);
  }
  console.log('\n  limits        version   promoted in      decisions');
  for (const { rollback_of, by, version, promote_us, decisions, change } of versions) {
    const mark = rollback_of ? '↶' : '●';
    const took = `${grouped(promote_us)} µs`;
    console.log(`    ${mark} ${by.padEnd(11)}${`${version}`.padStart(4)} ${took.padStart(13)} ${grouped(decisions).padStart(14)}   ${change}`);
  }
  console.log(`    ✗ refused: ${refusal}`);
  console.log(`\n  a decision      ${told.decision_ns.toFixed(0)} ns: one view, up to six typed reads`);
  console.log(`  longest pause   ${told.longest_us.toFixed(0)} µs in one decision, garbage collection and the scheduler's share included`);
  console.log(`  observations    ${grouped(observations.drained)} accepted, ${grouped(observations.dropped)} dropped`);
  console.log('\n  checked');
  console.log(`    ${wrong.stale + wrong.backwards} of ${grouped(decided)} decisions were made on limits older than the last acknowledged`);
  console.log(`    ${wrong.contradicted} of ${grouped(observations.drained)} audited verdicts contradict their generation's limits`);
  console.log(`    ${grouped(told.sent)} orders sent, ${grouped(told.answered)} answered, ${grouped(decided)} decided\n`);
}

/** Whether everything is consistent. */
export function report({ json, ...outcome }) {
  const told = summarise(outcome);
  if (json) console.log(JSON.stringify(told));
  else show(told);
  return told.violations.total === 0 && told.decided > 0;
}
