// The frames that only rooms send; the table is signaling/doc.go.

/** @typedef {import('./protocol.js').Outgoing} Outgoing */

/** @param {string} tag @param {number} capacity @param {boolean} knock @returns {Outgoing} */
export const make = (tag, capacity, knock) => ({ t: 'make', tag, capacity, knock });
/** @param {'link' | 'channel'} kind @param {string} tag @returns {Outgoing} */
export const enter = (kind, tag) => ({ t: 'enter', kind, tag });
/** @param {string} member @param {boolean} yes @returns {Outgoing} */
export const admit = (member, yes) => ({ t: 'admit', member, yes });
/** @param {boolean} knock @returns {Outgoing} */
export const door = (knock) => ({ t: 'door', knock });
