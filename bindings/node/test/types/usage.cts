// The CommonJS form has the same types.
import knhk = require('knhk');

const engine: knhk.Engine = knhk.openSync(':memory:');
const key: knhk.Key<'f64'> = engine.sector('orders').key('ratio', 'f64');
const ratio: number = key.value;
// @ts-expect-error a double is no string
const text: string = key.value;
void [ratio, text];
