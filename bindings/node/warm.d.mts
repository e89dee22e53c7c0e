export * from './dist/warm.js';
