/** What members of one name are called. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { labelOf } from '../src/label.js';

/**
 * @param {string[]} names of the players 1, 2, …
 * @returns {string[]} what they are called
 */
function labels(...names) {
  const members = names.map((name, i) => ({ player: i + 1, name }));
  return members.map(({ player, name }) => labelOf(members, player, name));
}

test('two members of one name are told apart', () => {
  assert.deepEqual(labels('Ann', 'Bo'), ['Ann', 'Bo']);
  assert.deepEqual(labels('Ann', 'Bo', 'Ann'), ['Ann#1', 'Bo', 'Ann#3']);
  assert.deepEqual(labels('Ann', 'ANN', 'ａｎｎ'), ['Ann#1', 'ANN#2', 'ａｎｎ#3']);
  assert.deepEqual(labels('Straße', 'STRASSE'), ['Straße#1', 'STRASSE#2']);
  assert.deepEqual(labels('می\u200Cخواهم', 'میخواهم'), ['می\u200Cخواهم#1', 'میخواهم#2']);
  assert.deepEqual(labels('☺\uFE0F', '☺\uFE0E', '☺'), ['☺\uFE0F#1', '☺\uFE0E#2', '☺#3']);
});

test('a label can not be taken for a name', () => {
  assert.deepEqual(labels('Ann', 'Ann#1'), ['Ann', 'Ann#1#2']);
  assert.deepEqual(labels('Ann', 'Ann', 'Ann#1'), ['Ann#1', 'Ann#2', 'Ann#1#3']);
  assert.deepEqual(labels('C#', 'x#y'), ['C#', 'x#y']);
});

test('who said something and went is told from who is there', () => {
  const members = [{ player: 2, name: 'Ann' }];
  assert.equal(labelOf(members, 1, 'ann'), 'ann#1');
  assert.equal(labelOf(members, 1, 'Bo'), 'Bo');
  assert.equal(labelOf(members, 2, 'Ann'), 'Ann');
});
