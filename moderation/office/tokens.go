package office

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Tokens is the file of those who may use the console: a line for each, with a name, the SHA-256 of
// the token, and the day when it was made. The tokens themselves are nowhere.
type Tokens struct{ path string }

// NewTokens returns the tokens in the file of that path, which is made with the first.
func NewTokens(path string) *Tokens { return &Tokens{path} }

// ErrToken says that nobody has this token.
var ErrToken = errors.New("this token is not valid: it is mistyped, or was removed; parley console token NAME makes another")

// ErrNoTokens says that the console is off.
var ErrNoTokens = errors.New("the console is off, because nobody has a token: parley console token NAME makes one")

// ErrName says that nobody's token can be called so.
var ErrName = errors.New("is no name for a token: use up to 32 small letters, digits and -, a letter first")

const tokenMark = "parley-" // tells what a token found somewhere is for

// May tells why no token can be made for name; nil when one can.
func (t *Tokens) May(name string) error {
	if !mayName(name) {
		return fmt.Errorf("%q %w", name, ErrName)
	}
	all, err := t.read()
	if err != nil {
		return err
	}
	if slices.Contains(names(all), name) {
		return fmt.Errorf("%s has a token already: parley console remove %s takes it away", name, name)
	}
	return nil
}

// Make makes a token for name and returns it. It is shown this once.
func (t *Tokens) Make(name string, now time.Time) (string, error) {
	if err := t.May(name); err != nil {
		return "", err
	}
	all, err := t.read()
	if err != nil {
		return "", err
	}
	token := tokenMark + rand.Text() // 130 bits
	sum := sha256.Sum256([]byte(token))
	return token, t.write(append(all, owner{name, sum, now.UTC().Format(time.DateOnly)}))
}

// Has tells that name has no token; nil when it has one.
func (t *Tokens) Has(name string) error {
	all, err := t.read()
	if err != nil {
		return err
	}
	if !slices.Contains(names(all), name) {
		return fmt.Errorf("nobody called %q has a token; there are: %s", name, strings.Join(names(all), ", "))
	}
	return nil
}

// Remove takes the token of name away; it holds no longer from the next request on.
func (t *Tokens) Remove(name string) error {
	if err := t.Has(name); err != nil {
		return err
	}
	all, err := t.read()
	if err != nil {
		return err
	}
	return t.write(slices.DeleteFunc(all, func(o owner) bool { return o.name == name }))
}

// Names returns who has a token.
func (t *Tokens) Names() ([]string, error) {
	all, err := t.read()
	return names(all), err
}

// Who returns the name that belongs to a token. It takes the same time for each that is wrong. Errors:
// [ErrToken], [ErrNoTokens].
func (t *Tokens) Who(token string) (string, error) {
	all, err := t.read()
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", ErrNoTokens
	}
	sum := sha256.Sum256([]byte(token))
	found := -1
	for i := range all {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(all[i].sum[:], sum[:]), i, found)
	}
	if found < 0 {
		return "", ErrToken
	}
	return all[found].name, nil
}

// mayName tells whether a token may be called so, for the name stands in the trail for ever.
func mayName(name string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	return name != "" && len(name) <= 32 && strings.Trim(name[:1], letters) == "" && strings.Trim(name, letters+"0123456789-") == ""
}

type owner struct {
	name string
	sum  [sha256.Size]byte
	made string
}

func names(all []owner) []string {
	list := make([]string, len(all))
	for i, o := range all {
		list[i] = o.name
	}
	return list
}

func (t *Tokens) read() ([]owner, error) {
	info, err := os.Stat(t.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("tokens: %w", err)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("token file %s is open to other users (mode %o): chmod 600 it", t.path, info.Mode().Perm())
	}
	text, err := os.ReadFile(t.path)
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	var all []owner
	for line := range strings.Lines(string(text)) {
		parts := strings.Fields(line)
		if len(parts) == 0 {
			continue
		}
		o := owner{name: parts[0]}
		if len(parts) != 3 || hex.DecodedLen(len(parts[1])) != len(o.sum) {
			return nil, fmt.Errorf("token file %s, line %d: say a name, 64 hexadecimal digits and a day", t.path, len(all)+1)
		}
		if _, err := hex.Decode(o.sum[:], []byte(parts[1])); err != nil {
			return nil, fmt.Errorf("token file %s, line %d: %w", t.path, len(all)+1, err)
		}
		o.made = parts[2]
		all = append(all, o)
	}
	return all, nil
}

// write replaces the file in one step, so that nobody ever reads half of it.
func (t *Tokens) write(all []owner) error {
	dir := filepath.Dir(t.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("tokens: %w", err)
	}
	aside, err := os.CreateTemp(dir, ".operators-*")
	if err != nil {
		return fmt.Errorf("tokens: %w", err)
	}
	defer func() { _ = os.Remove(aside.Name()) }() // gone already when it was renamed
	for _, o := range all {
		if _, err := fmt.Fprintf(aside, "%s %s %s\n", o.name, hex.EncodeToString(o.sum[:]), o.made); err != nil {
			return errors.Join(fmt.Errorf("tokens: %w", err), aside.Close())
		}
	}
	if err := errors.Join(aside.Sync(), aside.Close()); err != nil {
		return fmt.Errorf("tokens: %w", err)
	}
	if err := os.Rename(aside.Name(), t.path); err != nil {
		return fmt.Errorf("tokens: %w", err)
	}
	return nil
}
