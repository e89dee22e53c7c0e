// What must compile, and, under @ts-expect-error, what must not: an error that is not there any more is an error.
import * as knhk from 'knhk';
import { attach, Engine, Key, KnhkError, open, openSync, View, type Change, type Value, type VersionInfo } from 'knhk';
import { Breaker, Bulkhead, Pipeline, Retry } from 'knhk/resilience';
import { Channel, Executor, Graph, executors } from 'knhk/warm';

declare function is<T>(value: T): void;
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(yes: Same<A, B>): void;

const engine = await open('./limits', { history: 10, barrier: 'auto', signal: AbortSignal.timeout(5) });
is<Engine>(engine);
is<Engine>(openSync(':memory:'));
is<Engine>(attach(engine.share()));
// @ts-expect-error a number is no location
await open(5);
// @ts-expect-error a misspelt option
await open('./limits', { histroy: 10 });
// @ts-expect-error no such barrier
openSync('./limits', { barrier: 'none' });
// @ts-expect-error engines are opened, not made
new Engine();

const orders = engine.sector('orders');
const qty = orders.key('max_qty', 'i64');
same<typeof qty, Key<'i64'>>(true);
same<typeof qty.value, number>(true);
same<typeof qty.bigint, bigint>(true);
is<boolean>(qty.allows(5));
is<boolean>(qty.allows(5n));
is<number | string>(qty.get('none'));
const tried = qty.tryGet();
if (tried.reason === 'present') same<typeof tried.value, number>(true);
// @ts-expect-error a misspelt type
orders.key('max_qty', 'int64');
// @ts-expect-error a value is read, not written
qty.value = 5;
// @ts-expect-error an integer has no names
qty.lookup('x');

const name = orders.key('name', 'string');
same<typeof name.value, string>(true);
// @ts-expect-error a string has no range
name.allows('x');
// @ts-expect-error a string has no BigInt form
name.bigint.toString();
same<ReturnType<typeof orders.key<'bool'>>['value'], boolean>(true);
const steps = orders.key('steps', 'list<i64>');
same<typeof steps.value, readonly number[]>(true);
same<typeof steps.bigint, readonly bigint[]>(true);
// @ts-expect-error lists are shared, so frozen
steps.value.push(1);
is<Uint8Array>(orders.key('blob', 'bytes').value);
is<Value | undefined>(orders.key('venues', 'map').lookup('XPAR'));
is<boolean>(orders.key('a', 'class').isA(orders.key('b', 'class')));
// @ts-expect-error a class is compared with a class
orders.key('a', 'class').isA(qty);

const view: View = engine.view();
same<ReturnType<typeof view.get<'f64'>>, number>(true);
is<number>(view.get(qty));
is<number | undefined>(view.get(qty, undefined));
is<bigint>(view.bigint(qty));
// @ts-expect-error doubles have no BigInt form
view.bigint(orders.key('ratio', 'f64'));
view.end();
{
  using scoped = engine.view();
  scoped.get(qty);
}

engine.observe(qty, 5n, { outcome: 'rejected', subject: 1n, timeNs: 1n });
engine.observe(orders.key('on', 'bool'), true, { outcome: 300 });
// @ts-expect-error a double takes no BigInt
engine.observe(orders.key('ratio', 'f64'), 5n);
// @ts-expect-error no such outcome
engine.observe(qty, 5, { outcome: 'fine' });
// @ts-expect-error strings are not observed
engine.observe(name, 'x');

const version: VersionInfo = await orders.promote({ a: { $value: 1, $min: 0 }, b: [1, 2n], c: new Uint8Array() }, { by: 'me', major: false });
is<bigint>(version.timeNs);
is<VersionInfo>(orders.promoteSync('{}'));
is<VersionInfo>(await orders.rollback(version.version, { why: 'slow', signal: AbortSignal.timeout(5) }));
is<VersionInfo>(await orders.promoteImage(await engine.compile({})));
// @ts-expect-error a document is text or an object
await orders.promote(5);
// @ts-expect-error null is no value
await orders.promote({ a: null });
// @ts-expect-error a misspelt option
await orders.promote({}, { reason: 'x' });
// @ts-expect-error what is synchronous cannot be aborted
orders.promoteSync({}, { signal: AbortSignal.timeout(5) });

for await (const change of engine.changes({ persistent: false })) {
  same<typeof change, Change>(true);
  is<string>(change.summary);
}
engine.on('change', (change) => is<Change>(change));
engine.once('log', ({ level }) => is<'debug' | 'info' | 'warning' | 'error'>(level));
engine.on('close', () => {});
// @ts-expect-error listeners of changes get changes
engine.on('change', (change: string) => change);

try {
  engine.close();
} catch (error) {
  if (error instanceof KnhkError) is<string>(error.code), is<number>(error.status), is<string>(error.stage);
  if (error instanceof knhk.Error) is<string>(error.item);
}

// Resilience.
const breaker = new Breaker('payments', { failureRate: 0.2, recovery: 5_000, judge: () => 'ignored' });
// @ts-expect-error a misspelt option
new Breaker('payments', { failrate: 0.2 });
// @ts-expect-error a bulkhead needs its limit
new Bulkhead('places', {});
const callee = new Pipeline('payments', [breaker, new Retry('payments')], { timeout: 250 });
same<number, Awaited<ReturnType<typeof paid>>>(true);
const paid = callee.wrap(async (amount: number) => amount, { priority: 'high', fallback: (error, amount) => amount });
is<string>(await callee.call(async ({ signal }) => `${signal.aborted}`, { signal: AbortSignal.timeout(5) }));
// @ts-expect-error no such priority
callee.enter({ priority: 'vip' });
// @ts-expect-error a retry decides, and admits nothing
new Retry('r').enter();

const signer = knhk.Signer.delegated(new Uint8Array(32), async (message: Uint8Array) => message);
is<Engine>(openSync('./limits', { signer, trustRoot: '', checkpoint: '', retainVersions: 5, retainAgeMs: 5, observations: { windowMs: 5 } }));
is<Uint8Array>(knhk.Signer.generate().publicKey);
// @ts-expect-error a seed is bytes
knhk.Signer.fromSeed('9d61');
// @ts-expect-error a signer is no string
openSync('./limits', { signer: '9d61' });
const receipts = await engine.receipts({ kind: 'snapshot promoted', newestFirst: true });
is<unknown>(receipts[0]!.evidence.version);
is<string | undefined>(receipts[0]!.sector);
is<number>((await engine.verify({ progress: (now) => is<number>(now.total), signal: AbortSignal.timeout(5) })).receipts);
is<string | undefined>(engine.trustRoot);
const then = await orders.asOf('~1');
is<View>(then);
same<ReturnType<typeof then.get<'i64'>>, number>(true);
is<number>(await orders.tag('stable'));
is<number | undefined>((await orders.objectives())[0]!.burn);
await knhk.restore('a', 'b', { trustRoot: 'x' });
// @ts-expect-error a misspelt option
await knhk.restore('a', 'b', { trust_root: 'x' });

const executor = new Executor('reports', { notice: ({ kind }) => void kind });
same<typeof executor, Executor>(true);
is<Promise<number>>(executor.submit(() => 4));
is<Promise<number>>(executor.submit(async (run) => (run.cancelled ? 0 : 4), { signal: AbortSignal.timeout(5), within: 5 }));
const sweep = executor.task(
  function* (rows: number[]) {
    yield;
    return rows.length;
  },
  { priority: 'low', budget: 2 },
);
is<Promise<number>>(sweep.submit([1]));
// @ts-expect-error what it takes are numbers
sweep.submit(['one']);
// @ts-expect-error no such priority
executor.task(() => {}, { priority: 'urgent' });
const [here, there] = Channel.pair<number, string>(4);
await here.send(5);
is<string>(await here.receive());
is<number>(await there.receive());
// @ts-expect-error that end sends strings
await there.send(5);
const parts = new Graph();
parts.add('store', { start: async () => {}, health: () => 1 });
is<string[]>((await parts.shutdown()).stuck);

is<boolean>((await engine.loop.start({ sectors: ['orders'], every: 500, confirmAbove: 0.25 })).running);
engine.loop.addProposer('halve', async ({ parameters }) => {
  const [limit] = parameters;
  return limit && { changes: [{ path: limit.path, value: Number(limit.value) / 2 }], why: 'half of it', confidence: 0.5 };
});
engine.loop.addDetector('jump', (sector: string, watch: string) => ({ value }) => (value === null ? null : { statistic: value, confidence: 0.5, expected: 0 }));
is<number>(engine.loop.addHook('learn', 'after', (info: knhk.HookInfo) => info.cycle?.id));
for await (const cycle of engine.loop.finished({ persistent: false })) is<knhk.Cycle>(cycle);
is<number>(engine.loop.finished().missed);
engine.reportHot(0.0001);
is<number>(engine.hotMean);
is<number | undefined>(executors(engine)[0]?.tasks[0]?.runs);
is<boolean>((await engine.loop.replay({ cycle: 'l-1' })).equal);
is<number | undefined>((await engine.loop.knowledge()).rules.lower?.at_least);
// @ts-expect-error no such phase
engine.loop.addHook('dream', 'after', () => {});
// @ts-expect-error a plan says why
engine.loop.addProposer('wrong', () => ({ changes: [], confidence: 1 }));
