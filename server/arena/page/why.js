/** Why something was not done, in words: the SDK's reasons of rooms, chat, the queue and parties. */

/** @type {Record<string, string>} */
const WHY = {
  NoSuchRoom: 'There is no such room.',
  RoomFull: 'The room is full.',
  Locked: 'The room lets nobody in for now.',
  TooManyRooms: 'The server has all the rooms it may have.',
  Busy: 'The server is busy. Try again in a moment.',
  TooOften: 'Too fast. Try again in a moment.',
  TooMuch: 'Too much waits to be sent already.',
  TimedOut: 'The server did not answer in time.',
  Closed: 'There is no connection right now.',
  NotNow: 'That is not possible right now.',
  NotHost: 'Only the host may do that.',
  NoSuchPlayer: 'That player is gone.',
  BadText: 'That text is too long or empty.',
  KeptOut: 'You were removed from that room. It is closed to you for ten minutes.',
  NotForSpectators: 'Take a seat first: who watches only looks.',
  Muted: 'You are muted for now.',
  // How a wait for a match ended.
  NotAccepted: 'A match was not accepted in time.',
  Declined: 'The match was declined.',
  NotCome: 'A player did not come into the arena in time.',
  JoinFailed: 'The arena of the match could not be joined.',
  Cooling: 'A match came to nothing by you. Wait a while before the next.',
  Lost: 'You were away for too long.',
  NotQueued: 'You were away for too long.',
  TooFew: 'Nobody came. Try again later.',
  NoRoom: 'The server has no arena for the match.',
  NoSuchMode: 'This server finds no matches.',
  PartySize: 'Your party is too large for that.',
  NotLeader: 'Only the leader of your party can look for a match.',
  InRoom: 'Somebody of your party is in a room.',
  PartyChanged: 'Your party changed. Its leader can look again.',
  PartyPlays: 'Your party plays already.',
  LeftParty: 'You left the party that looked for a match.',
  Cancelled: 'The search was cancelled.',
  // Parties.
  NotInParty: 'You are in no party any more.',
  NoSuchParty: 'There is no such party any more.',
  PartyFull: 'The party is full.',
  TooManyParties: 'The server has all the parties it may have.',
  Kicked: 'You were removed from the party.',
  Away: 'You were away for too long and are out of your party.',
  Idle: 'Your party ended: nothing happened in it for long.',
  Stopped: 'Your party ended: the server stops.',
};

/** @param {string} reason the SDK's name @returns {string} in words */
export function inWords(reason) {
  return WHY[reason] ?? 'The server refused.';
}
