// The same module as `require('knhk')` gives, so that a program that mixes both forms has one set of classes.
export {
  approverKey,
  attach,
  Engine,
  Error,
  Key,
  KnhkError,
  libraryVersion,
  open,
  openSync,
  renderReport,
  restore,
  Sector,
  signApproval,
  Signer,
  verifyProof,
  View,
} from './dist/index.js';
