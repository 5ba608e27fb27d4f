/** Waiting for a condition across a real socket, where nobody tells when it has come true. */

/** How long anything may take, in milliseconds: far more than it does. */
const DEADLINE_MS = 20_000;
/** Between two looks, in milliseconds: a frame. */
const FRAME_MS = 16;

/**
 * @template T
 * @param {() => T | undefined | false} look called once a frame
 * @returns {Promise<T>} what it saw first
 */
export function until(look) {
  const end = performance.now() + DEADLINE_MS;
  return new Promise((resolve, reject) => {
    const timer = setInterval(() => {
      try {
        const seen = look();
        if (!seen && performance.now() < end) return;
        clearInterval(timer);
        if (seen) resolve(seen);
        else reject(new Error(`never happened: ${look}`));
      } catch (error) {
        clearInterval(timer);
        reject(error);
      }
    }, FRAME_MS);
  });
}
