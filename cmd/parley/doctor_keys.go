package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/keyring"
	"parley/internal/store"
	"parley/migrations"
)

// lookAtContent finds key files with which parley would not start.
func (d *doctor) lookAtContent() {
	const check = "keys"
	if _, err := os.Stat(keyFile(d.cfg)); err == nil { // reading one that is missing would make it
		if d.ring, err = keyring.Load(keyFile(d.cfg)); err != nil {
			d.bad(check, err.Error()+".", "Bring the file back from its copy: without it nothing that is stored can be found again.")
		}
	}
	if _, err := keyring.ReadEpochs(d.cfg.EpochKeys, time.Now()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.bad(check, err.Error()+".", "Bring the file back (--epoch-keys), or see parley keys --help for what is lost without it.")
	}
}

// lookAtMark finds data of another parley in Redis.
func (d *doctor) lookAtMark(ctx context.Context, rdb redis.UniversalClient) {
	const check = "data"
	if d.ring == nil {
		return
	}
	switch err := migrations.Look(ctx, rdb, d.ring.Tag("key file")); {
	case errors.Is(err, migrations.ErrKeys):
		d.bad(check, "the data in Redis was made with another key file than "+keyFile(d.cfg)+".", `Copy the file "keys" from the --state folder of the parley that made it.`)
	case errors.Is(err, migrations.ErrNewer):
		d.bad(check, "the data in Redis was made by a newer parley.", "Use that one, or restore a backup that this one knows.")
	case err != nil:
		d.warn(check, "whose data is in Redis cannot be told ("+store.Kind(err)+").", "Allow its user what deploy/redis-acl allows.")
	}
}
