/**
 * A game's page in TypeScript, as somebody writes it who installed the package. Only compiled: it must pass the
 * strictest settings, and every line that is marked as an error must be one. `package.test.js` checks it.
 */

import { connect, join, RequestError } from 'tickwire-client';
import type { ChatLine, CloseInfo, Entity, Link, Member, Room, RoomInfo, Stats, View, Watch } from 'tickwire-client';
import { DevPanel } from 'tickwire-client/dev_panel.js';
import { clamp } from 'tickwire-client/exact.js';

type Square = {
  entity: {
    pos?: { x: number; y: number };
    look?: { heading: number; colour: 'red' | 'blue'; target: number | undefined; name: string };
  };
  me: { pos: { x: number; y: number }; ammo: { n: number } };
  input: { dx: number; dy: number };
  state: { round: { on: boolean } };
  events: { hit: { who: number | undefined }; chat: { loud: boolean; said: { text: string } } };
  actions: { buy: { item: number; note: string }; give: { to: number | undefined }; draw: { x: number; lines: Uint8Array } };
};

export async function play(): Promise<Room<Square>> {
  const room = await join<Square>({
    name: 'Ann',
    input: () => ({ dx: 1 }),
    step(me, input, t) {
      me.pos.x = clamp(me.pos.x + input.dx * 100 * t.dt, 0, 1000);
      // @ts-expect-error inputs have no such field
      me.pos.y += input.dz;
    },
    draw(view, of) {
      for (const { handle, avatar, pos } of view.entities) if (pos) dot(pos.x, pos.y, `${handle} ${avatar}`);
      const left: number | undefined = view.me?.ammo.n;
      const on: boolean | undefined = view.state.round?.on;
      for (const event of view.events) if (event.name === 'hit') dot(0, 0, String(event.fields.who));
      dot(view.tick, of.you, `${left} ${on}`);
      // @ts-expect-error not every entity has a position
      dot(view.entities[0]?.pos.x, 0, '');
    },
    smooth: 50,
  });

  const off: () => void = room.on('hit', ({ who }, tick) => dot(who ?? 0, tick, ''));
  off();
  room.on('chat', (line: ChatLine) => dot(line.id, line.from, line.text));
  room.on('event:chat', ({ loud, said }) => dot(Number(loud), 0, said.text));
  room.on('members', (members) => dot(members.size, 0, ''));
  room.on('left', ({ reason }) => dot(0, 0, reason));
  // @ts-expect-error the game has no such event
  room.on('miss', () => {});
  // @ts-expect-error a hit has no such field
  room.on('hit', ({ where }) => dot(where, 0, ''));

  try {
    await room.act('buy', { item: 3, note: 'for Bo' }, { timeoutMs: 2000 });
    const [first] = room.entities;
    if (first !== undefined) await room.act('give', { to: first });
    await room.act('give', { to: first?.handle });
    await room.act('draw', { x: 1, lines: Uint8Array.of(1) });
    await room.act('draw', { lines: new ArrayBuffer(4) });
    // @ts-expect-error bytes are no text
    await room.act('draw', { lines: 'aGk=' });
    // @ts-expect-error an item is a number
    await room.act('buy', { item: 'sword' });
    // @ts-expect-error the game has no such action
    await room.act('sell');
  } catch (error) {
    if (error instanceof RequestError && error.reason === 'Refused') dot(0, 0, error.message);
    // @ts-expect-error there is no such reason
    if (error instanceof RequestError && error.reason === 'Nonsense') dot(error.code ?? 0, error.retryAfterMs ?? 0, '');
  }
  return room;
}

/** With a lobby, drawing by itself, as with Pixi or Three. */
export async function lobby(): Promise<void> {
  const link: Link<Square> = await connect<Square>({ url: 'wss://example.org/ws', name: 'Ann', WebSocket: globalThis.WebSocket });
  link.on('close', ({ code, reason, retryAfterMs }: CloseInfo) => dot(code, retryAfterMs ?? 0, reason));
  link.on('stopping', ({ retryAfterMs }) => dot(retryAfterMs, 0, ''));
  link.on('notice', ({ text, event, at, durable }) => dot(at.getTime(), durable ? 1 : 0, event ?? text));
  // @ts-expect-error links have no such event
  link.on('open', () => {});
  const rooms: RoomInfo[] = await link.rooms();
  const [listed] = rooms;
  const room =
    listed === undefined
      ? await link.create({ name: 'Mine', private: true, seats: 4, kicks: true })
      : await link.joinRoom(listed.id).catch(() => link.quickJoin());
  room.play({ input: () => ({}) });
  const view: View<Square> = room.view(performance.now());
  const entities: Entity<Square>[] = room.entities;
  const members: Map<number, Member> = room.members;
  const stats: Stats = room.stats;
  dot(view.entities.length + entities.length, members.size, room.state.round?.on ? room.code : link.name);
  dot(stats.rttMs, link.schema.components.length, `${link.state} ${link.limits.seats}`);
  const offers: boolean = link.offers.people && link.offers.watch && link.offers.parties && link.offers.queue;
  dot(Number(offers), 0, '');
  room.say('hello');
  room.ready();
  room.kick(await link.ping());
  const friends: Watch = link.watch(['A'.repeat(16)]);
  friends.on('change', (handle, presence) => dot(presence.type === 'room' ? (presence.room ?? 0) : 0, friends.size, handle));
  for (const [handle, presence] of friends) dot(0, 0, presence.type === 'lobby' ? presence.game : handle);
  friends.add('B'.repeat(16));
  friends.close();
  link.on('reconnecting', ({ attempt, delayMs, code, reason }) => dot(attempt, delayMs + code, reason));
  link.on('resumed', ({ room: same }) => dot(0, 0, same === undefined ? 'elsewhere' : same.code));
  const why: 'Asked' | 'Kicked' | 'RoomClosed' | 'SeatLost' = await room.leave();
  dot(0, 0, why);
  link.close();
}

/** A link made worse, and the panel that shows it. */
export async function develop(room: Room<Square>): Promise<void> {
  const panel = new DevPanel(room, { key: 'F9', onToggle: (isOpen) => dot(Number(isOpen), 0, '') });
  if (!panel.isOpen) panel.toggle();
  room.link.conditioner = { rttMs: 200, jitterMs: 30 };
  dot(room.link.conditioner?.rttMs ?? 0, 0, panel.element.className);
  panel.stop();
  await connect({ conditioner: false });
  const behind = await connect({ transports: ['stream', 'poll'] });
  dot(0, 0, behind.transport ?? '');
  // @ts-expect-error a link has no such thing
  await connect({ conditioner: { latencyMs: 5 } });
}

/** Without types of the game everything is allowed, and what the SDK itself says still has its type. */
export async function untyped(): Promise<void> {
  const room = await join({
    url: [new URL('ws://127.0.0.1:7777/ws'), 'wss://example.org/ws'],
    input: () => ({ dx: 1 }),
    step: (me, input, { dt }) => void (me.pos.x += input.dx * dt),
    draw: ({ entities }) => entities.forEach(({ slot, pos }) => dot(pos.x, slot, '')),
  });
  room.on('anything', ({ who }, tick) => dot(who, tick, ''));
  room.on('chat', ({ text }) => dot(0, 0, text));
  await room.act('anything', { at: 1 });
  // @ts-expect-error a handle is a number
  dot(room.entities[0]?.handle, 0, '');
  // @ts-expect-error there is nothing to connect with
  await connect({ WebSocket: 'ws' });
}

declare function dot(x: number, y: number, text: string): void;
