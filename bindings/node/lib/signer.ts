// Signers: who signs receipts.

import { isUint8Array } from 'node:util/types';

import { attempt, checkString } from './errors.js';
import { native } from './native.js';

const forgotten = new FinalizationRegistry((signer: number) => native.signerForget(signer));

/** Internal: a signer's number. */
export let numberOfSigner: (signer: unknown) => number | undefined;

/** Signs a message: gives the 64 bytes of its Ed25519 signature, at once or by a promise. */
export type Sign = (message: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/** A key that signs (Ed25519), here or elsewhere. It belongs to the thread that made it; what is printed of it shows the public part alone. */
export class Signer {
  #number: number;

  static {
    numberOfSigner = (signer) => (signer instanceof Signer ? signer.#number : undefined);
  }

  private constructor(make: () => number) {
    if (typeof make !== 'function') throw new TypeError('not made with new: use Signer.generate, load, fromSeed or delegated');
    this.#number = attempt(make);
    forgotten.register(this, this.#number);
  }

  /** A new key, in memory alone: see `save`. */
  static generate(): Signer {
    return new Signer(() => native.signerGenerate());
  }

  /**
   * A key from a file that nobody but its owner may touch: PKCS#8 as PEM or DER, or a seed as 32 bytes or 64 hexadecimal digits.
   *
   * @throws KnhkError `KNHK_KEY_FILE`, whose message quotes nothing of it.
   */
  static load(path: string): Signer {
    checkString('the path', path);
    return new Signer(() => native.signerLoad(path));
  }

  /** The key of a seed of 32 bytes (RFC 8032's private key). */
  static fromSeed(seed: Uint8Array): Signer {
    // Neither message may show what was given.
    if (!isUint8Array(seed)) throw secret('the seed must be a Uint8Array');
    return new Signer(() => native.signerFromSeed(seed));
  }

  /**
   * A key that is held elsewhere: an HSM, a KMS, another process. `sign` is called on this thread, one call at a time; until it has
   * answered, no receipt is written and nothing is promoted. Each signature is checked, and what `sign` throws fails the operation that
   * wanted to record, with `KNHK_SIGNING`.
   *
   * Since this thread must not wait for itself, an engine with such a signer takes changes as promises only (`…Sync` forms are refused with
   * `KNHK_WRONG_THREAD`), and while one is pending, calls that look at sectors and history are refused with `KNHK_BUSY`. Reads of values go
   * on. A function that gives nothing for 15 seconds has failed.
   */
  static delegated(publicKey: Uint8Array, sign: Sign): Signer {
    if (!isUint8Array(publicKey)) throw secret('the public key must be a Uint8Array');
    if (typeof sign !== 'function') throw secret('sign must be a function');
    return new Signer(() => native.signerDelegated(publicKey, (request, message) => void answer(sign, request, message)));
  }

  /** The public part, 32 bytes. */
  get publicKey(): Uint8Array {
    return attempt(() => native.signerPublicKey(this.#number));
  }

  /** The signature of a message, 64 bytes: for a program that holds a key on behalf of an engine elsewhere. */
  sign(message: Uint8Array): Uint8Array {
    if (!isUint8Array(message)) throw secret('the message must be a Uint8Array');
    return attempt(() => native.signerSign(this.#number, message));
  }

  /** Writes the key to a new file as PKCS#8 PEM that only its owner may read. */
  save(path: string): void {
    checkString('the path', path);
    attempt(() => native.signerSave(this.#number, path));
  }
}

async function answer(sign: Sign, request: number, message: Uint8Array): Promise<void> {
  try {
    const signature: unknown = await sign(message);
    if (isUint8Array(signature)) native.signed(request, signature);
    else native.signed(request, undefined, 'the function gave no Uint8Array where the 64 bytes of a signature were wanted');
  } catch (error) {
    native.signed(request, undefined, `the function threw ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`);
  }
}

/** What is wrong with an argument that might be a secret. */
export function secret(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'KNHK_INVALID_ARGUMENT' });
}
