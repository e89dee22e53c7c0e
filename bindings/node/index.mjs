// The same module as `require('knhk')` gives, so that a program that mixes both forms has one set of classes.
export {
  attach,
  Engine,
  Error,
  Key,
  KnhkError,
  libraryVersion,
  open,
  openSync,
  restore,
  Sector,
  Signer,
  verifyProof,
  View,
} from './dist/index.js';
