package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"parley/web"
)

const hashesHelp = `parley hashes prints the SHA-256 of each file that this program gives to browsers, after unpacking, as
sha256sum does. /integrity of a running parley shows the same list.

  parley hashes [--from URL]
  --from URL      fetch each file from the parley there and compare it with this program; exit 1 names each that
                  differs. Build this program from the commit that /integrity of that server names.
`

const (
	// fetchWithin is how long one file may take.
	fetchWithin = 20 * time.Second
	// fetchMost is how large a file may be: all of ours are smaller.
	fetchMost = 8 << 20
)

func hashesRun(ctx context.Context, c *lookCall) error {
	if c.from != "" {
		return c.compare(ctx)
	}
	sums, err := web.Sums("")
	if err != nil {
		return err
	}
	for _, s := range sums {
		fmt.Fprintln(c.out, s)
	}
	return nil
}

// compare fetches each file from a server and tells which are not as here.
func (c *lookCall) compare(ctx context.Context) error {
	base, err := url.Parse(c.from)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return usagef("--from %s: say the address of a parley, like https://talk.example.org", c.from)
	}
	sums, err := web.Sums(strings.TrimRight(base.Path, "/"))
	if err != nil {
		return err
	}
	status, _, err := fetch(ctx, base.JoinPath("integrity.txt").String())
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	if status != http.StatusOK {
		return fmt.Errorf("--from %s: there is no parley that lists its files (status %d): say the address of its first page", c.from, status)
	}
	differ := 0
	for _, s := range sums {
		says, err := fetchSum(ctx, base.JoinPath(s.Path).String(), s)
		if err != nil {
			return fmt.Errorf("--from: %w", err)
		}
		if says != "" {
			differ++
			fmt.Fprintf(c.out, "/%s %s\n", s.Path, says)
		}
	}
	if differ > 0 {
		return errFound{fmt.Sprintf("%d of %d files of %s are not those of this program; compare the commit that /integrity names there with yours", differ, len(sums), c.from)}
	}
	_, err = fmt.Fprintf(c.out, "all %d files of %s are those of this program\n", len(sums), c.from)
	return err
}

// fetch returns what a browser would get, unpacked.
func fetch(ctx context.Context, at string) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, fetchWithin)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return 0, nil, err
	}
	r, err := http.DefaultClient.Do(q) // asks for gzip, as a browser does, and unpacks
	if err != nil {
		return 0, nil, err
	}
	body, err = io.ReadAll(io.LimitReader(r.Body, fetchMost))
	if err = errors.Join(err, r.Body.Close()); err != nil {
		return 0, nil, fmt.Errorf("%s: %w", at, err)
	}
	return r.StatusCode, body, nil
}

// fetchSum says how a file differs from what it should be, "" if it does not.
func fetchSum(ctx context.Context, at string, want web.Sum) (says string, err error) {
	status, body, err := fetch(ctx, at)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(body)
	switch got := hex.EncodeToString(sum[:]); {
	case status != http.StatusOK && want.Path != "404":
		return fmt.Sprintf("is answered with status %d", status), nil
	case got != want.SHA256:
		return "is another there: " + got, nil
	}
	return "", nil
}
