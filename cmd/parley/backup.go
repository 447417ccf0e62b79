package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/internal/backup"
	"parley/internal/keyring"
	"parley/migrations"
)

const backupHelp = `parley backup writes what is kept for longer than a moment into a file, and parley restore brings it back.

  parley backup FILE [settings]             FILE must not be there yet; it is written with mode 600
  parley restore FILE [--merge] [settings]  into an empty database, while no parley runs

In the file are reports and what goes with them, the policy, the shape of the data, and counts of calls; nothing
of who waits or talks, and no keys. Records keep their end: what has expired meanwhile is not restored. The key
files in --state are to be saved apart from it, and the audit file with it; docs/backup.md says how.
--merge restores into a database that is not empty, made with the same key file and of the same shape: what is there
stays, and what is not there is added, but nothing of a device of which something is there. What was erased since the
backup was made may come back; docs/backup.md says when.

Exit status: 0 done; 1 it did not work; 2 the command line or the configuration is wrong.
`

// backupTime is how long a backup or a restore may take.
const backupTime = time.Hour

// backupCommand saves or restores and returns the exit status.
func backupCommand(args, environ []string, out, errs io.Writer) int {
	rest := slices.Clone(args[1:])
	at := slices.Index(rest, "--merge")
	if merge := at >= 0; merge {
		rest = slices.Delete(rest, at, at+1)
	}
	if slices.ContainsFunc(rest, func(w string) bool { return w == "help" || w == "--help" || w == "-h" }) {
		fmt.Fprint(out, backupHelp)
		return exitDone
	}
	if len(rest) == 0 || strings.HasPrefix(rest[0], "-") {
		fmt.Fprintf(errs, "parley: %s: name the file first: parley %s FILE\n", args[0], args[0])
		return exitUsage
	}
	file := rest[0]
	cfg, l, err := load(rest[1:], environ)
	if err == nil && l.command != "" {
		err = fmt.Errorf("%s: %q is too much", args[0], l.command)
	}
	if err == nil && at >= 0 && args[0] == "backup" {
		err = errors.New("backup: --merge is for parley restore")
	}
	if err == nil && cfg.Redis.IsEmbedded() {
		err = fmt.Errorf("%s: the store is embedded and forgets on exit: there is nothing to save and nowhere to restore to; name the store with --redis", args[0])
	}
	if err != nil {
		sayAll(errs, err)
		return exitUsage
	}
	if args[0] == "backup" {
		err = save(cfg, file, out)
	} else {
		err = restore(cfg, file, at >= 0, out)
	}
	if err != nil {
		return failed(errs, fmt.Errorf("%s: %w", args[0], err))
	}
	return exitDone
}

// withStore runs f with the store of the configuration.
func withStore(cfg config, f func(context.Context, *memory) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), backupTime)
	defer cancel()
	h := newHouse()
	defer func() { _ = h.close() }() // a client that cannot be closed ends with the process
	m, err := openStore(ctx, h, cfg.Redis, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return f(ctx, m)
}

// save writes a new file, and leaves none that is not whole.
func save(cfg config, name string, out io.Writer) error {
	return withStore(cfg, func(ctx context.Context, m *memory) error {
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator names the file
		if errors.Is(err, os.ErrExist) {
			return fmt.Errorf("%s is there already: name another file, or move it away", name)
		}
		if err != nil {
			return err
		}
		n, err := backup.Write(ctx, file, m.rdb, time.Now())
		if err == nil {
			err = file.Sync()
		}
		if err = errors.Join(err, file.Close()); err != nil {
			return errors.Join(err, os.Remove(name)) //nolint:gosec // G703: the operator names the file
		}
		fmt.Fprintf(out, "%d records are in %s\n", n, name)
		return nil
	})
}

// restore checks everything before it writes anything.
func restore(cfg config, name string, merge bool, out io.Writer) error {
	file, err := os.Open(name) //nolint:gosec // the operator names the file
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it is only read
	f, err := backup.Open(file, migrations.Newest())
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if _, err := os.Stat(keyFile(cfg)); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no key file %s: bring back the file \"keys\" of the parley that made the backup (--state)", keyFile(cfg))
	}
	ring, err := keyring.Load(keyFile(cfg))
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if mark := ring.Tag("key file"); f.Head.Mark != mark {
		return fmt.Errorf("%s was made with another key file than %s: bring back the file \"keys\" of the parley that made it (--state)", name, keyFile(cfg))
	}
	if err := haveWeeks(cfg, f, time.Now()); err != nil {
		return err
	}
	return withStore(cfg, func(ctx context.Context, m *memory) error {
		done, err := f.Restore(ctx, m.rdb, merge, time.Now())
		switch {
		case errors.Is(err, backup.ErrUsed):
			return fmt.Errorf("%w: name another with --redis, or say --merge, which adds what is not there", err)
		case err != nil:
			return err
		}
		if err := migrations.Run(ctx, m.rdb, ring.Tag("key file"), slog.New(slog.DiscardHandler)); err != nil {
			return fmt.Errorf("redis: %w", err)
		}
		fmt.Fprintf(out, "%d records of %s are restored; %d had expired, %d were there already and stay\n",
			done.Records, f.Head.Made.Format("2006-01-02 15:04 UTC"), done.Expired, done.Kept)
		if done.Known > 0 {
			fmt.Fprintf(out, "%d are left out: the database has a newer record of the same device\n", done.Known)
		}
		return nil
	})
}

// haveWeeks makes sure that records about devices can be found again: they lie under weekly keys,
// which are in no backup. A week that had yet to begin when it was made has none.
func haveWeeks(cfg config, f *backup.File, now time.Time) error {
	if f.Devices == 0 || cfg.EpochKeysNew {
		return nil
	}
	live, err := keyring.ReadEpochs(cfg.EpochKeys, now)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("epoch-keys: %w", err)
	}
	var lost []string
	for week, fingerprint := range f.Weeks {
		key, there := live.Week(week)
		epoch := keyring.Epoch{Week: week}
		if now.Before(epoch.Due()) && !epoch.Begins().After(f.Head.Made) && (!there || key.Fingerprint() != fingerprint) {
			lost = append(lost, strconv.FormatInt(week, 10))
		}
	}
	if len(lost) == 0 {
		return nil
	}
	slices.Sort(lost)
	return fmt.Errorf("its reports were made under weekly keys that are not in %s, those of week %s: bring that file back (--epoch-keys); "+
		"if it is lost, --epoch-keys-new=true restores the rest, and nobody is found under those reports", cfg.EpochKeys, strings.Join(lost, ", "))
}
