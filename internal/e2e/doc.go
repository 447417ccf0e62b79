// Package e2e lets real browsers talk through a real parley: each test starts the program, opens
// its page in isolated Chromium contexts, presses the buttons a person would press, and listens.
// Tests only. Without a browser they are skipped, or fail when PARLEY_E2E=require.
package e2e
