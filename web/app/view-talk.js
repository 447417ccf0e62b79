// What is drawn once there is somebody to talk to. It comes with the first step towards a call.

export { call, ended } from './view-call.js';
export { chatPanel, directPanel, reportPanel, verifyPanel } from './view-panels.js';
