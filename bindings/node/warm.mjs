// The same module as `require('knhk/warm')` gives, so that a program that mixes both forms has one set of classes.
export { Channel, Executor, Graph, StartFailedError, Task, executors } from './dist/warm.js';
