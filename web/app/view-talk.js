// What is drawn once there is somebody to talk to. It comes with the first step towards a call.

import { call, ended } from './view-call.js';
import { chatPanel, directPanel, reportPanel, verifyPanel } from './view-panels.js';

/** @type {Record<string, (ctx: import('./view.js').Ctx) => import('./view.js').Screen>} */
export const screens = { matched: call, connecting: call, live: call, reconnecting: call, ended };
/** @type {Record<string, (ctx: import('./view.js').Ctx) => import('./view.js').Panel>} */
export const panels = { report: reportPanel, verify: verifyPanel, chat: chatPanel, direct: directPanel };
