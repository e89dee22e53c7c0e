// A worker thread: a server of its own, and the decision.

import net from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

import { attach } from 'knhk';

import { ACCEPTED, CLOSED, PRICE, QUANTITY, TENANT, VENUE, VENUES, VERDICTS, detailOf, parseOrder } from './limits.mjs';

const engine = attach(workerData.token);
const acknowledged = new BigInt64Array(workerData.acknowledged);
const orders = engine.sector('orders');
const keys = {
  open: orders.key('open', 'bool'),
  maxQty: orders.key('max_qty', 'i64'),
  price: orders.key('price', 'i64'),
  tenants: orders.key('tenants', 'map'),
  tradable: orders.key('$classes/tradable', 'class'),
  venues: new Map(VENUES.map((name) => [name, orders.key(`$classes/${name}`, 'class')])),
};
const tally = { decided: 0, verdicts: VERDICTS.map(() => 0), stale: 0, malformed: 0, longestNs: 0 };

/** The decision: what a program does with KNHK for each request. */
function decide(view, order) {
  if (!view.get(keys.open)) return CLOSED;
  const venue = keys.venues.get(order.venue);
  if (!venue || !view.isA(venue, keys.tradable)) return VENUE;
  if (order.qty > view.get(keys.maxQty)) return QUANTITY;
  if (order.qty > (view.lookup(keys.tenants, order.tenant) ?? Infinity)) return TENANT;
  return view.allows(keys.price, order.price) ? ACCEPTED : PRICE;
}

function admit(order) {
  const newest = Atomics.load(acknowledged, 0);
  const begun = process.hrtime.bigint();
  const view = engine.view();
  const verdict = decide(view, order);
  const outcome = verdict === ACCEPTED ? 'success' : 'rejected';
  view.observe(keys.maxQty, order.qty, { outcome, detail: detailOf(order, verdict), timeNs: BigInt(Date.now()) * 1_000_000n });
  const generation = view.epoch;
  view.end();
  tally.longestNs = Math.max(tally.longestNs, Number(process.hrtime.bigint() - begun));
  tally.stale += BigInt(generation) < newest ? 1 : 0;
  tally.decided += 1;
  tally.verdicts[verdict] += 1;
  return `${order.id} ${VERDICTS[verdict]} ${generation}\n`;
}

/** What one decision costs, in nanoseconds. */
function measure(rounds = 5000) {
  const order = { id: 0, tenant: 'acme', venue: 'XPAR', qty: 1, price: 10000 };
  const begun = process.hrtime.bigint();
  for (let n = 0; n < rounds; n++) {
    const view = engine.view();
    decide(view, order);
    view.end();
  }
  return Number(process.hrtime.bigint() - begun) / rounds;
}

const server = net.createServer({ noDelay: true }, (socket) => {
  let partial = '';
  socket.setEncoding('latin1');
  socket.on('data', (text) => {
    const lines = (partial + text).split('\n');
    partial = lines.pop();
    let answers = '';
    for (const line of lines) {
      const order = parseOrder(line);
      if (!order) {
        tally.malformed += 1;
        return socket.destroy();
      }
      answers += admit(order);
    }
    if (partial.length >= 80) {
      tally.malformed += 1;
      return socket.destroy();
    }
    socket.write(answers);
  });
  socket.on('error', () => socket.destroy());
});

server.listen(0, '127.0.0.1', () => parentPort.postMessage({ port: server.address().port }));
parentPort.once('message', () => {
  // All connections have ended: the traffic is over.
  server.close(() => {
    parentPort.postMessage({ tally, decisionNs: measure() });
    engine.close();
  });
});
