/**
 * How a column of an image is guessed from its baseline. `layout.js` says which column how,
 * `snapshot/predictor.js` does it.
 */
export const Guess = Object.freeze({
  /** Stays. */
  Hold: 0,
  /**
   * Goes on by the next column, the change, and part of the one after it, the second difference.
   */
  Linear: 1,
  /** The last change of the column before: implied where the baseline is the image before. */
  Change: 2,
  /**
   * What the change, the column before, differs by from the change before it; 0 where there was
   * none. Implied like the change.
   */
  SecondDiff: 3,
  /** Moves by another column. */
  Velocity: 4,
  /** Rises by the same every tick. */
  Counter: 5,
  /** The direction of two change columns. */
  Bearing: 6,
  /** The rate of a change column. */
  Rate: 7,
});
