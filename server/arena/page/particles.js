/**
 * Sparks, rings and rising numbers in fixed pools: nothing is allocated while the game runs, the
 * oldest give way. Knows colours and motion, not what happened: that is effects.js.
 */

const SPARKS_MAX = 512;
const RINGS_MAX = 32;
const NUMBERS_MAX = 24;

/** @typedef {import('./camera.js').Camera} Camera */

export class Particles {
  #x = new Float32Array(SPARKS_MAX);
  #y = new Float32Array(SPARKS_MAX);
  #vx = new Float32Array(SPARKS_MAX);
  #vy = new Float32Array(SPARKS_MAX);
  #life = new Float32Array(SPARKS_MAX);
  #span = new Float32Array(SPARKS_MAX);
  #size = new Float32Array(SPARKS_MAX);
  /** @type {string[]} */
  #colour = new Array(SPARKS_MAX).fill('#fff');
  #next = 0;
  #rings = Array.from({ length: RINGS_MAX }, () => ({ x: 0, y: 0, reach: 0, life: 0, span: 1, colour: '#fff' }));
  #nextRing = 0;
  #numbers = Array.from({ length: NUMBERS_MAX }, () => ({ x: 0, y: 0, life: 0, text: '', colour: '#fff' }));
  #nextNumber = 0;

  /**
   * Throws sparks.
   * @param {number} x units
   * @param {number} y units
   * @param {number} count
   * @param {string} colour
   * @param {number} speed units a second, at most
   * @param {number} [angle] towards where, radians; all around if left out
   * @param {number} [spread] radians either side of `angle`
   */
  burst(x, y, count, colour, speed, angle, spread = 0.6) {
    for (let n = 0; n < count; n += 1) {
      const i = this.#next;
      this.#next = (i + 1) % SPARKS_MAX;
      const way = angle === undefined ? Math.random() * Math.PI * 2 : angle + (Math.random() * 2 - 1) * spread;
      const pace = speed * (0.25 + 0.75 * Math.random());
      this.#x[i] = x;
      this.#y[i] = y;
      this.#vx[i] = Math.cos(way) * pace;
      this.#vy[i] = Math.sin(way) * pace;
      this.#span[i] = 0.2 + 0.35 * Math.random();
      this.#life[i] = this.#span[i];
      this.#size[i] = 1.2 + 1.6 * Math.random();
      this.#colour[i] = colour;
    }
  }

  /**
   * @param {number} x units
   * @param {number} y units
   * @param {number} reach units that the ring grows to
   * @param {string} colour
   * @param {number} [span] seconds
   */
  ring(x, y, reach, colour, span = 0.45) {
    const ring = this.#rings[this.#nextRing];
    this.#nextRing = (this.#nextRing + 1) % RINGS_MAX;
    ring.x = x;
    ring.y = y;
    ring.reach = reach;
    ring.life = span;
    ring.span = span;
    ring.colour = colour;
  }

  /**
   * @param {number} x units
   * @param {number} y units
   * @param {string} text
   * @param {string} colour
   */
  number(x, y, text, colour) {
    const number = this.#numbers[this.#nextNumber];
    this.#nextNumber = (this.#nextNumber + 1) % NUMBERS_MAX;
    number.x = x + Math.random() * 10 - 5;
    number.y = y - 16;
    number.life = 0.8;
    number.text = text;
    number.colour = colour;
  }

  /**
   * Moves and draws everything.
   * @param {CanvasRenderingContext2D} pen
   * @param {Camera} camera
   * @param {number} seconds since the last frame
   */
  draw(pen, camera, seconds) {
    pen.setTransform(camera.scale, 0, 0, camera.scale, camera.left, camera.top);
    pen.globalCompositeOperation = 'lighter';
    this.#drawSparks(pen, seconds);
    this.#drawRings(pen, seconds);
    pen.globalCompositeOperation = 'source-over';
    this.#drawNumbers(pen, camera, seconds);
    pen.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} seconds */
  #drawSparks(pen, seconds) {
    const drag = Math.exp(-4 * seconds);
    for (let i = 0; i < SPARKS_MAX; i += 1) {
      if (this.#life[i] <= 0) continue;
      this.#life[i] -= seconds;
      this.#vx[i] *= drag;
      this.#vy[i] *= drag;
      this.#x[i] += this.#vx[i] * seconds;
      this.#y[i] += this.#vy[i] * seconds;
      pen.globalAlpha = Math.max(0, this.#life[i] / this.#span[i]);
      pen.fillStyle = this.#colour[i];
      const size = this.#size[i];
      pen.fillRect(this.#x[i] - size / 2, this.#y[i] - size / 2, size, size);
    }
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} seconds */
  #drawRings(pen, seconds) {
    for (const ring of this.#rings) {
      if (ring.life <= 0) continue;
      ring.life -= seconds;
      const left = Math.max(0, ring.life / ring.span);
      pen.globalAlpha = left * 0.9;
      pen.strokeStyle = ring.colour;
      pen.lineWidth = 0.5 + 3 * left;
      pen.beginPath();
      pen.arc(ring.x, ring.y, ring.reach * (1 - left * left), 0, Math.PI * 2);
      pen.stroke();
    }
  }

  /** @param {CanvasRenderingContext2D} pen @param {Camera} camera @param {number} seconds */
  #drawNumbers(pen, camera, seconds) {
    let ready = false;
    for (const number of this.#numbers) {
      if (number.life <= 0) continue;
      number.life -= seconds;
      number.y -= 26 * seconds;
      if (!ready) {
        // In units, so that it grows with the scene.
        pen.font = '700 10px ui-sans-serif, system-ui, sans-serif';
        pen.textAlign = 'center';
        pen.lineWidth = 2.4;
        pen.lineJoin = 'round';
        pen.strokeStyle = '#06080cb0';
        ready = true;
      }
      if (!camera.sees(number.x, number.y, 20)) continue;
      pen.globalAlpha = Math.min(1, Math.max(0, number.life * 2.5));
      pen.strokeText(number.text, number.x, number.y);
      pen.fillStyle = number.colour;
      pen.fillText(number.text, number.x, number.y);
    }
  }
}
