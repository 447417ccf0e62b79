package matcher

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
)

// Language is one that people can search in.
type Language struct {
	Tag  string `json:"tag"`  // primary language of BCP 47, canonical
	Name string `json:"name"` // what its speakers call it
}

// everything is the name of the pools of those who take any topic; no interest is called so.
const everything = "any"

type catalogue struct {
	Languages []Language `json:"languages"`
	Interests []string   `json:"interests"`

	tags, slugs map[string]bool
}

//go:embed catalogue.json
var catalogueFile []byte // embedded

// known parses the catalogue once.
//
//nolint:gochecknoglobals // never changes; the file is part of the program
var known = sync.OnceValue(func() catalogue {
	var c catalogue
	if err := json.Unmarshal(catalogueFile, &c, json.RejectUnknownMembers(true)); err != nil {
		panic(fmt.Sprintf("matcher: catalogue.json: %v", err))
	}
	c.tags, c.slugs = map[string]bool{}, map[string]bool{}
	for _, l := range c.Languages {
		c.tags[l.Tag] = true
	}
	for _, slug := range c.Interests {
		c.slugs[slug] = true
	}
	return c
})

// Languages returns the languages of the catalogue, by tag.
func Languages() []Language { return slices.Clone(known().Languages) }

// Interests returns the interests of the catalogue.
func Interests() []string { return slices.Clone(known().Interests) }

// letters returns interests as they are stored: one letter each, by their place in the catalogue. So
// an interest may be added at the end of the catalogue, but not elsewhere, and none be removed.
func (c catalogue) letters(interests []string) string {
	var b strings.Builder
	for _, interest := range interests {
		b.WriteByte(idAlphabet[slices.Index(c.Interests, interest)])
	}
	return b.String()
}

// named returns interests from their letters; a letter that this program does not know is left out.
func (c catalogue) named(letters string) []string {
	var interests []string
	for _, letter := range letters {
		if i := strings.IndexRune(idAlphabet, letter); i >= 0 && i < len(c.Interests) {
			interests = append(interests, c.Interests[i])
		}
	}
	return interests
}
