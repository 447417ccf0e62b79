// Package day plays a day of a parley: people who come, search, talk, skip, report, block and
// leave, friends in private rooms, somebody who asks what is stored and erases it, operators at
// their console, visitors at the wrong door. All that of these people which no server may keep is
// planted before ([Canaries]): addresses, devices, browsers, phrases, passwords, texts,
// credentials. Then everything that can be read is searched for it in every form in which such a
// thing usually hides ([Inspect]): keys and values of Redis, its files on the disk, logs, the pages
// that were answered; and every key must be one that the catalogue declares.
package day
