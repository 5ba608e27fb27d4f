/**
 * Texts as integers: UTF-8 in words of four bytes, the first byte in the lowest bits, filled with
 * zeros (PROTOCOL.md §4). The same as `text_words` and `words_text` of `shared/src/schema/field/`.
 */

import { decodeUtf8 } from '../bytes.js';

/** Bytes of the longest text that a field can hold. */
export const TEXT_BYTES_MAX = 64;

const encoder = new TextEncoder();
/** Holds the bytes of one text. */
const scratch = new Uint8Array(TEXT_BYTES_MAX);
const view = new DataView(scratch.buffer);

/**
 * @param {string} text cut between characters where it does not fit, and at its first NUL
 * @param {number} words integers of the field
 * @returns {number[]} signed, 32 bits each
 */
export function textWords(text, words) {
  const nul = text.indexOf('\0');
  scratch.fill(0);
  // It writes whole characters only.
  encoder.encodeInto(nul === -1 ? text : text.slice(0, nul), scratch.subarray(0, 4 * words));
  return Array.from({ length: words }, (_, i) => view.getInt32(4 * i, true));
}

/**
 * @param {string} text
 * @param {number} bytes room for it
 * @returns {boolean} whether `textWords` leaves nothing of it out
 */
export function fitsText(text, bytes) {
  return !text.includes('\0') && encoder.encode(text).length <= bytes;
}

/**
 * @param {ArrayLike<number>} from the integers of a row or message
 * @param {number} at the text's first
 * @param {number} words how many it has
 * @returns {string} throws a `ProtocolError` if they are not UTF-8
 */
export function wordsText(from, at, words) {
  let bits = 0;
  for (let i = 0; i < words; i++) {
    bits |= from[at + i];
    view.setInt32(4 * i, from[at + i], true);
  }
  let end = scratch.indexOf(0);
  if (end === -1 || end > 4 * words) end = 4 * words;
  const bytes = scratch.subarray(0, end);
  // Names are drawn every frame and seldom have more than ASCII, which needs no decoder.
  if ((bits & 0x80808080) === 0) return String.fromCharCode(...bytes);
  return decodeUtf8(bytes, 'a text');
}

/**
 * Throws a `ProtocolError` unless `wordsText` has a text for these integers.
 * @param {ArrayLike<number>} from
 * @param {number} at
 * @param {number} words
 */
export function checkText(from, at, words) {
  for (let i = 0; i < words; i++) {
    if ((from[at + i] & 0x80808080) !== 0) {
      wordsText(from, at, words);
      return;
    }
  }
}
