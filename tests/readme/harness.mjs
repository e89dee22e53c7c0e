// A fragment of the manual becomes a program here.
import { open } from 'knhk';

const engine = await open(':memory:');
const orders = await engine.createSector('orders');
await orders.promote({ max_qty: { $value: 1000, $min: 1, $max: 5000, $unit: 'lots' }, tenants: { acme: 600, birch: 400 } });

// snippet

engine.close();
