/** Numbers of the arena that the server's schema says, so that the page need not repeat them. */

/**
 * @param {import('/client/tickwire.js').Room} room
 * @param {string} component
 * @param {string} field a whole number
 * @returns {number} the most that it can be
 */
export function mostOf(room, component, field) {
  const fields = room.link.schema.components.find(({ name }) => name === component)?.fields ?? [];
  const kind = fields.find(({ name }) => name === field)?.kind;
  if (kind?.type !== 'Int') throw new Error(`the arena has no whole number ${component}.${field}`);
  return kind.max;
}
