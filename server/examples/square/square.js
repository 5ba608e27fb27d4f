import { join } from './client/tickwire.js';

const pen = document.querySelector('canvas').getContext('2d');
const keys = new Set();
addEventListener('keydown', ({ key }) => keys.add(key));
addEventListener('keyup', ({ key }) => keys.delete(key));
const axis = (less, more) => Number(keys.has(more)) - Number(keys.has(less));

await join({
  input: () => ({ dx: axis('ArrowLeft', 'ArrowRight'), dy: axis('ArrowUp', 'ArrowDown') }),
  step(me, { dx, dy }, { dt }) {
    me.pos.x += dx * 300 * dt;
    me.pos.y += dy * 300 * dt;
  },
  draw({ entities, me }) {
    pen.clearRect(0, 0, 1000, 1000);
    for (const e of entities) {
      pen.fillStyle = e === me ? '#2f7d5b' : '#c9653b';
      pen.fillRect(e.pos.x, e.pos.y, 40, 40);
    }
  },
});
