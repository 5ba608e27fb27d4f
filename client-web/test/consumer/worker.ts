/**
 * A player in a Web Worker, and a bot in Node: no page, so nothing of it may be needed. Only compiled, under the libraries of either; see
 * `consumer.ts`.
 */

import { CloseCode, closeReason, connect, join, Link, RequestError, Room } from 'tickwire-client';
import type { ConnectOptions, JoinOptions, PlayOptions, View } from 'tickwire-client';
import { unit } from 'tickwire-client/exact.js';

type Square = { entity: { pos?: { x: number; y: number } }; input: { dx: number } };

const play: PlayOptions<Square> = { input: () => ({ dx: unit(0)[0] }), smooth: 0 };

export async function bot(signal: AbortSignal, url: URL): Promise<number> {
  const where: ConnectOptions = { url, signal, reconnect: false, resume: true, storage: new Memory() };
  const options: JoinOptions<Square> = { ...where, ...play, code: 'CODE' };
  const room: Room<Square> = await join<Square>(options);
  const link: Link<Square> = await connect<Square>({ ...where, conditioner: { rttMs: 100 } });
  link.on('close', ({ code }) => code === CloseCode.Restart && closeReason(code));
  const view: View<Square> = room.view(performance.now());
  try {
    room.say('hi');
    room.ready(true);
    room.kick(3);
  } catch (error) {
    if (error instanceof RequestError && error.reason === 'Closed') return error.code ?? 0;
  }
  await link.create({ name: 'Mine', private: true, seats: 2 });
  await room.leave();
  return view.entities.length;
}

class Memory {
  #kept = new Map<string, string>();
  getItem = (key: string) => this.#kept.get(key) ?? null;
  setItem = (key: string, value: string) => void this.#kept.set(key, value);
  removeItem = (key: string) => void this.#kept.delete(key);
}
