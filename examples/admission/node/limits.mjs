// Orders, the limits they are admitted on, and the operator's plan.

export const VERDICTS = ['accepted', 'closed', 'venue', 'quantity', 'tenant', 'price'];
export const [ACCEPTED, CLOSED, VENUE, QUANTITY, TENANT, PRICE] = VERDICTS.keys();
export const VENUES = ['XPAR', 'XLON', 'XETR', 'XOFF']; // the last one trades in the dark
export const TENANTS = ['acme', 'birch', 'cobalt', 'delta']; // the last one has no limit of its own

/** What a document says, as the auditor knows it. */
const day = { open: true, maxQty: 1000, tenants: [600, 400, 800], darkTradable: true, price: [9500, 10500] };
const calm = { ...day, maxQty: 400 };
const credit = { ...calm, tenants: [150, 400, 800] };
const lit = { ...credit, darkTradable: false };
const narrow = { ...lit, price: [9800, 10200] };

export const PLAN = [
  { by: 'desk', why: 'limits of the day', limits: day },
  { by: 'risk', why: 'volatility is up', limits: calm },
  { by: 'desk', why: 'a large client asks', limits: { ...day, maxQty: 9000 }, breaksRange: true },
  { by: 'credit', why: 'acme is near its line', limits: credit },
  { by: 'compliance', why: 'XOFF is suspended', limits: lit },
  { by: 'risk', why: 'the market is thin', limits: narrow },
  { by: 'exchange', why: 'trading halt', limits: { ...narrow, open: false } },
  { by: 'desk', why: 'the halt is over', backTo: 5 },
];

export function documentOf({ open, maxQty, tenants, darkTradable, price: [low, high] }) {
  return {
    open: { $value: open, $doc: 'no order is admitted while this is off' },
    max_qty: { $value: maxQty, $min: 1, $max: 5000, $unit: 'lots' },
    price: { $value: 10000, $min: low, $max: high, $unit: 'ticks' },
    tenants: Object.fromEntries(tenants.map((limit, n) => [TENANTS[n], limit])),
    $classes: {
      tradable: [],
      lit: ['tradable'],
      dark: darkTradable ? ['tradable'] : [],
      XPAR: ['lit'],
      XLON: ['lit'],
      XETR: ['lit'],
      XOFF: ['dark'],
    },
  };
}

/** Reads `id tenant venue quantity price`; undefined where it is something else. */
export function parseOrder(line) {
  const [id, tenant, venue, qty, price, ...more] = line.split(' ');
  const order = { id: Number(id), tenant, venue, qty: Number(qty), price: Number(price) };
  const whole = line.length < 80 && more.length === 0 && [order.id, order.qty, order.price].every(Number.isSafeInteger);
  return whole ? order : undefined;
}

/** What the auditor needs to decide again, beside the quantity, which is the observation's value: a word of 53 bits here. */
export function detailOf({ tenant, venue, price }, verdict) {
  return ((price * 256 + (TENANTS.indexOf(tenant) & 255)) * 256 + (VENUES.indexOf(venue) & 255)) * 256 + verdict;
}

export function decideAgain(limits, qty, detail) {
  const [venue, tenant, price] = [Math.floor(detail / 2 ** 8) & 255, Math.floor(detail / 2 ** 16) & 255, Math.floor(detail / 2 ** 24)];
  if (!limits.open) return CLOSED;
  if (venue >= VENUES.length || (venue === VENUES.length - 1 && !limits.darkTradable)) return VENUE;
  if (qty > limits.maxQty) return QUANTITY;
  if (qty > (limits.tenants[tenant] ?? Infinity)) return TENANT;
  return price >= limits.price[0] && price <= limits.price[1] ? ACCEPTED : PRICE;
}
