export * from './dist/resilience.js';
